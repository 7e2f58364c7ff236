"""Which runs share one message, and when channels are told of them. Pure; the shell is `bot.reporting`.

A report is what channels are told of one run, or of several of the same command that belong together. It is told when
the last of them has ended, or a minute after the first failure, whichever is first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.core import places
from bot.core.model import Instance, Invocation
from bot.core.subscriptions import Subscription
from bot.core.summary import BAD, Bucket, Group, Row, Streak, Summary, only, part, reason_keys

TOGETHER = 120  # seconds within which runs of the same command start to be one occasion
MOST_NAMES = 50  # instances that one reply may name
MOST_RUNS = 20  # of one message: as many as one question can name
PATIENCE = 60  # seconds after the first failure until channels hear of a run that is still going
LONGEST = 24 * 3_600  # seconds for which a run that does not end is looked at
_WAITS = (5, 10, 20, 30, 60, 60, 120)
_LONGEST_WAIT = 300
_SOONEST = 20  # seconds between looks that events ask for, once a run has been looked at some times


@dataclass(frozen=True, slots=True)
class Run:
    """One invocation of a report; `created` in seconds since the epoch."""

    region: str
    id: str
    created: float


@dataclass(frozen=True, slots=True)
class Report:
    """Runs, and what has become known of them; `story` names their message in each channel.

    Times in seconds since the epoch, 0 where not yet. `told` is what channels were told last, `ended` how many runs
    had ended by then.
    """

    story: str
    runs: tuple[Run, ...]
    first_failure: float = 0.0
    read_at: float = 0.0
    looks: int = 0
    told: str = ""
    ended: int = 0

    def value(self) -> dict[str, Any]:
        """What one look hands on to the next."""
        return {key: value for key, value in asdict(self).items() if key not in ("story", "runs")}

    @property
    def soonest(self) -> float:
        """When the runs may be read again because of an event; the look that a first failure waits for is not late."""
        if not self.looks:
            return 0.0
        soonest = self.read_at + min(wait_after(self.looks - 1), _SOONEST)
        if self.told == GOING or not self.first_failure:
            return soonest
        return min(soonest, max(self.first_failure + PATIENCE, self.read_at + _WAITS[0]))

    @property
    def over(self) -> bool:
        """Whether all has been told; a run that joins later opens it again."""
        return self.ended >= len(self.runs)


@dataclass(frozen=True, slots=True)
class Occasion:
    """Runs that one message tells of; `tagged` where a tag says that they belong together."""

    identity: str
    story: str
    runs: tuple[Run, ...]
    tagged: bool = False
    schedule: bool = False

    def value(self) -> dict[str, Any]:
        """As the store keeps it."""
        return asdict(self)

    @property
    def name(self) -> str:
        return self.runs[0].id

    def takes(self, run: Run) -> bool:
        """Whether another run of the same identity belongs here."""
        if len(self.runs) == MOST_RUNS:
            return False
        return self.tagged or any(abs(one.created - run.created) <= TOGETHER for one in self.runs)

    def joined_by(self, run: Run) -> Occasion:
        return self if any(one.id == run.id for one in self.runs) else replace(self, runs=(*self.runs, run))

    def report(self, before: Mapping[str, Any]) -> Report:
        """The report on these runs, with what the last look has handed on."""
        return Report(self.story, self.runs, **before)


def occasion_from(value: Mapping[str, Any]) -> Occasion:
    return Occasion(**{**value, "runs": tuple(Run(**run) for run in value["runs"])})


def identity(invocation: Invocation, run_tag: str = "") -> str:
    """Equal for runs that may share a message: the value of the tag, where there is one, else the command.

    The same command is the same name, type and content: RunCommand makes a new CommandId each time. A schedule is
    a command of its own. What runs in another account is another thing, unless a tag says that it is not.
    """
    account = places.account_of(invocation.region)
    tagged = dict(invocation.tags).get(run_tag, "") if run_tag else ""
    if tagged:
        parts = ["tag", tagged]
    elif invocation.is_schedule:
        parts = ["schedule", invocation.id]
    elif invocation.content or invocation.command_name:
        parts = ["command", invocation.command_name, invocation.command_type, invocation.content]
    else:
        parts = ["id", invocation.command_id or invocation.id]
    parts += [account] if account and not tagged else []
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def joined(invocations: Sequence[Invocation], run_tag: str = "") -> list[tuple[Invocation, ...]]:
    """Runs that belong together, in the order of the first of each."""
    occasions: list[Occasion] = []
    members: dict[str, list[Invocation]] = {}
    for invocation in invocations:
        key, run = identity(invocation, run_tag), run_of(invocation)
        fitting = (number for number, one in enumerate(occasions) if one.identity == key and one.takes(run))
        number = next(fitting, None)
        if number is None:
            occasions.append(occasion_of(invocation, run_tag))
            members[run.id] = [invocation]
        else:
            occasions[number] = occasions[number].joined_by(run)
            members[occasions[number].name].append(invocation)
    return [tuple(members[one.name]) for one in occasions]


def occasion_of(invocation: Invocation, run_tag: str = "") -> Occasion:
    """An occasion that begins with this run."""
    run, tagged = run_of(invocation), is_tagged(invocation, run_tag)
    return Occasion(identity(invocation, run_tag), run.id, (run,), tagged, invocation.is_schedule)


def is_tagged(invocation: Invocation, run_tag: str) -> bool:
    return bool(run_tag and dict(invocation.tags).get(run_tag))


def run_of(invocation: Invocation) -> Run:
    return Run(invocation.region, invocation.id, invocation.created.timestamp() if invocation.created else 0.0)


def wait_after(look: int) -> int:
    """Seconds from look number `look` (from 0) to the next one that nothing asks for."""
    return _WAITS[look] if look < len(_WAITS) else _LONGEST_WAIT


GOING, BADLY, WELL = "going", "bad", "good"


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows a look: what channels are told, "" for nothing yet; and the seconds to the next one, 0 for none."""

    tell: str
    wait: float
    report: Report


