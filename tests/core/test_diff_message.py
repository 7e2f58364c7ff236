"""How a comparison reads. Golden messages stand in golden/: `pytest --rewrite-golden` writes them anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import blocks as b
from bot.core import diff_message, messages
from bot.core.blocks import Message
from bot.core.differences import Compared, of_schedule
from bot.core.summary import summarise
from bot.core.texts import speaking
from bot.languages import LANGUAGES, catalogue
from core.samples import (
    FRAME,
    HOSTILE,
    AsGolden,
    failed,
    invocation,
    payload,
    refused,
    results_of,
    row,
    running,
    shown,
    succeeded,
)
from core.test_differences import BEFORE, LAST, NOW, compared, of, repeat

GOLDEN = Path(__file__).parent / "golden" / "diff"


def message(*told: Compared) -> Message:
    return diff_message.message(told, summarise([one.run for one in told], [], {}), FRAME)


def everything() -> Message:
    full = "unpacking release 4.12.0\ntar: /var/www/app: No space left on device"
    fine = "unpacking release {}\nrelease {} active"
    return message(
        compared(
            of(
                NOW,
                *(failed(f"web-0{n}", full) for n in range(1, 4)),
                *(succeeded(f"web-{n}", fine.format("4.12.0", "4.12.0")) for n in range(10, 40)),
                running("web-40"),
                succeeded("web-41", "new here"),
            ),
            of(
                LAST,
                *(failed(f"web-0{n}", full) for n in range(2, 4)),
                succeeded("web-01", fine.format("4.11.9", "4.11.9")),
                failed("web-10", "lock held by 4182", code=75),
                *(succeeded(f"web-{n}", fine.format("4.11.9", "4.11.9")) for n in range(11, 30)),
                *(succeeded(f"web-{n}", fine.format("4.12.0", "4.12.0")) for n in range(30, 40)),
                succeeded("web-50", fine.format("4.11.9", "4.11.9")),
            ),
            of(BEFORE, failed("web-02", full), succeeded("web-03", "")),
        )
    )


def several() -> Message:
    again = compared(of(NOW, succeeded("web-01", "a")), of(LAST, succeeded("web-01", "a")))
    alone = compared(of(BEFORE, failed("api-01", "b")))
    rows = [repeat("db-01", n, code, "lag") for n, code in ((1, 0), (2, 2), (3, 2))]
    schedule = of_schedule(invocation(rows[-1:], RepeatMode="Period"), results_of(rows), {}, complete=True)
    return message(again, alone, schedule)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("name", "made"), [("diff", everything), ("diff_several", several)])
def test_golden(name: str, made: Any, language: str, as_golden: AsGolden) -> None:
    with speaking(catalogue(language)):
        told = made()
    assert refused(told) == []
    as_golden(GOLDEN, language, name, payload(told))


def test_line_one_has_what_matters_most_and_the_rest_stands_below() -> None:
    told = everything()
    assert told.text.startswith("1 newly failing, 2 still failing, 1 newly fixed: deploy-web, cn-hangzhou.\n")
    assert (
        "19 with other output · 1 not run this time · 1 without an earlier run · 1 not ended · 10 as before"
        in shown(told)
    )
    assert "2 still failing" not in shown(told).split("\n")[1]


def test_nothing_changed() -> None:
    told = message(compared(of(NOW, succeeded("web-01", "a")), of(LAST, succeeded("web-01", "a"))))
    assert told.text.startswith("Nothing changed since the last run: deploy-web, cn-hangzhou.")
    assert "✓ Nothing changed" in shown(told)
    assert "1 as before" in shown(told)


def test_what_cannot_be_seen_in_a_diff_is_said() -> None:
    now, last = "password=hunter2new", "password=hunter2old"
    told = message(compared(of(NOW, failed("web-01", now)), of(LAST, succeeded("web-01", last))))
    assert "the outputs differ only in what is masked" in shown(told)
    assert "hunter2" not in str(payload(told))
    told = message(compared(of(NOW, failed("web-01", "a", Dropped=900)), of(LAST, succeeded("web-01", "b"))))
    assert "bytes are missing from an output" in shown(told)
    told = message(compared(of(NOW, failed("web-01", "a")), of(LAST, succeeded("web-01", "a"))))
    assert "output as before" in shown(told)


def test_of_many_runs_the_first_five_are_told_and_the_others_counted() -> None:
    one = compared(of(NOW, failed("web-01", "b")), of(LAST, succeeded("web-01", "a")))
    told = message(*[one] * 7)
    assert "2 more runs: 2 newly failing" in shown(told)
    assert refused(told) == []


def test_what_does_not_fit_is_cut_shorter_and_counted() -> None:
    def many(changes: int) -> Compared:
        names = [f"{n:02}-{'name' * 12}" for n in range(changes)]
        now = [failed(one, f"{one}\n{'x' * 300}") for one in names]
        return compared(of(NOW, *now), of(LAST, *(succeeded(one, one[:2]) for one in names)))

    for changes, runs in ((6, 1), (40, 1), (40, 7)):
        told = message(*[many(changes)] * runs)
        assert refused(told) == []
        assert b.size(told.blocks) <= 4_000
    assert "more changes, 40 instances" in shown(told)
    runs = [many(40)] * 7
    noted = replace(FRAME, notes=("Outputs of some runs are missing. " * 12,))
    told = diff_message.message(runs, summarise([one.run for one in runs], [], {}), noted)
    assert refused(told) == []
    assert b.size(told.blocks) <= 4_000


def test_in_a_first_run_and_in_a_schedule_without_a_repeat_there_is_nothing_to_compare() -> None:
    run = invocation([row("db-01")], RepeatMode="Period")
    told = message(of_schedule(run, results_of([row("db-01")]), {}, complete=True))
    assert "has no repeat before" in shown(told)


ends = st.sampled_from([failed, succeeded])
texts = st.sampled_from(HOSTILE) | st.text(max_size=200) | st.text(max_size=3).map(lambda one: one * 900)


@settings(max_examples=40)
@given(st.lists(st.tuples(ends, ends, texts, texts, st.sampled_from(HOSTILE)), min_size=1, max_size=30))
def test_slack_takes_it_whatever_is_compared(drawn: list[tuple[Any, Any, str, str, str]]) -> None:
    now = [made(f"i-{n}{name}", output) for n, (made, _, output, _, name) in enumerate(drawn)]
    last = [made(f"i-{n}{name}", output) for n, (_, made, _, output, name) in enumerate(drawn)]
    told = message(compared(of(NOW, *now), of(LAST, *last)))
    assert refused(told) == []
    assert b.width(told.text.split("\n")[0]) <= messages.MOST_LINE + 40  # escaped
    assert b.width(told.text) <= b.MOST_TEXT
    assert len(told.blocks) <= 15
