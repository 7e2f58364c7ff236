"""The reasons of what programs say, in the wording of many of them, on both systems, in English and Chinese."""

from __future__ import annotations

from pathlib import Path

from bot.core.diagnosis import Diagnosis, diagnose
from bot.core.output import Output

CORPUS = Path(__file__).parent / "corpus" / "causes.txt"
CASES = [line.split("\t") for line in CORPUS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
LEAST_RIGHT = 0.98


def _named(system: str, exit_code: str, text: str) -> Diagnosis | None:
    said = text.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\")
    return diagnose("Failed", "ExitCodeNonzero", int(exit_code), Output(said), system)


def test_nearly_all_are_named_right_and_none_wrong_with_certainty() -> None:
    named = [(key.strip("-"), _named(*case), case) for key, *case in CASES]
    missed = [(key, known, case) for key, known, case in named if key != (known.reason.key if known else "")]
    print(*(f"{known.reason.key if known else '-'}, not {key}: {case}" for key, known, case in missed), sep="\n")  # noqa: T201
    assert len(CASES) > 380
    assert [case for _, known, case in missed if known and known.certain] == []
    assert len(missed) <= (1 - LEAST_RIGHT) * len(CASES)
