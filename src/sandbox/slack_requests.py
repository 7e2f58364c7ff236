"""The requests Slack sends to an app: their bodies, their signature, and the sending.

Shapes are those of Slack's pages on slash commands, the Events API, interaction payloads and verifying
requests. Everything here is a function; `sandbox.slack.Slack` keeps the state.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from sandbox.slack_workspace import (
    APP_ID,
    BOT_USER,
    TEAM_DOMAIN,
    TEAM_ID,
    Channel,
    Message,
    User,
    Workspace,
)

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


@dataclass(frozen=True)
class Response:
    """What came back. `error` is what Slack would tell the user of it, empty where all is well:
    `operation_timeout`, `dispatch_failed`, `http_client_error` or `http_service_error`; without an answer
    `status` is 0."""

    status: int
    body: bytes
    milliseconds: float
    error: str = ""


def sign(secret: str, timestamp: int | str, body: bytes) -> dict[str, str]:
    """The two headers of Slack's signature v0 over exactly these bytes."""
    base = b"v0:" + str(timestamp).encode() + b":" + body
    digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": f"v0={digest}"}


def send(url: str, body: bytes, headers: Mapping[str, str], seconds: float = 3.0) -> Response:
    """POST once, as Slack does: no redirect is followed and an answer after `seconds` is lost."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(parts.netloc, timeout=seconds)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    started = time.perf_counter()
    status, answer, error = 0, b"", ""
    try:
        connection.request("POST", target, body, {"User-Agent": "Slackbot 1.0", **headers})
        answered = connection.getresponse()
        status, answer = answered.status, answered.read()
    except TimeoutError:
        error = "operation_timeout"
    except (OSError, http.client.HTTPException):
        error = "dispatch_failed"
    finally:
        connection.close()
    spent = time.perf_counter() - started
    if spent > seconds:
        # The time-out of the socket starts anew with every read; Slack's does not.
        return Response(0, b"", spent * 1000, "operation_timeout")
    return Response(status, answer, spent * 1000, error or _http_error(status))


def _http_error(status: int) -> str:
    if status == 200:
        return ""
    return "http_service_error" if status >= 500 else "http_client_error"


# Slash commands

_TYPED = re.compile(
    r"(?P<url>https?://[^\s<>]+)"
    r"|(?<![\w@])@(?P<name>[\w.-]+)"
    r"|(?<![\w#])#(?P<channel>[\w.-]+)"
    r"|(?<![\w.@/-])(?P<host>(?:[a-z0-9-]+\.)+(?:com|net|org|io|cn|example))\b",
    re.IGNORECASE,
)


def escape(workspace: Workspace, typed: str) -> str:
    """What an app with `should_escape` gets for what was typed: `@mei` → `<@U…|mei>`, links in brackets."""
    text = typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    users = {user.name: f"<@{user.id}|{user.name}>" for user in workspace.users.values()}
    groups = {name: f"<!subteam^{key}|@{name}>" for key, (name, _) in workspace.usergroups.items()}
    channels = {channel.name: f"<#{channel.id}|{channel.name}>" for channel in workspace.channels.values()}

    def replace(found: re.Match[str]) -> str:
        whole, kind = found.group(), found.lastgroup
        match kind:
            case "name":
                return {**users, **groups}.get(whole[1:], whole)
            case "channel":
                return channels.get(whole[1:], whole)
            case "host":
                return f"<http://{whole}|{whole}>"
        return f"<{whole}>"

    return _TYPED.sub(replace, text)


def command_form(command: str, text: str, channel: Channel, user: User, trigger_id: str, response_url: str) -> bytes:
    fields = {
        "token": "deprecated",
        "team_id": user.team_id,
        "team_domain": TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }
    return urlencode(fields).encode()


def channel_name(channel: Channel) -> str:
    """Slash commands name only public channels."""
    return {"im": "directmessage", "groups": "privategroup"}.get(channel.kind, channel.name)


# Events API


def envelope(event: Mapping[str, Any], event_id: str | None, now: float, *, shared: bool) -> bytes:
    """The outer part of an event; `authorizations` names the bot user as the one it is sent for."""
    return _json(
        {
            "token": "deprecated",
            "team_id": TEAM_ID,
            "context_team_id": TEAM_ID,
            "context_enterprise_id": None,
            "api_app_id": APP_ID,
            "event": event,
            "type": "event_callback",
            "event_id": event_id or f"Ev{secrets.token_hex(5).upper()}",
            "event_time": int(now),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": TEAM_ID,
                    "user_id": BOT_USER,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": shared,
            "event_context": f"4-{secrets.token_hex(8)}",
        }
    )


def message_event(kind: str, message: Message, channel: Channel) -> dict[str, Any]:
    """A message as an event of this type: `app_mention` or `message`."""
    where = {"channel": channel.id, "event_ts": message.ts}
    types = {"channels": "channel", "groups": "group", "im": "im"}
    own = {"channel_type": types[channel.kind]} if kind == "message" else {}
    return {**message.as_json(), "type": kind, "team": TEAM_ID, **where, **own}


def changed_event(message: Message, channel: Channel, event_ts: str) -> dict[str, Any]:
    """The `message_changed` that follows an update."""
    before = message.versions[-1]
    current = message.as_json()
    return {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "message": current,
        "previous_message": {**current, "text": before.text, "blocks": list(before.blocks)},
        "channel": channel.id,
        "channel_type": message_event("message", message, channel)["channel_type"],
        "ts": event_ts,
        "event_ts": event_ts,
    }


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
