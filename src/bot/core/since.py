"""How it is said since when something fails: `failing since 14:02, 3 runs`, `first seen`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from bot.core import blocks as b
from bot.core import wording
from bot.core.blocks import Block
from bot.core.history import Before
from bot.core.summary import Seen

Pieces = Sequence[str | datetime]
"""Words, and moments that a reader sees in their own time zone."""


def of_group(seen: Seen | None, count: int) -> list[str | datetime]:
    """What is known of a group of `count` rows; nothing where nothing is."""
    if seen is None:
        return []
    relapsed: list[str | datetime] = ["failed before", *_at(", last ", seen.last)]
    bunches: list[tuple[int, list[str | datetime]]] = [
        (seen.again, _failing(seen.since, seen.runs, at_least=seen.at_least, up_to=seen.up_to)),
        (seen.relapsed, relapsed),
        (seen.first, ["first seen"]),
    ]
    told: list[str | datetime] = []
    for number, pieces in bunches:
        if number:
            told += ["; " if told else " · ", f"{number:,} " if number < count else "", *pieces]
    return [one for one in told if one]


def of_before(before: Before | None) -> list[str | datetime]:
    """What is known of instances that have failed equally long: ` since 14:02, 3 runs`."""
    if before is None or not before.failed:
        return []
    return _failing(before.since, before.failed + 1, at_least=before.at_least, up_to=False)[1:]


def _failing(since: datetime | None, runs: int, *, at_least: bool, up_to: bool) -> list[str | datetime]:
    if at_least:
        return ["failing", " at least", *_at(" since ", since), f", {runs:,} runs or more"]
    return ["failing", *_at(" since ", since), f", {'up to ' if up_to else ''}{runs:,} runs"]


def _at(words: str, moment: datetime | None) -> list[str | datetime]:
    return [words, moment] if moment else []


def elements(pieces: Pieces, *, bold: bool = False) -> list[Block]:
    """Within a rich_text block."""
    return [b.moment(one) if isinstance(one, datetime) else b.words(one, bold=bold) for one in pieces]


def text(pieces: Pieces, zone: tzinfo) -> str:
    """As plain words."""
    return "".join(wording.clock_time(one, zone) if isinstance(one, datetime) else one for one in pieces)
