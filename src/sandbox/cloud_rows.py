"""The rows of the ECS replies, each from its value in a scenario and the moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from sandbox.cloud_timeline import GOING_ON, Entry, Stage, aggregate, current, overall, result_fields, state
from sandbox.scenario_notation import moment, tag_rows
from sandbox.scenario_values import Command, Instance, Invocation

Row = dict[str, Any]
# How outputs and command contents are written into the reply.
Encode = Callable[[bytes], str]

_FROM_INVOCATION = (
    "CommandId",
    "Username",
    "ContainerId",
    "ContainerName",
    "Launcher",
    "OssOutputDelivery",
    "TerminationMode",
)


def states_of(run: Invocation, stage: Stage) -> list[str]:
    return [current(run, target, stage)[1] for target in run.targets]


def result(entry: Entry, status: str | None, record: str, encode: Encode) -> Row:
    run = entry.invocation
    row = result_fields(entry, status or state(entry))
    inherited = {name: run.fields[name] for name in _FROM_INVOCATION}
    return {
        **inherited,
        **row,
        "InvokeId": run.id,
        "InstanceId": entry.target.instance,
        "InvokeRecordStatus": record,
        "Output": encode(row["Output"]),
        "Tags": tag_rows(run.tags),
    }


def invocation(run: Invocation, stage: Stage, instance: str, encode: Encode, output: bool) -> Row:
    states = states_of(run, stage)
    rows = [
        _invoke_instance(run, *current(run, target, stage), encode if output else lambda _: "")
        for target in run.targets
        if instance in ("", target.instance)
    ]
    fields = {name: value for name, value in run.fields.items() if name != "ResourceGroupId"}
    return {
        **fields,
        "InvokeId": run.id,
        "CreationTime": stage.text(run.created),
        "CommandContent": encode(run.content),
        "InvocationStatus": aggregate(states),
        "InvokeStatus": overall(run, states, stage),
        "Timed": run.fields["RepeatMode"] != "Once",
        "Tags": tag_rows(run.tags),
        "InvokeInstances": {"InvokeInstance": rows},
    }


def _invoke_instance(run: Invocation, entry: Entry, status: str, encode: Encode) -> Row:
    row = result_fields(entry, status)
    finished = row.pop("FinishedTime")
    return {
        **row,
        "InstanceId": entry.target.instance,
        "InstanceInvokeStatus": "Running" if status in GOING_ON else "Finished",
        "CreationTime": entry.stage.text(run.created),
        "UpdateTime": finished or row["StartTime"] or entry.stage.text(run.created),
        "FinishTime": finished,
        "Timed": run.fields["RepeatMode"] != "Once",
        "Output": encode(row["Output"]),
    }


def command(command: Command, stage: Stage, times: int, encode: Encode) -> Row:
    names = command.fields.get("ParameterNames", [])
    defaults = {
        "Type": "RunShellScript",
        "Description": "",
        "Category": "",
        "Provider": "",
        "Version": 1,
        "Latest": True,
        "Timeout": 60,
        "WorkingDir": "/root",
        "Launcher": "",
        "ResourceGroupId": "",
        "EnableParameter": bool(names),
    }
    return {
        **defaults,
        **command.fields,
        "CreationTime": stage.text(command.created),
        "CommandContent": encode(command.content),
        "ParameterNames": {"ParameterName": names},
        "InvokeTimes": times,
        "Tags": tag_rows(command.tags),
    }


def agent(instance: Instance, runs: Iterable[tuple[Invocation, Stage]], stage: Stage) -> Row:
    newest = [
        current(run, target, start) for run, start in runs for target in run.targets if target.instance == instance.id
    ]
    times = {"LastHeartbeatTime": stage.text(stage.now - timedelta(seconds=20)), "LastInvokedTime": ""}
    started = [result_fields(entry, status)["StartTime"] for entry, status in newest]
    times["LastInvokedTime"] = max(started, default="")
    given = {name: stage.text(moment(value)) if name in times else value for name, value in instance.agent.items()}
    return {
        "InstanceId": instance.id,
        "CloudAssistantStatus": "true",
        "CloudAssistantVersion": "2.2.4.961",
        "OSType": str(instance.fields["OSType"]).capitalize(),
        "SupportSessionManager": True,
        "InvocationCount": len(newest),
        "ActiveTaskCount": sum(status in ("Running", "Stopping") for _, status in newest),
        **times,
        **given,
    }
