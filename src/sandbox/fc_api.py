"""InvokeFunction as it comes over the wire, and how Function Compute refuses.

Names, limits and codes are those of the API 2023-03-30 and of the vendor's table of error codes.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote

from sandbox.fc_wire import Function
from sandbox.http import Reply, Request, json_reply

_PATH = re.compile(r"/2023-03-30/functions/([^/]+)/invocations")
_TASK_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}")
_DELAY = re.compile(r"[0-9]{1,4}")
_LONGEST_DELAY = 3600
_LIMITS = {"Async": 128 * 1024, "Sync": 32 * 1024 * 1024}


class RefusalError(Exception):
    """A request that is answered with a 4xx: `status` and the vendor's error code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


def is_invocation(request: Request) -> bool:
    return request.method == "POST" and _PATH.fullmatch(request.path) is not None


def check_target(request: Request, function: Function) -> None:
    """Refuse a call of another function, version or alias than the one that is here."""
    name = _PATH.fullmatch(request.path)
    if not name or unquote(name[1]) != function.name:
        raise RefusalError(404, "FunctionNotFound")
    if parse_qs(request.query).get("qualifier", [function.qualifier]) != [function.qualifier]:
        raise RefusalError(404, "AliasNotFound")


def is_asynchronous(request: Request) -> bool:
    """By the header `x-fc-invocation-type`; refuses another type, and a body over that type's limit."""
    kind = request.headers.get("x-fc-invocation-type", "Sync")
    if kind not in _LIMITS:
        raise RefusalError(400, "InvalidArgument")
    check_size(kind, request.body)
    return kind == "Async"


def check_size(kind: str, payload: bytes) -> None:
    """Refuse a payload over 128 KB (`Async`) or 32 MB (`Sync`)."""
    if len(payload) > _LIMITS[kind]:
        raise RefusalError(400, "EntityTooLarge")


def task_id(request: Request, otherwise: str) -> str:
    value = request.headers.get("x-fc-async-task-id")
    if value is None:
        return otherwise
    if not _TASK_ID.fullmatch(value):
        raise RefusalError(400, "InvalidArgument")
    return value


def delay(request: Request) -> int:
    """Seconds until delivery, 0 to 3600, whole."""
    value = request.headers.get("x-fc-async-delay", "0")
    if not _DELAY.fullmatch(value) or int(value) > _LONGEST_DELAY:
        raise RefusalError(400, "InvalidArgument")
    return int(value)


def error(status: int, code: str, request_id: str) -> Reply:
    body = {"Code": code, "Message": f"The request was refused: {code}.", "RequestId": request_id}
    return json_reply(body, status, **{"x-fc-request-id": request_id, "x-fc-error-type": code})
