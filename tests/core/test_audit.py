"""An entry of the audit, as it is kept and as it is told."""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.audit import CHANNEL, Entry, entry_from, kind_of

ENTRY = Entry(
    at=1_764_000_000.5,
    act="asked",
    user="U1",
    team="T1",
    channel="C1",
    channel_kind="public channel",
    to=CHANNEL,
    message="1764000000.000100",
    runs=("t-1", "t-2"),
    trace="0123abcd",
    outcome="done",
)


def test_an_entry_is_read_back_as_it_was_kept_and_unknown_fields_are_left_out() -> None:
    assert entry_from({**ENTRY.value(), "runs": ["t-1", "t-2"], "mood": "calm"}) == ENTRY


def test_an_entry_is_told_in_one_line() -> None:
    assert ENTRY.told() == (
        "2025-11-24 16:00:00 UTC  U1, asked, in C1 (public channel), for the channel, message 1764000000.000100, "
        "done, trace 0123abcd"
    )


def test_what_nobody_asked_for_and_what_was_picked_are_told() -> None:
    told = Entry(at=0, act="file", file="F1", picked="g0", outcome="done", trace="x").told()
    assert told.endswith("nobody asked, file, where no channel is known, for the person, file F1, of g0, done, trace x")


def test_a_terminal_gets_nothing_but_printable_letters() -> None:
    assert "\x1b" not in Entry(at=0, act="asked", user="U1\x1b[2J\n", outcome="done").told()


@pytest.mark.parametrize(
    ("channel_id", "known", "kind"),
    [
        ("D1", None, "direct message"),
        ("C1", {}, "public channel"),
        ("C1", {"is_private": True}, "private channel"),
        ("G1", {"is_private": True, "is_mpim": True}, "group direct message"),
        ("C1", None, "a kind that I could not see"),
    ],
)
def test_the_kind_of_a_channel(channel_id: str, known: dict[str, Any] | None, kind: str) -> None:
    assert kind_of(channel_id, known) == kind
