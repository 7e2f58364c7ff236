"""What comes over the wire to the sandbox's Slack and goes wrong there on demand: arguments, rates, faults."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from sandbox.http import Reply, Request, json_reply
from sandbox.slack_workspace import ApiError

# Arguments that a form carries as JSON.
_STRUCTURED = ("blocks", "attachments", "metadata", "view", "files", "message")
_FAULTS = ("429", "500", "500_after", "502html", "drop_before", "drop_after", "slow")


def token_of(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token if kind.lower() == "bearer" else str(_given(request).get("token") or "")


def arguments(request: Request) -> dict[str, Any]:
    """Query and body, form or JSON, without the token; nulls are left out.

    ApiError: `invalid_json` for a body that is none, `invalid_…_format` for a JSON argument that is none.
    """
    args = {key: value for key, value in _given(request).items() if key != "token" and value is not None}
    return {key: _structured(key, value) if key in _STRUCTURED else value for key, value in args.items()}


def known_arguments(request: Request) -> dict[str, Any]:
    """For the record: whatever can be read."""
    try:
        return arguments(request)
    except ApiError:
        return {}


def _given(request: Request) -> dict[str, Any]:
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if "json" not in request.headers.get("content-type", ""):
        return query | dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        raise ApiError("invalid_json") from None
    if not isinstance(body, dict):
        raise ApiError("json_not_object")
    return query | body


def _structured(key: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ApiError(f"invalid_{key}_format") from None


def rate_limited(seconds: int) -> Reply:
    return json_reply({"ok": False, "error": "ratelimited"}, 429, **{"Retry-After": str(seconds)})


class Rate:
    """A bucket per channel: `burst` posts at once, then one every `every` seconds."""

    def __init__(self, burst: int, every: float) -> None:
        self._burst, self._every = float(burst), every
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, channel: str, now: float) -> None:
        """ApiError `ratelimited` with `retry_after`, in whole seconds, where the bucket is empty."""
        level, before = self._levels.get(channel, (self._burst, now))
        level = min(self._burst, level + (now - before) / self._every)
        if level < 1:
            raise ApiError("ratelimited", retry_after=max(1, math.ceil((1 - level) * self._every)))
        self._levels[channel] = (level - 1, now)


@dataclass
class Fault:
    kind: str
    method: str
    times: int
    retry_after: int
    seconds: float

    def __post_init__(self) -> None:
        if self.kind not in _FAULTS and not self.kind.startswith("error:"):
            raise ValueError(f"no fault {self.kind!r}; there are {_FAULTS} and error:<code>")

    def reply(self, method: str) -> Reply:
        """The answer of the kinds that give one without doing anything."""
        if self.kind == "429":
            return rate_limited(self.retry_after)
        if self.kind in ("500", "500_after"):
            return json_reply({"ok": False, "error": "internal_error"}, 500)
        if self.kind == "502html":
            page = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
            return Reply(502, page, {"content-type": "text/html"})
        code = self.kind.removeprefix("error:")
        return Reply(404, code.encode()) if method == "response_url" else json_reply({"ok": False, "error": code})


def take_fault(faults: list[Fault], method: str) -> Fault | None:
    """The first fault that waits for this method, counted down."""
    for fault in faults:
        if fault.method in ("*", method):
            fault.times -= 1
            if fault.times < 1:
                faults.remove(fault)
            return fault
    return None
