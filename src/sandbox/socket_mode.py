"""Socket Mode: a real workspace without a public address. What comes over the web socket goes on as HTTP.

Each envelope becomes the request that Slack would have sent to the function's address, signed; the answer to that is
the envelope's ack, and what is not answered with a 200 is not acked, so that Slack delivers an event again.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from sandbox.slack_envelopes import Request, unwrapped
from sandbox.slack_requests import Response, send, sign
from sandbox.socket_connection import Connection, Failed, GivenUp

SECONDS = 3.0  # that Slack waits for an ack
PATIENCE = 600.0  # seconds without a connection before giving up
_LONGEST_WAIT = 30.0  # seconds between two tries
_SHORT = 10.0  # seconds; a connection that ends before that did not last
_LOOK = 0.5  # seconds between two looks at the connection


@dataclass(frozen=True, slots=True)
class Address:
    """Where requests go on to, and the secret that they are signed with there."""

    url: str
    signing_secret: str


class SocketMode:
    """`told` gets each line for the person at the terminal.

    Seconds: `ping` between two pings of the connection; `patience` without a connection before giving up;
    `first_wait` before the second try, and then twice as long each time (30 s at most).
    """

    def __init__(
        self,
        client: WebClient,
        app_token: str,
        address: Address,
        told: Callable[[str], None],
        *,
        ping: float = 3.0,
        patience: float = PATIENCE,
        first_wait: float = 1.0,
    ) -> None:
        self.told = told
        self._client, self._app_token, self._address = client, app_token, address
        self._ping, self._patience, self._first_wait = ping, patience, first_wait
        self._change = threading.Condition()
        self._closed = False
        self._open: list[Connection] = []  # oldest first; the last one counts
        self._since = 0.0  # when the connection began
        self._short = 0  # connections in a row that did not last

    def run(self) -> None:
        """Connects, and stays connected until `close`; raises GivenUp."""
        try:
            self._connect()
            self._tell_of_others()
            self._tell("Connected. Ctrl-C ends it.")
            while not self._closed:
                self._look()
        finally:
            self._leave(*self._open)

    def close(self) -> None:
        """`run` returns."""
        with self._change:
            self._closed = True
            self._change.notify_all()

    def _tell(self, line: str) -> None:
        self.told(f"{time.strftime('%H:%M:%S')}  {line}")

    def _wait(self, seconds: float, until: Callable[[], object] = lambda: False) -> None:
        with self._change:
            self._change.wait_for(lambda: self._closed or until(), seconds)

    # The connection

    def _look(self) -> None:
        current = self._open[-1]
        self._wait(_LOOK, lambda: current.ending)
        self._leave(*[one for one in self._open[:-1] if one.lost])
        if current.ending:
            self._renew()
        elif current.lost and not self._closed:
            self._tell("The connection to Slack was lost.")
            self._renew()
            self._tell("Connected again.")

    def _leave(self, *connections: Connection) -> None:
        for connection in connections:
            connection.close()
            self._open.remove(connection)

    def _renew(self) -> None:
        """At once, which is what Slack expects; but not in haste where connections do not last.

        What Slack has said to the old one is still read and acked there, until Slack closes it.
        """
        self._short = self._short + 1 if time.monotonic() - self._since < _SHORT else 0
        if self._short > 1:
            self._wait(min(self._first_wait * 2.0 ** (self._short - 1), _LONGEST_WAIT))
        self._connect()
        self._leave(*self._open[:-2])

    def _connect(self) -> None:
        wait, until, said = self._first_wait, time.monotonic() + self._patience, ""
        while not self._closed:
            try:
                self._open.append(self._opened())
                return
            except Failed as failed:
                why, pause = str(failed), max(failed.wait, wait)
            if time.monotonic() + pause > until:
                raise GivenUp(f"Given up: {why}.")
            if why != said:
                self._tell(f"No connection to Slack: {why}. Trying again for {_duration(self._patience)} …")
            said, wait = why, min(2 * wait, _LONGEST_WAIT)
            self._wait(pause)

    def _opened(self) -> Connection:
        connection = Connection(self._client, self._app_token, self._change, self._pass_on, self._ping)
        try:
            connection.open()
        except BaseException:
            connection.close()
            raise
        self._since = time.monotonic()
        return connection

    def _tell_of_others(self) -> None:
        others = sum(one.count - 1 for one in self._open)
        if others > 0:
            self._tell(
                f"NOTE: {others} more of this app's connections {'is' if others == 1 else 'are'} open. Slack gives "
                "each question to one of them, so not all are answered here."
            )

    # Envelopes

    def _pass_on(self, client: BaseSocketModeClient, envelope: SocketModeRequest) -> None:
        """Called in a thread of the client's pool."""
        request = unwrapped(
            envelope.type, envelope.payload, envelope.retry_attempt or 0, str(envelope.retry_reason or "")
        )
        if request is None:  # of no kind that the manifest asks for; without an ack it would come again
            return client.send_socket_mode_response(SocketModeResponse(envelope.envelope_id))
        response = self._sent(request)
        outcome = _outcome(response)
        if response.status == 200:
            payload = json.loads(response.body) if response.body and envelope.accepts_response_payload else None
            try:
                client.send_socket_mode_response(SocketModeResponse(envelope.envelope_id, payload))
            except SlackClientError:
                outcome = "taken, but the connection was gone before Slack could hear of it"
        self._tell(f"{described(envelope)}: {outcome}")
        return None

    def _sent(self, request: Request) -> Response:
        signed = sign(self._address.signing_secret, int(time.time()), request.body)
        headers = {"Content-Type": request.content_type, **request.headers, **signed}
        return send(self._address.url, request.body, headers, SECONDS)


def described(envelope: SocketModeRequest) -> str:
    """What came, from whom and where, for the terminal; never what was typed."""
    payload = envelope.payload
    match envelope.type:
        case "slash_commands":
            what, who, where = "slash command", payload.get("user_name"), payload.get("channel_name")
        case "events_api":
            event = _mapping(payload.get("event"))
            what, who, where = f"event {event.get('type')}", event.get("user"), event.get("channel")
        case _:
            what = {"block_actions": "press", "message_action": "shortcut"}.get(str(payload.get("type")), "interaction")
            who = _mapping(payload.get("user")).get("username")
            where = _mapping(payload.get("channel")).get("name")
    again = ", again" if envelope.retry_attempt else ""
    said = what + (f" by {who}" if who else "") + (f" in {where}" if where else "") + again
    return "".join(letter if letter.isprintable() else "�" for letter in said)


def _outcome(response: Response) -> str:
    if response.status == 200:
        return f"taken, {response.milliseconds:.0f} ms"
    why = f"status {response.status}" if response.status else response.error
    return f"NOT taken ({why}); an event comes again, of all else Slack tells the person"


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"
