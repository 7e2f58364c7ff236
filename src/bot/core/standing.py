"""What people read about what stands for a channel: subscriptions, who made them, and what serves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.core import blocks as b
from bot.core import wording
from bot.core.blocks import Block, Message
from bot.core.quiet import UNMUTE
from bot.core.subscriptions import Subscription, mention, told

REMOVE = "unsubscribe"
MOST_LISTED = 40


@dataclass(frozen=True, slots=True)
class Told:
    """A subscription as it is listed; `value` is what its button carries, `made` in seconds since the epoch."""

    subscription: Subscription
    by_name: str
    made: float
    value: str


@dataclass(frozen=True, slots=True)
class Muted:
    """A mute as it is listed, in words; `value` is what its button carries."""

    told: str
    value: str


@dataclass(frozen=True, slots=True)
class Served:
    """What brings news of a region: events, the last at `last` and without a day's gap since `since`; else the poll."""

    region: str
    since: float
    last: float


def subscribed(wish: Subscription, by_name: str, *, known: bool, regions: Sequence[str]) -> Message:
    """Said to the channel, so that everybody knows why messages begin to arrive."""
    again = "This channel is subscribed already to" if known else "This channel is subscribed now to"
    lines = [f"{again} {_what(wish)}. Asked for by {b.escape(wording.name(by_name))}."]
    elsewhere = [region for region in wish.regions if region not in regions]
    if elsewhere:
        lines.append(
            f"I listen only in {b.escape(', '.join(regions))} (BOT_REGIONS); nothing of {', '.join(elsewhere)} arrives."
        )
    lines.append(f"To end it: {_code(f'unsubscribe {wish.words()}')}")
    return Message("\n".join(lines))


def unsubscribed(ended: Sequence[Subscription], by_name: str) -> Message:
    what = "; ".join(_what(one) for one in ended)
    return Message(f"This channel is not subscribed any more to {what}. Ended by {b.escape(wording.name(by_name))}.")


def listed(subscriptions: Sequence[Told], served: Sequence[Served], now: float, muted: Sequence[Muted] = ()) -> Message:
    """All subscriptions and mutes of a channel with buttons to end them, and what serves each region."""
    head = wording.plural(len(subscriptions), "subscription") if subscriptions else "No subscriptions in this channel"
    lines = [f"{_what(one.subscription)}, by {b.escape(wording.name(one.by_name))}" for one in subscriptions]
    lines += [f"Muted: {b.mrkdwn(one.told, 600)}" for one in muted]
    serving = [_serving(one, now) for one in served]
    rows = [*(_muted_row(one) for one in muted), *(_row(one) for one in subscriptions)]
    blocks: list[Block] = [b.header(head), *rows[:MOST_LISTED], b.context(" · ".join(serving))]
    if len(rows) > MOST_LISTED:
        blocks.insert(-1, b.context(f"and {len(rows) - MOST_LISTED} more"))
    how = [] if subscriptions else ["Begin with: subscribe"]
    return b.within_limits("\n".join([f"{head}.", *lines, *serving, *how]), blocks)


def _muted_row(one: Muted) -> Block:
    return with_button(f"Muted: {b.mrkdwn(one.told, 600)}", UNMUTE, "Unmute", one.told, one.value)


def _row(one: Told) -> Block:
    made = datetime.fromtimestamp(one.made, UTC)
    text = f"{_what(one.subscription)}\nby {b.escape(wording.name(one.by_name))}, {b.date(made)}"
    return with_button(text, REMOVE, "End", told(one.subscription), one.value)


def with_button(text: str, action_id: str, label: str, what: str, value: str) -> Block:
    button = {
        "type": "button",
        "action_id": action_id,
        "text": {"type": "plain_text", "text": label, "emoji": False},
        "value": value,
        "accessibility_label": b.plain(f"{label}: {what}", 75),
    }
    return {"type": "section", "text": {"type": "mrkdwn", "text": b.clip_escaped(text, 2_900)}, "accessory": button}


def _serving(one: Served, now: float) -> str:
    if not one.last:
        return f"{b.escape(one.region)}: no event within a day, so it is polled every 15 minutes"
    since = b.date(datetime.fromtimestamp(one.since, UTC))
    return f"{b.escape(one.region)}: events since {since}, the last {wording.duration(now - one.last)} ago"


def _what(wish: Subscription) -> str:
    rings = f", rings {mention(wish.ring)}" if wish.ring else ""
    return f"{b.mrkdwn(told(wish), 600)}{rings}"


def _code(words: str) -> str:
    return f"`{b.mrkdwn(words.strip().replace('`', ' '), 600)}`"
