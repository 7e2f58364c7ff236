"""Tablestore where something goes wrong, and what keeps its table small; the rest is the contract in test_store.py."""

import logging
import threading

import pytest

from bot.adapters.store import Record, StoreError
from bot.adapters.tablestore import TABLE, TablestoreStore
from bot.settings import Credentials
from sandbox.http import Drop, Reply
from tablestore_stub import (
    BUSY,
    INTERNAL,
    KEY_ID,
    KEYS,
    NO_RIGHT,
    OTHER_NETWORK,
    SECRET,
    STS_KEY_ID,
    STS_SECRET,
    STS_TOKEN,
    TIMEOUT,
    TablestoreStub,
    opened,
    place,
    wait,
)

KEPT = 10**12
USES = {
    "GetRow": lambda store: store.get("a", 0),
    "PutRow": lambda store: store.put("new", {}, KEPT, version=0),
    "UpdateRow": lambda store: store.put("a", {"n": 2}, KEPT, version=1),
    "DeleteRow": lambda store: store.delete("a"),
    "GetRange": lambda store: store.list("a", 0),
}
RIGHT = {
    "GetRow": Record("a", {"n": 1}, 1),
    "PutRow": True,
    "UpdateRow": True,
    "DeleteRow": None,
    "GetRange": [Record("a", {"n": 1}, 1)],
}


@pytest.fixture
def stub():
    with TablestoreStub() as stub:
        yield stub


@pytest.fixture
def store(stub):
    store = opened(stub)
    store._look_at = float("inf")  # no sweep between the calls that are counted
    store.put("a", {"n": 1}, KEPT)
    stub.calls.clear()
    yield store
    store.close()


@pytest.mark.parametrize("written", [False, True], ids=["not written", "written"])
@pytest.mark.parametrize("fault", [Drop, TIMEOUT, INTERNAL, Reply(502, b"<html>")], ids=str)
@pytest.mark.parametrize("api", USES)
def test_a_reply_that_is_lost_once_is_made_up_for(stub, store, api, fault, written):
    stub.fail(api, fault, written=written)
    assert USES[api](store) == RIGHT[api]
    assert stub.calls.count(api) == 2
    if api == "UpdateRow":
        assert store.get("a", 0) == Record("a", {"n": 2}, 2)


@pytest.mark.parametrize("written", [False, True], ids=["not written", "written"])
@pytest.mark.parametrize("api", USES)
def test_a_reply_that_does_not_come_in_time_is_made_up_for(stub, store, api, written):
    given_up = threading.Event()

    def silence():
        wait(store, 30)  # for the second time
        given_up.wait(30)

    stub.fail(api, silence, written=written)
    wait(store, 0.2)
    assert USES[api](store) == RIGHT[api]
    given_up.set()
    assert stub.calls.count(api) == 2


@pytest.mark.parametrize("api", USES)
def test_a_store_that_does_not_answer_twice_says_so(stub, store, api):
    stub.fail(api, Drop, times=2)
    with pytest.raises(StoreError, match="does not answer"):
        USES[api](store)
    assert stub.calls == [api, api]


@pytest.mark.parametrize("api", USES)
def test_a_busy_store_is_asked_three_times_and_then_left_alone(stub, store, api):
    stub.fail(api, BUSY, times=3)
    with pytest.raises(StoreError, match="OTSServerBusy"):
        USES[api](store)
    assert stub.calls == [api] * 3


def test_a_claim_that_was_written_and_not_answered_is_ours(stub, store):
    stub.fail("PutRow", Drop, written=True)
    assert store.claim("job/1", "a", 100, 112, KEPT).won
    assert store.get("job/1", 100).version == 1


def test_an_unanswered_claim_that_another_has_won_meanwhile_is_not_ours(stub, store):
    """The same owner, even: only the write's own name counts."""
    other = TablestoreStore(place(stub), lambda: KEYS)
    won = []
    stub.fail("PutRow", lambda: won.append(other.claim("job/1", "a", 100, 112, KEPT).won))
    assert not store.claim("job/1", "a", 100, 112, KEPT).won
    assert won == [True]
    other.close()


def test_a_mark_whose_reply_was_lost_counts_once_or_twice_but_is_there(stub, store):
    store.claim("job/1", "a", 100, 112, KEPT)
    stub.fail("UpdateRow", Drop, written=True)
    assert store.mark("job/1", "a", {"done": True}, 0)
    assert store.get("job/1", 100).value == {"done": True}


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (
            NO_RIGHT,
            r"OTSNoPermissionAccess \(request 0005-\d+\): these keys may not do that; see deploy/ram-policy.json",
        ),
        (OTHER_NETWORK, r"OTSAuthFailed \(request 0005-\d+\): the instance lets this network not in"),
    ],
    ids=["right", "network"],
)
@pytest.mark.parametrize("api", USES)
def test_a_refusal_is_no_failed_condition_though_its_status_is_the_same(stub, store, api, fault, sentence):
    stub.fail(api, fault)
    with pytest.raises(StoreError, match=sentence):
        USES[api](store)
    assert stub.calls == [api]


