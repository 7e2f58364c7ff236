"""System events of instances (failure, maintenance, spot interruption, …), told plainly to who subscribes to them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot import notices, subscribers
from bot.core import quiet, system_events
from bot.core.blocks import Message
from bot.core.errors import CloudError, Denied, Throttled
from bot.core.model import Instance
from bot.core.notices import News
from bot.core.reports import WELL
from bot.core.subscriptions import grave, kind_of
from bot.subscribers import Subscribed

if TYPE_CHECKING:
    from bot.answering import Answering
    from bot.turn import Turn

log = logging.getLogger("bot.system_events")

_UNANSWERED = 15.0  # seconds until an instance's name is asked for again


def tell(answering: Answering, turn: Turn, payload: Mapping[str, Any]) -> None:
    """Queues a notice for each channel that wants the event. Raises StoreError and QueueRefused."""
    channels = subscribers.everywhere(answering.store, answering.now)
    name, region = str(payload["name"]), str(payload["region"])
    wanting = {
        channel: [one for one in some if one.subscription.of_event(name, region)]
        for channel, some in channels.items()
        if answering.admissions.may_tell(channel) and answering.admissions.limit_of(channel).allows_region(region)
    }
    if not any(wanting.values()):
        return
    instance = _instance(answering, turn, region, str(payload["instance_id"]))
    happened = datetime.fromtimestamp(payload["at"], UTC)
    message = system_events.message(name, str(payload["status"]), instance, happened, str(payload["detail"]))
    message = notices.with_menu(message, quiet.about(events=[kind_of(name)]), answering.settings, answering.now)
    for channel, some in wanting.items():
        told = [one for one in some if one.subscription.of_instance(instance.id, instance.name, instance.tags)]
        if told:
            _queue(answering, turn, channel, message, told, payload)


def _queue(
    answering: Answering,
    turn: Turn,
    channel: str,
    message: Message,
    told: Sequence[Subscribed],
    payload: Mapping[str, Any],
) -> None:
    now, story, name = answering.now, turn.job_id, str(payload["name"])
    line = message.text.split("\n", 1)[0]
    failing = (str(payload["instance_id"]),) if grave(name) else ()
    news = News(WELL, int(now * 1000), now, story, instances=failing, line=line)
    rings = tuple(dict.fromkeys(one.subscription.ring for one in told if one.subscription.ring))
    wishes = [one.key for one in told]
    rung = notices.ringing(message, rings)
    turn.follow(notices.job(channel, story, news, rung, now, wishes=wishes, event=kind_of(name)), 0)


def _instance(answering: Answering, turn: Turn, region: str, instance_id: str) -> Instance:
    """What people call it; its id alone where that cannot be read, not even a while later."""
    try:
        return answering.lookup(turn).instance(region, instance_id) or Instance(instance_id, region)
    except CloudError as error:
        if turn.patient and not isinstance(error, Denied):
            turn.again(error.wait if isinstance(error, Throttled) else _UNANSWERED)
        log.warning("no name for an instance: %s", error.code or "no answer")
        return Instance(instance_id, region)
