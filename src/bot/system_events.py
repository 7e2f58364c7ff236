"""System events of instances (failure, maintenance, spot interruption, …), told plainly to who subscribes to them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot import notices, subscribers
from bot.core import system_events
from bot.core.blocks import Message
from bot.core.errors import CloudError
from bot.core.model import Instance
from bot.core.notices import News
from bot.core.reports import WELL
from bot.core.subscriptions import Subscription, grave

if TYPE_CHECKING:
    from bot.answering import Answering, Turn

log = logging.getLogger("bot.system_events")


def tell(answering: Answering, turn: Turn, payload: Mapping[str, Any]) -> None:
    """Queues a notice for each channel that wants the event. Raises StoreError and QueueRefused."""
    channels = subscribers.everywhere(answering.store, answering.now)
    name, region = str(payload["name"]), str(payload["region"])
    some = {
        channel: [one.subscription for one in those]
        for channel, those in channels.items()
        if answering.may_tell(channel) and answering.limit_of(channel).allows_region(region)
    }
    wanting = {channel: [one for one in those if one.of_event(name, region)] for channel, those in some.items()}
    if not any(wanting.values()):
        return
    instance = _instance(answering, turn, region, str(payload["instance_id"]))
    happened = datetime.fromtimestamp(payload["at"], UTC)
    message = system_events.message(name, str(payload["status"]), instance, happened, str(payload["detail"]))
    for channel, subscriptions in wanting.items():
        told = [one for one in subscriptions if _about(one, instance)]
        if told:
            rings = tuple(dict.fromkeys(one.ring for one in told if one.ring))
            _queue(answering, turn, channel, message, rings, (instance.id,) if grave(name) else ())


def _queue(
    answering: Answering,
    turn: Turn,
    channel: str,
    message: Message,
    rings: tuple[str, ...],
    failing: tuple[str, ...],
) -> None:
    now, story = answering.now, turn.job_id
    line = message.text.split("\n", 1)[0]
    news = News(WELL, int(now * 1000), now, story, instances=failing, line=line)
    turn.follow(notices.job(channel, story, news, notices.ringing(message, rings), (), (), now), 0)


def _about(one: Subscription, instance: Instance) -> bool:
    return one.of_instance(instance.id, instance.name, instance.tags)


def _instance(answering: Answering, turn: Turn, region: str, instance_id: str) -> Instance:
    """What people call it; its id alone where that cannot be read."""
    try:
        return answering.lookup(turn).instance(region, instance_id) or Instance(instance_id, region)
    except CloudError as error:
        log.warning("no name for an instance: %s", error.code or "no answer")
        return Instance(instance_id, region)
