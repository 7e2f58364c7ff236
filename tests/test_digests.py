"""The digest of a channel: set and told, sent once when it is due, in sentences and a chart."""

import json

import pytest

from bot import expected
from bot.adapters import shared_replies
from bot.core.events import Tick
from bot.core.expectations import read
from bot.expected import Expected
from rig import PATIENT, Peers, Rig, fleet
from sandbox.slack_workspace import BOT_USER, INCIDENTS, PRIVATE
from test_reporting import completed, hear, settle, subscribe

DAY = 86_400
CHART = "data_visualization"


@pytest.fixture(scope="module")
def peers():
    with Peers([fleet(), fleet(1, run="t-hz0backup001", CommandName="backup-db")]) as peers:
        yield peers


def tick(rig):
    """What the bot said because of the timer, and of all that follows."""
    before = len(rig.said)
    assert rig.worker.hear([Tick("tick", None, '{"job":"tick"}')], "1-request")
    settle(rig)
    return rig.said[before:]


def due(rig, channel=INCIDENTS):
    return rig.worker._store.get(f"digest/{channel}", rig.time()).value["due"]


def kinds(message):
    return [block["type"] for block in message.blocks]


def test_a_digest_is_set_in_the_persons_zone_and_said_to_the_channel(rig):
    [said] = rig.ask("digest daily 9:00")
    assert said.channel == INCIDENTS
    assert said.text.startswith("A digest comes daily at 09:00 Asia/Shanghai, the first on ")
    [told] = rig.ask("digest")
    assert told.text.startswith("A digest comes daily at 09:00 Asia/Shanghai, the next on ")
    [ended] = rig.ask("digest off")
    assert "No daily digest any more" in ended.text
    assert [rig.ask(words)[0].text for words in ("digest", "digest off")] == [
        "There is no daily digest here. Begin with: digest daily 09:00",
        "There is no daily digest here.",
    ]
    assert tick(rig) == []


def test_a_digest_that_is_due_goes_out_once_and_then_the_next_day(rig):
    rig.ask("digest daily 09:00")
    assert tick(rig) == []
    first = due(rig)
    rig.time.sleep(first - rig.time() + 1)
    [digest] = tick(rig)
    assert digest.text.startswith("Digest: ")
    assert tick(rig) == []
    assert due(rig) == first + DAY
    rig.time.sleep(DAY)
    assert len(tick(rig)) == 1


def test_two_timers_at_once_send_it_once(rig):
    rig.ask("digest daily 09:00")
    record = rig.worker._store.get(f"digest/{INCIDENTS}", rig.time())
    rig.time.sleep(due(rig) - rig.time() + 1)
    assert len(tick(rig)) == 1
    rig.worker._store.put(record.key, record.value, rig.time() + DAY)  # as the other one has read it
    assert tick(rig) == []


def test_a_timer_that_comes_days_late_catches_up_once(rig):
    rig.ask("digest daily 09:00")
    rig.time.sleep(5 * DAY)
    assert len(tick(rig)) == 1
    assert rig.time() < due(rig) <= rig.time() + DAY
    assert tick(rig) == []


def test_a_digest_tells_runs_failures_and_a_chart_that_slack_takes(rig):
    [digest] = rig.ask("digest now")
    lines = digest.text.split("\n")
    assert lines[0] == "Digest: 2 of 2 runs failed in the last 24 h; the day before no runs."
    assert "deploy-web: 1 of 1 run failed, on 1 of 3 instances; the day before no runs." in lines
    assert any(line.startswith("Most failures: web-001 (") for line in lines)
    assert any(line.startswith("New since the day before: deploy-web, exit code 1, on web-001") for line in lines)
    assert kinds(digest).count(CHART) == 1
    assert " s old" in json.dumps(digest.blocks)
    assert rig.slack.refused == []


