"""What happened, decided: buckets that add up to the targets, groups of what did not succeed, schedules.

The state of an instance is its own InvocationStatus, never InvokeRecordStatus ("Finished" covers failures).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from functools import cached_property
from typing import Any

from bot.core import places
from bot.core.diagnosis import Diagnosis, diagnose, is_open_code, meaning, proves_never_ran
from bot.core.folding import Alike, OutputReader, differing, own_words, shown
from bot.core.masking import Masked
from bot.core.model import Instance, Invocation, InvocationResult
from bot.core.output import Output
from bot.core.texts import _


class Bucket(Enum):
    """In the order in which they are told."""

    FAILED = "failed"
    TIMED_OUT = "timed out"
    NEVER_RAN = "never ran"
    UNKNOWN = "unknown state"
    GOING = "still going"
    SUCCEEDED = "exit code 0"


_BUCKET_OF = {
    "Success": Bucket.SUCCEEDED,
    "Failed": Bucket.FAILED,
    "Error": Bucket.FAILED,
    "Terminated": Bucket.FAILED,
    "Timeout": Bucket.TIMED_OUT,
    "Aborted": Bucket.NEVER_RAN,
    "Invalid": Bucket.NEVER_RAN,
    "Cancelled": Bucket.NEVER_RAN,
    "Pending": Bucket.GOING,
    "Running": Bucket.GOING,
    "Stopping": Bucket.GOING,
    "Scheduled": Bucket.GOING,
}
BAD = (Bucket.FAILED, Bucket.TIMED_OUT, Bucket.NEVER_RAN)


def bucket_of(status: str, error_code: str) -> Bucket:
    """The bucket of an instance's state: an end state with a code that proves it never ran, did not run."""
    bucket = _BUCKET_OF.get(status, Bucket.UNKNOWN)
    if bucket in (Bucket.FAILED, Bucket.TIMED_OUT) and proves_never_ran(error_code):
        return Bucket.NEVER_RAN
    return bucket


@dataclass(frozen=True, slots=True)
class Row:
    """One target: what its result says, and what people call the instance and the command.

    `output` is its own, with its secrets; `alike` is what it says, by which rows are folded.
    """

    result: InvocationResult
    bucket: Bucket
    output: Output
    alike: Alike
    name: str
    command_name: str = ""
    system: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """How a group fared in earlier runs of the same command. `of` of its rows are counted: of several of one command
    on one instance the newest speaks. Those without a known earlier run are in no other count.

    `again` failed the time before too, the longest of them since `since`, `runs` times in a row with this one:
    others less often where `up_to`, or more often where `at_least`, as older runs were not read. `relapsed` were well
    the time before, but failed earlier, last at `last`. `first` failed in none of the runs that were read.
    """

    of: int = 0
    again: int = 0
    since: datetime | None = None
    runs: int = 0
    up_to: bool = False
    at_least: bool = False
    relapsed: int = 0
    last: datetime | None = None
    first: int = 0


@dataclass(frozen=True, slots=True)
class Shared:
    """What nearly all failures share and most targets do not: `failures` of `of_failures`, `having` of `of_targets`.

    `kind` is a key of `where.KINDS`. `bucket` is FAILED (timed out included) or NEVER_RAN; None for both together.
    """

    kind: str
    value: str
    bucket: Bucket | None
    failures: int
    of_failures: int
    having: int
    of_targets: int


@dataclass(frozen=True)  # no slots: the diagnosis is kept once it has been made
class Group:
    """Targets that ended alike. `status` is the API's word, shown where the bucket does not say enough.

    `output` is one of theirs; `differs` names in what the others differ from it ("pid", "time").
    """

    bucket: Bucket
    status: str
    error_code: str
    exit_code: int | None
    output: Output
    rows: tuple[Row, ...]
    seen: Seen | None = None
    differs: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return len(self.rows)

    @cached_property
    def diagnosis(self) -> Diagnosis | None:
        """Why they did not succeed; None for what went well or is going on, and where nothing is known."""
        if self.bucket in (Bucket.SUCCEEDED, Bucket.GOING):
            return None
        systems = {row.system for row in self.rows}
        system = systems.pop() if len(systems) == 1 else ""
        return diagnose(self.status, self.error_code, self.exit_code, self.output, system)


