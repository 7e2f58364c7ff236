"""Spans of time as people type them."""

from __future__ import annotations

import pytest

from bot.core.spans import seconds_of, written


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("30m", 1_800),
        ("30min", 1_800),
        ("2H", 7_200),
        ("2hours", 7_200),
        ("1h30m", 5_400),
        ("1d12h", 129_600),
        ("45s", 45),
        ("2小时", 7_200),
        ("30分钟", 1_800),
        ("0h", 0),
        ("30", 0),
        ("m", 0),
        ("30m1h", 0),
        ("", 0),
        ("soon", 0),
    ],
)
def test_how_long_a_span_is(typed: str, seconds: int) -> None:
    assert seconds_of(typed) == seconds


@pytest.mark.parametrize("words", ["45s", "90s", "30m", "90m", "2h", "36h", "3d"])
def test_a_span_is_written_as_it_is_read(words: str) -> None:
    assert written(seconds_of(words)) == words