def test_a_workspace_without_charts_gets_it_without_and_is_not_tried_again_for_a_week(rig):
    rig.slack.workspace.charts = False
    [digest] = rig.ask("digest now")
    assert CHART not in kinds(digest)
    assert [one.error for one in rig.slack.refused] == ["invalid_blocks"]
    [again] = rig.ask("digest now")
    assert CHART not in kinds(again)
    assert len(rig.slack.refused) == 1
    rig.slack.workspace.charts = True
    rig.time.sleep(8 * DAY)
    rig.cloud.clock.advance(0)
    assert CHART not in kinds(rig.ask("digest now")[0])  # nothing ran since
    assert len(rig.slack.refused) == 1


def test_a_channel_is_told_of_what_it_subscribes_to(rig):
    subscribe(rig, "subscribe command:backup-*")
    [digest] = rig.ask("digest now")
    assert digest.text.startswith("Digest: 1 of 1 run failed")
    assert "deploy-web" not in digest.text
    subscribe(rig, "subscribe command:deploy-* instance:web-002", channel=PRIVATE)
    [other] = rig.ask("digest now", channel=PRIVATE)
    assert "deploy-web: 1 run, none failed" in other.text


def test_mutes_and_missed_expectations_are_told(rig):
    subscribe(rig)
    rig.ask("mute command:backup-* 2h")
    wish = read(["command:backup-*", "daily", "by:03:30", "on:tag:backup=yes"])
    missed = Expected(INCIDENTS, wish, "UTC", rig.time() + DAY, missed_at=rig.time(), missing=2)
    expected.add(rig.worker._store, [missed])
    [digest] = rig.ask("digest now")
    assert "Missed: backup-* daily by 03:30 (UTC) on tag backup=yes, due" in digest.text
    assert "2 instances without a good run" in digest.text
    assert "Muted: backup-* until" in digest.text


def test_a_digest_does_not_start_within_a_minute_of_a_throttle(rig):
    rig.ask("digest daily 09:00")
    rig.time.sleep(due(rig) - rig.time() + 1)
    until = rig.time() + 20
    rig.worker._store.put("throttle/DescribeInvocations/cn-shanghai", {"until": until}, until + 60)
    before = rig.cloud.count()
    assert rig.worker.hear([Tick("tick", None, '{"job":"tick"}')], "1-request")
    settle(rig, 40)
    assert rig.cloud.count() == before
    settle(rig, 120)
    assert rig.said[-1].text.startswith("Digest: ")
    assert rig.time() >= until + 60


def test_a_digest_that_is_throttled_on_its_way_comes_later(rig):
    rig.ask("digest daily 09:00")
    rig.time.sleep(due(rig) - rig.time() + 1)
    rig.cloud.fail("throttle", action="DescribeInvocations", times=1)
    [digest] = tick(rig)
    assert digest.text.startswith("Digest: ")


@pytest.mark.parametrize("kind", ["throttle", "denied"])
def test_a_digest_that_cannot_be_made_says_so(rig, kind):
    rig.ask("digest daily 09:00")
    rig.time.sleep(due(rig) - rig.time() + 1)
    rig.cloud.fail(kind, action="DescribeInvocations", times=1_000)
    [said] = tick(rig)
    assert "This was to be the daily digest; the next one comes tomorrow." in said.text


def test_a_digest_that_is_ended_while_it_waits_does_not_come(rig):
    rig.ask("digest daily 09:00")
    rig.time.sleep(due(rig) - rig.time() + 1)
    rig.cloud.fail("throttle", action="DescribeInvocations", times=1, headers={"x-acs-retry-after": "90000"})
    assert rig.worker.hear([Tick("tick", None, '{"job":"tick"}')], "1-request")
    settle(rig, 30)
    rig.work(rig.command("digest off"))
    before = len(rig.said)
    settle(rig, 3_600)
    assert rig.said[before:] == []


def test_a_digest_of_instances_whose_names_nobody_may_read_says_so(rig):
    subscribe(rig, "subscribe instance:web-*")
    rig.cloud.fail("denied", action="DescribeInstances", times=9)
    [digest] = rig.ask("digest now")
    assert "I could read neither names nor tags of instances" in digest.text
    assert "the day before" not in digest.text.split("\n")[0]


def test_a_digest_of_another_time_takes_the_place_of_the_first(rig):
    rig.ask("digest daily 09:00")
    rig.ask("digest daily 10:00")
    [record] = rig.worker._store.list("digest/", rig.time())
    assert record.value["at"] == "10:00"


