"""What one channel has been told of one failing thing, and what follows from news of it. Pure; the shell is
`bot.notices`.

One message for each thing, kept right by updates, which ring nobody. What must ring is a reply in its thread: the
first failure, an instance that joined, another reason, a recovery, and every four hours that it goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from bot.core import blocks as b
from bot.core import wording
from bot.core.reports import GOING, WELL
from bot.core.texts import _, counted, sentences

BETWEEN = 3.0  # seconds between two updates of one message
RING_AGAIN = 4 * 3_600.0  # seconds after which a thing that goes on failing rings again
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Notice:
    """What a channel has been told; `ts` is its message, "" before there is one. Times in seconds, epoch.

    `cause` is a fingerprint, "" while nothing fails that may go well again; `instances` fail all the same where it
    tells of a system event or of what did not happen. `times` counts the occasions that failed in a row. `line` is
    line one of the message, escaped; `recovered` is when what had failed went well again, 0 for never. `repeat`: the
    message may be a repeat, and says so.
    """

    ts: str = ""
    version: int = 0
    told_at: float = 0.0
    cause: str = ""
    instances: tuple[str, ...] = ()
    occasion: str = ""
    times: int = 0
    since: float = 0.0
    rung_at: float = 0.0
    line: str = ""
    recovered: float = 0.0
    repeat: bool = False

    def value(self) -> dict[str, Any]:
        """As the store keeps it."""
        return asdict(self)


def notice_from(value: Mapping[str, Any]) -> Notice:
    known = {field.name: value[field.name] for field in fields(Notice) if field.name in value}
    return Notice(**{**known, "instances": tuple(known.get("instances", ()))})


@dataclass(frozen=True, slots=True)
class News:
    """How a thing stands now, for one channel.

    `version` grows with time; `occasion` names the run, or the repeat of a schedule, that the news is of. `wanted`:
    the channel's subscriptions let it through; news that nobody asked for still ends what was told before.
    `names` are the failing instances as people call them; `line` is line one of the message, escaped already.
    """

    state: str
    version: int
    at: float
    occasion: str
    wanted: bool = True
    cause: str = ""
    instances: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    line: str = ""


def news_from(value: Mapping[str, Any]) -> News:
    return News(**{**value, "instances": tuple(value["instances"]), "names": tuple(value["names"])})


@dataclass(frozen=True, slots=True)
class Step:
    """What to do: nothing, wait `wait` seconds, or show the message with `note` and reply with `reply` (mrkdwn)."""

    after: Notice
    show: bool = False
    wait: float = 0.0
    note: str = ""
    reply: str = ""


def step(before: Notice, news: News, now: float, zone: tzinfo) -> Step:
    """What news means to a channel that has been told `before`."""
    if news.version <= before.version:
        return Step(before)
    if not (news.wanted or before.cause):
        return Step(before)
    left = before.told_at + BETWEEN - now if before.ts else 0.0
    if left > 0:
        # An update on the way is made good by the next one; the last must get through.
        return Step(before) if news.state == GOING else Step(before, wait=left)
    told = replace(before, version=news.version, told_at=now, line=news.line)
    if news.state == GOING:
        return Step(told, show=True)
    return _well(before, told, news, now, zone) if news.state == WELL else _badly(before, told, news, now, zone)


def _well(before: Notice, told: Notice, news: News, now: float, zone: tzinfo) -> Step:
    after = replace(told, cause="", instances=news.instances, occasion=news.occasion, times=0, since=0.0, rung_at=now)
    if not before.cause:
        return Step(after, show=True)
    after = replace(after, recovered=now)
    had = counted(
        "It had failed once, since {time}.",
        "It had failed {count} times in a row, since {time}.",
        max(1, before.times),
        time=_clock(before.since, zone),
    )
    return Step(after, show=True, reply=sentences([_("Recovered: {line}", line=news.line), had]))


def _badly(before: Notice, told: Notice, news: News, now: float, zone: tzinfo) -> Step:
    again = bool(before.cause)
    times = before.times + (news.occasion != before.occasion)
    since = before.since if again else news.at
    after = replace(told, cause=news.cause, instances=news.instances, occasion=news.occasion, times=times, since=since)
    repeated = _("{n} times in a row since {time}", n=times, time=_clock(since, zone)) if times > 1 else ""
    reply = _worth_ringing(before, news, now, repeated)
    return Step(replace(after, rung_at=now) if reply else after, show=True, note=_sentence(repeated), reply=reply)


def _worth_ringing(before: Notice, news: News, now: float, repeated: str) -> str:
    shown = [wording.name(one, 40) for one in news.names[:MOST_NAMED]]
    named = b.escape(wording.and_more(shown, max(0, len(news.names) - MOST_NAMED)))
    failing = sentences([news.line, _("On {names}.", names=named)] if named else [news.line])
    if not before.cause:
        return failing
    joined = [one for one in news.instances if one not in before.instances]
    if joined:
        return counted(
            "{count} more instance failing now: {told}",
            "{count} more instances failing now: {told}",
            len(joined),
            told=failing,
        )
    if news.cause != before.cause:
        return _("It fails in another way now: {told}", told=failing)
    if not repeated or now - before.rung_at < RING_AGAIN:
        return ""
    return _("Still failing, {often}: {told}", often=repeated, told=failing)


def _sentence(words: str) -> str:
    return _("Failed {often}.", often=words) if words else ""


def _clock(seconds: float, zone: tzinfo) -> str:
    return wording.clock_time(datetime.fromtimestamp(seconds, UTC), zone)