def after_look(report: Report, summary: Summary, now: float) -> Decision:
    """What follows a look at all runs of a report, which were read at `now`."""
    first = report.first_failure or _first_failure(summary, now)
    looked = replace(report, first_failure=first, read_at=now, looks=report.looks + 1)
    if complete(summary):
        tell = BADLY if summary.count(*BAD, Bucket.UNKNOWN) else WELL
        return Decision(tell, 0, replace(looked, told=tell, ended=len(report.runs), first_failure=0.0, looks=1))
    wait = float(wait_after(report.looks))
    if report.runs and now - min(run.created for run in report.runs) > LONGEST:
        return Decision("", 0, looked)
    if first and now < first + PATIENCE:
        return Decision("", min(wait, first + PATIENCE - now), looked)
    return Decision(GOING if first else "", wait, replace(looked, told=GOING if first else report.told))


def complete(summary: Summary) -> bool:
    """Whether nothing goes on; of a schedule, whether its instances are through with the same run of it."""
    if not summary.total or summary.count(Bucket.GOING):
        return False
    schedules = {one.invocation.id for one in summary.schedules}
    rows = [row.result for row in summary.rows if row.result.invoke_id in schedules]
    newest = {one: max(row.repeats for row in rows if row.invoke_id == one) for one in {row.invoke_id for row in rows}}
    return all(row.repeats == newest[row.invoke_id] for row in rows)


def _first_failure(summary: Summary, now: float) -> float:
    """When the first failure was; 0 where there is none."""
    bad = [row.result for row in _rows(summary, *BAD)]
    ends = [min(now, row.finished.timestamp()) for row in bad if row.finished]
    return min(ends, default=now) if bad else 0.0


# What a later run has made good


def settled(summary: Summary) -> Summary:
    """The summary without the failures that a later run of the same command has made good on the same instance."""
    over = {id(row) for row in _made_good(summary)}
    return only(summary, lambda row: id(row) not in over) if over else summary


def _made_good(summary: Summary) -> list[Row]:
    """A rerun soon after shares the message of the run that failed; of several runs on an instance the last counts."""
    commands = {one.id: identity(one) for one in summary.invocations}
    created = {one.id: run_of(one).created for one in summary.invocations}

    def where(row: Row) -> tuple[str, str, str]:
        return commands.get(row.result.invoke_id, ""), row.result.region, row.result.instance_id

    def when(row: Row) -> float:
        return created.get(row.result.invoke_id, 0.0)

    well: dict[tuple[str, str, str], float] = {}
    for row in _rows(summary, Bucket.SUCCEEDED):
        well[where(row)] = max(when(row), well.get(where(row), 0.0))
    return [row for row in _rows(summary, *BAD, Bucket.UNKNOWN) if when(row) < well.get(where(row), 0.0)]


def _rows(summary: Summary, *buckets: Bucket) -> Iterator[Row]:
    return (row for group in summary.of(*buckets) for row in group.rows)


# What of it a channel wants

