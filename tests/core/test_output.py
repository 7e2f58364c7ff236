"""Decoding, cleaning and cutting output: whatever comes in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.characters import harmless
from bot.core.output import HOLE, clean, excerpt, one_line, read


@pytest.mark.parametrize(
    ("raw", "dropped", "text", "encoding"),
    [
        (b"", 0, "", "utf-8"),
        ("中文 ok\n".encode(), 0, "中文 ok", "utf-8"),
        ("中文 ok".encode("gb18030"), 0, "中文 ok", "gb18030"),
        ("中文".encode()[:-1], 0, "中", "utf-8"),  # cut at the end
        ("中文".encode()[1:], 0, "文", "utf-8"),  # cut at the start
        ("a中文字".encode("gb18030")[:-1], 0, "a中文", "gb18030"),
        ("中".encode()[:2] + "文b".encode(), 5, f"\n{HOLE}\n文b".strip("\n"), "utf-8"),
        (b"a" + "中".encode()[:2] + "文b".encode(), 5, f"a\n{HOLE}\n文b", "utf-8"),
        (b"a\xe4\xb8b", 5, f"a\n{HOLE}\nb", "utf-8"),
        (
            b"\xc4\n" + ("文字" * 9).encode("gb18030"),
            5,
            f"{HOLE}\n\n{'文字' * 9}",
            "gb18030",
        ),  # half a character before the line's end
        (b"a\xff\xfeb", 0, "a\ufffd\ufffdb", "unreadable"),
        (b"a\xff" * 30, 7, "a\ufffd" * 30, "unreadable"),
    ],
)
def test_decoded(raw: bytes, dropped: int, text: str, encoding: str) -> None:
    output = read(raw, dropped)
    assert (output.text, output.encoding, output.dropped) == (text, encoding, dropped)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a  \nb\t \n\n", "a\nb"),
        ("one\r\ntwo\r\r\n", "one\ntwo"),
        ("\x1b[1;31mred\x1b[0m \x1b]0;title\x07x\x1b(B", "red x"),
        ("\x1b]8;;http://x\x1b\\link\x1bPq\x1b\\ \x9b31mz", "link z"),
        ("10%\r50%\r100%\rdone\r  \nnext", "done\nnext"),
        ("\r\r", ""),
        ("ab\b\bxy", "xy"),
        ("\b\ba", "a"),
        ("a\bb\b\b\bc", "c"),
        ("N\bNA\bA", "NA"),
        ("a\x00b\x07c\u202ed\ufeff", "abcd"),
        ("\tx\ty", "    x   y"),
        ("a\x85b\u2028c\u2029d", "a\nb\nc\nd"),
        ("half\ud83d", "half"),
    ],
)
def test_cleaned(raw: str, text: str) -> None:
    assert clean(raw) == text


def test_a_name_stands_on_one_line() -> None:
    assert one_line(" line\nbreak\x00  nul ") == "line break nul"


@pytest.mark.parametrize(
    ("text", "lines", "characters", "shown"),
    [
        ("a\nb", 8, 100, "a\nb"),
        ("\n".join("abcdefghij"), 6, 300, "a\nb\n… 5 lines, 10 characters not shown …\nh\ni\nj"),
        ("\n".join("abcd"), 3, 300, "… 2 lines, 4 characters not shown …\nc\nd"),
        (f"{'x' * 60}\n{'y' * 30}\n{'z' * 30}", 8, 120, f"… 1 line, 61 characters not shown …\n{'y' * 30}\n{'z' * 30}"),
        (
            "\n".join(["x" * 200, "y" * 200, *["a" * 10] * 3]),
            8,
            300,
            "\n".join([f"{c * 20} … 160 characters not shown … {c * 20}" for c in "xy"] + ["a" * 10] * 3),
        ),
        ("x" * 30 + "y" * 70, 8, 100, f"{'x' * 8} … 84 characters not shown … {'y' * 8}"),
    ],
)
def test_excerpt(text: str, lines: int, characters: int, shown: str) -> None:
    assert excerpt(text, lines, characters) == shown


@given(st.text(st.characters(codec="utf-8"), max_size=2_000), st.integers(3, 8), st.integers(80, 400))
def test_an_excerpt_stays_within_its_lines_and_about_its_characters(text: str, lines: int, most: int) -> None:
    text = clean(text)
    shown = excerpt(text, lines, most)
    assert len(shown.split("\n")) <= lines
    assert len(shown) <= most + 100


@given(st.binary(max_size=500), st.integers(0, 9))
def test_any_bytes_are_read_and_cleaning_is_idempotent(raw: bytes, dropped: int) -> None:
    output = read(raw, dropped)
    output.text.encode()
    assert clean(output.text) == output.text
    assert harmless(output.text) == output.text


@given(st.text("a中é \n", min_size=1), st.integers(0, 40))
def test_utf_8_cut_anywhere_at_its_ends_is_still_utf_8(text: str, cut: int) -> None:
    raw = text.encode()
    assert read(raw[cut:]).encoding == read(raw[: len(raw) - cut]).encoding == "utf-8"


ADVERSARIAL = {
    **{repr(piece): piece for piece in (
        "\b", "a\b", "\x1b[", "\x1b]", "\x1bP", "\x9b", "\t", " ", "\r", "a\r", "\r\n", "a", "&", "\x85", "\u202e",
    )},
    "a gap": " " * 24_000 + "x",
    "tabs": "\t" * 24_000 + "x",
    "carriage returns": "\r" * 24_000 + "x",
    "back again": "a" * 12_000 + "\b" * 12_000,
    "progress": "\r".join(f"{n % 100}% [{'#' * 20}]" for n in range(900)),
}  # fmt: skip


@pytest.mark.parametrize("case", ADVERSARIAL)
def test_24_kb_of_anything_become_a_few_lines(case: str) -> None:
    raw = (ADVERSARIAL[case] * 24_000)[:24_001].encode()
    shown = excerpt(read(raw, 1).text, 8, 300)
    assert len(shown.split("\n")) <= 8
    assert len(shown) <= 400
