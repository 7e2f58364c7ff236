"""Quiet for a while: a mute as a value, its words, what it holds back, and what breaks it.

Nothing is silently silenced: what a mute holds back is told when it ends, with how long it waited and why. A mute
that is not `hard` is broken by a failure on an instance that was not failing when it was set.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from bot.core import blocks as b
from bot.core import wording
from bot.core.blocks import Message
from bot.core.errors import UsageError
from bot.core.notices import News, news_from
from bot.core.question import quoted
from bot.core.reports import WELL
from bot.core.spans import seconds_of
from bot.core.subscriptions import EVENTS
from bot.core.texts import N_, Text, _, counted, joined, listed, pgettext, sentences
from bot.core.values import like, pattern
from bot.core.words import shown

USAGE = N_(
    "Usage: mute 2h, mute command:backup-* until 18:00, or mute events:spot 2h; with hard where no new failure may "
    "break it"
)
UNMUTE_USAGE = N_("Usage: unmute (everything), or unmute command:backup-*, unmute events:spot")
MUTE, UNMUTE, HARD = "mute", "unmute", "hard"
_ALL = ("everything", "all")  # what no filter means too
LONGEST = 7 * 86_400  # seconds
MORNING = "09:00"
_MOST = 20  # commands of one mute
_CLOCK = re.compile(r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for: `span` in seconds, or a time of day (`18:00`) of a day (`tomorrow`, `2026-11-24`).

    `commands` are shell patterns, `events` kinds of system events (`subscriptions.EVENTS`); of neither: everything.
    """

    commands: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    span: int = 0
    day: str = ""
    clock: str = ""
    hard: bool = False

    def until(self, now: datetime, zone: tzinfo) -> datetime:
        """When it ends, in the person's time zone. Raises UsageError where that is past or too far."""
        end = (now + timedelta(seconds=self.span)).astimezone(zone) if self.span else self._moment(now, zone)
        seconds = end.timestamp() - now.timestamp()
        if seconds <= 0:
            raise UsageError("{time} is past.\n{usage}", time=wording.clock_time(end, zone), usage=Text(USAGE))
        if seconds > LONGEST:
            most = wording.duration(LONGEST)
            raise UsageError("At most {span} can be muted; `unsubscribe` ends it for good.", span=most)
        return end

    def _moment(self, now: datetime, zone: tzinfo) -> datetime:
        local = now.astimezone(zone)
        hour, minute = map(int, (self.clock or MORNING).split(":"))
        day = date.fromisoformat(self.day) if self.day not in ("", "tomorrow") else local.date()
        moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
        over = not self.day and moment.timestamp() <= now.timestamp()
        return moment + timedelta(days=1) if over or self.day == "tomorrow" else moment


def read(words: Sequence[str]) -> Wish:
    """The mute in words; raises UsageError with a sentence for the person."""
    wish = Wish()
    for word in _with_units(words):
        wish = _read(wish, word)
    if not (wish.span or wish.day or wish.clock):
        raise UsageError("For how long?\n{usage}", usage=Text(USAGE))
    if wish.span and (wish.day or wish.clock):
        raise UsageError("Either a span or a time.\n{usage}", usage=Text(USAGE))
    return wish


