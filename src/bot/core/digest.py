"""A day of runs in numbers, beside the day before: what ran, what failed, where, and for the first time. Pure.

The data are DescribeInvocations of two days: each invocation with its instances, without outputs. Of a schedule they
hold only the newest run on each instance, so a schedule counts as one run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core import wording
from bot.core.model import Instance, Invocation
from bot.core.subscriptions import Subscription
from bot.core.summary import BAD, Bucket, Group, Row, Summary, only, summarise

DAY = timedelta(days=1)
POINTS = 12  # of the chart; Slack takes 20
STEP = DAY / POINTS
CHARTED = (Bucket.FAILED, Bucket.TIMED_OUT, Bucket.NEVER_RAN, Bucket.UNKNOWN, Bucket.SUCCEEDED)

Place = tuple[str, str]
"""An instance: its region and its id."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Runs of one command, or of all: `failed` runs ended badly on an instance; `bad` of `targets` instances did."""

    runs: int = 0
    failed: int = 0
    targets: int = 0
    bad: int = 0


@dataclass(frozen=True, slots=True)
class FirstSeen:
    """A way to fail that the day before did not know: of which command, why, and on which instances."""

    command: str
    why: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    today: Tally
    before: Tally


@dataclass(frozen=True, slots=True)
class Digest:
    """The last 24 hours up to `until`, and the 24 hours before.

    `worst` are instances with the number of their failures, `never` those on which something never ran. `series` has
    for each bucket of CHARTED the instances in each of POINTS steps, oldest first.
    """

    until: datetime
    today: Tally
    before: Tally
    going: int
    commands: tuple[Command, ...]
    worst: tuple[tuple[Place, int], ...]
    never: tuple[Place, ...]
    first_seen: tuple[FirstSeen, ...]
    series: Mapping[Bucket, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Ran:
    command: str
    at: datetime
    summary: Summary


def regions_of(subscriptions: Iterable[Subscription], configured: Sequence[str]) -> tuple[str, ...]:
    """The configured regions that a channel's subscriptions are about; all where it has none that is about runs."""
    about = [one for one in subscriptions if one.of_runs]
    wanted = [region for region in configured if any(one.of_place(region) for one in about)]
    return tuple(wanted) or tuple(configured)


def made(
    invocations: Iterable[Invocation],
    subscriptions: Sequence[Subscription],
    instances: Mapping[str, Instance],
    until: datetime,
) -> Digest:
    """The digest of what the subscriptions are about: their commands, regions and instances, whatever the outcome."""
    about = [one for one in subscriptions if one.of_runs]
    ran = [one for run in invocations if (one := _ran(run, about, instances, until)) and one.summary.total]
    today = [one for one in ran if until - DAY < one.at <= until]
    before = [one for one in ran if until - 2 * DAY < one.at <= until - DAY]
    failures = Counter(_place(row) for row in _rows(today, *BAD))
    return Digest(
        until=until,
        today=_tally(today),
        before=_tally(before),
        going=sum(one.summary.count(Bucket.GOING) > 0 for one in today),
        commands=_commands(today, before),
        worst=tuple(sorted(failures.items(), key=lambda pair: (-pair[1], pair[0]))),
        never=tuple(sorted({_place(row) for row in _rows(today, Bucket.NEVER_RAN)})),
        first_seen=_first_seen(today, before),
        series=_series(today, until),
    )


def _ran(
    run: Invocation, about: Sequence[Subscription], instances: Mapping[str, Instance], until: datetime
) -> _Ran | None:
    wishes = [one for one in about if one.of_run(run)]
    if about and not wishes:
        return None
    summary = summarise([run], (), {})
    if about:
        summary = only(summary, _of_instances(wishes, instances))
    ends = [row.result.finished or row.result.started for row in summary.rows]
    newest = max(filter(None, ends), default=run.created) if run.is_schedule else run.created
    label = wording.name(run.command_name or run.command_id or run.id, 40)
    # A run without a time, or of a clock ahead of ours, is of today.
    return _Ran(label, min(newest or until, until), summary)


def _of_instances(wishes: Sequence[Subscription], instances: Mapping[str, Instance]) -> Callable[[Row], bool]:
    def wanted(row: Row) -> bool:
        one = instances.get(row.result.instance_id, Instance(row.result.instance_id, row.result.region))
        return any(wish.of_instance(one.id, one.name, one.tags) for wish in wishes)

    return wanted


def _tally(ran: Iterable[_Ran]) -> Tally:
    """Instances count once, however many runs they had."""
    some = list(ran)
    failed = sum(one.summary.count(*_NOT_WELL) > 0 for one in some)
    targets = {_place(row) for row in _rows(some, *Bucket)}
    return Tally(len(some), failed, len(targets), len({_place(row) for row in _rows(some, *_NOT_WELL)}))


def _commands(today: Sequence[_Ran], before: Sequence[_Ran]) -> tuple[Command, ...]:
    """Those that ran today, what failed most in front."""
    names = dict.fromkeys(one.command for one in today)
    told = [
        Command(
            name,
            _tally(one for one in today if one.command == name),
            _tally(one for one in before if one.command == name),
        )
        for name in names
    ]
    return tuple(sorted(told, key=lambda one: (-one.today.failed, -one.today.bad, -one.today.runs, one.name)))


def _rows(ran: Iterable[_Ran], *buckets: Bucket) -> Iterable[Row]:
    return (row for one in ran for group in one.summary.of(*buckets) for row in group.rows)


def _place(row: Row) -> Place:
    return row.result.region, row.result.instance_id


_NOT_WELL = (*BAD, Bucket.UNKNOWN)
_Way = tuple[str, Bucket, str, str, int | None]


def _way(command: str, group: Group) -> _Way:
    """Ways to fail are told apart by command, bucket, cause and codes; outputs are not read for this."""
    return command, group.bucket, wording.cause(group), group.error_code, group.exit_code


def _first_seen(today: Sequence[_Ran], before: Sequence[_Ran]) -> tuple[FirstSeen, ...]:
    known = {_way(one.command, group) for one in before for group in one.summary.of(*BAD)}
    new: dict[_Way, dict[Place, None]] = {}
    for one in today:
        for group in one.summary.of(*BAD):
            way = _way(one.command, group)
            if way not in known:
                new.setdefault(way, {}).update(dict.fromkeys(_place(row) for row in group.rows))
    found = [FirstSeen(way[0], way[2], tuple(places)) for way, places in new.items()]
    return tuple(sorted(found, key=lambda one: (-len(one.places), one.command, one.why)))


def _series(today: Iterable[_Ran], until: datetime) -> dict[Bucket, tuple[int, ...]]:
    counted = {bucket: [0] * POINTS for bucket in CHARTED}
    for one in today:
        step = min(POINTS - 1, int((one.at - (until - DAY)) / STEP))
        for bucket in CHARTED:
            counted[bucket][step] += one.summary.count(bucket)
    return {bucket: tuple(counts) for bucket, counts in counted.items()}
