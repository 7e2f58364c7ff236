"""One function for each sub-command that leaves something standing; the same table makes `help`.

What changes what a channel is told is said to the channel. Errors are raised, not answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bot import digests, handovers, health, heard, mutes, subscribers
from bot.adapters.slack import CANNOT_POST, Place
from bot.adapters.store import StoreError
from bot.core import access, daily, messages, orders, quiet, standing, status, subscriptions
from bot.core.access import Admission
from bot.core.blocks import Message
from bot.core.errors import NotAllowed, SlackError, UsageError
from bot.core.handles import Handle, pack
from bot.core.question import Question
from bot.core.texts import N_, Text
from bot.subscribers import Subscribed

if TYPE_CHECKING:
    from bot.answering import Answering
    from bot.turn import Turn

_NOT_LASTING = N_(
    "What I keep here is lost with this function instance, so I cannot remember {what}. The people who run "
    "this bot must set BOT_STORE to a store that lasts, for example BOT_STORE=tablestore://instance.cn-hangzhou."
)
_HALF_DONE = N_(
    "My store stopped answering in the middle of it, so I do not know what of it stands. Please look in a minute, with "
    "subscriptions, expectations or digest, and ask again."
)
_INVITE = N_("I cannot post in this channel, so I remember nothing for it. Invite me with /invite, then ask again.")


Change = Callable[[], None]
"""Something done to the store, as often as one likes; raises StoreError."""


@contextmanager
def _wholly(do: Change, undo: Change) -> Iterator[None]:
    """A change that is undone where it could be done in part only, or could not be said. Raises what went wrong."""
    try:
        do()
        yield
    except (StoreError, SlackError, NotAllowed):
        try:
            undo()
        except StoreError as error:
            raise UsageError(_HALF_DONE) from error
        raise


@dataclass(frozen=True, slots=True)
class Asked:
    """An order as it came: by whom, where, in which words; `turn` is the job's."""

    answering: Answering
    turn: Turn
    by: Admission
    place: Place
    words: tuple[str, ...]

    def say(self, message: Message) -> None:
        """To the channel, or to the person where they talk in private. Raises SlackError."""
        self.turn.post_to(self.place.channel_id, message, self.place.thread_ts)

    def tell(self, message: Message) -> Message | None:
        """Says it to the channel; gives it for the person alone where the bot cannot post there. Raises SlackError."""
        try:
            self.say(message)
        except SlackError as error:
            if error.code not in CANNOT_POST:
                raise
            return message
        return None

    def within(self, message: Message) -> Message:
        """With what this channel may be shown, where that is less than all."""
        return messages.noted(message, access.only(self.by.limit)) if self.by.limit else message

    def begin(self, do: Change, undo: Change, message: Message) -> None:
        """Does what is to stand from now on and says so; where the bot cannot post nothing is begun: NotAllowed."""
        with _wholly(do, undo):
            if self.tell(message):
                raise NotAllowed(_INVITE)

    def end(self, do: Change, undo: Change, message: Message) -> Message | None:
        """Ends what stood and says so: to the person alone where the bot cannot post."""
        with _wholly(do, undo):
            return self.tell(message)

    def must_last(self, what: str) -> None:
        """Raises NotAllowed where the store cannot keep such a thing."""
        if not self.answering.settings.store_lasts:
            raise NotAllowed(_NOT_LASTING, what=Text(what))

    @property
    def here(self) -> list[Subscribed]:
        """The channel's subscriptions; raises StoreError."""
        return subscribers.in_channel(self.answering.store, self.place.channel_id, self.answering.now)


Order = Callable[[Asked], Message | None]
"""Gives a message for the person alone, or None where all has been said."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`alone`: its answer is for the person, so that it may be given where the channel may not see it."""

    usage: str
    says: str
    run: Order
    alone: bool = False


ORDERS: dict[str, Entry] = {}


def order(name: str, usage: str, says: str, *, alone: bool = False) -> Callable[[Order], Order]:
    def register(run: Order) -> Order:
        ORDERS[name] = Entry(usage, says, run, alone)
        return run

    return register


def carry_out(answering: Answering, turn: Turn, by: Admission, place: Place, question: Question) -> Message | None:
    """Raises UserError, CloudError and SlackError; a store that does not answer is told as one."""
    entry = ORDERS[question.subcommand]
    if by.why_private and not entry.alone:
        raise NotAllowed("What stands for a channel is seen by the channel. {why}", why=by.why_private)
    try:
        with nullcontext() if entry.alone else answering.aloud():
            return entry.run(Asked(answering, turn, by, place, question.arguments))
    except StoreError as error:
        raise UsageError("My store did not answer, so nothing was changed. Please try again in a minute.") from error


