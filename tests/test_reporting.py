"""From events of a run to what subscribed channels read."""

import itertools
import json
import math
import re
from datetime import UTC, datetime

import pytest

from bot.adapters.calls import Calls
from bot.adapters.cloud_assistant import CloudAssistant
from bot.adapters.slack import REPEAT
from bot.adapters.store import StoreError
from bot.core.events import InstanceEvent, TaskCompleted, Tick
from rig import RUN, Peers, Rig, fleet
from sandbox.scenario import load
from sandbox.slack_workspace import BOT_USER, INCIDENTS, PRIVATE

GOING = load("running_fleet")
SCHEDULE = load("schedule")
WHEN = {"cn-hangzhou": "-30m", "cn-shanghai": "-20m", "cn-beijing": "-10m"}
TAGGED = [
    fleet(2, region, f"t-tagged{number:04}", CommandName=f"step-{number}", CreationTime=made, Tags={"rollout": "r1"})
    for number, (region, made) in enumerate(WHEN.items())
]


@pytest.fixture(scope="module")
def peers():
    with Peers([GOING, SCHEDULE, fleet(), *TAGGED]) as peers:
        yield peers


@pytest.fixture
def rig(tmp_path, peers):
    peers.cloud.replay("running_fleet")
    with Rig(tmp_path, peers) as rig:
        yield rig


def completed(run=RUN, instance="i-1", region="cn-hangzhou", status="Failed", **fields):
    values = {"id": "e-1", "account": "", "at": None, "command_id": "", "command_name": "", "exit_code": 1}
    return TaskCompleted(
        region=region, invoke_id=run, instance_id=instance, status=status, finished=None, **values | fields
    )


def hear(rig, *events):
    """What the bot said because of events, and of all that follows from them."""
    before = len(rig.said)
    assert rig.worker.hear(events, "1-request")
    settle(rig)
    return rig.said[before:]


def tick(rig, seconds=300):
    """What is said because the timer has come round, so many seconds on."""
    rig.time.sleep(seconds)
    rig.cloud.clock.advance(seconds)
    return hear(rig, Tick("tick", None, '{"job":"tick"}'))


def settle(rig, seconds=7_200):
    """Works off what is queued, each job when it is due, the cloud's clock beside the bot's."""
    end = rig.time() + seconds
    while rig.queue.jobs:
        rig.queue.jobs.sort(key=lambda pair: rig.queue.due[pair[0].task_id])
        job, _ = rig.queue.jobs[0]
        due = rig.queue.due[job.task_id]
        if due > end:
            return
        rig.queue.jobs.pop(0)
        wait = max(0.0, due - rig.time())
        rig.time.sleep(wait)
        rig.cloud.clock.advance(wait)
        assert rig.work(job)


def subscribe(rig, words="subscribe", channel=INCIDENTS):
    [message] = rig.ask(words, channel=channel)
    return message


def test_a_failed_run_is_told_once_with_its_failures_in_the_thread(rig):
    assert "failures of everything" in subscribe(rig).text
    notice, reply = hear(rig, completed(instance="i-1"), completed(instance="i-2"))
    assert notice.text.startswith("1 of 3 failed: deploy-web")
    assert notice.channel == INCIDENTS
    assert reply.thread_ts == notice.ts
    assert "web-001" in reply.text


def test_who_has_not_subscribed_is_not_told_and_the_cloud_is_not_asked(rig):
    assert hear(rig, completed()) == []
    assert rig.cloud.count() == 0


def test_a_run_that_goes_on_is_told_a_minute_after_its_first_failure_and_at_its_end(rig):
    subscribe(rig)
    calls = rig.cloud.count()
    rig.cloud.clock.advance(200)
    assert rig.worker.hear([completed(GOING.ask)], "1-request")
    settle(rig, 30)
    before = len(rig.said)
    settle(rig)
    notice, *replies = rig.said[1:]
    assert before == 1
    assert [reply.thread_ts for reply in replies] == [notice.ts]
    assert "of 100 failed" in notice.text
    assert 3 <= len(notice.versions) <= 20
    assert rig.cloud.count() - calls <= 40