def _with_units(words: Sequence[str]) -> list[str]:
    """`2 hours` as one word."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1].isdecimal() and seconds_of(joined[-1] + word):
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def _read(wish: Wish, word: str) -> Wish:
    lower, span = word.lower(), seconds_of(word)
    if lower in ("until", "for", *_ALL):
        return wish
    if lower == HARD:
        return replace(wish, hard=True)
    if span:
        return replace(wish, span=span)
    if _CLOCK.fullmatch(lower):
        return replace(wish, clock=lower)
    if lower == "tomorrow" or _is_date(lower):
        return replace(wish, day=lower)
    return _narrowed(wish, word, USAGE)


def _is_date(word: str) -> bool:
    try:
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", word, re.ASCII) and date.fromisoformat(word))
    except ValueError:
        return False


def _narrowed(wish: Wish, word: str, usage: str) -> Wish:
    """The wish about one thing more: `command:backup-*`, `events:spot`, or a kind that a comma has cut off."""
    match = re.fullmatch(r"(?:(command|events)[:=])?(.+)", word, re.IGNORECASE | re.DOTALL)
    key, value = ((match[1] or "").lower(), match[2][:128]) if match else ("", "")
    if key == "command":
        if len(wish.commands) == _MOST:
            raise UsageError("At most {most} commands in one mute.", most=_MOST)
        return replace(wish, commands=tuple(dict.fromkeys([*wish.commands, pattern(value)])))
    if value.lower() in EVENTS:
        return replace(wish, events=tuple(one for one in EVENTS if one in (*wish.events, value.lower())))
    if key:
        raise UsageError("`{key}:` takes {known}, not `{word}`.", key=key, known=", ".join(EVENTS), word=shown(value))
    raise UsageError("I cannot read `{word}` here.\n{usage}", word=shown(word), usage=Text(usage))


def read_unmute(words: Sequence[str]) -> Wish:
    """What is named; nothing for all mutes of the channel. Raises UsageError."""
    wish = Wish()
    for word in words:
        if word.lower() not in _ALL:
            wish = _narrowed(wish, word, UNMUTE_USAGE)
    return wish


@dataclass(frozen=True, slots=True)
class Mute:
    """A mute that stands, of what its `Wish` named; `until` and `made` in seconds, epoch.

    `until_told` is the end in the time zone of the one who set it. `failing` are the instances that failed then.
    """

    commands: tuple[str, ...]
    until: float
    until_told: str
    hard: bool = False
    by: str = ""
    by_name: str = ""
    made: float = 0.0
    failing: tuple[str, ...] = ()
    events: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Names the mute among those of its channel; one of the same things takes its place."""
        return hashlib.sha256(self.words.encode()).hexdigest()[:16]

    @property
    def words(self) -> str:
        """What `unmute` names it by."""
        return " ".join([*(f"command:{quoted(one)}" for one in sorted(self.commands)), *_kinds(self.events)])

    @property
    def what(self) -> str:
        named = [wording.name(listed(self.commands), 200)] if self.commands else []
        named += [_("events: {kinds}", kinds=listed(self.events))] if self.events else []
        return listed(named) or _("everything")

    @property
    def told(self) -> str:
        """`backup-* until 2026-11-24 18:00 CST, hard, by mei`, as plain text."""
        until = _("{what} until {time}", what=self.what, time=self.until_told)
        return joined([until, *([_("hard")] if self.hard else []), _("by {who}", who=wording.name(self.by_name))])

    def names(self, wish: Wish) -> bool:
        """Whether it is the mute of just these things; a wish that names none means each."""
        named = (frozenset(wish.commands), frozenset(wish.events))
        return not any(named) or named == (frozenset(self.commands), frozenset(self.events))

    def covers(self, commands: Collection[str], event: str = "") -> bool:
        """Whether news is muted that is about these commands, each by its name or its id, or about a kind of events."""
        if not (self.commands or self.events):
            return True
        if event:
            return event in self.events
        return bool(commands) and all(any(like(some, one) for some in self.commands) for one in commands)

    def broken_by(self, instances: Collection[str]) -> int:
        """How many of the instances that fail now did not when it was set; 0 where nothing breaks it."""
        return 0 if self.hard else len(set(instances) - set(self.failing))

    def broken(self, instances: Collection[str]) -> str:
        """The sentence that says that it is over."""
        count = self.broken_by(instances)
        failing = counted(
            "{count} instance fails that did not when it was set",
            "{count} instances fail that did not when it was set",
            count,
        )
        return _("This ends the mute of {mute}: {failing}.", mute=self.told, failing=failing)

    def value(self) -> dict[str, Any]:
        """As the store keeps it."""
        return asdict(self)


def mute_from(value: Mapping[str, Any]) -> Mute:
    lists = {name: tuple(value.get(name, ())) for name in ("commands", "failing", "events")}
    return Mute(**{**value, **lists})


