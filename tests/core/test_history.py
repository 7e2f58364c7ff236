"""Earlier runs of the same command, and since when something fails on an instance."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import messages, since
from bot.core.history import (
    Before,
    befores,
    befores_of_repeats,
    earlier_runs,
    newest_failures,
    runs_told,
    same_command,
    seen,
    with_seen,
)
from bot.core.model import Invocation
from bot.core.summary import Row, Seen, summarise_results
from core.samples import FRAME, RUN, failed, invocation, refused, results_of, row, running, shown, succeeded

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HONGKONG = timezone(timedelta(hours=8), "HKT")


def at(hour: int) -> str:
    return f"2026-11-24T{hour:02}:00:00Z"


def run(number: int, states: dict[str, str], **fields: Any) -> Invocation:
    """Run `number`, at that hour; states by instance: ok, bad, on."""
    made = {"ok": succeeded, "bad": failed, "on": running}
    return invocation(
        [made[state](one) for one, state in states.items()],
        **{"InvokeId": f"t-hz0run{number:04}", "CreationTime": at(number), **fields},
    )


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({"CommandId": "c-kept"}, True),
        ({"CommandId": "c-kept", "CommandName": "renamed", "CommandContent": "ZWNobyAy"}, True),
        ({"CommandId": "c-new", "CommandContent": "ZWNobyAx"}, True),
        ({"CommandId": "c-new", "CommandContent": "ZWNobyAy"}, False),
        ({"CommandId": "c-new", "CommandContent": "ZWNobyAx", "CommandName": "other"}, False),
        ({"CommandId": "c-new", "CommandContent": "ZWNobyAx", "CommandType": "RunBatScript"}, False),
        ({"CommandId": "", "CommandContent": ""}, False),
    ],
)
def test_the_same_command(other: dict[str, str], same: bool) -> None:
    one = invocation(CommandId="c-kept", CommandContent="ZWNobyAx", CommandType="RunShellScript")
    fields = {"CommandContent": "ZWNobyAx", "CommandType": "RunShellScript", **other}
    assert same_command(one, invocation(**fields)) == same
    assert same_command(invocation(**fields), one) == same


def test_without_an_id_and_a_content_no_command_is_the_same() -> None:
    assert not same_command(invocation(CommandId="", CommandContent=""), invocation(CommandId="", CommandContent=""))


def test_earlier_runs_are_of_the_same_command_on_some_of_the_instances_newest_first() -> None:
    this = run(9, {"i-1": "bad", "i-2": "ok"})
    others = [
        run(5, {"i-1": "ok"}),
        run(7, {"i-2": "ok", "i-3": "ok"}),
        run(8, {"i-4": "ok"}),
        run(10, {"i-1": "ok"}),
        run(6, {"i-1": "ok"}, CommandId="c-other"),
        run(4, {"i-1": "ok"}, RepeatMode="Period"),
        this,
    ]
    assert [one.id for one in earlier_runs(this, others)] == ["t-hz0run0007", "t-hz0run0005"]
    assert [one.id for one in earlier_runs(this, others[::-1])] == ["t-hz0run0007", "t-hz0run0005"]


@pytest.mark.parametrize(
    ("states", "complete", "expected"),
    [
        (["bad", "bad", "ok"], False, Before(2, START - timedelta(hours=2), bad=2, last=START - timedelta(hours=1))),
        (["bad", "bad"], False, Before(2, START - timedelta(hours=2), True, 2, START - timedelta(hours=1))),
        (["bad", "bad"], True, Before(2, START - timedelta(hours=2), False, 2, START - timedelta(hours=1))),
        (["ok", "bad", "ok"], False, Before(bad=1, last=START - timedelta(hours=2))),
        (["ok", "ok"], False, Before()),
        (["on", "bad", "ok"], True, Before(1, START - timedelta(hours=2), bad=1, last=START - timedelta(hours=2))),
        (["on"], True, None),
    ],
)
def test_how_the_runs_before_ended(states: list[str], complete: bool, expected: Before | None) -> None:
    """`states` newest first, at 8, 7, … o'clock."""
    runs = [run(8 - number, {"i-1": state}) for number, state in enumerate(states)]
    assert befores(runs, complete=complete).get("i-1") == expected


def test_how_the_repeats_of_a_schedule_before_the_last_ended() -> None:
    states = [0, 0, 2, 2, 2]
    rows = [
        row("i-1", "Scheduled", ExitCode=code, Repeats=n + 1, StartTime=at(n), FinishedTime=at(n))
        for n, code in enumerate(states)
    ]
    rows.append(row("i-1", "Running", Repeats=6, StartTime=at(5), FinishedTime=""))
    told = summarise_results(results_of(rows), [invocation(RepeatMode="Period")], {})
    before = befores_of_repeats(told.rows, complete=True)
    assert before == {"i-1": Before(2, START.replace(hour=2), bad=2, last=START.replace(hour=3))}


def rows_of(*names: str) -> list[Row]:
    return list(summarise_results(results_of([failed(one) for one in names]), [], {}).rows)


EIGHT, SIX = START.replace(hour=8), START.replace(hour=6)


