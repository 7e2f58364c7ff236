"""What a channel has before its eyes: the runs whose end it was told, `seen/{channel}/{run}` in the store."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from bot.adapters.store import Store, StoreError

log = logging.getLogger("bot.seen_ends")

_KEEP = 30 * 86_400.0  # seconds


def remember(store: Store, channel_id: str, run_ids: Iterable[str], now: float) -> None:
    """That the channel has their end before its eyes, or will have."""
    for run_id in run_ids:
        try:
            store.put(_key(channel_id, run_id), {}, now + _KEEP)
        except StoreError:
            log.warning("not remembered as seen: %s", run_id)


def forget(store: Store, channel_id: str, run_ids: Iterable[str]) -> None:
    """That what was to show it, or did, is gone."""
    for run_id in run_ids:
        try:
            store.delete(_key(channel_id, run_id))
        except StoreError:
            log.warning("not forgotten as seen: %s", run_id)


def has_all(store: Store, channel_id: str, run_ids: Sequence[str], now: float) -> bool:
    """Whether it has the ends of all these runs, if there are any. Raises StoreError."""
    return bool(run_ids) and all(store.get(_key(channel_id, run_id), now) for run_id in run_ids)


def _key(channel_id: str, run_id: str) -> str:
    return f"seen/{channel_id}/{run_id}"
