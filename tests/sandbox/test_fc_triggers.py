"""Events and timers of the sandbox: what the cloud tells when its clock moves, and how it reaches the function."""

import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from bot.core.events import InstanceEvent, TaskCompleted, Tick, read
from sandbox.cloud import Cloud
from sandbox.cloud_events import Completions
from sandbox.fc import FunctionCompute
from sandbox.fc_triggers import TIMERS, Triggers
from sandbox.scenario import build, load_all
from sandbox.stage import Stage

ECHO = Path(__file__).with_name("echo_function.py")
FLEET, SCHEDULE, ACCOUNT = "t-hz0r6d1ym9sk4v", "t-hz0s8g5cf2vj7n", "1234567890123456"


@pytest.fixture
def cloud():
    with Cloud(load_all()) as running:
        yield running


@pytest.fixture(scope="module")
def function(tmp_path_factory):
    """The stand-in for the function; nothing is delivered before `release`."""
    with FunctionCompute((sys.executable, "-S", "-E", str(ECHO)), directory=tmp_path_factory.mktemp("fc")) as peer:
        peer.hold()
        yield peer


@pytest.fixture
def sent(function):
    """What was put into the function's queue since the test began: cloud events, or timers."""
    before = len(function.tasks)

    def read_queue(mark="source"):
        payloads = [json.loads(task.payload) for task in function.tasks[before:]]
        return [payload for payload in payloads if mark in payload]

    return read_queue


def of(run, events):
    return [event for event in events if event["data"].get("invokeId") == run]


def one_instance(status, **result):
    run = {"RegionId": "cn-hangzhou", "InvokeId": "t-hz0one", "CommandId": "c-hz0one", "CommandName": "one"}
    return build(
        "one",
        {
            "title": "One",
            "about": "One.",
            "ask": "t-hz0one",
            "regions": ["cn-hangzhou"],
            "Instance": [{"RegionId": "cn-hangzhou", "InstanceName": "one", "private_ip": "10.9.0.1"}],
            "Invocation": [
                {
                    **run,
                    "CreationTime": "-5m",
                    "targets": ["one"],
                    "InvocationResult": [{"InvocationStatus": status, **result}],
                }
            ],
            "Command": [],
        },
    )


def told_by(status, **result):
    with Cloud([one_instance(status, **{"StartTime": "+1s", "FinishedTime": "+9s", **result})]) as cloud:
        completions = Completions(cloud)
        cloud.clock.advance(60)
        return completions.fresh()


# What the cloud tells


def test_what_ended_before_is_not_told(cloud):
    assert Completions(cloud).fresh() == []


def test_each_instance_is_told_of_once_when_its_run_ends(cloud):
    completions = Completions(cloud)
    cloud.clock.advance(3_600)
    ends = of(FLEET, completions.fresh())
    assert Counter(end["data"]["invocationStatus"] for end in ends) == {"Success": 95, "Failed": 5}
    assert len({end["data"]["instanceId"] for end in ends}) == len({end["id"] for end in ends}) == 100
    assert [end["time"] for end in ends] == sorted(end["time"] for end in ends)
    assert of(FLEET, completions.fresh()) == []


def test_little_by_little_it_is_the_same(cloud):
    completions, ends = Completions(cloud), []
    for _ in range(30):
        cloud.clock.advance(30)
        ends += of(FLEET, completions.fresh())
    assert len({end["data"]["instanceId"] for end in ends}) == len(ends) == 100


def test_the_bot_reads_in_an_event_what_the_api_says(cloud):
    completions = Completions(cloud)
    cloud.clock.advance(110)
    end = next(one for one in of(FLEET, completions.fresh()) if one["data"]["invocationStatus"] == "Failed")
    (event,) = read(json.dumps(end).encode()).events
    assert isinstance(event, TaskCompleted)
    assert (event.account, event.region, event.invoke_id) == (ACCOUNT, "cn-hangzhou", FLEET)
    assert (event.command_id, event.command_name, event.exit_code) == ("c-hz0k3n8xw2bt7", "update-kernel", 1)
    assert event.at == event.finished


@pytest.mark.parametrize("status", ["Aborted", "Success", "Failed", "Invalid", "Timeout", "Cancelled", "Terminated"])
def test_the_documented_states_are_told_of(status):
    assert [one["data"]["invocationStatus"] for one in told_by(status)] == [status]


@pytest.mark.parametrize("status", ["Error", "SomethingNew"])
def test_others_are_not(status):
    assert told_by(status) == []


