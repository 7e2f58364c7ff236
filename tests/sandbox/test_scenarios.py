"""The scenario files, and the notation they are written in."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from sandbox import scenario
from sandbox.clock import Clock
from sandbox.cloud_query import Query
from sandbox.cloud_replies import View, describe_invocation_results, describe_invocations
from sandbox.cloud_timeline import GOING_ON, Stage, aggregate, current
from sandbox.scenario_notation import duration, instance_id, moment, names, output_bytes
from sandbox.scenario_values import Scenario

ALL = scenario.load_all()
START = datetime(2026, 11, 24, 21, 0, tzinfo=UTC)
# name: (what the end states of all targets add up to)
ENDS = {
    "agent_offline": {"Success": 4, "Failed": 3, "Aborted": 1},
    "all_fine": {"Success": 60},
    "dropped_output": {"Success": 1, "Failed": 1},
    "expired": {},
    "hostile": {"Failed": 7, "<!channel>": 1},
    "mixed_120": {"Success": 114, "Failed": 3, "Timeout": 1, "Aborted": 2},
    "no_pattern": {"Success": 21, "Failed": 9},
    "one_zone": {"Success": 109, "Failed": 13},
    "running_fleet": {"Success": 95, "Failed": 5},
    "schedule": {"Scheduled": 2},
    "seven_of_240": {"Success": 231, "Failed": 7, "Aborted": 2},
    "stopped": {"Success": 1, "Terminated": 2, "Cancelled": 1},
    "time_out": {"Success": 7, "Timeout": 3},
    "windows_gbk": {"Success": 3, "Failed": 1},
}


def by_name(name: str) -> Scenario:
    return next(one for one in ALL if one.name == name)


def states(of: Scenario, minutes: float) -> Counter[str]:
    stage = Stage(START, START + timedelta(minutes=minutes))
    return Counter(current(run, target, stage)[1] for run in of.invocations for target in run.targets)


def outputs(of: Scenario, status: str) -> Counter[bytes]:
    rows = (target.repeats[-1] for run in of.invocations for target in run.targets)
    return Counter(row.output for row in rows if row.fields["InvocationStatus"] == status)


def test_every_file_is_a_scenario_a_person_can_find() -> None:
    assert [one.name for one in ALL] == sorted(ENDS)
    for one in ALL:
        assert one.title
        assert one.about.endswith(".")
        assert one.regions
        assert all(word.startswith("t-") for word in one.ask.split())


@pytest.mark.parametrize("name", ENDS)
def test_the_rows_of_a_scenario_add_up_to_its_targets(name: str) -> None:
    assert states(by_name(name), 11) == ENDS[name]


@pytest.mark.parametrize("name", sorted(set(ENDS) - {"expired", "one_zone"}))
def test_what_to_type_names_the_runs_of_the_scenario(name: str) -> None:
    assert by_name(name).ask.split() == [run.id for run in by_name(name).invocations]


def test_one_zone_has_earlier_runs_and_all_that_fail_now_are_in_it() -> None:
    told = by_name("one_zone")
    assert told.ask == told.invocations[0].id
    zones = {one.id: one.fields["ZoneId"] for one in told.instances}
    now = [row for row in told.invocations[0].targets if row.repeats[-1].fields["InvocationStatus"] == "Failed"]
    assert {zones[row.instance] for row in now} == {"cn-shanghai-g"}
    assert len({zones[row.instance] for row in told.invocations[0].targets}) == 3


def test_ids_of_runs_are_unique_and_no_run_has_more_than_100_targets_but_one() -> None:
    runs = [run for one in ALL for run in one.invocations]
    assert len({run.id for run in runs}) == len(runs)
    assert [run.id for run in runs if len(run.targets) > 100] == ["t-hz0m9x3bw7ft5d"]


def test_an_id_stands_for_the_same_instance_in_all_scenarios() -> None:
    seen: dict[str, str] = {}
    for instance in (one for each in ALL for one in each.instances):
        row = json.dumps([instance.region, instance.fields])
        assert seen.setdefault(instance.id, row) == row


def test_private_addresses_are_unique_in_a_region() -> None:
    instances = {one.id: one for each in ALL for one in each.instances}.values()
    addresses = [(one.region, *one.fields["VpcAttributes"]["PrivateIpAddress"]["IpAddress"]) for one in instances]
    assert len(set(addresses)) == len(addresses)


def test_seven_of_240_fail_as_in_the_example() -> None:
    failed = outputs(by_name("seven_of_240"), "Failed")
    assert sorted(failed.values()) == [2, 5]
    assert any(text.endswith(b"tar: /var/www/app: No space left on device") for text in failed)
    assert outputs(by_name("seven_of_240"), "Success") == {b"release 4.12.0 active": 231}


def test_the_running_fleet_moves_on_for_ten_minutes() -> None:
    fleet = by_name("running_fleet")
    assert states(fleet, 0) == {"Pending": 100}
    early, late = states(fleet, 2), states(fleet, 6)
    assert early["Running"] > 5
    assert early["Pending"] > late["Pending"]
    assert (early["Failed"], late["Failed"]) == (1, 3)
    assert not any(state in GOING_ON for state in states(fleet, 9.5))


def test_the_schedule_failed_72_times_in_a_row() -> None:
    fine, failed = by_name("schedule").invocations[0].targets
    assert [repeat.fields["ExitCode"] for repeat in failed.repeats] == [0] * 28 + [2] * 72
    assert {repeat.fields["ExitCode"] for repeat in fine.repeats} == {0}


def test_outputs_that_are_not_plain_text() -> None:
    gbk = next(iter(outputs(by_name("windows_gbk"), "Failed")))
    assert "无法启动服务" in gbk.decode("gbk")
    with pytest.raises(UnicodeDecodeError):
        gbk.decode()
    cut = next(iter(outputs(by_name("dropped_output"), "Failed")))
    assert 23.9 * 1024 < len(cut) <= 24 * 1024
    hostile = b"".join(outputs(by_name("hostile"), "Failed"))
    assert all(part in hostile for part in (b"<!channel>", b"<@U0EVIL>", b"```", b"\0", b"\x1b[31m", b"\xed\xa0"))


def test_names_and_ids() -> None:
    assert names("web-[01-03,07].example") == [f"web-{n}.example" for n in ("01", "02", "03", "07")]
    assert names("<https://evil.example|click>") == ["<https://evil.example|click>"]
    assert instance_id("cn-hangzhou", "web-01") == instance_id("cn-hangzhou", "web-01")
    assert instance_id("cn-hangzhou", "web-01")[:5] == "i-bp1"
    assert len(instance_id("eu-west-1", "web-01")) == 22


def test_times() -> None:
    assert duration("-1h30m") == timedelta(minutes=-90)
    assert moment("") is None
    assert moment("2026-11-24T21:00:00Z") == START
    with pytest.raises(ValueError, match="not a time: 'soon'"):
        moment("soon")


def test_outputs() -> None:
    assert output_bytes(["a", "b"]) == b"a\nb"
    assert output_bytes({"base64": "/w==", "repeat": 2}) == b"\xff\xff"
    assert output_bytes({"lines": ["中", ""], "encoding": "gbk"}) == b"\xd6\xd0\n"


def test_the_clock_goes_ahead_of_real_time() -> None:
    clock = Clock()
    clock.advance(3600)
    ahead = (clock.now() - datetime.now(UTC)).total_seconds()
    assert math.isclose(ahead, 3600, abs_tol=5)


def small(**changes: object) -> dict[str, object]:
    """The example of the module's docstring, with some of its parts changed."""
    run = {
        "RegionId": "cn-hangzhou",
        "InvokeId": "t-hz0example01",
        "CommandId": "c-hz0example01",
        "CreationTime": "-5m",
        "targets": ["web-[01-03]"],
        "InvocationResult": [
            {"instances": "web-02", "StartTime": "-4m", "FinishedTime": "-3m", "ExitCode": 1},
            {"StartTime": "-4m", "FinishedTime": "-10s", "ExitCode": 0},
        ],
    }
    run |= {name: value for name, value in changes.items() if name in (*run, "until", "Tags")}
    rest = {name: value for name, value in changes.items() if name not in run}
    instances = [{"RegionId": "cn-hangzhou", "InstanceName": "web-[01-03]"}]
    data = {"title": "T", "about": "A.", "ask": "t-hz0example01", "regions": ["cn-hangzhou"]}
    return {**data, "Instance": instances, "Invocation": [run], **rest}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"regions": ["cn-beijing"]}, "regions without cn-hangzhou"),
        ({"Invocation": [{"RegionId": "cn-hangzhou"}]}, "'targets' is missing"),
        ({"CreationTime": ""}, "has no CreationTime"),
        ({"targets": ["web-[01-02]", "db-01"]}, "no instance 'db-01'"),
        ({"targets": ["web-01"]}, "not among the targets"),
        ({"InvocationResult": [{"instances": "web-01"}]}, "has no result for i-"),
        ({"InvocationResult": [{}, {}]}, "two results for one instance"),
        ({"InvocationResult": [{"outptu": ""}]}, "InvocationResult has no outptu; short forms: ends, every"),
        ({"Instance": [{"RegionId": "cn-hangzhou", "InstanceName": "a"}] * 2}, "the same instance twice"),
    ],
)
def test_a_mistake_in_a_file_is_named(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=f"^scenario small: .*{complaint}"):
        scenario.build("small", small(**changes))


