"""Which runs share a message, when channels are told, and what of a run each channel is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import reports
from bot.core.model import Instance
from bot.core.reports import BADLY, GOING, WELL, Report, Run, after_look, joined, wanted
from bot.core.subscriptions import Subscription
from bot.core.summary import BAD, Bucket, summarise
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


rows = st.lists(
    st.tuples(st.sampled_from(sorted(INSTANCES)), st.sampled_from(["ok", "bad", "never", "late"])),
    unique_by=lambda pair: pair[0],
)
MAKE = {"ok": succeeded, "bad": failed, "never": never_ran, "late": lambda one: row(one, "Timeout")}
some_subscriptions = st.lists(
    st.builds(
        Subscription,
        everything=st.booleans(),
        instances=st.sampled_from([(), ("web-*",), ("db-*",), ("i-1",)]),
        tags=st.sampled_from([(), (("team", "web"),)]),
        buckets=st.sampled_from([(), ("failed",), ("never-ran", "timed-out")]),
        at_least=st.sampled_from(["", "2", "50%"]),
    ),
    max_size=3,
)


@given(rows, some_subscriptions)
def test_what_every_filter_excludes_is_never_shown(pairs, subscriptions) -> None:
    through = wanted(summary_of(*(MAKE[kind](one) for one, kind in pairs)), subscriptions, INSTANCES)
    buckets = {"failed": Bucket.FAILED, "timed-out": Bucket.TIMED_OUT, "never-ran": Bucket.NEVER_RAN}
    for group in through.summary.groups:
        for shown in group.rows:
            instance = INSTANCES[shown.result.instance_id]
            assert any(
                one.of_instance(instance.id, instance.name, instance.tags)
                and (shown.bucket not in BAD or not one.buckets or shown.bucket in [buckets[b] for b in one.buckets])
                for one in subscriptions
            )
    if through.news:
        assert through.summary.total


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
    summary = summary_of(never_ran("i-1"))
    assert wanted(replace(summary, began=None), [Subscription(longer_than=5)], {}).news is False
    late = replace(summary, began=NOW, ended=NOW + timedelta(seconds=6))
    assert wanted(late, [Subscription(longer_than=5)], {}).news is True
