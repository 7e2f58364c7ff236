"""Equal outputs folded into one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.folding import OutputReader
from core.samples import failed, results_of


def read_all(*outputs: str | bytes, dropped: int = 0) -> list[object]:
    reader = OutputReader()
    rows = results_of(failed(f"i-{n}", output, Dropped=dropped) for n, output in enumerate(outputs))
    return [reader.read(row) for row in rows]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("ok", "ok \n\n"),
        ("ok", "\x1b[32mok\x1b[0m"),
        ("10%\r100%\ndone", "100%\ndone"),
        ("a\r\nb", "a\nb"),
    ],
)
def test_alike(one: str, two: str) -> None:
    first, second = read_all(one, two)
    assert first is second


def test_not_alike() -> None:
    first, second = read_all("ok", "OK")
    assert first != second


def test_of_equal_outputs_the_one_with_most_missing_speaks() -> None:
    reader = OutputReader()
    rows = results_of(failed(f"i-{missing}", "x", Dropped=missing) for missing in (0, 9, 3))
    for one in rows:
        reader.read(one)
    assert [reader.read(one).dropped for one in rows] == [9, 9, 9]


@given(st.binary(max_size=200))
def test_folding_is_idempotent(raw: bytes) -> None:
    (first,) = read_all(raw)
    (again,) = read_all(first.text)  # type: ignore[attr-defined]
    assert again.text == first.text  # type: ignore[attr-defined]