def test_the_example_of_the_docstring_is_a_scenario() -> None:
    text = (scenario.__doc__ or "").split("\n\n")[2]
    # Notes stand after the comma of a line.
    example = re.sub(r", {2,}[a-z].*$", ",", text, flags=re.MULTILINE)
    built = scenario.build("example", json.loads(example))
    assert states(built, 0) == {"Failed": 1, "Success": 2}


@pytest.mark.parametrize(
    ("of", "whole"),
    [
        (["Success", "Pending", "Failed"], "Pending"),
        (["Success", "Scheduled", "Running"], "Scheduled"),
        (["Success", "Running", "Stopping"], "Running"),
        (["Success", "Stopping"], "Stopping"),
        (["Success", "Terminated", "Cancelled"], "Success"),
        (["Invalid", "Aborted", "Timeout", "Error", "Terminated"], "Failed"),
        (["Cancelled", "Terminated"], "Stopped"),
        (["Success", "Aborted"], "PartialFailed"),
        (["Hibernated"], "Failed"),
    ],
)
def test_the_state_of_a_whole_run(of: list[str], whole: str) -> None:
    assert aggregate(of) == whole


def view(of: Scenario, now: datetime) -> View:
    stage = Stage(START, now)
    return View("cn-hangzhou", [(run, stage) for run in of.invocations], [], [], True, [])


