"""What people read about subscriptions, and which orders the door refuses."""

from __future__ import annotations

import re

import pytest

from bot.core import standing
from bot.core.errors import UsageError
from bot.core.parsing import parse
from bot.core.standing import Muted, Served, Told
from bot.core.subscriptions import Subscription
from core.samples import HOSTILE, refused

NOW = 1_795_068_000.0
REGIONS = ("cn-hangzhou",)


def test_a_new_subscription_says_what_by_whom_and_how_to_end_it() -> None:
    said = standing.subscribed(
        Subscription(commands=("deploy-*",), ring="S1"), "mei", known=False, regions=REGIONS
    ).text
    assert said.split("\n") == [
        "This channel is subscribed now to failures of deploy-*, rings <!subteam^S1>. Asked for by mei.",
        "To end it: `unsubscribe command:deploy-* ring:S1`",
    ]
    assert standing.subscribed(Subscription(), "mei", known=True, regions=REGIONS).text.startswith(
        "This channel is subscribed already to failures of everything."
    )


def test_a_region_that_nobody_listens_to_is_said() -> None:
    said = standing.subscribed(Subscription(regions=("cn-shanghai",)), "mei", known=False, regions=REGIONS).text
    assert "I listen only in cn-hangzhou (BOT_REGIONS); nothing of cn-shanghai arrives." in said


def test_the_end_of_subscriptions_names_them() -> None:
    said = standing.unsubscribed([Subscription(), Subscription(everything=True)], "mei").text
    assert said == (
        "This channel is not subscribed any more to failures of everything; every end of everything. Ended by mei."
    )


def test_a_list_has_a_button_for_each_and_says_what_serves_each_region() -> None:
    some = [Told(Subscription(), "mei", NOW - 60, "value")]
    served = [
        Served("cn-hangzhou", NOW - 9_000, NOW - 60),
        Served("cn-beijing", 0, 0),
        Served("cn-wuhan", 0, NOW - 9e4),
    ]
    message = standing.listed(some, served, NOW)
    assert refused(message) == []
    assert message.text.startswith("1 subscription.\nfailures of everything, by mei\ncn-hangzhou: events since")
    assert "the last 1 min ago" in message.text
    assert "cn-beijing: no event within a day, so it is polled every 15 minutes" in message.text
    assert re.search(r"cn-wuhan: no event since <!date.*>, so it is polled every 15 minutes", message.text)
    assert message.blocks[1]["accessory"]["accessibility_label"] == "End: failures of everything"


def test_mutes_are_listed_with_a_button_that_ends_each() -> None:
    muted = [Muted("backup-* until 2026-11-24 18:00 CST, by mei", "value")]
    message = standing.listed([], [Served("cn-hangzhou", 0, 0)], NOW, muted)
    assert refused(message) == []
    assert "Muted: backup-* until 2026-11-24 18:00 CST, by mei" in message.text
    button = message.blocks[1]["accessory"]
    assert (button["action_id"], button["value"], button["text"]["text"]) == ("unmute", "value", "Unmute")


def test_an_empty_list_says_how_to_begin() -> None:
    message = standing.listed([], [Served("cn-hangzhou", 0, 0)], NOW)
    assert message.text.startswith("No subscriptions in this channel.")
    assert message.text.endswith("Begin with: subscribe")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_whatever_names_say_the_messages_are_valid(hostile: str) -> None:
    wish = Subscription(commands=(hostile,), instances=(hostile,) * 20, tags=((hostile, hostile),))
    many = [Told(wish, hostile, NOW, "value")] * 60
    for message in (
        standing.listed(many, [Served("cn-hangzhou", NOW, NOW)], NOW, [Muted(hostile, "v")] * 30),
        standing.subscribed(wish, hostile, known=False, regions=REGIONS),
        standing.unsubscribed([wish], hostile),
    ):
        assert refused(message) == []


@pytest.mark.parametrize(
    "text",
    [
        "unsubscribe",
        "unsubscribe everything",
        "unsubscribe command:x",
        "subscriptions",
        "unexpect",
        "unexpect everything",
    ],
)
def test_orders_that_can_be_read(text: str) -> None:
    question = parse(text)
    assert question.subcommand == text.split(" ")[0]
    assert parse(question.words()) == question


@pytest.mark.parametrize(
    ("text", "said"), [("subscriptions now", "Nothing comes after"), ("unsubscribe nope", "Usage")]
)
def test_orders_that_cannot(text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text)
    assert said in str(refused.value)
