"""Names as ranges, and back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.ranges import ranges


def expanded(item: str) -> list[str]:
    """The names that a range stands for: what a reader makes of it."""
    match = re.fullmatch(r"(.*)\[([0-9,-]+)\](.*)", item, re.DOTALL)
    if match is None:
        return [item]
    names = []
    for part in match[2].split(","):
        first, _, last = part.partition("-")
        numbers = range(int(first), int(last or first) + 1)
        names += [f"{match[1]}{str(number).zfill(len(first))}{match[3]}" for number in numbers]
    return names


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([], []),
        (["web-01"], ["web-01"]),
        (["web-03", "web-01", "web-02", "web-07", "web-01"], ["web-[01-03,07]"]),
        (["web-1", "web-2"], ["web-[1,2]"]),
        (["web-8", "web-08", "web-09", "web-10"], ["web-8", "web-[08-10]"]),
        (["web-98", "web-99", "web-100"], ["web-[98-100]"]),
        (["api-hk-04", "api-hk-09", "db"], ["api-hk-[04,09]", "db"]),
        (["a1.x", "a2.x", "a3.x", "a1.y"], ["a1.y", "a[1-3].x"]),
        (["i-bp1aaaa1", "i-bp1aaaa2"], ["i-bp1aaaa1", "i-bp1aaaa2"]),  # ids are random
        (["1", "2", "3"], ["[1-3]"]),
        (["a[1]", "a[2]", "b,1", "b,2"], ["a[1]", "a[2]", "b,1", "b,2"]),  # our own marks are never folded
        (["x1234567890", "x1234567891"], ["x1234567890", "x1234567891"]),
    ],
)
def test_ranges(names: list[str], told: list[str]) -> None:
    assert ranges(names) == told


NAMES = st.one_of(
    st.builds("{}{}".format, st.sampled_from(["web-", "db", "", "a1b-"]), st.integers(0, 120)),
    st.builds("web-{}.x".format, st.integers(0, 120)),
    st.builds("web-{:02d}".format, st.integers(0, 120)),
    st.builds("web-{:03d}".format, st.integers(0, 120)),
    st.text("ab01-[],\n", max_size=6),
)  # fmt: skip


@given(st.lists(NAMES, max_size=40))
def test_ranges_expand_back_to_the_names(names: list[str]) -> None:
    told = [name for item in ranges(names) for name in ([item] if item in names else expanded(item))]
    assert sorted(told) == sorted(set(names))
