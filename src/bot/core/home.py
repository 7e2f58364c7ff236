"""App Home: recent failures and who is on them, runs going on, the reader's watches, how to ask.

Runs are kept as the words that tell them, so that Home can be shown from the store before anything is asked.
Slack's limits of a view: 100 blocks; lists are cut long before that, and what is cut is counted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.core import blocks as b
from bot.core import since, watching, wording
from bot.core.blocks import Block
from bot.core.help import START
from bot.core.modal import View
from bot.core.model import Invocation
from bot.core.open_work import OnIt, Watched
from bot.core.summary import BAD, Bucket, Summary, summarise
from bot.core.texts import N_, _, counted, joined, sentences

REFRESH = "home_refresh"  # action id
CALLBACK = "home"
MOST_SHOWN = 10  # of each list
MOST_KEPT = 50  # failures, and runs going on
RECENT = timedelta(days=3)
LATE = 120  # seconds after which a look that was due has been missed

EXAMPLES = (
    N_("t-hz0jdfwd9f: that run, every instance"),
    N_("web-01 or 10.0.0.7: the newest results on that instance"),
    N_("failed since:2h: what failed lately"),
)


@dataclass(frozen=True, slots=True)
class Run:
    """A run in words: `failed` and `progress` are "" where it has not failed, or is not going on.

    `when` in seconds since the epoch, 0 where it is not known.
    """

    id: str
    region: str
    what: str
    when: int
    failed: str = ""
    progress: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was read last, at `read_at` (seconds since the epoch, 0: never), and what was tried last.

    `trouble` says what failed at `tried_at`, as mrkdwn that has been escaped.
    """

    runs: tuple[Run, ...] = ()
    read_at: float = 0.0
    tried_at: float = 0.0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """All that one person's Home shows. `reading`: newer data is on its way.

    `all_known` is False where others may be on a run without our knowing; `notes` say why.
    """

    snapshot: Snapshot
    now: datetime
    regions: tuple[str, ...]
    on_it: Mapping[str, OnIt] = field(default_factory=dict)
    watches: Sequence[Watched] = ()
    all_known: bool = False
    notes: tuple[str, ...] = ()
    reading: bool = False


def runs_of(invocations: Iterable[Invocation], now: datetime) -> tuple[Run, ...]:
    """Those that failed lately or are going on, newest first."""
    told = [run for one in invocations if (run := _run(one, now))]
    told.sort(key=lambda run: run.when, reverse=True)
    return (*[run for run in told if run.failed][:MOST_KEPT], *[run for run in told if not run.failed][:MOST_KEPT])


def failures(snapshot: Snapshot) -> list[Run]:
    """Failed runs, the newest first."""
    return sorted((run for run in snapshot.runs if run.failed), key=lambda run: run.when, reverse=True)


def shown(snapshot: Snapshot) -> list[str]:
    """The ids of the runs that a page of it shows."""
    going = [run for run in snapshot.runs if run.progress]
    return [run.id for some in (failures(snapshot), going) for run in some[:MOST_SHOWN]]


def merged(new: Iterable[Run], old: Iterable[Run], silent: Collection[str]) -> tuple[Run, ...]:
    """What was read, and what was known before of regions that did not answer."""
    return (*new, *(run for run in old if run.region in silent))


def _run(invocation: Invocation, now: datetime) -> Run | None:
    summary = summarise([invocation], (), {})
    when = _when(invocation, summary)
    recent = when is None or now - when <= RECENT
    failed = wording.counts(summary) if summary.count(*BAD) and recent else ""
    going = summary.count(Bucket.GOING) and not summary.schedules
    progress = watching.done_words(summary) if going else ""
    if not failed and not progress:
        return None
    stamp = int(when.timestamp()) if when else 0
    return Run(invocation.id, invocation.region, _what(invocation, summary), stamp, failed, progress)


def _what(invocation: Invocation, summary: Summary) -> str:
    schedule = f" · {wording.schedule(summary.schedules[0])[0]}" if summary.schedules else ""
    return f"{wording.what([invocation])}{schedule}"


def _when(invocation: Invocation, summary: Summary) -> datetime | None:
    """When a run was created; of a schedule, when it ran last."""
    ran = [row.result.finished or row.result.started for row in summary.rows]
    return max(filter(None, ran), default=invocation.created) if summary.schedules else invocation.created


def view(page: Page) -> View:
    """The whole page. Before anything was read it says so, with how to ask."""
    failed = failures(page.snapshot)
    going = [run for run in page.snapshot.runs if run.progress]
    return _view(
        [
            b.header(_head(len(failed), len(going), page)),
            b.context(*_age(page)),
            *([b.context(b.clip_escaped(page.snapshot.trouble, 600))] if page.snapshot.trouble else []),
            _refresh(),
            *_failures(failed, page),
            *_going(going),
            *_watches(page),
            *_how_to_ask(),
            *([b.context(b.mrkdwn(sentences(page.notes), 600))] if page.notes else []),
        ]
    )


