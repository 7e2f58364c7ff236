"""What ought to happen: a command that must have ended well on each of some instances by a time of day.

Read from words in any order and written back in canonical ones. Times are in the time zone of the one who expects.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from bot.core import places, values
from bot.core.errors import UsageError
from bot.core.question import KINDS, quoted
from bot.core.texts import N_, Text, _, listed
from bot.core.words import shown

USAGE = N_(
    "Usage: expect command:backup-* daily by:03:30 on:tag:backup=yes, or hourly by:00:15, weekly by:mon-03:30, "
    "on:instance:web-*, with region:cn-shanghai, account:prod, ring:@somebody"
)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TOLD = {"hourly": N_("hourly"), "daily": N_("daily"), "weekly": N_("weekly")}
_BY = re.compile(rf"(?:({'|'.join(_DAYS)})[a-z]*[-@])?([01]?[0-9]|2[0-3]):([0-5][0-9])")
_MOST = 20  # values of one kind


@dataclass(frozen=True, slots=True)
class Expectation:
    """Patterns are shell patterns. `weekday` counts from Monday, 0; of `hourly` only the minute counts."""

    commands: tuple[str, ...] = ()
    every: str = ""
    weekday: int = -1
    hour: int = -1
    minute: int = 0
    tags: tuple[tuple[str, str], ...] = ()
    instances: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    ring: str = ""
    accounts: tuple[str, ...] = ()

    def words(self) -> str:
        pairs = [
            *(("command", one) for one in self.commands),
            ("", self.every),
            ("by", self.by),
            *(("on", f"tag:{key}={value}") for key, value in self.tags),
            *(("on", f"instance:{one}") for one in self.instances),
            *(("account", one) for one in self.accounts),
            *(("region", one) for one in self.regions),
            *([("ring", self.ring)] if self.ring else []),
        ]
        return " ".join(f"{key}:{quoted(value)}" if key else value for key, value in pairs)

    @property
    def key(self) -> str:
        return hashlib.sha256(self.words().encode()).hexdigest()[:16]

    @property
    def by(self) -> str:
        """The time of day as it is typed: `03:30`, `mon-03:30`."""
        day = f"{_DAYS[self.weekday]}-" if self.weekday >= 0 else ""
        return f"{day}{max(self.hour, 0):02d}:{self.minute:02d}"

    @property
    def where(self) -> str:
        """`tag backup=yes`, `web-*`: on what, in plain words."""
        what = [_("tag {tag}", tag=f"{key}={value}" if value else key) for key, value in self.tags]
        what += [_(" or ").join(self.instances)] if self.instances else []
        where = _(" in {regions}", regions=listed(self.regions)) if self.regions else ""
        where += _(" of account {names}", names=listed(self.accounts)) if self.accounts else ""
        return _(" and ").join(what) + where

    def told(self, zone_name: str) -> str:
        """In a sentence's words: `backup-* daily by 03:30 (Asia/Shanghai) on tag backup=yes`."""
        when = _("minute {minute}", minute=f"{self.minute:02d}") if self.every == "hourly" else self.by
        return _(
            "{commands} {every} by {time} ({zone}) on {where}",
            commands=listed(self.commands),
            every=_(_TOLD[self.every]),
            time=when,
            zone=zone_name,
            where=self.where,
        )

    def due_after(self, moment: datetime, zone: tzinfo) -> datetime:
        """The first due time after a moment."""
        utc = moment.astimezone(UTC)  # times of one zone are compared by what its clock shows
        return next(one for one in self._near(utc, zone) if one > utc).astimezone(zone)

    def due_by(self, moment: datetime, zone: tzinfo) -> datetime:
        """The last due time up to a moment, which may be one itself."""
        utc = moment.astimezone(UTC)
        return next(one for one in reversed(self._near(utc, zone)) if one <= utc).astimezone(zone)

    def due_before(self, moment: datetime, zone: tzinfo) -> datetime:
        """The last due time before a moment."""
        return self.due_by(moment.astimezone(UTC) - timedelta(microseconds=1), zone)

    def dues(self, first: datetime, last: datetime, zone: tzinfo) -> list[datetime]:
        """The due times from one to another, the last left out."""
        found = []
        while first.timestamp() < last.timestamp():
            found.append(first)
            first = self.due_after(first, zone)
        return found

    def _near(self, moment: datetime, zone: tzinfo) -> list[datetime]:
        """The due times around a moment in UTC, in order, in UTC too.

        A time that the clock leaves out is due as much later; one that it shows twice is due at the first, but every
        hour has its own.
        """
        clock = moment.astimezone(zone).replace(minute=self.minute, second=0, microsecond=0, fold=0)
        if self.every == "hourly":
            shown = [clock + timedelta(hours=number) for number in range(-3, 4)]
        else:
            days = (clock.replace(hour=self.hour) + timedelta(days=number) for number in range(-8, 9))
            shown = [day for day in days if self.weekday in (-1, day.weekday())]
        first = [one.astimezone(UTC) for one in shown]
        again = [one.replace(fold=1).astimezone(UTC) for one in shown] if self.every == "hourly" else first
        return sorted({*first, *map(max, first, again)})


