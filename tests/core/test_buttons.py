"""What can be pressed under an answer: within Slack's limits, and each with the question in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import buttons
from bot.core.buttons import Pressable, actions
from bot.core.modal import OUTPUTS
from core.samples import HOSTILE
from sandbox.block_kit import problems

VALUE = "x" * 60
CONSOLE = "https://ecs.console.aliyun.com/cloud-assistant/region/cn-hangzhou"


def elements(on: Pressable) -> list[dict[str, Any]]:
    (block,) = actions(on)
    return list(block["elements"])


def texts(on: Pressable) -> list[str]:
    return [one["text"]["text"] for one in elements(on) if one["type"] == "button"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({}, ["I'm on it", "Outputs", "Refresh"]),
        ({"failed": True, "going": True}, ["I'm on it", "Outputs", "Copy failed ids", "Refresh", "Watch"]),
        ({"failed": True, "console_url": CONSOLE}, ["I'm on it", "Outputs", "Copy failed ids", "Refresh", "Console"]),
        ({"going": True, "console_url": CONSOLE}, ["I'm on it", "Outputs", "Refresh", "Watch"]),
        ({"taken": True, "outputs": False}, ["Let go", "Refresh"]),
        ({"takeable": False, "outputs": False}, ["Refresh"]),
        (
            {"takeable": False, "file": True, "console_url": CONSOLE},
            ["Outputs", "As file", "Refresh", "Console"],
        ),
        ({"console_url": f"{CONSOLE}?{'x' * 3_000}"}, ["I'm on it", "Outputs", "Refresh"]),
    ],
)
def test_which_buttons_there_are(state: dict[str, Any], expected: list[str]) -> None:
    assert texts(Pressable(VALUE, "deploy-web", **state)) == expected


def test_each_button_carries_the_question_and_says_what_it_acts_on() -> None:
    shown = elements(Pressable(VALUE, "deploy-web", failed=True, console_url=CONSOLE))
    ids = [one["action_id"] for one in shown]
    assert ids == [buttons.ON_IT, OUTPUTS, buttons.COPY, buttons.REFRESH, buttons.CONSOLE, buttons.MORE]
    assert {one["value"] for one in shown[:-1]} == {VALUE}
    assert shown[1]["accessibility_label"] == "Outputs: deploy-web"
    assert shown[4]["url"] == CONSOLE


@pytest.mark.parametrize(("private", "act"), [(True, buttons.SHARE), (False, buttons.TAKE_BACK)])
def test_the_menu_shares_or_takes_back_and_its_question_is_the_block_id(private: bool, act: str) -> None:
    (block,) = actions(Pressable(VALUE, "deploy-web", private=private))
    assert [option["value"] for option in block["elements"][-1]["options"]] == [act]
    assert block["block_id"] == VALUE


def test_runs_can_be_compared_from_the_menu() -> None:
    (block,) = actions(Pressable(VALUE, "deploy-web", diff=True))
    options = block["elements"][-1]["options"]
    assert [option["text"]["text"] for option in options] == ["Diff with last run", "Take back"]
    assert [option["value"] for option in options] == [buttons.DIFF, buttons.TAKE_BACK]


def test_a_notice_can_be_muted_from_its_menu() -> None:
    (block,) = actions(Pressable(VALUE, "deploy-web", notice=True))
    options = block["elements"][-1]["options"]
    assert [option["value"] for option in options] == [buttons.TAKE_BACK, buttons.MUTE_HOUR, buttons.MUTE_NIGHT]
    assert problems([block]) == []


@pytest.mark.parametrize(("value", "menus"), [("x" * 255, 1), ("x" * 256, 0), ("😀" * 128, 0)])
def test_a_question_too_long_for_a_block_id_has_no_menu(value: str, menus: int) -> None:
    (block,) = actions(Pressable(value, "deploy-web"))
    assert [one["type"] for one in block["elements"]].count("overflow") == menus
    assert ("block_id" in block) == bool(menus)


@pytest.mark.parametrize(("value", "blocks"), [("x" * 2_000, 1), ("x" * 2_001, 0), ("😀" * 1_001, 0)])
def test_a_question_too_long_to_be_carried_has_no_buttons(value: str, blocks: int) -> None:
    assert len(actions(Pressable(value, "deploy-web"))) == blocks


def test_a_watch_has_one_button_that_looks_again() -> None:
    (block,) = buttons.look(VALUE, "deploy-web")
    (button,) = block["elements"]
    assert (button["action_id"], button["value"]) == (buttons.LOOK, VALUE)
    assert button["accessibility_label"] == "Refresh: deploy-web"
    assert buttons.look("x" * 2_001, "deploy-web") == []


@settings(max_examples=50)
@given(
    st.text(min_size=20, max_size=20)
    | st.text(st.characters(), min_size=1).map(lambda text: text * (2_100 // len(text))),
    st.text() | st.sampled_from(HOSTILE).map(lambda text: text * 9),
    st.lists(st.booleans(), min_size=9, max_size=9),
    st.sampled_from(["", CONSOLE, CONSOLE * 100]),
)
def test_slack_takes_them_whatever_they_act_on(value: str, subject: str, flags: list[bool], url: str) -> None:
    blocks = actions(Pressable(value, subject, *flags, console_url=url))
    assert problems(blocks) == []
    for block in blocks:
        kinds = [one["type"] for one in block["elements"]]
        assert kinds.count("button") <= 5
        assert kinds.count("overflow") <= 1
        assert all(1 <= len(one["accessibility_label"]) <= 75 for one in block["elements"] if one["type"] == "button")


def test_the_menu_of_a_notice_is_left_out_where_it_cannot_carry_what_it_mutes() -> None:
    [menu] = buttons.notice_menu("x" * 255)
    assert problems([menu]) == []
    assert [one["value"] for one in menu["elements"][0]["options"]] == ["take_back", "mute_hour", "mute_night"]
    assert buttons.notice_menu("x" * 256) == []
