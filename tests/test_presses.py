"""What happens when something under an answer is pressed."""

import pytest

from bot.core import buttons, outputs
from bot.core.blocks import MOST_TEXT
from bot.core.messages import UNKNOWN_PRESS
from bot.core.modal import OUTPUTS
from bot.listeners import LOOK_UP
from bot.slack_requests import interaction_job
from rig import RUN, Peers, Rig, fleet
from sandbox import slack_interactions as interactions
from sandbox.block_kit import message_problems, pings
from sandbox.cloud import Cloud
from sandbox.scenario import load_all
from sandbox.slack_workspace import GENERAL, GUEST, INCIDENTS, LUCAS, MEI, SECRET


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
    assert (said.ephemeral_to, said.thread_ts) == (None, answer.ts)


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


def test_an_answer_is_taken_back_with_its_replies_and_files(rig):
    [answer] = rig.ask(RUN)
    rig.press(answer, OUTPUTS)
    [shared] = rig.press(rig.slack.views[-1], outputs.AS_FILE)
    rig.cloud.fail("denied", times=4)
    [reply] = rig.press(answer, buttons.ON_IT, user=LUCAS)
    rig.cloud.mend()
    assert {shared.thread_ts, reply.thread_ts} == {answer.ts}
    assert rig.press(answer, buttons.MORE, buttons.TAKE_BACK) == []
    assert [message.text for message in (answer, shared, reply) if not message.deleted] == []
    assert [file.content for file in rig.slack.workspace.files.values()] == [None]
    assert rig.slack.refused == []


def mention(rig, text, thread_ts=None):
    before = len(rig.said)
    assert rig.work(rig.event(rig.slack.mention(text, thread_ts=thread_ts)))
    return rig.said[before:]


def test_what_was_asked_in_its_thread_goes_with_it_and_what_is_under_that_too(rig):
    [answer] = mention(rig, RUN)
    [inner] = mention(rig, f"output {RUN}", thread_ts=answer.ts)
    rig.press(inner, buttons.FILE)
    [other] = mention(rig, "web-001")
    rig.press(answer, buttons.MORE, buttons.TAKE_BACK)
    assert [message for message in rig.said if not message.deleted] == [other]
    assert [file.deleted for file in rig.slack.workspace.files.values()] == [True]


def test_an_answer_in_a_thread_of_people_takes_its_own_file_along_and_no_others(rig):
    parent = rig.slack.mention("first")["ts"]
    [one], [two] = mention(rig, f"output {RUN}", parent), mention(rig, f"output {RUN} web-001", parent)
    rig.press(one, buttons.FILE)
    rig.press(two, buttons.FILE)
    rig.press(one, buttons.MORE, buttons.TAKE_BACK)
    assert (one.deleted, two.deleted) == (True, False)
    assert [file.deleted for file in rig.slack.workspace.files.values()] == [True, False]


@pytest.mark.parametrize("gone", ["file_deleted", "file_not_found"])
def test_what_is_gone_already_is_no_matter(rig, gone):
    [answer] = rig.ask(f"output {RUN}")
    rig.press(answer, buttons.FILE)
    rig.slack.fail(f"error:{gone}", method="files.delete")
    assert rig.press(answer, buttons.MORE, buttons.TAKE_BACK) == []
    assert answer.deleted


def test_a_reply_that_is_gone_already_is_no_matter(rig):
    [answer] = mention(rig, RUN)
    [inner] = mention(rig, RUN, answer.ts)
    inner.deleted = True
    assert rig.press(answer, buttons.MORE, buttons.TAKE_BACK) == []
    assert answer.deleted


def test_what_slack_keeps_is_said(rig):
    [answer] = rig.ask(f"output {RUN}")
    rig.press(answer, buttons.FILE)
    rig.slack.fail("error:cant_delete_file", method="files.delete")
    [told] = rig.press(answer, buttons.MORE, buttons.TAKE_BACK)
    assert told.text == "The answer is taken back, but Slack kept something in its thread (cant_delete_file)."
    assert told.ephemeral_to == MEI
    assert answer.deleted


def test_taking_back_goes_on_where_slack_asked_for_a_wait(rig):
    [answer] = rig.ask(f"output {RUN}")
    rig.press(answer, buttons.FILE)
    rig.slack.fail("429", method="files.delete", retry_after=30)
    rig.press(answer, buttons.MORE, buttons.TAKE_BACK)
    assert not answer.deleted
    rig.work_off()
    assert answer.deleted
    assert [file.deleted for file in rig.slack.workspace.files.values()] == [True]


