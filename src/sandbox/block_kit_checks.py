"""The small language in which the Block Kit tables are written.

A check takes a value and its JSON pointer and yields, in the words Slack uses, what Slack refuses in it:
`must be less than 3001 characters [json-pointer:/blocks/1/text/text]`. Checks take any JSON and never raise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Check = Callable[[Any, str], Iterator[str]]
Rule = Callable[[Mapping[str, Any], str], Iterator[str]]

_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt);)")
_TOKEN = re.compile(r"<[^<>\n]+>")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")


def says(what: str, pointer: str) -> str:
    return f"{what} [json-pointer:{pointer}]"


def units(text: str) -> int:
    """Length in UTF-16 units, which is what JavaScript, and so Slack's limits, call characters."""
    return len(text) + sum(char > "\uffff" for char in text)


def plain_units(text: str) -> int:
    """UTF-16 units once `&`, `<` and `>` are written as entities; entities that are there already stay."""
    return units(_BARE_AMPERSAND.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;"))


def mrkdwn_units(text: str) -> int:
    """As `plain_units`, but control tokens such as `<https://…|label>` count as they stand."""
    return sum(map(plain_units, _TOKEN.split(text))) + sum(map(units, _TOKEN.findall(text)))


def anything(value: Any, pointer: str) -> Iterator[str]:
    yield from ()


def boolean(value: Any, pointer: str) -> Iterator[str]:
    if not isinstance(value, bool):
        yield says("must provide a boolean", pointer)


def string(high: int | None = None, low: int = 1, measure: Callable[[str], int] = units) -> Check:
    def check(value: Any, pointer: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield says("must provide a string", pointer)
        elif measure(value) < low:
            yield says(f"must be more than {low - 1} characters", pointer)
        elif high is not None and measure(value) > high:
            yield says(f"must be less than {high + 1} characters", pointer)

    return check


def url(high: int) -> Check:
    def check(value: Any, pointer: str) -> Iterator[str]:
        yield from string(high)(value, pointer)
        if isinstance(value, str) and value and not _URL.fullmatch(value):
            yield says("must be a valid url", pointer)

    return check


def number(low: float | None = None, high: float | None = None, above: float | None = None) -> Check:
    """A number from `low` to `high`, both allowed, and more than `above`."""

    def check(value: Any, pointer: str) -> Iterator[str]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield says("must provide a number", pointer)
        elif (low is not None and value < low) or (above is not None and value <= above):
            yield says(f"must be more than {low - 1 if low is not None else above}", pointer)
        elif high is not None and value > high:
            yield says(f"must be less than {high + 1}", pointer)

    return check


def integer(low: int | None = None, high: int | None = None) -> Check:
    def check(value: Any, pointer: str) -> Iterator[str]:
        if isinstance(value, float):
            yield says("must provide an integer", pointer)
        else:
            yield from number(low, high)(value, pointer)

    return check


def enum(*allowed: str) -> Check:
    def check(value: Any, pointer: str) -> Iterator[str]:
        if value not in allowed:
            yield says(f"must be one of {', '.join(allowed)}", pointer)

    return check


def array(item: Check, high: int | None = None, low: int = 1) -> Check:
    def check(value: Any, pointer: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield says("must provide an array", pointer)
            return
        if len(value) < low:
            yield says(f"no fewer than {low} items allowed", pointer)
        if high is not None and len(value) > high:
            yield says(f"no more than {high} items allowed", pointer)
        for index, entry in enumerate(value):
            yield from item(entry, f"{pointer}/{index}")

    return check


def shape(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *rules: Rule) -> Check:
    """An object with these fields and no others; `rules` look at several fields together."""
    fields = {**required, **(optional or {})}

    def check(value: Any, pointer: str) -> Iterator[str]:
        if not isinstance(value, Mapping):
            yield says("must provide an object", pointer)
            return
        for key in required:
            if key not in value:
                yield says(f"missing required field: {key}", pointer)
        for key, entry in value.items():
            if key in fields:
                yield from fields[key](entry, f"{pointer}/{key}")
            else:
                yield says(f"invalid additional property: {key}", pointer)
        for rule in rules:
            yield from rule(value, pointer)

    return check


def part(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *rules: Rule) -> Check:
    """A shape that is chosen by its `type` (see `tagged`)."""
    return shape({"type": anything, **required}, optional, *rules)


def tagged(table: Mapping[str, Check]) -> Check:
    """An object whose `type` picks its check from the table."""

    def check(value: Any, pointer: str) -> Iterator[str]:
        if not isinstance(value, Mapping):
            yield says("must provide an object", pointer)
            return
        kind = value.get("type")
        chosen = table.get(kind) if isinstance(kind, str) else None
        if chosen is None:
            yield says(f"unsupported type: {str(kind)[:40]}", f"{pointer}/type")
        else:
            yield from chosen(value, pointer)

    return check


def at_least_one(*keys: str) -> Rule:
    def rule(value: Mapping[str, Any], pointer: str) -> Iterator[str]:
        if not any(key in value for key in keys):
            yield says(f"must provide {' or '.join(keys)}", pointer)

    return rule


def exactly_one(*keys: str) -> Rule:
    def rule(value: Mapping[str, Any], pointer: str) -> Iterator[str]:
        if sum(key in value for key in keys) != 1:
            yield says(f"must provide exactly one of {' and '.join(keys)}", pointer)

    return rule
