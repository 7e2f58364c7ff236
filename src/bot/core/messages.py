"""One function for each message people read.

Line one is counts, then what, where and why: it is also the phone's notification. Then what did not succeed, then
what is still going, then successes, then who asked and how old the data is. Whatever came from outside is cleaned,
masked and escaped here and in `parts`, `spoken` and `wording`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from bot.core import blocks as b
from bot.core import parts, spoken, watching, wording
from bot.core.blocks import Block, Message
from bot.core.errors import CloudError, Denied, RoleRefused, Throttled
from bot.core.masking import Masked
from bot.core.model import Invocation
from bot.core.parts import DETAILS, Detail
from bot.core.summary import BAD, Bucket, Summary, summarise
from bot.core.texts import N_, _, capital, counted, joined, listed, pgettext, sentences, stop

MOST_LINE = 110
MOST_NOTES = 600
MOST_IN_CHANNEL = 2_500  # characters of one answer, about: more is scrolled past

UNKNOWN_PRESS = N_(
    "I do not know that button or shortcut; it may be of an older version of me, so nothing was done. "
    "Ask again, and use what the new answer shows."
)


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around an answer: who asked, in which time zone, when it was read, who is on it since when.

    `notes` are sentences about what is missing from the answer and why; `trace` finds the answer's job in the log.
    """

    now: datetime
    asked_by: str = ""
    zone: tzinfo = UTC
    read_at: datetime | None = None
    on_it: str = ""
    on_it_since: datetime | None = None
    next_look: datetime | None = None
    notes: tuple[str, ...] = ()
    trace: str = ""


def results(summary: Summary, frame: Frame, actions: Sequence[Block] = ()) -> Message:
    """What really happened in one or several invocations; `actions` are its buttons."""
    subject = wording.what(summary.invocations)
    if summary.total == 1:
        instance = wording.name(summary.groups[0].rows[0].name, 40)
        subject = _("{command} on {instance}", command=subject, instance=instance)
    regions = [invocation.region for invocation in summary.invocations]
    head = _head(wording.counts(summary), subject, wording.where(regions))
    return _answer(summary, head, frame, actions, by_run=False)


def results_on_instances(summary: Summary, subject: str, frame: Frame, actions: Sequence[Block] = ()) -> Message:
    """The newest results on some instances; each result is a run of its own."""
    regions = [row.result.region for row in summary.rows]
    head = _head(wording.counts(summary, of_runs=True), wording.name(subject, 40), wording.where(regions))
    return _answer(summary, head, frame, actions, by_run=True)


def progress(summary: Summary, frame: Frame, actions: Sequence[Block]) -> Message:
    """How watched invocations stand: progress in words, failures as they appear, when the next look is due."""
    regions = [invocation.region for invocation in summary.invocations]
    head = _head(watching.done_words(summary), wording.what(summary.invocations), wording.where(regions))
    masked = summary.masked
    blocks = _blocks(summary, head, frame, masked, _PROGRESS, by_run=False)
    text = spoken.text(b.clip(stop(head), MOST_LINE), summary, frame.zone, frame.notes, masked)
    return b.within_limits(text, [*blocks, *actions])


def _head(counts: str, what: str, where: str) -> str:
    return _("{counts}: {what}, {where}", counts=counts, what=what, where=where)


_PROGRESS = Detail(groups=5, lines=0, output=0, names=160, info=0)


def usual(durations: Sequence[float]) -> str:
    """How long the last runs took; "" where none is known."""
    if not durations:
        return ""
    shortest, longest = wording.duration(min(durations)), wording.duration(max(durations))
    span = shortest if shortest == longest else _("{shortest} to {longest}", shortest=shortest, longest=longest)
    return counted(
        "The last run of this command took {span}.",
        "The last {count} runs of this command took {span}.",
        len(durations),
        span=span,
    )


def ringing(message: Message, user_id: str) -> Message:
    """A thread reply that rings the person who asked: an update of a message notifies nobody."""
    line = message.text.split("\n", 1)[0]
    return Message(f"<@{user_id}> {line}")


