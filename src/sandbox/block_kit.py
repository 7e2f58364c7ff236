"""What Slack would say of a message or a view before anyone sees it, offline.

`problems`, `message_problems` and `view_problems` give everything Slack refuses, in Slack's own form
(`must be less than 3001 characters [json-pointer:/blocks/1/text/text]`); an empty list means that it passes.
`pings` gives what would ring or link somebody. All take any JSON and never raise.
Sources: Slack's Block Kit and method reference; limits that Slack does not publish say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.block_kit_blocks import SURFACES
from sandbox.block_kit_checks import (
    Check,
    anything,
    array,
    boolean,
    mrkdwn_units,
    part,
    plain_units,
    says,
    shape,
    string,
    tagged,
    units,
)
from sandbox.block_kit_elements import plain

MOST_BLOCKS = {"message": 50, "modal": 100, "home": 100}
MOST_TEXT = 40_000
MOST_MARKDOWN = 12_000
MOST_TABLE_TEXT = 10_000
MOST_DATA_TABLE_TEXT = 20_000
MOST_CHARTS = 2
# Slack publishes no limit; `msg_blocks_too_long` was seen near 13,200 characters of otherwise legal blocks.
MOST_BLOCK_TEXT = 13_000
CODES = ("no_text", "msg_too_long", "msg_blocks_too_long", "invalid_attachments", "markdown_text_conflict")


def problems(blocks: object, surface: str = "message", pointer: str = "/blocks") -> list[str]:
    """Everything Slack refuses in these blocks on a `message`, `modal` or `home` surface."""
    found = list(array(SURFACES[surface], MOST_BLOCKS[surface], low=0)(blocks, pointer))
    found += _repeats(blocks, pointer)
    return found + (list(_totals(blocks, pointer)) if surface == "message" else [])


def message_problems(payload: Mapping[str, Any]) -> list[str]:
    """Everything Slack refuses in the body of chat.postMessage, of an ack or of a response_url post.

    Looked at are `text`, `blocks`, `attachments`, `markdown_text` and `metadata`. A problem that Slack
    reports under a code of its own starts with it (`msg_too_long: …`); `error_code` gives the code.
    """
    given = {key: payload[key] for key in ("text", "blocks", "attachments", "markdown_text") if payload.get(key)}
    found = [] if given else ["no_text: nothing to show [json-pointer:/text]"]
    for key, check in _PARTS.items():
        if payload.get(key) is not None:
            found += check(payload[key], f"/{key}")
    if "markdown_text" in given and len(given) > 1:
        found.append(says("markdown_text_conflict: not together with text or blocks", "/markdown_text"))
    return found


def view_problems(view: object) -> list[str]:
    """Everything Slack refuses in a view given to views.open, views.push, views.update or views.publish."""
    found = list(_VIEW(view, "/view"))
    if not isinstance(view, Mapping):
        return found
    blocks = view.get("blocks")
    types = [block.get("type") for block in _objects(blocks)]
    if view.get("type") == "modal" and "input" in types and "submit" not in view:
        found.append(says("submit is required when there are input blocks", "/view"))
    return found + _repeats(blocks, "/view/blocks")


def error_code(found: Sequence[str]) -> str:
    """The error Slack answers with for these problems."""
    code = found[0].partition(":")[0]
    places = {"/metadata": "invalid_metadata_format", "/attachments": "invalid_attachments"}
    named = [name for place, name in places.items() if f"[json-pointer:{place}" in found[0]]
    return code if code in CODES else (*named, "invalid_blocks")[0]


def pings(payload: Mapping[str, Any]) -> list[str]:
    """The live control tokens of a message: mentions, channel names and links, in the order they stand.

    Read are top-level `text` and `markdown_text`, mrkdwn text objects, markdown blocks, attachments, and
    the mentions of rich_text, which are given in the same written form (`<@U1>`, `<!here>`). Dates are no
    pings, and a `text` element of rich_text is literal.
    """
    found = [token for key in ("text", "markdown_text") for token in _tokens(payload.get(key))]
    for part_of in ("blocks", "attachments"):
        for node in _walk(payload.get(part_of)):
            found += _live(node)
    return found


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _walk(value: object) -> Iterator[Mapping[str, Any]]:
    """Every object inside, outermost first. A loop, because JSON may be nested deeper than Python calls."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            yield node
            waiting += reversed(list(node.values()))
        elif isinstance(node, list):
            waiting += reversed(node)


# Ids