def about(commands: Iterable[str] = (), events: Sequence[str] = ()) -> tuple[str, ...]:
    """The words by which the menu of a notice mutes what is like it: commands (patterns), or kinds of system events.

    Each system event is of another instance, so that a mute of its kind is of use only where that does not break it.
    """
    return (*(f"command:{one}" for one in dict.fromkeys(commands)), *_kinds(events), *([HARD] if events else []))


def _kinds(events: Sequence[str]) -> list[str]:
    return [f"events:{','.join(events)}"] if events else []


@dataclass(frozen=True, slots=True)
class Held:
    """News that a mute holds back: the newest telling, and how often the thing has failed since the first."""

    payload: Mapping[str, Any]
    mute: Mute
    since: float
    failures: int = 0
    occasion: str = ""

    @property
    def news(self) -> News:
        return news_from(self.payload["news"])

    def with_it(self, news: News) -> News:
        """News after what was held back: a failure that nobody was told of makes its recovery worth telling."""
        return replace(news, wanted=news.wanted or self.failures > 0)

    def note(self, news: News, now: float) -> str:
        """How long and why it waited, and what became of it meanwhile; plain text."""
        by, mute = wording.name(self.mute.by_name), self.mute
        waited = wording.duration(now - self.since)
        sentence = _(
            "Held back {span}: {who} had muted {what} until {time}.",
            span=waited,
            who=by,
            what=mute.what,
            time=mute.until_told,
        )
        failures = self.failures + bool(news.cause and news.occasion != self.occasion)
        if not failures or (news.cause and failures == 1):
            return sentence
        if news.cause:
            meanwhile = counted("It failed once meanwhile.", "It failed {count} times meanwhile.", failures)
        else:
            meanwhile = counted(
                "It failed once meanwhile and has recovered.",
                "It failed {count} times meanwhile and has recovered.",
                failures,
            )
        return sentences([sentence, meanwhile])

    def value(self) -> dict[str, Any]:
        """As the store keeps it."""
        return asdict(self)


def held_from(value: Mapping[str, Any]) -> Held:
    return Held(**{**value, "mute": mute_from(value["mute"])})


def folded(before: Held | None, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """A telling with what was held back before it and has not gone well since: nobody else knows of that yet."""
    if before is None:
        return payload
    news = news_from(payload["news"])
    left = news.left_of(before.news.failing)
    if left and news.state == WELL:
        told, news = before.payload, replace(before.news, version=news.version).with_failing(left, news.well)
    else:
        told, news = payload, news.with_failing({**news.failing, **left}, before.news.well)
    return {**told, "news": asdict(news)}


def hold(before: Held | None, payload: Mapping[str, Any], mute: Mute, now: float) -> Held:
    """What waits once this telling waits too: only the newest is kept."""
    news = news_from(payload["news"])
    first, payload = before or Held(payload, mute, now), folded(before, payload)
    if not news.cause or news.occasion == first.occasion:
        return replace(first, payload=payload, mute=mute)
    return replace(first, payload=payload, mute=mute, failures=first.failures + 1, occasion=news.occasion)


def muted(mute: Mute) -> Message:
    """Said to the channel: who set it, until when, and what breaks it."""
    breaks = (
        _("No failure breaks it.")
        if mute.hard
        else _("A failure on an instance that is not failing now breaks it; with hard nothing would.")
    )
    lines = [
        _(
            "{who} has muted {what} in this channel until {time}.",
            who=b.escape(wording.name(mute.by_name)),
            what=_what(mute),
            time=mute.until_told,
        ),
        sentences([breaks, _("What is held back is told when it ends.")]),
        _("To end it now: {words}", words=f"`{b.mrkdwn(f'{UNMUTE} {mute.words}'.strip().replace('`', ' '), 600)}`"),
    ]
    return Message("\n".join(lines))


def unmuted(mutes: Sequence[Mute], by_name: str) -> Message:
    what = pgettext("between sentences of one", "; ").join(_what(one) for one in mutes)
    by = b.escape(wording.name(by_name))
    return Message(
        _("{who} has ended the mute of {what}. What was held back is told within minutes.", who=by, what=what)
    )


def _what(mute: Mute) -> str:
    return b.mrkdwn(mute.what, 600)
