"""The table: made once, as it must be."""

import pytest
import tablestore.protobuf.table_store_pb2 as pb

from bot.adapters.store import StoreError
from bot.adapters.tablestore_client import TABLE, make_table
from sandbox.http import Drop
from tablestore_stub import BUSY, KEYS, NO_RIGHT, NOT_READY, TablestoreStub, place


@pytest.fixture
def stub():
    with TablestoreStub() as stub:
        yield stub


def made(stub, slept=None):
    return make_table(place(stub), lambda: KEYS, sleep=([] if slept is None else slept).append)


def test_the_table_has_one_key_keeps_one_version_for_ever_and_reserves_nothing(stub):
    assert made(stub)
    table = stub.tables[TABLE]
    assert [(key.name, key.type) for key in table.schema.primary_key] == [("key", pb.STRING)]
    assert (table.options.time_to_live, table.options.max_versions, table.reserved) == (-1, 1, (0, 0))


def test_a_table_that_is_there_is_fine(stub):
    made(stub)
    assert not made(stub)


def test_a_new_table_is_waited_for(stub):
    slept = []
    stub.fail("GetRow", NOT_READY, times=4)  # of which the client itself makes up for two
    assert made(stub, slept)
    assert slept == [1.0]


def test_a_table_that_is_never_ready_is_not_waited_for_for_ever(stub, monkeypatch):
    monkeypatch.setattr("tablestore.DefaultRetryPolicy.get_retry_delay", lambda *_: 0)
    slept = []
    stub.fail("GetRow", NOT_READY, times=1_000)
    with pytest.raises(StoreError, match="not ready after 60 s"):
        made(stub, slept)
    assert len(slept) == 60


@pytest.mark.parametrize("api", ["CreateTable", "GetRow"])
def test_what_the_keys_may_not_do_is_said(stub, api):
    stub.fail(api, NO_RIGHT)
    with pytest.raises(StoreError, match="these keys may not do that"):
        made(stub)


def test_another_table_of_that_name_is_left_alone(stub):
    made(stub)
    stub.tables[TABLE].options.time_to_live = 86_400
    with pytest.raises(StoreError, match="or has a time to live"):
        made(stub)
    stub.tables[TABLE].options.time_to_live = -1
    stub.tables[TABLE].schema.primary_key[0].name = "id"
    with pytest.raises(StoreError, match="is another's"):
        made(stub)


def test_an_instance_that_does_not_answer_is_said(stub):
    stub.fail("CreateTable", Drop)
    with pytest.raises(StoreError, match="does not answer"):
        made(stub)


def test_a_busy_instance_is_asked_again(stub, monkeypatch):
    monkeypatch.setattr("tablestore.DefaultRetryPolicy.get_retry_delay", lambda *_: 0)
    stub.fail("CreateTable", BUSY, times=2)
    assert made(stub)
