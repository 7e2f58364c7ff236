"""One function for each sub-command; the same table makes `help`.

Each takes what it needs in a Desk and the Question, and returns the Message. Errors are raised, not answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo

from bot.core import messages
from bot.core.blocks import Message
from bot.core.errors import NotFound
from bot.core.help import help_message
from bot.core.model import AgentStatus, Instance, Invocation
from bot.core.parsing import Question
from bot.core.summary import BAD, Bucket, Row, Summary, summarise, summarise_results
from bot.lookup import Found, Lookup
from bot.settings import Clock, Settings


@dataclass(frozen=True, slots=True)
class Desk:
    """What a sub-command works with: the person's name and time zone, a way into the API, the clock."""

    settings: Settings
    lookup: Lookup
    clock: Clock
    asked_by: str
    zone: tzinfo

    def frame(self, found: Found, notes: Iterable[str] = ()) -> messages.Frame:
        return messages.Frame(
            now=self.now(),
            asked_by=self.asked_by,
            zone=self.zone,
            read_at=datetime.fromtimestamp(found.read_at, UTC),
            console=self.settings.console,
            notes=(*found.notes, *notes),
        )

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)


Subcommand = Callable[[Desk, Question], Message]


@dataclass(frozen=True, slots=True)
class Entry:
    usage: str
    says: str
    run: Subcommand


SUBCOMMANDS: dict[str, Entry] = {}


def subcommand(name: str, usage: str, says: str) -> Callable[[Subcommand], Subcommand]:
    def register(run: Subcommand) -> Subcommand:
        SUBCOMMANDS[name] = Entry(usage, says, run)
        return run

    return register


@subcommand("show", "ids, names, addresses, filters in any order", "what really happened on each instance")
def show(desk: Desk, question: Question) -> Message:
    if question.invocations:
        return _invocations(desk, question)
    if question.instances or question.addresses or question.names:
        return _instances(desk, question)
    return _newest(desk, question)


@subcommand("help", "help, help WORD", "this")
def show_help(desk: Desk, question: Question) -> Message:
    return help_message(question.topic, ((entry.usage, entry.says) for entry in SUBCOMMANDS.values()))


def _invocations(desk: Desk, question: Question) -> Message:
    found = desk.lookup.invocations(question)
    summary = summarise(found.invocations, found.results, found.instances)
    notes = []
    if question.instances and not summary.total:
        notes.append(f"{', '.join(question.instances)} is not among the targets.")
    if question.history and not summary.schedules:
        notes.append("history is there for schedules only; this run has none.")
    if question.states or question.page > 1 or question.size or question.since:
        notes.append("Filters narrow lists; a run is always shown whole.")
    return messages.results(summary, desk.frame(found, notes))


def _instances(desk: Desk, question: Question) -> Message:
    """Results on instances; a name that no instance bears may be a command's."""
    found, instances = desk.lookup.on_instances(question)
    if not instances:
        return _command_called(desk, question)
    summary = summarise_results(found.results, found.invocations, found.instances)
    summary = _only(summary, lambda row: _fits(row, question, _since(desk, question)))
    if not summary.total:
        raise NotFound(f"No results on {_subject(instances)}{_filters_said(question)} in {_regions_of(instances)}.")
    notes = _agent_notes(desk.lookup.agents(instances), found.instances)
    return messages.results_on_instances(summary, _subject(instances), desk.frame(found, notes))


def _command_called(desk: Desk, question: Question) -> Message:
    asked = replace(question, names=(), command_name=question.names[0])
    try:
        return _newest(desk, asked)
    except NotFound:
        where = ", ".join(desk.lookup.regions(question))
        names = ", ".join(f"“{name}”" for name in question.names)
        raise NotFound(f"No instance and no command is called {names} in {where}.") from None


