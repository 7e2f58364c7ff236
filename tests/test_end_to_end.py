"""The real function, frozen between requests, between the three peers: one answer a question, whatever breaks."""

import math
import sys
from pathlib import Path

import pytest

from bot.adapters.slack import REPEAT
from bot.core.messages import UNKNOWN_PRESS
from bot.door import MAYBE_QUEUED, NOT_QUEUED, PRESS_MAYBE_QUEUED, PRESS_NOT_QUEUED
from sandbox.block_kit import message_problems, pings
from sandbox.cloud import SECRETS, TOKENS
from sandbox.fc import ENVIRONMENT_CREDENTIALS, REQUEST_CREDENTIALS
from sandbox.scenario import load_all
from sandbox.slack_workspace import (
    BOT_TOKEN,
    BOT_USER,
    DIRECT,
    GENERAL,
    GUEST,
    INCIDENTS,
    LUCAS,
    MEI,
    PRIVATE,
    RESPONSE_URL_USES,
    SECRET,
    SHARED,
    SIGNING_SECRET,
)
from sandbox.stage import SOURCE, Stage

RUN, CACHES = "t-hz0jdfwd9f", "t-sh0n5w2rk8xq3b"
BOT = Path(__file__).with_name("interrupted_bot.py")
DELAY_SCALE = 0.02
CONSOLE = "<https://ecs.console.aliyun.com/"


@pytest.fixture(scope="module")
def interruption(tmp_path_factory):
    return tmp_path_factory.mktemp("interruption") / "what"


@pytest.fixture(scope="module")
def running(interruption):
    """One function for all tests here; queue delays pass fifty times as fast."""
    environment = {"INTERRUPTION": str(interruption), "PYTHONPATH": str(SOURCE)}
    with Stage(environment=environment, command=(sys.executable, str(BOT)), delay_scale=DELAY_SCALE) as stage:
        yield stage


@pytest.fixture
def stage(running, interruption):
    yield running
    interruption.unlink(missing_ok=True)
    running.fc.wait_idle(30)
    running.cloud.mend()
    running.cloud.clear()
    running.slack.clear()


def state_of(message):
    return message.text.split(":")[0]


def the_answer(messages):
    """The one message that was said, and it is a good one."""
    assert len(messages) == 1, [message.text for message in messages]
    shown = {"text": messages[0].text, "blocks": messages[0].blocks}
    assert message_problems(shown) == []
    assert [token for token in pings(shown) if not token.startswith(CONSOLE)] == []
    return messages[0]


# Every scenario, every kind of question


@pytest.mark.parametrize("scenario", load_all(), ids=lambda one: one.name)
def test_every_scenario_has_one_good_answer(stage, scenario):
    answer = the_answer(stage.ask(scenario.ask))
    assert answer.channel == INCIDENTS
    assert stage.slack.refused == stage.slack.warnings == []


@pytest.mark.parametrize(
    ("typed", "says", "private"),
    [
        ("web-01", "web-01, cn-hangzhou", False),
        ("10.4.1.6", "cache-06", False),
        ("{instance}", "cache-06", False),
        ("mi-sh03nowhere0qo", "No instance mi-sh03nowhere0qo in", True),
        ("c-sh0d6vy1p4mz9", "c-sh0d6vy1p4mz9, 6 regions", False),
        ("deploy-web", "deploy-web, 6 regions", False),
        ("failed", "newest runs (failed), 6 regions", False),
        ("since:2h", "newest runs (since:2h), 6 regions", False),
        ("region:all", "newest runs, 22 regions", False),
        ("private", "newest runs, 6 regions", True),
        ("help", "In a thread", True),
        ("t-hz0nowhere01", "No run t-hz0nowhere01 in", True),
        ("qwertz", "I cannot read", True),
        ("stop t-hz0jdfwd9f", "I only read", True),
    ],
)
def test_conversation(stage, typed, says, private):
    cache = next(one for scenario in load_all() for one in scenario.instances if one.name == "cache-06")
    answer = the_answer(stage.ask(typed.format(instance=cache.id)))
    assert says in answer.text
    assert answer.ephemeral_to == (MEI if private else None)


