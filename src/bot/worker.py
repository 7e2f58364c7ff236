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
from typing import Any, NoReturn

from slack_bolt import App, BoltRequest

from bot import audit
from bot.adapters.calls import Calls
from bot.adapters.kept_secret import KeptSecret, bot_token
from bot.adapters.queue import Queue, QueueRefused
from bot.adapters.slack import NO_TOKEN, MaybePosted, Place, Slack
from bot.adapters.store import SQLiteStore, Store, StoreError, open_store
from bot.answering import Answering, Turn
from bot.core import messages
from bot.core.audit import CHANNEL, PERSON, Entry, kind_of
from bot.core.blocks import Message
from bot.core.errors import CloudError, Denied, SlackError, Throttled
from bot.core.events import Event
from bot.core.manners import Priority
from bot.core.status import Busy
from bot.core.texts import N_, _
from bot.jobs import CHORE, CLOUD_EVENT, DIGEST, EXPECTATION, INTERACTION, LOOK, NOTICE, REPORT, Job, seal
from bot.lease import ATTEMPTS, Lease, LostLease
from bot.lines import JOB, REQUEST, Line
from bot.listeners import bolt_app, own_user_id, place_of
from bot.lookup import Limits
from bot.settings import Clock, Credentials, Settings
from bot.slack_requests import ids_of

log = logging.getLogger("bot.worker")

AT_WORK = 4  # jobs at once in one process, so that acks never wait behind them
SLOT_WAIT = 20.0  # seconds for which a job waits for one of these places before it queues itself again
BUSY_DELAY = 5.0  # seconds
JOB_LIMIT = 100.0  # seconds of one delivery, that wait included; the function's own limit is 120
PATIENCE = 2  # times a job waits for a throttled API before it says what it has
AWAY = 20.0  # seconds until Slack is tried again that gave no usable answer, many times in a row; so with the store
_LONGEST_AWAY = 300.0  # seconds; the wait of news grows with each try
PAUSED = 600.0  # seconds until a job of ours comes again that met a paused bot
OLDEST = 1_500  # seconds after which a response_url is dead and an answer is noise
NEWS_OLDEST = 86_400  # seconds after which what nobody has asked for is no news


_OURS = frozenset({LOOK, REPORT, NOTICE, CLOUD_EVENT, CHORE, DIGEST, EXPECTATION})
"""Jobs that no request of Slack's has made."""

_PRIORITY = {
    REPORT: Priority.NOTICES,
    CLOUD_EVENT: Priority.NOTICES,
    CHORE: Priority.NOTICES,
    DIGEST: Priority.DIGESTS,
}
_NEWS = frozenset({REPORT, NOTICE, CLOUD_EVENT, DIGEST, EXPECTATION})
_FRESH = frozenset({INTERACTION, LOOK})  # who presses Refresh, or watches, wants to see what has changed


_TOKEN_LATER = N_(
    "I cannot read my token for Slack just now ({code}), so the answer has to wait. I go on by myself; "
    "you need not do anything."
)
_NO_TOKEN = N_(
    "I could not read my token for Slack ({code}), so nothing was asked. Please try again in a few minutes; if it "
    "stays so, the people who run this bot can see why: python -m bot doctor."
)
_GOES_ON = frozenset({"waits", "done before", "postponed", "taken over"})


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


class Postponed(Exception):
    """The job goes on later; it has been queued again."""


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
        if not delivery.act or delivery.outcome in _GOES_ON:
            return
        place = place_of(delivery.job.payload)
        channel_id = delivery.channel or place.channel_id
        try:
            kept = self._store.get(f"channel/{place.team_id}/{channel_id}", self.now)
        except StoreError:
            kept = None
        entry = Entry(
            at=self.now,
            act=delivery.act,
            user=place.user_id,
            team=place.team_id,
            channel=channel_id,
            channel_kind=kind_of(channel_id, kept.value if kept else None),
            to=delivery.to,
            message=delivery.message or _pressed_on(delivery.job.payload),
            file=delivery.file,
            picked=delivery.picked,
            runs=tuple(delivery.runs),
            trace=delivery.trace,
            request=delivery.request_id,
            outcome=delivery.outcome,
        )
        audit.keep(self._store, entry, self._settings.audit_days)

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
        if job.kind in _OURS and self._settings.paused:
            self._wait_while_paused(delivery)
        elif job.kind in _OURS:
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
        """Slack took the answer nowhere: wait where it asks for that or cannot be reached, else nobody can be told."""
        away = error.retry_after is None and error.code in ("unreachable", NO_TOKEN)
        wait = delivery.away if away else error.retry_after
        if wait is None or delivery.age >= (NEWS_OLDEST if delivery.is_news else OLDEST):
            log.error("no way to answer %s: %s", delivery.job.id, error)
            delivery.outcome = "unanswered"
            delivery.lease.finish()
            return True
        return self._put_off(delivery, wait, not_posted=not isinstance(error, MaybePosted))

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


