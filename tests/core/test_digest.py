"""A day in numbers and what people read of it. Golden messages stand in golden/digest/."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import daily, digest, digest_message, handover, status
from bot.core.blocks import Message
from bot.core.digest_message import Around
from bot.core.errors import UsageError
from bot.core.handover import Failing, Handover, Recovered
from bot.core.home import Run
from bot.core.model import Instance, Invocation
from bot.core.open_work import OnIt
from bot.core.parsing import parse
from bot.core.status import Busy, Status, Throttle
from bot.core.subscriptions import Subscription
from bot.core.texts import speaking
from bot.core.what_stands import Muted, WhatStands
from bot.languages import LANGUAGES, catalogue
from core.samples import (
    HOSTILE,
    NOW,
    AsGolden,
    failed,
    invocation,
    never_ran,
    payload,
    refused,
    running,
    shown,
    succeeded,
)

GOLDEN = Path(__file__).parent / "golden" / "digest"
SHANGHAI = ZoneInfo("Asia/Shanghai")
STAMP = NOW.timestamp()
AROUND = Around(now=NOW, read_at=NOW - timedelta(seconds=6), zone=SHANGHAI, reason="digest daily at 09:00", scope="all")
NOTHING = WhatStands()


def run(rows: list[dict[str, Any]], hours: float, number: int = 1, **fields: Any) -> Invocation:
    """A run that was made so many hours ago."""
    created = f"{NOW - timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"
    return invocation(rows, InvokeId=f"t-{number}", CreationTime=created, **fields)


TWO_DAYS = [
    run([failed("i-1"), failed("i-2"), succeeded("i-3"), never_ran("i-4")], 1, 1),
    run([failed("i-1"), succeeded("i-2")], 5, 2),
    run([failed("i-1", code=7)], 9, 3, CommandName="backup-db"),
    run([succeeded("i-3"), running("i-5")], 0.5, 4, CommandName="rotate-logs"),
    run([failed("i-1"), succeeded("i-2")], 30, 5),
    run([failed("i-9")], 60, 6),
]
NAMES = {f"i-{number}": Instance(f"i-{number}", "cn-hangzhou", f"web-0{number}") for number in range(1, 6)}


def made(invocations: list[Invocation] = TWO_DAYS, *subscriptions: Subscription) -> digest.Digest:
    return digest.made(invocations, subscriptions, NAMES, NOW)


def test_a_day_is_counted_beside_the_day_before() -> None:
    told = made()
    assert told.today == digest.Tally(runs=4, failed=3, targets=5, bad=3)
    assert told.before == digest.Tally(runs=1, failed=1, targets=2, bad=1)
    assert told.going == 1
    assert [(one.name, one.today.failed, one.before.runs) for one in told.commands] == [
        ("deploy-web", 2, 1),
        ("backup-db", 1, 0),
        ("rotate-logs", 0, 0),
    ]


def test_instances_of_one_name_are_told_by_account_and_where_that_does_not_do_by_id() -> None:
    def ran(place: str, number: int, rows: list[dict[str, Any]]) -> Invocation:
        one = run(rows, 1, number)
        return replace(one, region=place, targets=tuple(replace(target, region=place) for target in one.targets))

    runs = [
        ran("own/cn-hangzhou", 1, [failed("i-1a"), never_ran("i-4")]),
        ran("prod/cn-hangzhou", 2, [failed("i-2b")]),
        ran("prod/cn-beijing", 3, [failed("i-3c"), never_ran("i-5")]),
    ]
    places = {"i-1a": "own/cn-hangzhou", "i-2b": "prod/cn-hangzhou", "i-3c": "prod/cn-beijing"}
    names = {one: Instance(one, place, "web-01") for one, place in places.items()}
    names |= {"i-4": Instance("i-4", "own/cn-hangzhou", "db-01"), "i-5": Instance("i-5", "prod/cn-beijing", "db-02")}
    told = digest.made(runs, [], names, NOW)
    said = digest_message.message(told, NOTHING, replace(AROUND, instances=names)).text
    assert "Most failures: web-01 (own) (1), db-01 (1), web-01 (i-3c) (1), db-02 (1), web-01 (i-2b) (1)." in said
    assert "Never ran on db-[01,02]." in said
    assert "exit code 1, on web-01 (i-2b), web-01 (i-3c), web-01 (own)." in said


def test_the_worst_instances_and_those_where_nothing_ran() -> None:
    told = made()
    assert told.worst[0] == (("cn-hangzhou", "i-1"), 3)
    assert told.never == (("cn-hangzhou", "i-4"),)


def test_a_way_to_fail_is_new_where_the_day_before_did_not_know_it() -> None:
    assert [(one.command, one.why, len(one.places)) for one in made().first_seen] == [
        ("backup-db", "exit code 7", 1),
        ("deploy-web", "agent not online", 1),
    ]


def test_what_the_subscriptions_are_not_about_is_not_counted() -> None:
    only_backup = made(TWO_DAYS, Subscription(commands=("backup-*",)), Subscription(events=("spot",)))
    assert [one.name for one in only_backup.commands] == ["backup-db"]
    by_name = made(TWO_DAYS, Subscription(instances=("web-04",)))
    assert (by_name.today.runs, by_name.today.bad) == (1, 1)


def test_a_schedule_is_of_the_day_on_which_it_ran_last() -> None:
    ran = run([failed("i-1", FinishedTime="2026-11-24T21:02:00Z")], 400, RepeatMode="Period", Frequency="rate(5m)")
    never = run([], 2, 2)
    assert made([ran, never]).today == digest.Tally(1, 1, 1, 1)


def test_a_run_without_a_time_and_one_of_a_clock_ahead_are_of_today() -> None:
    assert made([run([succeeded("i-1")], -1), invocation([succeeded("i-1")], CreationTime="")]).today.runs == 2


def test_regions_are_those_of_the_subscriptions_that_are_configured() -> None:
    configured = ("cn-hangzhou", "cn-shanghai")
    here = [Subscription(regions=("cn-shanghai", "cn-beijing")), Subscription(events=("spot",))]
    assert digest.regions_of(here, configured) == ("cn-shanghai",)
    assert digest.regions_of([Subscription(regions=("cn-beijing",))], configured) == configured
    assert digest.regions_of([], configured) == configured
    assert digest.regions_of([Subscription()], configured) == configured


@given(st.lists(st.tuples(st.floats(0, 50), st.integers(0, 4), st.integers(0, 4)), max_size=12))
def test_the_chart_adds_up_to_the_instances_that_have_ended(runs: list[tuple[float, int, int]]) -> None:
    rows = [
        [failed(f"i-{n}") for n in range(bad)] + [succeeded(f"i-1{n}") for n in range(well)] for _, bad, well in runs
    ]
    told = made([run(some, one[0], number) for number, (one, some) in enumerate(zip(runs, rows, strict=True))])
    today = [(bad, well) for ago, bad, well in runs if ago < 24]
    assert sum(map(sum, told.series.values())) == sum(map(sum, today))
    assert sum(count for _, count in told.worst) == sum(bad for bad, _ in today)
    assert told.today.bad == max((bad for bad, _ in today), default=0)  # each instance once
    assert refused(digest_message.message(told, NOTHING, AROUND)) == []


# What people read

MANY = [
    run([failed(f"i-{at:02d}", code=n) for at in range(0, 80, 2)], 2, n, CommandName=f"job-{n:02d}")
    for n in range(1, 12)
]
STANDS = WhatStands(
    (Muted("backup-*", "mei", STAMP + 3_600), Muted("everything", "mei", STAMP + 7_200)),
    ("backup-* by 03:30: db-01 no run",),
)
CUT = Around(
    now=NOW,
    read_at=NOW,
    instances={"i-1": Instance("i-1", "cn-hangzhou", "web-01")},
    cut={"cn-hangzhou": NOW - timedelta(hours=20)},
    silent=("No answer from cn-beijing: no reply.",),
)
ON_IT = OnIt("U1", "lucas", int(STAMP) - 600, "C1")
HANDOVER = Handover(
    failing=[
        Failing("7 of 240 failed, 2 never ran: deploy-web, 2 regions.", STAMP - 3_600, 72),
        Failing("1 of 3 failed: backup-db, cn-hangzhou.", STAMP - 600, 1, ON_IT),
        Failing("t-3."),
    ],
    going=[Run("t-9", "cn-hangzhou", "rotate-logs", int(STAMP), progress="12 of 100 done")],
    taken={"t-8": ON_IT},
    recovered=[Recovered("5 of 5 exit code 0: backup-db, cn-hangzhou.", STAMP - 7_200)],
    stands=STANDS,
    notes=("No answer from cn-beijing: no reply.",),
)
STATUS = Status(
    versions={"bot": "0.1.0", "Python": "3.11.9", "slack-bolt": "1.29.0"},
    busy=Busy(4, 2, 12),
    store="SQLite",
    store_lasts=False,
    regions=("cn-hangzhou", "cn-shanghai"),
    throttles=[Throttle("DescribeInvocations", "cn-hangzhou", STAMP + 30), Throttle("X", "cn-shanghai", STAMP - 1)],
    heard={"cn-hangzhou": STAMP - 120},
)


def told(what: Handover = HANDOVER) -> Message:
    return handover.message(what, "mei", SHANGHAI, STAMP, STAMP - 3)


MESSAGES = {
    "digest": lambda: digest_message.message(digest.made(TWO_DAYS, (), NAMES, NOW), STANDS, with_names(AROUND)),
    "digest_of_nothing": lambda: digest_message.message(made([]), NOTHING, AROUND),
    "digest_all_well": lambda: digest_message.message(made([TWO_DAYS[3]]), WhatStands(known=False), AROUND),
    "digest_cut": lambda: digest_message.message(made(), NOTHING, CUT),
    "digest_of_many": lambda: digest_message.message(made(MANY), NOTHING, AROUND),
    "digest_without_chart": lambda: digest_message.without_chart(digest_message.message(made(), NOTHING, AROUND)),
    "handover_draft": lambda: handover.draft(told(), "value"),
    "handover_of_nothing": lambda: told(Handover([], [], {}, [], NOTHING)),
    "status": lambda: status.message(STATUS, SHANGHAI, STAMP),
}


def with_names(around: Around) -> Around:
    return Around(around.now, around.read_at, around.zone, around.reason, around.scope, NAMES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", MESSAGES)
def test_golden(name: str, language: str, as_golden: AsGolden) -> None:
    with speaking(catalogue(language)):
        message = MESSAGES[name]()
    assert refused(message) == []
    as_golden(GOLDEN, language, name, payload(message))


def test_every_golden_file_is_of_a_message() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(MESSAGES)


def test_the_chart_has_a_point_for_every_two_hours_in_the_persons_zone() -> None:
    [chart] = [one["chart"] for one in MESSAGES["digest"]().blocks if one["type"] == digest_message.CHART]
    assert chart["axis_config"]["categories"][0] == "05:10"
    assert len(set(chart["axis_config"]["categories"])) == 12
    assert {one["name"] for one in chart["series"]} == {"failed", "never ran", "exit code 0"}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_whatever_names_say_the_messages_are_valid(hostile: str) -> None:
    rows = [failed(hostile), never_ran(hostile, hostile)]
    names = {hostile: Instance(hostile, "cn-hangzhou", hostile)}
    stands = WhatStands((Muted(hostile, hostile, STAMP),) * 60, (hostile,) * 60)
    made_of = digest.made([run(rows, 1, CommandName=hostile)], (), names, NOW)
    around = Around(NOW, NOW, reason=hostile, scope=hostile, instances=names, silent=(hostile,) * 20)
    who = OnIt("U1", hostile, 0)
    failing = [Failing(hostile * 9, STAMP, 3, who)] * 60
    going = [Run(hostile, hostile, hostile, 0, progress=hostile)] * 60
    hostile_handover = Handover(failing, going, {hostile: who}, [Recovered(hostile, STAMP)] * 60, stands, (hostile,))
    for message in (
        digest_message.message(made_of, stands, around),
        handover.draft(handover.message(hostile_handover, hostile, UTC, STAMP, STAMP), "value"),
        status.message(
            Status({hostile: hostile}, Busy(1, 0, 0), hostile, True, (hostile,), None, {}, paused=hostile), UTC, STAMP
        ),
    ):
        assert refused(message) == []


def test_instances_that_are_named_are_those_of_the_sentences() -> None:
    assert [one for _, one in digest_message.named(made())] == ["i-1", "i-2", "i-4"]


def test_an_unknown_instance_has_words_too() -> None:
    message = digest_message.message(digest.made([run([failed("")], 1)], (), {}, NOW), NOTHING, AROUND)
    assert "an instance without id (1)" in message.text


def test_a_handover_without_anybody_missing_says_so() -> None:
    message = told(Handover([Failing("x.", 0, 1, ON_IT)], [], {}, [], NOTHING))
    assert message.text.startswith("Handover: 1 failing, 0 still going.")
    assert "Failing" in shown(message)


def test_status_without_a_store_and_with_all_well() -> None:
    lost = Status({}, Busy(1, 0, 0), "SQLite", True, ("cn-hangzhou",), None, {})
    assert "The store did not answer" in status.message(lost, UTC, STAMP).text
    assert "Regions: cn-hangzhou." in status.message(lost, UTC, STAMP).text
    well = Status({}, Busy(1, 0, 0), "SQLite", True, ("cn-hangzhou",), (), {})
    assert status.message(well, UTC, STAMP).text.startswith("Ready.\nNot paused.\nNo API is throttled")


# What is typed, and when it is due


@pytest.mark.parametrize("text", ["digest", "digest off", "digest now", "digest daily 09:00", "handover", "status"])
def test_orders_that_can_be_read(text: str) -> None:
    question = parse(text)
    assert question.subcommand == text.split(" ")[0]
    assert parse(question.words()) == question


def test_the_time_of_day_is_read_and_who_sees_the_answer_is_known() -> None:
    for words in (["Daily", "9:05"], ["daily", "at", "09:05"], ["09:05"]):
        assert daily.read(words) == daily.Wish(daily.DAILY, "09:05")
    alone = {
        text: parse(text).for_one for text in ("digest now", "handover", "status", "status here", "help", "t-hz0abcdef")
    }
    assert alone == {
        "digest now": False,
        "handover": True,
        "status": True,
        "status here": False,
        "help": True,
        "t-hz0abcdef": False,
    }


@pytest.mark.parametrize(
    "text",
    [
        "digest weekly",
        "digest weekly 09:00",
        "digest daily",
        "digest daily 25:00",
        "digest daily 9",
        "handover now",
        "status there",
    ],
)
def test_orders_that_cannot(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


def test_a_digest_is_due_today_or_tomorrow_and_a_day_of_23_hours_is_a_day() -> None:
    morning = datetime(2026, 11, 24, 8, 0, tzinfo=SHANGHAI).timestamp()
    assert daily.next_due("09:00", SHANGHAI, morning) == morning + 3_600
    assert daily.next_due("08:00", SHANGHAI, morning) == morning + 86_400
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 3, 28, 9, 0, tzinfo=berlin).timestamp()
    assert daily.next_due("09:00", berlin, before) == before + 23 * 3_600


@given(
    st.integers(1_700_000_000, 1_900_000_000),
    st.times(),
    st.sampled_from(["UTC", "Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"]),
)
def test_the_next_moment_is_later_within_about_a_day_and_reads_as_asked(after: int, at: Any, zone: str) -> None:
    text = f"{at:%H:%M}"
    due = daily.next_due(text, ZoneInfo(zone), after)
    assert after < due <= after + 25 * 3_600
    local = datetime.fromtimestamp(due, UTC).astimezone(ZoneInfo(zone))
    assert abs((local.hour * 60 + local.minute) - (at.hour * 60 + at.minute)) in (0, 30, 60)
