from __future__ import annotations

import pytest

from bot.core.characters import harmless


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a\tb\nc", "a\tb\nc"),
        ("a\x00\x1b\x7f\x9b\rb", "ab"),
        ("\u202e\u200f\ufeff\ud83d\U000e0041x", "x"),
        ("😀é中", "😀é中"),
    ],
)
def test_harmless(text: str, left: str) -> None:
    assert harmless(text) == left