def test_the_one_who_shared_takes_it_back(rig):
    [answer] = rig.ask(f"{RUN} private", user=LUCAS)
    [shared] = rig.press(answer, buttons.MORE, buttons.SHARE, user=LUCAS)
    assert "asked by lucas" in str(shared.blocks)
    [refused] = rig.press(shared, buttons.MORE, buttons.TAKE_BACK, user=MEI)
    assert "Only the person who asked" in refused.text
    assert rig.press(shared, buttons.MORE, buttons.TAKE_BACK, user=LUCAS) == []
    assert shared.deleted


def test_a_second_share_of_the_same_answer_is_none(rig):
    [answer] = rig.ask(f"{RUN} private")
    rig.press(answer, buttons.MORE, buttons.SHARE)
    [told] = rig.press(answer, buttons.MORE, buttons.SHARE)
    assert told.text.startswith("You have shared this answer already.")
    assert told.ephemeral_to == MEI


def test_a_share_that_failed_can_be_tried_again(rig):
    [answer] = rig.ask(f"{RUN} private")
    rig.cloud.fail("denied", times=20)
    rig.press(answer, buttons.MORE, buttons.SHARE)
    rig.cloud.mend()
    [shared] = rig.press(answer, buttons.MORE, buttons.SHARE)
    assert shared.ephemeral_to is None


def test_a_second_copy_is_one_only_for_another_person_or_later(rig):
    [answer] = rig.ask(RUN)
    copies = [
        rig.press(answer, buttons.COPY),
        rig.press(answer, buttons.COPY),
        rig.press(answer, buttons.COPY, user=LUCAS),
    ]
    assert [said.text.startswith("You have the ids already") for [said] in copies] == [False, True, False]
    rig.time.ahead += 60
    [later] = rig.press(answer, buttons.COPY)
    assert "Ids to copy." in later.text


def test_a_second_file_is_one_only_where_something_has_changed(rig):
    [answer] = rig.ask(f"output {RUN}")
    [file] = rig.press(answer, buttons.FILE)
    assert (file.thread_ts, len(file.files)) == (answer.ts, 1)
    [told] = rig.press(answer, buttons.FILE)
    assert told.text == "The file is in the thread already, and nothing has changed since."
    assert told.ephemeral_to == MEI
    assert len(rig.slack.workspace.files) == 1


@pytest.mark.parametrize(
    ("typed", "action", "option", "said"),
    [
        (RUN, buttons.REFRESH, None, 0),
        (RUN, buttons.ON_IT, None, 0),
        (RUN, OUTPUTS, None, 0),
        (RUN, buttons.COPY, None, 1),
        (RUN, buttons.CONSOLE, None, 0),
        (RUN, buttons.MORE, buttons.TAKE_BACK, 0),
        (f"{RUN} private", buttons.MORE, buttons.SHARE, 1),
        (f"output {RUN}", buttons.FILE, None, 1),
    ],
)
def test_a_doubled_delivery_of_a_press_does_nothing_twice(rig, typed, action, option, said):
    [answer] = rig.ask(typed)
    before, job = len(rig.said), rig.pressed(answer, action, option)
    assert rig.work(job)
    calls = len(rig.slack.calls)
    assert rig.work(job)
    assert len(rig.slack.calls) == calls
    assert len(rig.said) - before == said


def test_pressing_the_same_button_twice_lets_nobody_go(rig):
    [answer] = rig.ask(RUN)
    twice = [rig.pressed(answer, buttons.ON_IT, user=LUCAS) for _ in range(2)]
    assert all(rig.work(job) for job in twice)
    assert "On it: lucas since" in str(answer.blocks)


def test_presses_in_a_thread_stay_in_it(rig):
    parent = rig.slack.mention("first")["ts"]
    [answer] = mention(rig, f"{RUN} private", parent)
    [shared] = rig.press(answer, buttons.MORE, buttons.SHARE)
    [copied] = rig.press(answer, buttons.COPY)
    rig.cloud.fail("denied", times=4)
    [taken] = rig.press(shared, buttons.ON_IT)
    assert {said.thread_ts for said in (answer, shared, copied, taken)} == {parent}
    assert [said.ephemeral_to for said in (shared, copied, taken)] == [None, MEI, None]


def test_an_answer_that_has_a_thread_is_not_in_it(rig):
    [answer] = mention(rig, RUN)
    mention(rig, "help", answer.ts)
    answer.thread_ts = answer.ts  # as Slack shows the first message of a thread
    [copied] = rig.press(answer, buttons.COPY)
    assert copied.thread_ts is None


