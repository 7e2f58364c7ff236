"""Mutes and missed expectations of a channel, as digests and handovers show them."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from bot import expected, mutes
from bot.adapters.store import Store, StoreError
from bot.core import wording
from bot.core.texts import counted
from bot.core.what_stands import Muted, WhatStands
from bot.expected import Expected

log = logging.getLogger("bot.what_stands")


def of_channel(store: Store, channel_id: str, now: float) -> WhatStands:
    """What stands now; a store that does not answer is told as such, for lists go out without it."""
    try:
        active = mutes.active(store, channel_id, now)
        waited_for = expected.in_channel(store, channel_id, now)
    except StoreError as error:
        log.warning("what stands is not known: %s", error)
        return WhatStands(known=False)
    muted = tuple(Muted(one.what, one.by_name, one.until) for one in active)
    return WhatStands(muted, tuple(_missed(one) for one in waited_for if one.missing))


def _missed(one: Expected) -> str:
    due = wording.clock_time(datetime.fromtimestamp(one.missed_at, UTC), one.zone)
    return counted(
        "{words}, due {time}: {count} instance without a good run.",
        "{words}, due {time}: {count} instances without a good run.",
        one.missing,
        words=one.expectation.told(one.zone_name),
        time=due,
    )
