"""One HTTP exchange within one time limit. `http.client` limits each step for itself, so that a far end that drips
bytes could hold a request for minutes, while Slack waits 3 s for the ack.

What is left out: looking a name up takes as long as the system's resolver likes.
"""

from __future__ import annotations

import http.client
import io
import os
import re
import ssl
import time
from collections.abc import Mapping
from functools import partial
from socket import socket
from typing import Any

Connection = http.client.HTTPConnection

_MOST_BODY = 65_536  # bytes; no answer that is asked for here is longer


class Unanswered(OSError):
    """All of a request went out and no answer came, for the reason in the cause: it may have been carried out."""


def trusted() -> ssl.SSLContext:
    """For TLS with the system's authorities.

    From their hashed folder where there is one: OpenSSL then reads the one that it needs, while reading the whole
    bundle takes as long as half a cold start (35 ms of CPU). A bundle that somebody names wins.
    """
    folder = ssl.get_default_verify_paths().capath
    if os.environ.get("SSL_CERT_FILE") or not folder or not _is_hashed(folder):
        return ssl.create_default_context()
    return ssl.create_default_context(capath=folder)


def _is_hashed(folder: str) -> bool:
    with os.scandir(folder) as entries:
        return any(re.fullmatch(r"[0-9a-f]{8}\.[0-9]", entry.name) for entry in entries)


def connection(host: str, context: ssl.SSLContext | None, deadline: float) -> Connection:
    """Not connected yet; over TLS where there is a context. `deadline` is in seconds of `time.monotonic`."""
    if context is None:
        return http.client.HTTPConnection(host, timeout=left(deadline))
    return http.client.HTTPSConnection(host, timeout=left(deadline), context=context)


def post(
    line: Connection, target: str, headers: Mapping[str, str], body: bytes, deadline: float
) -> tuple[http.client.HTTPResponse, bytes]:
    """Status and headers of the answer, and its body. The connection is closed where it cannot be used again; the body
    is then empty, or not whole.

    Raises Unanswered where the far end may have acted on it all the same; TimeoutError at the deadline and OSError
    where the connection breaks before that.
    """
    line.response_class = partial(_response, deadline)  # type: ignore[assignment]
    if line.sock is not None:
        line.sock.settimeout(left(deadline))
    line.request("POST", target, body, headers)
    try:
        answer = line.getresponse()
    except (OSError, http.client.HTTPException) as error:
        raise Unanswered(type(error).__name__) from error
    read, whole = _read_to_its_end(answer)
    if not whole:
        line.close()
    return answer, read


def _read_to_its_end(answer: http.client.HTTPResponse) -> tuple[bytes, bool]:
    """What becomes of the body decides only about the connection: the status has been given by then."""
    if answer.will_close:
        return b"", False
    try:
        read = answer.read(_MOST_BODY)
        return read, not (read and answer.read(1))
    except (OSError, http.client.HTTPException):
        return b"", False


def left(deadline: float) -> float:
    """Seconds until then; raises TimeoutError when there are none."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _response(deadline: float, sock: socket, **options: Any) -> http.client.HTTPResponse:
    return http.client.HTTPResponse(_Paced(sock, deadline), **options)  # type: ignore[arg-type]


class _Paced(io.RawIOBase):
    """A socket as `http.client` reads it, but every read gets only the time that is left."""

    def __init__(self, sock: socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(left(self._deadline))
        return self._sock.recv_into(buffer)
