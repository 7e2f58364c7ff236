"""Block Kit atoms, and Slack's limits as a net under every message.

Limits: Slack's reference of blocks and of chat.postMessage. Lengths count UTF-16 units, as Slack's clients do.
Whatever comes in, what these functions return is accepted by Slack and rings nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import accumulate, takewhile, tee
from typing import Any, NamedTuple

from bot.core.characters import harmless
from bot.core.texts import _

Block = dict[str, Any]

MOST_BLOCKS = 50
MOST_IN_ALL = 12_000  # characters over all blocks: `msg_blocks_too_long` was seen at about 13,200
MOST_HEADER = 150
MOST_CONTEXT = 2_000
MOST_PREFORMATTED = 3_000
MOST_TEXT = 1_500
MOMENT = "{date_short_pretty} {time}"  # Slack's tokens, which it puts into the reader's language


class Message(NamedTuple):
    """What people read: `text` is whole for a phone or a screen reader, `blocks` for the eye.

    `ended` are ids of runs whose end it tells, so that whoever has read it need not be told again.
    """

    text: str
    blocks: tuple[Block, ...] = ()
    ended: tuple[str, ...] = ()


def escape(text: str) -> str:
    """For mrkdwn and `text`: Slack's three control characters, so that nothing in it is a mention or a link."""
    return harmless(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def width(text: str) -> int:
    """Length as Slack counts it: UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)


def clip(text: str, most: int) -> str:
    """At most so many UTF-16 units, with an ellipsis where something was cut."""
    return text if width(text) <= most else _beginning(text, most)


def mrkdwn(text: str, most: int) -> str:
    """Untrusted text escaped for mrkdwn, cut so that no entity is halved."""
    escaped = escape(text)
    return escaped if width(escaped) <= most else _beginning(map(escape, text), most)


def _beginning(pieces: Iterable[str], most: int) -> str:
    """As many whole pieces as leave room for an ellipsis, and that."""
    pieces, measured = tee(pieces)
    lengths = accumulate(map(width, measured))
    kept = takewhile(lambda pair: pair[1] < most, zip(pieces, lengths, strict=True))
    return "".join(piece for piece, _length in kept).rstrip() + "…"


def plain(text: str, most: int) -> str:
    """For plain_text objects, which are not parsed for mentions: Slack's control characters replaced all the same."""
    shown = harmless(text).replace("<", "‹").replace(">", "›").replace("&", "+")
    return clip(shown, most) if shown.strip() else "…"


def header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": plain(text, MOST_HEADER), "emoji": False}}


def context(*parts: str) -> Block:
    """Small print: parts of mrkdwn that the caller has escaped, as many as there is room for."""
    text = ""
    for part in parts:
        longer = f"{text} · {part}" if text else part
        text = longer if width(longer) <= MOST_CONTEXT else text
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text or "…"}]}


def rich_text(*elements: Block) -> Block:
    """Paragraphs and preformatted text; a paragraph that another one follows ends its line."""
    followed = zip(elements, [*elements[1:], None], strict=True)
    return {
        "type": "rich_text",
        "elements": [_line_ended(one) if _both_lines(one, two) else one for one, two in followed],
    }


def _both_lines(one: Block, two: Block | None) -> bool:
    return two is not None and one["type"] == two["type"] == "rich_text_section"


def _line_ended(paragraph: Block) -> Block:
    ended = str(paragraph["elements"][-1].get("text", "")).endswith("\n")
    return paragraph if ended else line(*paragraph["elements"], words("\n"))


def line(*elements: Block) -> Block:
    """A paragraph of a rich_text block."""
    return {"type": "rich_text_section", "elements": list(elements)}


def words(text: str, *, bold: bool = False, code: bool = False) -> Block:
    """Literal text within a rich_text block: nothing in it is parsed."""
    element: Block = {"type": "text", "text": clip(harmless(text), MOST_PREFORMATTED) or " "}
    style = {name: True for name, on in (("bold", bold), ("code", code)) if on}
    return {**element, "style": style} if style else element


def link(url: str, text: str) -> Block:
    """An address of ours within a rich_text block."""
    return {"type": "link", "url": url, "text": text}


def preformatted(text: str) -> Block:
    """Output: literal, in a fixed width. Slack refuses empty text."""
    shown = clip(harmless(text), MOST_PREFORMATTED)
    shown = shown if shown.strip() else _("(no output)")
    return {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": shown}]}


def date(moment: datetime, form: str = MOMENT) -> str:
    """A moment in mrkdwn, shown in the reader's time zone; UTC where a client cannot."""
    fallback = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(moment.timestamp())}^{form}|{fallback}>"


def moment(when: datetime, form: str = MOMENT) -> Block:
    """A moment within a rich_text block, shown in the reader's time zone."""
    fallback = when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return {"type": "date", "timestamp": int(when.timestamp()), "format": form, "fallback": fallback}


def within_limits(text: str, blocks: Iterable[Block]) -> Message:
    """The message, cut where it would pass a limit of the whole: whatever comes in, a valid one goes out.

    `text` is escaped by the caller.
    """
    kept: list[Block] = []
    room = MOST_IN_ALL
    for block in blocks:
        room -= size(block)
        if room < 0 or len(kept) == MOST_BLOCKS - 1:
            kept.append(context(_("The rest is left out: Slack takes no longer message.")))
            break
        kept.append(block)
    return Message(clip_escaped(text, MOST_TEXT) or "…", tuple(kept))


def clip_escaped(text: str, most: int) -> str:
    """Escaped text cut so that no entity is halved."""
    return _HALF_ENTITY.sub("…", clip(text, most))


_HALF_ENTITY = re.compile(r"&[a-z]{0,3}…\Z")


def size(value: object) -> int:
    """Characters of a block, or of several, that people read."""
    if isinstance(value, dict):
        return sum(width(v) if k in ("text", "fallback") and isinstance(v, str) else size(v) for k, v in value.items())
    return sum(map(size, value)) if isinstance(value, list | tuple) else 0