def _answer(summary: Summary, head: str, frame: Frame, actions: Sequence[Block], *, by_run: bool) -> Message:
    masked = summary.masked
    text = spoken.text(_line_one(head, summary, masked), summary, frame.zone, frame.notes, masked)
    for detail in DETAILS:
        blocks = _blocks(summary, head, frame, masked, detail, by_run=by_run)
        if b.size(blocks) <= MOST_IN_CHANNEL:
            break
    return b.within_limits(text, [*blocks, *actions])


def _blocks(summary: Summary, head: str, frame: Frame, masked: Masked, detail: Detail, *, by_run: bool) -> list[Block]:
    telling = parts.Telling(summary, detail, masked, by_run)
    bad = summary.of(*BAD, Bucket.UNKNOWN)
    second = _second_line(summary, frame.now, by_run=by_run)
    return [
        b.header(b.clip(f"{wording.mark(summary)} {head}", MOST_LINE)),
        *([b.context(*second)] if second else []),
        *_on_it(frame),
        *telling.schedules(),
        *telling.where(),
        *(telling.group(group, min(len(bad), detail.groups)) for group in bad[: detail.groups]),
        *telling.more_groups(bad[detail.groups :]),
        *telling.going(frame.now),
        *telling.successes(alone=not bad),
        *notes_block(frame.notes),
        b.context(*footer(summary, frame, by_run=by_run)),
    ]


def _line_one(head: str, summary: Summary, masked: Masked) -> str:
    """At most 110 characters; reasons are left out from the end where they do not fit."""
    bad = summary.of(*BAD)
    quotable = bad[: DETAILS[0].groups]
    outputs = {id(group): masked.shown(group.output.text)[0] for group in quotable}
    reasons = wording.why((group, outputs.get(id(group), "")) for group in bad)
    for count in range(min(3, len(reasons)), 0, -1):
        left = len(reasons) - count
        more = [counted("{count} more reason", "{count} more reasons", left)] if left else []
        for told in ([*reasons[:count], *more], reasons[:count]):
            between = pgettext("between sentences of one", "; ")
            line = sentences([stop(head), stop(capital(between.join(told)))])
            if b.width(line) <= MOST_LINE:
                return line
    return b.clip(stop(head), MOST_LINE)


def _second_line(summary: Summary, now: datetime, *, by_run: bool) -> list[str]:
    """The other counts, and how long it took, where the results are of one occasion."""
    told = wording.other_counts(summary)
    if by_run or summary.schedules or not summary.began:
        return told
    if summary.ended:
        told.append(_("took {span}", span=wording.duration((summary.ended - summary.began).total_seconds())))
    elif summary.count(Bucket.GOING):
        told.append(_("running for {span}", span=wording.duration((now - summary.began).total_seconds())))
    return told


def notes_block(notes: Sequence[str]) -> list[Block]:
    return [b.context(b.mrkdwn(sentences(notes), MOST_NOTES))] if notes else []


def footer(summary: Summary, frame: Frame, *, by_run: bool) -> list[str]:
    told = _asked_by(frame)
    if summary.began and not by_run:
        told.append(_("ran {time}", time=b.date(summary.began)))
    if summary.users:
        users = listed(wording.name(user, 30) for user in summary.users[:3])
        told.append(_("run as {users}", users=b.escape(users)))
    told += _age(frame)
    if frame.next_look is not None:
        told.append(_("next look {time}", time=b.date(frame.next_look, "{time_secs}")))
    if not by_run:
        told.append(b.escape(_invocation_ids(summary.invocations)))
    return [*told, *_trace(frame)]


def _on_it(frame: Frame) -> list[Block]:
    if not frame.on_it or frame.on_it_since is None:
        return []
    who, since = b.escape(wording.name(frame.on_it)), b.date(frame.on_it_since, "{time}")
    return [b.context(_("On it: {who} since {time}", who=who, time=since))]


def _asked_by(frame: Frame) -> list[str]:
    return [_("asked by {who}", who=b.escape(wording.name(frame.asked_by)))] if frame.asked_by else []


