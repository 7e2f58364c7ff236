"""Who may import whom: shell → adapters, core; adapters → core, settings, one SDK; core → itself and pure modules."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src"
PURE = {
    "__future__", "base64", "binascii", "bisect", "codecs", "collections", "contextlib", "csv", "dataclasses",
    "datetime", "difflib", "enum", "fnmatch", "functools", "hashlib", "hmac", "io", "itertools", "json", "re", "shlex",
    "typing", "urllib.parse",
    "contextvars",  # which language is spoken: set by the shell, for as long as a `with` lasts
}  # fmt: skip
# Each SDK, with what it is made of, and the files that may import it.
SDK = {
    "adapters/openapi.py": {"alibabacloud_tea_openapi", "darabonba", "Tea", "requests"},
    "adapters/slack_calls.py": {"slack_sdk"},
    "adapters/tablestore.py": {"tablestore"},
    "adapters/tablestore_client.py": {"tablestore", "urllib3"},  # whose errors it lets through
    "modals.py": {"regex"},  # a library, no outside thing: a person's expression needs a time limit
}
SHELL = {"flask", "slack_bolt", "waitress"}


def imported(path: Path) -> set[str]:
    """The modules a file imports anywhere in it."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    froms = {node.module or "." for node in nodes if isinstance(node, ast.ImportFrom)}
    return froms | {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}


def allowed(file: str, module: str) -> bool:
    package, top = file.split("/")[0], module.split(".")[0]
    if package == "core":
        return module.startswith("bot.core") or top in PURE or module in PURE
    if package == "adapters" and top == "bot":
        return module.startswith(("bot.core", "bot.adapters", "bot.settings"))
    return top in {"bot", *sys.stdlib_module_names, *(SHELL if package != "adapters" else ()), *SDK.get(file, ())}


@pytest.mark.parametrize("path", sorted((SRC / "bot").rglob("*.py")), ids=lambda path: str(path.relative_to(SRC)))
def test_bot(path: Path) -> None:
    file = path.relative_to(SRC / "bot").as_posix()
    assert sorted(module for module in imported(path) if not allowed(file, module)) == []


@pytest.mark.parametrize("folder", ["bot", "bot/core"])
def test_every_module_is_on_the_map(folder: str) -> None:
    """The map of the shell is `bot.__init__`, that of the core its own `__init__`."""
    here = SRC / folder
    told = " ".join(re.findall(r"`([^`]+)`", (here / "__init__.py").read_text(encoding="utf-8")))
    modules = {path.stem for path in here.glob("*.py")} - {"__init__"}
    assert sorted(modules - set(re.findall(r"\w+", told))) == []


def test_a_first_question_does_not_wait_for_what_it_does_not_need() -> None:
    """Each of these is imported where it is used: together they are a third of what a first answer would import."""
    program = "import sys, bot.web\nprint(*sorted(name for name in sys.modules if name.startswith('bot.')))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=SRC, capture_output=True, text=True, check=True, timeout=30
    )
    others = [
        "attention",
        "digests",
        "handovers",
        "home",
        "modals",
        "notices",
        "orders",
        "presses",
        "reporting",
        "watch",
    ]
    assert [name for name in others if f"bot.{name}" in done.stdout.split()] == []
    assert "bot.answering" in done.stdout.split()


def test_the_sandbox_imports_nothing_of_the_bot() -> None:
    files = list((SRC / "sandbox").rglob("*.py"))
    assert files
    assert [(path.name, module) for path in files for module in imported(path) if module.split(".")[0] == "bot"] == []
