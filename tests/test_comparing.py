"""Typed `diff t-…`, and pressed in the menu: a run beside the last one, through the real clients."""

import math

import pytest

from bot.core import buttons
from rig import Peers, Rig
from sandbox.scenario import build, load
from sandbox.slack_workspace import LUCAS, MEI

ZONE, NO_PATTERN, SCHEDULE = load("one_zone"), load("no_pattern"), load("schedule")
NOW, LAST, FIRST = (run.id for run in ZONE.invocations)


@pytest.fixture(scope="module")
def peers():
    with Peers([ZONE, NO_PATTERN, SCHEDULE]) as peers:
        yield peers


CONVERSATIONS = [
    (f"diff {NOW}", "4 newly failing, 3 still failing, 1 newly fixed: renew-certs, cn-shanghai", False),
    (f"diff {NOW} private", "4 newly failing", True),
    (f"DIFF {NOW} region:cn-shanghai", f"{NOW} beside {LAST} of ", False),
    (f"diff {LAST}", "2 newly failing, 2 still failing, 37 with other output", False),
    (f"diff {FIRST}", "No earlier run of renew-certs on the instances of", True),
    (
        f"diff {NO_PATTERN.ask}",
        "I looked through 0 other runs by its name and id, all that Cloud",
        True,
    ),
    (f"diff {NOW} {NO_PATTERN.ask}", "No earlier run of resize-cache", False),
    (f"diff {NOW} {LAST}", "6 newly failing, 5 still failing, 1 newly fixed: renew-certs", False),
    (f"diff {NOW} pay-04", "1 newly failing: renew-certs, cn-shanghai.", False),
    (f"diff {SCHEDULE.ask}", "1 still failing: check-replica, cn-hangzhou", False),
    ("diff t-hz0nowhere01", "No run t-hz0nowhere01 in", True),
    ("diff pay-01", "Only runs can be compared. Right would be: diff t-hz0jdfwd9f.", True),
    ("help", "diff t-…: what is different from the last run of the same command on the same instances", True),
    ("help diff", "diff t-hz0jdfwd9f", True),
]


@pytest.mark.parametrize(("typed", "says", "private"), CONVERSATIONS)
def test_conversation(rig, typed, says, private):
    rig.converse(typed, says, private=private)


def test_what_changed_stands_with_the_diff_of_its_output(rig):
    [answer] = rig.ask(f"diff {NOW}")
    blocks = str(answer.blocks)
    assert "-valid until 2027-02-21\\n+curl: (28) Connection timed out" in blocks
    assert "-certctl: lock held by process 4182\\n+valid until 2027-02-22" in blocks
    assert "1 not run this time: pay-41" in answer.text
    assert "2 still failing since" in answer.text


def test_it_costs_a_bounded_number_of_calls(rig):
    rig.ask(f"diff {NOW} region:cn-shanghai")
    assert rig.cloud.count("DescribeInvocations") == 3  # the run, runs by its name, runs by its id
    assert rig.cloud.count("DescribeInvocationResults") == 2
    assert rig.cloud.count("DescribeInstances") == 2  # the targets, and who is missing now


def test_a_part_of_a_run_misses_nobody(rig):
    [answer] = rig.ask(f"diff {NOW} pay-04")
    assert "not run" not in answer.text


def test_it_is_refreshed_in_place_and_shared(rig):
    [answer] = rig.ask(f"diff {NOW} private")
    [shared] = rig.press(answer, buttons.MORE, buttons.SHARE)
    assert shared.text == answer.text
    assert rig.press(shared, buttons.REFRESH) == []
    assert (len(shared.versions), shared.text.split(",")[0]) == (1, "4 newly failing")


def test_the_menu_puts_it_into_the_answers_thread(rig):
    [answer] = rig.ask(NOW)
    [told] = rig.press(answer, buttons.MORE, buttons.DIFF, user=LUCAS)
    assert (told.thread_ts, told.ephemeral_to) == (answer.ts, None)
    assert told.text.startswith("4 newly failing")
    assert "asked by lucas" in str(told.blocks)


def test_of_a_private_answer_it_stays_private(rig):
    [answer] = rig.ask(f"{NOW} private")
    [told] = rig.press(answer, buttons.MORE, buttons.DIFF)
    assert told.ephemeral_to == MEI
    assert told.text.startswith("4 newly failing")


def test_an_answer_about_instances_offers_none(rig):
    [answer] = rig.ask("pay-01")
    assert "Diff with last run" not in str(answer.blocks)


