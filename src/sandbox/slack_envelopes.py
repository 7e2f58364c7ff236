"""Socket Mode's envelopes: the same requests that Slack sends to an app's address, in JSON over a web socket.

`wrapped` is Slack's side, `unwrapped` the app's. Shapes are those of Slack's page on Socket Mode: `type` is
`slash_commands`, `interactive` or `events_api`, the payload is the form, the form's `payload`, or the event's body.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from sandbox.slack_requests import FORM, JSON

COMMAND, INTERACTION, EVENT = "slash_commands", "interactive", "events_api"
_NUMBER, _REASON = "X-Slack-Retry-Num", "X-Slack-Retry-Reason"


class Request(NamedTuple):
    """What Slack would POST; not signed yet."""

    body: bytes
    content_type: str
    headers: Mapping[str, str]


def wrapped(request: Request) -> dict[str, Any]:
    """An envelope without its id. Only an event cannot be answered with anything."""
    if request.content_type == JSON:
        attempt, reason = int(request.headers.get(_NUMBER, 0)), request.headers.get(_REASON, "")
        retry = {"retry_attempt": attempt, "retry_reason": reason}
        return {"type": EVENT, "payload": json.loads(request.body), "accepts_response_payload": False, **retry}
    fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    if "payload" in fields:
        return {"type": INTERACTION, "payload": json.loads(fields["payload"]), "accepts_response_payload": True}
    return {"type": COMMAND, "payload": fields, "accepts_response_payload": True}


def unwrapped(kind: str, payload: Mapping[str, Any], attempt: int = 0, reason: str = "") -> Request | None:
    """What the app's address would have got; None for a kind of envelope that is not known."""
    match kind:
        case "slash_commands":
            fields = {name: value if isinstance(value, str) else json.dumps(value) for name, value in payload.items()}
            return Request(urlencode(fields, errors="replace").encode(), FORM, {})  # JSON may hold half a character
        case "interactive":
            return Request(urlencode({"payload": json.dumps(payload)}).encode(), FORM, {})
        case "events_api":
            retry = {_NUMBER: str(attempt), _REASON: reason} if attempt else {}
            return Request(json.dumps(payload).encode(), JSON, retry)
    return None
