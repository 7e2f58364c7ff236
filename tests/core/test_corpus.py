"""Reasons named over a corpus of result sets: nearly all right, none wrong with certainty, one group per ending."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.core import messages
from bot.core.model import Instance
from bot.core.summary import Group, Summary, summarise
from core.samples import FRAME, REGION, invocation, results_of, row, shown

SETS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "corpus" / "results.yaml").read_text("utf-8"))
LEAST_RIGHT = 0.95


def output_of(told: dict[str, Any]) -> str:
    first, *rest = told.get("says", "").split("\n")
    return "\n".join([first, *["line of a long log"] * told.get("middle", 0), *rest])


def summary_of(one: dict[str, Any]) -> Summary:
    """As the API would reply: each row of the set on its instances, named after the row."""
    rows, instances = [], {}
    for number, told in enumerate(one["rows"]):
        for copy in range(told.get("on", 1)):
            name = f"i-{number}-{copy:02}"
            rows.append(
                row(name, told.get("status", "Failed"), output_of(told), ExitCode=told.get("exit"),
                    ErrorCode=told.get("code", "ExitCodeNonzero" if told.get("exit") else ""),
                    Dropped=told.get("dropped", 0))
            )  # fmt: skip
            instances[name] = Instance(name, REGION, os_type=told.get("system", "linux"))
    return summarise([invocation(rows)], results_of(rows), instances)


def group_of(summary: Summary, number: int) -> Group:
    return next(group for group in summary.groups if group.rows[0].name.startswith(f"i-{number}-"))


def judged(group: Group, told: dict[str, Any]) -> str:
    """ "" where all is named as it is to be; else what is wrong with it."""
    known = group.diagnosis
    key, certain = (known.reason.key, known.certain) if known else ("", False)
    if key != told["why"]:
        return f"{'certainly ' if certain else ''}{key or 'no reason'}, not {told['why'] or 'none'}"
    if known is None:
        return ""
    if known.owner != told["owner"] or told["next"] not in known.next_step:
        return f"{known.owner}: {known.next_step}"
    return f"certain: {certain}" if told.get("sure") not in (None, certain) else ""


VERDICTS = [
    (one["set"], verdict)
    for one in SETS
    for summary in [summary_of(one)]
    for number, told in enumerate(one["rows"])
    for verdict in [judged(group_of(summary, number), told)]
]


def test_the_corpus_is_large_enough_and_has_traps() -> None:
    assert len({one["set"] for one in SETS}) == len(SETS) >= 100
    assert sum(one.get("trap", False) for one in SETS) >= 30


def test_nearly_all_are_named_right_and_none_wrong_with_certainty() -> None:
    missed = [f"{name}: {verdict}" for name, verdict in VERDICTS if verdict]
    print(f"{len(VERDICTS) - len(missed)} of {len(VERDICTS)} named right; missed:", *missed, sep="\n  ")  # noqa: T201
    assert [miss for miss in missed if ": certain" in miss] == []
    assert len(missed) <= (1 - LEAST_RIGHT) * len(VERDICTS)


@pytest.mark.parametrize("one", SETS, ids=lambda one: one["set"])
def test_each_ending_is_one_group_and_its_next_step_is_shown(one: dict[str, Any]) -> None:
    summary = summary_of(one)
    assert len(summary.groups) == one["groups"]
    assert [group_of(summary, n).count for n in range(len(one["rows"]))] == [r.get("on", 1) for r in one["rows"]]
    seen = shown(messages.results(summary, FRAME))
    for number, told in enumerate(one["rows"]):
        known = group_of(summary, number).diagnosis
        if known and known.next_step:
            assert f"Next ({known.owner}): {known.next_step}" in seen
        assert ("looks like" in seen.lower()) or not (known and told.get("sure") is False)
