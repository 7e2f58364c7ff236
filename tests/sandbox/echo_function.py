"""A stand-in for the function: tells what reached it, and does what an event's payload says.

Environment: EVENTS (a file, one JSON line for each event that came), TICKS (a file that a background thread
makes longer as long as it may run), MODE (`exit` and `deaf` never listen).
"""

import base64
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

EVENTS = Path(os.environ.get("EVENTS", os.devnull))
TICKS = Path(os.environ.get("TICKS", os.devnull))


def tick():
    while True:
        with TICKS.open("ab") as file:
            file.write(b".")
        time.sleep(0.001)


def wait_until(condition):
    while not condition():
        time.sleep(0.001)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.headers["x-fc-control-path"] == "/invoke":
            return self.event(body)
        return getattr(self, self.path[1:].partition("?")[0], self.echo)(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = do  # noqa: N815 (the base class's names)

    def event(self, body):
        line = {"payload": body.decode(), "pid": os.getpid(), "headers": dict(self.headers.items())}
        with EVENTS.open("a") as file:
            file.write(json.dumps(line) + "\n")
        action, _, argument = body.decode().partition(" ")
        getattr(self, f"event_{action}", self.echo)(argument)

    def event_wait(self, path):
        wait_until(Path(path).exists)
        self.answer(200, b"waited")

    def event_fail(self, _):
        self.answer(404, b"failed", {"x-fc-status": "404"})

    def event_bare500(self, _):
        self.answer(500, b"failed")

    def event_die(self, _):
        os._exit(3)

    def event_once(self, path):
        """Fails unless the file is there, and makes it."""
        if Path(path).exists():
            return self.answer(200, b"done")
        Path(path).touch()
        return self.event_fail(path)

    def ticks(self, _):
        """Answers when the background thread has gone on by five ticks."""
        size = TICKS.stat().st_size
        wait_until(lambda: TICKS.stat().st_size >= size + 5)
        self.answer(200, b"")

    def pid(self, _):
        self.answer(200, str(os.getpid()).encode())

    def environment(self, _):
        self.answer(200, json.dumps(dict(os.environ)).encode())

    def closing(self, _):
        self.close_connection = True
        self.answer(200, b"closing", {"connection": "close"})

    def late_close(self, _):
        """Promises to keep the connection, then closes it."""
        self.close_connection = True
        self.answer(200, b"late close")

    def garbage(self, _):
        self.close_connection = True
        self.wfile.write(b"this is not HTTP\r\n\r\n")

    def large_headers(self, _):
        self.answer(200, b"", {f"x-{number}": "v" * 1000 for number in range(9)})

    def reserved(self, _):
        self.answer(201, b"kept", {"server": "mine", "date": "never", "x-fc-status": "404", "x-own": "kept as it is"})

    def echo(self, body):
        body = body if isinstance(body, bytes) else body.encode()
        told = {
            "method": self.command,
            "target": self.path,
            "headers": [[name.lower(), value] for name, value in self.headers.items()],
            "body": base64.b64encode(body).decode(),
        }
        self.answer(200, json.dumps(told).encode(), {"content-type": "application/json"})

    def answer(self, status, body, headers=None):
        self.send_response_only(status)
        for name, value in {**(headers or {}), "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args):
        pass


def main():
    sys.stderr.write("echo function starts\n")
    match os.environ.get("MODE"):
        case "exit":
            sys.exit("no start today")
        case "deaf":
            time.sleep(60)
    if "TICKS" in os.environ:
        threading.Thread(target=tick, daemon=True).start()
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["FC_SERVER_PORT"])), Handler).serve_forever()


main()
