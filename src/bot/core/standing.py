"""What people read about what stands for a channel: subscriptions, who made them, and what serves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.core import blocks as b
from bot.core import places, wording
from bot.core.blocks import Block, Message
from bot.core.quiet import UNMUTE
from bot.core.subscriptions import Subscription, told
from bot.core.texts import N_, _, counted, joined, pgettext, stop
from bot.core.texts import listed as things
from bot.core.values import mention

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
    """What brings news of a region: events without a day's gap since `since`; else, where that is 0, the poll.

    `last` is when the last event came, 0 where that is not known.
    """

    region: str
    since: float
    last: float


def subscribed(wish: Subscription, by_name: str, *, known: bool, regions: Sequence[str]) -> Message:
    """Said to the channel, so that everybody knows why messages begin to arrive."""
    who, what = b.escape(wording.name(by_name)), _what(wish)
    if known:
        lines = [_("This channel is subscribed already to {what}. Asked for by {who}.", what=what, who=who)]
    else:
        lines = [_("This channel is subscribed now to {what}. Asked for by {who}.", what=what, who=who)]
    elsewhere = [one for one in wish.regions if not any(places.within(at, wish.accounts, (one,)) for at in regions)]
    if elsewhere:
        lines.append(
            _(
                "I listen only in {regions} (BOT_REGIONS); nothing of {elsewhere} arrives.",
                regions=b.escape(things(regions)),
                elsewhere=things(elsewhere),
            )
        )
    lines.append(_("To end it: {words}", words=_code(f"unsubscribe {wish.words()}")))
    return Message("\n".join(lines))


def unsubscribed(ended: Sequence[Subscription], by_name: str) -> Message:
    what, who = pgettext("between sentences of one", "; ").join(map(_what, ended)), b.escape(wording.name(by_name))
    return Message(_("This channel is not subscribed any more to {what}. Ended by {who}.", what=what, who=who))


def listed(subscriptions: Sequence[Told], served: Sequence[Served], now: float, muted: Sequence[Muted] = ()) -> Message:
    """All subscriptions and mutes of a channel with buttons to end them, and what serves each region."""
    head = _("No subscriptions in this channel")
    if subscriptions:
        head = counted("{count} subscription", "{count} subscriptions", len(subscriptions))
    lines = [joined([_what(one.subscription), _by(one)]) for one in subscriptions]
    lines += [_muted(one) for one in muted]
    serving = [_serving(one, now) for one in served]
    rows = [*(_muted_row(one) for one in muted), *(_row(one) for one in subscriptions)]
    blocks: list[Block] = [b.header(head), *rows[:MOST_LISTED], b.context(" · ".join(serving))]
    if len(rows) > MOST_LISTED:
        blocks.insert(-1, b.context(counted("and {count} more", "and {count} more", len(rows) - MOST_LISTED)))
    how = [] if subscriptions else [_("Begin with: {words}", words="subscribe")]
    return b.within_limits("\n".join([stop(head), *lines, *serving, *how]), blocks)


def _muted(one: Muted) -> str:
    return _("Muted: {what}", what=b.mrkdwn(one.told, 600))


def _by(one: Told) -> str:
    return _("by {who}", who=b.escape(wording.name(one.by_name)))


def _muted_row(one: Muted) -> Block:
    return with_button(_muted(one), UNMUTE, _("Unmute"), one.told, one.value)


def _row(one: Told) -> Block:
    made = datetime.fromtimestamp(one.made, UTC)
    text = f"{_what(one.subscription)}\n{joined([_by(one), b.date(made)])}"
    return with_button(text, REMOVE, _("End"), told(one.subscription), one.value)


def with_button(text: str, action_id: str, label: str, what: str, value: str) -> Block:
    button = {
        "type": "button",
        "action_id": action_id,
        "text": {"type": "plain_text", "text": label, "emoji": False},
        "value": value,
        "accessibility_label": b.plain(_("{what}: {told}", what=label, told=what), 75),
    }
    return {"type": "section", "text": {"type": "mrkdwn", "text": b.clip_escaped(text, 2_900)}, "accessory": button}


def _serving(one: Served, now: float) -> str:
    if one.last and not one.since:
        when = b.date(datetime.fromtimestamp(one.last, UTC))
        text = N_("{region}: no event since {time}, so it is polled every 15 minutes")
        return _(text, region=b.escape(one.region), time=when)
    if not one.last:
        return _("{region}: no event within a day, so it is polled every 15 minutes", region=b.escape(one.region))
    since = b.date(datetime.fromtimestamp(one.since, UTC))
    ago = wording.duration(now - one.last)
    return _("{region}: events since {time}, the last {span} ago", region=b.escape(one.region), time=since, span=ago)


def _what(wish: Subscription) -> str:
    rings = [_("rings {who}", who=mention(wish.ring))] if wish.ring else []
    return joined([b.mrkdwn(told(wish), 600), *rings])


def _code(words: str) -> str:
    return f"`{b.mrkdwn(words.strip().replace('`', ' '), 600)}`"
