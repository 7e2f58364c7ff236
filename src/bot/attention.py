"""Orders about a channel's attention: what it is not to be told for a while, and what it expects to happen.

Its functions are entries of the table in `orders`, which must be loaded with it.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from bot import expected, mutes
from bot.adapters.queue import QueueRefused
from bot.adapters.store import StoreError
from bot.core import expectations, orders, quiet, unmet, wording
from bot.core.blocks import Message
from bot.core.errors import NotFound, UsageError
from bot.core.quiet import Mute
from bot.core.texts import N_
from bot.expected import Expected
from bot.orders import Asked, carried, order
from bot.zones import name_of

log = logging.getLogger("bot.attention")


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
    known = [other for other in mutes.active(store, channel, now) if other.key == one.key]
    undo = partial(mutes.add, store, channel, known) if known else partial(mutes.remove, store, channel, [one])
    asked.begin(partial(mutes.add, store, channel, [one]), undo, quiet.muted(one))


@order("unmute", "unmute, unmute command:backup-*", N_("end a mute of this channel"))
def unmute(asked: Asked) -> Message | None:
    store, channel = asked.answering.store, asked.place.channel_id
    wish = quiet.read_unmute(asked.words)
    active = mutes.active(store, channel, asked.answering.now)
    ended = [one for one in active if one.names(wish)]
    if not ended:
        if not active:
            raise NotFound("Nothing is muted here.")
        standing = "; ".join(f"`unmute {one.words}`".replace(" `", "`") for one in active)
        raise NotFound("There is no such mute. This channel has: {standing}", standing=standing)
    do, undo = (partial(change, store, channel, ended) for change in (mutes.remove, mutes.add))
    said = asked.end(do, undo, quiet.unmuted(ended, asked.by.name))
    try:
        mutes.release(asked.answering, asked.turn)
    except (StoreError, QueueRefused) as error:
        log.warning("what was held back waits for the timer: %s", error)
    return said


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
    store, known = asked.answering.store, [other for other in _expected(asked) if other.key == one.key]
    said = unmet.expected(one.told, datetime.fromtimestamp(one.due, UTC), known=bool(known))
    undo = partial(expected.add, store, known) if known else partial(expected.remove, store, [one])
    asked.begin(partial(expected.add, store, [one]), undo, asked.within(said))


@order("unexpect", "unexpect, unexpect WORDS, unexpect everything", N_("end an expectation of this channel"))
def unexpect(asked: Asked) -> Message | None:
    ended = _meant(asked)
    do, undo = (partial(change, asked.answering.store, ended) for change in (expected.remove, expected.add))
    return asked.end(do, undo, unmet.unexpected([one.told for one in ended], asked.by.name))


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
def list_expectations(asked: Asked) -> Message | None:
    def listed(one: Expected) -> unmet.Listed:
        value = carried(asked, f"{unmet.UNEXPECT} {one.expectation.words()}")
        return unmet.Listed(one.told, one.due, one.last, value)

    return asked.tell(unmet.listed([listed(one) for one in _expected(asked)]))


def _expected(asked: Asked) -> list[Expected]:
    return expected.in_channel(asked.answering.store, asked.place.channel_id, asked.answering.now)
