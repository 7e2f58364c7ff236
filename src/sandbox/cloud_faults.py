"""What can be made to go wrong on purpose between a client and the sandbox's Cloud Assistant."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from sandbox.cloud_errors import ApiError, error_reply, forbidden, throttled
from sandbox.http import Reply

Kind = Literal[
    "throttle",  # Throttling.User, HTTP 400; of KMS Rejected.Throttling, HTTP 429
    "http500",  # ServiceUnavailable as JSON, HTTP 500
    "html502",  # a gateway's page instead of JSON, HTTP 502
    "drop",  # the connection is closed, nothing is done
    "drop_after",  # all is done and counted, then the connection is closed without an answer
    "slow",  # the right answer, `seconds` late
    "redirect",  # HTTP `status` (302 or 307) to `location`
    "empty",  # HTTP 200 without a body
    "bad_json",  # HTTP 200, the JSON ends in the middle
    "denied",  # Forbidden.RAM, HTTP 403
]

_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass
class Fault:
    """Spoils the next `times` calls of `action` in `region` of `account` (None: any), after `skip` good ones."""

    kind: Kind
    action: str | None = None
    region: str | None = None
    times: float = 1
    skip: int = 0
    seconds: float = 0.0
    location: str = ""
    status: int = 302
    headers: Mapping[str, str] = field(default_factory=dict)
    account: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"no such fault: {self.kind!r}; there are {', '.join(get_args(Kind))}")

    def concerns(self, action: str, region: str, account: str) -> bool:
        return self.action in (None, action) and self.region in (None, region) and self.account in (None, account)

    def spoil(self, action: str, answer: Callable[[], Reply]) -> Reply | None:
        """The reply to send, None for none at all. `answer` gives the right one, and may raise ApiError."""
        if error := self._refusal(action):
            return error_reply(error, self.headers)
        match self.kind:
            case "slow":
                time.sleep(self.seconds)
                return answer()
            case "drop_after":
                answer()
                return None
            case "bad_json":
                whole = answer()
                return Reply(200, whole.body[: len(whole.body) // 2], whole.headers)
            case _:
                return self._bare()

    def _refusal(self, action: str) -> ApiError | None:
        match self.kind:
            case "throttle":
                return throttled(action)
            case "denied":
                return forbidden(action)
            case "http500":
                message = "The request has failed due to a temporary failure of the server."
                return ApiError("ServiceUnavailable", message, 500)
            case _:
                return None

    def _bare(self) -> Reply | None:
        match self.kind:
            case "html502":
                return Reply(502, _PAGE.encode(), {"content-type": "text/html", **self.headers})
            case "redirect":
                return Reply(self.status, b"", {"location": self.location, **self.headers})
            case "empty":
                return Reply(200, b"", self.headers)
            case _:
                return None


class Faults:
    """An ordered queue: of those that concern a call, the oldest with something left to spoil is used."""

    def __init__(self) -> None:
        self._queue: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._queue.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._queue.clear()

    def take(self, action: str, region: str, account: str) -> Fault | None:
        """The fault for this call, if any; uses up one of its `skip` or `times`."""
        with self._lock:
            fault = next((one for one in self._queue if one.concerns(action, region, account)), None)
            if fault is None:
                return None
            if fault.skip:
                fault.skip -= 1
                return None
            fault.times -= 1
            if fault.times <= 0:
                self._queue.remove(fault)
            return fault
