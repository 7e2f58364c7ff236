"""The store, as far as it can be used: what cannot be read is not there, what cannot be kept is logged."""

from __future__ import annotations

import logging

from bot.adapters.store import Store, StoreError, Value
from bot.settings import Clock

log = logging.getLogger("bot.kept")


class Kept:
    """A memory beside the work: without it the same is asked again."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def get(self, key: str) -> Value:
        """Empty where nothing is kept."""
        try:
            record = self._store.get(key, self._clock())
        except StoreError:
            return {}
        return record.value if record else {}

    def put(self, key: str, value: Value, seconds: float) -> None:
        """For so many seconds from now."""
        try:
            self._store.put(key, value, self._clock() + seconds)
        except StoreError:
            log.warning("not kept: %s", key)
