"""Whole outputs in a modal: opened by the door, filled by the worker, another view at each press."""

import json
from dataclasses import replace

import pytest

from bot import modals
from bot.core import outputs
from bot.core.modal import OUTPUTS
from bot.core.outputs import BadPattern
from rig import RUN, Peers, Rig, fleet
from sandbox.block_kit import view_problems
from sandbox.slack_workspace import GENERAL, GUEST, INCIDENTS, LUCAS, MEI


@pytest.fixture
def answer(rig):
    [answer] = rig.ask(RUN)
    return answer


@pytest.fixture
def view(rig, answer):
    rig.press(answer, OUTPUTS)
    return rig.slack.views[-1]


def seen(view):
    return str(view.content["blocks"])


def test_the_modal_shows_the_first_failure_whole(view):
    assert "disk full" in seen(view)
    assert view_problems(view.content) == []


def test_another_group_is_picked(rig, view):
    rig.press(view, outputs.PICK, "g1")
    assert "release 4.12.0 active" in seen(view)


def test_lines_are_filtered_by_text_and_by_expression(rig, view):
    rig.press(view, outputs.FILTER, "DISK")
    assert "disk full" in seen(view)
    rig.press(view, outputs.FILTER, "/^full/")
    assert "disk full" not in seen(view).replace("g0", "")


def test_a_bad_expression_is_said_in_the_modal(rig, view):
    rig.press(view, outputs.FILTER, "/(/")
    assert "cannot be read" in seen(view)


def test_all_outputs_go_into_the_thread_as_a_file(rig, answer, view):
    rig.press(view, outputs.AS_FILE)
    assert "in the thread of the answer now" in seen(view)
    [file] = rig.slack.workspace.files.values()
    assert b"disk full" in file.content
    assert rig.said[-1].thread_ts == answer.ts


def test_a_file_that_slack_refuses_is_said(rig, view):
    rig.slack.fail("error:not_in_channel", method="files.completeUploadExternal")
    rig.press(view, outputs.AS_FILE)
    assert "Slack did not take the file (not_in_channel). Invite me" in seen(view)


def test_errors_are_told_where_the_person_looks(rig, answer):
    rig.cloud.fail("denied", times=20)
    rig.press(answer, OUTPUTS)
    assert "Alibaba Cloud refused" in seen(rig.slack.views[-1])


def test_errors_within_the_modal_are_told_there(rig, view):
    rig.cloud.fail("denied", times=20)
    rig.press(view, outputs.PICK, "g1")
    assert "Alibaba Cloud refused" in seen(view)


def test_a_forged_state_shows_nothing(rig, view):
    view.content["private_metadata"] = outputs.State("forged").packed()
    calls = rig.cloud.count()
    rig.press(view, outputs.PICK, "g1")
    assert "I do not know that button" in seen(view)
    assert rig.cloud.count() == calls


def test_a_closed_modal_is_no_error(rig, answer):
    rig.slack.fail("error:not_found", method="views.update")
    assert rig.press(answer, OUTPUTS) == []


SECRET = "hunter" + "2x"


@pytest.fixture(scope="module")
def telling():
    result = {"StartTime": "-4m", "FinishedTime": "-3m", "ExitCode": 1, "Output": f"password={SECRET} refused"}
    with Peers([fleet(1, InvocationResult=[{"instances": "web-001", **result}])]) as peers:
        yield peers


@pytest.fixture
def operated(tmp_path, telling):
    with Rig(tmp_path, telling, environment={"BOT_OPERATORS": LUCAS}) as rig:
        yield rig


def opened(rig, user):
    [answer] = rig.ask(RUN)
    rig.press(answer, OUTPUTS, user=user)
    return rig.slack.views[-1]


def test_an_operator_sees_what_is_masked_and_the_log_says_who_saw_what(operated, caplog):
    caplog.set_level("INFO", "bot.lines")
    view = opened(operated, LUCAS)
    assert "password=[masked] refused" in seen(view)
    operated.press(view, outputs.REVEAL, user=LUCAS)
    assert f"password={SECRET} refused" in seen(view)
    assert view_problems(view.content) == []
    told = json.loads(next(line for line in caplog.messages if '"act": "outputs_reveal"' in line))
    assert {key: told[key] for key in ("kind", "user", "channel", "picked", "runs", "to", "outcome")} == {
        "kind": "audit",
        "user": LUCAS,
        "channel": INCIDENTS,
        "picked": "g0",
        "runs": [RUN],
        "to": "person",
        "outcome": "done",
    }
    operated.press(view, outputs.HIDE, user=LUCAS)
    assert SECRET not in seen(view)
    assert SECRET not in caplog.text


def test_what_an_operator_has_made_a_file_of_is_masked(operated):
    view = opened(operated, LUCAS)
    operated.press(view, outputs.REVEAL, user=LUCAS)
    operated.press(view, outputs.AS_FILE, user=LUCAS)
    assert not [file for file in operated.slack.workspace.files.values() if SECRET.encode() in file.content]


