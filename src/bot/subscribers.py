"""Who has subscribed to what, in the store: `subscription/{channel}/{key}`.

The rows are the truth; nothing of them is kept in memory, since many function instances share them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.adapters.store import FOR_EVER, Store
from bot.core.errors import UsageError
from bot.core.subscriptions import Subscription, from_value

log = logging.getLogger("bot.subscribers")


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subscription of a channel: who made it, and when (seconds since the epoch)."""

    team_id: str
    channel_id: str
    subscription: Subscription
    by: str = ""
    by_name: str = ""
    made: float = field(default=0.0, compare=False)

    @property
    def key(self) -> str:
        return f"subscription/{self.channel_id}/{self.subscription.key}"


def add(store: Store, some: Iterable[Subscribed]) -> None:
    """The same wish twice is one. Raises StoreError."""
    for one in some:
        value = {
            "team": one.team_id,
            "channel": one.channel_id,
            "words": one.subscription.words(),
            "by": one.by,
            "by_name": one.by_name,
            "made": one.made,
        }
        store.put(one.key, value, one.made + FOR_EVER)


def remove(store: Store, some: Iterable[Subscribed]) -> None:
    """Raises StoreError."""
    for one in some:
        store.delete(one.key)


def in_channel(store: Store, channel_id: str, now: float) -> list[Subscribed]:
    """Raises StoreError."""
    return _read(store, f"subscription/{channel_id}/", now)


def everywhere(store: Store, now: float) -> dict[str, list[Subscribed]]:
    """All subscriptions, by channel. Raises StoreError."""
    channels: dict[str, list[Subscribed]] = {}
    for one in _read(store, "subscription/", now):
        channels.setdefault(one.channel_id, []).append(one)
    return channels


def _read(store: Store, prefix: str, now: float) -> list[Subscribed]:
    found = []
    for record in store.list(prefix, now):
        value = record.value
        try:
            subscription = from_value(value)
        except UsageError:
            log.error("a subscription of another version is left alone: %s", record.key)
            continue
        channel, team = str(value.get("channel", "")), str(value.get("team", ""))
        made = float(value.get("made", 0.0))
        by, by_name = str(value.get("by", "")), str(value.get("by_name", ""))
        found.append(Subscribed(team, channel, subscription, by, by_name, made))
    return found