def test_a_message_that_may_be_a_repeat_says_so_for_as_long_as_it_is_kept_right(rig):
    subscribe(rig)
    rig.cloud.clock.advance(200)
    rig.slack.fail("drop_after", "chat.postMessage")
    first, second, *_ = hear(rig, completed(GOING.ask))
    assert len(second.versions) >= 3
    assert [REPEAT in message.text for message in (first, second)] == [False, True]


def test_two_channels_are_told_what_each_wants(rig):
    subscribe(rig, "subscribe command:backup-*")
    subscribe(rig, "subscribe instance:web-001 ring:U024BE7LH", channel=PRIVATE)
    notice, reply = hear(rig, completed())
    assert (notice.channel, reply.channel) == (PRIVATE, PRIVATE)
    assert notice.text.startswith("1 of 1 failed: deploy-web")
    assert reply.text.startswith("<@U024BE7LH> ")


def test_an_event_that_comes_again_after_the_end_makes_no_call_and_no_message(rig):
    subscribe(rig)
    hear(rig, completed())
    calls = rig.cloud.count()
    rig.time.sleep(60)
    assert hear(rig, completed()) == []
    assert rig.cloud.count() == calls


def test_a_run_that_was_answered_in_the_channel_is_not_posted_again(rig):
    subscribe(rig)
    subscribe(rig, channel=PRIVATE)
    rig.ask(RUN)
    assert {message.channel for message in hear(rig, completed())} == {PRIVATE}


def test_a_run_that_is_watched_in_the_channel_is_not_posted_there(rig):
    subscribe(rig)
    rig.work(rig.command(f"watch {GOING.ask}"))
    before = len(rig.said)
    rig.cloud.clock.advance(3_600)
    rig.time.sleep(3_600)
    rig.queue.jobs.clear()
    assert hear(rig, completed(GOING.ask)) == []
    assert len(rig.said) == before


def test_a_run_whose_watch_somebody_has_deleted_is_posted_as_any_other(rig):
    subscribe(rig)
    rig.work(rig.command(f"watch {GOING.ask}"))
    rig.said[-1].deleted = True
    settle(rig, 30)
    rig.cloud.clock.advance(3_600)
    rig.time.sleep(3_600)
    notice, reply = hear(rig, completed(GOING.ask))
    assert "of 100 failed" in notice.text
    assert reply.thread_ts == notice.ts


def test_an_event_without_a_run_finds_it_by_command_instance_and_time(rig):
    subscribe(rig)
    [instance] = [one["InstanceId"] for one in rows_of(rig, RUN) if one["InvocationStatus"] == "Failed"]
    at = datetime.fromtimestamp(rig.time() - 180, UTC)
    notice, _ = hear(rig, completed("", instance, command_name="deploy-web", at=at))
    assert notice.text.startswith("1 of 3 failed: deploy-web")
    assert hear(rig, completed("", "i-unknown", command_id="c-hz0fleet0001")) == []


def test_runs_that_end_in_the_same_moment_are_all_found_though_one_event_stands_for_them(tmp_path):
    kept = {"CommandId": "c-hz0kept0001"}
    long_ago = {"StartTime": "-9h", "FinishedTime": "-8h", "ExitCode": 1, "Output": "disk full"}
    old = fleet(2, run="t-hz0batch999", CreationTime="-9h", InvocationResult=[long_ago], **kept)
    runs = [fleet(2, run=f"t-hz0batch{number:03}", **kept) for number in range(3)]
    with Peers([*runs, old]) as peers, Rig(tmp_path, peers) as rig:
        subscribe(rig)
        [instance] = [one["InstanceId"] for one in rows_of(rig, runs[0].ask) if one["InvocationStatus"] == "Failed"]
        at = datetime.fromtimestamp(rig.time() - 180, UTC)
        hear(rig, completed("", instance, command_id="c-hz0kept0001", at=at))
        [notice] = [message for message in rig.said[1:] if not message.thread_ts]
    assert notice.text.startswith("3 of 6 failed: deploy-web")


