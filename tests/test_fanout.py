"""Calls at once, within a limit."""

import threading
import time

import pytest

from bot.core.errors import Denied, Unavailable
from bot.core.manners import AT_ONCE, Priority
from bot.fanout import Fanout


@pytest.fixture
def fanout():
    return Fanout(time.time() + 30, time.time)


def raising(error):
    def call():
        raise error

    return call


def test_replies_and_failures_come_in_the_order_of_the_calls(fanout):
    denied = Denied("DescribeInvocations", "b", "Forbidden.RAM")
    gathered = fanout.together({"c": lambda: 3, "b": raising(denied), "a": lambda: 1})
    assert list(gathered.replies.items()) == [("c", 3), ("a", 1)]
    assert gathered.failed == {"b": denied}
    assert gathered.first_error() is denied


def test_all_calls_run_at_once(fanout):
    """Twenty calls that wait for each other: one after another they would wait for ever."""
    meeting = threading.Barrier(20, timeout=5)
    assert len(fanout.together(dict.fromkeys(range(20), meeting.wait)).replies) == 20


def test_the_pool_is_bounded(fanout):
    running, most, lock = 0, 0, threading.Lock()

    def call():
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.001)
        with lock:
            running -= 1

    assert len(fanout.together(dict.fromkeys(range(200), call)).replies) == 200
    assert most <= AT_ONCE[Priority.PEOPLE]


def test_who_does_not_reply_is_a_failure_and_not_waited_for(fanout):
    never = threading.Event()
    gathered = fanout.together({"slow": never.wait, "quick": lambda: 1}, limit=0.05)
    never.set()
    assert gathered.replies == {"quick": 1}
    assert isinstance(gathered.failed["slow"], Unavailable)


def test_the_deadline_of_the_question_counts_too():
    never = threading.Event()
    gathered = Fanout(time.time() - 1, time.time).together({"slow": never.wait}, limit=9)
    never.set()
    assert list(gathered.failed) == ["slow"]


def test_enough_is_enough(fanout):
    never = threading.Event()
    gathered = fanout.together({"slow": never.wait, "found": lambda: 1}, enough=lambda replies: "found" in replies)
    never.set()
    assert (gathered.replies, gathered.failed) == ({"found": 1}, {})


def test_a_bug_is_raised(fanout):
    with pytest.raises(ZeroDivisionError):
        fanout.together({"a": raising(ZeroDivisionError())})


def test_nothing_to_call(fanout):
    assert fanout.together({}).replies == {}


def test_what_is_spare_is_not_waited_for_longer_than_its_grace(fanout):
    never = threading.Event()
    calls = {"needed": lambda: 1, "late": never.wait}
    gathered = fanout.together(calls, spare=lambda key: key == "late", grace=0.0)
    assert gathered.replies == {"needed": 1}
    assert isinstance(gathered.failed["late"], Unavailable)
    never.set()


def test_what_is_spare_and_there_in_time_comes_with_the_rest(fanout):
    order = threading.Event()
    calls = {"needed": order.set, "spare": lambda: order.wait(20) and 2}
    assert fanout.together(calls, spare=lambda key: key == "spare", grace=20.0).replies == {"needed": None, "spare": 2}
