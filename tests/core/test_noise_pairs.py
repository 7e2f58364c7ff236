"""Pairs of outputs that must never be one, and pairs that must: the wordings of programs on Linux and Windows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from bot.core.folding import OutputReader

CORPUS = Path(__file__).parent / "corpus" / "pairs.txt"
Pair = tuple[str, str]


def _pairs(kind: str) -> Iterator[Pair]:
    _, section = CORPUS.read_text(encoding="utf-8").split(f"\n{kind}\n")
    for line in section.split("\n\n")[0].splitlines():
        text, *values = line.split("\t")
        assert "{}" in text, line
        yield from combinations([text.replace("{}", value) for value in values], 2)


APART, ONE = list(_pairs("APART")), list(_pairs("ONE"))
# What stands around decides nothing: a prompt above, a time before, words below.
AROUND = ("{}", "+ sh deploy.sh\n{}\nsecond line", "2024-01-15 12:30:01 {}")


def _are_one(pair: Pair) -> bool:
    reader = OutputReader()
    one, two = (reader.alike(text, ()).key for text in pair)
    return one == two


def test_there_are_many_of_both() -> None:
    assert len(APART) > 600
    assert len(ONE) > 180


@pytest.mark.parametrize("around", AROUND)
def test_what_says_something_else_stays_apart(around: str) -> None:
    assert [pair for pair in APART if _are_one((around.format(pair[0]), around.format(pair[1])))] == []


@pytest.mark.parametrize("around", AROUND[:2])
def test_what_says_the_same_is_one(around: str) -> None:
    assert [pair for pair in ONE if not _are_one((around.format(pair[0]), around.format(pair[1])))] == []
