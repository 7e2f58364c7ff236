"""The benchmark prints its table. How fast anything is depends on the machine and is not tested."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
COLUMNS = ["what", "goal", "met", "ours", "P1", "P2", "P3", "clubak", "floor", "ours / best peer"]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=60, check=False)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.fixture(scope="module")
def printed() -> str:
    """The cheapest row: it starts no process and needs no copy of anything."""
    run = bench("rendering", "--quick")
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_says_where_and_when_it_was_measured(printed: str) -> None:
    first, second = printed.splitlines()[:2]
    assert " cores (" in first
    assert f"Python {sys.version.split()[0]}" in first
    assert second.startswith("medians of 1 rounds")


def test_every_line_of_the_table_has_every_column(printed: str) -> None:
    head, rule, *lines = [line for line in printed.splitlines() if line.startswith("|")]
    assert cells(head) == COLUMNS
    assert set(rule) <= set("| -")
    assert all(len(cells(line)) == len(COLUMNS) for line in lines)
    assert len({len(line) for line in (head, rule, *lines)}) == 1


def test_the_goal_stands_beside_what_was_measured(printed: str) -> None:
    lines = {cells(line)[0]: cells(line) for line in printed.splitlines() if line.startswith("|")}
    found = lines["summarise and render 10,000 results of 200 bytes, 20 distinct (ms)"]
    assert found[1] == "at most 500 ms"
    assert found[2] in ("yes", "no")
    assert float(found[3].replace(",", "")) > 0


def test_an_unknown_row_is_answered_with_the_known_ones() -> None:
    run = bench("warmth")
    assert run.returncode == 2
    assert "no row warmth" in run.stderr
    assert "cold" in run.stderr
    assert "warm" in run.stderr


@pytest.mark.parametrize("peer", sorted((TOP / "bench" / "peers").glob("*.py")), ids=lambda path: path.stem)
def test_each_peer_says_what_it_stands_for(peer: Path) -> None:
    assert len(ast.get_docstring(ast.parse(peer.read_text())) or "") > 150


def test_a_peer_that_does_not_come_to_an_end_is_not_measured(tmp_path: Path) -> None:
    slow = tmp_path / "clubak"
    slow.write_text("#!/bin/sh\nexec sleep 5\n")
    slow.chmod(0o755)
    run = subprocess.run(
        [sys.executable, "-c", r"from bench.folding import _clubak; _clubak([b'x\n'], gives_up=0.2)"],
        cwd=TOP, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert run.stderr.strip().endswith("NotMeasured: not done within 0.2 s")