# Who may see


@pytest.mark.parametrize(("user", "channel"), [(GUEST, INCIDENTS), (MEI, SHARED)])
def test_who_may_not_see_is_refused_before_anything_is_asked(stage, user, channel):
    answer = the_answer(stage.ask(RUN, user=user, channel=channel))
    assert answer.ephemeral_to == user
    assert stage.cloud.calls == []


def test_a_channel_that_cannot_be_inspected_has_a_private_answer(stage):
    answer = the_answer(stage.ask(CACHES, channel=SECRET))
    assert "Only you see this" in answer.text
    assert answer.ephemeral_to == MEI


# Events


def test_events_are_answered_where_they_were_written(stage):
    parent = stage.slack.mention("good evening")
    mention = stage.slack.mention(CACHES, thread_ts=parent["ts"])
    assert stage.slack.event(stage.url, mention, "Ev1").status == 200
    assert stage.slack.event(stage.url, mention, "Ev1", retry_num=1).status == 200
    assert stage.slack.event(stage.url, stage.slack.direct_message(CACHES)).status == 200
    assert stage.slack.event(stage.url, {"type": "team_join", "user": {"id": LUCAS}}).status == 200
    stage.fc.wait_idle(30)
    answers = [message for message in stage.slack.messages if message.user == BOT_USER]
    places = {(answer.channel, answer.thread_ts) for answer in answers}
    assert places == {(INCIDENTS, parent["ts"]), (DIRECT, None)}
    assert len(answers) == 2
    assert "auth.test" not in {call.method for call in stage.slack.calls}


def test_our_own_messages_start_nothing(stage):
    stage.slack.feed_back = stage.url
    assert stage.slack.event(stage.url, stage.slack.mention("help")).status == 200
    assert stage.slack.event(stage.url, stage.slack.direct_message(CACHES)).status == 200
    stage.fc.wait_idle(30)
    with stage.slack.changed:
        assert stage.slack.changed.wait_for(lambda: stage.slack.fed_back, 10)
    stage.slack.feed_back = None
    stage.fc.wait_idle(30)
    assert {response.status for response in stage.slack.fed_back} == {200}
    assert len([message for message in stage.slack.messages if message.user == BOT_USER]) == 2


def test_a_button_of_an_older_version(stage):
    button = {"type": "button", "action_id": "gone", "text": {"type": "plain_text", "text": "More"}}
    with stage.slack.changed:
        old = stage.slack.workspace.add(
            INCIDENTS, BOT_USER, "An old answer", "chat.postMessage", blocks=[{"type": "actions", "elements": [button]}]
        )
    assert stage.slack.action(stage.url, old, "gone").status == 200
    stage.fc.wait_idle(30)
    told = stage.slack.messages[-1]
    assert (told.text, told.ephemeral_to) == (UNKNOWN_PRESS, MEI)
    assert stage.slack.shortcut(stage.url, "gone").status == 200
    stage.fc.wait_idle(30)
    assert stage.slack.messages[-1].channel == DIRECT


# Faults


@pytest.mark.parametrize("at_once", [True, False])
def test_a_task_that_is_delivered_twice(stage, at_once):
    stage.fc.duplicate(at_once=at_once)
    assert REPEAT not in the_answer(stage.ask(CACHES)).text


QUEUE_FAULTS = pytest.mark.parametrize(
    ("faults", "certain", "taken"),
    [
        (["refuse_429"], True, False),
        (["http500"], True, False),
        (["drop_before", "refuse_429"], False, False),
        (["drop_before", "drop_before"], False, False),
        (["drop_after", "refuse_429"], False, True),
        (["drop_after", "drop_after"], False, True),
    ],
)


@QUEUE_FAULTS
def test_a_question_is_not_said_to_be_lost_where_the_queue_may_have_taken_it(stage, faults, certain, taken):
    for fault in faults:
        stage.fc.fail(fault)
    ack, *answers = stage.ask(CACHES)
    assert (ack.text, ack.ephemeral_to) == (NOT_QUEUED if certain else MAYBE_QUEUED, MEI)
    assert [state_of(answer) for answer in answers] == ["1 of 8 failed, 3 never ran"] * taken


