"""What a channel is told of a thing that fails again and again: one message, and a ring where it must ring."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.notices import News, Notice, Step, news_from, notice_from, step
from bot.core.reports import BADLY, GOING, WELL

NINE = 1_795_068_000.0
UNTOLD = Notice()
NEWS = News(BADLY, 1, NINE, "t-1", True, "c1", ("i-1",), ("web-01",), "1 of 2 failed: backup.")


def told(news: News = NEWS, before: Notice = UNTOLD, now: float = NINE) -> Step:
    """The step, with the message posted."""
    this = step(before, news, now, UTC)
    return replace(this, after=replace(this.after, ts="1.1")) if this.show else this


FIRST = told().after


def again(minutes: float, before: Notice = FIRST, **changes: object) -> Step:
    now = NINE + minutes * 60
    news = replace(NEWS, version=int(now), at=now, occasion=f"t-{minutes}", **changes)
    return told(news, before, now)


def test_the_first_failure_rings_with_the_names() -> None:
    this = told()
    assert (this.show, this.note, this.reply) == (True, "", "1 of 2 failed: backup. On web-01.")
    assert (this.after.times, this.after.since, this.after.rung_at) == (1, NINE, NINE)


def test_the_same_failure_again_is_counted_up_and_rings_nobody() -> None:
    this = again(5)
    assert (this.reply, this.note) == ("", "Failed 2 times in a row since 2026-11-19 06:00 UTC.")
    assert again(10, this.after).note.startswith("Failed 3 times in a row")


def test_a_schedule_counts_what_failed_before_the_channel_heard_of_it() -> None:
    first = told(replace(NEWS, times=72, since=NINE - 6 * 3_600))
    assert (first.note, first.after.times, first.after.since) == ("", 72, NINE - 6 * 3_600)
    this = again(15, first.after, times=75, since=NINE - 6 * 3_600)
    assert (this.note, this.after.times) == ("", 75)  # the message says it in the line on the schedule
    rings = again(255, this.after, times=123, since=NINE - 6 * 3_600)
    assert rings.reply.startswith("Still failing, 123 times in a row since 2026-11-19 00:00 UTC: ")
    good = replace(NEWS, state=WELL, version=9**12, cause="", instances=(), names=(), well=("i-1",))
    recovered = step(rings.after, good, NINE + 300 * 60, UTC)
    assert recovered.reply.endswith("It had failed 123 times in a row, since 2026-11-19 00:00 UTC.")


def test_a_schedule_that_fails_on_one_after_another_is_counted_by_what_was_told() -> None:
    this = again(5, again(4, times=1, since=NINE + 240).after, times=1, since=NINE + 300)
    assert this.note == "Failed 3 times in a row since 2026-11-19 06:00 UTC."


def test_news_of_an_occasion_that_was_told_already_does_not_count_it_twice() -> None:
    this = told(replace(NEWS, version=2), FIRST, NINE + 5)
    assert (this.show, this.after.times, this.note) == (True, 1, "")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"instances": ("i-1", "i-2"), "names": ("web-01", "web-02")}, "1 more instance failing now: 1 of 2 failed"),
        ({"cause": "c2"}, "It fails in another way now: 1 of 2 failed"),
    ],
)
def test_an_instance_that_joins_and_another_reason_ring(changes: dict[str, object], said: str) -> None:
    this = again(5, **changes)
    assert this.reply.startswith(said)
    assert this.after.rung_at == NINE + 300
    assert again(10, this.after, **changes).reply == ""


def test_what_goes_on_failing_rings_every_four_hours() -> None:
    assert again(239).reply == ""
    this = again(240)
    assert this.reply.startswith("Still failing, 2 times in a row since 2026-11-19 06:00 UTC: 1 of 2 failed")
    assert again(245, this.after).reply == ""


def test_fewer_instances_are_no_news() -> None:
    two = again(5, instances=("i-1", "i-2")).after
    assert again(10, two).reply == ""


@pytest.mark.parametrize(("times", "said"), [(1, "once"), (4, "4 times in a row")])
def test_a_recovery_is_told_in_the_thread(times: int, said: str) -> None:
    good = replace(
        NEWS,
        state=WELL,
        version=9,
        cause="",
        instances=(),
        names=(),
        line="2 of 2 exit code 0.",
        wanted=False,
        well=("i-1", "i-2"),
    )
    this = step(replace(FIRST, times=times), good, NINE + 60, UTC)
    assert this.show
    assert this.reply == f"Recovered: 2 of 2 exit code 0. It had failed {said}, since 2026-11-19 06:00 UTC."
    assert (this.after.cause, this.after.times) == ("", 0)


TWO = told(replace(NEWS, instances=("i-1", "i-2"), names=("web-01", "web-02"))).after
WENT_WELL = replace(NEWS, state=WELL, version=9, cause="", instances=(), names=(), line="1 of 1 exit code 0.")


@pytest.mark.parametrize("wanted", [True, False])
def test_a_success_on_some_of_those_that_failed_is_a_recovery_of_these(wanted: bool) -> None:
    this = step(TWO, replace(WENT_WELL, wanted=wanted, well=("i-2", "i-9")), NINE + 60, UTC)
    left = "1 instance that failed before has not gone well since: web-01."
    assert (this.show, this.note) == (wanted, left)
    assert this.reply == f"Recovered on web-02: 1 of 1 exit code 0. {left}"
    assert (this.after.failing, this.after.cause, this.after.line) == ({"i-1": "web-01"}, "c1", NEWS.line)


def test_a_success_on_others_changes_nothing_of_what_failed() -> None:
    this = step(TWO, replace(WENT_WELL, wanted=False, well=("i-9",)), NINE + 60, UTC)
    assert this == Step(TWO)
    shown = step(TWO, replace(WENT_WELL, well=("i-9",)), NINE + 60, UTC)
    assert (shown.show, shown.reply, shown.after.failing) == (True, "", TWO.failing)
    assert shown.note == "2 instances that failed before have not gone well since: web-01, web-02."


def test_who_failed_before_and_has_not_run_again_fails_on() -> None:
    this = told(replace(NEWS, version=9, occasion="t-2", instances=("i-3",), names=("web-03",)), TWO, NINE + 60)
    assert list(this.after.failing) == ["i-3", "i-1", "i-2"]
    assert this.note.endswith("2 instances that failed before have not gone well since: web-01, web-02.")
    again = told(replace(NEWS, version=10, occasion="t-3", well=("i-2", "i-3")), this.after, NINE + 120)
    assert (again.after.failing, again.reply) == ({"i-1": "web-01"}, "")


@given(st.lists(st.tuples(st.sets(st.sampled_from("abcd")), st.sets(st.sampled_from("abcd"))), max_size=8))
def test_recovered_is_said_only_when_each_that_failed_has_gone_well_since(
    runs: list[tuple[set[str], set[str]]],
) -> None:
    notice, failing = Notice(), set[str]()
    for number, (bad, well) in enumerate(runs, 1):
        news = replace(NEWS, version=number, at=NINE + number * 60, occasion=f"t-{number}", wanted=bool(bad))
        fine = tuple(sorted(well - bad))
        news = replace(news, instances=tuple(sorted(bad)), names=(), well=fine, cause="c1" if bad else "")
        this = told(replace(news, state=BADLY if bad else WELL), notice, news.at)
        before, failing = failing, failing.difference(fine) | bad
        assert this.reply.startswith("Recovered: ") == bool(before and not failing)
        assert set(this.after.failing) == failing
        notice = this.after


def test_a_telling_carries_no_more_instances_than_a_job_can() -> None:
    many = {f"i-{number}": f"web-{number}" for number in range(3_000)}
    news = NEWS.with_failing(many, ("i-well",))
    assert (len(news.instances), news.well) == (2_000, ())
    assert len(NEWS.with_failing({"i-1": "web-01"}, many).well) == 1_999


def test_a_success_is_shown_to_who_wants_it_and_to_nobody_else() -> None:
    good = replace(NEWS, state=WELL, cause="", instances=())
    assert (told(good).show, told(good).reply) == (True, "")
    assert told(replace(good, wanted=False)).show is False


def test_old_news_is_none() -> None:
    assert step(FIRST, NEWS, NINE + 60, UTC) == Step(FIRST)


def test_updates_come_three_seconds_apart_but_the_last_one_gets_through() -> None:
    going = replace(NEWS, state=GOING, version=2)
    assert step(FIRST, going, NINE + 1, UTC) == Step(FIRST)
    assert step(FIRST, replace(NEWS, version=2), NINE + 1, UTC) == Step(FIRST, wait=2)
    later = step(FIRST, going, NINE + 3, UTC)
    assert (later.show, later.note, later.reply, later.after.version) == (True, "", "", 2)


def test_many_names_are_counted_and_none_of_them_rings() -> None:
    crowd = replace(NEWS, names=("<!here>", *(f"web-{number:02}" for number in range(9))))
    reply = told(crowd).reply
    assert "&lt;!here&gt;" in reply
    assert reply.endswith("web-03 and 5 more.")


def test_news_and_notices_outlive_the_process() -> None:
    import json
    from dataclasses import asdict

    assert news_from(json.loads(json.dumps(asdict(NEWS)))) == NEWS
    assert notice_from(json.loads(json.dumps({**FIRST.value(), "posting": True}))) == FIRST
    assert notice_from({}) == Notice()
