"""Quota manners: the account's quota is shared with people in the console, so calls for people go first.

Notices leave room to people, and digests to both: after a throttle has ended each waits for a while longer, and makes
fewer calls at once.
"""

from __future__ import annotations

from enum import IntEnum

FRESH = 5.0  # seconds for which a reply may be shared instead of asked for again


class Priority(IntEnum):
    """For whom a call is made, those who go first in front."""

    PEOPLE = 0
    NOTICES = 1
    DIGESTS = 2


_ROOM = {Priority.PEOPLE: 0.0, Priority.NOTICES: 10.0, Priority.DIGESTS: 60.0}
LONGEST_ROOM = max(_ROOM.values())
AT_ONCE = {Priority.PEOPLE: 32, Priority.NOTICES: 8, Priority.DIGESTS: 4}


def wait_after(throttled_until: float, priority: Priority, now: float) -> float:
    """Seconds until calls of this priority may be made again after a throttle; 0 for at once."""
    return max(0.0, throttled_until + _ROOM[priority] - now)
