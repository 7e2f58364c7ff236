"""What the page can let go wrong, by the peers' own public controls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sandbox.cloud_faults import Kind
from sandbox.stage import Stage

NONE = "none"
_EVER = 1_000_000


@dataclass(frozen=True)
class Choice:
    """A fault of one peer; `times` is for how many calls, `seconds` for the slow ones."""

    label: str
    kind: str = ""
    times: float = math.inf
    seconds: float = 0.0


_CLOUD: dict[str, Choice] = {
    NONE: Choice("Works"),
    "throttle": Choice("Throttled, next 3 calls", "throttle", 3),
    "throttle_on": Choice("Throttled until changed", "throttle"),
    "limit": Choice("At most 5 calls a minute"),
    "http500": Choice("HTTP 500, next 3 calls", "http500", 3),
    "http500_on": Choice("HTTP 500 until changed", "http500"),
    "slow": Choice("Slow: 3 s a call", "slow", seconds=3),
    "drop": Choice("Hangs up, next 3 calls", "drop", 3),
    "denied": Choice("Role may not read", "denied"),
}
_SLACK: dict[str, Choice] = {
    NONE: Choice("Works"),
    "429": Choice("HTTP 429, next 2 calls", "429", 2),
    "500": Choice("HTTP 500, next 2 calls", "500", 2),
    "slow": Choice("Slow: 3.5 s a call", "slow", seconds=3.5),
    "drop_after": Choice("Posts, but the answer is lost, once", "drop_after", 1),
}
_ONCE = {
    "twice": "Deliver the next job twice",
    "refuse": "Refuse the next job",
    "again": "Slack repeats the next event",
    "kill": "Kill the function now",
}


class Faults:
    """One fault at a time for each of the two APIs, and single blows to the function and its queue."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._cloud, self._slack = NONE, NONE
        self._calls_before = 0
        self.repeat_events = 0

    @property
    def choices(self) -> dict[str, Any]:
        return {
            "cloud": [{"key": key, "label": choice.label} for key, choice in _CLOUD.items()],
            "slack": [{"key": key, "label": choice.label} for key, choice in _SLACK.items()],
            "once": [{"key": key, "label": label} for key, label in _ONCE.items()],
        }

    def state(self) -> dict[str, str]:
        """What is on now; a fault that is used up is off."""
        if self._cloud_left() < 1:
            self._cloud = NONE
        if self._slack != NONE and not self._stage.slack.faults_left:
            self._slack = NONE
        return {"cloud": self._cloud, "slack": self._slack}

    def _cloud_left(self) -> float:
        choice = _CLOUD[self._cloud]
        if math.isinf(choice.times):
            return choice.times
        used = sum(call.outcome == choice.kind for call in self._stage.cloud.calls[self._calls_before :])
        return choice.times - used

    def set_cloud(self, key: str) -> None:
        """KeyError where there is no such choice; so in the next two."""
        choice, cloud = _CLOUD[key], self._stage.cloud
        cloud.mend()
        cloud.limit(5 if key == "limit" else None)
        if choice.kind:
            kind: Kind = choice.kind  # type: ignore[assignment] # Fault refuses any other word
            cloud.fail(kind, times=choice.times, seconds=choice.seconds)
        self._cloud, self._calls_before = key, len(cloud.calls)

    def set_slack(self, key: str) -> None:
        choice, slack = _SLACK[key], self._stage.slack
        slack.mend()
        if choice.kind:
            method = "chat.postMessage" if choice.kind == "drop_after" else "*"
            times = _EVER if math.isinf(choice.times) else int(choice.times)
            slack.fail(choice.kind, method, times=times, retry_after=2, seconds=choice.seconds)
        self._slack = key

    def once(self, key: str) -> str:
        """Does it, and gives the sentence to show."""
        fc = self._stage.fc
        match key:
            case "twice":
                fc.duplicate(at_once=True)
                return "The next job is delivered twice, side by side."
            case "refuse":
                fc.fail("refuse_429")
                return "The queue refuses the next job (HTTP 429)."
            case "again":
                self.repeat_events += 1
                return "Slack sends the next mention or direct message again, as after a time-out."
            case "kill":
                fc.kill()
                return "The function's process was killed. The next request starts a new one."
        raise KeyError(key)
