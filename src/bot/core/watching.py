"""Following one question's runs in one message: when to look next, and when to stop. Pure; the shell is `bot.watch`.

Looks get rarer with time, so that a run of ten minutes costs about twenty calls and updates, one of a second few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.model import Invocation
from bot.core.summary import BAD, Bucket, Summary
from bot.core.texts import _, joined
from bot.core.wording import COUNTED

LONGEST = 24 * 3_600  # seconds after which a watch ends by itself
MOST_SILENT = 10  # looks in a row without an answer from Alibaba Cloud
_WAITS = (1, 2, 3, 5, 8, 12, 18, 25, 30, 40, 50)
_LONGEST_WAIT = 60


@dataclass(frozen=True, slots=True)
class Next:
    """What to do after a look: go on in `wait` seconds, or stop because of `reason`: done, too old, or silent."""

    wait: float = 0
    reason: str = ""


def wait_after(step: int) -> int:
    """Seconds from look number `step` (from 0) to the next one."""
    return _WAITS[step] if step < len(_WAITS) else _LONGEST_WAIT


def after_look(summary: Summary, step: int, age: float) -> Next:
    """What follows a look that has seen this summary, `age` seconds after the watch began."""
    if summary.total and not summary.count(Bucket.GOING):
        return Next(reason="done")
    if age >= LONGEST:
        return Next(reason="too old")
    return Next(wait=wait_after(step))


def after_silence(step: int, silent: int, age: float) -> Next:
    """What follows a look that got no answer, the `silent`th in a row."""
    if silent >= MOST_SILENT:
        return Next(reason="silent")
    if age >= LONGEST:
        return Next(reason="too old")
    return Next(wait=wait_after(step))


def done_words(summary: Summary) -> str:
    """`180 of 240 done, 3 failed`."""
    done = summary.total - summary.count(Bucket.GOING)
    words = _("{count} done", count=_("{count} of {total}", count=f"{done:,}", total=f"{summary.total:,}"))
    return joined([words, *(_(COUNTED[one], count=f"{summary.count(one):,}") for one in BAD if summary.count(one))])


def ended_badly(summary: Summary) -> bool:
    return summary.count(*BAD) > 0


def durations(runs: Sequence[Invocation]) -> list[float]:
    """How long the first five finished runs took, in seconds, from creation to the end of the last instance."""
    spans = [(run.created, _end(run)) for run in runs]
    return [(end - created).total_seconds() for created, end in spans if created and end and end >= created][:5]


def _end(run: Invocation) -> datetime | None:
    ends = [target.finished for target in run.targets]
    return max((end for end in ends if end), default=None) if all(ends) else None