@order("subscribe", "subscribe, subscribe command:deploy-* ring:@somebody", N_("tell this channel when runs fail"))
def subscribe(asked: Asked) -> None:
    asked.must_last(N_("a subscription"))
    wish = subscriptions.read(asked.words)
    asked.by.limit.refuse_wish(wish.commands, wish.regions, wish.accounts)
    one = Subscribed(
        asked.place.team_id, asked.place.channel_id, wish, asked.by.user_id, asked.by.name, asked.answering.now
    )
    store, known = asked.answering.store, [other for other in asked.here if other.key == one.key]
    said = standing.subscribed(wish, asked.by.name, known=bool(known), regions=asked.answering.settings.regions)
    undo = partial(subscribers.add, store, known) if known else partial(subscribers.remove, store, [one])
    asked.begin(partial(subscribers.add, store, [one]), undo, asked.within(said))


@order(
    "unsubscribe", "unsubscribe, unsubscribe WORDS, unsubscribe everything", N_("end a subscription of this channel")
)
def unsubscribe(asked: Asked) -> Message | None:
    store, ended = asked.answering.store, _meant(asked)
    said = standing.unsubscribed([one.subscription for one in ended], asked.by.name)
    return asked.end(partial(subscribers.remove, store, ended), partial(subscribers.add, store, ended), said)


def _meant(asked: Asked) -> list[Subscribed]:
    """Which subscriptions are to end; raises UsageError where that is not clear."""
    here = asked.here
    if not here:
        raise UsageError("This channel has no subscriptions.")
    if [word.lower() for word in asked.words] == [orders.EVERYTHING]:
        return here
    wish = subscriptions.read(asked.words)
    exact = [one for one in here if one.subscription == wish]
    if exact or (not asked.words and len(here) == 1):
        return exact or here
    listed = "\n".join(f"`{f'unsubscribe {one.subscription.words()}'.strip()}`" for one in here)
    raise UsageError("Which one? This channel has:\n{listed}\nOr all of them: `unsubscribe everything`.", listed=listed)


@order("subscriptions", "subscriptions", N_("what this channel is told of, and by whom it was asked for"))
def list_subscriptions(asked: Asked) -> Message | None:
    here = asked.here
    served, muted = _served(asked.answering), _muted(asked)
    return asked.tell(standing.listed(_told(asked, here), served, asked.answering.now, muted))


def _muted(asked: Asked) -> list[standing.Muted]:
    """Each mute with the button that ends it."""
    active = mutes.active(asked.answering.store, asked.place.channel_id, asked.answering.now)
    return [standing.Muted(one.told, carried(asked, f"{quiet.UNMUTE} {one.words}")) for one in active]


def carried(asked: Asked, words: str) -> str:
    """What a button carries that says these words."""
    secret, now = asked.answering.settings.signing_secret, int(asked.answering.now)
    return pack(Handle(words.strip(), asked.by.user_id, now, asked.by.name), secret)


def _served(answering: Answering) -> list[standing.Served]:
    """For each region whether events arrive, since when, and when the last one came."""
    served = []
    for region in answering.settings.regions:
        known = heard.last(answering.store, region, answering.now)
        since = known.since if known and known.serves(answering.now) else 0.0
        served.append(standing.Served(region, since, known.at if known else 0.0))
    return served


def _told(asked: Asked, here: Sequence[Subscribed]) -> list[standing.Told]:
    """Each subscription with the button that ends it."""
    return [
        standing.Told(
            one.subscription, one.by_name, one.made, carried(asked, f"unsubscribe {one.subscription.words()}")
        )
        for one in here
    ]


@order("digest", "digest daily 09:00, digest off, digest now", N_("a day of runs in sentences and a chart, every day"))
def digest(asked: Asked) -> Message | None:
    wish = daily.read(asked.words)
    if wish.what == daily.NOW:
        return digests.now(asked.answering, asked.turn, asked.by, asked.place)
    if wish.what == daily.DAILY:
        asked.must_last(N_("a digest"))
    before, after, said = digests.change(asked.answering, asked.by, asked.place, wish)
    if before == after:
        return asked.tell(messages.sentence(said))
    do, undo = (partial(digests.keep, asked.answering, asked.place.channel_id, one) for one in (after, before))
    if after is None:
        return asked.end(do, undo, messages.sentence(said))
    asked.begin(do, undo, messages.sentence(said))
    return None


@order("handover", "handover", N_("what the next one on call must know: a draft for you, then shared"), alone=True)
def handover(asked: Asked) -> Message:
    return handovers.draft(asked.answering, asked.turn, asked.by, asked.place)


@order("status", "status, status here", N_("how I fare: queue, store, throttles, events, versions"), alone=True)
def tell_status(asked: Asked) -> Message | None:
    if not status.read(asked.words) or asked.by.why_private:
        return health.message(asked.answering, asked.turn, asked.by)
    with asked.answering.aloud():
        return asked.tell(health.message(asked.answering, asked.turn, asked.by))
