"""Options of the whole test run."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-golden", action="store_true", help="write golden messages anew instead of comparing")
    parser.addoption("--rewrite-pictures", action="store_true", help="take README's pictures of the page anew")


@pytest.fixture(autouse=True)
def _redirects_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot forbids the Tea client to follow redirects, for its whole process; tests of the sandbox follow some."""
    monkeypatch.setattr("requests.sessions.DEFAULT_REDIRECT_LIMIT", 30)
