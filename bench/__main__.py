"""`python -m bench [row …] [--rounds N] [--quick]`: measures, and prints the table."""

from __future__ import annotations

import argparse
import logging
import os
import platform
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.options import Options
from bench.rows import ROWS, Row
from bench.table import OURS, Line, NotMeasured, markdown, notes
from bench.workbench import Workbench

_LEGEND = (
    "P1: Flask + Bolt + generated ECS SDK under waitress. P2: Bolt's WSGI adapter and Tea under gunicorn. "
    "P3: Bolt's AWS design (lazy listener, InvokeFunction through Tea) under waitress. "
    "clubak: ClusterShell's fold. floor: a bare socket server that checks the signature."
)


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _read(arguments)
    options = Options(asked.rounds or (1 if asked.quick else 5), asked.quick)
    rows = [row for row in ROWS if (row.name in asked.rows if asked.rows else row.quick or not asked.quick)]
    logging.getLogger("bot").setLevel(logging.CRITICAL)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # what was started is ended
    began, busy_before = time.time(), _load()
    lines: list[Line] = []
    with Workbench(lean=options.quick) as workbench:
        for row in rows:
            lines += _measured(row, workbench, options)
    print(f"{time.strftime('%Y-%m-%d', time.gmtime(began))}, {_machine()}")
    print(f"medians of {options.rounds} rounds, in {time.time() - began:.0f} s; load {busy_before} → {_load()}")
    print(f"{_LEGEND}\n")
    print(markdown(lines))
    print("\n" + "\n".join(f"- {note}" for note in notes(lines)))
    return 0


def _read(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures ours, three peers and a floor.")
    names = [row.name for row in ROWS]
    parser.add_argument("rows", nargs="*", metavar="row", help=f"some of: {', '.join(names)}; default: all")
    parser.add_argument("--rounds", type=int, help="how often each program is measured (default: 5)")
    parser.add_argument("--quick", action="store_true", help="one round, fewer rows and programs, under a minute")
    found = parser.parse_args(arguments)
    if unknown := set(found.rows) - set(names):
        parser.error(f"no row {', '.join(sorted(unknown))}; there are: {', '.join(names)}")
    if found.rounds is not None and found.rounds < 1:
        parser.error("--rounds must be at least 1")
    return found


def _measured(row: Row, workbench: Workbench, options: Options) -> list[Line]:
    """The row's lines; where it cannot be measured, one that says why."""
    began = time.perf_counter()
    try:
        return row.measure(workbench, options)
    except NotMeasured as error:
        return [Line(row.name, "", {OURS: []}, notes=[f"{row.name}: not measured: {error}"])]
    finally:
        print(f"{row.name}: {time.perf_counter() - began:.1f} s", file=sys.stderr)


def _machine() -> str:
    processor = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), processor)
    except OSError:
        pass
    return f"{os.cpu_count()} cores ({processor}), {platform.system()}, Python {platform.python_version()}"


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    sys.exit(main())
