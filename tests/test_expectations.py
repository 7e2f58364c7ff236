"""What ought to have happened and did not, as the channel that expects it reads it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot import expected
from bot.core.events import Tick
from bot.core.wording import clock_time
from bot.jobs import CHORE, EXPECTATION, Job
from rig import Peers, Rig, Time
from sandbox.scenario import build
from sandbox.slack_workspace import BOT_USER, INCIDENTS
from test_reporting import hear, rows_of, settle

DB = {"instances": "db-01", "StartTime": "-4m", "FinishedTime": "-3m", "ExitCode": 0, "Output": "saved"}
BACKUP = {
    "RegionId": "cn-hangzhou",
    "InvokeId": "t-hz0backup001",
    "CommandId": "c-hz0backup001",
    "CommandName": "backup-db",
    "CreationTime": "-5m",
    "targets": ["db-[01-03]"],
    "InvocationResult": [
        DB,
        {**DB, "instances": "db-02", "ExitCode": 2, "Output": "disk full"},
        {"instances": "db-03", "InvocationStatus": "Aborted", "ErrorCode": "ClientNotOnline"},
    ],
}
SCHEDULE = {
    "RegionId": "cn-hangzhou",
    "InvokeId": "t-hz0nightly01",
    "CommandId": "c-hz0nightly01",
    "CommandName": "nightly",
    "CreationTime": "-3d",
    "RepeatMode": "Period",
    "Frequency": "rate(10m)",
    "targets": ["db-[01,02]"],
    "InvocationResult": [
        {
            "instances": "db-01",
            "StartTime": "-2m",
            "FinishedTime": "-1m",
            "every": "10m",
            "runs": [{"repeats": 30, "ExitCode": 0}, {"repeats": 2, "ExitCode": 1}],
        },
        {
            "instances": "db-02",
            "StartTime": "-2m",
            "FinishedTime": "-1m",
            "every": "10m",
            "runs": [{"repeats": 32, "ExitCode": 1}],
        },
    ],
}


@pytest.fixture(scope="module")
def peers():
    instances = [
        {"RegionId": "cn-hangzhou", "InstanceName": "db-[01-05]", "private_ip": "10.9.1.1", "Tags": {"backup": "yes"}},
        {"RegionId": "cn-shanghai", "InstanceName": "sh-01", "private_ip": "10.9.2.1", "Tags": {"backup": "yes"}},
    ]
    scenario = {
        "title": "Backups",
        "about": "Some of them.",
        "ask": "t-hz0backup001",
        "regions": ["cn-hangzhou", "cn-shanghai"],
        "Instance": instances,
        "Invocation": [BACKUP, SCHEDULE],
    }
    with Peers([build("backups", scenario)]) as peers:
        yield peers


def expect(rig, command="backup-*", where="tag:backup=yes", rest=""):
    """Expects it each hour, next in half an hour, so that what ran just now is in the hour."""
    minute = int(rig.time() // 60 + 30) % 60
    return rig.ask(f"expect command:{command} hourly by:00:{minute:02d} on:{where} {rest}")


def due(rig):
    """Moves on to the next due time, and what is said then. The cloud's past stays as near as it was."""
    [one, *_] = expected.everywhere(rig.worker._store, rig.time())
    rig.time.sleep(max(0.0, one.due - rig.time()) + 1)
    return tick(rig)


def tick(rig, seconds=0):
    rig.time.sleep(seconds)
    return hear(rig, Tick("tick", None, '{"job":"tick"}'))


@pytest.fixture
def clock(rig, monkeypatch):
    """The cloud's clock where the bot's is, however far that was moved."""
    monkeypatch.setattr(rig.cloud.clock, "now", lambda: datetime.fromtimestamp(rig.time(), UTC))


