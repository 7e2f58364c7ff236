"""What a channel is not told while it is muted, and what it is told after."""

import pytest

from bot import mutes
from bot.jobs import Job
from rig import RUN, Peers, Rig, fleet
from sandbox.scenario import load
from sandbox.slack_workspace import BOT_USER, INCIDENTS, LUCAS, MEI, PRIVATE
from test_reporting import completed, hear, subscribe, system_event, tick

SCHEDULE = load("schedule")
OTHER = "t-hz0other0001"
SPOT = "Instance:PreemptibleInstanceInterruption"


@pytest.fixture(scope="module")
def peers():
    with Peers([SCHEDULE, fleet(), fleet(run=OTHER, CommandName="backup-db")]) as peers:
        yield peers


def test_a_mute_says_who_set_it_until_when_and_what_breaks_it(rig):
    subscribe(rig)
    [said] = rig.ask("mute command:backup-* 2h")
    assert said.channel == INCIDENTS
    assert said.text.startswith("mei has muted backup-* in this channel until 20")
    assert "CST" in said.text.split("\n")[0]
    assert "breaks it" in said.text
    [listed] = rig.ask("subscriptions")
    assert "Muted: backup-* until 20" in listed.text


def test_what_is_held_back_is_told_when_the_mute_ends_with_how_long_and_why(rig):
    subscribe(rig)
    rig.ask("mute 2h hard")
    assert hear(rig, completed()) == []
    assert tick(rig) == []
    notice, reply = tick(rig, 7_200)
    assert notice.text.startswith("1 of 3 failed: deploy-web")
    assert "Held back 2 h 5 min: mei had muted everything until 20" in notice.text
    assert reply.thread_ts == notice.ts
    assert tick(rig) == []


def test_what_is_held_back_is_not_told_to_who_has_unsubscribed(rig):
    subscribe(rig)
    rig.ask("mute 2h hard")
    assert hear(rig, completed()) == []
    rig.ask("unsubscribe")
    assert tick(rig, 7_500) == []
    assert rig.worker._store.list("held/", rig.time()) == []


def test_a_mute_of_other_commands_holds_nothing_back(rig):
    subscribe(rig)
    rig.ask("mute command:backup-* 2h hard")
    notice, _ = hear(rig, completed())
    assert "Held back" not in notice.text


def test_a_mute_is_of_one_channel(rig):
    subscribe(rig)
    subscribe(rig, channel=PRIVATE)
    rig.ask("mute 2h hard")
    assert {message.channel for message in hear(rig, completed())} == {PRIVATE}


def test_a_mute_is_broken_by_an_instance_that_was_not_failing_and_says_so(rig):
    subscribe(rig)
    rig.ask("mute 2h")
    notice, _ = hear(rig, completed())
    assert "This ends the mute of everything until" in notice.text
    assert "1 instance fails that did not when it was set" in notice.text
    [listed] = rig.ask("subscriptions")
    assert "Muted" not in listed.text


def test_what_was_failing_when_the_mute_was_set_does_not_break_it(rig):
    subscribe(rig)
    rig.cloud.replay("schedule")
    hear(rig, completed(SCHEDULE.ask))
    rig.ask("mute 8h")
    assert tick(rig, 5 * 3_600) == []
    assert hear(rig, completed(SCHEDULE.ask)) == []
    [reply] = tick(rig, 4 * 3_600)
    assert reply.text.startswith("Still failing, 132 times in a row")


def test_a_failure_that_has_recovered_meanwhile_is_told_as_such(rig):
    subscribe(rig)
    rig.ask("mute 2h hard")
    rig.cloud.replay("schedule")
    assert hear(rig, completed(SCHEDULE.ask)) == []
    [waiting] = rig.worker._store.list("held/", rig.time())
    well = {**waiting.value["payload"]["news"], "state": "good", "cause": "", "instances": [], "wanted": False}
    well["well"] = waiting.value["payload"]["news"]["instances"]
    news = {**well, "version": well["version"] + 1}
    assert rig.work(Job("notice", "test_recovered", int(rig.time()), {**waiting.value["payload"], "news": news}))
    [notice] = tick(rig, 7_500)
    assert "mei had muted everything" in notice.text
    assert "It failed once meanwhile and has recovered." in notice.text


def test_news_that_is_older_than_what_waits_changes_nothing(rig):
    subscribe(rig)
    rig.ask("mute 2h hard")
    hear(rig, completed())
    [waiting] = rig.worker._store.list("held/", rig.time())
    payload = waiting.value["payload"]
    older = {**payload, "news": {**payload["news"], "version": 1}}
    assert rig.work(Job("notice", "test_older", int(rig.time()), older))
    assert [one.value for one in rig.worker._store.list("held/", rig.time())] == [waiting.value]


