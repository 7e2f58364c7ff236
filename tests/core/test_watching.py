"""When to look next, and when to stop."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.core import watching
from bot.core.model import Invocation, InvocationResult
from bot.core.summary import summarise

BEGAN = datetime(2026, 11, 24, 3, 12, tzinfo=UTC)


def summary_of(*statuses: str):
    targets = tuple(InvocationResult("t-1", f"i-{n}", status=status, exit_code=1) for n, status in enumerate(statuses))
    return summarise([Invocation("t-1", "cn-hangzhou", targets=targets)], (), {})


def test_a_run_of_ten_minutes_takes_fewer_than_twenty_looks() -> None:
    age, looks = 0.0, 0
    while age < 600:
        age += watching.wait_after(looks)
        looks += 1
    assert looks < 20


def test_looks_get_rarer_from_a_second_to_a_minute() -> None:
    waits = [watching.wait_after(step) for step in range(40)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (1, 60)


@pytest.mark.parametrize(
    ("statuses", "age", "expected"),
    [
        (("Running", "Success"), 10, watching.Next(wait=1)),
        (("Failed", "Success"), 10, watching.Next(reason="done")),
        (("Running",), 24 * 3600, watching.Next(reason="too old")),
        ((), 10, watching.Next(wait=1)),
    ],
)
def test_what_follows_a_look(statuses: tuple[str, ...], age: float, expected: watching.Next) -> None:
    assert watching.after_look(summary_of(*statuses), 0, age) == expected


def test_silence_is_borne_for_a_while() -> None:
    assert watching.after_silence(3, 1, 60) == watching.Next(wait=5)
    assert watching.after_silence(3, 10, 60) == watching.Next(reason="silent")
    assert watching.after_silence(3, 1, 24 * 3600) == watching.Next(reason="too old")


def test_progress_in_words() -> None:
    assert watching.done_words(summary_of("Running", "Success", "Failed", "Timeout", "Aborted")) == (
        "4 of 5 done, 1 failed, 1 timed out, 1 never ran"
    )
    assert watching.ended_badly(summary_of("Failed"))
    assert not watching.ended_badly(summary_of("Success"))


def test_how_long_runs_took_counts_finished_ones_only() -> None:
    def run(*minutes: int | None) -> Invocation:
        ends = (BEGAN + timedelta(minutes=m) if m is not None else None for m in minutes)
        targets = tuple(InvocationResult("t", f"i-{n}", finished=end) for n, end in enumerate(ends))
        return Invocation("t", "cn-hangzhou", created=BEGAN, targets=targets)

    assert watching.durations([run(1, 4), run(2, None), run(), run(-5)]) == [240.0]