def test_who_has_no_good_run_is_named_by_why_at_the_due_time(rig, clock):
    [said] = expect(rig)
    assert said.text.startswith("mei expects here: backup-* hourly by minute ")
    [told] = due(rig)
    assert "(Asia/Shanghai) on tag backup=yes." in said.text
    assert told.channel == INCIDENTS
    assert told.text.startswith("5 of 6 missed backup-*, due 20")
    lines = told.text.split("\n")
    assert "3 no run found: db-[04,05] cn-hangzhou; sh-01 cn-shanghai." in lines
    assert "1 never ran: db-03 cn-hangzhou." in lines
    assert "1 failed: db-02 cn-hangzhou." in lines
    assert tick(rig, 60) == []
    assert tick(rig, 300) == []


def test_what_has_happened_is_no_news(rig, clock):
    expect(rig, "backup-db", "instance:db-01")
    assert due(rig) == []
    [listed] = rig.ask("expectations")
    assert "last time: all 1 fine" in listed.text


def test_of_a_schedule_made_long_ago_every_run_of_the_period_counts(rig, clock):
    expect(rig, "nightly", "instance:db-*")
    [told] = due(rig)
    assert told.text.startswith("4 of 5 missed nightly")
    assert "1 failed: db-02 cn-hangzhou." in told.text.split("\n")


def test_what_was_not_read_is_said(rig, clock, monkeypatch):
    monkeypatch.setattr("bot.expectations._MOST_INSTANCES", 5)
    monkeypatch.setattr("bot.expectations._MOST_RUNS", 1)
    monkeypatch.setattr("bot.expectations._MOST_READ", 0)
    expect(rig, "nightly", "tag:backup=yes")
    [told] = due(rig)
    assert "Only the first 5 instances in cn-hangzhou were checked." in told.text
    assert "Results of 1 run were not read." in told.text
    expect(rig, "backup-db", "instance:db-*")
    rig.ask("unexpect command:nightly hourly")
    assert "Older runs in cn-hangzhou were not read." in "".join(one.text for one in due(rig))


def test_instances_are_named_by_id_too(rig, clock):
    [db] = [one["InstanceId"] for one in rows_of(rig, "t-hz0backup001") if one["InvocationStatus"] == "Success"]
    expect(rig, "c-hz0backup001", f"instance:{db}")
    assert due(rig) == []


def test_an_expectation_of_another_version_is_left_alone(rig, clock):
    expect(rig)
    store = rig.worker._store
    [one] = expected.everywhere(store, rig.time())
    store.put(one.key, {**one.value(), "words": "moon:full"}, one.due + 9_999)
    assert expected.everywhere(store, rig.time()) == []
    payload = {"key": one.key, "due": one.due}
    assert rig.work(Job(EXPECTATION, "test_other_version", 1, payload))
    assert store.get(one.key, rig.time()).value["words"] == "moon:full"
    store.delete(one.key)
    assert rig.work(Job(EXPECTATION, "test_ended", 1, payload))


def test_a_check_that_another_makes_is_waited_for(rig, clock):
    expect(rig)
    store, now = rig.worker._store, rig.time()
    [one] = expected.everywhere(store, now)
    store.claim(one.key, "another", now, now + 5, now + 9_999_999)
    assert rig.work(Job(EXPECTATION, "test_waits", int(now), {"key": one.key, "due": one.due}))
    [(again, wait)] = rig.queue.jobs
    assert again.kind == EXPECTATION
    assert wait >= 5
    rig.queue.jobs.clear()


def test_a_missed_expectation_rings(rig, clock):
    expect(rig, rest="ring:<@U024BE7LH>")
    [told] = due(rig)
    assert told.text.startswith("<@U024BE7LH> 5 of 6 missed")


def test_a_late_timer_checks_once_and_says_so(rig, clock):
    expect(rig)
    [told] = tick(rig, 5.85 * 3_600)
    assert told.text.startswith("6 of 6 missed")
    assert " min late." in told.text
    assert "5 due times before that were not checked, the first 20" in told.text
    assert tick(rig, 60) == []


def test_due_times_that_nobody_checked_are_told_although_the_last_one_was_met(rig, clock):
    expect(rig, "backup-db", "instance:db-01")
    [one] = expected.everywhere(rig.worker._store, rig.time())
    expected.add(rig.worker._store, [replace(one, due=one.due - 2 * 3_600)])
    [told] = due(rig)
    assert told.text.startswith("0 of 1 missed backup-db, due 20")
    assert "1 due time before that was not checked: 20" in told.text
    assert expected.everywhere(rig.worker._store, rig.time())[0].missed_at == 0


