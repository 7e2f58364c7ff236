"""What is different from the last run, as people read it: what fails newly first, each with the diff of its output."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo

from bot.core import blocks as b
from bot.core import messages, since, wording
from bot.core.blocks import Block, Message
from bot.core.differences import Change, Compared, Kind, ending, unified
from bot.core.masking import Masked
from bot.core.messages import MOST_IN_CHANNEL, MOST_LINE, Frame
from bot.core.output import excerpt
from bot.core.parts import DETAILS, Detail
from bot.core.summary import Summary
from bot.core.texts import N_, _, counted, joined, pgettext, stop

MOST_RUNS = 5  # told one by one
MOST_COUNTED = 3  # counts in line one
_TOLD = tuple(kind for kind in Kind if kind is not Kind.SAME)
_LINES = 12  # of one diff


def message(told: Sequence[Compared], summary: Summary, frame: Frame, actions: Sequence[Block] = ()) -> Message:
    """The comparison of one or several runs; `summary` is of these runs, for what stands around it."""
    masked = summary.masked
    runs = [one.run for one in told]
    first, others = _counts(told)
    where = wording.where(run.region for run in runs)
    head = _("{counts}: {what}, {where}", counts=first, what=wording.what(runs), where=where)
    notes = [*frame.notes, *(note for one in told for note in one.notes)]
    text = _text(b.clip(stop(head), MOST_LINE), told, frame.zone, notes)
    for detail in DETAILS:
        blocks = [
            b.header(b.clip(f"{_mark(told)} {head}", MOST_LINE)),
            *([b.context(*others)] if others else []),
            *_sections(told, masked, detail),
            *messages.notes_block(notes),
            b.context(*messages.footer(summary, frame, by_run=True)),
        ]
        if b.size(blocks) <= MOST_IN_CHANNEL:
            break
    return b.within_limits(text, [*blocks, *actions])


def _counts(told: Sequence[Compared]) -> tuple[str, list[str]]:
    """`2 newly failing, 1 newly fixed`: the most important that are not zero; and the others."""
    counts = [(sum(one.count(kind) for one in told), kind) for kind in Kind]
    changed = [_of_kind(kind, count) for count, kind in counts if count and kind is not Kind.SAME]
    same = [_of_kind(kind, count) for count, kind in counts if count and kind is Kind.SAME]
    first = joined(changed[:MOST_COUNTED]) or _("Nothing changed since the last run")
    return first, [*changed[MOST_COUNTED:], *same]


_KINDS = {
    Kind.NEWLY_FAILING: N_("{count} newly failing"),
    Kind.STILL_FAILING: N_("{count} still failing"),
    Kind.FIXED: N_("{count} newly fixed"),
    Kind.OTHER_OUTPUT: N_("{count} with other output"),
    Kind.NOT_RUN: N_("{count} not run this time"),
    Kind.FIRST_RUN: N_("{count} without an earlier run"),
    Kind.GOING: N_("{count} not ended"),
    Kind.SAME: N_("{count} as before"),
}


def _of_kind(kind: Kind, count: int) -> str:
    return _(_KINDS[kind], count=f"{count:,}")


def _mark(told: Sequence[Compared]) -> str:
    failing = any(one.count(Kind.NEWLY_FAILING) + one.count(Kind.STILL_FAILING) for one in told)
    return "✖" if failing else "✓"


def _sections(told: Sequence[Compared], masked: Masked, detail: Detail) -> Iterator[Block]:
    """A block for each run: beside what it was put, and its changes while there is room for some."""
    room = detail.groups + 3  # changes are shorter than groups
    for one in told[:MOST_RUNS]:
        changes = [change for change in one.changes if change.kind in _TOLD]
        shown = changes[:room]
        room -= len(shown)
        elements = [_beside(one, alone=len(told) == 1)]
        for change in shown:
            elements += _change(change, masked, detail, detail.output // max(1, min(detail.groups, len(changes))))
        elements += _rest(changes[len(shown) :], one, detail)
        yield b.rich_text(*elements)
    if len(told) > MOST_RUNS:
        more = counted("{count} more run", "{count} more runs", len(told) - MOST_RUNS)
        counts = _counts(told[MOST_RUNS:])[0]
        yield b.rich_text(b.line(b.words(_("{what}: {told}", what=more, told=counts), bold=True)))


def _beside(one: Compared, *, alone: bool) -> Block:
    command = "" if alone else f"{wording.what([one.run])} "
    which = [b.words(f"{command}{wording.name(one.run.id, 80)} ", bold=not alone)]
    if one.run.is_schedule:
        return b.line(*which, b.words(_("beside its repeat before") if one.against else _("has no repeat before")))
    if not one.against:
        return b.line(*which, b.words(_("has no earlier run on these instances")))
    elements = [b.words(pgettext("before a run", "beside "))]
    for number, run in enumerate(one.against[:3]):
        when = since.elements(since.moments(_(" of {time}"), run.created)) if run.created else []
        between = pgettext("between things", ", ") if number else ""
        elements += [b.words(f"{between}{wording.name(run.id, 80)}"), *when]
    left = len(one.against) - 3
    more = [b.words(counted(" and {count} more", " and {count} more", left))] if left > 0 else []
    return b.line(*which, *elements, *more)


def _change(change: Change, masked: Masked, detail: Detail, budget: int) -> Iterator[Block]:
    yield b.line(*since.elements(_title(change), bold=True))
    yield b.line(b.words(wording.members(change.rows, detail.names)))
    if change.was is None:
        return
    if not change.other_output:
        if change.kind is not Kind.FIXED and change.outputs:
            yield b.line(b.words(_("output as before")))
        return
    before, after = masked.shown(change.was.output.text)[0], masked.shown(change.rows[0].output.text)[0]
    lines = unified(before, after)
    if not lines:
        yield b.line(b.words(_("the outputs differ only in what is masked")))
        return
    yield b.preformatted(excerpt("\n".join(lines), min(_LINES, detail.lines + 4), max(160, budget)))
    if change.was.output.dropped or change.rows[0].output.dropped:
        yield b.line(b.words(_("bytes are missing from an output; Cloud Assistant does not say where")))


def _rest(left: Sequence[Change], one: Compared, detail: Detail) -> list[Block]:
    """What is counted only."""
    told = []
    if left:
        rows = [row for change in left for row in change.rows]
        told.append(b.line(b.words(joined([_more_changes(len(left)), wording.instances(len(rows))]), bold=True)))
        told.append(b.line(b.words(wording.members(rows, detail.names))))
    same = [row for change in one.of(Kind.SAME) for row in change.rows]
    return [*told, *([b.line(b.words(_of_kind(Kind.SAME, len(same))))] if same else [])]


def _more_changes(count: int) -> str:
    return counted("{count} more change", "{count} more changes", count)


def _title(change: Change) -> list[str | datetime]:
    """`2 still failing since 14:02, 3 runs: failed, exit code 1; before: exit code 7`."""
    head = [_of_kind(change.kind, change.count), *since.of_before(change.before)]
    if change.kind in (Kind.NOT_RUN, Kind.GOING, Kind.SAME):
        return head
    now, was = wording.ending(ending(change.rows[0])), wording.ending(ending(change.was)) if change.was else ""
    if was and was != now:
        return [*head, _(": {now}; before: {was}", now=now, was=was)]
    return [*head, _(": {now}", now=now)]


def _text(first: str, told: Sequence[Compared], zone: tzinfo, notes: Iterable[str]) -> str:
    """Line one and a sentence for each change, escaped; names give way where room is short."""
    for names in (120, 60, 30):
        sentences = [sentence for one in told[:MOST_RUNS] for sentence in _sentences(one, zone, names)]
        text = b.escape("\n".join([first, *sentences, *notes]))
        if b.width(text) <= b.MOST_TEXT:
            break
    return text


def _sentences(one: Compared, zone: tzinfo, names: int) -> Iterator[str]:
    if one.against and not one.run.is_schedule:
        last = one.against[0]
        when = _(" of {time}", time=wording.clock_time(last.created, zone)) if last.created else ""
        run, before = wording.name(one.run.id, 80), wording.name(last.id, 80) + when
        yield _("{run} beside {before}.", run=run, before=before)
    for change in one.changes:
        title = since.text(_title(change), zone)
        if change.kind is Kind.SAME:
            yield stop(title)
            continue
        members = wording.members(change.rows, names).replace("\n", pgettext("between things", ", "))
        yield _("{title}: {names}.", title=title, names=members)
