"""Who has recovered: only what failed and has gone well since, on whichever instances a command ran meanwhile."""

import pytest

from rig import Peers
from sandbox.scenario import build
from test_reporting import completed, hear, subscribe, tick

FAILED = {"ExitCode": 1, "Output": "disk full"}
FINE = {"ExitCode": 0, "Output": "release 4.12.0 active"}


def run(number, ago, failed="", fine="", name="deploy-web"):
    """A run of the same command; `ago` minutes."""
    rows = [
        {"instances": names, "StartTime": f"-{ago}m", "FinishedTime": f"-{ago - 1}m", **how}
        for names, how in ((failed, FAILED), (fine, FINE))
        if names
    ]
    return {
        "RegionId": "cn-hangzhou",
        "InvokeId": f"t-hz0again{number:04}",
        "CommandId": f"c-hz0again{number:04}",
        "CommandName": name,
        "CreationTime": f"-{ago}m",
        "targets": [names for names in (failed, fine) if names],
        "InvocationResult": rows,
    }


AGAIN = build(
    "again",
    {
        "title": "The same command again and again",
        "about": "Two of three failed.",
        "ask": "t-hz0again0001",
        "regions": ["cn-hangzhou"],
        "Instance": [{"RegionId": "cn-hangzhou", "InstanceName": "web-[01-04]", "private_ip": "10.9.0.1"}],
        "Invocation": [
            run(1, 60, failed="web-[01-02]", fine="web-03"),
            run(2, 50, fine="web-[03-04]"),
            run(3, 40, fine="web-01"),
            run(4, 30, failed="web-04"),
            run(5, 20, fine="web-02"),
            run(6, 10, fine="web-[01-04]"),
            run(11, 30, failed="web-[01-02]", fine="web-03", name="restart"),
            run(12, 29, fine="web-01", name="restart"),
            run(13, 28, fine="web-02", name="restart"),
            run(14, 27, failed="web-02", name="restart"),
        ],
    },
)


@pytest.fixture(scope="module")
def peers():
    with Peers([AGAIN]) as peers:
        yield peers


def told(rig, number):
    """What is said of a run once it has ended, minutes after the one before."""
    rig.time.sleep(300)
    return hear(rig, completed(f"t-hz0again{number:04}"))


def test_a_run_on_other_instances_is_no_recovery_and_no_news(rig):
    subscribe(rig)
    notice, _ = told(rig, 1)
    assert told(rig, 2) == []
    assert notice.text.startswith("2 of 3 failed: deploy-web")


def test_a_rerun_on_some_of_the_failed_says_which_are_left_and_the_failures_stand(rig):
    subscribe(rig)
    notice, _ = told(rig, 1)
    [reply] = told(rig, 3)
    assert reply.thread_ts == notice.ts
    assert reply.text.startswith("Recovered on web-01: 1 of 1 exit code 0: deploy-web")
    assert reply.text.endswith("1 instance that failed before has not gone well since: web-02.")
    assert rig.said[1].text.startswith("2 of 3 failed: deploy-web")


def test_what_failed_has_recovered_once_the_last_of_it_has_gone_well(rig):
    subscribe(rig)
    told(rig, 1)
    told(rig, 3)
    [reply] = told(rig, 5)
    assert reply.text.startswith("Recovered: 1 of 1 exit code 0: deploy-web")
    assert told(rig, 6) == []


def test_another_instance_that_fails_meanwhile_leaves_the_others_failing(rig):
    subscribe(rig)
    told(rig, 1)
    [joins] = told(rig, 4)
    assert joins.text.startswith("1 more instance failing now: 1 of 1 failed: deploy-web")
    [notice] = [message for message in rig.said if message.text.startswith("1 of 1 failed")]
    assert "2 instances that failed before have not gone well since: web-01, web-02." in notice.text
    [reply] = told(rig, 5)
    assert "2 instances that failed before have not gone well since: web-04, web-01." in reply.text
    [whole] = told(rig, 6)
    assert whole.text.startswith("Recovered: 4 of 4 exit code 0: deploy-web")


def test_who_asked_for_every_end_sees_the_success_with_what_has_not_gone_well_since(rig):
    subscribe(rig, "subscribe all")
    told(rig, 1)
    assert told(rig, 2) == []
    [notice] = [message for message in rig.said[1:] if not message.thread_ts]
    assert notice.text.startswith("2 of 2 exit code 0: deploy-web")
    assert "2 instances that failed before have not gone well since: web-01, web-02." in notice.text


def test_what_a_mute_holds_back_recovers_no_sooner(rig):
    subscribe(rig)
    rig.ask("mute 2h hard")
    assert [told(rig, number) for number in (1, 3)] == [[], []]
    notice, reply = tick(rig, 7_200)
    assert notice.text.startswith("2 of 3 failed: deploy-web")
    assert "recovered" not in notice.text
    assert reply.text.endswith("On web-02.")


def test_failures_that_a_mute_holds_back_are_all_told(rig):
    subscribe(rig)
    rig.ask("mute 2h hard")
    assert [told(rig, number) for number in (1, 4)] == [[], []]
    notice, reply = tick(rig, 7_200)
    assert "It failed 2 times meanwhile." in notice.text
    assert reply.text.endswith("On web-04, web-01, web-02.")
    [partly] = told(rig, 5)
    assert partly.text.startswith("Recovered on web-02")


# Reruns so soon after that they share the message of the run that failed


def test_a_rerun_within_two_minutes_that_goes_well_is_a_recovery_too(rig):
    subscribe(rig)
    notice, _ = told(rig, 11)
    assert told(rig, 12) == []
    assert notice.text.startswith("1 of 3 failed: restart")
    assert notice.text.endswith("1 instance failed at first and went well in a later run: web-01.")
    [reply] = told(rig, 13)
    assert reply.thread_ts == notice.ts
    assert reply.text.startswith("Recovered: 3 of 3 exit code 0: restart")
    assert notice.text.startswith("3 of 3 exit code 0: restart")
    [draft] = rig.ask("handover")
    assert "Recovered in the last 12 h: 3 of 3 exit code 0: restart" in draft.text
    assert "t-hz0again0011" not in draft.text


def test_an_instance_that_fails_again_after_it_went_well_is_failing(rig):
    subscribe(rig)
    told(rig, 11)
    told(rig, 12)
    told(rig, 13)
    [reply] = told(rig, 14)
    assert reply.text.endswith("On web-02.")
    [notice] = [message for message in rig.said[1:] if not message.thread_ts]
    assert notice.text.startswith("1 of 4 failed: restart")
    assert notice.text.endswith("1 instance failed at first and went well in a later run: web-01.")


def test_a_mention_of_what_was_made_good_passes_the_filters_too(rig):
    subscribe(rig, "subscribe all instance:web-03")
    [notice] = hear(rig, *(completed(f"t-hz0again{number:04}") for number in (11, 12)))
    assert notice.text.startswith("1 of 1 exit code 0: restart")
    assert "web-01" not in notice.text
