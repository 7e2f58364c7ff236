"""Who may ask, who may see, and what is kept of what Slack said."""

from datetime import UTC, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from bot.adapters.store import SQLiteStore, StoreError
from bot.admissions import kept, name_of
from bot.zones import named_zone, zone_of
from rig import RUN, Rig
from sandbox.slack_workspace import (
    GENERAL,
    GUEST,
    INCIDENTS,
    LUCAS,
    MEI,
    PRIVATE,
    SECRET,
    SHARED,
    SINGLE_CHANNEL_GUEST,
    STRANGER,
    USERGROUP,
)


@pytest.mark.parametrize(
    ("user", "channel", "says"),
    [
        (GUEST, INCIDENTS, "Guests cannot see command results"),
        (SINGLE_CHANNEL_GUEST, INCIDENTS, "Guests cannot see command results"),
        (STRANGER, SHARED, "another organisation"),
        (MEI, SHARED, "This channel is shared with another organisation"),
    ],
)
def test_who_may_not_see_results_is_told_so_and_nothing_is_asked(rig, user, channel, says):
    [answer] = rig.ask(RUN, user=user, channel=channel)
    assert says in answer.text
    assert answer.ephemeral_to == user
    assert rig.cloud.calls == []


@pytest.mark.parametrize("channel", [INCIDENTS, PRIVATE, GENERAL])
def test_members_are_answered_in_their_channel(rig, channel):
    [answer] = rig.ask(RUN, channel=channel)
    assert answer.text.startswith("1 of 3 failed")
    assert answer.ephemeral_to is None


def test_in_a_channel_that_cannot_be_inspected_the_answer_is_private_and_says_why(rig):
    [answer] = rig.ask(RUN, channel=SECRET)
    assert answer.text.startswith("1 of 3 failed")
    assert "Only you see this: I could not check who else reads here (channel_not_found)" in answer.text
    assert answer.ephemeral_to == MEI


def test_who_cannot_be_checked_is_not_admitted(rig):
    rig.slack.scopes = rig.slack.scopes - {"users:read"}
    [answer] = rig.ask(RUN)
    assert "I could not check who you are (users.info: missing_scope)" in answer.text
    assert rig.cloud.calls == []


def test_a_person_unknown_to_slack_is_not_admitted(rig):
    job = rig.command(RUN)
    job.payload["user_id"] = "U0NOBODY01"
    rig.work(job)
    assert "users.info: user_not_found" in rig.said[0].text


def test_what_slack_said_of_people_and_channels_is_good_for_minutes(rig):
    for _ in range(3):
        rig.ask("help")
        rig.ask(RUN)
    methods = [call.method for call in rig.slack.calls]
    assert (methods.count("users.info"), methods.count("conversations.info")) == (1, 1)
    rig.time.sleep(301)
    rig.ask("help")
    methods = [call.method for call in rig.slack.calls]
    assert (methods.count("users.info"), methods.count("conversations.info")) == (2, 2)


class ReadOnly(SQLiteStore):
    def put(self, *args, **kwargs):
        raise StoreError("read-only")


def test_a_store_that_keeps_nothing_costs_one_question_each(tmp_path, peers):
    with Rig(tmp_path, peers, store=ReadOnly(str(tmp_path / "read-only.sqlite3"))) as rig:
        rig.ask("help")
        assert [call.method for call in rig.slack.calls] == ["users.info", "conversations.info", "response_url"]


@pytest.mark.parametrize("method", ["users.info", "conversations.info"])
def test_a_long_wait_of_slacks_before_the_question_is_said_and_kept(rig, method):
    rig.slack.fail("429", method, retry_after=20)
    waiting, answer = rig.ask(RUN)
    assert "Slack asks me to wait" in waiting.text
    assert waiting.ephemeral_to == MEI
    assert answer.text.startswith("1 of 3 failed")


def test_slack_that_never_lets_us_check_ends_in_a_sentence(rig):
    rig.slack.fail("429", "users.info", times=9, retry_after=20)
    waiting, answer = rig.ask(RUN)
    assert "Slack asks me to wait" in waiting.text
    assert "users.info: ratelimited" in answer.text


def test_readers_and_channels_of_the_settings(tmp_path, peers):
    with Rig(tmp_path, peers, environment={"BOT_READERS": LUCAS, "BOT_CHANNELS": INCIDENTS}) as rig:
        assert "BOT_READERS" in rig.ask(RUN)[0].text
        assert "BOT_CHANNELS" in rig.ask(RUN, user=LUCAS, channel=GENERAL)[0].text
        assert rig.cloud.calls == []
        assert rig.ask(RUN, user=LUCAS)[0].text.startswith("1 of 3 failed")


