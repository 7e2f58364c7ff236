"""The bot token by reference: the worker beside the sandbox's KMS, and the whole way with the real function."""

import logging
import math
import re

import pytest

from bot.adapters.kept_secret import KEPT, TRIES
from bot.core.events import TaskCompleted
from bot.core.modal import OUTPUTS
from bot.jobs import CHORE, NOTICE, Job
from rig import RUN, Rig
from sandbox.fc import REQUEST_CREDENTIALS
from sandbox.slack_workspace import BOT_TOKEN, BOT_USER, INCIDENTS, LUCAS, MEI, SIGNING_SECRET
from sandbox.stage import Stage

BY_KMS = {"SLACK_BOT_TOKEN": "kms:slack"}
NEWER = "xoxb-newer-token-of-the-sandbox"
CACHES = "t-sh0n5w2rk8xq3b"
LATER, NEVER = "I cannot read my token for Slack just now", "I could not read my token for Slack"


@pytest.fixture
def rig(tmp_path, peers):
    peers.cloud.kms["slack"] = BOT_TOKEN
    with Rig(tmp_path, peers, environment=BY_KMS) as rig:
        yield rig


def texts(messages):
    """What each says, up to its first comma, colon or bracket."""
    return [re.split(r",|:| \(", message.text)[0] for message in messages]


def mention(rig):
    return rig.event({"type": "app_mention", "user": MEI, "channel": INCIDENTS, "text": f"<@U> {RUN}", "ts": "1.2"})


# The worker


def test_a_question_is_answered_with_the_token_from_kms(rig):
    [answer] = rig.ask(RUN)
    assert answer.text.startswith("1 of 3 failed")
    assert rig.ask(RUN)
    assert rig.cloud.count("GetSecretValue") == 1
    assert not rig.slack.refused


def test_or_from_a_key_of_a_parameter_of_oos(tmp_path, peers):
    peers.cloud.oos["bots/slack"] = f'{{"bot": "{BOT_TOKEN}"}}'
    with Rig(tmp_path, peers, environment={"SLACK_BOT_TOKEN": "oos:bots/slack#bot"}) as rig:
        assert rig.ask(RUN)[0].text.startswith("1 of 3 failed")
        assert rig.cloud.count("GetSecretParameter") == 1


def test_kms_that_is_away_later_changes_nothing(rig):
    rig.ask(RUN)
    rig.time.ahead += KEPT
    rig.cloud.fail("throttle", action="GetSecretValue", times=math.inf)
    assert rig.ask(RUN)[0].text.startswith("1 of 3 failed")
    assert rig.cloud.count("GetSecretValue") == 2


def test_kms_that_is_away_at_first_makes_the_answer_wait_and_that_is_said_once(rig):
    rig.cloud.fail("http500", action="GetSecretValue", times=2 * TRIES)
    said = rig.ask(RUN)
    assert texts(said) == [LATER, "1 of 3 failed"]
    assert said[0].ephemeral_to == MEI


@pytest.mark.parametrize("fault", ["throttle", "drop"])
def test_kms_that_stays_away_ends_in_an_apology(rig, fault):
    rig.cloud.fail(fault, action="GetSecretValue", times=math.inf)
    said = rig.ask(RUN)
    assert texts(said) == [LATER, NEVER]
    assert {one.via for one in said} == {"response_url"}
    assert [call.method for call in rig.slack.calls] == ["response_url"] * 2  # nothing without a token


def test_what_asking_again_does_not_cure_is_apologised_for_at_once(rig):
    rig.cloud.kms.clear()
    [told] = rig.ask(RUN)
    assert "(Forbidden.ResourceNotFound)" in told.text
    assert rig.cloud.count("GetSecretValue") == 1


@pytest.mark.parametrize("fault", ["http500", "denied"])
def test_a_question_that_nobody_can_be_told_about_waits(rig, fault):
    """A mention has no response_url: it is answered when the token is there, as when Slack is away."""
    rig.cloud.fail(fault, action="GetSecretValue", times=10 * TRIES)
    job = mention(rig)
    assert rig.work(job)
    assert rig.said == []
    rig.work_off()
    assert texts(rig.said) == ["1 of 3 failed"]
    assert {call.method for call in rig.slack.calls} <= {"users.info", "conversations.info", "chat.postMessage"}


