"""The modal of outputs: valid whatever is in it, and no character of an output is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.core import outputs
from bot.core.outputs import BadPattern, State, view
from bot.core.summary import Summary
from bot.core.whole_outputs import whole_text
from core.samples import HOSTILE, failed, succeeded, summary_of
from sandbox.block_kit import pings, view_problems

STATE = State("handle", channel="C1", thread="1.2")
FLEET = [failed("i-1", "disk full\ngave up"), *(succeeded(f"i-{n}", "ready\nsteady\ngo") for n in range(2, 5))]


def containing(text: str) -> Callable[[str], bool]:
    return lambda line: text in line


def bad(text: str) -> Callable[[str], bool]:
    raise BadPattern("That is no regular expression: <missing )>.")


def bad_at_the_first_line(text: str) -> Callable[[str], bool]:
    def test(line: str) -> bool:
        return bad(line)(line)

    return test


def refused(shown: dict[str, Any]) -> list[str]:
    return [*view_problems(shown), *pings(shown)]


def of(shown: dict[str, Any], action_id: str) -> dict[str, Any] | None:
    elements = [one for block in shown["blocks"] for one in [*block.get("elements", []), block.get("element", {})]]
    return next((one for one in elements if one.get("action_id") == action_id), None)


def output(shown: dict[str, Any]) -> str:
    (text,) = (block["elements"][0]["elements"][0]["text"] for block in shown["blocks"] if block["type"] == "rich_text")
    return str(text)


def texts_below(shown: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines under the output."""
    (lines,) = (block["elements"][1:] for block in shown["blocks"] if block["type"] == "rich_text")
    return list(lines)


def small_print(shown: dict[str, Any]) -> list[str]:
    return [block["elements"][0]["text"] for block in shown["blocks"] if block["type"] == "context"]


def menu(shown: dict[str, Any]) -> dict[str, Any]:
    found = of(shown, outputs.PICK)
    assert found
    return found


def texts_of(shown: dict[str, Any]) -> dict[str, str]:
    return {one["value"]: one["text"]["text"] for one in menu(shown)["options"]}


def test_a_state_comes_back_as_it_was() -> None:
    state = State("handle", "g3", "/дис[ck]/", 7, "C1", "1.2", "3.4")
    assert State.unpacked(state.packed()) == state


def test_a_state_of_an_older_modal_is_still_read() -> None:
    assert State.unpacked('["handle","g3","",7,"C1","1.2"]') == State("handle", "g3", "", 7, "C1", "1.2")


def test_a_group_with_several_addresses_names_one_and_whose_it_is() -> None:
    rows = [failed(f"i-{n}", "full", OssOutputUri=f"oss://logs/{n}.txt") for n in (1, 2, 3)]
    shown = view(summary_of(rows), STATE, containing)
    (line,) = texts_below(shown)
    told = [part["text"] for part in line["elements"]]
    assert told == ["Whole output of i-1 in OSS: ", "oss://logs/1.txt", "; the file names the other 2"]
    assert refused(shown) == []
    picked = view(summary_of(rows), State("handle", "t-hz0jdfwd9f/i-2"), containing)
    assert [part["text"] for part in texts_below(picked)[0]["elements"]] == [
        "Whole output in OSS: ",
        "oss://logs/2.txt",
    ]


def test_the_first_group_is_shown_at_first() -> None:
    shown = view(summary_of(FLEET), STATE, containing)
    assert refused(shown) == []
    assert output(shown) == "disk full\ngave up"
    assert small_print(shown) == ["i-1   cn-hangzhou · 2 lines"]
    assert State.unpacked(shown["private_metadata"]) == STATE
    assert of(shown, outputs.FILTER) == {
        "type": "plain_text_input",
        "action_id": outputs.FILTER,
        "max_length": 200,
        "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
    }


def test_groups_and_the_instances_of_large_ones_can_be_picked() -> None:
    shown = view(summary_of(FLEET, {"i-3": "web-03"}), STATE, containing)
    assert texts_of(shown) == {
        "g0": "1 failed: no space left, exit code 1",
        "g1": "3 exit code 0",
        "t-hz0jdfwd9f/i-2": "i-2",
        "t-hz0jdfwd9f/i-3": "web-03",
        "t-hz0jdfwd9f/i-4": "i-4",
    }


@pytest.mark.parametrize(
    ("picked", "expected", "about"),
    [
        ("g1", "ready\nsteady\ngo", "i-2, i-3, i-4   cn-hangzhou · 3 lines"),
        ("t-hz0jdfwd9f/i-4", "ready\nsteady\ngo", "i-4 · 3 lines"),
    ],
)
def test_what_is_picked_is_shown(picked: str, expected: str, about: str) -> None:
    shown = view(summary_of(FLEET), State("handle", picked), containing)
    assert (output(shown), small_print(shown)) == (expected, [about])
    assert menu(shown)["initial_option"]["value"] == picked


