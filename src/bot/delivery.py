"""One delivery of a job: what a `turn` promises to those who work it off, and what the worker needs to know of it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from bot.adapters.calls import Calls
from bot.adapters.slack import Place, Posted
from bot.core.audit import CHANNEL, PERSON, Entry, kind_of
from bot.core.blocks import Message
from bot.core.errors import SlackError
from bot.core.manners import Priority
from bot.core.status import Busy
from bot.jobs import CHORE, CLOUD_EVENT, DIGEST, EXPECTATION, INTERACTION, LOOK, NOTICE, REPORT, Job
from bot.listeners import place_of
from bot.settings import Credentials

if TYPE_CHECKING:
    from bot.worker import Worker

log = logging.getLogger("bot.delivery")

PATIENCE = 2  # times a job waits for a throttled API before it says what it has
AWAY = 20.0  # seconds until Slack is tried again that gave no usable answer, many times in a row; so with the store
_LONGEST_AWAY = 300.0  # seconds; the wait of news grows with each try
OLDEST = 1_500  # seconds after which a response_url is dead and an answer is noise
NEWS_OLDEST = 86_400  # seconds after which what nobody has asked for is no news

OURS = frozenset({LOOK, REPORT, NOTICE, CLOUD_EVENT, CHORE, DIGEST, EXPECTATION})
"""Jobs that no request of Slack's has made."""

_PRIORITY = {
    REPORT: Priority.NOTICES,
    CLOUD_EVENT: Priority.NOTICES,
    CHORE: Priority.NOTICES,
    DIGEST: Priority.DIGESTS,
}
_NEWS = frozenset({REPORT, NOTICE, CLOUD_EVENT, DIGEST, EXPECTATION})
_FRESH = frozenset({INTERACTION, LOOK})  # who presses Refresh, or watches, wants to see what has changed
_GOES_ON = frozenset({"waits", "done before", "postponed", "taken over"})


class Postponed(Exception):
    """The job goes on later; it has been queued again."""


class Delivery:
    """Posts the job's one answer, takes note of it for the log and the audit, or queues the job again for later."""

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
        return "" if self.job.kind in OURS else place_of(self.job.payload).user_id

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

    @property
    def goes_on(self) -> bool:
        """Whether another delivery of the job has the last word."""
        return self.outcome in _GOES_ON

    @property
    def seen_in(self) -> tuple[str, str]:
        """Team and channel where what was done may be seen."""
        place = place_of(self.job.payload)
        return place.team_id, self.channel or place.channel_id

    def entry(self, channel: Mapping[str, Any] | None) -> Entry:
        """What was done, for the audit; `channel` is what is known of the channel."""
        team, channel_id = self.seen_in
        return Entry(
            at=self._worker.now,
            act=self.act,
            user=place_of(self.job.payload).user_id,
            team=team,
            channel=channel_id,
            channel_kind=kind_of(channel_id, channel),
            to=self.to,
            message=self.message or _pressed_on(self.job.payload),
            file=self.file,
            picked=self.picked,
            runs=tuple(self.runs),
            trace=self.trace,
            request=self.request_id,
            outcome=self.outcome,
        )

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

    def post_to(self, channel_id: str, message: Message, thread_ts: str = "", *, whole: bool = False) -> Posted:
        """The job's one message, as one that can be updated; raises SlackError and LostLease."""
        self.lease.posting()
        repeat = self.lease.may_repeat
        posted = self.slack.post(channel_id, message, thread_ts, repeat=repeat, whole=whole)
        self.message, self.to, self.channel = posted.ts, CHANNEL, channel_id
        return posted

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