def _newest(desk: Desk, question: Question) -> Message:
    found, more = desk.lookup.newest(question)
    since = _since(desk, question)
    runs: tuple[Invocation, ...] = found.invocations
    if since is not None:
        runs = tuple(run for run in runs if run.created is None or run.created >= since)
    regions = desk.lookup.regions(question)
    where = regions[0] if len(regions) == 1 else f"{len(regions)} regions"
    if not runs:
        said = _filters_said(question) or " at all"
        raise NotFound("\n".join([f"No runs{said} in {', '.join(regions[:8])}.", *found.notes]))
    subject = " ".join(question.commands) or question.command_name or "newest runs"
    notes = [f"Since {since:%Y-%m-%d %H:%M} {since.tzname()}."] if since else []
    next_page = f"More: page:{question.page + 1}" if more and len(runs) == len(found.invocations) else ""
    return messages.runs(runs, f"{subject}{_filters_said(question)}, {where}", desk.frame(found, notes), next_page)


def _filters_said(question: Question) -> str:
    """The filters in the person's own words, as part of a sentence."""
    words = [*question.states]
    words += [f"since:{question.since}"] if question.since else []
    words += [f"tag:{key}={value}" for key, value in question.tags]
    words += [question.group] if question.group else []
    words += [f"command:{question.command_name}"] if question.command_name else []
    words += [*question.commands]
    words += [f"page:{question.page}"] if question.page > 1 else []
    return f" ({' '.join(words)})" if words else ""


def _since(desk: Desk, question: Question) -> datetime | None:
    return since(question.since, desk.now(), desk.zone) if question.since else None


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def since(text: str, now: datetime, zone: tzinfo) -> datetime:
    """What `2h`, `21:00` or `2026-11-24` mean to a person in this zone; a clock time is the last such one."""
    if text[-1] in _UNITS:
        return (now - timedelta(**{_UNITS[text[-1]]: int(text[:-1])})).astimezone(zone)
    local = now.astimezone(zone)
    if "-" in text:
        day = datetime.fromisoformat(text if "t" in text else f"{text}t00:00")
        return day.replace(tzinfo=zone)
    hour, minute = text.split(":")
    moment = local.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    return moment if moment <= local else moment - timedelta(days=1)


_STATE_BUCKETS = {
    "failed": frozenset(BAD),
    "running": frozenset({Bucket.GOING}),
    "pending": frozenset({Bucket.GOING}),
    "scheduled": frozenset({Bucket.GOING}),
    "stopping": frozenset({Bucket.GOING}),
    "success": frozenset({Bucket.SUCCEEDED}),
    "finished": frozenset({*BAD, Bucket.SUCCEEDED}),
    "stopped": frozenset({*BAD}),
}


def _fits(row: Row, question: Question, since: datetime | None) -> bool:
    if question.states and not any(row.bucket in _STATE_BUCKETS[state] for state in question.states):
        return False
    moment = row.result.started or row.result.finished
    return since is None or moment is None or moment >= since


def _only(summary: Summary, keep: Callable[[Row], bool]) -> Summary:
    groups = [replace(group, rows=tuple(row for row in group.rows if keep(row))) for group in summary.groups]
    kept = tuple(group for group in groups if group.rows)
    counts = {bucket: sum(group.count for group in kept if group.bucket is bucket) for bucket in Bucket}
    return replace(summary, groups=kept, counts=counts, total=sum(counts.values()))


def _subject(instances: list[Instance]) -> str:
    if len(instances) == 1:
        return instances[0].name or instances[0].id
    return f"{len(instances)} instances"


def _regions_of(instances: list[Instance]) -> str:
    return ", ".join(sorted({instance.region for instance in instances}))


def _agent_notes(agents: list[AgentStatus], instances: object) -> list[str]:
    """What explains a run that never began: an agent that is not there now."""
    offline = [agent for agent in agents if not agent.online]
    if not offline:
        return []
    names = ", ".join(agent.instance_id for agent in offline[:5])
    return [f"The agent is offline now on {names}."]
