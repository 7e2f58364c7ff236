"""What is different from the last run of the same command on the same instances.

The last run of an instance is the newest earlier run of the same command that ended on it: a command that goes out in
batches, or again to those where it failed, is several runs. A schedule is compared with its own repeat before.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from bot.core.history import ENDED, Before, befores_of_repeats, repeats
from bot.core.model import Instance, Invocation, InvocationResult
from bot.core.summary import BAD, Bucket, Group, Row, bucket_in, summarise, summarise_results
from bot.core.texts import _

_CONTEXT = 1  # equal lines around each difference
MOST_LINES = 400  # of the part that differs, on each side: comparing takes the square of that


class Kind(Enum):
    """In the order in which they are told."""

    NEWLY_FAILING = "newly failing"
    STILL_FAILING = "still failing"
    FIXED = "newly fixed"
    OTHER_OUTPUT = "with other output"
    NOT_RUN = "not run this time"
    FIRST_RUN = "without an earlier run"
    GOING = "not ended"
    SAME = "as before"


@dataclass(frozen=True, slots=True)
class Change:
    """Instances that changed alike. `rows` are those of this run, of NOT_RUN those of the run before.

    `was` stands for them in the run before; `outputs` says whether both outputs were read, so that they can be
    compared. `before` is of STILL_FAILING.
    """

    kind: Kind
    rows: tuple[Row, ...]
    was: Row | None = None
    outputs: bool = False
    before: Before | None = None

    @property
    def count(self) -> int:
        return len(self.rows)

    @property
    def other_output(self) -> bool:
        return self.outputs and self.was is not None and self.was.output.text != self.rows[0].output.text


@dataclass(frozen=True, slots=True)
class Compared:
    """One run beside the runs before it. `notes` are sentences about what could not be compared."""

    run: Invocation
    against: tuple[Invocation, ...]
    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()

    def of(self, kind: Kind) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.kind is kind)

    def count(self, kind: Kind) -> int:
        return sum(change.count for change in self.of(kind))


def of_run(
    run: Invocation,
    last_runs: Sequence[Invocation],
    results: Iterable[InvocationResult],
    instances: Mapping[str, Instance],
    before: Mapping[str, Before],
    read: Collection[str],
    asked: Collection[str] | None,
) -> Compared:
    """A run beside the `last_runs` of its instances, newest first; `results` are of all of these.

    Outputs are compared with those of the runs in `read`. Instances of these that are not `asked` about have not run
    this time; None: a part of the run is asked about, so that nothing can be said of others.
    """
    rows = list(summarise([run, *last_runs], results, instances).rows)
    now = [row for row in rows if row.result.invoke_id == run.id]
    newest = _newest(last_runs, rows)
    missing = [
        row for one, row in newest.items() if asked is not None and one not in asked and row.result.invoke_id in read
    ]
    last = {row.result.instance_id: newest[row.result.instance_id] for row in now if row.result.instance_id in newest}
    used = {row.result.invoke_id for row in [*last.values(), *missing]}
    changes = compare(now, last, missing, before, read)
    return Compared(run, tuple(one for one in last_runs if one.id in used), changes)


def of_schedule(
    run: Invocation, results: Iterable[InvocationResult], instances: Mapping[str, Instance], *, complete: bool
) -> Compared:
    """A schedule's newest repeat on each instance beside the one before; `complete`: all repeats were read."""
    rows = [row for row in summarise_results(list(results), [run], instances).rows if row.result.invoke_id == run.id]
    found = repeats(rows)
    last = {one: some[1] for one, some in found.items() if len(some) > 1}
    before = befores_of_repeats(rows, complete=complete)
    changes = compare((some[0] for some in found.values()), last, before=before, read={run.id})
    return Compared(run, (run,) if last else (), changes)


def last_runs(run: Invocation, earlier: Iterable[Invocation], most: int) -> list[Invocation]:
    """Of earlier runs, newest first, those that were the last to end on one of the instances: at most so many."""
    left, found = {one.instance_id for one in run.targets}, list[Invocation]()
    for other in earlier:
        ended = {one.instance_id for one in other.targets if bucket_in(one, in_schedule=False) in ENDED}
        if left & ended and len(found) < most:
            found.append(other)
            left -= ended
    return found


def _newest(runs: Sequence[Invocation], rows: Iterable[Row]) -> dict[str, Row]:
    """Of each instance its row of the newest of the runs, given newest first, that ended on it."""
    order = {run.id: number for number, run in enumerate(runs)}
    ended = [row for row in rows if row.result.invoke_id in order and row.bucket in ENDED and row.result.instance_id]
    newest: dict[str, Row] = {}
    for row in sorted(ended, key=lambda row: order[row.result.invoke_id]):
        newest.setdefault(row.result.instance_id, row)
    return newest


