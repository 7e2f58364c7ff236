"""What a person asked for: how many rounds, and whether it should be quick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.programs import PROGRAMS, Program
from bench.table import FLOOR, OURS, P3


@dataclass(frozen=True)
class Options:
    """`rounds` of each program in a row; `quick` measures fewer programs, for shorter."""

    rounds: int
    quick: bool

    @property
    def programs(self) -> Sequence[Program]:
        return [one for one in PROGRAMS if not self.quick or one.name in (OURS, P3, FLOOR)]

    def seconds(self, whole: float) -> float:
        """How long a load lasts."""
        return whole / 4 if self.quick else whole