_BUCKETS = {"failed": Bucket.FAILED, "timed-out": Bucket.TIMED_OUT, "never-ran": Bucket.NEVER_RAN}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The part of a summary that a channel may see, whether it is news there, and whom it rings.

    `made_good` are the names of instances that failed before a later run of the summary succeeded on them.
    """

    summary: Summary
    news: bool
    rings: tuple[str, ...] = ()
    made_good: tuple[str, ...] = ()


def wanted(summary: Summary, subscriptions: Collection[Subscription], instances: Mapping[str, Instance]) -> Wanted:
    """What these subscriptions of one channel let through; whatever their filters leave out is not in it."""
    stands, through = settled(summary), []
    for one in subscriptions:
        about = part(stands, _is_about(one, summary, instances))
        through.append((one, _let_through(about, one), about))
    news = [(one, some) for one, some, about in through if _is_news(one, some, about)]
    let_through = news or [(one, some) for one, some, _ in through]
    kept = {id(row) for _, some in let_through for row in some.rows}
    rings = tuple(dict.fromkeys(one.ring for one, some in news if one.ring and some.count(*BAD)))
    shown = part(summary, lambda row: id(row) in kept)
    return Wanted(shown, bool(news), rings, _made_good_for([one for one, _ in let_through], summary, instances))


def _made_good_for(
    some: Iterable[Subscription], summary: Summary, instances: Mapping[str, Instance]
) -> tuple[str, ...]:
    failing = _failing(settled(summary))
    good = {id(row): row.name for row in _made_good(summary) if row.result.instance_id not in failing}
    names: dict[str, None] = {}
    for one in some if good else ():
        through = _let_through(part(summary, _is_about(one, summary, instances)), one)
        names |= {good[id(row)]: None for row in _rows(through, *BAD, Bucket.UNKNOWN) if id(row) in good}
    return tuple(names)


def _is_about(one: Subscription, summary: Summary, instances: Mapping[str, Instance]) -> Callable[[Row], bool]:
    """Whether a row is of a command and an instance that it names, however that ended."""
    commands = {run.id: run.command_id for run in summary.invocations}

    def chosen(row: Row) -> bool:
        result, instance = row.result, instances.get(row.result.instance_id)
        command_id = commands.get(result.invoke_id, result.command_id)
        name, tags = (instance.name, instance.tags) if instance else ("", ())
        return one.of_command(result.region, row.command_name, command_id) and one.of_instance(
            result.instance_id, name, tags
        )

    return chosen


def _let_through(about: Summary, one: Subscription) -> Summary:
    """Of the bad rows only those of its buckets and reasons; the others are no news."""
    bad = _bad(one)
    groups = about.of(*BAD, Bucket.UNKNOWN) if one.reasons else ()
    otherwise = {id(row) for group in groups if not reason_keys(group) & set(one.reasons) for row in group.rows}

    def chosen(row: Row) -> bool:
        return id(row) not in otherwise and (row.bucket in bad or row.bucket not in (*BAD, Bucket.UNKNOWN))

    return only(about, chosen)


def _bad(one: Subscription) -> list[Bucket]:
    return [_BUCKETS[bucket] for bucket in one.buckets] or [*BAD, Bucket.UNKNOWN]


def _is_news(one: Subscription, some: Summary, about: Summary) -> bool:
    """`some` of the instances that it is about, whatever became of these."""
    if one.longer_than and _took(about) <= one.longer_than:
        return False
    if one.everything and not (one.at_least or one.buckets):
        return some.total > 0
    return one.enough(some.count(*_bad(one)), about.total)


def _took(summary: Summary) -> float:
    return (summary.ended - summary.began).total_seconds() if summary.ended and summary.began else 0.0


# What makes one failure the same as the next


def cause(summary: Summary) -> str:
    """A fingerprint of how it failed: bucket, code, exit code, and the reason of each group. Equal for the same."""
    keys = sorted({_print(group) for group in summary.of(*BAD, Bucket.UNKNOWN)})
    return hashlib.sha256("\1".join(keys).encode("utf-8", "replace")).hexdigest()[:24] if keys else ""


def _print(group: Group) -> str:
    """Where no reason is known, the output without its times and numbers stands for it."""
    known = group.diagnosis.reason.key if group.diagnosis else group.rows[0].alike.key.hex()
    return "\0".join([group.bucket.value, group.error_code, str(group.exit_code), known])


def failing(summary: Summary) -> tuple[str, ...]:
    """The instances that did not succeed, by id, those of the largest groups first."""
    return tuple(_failing(summary))


def failing_names(summary: Summary) -> tuple[str, ...]:
    """What people call them, in the same order; of many the first."""
    return tuple(_failing(summary).values())[:MOST_NAMES]


def _failing(summary: Summary) -> dict[str, str]:
    return {row.result.instance_id: row.name for row in _rows(summary, *BAD, Bucket.UNKNOWN)}


def gone_well(summary: Summary) -> tuple[str, ...]:
    """The instances that succeeded and did not fail beside that, by id."""
    succeeded = {row.result.instance_id for row in _rows(summary, Bucket.SUCCEEDED)}
    return tuple(sorted(succeeded.difference(_failing(summary))))


def occasion_name(occasion: Occasion, summary: Summary) -> str:
    """Names the run, or the repeat of a schedule, so that one that failed twice is counted twice."""
    repeats = max((row.result.repeats for row in summary.rows), default=0)
    return f"{occasion.name}/{repeats}" if occasion.schedule else occasion.name


def streak(summary: Summary) -> dict[str, Any]:
    """How often in a row a schedule has failed, and since when (seconds, epoch), as fields of News; {} for never."""
    longest = max((one.streak for one in summary.schedules), key=lambda one: one.failed, default=Streak())
    since = longest.since.timestamp() if longest.since else 0.0
    return {"times": longest.failed, "since": since} if longest.failed else {}