def test_a_region_that_does_not_answer_is_named(rig):
    rig.cloud.fail("denied", action="DescribeInvocations", region="cn-shanghai", times=2)
    [digest] = rig.ask("digest now")
    assert "No answer from cn-shanghai: Forbidden.RAM." in digest.text
    assert "So nothing is compared with the day before." in digest.text
    assert "the day before 0" not in digest.text


def test_a_channel_that_we_cannot_post_to_is_promised_nothing(rig):
    rig.ask("digest daily 08:00")
    rig.slack.workspace.channels[INCIDENTS].members.discard(BOT_USER)
    [refused] = rig.ask("digest daily 10:00")
    assert "Invite me with /invite" in refused.text
    assert rig.worker._store.get(f"digest/{INCIDENTS}", rig.time()).value["at"] == "08:00"
    [alone] = rig.ask("digest now")
    assert alone.ephemeral_to
    assert alone.text.startswith("Digest: ")


def test_a_first_digest_that_cannot_be_said_is_forgotten(rig):
    rig.slack.workspace.channels[INCIDENTS].members.discard(BOT_USER)
    rig.ask("digest daily 10:00")
    assert rig.worker._store.get(f"digest/{INCIDENTS}", rig.time()) is None


def test_a_channel_that_we_were_removed_from_loses_its_digest(rig, caplog):
    rig.ask("digest daily 09:00")
    rig.slack.workspace.channels[INCIDENTS].members.discard(BOT_USER)
    rig.time.sleep(2 * DAY)
    assert tick(rig) == []
    assert "its digest is ended" in caplog.text
    assert rig.worker._store.list("digest/", rig.time()) == []


def test_a_digest_that_the_workspace_does_not_let_be_posted_comes_the_next_day(rig):
    rig.ask("digest daily 09:00")
    rig.slack.fail("error:restricted_action", method="chat.postMessage", times=1)
    rig.time.sleep(2 * DAY)
    assert tick(rig) == []
    rig.time.sleep(DAY)
    [digest] = tick(rig)
    assert digest.text.startswith("Digest: ")


def test_where_the_store_does_not_last_no_digest_is_promised(tmp_path, peers):
    environment = {"FC_FUNCTION_NAME": "bot", "BOT_STORE": "", "TMPDIR": str(tmp_path)}
    with Rig(tmp_path, peers, environment) as rig:
        [refused] = rig.ask("digest daily 09:00")
    assert "BOT_STORE=tablestore://" in refused.text


# Quota manners


def test_two_people_who_ask_the_same_within_seconds_make_one_call_and_a_press_asks_anew(tmp_path, peers, monkeypatch):
    monkeypatch.setattr(shared_replies, "FRESH", 600.0)  # a slow machine must not make the difference
    with Rig(tmp_path, peers, limits=PATIENT) as rig:
        [first] = rig.ask("t-hz0fleet0001")
        calls = rig.cloud.count()
        rig.time.sleep(300)
        [second] = rig.ask("t-hz0fleet0001")
        assert rig.cloud.count() == calls
        assert "data 5 min old" in json.dumps(second.blocks)
        rig.press(first, "refresh")
        assert rig.cloud.count() > calls
        assert " s old" in json.dumps(first.blocks)


def test_a_notice_states_the_age_of_its_data(rig):
    subscribe(rig)
    notice, _ = hear(rig, completed())
    assert " s old" in json.dumps(notice.blocks)


def test_a_question_of_a_person_goes_before_a_notice(rig):
    subscribe(rig)
    until = rig.time() + 2
    rig.worker._store.put("throttle/DescribeInvocations/cn-hangzhou", {"until": until}, until + 60)
    assert rig.worker.hear([completed()], "1-request")
    settle(rig, 4)
    assert len(rig.said) == 1
    answer, notice, reply = rig.ask("region:cn-hangzhou")
    assert answer.text.startswith("2 of 2 runs failed")
    assert notice.text.startswith("1 of 3 failed")
    assert reply.thread_ts == notice.ts
