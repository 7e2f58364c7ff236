"""`index.handler`: the same bot on Function Compute's built-in Python runtimes (FC 3), which have no server of ours.

There a request is a call of this function with an event in bytes. It is turned into a WSGI request for the door, and
the door's answer into what the runtime wants back. An HTTP trigger's event has `version` `"v1"`, `rawPath`, `body`,
`isBase64Encoded`, `headers`, `queryParameters` and `requestContext`; anything else is an invocation's payload.
Vendor's pages: `use-an-http-trigger-to-invoke-a-function`, `context-1`.
"""

from __future__ import annotations

import base64
import io
import json
import os
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode

from bot.__main__ import Bot, set_up_logging
from bot.door import Application
from bot.settings import Settings


class JobFailed(Exception):
    """Makes Function Compute count the invocation as failed, and deliver it again."""


def handler(event: bytes, context: Any) -> Any:
    """What an HTTP trigger returns to its caller, or the text of an invocation's answer; raises JobFailed."""
    request = _http_request(event)
    if request is not None:
        return _answer_http(request, context)
    status, headers, body = _call(_environ("POST", "/invoke", event, "/invoke", context))
    if "x-fc-status" in headers:
        raise JobFailed(f"status {status}")
    return body.decode()


@cache
def _application() -> Application:
    """Once for each process: an instance of the function serves many calls."""
    set_up_logging()
    return Bot(Settings.from_environment(os.environ)).application


def _http_request(event: bytes) -> dict[str, Any] | None:
    """An HTTP trigger's event; None where it is something else."""
    try:
        value = json.loads(event)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict) and value.get("version") == "v1" and isinstance(value.get("requestContext"), dict):
        return value if isinstance(value["requestContext"].get("http"), dict) else None
    return None


def _answer_http(request: Mapping[str, Any], context: Any) -> dict[str, Any]:
    status, headers, body = _call(_http_environ(request, context))
    # The length is the runtime's to set, and it reserves that header.
    kept = {name: value for name, value in headers.items() if name != "content-length"}
    return {"statusCode": status, "headers": kept, "isBase64Encoded": False, "body": body.decode()}


def _http_environ(request: Mapping[str, Any], context: Any) -> dict[str, Any]:
    http = request["requestContext"]["http"]
    text = request.get("body") or ""
    # Slack's signature is over the exact bytes, and whether a form comes as Base64 is not documented.
    body = base64.b64decode(text) if request.get("isBase64Encoded") else text.encode("utf-8", "surrogatepass")
    # WSGI: the decoded bytes of the path, each as one character.
    path = unquote_to_bytes(request.get("rawPath") or http.get("path") or "/").decode("latin-1")
    return {
        **_headers(request.get("headers") or {}),
        **_environ(str(http.get("method", "GET")), path, body, "/http-invoke", context),
        "QUERY_STRING": urlencode(request.get("queryParameters") or {}),
    }


def _headers(headers: Mapping[str, Any]) -> dict[str, Any]:
    """As WSGI names them, in whatever case they come. `x-fc-*` are the platform's, so a caller's are dropped."""
    environ: dict[str, Any] = {}
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        # With an underscore it would pass for the same header with a dash.
        if "_" in name or key.startswith("X_FC_") or key == "CONTENT_LENGTH":
            continue
        environ["CONTENT_TYPE" if key == "CONTENT_TYPE" else f"HTTP_{key}"] = str(value)
    return environ


def _environ(method: str, path: str, body: bytes, control_path: str, context: Any) -> dict[str, Any]:
    """A WSGI request, with what Function Compute tells a custom runtime by headers."""
    credentials = getattr(context, "credentials", None)  # not in Python 3.12's context: the environment's then
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_FC_CONTROL_PATH": control_path,
        "HTTP_X_FC_REQUEST_ID": _text(context, "request_id"),
        "HTTP_X_FC_ACCESS_KEY_ID": _text(credentials, "access_key_id"),
        "HTTP_X_FC_ACCESS_KEY_SECRET": _text(credentials, "access_key_secret"),
        "HTTP_X_FC_SECURITY_TOKEN": _text(credentials, "security_token"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def _text(owner: Any, name: str) -> str:
    return getattr(owner, name, None) or ""


def _call(environ: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (lower-case names) and body of the application's answer."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
        started.append((status, headers))

    chunks = _application()(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        getattr(chunks, "close", lambda: None)()
    status, headers = started[-1]
    return int(status.split()[0]), {name.lower(): value for name, value in headers}, body