def refused(text: str) -> View:
    """A sentence in place of everything."""
    return _view([{"type": "section", "text": {"type": "mrkdwn", "text": b.mrkdwn(text, 2_900)}}])


def _view(blocks: Sequence[Block]) -> View:
    return {"type": "home", "callback_id": CALLBACK, "blocks": list(blocks)}


def _head(failed: int, going: int, page: Page) -> str:
    if not page.snapshot.read_at:
        return _("Reading…") if page.reading else _("Nothing read yet")
    mark = wording.MARKS[Bucket.FAILED if failed else Bucket.SUCCEEDED]
    if failed:
        first = counted("{count} run failed", "{count} runs failed", failed)
    else:
        first = counted("No failures in the last {count} day", "No failures in the last {count} days", RECENT.days)
    return f"{mark} {joined([first, *([_('{count} going on', count=f'{going:,}')] if going else [])])}"


def _age(page: Page) -> list[str]:
    told = [b.escape(wording.name(wording.where(page.regions)))]
    if page.snapshot.read_at:
        age = wording.duration(page.now.timestamp() - page.snapshot.read_at)
        told.append(_("data {span} old at {time}", span=age, time=b.date(page.now, "{time_secs}")))
    if page.reading:
        told.append(_("reading again; press Refresh if this stays"))
    return told


def _refresh() -> Block:
    button = {
        "type": "button",
        "action_id": REFRESH,
        "text": {"type": "plain_text", "text": _("Refresh"), "emoji": False},
        "accessibility_label": _("Refresh: failures, runs going on, your watches"),
    }
    return {"type": "actions", "elements": [button]}


def _failures(runs: Sequence[Run], page: Page) -> list[Block]:
    if not runs:
        return []
    mark = wording.MARKS[Bucket.FAILED]
    told = [
        b.rich_text(*_run_lines(f"{mark} {run.failed}", run, *_who(page.on_it.get(run.id), page.all_known)))
        for run in runs
    ]
    title = counted("Failed in the last {count} day", "Failed in the last {count} days", RECENT.days)
    return _listed(title, told, "failed")


def _going(runs: Sequence[Run]) -> list[Block]:
    mark = wording.MARKS[Bucket.GOING]
    told = [b.rich_text(*_run_lines(f"{mark} {run.progress}", run)) for run in runs]
    return _listed(_("Going on"), told, "running") if told else []


def _run_lines(state: str, run: Run, *who: Block) -> list[Block]:
    """What happened to which command; then where, when, the id to ask for, and who is on it."""
    when = [b.words(" · "), b.moment(datetime.fromtimestamp(run.when, UTC))] if run.when else []
    return [
        b.line(b.words(state, bold=True), b.words(f"  {wording.name(run.what, 150)}")),
        b.line(b.words(wording.name(run.region)), *when, b.words(f" · {wording.name(run.id, 80)}"), *who),
    ]


def _who(taken: OnIt | None, all_known: bool) -> list[Block]:
    if taken is None:
        return [b.words(f" · {_('nobody is on it')}")] if all_known else []
    who = wording.name(taken.name, 40).replace("{time}", "")
    said = _("On it: {who} since {time}", who=who, time="{time}")
    pieces = since.moments(f"\n{said}", datetime.fromtimestamp(taken.since, UTC))
    return [*since.elements(pieces), *_link(taken.link)]


def _watches(page: Page) -> list[Block]:
    if not page.watches:
        return []
    return _listed(_("Your watches"), [_watch(one, page.now) for one in page.watches])


def _watch(one: Watched, now: datetime) -> Block:
    said = one.said or _("no answer at the last look: {words}", words=one.words)
    began = since.elements(since.moments(_("since {time}"), datetime.fromtimestamp(one.began, UTC)))
    late = now.timestamp() > one.next_look + LATE
    missed = [b.line(b.words(_("Its last look is overdue; press Refresh under the message.")))] if late else []
    return b.rich_text(
        b.line(b.words(wording.name(said, 150), bold=True)),
        b.line(*began, *_link(one.link)),
        *missed,
    )


def _link(url: str) -> list[Block]:
    return [b.words(" · "), {"type": "link", "url": url, "text": _("open the message")}] if url else []


def _listed(title: str, told: Sequence[Block], more: str = "") -> list[Block]:
    """A title, some of a list, and how many were left out."""
    left = len(told) - MOST_SHOWN
    rest = []
    if left > 0 and more:
        text = counted("and {count} more; ask for: {word}", "and {count} more; ask for: {word}", left, word=more)
        rest = [b.context(text)]
    elif left > 0:
        rest = [b.context(counted("and {count} more", "and {count} more", left))]
    return [b.header(title), *told[:MOST_SHOWN], *rest]


def _how_to_ask() -> list[Block]:
    return [
        b.header(_("How to ask")),
        b.rich_text(
            b.line(b.words(_("After the slash command; in a direct message to me, without it:"))),
            {"type": "rich_text_list", "style": "bullet", "elements": [b.line(b.words(_(one))) for one in EXAMPLES]},
            b.line(b.words(_(START))),
        ),
    ]