def test_the_console_link_needs_nothing_of_us(rig):
    [answer] = rig.ask(RUN)
    calls = rig.cloud.count()
    assert rig.press(answer, buttons.CONSOLE) == []
    assert rig.cloud.count() == calls


EACH = [
    *((RUN, action, None) for action in (buttons.REFRESH, buttons.ON_IT, buttons.COPY, buttons.CONSOLE)),
    (RUN, buttons.MORE, buttons.TAKE_BACK),
    (f"{RUN} private", buttons.MORE, buttons.SHARE),
    (f"output {RUN}", buttons.FILE, None),
]


@pytest.mark.parametrize(("typed", "action", "option"), EACH)
def test_a_guest_who_presses_is_refused(rig, typed, action, option):
    [answer] = rig.ask(typed)
    calls, shown = rig.cloud.count(), answer.blocks
    [refused] = rig.press(answer, action, option, user=GUEST)
    assert "Guests cannot see" in refused.text
    assert refused.ephemeral_to == GUEST
    assert rig.cloud.count() == calls
    assert (answer.deleted, answer.blocks) == (False, shown)


@pytest.mark.parametrize(("typed", "action", "option"), EACH)
def test_in_a_channel_that_was_shared_since_nothing_is_shown(rig, typed, action, option):
    [answer] = rig.ask(typed)
    rig.slack.workspace.channels[INCIDENTS].is_ext_shared = True
    rig.time.ahead += 400
    calls = rig.cloud.count()
    [refused] = rig.press(answer, action, option)
    assert "shared with another organisation" in refused.text
    assert rig.cloud.count() == calls


def test_a_guest_sees_no_outputs(rig):
    [answer] = rig.ask(RUN)
    calls = rig.cloud.count()
    assert rig.press(answer, OUTPUTS, user=GUEST) == []
    assert "Guests cannot see" in str(rig.slack.views[-1].content)
    assert rig.cloud.count() == calls


def test_a_press_on_a_message_whose_run_is_gone_says_why_it_does_not_work(rig, peers, tmp_path):
    [answer] = rig.ask(RUN)
    with (
        Cloud([fleet(run="t-hz0other0001")]) as later,
        Rig(tmp_path, peers, environment={"ECS_ENDPOINT": later.url}) as rig,
    ):
        [told] = rig.press(answer, buttons.REFRESH)
        assert f"No run {RUN} in cn-hangzhou" in told.text
        assert "older than about four weeks" in told.text
        assert told.ephemeral_to == MEI


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


def test_a_paused_bot_that_opens_no_modal_says_so(tmp_path, peers):
    with Rig(tmp_path, peers) as rig:
        [answer] = rig.ask(RUN)
        with Rig(tmp_path, peers, environment={"BOT_PAUSED": "Back at nine."}) as paused:
            job = paused.pressed(answer, OUTPUTS)
            rig.slack.workspace.views.clear()  # the door of a paused bot opens none
            assert paused.work(job)
            assert rig.said[-1].text == "Back at nine."
            assert rig.said[-1].ephemeral_to == MEI


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


def test_several_named_are_answered_once_each_though_the_job_has_to_wait_in_between(rig):
    rig.cloud.fail("throttle", action="DescribeInstances", times=60)
    look_up(rig, f"{RUN} and web-001 at 10.9.0.1")
    rig.cloud.mend()
    rig.work_off()
    public = [said.text.split(":")[0] for said in rig.said if said.thread_ts and not said.ephemeral_to]
    assert public == ["1 of 3 failed", "1 run failed"]


@pytest.mark.parametrize("scene", load_all(), ids=lambda scene: scene.name)
def test_every_button_of_every_scenario_is_answered_within_slacks_limits(tmp_path, scene):
    """All that can be pressed under what can be asked there; the sandbox's Slack refuses what Slack refuses."""
    with Peers([scene]) as peers, Rig(tmp_path, peers) as rig:
        for typed in (scene.ask, f"{scene.ask} private", f"output {scene.ask}"):
            [answer] = rig.ask(typed)
            elements = [one for block in answer.blocks for one in block.get("elements", []) if "action_id" in one]
            for element in elements[-1:] if "private" in typed else elements:
                for option in element.get("options", [{}]):
                    rig.press(answer, element["action_id"], option.get("value"))
                    rig.queue.jobs.clear()  # a watch goes on elsewhere
        assert rig.slack.refused == []
        assert rig.slack.warnings == []
        written = [said for said in rig.said if not said.via.startswith("files.")]
        assert [said for said in written if message_problems({"text": said.text, "blocks": said.blocks})] == []
        assert max(len(said.text) for said in rig.said) <= MOST_TEXT
