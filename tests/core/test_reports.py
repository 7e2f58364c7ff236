"""Which runs share a message, when channels are told, and what of a run each channel is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.core import reports
from bot.core.model import Instance
from bot.core.reports import BADLY, GOING, WELL, Report, Run, after_look, joined, wanted
from bot.core.subscriptions import Subscription
from bot.core.summary import summarise
from core.samples import NOW, REGION, failed, invocation, never_ran, results_of, row, running, succeeded

EPOCH = NOW.timestamp()
INSTANCES = {
    one: Instance(one, REGION, name, tags=(("team", team),))
    for one, name, team in (("i-1", "web-01", "web"), ("i-2", "web-02", "web"), ("i-3", "db-01", "db"))
}


def run(run_id="t-hz0aaaaaa", created="2026-11-24T21:00:00Z", region=REGION, rows=(), **fields):
    return invocation(rows, region, InvokeId=run_id, CreationTime=created, **fields)


def summary_of(*rows, **fields):
    return summarise([invocation(rows, **fields)], results_of(rows), INSTANCES)


def ids(groups):
    return [[one.id for one in group] for group in groups]


def test_runs_of_the_same_command_that_start_within_two_minutes_are_one_in_whatever_regions() -> None:
    first = run("t-hz0aaaaaa")
    beside = run("t-sh0bbbbbb", "2026-11-24T21:01:59Z", "cn-shanghai", CommandId="c-other")
    later = run("t-hz0cccccc", "2026-11-24T21:05:00Z")
    other = run("t-hz0dddddd", CommandName="backup")
    changed = run("t-hz0eeeeee", CommandContent="ZWNobyAy")
    assert ids(joined([first, other, beside, changed, later])) == [
        ["t-hz0aaaaaa", "t-sh0bbbbbb"],
        ["t-hz0dddddd"],
        ["t-hz0eeeeee"],
        ["t-hz0cccccc"],
    ]


def test_runs_that_share_the_tag_are_one_whatever_ran_and_whenever() -> None:
    tag = {"Tags": {"Tag": [{"TagKey": "rollout", "TagValue": "r-17"}]}}
    runs = [run("t-hz0aaaaaa", **tag), run("t-hz0bbbbbb", "2026-11-24T23:00:00Z", CommandName="backup", **tag)]
    assert ids(joined(runs, "rollout")) == [["t-hz0aaaaaa", "t-hz0bbbbbb"]]
    assert len(joined(runs, "other")) == len(joined(runs)) == 2


def test_a_schedule_and_a_run_without_name_stand_alone_and_a_message_takes_twenty() -> None:
    alike = [run(f"t-hz0{number:06}") for number in range(21)]
    assert [len(group) for group in joined(alike)] == [20, 1]
    scheduled = [run(f"t-hz0sched{number}", RepeatMode="Period") for number in range(2)]
    assert len(joined(scheduled)) == 2
    nameless = [run(f"t-hz0none{number}", CommandName="", CommandId="") for number in range(2)]
    assert len(joined(nameless)) == 2
    assert len(joined([run("t-hz0aaaaaa", created=""), run("t-hz0bbbbbb", created="")])) == 1


def test_an_occasion_and_a_report_outlive_the_process() -> None:
    occasion = reports.occasion_of(run())
    again = reports.occasion_from(occasion.value())
    assert again == occasion
    assert again.joined_by(occasion.runs[0]) == occasion
    assert len(again.joined_by(Run(REGION, "t-hz0bbbbbb", 0.0)).runs) == 2
    report = replace(again.report({}), first_failure=7.0, looks=2, read_at=5.0)
    assert again.report(report.value()) == report


REPORT = Report("t-1", (Run(REGION, "t-1", EPOCH - 300),))


@pytest.mark.parametrize(
    ("rows", "tell", "wait"),
    [
        ([succeeded("i-1"), failed("i-2")], BADLY, 0),
        ([succeeded("i-1"), row("i-2", "Odd")], BADLY, 0),
        ([succeeded("i-1")], WELL, 0),
        ([running("i-1"), succeeded("i-2")], "", 5),
        ([running("i-1"), failed("i-2", FinishedTime="2026-11-24T21:08:30Z")], GOING, 5),
        ([running("i-1"), failed("i-2", FinishedTime="2026-11-24T21:09:02Z")], "", 2),
        ([running("i-1"), failed("i-2", FinishedTime="")], "", 5),
        ([], "", 5),
    ],
)
def test_what_follows_a_look(rows, tell, wait) -> None:
    decision = after_look(REPORT, summary_of(*rows), EPOCH)
    assert (decision.tell, decision.wait) == (tell, wait)
    assert decision.report.read_at == EPOCH
    assert decision.report.over == (tell in (BADLY, WELL))


def test_the_first_failure_counts_from_when_it_was_first_seen() -> None:
    first = after_look(REPORT, summary_of(running("i-1"), failed("i-2", FinishedTime="")), EPOCH)
    assert first.report.first_failure == EPOCH
    later = after_look(first.report, summary_of(running("i-1"), failed("i-2", FinishedTime="")), EPOCH + 61)
    assert (later.tell, later.report.told) == (GOING, GOING)


def test_looks_get_rarer_and_end_after_a_day() -> None:
    waits = [reports.wait_after(look) for look in range(10)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (5, 300)
    old = replace(REPORT, runs=(Run(REGION, "t-1", EPOCH - 86_401),))
    assert after_look(old, summary_of(running("i-1")), EPOCH).wait == 0


def test_events_make_no_look_within_five_seconds_of_another() -> None:
    assert REPORT.soonest == 0
    once = after_look(REPORT, summary_of(running("i-1")), EPOCH).report
    assert once.soonest == EPOCH + 5
    often = replace(once, looks=9)
    assert often.soonest == EPOCH + 20


def test_a_look_shortly_before_a_minute_has_passed_since_the_first_failure_makes_that_minute_no_longer() -> None:
    often = replace(REPORT, looks=9, read_at=EPOCH, first_failure=EPOCH - 50)
    assert often.soonest == EPOCH + 10
    assert replace(often, first_failure=EPOCH - 58).soonest == EPOCH + 5
    assert replace(often, first_failure=EPOCH - 1).soonest == EPOCH + 20
    assert replace(often, told=GOING).soonest == EPOCH + 20


def test_a_run_that_joins_later_opens_a_report_again() -> None:
    told = after_look(REPORT, summary_of(succeeded("i-1")), EPOCH).report
    assert told.over
    assert not replace(told, runs=(*told.runs, Run(REGION, "t-2", EPOCH))).over


def test_an_occasion_of_a_schedule_is_complete_when_all_instances_are_through_with_it() -> None:
    def after(repeats):
        rows = [failed("i-1", Repeats=5), failed("i-2", Repeats=repeats)]
        return summary_of(*rows, RepeatMode="Period", InvocationStatus="Scheduled")

    assert not reports.complete(after(4))
    assert reports.complete(after(5))
    occasion = reports.occasion_of(run("t-hz0sched1", RepeatMode="Period"))
    assert reports.occasion_name(occasion, after(5)) == "t-hz0sched1/5"
    assert reports.occasion_name(reports.occasion_of(run()), after(5)) == "t-hz0aaaaaa"


# What a channel wants


def names(summary):
    return {row.name for group in summary.groups for row in group.rows}


MIXED = (failed("i-1"), succeeded("i-2"), row("i-3", "Timeout", ErrorCode="ExecutionTimeout"))


@pytest.mark.parametrize(
    ("subscriptions", "news", "shown"),
    [
        ([Subscription()], True, {"web-01", "web-02", "db-01"}),
        ([Subscription(instances=("web-02",))], False, {"web-02"}),
        ([Subscription(instances=("web-02",), everything=True)], True, {"web-02"}),
        ([Subscription(tags=(("team", "db"),))], True, {"db-01"}),
        ([Subscription(tags=(("team", "db"),)), Subscription(instances=("web-02",))], True, {"db-01"}),
        ([Subscription(reasons=("timeout",))], True, {"web-02", "db-01"}),
        ([Subscription(reasons=("oom",))], False, {"web-02"}),
        ([Subscription(buckets=("failed",))], True, {"web-01", "web-02"}),
        ([Subscription(buckets=("never-ran",))], False, {"web-02"}),
        ([Subscription(at_least="3")], False, {"web-01", "web-02", "db-01"}),
        ([Subscription(at_least="60%")], True, {"web-01", "web-02", "db-01"}),
        ([Subscription(at_least="33%", buckets=("timed-out",))], True, {"web-02", "db-01"}),
        ([Subscription(at_least="34%", buckets=("timed-out",))], False, {"web-02", "db-01"}),
        ([Subscription(at_least="34%", reasons=("timeout",))], False, {"web-02", "db-01"}),
        ([Subscription(at_least="50%", instances=("web-*",))], True, {"web-01", "web-02"}),
        ([Subscription(longer_than=30)], True, {"web-01", "web-02", "db-01"}),
        ([Subscription(longer_than=3_600)], False, {"web-01", "web-02", "db-01"}),
        ([Subscription(commands=("backup-*",))], False, set()),
        ([], False, set()),
    ],
)
def test_what_filters_leave_out_is_not_in_it(subscriptions, news, shown) -> None:
    through = wanted(summary_of(*MIXED), subscriptions, INSTANCES)
    assert through.news is news
    assert names(through.summary) == shown
    assert through.summary.total == len(shown)


def test_rings_are_those_of_the_subscriptions_that_it_is_news_to() -> None:
    ringing = [
        Subscription(ring="U1"),
        Subscription(ring="S1", instances=("db-*",)),
        Subscription(ring="U2", instances=("web-02",)),
        Subscription(ring="U3", instances=("web-02",), everything=True),
    ]
    assert wanted(summary_of(*MIXED), ringing, INSTANCES).rings == ("U1", "S1")


def test_an_instance_whose_name_is_not_known_is_known_by_its_id() -> None:
    summary = summarise([invocation([failed("i-9")])], results_of([failed("i-9")]), {})
    assert wanted(summary, [Subscription(instances=("i-9",))], {}).news
    assert not wanted(summary, [Subscription(instances=("web-*",))], {}).news


COMMANDS = {"t-1": ("deploy-web", REGION), "t-2": ("backup-db", "cn-shanghai")}
MINUTES = {"ok": 1, "bad": 2, "full": 3, "never": None, "late": 30}
MAKE = {
    "ok": succeeded,
    "bad": lambda one, **fields: failed(one, "assertion failed: a != b", **fields),
    "full": lambda one, **fields: failed(one, "tar: /var: No space left on device", **fields),
    "never": never_ran,
    "late": lambda one, **fields: row(one, "Timeout", ErrorCode="ExecutionTimeout", **fields),
}
OUTCOMES = {  # of each kind: its bucket, and by which reasons it is found
    "ok": ("", set()),
    "bad": ("failed", set()),
    "full": ("failed", {"disk-full"}),
    "never": ("never-ran", {"agent-offline"}),
    "late": ("timed-out", {"timeout"}),
}


def joined_summary(ran):
    """Of runs that share a message: what ran, as run, instance and kind. Each row began at nine."""
    rows = {run_id: [] for run_id in COMMANDS}
    for run_id, instance, kind in ran:
        ended = {"FinishedTime": f"2026-11-24T21:{1 + MINUTES[kind]:02}:00Z"} if MINUTES[kind] else {}
        rows[run_id].append(MAKE[kind](instance, InvokeId=run_id, **ended))
    runs = [
        run(run_id, region=region, rows=rows[run_id], CommandName=name, CommandId=f"c-{name}")
        for run_id, (name, region) in COMMANDS.items()
    ]
    results = [one for run_id, (_, region) in COMMANDS.items() for one in results_of(rows[run_id], region)]
    return summarise(runs, results, INSTANCES)


things = st.lists(
    st.tuples(st.sampled_from(sorted(COMMANDS)), st.sampled_from(sorted(INSTANCES)), st.sampled_from(sorted(MAKE))),
    unique_by=lambda one: one[:2],
    max_size=6,
)
some_subscriptions = st.lists(
    st.builds(
        Subscription,
        everything=st.booleans(),
        commands=st.sampled_from([(), ("deploy-*",), ("c-backup-db", "other"), ("other",)]),
        regions=st.sampled_from([(), (REGION,), ("cn-shanghai",)]),
        instances=st.sampled_from([(), ("web-*",), ("db-*",), ("i-1",)]),
        tags=st.sampled_from([(), (("team", "web"),), (("team", ""),)]),
        buckets=st.sampled_from([(), ("failed",), ("never-ran", "timed-out")]),
        reasons=st.sampled_from([(), ("disk-full",), ("timeout", "agent-offline")]),
        at_least=st.sampled_from(["", "2", "50%"]),
        longer_than=st.sampled_from([0, 90, 600]),
        ring=st.sampled_from(["", "U1", "S1"]),
    ),
    max_size=3,
)


SHARE = Subscription(buckets=("failed",), at_least="50%")


def is_about(one, thing):
    """By the words of README, without the code that is tested."""
    (name, region), instance = COMMANDS[thing[0]], INSTANCES[thing[1]]
    by_name = {
        "web-*": instance.name.startswith("web"),
        "db-*": instance.name.startswith("db"),
        "i-1": thing[1] == "i-1",
    }
    return (
        one.commands in ((), ("deploy-*",) if name == "deploy-web" else ("c-backup-db", "other"))
        and one.regions in ((), (region,))
        and (not one.instances or by_name[one.instances[0]])
        and (not one.tags or one.tags[0][1] in ("", dict(instance.tags)["team"]))
    )


def lets_through(one, thing):
    bucket, reasons = OUTCOMES[thing[2]]
    if not is_about(one, thing) or not bucket:
        return is_about(one, thing)
    return (not one.buckets or bucket in one.buckets) and (not one.reasons or bool(reasons & set(one.reasons)))


def is_news(one, ran):
    about = [thing for thing in ran if is_about(one, thing)]
    bad = [thing for thing in about if lets_through(one, thing) and thing[2] != "ok"]
    ended = [MINUTES[thing[2]] for thing in about if MINUTES[thing[2]]]
    if one.longer_than and 60 * max(ended, default=0) <= one.longer_than:
        return False
    if one.everything and not one.at_least and not one.buckets:
        return any(lets_through(one, thing) for thing in about)
    least = {"": 1, "2": 2, "50%": max(1, (len(about) + 1) // 2)}[one.at_least]
    return len(bad) >= least


# The slowest, and those of which a share is taken, may be such as another filter leaves out.
@example([("t-1", "i-1", "bad"), ("t-1", "i-2", "late")], [Subscription(buckets=("failed",), longer_than=600)])
@example([("t-1", "i-1", "bad"), ("t-1", "i-2", "late")], [SHARE])
@example([("t-1", one, kind) for one, kind in zip(INSTANCES, ("bad", "late", "late"), strict=True)], [SHARE])
@settings(max_examples=200)
@given(things, some_subscriptions)
def test_what_every_filter_excludes_is_never_shown_and_all_else_is(ran, subscriptions) -> None:
    through = wanted(joined_summary(ran), subscriptions, INSTANCES)
    news = [one for one in subscriptions if is_news(one, ran)]
    expected = {thing[:2] for thing in ran if any(lets_through(one, thing) for one in news or subscriptions)}
    rows = [shown.result for group in through.summary.groups for shown in group.rows]
    assert {(one.invoke_id, one.instance_id) for one in rows} == expected
    assert through.news == bool(news)
    assert {one.id for one in through.summary.invocations} == {run_id for run_id, _ in expected}
    assert through.summary.total == len(expected)
    rung = [one.ring for one in news if any(lets_through(one, thing) and thing[2] != "ok" for thing in ran)]
    assert through.rings == tuple(dict.fromkeys(filter(None, rung)))


def rerun(*ran, **fields):
    """Runs of one command, a minute apart: of each its rows."""
    runs, results = [], []
    for number, rows in enumerate(ran):
        named = [{**row, "InvokeId": f"t-{number}"} for row in rows]
        runs.append(run(f"t-{number}", f"2026-11-24T21:0{number}:00Z", rows=named, **fields))
        results += results_of(named)
    return summarise(runs, results, INSTANCES)


def test_what_a_later_run_has_made_good_is_no_failure_any_more() -> None:
    good = rerun([failed("i-1"), never_ran("i-2"), succeeded("i-3")], [succeeded("i-1"), succeeded("i-2")])
    assert reports.settled(good).total == 3
    assert after_look(REPORT, reports.settled(good), EPOCH).tell == WELL
    assert reports.gone_well(reports.settled(good)) == ("i-1", "i-2", "i-3")
    through = wanted(good, [Subscription()], INSTANCES)
    assert (through.news, through.made_good) == (False, ("web-01", "web-02"))
    assert wanted(good, [Subscription(everything=True, instances=("web-02",))], INSTANCES).made_good == ("web-02",)
    assert wanted(good, [Subscription(everything=True, buckets=("failed",))], INSTANCES).made_good == ("web-01",)
    assert wanted(good, [Subscription(commands=("other",))], INSTANCES).made_good == ()


def test_what_failed_later_or_by_another_command_is_made_good_by_nothing() -> None:
    later = rerun([succeeded("i-1")], [failed("i-1")])
    assert reports.settled(later) is later
    again = rerun([failed("i-1")], [succeeded("i-1")], [failed("i-1")])
    assert reports.failing(reports.settled(again)) == ("i-1",)
    assert wanted(again, [Subscription()], INSTANCES).made_good == ()
    others = joined_summary([("t-1", "i-1", "bad"), ("t-2", "i-1", "ok")])
    assert reports.settled(others) is others


# What makes one failure the same as the next


def test_the_same_failure_has_the_same_cause_on_whatever_instances() -> None:
    one, two = summary_of(failed("i-1", "disk full")), summary_of(failed("i-2", "disk full"), succeeded("i-3"))
    assert reports.cause(one) == reports.cause(two)
    assert reports.cause(one) != reports.cause(summary_of(failed("i-1", "disk full", code=2)))
    assert reports.cause(one) != reports.cause(summary_of(failed("i-1", "no route")))
    assert reports.cause(summary_of(succeeded("i-1"))) == ""


def test_who_is_failing_by_id_and_by_name() -> None:
    summary = summary_of(*MIXED)
    assert reports.failing(summary) == ("i-1", "i-3")
    assert reports.failing_names(summary) == ("web-01", "db-01")


def test_when_a_run_that_never_began_ended_is_not_known() -> None:
    assert wanted(summary_of(never_ran("i-1")), [Subscription(longer_than=5)], {}).news is False
    late = failed("i-1", FinishedTime="2026-11-24T21:01:06Z")
    assert wanted(summary_of(late), [Subscription(longer_than=5)], {}).news is True
    beside = Subscription(longer_than=5, instances=("i-2",))
    assert wanted(summary_of(late, failed("i-2", FinishedTime="2026-11-24T21:01:02Z")), [beside], {}).news is False
