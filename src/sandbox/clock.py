"""The sandbox's time: runs that last ten minutes can be looked at in one second."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta


class Clock:
    """Real UTC time plus all that `advance` has added. May be shared by many threads."""

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            return datetime.now(UTC) + self._ahead

    def advance(self, seconds: float) -> None:
        """Jump that many seconds ahead; time then goes on from there."""
        with self._lock:
            self._ahead += timedelta(seconds=seconds)
