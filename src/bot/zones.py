"""Time zones of people, as Slack names them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone_of(user: Mapping[str, Any], otherwise: str) -> tzinfo:
    """The person's time zone; its offset where the system does not know the name; `otherwise`, a name, else."""
    return named_zone(user.get("tz")) or _offset(user.get("tz_offset")) or named_zone(otherwise) or UTC


def named_zone(name: object) -> tzinfo | None:
    if not isinstance(name, str) or not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # ValueError for a name such as "../etc/passwd"
        return None


def _offset(seconds: object) -> tzinfo | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int) or abs(seconds) >= 86_400:
        return None
    return timezone(timedelta(seconds=seconds))
