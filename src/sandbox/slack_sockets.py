"""Socket Mode in the sandbox's Slack: tickets for web sockets, the sockets, and the envelopes sent over them.

Facts are those of Slack's pages on Socket Mode and apps.connections.open: ten connections of an app at most, an
envelope goes over one of them and must be acked within 3 s, and `disconnect` announces that a connection ends.
"""

from __future__ import annotations

import json
import secrets
import socket
import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.http import Reply, Request
from sandbox.slack_requests import Response
from sandbox.slack_workspace import APP_ID, ApiError
from sandbox.websocket import WebSocket, handshake

SOCKET = "socket"
"""In place of an app's address: by Socket Mode."""
PATH = "/link/"
MOST = 10  # connections of one app


class Sockets:
    """The app's connections, oldest first. `changed` guards all, and is notified when one comes or goes.

    `twice` counts how many of the next envelopes are delivered two times. While `refusing` holds a reason, new
    connections are told that in place of a greeting, and closed.
    """

    def __init__(self, changed: threading.Condition) -> None:
        self._changed = changed
        self._tickets: set[str] = set()
        self._open: list[WebSocket] = []
        self._acks: dict[str, dict[str, Any] | None] = {}
        self.connected = 0  # since the start
        self.twice = 0
        self.refusing = ""

    def __len__(self) -> int:
        with self._changed:
            return len(self._open)

    def ticket(self, url: str) -> str:
        """The address of one new connection at the peer `url`; ApiError `too_many_websockets`."""
        if len(self._open) >= MOST:
            raise ApiError("too_many_websockets")
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return f"{url.replace('http', 'ws', 1)}{PATH}?ticket={ticket}&app_id={APP_ID}"

    def upgrade(self, request: Request) -> Reply:
        """A ticket is good for one connection."""
        headers, ticket = handshake(request.headers), request.query.partition("&")[0].removeprefix("ticket=")
        with self._changed:
            if headers is None or ticket not in self._tickets:
                return Reply(400)
            self._tickets.remove(ticket)
        return Reply(101, b"", headers, self._serve)

    def _serve(self, connection: socket.socket) -> None:
        web_socket = WebSocket(connection)
        with self._changed:
            self._open.append(web_socket)
            self.connected += 1
            count = len(self._open)
            self._changed.notify_all()
        hello = {"type": "hello", "connection_info": {"app_id": APP_ID}, "num_connections": count}
        refusal = {"type": "disconnect", "reason": self.refusing}
        try:
            web_socket.send(json.dumps(refusal if self.refusing else hello))
            if self.refusing:
                web_socket.close()
            for message in web_socket.messages():
                self._acked(json.loads(message))
        finally:
            with self._changed:
                self._open = [one for one in self._open if one is not web_socket]
                self._changed.notify_all()

    def _acked(self, ack: Mapping[str, Any]) -> None:
        with self._changed:
            if ack["envelope_id"] in self._acks:
                self._acks[ack["envelope_id"]] = dict(ack)
                self._changed.notify_all()

    def deliver(self, envelope: Mapping[str, Any], seconds: float) -> Response:
        """Sends it over the newest connection and waits for its ack, whose payload is the body of the answer."""
        began, key = time.monotonic(), str(uuid.uuid4())
        with self._changed:
            if not self._open:
                return Response(0, b"", 0.0, "dispatch_failed")
            web_socket, self._acks[key] = self._open[-1], None
            again = [str(uuid.uuid4())] if self.twice else []
            self.twice = max(0, self.twice - 1)
        for one in (key, *again):
            web_socket.send(json.dumps({"envelope_id": one, **envelope}))
        with self._changed:
            self._changed.wait_for(lambda: self._acks[key] is not None, seconds)
            ack = self._acks.pop(key)
        spent = (time.monotonic() - began) * 1000
        if ack is None:
            return Response(0, b"", spent, "operation_timeout")
        payload = ack.get("payload")
        return Response(200, b"" if payload is None else json.dumps(payload).encode(), spent)

    # What Slack does to connections

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Asks the app to connect anew, and closes what there was: as Slack does every hour or so."""
        for web_socket in self._all():
            web_socket.send(json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}}))
            if reason != "warning":
                web_socket.close()

    def drop(self) -> None:
        """Lets all of them break off."""
        for web_socket in self._all():
            web_socket.drop()

    def _all(self) -> list[WebSocket]:
        with self._changed:
            return list(self._open)

    def wait_for(self, connected: int, timeout: float = 10) -> None:
        """Until so many have connected since the start and one is open; TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._open and self.connected >= connected, timeout):
                raise TimeoutError(f"{self.connected} of {connected} connections, {len(self._open)} open")
