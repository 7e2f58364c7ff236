"""Mutes and missed expectations of a channel, as lists show them, from the rows that stand for them in the store."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from bot.adapters.store import Store, StoreError
from bot.core.what_stands import Muted, WhatStands

log = logging.getLogger("bot.what_stands")


def of_channel(store: Store, channel_id: str, now: float) -> WhatStands:
    """What stands now; a store that does not answer is told as such, for lists go out without it."""
    try:
        mutes = [_muted(one.value) for one in store.list(f"mute/{channel_id}/", now)]
        expected = [one.value for one in store.list(f"expectation/{channel_id}/", now)]
    except StoreError as error:
        log.warning("what stands is not known: %s", error)
        return WhatStands(known=False)
    active = tuple(one for one in mutes if not one.until or one.until > now)
    return WhatStands(active, tuple(sentence for value in expected for sentence in _missed(value)))


def _muted(value: Mapping[str, Any]) -> Muted:
    """Fields of another version are left out, not guessed."""
    until = value.get("until")
    seconds = float(until) if isinstance(until, int | float) else 0.0
    return Muted(str(value.get("words", "")), str(value.get("by_name", "")), seconds)


def _missed(value: Mapping[str, Any]) -> list[str]:
    missed = value.get("missed")
    if isinstance(missed, str):
        return [missed] if missed else []
    return [str(one) for one in missed] if isinstance(missed, list) else []
