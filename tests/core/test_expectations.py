"""What ought to happen: its words, and when it is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import UsageError
from bot.core.expectations import Expectation, read
from bot.core.parsing import parse
from bot.core.values import mention

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
DAILY = Expectation(("backup-*",), "daily", -1, 3, 30, (("backup", "yes"),))
HOURLY = Expectation(("a",), "hourly", -1, -1, 15, (), ("web-*",))
WEEKLY = Expectation(("a",), "weekly", 0, 3, 30, (("k", ""),), (), ("cn-shanghai",), "U024BE7LH")


@pytest.mark.parametrize(
    ("words", "expectation"),
    [
        ("command:backup-* daily by:03:30 on:tag:backup=yes", DAILY),
        ("on: tag:backup=yes command: backup-* by: 3:30", DAILY),
        ("command:a hourly by:07:15 on:instance:web-*", HOURLY),
        ("command:a by:Monday-03:30 on:tag:k cn-shanghai ring:<@U024BE7LH>", WEEKLY),
        ("command:a weekly by:mon-03:30 tag:k region:cn-shanghai ring:U024BE7LH", WEEKLY),
        ("command:a hourly by:07:15 on:instance:web-* account:prod", replace(HOURLY, accounts=("prod",))),
    ],
)
def test_words_of_an_expectation(words: str, expectation: Expectation) -> None:
    assert read(parse(f"expect {words}").arguments) == expectation


@pytest.mark.parametrize(
    "one",
    [
        DAILY,
        replace(HOURLY, accounts=("prod", "own")),
        WEEKLY,
        Expectation(("a b",), "daily", -1, 0, 0, (("k", "v w"),)),
    ],
)
def test_canonical_words_are_read_back(one: Expectation) -> None:
    assert read(parse(f"expect {one.words()}").arguments) == one
    assert parse(parse(f"expect {one.words()}").words()).arguments == parse(f"expect {one.words()}").arguments
    assert one.key == read(parse(f"unexpect {one.words()}").arguments).key


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "Which command"),
        ("command:a by:03:30", "On which instances"),
        ("command:a on:tag:a=b", "By when"),
        ("command:a on:tag:a=b daily by:mon-03:30", "day of the week"),
        ("command:a on:tag:a=b weekly by:03:30", "day of the week"),
        ("moon", "I cannot read `moon`"),
        ("moon:" + "x" * 50, "I cannot read `moon:x+…`"),
        ("by:25:00", "`by:` takes a time"),
        ("on:everything", "`on:` takes tag"),
        ("on:tag:=b", "A tag filter is written"),
        ("region:x", "not a region id"),
        ("account:a/b", "not the name of an account"),
        ("ring:mei", "I do not know whom"),
        (" ".join(f"command:{n}" for n in range(21)), "At most 20 commands"),
    ],
)
def test_what_cannot_be_read_is_refused_at_the_door(words: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse(f"expect {words}")
    if words:
        with pytest.raises(UsageError, match=said):
            parse(f"unexpect {words}")


def test_an_expectation_in_a_sentence() -> None:
    assert DAILY.told("Asia/Shanghai") == "backup-* daily by 03:30 (Asia/Shanghai) on tag backup=yes"
    assert HOURLY.told("UTC") == "a hourly by minute 15 (UTC) on web-*"
    assert WEEKLY.told("UTC") == "a weekly by mon-03:30 (UTC) on tag k in cn-shanghai"
    assert replace(HOURLY, accounts=("prod",)).told("UTC") == "a hourly by minute 15 (UTC) on web-* of account prod"
    assert (mention(WEEKLY.ring), mention(DAILY.ring)) == ("<@U024BE7LH>", "")


@pytest.mark.parametrize(
    ("one", "before", "moment", "after"),
    [
        (DAILY, "2026-11-23 03:30", "2026-11-24 03:29", "2026-11-24 03:30"),
        (DAILY, "2026-11-23 03:30", "2026-11-24 03:30", "2026-11-25 03:30"),
        (DAILY, "2026-11-24 03:30", "2026-11-24 03:31", "2026-11-25 03:30"),
        (HOURLY, "2026-11-24 02:15", "2026-11-24 03:14", "2026-11-24 03:15"),
        (HOURLY, "2026-11-24 03:15", "2026-11-24 03:59", "2026-11-24 04:15"),
        (WEEKLY, "2026-11-23 03:30", "2026-11-24 03:30", "2026-11-30 03:30"),
        (WEEKLY, "2026-11-16 03:30", "2026-11-23 03:29", "2026-11-23 03:30"),
    ],
)
def test_due_times(one: Expectation, before: str, moment: str, after: str) -> None:
    def local(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)

    assert one.due_before(local(moment).astimezone(UTC), SHANGHAI) == local(before)
    assert one.due_after(local(moment).astimezone(UTC), SHANGHAI) == local(after)


def test_a_day_keeps_its_time_when_clocks_are_changed() -> None:
    one = read(["command:a", "by:08:00", "on:tag:a"])
    moment = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)  # summer time ends in the night
    assert str(one.due_after(moment, BERLIN)) == "2026-10-25 08:00:00+01:00"
    assert str(one.due_before(moment, BERLIN)) == "2026-10-24 08:00:00+02:00"


@pytest.mark.parametrize(
    ("zone", "words", "moment", "due"),
    [
        # 02:30 does not exist on that day, and is twice on the other.
        ("Europe/Berlin", "by:02:30", "2026-03-28 12:00", ["03-29 03:30 CEST", "03-30 02:30 CEST"]),
        ("Europe/Berlin", "by:02:30", "2026-10-24 12:00", ["10-25 02:30 CEST", "10-26 02:30 CET"]),
        ("Europe/Berlin", "weekly by:sun-02:30", "2026-03-28 12:00", ["03-29 03:30 CEST", "04-05 02:30 CEST"]),
        ("Europe/Berlin", "hourly by:00:30", "2026-03-29 00:40", ["03-29 03:30 CEST", "03-29 04:30 CEST"]),
        ("America/New_York", "hourly by:00:30", "2026-11-01 05:10", ["11-01 01:30 EDT", "11-01 01:30 EST"]),
        # Clocks there are put on and back by half an hour.
        ("Australia/Lord_Howe", "by:02:15", "2026-10-03 12:00", ["10-04 02:45 +11", "10-05 02:15 +11"]),
        ("Australia/Lord_Howe", "hourly by:00:15", "2026-10-03 14:50", ["10-04 02:45 +11", "10-04 03:15 +11"]),
        ("Australia/Lord_Howe", "hourly by:00:45", "2026-04-04 14:40", ["04-05 01:45 +11", "04-05 01:45 +1030"]),
        ("Asia/Shanghai", "by:00:05", "2026-12-30 16:10", ["01-01 00:05 CST", "01-02 00:05 CST"]),
    ],
)
def test_due_times_when_clocks_are_changed_and_years_end(zone: str, words: str, moment: str, due: list[str]) -> None:
    one, place = read(["command:a", "on:tag:a", *words.split()]), ZoneInfo(zone)
    found = [one.due_after(datetime.fromisoformat(moment).replace(tzinfo=UTC), place)]
    found.append(one.due_after(found[0], place))
    assert [f"{each:%m-%d %H:%M %Z}" for each in found] == due
    assert one.due_before(found[1], place) == found[0]


ZONES = [ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")]
MINUTES = 525_600 * 2
expectations = st.builds(
    lambda every, day, hour, minute: read(
        ["command:a", "on:tag:a", every, f"by:{day if every == 'weekly' else ''}{hour:02}:{minute:02}"]
    ),
    st.sampled_from(["hourly", "daily", "weekly"]),
    st.sampled_from(["mon-", "sun-"]),
    st.integers(0, 23),
    st.sampled_from([0, 15, 30, 45, 59]),
)
# Hours in which clocks are changed, and any other minute of two years.
moments = st.one_of(
    st.integers(0, MINUTES * 60),
    st.builds(
        lambda day, minute: (date.fromisoformat(day) - date(2026, 1, 1)).days * 86_400 + minute * 60,
        st.sampled_from(["2026-03-08", "2026-03-29", "2026-04-04", "2026-10-03", "2026-10-25", "2026-11-01"]),
        st.integers(-180, 1_620),
    ),
)


@given(expectations, st.sampled_from(ZONES), moments)
def test_no_due_time_lies_between_one_and_the_next(one: Expectation, zone: ZoneInfo, seconds: int) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    before, by, after = (due(moment, zone) for due in (one.due_before, one.due_by, one.due_after))
    assert before.timestamp() < moment.timestamp() < after.timestamp()
    assert by in (before, moment)
    assert one.due_after(by, zone) == after
    assert one.due_before(after, zone) == by
    longest = {"hourly": timedelta(hours=1.5), "daily": timedelta(hours=25.5), "weekly": timedelta(days=7.1)}
    assert after.timestamp() - by.timestamp() <= longest[one.every].total_seconds()
    assert after == after.astimezone(UTC).astimezone(zone)
    assert f"{after:%H:%M}" == f"{after.astimezone(UTC).astimezone(zone):%H:%M}"
    assert after.date() == after.astimezone(UTC).astimezone(zone).date()


@given(expectations, st.sampled_from(ZONES), moments, st.lists(st.integers(0, 400), max_size=12))
def test_whenever_the_timer_comes_each_due_time_is_checked_once_or_told_as_skipped(
    one: Expectation, zone: ZoneInfo, seconds: int, hours: list[int]
) -> None:
    now = begun = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    due, told = one.due_after(begun, zone), list[datetime]()
    for wait in hours:
        now += timedelta(hours=wait)
        if due.timestamp() <= now.timestamp():  # else it has come a second time
            last = one.due_by(now, zone)
            told += [*one.dues(due, last, zone), last]
            due = one.due_after(now, zone)
    every, moment = list[datetime](), begun
    while (moment := one.due_after(moment, zone)).timestamp() <= now.timestamp():
        every.append(moment)
    assert [each.timestamp() for each in told] == [each.timestamp() for each in every]
    assert due.timestamp() > now.timestamp()