@dataclass(frozen=True, slots=True)
class Streak:
    """How a schedule's runs ended on the instance that fails longest; `at_least` where older runs were not read."""

    failed: int = 0
    since: datetime | None = None
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    invocation: Invocation
    active: bool
    streak: Streak


@dataclass(frozen=True, slots=True)
class Summary:
    """The answer to "what really happened", ready to be said. `counts` adds up to `total`.

    Outputs in it have their secrets: what leaves goes through `masked`, which knows those of the whole answer.
    """

    invocations: tuple[Invocation, ...]
    total: int
    counts: Mapping[Bucket, int]
    groups: tuple[Group, ...]
    schedules: tuple[Schedule, ...]
    began: datetime | None
    ended: datetime | None
    users: tuple[str, ...]
    shared: tuple[Shared, ...] = ()
    masked: Masked = field(default_factory=Masked, compare=False)

    @property
    def rows(self) -> Iterator[Row]:
        return (row for group in self.groups for row in group.rows)

    def of(self, *buckets: Bucket) -> tuple[Group, ...]:
        return tuple(group for group in self.groups if group.bucket in buckets)

    def count(self, *buckets: Bucket) -> int:
        return sum(self.counts.get(bucket, 0) for bucket in buckets)


def summarise(
    invocations: Sequence[Invocation],
    results: Iterable[InvocationResult],
    instances: Mapping[str, Instance],
    *,
    personal: bool = True,
) -> Summary:
    """The summary of one or several invocations as one answer.

    Where a result row is missing, the instance's own row in DescribeInvocations speaks for it. `personal`: id card and
    phone numbers are secrets too.
    """
    targets, schedules = _targets(invocations, results)
    return _summary(invocations, targets, schedules, instances, Masked(personal=personal))


def only(summary: Summary, keep: Callable[[Row], bool]) -> Summary:
    """The summary of those rows alone."""
    rows = ([row for row in group.rows if keep(row)] for group in summary.groups)
    kept = tuple(folded(some, summary.masked) for some in rows if some)
    counts = {bucket: sum(group.count for group in kept if group.bucket is bucket) for bucket in Bucket}
    return replace(summary, groups=kept, counts=counts, total=sum(counts.values()))


def part(summary: Summary, keep: Callable[[Row], bool]) -> Summary:
    """The summary of those rows alone, as though nothing else had run: its runs, times and users are theirs."""
    some = only(summary, keep)
    rows = list(some.rows)
    ids = {row.result.invoke_id for row in rows}
    invocations = tuple(one for one in summary.invocations if one.id in ids)
    schedules = tuple(one for one in summary.schedules if one.invocation.id in ids)
    return replace(some, invocations=invocations, schedules=schedules, **_around(rows, invocations))


def _around(rows: Sequence[Row], invocations: Sequence[Invocation]) -> dict[str, Any]:
    """When rows began and ended, and as whom they ran."""
    began = min((row.result.started for row in rows if row.result.started), default=None)
    going = any(row.bucket is Bucket.GOING for row in rows)
    users = sorted({row.result.username for row in rows} | {one.username for one in invocations})
    return {
        "began": began or min((one.created for one in invocations if one.created), default=None),
        "ended": None if going else max((row.result.finished for row in rows if row.result.finished), default=None),
        "users": tuple(user for user in users if user),
    }


def summarise_results(
    results: Sequence[InvocationResult],
    invocations: Sequence[Invocation],
    instances: Mapping[str, Instance],
    *,
    personal: bool = True,
) -> Summary:
    """The summary of the newest results on some instances: each row is a run of its own."""
    return _summary(invocations, results, (), instances, Masked(personal=personal))