@pytest.mark.parametrize("picked", ["g99", "t-gone/i-gone", "", "x" * 5_000])
def test_what_was_picked_may_be_gone(picked: str) -> None:
    shown = view(summary_of(FLEET), State("handle", picked, page=-3), containing)
    assert refused(shown) == []
    assert State.unpacked(shown["private_metadata"]) == State("handle")
    assert menu(shown)["initial_option"]["value"] == "g0"


def test_a_summary_without_results_says_so() -> None:
    shown = view(summary_of([]), STATE, containing)
    assert refused(shown) == []
    assert "no results yet" in shown["blocks"][0]["text"]["text"]


def test_five_hundred_groups_fill_the_menu_and_the_rest_is_counted() -> None:
    summary = summary_of([failed(f"i-{n:03}", f"reason {n}") for n in range(500)])
    first, late = view(summary, STATE, containing), view(summary, State("handle", "g321"), containing)
    assert refused(first) == refused(late) == []
    assert list(texts_of(first)) == [f"g{n}" for n in range(100)]
    assert list(texts_of(late)) == [*(f"g{n}" for n in range(99)), "g321"]
    assert output(late) == "reason 321"
    assert "no room for 400 more" in small_print(first)[0]


def test_a_large_fleet_with_one_long_output_is_a_view_that_slack_takes() -> None:
    summary = summary_of([succeeded(f"i-{n:04}", "well\n" * 4_000) for n in range(1_000)])
    assert refused(view(summary, STATE, containing)) == []


def test_only_lines_that_match_are_shown() -> None:
    shown = view(summary_of(FLEET), State("handle", "g1", "ea"), containing)
    assert refused(shown) == []
    assert output(shown) == "ready\nsteady"
    assert small_print(shown)[-1].endswith("2 of 3 lines")
    found = of(shown, outputs.FILTER)
    assert found
    assert found["initial_value"] == "ea"


def test_no_line_that_matches_is_said() -> None:
    shown = view(summary_of(FLEET), State("handle", filter="nowhere"), containing)
    assert output(shown) == "(no line matches)"
    assert small_print(shown)[-1].endswith("0 of 2 lines")


@pytest.mark.parametrize("matches", [bad, bad_at_the_first_line])
def test_a_filter_that_cannot_be_used_is_explained_and_all_lines_stay(matches: Callable[[str], Any]) -> None:
    shown = view(summary_of(FLEET), State("handle", filter="/(/"), matches)
    assert refused(shown) == []
    assert small_print(shown)[0] == "That is no regular expression: &lt;missing )&gt;."
    assert output(shown) == "disk full\ngave up"


def test_a_filter_is_not_longer_than_what_can_be_typed() -> None:
    shown = view(summary_of(FLEET), State("handle", filter="e" * 4_000), containing)
    assert refused(shown) == []
    assert State.unpacked(shown["private_metadata"]).filter == "e" * 200


@pytest.mark.parametrize(("text", "wanted"), [("", ""), ("", "x")])
def test_no_output_is_said(text: str, wanted: str) -> None:
    shown = view(summary_of([failed("i-1", text)]), State("handle", filter=wanted), containing)
    assert output(shown) == "(no output)"
    assert small_print(shown)[-1].endswith("0 lines")


def test_secrets_are_masked_and_that_is_said() -> None:
    shown = view(
        summary_of([failed("i-1", "password=hunter2", Dropped=7, OssOutputUri="oss://a/b")]), STATE, containing
    )
    assert output(shown) == "password=[masked]"
    notes, address = (one["elements"] for one in texts_below(shown))
    missing = "7 bytes are missing from this output; Cloud Assistant does not say where"
    assert notes[0]["text"] == f"{missing} · 1 secret masked"
    assert [part["text"] for part in address] == ["Whole output in OSS: ", "oss://a/b"]
    assert address[1]["style"] == {"code": True}


def test_what_the_outputs_of_a_group_differ_in_is_said() -> None:
    summary = summary_of([failed(f"i-{n}", f"pid {n}0 gone") for n in (1, 2)])
    [note] = (one["elements"][0]["text"] for one in texts_below(view(summary, STATE, containing)))
    assert note == "differs in: pid"
    own = view(summary, State("handle", "t-hz0jdfwd9f/i-2"), containing)
    assert (output(own), small_print(own)) == ("pid 20 gone", ["i-2 · 1 line"])
    assert "differs in: pid" in whole_text(summary)


def test_a_revealed_secret_says_so() -> None:
    summary = summary_of([failed("i-1", "password=hunter2")])
    before = of(view(summary, STATE, containing, operator=True), outputs.REVEAL)
    assert before
    assert before["accessibility_label"] == "Show masked: 1 secret, to me alone; it is logged"
    shown = view(summary, State("handle", revealed=True), containing, operator=True)
    assert output(shown) == "password=hunter2"
    assert "to you alone" in small_print(shown)[-1]
    assert of(shown, outputs.HIDE)
    assert refused(shown) == []


def turned(summary: Summary) -> list[dict[str, Any]]:
    """Every page, as a person turns them."""
    state, shown = STATE, []
    while True:
        shown.append(view(summary, state, containing))
        if not of(shown[-1], outputs.NEXT):
            return shown
        at = State.unpacked(shown[-1]["private_metadata"])
        state = State(at.handle, at.picked, at.filter, at.page + 1)


