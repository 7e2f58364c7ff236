"""One delivery of one job, as those see it who work it off; `delivery` carries it out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn, Protocol

from bot.adapters.calls import Calls
from bot.adapters.slack import Place, Posted, Slack
from bot.core.blocks import Message
from bot.core.manners import Priority
from bot.core.status import Busy
from bot.jobs import Job
from bot.settings import Credentials


class Turn(Protocol):
    @property
    def slack(self) -> Slack: ...

    @property
    def credentials(self) -> Credentials: ...

    @property
    def asked_by(self) -> str:
        """The Slack id of the person for whom it is; "" where nobody asked."""
        ...

    @property
    def job_id(self) -> str: ...

    @property
    def trace(self) -> str:
        """What the job is called in lines of the log, the audit and footers."""
        ...

    @property
    def calls(self) -> Calls:
        """What the job has asked of others so far."""
        ...

    def audit(
        self, act: str, runs: Iterable[str] = (), *, picked: str = "", channel: str = "", shown: str = ""
    ) -> None:
        """Names what is done, for the audit, and what it is about; what is empty stays as it was.

        `shown` is the `ts` of a message that the channel reads.
        """
        ...

    def told(self, error: Exception) -> None:
        """Takes note of an error that a person was told instead of an answer."""
        ...

    @property
    def tries(self) -> int:
        """How often the job has queued itself again."""
        ...

    @property
    def deadline(self) -> float:
        """When this delivery must be over, on the worker's clock."""
        ...

    @property
    def priority(self) -> Priority:
        """For whom the job asks the cloud."""
        ...

    @property
    def fresh(self) -> bool:
        """Whether the cloud is asked even for what it answered a moment ago."""
        ...

    @property
    def busy(self) -> Busy:
        """What else this process works on."""
        ...

    @property
    def patient(self) -> bool:
        """Whether the answer may wait for a throttled API once more."""
        ...

    def post(self, place: Place, message: Message, *, private: bool) -> str:
        """Posts the job's one answer; its `ts` where the channel sees it and Slack names it. Raises SlackError."""
        ...

    def post_to(self, channel_id: str, message: Message, thread_ts: str = "", *, whole: bool = False) -> Posted:
        """Posts the job's one message as one that can be updated. Raises SlackError.

        `whole`: blocks that Slack refuses are an error, not left out.
        """
        ...

    def upload(self, channel_id: str, thread_ts: str, name: str, text: str) -> str:
        """Puts a text file into a thread, once for each job; its id. Raises SlackError."""
        ...

    def later(self, place: Place, wait: float, message: Message) -> NoReturn:
        """Queues the job again and tells the person, once for each job."""
        ...

    def again(self, wait: float) -> NoReturn:
        """Queues the job again, in `wait` seconds, and tells nobody."""
        ...

    def follow(self, job: Job, wait: float) -> None:
        """Queues another job of ours, for `wait` seconds from now. Raises QueueRefused."""
        ...
