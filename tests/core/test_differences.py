"""What is different from the last run: which instances changed how, and the diff of their outputs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.differences import (
    MOST_LINES,
    Change,
    Compared,
    Kind,
    compare,
    last_runs,
    of_run,
    of_schedule,
    unified,
)
from bot.core.history import befores, earlier_runs
from bot.core.model import Instance, InvocationResult
from core.samples import REGION, failed, invocation, never_ran, results_of, row, running, succeeded

NOW, LAST, BEFORE = "t-hz0now00001", "t-hz0last0001", "t-hz0before01"
HOURS = {NOW: 12, LAST: 11, BEFORE: 10}
Rows = list[dict[str, Any]]


def of(run: str, *rows: dict[str, Any]) -> tuple[str, Rows]:
    return run, [{**one, "InvokeId": run} for one in rows]


def compared(now: tuple[str, Rows], *earlier: tuple[str, Rows], unread: Sequence[str] = (), **more: Any) -> Compared:
    """The run beside the others, given newest first; outputs of runs in `unread` are not there."""
    runs = [
        invocation(rows, InvokeId=run, CreationTime=f"2026-11-24T{HOURS[run]}:00:00Z") for run, rows in (now, *earlier)
    ]
    results: list[InvocationResult] = []
    for run, rows in (now, *earlier):
        results += results_of(rows) if run not in unread else []
    this, found = runs[0], earlier_runs(runs[0], runs)
    last = last_runs(this, found, 9)
    read = {run for run, _ in earlier} - set(unread)
    asked = more.get("asked", {target.instance_id for target in this.targets})
    return of_run(this, last, results, {}, befores(found, complete=True), read, asked)


def told(one: Compared) -> list[tuple[Kind, list[str]]]:
    return [(change.kind, [row.result.instance_id for row in change.rows]) for change in one.changes]


def test_each_instance_is_told_by_how_it_ended_then_and_now() -> None:
    one = compared(
        of(
            NOW,
            failed("i-1", "disk full"),
            failed("i-2", "disk full"),
            succeeded("i-3", "done"),
            succeeded("i-4", "done 2"),
            succeeded("i-5", "done"),
            succeeded("i-7", "done"),
            running("i-8"),
        ),
        of(
            LAST,
            succeeded("i-1", "done"),
            failed("i-2", "disk full"),
            failed("i-3", "disk full"),
            succeeded("i-4", "done"),
            succeeded("i-5", "done"),
            succeeded("i-6", "done"),
            succeeded("i-8", "done"),
        ),
    )
    assert told(one) == [
        (Kind.NEWLY_FAILING, ["i-1"]),
        (Kind.STILL_FAILING, ["i-2"]),
        (Kind.FIXED, ["i-3"]),
        (Kind.OTHER_OUTPUT, ["i-4"]),
        (Kind.NOT_RUN, ["i-6"]),
        (Kind.FIRST_RUN, ["i-7"]),
        (Kind.GOING, ["i-8"]),
        (Kind.SAME, ["i-5"]),
    ]
    assert [run.id for run in one.against] == [LAST]
    assert one.count(Kind.STILL_FAILING) == 1


def test_an_instance_is_compared_with_the_newest_run_that_ended_on_it() -> None:
    """A run on many, then again on the one that failed, then on all."""
    one = compared(
        of(NOW, failed("i-1", "a"), succeeded("i-2", "a")),
        of(LAST, succeeded("i-1", "a"), running("i-2")),
        of(BEFORE, failed("i-1", "a"), succeeded("i-2", "a")),
    )
    assert told(one) == [(Kind.NEWLY_FAILING, ["i-1"]), (Kind.SAME, ["i-2"])]
    assert [run.id for run in one.against] == [LAST, BEFORE]


def test_still_failing_says_since_when_and_how_often() -> None:
    one = compared(
        of(NOW, failed("i-1"), failed("i-2")),
        of(LAST, failed("i-1"), failed("i-2")),
        of(BEFORE, failed("i-1"), succeeded("i-2")),
    )
    [first, second] = one.of(Kind.STILL_FAILING)
    assert [(change.before.failed, change.before.since) for change in (first, second) if change.before] == [
        (2, invocation(CreationTime="2026-11-24T10:00:00Z").created),
        (1, invocation(CreationTime="2026-11-24T11:00:00Z").created),
    ]


def test_alike_changes_are_one_and_others_are_not() -> None:
    one = compared(
        of(NOW, *(failed(f"i-{n}", "full") for n in range(4)), failed("i-4", "full", code=2)),
        of(LAST, *(succeeded(f"i-{n}", "ok") for n in range(3)), succeeded("i-3", "fine"), succeeded("i-4", "ok")),
    )
    assert [change.count for change in one.of(Kind.NEWLY_FAILING)] == [3, 1, 1]
    assert all(change.other_output for change in one.changes)


def test_outputs_that_were_not_read_or_never_written_are_not_compared() -> None:
    one = compared(of(NOW, failed("i-1", "b"), succeeded("i-2", "b")), of(LAST, *results_without()), unread=[LAST])
    assert told(one) == [(Kind.STILL_FAILING, ["i-1"]), (Kind.SAME, ["i-2"])]
    assert not any(change.outputs or change.other_output for change in one.changes)
    one = compared(of(NOW, failed("i-1", "b")), of(LAST, never_ran("i-1")))
    assert [(change.kind, change.outputs) for change in one.changes] == [(Kind.STILL_FAILING, False)]


def results_without() -> Rows:
    return [failed("i-1", "a"), succeeded("i-2", "a")]


def test_of_a_part_of_a_run_nobody_is_missing_nor_of_an_instance_asked_about_with_another_run() -> None:
    pair = of(NOW, succeeded("i-1")), of(LAST, succeeded("i-1"), succeeded("i-2"))
    assert compared(*pair).count(Kind.NOT_RUN) == 1
    assert compared(*pair, asked=None).count(Kind.NOT_RUN) == 0
    assert compared(*pair, asked={"i-1", "i-2"}).count(Kind.NOT_RUN) == 0


def test_a_run_without_an_earlier_one() -> None:
    one = compared(of(NOW, failed("i-1")))
    assert (one.against, told(one)) == ((), [(Kind.FIRST_RUN, ["i-1"])])


def repeat(instance: str, number: int, code: int, output: str = "", **fields: Any) -> dict[str, Any]:
    start = f"2026-11-24T{number:02}:00:00Z"
    return row(instance, "Scheduled", output, ExitCode=code, Repeats=number, StartTime=start, **fields)


def test_a_schedule_is_compared_with_its_repeat_before() -> None:
    rows = [
        *(repeat("i-1", n, code, "lag") for n, code in ((1, 0), (2, 2), (3, 2))),
        *(repeat("i-2", n, 0, f"OK {n}") for n in (1, 2, 3)),
        row("i-2", "Running", Repeats=4, FinishedTime=""),
        repeat("i-3", 1, 0),
    ]
    run = invocation(rows[:1], RepeatMode="Period")
    names = {"i-1": Instance("i-1", REGION, "db-01")}
    one = of_schedule(run, results_of(rows), names, complete=True)
    assert told(one) == [
        (Kind.STILL_FAILING, ["i-1"]),
        (Kind.OTHER_OUTPUT, ["i-2"]),
        (Kind.FIRST_RUN, ["i-3"]),
    ]
    assert one.changes[0].rows[0].name == "db-01"
    assert one.changes[0].before is not None
    assert one.changes[0].before.failed == 1
    assert one.against == (run,)
    assert of_schedule(run, results_of(rows[:1]), {}, complete=True).against == ()


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ("a", "a", []),
        ("", "", []),
        ("", "a", ["+a"]),
        ("a", "", ["-a"]),
        ("a\nb\nc", "a\nx\nc", [" a", "-b", "+x", " c"]),
        ("a\nb\nc\nd\ne\nf\ng", "A\nb\nc\nd\ne\nf\nG", ["-a", "+A", " b", "…", " f", "-g", "+G"]),
        ("--- a\n+++ b", "--- a\n@@ b", [" --- a", "-+++ b", "+@@ b"]),
    ],
)
def test_a_unified_diff(before: str, after: str, lines: list[str]) -> None:
    assert unified(before, after) == lines


def test_of_a_long_difference_the_ends_are_compared() -> None:
    before, after = ("\n".join(f"{word} {n}" for n in range(9_000)) for word in ("old", "new"))
    lines = unified(f"same\n{before}", f"same\n{after}")
    assert lines[0] == f"… only the last {MOST_LINES} lines of what differs are compared …"
    assert lines[-1] == "+new 8999"
    assert len(lines) == 2 * MOST_LINES + 1


lines = st.lists(st.sampled_from(["a", "b", "", " a", "@@ x", "--- y", "+z"]), max_size=9).map("\n".join)


@given(lines, lines)
def test_a_unified_diff_is_empty_for_equal_outputs_alone_and_holds_both_sides(before: str, after: str) -> None:
    assert unified(before, before) == []
    told = unified(before, after)
    assert bool(told) == (before != after)
    old, new = before.split("\n") if before else [], after.split("\n") if after else []
    assert sum(line[0] == "+" for line in told) - sum(line[0] == "-" for line in told) == len(new) - len(old)
    assert all(line[1:] in new for line in told if line[0] == "+")
    assert all(line[1:] in old for line in told if line[0] == "-")


states = st.lists(st.tuples(st.sampled_from(["ok", "bad", "never", "on"]), lines), min_size=1, max_size=8)


def drawn(run: str, some: list[tuple[str, str]]) -> tuple[str, Rows]:
    made = {
        "ok": succeeded,
        "bad": failed,
        "never": lambda one, output: never_ran(one),
        "on": lambda one, output: running(one),
    }
    return of(run, *(made[state](f"i-{n}", output) for n, (state, output) in enumerate(some)))


@given(states)
def test_a_run_against_itself_differs_in_nothing(some: list[tuple[str, str]]) -> None:
    one = compared(drawn(NOW, some), drawn(LAST, some))
    kinds = {change.kind for change in one.changes}
    assert kinds <= {Kind.STILL_FAILING, Kind.SAME, Kind.GOING}
    assert not any(change.other_output for change in one.changes)


@given(states, states, st.randoms())
def test_every_instance_is_told_once_whatever_the_order(
    now: list[tuple[str, str]], last: list[tuple[str, str]], chance: random.Random
) -> None:
    one = compared(drawn(NOW, now), drawn(LAST, last))
    ids = [row.result.instance_id for change in one.changes for row in change.rows]
    ended = {f"i-{n}" for n, (state, _) in enumerate(last) if state != "on"}
    missing = ended - {f"i-{n}" for n in range(len(now))} if one.against else set()
    assert sorted(ids) == sorted({f"i-{n}" for n in range(len(now))} | missing)
    rows = [change.rows[0] for change in one.changes for _ in change.rows]
    chance.shuffle(rows)
    last_rows = {row.result.instance_id: row for row in rows}
    told = compare(rows, last_rows, read={NOW, LAST})
    assert told == compare(rows[::-1], last_rows, read={NOW, LAST})
    assert all(isinstance(change, Change) for change in told)
