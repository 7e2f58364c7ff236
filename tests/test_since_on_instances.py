"""What an answer about instances says of since when a command fails there: from what it read, and a few calls more."""

import math

import pytest

from bot.lookup import Limits
from rig import PATIENT, Peers, Rig
from sandbox.scenario import build

HISTORY, RESULTS = "DescribeInvocations", "DescribeInvocationResults"
WELL, FULL, REFUSED = (0, "done"), (1, "tar: /var: No space left on device"), (7, "curl: (7) Failed to connect to a")


def scenario(runs, instances="web-[01-08]", **more):
    """Runs, oldest first, as (name of the command, targets, how it ended there); one an hour, each with a new id."""
    invocations = [
        {
            "RegionId": "cn-hangzhou",
            "InvokeId": f"t-hz0run{number:04d}",
            "CommandId": f"c-hz0run{number:04d}",
            "CommandName": name,
            "CommandContent": f"#!/bin/sh\n{name}\n",
            "CreationTime": f"-{len(runs) - number}h",
            "targets": [targets],
            "InvocationResult": [
                {
                    "StartTime": f"-{len(runs) - number}h",
                    "FinishedTime": f"-{len(runs) - number}h",
                    "ExitCode": code,
                    "Output": output,
                }
            ],
        }
        for number, (name, targets, (code, output)) in enumerate(runs)
    ]
    described = {
        "title": "Instances",
        "about": "One command after another.",
        "ask": "web-01",
        "regions": ["cn-hangzhou"],
        "Instance": [{"RegionId": "cn-hangzhou", "InstanceName": instances, "private_ip": "10.9.0.1"}],
        "Invocation": [*invocations, *more.get("Invocation", ())],
    }
    return build("instances", described)


@pytest.fixture
def ask(tmp_path):
    """What is said to a question about instances with these runs, and the rig that was asked."""
    opened = []

    def asked(runs, question="web-01", limits=PATIENT, **more):
        peers = Peers([scenario(runs, **more)]).__enter__()
        opened.append(peers)
        rig = Rig(tmp_path, peers, {"BOT_REGIONS": "cn-hangzhou"}, limits=limits).__enter__()
        opened.append(rig)
        [answer] = rig.ask(question)
        return answer.text, rig

    yield asked
    for one in reversed(opened):
        one.__exit__(None, None, None)


def test_the_results_that_were_read_tell_since_when_at_no_call_more(ask):
    runs = [("deploy", "web-01", WELL), *[("deploy", "web-01", FULL)] * 3, ("clean", "web-01", WELL)]
    text, rig = ask(runs)
    assert "\n3 failed: no space left, exit code 1 · failing since " in text
    assert ", 3 runs: web-01." in text
    assert rig.cloud.count(HISTORY) == 1


def test_what_went_well_since_is_not_failing(ask):
    text, rig = ask([("deploy", "web-01", FULL), ("deploy", "web-01", FULL), ("deploy", "web-01", WELL)])
    assert text.startswith("2 of 3 runs failed: web-01")
    assert "failing" not in text
    assert "first seen" not in text
    assert rig.cloud.count(HISTORY) == 1


def test_another_reason_continues_the_row_and_the_newest_tells_of_it(ask):
    text, _rig = ask([("deploy", "web-01", WELL), ("deploy", "web-01", FULL), ("deploy", "web-01", REFUSED)])
    assert text.count("failing since") == 1
    assert "could not connect, exit code 7 · failing since" in text


def test_what_was_well_before_is_first_seen_after_a_look_at_older_runs_which_is_kept(ask):
    text, rig = ask([("deploy", "web-01", WELL), ("deploy", "web-01", FULL)])
    assert "exit code 1 · first seen: web-01." in text
    assert rig.cloud.count(HISTORY) == 2
    rig.cloud.clear()
    rig.time.sleep(60)
    [again] = rig.ask("web-01")
    assert "first seen" in again.text
    assert rig.cloud.count(HISTORY) == 1
    rig.time.sleep(700)
    rig.cloud.clear()
    rig.ask("web-01")
    assert rig.cloud.count(HISTORY) == 2


