"""What ought to happen: its words, and when it is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import UsageError
from bot.core.expectations import Expectation, read
from bot.core.parsing import parse

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
        ("on:tag:=b", "A tag is written"),
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
    assert (WEEKLY.mention, DAILY.mention) == ("<@U024BE7LH>", "")


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


@given(st.sampled_from([DAILY, HOURLY, WEEKLY]), st.sampled_from([SHANGHAI, BERLIN, UTC]), st.integers(0, 10**8))
def test_due_times_enclose_every_moment(one: Expectation, zone: ZoneInfo, seconds: int) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    before, after = one.due_before(moment, zone).timestamp(), one.due_after(moment, zone).timestamp()
    assert before < moment.timestamp() < after
    assert one.due_after(datetime.fromtimestamp(before, UTC), zone).timestamp() <= after
