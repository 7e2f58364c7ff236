"""Typing noise: what phones, input methods and Slack make of a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.words import words_of

KEYS = ("region", "name", "tag")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", []),
        ("   \t\n ", []),
        ("a b", ["a", "b"]),
        ("a\u00a0b\u2003c\u3000d", ["a", "b", "c", "d"]),  # spaces that are not spaces
        ("a,b;c、d，e；f", ["a", "b", "c", "d", "e", "f"]),
        ("“two words” x", ["two words", "x"]),
        ("'two words' «three of them»", ["two words", "three of them"]),
        ("name:‘my host’", ["name:my host"]),
        ("it's 5\" long", ["it's", "5", "long"]),  # a quote that nothing closes
        ("web–01 —failed t‑x", ["web-01", "--failed", "t-x"]),
        ("ｔ－ａｂｃ１２３ region：cn－hangzhou", ["t-abc123", "region:cn-hangzhou"]),
        ("we\u200bb-\ufeff01\u200e", ["web-01"]),
        ("`t-abc123`。", ["t-abc123"]),
        ("(t-abc123), [x-1]!", ["t-abc123", "x-1"]),
        ("t-abc123: ok?", ["t-abc123", "ok"]),
        ("fe80::", ["fe80::"]),
        ("x.):", ["x"]),
        ("region: cn-hangzhou tag= a=b", ["region:cn-hangzhou", "tag=a=b"]),
        ("region:", ["region:"]),
        ("“region:” x", ["region:", "x"]),
        ('["i-a1", "i-b2"]', ["i-a1", "i-b2"]),  # a pasted list
        ("<http://web-01.example.com|web-01.example.com>", ["web-01.example.com"]),
        ("<http://10.0.0.7/|10.0.0.7>", ["10.0.0.7"]),
        ("<mailto:a@b.c|a@b.c>", ["a@b.c"]),
        ("<https://x.example/?a=1&amp;b=2|console>", ["https://x.example/?a=1&b=2"]),
        ("<https://x.example/y>", ["https://x.example/y"]),
        ("name:<http://a-1.example|a-1.example>", ["name:a-1.example"]),
        ("<@U012AB3CD> <#C1|web-01> <!here> t-1", ["t-1"]),
        ("&lt;t-abc&gt; a&amp;b", ["t-abc", "a&b"]),
        ("\x00t-\x1babc\x1fd", ["t-abc", "d"]),
        ('"a"\'"\'"b"', ['a"b']),
        ('"" t-1 ("")', ["t-1"]),
        ("t-1 — “failed” – why ...", ["t-1", "failed", "why"]),  # dashes and dots between words
        ("• t-1 | t-2 -> t-3 & *", ["t-1", "t-2", "t-3", "*"]),
        ("'-' --", ["-"]),  # what was quoted is meant
    ],
)
def test_words(typed: str, words: list[str]) -> None:
    assert words_of(typed, KEYS) == words


@given(st.text(max_size=200))
def test_no_word_is_empty_or_holds_our_own_mark(text: str) -> None:
    assert all(word and "\0" not in word for word in words_of(text, KEYS))