def test_an_event_without_a_run_waits_for_its_own_and_takes_no_older_one_of_the_command(rig):
    subscribe(rig)
    [instance] = [one["InstanceId"] for one in rows_of(rig, RUN) if one["InvocationStatus"] == "Failed"]
    assert hear(rig, completed("", instance, command_name="deploy-web", at=datetime(2026, 1, 1, tzinfo=UTC))) == []


def rows_of(rig, run):
    cloud = CloudAssistant(rig.settings, rig.settings.credentials, rig.worker._store, deadline=rig.time() + 30)
    [found] = cloud.invocations("cn-hangzhou", {"InvokeId": run}, 1)
    return [{"InstanceId": one.instance_id, "InvocationStatus": one.status} for one in found.targets]


def test_runs_that_share_a_tag_share_one_message_whatever_their_region_command_and_time(tmp_path, peers):
    with Rig(tmp_path, peers, {"BOT_RUN_TAG": "rollout"}) as rig:
        subscribe(rig)
        told = hear(rig, *(completed(one.ask, region=one.regions[0]) for one in TAGGED))
    [notice] = [message for message in told if not message.thread_ts]
    assert notice.text.startswith("3 of 6 failed: 3 commands, 3 regions")


def test_of_runs_that_share_a_message_a_channel_is_told_only_of_those_that_it_wants(tmp_path, peers):
    with Rig(tmp_path, peers, {"BOT_RUN_TAG": "rollout"}) as rig:
        subscribe(rig, "subscribe command:step-1")
        subscribe(rig, "subscribe region:cn-beijing instance:web-001", channel=PRIVATE)
        rig.ask("mute command:step-2 2h hard", channel=PRIVATE)
        told = hear(rig, *(completed(one.ask, region=one.regions[0]) for one in TAGGED))
        held = tick(rig, 7_500)
    assert {message.channel for message in told} == {INCIDENTS}
    for message in told:
        assert "1 of 2 failed: step-1, cn-shanghai" in message.text
        whole = message.text + json.dumps(message.blocks)
        assert [word for word in ("step-0", "step-2", "cn-beijing", "cn-hangzhou", "3 commands") if word in whole] == []
        assert [one.ask for one in TAGGED if one.ask in whole] == [TAGGED[1].ask] * bool(message.blocks)
    assert {message.channel for message in held} == {PRIVATE}
    assert held[0].text.startswith("1 of 1 failed: step-2 on web-001 (")


def test_a_run_that_is_nowhere_is_left_alone(rig):
    subscribe(rig)
    assert hear(rig, completed("t-hz0nowhere1")) == []


def test_a_command_that_nobody_wants_to_hear_of_is_read_once(rig):
    subscribe(rig, "subscribe command:backup-*")
    assert hear(rig, completed()) == []
    calls = rig.cloud.count()
    assert hear(rig, completed(instance="i-2")) == []
    assert rig.cloud.count() == calls


def test_a_throttled_cloud_is_asked_again_later(rig):
    subscribe(rig)
    rig.cloud.fail("throttle", action="DescribeInvocations", times=1, headers={"x-acs-retry-after": "30000"})
    notice, _ = hear(rig, completed())
    assert notice.text.startswith("1 of 3 failed")


def test_a_cloud_without_an_answer_is_asked_again_later(rig):
    subscribe(rig)
    rig.cloud.fail("http500", action="DescribeInvocations", times=4)
    notice, _ = hear(rig, completed())
    assert notice.text.startswith("1 of 3 failed")


def test_an_event_that_comes_before_the_cloud_shows_its_run_is_not_lost(rig, monkeypatch):
    subscribe(rig)
    shown = rig.time() + 20
    real = CloudAssistant.invocations

    def late(cloud, *arguments, **more):
        return real(cloud, *arguments, **more) if rig.time() >= shown else []

    monkeypatch.setattr(CloudAssistant, "invocations", late)
    notice, _ = hear(rig, completed())
    assert notice.text.startswith("1 of 3 failed")


