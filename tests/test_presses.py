"""What happens when something under an answer is pressed."""

import pytest

from bot.core import buttons
from bot.core.messages import UNKNOWN_PRESS
from bot.listeners import LOOK_UP
from bot.slack_requests import interaction_job
from rig import RUN, Peers, Rig
from sandbox import slack_interactions as interactions
from sandbox.block_kit import message_problems, pings
from sandbox.slack_workspace import GENERAL, GUEST, INCIDENTS, LUCAS, MEI, SECRET


@pytest.fixture(scope="module")
def peers():
    with Peers() as peers:
        yield peers


@pytest.fixture
def rig(tmp_path, peers):
    with Rig(tmp_path, peers) as rig:
        yield rig


def texts(message):
    return [element.get("text", {}).get("text", "…") for element in message.blocks[-1]["elements"]]


def test_the_buttons_stand_in_the_same_order(rig):
    [answer] = rig.ask(RUN)
    assert texts(answer) == ["I'm on it", "Outputs", "Copy failed ids", "Refresh", "Console", "…"]
    assert message_problems({"text": answer.text, "blocks": answer.blocks}) == []
    assert "cloud-assistant/region/cn-hangzhou" in str(answer.blocks[-1])


def test_a_list_offers_what_a_list_can(rig):
    [answer] = rig.ask("")
    assert texts(answer) == ["Refresh", "…"]
    assert rig.press(answer, buttons.REFRESH) == []
    assert len(answer.versions) == 1


def test_refresh_asks_anew_in_place_and_names_the_one_who_asked(rig):
    [answer] = rig.ask(RUN)
    calls = rig.cloud.count()
    assert rig.press(answer, buttons.REFRESH, user=LUCAS) == []
    assert rig.cloud.count() > calls
    assert "asked by mei" in str(answer.blocks)
    assert len(answer.versions) == 1


def test_somebody_is_on_it_and_lets_go(rig):
    [answer] = rig.ask(RUN)
    rig.press(answer, buttons.ON_IT, user=LUCAS)
    assert "On it: lucas since" in str(answer.blocks)
    assert texts(answer)[0] == "Let go"
    rig.press(answer, buttons.REFRESH)
    assert "On it: lucas since" in str(answer.blocks)
    rig.press(answer, buttons.ON_IT, user=MEI)
    assert "On it: mei since" in str(answer.blocks)
    rig.press(answer, buttons.ON_IT, user=MEI)
    assert "On it" not in str(answer.blocks)


def test_who_is_on_it_is_said_even_when_the_cloud_is_silent(rig):
    [answer] = rig.ask(RUN)
    rig.cloud.fail("denied", times=20)
    [said] = rig.press(answer, buttons.ON_IT, user=LUCAS)
    assert said.text.startswith("lucas is on it.")
    assert said.ephemeral_to is None


def test_failed_ids_are_ready_to_copy_for_the_one_who_pressed(rig):
    [answer] = rig.ask(RUN)
    [copied] = rig.press(answer, buttons.COPY, user=LUCAS)
    assert copied.ephemeral_to == LUCAS
    assert "aliyun ecs InvokeCommand --RegionId cn-hangzhou --CommandId c-hz0fleet0001 --InstanceId.1 i-" in str(
        copied.blocks
    )
    assert "web-001,cn-hangzhou,failed" in str(copied.blocks)
    assert pings({"text": copied.text, "blocks": copied.blocks}) == []


def test_failed_ids_of_an_instance_can_be_copied_too(rig):
    [answer] = rig.ask("web-001")
    [copied] = rig.press(answer, buttons.COPY)
    assert "web-001" in str(copied.blocks)


def test_a_private_answer_is_shared_with_the_channel(rig):
    [answer] = rig.ask(f"{RUN} private")
    assert answer.ephemeral_to == MEI
    [shared] = rig.press(answer, buttons.MORE, buttons.SHARE)
    assert (shared.ephemeral_to, shared.channel) == (None, INCIDENTS)
    assert "Take back" in str(shared.blocks[-1])


def test_what_the_channel_may_not_see_is_not_shared(rig):
    [answer] = rig.ask(RUN, channel=SECRET)
    [refused] = rig.press(answer, buttons.MORE, buttons.SHARE)
    assert refused.text.startswith("I cannot share it here. Only you see this")
    assert refused.ephemeral_to == MEI


