"""What a run looks like at one moment: states, aggregate states, result rows.

States and the rule for the aggregate: the vendor's pages on DescribeInvocationResults and
DescribeInvocations. Where they leave a choice: `overall` says Running while anything goes on, Stopped or
Failed when that is true of every instance, and else Finished, whatever the exit codes were.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.scenario_values import Invocation, Repeat, Target, When

GOING_ON = ("Pending", "Scheduled", "Running", "Stopping")
STOPPED = {"Cancelled", "Terminated"}
# The API keeps 30 days, and 10,000 records; a schedule grows here no longer than that.
MOST_REPEATS = 10_000


@dataclass(frozen=True)
class Stage:
    """A moment in a scenario that started at `start`."""

    start: datetime
    now: datetime

    def at(self, when: When) -> datetime:
        return when if isinstance(when, datetime) else self.start + when

    def reached(self, when: When | None) -> bool:
        return when is not None and self.at(when) <= self.now

    def text(self, when: When | None) -> str:
        """UTC to the second, as the API writes it; '' for None."""
        return "" if when is None else self.at(when).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Entry:
    """One row of DescribeInvocationResults before it is rendered: the `number`-th run on one instance."""

    invocation: Invocation
    target: Target
    repeat: Repeat
    number: int
    stage: Stage


def entries(invocation: Invocation, target: Target, stage: Stage) -> list[Entry]:
    """All runs on one instance up to now, newest first; a one-shot run has one, started or not."""
    repeats = _so_far(invocation, target, stage)
    return [Entry(invocation, target, one, len(repeats) - i, stage) for i, one in enumerate(repeats[::-1])]


def current(invocation: Invocation, target: Target, stage: Stage) -> tuple[Entry, str]:
    """The newest run on one instance and the state that the instance has by it."""
    found = entries(invocation, target, stage)
    if not found:
        return Entry(invocation, target, target.repeats[0], 0, stage), "Scheduled"
    status = state(found[0])
    over = not invocation.scheduled or stage.reached(invocation.until)
    return found[0], status if over or status in GOING_ON else "Scheduled"


def state(entry: Entry) -> str:
    """The state of one run by itself."""
    repeat, stage = entry.repeat, entry.stage
    final = str(repeat.fields["InvocationStatus"])
    if repeat.start is None and repeat.end is None:
        return final
    if not stage.reached(repeat.start or repeat.end):
        return "Pending"
    if repeat.end is None or stage.reached(repeat.end):
        return final
    return "Stopping" if stage.reached(repeat.stop) else "Running"


def result_fields(entry: Entry, status: str) -> dict[str, Any]:
    """Fields that depend on the moment. Output is bytes here; ExitCode stands only when there is one."""
    repeat, stage = entry.repeat, entry.stage
    began = entry.number > 0 and stage.reached(repeat.start)
    row: dict[str, Any] = {
        "InvocationStatus": status,
        "StartTime": stage.text(repeat.start) if began else "",
        "FinishedTime": "",
        "StopTime": stage.text(repeat.stop) if stage.reached(repeat.stop) else "",
        "Repeats": entry.number if began else max(entry.number - 1, 0),
        "ErrorCode": "",
        "ErrorInfo": "",
        "Dropped": 0,
        "Output": repeat.partial if began else b"",
    }
    if (status in GOING_ON and status != "Scheduled") or not entry.number:
        return row
    ended = {"FinishedTime": stage.text(repeat.finished), "Output": repeat.output}
    return {**row, **repeat.fields, **ended, "InvocationStatus": status}


def aggregate(states: Collection[str]) -> str:
    """InvocationStatus of a whole invocation. A state the documents do not know counts as failed."""
    for going_on in GOING_ON:
        if going_on in states:
            return going_on
    stopped = {one for one in states if one in STOPPED}
    failed = {one for one in states if one not in STOPPED and one != "Success"}
    if "Success" in states:
        return "PartialFailed" if failed else "Success"
    return "Failed" if failed or not stopped else "Stopped"


def overall(invocation: Invocation, states: Collection[str], stage: Stage) -> str:
    """InvokeStatus, also called InvokeRecordStatus: coarser, and no word on exit codes."""
    if invocation.scheduled:
        return "Stopped" if stage.reached(invocation.until) else "Running"
    whole = aggregate(states)
    if whole in GOING_ON:
        return "Stopping" if whole == "Stopping" else "Running"
    return whole if whole in ("Stopped", "Failed") else "Finished"


def _so_far(invocation: Invocation, target: Target, stage: Stage) -> list[Repeat]:
    if target.every is None:
        return list(target.repeats)
    begun = [one for one in target.repeats if stage.reached(one.start)]
    newest = target.repeats[-1]
    if newest.start is not None and stage.reached(newest.start):
        until = stage.now if invocation.until is None else min(stage.now, stage.at(invocation.until))
        begun += _continued(newest, target.every, until - stage.at(newest.start))
    return begun[-MOST_REPEATS:]


def _continued(newest: Repeat, every: timedelta, time: timedelta) -> list[Repeat]:
    """The schedule goes on as its newest run did, in the time since that one began."""
    more = min(max(0, time // every), MOST_REPEATS)
    return [newest.later(every * (number + 1)) for number in range(more)]
