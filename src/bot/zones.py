"""Time zones of people, as Slack names them."""

from __future__ import annotations

import re
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


def name_of(zone: tzinfo) -> str:
    """What `zone_called` reads back: `Asia/Shanghai`, or an offset such as `UTC+08:00`."""
    return str(zone)


def zone_called(name: str) -> tzinfo:
    """The zone of a name that `name_of` gave; UTC where the system has lost it."""
    offset = re.fullmatch(r"UTC([+-])(\d\d):(\d\d)", name)
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3])
        return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    return named_zone(name) or UTC


def _offset(seconds: object) -> tzinfo | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int) or abs(seconds) >= 86_400:
        return None
    return timezone(timedelta(seconds=seconds))
