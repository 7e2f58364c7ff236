"""Options of the whole test run."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-golden", action="store_true", help="write golden messages anew instead of comparing")
    parser.addoption("--rewrite-pictures", action="store_true", help="take README's pictures of the page anew")


@pytest.fixture(autouse=True)
def _redirects_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot forbids the Tea client to follow redirects, for its whole process; tests of the sandbox follow some."""
    monkeypatch.setattr("requests.sessions.DEFAULT_REDIRECT_LIMIT", 30)


@pytest.fixture(autouse=True)
def _log_levels_as_they_were() -> Iterator[None]:
    """`set_up_logging` sets them for a whole process."""
    loggers = [logging.getLogger(name) for name in ("bot", "slack_sdk", "tablestore", "tablestore-client")]
    levels = [one.level for one in loggers]
    yield
    for one, level in zip(loggers, levels, strict=True):
        one.setLevel(level)


@pytest.fixture(scope="module")
def peers() -> Iterator[Any]:
    """The far ends with one small run; modules that need others have their own."""
    from rig import Peers  # not for those who need none: it brings all of the bot

    with Peers() as peers:
        yield peers


@pytest.fixture
def rig(tmp_path: Path, peers: Any) -> Iterator[Any]:
    """A worker between them."""
    from rig import Rig

    with Rig(tmp_path, peers) as rig:
        yield rig
