"""What is expected where, in the store: `expectation/{channel}/{key}`, with the time at which it is due next."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from bot.adapters.store import FOR_EVER, Store
from bot.core.errors import UsageError
from bot.core.expectations import Expectation, read
from bot.core.question import ORDER_KEYS
from bot.core.unmet import Told
from bot.core.words import words_of
from bot.zones import zone_called

log = logging.getLogger("bot.expected")


@dataclass(frozen=True, slots=True)
class Expected:
    """An expectation of a channel. `due` and `made` in seconds since the epoch; `last` says how it went last.

    `missed_at` is the due time that was missed last, with so many instances `missing`; 0 where none was.
    """

    channel_id: str
    expectation: Expectation
    zone_name: str
    due: float
    by: str = ""
    by_name: str = ""
    made: float = field(default=0.0, compare=False)
    last: str = ""
    missed_at: float = 0.0
    missing: int = 0

    @property
    def key(self) -> str:
        return f"expectation/{self.channel_id}/{self.expectation.key}"

    @property
    def zone(self) -> tzinfo:
        return zone_called(self.zone_name)

    @property
    def told(self) -> Told:
        return Told(self.expectation, self.by_name, self.zone, self.zone_name)

    def next_after(self, moment: float) -> float:
        """When it is due next."""
        return self.expectation.due_after(datetime.fromtimestamp(moment, UTC), self.zone).timestamp()

    def value(self) -> dict[str, Any]:
        """As the store keeps it."""
        return {
            "channel_id": self.channel_id,
            "words": self.expectation.words(),
            "zone_name": self.zone_name,
            "due": self.due,
            "by": self.by,
            "by_name": self.by_name,
            "made": self.made,
            "last": self.last,
            "missed_at": self.missed_at,
            "missing": self.missing,
        }


def expected_from(value: dict[str, Any]) -> Expected:
    """Raises UsageError for words of another version."""
    rest = dict(value)
    return Expected(expectation=read(words_of(str(rest.pop("words", "")), ORDER_KEYS)), **rest)


def add(store: Store, some: Iterable[Expected]) -> None:
    """The same wish twice is one. Raises StoreError."""
    for one in some:
        store.put(one.key, one.value(), one.made + FOR_EVER)


def remove(store: Store, some: Iterable[Expected]) -> None:
    """Raises StoreError."""
    for one in some:
        store.delete(one.key)


def in_channel(store: Store, channel_id: str, now: float) -> list[Expected]:
    """Raises StoreError."""
    return _read(store, f"expectation/{channel_id}/", now)


def everywhere(store: Store, now: float) -> list[Expected]:
    """Raises StoreError."""
    return _read(store, "expectation/", now)


def _read(store: Store, prefix: str, now: float) -> list[Expected]:
    found = []
    for record in store.list(prefix, now):
        try:
            found.append(expected_from(record.value))
        except (UsageError, TypeError):
            log.error("an expectation of another version is left alone: %s", record.key)
    return found