def lost(text: str, shown: list[str]) -> bool:
    """Whether pages, one after another, are not the text; the end of a page may stand for the end of a line."""
    at = 0
    for page in shown:
        if not text.startswith(page, at):
            return True
        at += len(page)
        at += text[at : at + 1] == "\n"
    return at < len(text)


lines = st.lists(
    st.integers(0, 9).map("line {}".format) | st.sampled_from(["", "y" * 2_899, "x" * 7_000, "漢😀" * 2_500])
)


@settings(max_examples=15)
@given(lines)
@example(["x" * 2_900, "", "y" * 2_900])
@example(["", "x" * 9_000])
@example(["x" * 2_899, "", "", "z"])
def test_pages_lose_no_character(found: list[str]) -> None:
    summary = summary_of([failed("i-1", "\n".join(found))])
    shown = turned(summary)
    assert [problem for one in shown for problem in refused(one)] == []
    text = summary.groups[0].output.text
    assert not lost(text, [output(one) for one in shown if text])


def test_pages_end_with_whole_lines() -> None:
    shown = turned(summary_of([failed("i-1", "\n".join(f"this is line {n:04}" for n in range(400)))]))
    assert len(shown) == 3
    assert all(output(one).split("\n")[-1].startswith("this is line ") for one in shown)
    assert small_print(shown[1])[-1].endswith("400 lines · page 2 of 3")
    labels = [of(shown[1], which) for which in (outputs.PREVIOUS, outputs.NEXT, outputs.AS_FILE)]
    assert [one and one["accessibility_label"] for one in labels] == [
        "Previous page, 1 of 3",
        "Next page, 3 of 3",
        "All outputs as a file in the thread",
    ]
    assert of(shown[0], outputs.PREVIOUS) is None


def test_a_page_of_blank_lines_is_no_empty_output() -> None:
    shown = turned(summary_of([failed("i-1", "a\n" + "\n" * 6_000 + "b")]))
    assert [output(one) for one in shown[1:]] == ["(only blank lines)", "\n" * 200 + "b"]


def test_a_page_that_is_gone_is_the_last_one() -> None:
    shown = view(summary_of([failed("i-1", "x" * 3_000)]), State("handle", page=50), containing)
    assert output(shown) == "x" * 100
    assert State.unpacked(shown["private_metadata"]).page == 1


@pytest.mark.parametrize("handle", ["x" * 3_000, "😀" * 1_500, '"' * 1_600])
def test_a_question_too_long_to_page_is_said_and_the_beginning_shown(handle: str) -> None:
    shown = view(summary_of([failed("i-1", "x" * 3_000)]), State(handle), containing)
    assert refused(shown) == []
    assert "too long to page" in small_print(shown)[0]
    assert output(shown) == "x" * 2_900
    assert shown["private_metadata"] == ""
    assert [block["type"] for block in shown["blocks"]] == ["context", "rich_text", "context"]


def test_a_question_that_buttons_carry_can_be_paged() -> None:
    """Also in other scripts, and with the longest filter."""
    shown = view(summary_of(FLEET), State("漢" * 2_000, filter="漢" * 200), containing)
    assert of(shown, outputs.AS_FILE)
    assert refused(shown) == []


@pytest.mark.parametrize("over", [0, 1])
def test_the_limit_of_what_a_modal_carries_is_exact(over: int) -> None:
    empty = len(State("").packed())
    shown = view(summary_of(FLEET), State("x" * (outputs.MOST_METADATA - empty + over)), containing)
    assert len(shown["private_metadata"]) == (0 if over else outputs.MOST_METADATA)


def test_ids_longer_than_an_option_takes_can_be_picked() -> None:
    summary = summary_of([failed("i-" + "x" * 400), failed("i-" + "y" * 400)])
    shown = view(summary, State("handle", [*texts_of(view(summary, STATE, containing))][-1]), containing)
    assert refused(shown) == []
    assert menu(shown)["initial_option"]["value"].startswith("t-hz0jdfwd9f/i-yyy")


any_text = st.text(max_size=60) | st.sampled_from(HOSTILE) | st.sampled_from(HOSTILE).map(lambda text: text * 60)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(any_text, any_text, any_text), max_size=6),
    any_text,
    any_text,
    any_text,
    st.integers(-2, 9),
)
def test_slack_takes_it_whatever_is_in_it(
    found: list[tuple[str, str, str]], handle: str, picked: str, wanted: str, page: int
) -> None:
    rows = [make(one, text, ErrorCode=one) for one, _, text in found for make in (failed, succeeded)]
    summary = summary_of(rows, {one: name for one, name, _ in found}, InvokeId="t-hz0jdfwd9f")
    keys = ["g0", *texts_of(view(summary, STATE, containing))] if rows else [picked]
    for key in {picked, *keys}:
        shown = view(summary, State(handle, key, wanted, page), containing)
        assert refused(shown) == []
        assert len(shown["private_metadata"]) <= outputs.MOST_METADATA