def test_an_answer_is_taken_back_by_the_one_who_asked(rig):
    [answer] = rig.ask(RUN)
    [refused] = rig.press(answer, buttons.MORE, buttons.TAKE_BACK, user=LUCAS)
    assert "Only the person who asked" in refused.text
    assert not answer.deleted
    assert rig.press(answer, buttons.MORE, buttons.TAKE_BACK) == []
    assert answer.deleted


def test_an_operator_takes_any_answer_back(tmp_path, peers):
    with Rig(tmp_path, peers, environment={"BOT_OPERATORS": LUCAS}) as rig:
        [answer] = rig.ask(RUN)
        rig.press(answer, buttons.MORE, buttons.TAKE_BACK, user=LUCAS)
        assert answer.deleted


def test_the_console_link_needs_nothing_of_us(rig):
    [answer] = rig.ask(RUN)
    calls = rig.cloud.count()
    assert rig.press(answer, buttons.CONSOLE) == []
    assert rig.cloud.count() == calls


def test_rights_are_checked_at_the_press(rig):
    [answer] = rig.ask(RUN)
    calls = rig.cloud.count()
    [refused] = rig.press(answer, buttons.REFRESH, user=GUEST)
    assert "Guests cannot see" in refused.text
    assert rig.cloud.count() == calls


def test_a_value_that_is_not_ours_does_nothing(rig):
    [answer] = rig.ask(RUN)
    calls = rig.cloud.count()
    answer.blocks[-1]["elements"][0]["value"] = "forged" * 20
    [refused] = rig.press(answer, buttons.ON_IT)
    assert refused.text == UNKNOWN_PRESS
    assert rig.cloud.count() == calls


def test_an_error_of_the_cloud_is_told_privately(rig):
    [answer] = rig.ask(RUN)
    rig.cloud.fail("denied", times=20)
    [told] = rig.press(answer, buttons.REFRESH)
    assert "Alibaba Cloud refused" in told.text
    assert told.ephemeral_to == MEI


def test_a_message_that_cannot_be_changed_is_said(rig):
    [answer] = rig.ask(RUN)
    rig.slack.fail("error:cant_update_message", method="response_url")
    [told] = rig.press(answer, buttons.REFRESH)
    assert "Slack did not let me change that message" in told.text
    assert told.ephemeral_to == MEI


def test_slack_asks_for_a_wait_and_the_press_is_worked_off_later(rig):
    [answer] = rig.ask(RUN)
    rig.slack.fail("429", method="response_url", retry_after=30)
    assert rig.press(answer, buttons.REFRESH) == []
    [(job, delay)] = rig.queue.jobs
    assert (job.tries, delay) == (1, 30)
    rig.work_off()
    assert len(answer.versions) == 1


def test_a_paused_bot_does_nothing(tmp_path, peers):
    with Rig(tmp_path, peers) as rig:
        [answer] = rig.ask(RUN)
        with Rig(tmp_path, peers, environment={"BOT_PAUSED": "Back at nine."}) as paused:
            [told] = paused.press(answer, buttons.REFRESH)
            assert told.text == "Back at nine."


def test_a_question_about_a_list_has_no_ids_to_copy(rig):
    [answer] = rig.ask("", channel=GENERAL)
    element = answer.blocks[-1]["elements"][0]
    answer.blocks[-1]["elements"].append({**element, "action_id": buttons.COPY})
    [told] = rig.press(answer, buttons.COPY)
    assert "ask for one of its ids first" in told.text


def look_up(rig, text):
    """The message shortcut on somebody's message, as Slack sends it."""
    typed = rig.slack.mention(text, user=LUCAS)
    message = rig.slack.workspace.find(INCIDENTS, typed["ts"])
    workspace = rig.slack.workspace
    payload = interactions.message_shortcut_payload(
        LOOK_UP,
        message,
        workspace.channels[INCIDENTS],
        workspace.users[MEI],
        rig.slack.new_trigger(),
        rig.slack.new_response_url(INCIDENTS, MEI, "action", message.ts),
    )
    assert rig.work(interaction_job(payload, int(rig.time())))
    return message, rig.said


def test_what_a_message_names_is_answered_in_its_thread(rig):
    message, said = look_up(rig, f"see {RUN} and web-001 at 10.9.0.1")
    assert [(answer.thread_ts, answer.text.split(":")[0]) for answer in said] == [
        (message.ts, "1 of 3 failed"),
        (message.ts, "1 run failed"),
    ]


def test_a_message_that_names_nothing_is_told_so_privately(rig):
    _, [told] = look_up(rig, "good morning")
    assert told.text.startswith("That message names no run")
    assert told.ephemeral_to == MEI