def test_a_paused_bot_says_its_sentence_and_asks_nothing(tmp_path, peers):
    with Rig(tmp_path, peers, environment={"BOT_PAUSED": "Back at <noon> & later."}) as rig:
        [answer] = rig.ask(RUN)
        assert answer.text == "Back at &lt;noon&gt; &amp; later."
        assert [call.method for call in rig.slack.calls] == ["response_url"]
        assert rig.cloud.calls == []


def test_only_what_is_needed_is_kept_of_a_person():
    user = {
        "id": "U1",
        "team_id": "T1",
        "tz": "Asia/Shanghai",
        "real_name": "Mei Lin",
        "profile": {"email": "mei@example.com", "phone": "1", "display_name": "mei"},
        "is_admin": True,
    }
    assert kept(user) == {
        "id": "U1",
        "team_id": "T1",
        "tz": "Asia/Shanghai",
        "real_name": "Mei Lin",
        "display_name": "mei",
    }
    assert kept({"profile": None}) == {}


def test_what_a_person_is_called():
    assert name_of({"display_name": "mei", "real_name": "Mei Lin"}) == "mei"
    assert name_of({"display_name": "", "real_name": "Mei Lin"}) == "Mei Lin"
    assert name_of({"name": "mei.lin"}) == "mei.lin"
    assert name_of({"id": "U1"}) == "U1"
    assert name_of({}) == ""


@pytest.mark.parametrize(
    ("user", "otherwise", "zone"),
    [
        ({"tz": "Asia/Shanghai", "tz_offset": 0}, "UTC", ZoneInfo("Asia/Shanghai")),
        ({"tz": "Mars/Olympus", "tz_offset": 3600}, "UTC", timezone(timedelta(hours=1))),
        ({"tz_offset": 0}, "Asia/Shanghai", timezone(timedelta(0))),
        ({"tz_offset": True}, "Asia/Shanghai", ZoneInfo("Asia/Shanghai")),
        ({"tz": 7, "tz_offset": 10**9}, "Asia/Shanghai", ZoneInfo("Asia/Shanghai")),
        ({}, "", UTC),
    ],
)
def test_a_persons_time_zone(user, otherwise, zone):
    assert zone_of(user, otherwise) == zone


def test_a_zone_that_is_a_path_is_none():
    assert named_zone("../../etc/passwd") is None


def test_who_is_in_a_user_group_of_the_readers_may_ask_and_slack_is_asked_once_in_minutes(tmp_path, peers):
    with Rig(tmp_path, peers, environment={"BOT_READERS": USERGROUP}) as rig:
        rig.slack.workspace.usergroups[USERGROUP] = ("oncall", [LUCAS])
        assert rig.ask(RUN, user=LUCAS)[0].text.startswith("1 of 3 failed")
        assert "BOT_READERS" in rig.ask(RUN)[0].text
        rig.slack.workspace.usergroups[USERGROUP] = ("oncall", [LUCAS, MEI])
        assert "BOT_READERS" in rig.ask(RUN)[0].text
        assert [call.method for call in rig.slack.calls].count("usergroups.users.list") == 1
        rig.time.sleep(301)
        assert rig.ask(RUN)[0].text.startswith("1 of 3 failed")


def test_a_group_that_cannot_be_looked_into_admits_nobody_but_who_is_named(tmp_path, peers):
    with Rig(tmp_path, peers, environment={"BOT_READERS": f"{LUCAS},{USERGROUP}"}) as rig:
        rig.slack.scopes = rig.slack.scopes - {"usergroups:read"}
        [refused] = rig.ask(RUN)
        assert "whether you may ask here (usergroups.users.list: missing_scope)" in refused.text
        assert rig.cloud.calls == []
        assert rig.ask(RUN, user=LUCAS)[0].text.startswith("1 of 3 failed")


def test_a_refusal_names_the_operators(tmp_path, peers):
    environment = {"BOT_READERS": LUCAS, "BOT_OPERATORS": f"{LUCAS},{MEI}"}
    with Rig(tmp_path, peers, environment=environment) as rig:
        assert rig.ask(RUN)[0].text.endswith("Ask the people who run this bot. Operators here: lucas, mei.")
        rig.slack.scopes = rig.slack.scopes - {"users:read"}
        rig.time.sleep(301)
        assert "users.info: missing_scope" in rig.ask(RUN)[0].text
