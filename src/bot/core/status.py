"""How the bot itself fares, for whoever wonders why it is slow or silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from bot.core import blocks as b
from bot.core import wording
from bot.core.blocks import Message
from bot.core.errors import UsageError
from bot.core.texts import _, counted, listed, stop

HERE = "here"


@dataclass(frozen=True, slots=True)
class Busy:
    """Jobs of this process: at work, waiting for a place, and the age of the oldest in seconds."""

    at_work: int
    waiting: int
    oldest: float


@dataclass(frozen=True, slots=True)
class Throttle:
    """An action that a region refuses until a moment (seconds since the epoch)."""

    action: str
    region: str
    until: float


@dataclass(frozen=True, slots=True)
class Status:
    """All that `status` tells. `heard`: when the last event of each region came, where that is known.

    `throttles` is None where the store did not answer; `versions` are those of the bot, Python and libraries.
    """

    versions: Mapping[str, str]
    busy: Busy
    store: str
    store_lasts: bool
    regions: tuple[str, ...]
    throttles: Sequence[Throttle] | None
    heard: Mapping[str, float]
    paused: str = ""


def read(words: Sequence[str]) -> bool:
    """Whether the channel is to see it; raises UsageError."""
    lower = [word.lower() for word in words]
    if lower not in ([], [HERE]):
        raise UsageError("Usage: status (only you see it), or status here (the channel sees it).")
    return bool(lower)


def message(status: Status, zone: tzinfo, now: float) -> Message:
    """In sentences, what may be wrong first."""
    lines = [
        _("Paused: {why}", why=wording.name(status.paused, 200)) if status.paused else _("Not paused."),
        *_throttled(status, zone, now),
        *_queue(status.busy),
        _store(status),
        *_events(status, now),
    ]
    versions = listed(f"{name} {version}" for name, version in status.versions.items())
    first = _("Paused") if status.paused else _("Throttled") if _live(status, now) else _("Ready")
    blocks = [
        b.header(_("{state}: how I fare", state=first)),
        b.rich_text(*(b.line(b.words(line)) for line in lines)),
        b.context(b.escape(versions)),
    ]
    return b.within_limits(
        b.escape("\n".join([stop(first), *lines, _("Versions: {versions}.", versions=versions)])), blocks
    )


def _live(status: Status, now: float) -> list[Throttle]:
    return [one for one in status.throttles or () if one.until > now]


def _throttled(status: Status, zone: tzinfo, now: float) -> list[str]:
    if status.throttles is None:
        return [_("The store did not answer, so throttle marks and events are not known.")]
    told = [
        _(
            "{region} refuses {action} until {time} (in {span}).",
            region=one.region,
            action=one.action,
            time=_clock(one.until, zone),
            span=wording.duration(one.until - now),
        )
        for one in _live(status, now)
    ]
    return told or [_("No API is throttled, as far as I know.")]


def _queue(busy: Busy) -> list[str]:
    return [
        counted(
            "This process: {count} job at work (this one included), {waiting} waiting; "
            "the oldest came {span} ago. What waits elsewhere is not seen from here.",
            "This process: {count} jobs at work (this one included), {waiting} waiting; "
            "the oldest came {span} ago. What waits elsewhere is not seen from here.",
            busy.at_work,
            waiting=busy.waiting,
            span=wording.duration(busy.oldest),
        )
    ]


def _store(status: Status) -> str:
    if status.store_lasts:
        return _("Store: {store}; what is kept lasts.", store=status.store)
    return _(
        "Store: {store}; what is kept is lost with this function instance, so BOT_STORE should be set.",
        store=status.store,
    )


def _events(status: Status, now: float) -> list[str]:
    if status.throttles is None:
        return [_("Regions: {regions}.", regions=listed(status.regions))]
    return [_event(region, status.heard.get(region), now) for region in status.regions]


def _event(region: str, last: float | None, now: float) -> str:
    if not last:
        return _("{region}: no event within a day.", region=region)
    return _("{region}: the last event came {span} ago.", region=region, span=wording.duration(now - last))


def _clock(seconds: float, zone: tzinfo) -> str:
    local = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    return f"{local:%H:%M:%S} {local.tzname()}"
