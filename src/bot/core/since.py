"""How it is said since when something fails: `failing since 14:02, 3 runs`, `first seen`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from bot.core import blocks as b
from bot.core import wording
from bot.core.blocks import Block
from bot.core.history import Before
from bot.core.summary import Seen
from bot.core.texts import _, counted, pgettext

Pieces = Sequence[str | datetime]
"""Words, and moments that a reader sees in their own time zone."""


def of_group(seen: Seen | None) -> list[str | datetime]:
    """What is known of a group; nothing where nothing is."""
    if seen is None:
        return []
    relapsed: list[str | datetime]
    relapsed = moments(_("failed before, last {time}"), seen.last) if seen.last else [_("failed before")]
    bunches: list[tuple[int, list[str | datetime]]] = [
        (seen.again, _failing(seen.since, seen.runs, at_least=seen.at_least, up_to=seen.up_to)),
        (seen.relapsed, relapsed),
        (seen.first, [_("first seen")]),
    ]
    told: list[str | datetime] = []
    for number, pieces in bunches:
        if number:
            between = pgettext("between sentences of one", "; ") if told else " · "
            told += [between, _("{number} ", number=f"{number:,}") if number < seen.of else "", *pieces]
    return [one for one in told if one]


def of_before(before: Before | None) -> list[str | datetime]:
    """What is known of instances that have failed equally long: ` since 14:02, 3 runs`."""
    if before is None or not before.failed:
        return []
    return _since(before.since, before.failed + 1, at_least=before.at_least, up_to=False)


def _failing(since: datetime | None, runs: int, *, at_least: bool, up_to: bool) -> list[str | datetime]:
    return [_("failing"), *_since(since, runs, at_least=at_least, up_to=up_to)]


def _since(since: datetime | None, runs: int, *, at_least: bool, up_to: bool) -> list[str | datetime]:
    if at_least:
        when = moments(_(" at least since {time}"), since) if since else [_(" at least")]
        return [*when, counted(", {count} run or more", ", {count} runs or more", runs)]
    when = moments(_(" since {time}"), since) if since else []
    if up_to:
        return [*when, counted(", up to {count} run", ", up to {count} runs", runs)]
    return [*when, counted(", {count} run", ", {count} runs", runs)]


def moments(said: str, when: datetime) -> list[str | datetime]:
    """A text with `{time}` in it, which each reader sees in their own time zone."""
    before, _found, after = said.partition("{time}")
    return [piece for piece in (before, when, after) if piece]


def elements(pieces: Pieces, *, bold: bool = False, form: str = b.MOMENT) -> list[Block]:
    """Within a rich_text block."""
    return [b.moment(one, form) if isinstance(one, datetime) else b.words(one, bold=bold) for one in pieces]


def text(pieces: Pieces, zone: tzinfo) -> str:
    """As plain words."""
    return "".join(wording.clock_time(one, zone) if isinstance(one, datetime) else one for one in pieces)
