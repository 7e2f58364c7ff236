"""Replies that are a few seconds old: shared, forgotten, and never more than a bound."""

from bot.adapters.shared_replies import MOST, MOST_TEXT, SharedReplies


def test_a_reply_is_shared_for_five_seconds():
    shared = SharedReplies()
    shared.put(("a",), {"x": "1"}, 100.0)
    assert shared.get(("a",), 104.9) == (100.0, {"x": "1"})
    assert shared.get(("b",), 104.9) is None
    assert shared.get(("a",), 105.0) is None


def test_a_clock_that_was_set_back_makes_replies_old():
    shared = SharedReplies()
    shared.put(("a",), {}, 100.0)
    assert shared.get(("a",), 99.0) is None


def test_a_reply_that_was_slow_to_come_throws_out_none_that_was_asked_for_later():
    shared = SharedReplies()
    shared.put(("quick",), {}, 100.2)
    shared.put(("slow",), {}, 100.1)
    assert shared.get(("quick",), 101.0) is not None
    assert shared.get(("slow",), 101.0) is not None


def test_the_oldest_make_room():
    shared = SharedReplies()
    for number in range(MOST + 1):
        shared.put((str(number),), {}, 100.0)
    assert shared.get(("0",), 100.0) is None
    assert shared.get((str(MOST),), 100.0) is not None


def test_long_replies_make_room_for_longer_ones_and_the_longest_is_not_kept():
    shared = SharedReplies()
    shared.put(("a",), {"rows": [{"Output": "x" * (MOST_TEXT - 10)}, 7]}, 100.0)
    shared.put(("b",), {"Output": "x" * 20}, 100.0)
    assert shared.get(("a",), 100.0) is None
    assert shared.get(("b",), 100.0) is not None
    shared.put(("c",), {"Output": "x" * (MOST_TEXT + 1)}, 100.0)
    assert shared.get(("c",), 100.0) is None


def test_the_same_question_again_takes_the_place_of_the_first():
    shared = SharedReplies()
    shared.put(("a",), {"x": "1"}, 100.0)
    shared.put(("a",), {"x": "2"}, 101.0)
    assert shared.get(("a",), 104.0) == (101.0, {"x": "2"})
