"""InvokeFunction as a process of its own: takes hand-offs over TLS and, when told, delivers them to `/invoke`.

It checks no signatures (the tests do that) and remembers no task ids, so that it is never the one that is waited
for. Questions over the pipe: ("address",), ("hold",), ("deliver", port), ("release", port), ("taken",).
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections import deque
from multiprocessing.connection import Connection
from typing import Any

from bench.far_process import answering
from sandbox.fc import REQUEST_CREDENTIALS
from sandbox.fc_wire import Function

FUNCTION = Function("cloudassist", "cn-hangzhou", "1234567890123456", "LATEST", memory=512, timeout=120)
_ACCEPTED = b"HTTP/1.1 202 Accepted\r\nx-fc-request-id: 1\r\ncontent-length: 0\r\n\r\n"


class Sink:
    def __init__(self, certificate: str, key: str) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._held: deque[bytes] = deque(maxlen=16)
        self._port: int | None = None
        self._taken = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def answer(self, name: str, *rest: Any) -> Any:
        match name, rest:
            case "address", ():
                return self._listener.getsockname()[1]
            case "hold", ():
                self._port, self._taken = None, 0
                self._held.clear()
                return None
            case "deliver", (port,):
                self._port = port
                return None
            case "release", (port,):
                return [self._deliver(self._held.popleft(), port) for _ in range(len(self._held))]
            case "taken", ():
                return self._taken
        raise ValueError(name)

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with self._context.wrap_socket(plain, server_side=True) as connection:
                buffer = b""
                while more := connection.recv(65_536):
                    buffer = self._read(buffer + more, connection)
        except (OSError, ValueError):
            plain.close()  # the program under test was ended

    def _read(self, buffer: bytes, connection: ssl.SSLSocket) -> bytes:
        """Takes the whole requests in the buffer; gives what is left of it."""
        while (ended := buffer.find(b"\r\n\r\n")) >= 0:
            end = ended + 4 + _content_length(buffer[:ended])
            if len(buffer) < end:
                break
            body, buffer = buffer[ended + 4 : end], buffer[end:]
            self._taken += 1
            connection.sendall(_ACCEPTED)
            if self._port is None:
                self._held.append(body)
            else:
                threading.Thread(target=self._deliver, args=(body, self._port), daemon=True).start()
        return buffer

    def _deliver(self, body: bytes, port: int) -> int:
        """One job to the function, with the headers that Function Compute adds; its status, 0 when it is gone."""
        headers = FUNCTION.headers(REQUEST_CREDENTIALS, control_path="/invoke", request_id="1", retry_count=0)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("POST", "/invoke", body, {**headers, "content-type": "application/octet-stream"})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            return int(line[15:])
    return 0


def run(pipe: Connection, certificate: str, key: str) -> None:
    answering(pipe, Sink(certificate, key).answer)
