"""What reaches us from Slack: the right words, the right place, and no call to Slack of Bolt's own."""

import pytest

from bot.adapters.slack import Place
from bot.listeners import own_user_id, place_of
from rig import RUN
from sandbox.slack_workspace import BOT_USER, DIRECT, GUEST, INCIDENTS, MEI, TEAM_ID


def test_bolt_never_asks_whose_token_it_has(rig):
    rig.ask(RUN)
    rig.work(rig.event(rig.slack.mention("help")))
    rig.work(rig.event(rig.slack.direct_message(RUN)))
    assert "auth.test" not in {call.method for call in rig.slack.calls}
    assert len(rig.said) == 3


def test_a_mention_is_answered_in_its_channel(rig):
    assert rig.work(rig.event(rig.slack.mention(RUN)))
    [answer] = rig.said
    assert (answer.channel, answer.thread_ts, answer.via) == (INCIDENTS, None, "chat.postMessage")


def test_a_mention_in_a_thread_is_answered_in_that_thread(rig):
    parent = rig.slack.mention("first")
    assert rig.work(rig.event(rig.slack.mention(RUN, thread_ts=parent["ts"])))
    assert rig.said[0].thread_ts == parent["ts"]


def test_a_private_answer_in_a_thread_stays_there_too(rig):
    parent = rig.slack.mention("first")
    assert rig.work(rig.event(rig.slack.mention(f"{RUN} private", thread_ts=parent["ts"])))
    assert (rig.said[0].thread_ts, rig.said[0].ephemeral_to) == (parent["ts"], MEI)


def test_a_direct_message_is_answered_there(rig):
    assert rig.work(rig.event(rig.slack.direct_message(RUN)))
    [answer] = rig.said
    assert (answer.channel, answer.ephemeral_to) == (DIRECT, None)


def test_words_that_cannot_be_read_are_answered_privately(rig):
    assert rig.work(rig.event(rig.slack.mention("qwertz")))
    [answer] = rig.said
    assert "I cannot read" in answer.text
    assert answer.ephemeral_to == MEI


def test_a_mention_by_a_guest_is_refused(rig):
    assert rig.work(rig.event(rig.slack.mention(RUN, user=GUEST)))
    [answer] = rig.said
    assert "Guests cannot see command results" in answer.text
    assert answer.ephemeral_to == GUEST
    assert rig.cloud.calls == []


def test_other_messages_in_a_channel_are_not_for_us(rig):
    event = {**rig.slack.mention(RUN), "type": "message", "channel_type": "channel"}
    assert rig.work(rig.event(event))
    assert rig.said == []


def test_our_own_messages_are_not_answered(rig):
    event = {**rig.slack.direct_message(RUN), "user": BOT_USER}
    assert rig.work(rig.event(event))
    assert rig.said == []


@pytest.mark.parametrize(
    ("payload", "user"),
    [
        ({"authorizations": [{"user_id": "U1", "is_bot": True}]}, "U1"),
        ({"authorizations": [{"user_id": "U1", "is_bot": False}]}, None),
        ({"authorizations": [{"is_bot": True}]}, None),
        ({"authorizations": ["odd"]}, None),
        ({"authorizations": []}, None),
        ({}, None),
    ],
)
def test_whose_bot_we_are_stands_in_the_event(payload, user):
    assert own_user_id(payload) == user


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        (
            {
                "command": "/c",
                "team_id": "T",
                "enterprise_id": "E",
                "channel_id": "C",
                "user_id": "U",
                "response_url": "r",
            },
            Place("T", "E", "C", "U", "r"),
        ),
        (
            {"team_id": "T", "enterprise_id": None, "event": {"channel": "C", "user": "U", "thread_ts": "1.2"}},
            Place("T", "", "C", "U", thread_ts="1.2"),
        ),
        (
            {"team_id": "T", "event": {"channel": "D", "user": "U", "channel_type": "im"}},
            Place("T", "", "D", "U", is_direct_message=True),
        ),
        ({"event": "odd"}, Place("", "", "", "")),
        (
            {
                "team": {"id": TEAM_ID},
                "enterprise": {"id": "E"},
                "user": {"id": "U"},
                "channel": {"id": "C"},
                "container": {"thread_ts": "1.2"},
                "response_url": "r",
            },
            Place(TEAM_ID, "E", "C", "U", "r", "1.2"),
        ),
        (
            {"channel": {"id": "C"}, "container": {"message_ts": "1.2"}, "message": {"ts": "1.2", "thread_ts": "1.2"}},
            Place("", "", "C", ""),
        ),
        (
            {"team": None, "user": {"id": 7}, "container": "odd", "message": {"thread_ts": "3.4"}},
            Place("", "", "", "", thread_ts="3.4"),
        ),
    ],
)
def test_where_an_answer_goes(payload, place):
    assert place_of(payload) == place