@pytest.mark.parametrize("fault", ["throttle", "http500"])
def test_a_filter_waits_for_the_names_that_it_needs(rig, fault):
    subscribe(rig, "subscribe instance:web-*")
    rig.cloud.fail(fault, action="DescribeInstances", times=4)
    notice, _ = hear(rig, completed())
    assert notice.text.startswith("1 of 3 failed")


def test_names_that_nobody_may_read_keep_no_other_channel_waiting(rig):
    subscribe(rig, "subscribe instance:web-*")
    subscribe(rig, channel=PRIVATE)
    rig.cloud.fail("denied", action="DescribeInstances", times=99)
    assert {message.channel for message in hear(rig, completed())} == {PRIVATE}


def test_a_store_that_is_away_only_puts_news_off(rig, monkeypatch):
    subscribe(rig)
    gone_until(rig, monkeypatch, rig.time() + 600)
    notice, reply = hear(rig, completed())
    assert notice.text.startswith("1 of 3 failed")
    assert reply.thread_ts == notice.ts


@pytest.mark.parametrize("first", [12, 16, 18, 19, 20, 24])
def test_a_store_that_fails_in_between_only_puts_news_off(rig, monkeypatch, first):
    subscribe(rig)
    calls = itertools.count(1)
    break_store(rig, monkeypatch, lambda: first <= next(calls) < first + 3)
    told = hear(rig, completed())
    assert [bool(message.thread_ts) for message in told] == [False, True]


def test_news_of_a_day_ago_is_not_waited_for_any_more(rig, monkeypatch, caplog):
    subscribe(rig)
    gone_until(rig, monkeypatch, math.inf)
    assert rig.worker.hear([completed()], "1-request")
    settle(rig, 90_000)
    assert rig.queue.jobs == []
    assert "crash 1-request: StoreError" in caplog.text


def test_slack_may_be_away_for_an_hour(rig):
    subscribe(rig)
    rig.slack.fail("500", method="chat.postMessage", times=80)
    notice, _ = hear(rig, completed())
    assert rig.time.ahead > 3_600
    assert notice.text.startswith("1 of 3 failed")


def gone_until(rig, monkeypatch, end):
    break_store(rig, monkeypatch, lambda: rig.time() < end)


def break_store(rig, monkeypatch, away):
    """The store does not answer where `away()` says so."""

    def breaking(real):
        def call(*arguments, **more):
            if away():
                raise StoreError("away")
            return real(*arguments, **more)

        return call

    for method in ("claim", "mark", "get", "put", "delete", "list"):
        monkeypatch.setattr(rig.worker._store, method, breaking(getattr(rig.worker._store, method)))


# What follows from one failing thing


def test_a_schedule_that_fails_all_night_is_one_message(rig):
    subscribe(rig)
    rig.cloud.replay("schedule")
    for _ in range(72):
        rig.time.sleep(300)
        rig.cloud.clock.advance(300)
        assert rig.worker.hear([completed(SCHEDULE.ask)], "1-request")
        settle(rig, 60)
    notice, *replies = rig.said[1:]
    assert "in a row" in notice.text
    assert {reply.thread_ts for reply in replies} == {notice.ts}
    assert len(replies) <= 2


def test_a_schedule_that_failed_before_anybody_subscribed_is_counted_in_one_way(rig):
    rig.cloud.replay("schedule")
    rig.cloud.clock.advance(3_600)
    rig.time.sleep(3_600)
    subscribe(rig)
    notice, _ = hear(rig, completed(SCHEDULE.ask))
    rig.time.sleep(900)
    rig.cloud.clock.advance(900)
    hear(rig, completed(SCHEDULE.ask))
    said = re.findall(r"[Ff]ailed (?:at least )?(\d+) times in a row", notice.text)
    assert len(said) == 1
    assert int(said[0]) > 3


def test_a_channel_that_we_were_removed_from_loses_its_subscriptions(rig, caplog):
    subscribe(rig)
    rig.slack.workspace.channels[INCIDENTS].members.discard(BOT_USER)
    assert hear(rig, completed()) == []
    assert "channel lost (not_in_channel), its 1 subscriptions are removed" in caplog.text


