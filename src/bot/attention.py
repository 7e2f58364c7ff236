"""Orders about a channel's attention: what it is not to be told for a while, and what it expects to happen.

Its functions are entries of the table in `orders`, which must be loaded with it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from bot import expected, mutes
from bot.core import expectations, orders, quiet, unmet, wording
from bot.core.errors import NotFound, UsageError
from bot.core.quiet import Mute
from bot.core.texts import N_
from bot.expected import Expected
from bot.orders import Asked, carried, order
from bot.zones import name_of


@order(
    "mute",
    "mute 2h, mute command:backup-* until 18:00, mute events:spot 2h hard",
    N_("hold back what this channel is told"),
)
def mute(asked: Asked) -> None:
    asked.must_last(N_("a mute"))
    store, channel, now = asked.answering.store, asked.place.channel_id, asked.answering.now
    wish = quiet.read(asked.words)
    end = wish.until(datetime.fromtimestamp(now, UTC), asked.by.zone)
    if not asked.here and not expected.in_channel(store, channel, now):
        raise UsageError("This channel has no subscriptions, so there is nothing to mute.")
    one = Mute(
        wish.commands,
        end.timestamp(),
        wording.clock_time(end, asked.by.zone),
        wish.hard,
        asked.by.user_id,
        asked.by.name,
        now,
        mutes.failing(store, channel, now),
        wish.events,
    )
    mutes.add(store, channel, one)
    asked.announce(quiet.muted(one), lambda: mutes.remove(store, channel, [one]))


@order("unmute", "unmute, unmute command:backup-*", N_("end a mute of this channel"))
def unmute(asked: Asked) -> None:
    store, channel = asked.answering.store, asked.place.channel_id
    wish = quiet.read_unmute(asked.words)
    active = mutes.active(store, channel, asked.answering.now)
    ended = [one for one in active if one.names(wish)]
    if not ended:
        if not active:
            raise NotFound("Nothing is muted here.")
        standing = "; ".join(f"`unmute {one.words}`".replace(" `", "`") for one in active)
        raise NotFound("There is no such mute. This channel has: {standing}", standing=standing)
    mutes.remove(store, channel, ended)
    asked.say(quiet.unmuted(ended, asked.by.name))
    mutes.release(asked.answering, asked.turn)


@order(
    "expect",
    "expect command:backup-* daily by:03:30 on:tag:backup=yes",
    N_("tell this channel of instances on which a command did not end well in time"),
)
def expect(asked: Asked) -> None:
    asked.must_last(N_("an expectation"))
    wish, now = expectations.read(asked.words), asked.answering.now
    asked.by.limit.refuse_wish(wish.commands, wish.regions, wish.accounts)
    channel, zone = asked.place.channel_id, name_of(asked.by.zone)
    one = Expected(channel, wish, zone, 0.0, asked.by.user_id, asked.by.name, now)
    one = replace(one, due=one.next_after(now))
    known = wish in [some.expectation for some in _expected(asked)]
    expected.add(asked.answering.store, one)
    due = datetime.fromtimestamp(one.due, UTC)
    said = unmet.expected(one.told, due, known=known)
    asked.announce(said, lambda: expected.remove(asked.answering.store, [one]))


@order("unexpect", "unexpect, unexpect WORDS, unexpect everything", N_("end an expectation of this channel"))
def unexpect(asked: Asked) -> None:
    ended = _meant(asked)
    expected.remove(asked.answering.store, ended)
    asked.say(unmet.unexpected([one.told for one in ended], asked.by.name))


def _meant(asked: Asked) -> list[Expected]:
    """Which expectations are to end; raises UsageError where that is not clear."""
    here = _expected(asked)
    if not here:
        raise UsageError("Nothing is expected in this channel.")
    if [word.lower() for word in asked.words] == [orders.EVERYTHING]:
        return here
    wish = expectations.read(asked.words) if asked.words else None
    exact = [one for one in here if wish in (one.expectation, None)]
    if len(exact) == 1:
        return exact
    listed = "\n".join(f"`unexpect {one.expectation.words()}`" for one in here)
    raise UsageError("Which one? This channel has:\n{listed}\nOr all of them: `unexpect everything`.", listed=listed)


@order("expectations", "expectations", N_("what is expected in this channel, by whom, and when it is due"))
def list_expectations(asked: Asked) -> None:
    def listed(one: Expected) -> unmet.Listed:
        value = carried(asked, f"{unmet.UNEXPECT} {one.expectation.words()}")
        return unmet.Listed(one.told, one.due, one.last, value)

    asked.say(unmet.listed([listed(one) for one in _expected(asked)]))


def _expected(asked: Asked) -> list[Expected]:
    return expected.in_channel(asked.answering.store, asked.place.channel_id, asked.answering.now)