def _trace(frame: Frame) -> list[str]:
    return [_("trace {trace}", trace=b.escape(frame.trace))] if frame.trace else []


def _age(frame: Frame) -> list[str]:
    if frame.read_at is None:
        return []
    return [_("data {span} old", span=wording.duration((frame.now - frame.read_at).total_seconds()))]


def _invocation_ids(invocations: Sequence[Invocation]) -> str:
    """The ids whole, so that they can be copied; with several, each with its number of targets."""
    if len(invocations) == 1:
        return wording.name(invocations[0].id, 80)
    told = [f"{wording.name(invocation.id, 80)} ({len(invocation.targets):,})" for invocation in invocations[:8]]
    left = len(invocations) - 8
    return " ".join(told) + (counted(" and {count} more", " and {count} more", left) if left > 0 else "")


def runs(
    occasions: Sequence[Sequence[Invocation]],
    heading: str,
    frame: Frame,
    more: str = "",
    actions: Sequence[Block] = (),
) -> Message:
    """A list of runs and how each ended, failures first. `more` says how to see the next page.

    Invocations that belong together, as one rollout over some regions, are one run in the list.
    """
    told = [(together, summarise(together, (), {})) for together in occasions]
    told.sort(key=lambda pair: _badness(pair[1]))
    failed = sum(_badness(summary) == 0 for _, summary in told)
    going = sum(_badness(summary) == 2 for _, summary in told)
    head = _of_list(len(told), failed, going)
    first = b.clip(stop(_("{what}: {told}", what=head, told=heading)), MOST_LINE)
    lines = [_run_line(together, summary) for together, summary in told]
    spoken = [_run_words(together, summary) for together, summary in told]
    notes = [*frame.notes, *([more] if more else [])]
    parts = [
        b.header(b.clip(f"{_list_mark(told)} {_('{what}: {told}', what=head, told=heading)}", MOST_LINE)),
        *(b.rich_text(*lines[at : at + 25]) for at in range(0, len(lines), 25)),
        *notes_block(notes),
        b.context(*_list_footer(frame)),
        *actions,
    ]
    return b.within_limits(_fitting(first, spoken, notes), parts)


def _of_list(runs: int, failed: int, going: int) -> str:
    """`2 of 5 runs failed, 1 still going`."""
    if failed:
        told = [
            counted("{failed} of {count} run failed", "{failed} of {count} runs failed", runs, failed=f"{failed:,}")
        ]
    else:
        told = [wording.runs(runs), _("none failed")]
    return joined([*told, *([_("{count} still going", count=f"{going:,}")] if going else [])])


def _list_mark(told: Sequence[tuple[Sequence[Invocation], Summary]]) -> str:
    """The mark of what is worst in a list."""
    worst = min(told, key=lambda pair: _badness(pair[1]), default=None)
    return wording.mark(worst[1]) if worst else wording.MARKS[Bucket.UNKNOWN]


def _fitting(first: str, lines: Sequence[str], notes: Sequence[str]) -> str:
    """Line one, as many lines as `text` has room for, a count of the others, and the notes."""
    for shown in range(len(lines), 0, -1):
        left = len(lines) - shown
        more = [counted("and {count} more.", "and {count} more.", left)] if left else []
        text = b.escape("\n".join([first, *lines[:shown], *more, *notes]))
        if b.width(text) <= b.MOST_TEXT:
            return text
    return b.escape("\n".join([first, *notes]))


def _badness(summary: Summary) -> int:
    """0 ended badly, 1 unknown, 2 going, 3 fine: the order of a list."""
    if summary.count(*BAD):
        return 0
    if summary.count(Bucket.UNKNOWN) or not summary.total:
        return 1
    return 2 if summary.count(Bucket.GOING) else 3


