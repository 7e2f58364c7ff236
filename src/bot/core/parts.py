"""The parts of an answer, as blocks: groups, what is going on, successes, schedules.

Output stands only in preformatted text, which Slack takes literally.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.core import blocks as b
from bot.core import since, where, wording
from bot.core.blocks import Block
from bot.core.diagnosis import Diagnosis
from bot.core.masking import Masked
from bot.core.output import Output, excerpt
from bot.core.summary import Bucket, Group, Row, Summary
from bot.core.texts import _, capital, counted, joined, pgettext, stop

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Detail:
    """How much is shown: groups, lines of each output; characters of all outputs, of names, of vendor text."""

    groups: int
    lines: int
    output: int
    names: int
    info: int


# From what is wished to what always fits: the first that makes an answer short enough is taken.
DETAILS = (
    Detail(groups=5, lines=8, output=1_500, names=300, info=300),
    Detail(groups=5, lines=6, output=900, names=160, info=160),
    Detail(groups=5, lines=4, output=500, names=80, info=80),
    Detail(groups=3, lines=3, output=240, names=60, info=60),
)


@dataclass(frozen=True, slots=True)
class Telling:
    """One summary told in one detail. `by_run`: each result is a run of its own and bears its command's name."""

    summary: Summary
    detail: Detail
    masked: Masked
    by_run: bool

    def schedules(self) -> list[Block]:
        lines = []
        for told in self.summary.schedules[:3]:
            sentence, failing_since = wording.schedule(told)
            elements = [b.words(capital(sentence))]
            if failing_since:
                elements += since.elements(since.moments(_(" since {time}"), failing_since))
            if len(self.summary.invocations) > 1:
                which = f" · {wording.what([told.invocation])} · {wording.name(told.invocation.id)}"
                elements.append(b.words(which))
            lines.append(b.line(*elements))
        return [b.rich_text(*lines)] if lines else []

    def where(self) -> list[Block]:
        told = where.sentences(self.summary.shared, {one.region for one in self.summary.invocations})
        return [b.rich_text(*(b.line(b.words(stop(sentence))) for sentence in told))] if told else []

    def group(self, group: Group, groups: int) -> Block:
        """One of `groups` groups of what did not succeed: title and since when, who, output, next step."""
        title = b.words(wording.title(group), bold=True)
        elements = [b.line(title, *since.elements(since.of_group(group.seen))), *self._who(group.rows)]
        info = group.rows[0].result.error_info
        if info and group.error_code != "ExitCodeNonzero":
            elements.append(b.line(b.words(wording.name(info, self.detail.info))))
        if self.detail.lines and (group.output.text or group.bucket in (Bucket.FAILED, Bucket.TIMED_OUT)):
            elements += self._output(group, self.detail.output // groups, self.detail.lines)
        if group.diagnosis is not None and group.diagnosis.next_step:
            elements.append(_next_step(group.diagnosis))
        return b.rich_text(*elements)

    def more_groups(self, groups: Sequence[Group]) -> list[Block]:
        if not groups:
            return []
        rows = [row for group in groups for row in group.rows]
        of = wording.runs(len(rows)) if self.by_run else wording.instances(len(rows))
        told = joined([wording.more_groups(len(groups)), of])
        who = wording.members(rows, self.detail.names)
        return [b.rich_text(b.line(b.words(told, bold=True)), b.line(b.words(who)))]

    def going(self, now: datetime) -> list[Block]:
        """What is going on: since when, when its time limit ends, where."""
        lines = []
        for group in by_status(self.summary.of(Bucket.GOING))[:3]:
            elements = [b.words(wording.title(group), bold=True)]
            started = min((row.result.started for row in group.rows if row.result.started), default=None)
            if started:
                elements += since.elements(since.moments(_(" since {time}"), started))
            limit = wording.time_limit_ends(group.rows, self.summary.invocations)
            if limit and limit > now:
                killed = since.moments(_(", killed at {time} if it still runs"), limit)
                elements += since.elements(killed, form="{time}")
            lines += [b.line(*elements), *self._who(group.rows)]
        return [b.rich_text(*lines)] if lines else []

    def successes(self, *, alone: bool) -> list[Block]:
        """Successes folded by output; a few are shown, all are counted. `alone`: there is nothing else to tell."""
        groups = self.summary.of(Bucket.SUCCEEDED)
        if not groups:
            return []
        head = wording.success_words(self.summary, f"{sum(group.count for group in groups):,}")
        if len(groups) == 1:
            return [b.rich_text(*self._one_success(groups[0], head, alone=alone))]
        elements = [b.line(b.words(joined([head, _different(len(groups))]), bold=True))]
        for group in groups[: 3 if len(groups) <= 5 else 1]:
            who = wording.members(group.rows, min(120, self.detail.names)).replace(
                "\n", pgettext("between things", ", ")
            )
            elements.append(b.line(b.words(f"{group.count:,} × {who}")))
            elements += self._output(group, 600 if alone else 200, 3)
        return [b.rich_text(*elements)]

    def _one_success(self, group: Group, head: str, *, alone: bool) -> list[Block]:
        who = self._who(group.rows) if self.by_run or group.count == 1 else []
        if not self.detail.lines:  # outputs have not been read
            return [b.line(b.words(head, bold=True)), *who]
        if not group.output.text:
            notes = output_notes(group.output, 0, group.rows)
            return [b.line(b.words(joined([head, _("no output")]), bold=True)), *who, *notes]
        head = joined([head, _("one output")]) if group.count > 1 else head
        output = self._output(group, 600 if alone else 200, self.detail.lines if alone else 3)
        return [b.line(b.words(head, bold=True)), *who, *output]

    def _who(self, rows: Sequence[Row]) -> list[Block]:
        if self.by_run:
            return self._runs(rows)
        told = wording.members(rows, self.detail.names)
        if len(rows) == 1 and rows[0].name != rows[0].result.instance_id:
            told += f"   {wording.name(rows[0].result.instance_id)}"
        return [b.line(b.words(told))]

    def _runs(self, rows: Sequence[Row]) -> list[Block]:
        """The newest three, one a line."""
        lines = []
        newest = sorted(rows, key=lambda row: row.result.started or _LONG_AGO, reverse=True)[:3]
        for row in newest:
            when = [b.words(" · "), b.moment(row.result.started)] if row.result.started else []
            command = wording.name(row.command_name or row.result.command_id) or _("a command without name")
            where_ran = _("{command} on {instance}", command=command, instance=wording.name(row.name))
            told = f"{where_ran} · {wording.name(row.result.invoke_id)}"
            lines.append(b.line(b.words(told), *when))
        left = len(rows) - 3
        more = [b.line(b.words(counted("and {count} more", "and {count} more", left)))] if left > 0 else []
        return [*lines, *more]

    def _output(self, group: Group, budget: int, most_lines: int) -> list[Block]:
        """The output in fixed width, then what a reader must know about it."""
        text, secrets = self.masked.shown(group.output.text)
        shown = b.preformatted(excerpt(text, most_lines, budget))
        return [shown, *output_notes(group.output, secrets, group.rows, wording.differs(group))]


def output_notes(output: Output, secrets: int, rows: Sequence[Row], differs: Sequence[str] = ()) -> list[Block]:
    """What a reader must know about an output, and where the whole of it is, ready to copy."""
    notes = [*differs, *wording.output_notes(output, secrets), *wording.oss_notes(rows)]
    lines = [b.line(b.words(" · ".join(notes)))] if notes else []
    addresses = wording.oss_addresses(rows)
    if not addresses:
        return lines
    address, whose = addresses[0]
    if len(addresses) == 1:
        return [*lines, b.line(b.words(_("Whole output in OSS: ")), b.words(address, code=True))]
    more = counted("; the file names the other {count}", "; the file names the other {count}", len(addresses) - 1)
    head = _("Whole output of {instance} in OSS: ", instance=whose)
    return [*lines, b.line(b.words(head), b.words(address, code=True), b.words(more))]


def _different(count: int) -> str:
    return counted("{count} different output", "{count} different outputs", count)


def _next_step(known: Diagnosis) -> Block:
    """Whose move it is, which, the line to copy, whether a rerun is safe, and the vendor's page."""
    command = [b.words(pgettext("before a command", ": ")), b.words(known.command, code=True)] if known.command else []
    page = [b.words(" "), b.link(_(known.reason.page), _("Vendor's page"))]
    rerun = b.words(_(". {rerun}", rerun=_(wording.RERUN[known.rerun])))
    return b.line(b.words(wording.next_step(known)), *command, rerun, *page)


def by_status(groups: Iterable[Group]) -> list[Group]:
    """Groups of the same status as one: their outputs are not yet what matters."""
    merged: dict[str, Group] = {}
    for group in groups:
        first = merged.get(group.status)
        merged[group.status] = replace(first, rows=first.rows + group.rows) if first else group
    return list(merged.values())