def test_a_check_at_the_very_second_is_of_that_due_time(rig, clock, monkeypatch):
    expect(rig)
    [one] = expected.everywhere(rig.worker._store, rig.time())
    begun = rig.time.ahead
    monkeypatch.setattr(Time, "__call__", lambda self: one.due + self.ahead - begun)
    [told] = hear(rig, Tick("tick", None, '{"job":"tick"}'))
    assert f", due {clock_time(datetime.fromtimestamp(one.due, UTC), one.zone)}" in told.text
    assert "before that" not in told.text


def test_two_timers_at_once_make_one_check(rig, clock):
    expect(rig)
    [one] = expected.everywhere(rig.worker._store, rig.time())
    rig.time.sleep(one.due - rig.time() + 1)
    before = len(rig.said)
    for number in (1, 2):
        assert rig.work(Job(CHORE, f"test_tick{one.due}{number}", 1, {"name": "tick", "payload": '{"job":"tick"}'}))
    settle(rig)
    assert len(rig.said) == before + 1


def test_a_check_that_cannot_be_made_is_tried_again_and_then_said(rig, clock):
    expect(rig)
    rig.cloud.fail("denied", action="DescribeInvocations", times=1_000)
    assert due(rig) == []
    [told] = tick(rig, 1_200)
    assert told.text.startswith("Could not check backup-*, due")
    assert "Runs in cn-hangzhou could not be read" in told.text


def test_a_tag_that_nothing_bears_is_said(rig, clock):
    expect(rig, "backup-db", "tag:nothing=here")
    [told] = due(rig)
    assert "No instance with tag nothing=here in" in told.text


def test_expectations_are_listed_and_ended_by_word_and_by_button(rig):
    expect(rig)
    assert "expects here already" in expect(rig)[0].text
    rig.ask("expect command:other daily by:03:30 on:instance:db-01")
    [refused] = rig.ask("unexpect")
    assert "Which one?" in refused.text
    [listed] = rig.ask("expectations")
    assert listed.text.startswith("2 expectations.\n")
    assert "by mei, next due" in listed.text
    [ended] = rig.press(listed, "unexpect")
    assert ended.text.startswith("Not expected here any more:")
    rig.ask("unexpect")
    assert rig.ask("unexpect")[0].text == "Nothing is expected in this channel."
    assert rig.ask("expectations")[0].text.startswith("Nothing is expected in this channel.")


def test_a_missed_expectation_of_a_muted_command_waits(rig, clock):
    expect(rig)
    rig.ask("mute command:backup-* 2h hard")
    assert due(rig) == []
    told = tick(rig, 2 * 3_600)
    assert any("Held back" in one.text for one in told)


def test_the_menu_of_a_missed_expectation_mutes_its_commands(rig, clock):
    expect(rig)
    due(rig)
    [told] = due(rig)  # by now on none of them, so that none more can break the mute
    [said] = rig.press(told, "more", "mute_night")
    assert said.text.startswith("mei has muted backup-* in this channel until")
    assert due(rig) == []


def test_a_channel_that_we_were_removed_from_expects_nothing_any_more(rig, clock):
    expect(rig)
    rig.slack.workspace.channels[INCIDENTS].members.discard(BOT_USER)
    assert due(rig) == []
    assert expected.everywhere(rig.worker._store, rig.time()) == []


def test_where_the_bot_cannot_post_or_remember_nothing_is_expected(rig, tmp_path, peers):
    rig.slack.workspace.channels[INCIDENTS].members.discard(BOT_USER)
    [refused] = expect(rig)
    assert "Invite me with /invite" in refused.text
    environment = {"FC_FUNCTION_NAME": "bot", "BOT_STORE": "", "TMPDIR": str(tmp_path / "other")}
    (tmp_path / "other").mkdir()
    with Rig(tmp_path, peers, environment) as other:
        [refused] = expect(other)
    assert "cannot remember an expectation" in refused.text
