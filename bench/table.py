"""What was measured, as a table in Markdown: medians, the goal, and whether it is met."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

OURS, P1, P2, P3, CLUBAK, FLOOR = "ours", "P1", "P2", "P3", "clubak", "floor"
PEERS = (P1, P2, P3)
COLUMNS = (OURS, P1, P2, P3, CLUBAK, FLOOR)
HEAD = ("what", "goal", "met", *COLUMNS, "ours / best peer")

Values = Mapping[str, float]
"""Medians by column; a column that was not measured is absent."""


class NotMeasured(Exception):
    """Why something could not be measured here, in a sentence for the person who reads the table."""


@dataclass(frozen=True)
class Goal:
    """`met` says whether the values reach the goal, None where they cannot tell."""

    text: str
    met: Callable[[Values], bool | None]


NO_GOAL = Goal("", lambda values: None)


def at_most(limit: float, unit: str) -> Goal:
    return Goal(f"at most {limit:,g} {unit}".rstrip(), lambda values: _compare(values.get(OURS), limit))


def at_most_times(factor: float, peers: Sequence[str] = PEERS) -> Goal:
    """Ours at most so many times the best (smallest) of these peers."""
    text = f"at most {factor:g} × the best peer" if peers == PEERS else f"at most {factor:g} × {', '.join(peers)}"
    return Goal(text, lambda values: _compare(values.get(OURS), _times(factor, best(values, peers))))


def at_least_times(factor: float, peers: Sequence[str]) -> Goal:
    """Ours at least so many times the best (largest) of these peers."""

    def met(values: Values) -> bool | None:
        return _compare(_times(factor, best(values, peers, more_is_better=True)), values.get(OURS))

    return Goal(f"at least {factor:g} × {', '.join(peers)}", met)


def best(values: Values, peers: Sequence[str] = PEERS, *, more_is_better: bool = False) -> float | None:
    found = [values[peer] for peer in peers if peer in values]
    if not found:
        return None
    return max(found) if more_is_better else min(found)


def _times(factor: float, value: float | None) -> float | None:
    return None if value is None else factor * value


def _compare(small: float | None, large: float | None) -> bool | None:
    return None if small is None or large is None else small <= large


@dataclass
class Line:
    """One line: samples by column, all in `unit`; `notes` are sentences under the table, each said once."""

    what: str
    unit: str
    samples: Mapping[str, Sequence[float]]
    goal: Goal = NO_GOAL
    more_is_better: bool = False
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def values(self) -> dict[str, float]:
        return {name: median(found) for name, found in self.samples.items() if found}

    def cells(self) -> list[str]:
        values = self.values
        peer = best(values, (*PEERS, CLUBAK), more_is_better=self.more_is_better)
        ratio = f"{values[OURS] / peer:.2f}" if OURS in values and peer else ""
        met = {True: "yes", False: "no", None: ""}[self.goal.met(values)]
        shown = [number(values[name]) if name in values else "" for name in COLUMNS]
        return [f"{self.what} ({self.unit})" if self.unit else self.what, self.goal.text, met, *shown, ratio]


def number(value: float) -> str:
    """Three figures are all that a shared machine can give."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def markdown(lines: Sequence[Line]) -> str:
    """The table, its columns aligned so that it can be read in a terminal too."""
    rows = [list(HEAD), *(line.cells() for line in lines)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEAD))]
    drawn = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    drawn.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(drawn)


def notes(lines: Sequence[Line]) -> list[str]:
    return list(dict.fromkeys(note for line in lines for note in line.notes))
