"""Block Kit atoms: whatever comes in, Slack takes what goes out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import blocks as b
from core.samples import HOSTILE, payload
from sandbox.block_kit import message_problems, pings, problems

ANY = st.one_of(st.text(st.characters(), max_size=300), st.text("&<>😀a ", max_size=300), st.sampled_from(HOSTILE))
MOMENT = datetime(2026, 11, 24, 5, 0, tzinfo=timezone(timedelta(hours=8)))


@given(ANY, st.integers(1, 320))
def test_clip(text: str, most: int) -> None:
    assert b.width(b.clip(text, most)) <= most
    assert b.clip(text, b.width(text)) == text


@given(ANY, st.integers(1, 320))
def test_mrkdwn_stays_within_its_limit_and_halves_no_entity(text: str, most: int) -> None:
    told = b.mrkdwn(text, most)
    assert b.width(told) <= most
    assert not re.search(r"[<>]|&(?!(?:amp|lt|gt);)", told)
    assert b.clip_escaped(b.escape(text), most) is not None
    assert not re.search(r"&(?!(?:amp|lt|gt);)", b.clip_escaped(b.escape(text), most))


@pytest.mark.parametrize(
    ("text", "most", "told"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("a<b", 6, "a&lt;b"),
        ("a<bc", 6, "a&lt;…"),
        ("a<bc", 5, "a…"),
        ("a  <", 5, "a…"),
    ],
)
def test_cut(text: str, most: int, told: str) -> None:
    assert b.mrkdwn(text, most) == told


@given(ANY, ANY)
def test_every_atom_passes_and_rings_nobody(one: str, two: str) -> None:
    blocks = [
        b.header(one),
        b.context(b.escape(one), b.escape(two)),
        b.rich_text(b.line(b.words(one, bold=True), b.words(two, code=True)), b.preformatted(one)),
        b.rich_text(b.line(b.words(one)), b.line(b.words(two), b.moment(MOMENT))),
    ]
    assert problems(blocks) == []
    assert pings({"blocks": blocks}) == []


@given(st.lists(ANY, max_size=70), st.integers(0, 3_000))
def test_any_message_is_within_the_limits_of_the_whole(texts: list[str], repeat: int) -> None:
    message = b.within_limits(b.escape("".join(texts)), [b.rich_text(b.preformatted(text * repeat)) for text in texts])
    assert message_problems(payload(message)) == []
    assert b.size(message.blocks) <= b.MOST_IN_ALL + 100
    assert b.width(message.text) <= b.MOST_TEXT


def test_a_paragraph_ends_its_line_where_another_follows() -> None:
    made = b.rich_text(
        b.line(b.words("a")), b.line(b.words("b\n")), b.line(b.words("c")), b.preformatted("d"), b.line(b.words("e"))
    )
    ends = [part["elements"][-1]["text"] for part in made["elements"]]
    assert ends == ["\n", "b\n", "c", "d", "e"]


def test_context_leaves_out_what_has_no_room() -> None:
    long = "x" * (b.MOST_CONTEXT - 1)
    assert b.context("a", long, "b")["elements"][0]["text"] == "a · b"
    assert b.context()["elements"][0]["text"] == "…"


def test_what_is_empty_is_shown_as_such() -> None:
    assert b.preformatted(" \x00\n")["elements"][0]["text"] == "(no output)"
    assert b.words("")["text"] == " "
    assert b.plain("\x00 ", 75) == "…"
    assert b.within_limits("", []).text == "…"


def test_moments_stand_in_the_readers_zone_and_utc_where_a_client_cannot() -> None:
    seconds = int(datetime(2026, 11, 23, 21, tzinfo=UTC).timestamp())
    assert b.date(MOMENT) == f"<!date^{seconds}^{{date_short_pretty}} {{time}}|2026-11-23 21:00 UTC>"
    assert b.moment(MOMENT, "{time}") == {
        "type": "date",
        "timestamp": seconds,
        "format": "{time}",
        "fallback": "2026-11-23 21:00 UTC",
    }
