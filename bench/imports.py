"""What importing costs by itself: the time of a fresh Python that imports one thing and ends."""

from __future__ import annotations

import subprocess
import time

from bench.options import Options
from bench.table import OURS, Line
from bench.workbench import Workbench

_IMPORTED = ("pass", "import waitress", "import flask", "import slack_bolt", "import alibabacloud_tea_openapi.client")
_DOOR = "import bot.door, bot.adapters.queue, waitress"
_WORKER = "import bot.web, bot.worker"


def imports(workbench: Workbench, options: Options) -> list[Line]:
    tree = workbench.tree(True)
    environment = {"PYTHONPATH": f"{tree}:{tree / 'python'}", "PYTHONDONTWRITEBYTECODE": "1"}
    programs = (*_IMPORTED, _DOOR, _WORKER)
    samples: dict[str, list[float]] = {program: [] for program in programs}
    for _ in range(options.rounds):
        for program in programs:
            began = time.perf_counter()
            subprocess.run([workbench.python, "-c", program], env=environment, check=True)
            samples[program].append((time.perf_counter() - began) * 1000)
    return [Line(f"`python -c '{program}'`", "ms", {OURS: found}) for program, found in samples.items()]