def _summary(
    invocations: Sequence[Invocation],
    targets: Sequence[InvocationResult],
    schedules: tuple[Schedule, ...],
    instances: Mapping[str, Instance],
    masked: Masked,
) -> Summary:
    schedule_ids = {invocation.id for invocation in invocations if invocation.is_schedule}
    commands = {invocation.id: invocation for invocation in invocations}
    names = unique_names(((target.region, target.instance_id) for target in targets), instances)
    outputs = OutputReader()
    _learn(masked, invocations, targets, outputs)  # all of them first: a secret of one output may stand in another
    for target in targets:
        outputs.expect(masked.read(outputs.read(target).text)[0])
    rows = [
        Row(
            result=target,
            bucket=bucket_in(target, in_schedule=target.invoke_id in schedule_ids),
            output=output,
            alike=outputs.alike(masked.read(output.text)[0], own_words(target, instances.get(target.instance_id))),
            name=names[target.instance_id],
            command_name=command.command_name if command else "",
            system=_system(instances.get(target.instance_id), command),
        )
        for target in targets
        for command in [commands.get(target.invoke_id)]
        for output in (outputs.read(target),)
    ]
    counts = Counter(row.bucket for row in rows)
    return Summary(
        invocations=tuple(invocations),
        total=len(rows),
        counts={bucket: counts[bucket] for bucket in Bucket},
        groups=_groups(rows, masked),
        schedules=schedules,
        masked=masked,
        **_around(rows, invocations),
    )


def _learn(
    masked: Masked, invocations: Iterable[Invocation], targets: Iterable[InvocationResult], outputs: OutputReader
) -> None:
    """All texts of an answer that may hold a secret, also those that are not shown."""
    for invocation in invocations:
        masked.learn(invocation.content)
        masked.learn(invocation.parameters)
    for target in targets:
        masked.learn(outputs.read(target).text)
        masked.learn(target.error_info)


def unique_names(found: Iterable[tuple[str, str]], instances: Mapping[str, Instance]) -> dict[str, str]:
    """What people call each instance, by its id; `found` are regions and ids. The id where there is no name. Where
    several share one, the account too; the id where that does not tell them apart.
    """
    names, accounts = {}, {}
    for region, instance_id in found:
        instance = instances.get(instance_id)
        name = instance.name if instance else ""
        names[instance_id] = name or instance_id or _("an instance without id")
        accounts[instance_id] = places.account_of(region)
    shared, there = Counter(names.values()), Counter((name, accounts[i]) for i, name in names.items())

    def told(one: str, name: str) -> str:
        if shared[name] == 1:
            return name
        return f"{name} ({accounts[one] if there[name, accounts[one]] == 1 else one})"

    return {i: told(i, name) for i, name in names.items()}


def _system(instance: Instance | None, invocation: Invocation | None) -> str:
    """ "linux", "windows", or "" where neither the instance nor the type of the command tells."""
    if instance and instance.os_type:
        return instance.os_type.lower()
    if invocation is None or not invocation.command_type:
        return ""
    return "linux" if invocation.command_type == "RunShellScript" else "windows"


def reason_keys(group: Group) -> frozenset[str]:
    """By which `reason:` a group is found: `oom`, `agent-offline`; empty where nothing is known of its cause."""
    return group.diagnosis.keys if group.diagnosis else frozenset()


def bucket_in(result: InvocationResult, *, in_schedule: bool) -> Bucket:
    """Within a schedule a finished run may still bear the schedule's own status: then its end decides."""
    bucket = bucket_of(result.status, result.error_code)
    if not (in_schedule and bucket is Bucket.GOING and result.finished):
        return bucket
    if proves_never_ran(result.error_code):
        return Bucket.NEVER_RAN
    if result.error_code == "ExecutionTimeout":
        return Bucket.TIMED_OUT
    if result.exit_code is None and not result.error_code:
        return Bucket.UNKNOWN
    return Bucket.SUCCEEDED if result.exit_code == 0 else Bucket.FAILED


