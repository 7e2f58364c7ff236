"""A job, worked off once: lease, Bolt, and what becomes of it.

Delivery is at least once and any process may die at any moment. A job takes its id in the store as a short lease
that is renewed while it is worked on; it is marked *posting* just before its answer goes out and *done* after. A
delivery that meets a live lease queues itself again for the end of the lease; one that meets a dead *posting* posts
again and says that it may be a repeat; one that meets *done* does nothing. Without a store the work is done all the
same: an answer matters more than a second one.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, Self

from slack_bolt import App, BoltRequest

from bot.adapters.queue import Queue, QueueRefused
from bot.adapters.slack import Place, Slack
from bot.adapters.store import SQLiteStore, Store, StoreError
from bot.answering import Answering
from bot.core import messages
from bot.core.blocks import Message
from bot.core.errors import SlackError
from bot.core.messages import noted
from bot.jobs import Job, seal
from bot.listeners import bolt_app, own_user_id, place_of
from bot.settings import Clock, Credentials, Settings

log = logging.getLogger("bot.worker")

AT_WORK = 4  # jobs at once in one process, so that acks never wait behind them
LEASE = 12.0  # seconds
RENEW_EVERY = 3.0
ATTEMPTS = 3  # deliveries of a crashing job: the first and maxAsyncRetryAttempts in template.yml
PATIENCE = 2  # times a job waits for a throttled API before it says what it has
OLDEST = 1_500  # seconds after which a response_url is dead and an answer is noise
_KEEP = 7 * 86_400.0  # seconds; Function Compute remembers task ids as long

REPEAT = "This may be a repeat: an earlier try may have posted this answer already."


class Postponed(Exception):
    """The job goes on later; it has been queued again."""


class LostLease(Exception):
    """Another delivery works on this job by now."""


class Worker:
    """One for each process. `work` is safe to call from many threads."""

    def __init__(
        self,
        settings: Settings,
        queue: Queue,
        store: Store | None = None,
        clock: Clock = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._queue, self._clock = settings, queue, clock
        self._store: Store = store or SQLiteStore(settings.store_path)
        self._slack = Slack(settings, sleep)
        self._app: App = bolt_app(settings)
        self._slots = threading.BoundedSemaphore(AT_WORK)

    def work(self, job: Job, credentials: Credentials, request_id: str) -> bool:
        """Works a job off; False when it should be delivered again."""
        with self._slots:
            lease = Lease(self._store, job, self._clock)
            try:
                return self._leased(lease, job, credentials, request_id)
            except Exception as error:
                # The one broad except of the program: whatever broke, the platform must hear of it.
                log_crash(error, request_id)
                return False

    def _leased(self, lease: Lease, job: Job, credentials: Credentials, request_id: str) -> bool:
        wait = lease.take()
        if wait is not None:
            return self._queue_again(job.again(), credentials, wait + 1)
        if lease.done:
            log.info("already done: %s", job.id)
            return True
        turn = DeliveredJob(self, lease, job, credentials, request_id)
        with lease:
            try:
                self._dispatch(job, turn)
            except Postponed:
                lease.release()
            except LostLease:
                log.warning("another delivery took over: %s", job.id)
            except SlackError as error:
                self._unanswered(turn, error)
            except BaseException:
                self._crashed(turn)
                raise
            else:
                lease.finish()
        return True

    def _dispatch(self, job: Job, turn: DeliveredJob) -> None:
        """Through Bolt. A listener that raised is raised here again: Bolt would only log it."""
        answering = Answering(self._settings, turn.credentials, self._store, self._slack, self._clock)
        request = BoltRequest(
            body=job.payload,
            mode="socket_mode",
            context={"turn": turn, "answering": answering, "own_user_id": own_user_id(job.payload)},
        )
        response = self._app.dispatch(request)
        error = request.context.get("error")
        if isinstance(error, BaseException):
            raise error
        if response.status == 404:
            log.warning("no listener: %s", job.kind)
        elif response.status >= 400:
            raise RuntimeError(f"Bolt answered {response.status}")

    def _unanswered(self, turn: DeliveredJob, error: SlackError) -> None:
        """Slack took the answer nowhere: wait where it asks for that, else nobody can be told."""
        if error.retry_after is not None and turn.age < OLDEST:
            self._queue_again(turn.job.again(), turn.credentials, error.retry_after)
            turn.lease.release()
            return
        log.error("no way to answer %s: %s", turn.job.id, error)
        turn.lease.finish()

    def _crashed(self, turn: DeliveredJob) -> None:
        """Delivered again by the platform while there are attempts left, then apologised for."""
        if turn.lease.attempts < ATTEMPTS:
            turn.lease.release()
            return
        place = place_of(turn.job.payload)
        if place is not None:
            try:
                turn.post(place, messages.apology(turn.request_id), private=True)
            except (SlackError, LostLease) as error:
                log.error("no way to apologise for %s: %s", turn.job.id, error)
        turn.lease.finish()

    def _queue_again(self, job: Job, credentials: Credentials, wait: float) -> bool:
        try:
            self._queue.put(job.task_id, seal(job, self._settings.signing_secret), credentials, wait)
        except QueueRefused as error:
            log.warning("not queued again: %s: %s", job.id, error)
            return False
        return True

    def answer(self, place: Place, message: Message, *, private: bool) -> None:
        self._slack.answer(place, message, private=private)

    def postpone(self, job: Job, credentials: Credentials, wait: float) -> NoReturn:
        if not self._queue_again(job, credentials, wait):
            raise QueueRefused("not queued again")
        raise Postponed

    @property
    def now(self) -> float:
        return self._clock()


class DeliveredJob:
    """One delivery of a job, as its listener sees it: post the answer, or go on later."""

    def __init__(self, worker: Worker, lease: Lease, job: Job, credentials: Credentials, request_id: str) -> None:
        self._worker, self.lease, self.job = worker, lease, job
        self.credentials, self.request_id = credentials, request_id

    @property
    def age(self) -> float:
        return self._worker.now - self.job.time

    @property
    def patient(self) -> bool:
        """Whether the answer may wait for a throttled API once more."""
        return self.job.tries < PATIENCE and self.age < OLDEST / 2

    def post(self, place: Place, message: Message, *, private: bool) -> None:
        repeat = self.lease.posting_before
        self.lease.posting()
        self._worker.answer(place, noted(message, REPEAT) if repeat else message, private=private)

    def later(self, place: Place, wait: float, message: Message) -> NoReturn:
        if not self.job.told:
            self._worker.answer(place, message, private=True)
        self._worker.postpone(self.job.again(told=True), self.credentials, wait)


class Lease:
    """The right to work on a job, and what is known of earlier deliveries; renewed in the background."""

    def __init__(self, store: Store, job: Job, clock: Clock) -> None:
        self._store, self._key, self._clock = store, f"job/{job.id}", clock
        self._owner = os.urandom(8).hex()
        self._value: dict[str, Any] = {}
        self._broken = False  # the store does not answer
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._renewer: threading.Thread | None = None

    def take(self) -> float | None:
        """None when it is ours; else the seconds until another's lease ends."""
        now = self._clock()
        try:
            claim = self._store.claim(self._key, self._owner, now, now + LEASE, now + _KEEP)
        except StoreError as error:
            log.error("store: %s", error)
            self._broken = True
            return None
        if not claim.won:
            return max(0.0, claim.until - now)
        self._value = {**claim.value, "attempts": claim.value.get("attempts", 0) + 1}
        return None

    @property
    def done(self) -> bool:
        return bool(self._value.get("done"))

    @property
    def posting_before(self) -> bool:
        """An earlier delivery died while it was posting, so that its answer may have arrived."""
        return bool(self._value.get("posting"))

    @property
    def attempts(self) -> int:
        return int(self._value.get("attempts", ATTEMPTS))

    def posting(self) -> None:
        """Raises LostLease: better no answer of ours than a second one."""
        self._value = {**self._value, "posting": True}
        if not self._mark(LEASE):
            raise LostLease

    def finish(self) -> None:
        self._value = {"done": True}
        self._mark(0)

    def release(self) -> None:
        """For the next delivery: it need not wait for the lease to end."""
        self._mark(0)

    def _mark(self, seconds: float) -> bool:
        if self._broken:
            return True
        with self._lock:
            if seconds == 0:
                self._ended.set()
            try:
                return self._store.mark(self._key, self._owner, self._value, self._clock() + seconds)
            except StoreError as error:
                log.error("store: %s", error)
                return True

    def _renew(self) -> None:
        while not self._ended.wait(RENEW_EVERY):
            with self._lock:
                if self._ended.is_set():
                    return
            self._mark(LEASE)

    def __enter__(self) -> Self:
        self._mark(LEASE)  # the attempt counts from now on
        self._renewer = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._renewer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._renewer is not None:
            self._renewer.join()


def log_crash(error: BaseException, request_id: str) -> None:
    """Where it broke, but not what with: messages of exceptions may hold output, addresses or tokens."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{os.path.basename(one.filename)}:{one.lineno} {one.name}" for one in reversed(frames))
    log.error("crash %s: %s at %s", request_id, type(error).__name__, places)
