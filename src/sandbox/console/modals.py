"""Submitting and closing a modal: the requests Slack sends for it, and what it makes of the answer."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from sandbox.block_kit import view_problems
from sandbox.console.elements import Inputs, state
from sandbox.slack import Response, Slack, View
from sandbox.slack_interactions import payload_form, view_action_payload


def view_payload(slack: Slack, view: View, inputs: Inputs, pressed: Mapping[str, Any]) -> dict[str, Any]:
    """`block_actions` of a view, with what its elements hold."""
    person = slack.workspace.users[view.user]
    payload = view_action_payload(view, pressed, person, slack.new_trigger(view.user, view.id))
    payload["view"]["state"] = {"values": state(view.content["blocks"], inputs)}
    return payload


def submit(slack: Slack, url: str, view: View, inputs: Inputs) -> tuple[Response, dict[str, str]]:
    """Send the submission and obey the answer; gives the errors to show at the inputs, by block id."""
    with slack.changed:
        payload = _without_press(view_payload(slack, view, inputs, {}))
    response = slack.send(url, payload_form({**payload, "type": "view_submission", "response_urls": []}))
    if response.error:
        return response, {}
    with slack.changed:
        errors = _obey(slack, view, _answer(response.body))
        slack.changed.notify_all()
    return response, errors


def close(slack: Slack, url: str, view: View, *, everything: bool) -> None:
    """Take the view away, or with `everything` all that are stacked with it, and tell an app that wants to know."""
    with slack.changed:
        stack = [one for one in slack.workspace.views.values() if one.root_id == view.root_id]
        going = stack if everything else [view]
        payloads = [
            _without_press(view_payload(slack, one, {}, {})) for one in going if one.content.get("notify_on_close")
        ]
        for one in going:
            slack.workspace.views.pop(one.id, None)
        slack.changed.notify_all()
    for payload in payloads:
        slack.send(url, payload_form({**payload, "type": "view_closed", "is_cleared": everything}))


def _without_press(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in payload.items() if key not in ("actions", "container")}


def _answer(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    return answer if isinstance(answer, dict) else {}


def _obey(slack: Slack, view: View, answer: Mapping[str, Any]) -> dict[str, str]:
    views, content = slack.workspace.views, answer.get("view") or {}
    match answer.get("response_action"):
        case "errors":
            return dict(answer.get("errors") or {})
        case "update" | "push" if found := view_problems(content):
            return {"": f"Slack would refuse this view: {found[0]}"}
        case "update":
            view.history.append(view.content)
            view.content, view.hash = dict(content), secrets.token_hex(4)
        case "push":
            key = f"V{secrets.token_hex(5).upper()}"
            views[key] = View(key, view.user, dict(content), secrets.token_hex(4), view.root_id, view.id)
        case "clear":
            for one in [one for one in views.values() if one.root_id == view.root_id]:
                del views[one.id]
        case _:
            views.pop(view.id, None)
    return {}
