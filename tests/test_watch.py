"""Following a run in one message to its end."""

import pytest

from bot import watch
from bot.core import buttons
from bot.jobs import LOOK, Job
from rig import RUN, Peers, Rig, fleet
from sandbox.scenario import load
from sandbox.slack_workspace import GENERAL, INCIDENTS, MEI, SECRET

GOING = load("running_fleet")
SCHEDULE = load("schedule")


@pytest.fixture(scope="module")
def peers():
    with Peers([GOING, SCHEDULE, fleet()]) as peers:
        yield peers


@pytest.fixture
def rig(tmp_path, peers):
    peers.cloud.replay("running_fleet")
    with Rig(tmp_path, peers) as rig:
        yield rig


def follow(rig, seconds):
    """Looks for so long, with the cloud's clock beside the bot's."""
    end = rig.time() + seconds
    while rig.queue.jobs and rig.time() < end:
        job, delay = rig.queue.jobs.pop(0)
        rig.time.sleep(delay)
        rig.cloud.clock.advance(delay)
        assert rig.work(job)


def begin(rig, words=f"watch {GOING.ask}", **place):
    before = len(rig.said)
    assert rig.work(rig.command(words, **place))
    return rig.said[before:]


def test_one_message_is_kept_up_to_date_to_the_end(rig):
    [message] = begin(rig)
    assert message.via == "chat.postMessage"
    assert "0 of 100 done" in message.text
    assert "next look <!date^" in str(message.blocks)
    calls = rig.cloud.count()
    follow(rig, 1_200)
    assert rig.queue.jobs == []
    assert "of 100 failed" in message.text
    assert "next look" not in str(message.blocks)
    assert len(message.versions) <= 25
    assert rig.cloud.count() - calls <= 30
    [_, reply] = rig.said
    assert (reply.thread_ts, reply.text.split(" ")[0]) == (message.ts, f"<@{MEI}>")


def test_a_watch_is_taken_back_with_its_reply(rig):
    [message] = begin(rig)
    follow(rig, 1_200)
    reply = rig.said[-1]
    rig.press(message, buttons.MORE, buttons.TAKE_BACK)
    assert (message.deleted, reply.deleted) == (True, True)


def test_the_button_of_a_running_answer_begins_a_watch(rig):
    [answer] = rig.ask(GOING.ask)
    [message] = rig.press(answer, buttons.WATCH)
    assert "0 of 100 done" in message.text
    assert len(rig.queue.jobs) == 1


def test_a_repeated_look_does_not_fork_the_chain(rig):
    begin(rig)
    job, _ = rig.queue.jobs.pop(0)
    assert rig.work(job)
    assert rig.work(job)
    assert len(rig.queue.jobs) == 1


def test_looks_bear_with_silence_and_stop_in_the_end(rig):
    [message] = begin(rig)
    rig.cloud.fail("denied", times=1_000)
    follow(rig, 1_200)
    assert rig.queue.jobs == []
    assert "I have stopped watching" in message.text


def test_a_deleted_message_ends_the_watch(rig):
    [message] = begin(rig)
    rig.slack.fail("error:message_not_found", method="chat.update")
    follow(rig, 10)
    assert rig.queue.jobs == []
    assert not message.deleted


def test_an_update_that_slack_puts_off_is_left_out(rig):
    begin(rig)
    rig.slack.fail("429", method="chat.update", retry_after=30)
    job, _ = rig.queue.jobs.pop(0)
    assert rig.work(job)
    assert len(rig.queue.jobs) == 1


def test_after_a_day_it_stops(rig):
    [message] = begin(rig)
    job, _ = rig.queue.jobs.pop(0)
    old = {**job.payload["look"], "began": 0}
    assert rig.work(Job(LOOK, "look_old", job.time, {**job.payload, "look": old}))
    assert "a day is over" in message.text


def test_a_person_who_may_no_longer_ask_stops_it(rig):
    [message] = begin(rig)
    rig.slack.workspace.channels[INCIDENTS].is_ext_shared = True
    rig.time.ahead += 400
    follow(rig, 5)
    assert "I have stopped watching" in message.text


def test_where_the_bot_is_no_member_the_answer_comes_once(rig):
    [answer] = begin(rig, channel=GENERAL)
    assert answer.via == "response_url"
    assert watch.NOT_A_MEMBER.split(".")[0] in answer.text
    assert rig.queue.jobs == []


def test_what_others_may_not_see_is_not_watched(rig):
    [refused] = begin(rig, channel=SECRET)
    assert refused.text.startswith("A watch is seen by the channel.")


def test_a_schedule_has_no_end(rig):
    [refused] = begin(rig, f"watch {SCHEDULE.ask}")
    assert refused.text == watch.NO_END


def test_a_run_that_has_ended_is_told_at_the_first_look(rig):
    [message] = begin(rig, f"watch {RUN}")
    follow(rig, 5)
    assert message.text.startswith("1 of 3 failed")


def test_only_runs_can_be_watched(rig):
    [refused] = begin(rig, "watch web-001")
    assert "Right would be: watch t-hz0jdfwd9f." in refused.text