def _groups(rows: Iterable[Row], masked: Masked) -> tuple[Group, ...]:
    """By (bucket, code, exit code and what it means there, what the output says); failed before timed out before never
    ran, larger first.
    """
    found: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        result = row.result
        told = result.status if row.bucket in _TELLING_STATUS or is_open_code(result.error_code) else ""
        meant = meaning(result.exit_code, row.system)
        key = (row.bucket, told, result.error_code, result.exit_code, meant, row.alike.key)
        found.setdefault(key, []).append(row)
    groups = [folded(members, masked) for members in found.values()]
    order = list(Bucket)
    return tuple(sorted(groups, key=lambda group: (order.index(group.bucket), -group.count, group.rows[0].name)))


def folded(rows: Sequence[Row], masked: Masked) -> Group:
    """The group of rows that ended alike and say the same."""
    first = rows[0]
    return Group(
        bucket=first.bucket,
        status=first.result.status,
        error_code=first.result.error_code,
        exit_code=first.result.exit_code,
        output=shown([row.output for row in rows], lambda text: masked.read(text)[0]),
        rows=tuple(sorted(rows, key=lambda row: (row.result.region, row.name))),
        differs=differing([row.alike for row in rows]),
    )


# Buckets within which the API's own word makes a difference to people; elsewhere it does where no code says more.
_TELLING_STATUS = frozenset({Bucket.GOING, Bucket.UNKNOWN})


def _targets(
    invocations: Sequence[Invocation], results: Iterable[InvocationResult]
) -> tuple[list[InvocationResult], tuple[Schedule, ...]]:
    """One row for each target of each invocation; of a schedule, the last finished run of each instance."""
    by_invocation: dict[str, list[InvocationResult]] = {}
    for result in results:
        by_invocation.setdefault(result.invoke_id, []).append(result)
    targets: list[InvocationResult] = []
    schedules = []
    for invocation in invocations:
        runs = _runs_by_instance(invocation, by_invocation.get(invocation.id, []))
        targets.extend(_speaking(runs_of_one) for runs_of_one in runs.values())
        if invocation.is_schedule:
            schedules.append(_schedule(invocation, runs))
    return targets, tuple(schedules)


def _runs_by_instance(invocation: Invocation, results: Sequence[InvocationResult]) -> dict[str, list[InvocationResult]]:
    """The runs of each instance, newest first.

    Rows without an id are different instances as far as anyone knows: merged, they would not add up.
    """
    runs: dict[str, list[InvocationResult]] = {}
    for key, result in _keyed(results):
        runs.setdefault(key, []).append(result)
    for key, target in _keyed(invocation.targets):
        runs.setdefault(key, [target])
    for of_one in runs.values():
        of_one.sort(key=lambda run: (run.repeats, run.started.timestamp() if run.started else 0), reverse=True)
    return runs


def _keyed(results: Iterable[InvocationResult]) -> Iterable[tuple[str, InvocationResult]]:
    nameless = 0
    for result in results:
        nameless += not result.instance_id
        yield result.instance_id or f"without id, number {nameless}", result


def _speaking(runs: Sequence[InvocationResult]) -> InvocationResult:
    """The run that tells how the instance fares: the newest that has ended, else the newest."""
    ended = (run for run in runs if run.finished or bucket_of(run.status, run.error_code) is not Bucket.GOING)
    return next(ended, runs[0])


def _schedule(invocation: Invocation, runs: Mapping[str, Sequence[InvocationResult]]) -> Schedule:
    active = bucket_of(invocation.status, "") is Bucket.GOING
    streaks = [_streak(of_one) for of_one in runs.values()]
    return Schedule(invocation, active, max(streaks, key=lambda streak: streak.failed, default=Streak()))


def _streak(runs: Sequence[InvocationResult]) -> Streak:
    """How many of the newest finished runs in a row ended badly, and since when."""
    failed: list[InvocationResult] = []
    for run in runs:
        bucket = bucket_in(run, in_schedule=True)
        if bucket in BAD:
            failed.append(run)
        elif bucket is Bucket.SUCCEEDED:
            break
    oldest = runs[-1]
    complete = len(failed) < len(runs) or oldest.repeats <= 1
    since = failed[-1].started or failed[-1].finished if failed else None
    return Streak(len(failed), since, at_least=bool(failed) and not complete)
