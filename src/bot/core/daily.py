"""`digest …` read, and when a thing that is daily is due next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from bot.core.errors import UsageError
from bot.core.texts import N_

USAGE = N_("Usage: digest daily 09:00 (your time zone), digest off, digest now, or digest alone for what stands.")
DAILY, OFF, NOW, TOLD = "daily", "off", "now", "told"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done; `at` is the time of day of DAILY, as `09:00`."""

    what: str
    at: str = ""


def read(words: Sequence[str]) -> Wish:
    """Raises UsageError."""
    lower = [word.lower() for word in words]
    if not lower:
        return Wish(TOLD)
    if lower in ([OFF], [NOW]):
        return Wish(lower[0])
    times = [word for word in lower if word not in (DAILY, "at")]
    match = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", times[0]) if len(times) == 1 else None
    if match is None:
        raise UsageError(USAGE)
    return Wish(DAILY, f"{match[1].zfill(2)}:{match[2]}")


def next_due(at: str, zone: tzinfo, after: float) -> float:
    """When it is next this time of day in a zone, in seconds since the epoch; `after` is not such a moment itself."""
    begin = datetime.fromtimestamp(after, UTC).astimezone(zone)
    hour, minute = map(int, at.split(":"))
    days = (begin.date() + timedelta(days=number) for number in range(3))  # a day may be skipped by a change of zone
    due = (datetime.combine(day, time(hour, minute), zone).timestamp() for day in days)
    return next(moment for moment in due if moment > after)
