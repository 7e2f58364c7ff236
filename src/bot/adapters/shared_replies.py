"""Replies of the cloud that are a few seconds old, so that five people who ask the same make one call."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from bot.core.manners import FRESH

MOST = 32  # replies
MOST_TEXT = 4_000_000  # characters in all of them

Key = tuple[str, ...]


class SharedReplies:
    """For one process; safe to use from many threads. Replies are shared, so nobody may change one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, tuple[float, int, dict[str, Any]]] = OrderedDict()

    def get(self, key: Key, now: float) -> tuple[float, dict[str, Any]] | None:
        """When the reply came, and the reply; None where there is no fresh one, or the clock was set back since."""
        with self._lock:
            self._forget_old(now)
            kept = self._kept.get(key)
            return (kept[0], kept[2]) if kept and kept[0] <= now else None

    def put(self, key: Key, reply: dict[str, Any], now: float) -> None:
        """Keeps a reply that was asked for at `now`, maybe before others that are kept; the first kept make room."""
        size = _text(reply)
        if size > MOST_TEXT:
            return
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = (now, size, reply)
            while len(self._kept) > MOST or sum(kept[1] for kept in self._kept.values()) > MOST_TEXT:
                self._kept.popitem(last=False)

    def _forget_old(self, now: float) -> None:
        for key in [key for key, kept in self._kept.items() if now - kept[0] >= FRESH]:
            del self._kept[key]


def _text(value: object) -> int:
    """Characters of all texts within a reply."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(map(_text, value.values()))
    return sum(map(_text, value)) if isinstance(value, list) else 0
