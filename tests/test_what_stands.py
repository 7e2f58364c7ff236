"""What stands for a channel, for digests and handovers."""

from bot import expected, mutes, what_stands
from bot.adapters.store import SQLiteStore, StoreError
from bot.core.expectations import read
from bot.core.quiet import Mute
from bot.core.what_stands import Muted, WhatStands
from bot.expected import Expected


class Broken(SQLiteStore):
    def __init__(self):
        super().__init__("")

    def list(self, prefix, now):
        raise StoreError("away")


def test_a_store_that_does_not_answer_is_told_as_such():
    assert what_stands.of_channel(Broken(), "C1", 100.0) == WhatStands(known=False)


def test_active_mutes_and_what_was_missed_last(tmp_path):
    store = SQLiteStore(f"{tmp_path}/bot.sqlite3")
    mutes.add(store, "C1", [Mute(("backup-*",), 200.0, "00:03 UTC", by_name="mei")])
    mutes.add(store, "C1", [Mute((), 90.0, "00:01 UTC")])
    wish = read(["command:backup-*", "daily", "by:03:30", "on:tag:backup=yes"])
    expected.add(store, [Expected("C1", wish, "UTC", 500.0, missed_at=60.0, missing=2)])
    expected.add(store, [Expected("C1", read(["command:x", "hourly", "on:instance:i-abc1"]), "UTC", 500.0)])
    stands = what_stands.of_channel(store, "C1", 100.0)
    store.close()
    assert stands.mutes == (Muted("backup-*", "mei", 200.0),)
    [missed] = stands.missed
    assert missed.endswith("due 1970-01-01 00:01 UTC: 2 instances without a good run.")
