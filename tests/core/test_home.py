"""What App Home shows. Golden views stand in golden/home/: `pytest --rewrite-golden` writes them anew, to be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import home
from bot.core.blocks import Message
from bot.core.home import Page, Run, Snapshot
from bot.core.open_work import OnIt, Watched
from bot.core.texts import speaking
from bot.languages import LANGUAGES, catalogue
from core.samples import HOSTILE, NOW, RUN, AsGolden, failed, invocation, row, running, shown, succeeded
from sandbox.block_kit import pings, view_problems

GOLDEN = Path(__file__).parent / "golden" / "home"
STAMP = int(NOW.timestamp())
LINK = "https://acme.slack.com/archives/C0INCIDENT/p1764018300000100"
EMPTY = Page(Snapshot(), NOW, ("cn-hangzhou", "cn-hongkong"))


def newest() -> list[Any]:
    """A failed run, one that is going on and has failures, one that went well, and a schedule that fails."""
    going = [failed("i-1"), succeeded("i-2"), running("i-3"), running("i-4")]
    nightly = [failed("i-1", ExitCode=2)]
    return [
        invocation([failed("i-1"), succeeded("i-2")]),
        invocation(going, InvokeId="t-hz0going01", CommandName="patch-kernel", InvocationStatus="Running"),
        invocation([succeeded("i-1")], InvokeId="t-hz0fine001"),
        invocation(
            nightly,
            InvokeId="t-hz0nightly",
            CommandName="check-disks",
            RepeatMode="Period",
            Frequency="rate(5m)",
            InvocationStatus="Scheduled",
            CreationTime="2026-01-01T00:00:00Z",
        ),
    ]


def whole() -> Page:
    snapshot = Snapshot(home.runs_of(newest(), NOW), STAMP - 42, STAMP - 42.0)
    return replace(
        EMPTY,
        snapshot=snapshot,
        on_it={RUN: OnIt("U1", "mei", STAMP - 300, "C0INCIDENT", "1764018300.000100", LINK)},
        watches=[Watched("t-hz0going01", "2 of 4 done, 1 failed: patch-kernel", STAMP - 540, STAMP + 8, LINK)],
        all_known=True,
        reading=True,
    )


def quiet() -> Page:
    return replace(EMPTY, snapshot=Snapshot((), STAMP - 6, STAMP - 6.0), all_known=True)


def troubled() -> Page:
    """Old data, a cloud that does not answer, a store that is one function instance's own."""
    page = whole()
    kept = replace(page.snapshot, trouble="Alibaba Cloud gave no usable answer to DescribeInvocations in cn-hangzhou.")
    silent = Watched("t-hz0going01", "", STAMP - 540, STAMP - 300)
    return replace(page, snapshot=kept, on_it={}, watches=[silent], all_known=False, notes=("There may be more.",))


VIEWS: dict[str, Callable[[], Page]] = {
    "first": lambda: replace(EMPTY, reading=True),
    "quiet": quiet,
    "troubled": troubled,
    "whole": whole,
}


def refused(view: home.View) -> list[str]:
    return [*view_problems(view), *(f"rings: {token}" for token in pings(view))]


def told(view: home.View) -> str:
    return shown(Message("", tuple(view["blocks"])))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", VIEWS)
def test_golden(name: str, language: str, as_golden: AsGolden) -> None:
    with speaking(catalogue(language)):
        view = home.view(VIEWS[name]())
    assert refused(view) == []
    as_golden(GOLDEN, language, name, view)


def test_failures_come_before_runs_going_on_and_those_before_watches() -> None:
    titles = [block["text"]["text"] for block in home.view(whole())["blocks"] if block["type"] == "header"]
    assert titles == [
        "✖ 3 runs failed, 1 going on",
        "Failed in the last 3 days",
        "Going on",
        "Your watches",
        "How to ask",
    ]


def test_a_run_that_went_well_is_not_told() -> None:
    assert [run.id for run in home.runs_of(newest(), NOW)] == ["t-hz0nightly", RUN, "t-hz0going01"]


