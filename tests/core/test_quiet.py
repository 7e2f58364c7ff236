"""Mutes: their words, when they end, what they hold back and what breaks them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import quiet
from bot.core.blocks import Message
from bot.core.errors import UsageError
from bot.core.notices import News
from bot.core.parsing import parse
from bot.core.quiet import Held, Mute, Wish, held_from, hold, mute_from, read, read_unmute
from bot.core.reports import BADLY, WELL
from core.samples import HOSTILE, refused

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # 17:00 in Shanghai
NINE = NOW.timestamp()
MUTE = Mute(("backup-*",), NINE + 3_600, "2026-11-24 18:00 CST", False, "U1", "mei", NINE, ("i-1",))
BAD = News(BADLY, 1, NINE, "t-1", cause="c1", instances=("i-1",), line="1 of 2 failed: backup.")


def payload(news: News) -> dict[str, object]:
    return {"news": asdict(news), "commands": ["backup-db"]}


@pytest.mark.parametrize(
    ("words", "wish"),
    [
        ("2h", Wish(span=7_200)),
        ("for 30m hard", Wish(span=1_800, hard=True)),
        ("command:backup-* until 18:00", Wish(("backup-*",), clock="18:00")),
        ("command:a command:b,command:a until tomorrow", Wish(("a", "b"), day="tomorrow")),
        ("until 2026-11-25 7:30", Wish(day="2026-11-25", clock="7:30")),
        ("2 hours", Wish(span=7_200)),
        ("1h30m commands:backup-*", Wish(("backup-*",), span=5_400)),
        ("everything 90 min", Wish(span=5_400)),
        ("ALL 2小时", Wish(span=7_200)),
        ("events:spot,maintenance 2h", Wish(events=("maintenance", "spot"), span=7_200)),
        ("command:a events:Disk,disk 2h", Wish(("a",), ("disk",), 7_200)),
    ],
)
def test_words_of_a_mute(words: str, wish: Wish) -> None:
    assert read(parse(f"mute {words}").arguments) == wish


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "For how long?"),
        ("command:a", "For how long?"),
        ("hard 0h", "I cannot read `0h`"),
        ("2h until 18:00", "Either a span or a time."),
        ("web-1 2h", "I cannot read `web-1`"),
        ("2 command:a", "I cannot read `2`"),
        ("command:web-[1-3] 2h", "I do not read ranges"),
        ("events:rain 2h", "`events:` takes failure, maintenance, .*, not `rain`"),
        ("2026-02-30", "I cannot read `2026-02-30`"),
        (" ".join(f"command:{n}" for n in range(21)), "At most 20 commands"),
    ],
)
def test_what_cannot_be_read_is_refused_at_the_door(words: str, said: str) -> None:
    with pytest.raises(UsageError, match="(?s)" + said.replace("?", r"\?")):
        parse(f"mute {words}")


def test_words_of_unmute() -> None:
    assert read_unmute(parse("unmute").arguments) == Wish()
    assert read_unmute(["everything"]) == read_unmute(["All"]) == Wish()
    assert read_unmute(parse("unmute command:backup-* events:spot").arguments) == Wish(("backup-*",), ("spot",))
    with pytest.raises(UsageError, match="unmute command"):
        parse("unmute web")


@pytest.mark.parametrize(
    ("words", "end"),
    [
        ("2h", "2026-11-24T19:00+08:00"),
        ("until 18:00", "2026-11-24T18:00+08:00"),
        ("until 17:00", "2026-11-25T17:00+08:00"),
        ("until tomorrow", "2026-11-25T09:00+08:00"),
        ("until tomorrow 18:00", "2026-11-25T18:00+08:00"),
        ("until 2026-11-26", "2026-11-26T09:00+08:00"),
    ],
)
def test_a_mute_ends_in_the_time_zone_of_the_one_who_sets_it(words: str, end: str) -> None:
    assert read(words.split()).until(NOW, SHANGHAI) == datetime.fromisoformat(end)


@pytest.mark.parametrize(("words", "said"), [("2026-11-23", "is past"), ("8d", "At most 7 d")])
def test_an_end_that_is_past_or_far_is_refused(words: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read([words]).until(NOW, SHANGHAI)


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 366 * 86_400))
def test_a_time_of_day_is_always_the_next_one(hour: int, minute: int, later: int) -> None:
    now = NOW + timedelta(seconds=later)
    end = read(["until", f"{hour}:{minute:02d}"]).until(now, SHANGHAI)
    assert 0 < (end - now).total_seconds() <= 86_400
    assert (end.hour, end.minute) == (hour, minute)


def test_what_a_mute_covers() -> None:
    assert MUTE.covers(["backup-db"])
    assert not MUTE.covers(["backup-db", "deploy"])
    assert not MUTE.covers([])
    assert Mute((), 0, "").covers([])


def test_a_mute_of_kinds_of_events_is_about_those_alone() -> None:
    spot = Mute((), 0, "18:00", events=("spot", "disk"))
    assert spot.covers((), "spot")
    assert not spot.covers((), "maintenance")
    assert not spot.covers(["backup-db"])
    assert not MUTE.covers((), "spot")
    assert Mute((), 0, "").covers((), "spot")
    assert spot.words == "events:spot,disk"
    assert spot.what == "events: spot, disk"
    assert Mute(("a",), 0, "", events=("spot",)).what == "a, events: spot"
    assert spot.names(Wish())
    assert spot.names(Wish(events=("disk", "spot")))
    assert not spot.names(Wish(events=("disk",)))
    assert mute_from(spot.value()) == spot


def test_a_mute_that_was_kept_before_it_knew_events_is_still_one() -> None:
    value = MUTE.value()
    del value["events"]
    assert mute_from(value) == MUTE


def test_a_mute_is_broken_by_an_instance_that_was_not_failing_unless_it_is_hard() -> None:
    assert MUTE.broken_by(["i-1"]) == 0
    assert MUTE.broken_by(["i-1", "i-2", "i-3"]) == 2
    assert Mute((), 0, "", hard=True).broken_by(["i-2"]) == 0
    assert MUTE.broken(["i-2", "i-3"]) == (
        "This ends the mute of backup-* until 2026-11-24 18:00 CST, by mei: 2 instances fail that did not when it was "
        "set."
    )
    assert "1 instance fails that" in MUTE.broken(["i-2"])


def test_a_mute_and_what_it_holds_come_back_from_the_store() -> None:
    held = hold(None, payload(BAD), MUTE, NINE)
    assert mute_from(MUTE.value()) == MUTE
    assert held_from(held.value()) == held
    assert held.news == BAD


def test_the_same_commands_are_the_same_mute() -> None:
    assert Mute(("a", "b"), 1, "").key == Mute(("b", "a"), 2, "x").key != MUTE.key
    assert MUTE.words == "command:backup-*"


def after(*news: News) -> Held:
    held = None
    for one in news:
        held = hold(held, payload(one), MUTE, NINE)
    assert held is not None
    return held


def again(occasion: str, state: str = BADLY) -> News:
    return News(state, 2, NINE, occasion, state == BADLY, "c1" if state == BADLY else "", line="x")


@pytest.mark.parametrize(
    ("waiting", "news", "said"),
    [
        (after(BAD), BAD, ""),
        (after(BAD, again("t-2")), again("t-2"), " It failed 2 times meanwhile."),
        (after(BAD, BAD), again("t-2"), " It failed 2 times meanwhile."),
        (after(BAD, again("t-2", WELL)), again("t-2", WELL), " It failed once meanwhile and has recovered."),
        (after(again("t-1", WELL)), again("t-1", WELL), ""),
    ],
)
def test_what_was_held_back_says_how_long_why_and_what_became_of_it(waiting: Held, news: News, said: str) -> None:
    sentence = "Held back 2 h: mei had muted backup-* until 2026-11-24 18:00 CST."
    assert waiting.note(news, NINE + 7_200) == sentence + said


def test_the_recovery_of_what_nobody_was_told_is_worth_telling() -> None:
    assert after(BAD).with_it(again("t-2", WELL)).wanted
    assert not after(again("t-1", WELL)).with_it(again("t-2", WELL)).wanted


def test_the_channel_reads_who_muted_what() -> None:
    assert quiet.muted(MUTE).text.split("\n") == [
        "mei has muted backup-* in this channel until 2026-11-24 18:00 CST.",
        "A failure on an instance that is not failing now breaks it; with hard nothing would. What is held back is "
        "told when it ends.",
        "To end it now: `unmute command:backup-*`",
    ]
    hard = Mute((), 0, "18:00", hard=True, by_name="mei")
    assert "No failure breaks it." in quiet.muted(hard).text
    assert quiet.muted(hard).text.endswith("`unmute`")
    assert quiet.unmuted([MUTE, hard], "jo").text.startswith("jo has ended the mute of backup-*; everything.")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_in_a_name_rings(hostile: str) -> None:
    mute = Mute((hostile,), 0, "18:00", by_name=hostile)
    for message in (quiet.muted(mute), quiet.unmuted([mute], hostile), Message(quiet.muted(mute).text)):
        assert refused(message) == []
