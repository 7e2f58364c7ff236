"""Block Kit atoms, and Slack's limits as a net under every message.

Limits: Slack's reference of blocks and of chat.postMessage. Lengths count UTF-16 units, as Slack's clients do.
Whatever comes in, what these functions return is accepted by Slack and rings nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Block = dict[str, Any]

MOST_BLOCKS = 50
MOST_IN_ALL = 12_000  # characters over all blocks: `msg_blocks_too_long` was seen at about 13,200
MOST_HEADER = 150
MOST_CONTEXT = 2_000
MOST_PREFORMATTED = 3_000
MOST_TEXT = 1_500


@dataclass(frozen=True, slots=True)
class Message:
    """What people read: `text` is whole for a phone or a screen reader, `blocks` for the eye."""

    text: str
    blocks: tuple[Block, ...] = ()


def escape(text: str) -> str:
    """For mrkdwn and `text`: Slack's three control characters, so that nothing in it is a mention or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def width(text: str) -> int:
    """Length as Slack counts it: UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)


def clip(text: str, most: int) -> str:
    """At most so many UTF-16 units, with an ellipsis where something was cut."""
    if width(text) <= most:
        return text
    kept, room = [], most - 1
    for character in text:
        room -= 2 if character > "\uffff" else 1
        if room < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…"


def mrkdwn(text: str, most: int) -> str:
    """Untrusted text escaped for mrkdwn, cut so that no entity is halved."""
    escaped = escape(text)
    while width(escaped) > most:
        text = clip(text, max(1, min(width(text) - 1, most - (width(escaped) - width(text)))))
        escaped = escape(text)
    return escaped


def header(text: str) -> Block:
    """Plain text is not escaped and not parsed for mentions; control characters are replaced all the same."""
    harmless = text.replace("<", "‹").replace(">", "›").replace("&", "+")
    return {
        "type": "header",
        "text": {"type": "plain_text", "text": clip(harmless, MOST_HEADER), "emoji": False},
    }


def context(text: str) -> Block:
    """`text` is mrkdwn that the caller has escaped."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text or " "}]}


def divider() -> Block:
    return {"type": "divider"}


def rich_text(*elements: Block) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def line(*elements: Block) -> Block:
    """A paragraph of a rich_text block."""
    return {"type": "rich_text_section", "elements": list(elements)}


def words(text: str, *, bold: bool = False, code: bool = False) -> Block:
    """Literal text within a rich_text block: nothing in it is parsed."""
    element: Block = {"type": "text", "text": clip(text, MOST_PREFORMATTED) or " "}
    style = {name: True for name, on in (("bold", bold), ("code", code)) if on}
    return {**element, "style": style} if style else element


def preformatted(text: str) -> Block:
    """Output: literal, in a fixed width. Slack refuses empty text."""
    shown = clip(text, MOST_PREFORMATTED) if text.strip() else "(no output)"
    return {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": shown}]}


def date(moment: datetime, form: str = "{date_short_pretty} {time}") -> str:
    """A moment in mrkdwn, shown in the reader's time zone; UTC where a client cannot."""
    fallback = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(moment.timestamp())}^{form}|{fallback}>"


def moment(when: datetime, form: str = "{date_short_pretty} {time}") -> Block:
    """A moment within a rich_text block, shown in the reader's time zone."""
    fallback = when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return {"type": "date", "timestamp": int(when.timestamp()), "format": form, "fallback": fallback}


def within_limits(text: str, blocks: Iterable[Block]) -> Message:
    """The message, cut where it would pass a limit of the whole: whatever comes in, a valid one goes out."""
    kept: list[Block] = []
    room = MOST_IN_ALL
    for block in blocks:
        size = _size(block)
        if size > room or len(kept) == MOST_BLOCKS - 1:
            kept.append(context("The rest is left out: Slack takes no longer message."))
            break
        room -= size
        kept.append(block)
    return Message(_HALF_ENTITY.sub("…", clip(text, MOST_TEXT)) or "…", tuple(kept))


_HALF_ENTITY = re.compile(r"&[a-z]{0,3}…\Z")


def _size(value: object) -> int:
    """Characters of a block that people read."""
    if isinstance(value, dict):
        return sum(width(v) if k in ("text", "fallback") and isinstance(v, str) else _size(v) for k, v in value.items())
    return sum(map(_size, value)) if isinstance(value, list) else 0