@QUEUE_FAULTS
def test_nor_is_a_press(stage, faults, certain, taken):
    answer = the_answer(stage.ask(CACHES))
    for fault in faults:
        stage.fc.fail(fault)
    assert stage.slack.action(stage.url, answer, "refresh").status == 200
    stage.fc.wait_idle(30)
    told = stage.slack.messages[-1]
    assert (told.text, told.ephemeral_to) == (PRESS_NOT_QUEUED if certain else PRESS_MAYBE_QUEUED, MEI)
    assert bool(stage.slack.messages[1].versions) is taken  # the answer, refreshed in place


def test_a_lost_reply_of_the_queues_is_made_up_for_by_the_second_try(stage):
    stage.fc.fail("drop_after")
    assert REPEAT not in the_answer(stage.ask(CACHES)).text


@pytest.mark.parametrize("kind", ["http500", "html502", "drop", "drop_after", "empty", "bad_json"])
def test_faults_of_the_cloud(stage, kind):
    stage.cloud.fail(kind)
    assert state_of(the_answer(stage.ask(CACHES))) == "1 of 8 failed, 3 never ran"


@pytest.mark.parametrize(
    ("kind", "repeats"),
    [("429", False), ("500", True), ("502html", True), ("drop_before", True)],
)
def test_faults_of_slack(stage, kind, repeats):
    stage.slack.fail(kind, "response_url")
    answer = the_answer(stage.ask(CACHES))
    assert (REPEAT in answer.text) is repeats


@pytest.mark.parametrize("kind", ["drop_after", "500_after"])
def test_a_lost_reply_of_slacks(stage, kind):
    stage.slack.fail(kind, "response_url")
    first, second = stage.ask(CACHES)
    assert [REPEAT in message.text for message in (first, second)] == [False, True]


def test_a_long_wait_of_slacks(stage):
    stage.slack.fail("429", "response_url", retry_after=30)
    assert REPEAT not in the_answer(stage.ask(CACHES)).text
    assert stage.fc.tasks[-1].delay == 30 * DELAY_SCALE


@pytest.mark.parametrize(
    ("channel", "private", "via", "where"),
    [
        (INCIDENTS, "", "chat.postMessage", INCIDENTS),
        (PRIVATE, "private", "chat.postEphemeral", PRIVATE),
        (GENERAL, "", "chat.postMessage", DIRECT),
    ],
)
def test_a_response_url_that_is_used_up(stage, channel, private, via, where):
    stage.fc.hold()
    stage.slash(f"{CACHES} {private}", channel=channel)
    with stage.slack.changed:
        for url in stage.slack.workspace.response_urls.values():
            url.uses = RESPONSE_URL_USES
    stage.fc.release()
    stage.fc.wait_idle(30)
    [answer] = [message for message in stage.slack.messages if message.user == BOT_USER]
    assert (answer.via, answer.channel) == (via, where)


def test_blocks_that_slack_refuses(stage):
    stage.slack.fail("error:invalid_blocks", "chat.postMessage")
    assert stage.slack.event(stage.url, stage.slack.mention(CACHES)).status == 200
    stage.fc.wait_idle(30)
    [answer] = [message for message in stage.slack.messages if message.user == BOT_USER]
    assert state_of(answer) == "1 of 8 failed, 3 never ran"
    assert answer.blocks == []


def test_a_listener_that_raises_ends_in_one_apology(stage, interruption):
    interruption.write_text("raise DescribeInvocations")
    apology = the_answer(stage.ask(CACHES))
    task = stage.fc.tasks[-1]
    assert (task.attempts, task.status) == (3, "Succeeded")
    assert f"request id {task.request_id}" in apology.text
    assert apology.ephemeral_to == MEI
    assert "what only the function may know" not in stage.fc.logs() + apology.text


def test_a_listener_that_raises_once(stage, interruption):
    interruption.write_text("break DescribeInvocations")
    assert state_of(the_answer(stage.ask(CACHES))) == "1 of 8 failed, 3 never ran"
    assert stage.fc.tasks[-1].attempts == 2


