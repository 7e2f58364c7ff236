"""A message drawn as text for a terminal: what Slack would show, without Slack.

Knows the blocks that the bot sends; of any other it shows the text it finds, so that nothing is dropped.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sandbox.scenario_values import Scenario

WIDTH = 92
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def draw(text: str, blocks: Sequence[Mapping[str, Any]], *, colour: bool = False) -> str:
    """The message in lines of at most WIDTH, output excepted. A rule parts the summary from its footnotes."""
    if not blocks:
        return "\n".join(_wrapped(_readable(text)))
    lines: list[str] = []
    previous = ""
    for block in blocks:
        kind = str(block.get("type"))
        if previous and (kind in _FOOTNOTES) != (previous in _FOOTNOTES):
            lines.append("─" * WIDTH)
        lines += _DRAWN.get(kind, _anything)(block)
        previous = kind
    drawn = "\n".join(lines)
    return drawn if colour else re.sub(r"\x1b\[[0-9]m", "", drawn)


def menu(scenarios: Iterable[Scenario]) -> str:
    """What there is to ask about, a line each."""
    return "\n".join(f"  {scenario.ask.split()[0]:<20} {scenario.title}" for scenario in scenarios)


_FOOTNOTES = ("header", "context", "actions")


def _header(block: Mapping[str, Any]) -> Iterator[str]:
    for line in _wrapped(str(block["text"]["text"])):
        yield f"{_BOLD}{line}{_PLAIN}"


def _context(block: Mapping[str, Any]) -> Iterator[str]:
    text = " ".join(str(element.get("text", "")) for element in block["elements"])
    for line in _wrapped(_readable(text), "  "):
        yield f"{_DIM}{line}{_PLAIN}"


def _section(block: Mapping[str, Any]) -> Iterator[str]:
    yield from _wrapped(_readable(str(block.get("text", {}).get("text", ""))))


def _actions(block: Mapping[str, Any]) -> Iterator[str]:
    """Buttons in brackets, a menu as dots with what it offers."""
    yield "  ".join(map(_pressable, block["elements"]))


def _pressable(element: Mapping[str, Any]) -> str:
    if element["type"] == "button":
        return f"[{element['text']['text']}]"
    return f"[… {', '.join(option['text']['text'] for option in element.get('options', ()))}]"


def _divider(_: Mapping[str, Any]) -> Iterator[str]:
    yield "─" * WIDTH


def _rich_text(block: Mapping[str, Any]) -> Iterator[str]:
    for number, part in enumerate(block["elements"]):
        if part["type"] == "rich_text_preformatted":
            text = "".join(str(element.get("text", "")) for element in part["elements"])
            yield from (f"  │ {line}" for line in text.split("\n"))
        elif part["type"] == "rich_text_list":
            for item in part["elements"]:
                yield from _wrapped(f"• {_inline(item)}", "  ")
        else:
            # Slack runs sections together; ours end in a line feed where another follows.
            yield from _wrapped(_inline(part).removesuffix("\n"), "" if number == 0 else "  ")


def _inline(part: Mapping[str, Any]) -> str:
    return "".join(map(_element, part["elements"]))


def _element(element: Mapping[str, Any]) -> str:
    if element["type"] == "date":
        return _local(int(element["timestamp"]), str(element["format"]))
    text = str(element.get("text") or element.get("url") or element.get("user_id") or "")
    return f"{_BOLD}{text}{_PLAIN}" if element.get("style", {}).get("bold") else text


def _anything(block: Mapping[str, Any]) -> Iterator[str]:
    for text in _texts(block):
        yield from _wrapped(_readable(text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "text" and isinstance(inner, str):
                yield inner
            else:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


_DRAWN = {
    "header": _header,
    "context": _context,
    "section": _section,
    "divider": _divider,
    "actions": _actions,
    "rich_text": _rich_text,
}


def _readable(mrkdwn: str) -> str:
    """Slack's tokens as people see them; entities undone last, so that nothing becomes a token."""
    text = re.sub(r"<!date\^(\d+)\^([^|>]*)\|[^>]*>", lambda match: _local(int(match[1]), match[2]), mrkdwn)
    text = re.sub(r"<(https?://[^|>]+)\|([^>]*)>", r"\2", text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _local(timestamp: int, form: str) -> str:
    """In this machine's time zone, as Slack does in the reader's."""
    moment = datetime.fromtimestamp(timestamp).astimezone()
    return f"{moment:%H:%M}" if form == "{time}" else f"{moment:%b %d, %H:%M}"


def _wrapped(text: str, indent: str = "") -> list[str]:
    lines = []
    for line in text.split("\n"):
        lines += textwrap.wrap(
            line, WIDTH, initial_indent=indent, subsequent_indent=indent or "  ", drop_whitespace=False
        ) or [""]
    return [line.rstrip() for line in lines]
