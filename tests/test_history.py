"""What is told of failures beside an answer: since when, and where; at what cost, and never at the answer's."""

import math
import re

import pytest

from bot.adapters.store import SQLiteStore, StoreError
from bot.core import buttons
from bot.lookup import Limits
from rig import PATIENT, RUN, Peers, Rig, fleet
from sandbox.scenario import load

ZONE, NO_PATTERN, GOING = load("one_zone"), load("no_pattern"), load("running_fleet")
HISTORY = "DescribeInvocations"


@pytest.fixture(scope="module")
def peers():
    with Peers([ZONE, NO_PATTERN, GOING, load("schedule"), fleet(2)]) as peers:
        yield peers


@pytest.fixture
def rig(tmp_path, peers):
    peers.cloud.replay("running_fleet")
    with Rig(tmp_path, peers, limits=PATIENT) as rig:
        yield rig


def test_each_group_says_since_when_it_fails_and_where(rig):
    [answer] = rig.ask(ZONE.ask)
    assert re.search(
        r"\n7 failed: [^\n]*exit code 28 · 3 failing since .*, up to 3 runs; 4 first seen: pay-01", answer.text
    )
    assert "\n7 of 7 failures are in zone g, which has 12 of the 40.\n" in answer.text
    assert "first seen" in str(answer.blocks)


def test_what_the_failures_do_not_share_is_not_said(rig):
    [answer] = rig.ask(NO_PATTERN.ask)
    assert answer.text.startswith("9 of 30 failed")
    assert "failures are" not in answer.text
    assert "failures have" not in answer.text


def test_it_costs_one_call_for_the_history_and_one_for_the_agents_and_is_kept_for_minutes(rig):
    [answer] = rig.ask(ZONE.ask)
    assert rig.cloud.count(HISTORY) == 1 + 1 + 2  # in three regions at most until it is found
    assert rig.cloud.count("DescribeCloudAssistantStatus") == 1
    rig.cloud.clear()
    assert rig.press(answer, buttons.REFRESH) == []
    assert rig.cloud.count(HISTORY) == 1
    assert "3 failing since" in answer.text
    rig.time.sleep(700)
    rig.cloud.clear()
    rig.press(answer, buttons.REFRESH)
    assert rig.cloud.count(HISTORY) == 2


def test_one_failure_has_no_agents_looked_at_and_none_at_all_has_no_history(rig):
    [answer] = rig.ask(RUN)
    assert rig.cloud.count("DescribeCloudAssistantStatus") == 0
    assert "first seen" not in answer.text  # no earlier run is known
    rig.cloud.clear()
    rig.ask(load("schedule").ask)  # its own line says since when
    assert rig.cloud.count(HISTORY) == 1


@pytest.mark.parametrize("kind", ["denied", "throttle", "html502", "bad_json"])
def test_an_answer_never_fails_for_it(rig, kind):
    rig.ask(f"{ZONE.ask} private")  # now the region is known
    rig.time.sleep(700)
    rig.cloud.fail(kind, action=HISTORY, skip=1, times=math.inf)
    rig.cloud.fail(kind, action="DescribeCloudAssistantStatus", times=math.inf)
    [answer] = rig.ask(ZONE.ask)
    assert answer.text.startswith("7 of 40 failed: renew-certs")
    assert "first seen" not in answer.text
    assert "are in zone g" in answer.text


def test_an_answer_does_not_wait_for_it(tmp_path, peers):
    with Rig(tmp_path, peers, limits=Limits(beside=0.0)) as rig:
        rig.ask("region:cn-shanghai size:1")
        rig.cloud.fail("slow", action=HISTORY, skip=1, seconds=3)
        [answer] = rig.ask(f"{ZONE.ask} region:cn-shanghai")
        assert answer.text.startswith("7 of 40 failed")
        assert "first seen" not in answer.text


def test_a_look_of_a_watch_asks_for_no_history(rig):
    assert rig.work(rig.command(f"watch {GOING.ask}"))
    for number in range(12):
        if number == 1:  # the first look asks how long the last runs took
            rig.cloud.clear()
        job, delay = rig.queue.jobs.pop(0)
        rig.time.sleep(delay)
        rig.cloud.clock.advance(delay)
        assert rig.work(job)
    assert "failed" in rig.said[-1].text
    assert rig.cloud.count() == rig.cloud.count(HISTORY) == 11


def test_without_a_store_it_is_asked_each_time(tmp_path, peers, broken_store):
    with Rig(tmp_path, peers, limits=PATIENT, store=broken_store) as rig:
        [answer] = rig.ask(ZONE.ask)
        assert "first seen" in answer.text


def test_runs_of_one_command_share_a_call_and_there_are_two_at_most(tmp_path):
    commands = [("t-hz0one000001", "a"), ("t-hz0one000002", "a"), ("t-hz0one000003", "b"), ("t-hz0one000004", "c")]
    fleets = [fleet(1, run=run, CommandName=name) for run, name in commands]
    with Peers(fleets) as peers, Rig(tmp_path, peers, limits=PATIENT) as rig:
        [answer] = rig.ask(" ".join(run for run, _ in commands))
        assert "4 of 4 failed" in answer.text
        assert rig.cloud.count(HISTORY) == 4 + 2


def test_agents_of_many_targets_are_not_asked_for(tmp_path):
    targets = "web-[001-401]"
    bad = {"instances": "web-[001-003]", "StartTime": "-4m", "FinishedTime": "-3m", "ExitCode": 1}
    fine = {"StartTime": "-4m", "FinishedTime": "-3m", "ExitCode": 0}
    big = {"targets": [targets], "InvocationResult": [bad, fine]}
    with Peers([fleet(401, **big)]) as peers, Rig(tmp_path, peers, limits=PATIENT) as rig:
        [answer] = rig.ask(RUN)
        assert answer.text.startswith("3 of 401 failed")
        assert rig.cloud.count("DescribeCloudAssistantStatus") == 0


class BrokenStore:
    """Keeps leases, as nothing works without; refuses the rest."""

    def __init__(self, store):
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    def get(self, key, now):
        raise StoreError("broken")

    def put(self, key, value, expires, version=None):
        raise StoreError("broken")


@pytest.fixture
def broken_store(tmp_path):
    return BrokenStore(SQLiteStore(str(tmp_path / "other.sqlite3")))
