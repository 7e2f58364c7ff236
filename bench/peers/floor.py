"""The floor: a bare socket server that checks Slack's signature and sends a fixed reply.

It stands for what Python and the operating system cost by themselves: no framework, no parsing, no hand-off, no
answer. Nothing that does the work can be below it.
"""

import _thread
import hmac
import os
import socket
import time

SECRET = os.environ["SLACK_SIGNING_SECRET"].encode()
REPLY = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 30\r\n\r\n{"response_type":"in_channel"}'
REFUSED = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n"


def header(head, name):
    """The value of a header; the name in lower case."""
    for line in head.split(b"\r\n"):
        found, _, value = line.partition(b":")
        if found.lower() == name:
            return value.strip()
    return b""


def is_genuine(head, body):
    timestamp = header(head, b"x-slack-request-timestamp")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    expected = b"v0=" + hmac.digest(SECRET, b"v0:" + timestamp + b":" + body, "sha256").hex().encode()
    return hmac.compare_digest(expected, header(head, b"x-slack-signature"))


def serve(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    buffer = b""
    while more := connection.recv(65536):
        buffer += more
        head, ended, body = buffer.partition(b"\r\n\r\n")
        if ended and len(body) >= int(header(head, b"content-length") or 0):
            connection.sendall(REPLY if is_genuine(head, body) else REFUSED)
            buffer = b""
    connection.close()


if __name__ == "__main__":
    with socket.create_server(("0.0.0.0", int(os.environ["FC_SERVER_PORT"])), backlog=128) as listener:  # noqa: S104
        while True:
            _thread.start_new_thread(serve, (listener.accept()[0],))