def results(of: Scenario, minutes: float, **params: str) -> list[dict[str, object]]:
    asked = Query("DescribeInvocationResults", {"MaxResults": "50", **params})
    body = describe_invocation_results(view(of, START + timedelta(minutes=minutes)), asked)
    return list(body["Invocation"]["InvocationResults"]["InvocationResult"])


def scheduled(**changes: object) -> Scenario:
    row = {"StartTime": "+1m", "FinishedTime": "+2m", "every": "5m", "ExitCode": 3, "Output": "no"}
    data = small(targets=["web-01"], InvocationResult=[row], **changes)
    data["Invocation"][0]["RepeatMode"] = "Period"  # type: ignore[index]
    return scenario.build("scheduled", data)


def test_a_schedule_waits_runs_waits_and_runs_again() -> None:
    seen = [
        (row["InvocationStatus"], row["Repeats"], row.get("ExitCode"), row["InvokeRecordStatus"])
        for minute in (0, 1.5, 3, 6.5, 8)
        for row in results(scheduled(), minute)
    ]
    assert seen == [
        ("Scheduled", 0, None, "Running"),
        ("Running", 1, None, "Running"),
        ("Scheduled", 1, 3, "Running"),
        ("Running", 2, None, "Running"),
        ("Scheduled", 2, 3, "Running"),
    ]


def test_a_schedule_that_is_over_shows_how_its_last_run_ended() -> None:
    row = results(scheduled(until="+8m"), 60)[0]
    assert (row["InvocationStatus"], row["Repeats"], row["InvokeRecordStatus"]) == ("Failed", 2, "Stopped")


def test_each_run_of_a_schedule_is_a_row_of_its_history() -> None:
    rows = results(scheduled(), 11.5, InvokeId="t-hz0example01", IncludeHistory="true")
    assert [(row["Repeats"], row["InvocationStatus"]) for row in rows] == [(3, "Running"), (2, "Failed"), (1, "Failed")]
    assert [row["StartTime"] for row in rows] == [f"2026-11-24T21:{minute}:00Z" for minute in ("11", "06", "01")]


def test_a_schedule_that_never_begins_goes_on_waiting() -> None:
    row = {"every": "5m", "InvocationStatus": "Invalid"}
    data = small(targets=["web-01"], InvocationResult=[row])
    assert results(scenario.build("small", data), 60)[0]["InvocationStatus"] == "Scheduled"


def test_a_run_that_is_stopped_is_stopping_until_it_ends() -> None:
    row = {
        "StartTime": "+1m",
        "StopTime": "+2m",
        "FinishedTime": "+3m",
        "InvocationStatus": "Terminated",
        "partial": "half",
        "Output": "half a file",
    }
    of = scenario.build("small", small(targets=["web-01"], InvocationResult=[row]))
    shown = [results(of, minute)[0] for minute in (0, 1, 2, 3)]
    assert [one["InvocationStatus"] for one in shown] == ["Pending", "Running", "Stopping", "Terminated"]
    assert [one["Output"] for one in shown] == ["", "aGFsZg==", "aGFsZg==", "aGFsZiBhIGZpbGU="]
    assert [one["InvokeRecordStatus"] for one in shown] == ["Running", "Running", "Stopping", "Stopped"]


def test_a_state_without_an_end_stays() -> None:
    row = {"StartTime": "+1m", "InvocationStatus": "Running"}
    of = scenario.build("small", small(targets=["web-01"], InvocationResult=[row]))
    assert results(of, 6000)[0]["InvocationStatus"] == "Running"


def test_an_instance_without_a_result_stands_in_the_invocation_only() -> None:
    of = by_name("agent_offline")
    assert len(results(of, 0)) == 7
    body = describe_invocations(view(of, START), Query("DescribeInvocations", {}))
    rows = body["Invocations"]["Invocation"][0]["InvokeInstances"]["InvokeInstance"]
    assert [row["ErrorCode"] for row in rows if row["InvocationStatus"] == "Aborted"] == ["InstanceNotRunning"]
    assert len(rows) == 8