class Delivery:
    """One delivery of a job, as its listener sees it: post the answer, or go on later."""

    def __init__(self, worker: Worker, job: Job, credentials: Credentials, request_id: str, deadline: float) -> None:
        self._worker, self.job = worker, job
        self.credentials, self.request_id, self.deadline = credentials, request_id, deadline
        self.calls = Calls()
        self.lease, self.slack = worker.lease(job), worker.slack(deadline, self.calls, credentials)
        self.outcome, self.act, self.picked = "done", "", ""
        self.to, self.channel, self.message, self.file = PERSON, "", "", ""
        self.runs: dict[str, None] = {}

    @property
    def asked_by(self) -> str:
        """The Slack id of the person for whom it is; "" where nobody asked."""
        if self.job.kind == LOOK:
            return str(self.job.payload["look"]["asked_by"])
        return "" if self.job.kind in _OURS else place_of(self.job.payload).user_id

    @property
    def job_id(self) -> str:
        return self.job.id

    @property
    def trace(self) -> str:
        return self.job.trace

    def audit(
        self, act: str, runs: Iterable[str] = (), *, picked: str = "", channel: str = "", shown: str = ""
    ) -> None:
        """Names what is done, for the audit, and what it is about; what is empty stays as it was."""
        self.message, self.to = (shown, CHANNEL) if shown else (self.message, self.to)
        self.act, self.picked, self.channel = act or self.act, picked or self.picked, channel or self.channel
        self.runs |= dict.fromkeys(runs)

    def told(self, error: Exception) -> None:
        """Takes note of an error that a person was told instead of an answer."""
        self.outcome = type(error).__name__

    @property
    def tries(self) -> int:
        return self.job.tries

    @property
    def age(self) -> float:
        return self._worker.now - self.job.time

    @property
    def is_news(self) -> bool:
        """Whether the job alone knows of what it is to tell: no person waits for it, and no timer asks for it again."""
        return self.job.kind in _NEWS

    @property
    def away(self) -> float:
        """Seconds until what is away is tried again."""
        return min(_LONGEST_AWAY, AWAY * (self.job.tries + 1)) if self.is_news else AWAY

    @property
    def patient(self) -> bool:
        """Whether the answer may wait for a throttled API once more; news waits for minutes, with nobody before it."""
        return (self.is_news or self.job.tries < PATIENCE) and self.age < OLDEST / 2

    @property
    def priority(self) -> Priority:
        """For whom the job asks the cloud."""
        return _PRIORITY.get(self.job.kind, Priority.PEOPLE)

    @property
    def fresh(self) -> bool:
        """Whether the cloud is asked even for what it answered a moment ago."""
        return self.job.kind in _FRESH

    @property
    def busy(self) -> Busy:
        return self._worker.busy

    def post(self, place: Place, message: Message, *, private: bool) -> str:
        """The job's one answer; raises SlackError and LostLease."""
        self.lease.posting()
        repeat = self.lease.may_repeat
        self.message = self.slack.answer(place, message, private=private, repeat=repeat)
        self.to = PERSON if private or place.is_direct_message else CHANNEL
        return self.message

    def post_to(self, channel_id: str, message: Message, thread_ts: str = "", *, whole: bool = False) -> str:
        """The job's one message, as one that can be updated; raises SlackError and LostLease."""
        self.lease.posting()
        repeat = self.lease.may_repeat
        self.message = self.slack.post(channel_id, message, thread_ts, repeat=repeat, whole=whole).ts
        self.to, self.channel = CHANNEL, channel_id
        return self.message

    def upload(self, channel_id: str, thread_ts: str, name: str, text: str) -> str:
        """Raises SlackError and LostLease."""
        self.lease.posting()
        self.file = self.slack.upload(channel_id, thread_ts, name, text)
        self.to, self.channel = CHANNEL, channel_id
        return self.file

    def follow(self, job: Job, wait: float) -> None:
        """Queues another job of ours; one that is queued already is left as it is. Raises QueueRefused."""
        self._worker.put(job, self.credentials, wait)

    def again(self, wait: float) -> NoReturn:
        """Queues the job again; raises Postponed."""
        self._worker.postpone(self.job.again(), self.credentials, wait)
        raise Postponed

    def later(self, place: Place, wait: float, message: Message) -> NoReturn:
        """Queues the job again, and then tells the person, once; raises Postponed."""
        self._worker.postpone(self.job.again(told=True), self.credentials, wait)
        if not self.job.told:
            try:
                self.slack.answer(place, message, private=True)
            except SlackError as error:
                log.warning("not told of the wait: %s", error)
        raise Postponed


def _pressed_on(payload: Mapping[str, Any]) -> str:
    container = payload.get("container")
    return str(container.get("message_ts", "")) if isinstance(container, dict) else ""


def log_crash(error: BaseException, request_id: str) -> None:
    """Where it broke, but not what with: messages of exceptions may hold output, addresses or tokens."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{os.path.basename(one.filename)}:{one.lineno} {one.name}" for one in reversed(frames))
    log.error("crash %s: %s at %s", request_id, type(error).__name__, places)
