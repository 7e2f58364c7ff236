"""One web socket to a real Slack, held by slack_sdk's own client, which here never connects anew by itself.

Left to itself that client asks for new connections without end and tells only its own log; it does not see that the
other side has hung up, and takes up to four seconds to close. Facts: Slack's pages on Socket Mode and
apps.connections.open.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import socket
import threading
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

_CALL = 10  # seconds for one call, or for Slack's greeting
_BUFFER = 65_536  # bytes; the client reads a message in pieces, and recurses once for each
_QUIET = logging.getLogger("sandbox.slack_sdk")
_QUIET.setLevel(logging.CRITICAL + 1)  # its own lines hold addresses with tickets; what matters is told

_APP_TOKENS = "the app's page, Basic Information, App-Level Tokens"
_UNKNOWN = f"Slack does not know this SLACK_APP_TOKEN: copy it anew ({_APP_TOKENS})."
_REFUSED = {
    **dict.fromkeys(("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"), _UNKNOWN),
    "not_allowed_token_type": f"SLACK_APP_TOKEN must be an app-level token, xapp-… ({_APP_TOKENS}).",
    "missing_scope": f"The app-level token lacks the scope connections:write: make a new one ({_APP_TOKENS}).",
}
_OTHERWISE = (
    "Slack refuses Socket Mode: is it on (the app's page, Socket Mode), and has the app-level token the scope "
    f"connections:write ({_APP_TOKENS})?"
)
_FAULT = "Slack has a fault"
_CURABLE = {  # codes of apps.connections.open, and reasons of a `disconnect`
    "too_many_websockets": "ten connections of this app are open, and Slack takes no more: end one that is not needed",
    "link_disabled": "Socket Mode was switched off (the app's page, Socket Mode)",
    "ratelimited": "Slack asks to wait",
    **dict.fromkeys(("internal_error", "fatal_error", "service_unavailable"), _FAULT),
}


class GivenUp(Exception):
    """There is no connection and will be none; the text says why, and what to do."""


class Failed(Exception):
    """A try that may go better the next time: why, in words, and how many seconds Slack asks to wait."""

    def __init__(self, why: str, wait: float = 0) -> None:
        super().__init__(why)
        self.wait = wait


def web_client(bot_token: str, api_url: str) -> WebClient:
    return WebClient(bot_token, base_url=api_url, timeout=_CALL, retry_handlers=[], logger=_QUIET)


class Connection(SocketModeClient):
    """Is opened once and closed once. `change` is notified when Slack greets or announces the end.

    `take` gets each envelope, in a thread of a pool. `ping` is seconds between two pings; after four that went
    unanswered the connection is lost.
    """

    def __init__(
        self,
        client: WebClient,
        app_token: str,
        change: threading.Condition,
        take: Callable[[BaseSocketModeClient, SocketModeRequest], None],
        ping: float,
    ) -> None:
        self._change = change
        self.greeted = False
        self.ending = ""  # why, once Slack has announced it
        self.count = 0  # of this app's connections, this one included
        super().__init__(
            app_token,
            web_client=client,
            logger=_QUIET,
            auto_reconnect_enabled=False,
            ping_interval=ping,
            receive_buffer_size=_BUFFER,
            on_message_listeners=[self._heard],
        )
        self.socket_mode_request_listeners.append(take)

    def open(self) -> None:
        """Connects, and waits for Slack's greeting. Raises Failed or GivenUp."""
        try:
            self.connect()
        except SlackApiError as error:
            raise _refusal(error.response) from error
        except (OSError, HTTPException, SlackClientError) as error:
            raise Failed(f"it is not reached ({type(error).__name__})") from error
        if not self.is_connected():  # the client keeps the reason to itself
            raise Failed("its web socket is not reached")
        with self._change:
            self._change.wait_for(lambda: self.greeted or self.ending or self.closed, _CALL)
        if not self.greeted:
            raise Failed(_CURABLE.get(self.ending, "it opened a connection, but did not greet"))

    @property
    def lost(self) -> bool:
        session = self.current_session
        sock = session.sock if session else None
        return sock is None or _hung_up(sock)

    def close(self) -> None:
        self.closed = True
        with self._change:
            self._change.notify_all()
        self.message_queue.put(None)  # wakes the thread that waits for messages
        self.current_session_state.terminated = True
        sock = self.current_session.sock if self.current_session else None
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for bytes
        super().close()

    def issue_new_wss_url(self) -> str:
        return str(self.web_client.apps_connections_open(app_token=self.app_token)["url"])

    def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Called where Slack announces the end: `ending` says so already."""

    def _heard(self, message: str) -> None:
        """What is said about the connection itself; called by the client's reading thread."""
        said = json.loads(message) if message.startswith("{") else {}
        with self._change:
            match said.get("type"):
                case "hello":
                    self.greeted, self.count = True, int(said.get("num_connections") or 1)
                case "disconnect":
                    self.ending = str(said.get("reason") or "disconnect")
            self._change.notify_all()


def _refusal(response: Any) -> Exception:
    """Of apps.connections.open: a wait where that may cure it, else the end."""
    code = str(response.get("error") or "")
    if not re.fullmatch(r"[a-z_]+", code):  # such as a proxy's page, which the client puts here
        return Failed("what answers is not Slack")
    if code in _CURABLE:
        wait = str(response.headers.get("Retry-After", ""))
        return Failed(_CURABLE[code], float(wait) if wait.isdigit() else 0)
    return GivenUp(f"{_REFUSED.get(code, _OTHERWISE)} Slack says: {code}.")


def _hung_up(sock: socket.socket) -> bool:
    """Whether the other side has ended the connection. The client sees only that no bytes come, and asks on and on.

    Looked at below TLS, and nothing is taken away.
    """
    try:
        with socket.fromfd(sock.fileno(), sock.family, sock.type) as below:
            return not below.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
