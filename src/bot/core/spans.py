"""Spans of time as people type them, `30m`, `1h30m`, `90min`, `2小时`, and as they are written back."""

from __future__ import annotations

import re

_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_UNITS = {
    "d": "d|days?|天",
    "h": "h|hrs?|hours?|小时",
    "m": "m|mins?|minutes?|分钟?",
    "s": "s|secs?|seconds?|秒钟?",
}
_SPAN = re.compile("".join(f"(?:([0-9]{{1,4}})(?:{names}))?" for names in _UNITS.values()), re.IGNORECASE)


def seconds_of(typed: str) -> int:
    """0 for what is no span, and for one of no length."""
    match = _SPAN.fullmatch(typed)
    if match is None:
        return 0
    return sum(int(number or 0) * seconds for number, seconds in zip(match.groups(), _SECONDS.values(), strict=True))


def written(seconds: int) -> str:
    """In the largest unit that says it exactly."""
    unit = next(unit for unit, length in _SECONDS.items() if seconds % length == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"
