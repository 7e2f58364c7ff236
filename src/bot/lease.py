"""The lease of a job: the right to work on it, and what is known of earlier deliveries. See `bot.worker`."""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

from bot.adapters.store import Store, StoreError
from bot.jobs import Job
from bot.settings import Clock

log = logging.getLogger("bot.lease")

LEASE = 12.0  # seconds
RENEW_EVERY = 3.0
ATTEMPTS = 3  # deliveries of a crashing job: the first and maxAsyncRetryAttempts in template.yml
_KEEP = 7 * 86_400.0  # seconds; Function Compute remembers task ids as long
_REMEMBER = 3_600.0  # seconds, in memory


class LostLease(Exception):
    """Another delivery works on this job by now."""


class Lease:
    """The right to work on a job, and what is known of earlier deliveries; renewed in the background.

    `memory` is the process's own: what the store does not take, that at least another delivery to the same process
    will know. One lock guards what is written: once the lease is over, a renewal that was under way writes nothing.
    """

    def __init__(self, store: Store, memory: Store, job: Job, clock: Clock) -> None:
        self._store, self._memory, self._key, self._clock = store, memory, f"job/{job.id}", clock
        self._owner = os.urandom(8).hex()
        self._before: dict[str, Any] = {}
        self._value: dict[str, Any] = {}
        self._broken = False  # the store does not answer
        self._untold = False  # it did not take the last mark
        self._over = False
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._renewer: threading.Thread | None = None

    def take(self) -> float | None:
        """None when it is ours; else the seconds until another's lease ends."""
        now = self._clock()
        try:
            claim = self._store.claim(self._key, self._owner, now, now + LEASE, now + _KEEP)
        except StoreError as error:
            log.error("store: %s", error)
            self._broken, self._store = True, self._memory
            claim = self._memory.claim(self._key, self._owner, now, now + LEASE, now + _REMEMBER)
        if not claim.won:
            return max(0.0, claim.until - now)
        untold = self._memory.get(self._key, now)
        self._before = untold.value if untold and untold.value.get("done") else claim.value
        self._value = {**claim.value, "attempts": int(claim.value.get("attempts", 0)) + 1}
        return None

    @property
    def done(self) -> bool:
        return bool(self._before.get("done"))

    @property
    def posting_before(self) -> bool:
        """An earlier delivery died while it was posting, so that its answer may have arrived."""
        return bool(self._before.get("posting"))

    @property
    def may_repeat(self) -> bool:
        """Also where the store knows nothing of earlier deliveries, or later ones will know nothing of this."""
        return self.posting_before or self._broken or self._untold

    @property
    def attempts(self) -> int:
        """How often this try was begun; without a store nobody can know, and it counts as the last time."""
        return ATTEMPTS if self._broken else int(self._value.get("attempts", 1))

    def keep(self) -> None:
        """Counts the attempt, and renews the lease from now on."""
        self._write({}, LEASE)
        self._renewer = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._renewer.start()

    def _renew(self) -> None:
        while not self._stop.wait(RENEW_EVERY):
            if not self._write({}, LEASE):
                return

    def stop(self) -> None:
        self._stop.set()
        if self._renewer is not None:
            self._renewer.join()

    def posting(self) -> None:
        """Raises LostLease: better no answer of ours than a second one."""
        if not self._write({"posting": True}, LEASE):
            raise LostLease

    def finish(self) -> None:
        self._write({"done": True}, 0, last=True)

    def release(self, *, not_posted: bool = False, anew: bool = False) -> None:
        """For the next delivery: it need not wait for the lease to end, nor say that it repeats what never arrived.

        `anew`: it has been queued as another task, which the platform begins as often again.
        """
        posting = {"posting": False} if not_posted and not self.posting_before else {}
        self._write(posting | ({"attempts": 0} if anew else {}), 0, last=True)

    def _write(self, changes: dict[str, Any], seconds: float, *, last: bool = False) -> bool:
        """False when the lease is another's, or over."""
        with self._lock:
            if self._over:
                return False
            self._over = last
            self._value = {**self._value, **changes}
            try:
                kept = self._store.mark(self._key, self._owner, self._value, self._clock() + seconds)
            except StoreError as error:
                log.error("store: %s", error)
                self._untold = True
                if last:
                    self._memory.put(self._key, self._value, self._clock() + _REMEMBER)
                return True
            self._untold = False
            return kept
