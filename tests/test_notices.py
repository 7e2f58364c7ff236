"""What one telling does with Slack and the store, whatever these do."""

import pytest
from slack_sdk import WebClient

from bot import notices
from bot.adapters.calls import Calls
from bot.adapters.slack_calls import TIME_LIMIT
from bot.core.notices import Notice
from bot.jobs import Job
from rig import Peers, Rig, fleet
from sandbox.scenario import load
from sandbox.slack_workspace import INCIDENTS
from test_reporting import completed, hear, settle, subscribe, tick

GOING, SCHEDULE = load("running_fleet"), load("schedule")


@pytest.fixture(scope="module")
def peers():
    with Peers([GOING, SCHEDULE, fleet()]) as peers:
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


def begin_going(rig):
    """A run that goes on has been told, with its first failures."""
    subscribe(rig)
    rig.cloud.replay("running_fleet")
    rig.cloud.clock.advance(200)
    assert rig.worker.hear([completed(GOING.ask)], "1-request")
    settle(rig, 90)
    [notice] = rig.said[1:]
    assert " of 100 done, " in notice.text
    return notice


def test_a_message_that_stands_is_kept_right_although_a_mute_holds_back_what_would_ring(rig):
    notice = begin_going(rig)
    assert rig.work(rig.command("mute 3h hard"))
    before = len(rig.said)
    settle(rig)
    assert rig.said[before:] == []
    assert " of 100 failed" in notice.text
    [reply] = tick(rig, 3 * 3_600)
    assert reply.thread_ts == notice.ts
    assert "Held back" in notice.text


def test_what_slack_does_not_let_be_kept_right_waits_all_the_same(rig, caplog):
    notice = begin_going(rig)
    assert rig.work(rig.command("mute 3h hard"))
    rig.slack.fail("error:msg_too_long", method="chat.update", times=99)
    settle(rig)
    rig.slack.mend()
    assert "not kept right while muted" in caplog.text
    [reply] = tick(rig, 3 * 3_600)
    assert reply.thread_ts == notice.ts


def test_the_end_gets_through_where_slack_asks_for_a_long_wait_in_the_middle(rig):
    notice = begin_going(rig)
    rig.slack.fail("429", method="chat.update", times=3, retry_after=400)
    settle(rig)
    assert " of 100 failed" in notice.text
    assert [reply.thread_ts for reply in rig.said[2:]] == [notice.ts]


def test_a_reply_to_a_message_that_somebody_has_deleted_stands_by_itself(rig):
    subscribe(rig)
    notice, *_ = hear(rig, completed(SCHEDULE.ask))
    rig.worker.slack(rig.time() + 30, Calls(), rig.settings.credentials).delete(notice.channel, notice.ts)
    message = {"text": "Recovered: 2 of 2 exit code 0.", "blocks": []}
    payload = {"channel": INCIDENTS, "thread_ts": notice.ts, "message": message, "runs": [SCHEDULE.ask]}
    assert rig.work(Job("notice", "reply_late", int(rig.time()), payload))
    assert rig.said[-1].text == "Recovered: 2 of 2 exit code 0."
    assert rig.said[-1].thread_ts is None