def _blocks_in(blocks: object, pointer: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Blocks with their pointers, those inside containers and carousels too."""
    for index, block in enumerate(blocks if isinstance(blocks, list) else ()):
        if isinstance(block, Mapping):
            yield block, f"{pointer}/{index}"
            inner = {"container": "child_blocks", "carousel": "elements"}.get(str(block.get("type")))
            for child, entry in enumerate(_objects(block.get(inner)) if inner else ()):
                yield entry, f"{pointer}/{index}/{inner}/{child}"


def _action_ids(block: Mapping[str, Any]) -> list[str]:
    nested = [*_objects(block.get("elements")), *_objects(block.get("actions"))]
    single = _objects([block.get("accessory"), block.get("element")])
    ids = [element.get("action_id") for element in (*nested, *single)]
    return [action_id for action_id in ids if isinstance(action_id, str)]


def _repeats(blocks: object, pointer: str) -> list[str]:
    found, seen = [], set()
    for block, place in _blocks_in(blocks, pointer):
        block_id = block.get("block_id")
        if block_id is not None and str(block_id) in seen:
            found.append(says(f"block_id already in use: {block_id}", f"{place}/block_id"))
        if block_id is not None:
            seen.add(str(block_id))
        ids = _action_ids(block)
        if len(set(ids)) < len(ids):
            found.append(says("action_id must be unique within a block", place))
    return found


# Sums over a message


def _size(node: Mapping[str, Any]) -> int:
    """Characters that one object itself shows."""
    shown = [node.get(key) for key in ("text", "caption", "title")]
    measure = {"mrkdwn": mrkdwn_units, "plain_text": plain_units}.get(str(node.get("type")), units)
    return sum(measure(value) for value in shown if isinstance(value, str))


def _text_of(blocks: Sequence[Mapping[str, Any]]) -> int:
    return sum(_size(node) for block in blocks for node in _walk(block))


def _totals(blocks: object, pointer: str) -> Iterator[str]:
    every = [block for block, _ in _blocks_in(blocks, pointer)]
    kinds: dict[object, list[Mapping[str, Any]]] = {}
    for block in every:
        kinds.setdefault(str(block.get("type")), []).append(block)
    markdown, tables, data = (kinds.get(kind, []) for kind in ("markdown", "table", "data_table"))
    if len(tables) > 1:
        yield says("invalid_attachments: only_one_table_allowed", pointer)
    if _cells(tables) > MOST_TABLE_TEXT:
        yield says(f"must be less than {MOST_TABLE_TEXT + 1} characters in all table cells", pointer)
    if _cells(data) > MOST_DATA_TABLE_TEXT:
        yield says(f"must be less than {MOST_DATA_TABLE_TEXT + 1} characters in all data_table cells", pointer)
    if _text_of(markdown) > MOST_MARKDOWN:
        yield says(f"must be less than {MOST_MARKDOWN + 1} characters in all markdown blocks", pointer)
    if len(kinds.get("data_visualization", [])) > MOST_CHARTS:
        yield says(f"no more than {MOST_CHARTS} data_visualization blocks allowed", pointer)
    # A data table has a budget of its own that is larger than this one.
    total = _text_of([block for block in _objects(blocks) if block.get("type") != "data_table"])
    if total > MOST_BLOCK_TEXT:
        yield says(f"msg_blocks_too_long: {total} characters of block text", pointer)


def _cells(tables: Sequence[Mapping[str, Any]]) -> int:
    return sum(_size(node) for table in tables for node in _walk(table.get("rows")))


# Parts of a message, and views


def _text(value: Any, pointer: str) -> Iterator[str]:
    for problem in string(MOST_TEXT, 0)(value, pointer):
        yield f"msg_too_long: {problem}" if isinstance(value, str) else problem


def _attachment(value: Any, pointer: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield says("invalid_attachments: must provide an object", pointer)
    elif "blocks" in value:
        # Slack documents 50; more than 20 were seen to be refused as invalid_attachments.
        yield from array(anything, 20)(value["blocks"], f"{pointer}/blocks")
        yield from problems(value["blocks"], "message", f"{pointer}/blocks")


def _object(value: Any, pointer: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield says("must provide an object", pointer)


def _view_blocks(surface: str) -> Check:
    return array(SURFACES[surface], MOST_BLOCKS[surface])


_PARTS: dict[str, Check] = {
    "text": _text,
    "blocks": lambda value, pointer: iter(problems(value, "message", pointer)),
    "attachments": array(_attachment, 100, low=0),
    "markdown_text": string(MOST_MARKDOWN, 0),
    "metadata": shape({"event_type": string(), "event_payload": _object}, {"entities": array(_object)}),
}
_IDS: dict[str, Check] = {
    "private_metadata": string(3000, 0),
    "callback_id": string(255),
    "external_id": string(255, 0),
}
_VIEW = tagged(
    {
        "modal": part(
            {"title": plain(24), "blocks": _view_blocks("modal")},
            {
                "submit": plain(24),
                "close": plain(24),
                "clear_on_close": boolean,
                "notify_on_close": boolean,
                "submit_disabled": boolean,
                **_IDS,
            },
        ),
        "home": part({"blocks": _view_blocks("home")}, _IDS),
    }
)

# Live tokens

_LIVE = re.compile(
    r"<(?:[@#][A-Z0-9]|!(?:channel|here|everyone|group)\b|!subteam\^|[a-z][a-z0-9+.-]*:)[^<>\n]*>",
    re.IGNORECASE,
)
_MENTIONS = {
    "user": ("user_id", "<@{}>"),
    "usergroup": ("usergroup_id", "<!subteam^{}>"),
    "channel": ("channel_id", "<#{}>"),
    "broadcast": ("range", "<!{}>"),
}


def _tokens(value: object) -> list[str]:
    return _LIVE.findall(value) if isinstance(value, str) else []


def _live(node: Mapping[str, Any]) -> list[str]:
    kind = str(node.get("type"))
    if kind in _MENTIONS:
        key, form = _MENTIONS[kind]
        return [form.format(node.get(key))]
    if kind in ("mrkdwn", "markdown"):
        return _tokens(node.get("text"))
    if "type" not in node:  # an attachment, or one of its fields
        return [token for key in ("pretext", "text", "value") for token in _tokens(node.get(key))]
    return []