def test_a_channel_where_only_some_may_post_for_a_while_keeps_its_subscriptions(rig, caplog):
    subscribe(rig)
    rig.slack.fail("error:restricted_action", method="chat.postMessage", times=1)
    assert hear(rig, completed()) == []
    assert "no way to answer" in caplog.text
    [listed] = rig.ask("subscriptions")
    assert listed.text.startswith("1 subscription.")


def test_a_message_that_may_not_be_changed_stands_and_what_must_ring_rings_all_the_same(rig, caplog):
    subscribe(rig)
    rig.cloud.replay("schedule")
    notice, _ = hear(rig, completed(SCHEDULE.ask))
    before = notice.text
    rig.slack.fail("error:restricted_action", method="chat.update", times=99)
    rig.time.sleep(4 * 3_600 + 300)
    rig.cloud.clock.advance(4 * 3_600 + 300)
    [reply] = hear(rig, completed(SCHEDULE.ask))
    assert (reply.thread_ts, notice.text) == (notice.ts, before)
    assert reply.text.startswith("Still failing, ")
    assert "not kept right, since the workspace does not allow it" in caplog.text
    rig.slack.mend()
    [listed] = rig.ask("subscriptions")
    assert listed.text.startswith("1 subscription.")


def test_a_bot_that_slack_does_not_know_for_a_while_loses_no_subscriptions(rig):
    subscribe(rig)
    rig.slack.fail("error:account_inactive", method="chat.postMessage", times=1)
    notice, _ = hear(rig, completed())
    assert notice.text.startswith("1 of 3 failed")
    [listed] = rig.ask("subscriptions")
    assert listed.text.startswith("1 subscription.")


def test_a_message_that_was_deleted_is_made_anew_when_there_is_news(rig):
    subscribe(rig)
    rig.cloud.replay("schedule")
    notice, *_ = hear(rig, completed(SCHEDULE.ask))
    rig.worker.slack(rig.time() + 30, Calls(), rig.settings.credentials).delete(notice.channel, notice.ts)
    rig.time.sleep(300)
    rig.cloud.clock.advance(300)
    again = [message for message in hear(rig, completed(SCHEDULE.ask)) if not message.thread_ts]
    assert len(again) == 1


def test_a_notice_whose_blocks_slack_refuses_is_told_as_text_and_later_kept_right(rig, caplog):
    subscribe(rig)
    rig.cloud.replay("schedule")
    rig.slack.fail("error:invalid_blocks", method="chat.postMessage")
    notice, _ = hear(rig, completed(SCHEDULE.ask))
    assert (notice.blocks, "failed" in notice.text) == ([], True)
    assert "Slack refused the blocks, so the text goes out alone" in caplog.text
    rig.time.sleep(300)
    rig.cloud.clock.advance(300)
    assert hear(rig, completed(SCHEDULE.ask)) == []
    assert "failed 73 times in a row" in json.dumps(notice.blocks)


# Subscriptions


def test_subscriptions_are_listed_and_ended_by_word_and_by_button(rig):
    subscribe(rig)
    subscribe(rig, "subscribe all region:cn-shanghai")
    [listed] = rig.ask("subscriptions")
    assert listed.text.startswith("2 subscriptions.\n")
    [ended] = rig.press(listed, "unsubscribe")
    assert "not subscribed any more to" in ended.text
    [refused] = rig.ask("unsubscribe command:other")
    assert "Which one?" in refused.text
    rig.ask("unsubscribe everything")
    assert hear(rig, completed()) == []
    [none] = rig.ask("unsubscribe")
    assert none.text == "This channel has no subscriptions."


def test_the_same_subscription_twice_is_one(rig):
    subscribe(rig)
    assert "subscribed already" in subscribe(rig).text
    [ended] = rig.ask("unsubscribe")
    assert "failures of everything" in ended.text


def test_a_channel_that_the_bot_cannot_post_to_is_not_subscribed(rig):
    channel = rig.slack.workspace.channels[INCIDENTS]
    channel.members.discard(BOT_USER)
    [refused] = rig.ask("subscribe")
    assert "Invite me with /invite" in refused.text
    assert hear(rig, completed()) == []


