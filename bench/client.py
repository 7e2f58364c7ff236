"""Slack's side of a slash command on raw sockets, so that the client costs next to nothing."""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import urlencode

from bench.table import NotMeasured
from sandbox.slack_requests import sign
from sandbox.slack_workspace import APP_ID, INCIDENTS, MEI, SIGNING_SECRET, TEAM_DOMAIN, TEAM_ID

PATH = "/slack/events"
TIME_LIMIT = 60.0  # seconds for one answer: a cold start on a tenth of a CPU takes its time


def form(text: str, response_url: str = "http://127.0.0.1:9/none", number: int = 0) -> bytes:
    """The body of a slash command as Slack sends it; `number` makes its trigger_id its own."""
    fields = {
        "token": "deprecated",
        "team_id": TEAM_ID,
        "team_domain": TEAM_DOMAIN,
        "channel_id": INCIDENTS,
        "channel_name": "incidents",
        "user_id": MEI,
        "user_name": "mei",
        "command": "/cloudassist",
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": f"{time.time_ns()}.{number}.9f3bd0e5a7c14c0f8f4e1d2c3b4a5968",
    }
    return urlencode(fields).encode()


def signed(body: bytes) -> bytes:
    """The whole request, signed now: good for 300 s."""
    headers = {
        "Host": "bot.example",
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "Accept": "application/json,*/*",
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": str(len(body)),
        **sign(SIGNING_SECRET, int(time.time()), body),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {PATH} HTTP/1.1\r\n{head}\r\n".encode() + body


def status(answer: bytes) -> int:
    return int(answer[9:12])


def is_whole(answer: bytes) -> bool:
    """Whether all of an answer is there, told by its Content-Length or by the last chunk."""
    head, ended, body = answer.partition(b"\r\n\r\n")
    if not ended:
        return False
    lower = head.lower()
    at = lower.find(b"\r\ncontent-length:")
    if at < 0:
        return body.endswith(b"0\r\n\r\n") or b"transfer-encoding" not in lower
    return len(body) >= int(lower[at + 17 :].split(b"\r\n", 1)[0])


def exchange(connection: socket.socket, request: bytes) -> int:
    """One request and its answer; the status, which must be 200."""
    connection.sendall(request)
    answer = b""
    while not is_whole(answer):
        more = connection.recv(65_536)
        if not more:
            raise NotMeasured("closed the connection without an answer")
        answer += more
    if status(answer) != 200:
        raise NotMeasured(f"answered {status(answer)}: {answer[-200:]!r}")
    return status(answer)


@dataclass
class Load:
    """Many acks over kept connections, from one thread. `latencies` are seconds, one for each answer."""

    port: int
    requests: list[bytes]
    connections: int = 8
    latencies: list[float] = field(default_factory=list)

    def closed_loop(self, seconds: float) -> float:
        """Each connection sends its next request when it has its answer. Gives the answers per second."""
        began = time.perf_counter()
        end = began + seconds
        self._run(deque([began] * self.connections), lambda now: now if now < end else None)
        return len(self.latencies) / (time.perf_counter() - began)

    def steady(self, rate: float, seconds: float) -> None:
        """So many requests a second, whether or not answers come. A late start counts as latency: it was due."""
        began = time.perf_counter()
        self._run(deque(began + number / rate for number in range(int(rate * seconds))), lambda now: None)

    def _run(self, due: deque[float], following: object) -> None:
        with selectors.DefaultSelector() as ready:
            idle = [self._connected() for _ in range(self.connections)]
            opened = list(idle)
            try:
                self._serve(ready, idle, due, following)
            finally:
                for connection in opened:
                    connection.close()

    def _serve(self, ready: selectors.BaseSelector, idle: list, due: deque[float], following) -> None:
        sent, busy = 0, 0
        limit = time.perf_counter() + TIME_LIMIT
        while due or busy:
            now = time.perf_counter()
            if now > limit:
                raise NotMeasured(f"{busy} acks of {sent} never came")
            while due and idle and due[0] <= now:
                connection, since = idle.pop(), due.popleft()
                connection.sendall(self.requests[sent % len(self.requests)])
                ready.register(connection, selectors.EVENT_READ, [since, b""])
                sent, busy = sent + 1, busy + 1
            wait = max(0.0, due[0] - now) if due and idle else 1.0
            for key, _ in ready.select(wait):
                key.data[1] += key.fileobj.recv(65_536) or _gone()
                if not is_whole(key.data[1]):
                    continue
                now = time.perf_counter()
                if status(key.data[1]) != 200:
                    raise NotMeasured(f"answered {status(key.data[1])} under load")
                self.latencies.append(now - key.data[0])
                ready.unregister(key.fileobj)
                idle.append(key.fileobj)
                busy -= 1
                if (then := following(now)) is not None:
                    due.append(then)

    def _connected(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=TIME_LIMIT)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def _gone() -> bytes:
    raise NotMeasured("closed a connection under load")


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
