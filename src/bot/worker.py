"""A job, worked off once: lease, Bolt, and what becomes of it.

Delivery is at least once and any process may die at any moment. A job takes its id in the store as a short lease
that is renewed while it is worked on; it is marked *posting* just before its answer goes out and *done* after. A
delivery that meets a live lease queues itself again for the end of the lease; one that meets a dead *posting* posts
again and says that it may be a repeat; one that meets *done* does nothing. Without a store the work is done all the
same: an answer matters more than a second one. It says then that it may be a repeat, because only deliveries to this
process know of each other.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from slack_bolt import App, BoltRequest

from bot import audit
from bot.adapters.calls import Calls
from bot.adapters.kept_secret import KeptSecret, bot_token
from bot.adapters.queue import Queue, QueueRefused
from bot.adapters.slack import Slack
from bot.adapters.slack_calls import NO_TOKEN, REFUSED_TOKENS, MaybePosted
from bot.adapters.store import SQLiteStore, Store, StoreError, open_store
from bot.answering import Answering
from bot.core import messages
from bot.core.errors import CloudError, Denied, SlackError, Throttled
from bot.core.events import Event
from bot.core.status import Busy
from bot.core.texts import N_, _
from bot.delivery import NEWS_OLDEST, OLDEST, OURS, Delivery, Postponed
from bot.jobs import CHORE, CLOUD_EVENT, DIGEST, EXPECTATION, INTERACTION, LOOK, NOTICE, REPORT, Job, seal
from bot.lease import ATTEMPTS, Lease, LostLease
from bot.lines import JOB, REQUEST, Line
from bot.listeners import bolt_app, own_user_id, place_of
from bot.lookup import Limits
from bot.settings import Clock, Credentials, Settings
from bot.slack_requests import ids_of
from bot.turn import Turn

log = logging.getLogger("bot.worker")

AT_WORK = 4  # jobs at once in one process, so that acks never wait behind them
SLOT_WAIT = 20.0  # seconds for which a job waits for one of these places before it queues itself again
BUSY_DELAY = 5.0  # seconds
JOB_LIMIT = 100.0  # seconds of one delivery, that wait included; the function's own limit is 120
PAUSED = 600.0  # seconds until a job of ours comes again that met a paused bot


_TOKEN_LATER = N_(
    "I cannot read my token for Slack just now ({code}), so the answer has to wait. I go on by myself; "
    "you need not do anything."
)
_NO_TOKEN = N_(
    "I could not read my token for Slack ({code}), so nothing was asked. Please try again in a few minutes; if it "
    "stays so, the people who run this bot can see why: python -m bot doctor."
)
_NOT_TAKEN = N_(
    "Slack did not take my answer ({code}); what you asked for may be done all the same. Please try again in a few "
    "minutes; if it stays so, the people who run this bot can see why: python -m bot doctor."
)


def _one_of_ours(kind: str) -> Callable[[Answering, Turn, Mapping[str, Any]], None]:
    """Who works such a job off."""
    from bot import chores, digests, expectations, notices, reporting, system_events, watch

    ours: dict[str, Callable[[Answering, Turn, Mapping[str, Any]], None]] = {
        LOOK: watch.look,
        REPORT: reporting.report,
        NOTICE: notices.tell,
        CLOUD_EVENT: system_events.tell,
        CHORE: chores.do,
        DIGEST: digests.post,
        EXPECTATION: expectations.check,
    }
    return ours[kind]


class Worker:
    """One for each process. `work` is safe to call from many threads."""

    def __init__(
        self,
        settings: Settings,
        queue: Queue,
        store: Store | None = None,
        clock: Clock = time.time,
        sleep: Callable[[float], None] = time.sleep,
        limits: Limits = Limits(),  # noqa: B008 (a frozen value)
        slot_wait: float = SLOT_WAIT,
        token: KeptSecret | None = None,
    ) -> None:
        self._settings, self._queue, self._clock, self._sleep = settings, queue, clock, sleep
        self._credentials = settings.credentials
        self._store: Store = store or open_store(settings, lambda: self._credentials)
        self._memory = SQLiteStore(":memory:")  # of jobs of which the store takes no note
        self._answering = Answering(settings, self._store, clock, sleep, limits)
        self._token = token or bot_token(settings, clock, sleep)
        self._app: App = bolt_app(self._token)
        self._cold = True
        self._slots, self._slot_wait = threading.BoundedSemaphore(AT_WORK), slot_wait
        self._here: dict[object, float] = {}  # when each job came that is at work or waits for a place

    def close(self) -> None:
        self._store.close()
        self._memory.close()

    def work(self, job: Job, credentials: Credentials, request_id: str) -> bool:
        """Works a job off; False when it should be delivered again."""
        if credentials and credentials != self._settings.credentials:
            self._credentials = credentials  # the latest that came with a job last longer than the environment's
        visit = object()
        self._here[visit] = self._clock()
        line = Line(JOB, request=request_id, task=job.task_id, trace=job.trace, what=job.kind, cold=self._cold)
        self._cold = False
        line.note(tries=job.tries, age=round(self._clock() - job.time), **ids_of(job.payload))
        try:
            return self._worked(job, credentials, request_id, line)
        finally:
            del self._here[visit]
            line.write()

    def _worked(self, job: Job, credentials: Credentials, request_id: str, line: Line) -> bool:
        deadline = self._clock() + JOB_LIMIT
        with self._answering.aloud():
            return self._in_a_place(job, credentials, request_id, deadline, line)

    def _in_a_place(self, job: Job, credentials: Credentials, request_id: str, deadline: float, line: Line) -> bool:
        if not self._slots.acquire(timeout=self._slot_wait):
            log.info("all places taken: %s", job.id)
            line.note(outcome="busy")
            return self._queue_again(job.again(), credentials, BUSY_DELAY)
        line.stage("slot")
        delivery = Delivery(self, job, credentials, request_id, deadline)
        try:
            return self._worked_off(delivery)
        except Exception as error:
            # The one broad except of the worker: whatever broke, the platform or the person must hear of it.
            log_crash(error, request_id)
            delivery.outcome = "crash"
            return self._crashed(delivery)
        finally:
            delivery.lease.stop()
            self._slots.release()
            line.stage("work")
            line.ms |= delivery.calls.ms
            line.note(calls=delivery.calls.counts, outcome=delivery.outcome)
            self._audit(delivery)

    def _audit(self, delivery: Delivery) -> None:
        """What a person may have seen; a delivery that goes on later has its own entry then."""
        if not delivery.act or delivery.goes_on:
            return
        team, channel_id = delivery.seen_in
        try:
            kept = self._store.get(f"channel/{team}/{channel_id}", self.now)
        except StoreError:
            kept = None
        audit.keep(self._store, delivery.entry(kept.value if kept else None), self._settings.audit_days)

    def hear(self, events: Iterable[Event], request_id: str) -> bool:
        """Takes note of cloud events and timers; False when they should be delivered again."""

        from bot import notifications

        line, queued = Line(REQUEST, request=request_id, what=CLOUD_EVENT, cold=self._cold), list[Job]()
        self._cold = False

        def put(job: Job, wait: float) -> None:
            self.put(job, self._settings.credentials, wait)
            queued.append(job)

        outcome = "failed"
        try:
            heard = notifications.heard(self._settings, events, put, self._clock(), request_id)
            line.note(heard=heard)
            outcome = "queued" if heard else "dropped"
        except Exception as error:  # as in `work`
            log_crash(error, request_id)
            return False
        finally:
            one = {"task": queued[0].task_id, "trace": queued[0].trace} if len(queued) == 1 else {}
            line.write(outcome=outcome, jobs=len(queued), **one)
        return True

    def _worked_off(self, delivery: Delivery) -> bool:
        job, lease = delivery.job, delivery.lease
        wait = lease.take()
        if wait is not None:
            delivery.outcome = "waits"
            return self._queue_again(job.again(), delivery.credentials, wait + 1)
        if lease.done:
            log.info("already done: %s", job.id)
            delivery.outcome = "done before"
            lease.release()
            return True
        lease.keep()
        try:
            if self._has_token(delivery):
                self._dispatch(delivery)
        except Postponed:
            delivery.outcome = "postponed"
            lease.release(anew=True)
        except LostLease:
            log.warning("another delivery took over: %s", job.id)
            delivery.outcome = "taken over"
        except SlackError as error:
            return self._unanswered(delivery, error)
        except StoreError as error:
            if not delivery.is_news or delivery.age >= NEWS_OLDEST:
                raise
            log.error("put off, store: %s: %s", job.id, error)
            return self._put_off(delivery, delivery.away)
        else:
            lease.finish()
        return True

    def _has_token(self, delivery: Delivery) -> bool:
        """Whether Slack can be spoken to; if not, the person is told, by response_url, which needs no token.

        Timers speak to nobody, day and night. Raises Postponed, and SlackError where nobody can be told.
        """
        if delivery.job.kind == CHORE:
            return True
        try:
            self._token.read(delivery.credentials, delivery.deadline, delivery.calls)
        except CloudError as error:
            log.error("no token: %s %s", error, error.request_id)
            self._without_token(delivery, error)
            return False
        return True

    def _without_token(self, delivery: Delivery, error: CloudError) -> None:
        place = place_of(delivery.job.payload)
        if not place.response_url:
            raise SlackError("answer", NO_TOKEN) from error
        if delivery.patient and not isinstance(error, Denied):
            wait = error.wait if isinstance(error, Throttled) else delivery.away
            delivery.later(place, wait, messages.sentence(_(_TOKEN_LATER, code=error.reason)))
        delivery.told(error)
        delivery.post(place, messages.sentence(_(_NO_TOKEN, code=error.reason)), private=True)

    def _dispatch(self, delivery: Delivery) -> None:
        """Through Bolt, but for what is no request of Slack's. What a listener raised is raised here again."""
        job = delivery.job
        if job.kind in OURS and self._settings.paused:
            self._wait_while_paused(delivery)
        elif job.kind in OURS:
            _one_of_ours(job.kind)(self._answering, delivery, job.payload)
        else:
            self._heard(delivery)

    def _wait_while_paused(self, delivery: Delivery) -> None:
        """While the bot is paused nothing is asked and nobody told. A timer comes again by itself."""
        if delivery.job.kind != CHORE:
            delivery.again(PAUSED)

    def _heard(self, delivery: Delivery) -> None:
        job = delivery.job
        request = BoltRequest(
            body=job.payload,
            mode="socket_mode",
            context={"turn": delivery, "answering": self._answering, "own_user_id": own_user_id(job.payload)},
        )
        response = self._app.dispatch(request)
        error = request.context.get("error")
        if isinstance(error, BaseException):
            raise error
        if response.status == 404:
            self._unheard(delivery)
        elif response.status >= 400:
            raise RuntimeError(f"Bolt answered {response.status}")

    def _unheard(self, delivery: Delivery) -> None:
        """No listener: an event of no interest; or a button of another version, and then a person waits."""
        log.warning("no listener: %s", delivery.job.kind)
        if delivery.job.kind == INTERACTION:
            delivery.post(place_of(delivery.job.payload), messages.sentence(_(messages.UNKNOWN_PRESS)), private=True)

    def _unanswered(self, delivery: Delivery, error: SlackError) -> bool:
        """Slack took the answer nowhere: wait where it asks for that or cannot be reached, else say so to who asked.

        What nobody asked for outwaits a token that Slack refuses too: it has been rotated, and the new one is to come.
        """
        away = error.retry_after is None and error.code in ("unreachable", NO_TOKEN)
        away = away or (error.code in REFUSED_TOKENS and delivery.job.kind in OURS)
        wait = delivery.away if away else error.retry_after
        too_old = delivery.age >= (NEWS_OLDEST if delivery.is_news else OLDEST)
        if wait is None or too_old:
            log.error("no way to answer %s: %s", delivery.job.id, error)
            delivery.outcome = "unanswered"
            if not too_old:
                self._not_taken(delivery, error)
            delivery.lease.finish()
            return True
        return self._put_off(delivery, wait, not_posted=not isinstance(error, MaybePosted))

    def _not_taken(self, delivery: Delivery, error: SlackError) -> None:
        """Said by response_url, the way that may be open yet."""
        place = place_of(delivery.job.payload)
        if place.response_url and not isinstance(error, MaybePosted):
            try:
                delivery.slack.answer(place, messages.sentence(_(_NOT_TAKEN, code=error.code)), private=True)
            except SlackError as refused:
                log.warning("not told of that: %s", refused)

    def _put_off(self, delivery: Delivery, wait: float, *, not_posted: bool = False) -> bool:
        delivery.outcome = "postponed"
        queued = self._queue_again(delivery.job.again(), delivery.credentials, wait)
        delivery.lease.release(not_posted=not_posted, anew=queued)
        return queued

    def _crashed(self, delivery: Delivery) -> bool:
        """Delivered again by the platform while there are attempts left, then apologised for."""
        if delivery.lease.attempts < ATTEMPTS:
            delivery.lease.release()
            return False
        try:
            delivery.post(place_of(delivery.job.payload), messages.apology(delivery.request_id), private=True)
        except (SlackError, LostLease) as error:
            log.error("no way to apologise for %s: %s", delivery.job.id, error)
        delivery.lease.finish()
        return True

    def _queue_again(self, job: Job, credentials: Credentials, wait: float) -> bool:
        try:
            self.put(job, credentials, wait)
        except QueueRefused as error:
            log.warning("not queued again: %s: %s", job.id, error)
            return False
        return True

    # What a delivery needs of its worker

    def put(self, job: Job, credentials: Credentials, wait: float) -> None:
        """Raises QueueRefused."""
        self._queue.put(job.task_id, seal(job, self._settings.signing_secret), credentials, wait)

    def lease(self, job: Job) -> Lease:
        return Lease(self._store, self._memory, job, self._clock)

    def slack(self, deadline: float, calls: Calls, credentials: Credentials) -> Slack:
        def token(refused: str) -> str:
            return self._token.renewed(refused, credentials, deadline, calls) if refused else self._token.known

        return Slack(self._settings, deadline, self._clock, self._sleep, calls, token)

    def postpone(self, job: Job, credentials: Credentials, wait: float) -> None:
        """Raises QueueRefused, which fails the job, so that the platform delivers it again."""
        if not self._queue_again(job, credentials, wait):
            raise QueueRefused("not queued again")

    @property
    def now(self) -> float:
        return self._clock()

    @property
    def busy(self) -> Busy:
        came = list(self._here.values())
        waiting = max(0, len(came) - AT_WORK)
        return Busy(len(came) - waiting, waiting, self._clock() - min(came, default=self._clock()))


def log_crash(error: BaseException, request_id: str) -> None:
    """Where it broke, but not what with: messages of exceptions may hold output, addresses or tokens."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{os.path.basename(one.filename)}:{one.lineno} {one.name}" for one in reversed(frames))
    log.error("crash %s: %s at %s", request_id, type(error).__name__, places)
