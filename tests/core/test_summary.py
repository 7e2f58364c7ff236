"""What really happened, decided."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model import Instance
from bot.core.summary import Bucket, Summary, bucket_of, reason_keys, summarise, summarise_results
from core.samples import REGION, RUN, failed, invocation, never_ran, results_of, row, running, succeeded, summary_of


@pytest.mark.parametrize(
    ("status", "code", "bucket"),
    [
        ("Success", "", Bucket.SUCCEEDED),
        ("Success", "InstanceNotExists", Bucket.SUCCEEDED),  # the vendor's own sample holds such a pair
        ("Failed", "ExitCodeNonzero", Bucket.FAILED),
        ("Error", "", Bucket.FAILED),
        ("Terminated", "", Bucket.FAILED),
        ("Timeout", "ExecutionTimeout", Bucket.TIMED_OUT),
        ("Timeout", "DeliveryTimeout", Bucket.NEVER_RAN),
        ("Failed", "ClientNotOnline", Bucket.NEVER_RAN),
        ("Failed", "ClientNotResponse", Bucket.FAILED),
        ("Error", "InstanceRestarted", Bucket.FAILED),
        ("Aborted", "", Bucket.NEVER_RAN),
        ("Invalid", "", Bucket.NEVER_RAN),
        ("Cancelled", "ClientNotResponse", Bucket.NEVER_RAN),
        ("Pending", "ClientNotOnline", Bucket.GOING),
        ("Running", "", Bucket.GOING),
        ("Stopping", "", Bucket.GOING),
        ("Scheduled", "", Bucket.GOING),
        ("Finished", "", Bucket.UNKNOWN),
        ("success", "", Bucket.UNKNOWN),
        ("", "ClientNotOnline", Bucket.UNKNOWN),
    ],
)
def test_bucket(status: str, code: str, bucket: Bucket) -> None:
    assert bucket_of(status, code) is bucket


def counted(summary: Summary) -> dict[str, int]:
    return {bucket.value: count for bucket, count in summary.counts.items() if count}


def grouped(summary: Summary) -> list[tuple[str, int | None, int]]:
    return [(group.bucket.value, group.exit_code, group.count) for group in summary.groups]


def test_failures_first_then_larger_groups() -> None:
    rows = [succeeded("i-1", "ok"), failed("i-2", code=7), failed("i-3"), failed("i-4"), never_ran("i-5"),
            row("i-6", "Timeout"), running("i-7"), row("i-8", "Odd")]  # fmt: skip
    summary = summary_of(rows)
    assert grouped(summary) == [
        ("failed", 1, 2), ("failed", 7, 1), ("timed out", None, 1), ("never ran", None, 1), ("unknown state", None, 1),
        ("still going", None, 1), ("exit code 0", 0, 1),
    ]  # fmt: skip
    assert (summary.total, summary.count(Bucket.FAILED, Bucket.GOING)) == (8, 4)
    assert [group.exit_code for group in summary.of(Bucket.FAILED)] == [1, 7]


@pytest.mark.parametrize(
    ("rows", "groups"),
    [
        ([failed("i-1", "x"), failed("i-2", "x \n")], 1),
        ([failed("i-1", "x"), failed("i-2", "y")], 2),
        ([failed("i-1"), failed("i-2", code=2)], 2),
        ([failed("i-1"), row("i-2", "Failed")], 2),  # a missing exit code is not 1, and not 0 either
        ([succeeded("i-1"), row("i-2", "Success")], 2),
        ([never_ran("i-1"), never_ran("i-2", "InstanceNotRunning")], 2),
        ([row("i-1", "Failed"), row("i-2", "Error")], 2),
        ([row("i-1", "Failed"), row("i-2", "Terminated")], 2),
        ([row("i-1", "Odd"), row("i-2", "Queer")], 2),
    ],
)
def test_grouping(rows: list[dict[str, Any]], groups: int) -> None:
    assert len(summary_of(rows).groups) == groups


def test_where_a_result_is_missing_the_instances_own_row_speaks() -> None:
    targets = [succeeded("i-1"), running("i-2")]
    summary = summarise([invocation(targets)], results_of(targets[:1]), {})
    assert counted(summary) == {"exit code 0": 1, "still going": 1}
    assert summary.ended is None


def test_results_that_no_target_lists_count_too_and_others_runs_do_not() -> None:
    rows = [succeeded("i-1"), succeeded("i-2"), succeeded("i-3", InvokeId="t-other1")]
    assert summarise([invocation(rows[:1])], results_of(rows), {}).total == 2


def test_instances_without_an_id_are_not_merged() -> None:
    rows = [failed(""), failed(""), succeeded("")]
    assert counted(summarise([invocation()], results_of(rows), {})) == {"failed": 2, "exit code 0": 1}
    assert counted(summary_of([failed(""), running("")])) == {"failed": 1, "still going": 1}


def test_several_invocations_are_one_answer() -> None:
    other = [failed("i-1", InvokeId="t-other1"), succeeded("i-9", InvokeId="t-other1")]
    runs = [invocation([succeeded("i-1")]), invocation(other, InvokeId="t-other1", Username="app")]
    summary = summarise(runs, results_of([succeeded("i-1"), *other]), {})
    assert counted(summary) == {"failed": 1, "exit code 0": 2}
    assert summary.users == ("app", "root")


def test_times_and_names() -> None:
    rows = [failed("i-1", StartTime="2026-11-24T21:00:30Z"), failed("i-2"), failed("i-3")]
    summary = summary_of(rows, {"i-1": "web-01", "i-2": "db", "i-3": "db"})
    assert summary.began == datetime(2026, 11, 24, 21, 0, 30, tzinfo=UTC)
    assert summary.ended == datetime(2026, 11, 24, 21, 2, tzinfo=UTC)
    assert [one.name for one in summary.groups[0].rows] == ["db (i-2)", "db (i-3)", "web-01"]
    assert summary.groups[0].rows[0].command_name == "deploy-web"
    assert summary_of([never_ran("i-1")]).began == datetime(2026, 11, 24, 21, 0, 58, tzinfo=UTC)


def test_each_result_on_an_instance_is_a_run_of_its_own() -> None:
    rows = [failed("i-1"), failed("i-1", InvokeId="t-other1"), succeeded("i-1", InvokeId="t-other2")]
    summary = summarise_results(results_of(rows), [invocation()], {"i-1": Instance("i-1", "r", "web-01")})
    assert counted(summary) == {"failed": 2, "exit code 0": 1}
    assert [one.command_name for one in summary.groups[0].rows] == ["deploy-web", ""]


def test_an_empty_run() -> None:
    summary = summarise([invocation(CreationTime=None)], [], {})
    assert (summary.total, summary.groups, summary.began, summary.ended) == (0, (), None, None)


# Schedules


def history(*ends: str, **fields: Any) -> list[dict[str, Any]]:
    """Runs of a schedule on one instance, oldest first: `f` failed, `s` exit code 0, `r` running, `t` timed out."""
    kinds: dict[str, dict[str, Any]] = {
        "f": {"ExitCode": 1, "ErrorCode": "ExitCodeNonzero"},
        "s": {"ExitCode": 0},
        "r": {"FinishedTime": ""},
        "t": {"ErrorCode": "ExecutionTimeout"},
        "n": {"ErrorCode": "ClientNotOnline"},
        "?": {},
    }
    return [
        {
            **row("i-1", "Scheduled", StartTime=f"2026-11-24T{n:02}:00:00Z", Repeats=n),
            **kinds[end],
            **fields,
        }
        for n, end in enumerate("".join(ends), 1)
    ]


def scheduled(rows: Sequence[dict[str, Any]], status: str = "Scheduled", mode: str = "Period") -> Summary:
    run = invocation([], RepeatMode=mode, Frequency="rate(1h)", InvocationStatus=status)
    return summarise([run], results_of(rows), {})


@pytest.mark.parametrize(
    ("ends", "bucket", "failed_in_a_row", "since"),
    [
        ("ssff", "failed", 2, 3),
        ("ssffr", "failed", 2, 3),  # the last finished run speaks
        ("ffs", "exit code 0", 0, None),
        ("fff", "failed", 3, 1),
        ("ft", "timed out", 2, 1),
        ("sn", "never ran", 1, 2),
        ("sf?", "unknown state", 1, 2),
        ("r", "still going", 0, None),
    ],
)
def test_the_last_finished_run_of_a_schedule_speaks(
    ends: str, bucket: str, failed_in_a_row: int, since: int | None
) -> None:
    summary = scheduled(history(ends))
    (schedule,) = summary.schedules
    assert counted(summary) == {bucket: 1}
    assert schedule.active
    assert schedule.streak.failed == failed_in_a_row
    assert schedule.streak.since == (since and datetime(2026, 11, 24, since, tzinfo=UTC))
    assert not schedule.streak.at_least


def test_a_streak_whose_beginning_was_not_read_is_at_least_that_long() -> None:
    (schedule,) = scheduled(history("ssff")[2:]).schedules
    assert (schedule.streak.failed, schedule.streak.at_least) == (2, True)


def test_a_schedule_that_has_ended_says_so() -> None:
    (schedule,) = scheduled(history("s", InvocationStatus="Success"), status="Success", mode="EveryReboot").schedules
    assert not schedule.active


def test_a_streak_without_start_times_counts_from_the_end_of_its_first_run() -> None:
    (schedule,) = scheduled(history("f", StartTime="")).schedules
    assert schedule.streak.since == datetime(2026, 11, 24, 21, 2, tzinfo=UTC)


def test_a_schedule_without_runs() -> None:
    summary = scheduled([])
    assert (summary.total, summary.schedules[0].streak.failed) == (0, 0)


STATUSES = [
    "Success", "Failed", "Error", "Terminated", "Timeout", "Aborted", "Invalid", "Cancelled", "Pending", "Running",
    "Stopping", "Scheduled", "Odd", "", None, 7,
]  # fmt: skip
ROW = st.fixed_dictionaries(
    {},
    optional={
        "InvokeId": st.sampled_from([RUN, "t-other1", None]),
        "InstanceId": st.sampled_from(["i-1", "i-2", "i-3", "", None, 4]),
        "InvocationStatus": st.sampled_from(STATUSES),
        "ErrorCode": st.sampled_from(["", "ClientNotOnline", "ExecutionTimeout", "Odd", None]),
        "ExitCode": st.sampled_from([0, 1, "2", None]),
        "Output": st.sampled_from(["b2s=", "", None]),
        "Repeats": st.integers(0, 3),
        "StartTime": st.sampled_from(["2026-11-24T21:01:00Z", "", None]),
        "FinishedTime": st.sampled_from(["2026-11-24T21:02:00Z", "", None]),
    },
)


@given(st.lists(ROW, max_size=12), st.lists(ROW, max_size=6), st.sampled_from(["Once", "Period"]))
def test_buckets_add_up_for_any_rows(rows: list[dict[str, Any]], targets: list[dict[str, Any]], mode: str) -> None:
    runs = [invocation(targets, RepeatMode=mode), invocation([], InvokeId="t-other1")]
    results = results_of(rows)
    for summary in (summarise(runs, results, {}), summarise_results(results, runs, {})):
        assert sum(summary.counts.values()) == summary.total == sum(group.count for group in summary.groups)
    assert summary.total == len(rows)


@pytest.mark.parametrize(
    ("command_type", "os_type", "keys"),
    [
        ("RunShellScript", "", {"reboot"}),
        ("RunPowerShellScript", "", set()),
        ("RunPowerShellScript", "Linux", {"reboot"}),
        ("", "windows", set()),
        ("", "", set()),
    ],
)
def test_the_system_is_the_instances_else_that_of_the_command(command_type: str, os_type: str, keys: set[str]) -> None:
    rows = [failed("i-1", code=194)]
    known = {"i-1": Instance("i-1", REGION, os_type=os_type)} if os_type else {}
    (group,) = summarise([invocation(rows, CommandType=command_type)], results_of(rows), known).groups
    assert reason_keys(group) == keys
    (alone,) = summarise_results(results_of([succeeded("i-1")]), [], {}).groups
    assert reason_keys(alone) == frozenset()


@pytest.mark.parametrize("field", ["Parameters", "CommandContent"])
def test_a_secret_of_the_parameters_or_the_command_is_masked_where_an_output_repeats_it(field: str) -> None:
    text = '{"db_password": "zebra1!z"}' if field == "Parameters" else "mysql -uroot -pzebra1!z app"
    rows = [failed("i-1", "cannot log in with zebra1!z")]
    value = text if field == "Parameters" else base64.b64encode(text.encode()).decode()
    summary = summary_of(rows, **{field: value})
    assert summary.masked.read(summary.groups[0].output.text) == ("cannot log in with [masked]", 1)


def test_numbers_of_people_are_masked_or_not() -> None:
    rows = results_of([failed("i-1", "mobile: 13812345678")])
    shown = [summarise([invocation()], rows, {}, personal=personal) for personal in (True, False)]
    assert [one.masked.read("mobile: 13812345678")[1] for one in shown] == [1, 0]


def test_of_instances_that_share_a_name_the_account_tells_which_and_else_the_id() -> None:
    places = {"i-1": "own/cn-hangzhou", "i-2": "prod/cn-hangzhou", "i-3": "prod/cn-beijing", "i-4": "own/cn-hangzhou"}
    runs, rows = [], []
    for number, (one, place) in enumerate(places.items()):
        mine = [failed(one, InvokeId=f"t-hz0run{number:04}")]
        runs.append(invocation(mine, place, InvokeId=f"t-hz0run{number:04}"))
        rows += results_of(mine, place)
    instances = {one: Instance(one, place, "web" if one != "i-4" else "db") for one, place in places.items()}
    summary = summarise(runs, rows, instances)
    assert {row.name for row in summary.rows} == {"web (own)", "web (i-2)", "web (i-3)", "db"}