def test_unmute_tells_at_once_what_was_held_back(rig):
    subscribe(rig)
    rig.ask("mute command:deploy-web tomorrow hard")
    hear(rig, completed())
    [refused] = rig.ask("unmute command:backup")
    assert "unmute command:deploy-web" in refused.text
    ended, notice, _ = rig.ask("unmute")
    assert ended.text.startswith("mei has ended the mute of deploy-web.")
    assert "Held back" in notice.text
    [none] = rig.ask("unmute")
    assert none.text == "Nothing is muted here."


def test_a_mute_set_again_goes_on_holding_what_waits(rig):
    subscribe(rig)
    rig.ask("mute 1h hard")
    hear(rig, completed())
    rig.ask("mute 4h")
    assert tick(rig, 2 * 3_600) == []
    notice, _ = tick(rig, 3 * 3_600)
    assert "Held back 5 h" in notice.text


def test_the_menu_of_a_notice_mutes_its_command(rig):
    subscribe(rig)
    notice, _ = hear(rig, completed())
    [said] = rig.press(notice, "more", "mute_hour")
    assert said.text.startswith("mei has muted deploy-web in this channel until")
    [said] = rig.press(notice, "more", "mute_night")
    assert " 09:00 CST" in said.text
    [listed] = rig.ask("subscriptions")
    [ended] = rig.press(listed, "unmute")
    assert "has ended the mute of deploy-web" in ended.text


def test_the_menu_of_a_system_event_mutes_events_of_its_kind(rig):
    subscribe(rig, "subscribe events:spot,maintenance")
    [notice] = hear(rig, system_event("i-1", SPOT, ""))
    [said] = rig.press(notice, "more", "mute_hour")
    assert said.text.startswith("mei has muted events: spot in this channel until")
    assert "No failure breaks it." in said.text
    assert hear(rig, system_event("i-2", SPOT, "")) == []
    [other] = hear(rig, system_event("i-2", "Instance:SystemMaintenance.Reboot", "Scheduled"))
    assert "maintenance" in other.text
    [late] = tick(rig, 3_700)
    assert "spot interruption" in late.text
    assert "Held back" in late.text
    [said] = rig.press(notice, "more", "mute_night")
    [ended] = rig.ask("unmute events:spot")
    assert "has ended the mute of events: spot" in ended.text


def test_a_notice_of_a_system_event_is_taken_back_by_operators_alone(tmp_path, peers):
    with Rig(tmp_path, peers, {"BOT_OPERATORS": LUCAS}) as rig:
        subscribe(rig, "subscribe events:spot")
        [notice] = hear(rig, system_event("i-1", SPOT, ""))
        [refused] = rig.press(notice, "more", "take_back", user=MEI)
        assert "Only the person who asked, or an operator" in refused.text
        rig.press(notice, "more", "take_back", user=LUCAS)
        assert notice.deleted


def test_the_menu_of_an_answer_mutes_nothing(rig):
    [answer] = rig.ask(RUN)
    menu = [one for block in answer.blocks for one in block.get("elements", []) if one["type"] == "overflow"]
    assert [option["value"] for option in menu[0]["options"]] == ["diff", "take_back"]


def test_a_channel_without_subscriptions_has_nothing_to_mute(rig):
    [refused] = rig.ask("mute 2h")
    assert "no subscriptions" in refused.text


def test_where_the_store_does_not_last_nothing_is_muted(tmp_path, peers):
    environment = {"FC_FUNCTION_NAME": "bot", "BOT_STORE": "", "TMPDIR": str(tmp_path)}
    with Rig(tmp_path, peers, environment) as rig:
        [refused] = rig.ask("mute 2h")
    assert "cannot remember a mute" in refused.text
    assert "BOT_STORE=tablestore://" in refused.text


def test_an_instance_that_fails_breaks_a_mute_and_maintenance_waits(rig):
    subscribe(rig, "subscribe events:failure,maintenance")
    rig.ask("mute 2h")
    assert hear(rig, system_event("i-1", "Instance:SystemMaintenance.Reboot", "Scheduled")) == []
    [notice] = hear(rig, system_event("i-1", "Instance:SystemFailure.Reboot", "Executing"))
    assert "This ends the mute" in notice.text
    [late] = tick(rig)
    assert "maintenance" in late.text
    assert "Held back" in late.text


def test_a_channel_that_the_bot_cannot_post_to_is_not_muted(rig):
    subscribe(rig)
    rig.slack.workspace.channels[INCIDENTS].members.discard(BOT_USER)
    [refused] = rig.ask("mute 2h")
    assert "Invite me with /invite" in refused.text
    assert mutes.active(rig.worker._store, INCIDENTS, rig.time()) == []


def test_a_mute_that_has_ended_vanishes(rig):
    subscribe(rig)
    rig.ask("mute 30m")
    assert len(mutes.active(rig.worker._store, INCIDENTS, rig.time())) == 1
    rig.time.sleep(1_801)
    assert mutes.active(rig.worker._store, INCIDENTS, rig.time()) == []
    [listed] = rig.ask("subscriptions")
    assert "Muted" not in listed.text