@pytest.mark.parametrize(
    ("pasts", "words"),
    [
        ([None, None], ""),
        ([Before(), Before()], " · first seen"),
        ([Before(2, SIX), Before(2, SIX)], " · failing since 2026-11-24 14:00 HKT, 3 runs"),
        ([Before(2, SIX), Before(1, EIGHT)], " · failing since 2026-11-24 14:00 HKT, up to 3 runs"),
        ([Before(2, SIX, at_least=True), None], " · 1 failing at least since 2026-11-24 14:00 HKT, 3 runs or more"),
        ([Before(1, EIGHT), Before()], " · 1 failing since 2026-11-24 16:00 HKT, 2 runs; 1 first seen"),
        ([Before(bad=1, last=SIX), Before()], " · 1 failed before, last 2026-11-24 14:00 HKT; 1 first seen"),
        ([Before(1, None), Before(1, None)], " · failing, 2 runs"),
        ([Before(bad=1), Before(bad=3)], " · failed before"),
    ],
)
def test_since_when_a_group_fails(pasts: list[Before | None], words: str) -> None:
    rows = rows_of("i-1", "i-2")
    before = {(RUN, one.result.instance_id): past for one, past in zip(rows, pasts, strict=True)}
    assert since.text(since.of_group(seen(rows, before)), HONGKONG) == words


def test_of_several_rows_of_a_command_on_an_instance_the_newest_speaks() -> None:
    rows = rows_of("i-1", "i-2", "i-3")
    before = {(RUN, "i-1"): Before(2, SIX), (RUN, "i-2"): None}
    assert seen(rows, before) == Seen(of=2, again=1, since=SIX, runs=3)
    assert seen(rows, {(RUN, "i-2"): None}) is None


def told_as_rows(*runs: Invocation) -> list[Row]:
    results = [replace(target, invoke_id=one.id) for one in runs for target in one.targets]
    return list(summarise_results(results, runs, {}).rows)


def test_what_tells_how_a_command_fares_now_is_its_newest_run_on_the_instance() -> None:
    first, second = run(1, {"i-1": "bad", "i-2": "bad", "i-3": "bad"}), run(2, {"i-1": "bad", "i-2": "ok", "i-3": "on"})
    other = run(3, {"i-1": "ok", "i-3": "ok"}, CommandId="c-2", CommandContent="ZWNobyAy")
    schedule = run(4, {"i-1": "ok"}, RepeatMode="Period")
    runs = [first, second, other, schedule]
    rows = [one for one in told_as_rows(first, second) if one.result.status == "Failed"]
    told = [(one.id, [target.instance_id for target in one.targets]) for one in newest_failures(rows, runs)]
    assert told == [(second.id, ["i-1"]), (first.id, ["i-3"])]


def test_each_failed_schedule_tells_of_itself() -> None:
    schedule = run(1, {"i-1": "bad"}, RepeatMode="Period")
    [told] = newest_failures(told_as_rows(schedule), [schedule, run(2, {"i-1": "ok"})])
    assert told.id == schedule.id


def test_runs_of_which_only_results_tell() -> None:
    listed = run(1, {"i-1": "bad"})
    rows = results_of(
        [
            failed("i-1", InvokeId=listed.id),
            failed("i-1", InvokeId="t-2", CommandId="c-2", StartTime=at(9), FinishedTime=at(10)),
            failed("i-2", InvokeId="t-2", CommandId="c-2", StartTime="", FinishedTime=at(8)),
            failed("i-1", InvokeId="t-3", Repeats=7, StartTime="", FinishedTime=""),
        ]
    )
    told = {one.id: one for one in runs_told(rows, [listed])}
    assert told[listed.id] is listed
    assert (told["t-2"].command_id, told["t-2"].created) == ("c-2", START.replace(hour=8))
    assert [one.instance_id for one in told["t-2"].targets] == ["i-1", "i-2"]
    assert not told["t-2"].is_schedule
    assert told["t-3"].is_schedule
    assert told["t-3"].created is None


def test_it_stands_beside_each_group_that_failed_and_is_read_out() -> None:
    told = summarise_results(results_of([failed("i-1"), failed("i-2", code=7), succeeded("i-3")]), [invocation()], {})
    before = {(RUN, "i-1"): Before(2, SIX), (RUN, "i-3"): Before(2, SIX)}
    message = messages.results(replace(told, groups=with_seen(told.groups, before)), replace(FRAME, zone=HONGKONG))
    assert refused(message) == []
    assert "1 failed, exit code 1 · failing since 2026-11-24 14:00 HKT, 3 runs: i-1." in message.text
    assert message.text.count("failing since") == 1
    assert shown(message).count("failing") == 1


def test_what_is_said_of_instances_that_failed_equally_long() -> None:
    assert since.of_before(None) == since.of_before(Before(bad=1)) == []
    assert since.text(since.of_before(Before(2, SIX)), UTC) == " since 2026-11-24 06:00 UTC, 3 runs"


@given(st.lists(st.lists(st.sampled_from(["ok", "bad", "on"]), max_size=6), min_size=1, max_size=5), st.randoms())
def test_every_row_with_a_past_is_counted_once_in_any_order(states: list[list[str]], chance: random.Random) -> None:
    pasts = [{f"i-{n}": one[depth] for n, one in enumerate(states) if depth < len(one)} for depth in range(6)]
    runs = [run(20 - depth, some) for depth, some in enumerate(pasts)]
    before = {(RUN, one): past for one, past in befores(runs, complete=True).items()}
    rows = rows_of(*(f"i-{n}" for n in range(len(states))))
    told = seen(rows, before) or Seen()
    assert told.again + told.relapsed + told.first == len(before)
    chance.shuffle(rows)
    assert (seen(rows, before) or Seen()) == told
