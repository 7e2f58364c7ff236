"""What else stands for a channel: who has silenced what, and what should have happened and did not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from bot.core import wording
from bot.core.texts import _, joined, stop


@dataclass(frozen=True, slots=True)
class Muted:
    """What is silenced in a channel, in words, by whom, and `until` when in seconds since the epoch."""

    words: str
    by_name: str
    until: float


@dataclass(frozen=True, slots=True)
class WhatStands:
    """`missed` are sentences about expectations that were not met. `known` is False where that could not be read."""

    mutes: tuple[Muted, ...] = ()
    missed: tuple[str, ...] = ()
    known: bool = True


def told(stands: WhatStands, zone: tzinfo) -> list[str]:
    """One sentence for each, not escaped: what was missed first."""
    missed = [_("Missed: {what}", what=wording.name(one, 300)) for one in stands.missed]
    unknown = [] if stands.known else [_("Mutes and missed expectations could not be read.")]
    return [*missed, *(_muted(one, zone) for one in stands.mutes), *unknown]


def _muted(one: Muted, zone: tzinfo) -> str:
    until = wording.clock_time(datetime.fromtimestamp(one.until, UTC), zone)
    what = _("{what} until {time}", what=wording.name(one.words, 120), time=until)
    return stop(_("Muted: {what}", what=joined([what, _("by {who}", who=wording.name(one.by_name))])))