def test_a_question_that_waits_too_long_is_given_up(rig):
    rig.cloud.fail("drop", action="GetSecretValue", times=math.inf)
    assert rig.work(mention(rig))
    rig.work_off()
    assert (rig.said, rig.queue.jobs) == ([], [])


def test_an_apology_that_does_not_arrive_waits_too(rig):
    rig.cloud.fail("denied", action="GetSecretValue")
    rig.slack.fail("500", "response_url", times=4)
    job = rig.command(RUN)
    assert rig.work(job)
    rig.work_off()
    assert texts(rig.said)[-1] == "1 of 3 failed"


def test_what_nobody_asked_for_waits_for_longer(rig):
    rig.cloud.fail("drop", action="GetSecretValue", times=TRIES)
    job = Job(NOTICE, "ntc_1", int(rig.time()), {})
    assert rig.work(job)
    [(again, wait)] = rig.queue.jobs
    assert (again.tries, wait) == (1, 20)
    rig.queue.jobs.clear()


def test_timers_need_no_token(rig):
    assert rig.work(Job(CHORE, "chr_1", int(rig.time()), {"name": "tick", "payload": '{"job":"tick"}'}))
    assert rig.cloud.count("GetSecretValue") == 0


def test_a_token_that_was_rotated_is_read_anew(rig, caplog):
    caplog.set_level(logging.DEBUG, "bot")
    rig.ask(RUN)
    rig.slack.token = rig.cloud.kms["slack"] = NEWER
    rig.time.ahead += 400  # what Slack said of people is asked for again, the token is not
    assert texts(rig.ask(RUN)) == ["1 of 3 failed"]
    assert rig.cloud.count("GetSecretValue") == 2
    assert [call.method for call in rig.slack.calls if call.outcome == "invalid_auth"] == ["users.info"]
    assert BOT_TOKEN not in caplog.text
    assert NEWER not in caplog.text


@pytest.mark.parametrize("code", ["token_revoked", "token_expired", "account_inactive"])
def test_a_token_that_stays_refused_is_read_anew_once_a_minute(rig, code):
    rig.slack.fail(f"error:{code}", "users.info", times=math.inf)
    for _ in range(3):
        [told] = rig.ask(RUN)
        assert f"(users.info: {code})" in told.text
    assert rig.cloud.count("GetSecretValue") == 2


def test_news_outwaits_a_token_that_was_rotated_in_slack_and_not_yet_in_kms(rig):
    rig.ask("subscribe")
    rig.slack.token = NEWER
    ended = TaskCompleted("e-1", "", "cn-hangzhou", None, RUN, "", "", "i-1", "Failed", 1, None)
    assert rig.worker.hear([ended], "1-request")
    for _ in range(6):
        job, delay = rig.queue.jobs.pop(0)
        rig.time.sleep(delay)
        assert rig.work(job)
    assert "invalid_auth" in {call.outcome for call in rig.slack.calls}
    rig.cloud.kms["slack"] = NEWER
    rig.work_off()
    assert texts(rig.said)[1:] == ["1 of 3 failed", "1 of 3 failed"]  # the notice, and the reply that rings


def test_what_slack_does_not_take_in_the_channel_is_said_to_who_asked(rig):
    rig.ask("help")  # now it is known who asks, and where
    rig.slack.token = NEWER
    [told] = rig.ask("subscribe")
    assert (told.via, told.ephemeral_to) == ("response_url", MEI)
    assert told.text.startswith("Slack did not take my answer (invalid_auth)")


def test_who_cannot_be_told_of_that_either_is_in_the_log(rig, caplog):
    rig.ask("help")
    rig.slack.token = NEWER
    rig.slack.fail("error:used_url", "response_url", times=math.inf)
    assert rig.ask("subscribe") == []
    assert "not told of that" in caplog.text


def test_a_modal_that_the_door_could_not_open_is_opened_by_the_job(rig):
    [answer] = rig.ask(RUN)
    assert rig.work(rig.pressed(answer, OUTPUTS, opened=False))
    [view] = rig.slack.views
    assert "disk full" in str(view.content)


def test_a_modal_that_the_door_tried_to_open_with_an_old_token_is_opened_with_the_new_one(rig):
    [answer] = rig.ask(RUN)
    rig.slack.token = rig.cloud.kms["slack"] = NEWER
    assert rig.work(rig.pressed(answer, OUTPUTS, opened=False))
    [view] = rig.slack.views
    assert "disk full" in str(view.content)


