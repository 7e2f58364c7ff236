"""The programs that are compared, and one run of one of them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import IO

from bench import quota
from bench.client import TIME_LIMIT, exchange, signed
from bench.table import FLOOR, OURS, P1, P2, P3, NotMeasured
from bench.workbench import Workbench

_POLL = 0.001  # seconds between tries to connect, as long as nobody listens
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Program:
    """`arguments` follow the interpreter; `{port}` in them is filled in."""

    name: str
    arguments: tuple[str, ...]
    hands_off: bool = False
    answers: bool = True


_GUNICORN = ("-m", "gunicorn", "-k", "gthread", "--threads", "12", "--keep-alive", "900", "-b", "0.0.0.0:{port}")

PROGRAMS = (
    Program(OURS, ("-m", "bot"), hands_off=True),
    Program(P1, ("-m", "peers.flask_bolt_sdk")),
    Program(P2, (*_GUNICORN, "--log-level", "warning", "peers.bolt_wsgi:app")),
    Program(P3, ("-m", "peers.bolt_lazy"), hands_off=True),
    Program(FLOOR, ("-m", "peers.floor"), answers=False),
)


class Running:
    """One process under test, reached at `port`; `began` is the moment before its start (perf_counter)."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, began: float, log: Path) -> None:
        self._process, self.port, self.began, self._log = process, port, began, log

    def connected(self) -> socket.socket:
        """A connection as soon as there can be one."""
        limit = time.perf_counter() + TIME_LIMIT
        while True:
            with suppress(ConnectionRefusedError):
                connection = socket.create_connection(("127.0.0.1", self.port), timeout=TIME_LIMIT)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return connection
            if self._process.poll() is not None:
                raise NotMeasured(f"did not start: {self._last_words()}")
            if time.perf_counter() > limit:
                raise NotMeasured(f"did not listen in {TIME_LIMIT:g} s")
            time.sleep(_POLL)

    def ack(self, body: bytes) -> float:
        """The seconds from the start to the answer to this slash command, sent once somebody listens."""
        with self.connected() as connection:
            exchange(connection, signed(body))
            return time.perf_counter() - self.began

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it wrote nothing"

    def _members(self) -> Iterator[Path]:
        """The processes of its group: gunicorn has two."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                if int(stat.read_text().rpartition(")")[2].split()[2]) == self._process.pid:
                    yield stat.parent

    def memory(self) -> dict[str, float]:
        """VmRSS and VmHWM (its highest so far) in MB, summed over its processes."""
        total = {"VmRSS": 0.0, "VmHWM": 0.0}
        for member in self._members():
            for line in (member / "status").read_text().splitlines():
                name, _, value = line.partition(":")
                if name in total:
                    total[name] += int(value.split()[0]) * 1024 / 1e6
        return total

    def cpu(self) -> float:
        """Seconds of CPU that it has used, in user and in system mode."""
        fields = [(member / "stat").read_text().rpartition(")")[2].split() for member in self._members()]
        return sum(int(found[11]) + int(found[12]) for found in fields) / _TICKS


@contextmanager
def running(
    workbench: Workbench,
    program: Program,
    limit: quota.WholeCore,
    *,
    byte_code: bool = True,
    one_bundle: bool = False,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """Starts a program in its own process group; at the end that group, and no other, is killed."""
    if program.name == P2 and workbench.gunicorn is None:
        raise NotMeasured("gunicorn could not be fetched")
    port = free_port()
    own = workbench.folder / f"run-{port}"
    own.mkdir()
    environment = {
        **workbench.environment(byte_code=byte_code, one_bundle=one_bundle),
        "FC_SERVER_PORT": str(port),
        "FC_CUSTOM_LISTEN_PORT": str(port),
        "BOT_STORE": f"sqlite:///{own}/bot.sqlite3",
        **(settings or {}),
    }
    command = [workbench.python, *(argument.format(port=port) for argument in program.arguments)]
    with limit.group() as group, (own / "log").open("wb") as log:
        if group is not None:  # the process joins the group itself, before it becomes the program
            command = ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group), *command]
        process = None
        try:
            with limit.slowing() as slow:
                began = time.perf_counter()
                process = _started(command, own, environment, log)
                try:
                    slow(process.pid)
                    yield Running(process, port, began, own / "log")
                finally:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, SIGKILL)
        finally:
            if process is not None:
                process.wait()  # not before: until then nobody else can get its id
    shutil.rmtree(own)


def _started(command: list[str], folder: Path, environment: dict[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        process_group=0,
    )


def free_port() -> int:
    """A free port below those that systems take for outgoing connections."""
    for port in range(10_000 + os.getpid() % 10_000, 32_000):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise NotMeasured("no free port")


def in_turns(
    programs: Iterable[Program], rounds: int, measure: Callable[[Program], Mapping[str, float]]
) -> tuple[dict[str, dict[str, list[float]]], list[str]]:
    """Measures each program once a round. Samples by what was measured and by program, and why some have none."""
    samples: dict[str, dict[str, list[float]]] = {}
    failed: dict[str, str] = {}
    for _ in range(rounds):
        for program in programs:
            if program.name in failed:
                continue
            try:
                measured = measure(program)
            except NotMeasured as error:
                failed[program.name] = str(error)
                continue
            for what, value in measured.items():
                samples.setdefault(what, {}).setdefault(program.name, []).append(value)
    return samples, [f"{name} {why}" for name, why in failed.items()]
