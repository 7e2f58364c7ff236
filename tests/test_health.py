"""What `status` tells, and to whom."""

from bot.adapters.store import StoreError
from rig import Rig
from test_reporting import completed, hear, subscribe


def test_status_is_told_to_the_person_even_while_paused(tmp_path, peers):
    with Rig(tmp_path, peers, {"BOT_PAUSED": "We move house."}) as rig:
        [status] = rig.ask("status")
        assert status.ephemeral_to
        assert "Paused: We move house." in status.text
        [other] = rig.ask("no such words")
        assert other.text == "We move house."


def test_status_tells_queue_store_throttles_events_and_versions(rig):
    subscribe(rig)
    hear(rig, completed())
    until = rig.time() + 30
    rig.worker._store.put("throttle/DescribeInvocations/cn-shanghai", {"until": until}, until)
    [status] = rig.ask("status here")
    assert not status.ephemeral_to
    assert status.text.startswith("Throttled.\nNot paused.\ncn-shanghai refuses DescribeInvocations until ")
    assert "This process: 1 job at work (this one included), 0 waiting" in status.text
    assert "Store: SQLite; what is kept lasts." in status.text
    assert "cn-hangzhou: the last event came " in status.text
    assert "cn-beijing: no event within a day." in status.text
    assert "Versions: bot 0.1.0, Python 3." in status.text
    assert "slack-bolt 1." in status.text


def test_status_and_subscriptions_tell_of_a_region_that_has_fallen_silent_since_when_it_is_polled(rig):
    subscribe(rig)
    hear(rig, completed())
    [listed] = rig.ask("subscriptions")
    assert "cn-hangzhou: events since " in listed.text
    rig.time.sleep(3 * 86_400)
    [status] = rig.ask("status")
    assert "cn-hangzhou: the last event came 3 d" in status.text
    [listed] = rig.ask("subscriptions")
    assert "cn-hangzhou: no event since " in listed.text
    hear(rig, completed("t-hz0nowhere1"))
    [again] = rig.ask("subscriptions")
    assert "cn-hangzhou: events since " in again.text


def test_status_is_told_where_the_store_does_not_answer(rig, monkeypatch):
    def broken(*arguments):
        raise StoreError("disk full")

    monkeypatch.setattr(rig.worker._store, "list", broken)
    [status] = rig.ask("status")
    assert "The store did not answer" in status.text
