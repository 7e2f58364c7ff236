"""How the bot itself fares, for whoever wonders why it is slow or silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from bot.core import blocks as b
from bot.core import wording
from bot.core.blocks import Message
from bot.core.errors import UsageError

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
    """All that `status` tells. `heard`: when the last event of each region came, None where none did within a day.

    `throttles` is None where the store did not answer; `versions` are those of the bot, Python and libraries.
    """

    versions: Mapping[str, str]
    busy: Busy
    store: str
    store_lasts: bool
    regions: tuple[str, ...]
    throttles: Sequence[Throttle] | None
    heard: Mapping[str, float | None]
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
        f"Paused: {wording.name(status.paused, 200)}" if status.paused else "Not paused.",
        *_throttled(status, zone, now),
        *_queue(status.busy),
        _store(status),
        *_events(status, now),
    ]
    versions = ", ".join(f"{name} {version}" for name, version in status.versions.items())
    first = "Paused" if status.paused else "Throttled" if _live(status, now) else "Ready"
    blocks = [
        b.header(f"{first}: how I fare"),
        b.rich_text(*(b.line(b.words(line)) for line in lines)),
        b.context(b.escape(versions)),
    ]
    return b.within_limits(b.escape("\n".join([f"{first}.", *lines, f"Versions: {versions}."])), blocks)


def _live(status: Status, now: float) -> list[Throttle]:
    return [one for one in status.throttles or () if one.until > now]


def _throttled(status: Status, zone: tzinfo, now: float) -> list[str]:
    if status.throttles is None:
        return ["The store did not answer, so throttle marks and events are not known."]
    told = [
        f"{one.region} refuses {one.action} until {_clock(one.until, zone)} (in {wording.duration(one.until - now)})."
        for one in _live(status, now)
    ]
    return told or ["No API is throttled, as far as I know."]


def _queue(busy: Busy) -> list[str]:
    return [
        f"This process: {wording.plural(busy.at_work, 'job')} at work (this one included), {busy.waiting} waiting; "
        f"the oldest came {wording.duration(busy.oldest)} ago. What waits elsewhere is not seen from here."
    ]


def _store(status: Status) -> str:
    lasts = "lasts" if status.store_lasts else "is lost with this function instance, so BOT_STORE should be set"
    return f"Store: {status.store}; what is kept {lasts}."


def _events(status: Status, now: float) -> list[str]:
    if status.throttles is None:
        return [f"Regions: {', '.join(status.regions)}."]
    return [_event(region, status.heard.get(region), now) for region in status.regions]


def _event(region: str, last: float | None, now: float) -> str:
    heard = f"the last event came {wording.duration(now - last)} ago" if last else "no event within a day"
    return f"{region}: {heard}."


def _clock(seconds: float, zone: tzinfo) -> str:
    local = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    return f"{local:%H:%M:%S} {local.tzname()}"
