"""From results to groups, in this process: outputs read, secrets masked, what says the same folded.

Beside it ClusterShell's `clubak -b` on the same texts, which folds equal texts alone. Its time has its start in it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import tracemalloc
from collections.abc import Callable, Sequence

from bench.options import Options
from bench.rendering import RUN, fleet, output
from bench.table import CLUBAK, OURS, Goal, Line, NotMeasured, at_most
from bench.workbench import Workbench
from bot.core.model import InvocationResult
from bot.core.summary import summarise

_SECONDS = at_most(3, "s")
_NO_CLUBAK = "clubak is not here (Debian: apt-get install clustershell), so its column is empty."
_GIVES_UP = 120.0  # seconds


def folding(workbench: Workbench, options: Options) -> list[Line]:
    long = [output(number, 24_000) for number in range(500)]
    short = [output(number, 200) for number in range(10_000)]
    times: dict[str, list[float]] = {}
    given_up: dict[str, str] = {}
    for _ in range(options.rounds):
        for name, outputs in (("long", long), ("short", short), ("tenth", short[:1_000])):
            results = fleet(len(outputs), outputs)
            times.setdefault(name, []).append(_timed(lambda results=results: _folded(results)))
            if name != "tenth" and name not in given_up:
                try:
                    times.setdefault(f"{name} by clubak", []).extend(_clubak(outputs))
                except NotMeasured as error:
                    given_up[name] = f"clubak, {len(outputs):,} outputs: {error}."
    linear = [all_of_them / (10 * tenth) for all_of_them, tenth in zip(times["short"], times["tenth"], strict=True)]
    notes = (*(() if shutil.which("clubak") else (_NO_CLUBAK,)), *given_up.values())
    return [
        _line("fold 500 outputs of 24 KB, all different", times, "long", _SECONDS, notes),
        _line("fold 10,000 outputs of 200 bytes, all different", times, "short", _SECONDS, notes),
        Line("10,000 of them against 10 times 1,000", "×", {OURS: linear}, at_most(1.5, "×")),
        Line("peak memory of the 500, results not counted", "MB", {OURS: [_peak(fleet(len(long), long))]}),
        Line("peak memory of the 10,000, results not counted", "MB", {OURS: [_peak(fleet(len(short), short))]}),
    ]


def _line(what: str, times: dict[str, list[float]], name: str, goal: Goal, notes: Sequence[str]) -> Line:
    return Line(what, "s", {OURS: times[name], CLUBAK: times.get(f"{name} by clubak", [])}, goal, notes=notes)


def _folded(results: Sequence[InvocationResult]) -> None:
    assert summarise([RUN], results, {}).total == len(results)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _peak(results: Sequence[InvocationResult]) -> float:
    """Megabytes that folding took at its highest, as Python counts them; slower, so it is not timed."""
    tracemalloc.start()
    try:
        _folded(results)
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def _clubak(outputs: Sequence[bytes], gives_up: float = _GIVES_UP) -> list[float]:
    """Seconds that `clubak -b` takes; none where it is not installed. NotMeasured where it takes too long."""
    path = shutil.which("clubak")
    if path is None:
        return []
    lines = (f"web-{at:05d}: ".encode() + line for at, text in enumerate(outputs) for line in text.splitlines(True))
    typed = b"".join(line if line.endswith(b"\n") else line + b"\n" for line in lines)
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}

    def run() -> None:
        subprocess.run([path, "-b"], input=typed, capture_output=True, check=True, timeout=gives_up, env=environment)

    try:
        return [_timed(run)]
    except subprocess.TimeoutExpired as error:
        raise NotMeasured(f"not done within {gives_up:g} s") from error
