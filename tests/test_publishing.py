"""Of two pages that race, the newer one is seen in the end."""

import pytest

from bot.adapters.store import SQLiteStore, StoreError
from bot.core.errors import SlackError
from bot.publishing import publish


class Slack:
    """A peer in this process: shows one view, and lets something happen just before it takes a call."""

    def __init__(self):
        self.view, self.hash, self.calls = None, "", 0
        self.before = []

    def publish(self, user_id, view, expected=""):
        self.calls += 1
        if self.before:
            self.before.pop(0)()
        if expected and expected != self.hash:
            raise SlackError("views.publish", "hash_conflict")
        self.view, self.hash = view, f"h{self.calls}"
        return self.hash


@pytest.fixture
def slack():
    return Slack()


@pytest.fixture
def store(tmp_path):
    store = SQLiteStore(str(tmp_path / "bot.sqlite3"))
    yield store
    store.close()


def show(slack, store, name, made):
    publish(slack, store, "home-shown/T1/U1", "U1", {"name": name}, made)


def test_one_after_another_each_is_seen(slack, store):
    for number in range(3):
        show(slack, store, number, 100.0 + number)
        assert slack.view == {"name": number}
    assert slack.calls == 3


def test_what_is_older_than_what_is_shown_is_dropped(slack, store):
    show(slack, store, "new", 200.0)
    show(slack, store, "old", 100.0)
    assert (slack.view, slack.calls) == ({"name": "new"}, 1)


def test_an_older_one_on_its_way_does_not_go_over_a_newer_one(slack, store):
    show(slack, store, "first", 100.0)
    slack.before.append(lambda: show(slack, store, "new", 102.0))
    show(slack, store, "old", 101.0)
    assert slack.view == {"name": "new"}


def test_a_newer_one_goes_over_an_older_one_that_came_between(slack, store):
    show(slack, store, "first", 100.0)
    slack.before.append(lambda: slack.publish("U1", {"name": "another function instance's"}))
    show(slack, store, "new", 101.0)
    assert slack.view == {"name": "new"}


def test_conflicts_without_end_are_an_error(slack, store):
    show(slack, store, "first", 100.0)
    slack.publish = lambda *_: (_ for _ in ()).throw(SlackError("views.publish", "hash_conflict"))
    with pytest.raises(SlackError, match="hash_conflict"):
        show(slack, store, "new", 101.0)


def test_any_other_refusal_is_told_at_once(slack, store):
    def refuse():
        raise SlackError("views.publish", "not_enabled")

    slack.before.append(refuse)
    with pytest.raises(SlackError, match="not_enabled"):
        show(slack, store, "new", 101.0)
    assert slack.calls == 1


def test_a_record_that_has_expired_does_not_stop_the_next(slack, store):
    show(slack, store, "first", 100.0)
    show(slack, store, "next week", 100.0 + 7 * 86_400)
    assert slack.view == {"name": "next week"}


def test_without_a_store_the_last_one_is_seen(slack, store, monkeypatch):
    def broken(*_):
        raise StoreError("disk full")

    monkeypatch.setattr(store, "get", broken)
    show(slack, store, "new", 200.0)
    show(slack, store, "old", 100.0)
    assert slack.view == {"name": "old"}
