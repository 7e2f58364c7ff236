"""Whole outputs as a message and as a file: valid whatever is in them, nothing left out unsaid."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import buttons
from bot.core.blocks import MOST_IN_ALL, Message, size
from bot.core.buttons import Pressable
from bot.core.summary import Summary
from bot.core.whole_outputs import message, whole_text
from core.samples import FRAME, HOSTILE, failed, refused, shown, succeeded, summary_of

FLEET = [failed("i-1", "disk full\ngave up"), *(succeeded(f"i-{n}", "ready\nsteady\ngo") for n in range(2, 5))]
BUTTONS = buttons.actions(Pressable("x" * 200, "deploy-web", takeable=False, file=True))


def told(summary: Summary) -> Message:
    return message(summary, "deploy-web", FRAME, BUTTONS)


def outputs_in(shown: Message) -> list[str]:
    """Everything preformatted, one text for each group."""
    return ["".join(_preformatted(block)) for block in shown.blocks if block["type"] == "rich_text"]


def _preformatted(block: dict[str, Any]) -> list[str]:
    return [one["elements"][0]["text"] + "\n" for one in block["elements"] if one["type"] == "rich_text_preformatted"]


def test_every_output_is_there_failures_first() -> None:
    answer = told(summary_of(FLEET))
    assert outputs_in(answer) == ["disk full\ngave up\n", "ready\nsteady\ngo\n"]
    assert answer.text.startswith("1 of 4 failed: outputs of deploy-web, cn-hangzhou.")
    assert "i-2, i-3, i-4   cn-hangzhou" in shown(answer)
    assert "asked by mei" in shown(answer)
    assert "room" not in shown(answer)
    assert answer.blocks[-1]["type"] == "actions"
    assert refused(answer) == []


def test_an_output_that_fits_is_whole_in_as_many_pieces_as_slack_wants() -> None:
    text = "\n".join(f"this is line {number:04}" for number in range(460))
    answer = told(summary_of([failed("i-1", text)]))
    assert outputs_in(answer) == [f"{text}\n"]
    assert len(_preformatted(answer.blocks[1])) == 3
    assert refused(answer) == []


def test_a_long_output_keeps_its_beginning_and_its_end_and_says_where_the_rest_is() -> None:
    text = "\n".join(f"this is line {number:04}" for number in range(2_000))
    answer = told(summary_of([failed("i-1", text)]))
    (seen,) = outputs_in(answer)
    assert seen.startswith("this is line 0000\n")
    assert seen.endswith("this is line 1999\n")
    assert "characters not shown" in seen
    assert "Outputs shows every line, As file brings the whole into the thread." in shown(answer)
    assert 8_000 < size(list(answer.blocks)) < MOST_IN_ALL
    assert refused(answer) == []


def test_what_a_short_output_leaves_the_others_get() -> None:
    answer = told(summary_of([failed("i-1", "x", code=2), failed("i-2", "y\n" * 9_000)]))
    short, long = outputs_in(answer)
    assert short == "x\n"
    assert len(long) > 8_000


def test_groups_beyond_ten_are_counted() -> None:
    answer = told(summary_of([failed(f"i-{number}", f"reason {number}") for number in range(13)]))
    assert len(outputs_in(answer)) == 10
    assert "3 more groups, 3 results, not shown here." in shown(answer)
    assert "Outputs shows every line" in shown(answer)


def test_secrets_are_masked_and_addresses_shown() -> None:
    answer = told(summary_of([failed("i-1", "password=hunter2", OssOutputUri="oss://logs/o.txt")]))
    assert outputs_in(answer) == ["password=[masked]\n"]
    assert "1 secret masked" in shown(answer)
    assert "oss://logs/o.txt" in shown(answer)


@settings(max_examples=40)
@given(
    st.lists(
        st.text(max_size=60)
        | st.sampled_from(HOSTILE).map(lambda text: text * 60)
        | st.sampled_from(["", "漢😀" * 9_000, "&<>" * 8_000, "😀\n" * 9_000, "x" * 24_000]),
        min_size=1,
        max_size=14,
    ),
    st.booleans(),
)
def test_slack_takes_it_whatever_is_in_it(found: list[str], by_run: bool) -> None:
    summary = summary_of([failed(f"i-{number}", text, OssOutputUri="oss://b/o") for number, text in enumerate(found)])
    answer = message(summary, "<!channel>", FRAME, BUTTONS, by_run=by_run)
    assert refused(answer) == []
    assert answer.blocks[-1] == BUTTONS[-1]


def test_the_file_has_every_output_in_full() -> None:
    rows = [*FLEET, failed("i-9", "x" * 20_000 + " password=hunter2", Dropped=12), failed("i-8")]
    text = whole_text(summary_of(rows))
    assert "== 1 failed: no space left, exit code 1\ni-1   cn-hangzhou\n\ndisk full\ngave up\n" in text
    assert "== 3 exit code 0\ni-2, i-3, i-4   cn-hangzhou\n\nready\nsteady\ngo\n" in text
    assert "x" * 20_000 + " password=[masked]\n" in text
    assert "12 bytes are missing from this output" in text
    assert "i-8   cn-hangzhou\n\n(no output)\n" in text


def test_the_file_of_no_results_is_not_empty() -> None:
    assert whole_text(summary_of([])) == "(no results yet)\n"


@pytest.mark.parametrize("number", [1, 2])
def test_the_file_names_the_address_of_each_output_in_oss(number: int) -> None:
    text = whole_text(summary_of([failed(f"i-{n}", "full", OssOutputUri=f"oss://logs/{n}.txt") for n in (1, 2)]))
    assert f"\nwhole output of i-{number} in OSS: oss://logs/{number}.txt\n" in text
