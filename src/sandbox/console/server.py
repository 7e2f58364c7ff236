"""Serves the console page and its API, to this machine and to this page only."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from sandbox.console.actions import Actor, Refused
from sandbox.console.faults import Faults
from sandbox.console.state import Feed, Shortcut, facts
from sandbox.http import Drop, Peer, Reply, Request, json_reply
from sandbox.slack_workspace import MEI
from sandbox.stage import Stage

STATIC = Path(__file__).parent / "static"
PATIENCE = 20.0

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
# The page loads nothing from anywhere else, so that images and links in a message reach nobody by themselves.
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Console(Peer):
    """The page at `url`. It stops before its stage does.

    `app` is where Slack sends its requests, the stage's function unless told otherwise. Slack learns of an app's
    `shortcuts` from its manifest; here they are named.
    """

    def __init__(
        self, stage: Stage, port: int = 0, *, app: str | None = None, shortcuts: Sequence[Shortcut] = ()
    ) -> None:
        super().__init__(port)
        self._slack = stage.slack
        faults = Faults(stage)
        self._facts = facts(stage, faults, shortcuts)
        self._feed = Feed(stage, faults)
        self._actor = Actor(stage, faults, app or stage.url)

    def stop(self) -> None:
        self._feed.end()
        super().stop()

    def handle(self, request: Request) -> Reply:
        if self._feed.ended:  # a browser keeps its connections open, and would not notice that we are gone
            raise Drop
        reply = Reply(403, b"This page is for this machine only.") if self._foreign(request) else self._reply(request)
        return Reply(reply.status, reply.body, {**reply.headers, **_HEADERS})

    def _foreign(self, request: Request) -> bool:
        """Another page's request, or one that came by another name (a page could rebind its own name to us)."""
        port = self.url.rpartition(":")[2]
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        if host not in (f"127.0.0.1:{port}", f"localhost:{port}"):
            return True
        if origin is not None and origin != f"http://{host}":
            return True
        elsewhere = request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
        return elsewhere and request.path.startswith("/api/")

    def _reply(self, request: Request) -> Reply:
        match request.method, request.path:
            case "GET", "/api/start":
                return json_reply(self._facts)
            case "GET", "/api/state":
                return self._state(parse_qs(request.query))
            case "POST", path if path.startswith("/api/"):
                return self._act(path.removeprefix("/api/"), request)
            case "GET" | "HEAD", path:
                return _static(path)
        return Reply(405)

    def _state(self, query: Mapping[str, list[str]]) -> Reply:
        """What this user has not seen since `after`; waits for it a while, the page asks again."""
        user, after = query.get("user", [MEI])[0], query.get("after", [""])[0]
        if user not in self._slack.workspace.users:
            return json_reply({"error": "no such user"}, 400)
        return json_reply(self._feed.wait(user, after, PATIENCE))

    def _act(self, name: str, request: Request) -> Reply:
        # A form of another site cannot carry this type without asking first.
        if not request.headers.get("content-type", "").startswith("application/json"):
            return json_reply({"error": "only JSON"}, 415)
        action: Callable[[dict[str, Any]], dict[str, Any]] | None = self._actor.actions.get(name)
        if action is None:
            return json_reply({"error": "no such action"}, 404)
        try:
            return json_reply(action(_object(request.body)))
        except Refused as refused:
            return json_reply({"error": str(refused)}, 400)
        finally:
            self._feed.look_again()


def serve(stage: Stage, port: int = 0, *, shortcuts: Sequence[Shortcut] = ()) -> Console:
    """The started page of a started stage; its address is `.url`, and `.stop()` ends it."""
    return Console(stage, port, shortcuts=shortcuts).start()


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        raise Refused("not JSON") from None
    if not isinstance(value, dict):
        raise Refused("not an object")
    return value


def _static(path: str) -> Reply:
    """A file of the folder, by its name: nothing else can be asked for."""
    files = {f"/{file.name}": file for file in STATIC.iterdir() if file.suffix in _TYPES}
    file = files.get("/index.html" if path == "/" else path)
    if file is None:
        return Reply(404, b"Not found.")
    return Reply(200, file.read_bytes(), {"content-type": _TYPES[file.suffix]})
