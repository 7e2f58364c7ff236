"""A job: one unit of our own work, on its way through the queue.

As JSON: `{"v": 1, "kind", "id", "time", "tries", "told", "payload", "mac"}`, at most 100 KB. The MAC is an HMAC-SHA256
over the rest, keyed from Slack's signing secret, so that nobody who can reach `/invoke` can make one up.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import Any, NamedTuple

VERSION = 1
MOST_BYTES = 100_000
COMMAND, EVENT, INTERACTION, LOOK = "command", "event", "interaction", "look"
REPORT, NOTICE = "report", "notice"  # a look at a reported run; what one channel is told
DIGEST = "digest"  # the digest of one channel
CLOUD_EVENT, CHORE = "cloud_event", "chore"  # a system event of an instance; what a timer asks for
EXPECTATION = "expectation"  # a check whether what is expected has happened


class BadJob(Exception):
    """Not a job of ours: no JSON, another version, or a wrong MAC."""


class Job(NamedTuple):
    """`id` names the Slack request and stays; `tries` counts how often the job queued itself again.

    `time` is when Slack asked, in whole seconds since the epoch. `told` says that the person knows of the wait.
    """

    kind: str
    id: str
    time: int
    payload: dict[str, Any]
    tries: int = 0
    told: bool = False

    @property
    def task_id(self) -> str:
        """Names the job for Function Compute, which refuses the same name twice; a new try is a new task."""
        return f"{self.id}-r{self.tries}" if self.tries else self.id

    @property
    def trace(self) -> str:
        """Eight characters that are the same in the door's line, the job's, the audit and the message's footer."""
        return hashlib.sha256(self.id.encode("utf-8", "surrogatepass")).hexdigest()[:8]

    def again(self, *, told: bool = False) -> Job:
        return self._replace(tries=self.tries + 1, told=self.told or told)


def job_id(prefix: str, slack_id: str) -> str:
    """A task id from Slack's `trigger_id` or `event_id`: a letter first, legal characters, room for a suffix.

    Function Compute takes letters, digits, `_` and `-`, at most 128. What does not fit is hashed, not cut.
    """
    legal = slack_id.replace(".", "-")
    if re.fullmatch(r"[A-Za-z0-9_-]{1,100}", legal):
        return f"{prefix}_{legal}"
    return f"{prefix}_{hashlib.sha256(slack_id.encode('utf-8', 'surrogatepass')).hexdigest()}"


def seal(job: Job, signing_secret: str) -> bytes:
    """The job as it travels. Raises ValueError when it is too large to be taken."""
    body = {
        "v": VERSION,
        "kind": job.kind,
        "id": job.id,
        "time": job.time,
        "tries": job.tries,
        "told": job.told,
        "payload": job.payload,
    }
    raw = _sealed(body, signing_secret)
    if len(raw) > MOST_BYTES:
        raise ValueError(f"job of {len(raw)} bytes")
    return raw


def unseal(raw: bytes, signing_secret: str) -> Job:
    """The job in a body; raises BadJob.

    Sealed again it must give the same bytes: so not even an escape may be written another way.
    """
    try:
        body = json.loads(raw)
        if not isinstance(body, dict):
            raise BadJob("not a job")
        body.pop("mac", None)
        again = _sealed(body, signing_secret)
    except (ValueError, RecursionError) as error:
        raise BadJob("not JSON") from error
    if not hmac.compare_digest(again, raw):
        raise BadJob("wrong MAC")
    if body.pop("v", None) != VERSION:
        raise BadJob("another version")
    return Job(**body)


def is_job(raw: bytes) -> bool:
    """Whether a body claims to be a job, right or forged: everything else is an event, which may hold "mac" inside."""
    if b'"mac"' not in raw:
        return False
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return True  # cut off, perhaps: refused
    return isinstance(body, dict) and "mac" in body


def _sealed(body: dict[str, Any], signing_secret: str) -> bytes:
    return _canonical({**body, "mac": _mac(body, signing_secret)})


def _canonical(body: dict[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def _mac(body: dict[str, Any], signing_secret: str) -> str:
    key = hmac.digest(signing_secret.encode(), b"cloud-assistant-bot job v1", "sha256")
    return hmac.new(key, _canonical(body), hashlib.sha256).hexdigest()
