"""The server's side of a web socket: the handshake's answer, and frames. Source: RFC 6455.

Text goes in whole messages, one frame each, as Slack sends it; pings are answered.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import struct
import threading
from collections.abc import Iterator, Mapping

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA
_FINAL, _MASKED = 0x80, 0x80


def handshake(headers: Mapping[str, str]) -> dict[str, str] | None:
    """The headers of the 101 for a request that asks for a web socket; None where it asks for none."""
    key = headers.get("sec-websocket-key", "")
    wanted = (headers.get("upgrade", "").lower(), headers.get("sec-websocket-version", ""))
    if wanted != ("websocket", "13") or len(base64.b64decode(key)) != 16:
        return None
    digest = hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()
    return {
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-accept": base64.b64encode(digest).decode(),
    }


class WebSocket:
    """One open connection. Any thread may send; one reads `messages`."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._source = connection.makefile("rb")
        self._sending = threading.Lock()

    def send(self, text: str) -> None:
        """OSError where the other side is gone."""
        self._frame(_TEXT, text.encode())

    def close(self, code: int = 1000) -> None:
        with contextlib.suppress(OSError):
            self._frame(_CLOSE, struct.pack("!H", code))

    def drop(self) -> None:
        """Ends the connection without a word."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def messages(self) -> Iterator[str]:
        """What the other side sends, until it closes or is gone."""
        while (frame := self._next()) is not None:
            opcode, data = frame
            if opcode == _CLOSE:
                return self.close()
            if opcode == _PING:
                self._frame(_PONG, data)
            elif opcode == _TEXT:
                yield data.decode()

    def _frame(self, opcode: int, data: bytes) -> None:
        """A server's frames are not masked."""
        length = len(data)
        if length < 126:
            head = struct.pack("!BB", _FINAL | opcode, length)
        elif length < 65_536:
            head = struct.pack("!BBH", _FINAL | opcode, 126, length)
        else:
            head = struct.pack("!BBQ", _FINAL | opcode, 127, length)
        with self._sending:
            self._connection.sendall(head + data)

    def _next(self) -> tuple[int, bytes] | None:
        """Opcode and payload of a client's frame, which must be masked; None at the end."""
        try:
            first, second = self._exactly(2)
            length = second & 0x7F
            if length == 126:
                [length] = struct.unpack("!H", self._exactly(2))
            elif length == 127:
                [length] = struct.unpack("!Q", self._exactly(8))
            if not second & _MASKED:
                return None
            mask, data = self._exactly(4), self._exactly(length)
        except (OSError, EOFError, ValueError):
            return None
        return first & 0x0F, bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))

    def _exactly(self, count: int) -> bytes:
        data = self._source.read(count)
        if len(data) < count:
            raise EOFError
        return data
