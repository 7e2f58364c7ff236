"""What one channel has been told of one failing thing, and what follows from news of it. Pure; the shell is
`bot.notices`.

One message for each thing, kept right by updates, which ring nobody. What must ring is a reply in its thread: the
first failure, an instance that joined, another reason, a recovery, and every four hours that it goes on. A thing has
recovered when each instance that failed has gone well since; a run on others says nothing of those.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from bot.core import blocks as b
from bot.core import wording
from bot.core.reports import GOING, MOST_NAMES, WELL
from bot.core.texts import _, counted, sentences

BETWEEN = 3.0  # seconds between two updates of one message
OPEN = 86_400.0  # seconds without another failure after which a thing that fails counts as over
RING_AGAIN = 4 * 3_600.0  # seconds after which a thing that goes on failing rings again
MOST_NAMED = 5
MOST_CARRIED = 2_000  # instances of one telling: those of twenty runs


@dataclass(frozen=True, slots=True)
class Notice:
    """What a channel has been told; `ts` is its message, "" before there is one. Times in seconds, epoch.

    `cause` is a fingerprint, "" while nothing fails that may go well again; `instances` have failed and not gone well
    since, also where it tells of a system event or of what did not happen; `names` is what people call the first of
    them. `times` counts the occasions that failed in a row, of a schedule also those that nobody told of. `line` is
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
    names: tuple[str, ...] = ()
    repeat: bool = False

    @property
    def failing(self) -> dict[str, str]:
        """The instances that fail, by id, with what people call them."""
        return _called(self.instances, self.names)

    def value(self) -> dict[str, Any]:
        """As the store keeps it."""
        return asdict(self)


def notice_from(value: Mapping[str, Any]) -> Notice:
    known = {field.name: value[field.name] for field in fields(Notice) if field.name in value}
    return Notice(**{**known, **_tuples(known, "instances", "names")})


@dataclass(frozen=True, slots=True)
class News:
    """How a thing stands now, for one channel.

    `version` grows with time; `occasion` names the run, or the repeat of a schedule, that the news is of. `wanted`:
    the channel's subscriptions let it through; news that nobody asked for still ends what was told before.
    `instances` fail, `names` is what people call the first of them, and `well` are those that succeeded; `line` is
    line one of the message, escaped already. Of a schedule `times` and `since` are what its message says by its
    history: how often in a row it has failed, whether or not the channel heard of it, and since when; else 0.
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
    well: tuple[str, ...] = ()
    times: int = 0
    since: float = 0.0

    @property
    def failing(self) -> dict[str, str]:
        """The instances that fail, by id, with what people call them."""
        return _called(self.instances, self.names)

    def left_of(self, failing: Mapping[str, str]) -> dict[str, str]:
        """Of instances that failed before, those of which this says nothing."""
        known = {*self.instances, *self.well}
        return {one: name for one, name in failing.items() if one not in known}

    def with_failing(self, failing: Mapping[str, str], well: Collection[str]) -> News:
        """This with other instances that fail, and more that have gone well; no more of both than a job can carry."""
        fail = _fields(dict(list(failing.items())[:MOST_CARRIED]))
        fine = sorted({*self.well, *well}.difference(failing))[: MOST_CARRIED - len(fail["instances"])]
        return replace(self, **fail, well=tuple(fine))


def news_from(value: Mapping[str, Any]) -> News:
    return News(**{**value, **_tuples(value, "instances", "names", "well")})


def _tuples(value: Mapping[str, Any], *names: str) -> dict[str, tuple[str, ...]]:
    return {name: tuple(value.get(name, ())) for name in names}


def _called(instances: tuple[str, ...], names: tuple[str, ...]) -> dict[str, str]:
    return dict(zip(instances, (*names, *instances[len(names) :]), strict=False))


def _fields(failing: Mapping[str, str]) -> dict[str, Any]:
    return {"instances": tuple(failing), "names": tuple(failing.values())[:MOST_NAMES]}


@dataclass(frozen=True, slots=True)
class Step:
    """What to do: nothing, wait `wait` seconds, show the message with `note`, reply with `reply` (mrkdwn), or both."""

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
    left = news.left_of(before.failing) if before.cause else {}
    if left:
        return _well_in_part(before, told, news, left)
    failing = _fields(news.failing)
    after = replace(told, cause="", **failing, occasion=news.occasion, times=0, since=0.0, rung_at=now)
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


def _well_in_part(before: Notice, told: Notice, news: News, left: Mapping[str, str]) -> Step:
    """Some that failed have not run again. Who did not ask for successes goes on seeing the run that failed."""
    recovered = [name for one, name in before.failing.items() if one not in left]
    if not (recovered or news.wanted):
        return Step(before)
    after = replace(told if news.wanted else replace(before, version=news.version), line=before.line, **_fields(left))
    again = _("Recovered on {names}: {line}", names=b.escape(_named(recovered)), line=news.line)
    reply = sentences([again, b.escape(_left(left))]) if recovered else ""
    return Step(after, show=news.wanted, note=_left(left), reply=reply)


def _badly(before: Notice, told: Notice, news: News, now: float, zone: tzinfo) -> Step:
    times = max(before.times + (news.occasion != before.occasion), news.times)
    since = before.since if before.cause else news.at
    since = min(since, news.since or since)
    left = news.left_of(before.failing)
    failing = _fields({**news.failing, **left})
    after = replace(told, cause=news.cause, **failing, occasion=news.occasion, times=times, since=since)
    repeated = _("{n} times in a row since {time}", n=times, time=_clock(since, zone)) if times > 1 else ""
    reply = _worth_ringing(before, news, now, repeated)
    said = "" if times == news.times else _sentence(repeated)  # else the line on the schedule says it
    note = " ".join(filter(None, [said, _left(left)]))
    return Step(replace(after, rung_at=now) if reply else after, show=True, note=note, reply=reply)


def _worth_ringing(before: Notice, news: News, now: float, repeated: str) -> str:
    named = b.escape(_named(news.names))
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


def _named(names: Collection[str]) -> str:
    shown = [wording.name(one, 40) for one in dict.fromkeys(names)]
    return wording.and_more(shown[:MOST_NAMED], max(0, len(shown) - MOST_NAMED))


def _left(left: Mapping[str, str]) -> str:
    """The sentence on those that failed before, and of which nothing new is known; plain text."""
    if not left:
        return ""
    return counted(
        "{count} instance that failed before has not gone well since: {names}.",
        "{count} instances that failed before have not gone well since: {names}.",
        len(left),
        names=_named(left.values()),
    )


def made_good(names: Collection[str]) -> str:
    """The sentence on instances that failed in one run of a message and went well in a later one; plain text."""
    return counted(
        "{count} instance failed at first and went well in a later run: {names}.",
        "{count} instances failed at first and went well in a later run: {names}.",
        len(names),
        names=_named(names),
    )


def _sentence(words: str) -> str:
    return _("Failed {often}.", often=words) if words else ""


def _clock(seconds: float, zone: tzinfo) -> str:
    return wording.clock_time(datetime.fromtimestamp(seconds, UTC), zone)
