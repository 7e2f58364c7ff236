"""Mutes and missed expectations, read from rows that another version may have written."""

from bot import what_stands
from bot.adapters.store import SQLiteStore, StoreError
from bot.core.what_stands import Muted, WhatStands


class Broken:
    def list(self, prefix, now):
        raise StoreError("disk full")


def test_a_store_that_does_not_answer_is_told_as_such():
    assert what_stands.of_channel(Broken(), "C1", 100.0) == WhatStands(known=False)


def test_mutes_that_are_over_and_fields_that_are_not_known_are_left_out(tmp_path):
    store = SQLiteStore(str(tmp_path / "bot.sqlite3"))
    store.put("mute/C1/1", {"words": "command:a", "by_name": "mei", "until": 50.0}, 1_000.0)
    store.put("mute/C1/2", {"until": "tomorrow"}, 1_000.0)
    store.put("expectation/C1/1", {"missed": ""}, 1_000.0)
    store.put("expectation/C2/1", {"missed": "of another channel"}, 1_000.0)
    assert what_stands.of_channel(store, "C1", 100.0) == WhatStands((Muted(""),))
    store.close()