def test_a_history_that_cannot_be_read_is_the_error_or_a_note(rig):
    rig.cloud.fail("denied", action="DescribeInvocations", region="cn-shanghai", skip=1, times=math.inf)
    [told] = rig.ask(f"diff {NOW} region:cn-shanghai")
    assert "refused DescribeInvocations in cn-shanghai" in told.text
    rig.cloud.mend()
    rig.cloud.fail("denied", action="DescribeInvocations", region="cn-shanghai", skip=1, times=math.inf)
    [told] = rig.ask(f"diff {NOW} {SCHEDULE.ask} region:cn-shanghai region:cn-hangzhou")
    assert "The earlier runs of renew-certs could not be read (Forbidden.RAM)." in told.text


def test_a_throttled_history_is_waited_for(rig):
    rig.cloud.fail("throttle", action="DescribeInvocations", skip=1, times=2, headers={"x-acs-retry-after": "30000"})
    [waits, told] = rig.ask(f"diff {NOW} region:cn-shanghai")
    assert "I ask again in" in waits.text
    assert told.text.startswith("4 newly failing")


def test_outputs_that_cannot_be_read_are_said_to_be_missing(rig):
    rig.cloud.fail("denied", action="DescribeInvocationResults", skip=1, times=math.inf)
    [told] = rig.ask(f"diff {NOW} region:cn-shanghai")
    assert f"Outputs of {LAST} were not read, so they are not compared." in told.text
    assert "4 newly failing" in told.text
    assert "with other output" not in told.text


def test_a_schedule_that_ran_once_has_nothing_to_compare(tmp_path):
    with Peers([crowd(0, RepeatMode="Period", Frequency="rate(5m)")]) as peers, Rig(tmp_path, peers) as rig:
        [told] = rig.ask("diff t-hz0new000001")
        assert "The schedule t-hz0new000001 has not ended twice on any instance" in told.text
        assert told.ephemeral_to == MEI


def crowd(others, **newest):
    """A new and an old run on web-001, and between them runs of a command of the same name elsewhere."""

    def run(invoke_id, created, target, **more):
        fine = {"StartTime": created, "FinishedTime": created, "ExitCode": 0, "Output": invoke_id}
        what = {"CommandId": "c-hz0crowd001", "CommandName": "deploy", "CommandContent": "deploy"}
        where = {"RegionId": "cn-hangzhou", "InvokeId": invoke_id, "CreationTime": created, "targets": [target]}
        return {**what, **where, "InvocationResult": [fine], **more}

    between = [run(f"t-hz0other{n:05}", f"-{n + 5}m", "web-002") for n in range(others)]
    return build(
        "crowd",
        {
            "title": "A crowd",
            "about": "Many runs.",
            "ask": "t-hz0new000001",
            "regions": ["cn-hangzhou"],
            "Instance": [{"RegionId": "cn-hangzhou", "InstanceName": "web-[001-002]"}],
            "Invocation": [
                run("t-hz0new000001", "-1m", "web-001", **newest),
                *between,
                run("t-hz0old000001", "-20h", "web-001"),
            ],
        },
    )


@pytest.fixture(scope="module")
def crowded():
    with Peers([crowd(210)]) as peers:
        yield peers


def test_the_search_is_bounded_and_says_so(tmp_path, crowded):
    with Rig(tmp_path, crowded) as rig:
        [told] = rig.ask("diff t-hz0new000001 region:cn-hangzhou")
        assert "I looked through 199 other runs by its name and id, the newest." in told.text
        assert rig.cloud.count("DescribeInvocations") <= 1 + 2 * (1 + 4)


def test_a_run_that_was_shown_before_is_found_however_many_came_after_it(tmp_path, crowded):
    with Rig(tmp_path, crowded) as rig:
        rig.ask("t-hz0old000001")
        [told] = rig.ask("diff t-hz0new000001")
        assert "t-hz0new000001 beside t-hz0old000001 of" in told.text
        assert "1 with other output: deploy, cn-hangzhou" in told.text


def test_an_earlier_run_further_down_is_found(tmp_path):
    with Peers([crowd(70)]) as peers, Rig(tmp_path, peers) as rig:
        [told] = rig.ask("diff t-hz0new000001")
        assert told.text.startswith("1 with other output")


def test_many_runs_are_compared_each(tmp_path):
    with Peers([crowd(7)]) as peers, Rig(tmp_path, peers) as rig:
        ids = " ".join(f"t-hz0other{n:05}" for n in range(6))
        [told] = rig.ask(f"diff {ids}")
        assert told.text.startswith("6 with other output: deploy, cn-hangzhou")
        assert "1 more run: 1 with other output" in str(told.blocks)
