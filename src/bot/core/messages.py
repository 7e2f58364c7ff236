"""One function for each message people read.

Line one is counts, then what, where and why: it is also the phone's notification. Then what did not succeed, then
what is still going, then successes, then who asked and how old the data is. Output stands only in preformatted
text; whatever came from outside is cleaned, masked and escaped here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from bot.core import blocks as b
from bot.core import wording
from bot.core.blocks import Block, Message
from bot.core.diagnosis import reason
from bot.core.errors import CloudError, Denied, Throttled
from bot.core.masking import mask
from bot.core.model import Invocation
from bot.core.output import Output, excerpt
from bot.core.summary import BAD, Bucket, Group, Row, Summary, summarise

MOST_LINE = 110
MOST_GROUPS = 5
MOST_LINES = 8
_OUTPUT_BUDGET = 1_500  # characters of output in one message, shared by its groups


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around an answer: who asked, in which time zone, when it was read, where the console is.

    `notes` are sentences about what is missing from the answer and why.
    """

    now: datetime
    asked_by: str = ""
    zone: tzinfo = UTC
    read_at: datetime | None = None
    console: str = ""
    notes: tuple[str, ...] = ()


def results(summary: Summary, frame: Frame) -> Message:
    """What really happened in one or several invocations."""
    subject = wording.what(summary.invocations)
    if summary.total == 1:
        subject = f"{subject} on {wording.name(summary.groups[0].rows[0].name, 40)}"
    regions = [invocation.region for invocation in summary.invocations]
    head = f"{wording.counts(summary)}: {subject}, {wording.where(regions)}"
    return _answer(summary, head, frame, _invocation_ids(summary.invocations))


def results_on_instances(summary: Summary, subject: str, frame: Frame) -> Message:
    """The newest results on some instances; each result is a run of its own."""
    regions = [row.result.region for group in summary.groups for row in group.rows]
    head = f"{wording.counts(summary, 'runs')}: {wording.name(subject, 40)}, {wording.where(regions)}"
    return _answer(summary, head, frame, "", by_run=True)


def _answer(summary: Summary, head: str, frame: Frame, ids: str, *, by_run: bool = False) -> Message:
    shown = summary.of(*BAD, Bucket.UNKNOWN)
    first = _line_one(head, wording.why(summary.of(*BAD)))
    parts: list[Block] = [
        b.header(f"{wording.mark(summary)} {head}"),
        b.context(b.escape(_second_line(summary, frame.now))),
        *_schedules(summary),
        *(_group(group, len(shown), summary, by_run=by_run) for group in shown[:MOST_GROUPS]),
        *_more_groups(shown[MOST_GROUPS:]),
        *_going(summary, frame, by_run=by_run),
        *_successes(summary.of(Bucket.SUCCEEDED), alone=not shown, by_run=by_run),
        *([b.context(b.mrkdwn(" ".join(frame.notes), b.MOST_CONTEXT))] if frame.notes else []),
        _footer(summary, frame, ids),
    ]
    return b.within_limits(_spoken(first, summary, frame), parts)


def _line_one(head: str, reasons: Sequence[str]) -> str:
    """At most 110 characters; reasons are left out from the end where they do not fit."""
    for count in range(min(3, len(reasons)), 0, -1):
        more = f"; {len(reasons) - count} more reasons" if len(reasons) > count else ""
        line = f"{head}. {'; '.join(reasons[:count])}{more}."
        if b.width(line) <= MOST_LINE:
            return line
    return b.clip(f"{head}.", MOST_LINE)


def _second_line(summary: Summary, now: datetime) -> str:
    parts = [
        f"{summary.count(Bucket.SUCCEEDED):,} {wording.success_word(summary)}",
        f"{summary.count(Bucket.TIMED_OUT):,} timed out",
        f"{summary.count(Bucket.GOING):,} still going",
    ]
    if summary.began and summary.ended:
        parts.append(f"took {wording.duration((summary.ended - summary.began).total_seconds())}")
    elif summary.began and summary.count(Bucket.GOING):
        parts.append(f"running for {wording.duration((now - summary.began).total_seconds())}")
    return " · ".join(parts)


def _schedules(summary: Summary) -> list[Block]:
    lines = []
    for told in summary.schedules[:3]:
        sentence, since = wording.schedule(told)
        elements = [b.words(f"{sentence[0].upper()}{sentence[1:]}")]
        if since:
            elements += [b.words(" since "), b.moment(since)]
        if len(summary.invocations) > 1:
            elements.append(b.words(f" · {wording.what([told.invocation])} · {told.invocation.id}"))
        lines.append(b.line(*elements))
    return [b.rich_text(*lines)] if lines else []


