"""Following a run in one message to its end."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from bot import watch
from bot.adapters.slack import REPEAT
from bot.core import buttons
from bot.jobs import LOOK, Job
from rig import RUN, Peers, Rig, fleet
from sandbox.scenario import load
from sandbox.slack_wire import rate_limited
from sandbox.slack_workspace import GENERAL, INCIDENTS, LUCAS, MEI, PRIVATE, SECRET

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
    peers.slack.__dict__.pop("handle", None)


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


def test_pending_stands_apart_from_running_with_when_it_is_killed(rig):
    [message] = begin(rig)
    follow(rig, 70)
    seen = str(message.blocks)
    assert "running" in seen
    assert "pending" in seen
    assert "killed at " in seen
    assert "'{time}'" in seen
    assert "pending" in message.text


def test_it_says_how_long_the_last_five_runs_took(tmp_path):
    earlier = [fleet(1, run=f"t-hz0earlier{n}", CommandId="c-hz0fleet0001", CreationTime=f"-{n}d") for n in range(1, 8)]
    going = {"InvocationStatus": "Running", "StartTime": "-1m", "FinishedTime": "", "ExitCode": 0}
    with Peers([*earlier, fleet(1, InvocationResult=[going])]) as peers, Rig(tmp_path, peers) as rig:
        [message] = begin(rig, f"watch {RUN}")
    assert "The last 5 runs of this command took" in message.text


def test_a_second_press_and_a_second_asking_name_the_watch_that_there_is(rig):
    [answer] = rig.ask(GOING.ask)
    [message] = rig.press(answer, buttons.WATCH)
    [told] = rig.press(answer, buttons.WATCH, user=LUCAS)
    assert told.ephemeral_to == LUCAS
    assert told.text == f"I am watching it already: {link(message)}"
    [told] = begin(rig)
    assert told.text == f"I am watching it already: {link(message)}"
    assert len(rig.queue.jobs) == 1


def link(message):
    return f"https://acme.slack.com/archives/{message.channel}/p{message.ts.replace('.', '')}"


def test_a_watch_that_has_ended_can_be_begun_again(rig):
    begin(rig)
    follow(rig, 1_200)
    assert len(begin(rig)) == 1


def test_a_watch_whose_link_cannot_be_read_is_still_there(rig):
    begin(rig)
    rig.slack.fail("error:fatal_error", method="chat.getPermalink", times=9)
    [told] = begin(rig)
    assert told.text == "I am watching it already."
    assert len(rig.queue.jobs) == 1


def test_a_watch_that_could_not_begin_leaves_nothing_behind(rig):
    rig.cloud.fail("denied", times=20)
    [told] = begin(rig)
    assert "Alibaba Cloud refused" in told.text
    rig.cloud.mend()
    assert len(begin(rig)) == 1


def test_the_job_that_began_a_watch_delivered_again_before_it_was_done_posts_no_second_message(rig):
    """It posted and queued the look, and died before the lease said so."""
    rig.queue.refusing = True
    job = rig.command(f"watch {GOING.ask}")
    assert not rig.work(job)
    rig.queue.refusing = False
    assert rig.work(job)
    assert len(rig.said) == 1
    assert len(rig.queue.jobs) == 1


def test_two_watches_of_one_run_in_two_channels_both_live_and_end_right(rig):
    [here] = begin(rig)
    [there] = begin(rig, channel=PRIVATE)
    follow(rig, 1_500)
    assert rig.queue.jobs == []
    for message in (here, there):
        assert message.text.startswith("5 of 100 failed")
        assert len(message.versions) <= 25
        assert [said.thread_ts for said in rig.said if said.thread_ts == message.ts] == [message.ts]


@pytest.mark.parametrize("at_once", [False, True], ids=["one after another", "at once"])
def test_it_bears_with_doubled_deliveries_and_a_slack_that_refuses_every_fifth_call(rig, at_once):
    refusing = refuse_every_fifth(rig.slack)
    calls = rig.cloud.count()
    work_doubled(rig, rig.command(f"watch {GOING.ask}"), at_once=at_once)
    end = rig.time() + 1_500
    while rig.queue.jobs and rig.time() < end:
        rig.queue.jobs.sort(key=lambda queued: queued[1])
        job, delay = rig.queue.jobs.pop(0)
        rig.queue.jobs = [(other, left - delay) for other, left in rig.queue.jobs]
        rig.time.sleep(delay)
        rig.cloud.clock.advance(delay)
        work_doubled(rig, job, at_once=at_once)
    assert rig.queue.jobs == []
    [message, reply] = rig.said
    assert message.text.startswith("5 of 100 failed")
    assert (reply.thread_ts, reply.text.split(" ")[0]) == (message.ts, f"<@{MEI}>")
    assert len(message.versions) <= 25
    assert rig.cloud.count() - calls <= 30
    assert refusing.refused >= 5
    assert rig.slack.refused == []


def refuse_every_fifth(slack):
    """20 % of the calls are answered 429, whatever they are."""

    class Refusing:
        calls = refused = 0

        def __call__(self, request):
            self.calls += 1
            if self.calls % 5 == 0:
                self.refused += 1
                return rate_limited(1)
            return serve(request)

    serve, refusing = slack.handle, Refusing()
    slack.handle = refusing
    return refusing


def work_doubled(rig, job, *, at_once):
    with ThreadPoolExecutor(2) as pool:
        deliveries = [pool.submit(rig.work, job) for _ in range(2 if at_once else 1)]
    if not at_once:
        assert rig.work(job)
    assert all(delivery.result() for delivery in deliveries)


def test_refresh_under_a_living_watch_looks_at_once_and_forks_nothing(rig):
    [message] = begin(rig)
    follow(rig, 100)
    rig.cloud.clock.advance(20)
    rig.time.ahead += 20
    before = message.text
    assert rig.press(message, buttons.LOOK, user=LUCAS) == []
    assert message.text != before
    assert "running: worker-0" in message.text
    assert len(rig.queue.jobs) == 1
    assert texts(message) == ["Refresh"]


def test_refresh_revives_a_watch_that_stood_still_once(rig):
    [message] = begin(rig)
    follow(rig, 30)
    rig.queue.jobs.clear()
    rig.time.ahead += 200
    rig.cloud.clock.advance(200)
    stale = [block.copy() for block in message.blocks]
    rig.press(message, buttons.LOOK)
    message.blocks = stale
    rig.press(message, buttons.LOOK)
    assert len(rig.queue.jobs) == 1
    assert "next look <!date^" in str(message.blocks)
    follow(rig, 1_500)
    assert rig.queue.jobs == []
    assert message.text.startswith("5 of 100 failed")
    assert [said.thread_ts for said in rig.said] == [None, message.ts]


def test_a_look_that_comes_after_all_gives_way_to_the_revived_chain(rig):
    [message] = begin(rig)
    [late] = [job for job, _ in rig.queue.jobs]
    rig.queue.jobs.clear()
    rig.time.ahead += 30
    rig.press(message, buttons.LOOK)
    calls = rig.cloud.count()
    assert rig.work(late)
    assert rig.cloud.count() == calls
    assert len(rig.queue.jobs) == 1


def test_refresh_under_a_dead_watch_beside_a_living_one_shows_the_answer(rig):
    [old] = begin(rig)
    rig.queue.jobs.clear()
    rig.time.ahead += 300
    begin(rig)
    rig.press(old, buttons.LOOK)
    assert "Outputs" in texts(old) or "I'm on it" in texts(old)
    assert len(rig.queue.jobs) == 1


def texts(message):
    return [element.get("text", {}).get("text", "…") for element in message.blocks[-1]["elements"]]


def test_a_run_that_is_nowhere_is_named_beside_those_that_are_watched(rig):
    [message] = begin(rig, f"watch {GOING.ask} t-hz0nowhere0001")
    assert "0 of 100 done" in message.text
    assert "t-hz0nowhere0001" in str(message.blocks)
    follow(rig, 60)
    assert "t-hz0nowhere0001" in str(message.blocks)


def test_a_watch_whose_message_may_be_a_repeat_says_so_to_its_end(rig):
    rig.slack.fail("drop_after", "chat.postMessage")
    first, second = begin(rig)
    assert REPEAT not in first.text
    assert REPEAT in second.text
    follow(rig, 1_200)
    assert "of 100 failed" in second.text
    assert REPEAT in second.text


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
    message.deleted = True
    follow(rig, 10)
    assert rig.queue.jobs == []
    assert len(begin(rig)) == 1


@pytest.mark.parametrize("code", ["not_in_channel", "channel_not_found", "is_archived", "account_inactive"])
def test_a_bot_that_was_removed_ends_the_watch(rig, code):
    begin(rig)
    rig.slack.fail(f"error:{code}", method="chat.update")
    follow(rig, 10)
    assert rig.queue.jobs == []


def test_a_token_that_is_refused_for_a_while_ends_no_watch(rig):
    [message] = begin(rig)
    rig.slack.fail("error:invalid_auth", times=5)
    follow(rig, 1_200)
    assert "5 of 100 failed" in message.text.split("\n", 1)[0]


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
    assert "/invite" in answer.text
    assert rig.queue.jobs == []
    [again] = begin(rig, channel=GENERAL)
    assert "0 of 100 done" in again.text


def test_where_the_channel_may_not_see_it_the_answer_comes_once_and_privately(rig):
    [answer] = begin(rig, channel=SECRET)
    assert (answer.ephemeral_to, answer.via) == (MEI, "response_url")
    assert "0 of 100 done" in answer.text
    assert "A watch is seen by the channel. Only you see this" in answer.text
    assert "Invite me" in answer.text
    assert rig.queue.jobs == []


def test_a_schedule_has_no_end_and_can_be_subscribed_to(rig):
    [refused] = begin(rig, f"watch {SCHEDULE.ask}")
    assert refused.text.startswith("A schedule has no end to watch. Type subscribe command:check-replica to have")
    assert refused.ephemeral_to == MEI


def test_a_watch_cannot_be_private(rig):
    [refused] = begin(rig, f"watch {GOING.ask} private")
    assert refused.text.startswith("A watch cannot be private")
    assert refused.ephemeral_to == MEI
    assert rig.queue.jobs == []


def test_a_run_that_has_ended_is_told_at_the_first_look(rig):
    [message] = begin(rig, f"watch {RUN}")
    follow(rig, 5)
    assert message.text.startswith("1 of 3 failed")


def test_only_runs_can_be_watched(rig):
    [refused] = begin(rig, "watch web-001")
    assert "Right would be: watch t-hz0jdfwd9f." in refused.text
