"""The copies of a function: processes started at the first request, frozen between requests, killed at will.

Function Compute calls a running copy an instance; here *copy* is said, because an instance is an ECS one.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals

# Below the range from which systems take ports for outgoing connections: a connection to a port of that
# range where nobody listens yet can meet itself, and the function could then not listen there.
_PORTS = range(10_000, 32_000)


class FunctionError(Exception):
    """The function gave no answer that can be used. Its text is the vendor's error code, such as `CAExited`.

    Codes: `FunctionNotStarted` (nobody listens in time), `CAExited` (process gone),
    `FunctionTimedOut`, `BadResponse` (over 8 KB of headers), `ResourceExhausted` (no free copy in time).
    """


@dataclass(frozen=True)
class Launch:
    """How one copy is started. The start time, in seconds, is 120 on Function Compute.

    A copy gets this environment and nothing of ours but PATH; its port comes as FC_SERVER_PORT and
    FC_CUSTOM_LISTEN_PORT, its name as FC_INSTANCE_ID.
    """

    command: Sequence[str]
    directory: Path
    environment: Mapping[str, str]
    start_seconds: float


class Process:
    """One operating system process of the function, in a process group of its own."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self.port = _free_port()
        self._lock = threading.Lock()
        self._idle: list[HTTPConnection] = []
        self._last_words: str | None = None
        # A file and not a pipe: what was written is there at once, and nobody has to keep reading.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 (closed by close)
        try:
            self._popen = self._spawn()
        except OSError:
            self._output.close()
            raise FunctionError("CAExited") from None

    def _spawn(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 (the command is the caller's own)
            self._launch.command,
            cwd=self._launch.directory,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            # Its own group, so that its children freeze with it; but our session, so that the system ends a
            # frozen function whose sandbox was killed.
            process_group=0,
        )

    def _environment(self) -> dict[str, str]:
        port = str(self.port)
        own = {
            "FC_SERVER_PORT": port,
            "FC_CUSTOM_LISTEN_PORT": port,
            "FC_INSTANCE_ID": f"c-{secrets.token_hex(8)}",
        }
        return {"PATH": os.environ.get("PATH", os.defpath), **own, **self._launch.environment}

    @property
    def pid(self) -> int:
        return self._popen.pid

    def alive(self) -> bool:
        with self._lock:
            return self._popen.poll() is None

    def signal(self, number: Signals) -> None:
        # The lock keeps others from collecting the process in between, after which its id may be anybody's.
        with self._lock:
            self._signal(number)

    def _signal(self, number: Signals) -> None:
        if self._popen.poll() is None:
            os.killpg(self._popen.pid, number)

    def kill(self) -> None:
        """End it at once; returns when it is gone."""
        with self._lock:
            self._signal(SIGKILL)
            self._popen.wait()

    def wait_until_ready(self) -> None:
        """Returns when its port accepts a connection; raises FunctionError if that takes too long."""
        deadline = time.monotonic() + self._launch.start_seconds
        while self.alive():
            connection = self._new_connection(self._launch.start_seconds)
            with contextlib.suppress(OSError):
                connection.connect()
                return self.give_back(connection)
            if time.monotonic() > deadline:
                self.kill()
                raise FunctionError("FunctionNotStarted")
            time.sleep(0.002)
        raise FunctionError("CAExited")

    def _new_connection(self, seconds: float) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=seconds)

    def connection(self, seconds: float) -> HTTPConnection:
        """A kept connection, as Function Compute keeps them, or a new one; `seconds` limit each read."""
        while True:
            with self._lock:
                if not self._idle:
                    return self._new_connection(seconds)
                kept = self._idle.pop()
            if _silent(kept.sock):
                kept.sock.settimeout(seconds)
                return kept
            kept.close()

    def give_back(self, connection: HTTPConnection) -> None:
        """Keep a connection whose answer was read to its end; one that the function closes is let go."""
        with self._lock:
            if connection.sock and self._last_words is None:
                self._idle.append(connection)
            else:
                connection.close()

    def output(self) -> str:
        """All that it wrote so far, standard output and standard error."""
        with self._lock:
            return self._read() if self._last_words is None else self._last_words

    def _read(self) -> str:
        size = os.fstat(self._output.fileno()).st_size
        # pread: the process shares the file's position, and seeking here would make it write elsewhere.
        return os.pread(self._output.fileno(), size, 0).decode(errors="replace")

    def close(self) -> None:
        """Kill it if it is still there and free all it held but its output."""
        self.kill()
        with self._lock:
            while self._idle:  # a request that came too late makes a new one, and finds nobody there
                self._idle.pop().close()
            if self._last_words is None:
                self._last_words = self._read()
            self._output.close()


