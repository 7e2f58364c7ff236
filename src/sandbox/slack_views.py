"""The Web API methods for views: open, push, update, publish.

They follow Slack's method pages (docs.slack.dev/reference/methods); where a page leaves the behaviour open,
the stricter reading stands.
"""

from __future__ import annotations

import secrets
from typing import Any

from sandbox.block_kit import view_problems
from sandbox.slack_calls import Answer, Call, Method
from sandbox.slack_workspace import ApiError, View

MOST_VIEWS = 3


def _checked_view(call: Call) -> dict[str, Any]:
    (view,) = call.need("view")
    found = view_problems(view)
    if found:
        raise ApiError("invalid_arguments", found)
    return dict(view)


def _new_view(call: Call, user: str, content: dict[str, Any], previous: View | None = None) -> View:
    external = content.get("external_id")
    if external and any(view.content.get("external_id") == external for view in call.workspace.views.values()):
        raise ApiError("duplicate_external_id")
    view_id = f"V{secrets.token_hex(5).upper()}"
    root = previous.root_id if previous else view_id
    view = View(view_id, user, content, _hash(call), root, previous.id if previous else None)
    call.workspace.views[view_id] = view
    return view


def _hash(call: Call) -> str:
    return f"{call.workspace.clock():.0f}.{secrets.token_hex(4)}"


def _open(call: Call) -> Answer:
    (trigger_id,) = call.need("trigger_id")
    content = _checked_view(call)
    trigger = call.workspace.use_trigger(trigger_id)
    return {"view": _new_view(call, trigger.user, content).as_json()}


def _push(call: Call) -> Answer:
    (trigger_id,) = call.need("trigger_id")
    content = _checked_view(call)
    trigger = call.workspace.use_trigger(trigger_id)
    below = call.workspace.views.get(str(trigger.view_id))
    if below is None:
        raise ApiError("invalid_trigger_id")
    if sum(view.root_id == below.root_id for view in call.workspace.views.values()) >= MOST_VIEWS:
        raise ApiError("push_limit_reached")
    return {"view": _new_view(call, trigger.user, content, below).as_json()}


def _update_view(call: Call) -> Answer:
    content = _checked_view(call)
    external, view_id = call.args.get("external_id"), call.args.get("view_id")
    every = call.workspace.views.values()
    view = next((v for v in every if view_id == v.id or (external and v.content.get("external_id") == external)), None)
    if view is None:
        raise ApiError("not_found")
    if call.args.get("hash") not in (None, "", view.hash):
        raise ApiError("hash_conflict")
    _replace(call, view, content)
    return {"view": view.as_json()}


def _replace(call: Call, view: View, content: dict[str, Any]) -> None:
    view.history.append(view.content)
    # An update keeps the external_id by which the view can be found again.
    view.content = {**{key: view.content[key] for key in ("external_id",) if key in view.content}, **content}
    view.hash = _hash(call)


def _publish(call: Call) -> Answer:
    (user,) = call.need("user_id")
    content = _checked_view(call)
    if user not in call.workspace.users:
        raise ApiError("user_not_found")
    if content.get("type") != "home":
        raise ApiError("invalid_arguments", ["view type must be home [json-pointer:/view/type]"])
    mine = [v for v in call.workspace.views.values() if v.user == user and v.content["type"] == "home"]
    expected = call.args.get("hash")
    if expected and (not mine or expected != mine[0].hash):
        raise ApiError("hash_conflict")
    if mine:
        _replace(call, mine[0], content)
    return {"view": (mine[0] if mine else _new_view(call, user, content)).as_json()}


VIEWS: dict[str, Method] = {
    "views.open": Method(_open),
    "views.push": Method(_push),
    "views.update": Method(_update_view),
    "views.publish": Method(_publish),
}
