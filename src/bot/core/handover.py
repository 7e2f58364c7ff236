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
from bot.core.texts import N_, _, counted, joined, sentences, stop
from bot.core.what_stands import WhatStands

SHARE, REFRESH = "share_handover", "refresh_handover"  # action ids
MOST = 10  # of each list
_STANDS = N_("Missed and muted")  # its lines begin with the one or the other word


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
    head = _("Handover: {told}", told=_head(told))
    sections = _sections(told, zone)
    blocks = [b.header(head)]
    for title, lines in sections.items():
        blocks.append(b.rich_text(b.line(b.words(title, bold=True)), *(b.line(b.words(line)) for line in lines)))
    footer = [
        _("handover by {who}", who=b.escape(wording.name(by_name))),
        _("data {span} old", span=wording.duration(now - read_at)),
    ]
    notes = [b.context(b.mrkdwn(sentences(told.notes), 600))] if told.notes else []
    lines = [
        line if title == _(_STANDS) else _("{what}: {told}", what=title, told=line)
        for title, some in sections.items()
        for line in some
    ]
    return b.within_limits(
        b.escape("\n".join([stop(head), *lines, *told.notes])), [*blocks, *notes, b.context(*footer)]
    )


def draft(said: Message, value: str) -> Message:
    """The message as the person alone sees it; `value` is the packed handle of its buttons."""
    buttons: Block = {
        "type": "actions",
        "elements": [
            _button(SHARE, _("Share"), _("Share the handover with the channel"), value) | {"style": "primary"},
            _button(REFRESH, _("Refresh"), _("Refresh the handover"), value),
        ],
    }
    hint = b.context(_("Only you see this draft. Share posts it, as it stands then, to the channel."))
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
        failing = [_("nothing is failing")]
    else:
        failing = [_("{count} failing", count=f"{len(told.failing):,}")]
        failing += [_("nobody on {count} of them", count=f"{free:,}")] if free else []
    return joined([*failing, _("{count} still going", count=f"{len(told.going):,}")])


def _sections(told: Handover, zone: tzinfo) -> dict[str, list[str]]:
    """Titles with their lines; what is empty is left out, but for failures."""
    lists = {
        _("Failing"): [_failing(one, zone) for one in told.failing] or [_("Nothing that I know of.")],
        _("Still going"): [joined([one.what, one.progress, one.region, one.id]) for one in told.going],
        _("Taken"): [_("{what}: {told}", what=run, told=_who(one, zone)) for run, one in told.taken.items()],
        _(_STANDS): what_stands.told(told.stands, zone),
        _("Recovered in the last {h} h", h=told.hours): [
            sentences([one.line, _("Well since {time}.", time=_at(one.at, zone))]) for one in told.recovered
        ],
    }
    return {title: _cut(lines) for title, lines in lists.items() if lines}


def _cut(lines: Sequence[str]) -> list[str]:
    more = [counted("and {count} more", "and {count} more", len(lines) - MOST)] if len(lines) > MOST else []
    return [wording.name(line, 300) for line in lines[:MOST]] + more


def _failing(one: Failing, zone: tzinfo) -> str:
    since = ""
    if one.since:
        began = _("Failing since {time}", time=_at(one.since, zone))
        since = stop(joined([began, *([_("{n} times in a row", n=f"{one.times:,}")] if one.times > 1 else [])]))
    return sentences([one.line, since, _who(one.on_it, zone)])


def _who(one: OnIt | None, zone: tzinfo) -> str:
    if one is None:
        return _("Nobody is on it.")
    return _("{who} is on it since {time}.", who=wording.name(one.name, 40), time=_at(one.since, zone))


def _at(seconds: float, zone: tzinfo) -> str:
    return wording.clock_time(datetime.fromtimestamp(seconds, UTC), zone)
