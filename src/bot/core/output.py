"""Output as a person can read it: decoded, without terminal control, with the hole where one is seen.

Cloud Assistant merges stdout and stderr, cuts at about 24 KB at a byte (the hole has no mark in the text), and
sends what a Chinese Windows wrote as GBK. Terminal escapes, NUL and progress bars come through as they were.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from bot.core.characters import harmless
from bot.core.texts import _, counted

HOLE = "⟨bytes are missing, probably here⟩"

_LONGEST_BREAK = 6  # bytes: what is left of two characters on both sides of a cut


@dataclass(frozen=True, slots=True)
class Output:
    """`encoding` is "utf-8", "gb18030" or "unreadable" (some bytes shown as U+FFFD); `dropped` in bytes."""

    text: str
    encoding: str = "utf-8"
    dropped: int = 0


def read(raw: bytes, dropped: int = 0) -> Output:
    """The output of one result. Never fails: what no encoding explains is shown with U+FFFD."""
    for encoding in ("utf-8", "gb18030"):
        parts = _decode(raw, encoding, may_have_hole=dropped > 0)
        if parts is not None:
            cleaned = [clean(part) for part in parts]
            return Output(f"\n{HOLE}\n".join(cleaned).strip("\n"), encoding, dropped)
    return Output(clean(raw.decode("utf-8", "replace")).strip("\n"), "unreadable", dropped)


def _decode(raw: bytes, encoding: str, *, may_have_hole: bool) -> list[str] | None:
    """The text in one part, or in two where a cut shows as a broken character in the middle; None if not this.

    A character broken at an end does not disqualify: the agent cuts between bytes.
    """
    for skipped in range(_broken_start(raw, encoding) + 1):
        text, stopped_at = _decode_until_broken(raw[skipped:], encoding)
        if stopped_at is None:
            return [text]
        if not may_have_hole:
            continue
        for after in range(skipped + stopped_at + 1, skipped + stopped_at + 1 + _LONGEST_BREAK):
            rest, broken = _decode_until_broken(raw[after:], encoding)
            if broken is None:
                return [text, rest]
    return None


def _broken_start(raw: bytes, encoding: str) -> int:
    """How many bytes at the start belong to a character whose beginning was cut off; GB18030 does not show it."""
    lead = raw[:3] if encoding == "utf-8" else b""
    return len(lead) - len(lead.lstrip(bytes(range(0x80, 0xC0))))


def _decode_until_broken(raw: bytes, encoding: str) -> tuple[str, int | None]:
    """The text up to the first invalid byte and its place; an unfinished character at the end is left out."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(raw), None
    except UnicodeDecodeError as error:
        return raw[: error.start].decode(encoding, "ignore"), error.start


_ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor
    r"|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)?"  # OSC: titles, links
    r"|\x1b[PX^_][^\x1b\n]*(?:\x1b\\)?"  # DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-~]?"
    r"|\x9b[0-?]*[ -/]*[@-~]?"
)


def clean(text: str) -> str:
    """Without escapes, controls and trailing white space; of a progress bar (`\\r`) the last state.

    Lines are cut by `str` methods: a pattern for white space before a line's end takes quadratic time on a long gap.
    """
    if "\x1b" in text or "\x9b" in text:
        text = _ESCAPE.sub("", text)
    for line_end in "\x85\u2028\u2029":
        text = text.replace(line_end, "\n")
    if "\r" in text or "\b" in text:
        text = "\n".join(map(_as_shown, text.split("\n")))
    return "\n".join(map(str.rstrip, harmless(text).expandtabs(4).split("\n"))).rstrip()


def _as_shown(line: str) -> str:
    if "\r" in line:
        line = _last_state(line)
    return _overstruck(line) if "\b" in line else line


def _last_state(line: str) -> str:
    return next((state for state in reversed(line.split("\r")) if state.strip()), "")


def _overstruck(line: str) -> str:
    """Backspaces carried out, as a terminal does."""
    first, *others = line.split("\b")
    kept = [first]
    for piece in others:
        while len(kept) > 1 and not kept[-1]:
            kept.pop()
        kept[-1] = kept[-1][:-1]
        kept.append(piece)
    return "".join(kept)


def one_line(text: str) -> str:
    """A name or vendor text on one line, without controls: names of people's things are untrusted too."""
    return " ".join(clean(text).split())


def excerpt(text: str, most_lines: int, most_characters: int) -> str:
    """At most so many lines and about so many characters: the first two lines and the end, the cut named.

    The end matters most: that is where a command says why it stopped.
    """
    lines = text.split("\n")
    widest = max(40, most_characters // 2)
    shown = [_clipped(line, widest) for line in lines] if len(lines) <= most_lines else []
    if shown and sum(len(line) + 1 for line in shown) <= most_characters:
        return "\n".join(shown)
    head = [_clipped(line, widest // 2) for line in lines[: 2 if most_lines > 4 and len(lines) > 4 else 0]]
    room = most_characters - sum(len(line) + 1 for line in head) - 40
    tail: list[str] = []
    for line in reversed(lines[len(head) :]):
        line = _clipped(line, widest)
        if tail and (len(tail) + len(head) >= most_lines - 1 or len(line) + 1 > room):
            break
        tail.insert(0, line)
        room -= len(line) + 1
    cut = lines[len(head) : len(lines) - len(tail)]
    return "\n".join([*head, *([_cut_named(cut)] if cut else []), *tail])


def _cut_named(lines: list[str]) -> str:
    characters = sum(len(line) + 1 for line in lines)
    return counted(
        "… {count} line, {characters} characters not shown …",
        "… {count} lines, {characters} characters not shown …",
        len(lines),
        characters=f"{characters:,}",
    )


def _clipped(line: str, most: int) -> str:
    """A long line without its middle, which is counted: both ends may hold the reason. `most` is at least 20."""
    if len(line) <= most:
        return line
    half = max(8, most - 34) // 2
    cut = _("… {count} characters not shown …", count=f"{len(line) - 2 * half:,}")
    return f"{line[:half]} {cut} {line[-half:]}"
