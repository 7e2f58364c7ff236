"""What must happen once although two jobs ask for it: a claim in the store, held by the job that came first.

The same job delivered again still holds its claim. Without a store all goes ahead: an answer matters more than a
second one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.adapters.store import Store, StoreError, Value
from bot.core.errors import UsageError

log = logging.getLogger("bot.claims")

_KEEP = 2 * 86_400.0  # seconds; longer than any claim is held


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do what `key` names. Times are in seconds, `now` since the epoch."""

    store: Store
    key: str
    owner: str

    def take(self, now: float, seconds: float) -> tuple[bool, Value]:
        """Whether the claim is ours for so long, and what its holder has marked."""
        until = now + seconds
        try:
            held = self.store.claim(self.key, self.owner, now, until, until + _KEEP)
            if held.won:
                self.store.mark(self.key, self.owner, {}, until)  # what an earlier holder has left says nothing
                return True, {}
            return self.store.mark(self.key, self.owner, held.value, until), held.value
        except StoreError as error:
            log.error("store: %s", error)
            return True, {}

    def seize(self, now: float, seconds: float) -> None:
        """Takes it from a holder that has nothing left to hold it for."""
        try:
            self.store.delete(self.key)
        except StoreError as error:
            log.error("store: %s", error)
        self.take(now, seconds)

    def mark(self, value: Value, now: float, seconds: float) -> None:
        """Holds it for so long from now, with something for others to read."""
        try:
            self.store.mark(self.key, self.owner, value, now + seconds)
        except StoreError as error:
            log.error("store: %s", error)

    def release(self, now: float) -> None:
        self.mark({}, now, 0)

    @contextmanager
    def once(self, now: float, seconds: float, already: str) -> Iterator[None]:
        """Does it at most once in so many seconds; raises UsageError(`already`). What failed may be tried again."""
        ours, _ = self.take(now, seconds)
        if not ours:
            raise UsageError(already)
        try:
            yield
        except BaseException:
            self.release(now)
            raise