def test_a_modal_that_is_open_already_is_filled(rig):
    """The job is delivered a second time: the first one had opened it."""
    [answer] = rig.ask(RUN)
    job = rig.pressed(answer, OUTPUTS, opened=False)
    rig.slack.fail("drop_after", "views.open")
    assert rig.work(job)
    [view] = rig.slack.views
    assert "disk full" in str(view.content)


def test_a_modal_that_can_be_opened_no_more_is_to_be_pressed_again(rig):
    [answer] = rig.ask(RUN)
    job = rig.pressed(answer, OUTPUTS, opened=False)
    rig.time.ahead += 4
    assert rig.work(job)
    assert (rig.slack.views, rig.said[-1].ephemeral_to) == ([], MEI)
    assert "Please press again" in rig.said[-1].text


def test_a_slack_that_asks_for_a_wait_gets_it_before_the_modal_is_given_up(rig):
    [answer] = rig.ask(RUN)
    rig.slack.fail("429", "views.open", retry_after=30)
    assert rig.work(rig.pressed(answer, OUTPUTS, opened=False))
    rig.work_off()
    assert "Please press again" in rig.said[-1].text


# The whole way


@pytest.fixture(scope="module")
def running():
    with Stage(environment={"SLACK_BOT_TOKEN": "kms:slack#bot"}, delay_scale=0.02) as stage:
        yield stage


@pytest.fixture
def stage(running):
    """With a process that knows no token yet."""
    running.slack.token = BOT_TOKEN
    running.cloud.kms["slack"] = f'{{"bot": "{BOT_TOKEN}"}}'
    running.fc.kill()
    yield running
    running.fc.wait_idle(30)
    running.cloud.mend()
    running.cloud.clear()
    running.slack.clear()


def said(stage):
    stage.fc.wait_idle(30)
    return [message for message in stage.slack.messages if message.user == BOT_USER and not message.deleted]


def test_a_signed_command_is_answered_with_the_token_from_kms(stage):
    assert texts(stage.ask(CACHES)) == ["1 of 8 failed"]
    [call] = [one for one in stage.cloud.calls if one.action == "GetSecretValue"]
    assert call.headers["x-acs-accesskey-id"] == REQUEST_CREDENTIALS.key_id
    stage.cloud.fail("drop", action="GetSecretValue", times=math.inf)
    assert texts(stage.ask(CACHES)) == ["1 of 8 failed"]


def test_kms_that_is_away_at_a_cold_start_delays_the_answer_and_not_the_ack(stage):
    stage.cloud.fail("http500", action="GetSecretValue", times=TRIES)
    stage.slash(CACHES)
    assert texts(said(stage)) == [LATER, "1 of 8 failed"]


def test_a_token_is_rotated_under_the_running_function(stage):
    stage.ask(CACHES)
    stage.slack.token = NEWER
    stage.cloud.kms["slack"] = f'{{"bot": "{NEWER}"}}'
    assert texts(stage.ask(CACHES, user=LUCAS)) == ["1 of 8 failed"]
    assert "invalid_auth" in {call.outcome for call in stage.slack.calls}


def test_a_modal_on_a_cold_process_is_to_be_pressed_again_and_opens_then(stage):
    """KMS answers only after Slack's 3 s, so that the job cannot open it in time."""
    [answer] = stage.ask(CACHES)
    stage.fc.kill()
    stage.cloud.fail("slow", action="GetSecretValue", seconds=3.2)
    assert stage.slack.action(stage.url, answer, OUTPUTS).status == 200
    assert "Please press again" in said(stage)[-1].text
    assert stage.slack.views == []
    assert stage.slack.action(stage.url, answer, OUTPUTS).status == 200
    said(stage)
    [view] = stage.slack.views
    assert "Loading" not in str(view.content)


def test_nothing_of_the_secret_stands_in_any_log(stage):
    """After all of the above; this test stands last on purpose."""
    logs = stage.fc.logs()
    assert "kms:slack#bot: ServiceUnavailable" in logs
    for secret in (BOT_TOKEN, NEWER, SIGNING_SECRET, REQUEST_CREDENTIALS.secret, REQUEST_CREDENTIALS.token):
        assert secret not in logs
