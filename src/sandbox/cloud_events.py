"""What the cloud tells EventBridge as its clock moves: one event for each instance on which a run ended.

Envelope, field names and the states that are told of: the vendor's page on Cloud Assistant's events. `Error` is not
among them, so a bot that trusts in events alone misses it. The sample on that page is cut off before `invokeId`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from sandbox.cloud import Cloud
from sandbox.cloud_timeline import Entry, Stage, current, entries, result_fields, state
from sandbox.scenario_values import Invocation, Target

Event = dict[str, Any]

FINAL = frozenset({"Aborted", "Success", "Failed", "Invalid", "Timeout", "Cancelled", "Terminated"})
COMPLETED = "ecs:CloudAssistant:TaskCompleted"
_CHINA = timezone(timedelta(hours=8))


def envelope(kind: str, region: str, account: str, when: datetime, data: Mapping[str, Any]) -> Event:
    """An event of ECS on the bus `default`: CloudEvents 1.0 with EventBridge's extensions."""
    return {
        "datacontenttype": "application/json;charset=utf-8",
        "aliyunaccountid": account,
        "aliyunpublishtime": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aliyunoriginalaccountid": account,
        "specversion": "1.0",
        "aliyuneventbusname": "default",
        "id": str(uuid.uuid4()),
        "source": "acs.ecs",
        "time": when.astimezone(_CHINA).isoformat(timespec="seconds"),
        "aliyunregionid": region,
        "type": kind,
        "subject": f"acs.ecs:{region}:{account}:215672",
        "aliyunpublishaddr": "172.25.0.1",
        "data": dict(data),
    }


class Completions:
    """The ends of runs that were not told of yet; those before it was made count as told.

    `each_run` tells of every run of a schedule too, where the documents know only the end of the schedule itself.
    Without `invoke_id` an event does not say which run it is about. A scenario that starts again tells all anew.
    """

    def __init__(self, cloud: Cloud, *, each_run: bool = False, invoke_id: bool = True) -> None:
        self._cloud = cloud
        self._each_run, self._invoke_id = each_run, invoke_id
        self._told: dict[tuple[str, str], tuple[datetime, int]] = {}  # the scenario's start, and how many ends
        self.fresh()

    def fresh(self) -> list[Event]:
        """Events of what ended since the last call, in the order in which it did."""
        found = [
            (_end(entry), _completed(entry, status, self._cloud.account_of(run), invoke_id=self._invoke_id))
            for run, stage in self._cloud.runs()
            for target in run.targets
            for entry, status in self._untold(run, target, stage)
        ]
        return [event for _, event in sorted(found, key=lambda pair: pair[0])]

    def _untold(self, run: Invocation, target: Target, stage: Stage) -> list[tuple[Entry, str]]:
        ends = list(_ends(run, target, stage, each_run=self._each_run))
        start, told = self._told.get((run.id, target.instance), (stage.start, 0))
        self._told[run.id, target.instance] = (stage.start, len(ends))
        return ends[told:] if start == stage.start else ends


def _ends(run: Invocation, target: Target, stage: Stage, *, each_run: bool) -> Iterator[tuple[Entry, str]]:
    if run.scheduled and each_run:
        candidates = [(entry, state(entry)) for entry in reversed(entries(run, target, stage))]
    else:
        candidates = [current(run, target, stage)]
    yield from (pair for pair in candidates if pair[1] in FINAL)


def _end(entry: Entry) -> datetime:
    return entry.stage.at(entry.repeat.end or entry.invocation.created)


def _completed(entry: Entry, status: str, account: str, *, invoke_id: bool) -> Event:
    run, row = entry.invocation, result_fields(entry, status)
    data = {
        "commandId": run.fields["CommandId"],
        "commandName": run.fields["CommandName"],
        "exitCode": str(row.get("ExitCode", "")),
        "finishTime": row["FinishedTime"],
        "instanceId": entry.target.instance,
        "invocationStatus": status,
    }
    named = {**data, "invokeId": run.id} if invoke_id else data
    return envelope(COMPLETED, run.region, account, _end(entry), named)