def test_wrong_keys_and_a_missing_table_are_told_apart(stub, store):
    wrong = TablestoreStore(place(stub), lambda: Credentials(KEY_ID, "guessed"))
    with pytest.raises(StoreError, match=r"OTSAuthFailed \(request 0005-\d+\): it does not know these keys") as raised:
        wrong.get("a", 0)
    assert "guessed" not in str(raised.value)
    del stub.tables[TABLE]
    with pytest.raises(StoreError, match="the table is missing; python -m bot init makes it"):
        store.get("a", 0)
    wrong.close()


def test_a_clock_that_is_an_hour_off_is_said(stub, store):
    stub.ahead = 3_600
    with pytest.raises(StoreError, match="more than 15 minutes"):
        store.get("a", 0)


def test_a_response_that_somebody_else_signed_is_not_believed(stub, store):
    forged = Reply(200, b"", {"Authorization": f"OTS {KEY_ID}:forged"})
    stub.fail("GetRow", forged, times=2)
    with pytest.raises(StoreError, match="Invalid signature"):
        store.get("a", 0)


def test_each_call_has_the_credentials_of_its_time(stub, store):
    now = [Credentials(KEY_ID, SECRET)]
    other = TablestoreStore(place(stub), lambda: now[0])
    assert other.get("a", 0)
    now[0] = Credentials(STS_KEY_ID, STS_SECRET, STS_TOKEN)
    assert other.get("a", 0)
    now[0] = Credentials()
    with pytest.raises(StoreError, match="no credentials"):
        other.get("a", 0)
    assert stub.key_ids[-2:] == [KEY_ID, STS_KEY_ID]
    other.close()


def test_a_column_of_a_later_version_is_passed_over(stub, store):
    stub.tables[TABLE].rows["a"]["colour"] = "blue"
    assert store.get("a", 0) == Record("a", {"n": 1}, 1)


def test_an_endless_list_is_cut_off_and_said(stub, store):
    stub.page = 1
    for number in range(21):
        store.put(f"sub/{number:02}", {}, KEPT)
    with pytest.raises(StoreError, match="more rows start with 'sub/' than 20 pages hold"):
        store.list("sub/", 0)
    assert len(store.list("sub/0", 0)) == 10


def test_a_claim_gives_up_where_others_are_faster_each_time(stub, store, monkeypatch):
    monkeypatch.setattr(store, "_write", lambda *_: False)
    with pytest.raises(StoreError, match="job/1 is claimed by too many at once"):
        store.claim("job/1", "a", 100, 112, KEPT)


# The sweep


def rows(stub):
    return sorted(key for key in stub.tables[TABLE].rows if key != "sweep")


def sweeping(stub, now):
    """A claim of a process that has just started, at this time."""
    store = opened(stub)
    store.claim("job/now", "a", now, now + 12, KEPT)
    store.close()


def test_what_has_expired_is_swept_by_one_claim_in_ten_minutes(stub, store):
    for number in range(3):
        store.put(f"old/{number}", {}, expires=50)
    sweeping(stub, 100)
    assert rows(stub) == ["a", "job/now"]
    store.put("old/4", {}, expires=50)
    sweeping(stub, 699)
    assert "old/4" in rows(stub)
    sweeping(stub, 701)
    assert "old/4" not in rows(stub)


def test_a_sweep_goes_on_where_the_last_one_stopped(stub, store):
    for number in range(450):
        stub.tables[TABLE].rows[f"old/{number:03}"] = {"expires": 50.0}
    sweeping(stub, 100)
    assert len(rows(stub)) == 252
    sweeping(stub, 161)
    assert len(rows(stub)) == 52
    sweeping(stub, 222)
    assert rows(stub) == ["a", "job/now"]


def test_a_row_that_is_written_anew_while_it_is_swept_stays(stub, store, monkeypatch):
    store.put("old/1", {}, expires=50)
    store.put("old/2", {}, expires=50)
    page = TablestoreStore._page

    def late(self, *arguments):
        found = page(self, *arguments)
        store.put("old/1", {"new": True}, KEPT)
        return found

    monkeypatch.setattr(TablestoreStore, "_page", late)
    sweeping(stub, 100)
    assert rows(stub) == ["a", "job/now", "old/1"]


@pytest.mark.parametrize("api", ["GetRange", "BatchWriteRow"])
def test_a_sweep_that_fails_is_logged_and_the_claim_is_won(stub, store, api, caplog):
    store.put("old", {}, expires=50)
    stub.fail(api, NO_RIGHT)
    with caplog.at_level(logging.WARNING, "bot.store"):
        sweeping(stub, 100)
    assert "not swept: Tablestore: OTSNoPermissionAccess" in caplog.text
    assert "job/now" in rows(stub)


def test_rows_that_a_sweep_may_not_delete_are_counted(stub, store, monkeypatch, caplog):
    store.put("old", {}, expires=50)
    change = stub._change

    def refusing(rows, kind, *rest):
        if kind == 3:
            raise NO_RIGHT
        change(rows, kind, *rest)

    monkeypatch.setattr(stub, "_change", refusing)
    with caplog.at_level(logging.WARNING, "bot.store"):
        sweeping(stub, 100)
    assert "not swept: 1 of 1 rows: OTSNoPermissionAccess" in caplog.text