def test_a_schedule_is_never_going_on_and_counts_by_its_last_run() -> None:
    [schedule] = home.runs_of(newest()[3:], NOW)
    assert schedule.progress == ""
    assert (schedule.failed, schedule.what) == (
        "1 of 1 failed",
        "check-disks · schedule active, every 5 min, last run failed",
    )
    assert schedule.when == STAMP - 480


def test_an_old_failure_is_not_recent_and_one_without_a_time_is_taken_for_new() -> None:
    old = invocation([failed("i-1")])
    assert home.runs_of([old], NOW + timedelta(days=4)) == ()
    [run] = home.runs_of([replace(old, created=None)], NOW)
    assert (run.when, run.failed) == (0, "1 of 1 failed")


def test_of_a_region_that_did_not_answer_what_was_known_stays() -> None:
    old = (Run("t-1", "cn-hangzhou", "a", 1, "1 of 1 failed"), Run("t-2", "cn-hongkong", "b", 2, "1 of 1 failed"))
    new = (Run("t-3", "cn-hangzhou", "c", 3, "1 of 1 failed"),)
    assert [run.id for run in home.merged(new, old, {"cn-hongkong"})] == ["t-3", "t-2"]
    assert [run.id for run in home.merged(new, old, set())] == ["t-3"]


def test_who_is_on_it_stands_beside_the_failure_with_the_way_there() -> None:
    text = told(home.view(whole()))
    assert "On it: mei since " in text
    assert text.count("nobody is on it") == 2
    assert text.count("open the message") == 2


def test_nobody_is_on_it_is_said_only_where_that_is_known() -> None:
    assert "nobody is on it" not in told(home.view(troubled()))


def test_a_watch_whose_look_is_overdue_says_how_to_revive_it() -> None:
    text = told(home.view(troubled()))
    assert "no answer at the last look: t-hz0going01" in text
    assert "Its last look is overdue" in text
    assert "Its last look is overdue" not in told(home.view(whole()))


def test_what_does_not_fit_is_counted() -> None:
    many = [
        invocation([failed("i-1"), running("i-2")], InvokeId=f"t-{n:03}", InvocationStatus="Running")
        for n in range(200)
    ]
    snapshot = Snapshot(home.runs_of(many, NOW), STAMP, STAMP)
    assert len(snapshot.runs) == home.MOST_KEPT
    watches = [Watched(f"t-{n}", "1 of 2 done", STAMP, STAMP) for n in range(30)]
    view = home.view(replace(EMPTY, snapshot=snapshot, watches=watches))
    assert refused(view) == []
    assert len(view["blocks"]) < 50
    assert "and 40 more; ask for: failed" in told(view)
    assert "and 20 more" in told(view)


def test_a_refusal_is_one_sentence() -> None:
    view = home.refused("Guests cannot see <!channel>.")
    assert refused(view) == []
    assert told(view) == "Guests cannot see &lt;!channel&gt;."


words = st.text(max_size=200) | st.sampled_from(HOSTILE) | st.just("x" * 5_000)


@given(words, words, words, st.integers(0, 40), st.booleans())
def test_whatever_the_names_are_slack_takes_the_page_and_nobody_is_rung(
    name: str, person: str, region: str, count: int, reading: bool
) -> None:
    runs = [
        invocation([row("i-1", "Failed", ExitCode=1), running("i-2")], region, InvokeId=f"t-{n}", CommandName=name)
        for n in range(count)
    ]
    view = home.view(
        Page(
            Snapshot(home.runs_of(runs, NOW), STAMP, STAMP, "no answer &amp; more " * 100),
            NOW,
            (region,) * 3,
            {f"t-{n}": OnIt("U1", person, STAMP, link=LINK) for n in range(count)},
            [Watched(name, person, STAMP, STAMP, LINK)] * count,
            notes=(person,) if person else (),
            reading=reading,
        )
    )
    assert refused(view) == []