def test_older_runs_than_an_answer_reads_are_asked_for(ask):
    runs = [("deploy", "web-01", WELL), *[("deploy", "web-01", FULL)] * 14]
    text, rig = ask(runs)
    assert text.startswith("10 of 10 runs failed")
    assert ", 14 runs: web-01." in text
    assert rig.cloud.count(HISTORY) == 2


def test_a_command_without_an_earlier_run_says_nothing_and_is_not_asked_for_again(ask):
    text, rig = ask([("clean", "web-01", WELL), ("deploy", "web-01", FULL)])
    assert "exit code 1: web-01." in text
    rig.cloud.clear()
    rig.time.sleep(60)
    rig.ask("web-01")
    assert rig.cloud.count(HISTORY) == 1


@pytest.mark.parametrize("kind", ["denied", "throttle", "html502", "bad_json"])
def test_an_answer_never_fails_for_it_and_what_is_not_known_is_not_said(ask, kind):
    runs = [("deploy", "web-01", WELL), ("deploy", "web-01", FULL)]
    _text, rig = ask([*runs, *[("deploy", "web-02", FULL)] * 2, ("deploy", "web-02", WELL)], "web-02")
    rig.cloud.fail(kind, action=HISTORY, skip=1, times=math.inf)
    [answer] = rig.ask("web-01")
    assert "exit code 1: web-01." in answer.text


def test_an_answer_does_not_wait_for_it(ask):
    runs = [("deploy", "web-01", WELL), ("deploy", "web-01", FULL)]
    _text, rig = ask([*runs, ("deploy", "web-02", WELL)], "web-02", limits=Limits(beside=0.0))
    rig.cloud.fail("slow", action=HISTORY, skip=1, seconds=3)
    [answer] = rig.ask("web-01")
    assert answer.text.startswith("1 of 2 runs failed")
    assert "exit code 1: web-01." in answer.text


def test_each_of_many_instances_is_told_with_five_calls_at_most(ask):
    """The commands of the first five instances bear names; those of the others are found in the instance's own list."""
    runs = [(f"job-{n}", f"web-0{n}", how) for how in (WELL, FULL) for n in range(1, 9)]
    text, rig = ask(runs, "web-*")
    assert text.startswith("8 of 16 runs failed")
    assert rig.cloud.count(HISTORY) == 5 + 5
    assert "5 first seen: web-01" in text
    rig.cloud.clear()
    rig.time.sleep(60)
    [again] = rig.ask("web-*")
    assert rig.cloud.count(HISTORY) == 5 + 3  # the other three
    assert "exit code 1 · first seen: web-01" in again.text


def test_instances_whose_runs_are_not_listed_know_of_a_later_success_too(ask):
    runs = [(f"job-{n}", f"web-0{n}", WELL) for n in range(1, 6)]
    text, _rig = ask([*runs, *[("deploy", "web-08", one) for one in (WELL, FULL, FULL, WELL)]], "web-*")
    assert "failing" not in text
    text, _rig = ask([*runs, *[("deploy", "web-08", one) for one in (WELL, FULL, FULL)]], "web-*")
    assert "2 failed: no space left, exit code 1 · failing since" in text


def test_of_a_schedule_its_repeats_tell(ask):
    every = {
        "RegionId": "cn-hangzhou",
        "InvokeId": "t-hz0every0001",
        "CommandId": "c-hz0every0001",
        "CommandName": "backup",
        "CommandContent": "#!/bin/sh\nbackup\n",
        "CreationTime": "-2h",
        "RepeatMode": "Period",
        "Frequency": "rate(5m)",
        "targets": ["web-01"],
        "InvocationResult": [
            {
                "StartTime": "-2m",
                "FinishedTime": "-1m",
                "every": "5m",
                "runs": [
                    {"repeats": 4, "ExitCode": 0, "Output": "done"},
                    {"repeats": 3, "ExitCode": 1, "Output": "tar: /var: No space left on device"},
                ],
            }
        ],
    }
    text, rig = ask([("clean", "web-01", WELL)], Invocation=[every])
    assert "exit code 1 · failing since" in text
    assert ", 3 runs: web-01." in text
    assert rig.cloud.count(RESULTS) == 2