def compare(
    now: Iterable[Row],
    last: Mapping[str, Row],
    missing: Iterable[Row] = (),
    before: Mapping[str, Before] | None = None,
    read: Collection[str] = (),
) -> tuple[Change, ...]:
    """What changed from `last` (by instance id) to `now`; larger changes first within a kind.

    `missing` are rows of the last run whose instances are not in this one; `read` are the ids of runs whose outputs
    were read. The order of what is given does not matter.
    """
    found: dict[tuple[object, ...], list[Change]] = {}
    for row in now:
        change = _change(row, last.get(row.result.instance_id), before or {}, read)
        found.setdefault(_key(change), []).append(change)
    for row in missing:
        change = Change(Kind.NOT_RUN, (row,))
        found.setdefault(_key(change), []).append(change)
    order = list(Kind)
    merged = [_merged(some) for some in found.values()]
    return tuple(sorted(merged, key=lambda one: (order.index(one.kind), -one.count, _place(one.rows[0]))))


def _change(row: Row, was: Row | None, before: Mapping[str, Before], read: Collection[str]) -> Change:
    if row.bucket not in ENDED:
        return Change(Kind.GOING, (row,))
    if was is None:
        return Change(Kind.FIRST_RUN, (row,))
    ran = Bucket.NEVER_RAN not in (row.bucket, was.bucket)
    outputs = ran and was.result.invoke_id in read
    if row.bucket in BAD and was.bucket in BAD:
        return Change(Kind.STILL_FAILING, (row,), was, outputs, before.get(row.result.instance_id))
    if row.bucket in BAD or was.bucket in BAD:
        kind = Kind.NEWLY_FAILING if row.bucket in BAD else Kind.FIXED
        return Change(kind, (row,), was, outputs)
    differs = outputs and row.output.text != was.output.text
    return Change(Kind.OTHER_OUTPUT if differs else Kind.SAME, (row,), was, outputs)


def ending(row: Row) -> Group:
    """One row as a group of its own."""
    result = row.result
    return Group(row.bucket, result.status, result.error_code, result.exit_code, row.output, (row,))


def _key(change: Change) -> tuple[object, ...]:
    """Alike are changes between the same ends with the same outputs, failing for as long."""
    if change.kind in (Kind.SAME, Kind.NOT_RUN, Kind.GOING):
        return (change.kind,)
    texts = (change.was.output.text, change.rows[0].output.text) if change.was and change.other_output else ()
    past = change.before
    streak = (past.failed, past.at_least) if past else ()
    return (change.kind, _end(change.rows[0]), _end(change.was), texts, streak)


def _end(row: Row | None) -> tuple[object, ...]:
    """How a row ended, and why: what is said of one is said of all that ended alike."""
    if row is None:
        return ()
    why = ending(row).diagnosis
    return row.bucket, row.result.status, row.result.error_code, row.result.exit_code, why and (why.reason, why.certain)


def _merged(changes: Sequence[Change]) -> Change:
    """The one that stands first by place speaks for all."""
    ordered = sorted(changes, key=lambda change: _place(change.rows[0]))
    first = ordered[0]
    since = min((one.before.since for one in ordered if one.before and one.before.since), default=None)
    past = first.before
    return Change(
        kind=first.kind,
        rows=tuple(change.rows[0] for change in ordered),
        was=first.was,
        outputs=all(change.outputs for change in ordered),
        before=replace(past, since=since) if past else None,
    )


def _place(row: Row) -> tuple[str, str, str, str]:
    return row.result.region, row.name, row.result.instance_id, row.result.invoke_id


# Outputs


def unified(before: str, after: str) -> list[str]:
    """The lines of a unified diff, with `…` for its headings; empty where the outputs are equal.

    Equal lines at both ends are left out before comparing. Of a longer difference the ends are compared: that is
    where a command says why it stopped; a line says that there is more.
    """
    old, new = before.split("\n") if before else [], after.split("\n") if after else []
    start = _equal(old, new)
    end = _equal(old[start:][::-1], new[start:][::-1])
    first = max(0, start - _CONTEXT)
    old, new = (lines[first : len(lines) - max(0, end - _CONTEXT)] for lines in (old, new))
    cut = max(len(old), len(new)) > MOST_LINES
    skipped = [_("… only the last {n} lines of what differs are compared …", n=MOST_LINES)] if cut else []
    told = list(difflib.unified_diff(old[-MOST_LINES:], new[-MOST_LINES:], lineterm="", n=_CONTEXT))[2:]
    return [*skipped, *("…" if line.startswith("@@") else line for line in told[1:])] if told else []


def _equal(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines from the start are equal."""
    pairs = zip(one, other, strict=False)
    return next((number for number, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
