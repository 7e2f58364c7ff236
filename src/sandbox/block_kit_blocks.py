"""Block Kit as tables, the blocks: their fields, their limits, and the surfaces that take them.

Taken from Slack's block reference (docs.slack.dev/reference/block-kit/blocks) and the comments of its own
`@slack/types`. Where two of Slack's own pages give different limits, the lower one stands here: what passes
is then safe everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.block_kit_checks import (
    Check,
    Rule,
    array,
    at_least_one,
    boolean,
    enum,
    exactly_one,
    integer,
    number,
    part,
    says,
    shape,
    string,
    tagged,
    url,
)
from sandbox.block_kit_elements import (
    ACCESSORIES,
    ACTION_ELEMENTS,
    BLOCK_ID,
    BUTTON,
    CONTEXT_ACTIONS,
    CONTEXT_ELEMENTS,
    IMAGE,
    INPUT_ELEMENTS,
    RICH_PARTS,
    RICH_TEXT,
    SLACK_FILE,
    mrkdwn,
    plain,
    text,
)


def _rows(value: Mapping[str, Any]) -> list[list[Any]]:
    rows = value.get("rows")
    return [row for row in rows if isinstance(row, list)] if isinstance(rows, list) else []


def _same_width(value: Mapping[str, Any], pointer: str) -> Iterator[str]:
    if len({len(row) for row in _rows(value)}) > 1:
        yield says("all rows must have the same number of cells", f"{pointer}/rows")


def _plain_header(value: Mapping[str, Any], pointer: str) -> Iterator[str]:
    for index, cell in enumerate(_rows(value)[0] if _rows(value) else ()):
        if isinstance(cell, Mapping) and cell.get("type") == "rich_text":
            yield says("header cells must not be rich_text", f"{pointer}/rows/0/{index}")


def _listed(value: Any, key: str) -> list[Mapping[str, Any]]:
    entries = value.get(key) if isinstance(value, Mapping) else None
    return [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []


def _series_fit(value: Mapping[str, Any], pointer: str) -> Iterator[str]:
    """Names differ, and every series has exactly one point for every category."""
    axis = value.get("axis_config")
    categories = axis.get("categories") if isinstance(axis, Mapping) else None
    expected = sorted(map(str, categories)) if isinstance(categories, list) else []
    names = [str(series.get("name")) for series in _listed(value, "series")]
    if len(set(names)) < len(names):
        yield says("series names must be unique", f"{pointer}/series")
    for index, series in enumerate(_listed(value, "series")):
        if sorted(str(point.get("label")) for point in _listed(series, "data")) != expected:
            yield says("must have one point for every category", f"{pointer}/series/{index}/data")


def _foldable(value: Mapping[str, Any], pointer: str) -> Iterator[str]:
    folds = value.get("is_collapsible") is True
    if value.get("default_collapsed") is True and not folds:
        yield says("default_collapsed requires is_collapsible", pointer)
    if value.get("has_header_divider") is True and folds:
        yield says("has_header_divider cannot be set when is_collapsible is true", pointer)


def _block(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *rules: Rule) -> Check:
    return part(required, {**BLOCK_ID, **(optional or {})}, *rules)


CELL = tagged(
    {
        "raw_text": part({"text": string()}),
        "raw_number": part({"value": number(), "text": string()}),
        "rich_text": RICH_TEXT,
    }
)
_POINT = shape({"label": string(20), "value": number()})
_SERIES = array(shape({"name": string(20), "data": array(_POINT, 20)}), 6)
_AXIS = shape({"categories": array(string(20), 20)}, {"x_label": string(50), "y_label": string(50)})
_PLOT = part({"series": _SERIES, "axis_config": _AXIS}, None, _series_fit)
CHART = tagged(
    {
        "pie": part({"segments": array(shape({"label": string(20), "value": number(above=0)}), 6)}),
        **dict.fromkeys(("bar", "line", "area"), _PLOT),
    }
)
_CARD = _block(
    {},
    {
        "hero_image": IMAGE,
        "icon": IMAGE,
        "title": mrkdwn(150),
        "subtitle": mrkdwn(150),
        "body": mrkdwn(200),
        "subtext": mrkdwn(200),
        "actions": array(BUTTON, 3),
    },
    at_least_one("hero_image", "title", "body", "actions"),
)

# A column that keeps its defaults is written as null.
_COLUMN = shape({}, {"align": enum("left", "center", "right"), "is_wrapped": boolean})


def _column(value: Any, pointer: str) -> Iterator[str]:
    if value is not None:
        yield from _COLUMN(value, pointer)


def _task(*statuses: str) -> Check:
    return _block(
        {"task_id": string(), "title": string(), "status": enum(*statuses)},
        {
            "details": RICH_TEXT,
            "output": RICH_TEXT,
            "sources": array(tagged({"url": part({"url": url(3000), "text": string()})})),
        },
    )


_BEGUN = ("in_progress", "complete", "error")
BLOCKS: dict[str, Check] = {
    "actions": _block({"elements": array(ACTION_ELEMENTS, 25)}),
    "alert": _block({"text": text(200)}, {"level": enum("default", "info", "warning", "error", "success")}),
    "card": _CARD,
    "carousel": _block({"elements": array(tagged({"card": _CARD}), 10)}),
    "context": _block({"elements": array(CONTEXT_ELEMENTS, 10)}),
    "context_actions": _block({"elements": array(CONTEXT_ACTIONS, 5)}),
    "data_table": _block(
        {"rows": array(array(CELL, 20), 101, low=2), "caption": string()},
        {"page_size": integer(1, 100), "row_header_column_index": integer(0)},
        _same_width,
        _plain_header,
    ),
    "data_visualization": _block({"title": string(50), "chart": CHART}),
    "divider": _block({}),
    "file": _block({"external_id": string(), "source": enum("remote")}),
    "header": _block({"text": plain(150)}),
    "image": _block(
        {"alt_text": string(2000)},
        {"image_url": url(3000), "slack_file": SLACK_FILE, "title": plain(2000)},
        exactly_one("image_url", "slack_file"),
    ),
    "input": _block(
        {"label": plain(2000), "element": INPUT_ELEMENTS},
        {"hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "markdown": _block({"text": string(12_000)}),
    "plan": _block({"title": string()}, {"tasks": array(tagged({"task_card": _task("pending", *_BEGUN)}), 50)}),
    "rich_text": _block({"elements": array(tagged(RICH_PARTS))}),
    "section": _block(
        {},
        {"text": text(3000), "fields": array(text(2000), 10), "accessory": ACCESSORIES, "expand": boolean},
        at_least_one("text", "fields"),
    ),
    "table": _block(
        {"rows": array(array(CELL, 20), 100)},
        {"column_settings": array(_column, 20)},
    ),
    # Only the tasks of a plan can be pending.
    "task_card": _task(*_BEGUN),
    "video": _block(
        {"title": plain(199), "video_url": url(3000), "thumbnail_url": url(3000), "alt_text": string(2000)},
        {
            "title_url": url(2000),
            "author_name": string(49),
            "provider_name": string(50),
            "provider_icon_url": url(2000),
            "description": plain(200),
        },
    ),
}
CHILDREN = (
    "actions", "context", "divider", "file", "header", "image", "input", "rich_text", "section", "table",
    "video",
)  # fmt: skip
BLOCKS["container"] = _block(
    {"child_blocks": array(tagged({name: BLOCKS[name] for name in CHILDREN}), 10)},
    {
        "title": plain(150),
        "rich_text_title": RICH_TEXT,
        "subtitle": text(150),
        "width": enum("narrow", "standard", "wide", "full"),
        "icon": IMAGE,
        "is_collapsible": boolean,
        "default_collapsed": boolean,
        "has_header_divider": boolean,
    },
    at_least_one("title", "rich_text_title"),
    _foldable,
)
_EVERYWHERE = (
    "actions",
    "card",
    "context",
    "divider",
    "header",
    "image",
    "input",
    "rich_text",
    "section",
    "video",
)
_WIDE = ("carousel", "container", "data_table", "data_visualization", "table")
# `file` is only ever read: Slack puts it into messages it returns and takes it from nobody.
SURFACES: dict[str, Check] = {
    surface: tagged({name: BLOCKS[name] for name in names})
    for surface, names in {
        "message": (*_EVERYWHERE, *_WIDE, "context_actions", "markdown", "plan", "task_card"),
        "modal": (*_EVERYWHERE, "alert"),
        "home": (*_EVERYWHERE, *_WIDE),
    }.items()
}
