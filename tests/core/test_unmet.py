"""Which instances did not do what is expected, why, and how it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.core import unmet
from bot.core.expectations import Expectation
from bot.core.model import Instance
from bot.core.unmet import Check, Listed, Told, judged, rows
from core.samples import HOSTILE, REGION, RUN, failed, invocation, never_ran, refused, results_of, row, running, shown
from core.samples import succeeded as good

DUE = datetime(2026, 11, 24, 21, 30, tzinfo=UTC)
SINCE = DUE - timedelta(days=1)
ZONE = ZoneInfo("Asia/Shanghai")
EXPECTATION = Expectation(("backup-*",), "daily", -1, 5, 30, (("backup", "yes"),), ring="U024BE7LH")
TOLD = Told(EXPECTATION, "mei", ZONE, "Asia/Shanghai")
FLEET = [Instance(f"i-{number}", REGION, f"db-{number:02d}") for number in range(1, 10)]
OLD = {"StartTime": "2026-11-22T21:01:00Z", "FinishedTime": "2026-11-22T21:02:00Z"}


def check(some: list[dict[str, object]], **fields: object) -> Check:
    run = invocation(some, **fields)
    created = {} if run.is_schedule else {run.id: run.created.timestamp() if run.created else 0.0}
    return judged(FLEET, rows([run], ()), created, SINCE.timestamp())


def names(found: Check) -> dict[str, list[str]]:
    return {why: [one.name for one in some] for why, some in found.unmet.items()}


def test_each_instance_without_a_good_run_is_there_once_with_its_reason() -> None:
    found = check(
        [
            good("i-1"),
            failed("i-2"),
            row("i-3", "Timeout"),
            never_ran("i-4"),
            running("i-5"),
            row("i-6", "Lost"),
            row("i-7", "Success"),
            good("i-8", **OLD),
        ]
    )
    assert names(found) == {
        "no run found": ["db-08", "db-09"],
        "never ran": ["db-04"],
        "failed": ["db-02"],
        "timed out": ["db-03"],
        "in an unknown state": ["db-06"],
        "still going": ["db-05"],
        "reported Success without exit code 0": ["db-07"],
    }
    assert found.total == 9
    assert len(found.missing) == 8


def test_one_good_run_of_several_is_enough_and_the_newest_of_the_others_says_why() -> None:
    run = invocation([])
    results = results_of([failed("i-1"), good("i-1"), failed("i-2"), never_ran("i-2")])
    found = judged(FLEET[:2], rows([run], results), {RUN: DUE.timestamp()}, SINCE.timestamp())
    assert names(found) == {"never ran": ["db-02"]}


def test_results_speak_for_the_rows_of_the_run() -> None:
    run = invocation([row("i-1", "Success")])
    found = judged(FLEET[:1], rows([run], results_of([good("i-1")])), {RUN: 0.0}, SINCE.timestamp())
    assert found.missing == []


def test_a_run_that_was_made_before_the_period_and_never_ran_does_not_count_but_of_a_schedule_it_does() -> None:
    old = {"CreationTime": "2026-11-20T00:00:00Z"}
    assert names(check([never_ran("i-1")], **old))["no run found"][0] == "db-01"
    scheduled = check([never_ran("i-1")], RepeatMode="Period", **old)
    assert names(scheduled)["never ran"] == ["db-01"]


def told(found: Check, late: float = 0.0) -> unmet.Message:
    return unmet.message(TOLD, found, DUE, SINCE, late)


def test_who_is_missing_comes_first_as_ranges_by_why() -> None:
    message = told(check([good("i-1"), failed("i-2"), failed("i-3"), failed("i-4")]), 3_600)
    assert refused(message) == []
    assert message.text.split("\n") == [
        "8 of 9 missed backup-*, due 2026-11-25 05:30 CST",
        "5 no run found: db-[05-09] cn-hangzhou.",
        "3 failed: db-[02-04] cn-hangzhou.",
        "Checked 1 h late.",
    ]
    assert "expected by mei: backup-* daily by 05:30 (Asia/Shanghai) on tag backup=yes" in shown(message)
    assert "looked for exit code 0 since 2026-11-24 05:30 CST" in shown(message)


def test_a_check_that_could_not_be_made_says_so() -> None:
    message = told(Check(0, {}, ("Runs in cn-hangzhou could not be read: Forbidden.",)))
    assert message.text.split("\n") == [
        "Could not check backup-*, due 2026-11-25 05:30 CST",
        "Runs in cn-hangzhou could not be read: Forbidden.",
    ]
    assert refused(message) == []


def test_what_is_expected_is_said_to_the_channel() -> None:
    lines = unmet.expected(TOLD, DUE, known=False).text.split("\n")
    assert lines == [
        "mei expects here: backup-* daily by 05:30 (Asia/Shanghai) on tag backup=yes, rings <@U024BE7LH>.",
        "Checked first at 2026-11-25 05:30 CST. I tell what is missing; that all is well is no news.",
        'To end it: `unexpect command:backup-* daily by:"05:30" on:"tag:backup=yes" ring:U024BE7LH`',
    ]
    assert "expects here already" in unmet.expected(TOLD, DUE, known=True).text
    assert unmet.unexpected([TOLD], "jo").text.endswith("Ended by jo.")


def test_a_list_has_a_button_for_each() -> None:
    quiet = Told(Expectation(("a",), "hourly", -1, -1, 15, (), ("web-*",)), "jo", ZONE, "Asia/Shanghai")
    some = [Listed(TOLD, DUE.timestamp(), "2 of 9 missed it", "value"), Listed(quiet, DUE.timestamp(), "", "other")]
    message = unmet.listed(some)
    assert [one for one in refused(message) if "U024BE7LH" not in one] == []
    assert "by mei, next due 2026-11-25 05:30 CST, last time: 2 of 9 missed it" in message.text
    assert message.blocks[2]["accessory"]["value"] == "other"
    assert "and 60 more" in shown(unmet.listed(some * 50))
    assert unmet.listed([]).text.startswith("Nothing is expected in this channel.\nBegin with: expect")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_ring_nobody(hostile: str) -> None:
    expectation = Expectation((hostile,), "daily", -1, 5, 30, ((hostile, hostile),), (hostile,))
    one = Told(expectation, hostile, ZONE, "Asia/Shanghai")
    fleet = tuple(Instance(f"i-{number}", f"r-{number % 7}", f"{hostile}{number}") for number in range(900))
    found = Check(900, {"failed": fleet}, (hostile,))
    messages = [
        unmet.message(one, found, DUE, SINCE),
        unmet.expected(one, DUE, known=False),
        unmet.unexpected([one], hostile),
        unmet.listed([Listed(one, 0, hostile, "v")] * 60),
    ]
    assert [refused(message) for message in messages] == [[], [], [], []]