def test_a_run_that_never_began_has_no_exit_code_and_no_times():
    with Cloud([one_instance("Aborted", ErrorCode="ClientNotRunning")]) as cloud:
        completions = Completions(cloud)
        cloud.clock.advance(2)
        cloud.replay("one")
        (event,) = completions.fresh()
        assert (event["data"]["exitCode"], event["data"]["finishTime"]) == ("", "")


def test_a_scenario_that_starts_again_tells_all_anew(cloud):
    completions = Completions(cloud)
    cloud.clock.advance(3_600)
    first = of(FLEET, completions.fresh())
    cloud.replay("running_fleet")
    assert of(FLEET, completions.fresh()) == []
    cloud.clock.advance(3_600)
    second = of(FLEET, completions.fresh())
    assert len(first) == len(second) == 100
    assert not {one["id"] for one in first} & {one["id"] for one in second}


def test_the_runs_of_a_schedule_are_told_of_only_where_that_is_asked_for(cloud):
    quiet, loud = Completions(cloud), Completions(cloud, each_run=True)
    cloud.clock.advance(3_600)
    assert of(SCHEDULE, quiet.fresh()) == []
    ends = of(SCHEDULE, loud.fresh())
    assert Counter(end["data"]["exitCode"] for end in ends) == {"0": 12, "2": 12}


def test_an_event_may_leave_out_which_run_it_is_about(cloud):
    completions = Completions(cloud, invoke_id=False)
    cloud.clock.advance(3_600)
    ends = completions.fresh()
    assert [end for end in ends if "invokeId" in end["data"]] == []
    assert "update-kernel" in {end["data"]["commandName"] for end in ends}


# How it reaches the function


def test_events_are_put_into_the_functions_queue(cloud, function, sent):
    triggers = Triggers(cloud, function)
    cloud.clock.advance(900)
    triggers.look()
    triggers.look()
    assert {event["aliyunaccountid"] for event in sent()} == {ACCOUNT}
    assert len(of(FLEET, sent())) == len({event["id"] for event in of(FLEET, sent())}) == 100


def test_only_from_regions_that_have_a_rule(cloud, function, sent):
    triggers = Triggers(cloud, function, regions=["cn-shanghai"])
    cloud.clock.advance(900)
    triggers.look()
    triggers.publish("ecs:Instance:StateChange", "cn-hangzhou", {"resourceId": "i-1", "state": "Stopped"})
    assert sent() == []
    triggers.publish("ecs:Instance:StateChange", "cn-shanghai", {"resourceId": "i-1", "state": "Stopped"})
    (event,) = read(json.dumps(sent()[0]).encode()).events
    assert isinstance(event, InstanceEvent)
    assert (event.region, event.name, event.status) == ("cn-shanghai", "Instance:StateChange", "Stopped")


def test_some_come_twice_and_in_no_order(cloud, function, sent):
    triggers = Triggers(cloud, function, doubled=0.3, shuffled=True, seed=7)
    cloud.clock.advance(900)
    triggers.look()
    ids = Counter(event["id"] for event in of(FLEET, sent()))
    assert set(ids.values()) == {1, 2}
    assert 10 < sum(ids.values()) - len(ids) < 50
    times = [event["time"] for event in of(FLEET, sent())]
    assert times != sorted(times)


def test_timers_go_off_when_the_clock_passes_their_time_and_once_after_a_jump(cloud, function, sent):
    triggers = Triggers(cloud, function, regions=[])
    triggers.look()
    assert sent("triggerName") == []
    cloud.clock.advance(301)
    triggers.look()
    triggers.look()
    assert [event["triggerName"] for event in sent("triggerName")] == ["tick"]
    cloud.clock.advance(86_400)
    triggers.look()
    assert [event["triggerName"] for event in sent("triggerName")] == ["tick", "poll", "tick"]
    (tick,) = read(json.dumps(sent("triggerName")[1]).encode()).events
    assert tick == Tick("poll", tick.at, TIMERS["poll"][1])
    assert tick.at is not None


def test_the_real_function_hears_what_happens_while_the_clock_moves():
    with Stage(events=True) as stage:
        stage.cloud.clock.advance(899)
        stage.triggers.look()
        stage.fc.wait_idle(120)
        assert {task.status for task in stage.fc.tasks} == {"Succeeded"}
        logs = stage.fc.logs()
    assert logs.count('"heard": {"TaskCompleted": 1}') >= 100
    assert '"heard": {"Tick": 1}' in logs