def test_where_the_store_does_not_last_nothing_is_promised(tmp_path, peers):
    environment = {"FC_FUNCTION_NAME": "bot", "BOT_STORE": "", "TMPDIR": str(tmp_path)}
    with Rig(tmp_path, peers, environment) as rig:
        [refused] = rig.ask("subscribe")
    assert "BOT_STORE=tablestore://" in refused.text


def test_system_events_are_told_to_who_subscribes_to_them(rig):
    subscribe(rig)
    subscribe(rig, "subscribe events:maintenance ring:U024BE7LH", channel=PRIVATE)
    [one] = [one["InstanceId"] for one in rows_of(rig, RUN) if one["InvocationStatus"] == "Failed"]
    maintenance = system_event(one, "Instance:SystemMaintenance.Reboot", "Scheduled")
    [notice] = hear(rig, maintenance, maintenance)
    assert notice.channel == PRIVATE
    assert notice.text.startswith("<@U024BE7LH> web-001: maintenance by the vendor, reboot, scheduled.")
    assert hear(rig, system_event(one, "Instance:StateChange", "Stopped")) == []


def test_a_system_event_of_an_instance_without_a_name_is_told_by_its_id(rig):
    subscribe(rig, "subscribe events:failure")
    subscribe(rig, "subscribe events:failure instance:db-*", channel=PRIVATE)
    rig.cloud.fail("denied", action="DescribeInstances")
    [notice] = hear(rig, system_event("i-unknown", "Instance:SystemFailure.Reboot", "Executing"))
    assert notice.text.startswith("i-unknown: system failure of the host, reboot, executing.")


@pytest.mark.parametrize("fault", ["throttle", "http500"])
def test_a_system_event_waits_for_the_name_that_a_filter_needs(rig, fault):
    subscribe(rig, "subscribe events:maintenance instance:web-*")
    [one] = [one["InstanceId"] for one in rows_of(rig, RUN) if one["InvocationStatus"] == "Failed"]
    rig.cloud.fail(fault, action="DescribeInstances", times=4)
    [notice] = hear(rig, system_event(one, "Instance:SystemMaintenance.Reboot", "Scheduled"))
    assert notice.text.startswith("web-001: maintenance")


def test_nobody_asks_for_a_name_that_nobody_wants_to_hear(rig):
    subscribe(rig)
    assert hear(rig, system_event("i-1", "Disk:Stalled", "")) == []
    assert rig.cloud.count() == 0


def test_a_notice_that_is_under_way_is_not_told_to_who_has_unsubscribed(rig):
    subscribe(rig)
    subscribe(rig, channel=PRIVATE)
    rig.slack.fail("429", method="chat.postMessage", times=2, retry_after=100)
    assert rig.worker.hear([completed()], "1-request")
    settle(rig, 20)
    assert rig.work(rig.command("unsubscribe everything", channel=PRIVATE))
    before = len(rig.said)
    settle(rig)
    assert {message.channel for message in rig.said[before:]} == {INCIDENTS}


def test_a_chore_that_fails_keeps_no_other_from_being_done(rig, caplog):
    subscribe(rig)
    rig.ask("digest daily 09:00")
    rig.worker._store.put("held/C0X/of-another-version", {}, rig.time() + 90_000)
    rig.time.sleep(86_400)
    assert rig.worker.hear([Tick("tick", None, '{"job": "tick"}')], "1-request")
    [(chore, _)] = rig.queue.jobs
    rig.queue.jobs.clear()
    assert not rig.work(chore)
    assert "crash 1-request: KeyError" in caplog.text
    [digest] = rig.work_off() or rig.said[-1:]
    assert "digest daily at 09:00" in json.dumps(digest.blocks)


def test_a_timer_of_another_version_is_logged(rig, caplog):
    assert hear(rig, Tick("brush", None, '{"job": "teeth"}'), Tick("comb", None, "hair")) == []
    assert "no chore of this name: teeth" in caplog.text
    assert "no chore of this name: comb" in caplog.text


def system_event(instance, name, status):
    return InstanceEvent(f"e-{name}-{instance}", "", "cn-hangzhou", None, name, status, "", instance, "")
