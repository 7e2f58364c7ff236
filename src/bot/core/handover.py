"""What the next person on call must know: what fails and who is on it, what goes on, what is silenced, what is well.

A draft is seen by one person, who shares it by a button. Slack's limits: lists are cut, and what is cut is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from bot.core import blocks as b
from bot.core import what_stands, wording
from bot.core.blocks import Block, Message
from bot.core.home import Run
from bot.core.open_work import OnIt
from bot.core.what_stands import WhatStands

SHARE, REFRESH = "share_handover", "refresh_handover"  # action ids
MOST = 10  # of each list
_STANDS = "Missed and muted"  # its lines begin with the one or the other word


@dataclass(frozen=True, slots=True)
class Failing:
    """A thing that fails: `line` says it in plain words; `since` and who is on it, where that is known."""

    line: str
    since: float = 0.0
    times: int = 0
    on_it: OnIt | None = None


@dataclass(frozen=True, slots=True)
class Recovered:
    line: str
    at: float


@dataclass(frozen=True, slots=True)
class Handover:
    """`taken` are runs that somebody is on and that are in no other list, by id. `notes` say what could not be read."""

    failing: Sequence[Failing]
    going: Sequence[Run]
    taken: Mapping[str, OnIt]
    recovered: Sequence[Recovered]
    stands: WhatStands
    notes: Sequence[str] = ()
    hours: int = 12


def message(told: Handover, by_name: str, zone: tzinfo, now: float, read_at: float) -> Message:
    """The whole of it; its buttons are added to a draft alone."""
    head = f"Handover: {_head(told)}"
    sections = _sections(told, zone)
    blocks = [b.header(head)]
    for title, lines in sections.items():
        blocks.append(b.rich_text(b.line(b.words(title, bold=True)), *(b.line(b.words(line)) for line in lines)))
    footer = [f"handover by {b.escape(wording.name(by_name))}", f"data {wording.duration(now - read_at)} old"]
    notes = [b.context(b.mrkdwn(" ".join(told.notes), 600))] if told.notes else []
    lines = [line if title == _STANDS else f"{title}: {line}" for title, some in sections.items() for line in some]
    return b.within_limits(
        b.escape("\n".join([f"{head}.", *lines, *told.notes])), [*blocks, *notes, b.context(*footer)]
    )


def draft(said: Message, value: str) -> Message:
    """The message as the person alone sees it; `value` is the packed handle of its buttons."""
    buttons: Block = {
        "type": "actions",
        "elements": [
            _button(SHARE, "Share", "Share the handover with the channel", value) | {"style": "primary"},
            _button(REFRESH, "Refresh", "Refresh the handover", value),
        ],
    }
    hint = b.context("Only you see this draft. Share posts it, as it stands then, to the channel.")
    return Message(said.text, (*said.blocks[: b.MOST_BLOCKS - 2], hint, buttons))


def _button(action_id: str, text: str, label: str, value: str) -> Block:
    return {
        "type": "button",
        "action_id": action_id,
        "text": {"type": "plain_text", "text": text, "emoji": False},
        "value": value,
        "accessibility_label": label,
    }


def _head(told: Handover) -> str:
    free = sum(one.on_it is None for one in told.failing)
    if not told.failing:
        failing = "nothing is failing"
    else:
        failing = f"{len(told.failing)} failing" + (f", nobody on {free} of them" if free else "")
    return f"{failing}, {len(told.going)} still going"


def _sections(told: Handover, zone: tzinfo) -> dict[str, list[str]]:
    """Titles with their lines; what is empty is left out, but for failures."""
    lists = {
        "Failing": [_failing(one, zone) for one in told.failing] or ["Nothing that I know of."],
        "Still going": [f"{one.what}, {one.progress}, {one.region}, {one.id}" for one in told.going],
        "Taken": [f"{run}: {_who(one, zone)}" for run, one in told.taken.items()],
        _STANDS: what_stands.told(told.stands, zone),
        f"Recovered in the last {told.hours} h": [
            f"{one.line} Well since {_at(one.at, zone)}." for one in told.recovered
        ],
    }
    return {title: _cut(lines) for title, lines in lists.items() if lines}


def _cut(lines: Sequence[str]) -> list[str]:
    more = [f"and {len(lines) - MOST} more"] if len(lines) > MOST else []
    return [wording.name(line, 300) for line in lines[:MOST]] + more


def _failing(one: Failing, zone: tzinfo) -> str:
    times = f", {one.times} times in a row" if one.times > 1 else ""
    since = f" Failing since {_at(one.since, zone)}{times}." if one.since else ""
    return f"{one.line}{since} {_who(one.on_it, zone)}"


def _who(one: OnIt | None, zone: tzinfo) -> str:
    return f"{wording.name(one.name, 40)} is on it since {_at(one.since, zone)}." if one else "Nobody is on it."


def _at(seconds: float, zone: tzinfo) -> str:
    return wording.clock_time(datetime.fromtimestamp(seconds, UTC), zone)
