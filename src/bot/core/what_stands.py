"""What else stands for a channel: who has silenced what, and what should have happened and did not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from bot.core import wording


@dataclass(frozen=True, slots=True)
class Muted:
    """What is silenced in a channel, in the words that were typed; `until` in seconds since the epoch, 0: open end."""

    words: str
    by_name: str = ""
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class WhatStands:
    """`missed` are sentences about expectations that were not met. `known` is False where that could not be read."""

    mutes: tuple[Muted, ...] = ()
    missed: tuple[str, ...] = ()
    known: bool = True


def told(stands: WhatStands, zone: tzinfo) -> list[str]:
    """One sentence for each, not escaped: what was missed first."""
    missed = [f"Missed: {wording.name(one, 300)}" for one in stands.missed]
    unknown = [] if stands.known else ["Mutes and missed expectations could not be read."]
    return [*missed, *(_muted(one, zone) for one in stands.mutes), *unknown]


def _muted(one: Muted, zone: tzinfo) -> str:
    until = f" until {wording.clock_time(datetime.fromtimestamp(one.until, UTC), zone)}" if one.until else ""
    by = f", by {wording.name(one.by_name)}" if one.by_name else ""
    return f"Muted: {wording.name(one.words, 120) or 'everything'}{until}{by}."
