"""Earlier runs of the same command: which they are, and since when something fails on an instance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.core.model import Invocation, InvocationResult
from bot.core.summary import BAD, Bucket, Group, Row, Seen, bucket_in

ENDED = frozenset({*BAD, Bucket.SUCCEEDED})  # what else there is, has not ended or is not known
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def same_command(one: Invocation, other: Invocation) -> bool:
    """The same kept CommandId, else the same name, type and content: RunCommand makes a new id each time."""
    if one.command_id and one.command_id == other.command_id:
        return True
    return bool(one.content) and _identity(one) == _identity(other)


def _identity(run: Invocation) -> tuple[str, str, str]:
    return run.command_name, run.command_type, run.content


def earlier_runs(run: Invocation, runs: Iterable[Invocation]) -> list[Invocation]:
    """Runs of the same command on some of its instances before this one, newest first; schedules are no runs."""
    ids = {target.instance_id for target in run.targets}
    found = {
        one.id: one
        for one in runs
        if one.id != run.id
        and not one.is_schedule
        and same_command(one, run)
        and _created(one) < _created(run)
        and any(target.instance_id in ids for target in one.targets)
    }
    return sorted(found.values(), key=lambda one: (_created(one), one.id), reverse=True)


def _created(run: Invocation) -> datetime:
    return run.created or _LONG_AGO


def runs_told(results: Iterable[InvocationResult], runs: Iterable[Invocation]) -> list[Invocation]:
    """The runs, and those that only their results tell of: without name and content, made when the first began.

    What has been repeated is a schedule.
    """
    rows: dict[str, list[InvocationResult]] = {}
    for result in results:
        rows.setdefault(result.invoke_id, []).append(result)
    told = {
        one: Invocation(
            id=one,
            region=some[0].region,
            command_id=some[0].command_id,
            created=min((moment for row in some if (moment := row.started or row.finished)), default=None),
            repeat_mode="Period" if any(row.repeats > 1 for row in some) else "",
            targets=tuple(some),
        )
        for one, some in rows.items()
    }
    return list({**told, **{run.id: run for run in runs}}.values())


def newest_failures(rows: Iterable[Row], runs: Iterable[Invocation]) -> list[Invocation]:
    """The runs, newest first, of failed rows that tell how a command fares now: none has ended on the instance since.

    Each has these rows' results alone as its targets.
    """
    known = {run.id: run for run in runs}
    ended: dict[str, list[Invocation]] = {}
    for run in known.values():
        for target in run.targets if not run.is_schedule else ():
            if bucket_in(target, in_schedule=False) in ENDED:
                ended.setdefault(target.instance_id, []).append(run)
    failed: dict[str, list[InvocationResult]] = {}
    for result in (row.result for row in rows):
        run = known[result.invoke_id]
        since = (one for one in ended.get(result.instance_id, ()) if _created(one) > _created(run))
        if run.is_schedule or not any(same_command(one, run) for one in since):
            failed.setdefault(run.id, []).append(result)
    found = [replace(known[one], targets=tuple(results)) for one, results in failed.items()]
    return sorted(found, key=lambda run: (_created(run), run.id), reverse=True)


@dataclass(frozen=True, slots=True)
class Before:
    """How the runs before ended on one instance: the newest `failed` of them badly, since `since`.

    `at_least`: all that are known failed, and older ones were not read. `bad` of all ended badly, last at `last`.
    """

    failed: int = 0
    since: datetime | None = None
    at_least: bool = False
    bad: int = 0
    last: datetime | None = None


_Past = tuple[Bucket, datetime | None]


def befores(earlier: Sequence[Invocation], *, complete: bool) -> dict[str, Before]:
    """By instance id, of runs newest first; `complete`: there are no older ones. What has not ended says nothing."""
    pasts: dict[str, list[_Past]] = {}
    for run in earlier:
        for target in run.targets:
            pasts.setdefault(target.instance_id, []).append((bucket_in(target, in_schedule=False), run.created))
    return _befores(pasts, complete=complete)


def befores_of_repeats(rows: Iterable[Row], *, complete: bool) -> dict[str, Before]:
    """The same of a schedule: by instance id, of its repeats before the newest that ended."""
    pasts = {one: [(row.bucket, row.result.started) for row in some[1:]] for one, some in repeats(rows).items()}
    return _befores(pasts, complete=complete)


def repeats(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Of a schedule's rows those of each instance that ended, newest first; where none has, the newest alone."""
    found: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row.result.repeats, row.result.started or _LONG_AGO), reverse=True):
        found.setdefault(row.result.instance_id, []).append(row)
    return {one: [row for row in some if row.bucket in ENDED] or some[:1] for one, some in found.items()}


def _befores(pasts: Mapping[str, Sequence[_Past]], *, complete: bool) -> dict[str, Before]:
    ended = {one: [past for past in some if past[0] in ENDED] for one, some in pasts.items()}
    return {one: _before(some, complete=complete) for one, some in ended.items() if some}


def _before(pasts: Sequence[_Past], *, complete: bool) -> Before:
    well = next((number for number, (bucket, _) in enumerate(pasts) if bucket not in BAD), len(pasts))
    bad = [at for bucket, at in pasts if bucket in BAD]
    since = pasts[well - 1][1] if well else None
    at_least = well == len(pasts) and not complete
    return Before(well, since, at_least, bad=len(bad), last=bad[0] if bad else None)


Pasts = Mapping[tuple[str, str], Before | None]
"""By (invocation id, instance id), None where nothing is known. What is not in it is not asked: a newer run speaks."""


def seen(rows: Iterable[Row], before: Pasts) -> Seen | None:
    """How rows that failed fared before; None where nothing is known of any."""
    keys = [(row.result.invoke_id, row.result.instance_id) for row in rows]
    speaking = [before[key] for key in keys if key in before]
    known = [past for past in speaking if past is not None]
    if not known:
        return None
    again = [past for past in known if past.failed]
    longest = max(again, key=lambda past: (past.failed, past.at_least), default=Before())
    relapsed = [past for past in known if past.bad and not past.failed]
    return Seen(
        of=len(speaking),
        again=len(again),
        since=min((past.since for past in again if past.since), default=None),
        runs=longest.failed + 1 if again else 0,
        up_to=any(past.failed != longest.failed for past in again),
        at_least=longest.at_least,
        relapsed=len(relapsed),
        last=max((past.last for past in relapsed if past.last), default=None),
        first=len(known) - len(again) - len(relapsed),
    )


def with_seen(groups: Iterable[Group], before: Pasts) -> tuple[Group, ...]:
    """The groups, those that failed with what is known of earlier runs."""
    return tuple(replace(one, seen=seen(one.rows, before)) if one.bucket in BAD else one for one in groups)
