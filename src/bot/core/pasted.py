"""What a message of somebody else's names: ids, addresses and console links, wherever in it they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

MOST = 10
_MOST_TEXT = 50_000  # characters read: a message with blocks and attachments is rarely longer than 40,000
_FOUND = re.compile(
    r"(?<![0-9A-Za-z-])(?:[tc]-[0-9a-z]{6,64}|m?i-[0-9a-z]{4,40})(?![0-9A-Za-z-])"
    r"|(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.])"
)


def named_in(message: Mapping[str, Any]) -> tuple[str, ...]:
    """Words for a question each, in the order in which they stand, each once, at most ten."""
    words: dict[str, None] = {}
    room = _MOST_TEXT
    for text in _texts({key: message.get(key) for key in ("text", "blocks", "attachments")}, 0):
        text = text[:room]
        room -= len(text)
        for match in _FOUND.finditer(text):
            if _is_word(match[0]):
                words.setdefault(match[0])
    return tuple(words)[:MOST]


def _is_word(text: str) -> bool:
    """An id that looks like one: with a digit, as all of the vendor's have; or an address that exists."""
    if text[0].isdigit():
        return all(int(part) < 256 for part in text.split("."))
    return any(character.isdigit() for character in text)


def _texts(value: object, depth: int) -> Iterator[str]:
    """Every text in a message; Slack nests blocks a few levels deep, so no more is followed."""
    if isinstance(value, str):
        yield value
    elif depth < 12 and isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner, depth + 1)
    elif depth < 12 and isinstance(value, list):
        for inner in value:
            yield from _texts(inner, depth + 1)
