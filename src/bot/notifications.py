"""Cloud events and timers, told to the channels that want to know.

An event is only a hint: where it is not of our account, or of a region that is not configured, it is dropped; what
is shown is read back from the API, with the environment's credentials, since nobody signed the event.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable

from bot.core.events import Event, trusted
from bot.settings import Settings

log = logging.getLogger("bot.notifications")


def heard(settings: Settings, events: Iterable[Event], request_id: str) -> bool:
    """Takes note of events; False when they should be delivered again."""
    reading = trusted(events, settings.account_id, settings.regions)
    for reason in reading.unknown:
        log.warning("events dropped: %s (%s)", reason, request_id)
    for kind, count in Counter(type(event).__name__ for event in reading.events).items():
        log.info("heard: %d %s (%s)", count, kind, request_id)
    return True
