"""What Function Compute does to a request on its way to a web function, and to the answer on its way back.

Header names and limits are those of the vendor's pages on custom runtimes and on limits.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.acs3 import Credentials
from sandbox.fc_process import FunctionError, Process
from sandbox.http import Reply, Request

_HEADERS_LIMIT = 8 * 1024
_TARGET_LIMIT = 4 * 1024
# One connection's business, not the message's.
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"})
# A function may not set these; `x-fc-*` neither.
_RESERVED = _HOP_BY_HOP | {"content-length", "date", "server"}


@dataclass(frozen=True)
class Function:
    """What Function Compute tells a function about itself, by environment and by header."""

    name: str
    region: str
    account_id: str
    qualifier: str
    memory: int
    timeout: float

    def environment(self, credentials: Credentials) -> dict[str, str]:
        return {
            "FC_FUNCTION_NAME": self.name,
            "FC_FUNCTION_HANDLER": "index.handler",
            "FC_FUNCTION_MEMORY_SIZE": str(self.memory),
            "FC_REGION": self.region,
            "FC_ACCOUNT_ID": self.account_id,
            "FC_QUALIFIER": self.qualifier,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": credentials.key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": credentials.secret,
            "ALIBABA_CLOUD_SECURITY_TOKEN": credentials.token,
        }

    def headers(
        self, credentials: Credentials, *, control_path: str, request_id: str, retry_count: int
    ) -> dict[str, str]:
        return {
            "x-fc-request-id": request_id,
            "x-fc-access-key-id": credentials.key_id,
            "x-fc-access-key-secret": credentials.secret,
            "x-fc-security-token": credentials.token,
            "x-fc-function-name": self.name,
            "x-fc-function-handler": "index.handler",
            "x-fc-function-memory": str(self.memory),
            "x-fc-function-timeout": f"{self.timeout:g}",
            "x-fc-region": self.region,
            "x-fc-account-id": self.account_id,
            "x-fc-qualifier": self.qualifier,
            "x-fc-version-id": "",
            "x-fc-service-logproject": "",
            "x-fc-service-logstore": "",
            "x-fc-control-path": control_path,
            "x-fc-retry-count": str(retry_count),
        }


def acceptable(request: Request) -> bool:
    """Whether Function Compute lets it in: 8 KB of headers, 4 KB of path and query, plain characters."""
    return (
        _size(request.headers) <= _HEADERS_LIMIT
        and len(request.target) <= _TARGET_LIMIT
        and request.target.isascii()
        and request.target.isprintable()
        and not any({"\r", "\n"} & set(value) for value in request.headers.values())
    )


def forwarded(headers: Mapping[str, str], own: Mapping[str, str], *, spoofing: bool) -> dict[str, str]:
    """A caller's headers as the function gets them. With `spoofing` a caller's `x-fc-*` win over FC's own.

    Callers may not send `x-fc-*`; what Function Compute does with them is not known, so by default they are
    dropped, and the other way is the worst case.
    """
    kept = {name: value for name, value in headers.items() if name not in _HOP_BY_HOP}
    spoofed = {name: value for name, value in kept.items() if name.startswith("x-fc-")}
    plain = {name: value for name, value in kept.items() if name not in spoofed}
    return {**plain, **own, **(spoofed if spoofing else {})}


def exchange(process: Process, request: Request, seconds: float) -> Reply:
    """One request to a function and its whole answer, headers as sent; raises FunctionError."""
    connection = process.connection(seconds)
    try:
        reply = _answer(connection, request)
    except TimeoutError:
        connection.close()
        raise FunctionError("FunctionTimedOut") from None
    except ConnectionError:
        connection.close()
        raise FunctionError("CAExited") from None
    except http.client.HTTPException:
        connection.close()
        raise FunctionError("BadResponse") from None
    process.give_back(connection)
    if _size(reply.headers) > _HEADERS_LIMIT:
        raise FunctionError("BadResponse")
    return reply


def _answer(connection: http.client.HTTPConnection, request: Request) -> Reply:
    connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
    for name, value in request.headers.items():
        connection.putheader(name, value)
    connection.endheaders(request.body or None)
    response = connection.getresponse()
    body = response.read()
    return Reply(response.status, body, {name.lower(): value for name, value in response.getheaders()})


def returned(reply: Reply, request_id: str) -> Reply:
    """A function's answer as the caller gets it: without the reserved headers, with the request's id."""
    kept = {
        name: value for name, value in reply.headers.items() if name not in _RESERVED and not name.startswith("x-fc-")
    }
    return Reply(reply.status, reply.body, {**kept, "x-fc-request-id": request_id})


def _size(headers: Mapping[str, str]) -> int:
    return sum(len(name) + len(value) + len(": \r\n") for name, value in headers.items())
