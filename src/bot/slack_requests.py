"""What Slack sends, made small: jobs with only the fields that listeners read, never a message's blocks.

Shapes are those of Slack's pages on slash commands, the Events API and interaction payloads. Whatever comes in, a
job stays under its 100 KB: texts are cut, and of objects only their plain values are kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

from bot.core.modal import OUTPUTS
from bot.core.pasted import named_in
from bot.jobs import COMMAND, EVENT, INTERACTION, Job, job_id

UNOPENED = "unopened"  # of a job's payload: the trigger that nobody has used yet

_MOST_FIELDS = 100
_MOST_TEXT = 5_000  # characters; what can be read is shorter, and the answer says so
_MOST_ACTIONS = 25  # elements of a block; one press is one action
_MOST_VALUES = 20  # of one object

_COMMAND_FIELDS = (
    "command",
    "text",
    "team_id",
    "enterprise_id",
    "channel_id",
    "channel_name",
    "user_id",
    "user_name",
    "response_url",
    "trigger_id",
    "api_app_id",
    "is_enterprise_install",
)
_ENVELOPE_FIELDS = ("type", "team_id", "enterprise_id", "api_app_id", "event_id", "event_time", "is_ext_shared_channel")
_EVENT_FIELDS = ("type", "user", "text", "ts", "thread_ts", "channel", "channel_type", "team", "event_ts", "tab")
_AUTHORIZATION_FIELDS = ("enterprise_id", "team_id", "user_id", "is_bot", "is_enterprise_install")
_PRESS_FIELDS = ("type", "response_url", "trigger_id", "api_app_id", "callback_id", "is_enterprise_install")
_PRESS_OBJECTS = ("team", "enterprise", "user", "channel", "container")
_VIEW_FIELDS = ("id", "type", "callback_id", "private_metadata", "hash")
_ACTION_FIELDS = ("type", "action_id", "block_id", "value", "action_ts")


class Unreadable(Exception):
    """A signed request that is in none of Slack's forms; the text says what was expected."""


def json_object(text: bytes | str) -> dict[str, Any]:
    """Raises Unreadable."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable("Not JSON.") from error
    if not isinstance(value, dict):
        raise Unreadable("Not a JSON object.")
    return value


def form_fields(body: bytes) -> dict[str, str]:
    """The first value of each field; raises Unreadable."""
    try:
        parsed = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Unreadable("Too many fields.") from error
    return {key: values[0] for key, values in parsed.items()}


def command_job(fields: Mapping[str, str], now: int) -> Job:
    """The job of a slash command."""
    return Job(COMMAND, _id("cmd", fields.get("trigger_id"), fields), now, _kept(fields, _COMMAND_FIELDS))


def event_job(body: Mapping[str, Any], now: int) -> Job | None:
    """The job of an event; None where there is nothing to do."""
    event = _mapping(body.get("event"))
    if body.get("type") != "event_callback" or _is_noise(event, body):
        return None
    payload = {
        **_kept(body, _ENVELOPE_FIELDS),
        "event": {"text": "", **_kept(event, _EVENT_FIELDS)},
        "authorizations": [_kept(one, _AUTHORIZATION_FIELDS) for one in _mappings(body.get("authorizations"))[:1]],
    }
    return Job(EVENT, _id("evt", body.get("event_id"), payload), now, payload)


def _is_noise(event: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Messages of bots, our own among them, edits and other subtypes: answering them would answer ourselves.

    Opening the bot's Messages tab is an `app_home_opened` too.
    """
    if event.get("type") == "app_home_opened":
        return event.get("tab") != "home"
    if event.get("type") not in ("message", "app_mention"):
        return False
    ours = [one.get("user_id") for one in _mappings(body.get("authorizations")) if one.get("is_bot")]
    return bool(event.get("bot_id") or event.get("subtype") or not event.get("user") or event["user"] in ours)


def interaction_job(body: Mapping[str, Any], now: int) -> Job:
    """The job of a press or a shortcut."""
    payload = {
        **_kept(body, _PRESS_FIELDS),
        **({"view": _kept(body["view"], _VIEW_FIELDS)} if isinstance(body.get("view"), dict) else {}),
        **{name: _flat(body[name]) for name in _PRESS_OBJECTS if isinstance(body.get(name), dict)},
        "actions": [_action(one) for one in _mappings(body.get("actions"))[:_MOST_ACTIONS]],
        "message": _kept(_mapping(body.get("message")), ("ts", "thread_ts")),
        **({"named": list(named_in(_mapping(body.get("message"))))} if body.get("type") == "message_action" else {}),
    }
    return Job(INTERACTION, _id("act", body.get("trigger_id"), payload), now, payload)


def ids_of(payload: Mapping[str, Any]) -> dict[str, str]:
    """Team, channel and user of a job of Slack's, for a line in the log; of a job of ours what it names of them."""
    event = _mapping(payload.get("event"))
    found = {
        "team": payload.get("team_id") or _mapping(payload.get("team")).get("id") or payload.get("team"),
        "channel": payload.get("channel_id")
        or event.get("channel")
        or _mapping(payload.get("channel")).get("id")
        or payload.get("channel"),
        "user": payload.get("user_id") or event.get("user") or _mapping(payload.get("user")).get("id"),
    }
    return {name: value for name, value in found.items() if isinstance(value, str)}


def opens_modal(body: Mapping[str, Any]) -> str:
    """The trigger of a press on a message that opens the modal; "" of any other."""
    pressed = [one.get("action_id") for one in _mappings(body.get("actions"))]
    trigger = body.get("trigger_id")
    return trigger if OUTPUTS in pressed and isinstance(trigger, str) else ""


def unopened(job: Job, trigger_id: str) -> Job:
    """The job of a press whose modal the door does not know to be open: the worker tries, if there is still time."""
    return job._replace(payload={**job.payload, UNOPENED: trigger_id})


def _action(action: Mapping[str, Any]) -> dict[str, Any]:
    """A menu says what was chosen in `selected_option`, a button in `value`."""
    chosen = action.get("selected_option")
    option = {"selected_option": _kept(chosen, ("value",))} if isinstance(chosen, dict) else {}
    return {**_kept(action, _ACTION_FIELDS), **option}


def _id(prefix: str, given: object, otherwise: Mapping[str, Any]) -> str:
    """From Slack's own id; where it sent none, the same request is still the same job."""
    return job_id(prefix, given if isinstance(given, str) and given else json.dumps(otherwise, sort_keys=True))


def _kept(value: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: _cut(value[name]) for name in names if isinstance(value.get(name), str | int)}


def _flat(value: Mapping[str, Any]) -> dict[str, Any]:
    return _kept(value, list(value)[:_MOST_VALUES])


def _cut(value: str | int) -> str | int:
    return value[:_MOST_TEXT] if isinstance(value, str) else value


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
