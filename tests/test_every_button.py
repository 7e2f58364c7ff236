"""Every button and every entry of a menu under every kind of answer, pressed through the real wire."""

from pathlib import Path

import pytest

from bot.core import buttons, outputs
from bot.core.modal import OUTPUTS
from rig import Peers, Rig, fleet
from sandbox.block_kit import message_problems, pings, view_problems
from sandbox.scenario import load, load_all
from sandbox.stage import REGIONS

GOLDEN = Path(__file__).parent / "core" / "golden"
ONE_FAILED, ONE_WELL = "t-hz0onefailed01", "t-hz0onewell0001"
QUIET = [{"StartTime": "-4m", "FinishedTime": "-3m", "ExitCode": 0, "Output": ""}]
SCENARIOS = [
    *load_all(),
    fleet(1, run=ONE_FAILED),
    fleet(1, run=ONE_WELL, InvocationResult=QUIET),
]

# What is typed to get a message of each golden kind, and of the kinds that have none.
QUESTIONS = {
    "120_results": load("mixed_120").ask,
    "all_well": load("all_fine").ask,
    "going": load("running_fleet").ask,
    "hostile": load("hostile").ask,
    "list": "",
    "on_an_instance": "web-01",
    "one_failed": ONE_FAILED,
    "one_well_without_output": ONE_WELL,
    "schedule": load("schedule").ask,
    "several": load("seven_of_240").ask,
    "watched": f"watch {load('running_fleet').ask}",
    "command": "c-hz0k3n8xw2bt7",
}
QUESTIONS |= {one.name: one.ask for one in load_all() if one.ask not in QUESTIONS.values()}


@pytest.fixture(scope="module")
def peers():
    with Peers(SCENARIOS) as peers:
        yield peers


@pytest.fixture
def rig(tmp_path, peers):
    peers.cloud.replay("running_fleet")
    with Rig(tmp_path, peers, environment={"BOT_REGIONS": REGIONS}) as rig:
        yield rig


def test_every_golden_message_is_asked_for():
    assert {path.stem for path in GOLDEN.glob("*.json")} <= QUESTIONS.keys()


def pressable(blocks):
    """Action id and value of all that can be pressed; of a menu each entry."""
    elements = []
    for block in blocks:
        elements += block["elements"] if block["type"] == "actions" else []
        elements += [block[key] for key in ("accessory", "element") if key in block]
    return [
        (element["action_id"], option and option["value"])
        for element in elements
        for option in element.get("options", [None])
    ]


def came_of(rig, shown, action_id, value):
    """Whether a press brought a message, changed or deleted one, showed another view, or sent a file."""
    before = standing(rig)
    rig.press(shown, action_id, value)
    return standing(rig) != before


def standing(rig):
    messages = [(message.ts, len(message.versions), message.deleted) for message in rig.said]
    return messages, [view.hash for view in views(rig)], len(rig.slack.workspace.files)


def views(rig):
    return list(rig.slack.workspace.views.values())


def what_slack_would_refuse(rig):
    contents = [{"text": one.text, "blocks": one.blocks} for one in rig.said if not (one.files or one.deleted)]
    found = [problem for content in contents for problem in message_problems(content)]
    found += [ping for content in contents for ping in pings(content) if not ping.startswith("<https://")]
    found += [problem for view in views(rig) for problem in view_problems(view.content)]
    return found + rig.slack.refused


@pytest.mark.parametrize("kind", [*QUESTIONS, "going private", "list private", "several private"])
def test_every_button_does_what_slack_takes(rig, kind):
    kind, _, private = kind.partition(" ")
    assert rig.work(rig.command(f"{QUESTIONS[kind]} {private}"))
    [answer] = rig.said
    found = pressable(answer.blocks)
    assert {(buttons.REFRESH, None), (buttons.LOOK, None)} & set(found) or kind == "expired"
    for action_id, value in found:
        came = came_of(rig, answer, action_id, value)
        assert came is (action_id != buttons.CONSOLE), (action_id, value)  # Slack opens that by itself
        if action_id == OUTPUTS:
            press_all_in(rig, views(rig)[-1])
    refused = what_slack_would_refuse(rig)
    if private:  # an answer that one person sees has no thread for the file; the modal says so
        refused = [one for one in refused if getattr(one, "error", "") != "thread_not_found"]
    assert refused == []


def press_all_in(rig, view):
    """Everything in the modal; of the menu only the first and the last are picked, and the file comes at the end."""
    found = pressable(view.content["blocks"])
    picks = [one for one in found if one[0] == outputs.PICK]
    paging = [one for one in found if one[0] in (outputs.NEXT, outputs.PREVIOUS)]
    for action_id, value in [*paging, *picks[:1], *picks[1:][-1:], (outputs.FILTER, "/o/"), (outputs.AS_FILE, None)]:
        assert came_of(rig, view, action_id, value), (action_id, value)
