"""What one telling does with Slack and the store, whatever these do."""

import pytest
from slack_sdk import WebClient

from bot import notices
from bot.adapters.slack import TIME_LIMIT
from bot.core.notices import Notice
from rig import Peers, Rig, fleet
from sandbox.scenario import load
from sandbox.slack_workspace import INCIDENTS
from test_reporting import completed, hear, settle, subscribe

SCHEDULE = load("schedule")


@pytest.fixture(scope="module")
def peers():
    with Peers([SCHEDULE, fleet()]) as peers:
        yield peers


@pytest.fixture
def rig(tmp_path, peers):
    peers.cloud.replay("schedule")
    with Rig(tmp_path, peers) as rig:
        yield rig


def slow(rig, monkeypatch, method, error=TimeoutError):
    """Each call of a method takes all the time it is given; tells whether the notice was another's to take by then."""
    free, real = [], WebClient.api_call

    def api_call(client, called, **arguments):
        if called != method:
            return real(client, called, **arguments)
        rig.time.ahead += client.timeout
        rig.cloud.clock.advance(client.timeout)
        [record] = rig.worker._store.list(f"notice/{INCIDENTS}/", rig.time())
        free.append(rig.worker._store.claim(record.key, "another", rig.time(), rig.time() + 1, rig.time() + 9).won)
        raise error

    monkeypatch.setattr(WebClient, "api_call", api_call)
    return free


def test_the_lease_of_a_telling_outlasts_all_tries_of_a_post_that_slack_leaves_unanswered(rig, monkeypatch):
    subscribe(rig)
    free = slow(rig, monkeypatch, "chat.postMessage")
    assert rig.worker.hear([completed()], "1-request")
    settle(rig, 60)
    assert len(free) >= 2
    assert not any(free)


def test_so_it_does_with_an_update(rig, monkeypatch):
    subscribe(rig)
    hear(rig, completed(SCHEDULE.ask))
    rig.time.sleep(300)
    rig.cloud.clock.advance(300)
    free = slow(rig, monkeypatch, "chat.update")
    assert rig.worker.hear([completed(SCHEDULE.ask)], "1-request")
    settle(rig, 60)
    assert len(free) >= 2
    assert not any(free)


def test_no_call_may_last_longer_than_what_the_lease_leaves_for_it():
    assert notices.FOR_SLACK + TIME_LIMIT <= notices.LEASE


def test_who_has_lost_the_lease_before_the_post_tells_nothing_that_another_has_told(rig, monkeypatch):
    subscribe(rig)
    store, real, others = rig.worker._store, rig.worker._store.mark, ["another"]

    def mark(key, owner, value, until):
        if key.startswith("notice/") and others:
            rig.time.sleep(notices.LEASE + 1)  # a frozen process
            other, told = others.pop(), Notice(ts="1.1", version=int(rig.time() * 1000))
            store.claim(key, other, rig.time(), rig.time() + 20, rig.time() + 90)
            real(key, other, told.value(), 0.0)
        return real(key, owner, value, until)

    monkeypatch.setattr(store, "mark", mark)
    assert hear(rig, completed()) == []
