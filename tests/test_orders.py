"""What leaves something standing is done and said wholly, or not at all, whatever the store and Slack do."""

import pytest

from bot.adapters.store import StoreError
from rig import Rig
from sandbox.slack_workspace import BOT_USER, INCIDENTS
from test_reporting import break_store, settle, subscribe

BACKUP = "command:backup-* daily by:03:30 on:tag:backup=yes"
STANDING = ("subscription/", "mute/", "expectation/", "digest/")
BEGIN = {
    "subscribe": "subscribe command:deploy-* ring:U024BE7LH",
    "mute": "mute 2h",
    "expect": f"expect {BACKUP}",
    "digest": "digest daily 09:00",
}
END = {
    "unsubscribe": "unsubscribe everything",
    "unmute": "unmute",
    "unexpect": "unexpect everything",
    "digest off": "digest off",
}

KIND = {
    "subscribe": "subscription",
    "mute": "mute",
    "expect": "expectation",
    "digest": "digest",
    "unsubscribe": "subscription",
    "unmute": "mute",
    "unexpect": "expectation",
    "digest off": "digest",
}
SEVERAL = ("unsubscribe everything", "unmute", "unexpect everything")


@pytest.fixture
def rig(tmp_path, peers):
    with Rig(tmp_path, peers) as rig:
        subscribe(rig)
        yield rig


@pytest.fixture
def full(rig):
    """A channel in which two of each kind stand."""
    for words in (*BEGIN.values(), "mute command:other 2h", "expect command:other hourly by:00:10 on:instance:web-*"):
        rig.ask(words)
    return rig


def stands(rig):
    store = rig.worker._store
    return {one.key: one.value for prefix in STANDING for one in store.list(prefix, rig.time())}


def refuse_writes(rig, monkeypatch, refused):
    """`refused(number)` says of each write of what stands whether the store refuses it."""
    store, writes = rig.worker._store, []

    def breaking(real):
        def call(key, *arguments, **more):
            if key.startswith(STANDING):
                writes.append(key)
                if refused(len(writes)):
                    raise StoreError("away")
            return real(key, *arguments, **more)

        return call

    for method in ("put", "delete"):
        monkeypatch.setattr(store, method, breaking(getattr(store, method)))


@pytest.mark.parametrize(
    ("words", "write"),
    [
        ("subscribe command:new", 1),
        ("mute command:new 2h", 1),
        ("expect command:new hourly by:00:10 on:instance:web-*", 1),
        ("digest daily 10:00", 1),
        ("digest off", 1),
        *((words, write) for words in SEVERAL for write in (1, 2)),
    ],
)
def test_what_the_store_does_not_take_changes_nothing_and_says_so(full, monkeypatch, words, write):
    before = stands(full)
    refuse_writes(full, monkeypatch, lambda number: number == write)
    [said] = full.ask(words)
    assert said.text == "My store did not answer, so nothing was changed. Please try again in a minute."
    assert stands(full) == before


@pytest.mark.parametrize("words", SEVERAL)
def test_what_cannot_be_undone_is_not_called_unchanged(full, monkeypatch, words):
    refuse_writes(full, monkeypatch, lambda number: number > 1)
    [said] = full.ask(words)
    assert said.text.startswith("My store stopped answering in the middle of it")
    assert said.ephemeral_to


@pytest.mark.parametrize("words", [*BEGIN.values(), *END.values()])
def test_a_store_that_does_not_answer_at_all_is_told(full, monkeypatch, words):
    break_store(full, monkeypatch, lambda: True)
    [said] = full.ask(words)
    assert said.text.startswith("My store did not answer, so nothing was changed.")


@pytest.mark.parametrize("name", [*BEGIN, *END])
def test_what_slack_takes_only_later_is_said_as_what_it_is(rig, name):
    """Not as what stood already, or as what was gone already."""
    if name in END:
        for words in BEGIN.values():
            rig.ask(words)
    rig.slack.fail("429", method="chat.postMessage", times=1, retry_after=100)
    assert rig.work(rig.command({**BEGIN, **END}[name]))
    before = len(rig.said)
    settle(rig, 200)
    [said] = rig.said[before:]
    assert said.channel == INCIDENTS
    assert said.ephemeral_to is None
    assert "already" not in said.text
    kinds = {key.split("/")[0] for key in stands(rig)}
    assert (KIND[name] in kinds) == (name in BEGIN)


@pytest.mark.parametrize("words", BEGIN.values())
def test_what_stood_stands_as_it_was_where_it_cannot_be_said_anew(full, words):
    before = stands(full)
    full.slack.workspace.channels[INCIDENTS].members.discard(BOT_USER)
    full.time.sleep(60)
    full.ask(words)
    assert stands(full) == before


@pytest.mark.parametrize("words", [*END.values(), "subscriptions", "expectations"])
def test_where_the_bot_cannot_post_who_asks_is_told_alone(full, words):
    full.slack.workspace.channels[INCIDENTS].members.discard(BOT_USER)
    before = stands(full)
    [said] = full.ask(words)
    assert said.ephemeral_to or said.channel != INCIDENTS
    assert (stands(full) == before) == (words in ("subscriptions", "expectations"))


def test_what_was_held_back_waits_for_the_timer_where_it_cannot_be_queued_now(full, monkeypatch, caplog):
    real = full.worker._store.list

    def breaking(prefix, now):
        if prefix == "held/":
            raise StoreError("away")
        return real(prefix, now)

    monkeypatch.setattr(full.worker._store, "list", breaking)
    [said] = full.ask("unmute command:other")
    assert said.text.startswith("mei has ended the mute of other.")
    assert "waits for the timer" in caplog.text
