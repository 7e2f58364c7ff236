"""Hypothesis without chance: the same examples in every run, and no deadline on a slow machine; golden files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from core.samples import AsGolden, golden

settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("steady")


@pytest.fixture
def as_golden(request: pytest.FixtureRequest) -> AsGolden:
    """Compares what a message or a view sends with the golden file of its folder, language and name.

    With --rewrite-golden it writes the file anew instead, to be read.
    """

    def compare(folder: Path, language: str, name: str, sent: Mapping[str, Any]) -> None:
        path, told = golden(folder, language) / f"{name}.json", json.dumps(sent, ensure_ascii=False, indent=1) + "\n"
        if request.config.getoption("--rewrite-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(told, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == told

    return compare
