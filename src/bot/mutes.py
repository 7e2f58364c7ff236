"""Mutes in the store, `mute/{channel}/{key}`, and what they hold back, `held/{channel}/{story}`.

A telling that is held back waits in the store, the newest of each story alone, and the timer `tick` releases it. A
chain of delayed jobs would have to be far longer than Function Compute promises to keep one, would wait out a mute
that was ended early, and would carry news that is old by then.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bot.adapters.store import Store
from bot.core.notices import OPEN, notice_from
from bot.core.quiet import Held, Mute, held_from, mute_from
from bot.jobs import NOTICE, Job, job_id

if TYPE_CHECKING:
    from bot.answering import Answering
    from bot.turn import Turn

log = logging.getLogger("bot.mutes")

RELEASE = 300  # seconds between two looks at what waits, as the timer `tick` has it
_KEEP = 30 * 86_400.0  # seconds


def active(store: Store, channel_id: str, now: float) -> list[Mute]:
    """The mutes of a channel that stand, the first to end first. Raises StoreError."""
    mutes = [mute_from(record.value) for record in store.list(f"mute/{channel_id}/", now)]
    return sorted(mutes, key=lambda one: one.until)


def covering(store: Store, payload: Mapping[str, Any], now: float) -> list[Mute]:
    """Those of a telling's channel that are about what it tells. Raises StoreError."""
    commands, event = payload.get("commands", ()), str(payload.get("event", ""))
    return [one for one in active(store, str(payload["channel"]), now) if one.covers(commands, event)]


def add(store: Store, channel_id: str, mutes: Iterable[Mute]) -> None:
    """One of the same things is replaced. Raises StoreError."""
    for one in mutes:
        store.put(f"mute/{channel_id}/{one.key}", one.value(), one.until)


def remove(store: Store, channel_id: str, mutes: Iterable[Mute]) -> None:
    """Raises StoreError."""
    for one in mutes:
        store.delete(f"mute/{channel_id}/{one.key}")


def failing(store: Store, channel_id: str, now: float) -> tuple[str, ...]:
    """The ids of instances that fail now, as far as the channel was told or is to be told. Raises StoreError."""
    notices = [notice_from(record.value) for record in store.list(f"notice/{channel_id}/", now)]
    waiting = [held_from(record.value).news for record in store.list(f"held/{channel_id}/", now)]
    told = {one for notice in notices if now - notice.told_at < OPEN for one in notice.instances}
    return tuple(sorted(told.union(*(news.instances for news in waiting))))


# What is held back


def held(store: Store, channel_id: str, story: str, now: float) -> Held | None:
    """What waits to be told of a story. Raises StoreError."""
    record = store.get(f"held/{channel_id}/{story}", now)
    return held_from(record.value) if record else None


def hold(store: Store, channel_id: str, story: str, waiting: Held, now: float) -> None:
    """Raises StoreError."""
    store.put(f"held/{channel_id}/{story}", waiting.value(), now + _KEEP)


def forget(store: Store, channel_id: str, story: str) -> None:
    """Raises StoreError."""
    store.delete(f"held/{channel_id}/{story}")


def release(answering: Answering, turn: Turn) -> None:
    """Queues what no mute holds back any more; the telling itself says how long it waited. Raises StoreError."""
    store, now = answering.store, answering.now
    for record in store.list("held/", now):
        _, channel, story = record.key.split("/", 2)
        waiting = held_from(record.value)
        if any(not one.broken_by(waiting.news.instances) for one in covering(store, waiting.payload, now)):
            continue
        log.info("released: %s", record.key)
        name = job_id("release", f"{story}-{channel}-{int(now // RELEASE)}")
        turn.follow(Job(NOTICE, name, int(now), dict(waiting.payload)), 0)