def _free_port() -> int:
    while True:
        port = _PORTS[secrets.randbelow(len(_PORTS))]
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _silent(sock: socket.socket) -> bool:
    """False when an idle connection was closed, or when its last answer was longer than it had said."""
    return not select.select([sock], [], [], 0)[0]


class _Copy:
    """A place for one process; when that died, the next request gets a new one."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._starting = threading.Lock()
        self._closed = False
        self.processes: list[Process] = []
        self.in_flight = 0
        self.served = 0

    def signal(self, number: Signals) -> None:
        if self.processes:
            self.processes[-1].signal(number)

    def kill(self) -> None:
        if self.processes:
            self.processes[-1].kill()

    def ready(self) -> tuple[Process, bool]:
        """The process, and whether it had to be started for this request; others wait for that start."""
        with self._starting:
            if self.processes and self.processes[-1].alive():
                return self.processes[-1], False
            if self._closed:
                raise FunctionError("ResourceExhausted")
            return self._start(), True

    def _start(self) -> Process:
        for earlier in self.processes[-1:]:
            earlier.close()
        self.processes.append(Process(self._launch))
        self.processes[-1].wait_until_ready()
        return self.processes[-1]

    def close(self) -> None:
        self.kill()  # a start under way ends now, and gives the lock back
        with self._starting:
            self._closed = True
            for process in self.processes[-1:]:
                process.close()


class Copies:
    """All copies of a function. A request takes a place in one of them for as long as it is in flight.

    `count` copies at most, `concurrency` requests at once in each. With `freeze`, a copy is stopped (SIGSTOP)
    whenever no request is in flight in it.
    """

    def __init__(self, launch: Launch, count: int, concurrency: int, freeze: bool) -> None:
        self._copies = [_Copy(launch) for _ in range(count)]
        self._concurrency = concurrency
        self._freeze = freeze
        self._closed = False
        self._turn = threading.Condition()
        self.freezes = 0  # how often a copy was made to stand still while it may have been at work

    @contextlib.contextmanager
    def place(self, patience: float | None) -> Iterator[tuple[Process, bool]]:
        """A running process for one request, and whether this is its cold start.

        Waits `patience` seconds (None: for ever) for a free place; raises FunctionError.
        """
        copy = self._enter(patience)
        try:
            yield copy.ready()
        finally:
            self._leave(copy)

    def _free(self) -> list[_Copy]:
        return [copy for copy in self._copies if copy.in_flight < self._concurrency]

    def _enter(self, patience: float | None) -> _Copy:
        with self._turn:
            if not self._turn.wait_for(lambda: self._closed or self._free(), patience) or self._closed:
                raise FunctionError("ResourceExhausted")
            copy = min(self._free(), key=lambda copy: (copy.in_flight, copy.served))
            copy.in_flight += 1
            copy.served += 1
            copy.signal(SIGCONT)
            return copy

    def _leave(self, copy: _Copy) -> None:
        with self._turn:
            copy.in_flight -= 1
            if self._freeze and not copy.in_flight:
                copy.signal(SIGSTOP)
            self._turn.notify_all()

    def kill(self, index: int) -> None:
        """End one copy's process at once, in the middle of whatever it does."""
        self._copies[index].kill()

    def freeze(self, index: int, seconds: float) -> None:
        """Stop one copy for so long, in the middle of whatever it does."""
        copy = self._copies[index]
        self.freezes += 1
        copy.signal(SIGSTOP)
        time.sleep(seconds)
        with self._turn:
            if copy.in_flight or not self._freeze:
                copy.signal(SIGCONT)

    def pids(self) -> list[int]:
        return [process.pid for copy in self._copies for process in tuple(copy.processes[-1:]) if process.alive()]

    def output(self) -> str:
        return "".join(process.output() for copy in self._copies for process in tuple(copy.processes))

    def close(self) -> None:
        """Kill all; no request finds a place any more."""
        with self._turn:
            self._closed = True
            self._turn.notify_all()
        for copy in self._copies:
            copy.close()
