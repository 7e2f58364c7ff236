"""How many calls a job has made, and how long they took: for its line in the log."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Calls:
    """Safe to use from many threads. Times of calls that were made at once are added up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._seconds: Counter[str] = Counter()

    @contextmanager
    def one(self, whom: str) -> Iterator[None]:
        """Around one call, whatever becomes of it."""
        began = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self._counts[whom] += 1
                self._seconds[whom] += time.perf_counter() - began  # type: ignore[assignment]

    @property
    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)

    @property
    def ms(self) -> dict[str, float]:
        with self._lock:
            return {whom: round(seconds * 1000, 1) for whom, seconds in self._seconds.items()}