def test_others_have_no_such_button_and_a_press_of_theirs_shows_nothing(operated, caplog):
    caplog.set_level("INFO", "bot.lines")
    view = opened(operated, MEI)
    assert outputs.REVEAL not in str(view.content)
    theirs = opened(operated, LUCAS)
    operated.press(theirs, outputs.REVEAL, user=MEI)
    assert SECRET not in seen(theirs)
    assert "Only an operator" in seen(theirs)
    assert '"outcome": "NotAllowed"' in next(line for line in caplog.messages if '"act": "outputs_reveal"' in line)


def test_who_is_no_operator_any_more_sees_secrets_masked_at_the_next_press(operated):
    view = opened(operated, MEI)
    state = outputs.State.unpacked(view.content["private_metadata"])
    view.content["private_metadata"] = replace(state, revealed=True).packed()
    operated.press(view, outputs.FILTER, "refused", user=MEI)
    assert "password=[masked] refused" in seen(view)


def test_paging_back_and_forth():
    state = outputs.State("h")
    later = modals._changed(state, outputs.NEXT, {})
    assert (later.page, modals._changed(later, outputs.PREVIOUS, {}).page) == (1, 0)


def test_an_expression_that_takes_too_long_is_given_up():
    test = modals.matcher("/(x+x+)+y/")
    with pytest.raises(BadPattern, match="too long"):
        test("x" * 5_000)


@pytest.mark.parametrize(
    "expression",
    [
        "a{1000000}",
        "a{,1000000}",
        "((a{1000}){1000}){100}",
        "(?x)a{1 000 000}",
        "(?x)a{1000#\n000}",
        "a{" + "9" * 50 + "}",
    ],
)
def test_counts_that_would_fill_the_memory_are_not_unrolled(expression):
    with pytest.raises(BadPattern, match="too long"):
        modals.matcher(f"/{expression}/")


def test_an_expression_that_is_nested_too_deep_cannot_be_read():
    with pytest.raises(BadPattern, match="cannot be read"):
        modals.matcher("/" + "(?:" * 900 + "a" + ")*" * 900 + "/")


def test_many_lines_that_each_take_long_are_given_up_together(monkeypatch):
    monkeypatch.setattr(modals, "_MATCH_IN_ALL", 0.0)
    test = modals.matcher("/(x+x+)+y/")
    with pytest.raises(BadPattern, match="too long"):
        [test("x" * 24) for _ in range(100)]


@pytest.mark.parametrize(
    "expression", [r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}", "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"]
)
def test_counts_that_people_use_are_taken(expression):
    assert modals.matcher(f"/{expression}/")("10.0.0.7 8f742231-b10e-8888-abcd-99aaaaaa85a5")


def test_the_answer_may_be_anywhere(rig):
    [answer] = rig.ask(RUN, channel=GENERAL)
    rig.press(answer, OUTPUTS)
    assert "disk full" in seen(rig.slack.views[-1])


def test_a_second_press_uploads_no_second_file(rig, answer, view):
    first, second = rig.pressed(view, outputs.AS_FILE), rig.pressed(view, outputs.AS_FILE)
    assert rig.work(first)
    assert rig.work(second)
    assert "The file is in the thread already" in seen(view)
    assert len(rig.slack.workspace.files) == 1


def test_a_file_that_slack_refused_can_be_tried_again(rig, answer, view):
    rig.slack.fail("error:not_in_channel", method="files.completeUploadExternal")
    rig.press(view, outputs.AS_FILE)
    rig.press(answer, OUTPUTS)
    rig.press(rig.slack.views[-1], outputs.AS_FILE)
    assert "in the thread of the answer now" in seen(rig.slack.views[-1])


def test_a_file_for_which_slack_asks_to_wait_comes_later_once(rig, answer, view):
    rig.slack.fail("429", method="files.completeUploadExternal", retry_after=30)
    rig.press(view, outputs.AS_FILE)
    rig.work_off()
    assert "in the thread of the answer now" in seen(view)
    assert len([message for message in rig.said if message.files]) == 1


def test_a_guest_who_presses_in_the_modal_sees_nothing_more(rig, view):
    calls = rig.cloud.count()
    rig.press(view, outputs.PICK, "g1", user=GUEST)
    assert "Guests cannot see" in seen(view)
    assert rig.cloud.count() == calls


def test_the_modal_shows_where_the_whole_output_is_in_oss(tmp_path):
    address = f"oss://logs/{'deep/' * 60}{RUN}.txt"
    result = {"StartTime": "-4m", "FinishedTime": "-3m", "ExitCode": 1, "Output": "full", "OssOutputUri": address}
    with Peers([fleet(1, InvocationResult=[result])]) as peers, Rig(tmp_path, peers) as rig:
        [answer] = rig.ask(RUN)
        rig.press(answer, OUTPUTS)
        assert address in str(answer.blocks)
        assert address in seen(rig.slack.views[-1])
        assert view_problems(rig.slack.views[-1].content) == []
