"""A share of a CPU for one process: by a control group's quota where that can be written, else by a duty cycle.

Function Compute does not publish how it slices CPU; here the period is 100 ms, the kernel's default.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from signal import SIGCONT, SIGSTOP

from bench.far_process import FarProcess

PERIOD = 0.1  # seconds


class WholeCore:
    """No limit at all: a process may use what the machine has."""

    says = "no limit"

    @contextmanager
    def group(self) -> Iterator[Path | None]:
        """The file a process writes its id into before it starts; None where there is no group."""
        yield None

    @contextmanager
    def slowing(self) -> Iterator[Callable[[int], None]]:
        """What slows a process group down, from the moment it is called with its id until the end."""
        yield lambda group_id: None


class ControlGroup(WholeCore):
    """A fresh control group for each process, so that each starts with a full slice."""

    def __init__(self, parent: Path, limit_file: str, limit: str, says: str) -> None:
        self._parent, self._limit_file, self._limit, self.says = parent, limit_file, limit, says

    @contextmanager
    def group(self) -> Iterator[Path | None]:
        folder = Path(tempfile.mkdtemp(prefix="bench-", dir=self._parent))
        try:
            (folder / self._limit_file).write_text(self._limit)
            yield folder / "cgroup.procs"
        finally:
            _remove(folder)


class DutyCycle(WholeCore):
    """The process runs for its share of each period and is stopped for the rest of it, busy or not."""

    def __init__(self, share: float) -> None:
        self._share = share
        self.says = f"duty cycle: stopped for {1 - share:.0%} of each {PERIOD * 1000:.0f} ms (no quota can be written)"

    @contextmanager
    def slowing(self) -> Iterator[Callable[[int], None]]:
        with FarProcess(_stop_and_go, self._share) as other:
            other.ask("ready")
            yield lambda group_id: other.say("slow", group_id)


def of(share: float) -> WholeCore:
    """The best way here to a share of one CPU; 1 is no limit."""
    if share >= 1:
        return WholeCore()
    period, quota = int(PERIOD * 1e6), int(share * PERIOD * 1e6)
    for version, limit_file, limit in (
        (2, "cpu.max", f"{quota} {period}"),
        (1, "cpu.cfs_quota_us", f"{quota}"),
    ):
        parent = _own_folder(version)
        if parent is None:
            continue
        with suppress(OSError):
            found = ControlGroup(parent, limit_file, limit, f"cgroup v{version} {limit_file}, period 100 ms")
            with found.group():
                return found
    return DutyCycle(share)


def _own_folder(version: int) -> Path | None:
    """Where this process's own group lies in the hierarchy that limits CPU; None where there is no such one."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
        groups = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    except OSError:
        return None
    wanted = "cgroup2" if version == 2 else "cgroup"
    for _, place, kind, options, *_ in mounts:
        if kind != wanted or (version == 1 and "cpu" not in options.split(",")):
            continue
        for _, controllers, path in groups:
            if ("cpu" in controllers.split(",")) if version == 1 else controllers == "":
                folder = Path(place + path)
                return folder if folder.is_dir() else None
    return None


def _remove(folder: Path) -> None:
    """A group can be removed a moment after its last process has ended."""
    for _ in range(200):
        with suppress(OSError):
            folder.rmdir()
            return
        time.sleep(0.01)


def _stop_and_go(pipe: Connection, share: float) -> None:
    """The process of DutyCycle that does it: is it ready, which group, and then until anything else is said."""
    pipe.recv()
    pipe.send(None)
    question = pipe.recv()
    if question[0] != "slow":
        return
    group_id = question[1]
    with suppress(ProcessLookupError, KeyboardInterrupt):
        try:
            while True:
                time.sleep(PERIOD * share)
                os.killpg(group_id, SIGSTOP)
                if pipe.poll(PERIOD * (1 - share)):
                    return
                os.killpg(group_id, SIGCONT)
        finally:
            os.killpg(group_id, SIGCONT)