def test_a_throttle_is_told_of_once_and_then_the_answer_says_what_is_missing(stage):
    """Last of the faults: the API and region are left alone from here on."""
    throttled = {"action": "DescribeInvocationResults", "region": "cn-hongkong"}
    stage.cloud.fail("throttle", times=math.inf, headers={"x-acs-retry-after": "60000"}, **throttled)
    waiting, answer = stage.ask("t-hk0c1ps7y3ghuj")
    assert "I ask again in" in waiting.text
    assert waiting.ephemeral_to == MEI
    assert "Outputs of t-hk0c1ps7y3ghuj are missing" in answer.text
    assert stage.cloud.count(**throttled) == 1


# Death


@pytest.mark.parametrize(
    ("moment", "user", "channel"),
    [
        ("delivery", MEI, INCIDENTS),
        ("claim", MEI, INCIDENTS),
        ("users.info", LUCAS, INCIDENTS),
        ("conversations.info", MEI, DIRECT),
        ("DescribeInvocations", MEI, INCIDENTS),
        ("DescribeInvocationResults", MEI, INCIDENTS),
        ("DescribeInstances", MEI, INCIDENTS),
        ("posting mark", MEI, INCIDENTS),
        ("posting marked", MEI, INCIDENTS),
        ("Slack's reply", MEI, INCIDENTS),
        ("done mark", MEI, INCIDENTS),
        ("done marked", MEI, INCIDENTS),
    ],
)
def test_killed_at(stage, interruption, moment, user, channel):
    interruption.write_text(f"kill {moment}")
    answers = stage.ask(CACHES, user=user, channel=channel)
    assert not interruption.exists()
    assert {state_of(answer) for answer in answers} == {"1 of 8 failed, 3 never ran"}
    repeats = [REPEAT in answer.text for answer in answers]
    if moment in ("Slack's reply", "done mark"):
        assert repeats == [False, True]
    else:
        assert repeats == [moment == "posting marked"]


# And at the end of it all


def test_nothing_that_is_secret_stands_in_the_logs(stage):
    """After all of the above; this test stands last on purpose."""
    stage.cloud.fail("denied", times=math.inf)
    stage.slack.fail("error:restricted_action", "response_url")
    stage.ask("t-hz0notasked1")  # nobody's reply is shared
    stage.cloud.mend()
    logs = stage.fc.logs()
    assert "DescribeInvocations" in logs
    outputs = ("release 4.12.0", "No space left", "(integer) 4182")
    keys = [*SECRETS.values(), *TOKENS.values()]
    for credentials in (ENVIRONMENT_CREDENTIALS, REQUEST_CREDENTIALS):
        keys += [credentials.key_id, credentials.secret, credentials.token]
    addresses = (stage.cloud.url, stage.slack.url, stage.fc.url, "http://", "https://", "/commands/", "/actions/")
    for secret in (*keys, BOT_TOKEN, SIGNING_SECRET, *addresses, *outputs):
        assert secret not in logs


def test_a_store_that_cannot_be_written_is_no_reason_not_to_answer():
    """A function of its own: its store is on a disk that takes nothing."""
    with Stage(environment={"BOT_STORE": "sqlite:////proc/nowhere/bot.sqlite3"}) as stage:
        assert state_of(the_answer(stage.ask(CACHES))) == "1 of 8 failed, 3 never ran"
        assert "store: " in stage.fc.logs()


# Home


def test_home_is_filled_when_somebody_opens_it(stage):
    event = {"type": "app_home_opened", "user": MEI, "channel": DIRECT, "tab": "home", "event_ts": "1.1"}
    assert stage.slack.event(stage.url, event).status == 200
    stage.fc.wait_idle(30)
    [view] = [one for one in stage.slack.views if one.content["type"] == "home"]
    assert "runs failed" in str(view.content["blocks"][0])
    assert stage.slack.action(stage.url, view, "home_refresh").status == 200
    stage.fc.wait_idle(30)
    assert stage.slack.refused == []
