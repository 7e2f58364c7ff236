"""What Slack says an element holds, from the plain values that the page sends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.slack_interactions import basis, find

# By block id, then by action id: what was chosen or typed.
Inputs = Mapping[str, Mapping[str, Sequence[str]]]

_OPTION = {"static_select", "radio_buttons", "overflow"}
_OPTIONS = {"multi_static_select", "checkboxes"}
_ONE = {
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}
_MANY = {
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
}
_TEXTS = {"plain_text_input", "email_text_input", "url_text_input", "number_input", "feedback_buttons"}


def pressed(
    blocks: Sequence[Any], block_id: str, action_id: str, values: Sequence[str], action_ts: str
) -> dict[str, Any]:
    """The entry in `actions`; LookupError where there is no such element or option."""
    block, element = find(blocks, action_id, block_id)
    return {**basis(block, element, action_ts), **holds(element, values)}


def state(blocks: Sequence[Any], inputs: Inputs) -> dict[str, Any]:
    """`state.values` of a view: what each of its elements holds."""
    return {
        block_id: {action_id: _value(blocks, block_id, action_id, values) for action_id, values in held.items()}
        for block_id, held in inputs.items()
    }


def _value(blocks: Sequence[Any], block_id: str, action_id: str, values: Sequence[str]) -> dict[str, Any]:
    _, element = find(blocks, action_id, block_id)
    return {"type": element["type"], **holds(element, values)}


def holds(element: Mapping[str, Any], values: Sequence[str]) -> dict[str, Any]:
    """The fields that Slack names differently for each type of element."""
    kind = str(element["type"])
    first = values[0] if values else None
    if kind in _OPTION:
        return {"selected_option": _options(element, values[:1])[0] if values else None}
    if kind in _OPTIONS:
        return {"selected_options": _options(element, values)}
    if kind in _MANY:
        return {_MANY[kind]: list(values)}
    if kind in _ONE:
        return {_ONE[kind]: int(first) if kind == "datetimepicker" and first else first}
    if kind in _TEXTS:
        return {"value": first}
    return {"value": element["value"]} if "value" in element else {}


def _options(element: Mapping[str, Any], values: Sequence[str]) -> list[Any]:
    known = {option["value"]: option for option in _all_options(element)}
    if unknown := [value for value in values if value not in known]:
        raise LookupError(f"no option {unknown[0]!r}; there are {list(known)}")
    return [known[value] for value in values]


def _all_options(element: Mapping[str, Any]) -> Iterator[Any]:
    yield from element.get("options", ())
    for group in element.get("option_groups", ()):
        yield from group["options"]
