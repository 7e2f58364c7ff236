"""How counts, reasons, durations and groups are said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.core import wording
from bot.core.output import Output
from bot.core.summary import Schedule, Streak
from core.samples import failed, invocation, never_ran, row, running, succeeded, summary_of

MOMENT = datetime(2026, 11, 24, 19, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-5, "0 s"), (0.4, "0 s"), (59.4, "59 s"), (60, "1 min"), (200, "3 min"), (3_569, "59 min"), (3_600, "1 h"),
        (3_900, "1 h 5 min"), (86_399, "23 h 59 min"), (86_400, "1 d"), (100_000, "1 d 3 h"),
    ],
)  # fmt: skip
def test_duration(seconds: float, told: str) -> None:
    assert wording.duration(seconds) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("web-01", "web-01"),
        (" a\nb\x00 ", "a b"),
        ("x" * 70, "x" * 59 + "…"),
        ("password=hunter2", "password=[masked]"),
    ],
)
def test_name(text: str, told: str) -> None:
    assert wording.name(text) == told


def test_numbers_of_things() -> None:
    assert (wording.runs(1), wording.runs(1_200)) == ("1 run", "1,200 runs")


def test_clock_time_names_its_zone() -> None:
    assert wording.clock_time(MOMENT, timezone(timedelta(hours=8), "CST")) == "2026-11-25 03:12 CST"


ROWS = {
    "failed": failed("i-f"),
    "timed out": row("i-t", "Timeout", ErrorCode="ExecutionTimeout"),
    "never ran": never_ran("i-n"),
    "unknown": row("i-u", "Exploded"),
    "going": running("i-g"),
    "scheduled": row("i-s", "Scheduled", FinishedTime="", StartTime=""),
    "succeeded": succeeded("i-ok"),
    "success without code": row("i-ok2", "Success"),
}


@pytest.mark.parametrize(
    ("kinds", "noun", "counts", "others"),
    [
        ([], "", "No results yet", []),
        (["failed"], "", "1 of 1 failed", []),
        (["failed"], "run", "1 run failed", []),
        (["succeeded"], "run", "1 run with exit code 0", []),
        (["going"], "run", "0 of 1 run done, 1 still going", []),
        (["failed", "succeeded"], "run", "1 of 2 runs failed", ["1 exit code 0", "0 timed out", "0 still going"]),
        (
            ["failed", "timed out", "never ran", "unknown", "going", "succeeded"],
            "",
            "1 of 6 failed, 1 timed out, 1 never ran, 1 in an unknown state, 1 still going",
            ["1 exit code 0"],
        ),
        (["going", "succeeded"], "", "1 of 2 done, 1 still going", ["0 failed", "1 exit code 0", "0 timed out"]),
        (["scheduled", "scheduled"], "", "0 of 1 done, 1 scheduled", []),
        (
            ["succeeded", "success without code"],
            "",
            "2 of 2 reported Success",
            ["0 failed", "0 timed out", "0 still going"],
        ),
    ],
)
def test_counts(kinds: list[str], noun: str, counts: str, others: list[str]) -> None:
    summary = summary_of([ROWS[kind] for kind in kinds])
    assert wording.counts(summary, of_runs=bool(noun)) == counts
    assert wording.other_counts(summary) == others


@pytest.mark.parametrize(
    ("fields", "title", "cause"),
    [
        (failed("i-1", code=7), "1 failed, exit code 7", "exit code 7"),
        (failed("i-1", "tar: /x: No space left on device"), "1 failed: no space left, exit code 1", "no space left"),
        (row("i-1", "Failed"), "1 failed: no exit code reported", "no exit code"),
        (row("i-1", "Error"), "1 failed: exception while running", "exception while running"),
        (row("i-1", "Terminated"), "1 failed (stopped)", "stopped"),
        (row("i-1", "Terminated", ExitCode=9), "1 failed (stopped), exit code 9", "stopped"),
        (row("i-1", "Failed", ErrorCode="ClientNotResponse", ExitCode=3),
         "1 failed: agent did not answer (ClientNotResponse), exit code 3", "agent did not answer"),
        (row("i-1", "Failed", ErrorCode="BrandNew"),
         "1 failed: BrandNew, a code that I do not know", "BrandNew, a code that I do not know"),
        (row("i-1", "Timeout"), "1 timed out", "ran past its time limit"),
        (row("i-1", "Timeout", ErrorCode="ExecutionTimeout", ExitCode=143),
         "1 timed out (ExecutionTimeout), exit code 143", "ran past its time limit"),
        (row("i-1", "Timeout", ErrorCode="DeliveryTimeout"),
         "1 never ran: the command never reached the agent (DeliveryTimeout)", "the command never reached the agent"),
        (row("i-1", "Cancelled"), "1 never ran: cancelled before it started", "cancelled before it started"),
        (never_ran("i-1"), "1 never ran: agent not online (ClientNotOnline)", "agent not online"),
        (row("i-1", "Odd", ErrorCode="X"), "1 in a state unknown to me: “Odd”, X", "X, a code that I do not know"),
        (row("i-1", None), "1 in a state unknown to me: “none given”", "no exit code"),
        (running("i-1"), "1 running", "no exit code"),
        (succeeded("i-1"), "1 exit code 0", "exit code 0"),
        (row("i-1", "Success"), "1 reported Success, no exit code", "no exit code"),
        (row("i-1", "Success", ExitCode=3), "1 exit code 3", "exit code 3"),
    ],
)  # fmt: skip
def test_group(fields: dict[str, object], title: str, cause: str) -> None:
    (group,) = summary_of([fields]).groups
    assert wording.title(group) == title
    assert wording.cause(group, group.output.text) == cause


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("x\ntar: /x: No space left on device.", "No space left on device"),
        ("curl: (7) Failed to connect to registry port 443", "(7) Failed to connect to registry port 443"),
        ("done", ""),
        ("failure", ""),
        ("1 2 3 4 5 6 7", ""),
        ("a very long last line that nobody would want to read on a phone at night", ""),
        ("", ""),
    ],
)
def test_complaint(output: str, said: str) -> None:
    assert wording.complaint(output) == said


def test_equal_reasons_are_counted_together_and_time_outs_are_not_repeated() -> None:
    summary = summary_of([never_ran("i-1"), never_ran("i-2", ExitCode=1), ROWS["timed out"], failed("i-3", code=7)])
    groups = [(group, group.output.text) for group in summary.groups]
    assert wording.why(groups) == ["exit code 7 on 1", "agent not online on 2"]


def test_what_and_where() -> None:
    named, nameless = invocation(), invocation(CommandName="")
    assert wording.what([named, named]) == "deploy-web"
    assert wording.what([nameless]) == "c-hz0jdfwcsr"
    assert wording.what([named, nameless]) == "2 commands"
    assert wording.where(["b", "b"]) == "b"
    assert wording.where(["b", "a"]) == "2 regions"
    assert wording.where(["prod/a"]) == "prod/a"
    assert wording.where(["prod/b", "prod/a"]) == "prod, 2 regions"
    assert wording.where(["prod/a", "own/a"]) == "own, prod, a"
    assert wording.where(["prod/a", "own/a", "stage/b"]) == "3 accounts, 2 regions"


def test_members_stand_in_ranges_by_region_and_are_counted_where_there_is_no_room() -> None:
    summary = summary_of([failed(f"i-{n}") for n in range(30)], {f"i-{n}": f"web-{n:02}" for n in range(30)})
    rows = summary.groups[0].rows
    assert wording.members(rows) == "web-[00-29]   cn-hangzhou"
    odd = [replace(one, name=f"{'x' * 12}{chr(97 + n)}") for n, one in enumerate(rows)]
    assert wording.members(odd, 40) == "xxxxxxxxxxxxa, xxxxxxxxxxxxb and 28 more   cn-hangzhou"
    long = [replace(rows[0], name="n" * 58)]
    assert wording.members(long, 40) == f"{'n' * 39}…   cn-hangzhou"


def test_members_of_many_regions() -> None:
    (group,) = summary_of([failed("i-1")]).groups
    rows = [replace(group.rows[0], result=replace(group.rows[0].result, region=f"r-{n}")) for n in range(7)]
    told = wording.members(rows).split("\n")
    assert told[:2] == ["i-1   r-0", "i-1   r-1"]
    assert told[5:] == ["and 2 more in 2 other regions"]


@pytest.mark.parametrize(
    ("output", "secrets", "notes"),
    [
        (Output("x"), 0, []),
        (Output("x", dropped=1), 0, ["1 byte is missing from this output; Cloud Assistant does not say where"]),
        (Output("x", "gb18030", 1_200), 1, [
            "1,200 bytes are missing from this output; Cloud Assistant does not say where", "read as GB18030",
            "1 secret masked"]),
        (Output("x", "unreadable"), 2, [
            "some bytes are neither UTF-8 nor GB18030 and are shown as \ufffd", "2 secrets masked"]),
    ],
)  # fmt: skip
def test_output_notes(output: Output, secrets: int, notes: list[str]) -> None:
    assert wording.output_notes(output, secrets) == notes


def test_oss_addresses_are_whole_and_each_named_once() -> None:
    long = f"oss://logs/{'x' * 1_000}.txt"
    rows = [failed("i-1", OssOutputUri=long), failed("i-2", OssOutputUri=long), failed("i-3", OssOutputUri="oss://b/o")]
    told = wording.oss_addresses(summary_of([*rows, failed("i-4")]).groups[0].rows)
    assert told == [(long, "i-1"), ("oss://b/o", "i-3")]


def test_what_is_not_in_oss_is_said() -> None:
    rows = [failed(f"i-{n}", OssOutputStatus=state) for n, state in enumerate(["InProgress", "Failed", "Failed", ""])]
    told = wording.oss_notes(summary_of(rows).groups[0].rows)
    assert told == ["1 output still on its way to OSS", "2 outputs not delivered to OSS: the delivery failed"]
    there = failed("i-1", OssOutputStatus="Finished", OssOutputUri="oss://b/o")
    assert wording.oss_notes(summary_of([there]).groups[0].rows) == []


@pytest.mark.parametrize(
    ("mode", "frequency", "told"),
    [
        ("Period", "rate(5m)", "every 5 min"),
        ("Period", " rate(2d) ", "every 2 d"),
        ("Period", "0 30 2 * * ?", "cron 0 30 2 * * ?"),
        ("Period", "", "no frequency given"),
        ("EveryReboot", "", "at every reboot"),
    ],
)
def test_frequency(mode: str, frequency: str, told: str) -> None:
    assert wording.frequency(invocation(RepeatMode=mode, Frequency=frequency)) == told


@pytest.mark.parametrize(
    ("active", "streak", "told", "since"),
    [
        (True, Streak(), "schedule active, every 5 min", None),
        (False, Streak(1, MOMENT), "schedule ended, every 5 min, last run failed", None),
        (True, Streak(72, MOMENT), "schedule active, every 5 min, failed 72 times in a row", MOMENT),
        (
            True,
            Streak(50, MOMENT, at_least=True),
            "schedule active, every 5 min, failed at least 50 times in a row",
            MOMENT,
        ),
    ],
)
def test_schedule(active: bool, streak: Streak, told: str, since: datetime | None) -> None:
    schedule = Schedule(invocation(RepeatMode="Period", Frequency="rate(5m)"), active, streak)
    assert wording.schedule(schedule) == (told, since)


@pytest.mark.parametrize(
    ("timeout", "ends"),
    [(60, datetime(2026, 11, 24, 21, 2, tzinfo=UTC)), (None, None), (0, None), (-(10**18), None), (10**18, None)],
)
def test_time_limit(timeout: int | None, ends: datetime | None) -> None:
    summary = summary_of([running("i-1"), running("i-2", StartTime="")], Timeout=timeout)
    rows = [one for group in summary.groups for one in group.rows]
    assert wording.time_limit_ends(rows, summary.invocations) == ends
