"""What Slack sends when somebody presses, chooses or uses a shortcut: interaction payloads.

Shapes are those of docs.slack.dev/reference/interaction-payloads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from sandbox.slack_requests import channel_name
from sandbox.slack_workspace import APP_ID, TEAM_DOMAIN, TEAM_ID, Channel, Message, User, View


def payload_form(payload: Mapping[str, Any]) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


def _common(kind: str, user: User, trigger_id: str) -> dict[str, Any]:
    return {
        "type": kind,
        "token": "deprecated",
        "api_app_id": APP_ID,
        "team": {"id": TEAM_ID, "domain": TEAM_DOMAIN},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "enterprise": None,
        "is_enterprise_install": False,
        "trigger_id": trigger_id,
    }


def _in_channel(channel: Channel, response_url: str) -> dict[str, Any]:
    return {"channel": {"id": channel.id, "name": channel_name(channel)}, "response_url": response_url}


def message_action_payload(
    message: Message, pressed: Mapping[str, Any], channel: Channel, user: User, trigger_id: str, response_url: str
) -> dict[str, Any]:
    """`block_actions` from a message; an ephemeral one comes without its `message`."""
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": bool(message.ephemeral_to),
        **({"thread_ts": message.thread_ts} if message.thread_ts else {}),
    }
    shown = {**message.as_json(), "blocks": with_block_ids(message.blocks)}
    return {
        **_common("block_actions", user, trigger_id),
        **_in_channel(channel, response_url),
        "container": container,
        **({} if message.ephemeral_to else {"message": shown}),
        "state": {"values": {}},
        "actions": [pressed],
    }


def view_action_payload(view: View, pressed: Mapping[str, Any], user: User, trigger_id: str) -> dict[str, Any]:
    """`block_actions` from a modal or a Home tab: no channel and no response_url."""
    shown = {**view.as_json(), "blocks": with_block_ids(view.content["blocks"])}
    return {
        **_common("block_actions", user, trigger_id),
        "container": {"type": "view", "view_id": view.id},
        "view": shown,
        "actions": [pressed],
    }


def shortcut_payload(callback_id: str, user: User, trigger_id: str, action_ts: str) -> dict[str, Any]:
    return {
        **_common("shortcut", user, trigger_id),
        "callback_id": callback_id,
        "action_ts": action_ts,
    }


def message_shortcut_payload(
    callback_id: str, message: Message, channel: Channel, user: User, trigger_id: str, response_url: str
) -> dict[str, Any]:
    return {
        **_common("message_action", user, trigger_id),
        **_in_channel(channel, response_url),
        "callback_id": callback_id,
        "action_ts": message.ts,
        "message_ts": message.ts,
        "message": message.as_json(),
    }


def with_block_ids(blocks: Sequence[Any]) -> list[Any]:
    """Slack gives a block without `block_id` one; here it is made from the block's place."""
    return [{"block_id": f"b{index}", **block} for index, block in enumerate(blocks)]


def find(blocks: Sequence[Any], action_id: str, block_id: str | None = None) -> tuple[Any, Any]:
    """The block and the element that can be pressed; LookupError names the action ids there are."""
    found = [
        (block, element)
        for block, element in _elements(with_block_ids(blocks))
        if element.get("action_id") == action_id and block_id in (None, block["block_id"])
    ]
    if not found:
        known = [element.get("action_id") for _, element in _elements(with_block_ids(blocks))]
        raise LookupError(f"no element {action_id!r}; there are {known}")
    return found[0]


def press(
    blocks: Sequence[Any], action_id: str, value: str | None, block_id: str | None, action_ts: str
) -> dict[str, Any]:
    """The entry in `actions` for one element; in a menu `value` chooses the option, else the first one.

    LookupError names the action ids there are.
    """
    block, element = find(blocks, action_id, block_id)
    return {**basis(block, element, action_ts), **_chosen(element, value)}


def basis(block: Mapping[str, Any], element: Mapping[str, Any], action_ts: str) -> dict[str, Any]:
    """What an entry in `actions` says of its element, whatever was chosen."""
    own = {key: element[key] for key in ("type", "action_id", "text", "style") if key in element}
    return {**own, "block_id": block["block_id"], "action_ts": action_ts}


def _elements(blocks: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    for block in blocks:
        yield from _elements(with_block_ids(block.get("child_blocks", ())))
        for card in block.get("elements", ()) if block["type"] == "carousel" else ():
            yield from ((block, button) for button in card.get("actions", ()))
        single = [block[key] for key in ("accessory", "element") if key in block]
        yield from ((block, element) for element in (*block.get("elements", ()), *block.get("actions", ()), *single))


def _chosen(element: Mapping[str, Any], value: str | None) -> dict[str, Any]:
    options = [*element.get("options", ()), *_grouped(element)]
    if not options:
        own = value if value is not None else element.get("value")
        return {} if own is None else {"value": own}
    matching = [option for option in options if value in (None, option["value"])]
    if not matching:
        raise LookupError(f"no option {value!r}; there are {[option['value'] for option in options]}")
    many = element["type"] in ("checkboxes", "multi_static_select")
    return {"selected_options": matching[:1]} if many else {"selected_option": matching[0]}


def _grouped(element: Mapping[str, Any]) -> Iterator[Any]:
    for group in element.get("option_groups", ()):
        yield from group["options"]