def read(words: Sequence[str]) -> Expectation:
    """The expectation in words; raises UsageError with a sentence for the person."""
    expectation = Expectation()
    for word in words:
        expectation = _read(expectation, word)
    return _whole(expectation)


def _whole(one: Expectation) -> Expectation:
    """Raises UsageError for what is missing."""
    usage = Text(USAGE)
    if not one.commands:
        raise UsageError("Which command?\n{usage}", usage=usage)
    if not (one.tags or one.instances):
        raise UsageError("On which instances?\n{usage}", usage=usage)
    every = one.every or ("weekly" if one.weekday >= 0 else "daily")
    if every != "hourly" and one.hour < 0:
        raise UsageError("By when?\n{usage}", usage=usage)
    if (every == "weekly") != (one.weekday >= 0):
        raise UsageError("A day of the week goes with weekly, and weekly needs one.\n{usage}", usage=usage)
    return replace(one, every=every, hour=-1 if every == "hourly" else one.hour)


def _read(one: Expectation, word: str) -> Expectation:
    lower = word.lower()
    if lower in _TOLD:
        return replace(one, every=lower)
    if places.is_known_place(lower):
        return _with(one, "regions", lower)
    match = re.fullmatch(r"([a-z]+)[:=](.+)", word, re.IGNORECASE | re.DOTALL)
    reader = _READERS.get(match[1].lower()) if match else None
    if match is None or reader is None:
        raise UsageError("I cannot read `{word}` here.\n{usage}", word=shown(word), usage=Text(USAGE))
    return reader(one, match[2])


def _with(one: Expectation, field: str, value: Any) -> Expectation:
    before: tuple[Any, ...] = getattr(one, field)
    if len(before) == _MOST:
        raise UsageError("At most {most} {kind} in one expectation.", most=_MOST, kind=Text(KINDS[field]))
    changes: dict[str, Any] = {field: tuple(dict.fromkeys([*before, value]))}
    return replace(one, **changes)


def _by(one: Expectation, value: str) -> Expectation:
    match = _BY.fullmatch(value.lower())
    if match is None:
        raise UsageError("`by:` takes a time such as 03:30 or mon-03:30, not `{word}`.", word=shown(value))
    weekday = _DAYS.index(match[1]) if match[1] else -1
    return replace(one, weekday=weekday, hour=int(match[2]), minute=int(match[3]))


def _on(one: Expectation, value: str) -> Expectation:
    match = re.fullmatch(r"(tag|instance)[:=](.+)", value, re.IGNORECASE | re.DOTALL)
    if match is None:
        raise UsageError("`on:` takes tag:key=value or instance:web-*, not `{word}`.", word=shown(value))
    return _READERS[match[1].lower()](one, match[2])


def _each(field: str, read: Callable[[str], Any]) -> Callable[[Expectation, str], Expectation]:
    return lambda one, value: _with(one, field, read(value))


_READERS: dict[str, Callable[[Expectation, str], Expectation]] = {
    "command": _each("commands", values.pattern),
    "by": _by,
    "on": _on,
    "tag": _each("tags", values.tag),
    "instance": _each("instances", values.pattern),
    "region": _each("regions", values.region),
    "account": _each("accounts", values.account),
    "ring": lambda one, value: replace(one, ring=values.ring(value)),
}
