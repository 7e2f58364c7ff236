"""The poll: what a channel is told of regions from which no event comes, and of what events have missed."""

from datetime import UTC, datetime

import pytest

from bot.core.events import Tick
from bot.jobs import CHORE, Job
from rig import Peers, fleet
from sandbox.slack_workspace import INCIDENTS, PRIVATE
from test_reporting import completed, hear, settle, subscribe

OLD, SHANGHAI = "t-hz0old00001", "t-sh0fleet0001"


@pytest.fixture(scope="module")
def peers():
    old = fleet(run=OLD, CreationTime="-10h", CommandName="old")
    with Peers([fleet(), fleet(region="cn-shanghai", run=SHANGHAI, CommandName="deploy-sh"), old]) as peers:
        yield peers


def poll(rig, seconds=0):
    rig.time.sleep(seconds)
    return hear(rig, Tick("poll", datetime.fromtimestamp(rig.time(), UTC), '{"job":"poll"}'))


def names(said):
    """What is told of, one name for each notice."""
    return sorted(one.text.split(": ")[1].split(",")[0] for one in said if not one.thread_ts)


def test_without_events_the_poll_tells_of_what_ran_lately_and_not_of_history(rig):
    subscribe(rig)
    said = poll(rig)
    assert names(said) == ["deploy-sh", "deploy-web"]
    assert {one.channel for one in said} == {INCIDENTS}


def test_what_has_been_told_is_not_looked_at_again(rig):
    subscribe(rig)
    poll(rig)
    calls = rig.cloud.count("DescribeInvocationResults")
    assert poll(rig, 900) == []
    assert rig.cloud.count("DescribeInvocationResults") == calls


def test_only_subscribed_regions_are_polled(rig):
    subscribe(rig, "subscribe region:cn-shanghai")
    assert names(poll(rig)) == ["deploy-sh"]
    assert rig.cloud.count(region="cn-hangzhou") == 0


def test_nobody_who_has_subscribed_means_no_call(rig):
    subscribe(rig, "subscribe events:spot")
    assert poll(rig) == []
    assert rig.cloud.count() == 0


def test_what_events_have_missed_is_caught(rig):
    subscribe(rig, "subscribe region:cn-hangzhou")
    hear(rig, completed("t-hz0nowhere1"))
    assert names(poll(rig)) == ["deploy-web"]


def test_what_an_event_has_told_is_not_told_by_the_poll(rig):
    subscribe(rig)
    hear(rig, completed())
    assert names(poll(rig)) == ["deploy-sh"]


def test_what_nobody_wants_to_hear_of_is_left_alone(rig):
    subscribe(rig, "subscribe command:backup-* region:cn-hangzhou")
    poll(rig)
    calls = rig.cloud.count()
    rig.worker._store.delete("polled/cn-hangzhou")
    poll(rig, 100)
    assert rig.cloud.count() - calls == 2  # the lists, and no look


def test_a_region_that_refuses_is_left_alone_until_the_next_poll(rig):
    subscribe(rig)
    rig.cloud.fail("throttle", region="cn-shanghai", times=1, headers={"x-acs-retry-after": "30000"})
    assert names(poll(rig)) == ["deploy-web"]
    assert names(poll(rig, 900)) == ["deploy-sh"]


def test_two_timers_at_once_poll_once(rig):
    subscribe(rig)
    for number in (1, 2):
        assert rig.work(Job(CHORE, f"test_poll{rig.time()}{number}", 1, {"name": "poll", "payload": '{"job":"poll"}'}))
    listed = rig.cloud.count("DescribeInvocations", "cn-hangzhou")
    settle(rig)
    assert listed == 2  # runs, and schedules


def test_another_that_polls_now_is_not_disturbed(rig):
    subscribe(rig)
    store, now = rig.worker._store, rig.time()
    for region in ("cn-hangzhou", "cn-shanghai", "cn-beijing"):
        assert store.claim(f"polled/{region}", "another", now, now + 60, now + 600).won
    assert poll(rig) == []
    assert rig.cloud.count() == 0


def test_a_late_subscription_brings_no_history(rig):
    subscribe(rig)
    poll(rig)
    rig.ask("unsubscribe everything")
    rig.time.sleep(5 * 3_600)
    subscribe(rig, channel=PRIVATE)
    assert poll(rig) == []


def test_more_runs_than_are_read_are_logged(rig, caplog, monkeypatch):
    monkeypatch.setattr("bot.polling._MOST_RUNS", 1)
    subscribe(rig)
    assert names(poll(rig)) == ["deploy-sh", "deploy-web"]
    assert "only the newest 1 runs" in caplog.text
