"""One function for each sub-command that leaves something standing; the same table makes `help`.

What changes what a channel is told is said to the channel. Errors are raised, not answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import digests, handovers, health, subscribers
from bot.adapters.slack import Place
from bot.adapters.store import StoreError
from bot.core import daily, messages, orders, standing, status, subscriptions
from bot.core.access import Admission
from bot.core.blocks import Message
from bot.core.errors import NotAllowed, SlackError, UsageError
from bot.core.handles import Handle, pack
from bot.core.question import Question
from bot.subscribers import Subscribed

if TYPE_CHECKING:
    from bot.answering import Answering, Turn

NOT_LASTING = (
    "What I keep here is lost with this function instance, so I cannot remember a subscription. The people who run "
    "this bot must set BOT_STORE to a store that lasts, for example BOT_STORE=tablestore://instance.cn-hangzhou."
)
_NO_MEMBER = frozenset({"not_in_channel", "channel_not_found", "is_archived", "restricted_action"})
_INVITE = "I cannot post in this channel, so I did not subscribe it. Invite me with /invite, then subscribe again."
_INVITE_FIRST = "I cannot post in this channel, so nothing was set. Invite me with /invite, then ask again."


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
    if by.why_private and not ORDERS[question.subcommand].alone:
        raise NotAllowed(f"What stands for a channel is seen by the channel. {by.why_private}")
    try:
        return ORDERS[question.subcommand].run(Asked(answering, turn, by, place, question.arguments))
    except StoreError as error:
        raise UsageError("My store did not answer, so nothing was changed. Please try again in a minute.") from error


@order("subscribe", "subscribe, subscribe command:deploy-* ring:@somebody", "tell this channel when runs fail")
def subscribe(asked: Asked) -> None:
    if not asked.answering.settings.store_lasts:
        raise NotAllowed(NOT_LASTING)
    wish = subscriptions.read(asked.words)
    one = Subscribed(
        asked.place.team_id, asked.place.channel_id, wish, asked.by.user_id, asked.by.name, asked.answering.now
    )
    known = one.subscription in [other.subscription for other in asked.here]
    subscribers.add(asked.answering.store, one)
    try:
        asked.say(standing.subscribed(wish, asked.by.name, known=known, regions=asked.answering.settings.regions))
    except SlackError as error:
        if error.code not in _NO_MEMBER:
            raise
        subscribers.remove(asked.answering.store, [one])
        raise NotAllowed(_INVITE) from error


@order("unsubscribe", "unsubscribe, unsubscribe WORDS, unsubscribe everything", "end a subscription of this channel")
def unsubscribe(asked: Asked) -> None:
    ended = _meant(asked)
    subscribers.remove(asked.answering.store, ended)
    asked.say(standing.unsubscribed([one.subscription for one in ended], asked.by.name))


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
    raise UsageError(f"Which one? This channel has:\n{listed}\nOr all of them: `unsubscribe everything`.")


@order("subscriptions", "subscriptions", "what this channel is told of, and by whom it was asked for")
def list_subscriptions(asked: Asked) -> None:
    here = asked.here
    asked.say(standing.listed(_told(asked, here), _served(asked.answering), asked.answering.now))


def _served(answering: Answering) -> list[standing.Served]:
    """For each region whether events arrive, since when, and when the last one came."""
    served = []
    for region in answering.settings.regions:
        record = answering.store.get(f"heard/{region}", answering.now)
        since, last = (record.value["since"], record.value["at"]) if record else (0.0, 0.0)
        served.append(standing.Served(region, since, last))
    return served


def _told(asked: Asked, here: Sequence[Subscribed]) -> list[standing.Told]:
    """Each subscription with the button that ends it."""
    secret, now = asked.answering.settings.signing_secret, int(asked.answering.now)

    def value(one: subscriptions.Subscription) -> str:
        words = f"unsubscribe {one.words()}".strip()
        return pack(Handle(words, asked.by.user_id, now, asked.by.name), secret)

    return [standing.Told(one.subscription, one.by_name, one.made, value(one.subscription)) for one in here]


@order("digest", "digest daily 09:00, digest off, digest now", "a day of runs in sentences and a chart, every day")
def digest(asked: Asked) -> Message | None:
    wish = daily.read(asked.words)
    if wish.what == daily.NOW:
        return digests.now(asked.answering, asked.turn, asked.by, asked.place)
    if wish.what == daily.DAILY and not asked.answering.settings.store_lasts:
        raise NotAllowed(NOT_LASTING)
    before, said = digests.change(asked.answering, asked.by, asked.place, wish)
    try:
        asked.say(messages.sentence(said))
    except SlackError as error:
        if error.code not in _NO_MEMBER:
            raise
        digests.restore(asked.answering, asked.place.channel_id, before)
        raise NotAllowed(_INVITE_FIRST) from error
    return None


@order("handover", "handover", "what the next one on call must know: a draft for you, then shared", alone=True)
def handover(asked: Asked) -> Message:
    return handovers.draft(asked.answering, asked.turn, asked.by, asked.place)


@order("status", "status, status here", "how I fare: queue, store, throttles, events, versions", alone=True)
def tell_status(asked: Asked) -> Message | None:
    message = health.message(asked.answering, asked.turn, asked.by)
    if not status.read(asked.words) or asked.by.why_private:
        return message
    asked.say(message)
    return None