def _run_line(together: Sequence[Invocation], summary: Summary) -> Block:
    created = min((one.created for one in together if one.created), default=None)
    when = [b.words(" · "), b.moment(created)] if created else []
    state = f"{wording.mark(summary)} {wording.counts(summary)}"
    rest = f"  {wording.what(together)} · {_run_place(together, summary)}"
    return b.line(b.words(state, bold=True), b.words(rest), *when, b.words(f" · {_invocation_ids(together)}"))


def _run_words(together: Sequence[Invocation], summary: Summary) -> str:
    place, ids = _run_place(together, summary), _invocation_ids(together)
    said = _head(wording.counts(summary), wording.what(together), place)
    return stop(joined([said, ids]))


def _run_place(together: Sequence[Invocation], summary: Summary) -> str:
    where = wording.where(one.region for one in together)
    return f"{wording.schedule(summary.schedules[0])[0]} · {where}" if summary.schedules else where


def _list_footer(frame: Frame) -> list[str]:
    ask = _("ask for one of these ids to see its results")
    return [*_asked_by(frame), *_age(frame), ask, *_trace(frame)]


def sentence(text: str) -> Message:
    """A refusal, an error, a delay: plain words, nothing else. `text` is not escaped yet."""
    return Message(b.mrkdwn(text, b.MOST_TEXT).strip() or "…")


def noted(message: Message, note: str) -> Message:
    """The message with a sentence about how it came here, for example that it may be a repeat."""
    escaped = b.mrkdwn(note, MOST_NOTES)
    text = f"{b.clip_escaped(message.text, b.MOST_TEXT - b.width(escaped) - 1)}\n{escaped}"
    if not message.blocks:
        return Message(text)
    # One block of ours may have to make room: Slack takes 50.
    return Message(text, (*message.blocks[: b.MOST_BLOCKS - 1], b.context(escaped)))


def waiting(error: Throttled) -> Message:
    """Said once, privately, to a person whose answer has to wait."""
    text = _(
        "Alibaba Cloud refuses {action} in {region} for now (too many calls in this account, by anyone). "
        "I ask again in {span}; you need not do anything.",
        action=error.action,
        region=error.region,
        span=wording.duration(max(1, error.wait)),
    )
    return sentence(text)


def cloud_error(error: CloudError) -> Message:
    """One calm sentence and the request id; the vendor's code, never its text or an address."""
    where = _("{action} in {region}", action=error.action, region=error.region)
    request = _("Request id {id}.", id=wording.name(error.request_id)) if error.request_id else ""
    if isinstance(error, Throttled):
        text = _(
            "Alibaba Cloud still refuses {where} (too many calls in this account, by anyone), so I have no answer. "
            "Please ask again in a few minutes.",
            where=where,
        )
    elif isinstance(error, Denied):
        text = _("Alibaba Cloud refused {where}: {why}", where=where, why=_denied(error))
    else:
        text = _(
            "Alibaba Cloud gave no usable answer to {where} ({code}), several times. Please ask again in a minute.",
            where=where,
            code=wording.name(error.reason),
        )
    return sentence(sentences([text, request]))


def _denied(error: CloudError) -> str:
    code = wording.name(error.code)
    if code == "NoCredentials":
        return _("I have no keys. The function needs a role, or ALIBABA_CLOUD_ACCESS_KEY_ID and _SECRET.")
    if error.of_keys:
        return _("my keys are not accepted ({code}). The people who run this bot must renew them.", code=code)
    if isinstance(error, RoleRefused):
        return stop(error.reason)
    if code.startswith(("Forbidden", "NoPermission", "Operation.Forbidden")):
        return _("my role may not do that ({code}). It needs the right ecs:{action}.", code=code, action=error.action)
    if code == "NoSuchAccount":
        return _("no account of that name is asked any more (BOT_ACCOUNTS).")
    if code.startswith("InvalidRegionId"):
        return _("there is no such region ({code}).", code=code)
    return stop(code or _("it gave no reason"))


def apology(request_id: str) -> Message:
    text = _(
        "Something in me broke, several times, so I have no answer. Please ask again; "
        "if it happens again, tell the people who run this bot: request id {id}.",
        id=wording.name(request_id) or _("unknown"),
    )
    return sentence(text)