def _group(group: Group, groups: int, summary: Summary, *, by_run: bool) -> Block:
    """One group of what did not succeed: title, who, output, next step."""
    elements = [b.line(b.words(wording.title(group), bold=True)), *_who(group.rows, summary, by_run=by_run)]
    known = reason(group.error_code)
    if group.error_code and known is not None and group.rows[0].result.error_info:
        elements.append(b.line(b.words(wording.name(group.rows[0].result.error_info, 300))))
    if group.output.text or group.bucket in (Bucket.FAILED, Bucket.TIMED_OUT):
        elements += _output(group, _OUTPUT_BUDGET // min(groups, MOST_GROUPS), MOST_LINES)
    if known is not None and known.next_step:
        elements.append(b.line(b.words(f"Next: {known.next_step}.")))
    return b.rich_text(*elements)


def _who(rows: Sequence[Row], summary: Summary, *, by_run: bool) -> list[Block]:
    if not by_run:
        ids = (
            f"   {rows[0].result.instance_id}" if len(rows) == 1 and rows[0].name != rows[0].result.instance_id else ""
        )
        return [b.line(b.words(wording.members(rows) + ids))]
    lines = []
    newest = sorted(rows, key=lambda row: row.result.started or _LONG_AGO, reverse=True)
    for row in newest[:3]:
        when = [b.words(" · "), b.moment(row.result.started)] if row.result.started else []
        told = f"{wording.name(row.command_name or row.result.command_id)} on {wording.name(row.name)} · {row.result.invoke_id}"
        lines.append(b.line(b.words(told), *when))
    more = [b.line(b.words(f"and {len(rows) - 3:,} more"))] if len(rows) > 3 else []
    return [*lines, *more]


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def _output(group: Group, budget: int, most_lines: int) -> list[Block]:
    """The output in fixed width, then what a reader must know about it."""
    masked, secrets = mask(group.output.text)
    notes = _output_notes(group.output, secrets, {row.result.oss_uri for row in group.rows} - {""})
    shown = b.preformatted(excerpt(masked, most_lines, budget))
    return [shown, *([b.line(b.words(" · ".join(notes)))] if notes else [])]


def _output_notes(output: Output, secrets: int, oss_uris: set[str]) -> list[str]:
    notes = []
    if output.dropped:
        notes.append(f"{output.dropped:,} bytes are missing from this output; Cloud Assistant does not say where")
    if output.encoding == "gb18030":
        notes.append("read as GB18030")
    if output.encoding == "unreadable":
        notes.append("some bytes are neither UTF-8 nor GB18030 and are shown as \ufffd")
    if secrets:
        notes.append(f"{wording.plural(secrets, 'secret')} masked")
    if oss_uris:
        notes.append(f"whole output: {wording.name(sorted(oss_uris)[0], 200)}")
    return notes


def _more_groups(groups: Sequence[Group]) -> list[Block]:
    if not groups:
        return []
    rows = [row for group in groups for row in group.rows]
    counted = f"{wording.plural(len(groups), 'more group')}, {wording.plural(len(rows), 'instance')}"
    return [b.rich_text(b.line(b.words(counted, bold=True)), b.line(b.words(wording.members(rows))))]


def _going(summary: Summary, frame: Frame, *, by_run: bool) -> list[Block]:
    """What is going on: since when, when its time limit ends, where."""
    lines = []
    for group in _by_status(summary.of(Bucket.GOING))[:3]:
        elements = [b.words(wording.title(group), bold=True)]
        started = min((row.result.started for row in group.rows if row.result.started), default=None)
        if started:
            elements += [b.words(" since "), b.moment(started)]
        limit = wording.time_limit_ends(group.rows, summary.invocations)
        if limit and limit > frame.now:
            elements += [b.words(", time limit ends "), b.moment(limit, "{time}")]
        lines += [b.line(*elements), *_who(group.rows, summary, by_run=by_run)]
    return [b.rich_text(*lines)] if lines else []


def _by_status(groups: Iterable[Group]) -> list[Group]:
    """Groups of the same status as one: their outputs are not yet what matters."""
    merged: dict[str, Group] = {}
    for group in groups:
        first = merged.get(group.status)
        merged[group.status] = replace(first, rows=first.rows + group.rows) if first else group
    return list(merged.values())


def _successes(groups: Sequence[Group], *, alone: bool, by_run: bool) -> list[Block]:
    """Successes folded by output; a few are shown, all are counted."""
    if not groups:
        return []
    total = sum(group.count for group in groups)
    folded = "one output" if len(groups) == 1 else f"{len(groups):,} different outputs"
    word = "exit code 0" if all(group.exit_code == 0 for group in groups) else "reported Success"
    if len(groups) == 1 and not groups[0].output.text:
        return [b.rich_text(b.line(b.words(f"{total:,} {word}, no output", bold=True)))]
    elements = [b.line(b.words(f"{total:,} {word}, {folded}", bold=True))]
    shown = groups[: 3 if len(groups) <= 5 else 1]
    for group in shown:
        if len(groups) > 1:
            elements.append(b.line(b.words(f"{group.count:,} × {_first_line(wording.members(group.rows, 120))}")))
        elements += _output(group, 600 if alone else 200, MOST_LINES if alone and len(groups) == 1 else 3)
    return [b.rich_text(*elements)]


def _first_line(text: str) -> str:
    return text.replace("\n", ", ")


def _footer(summary: Summary, frame: Frame, ids: str) -> Block:
    parts = []
    if frame.asked_by:
        parts.append(f"asked by {b.escape(wording.name(frame.asked_by))}")
    if summary.began:
        parts.append(f"ran {b.date(summary.began)}")
    if summary.users:
        parts.append(f"run as {b.escape(', '.join(wording.name(user, 30) for user in summary.users[:3]))}")
    if frame.read_at:
        parts.append(f"data {wording.duration((frame.now - frame.read_at).total_seconds())} old")
    if ids:
        parts.append(b.escape(ids))
    regions = {invocation.region for invocation in summary.invocations}
    if frame.console and len(regions) == 1:
        parts.append(f"<https://{frame.console}/cloud-assistant/region/{b.escape(*regions)}|console>")
    return b.context(" · ".join(parts))


def _invocation_ids(invocations: Sequence[Invocation]) -> str:
    """The ids whole, so that they can be copied; with several, each with its number of targets."""
    if len(invocations) == 1:
        return invocations[0].id
    told = [f"{invocation.id} ({len(invocation.targets):,})" for invocation in invocations[:8]]
    more = f" and {len(invocations) - 8} more" if len(invocations) > 8 else ""
    return " ".join(told) + more


def _spoken(first: str, summary: Summary, frame: Frame) -> str:
    """Line one and a sentence for each group: all that a screen reader gets."""
    sentences = [first]
    for told in summary.schedules:
        sentence, since = wording.schedule(told)
        sentences.append(f"{sentence[0].upper()}{sentence[1:]}{_since(since, frame.zone)}.")
    bad = summary.of(*BAD, Bucket.UNKNOWN)
    sentences += [_spoken_group(group) for group in bad[:MOST_GROUPS]]
    if bad[MOST_GROUPS:]:
        sentences.append(f"{wording.plural(len(bad) - MOST_GROUPS, 'more group')} not read out.")
    sentences += [f"{wording.title(group)}: {_names(group.rows)}." for group in _by_status(summary.of(Bucket.GOING))]
    if summary.count(Bucket.SUCCEEDED) and bad:
        sentences.append(f"{summary.count(Bucket.SUCCEEDED):,} {wording.success_word(summary)}.")
    return b.escape("\n".join([*sentences, *frame.notes]))


def _since(moment: datetime | None, zone: tzinfo) -> str:
    return f" since {wording.clock_time(moment, zone)}" if moment else ""


def _spoken_group(group: Group) -> str:
    sentence = f"{wording.title(group)}: {_names(group.rows)}."
    last = mask(group.output.text)[0].rsplit("\n", 1)[-1].strip()
    return f"{sentence} Output ends: {wording.name(last, 120)}" if last else sentence


def _names(rows: Sequence[Row]) -> str:
    """Up to five names written out."""
    names = list(dict.fromkeys(wording.name(row.name, 40) for row in rows))
    more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def runs(invocations: Sequence[Invocation], heading: str, frame: Frame, more: str = "") -> Message:
    """A list of invocations and how each ended, failures first. `more` says how to see the next page."""
    told = [(invocation, summarise([invocation], (), {})) for invocation in invocations]
    told.sort(key=lambda pair: _badness(pair[1]))
    failed = sum(_badness(summary) == 0 for _, summary in told)
    going = sum(_badness(summary) == 2 for _, summary in told)
    count = wording.plural(len(told), "run")
    head = f"{failed} of {count} failed" if failed else f"{count}, none failed"
    head += f", {going} still going" if going else ""
    first = b.clip(f"{head}: {heading}.", MOST_LINE)
    lines = [_run_line(invocation, summary) for invocation, summary in told]
    spoken = [_run_words(invocation, summary) for invocation, summary in told[:10]]
    notes = [*frame.notes, *([more] if more else [])]
    parts = [
        b.header(f"{'✖' if failed else '▸' if going else '✓'} {head}: {heading}"),
        *(b.rich_text(*lines[at : at + 25]) for at in range(0, len(lines), 25)),
        *([b.context(b.mrkdwn(" ".join(notes), b.MOST_CONTEXT))] if notes else []),
        b.context(_list_footer(frame)),
    ]
    return b.within_limits(b.escape("\n".join([first, *spoken, *notes])), parts)


def _badness(summary: Summary) -> int:
    """0 ended badly, 1 unknown, 2 going, 3 fine: the order of a list."""
    if summary.count(*BAD):
        return 0
    if summary.count(Bucket.UNKNOWN) or not summary.total:
        return 1
    return 2 if summary.count(Bucket.GOING) else 3


def _run_line(invocation: Invocation, summary: Summary) -> Block:
    when = [b.words(" · "), b.moment(invocation.created)] if invocation.created else []
    state = f"{wording.mark(summary)} {wording.counts(summary)}"
    rest = f"  {wording.what([invocation])} · {_run_place(invocation, summary)}"
    return b.line(b.words(state, bold=True), b.words(rest), *when, b.words(f" · {invocation.id}\n"))


def _run_words(invocation: Invocation, summary: Summary) -> str:
    return (
        f"{wording.counts(summary)}: {wording.what([invocation])}, {_run_place(invocation, summary)}, {invocation.id}."
    )


def _run_place(invocation: Invocation, summary: Summary) -> str:
    if not summary.schedules:
        return invocation.region
    return f"{wording.schedule(summary.schedules[0])[0]} · {invocation.region}"


def _list_footer(frame: Frame) -> str:
    parts = [f"asked by {b.escape(wording.name(frame.asked_by))}"] if frame.asked_by else []
    if frame.read_at:
        parts.append(f"data {wording.duration((frame.now - frame.read_at).total_seconds())} old")
    parts.append("one of these ids shows its results")
    return " · ".join(parts)


def sentence(text: str) -> Message:
    """A refusal, an error, a delay: plain words, nothing else. `text` is not escaped yet."""
    return Message(b.mrkdwn(text, b.MOST_TEXT))


def noted(message: Message, note: str) -> Message:
    """The message with a sentence about how it came here, for example that it may be a repeat."""
    escaped = b.mrkdwn(note, b.MOST_CONTEXT)
    if not message.blocks:
        return Message(f"{message.text}\n{escaped}")
    return Message(f"{message.text}\n{escaped}", (*message.blocks, b.context(escaped)))


def waiting(error: Throttled) -> Message:
    """Said once, privately, to a person whose answer has to wait."""
    return sentence(
        f"Alibaba Cloud refuses {error.action} in {error.region} for now (too many calls in this account, by anyone). "
        f"I ask again in {wording.duration(error.wait)}; you need not do anything."
    )


def cloud_error(error: CloudError) -> Message:
    """One calm sentence and the request id; the vendor's code, never its text or an address."""
    where = f"{error.action} in {error.region}"
    request = f" Request id {error.request_id}." if error.request_id else ""
    if isinstance(error, Throttled):
        return sentence(
            f"Alibaba Cloud still refuses {where} (too many calls in this account, by anyone), so I have no answer. "
            f"Please ask again in a few minutes.{request}"
        )
    if isinstance(error, Denied):
        return sentence(f"Alibaba Cloud refused {where}: {_denied(error)}{request}")
    return sentence(
        f"Alibaba Cloud gave no usable answer to {where} ({wording.name(error.code) or 'no reply'}), several times. "
        f"Please ask again in a minute.{request}"
    )


def _denied(error: CloudError) -> str:
    code = wording.name(error.code)
    if code == "NoCredentials":
        return "I have no keys. The function needs a role, or ALIBABA_CLOUD_ACCESS_KEY_ID and _SECRET."
    if code.startswith(("Forbidden", "NoPermission", "Operation.Forbidden")):
        return f"my role may not do that ({code}). It needs the right ecs:{error.action}."
    if code.startswith(("InvalidAccessKeyId", "InvalidSecurityToken", "SignatureDoesNotMatch", "IncompleteSignature")):
        return f"my keys are not accepted ({code}). The people who run this bot must renew them."
    if code.startswith("InvalidRegionId"):
        return f"there is no such region ({code})."
    return f"{code}."


def apology(request_id: str) -> Message:
    return sentence(
        "Something in me broke, several times, so I have no answer. Please ask again; "
        f"if it happens again, tell the people who run this bot: request id {wording.name(request_id) or 'unknown'}."
    )
