"""What each API answers: one function per action, from the rows that match to the reply's body.

Shapes are those of the vendor's generated SDK and its pages on the six APIs named in `ACTIONS`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.cloud_errors import ApiError, forbidden
from sandbox.cloud_query import COMMON, PAGING, Page, Query, instances_page, page
from sandbox.cloud_regions import REGIONS
from sandbox.cloud_rows import Encode, agent, command, invocation, result, states_of
from sandbox.cloud_timeline import GOING_ON, Entry, Stage, aggregate, current, entries, overall
from sandbox.scenario_values import Command, Fields, Instance, Invocation

VERSION = "2014-05-26"  # of the ECS API

Body = dict[str, Any]

_RECORD_STATES = {"Running", "Finished", "Success", "Failed", "PartialFailed", "Stopped", "Stopping"}
_TYPES = {"RunShellScript", "RunBatScript", "RunPowerShellScript"}
_MODES = {"Once", "Period", "NextRebootOnly", "EveryReboot"}
_ADDRESSES: Mapping[str, Callable[[Fields], list[str]]] = {
    "PrivateIpAddresses": lambda row: row["VpcAttributes"]["PrivateIpAddress"]["IpAddress"],
    "PublicIpAddresses": lambda row: row["PublicIpAddress"]["IpAddress"],
    "EipAddresses": lambda row: [row["EipAddress"]["IpAddress"]],
}


@dataclass(frozen=True)
class View:
    """One region at one moment; each thing with its scenario's stage, runs and commands newest first."""

    region: str
    invocations: list[tuple[Invocation, Stage]]
    instances: list[tuple[Instance, Stage]]
    commands: list[tuple[Command, Stage]]
    may_list_instances: bool
    regions: Collection[str]
    kms: Mapping[str, str | bytes] = field(default_factory=dict)
    oos: Mapping[str, str] = field(default_factory=dict)


def describe_invocation_results(view: View, query: Query) -> Body:
    encode, history = _encoding(query), query.flag("IncludeHistory") or False
    wanted = query.choice("InvokeRecordStatus", _RECORD_STATES)
    found = page(query)
    chosen = [(run, stage) for run, stage in _chosen(view, query) if not wanted or wanted in _answers_to(run, stage)]
    if history:
        _check_history(query, [run for run, _ in chosen])
    rows, paging = found.cut([each for run, stage in chosen for each in _entries(run, stage, query, history)])
    records = {run.id: overall(run, states_of(run, stage), stage) for run, stage in chosen}
    shown = [result(entry, status, records[entry.invocation.id], encode) for entry, status in rows]
    return {"Invocation": {"InvocationResults": {"InvocationResult": shown}, **paging}}


def describe_invocations(view: View, query: Query) -> Body:
    encode, output = _encoding(query), query.flag("IncludeOutput") or False
    instance = query.text("InstanceId")
    if output and not instance and not query.text("InvokeId"):
        raise ApiError("MissingParameter.InvokeId", "IncludeOutput needs InvokeId or InstanceId.")
    wanted, found = _invocation_filter(query), page(query)
    rows, paging = found.cut([each for each in _chosen(view, query) if wanted(*each)])
    shown = [invocation(run, stage, instance, encode, output) for run, stage in rows]
    return {"Invocations": {"Invocation": shown}, **paging}


def describe_commands(view: View, query: Query) -> Body:
    query.choice("Type", _TYPES)
    encode, tags, found, latest = _encoding(query), query.tags(), page(query), query.flag("Latest")
    matching = [
        (command, stage)
        for command, stage in view.commands
        if query.same("CommandId", command.id)
        and query.same("Type", command.fields.get("Type"))
        and query.same("ResourceGroupId", command.fields.get("ResourceGroupId", ""))
        and _provided(query, command, latest or False)
        and _tagged(tags, command.tags)
    ]
    rows, paging = found.cut(matching)
    times = [run.fields["CommandId"] for run, _ in view.invocations]
    shown = [command(one, stage, times.count(one.id), encode) for one, stage in rows]
    return {"Commands": {"Command": shown}, **paging}


def describe_instances(view: View, query: Query) -> Body:
    dry_run, found = query.flag("DryRun"), instances_page(query)
    matching = _instances(view, query)
    allowed = [one.fields for one in matching if one.listed] if view.may_list_instances else []
    if dry_run and not view.may_list_instances:
        raise forbidden("DescribeInstances")
    if dry_run:
        raise ApiError("DryRunOperation", "Request validation has been passed with DryRun flag set.")
    rows, paging = found.cut([{**row, "RegionId": view.region} for row in allowed])
    return {"Instances": {"Instance": list(rows)}, **paging}


def describe_cloud_assistant_status(view: View, query: Query) -> Body:
    wanted, system = query.numbered("InstanceId", 100), query.text("OSType").lower()
    known = [pair for pair in view.instances if not system or pair[0].fields["OSType"] == system]
    # With InstanceId the API ignores the page size.
    found = Page(True, 0, max(len(known), 1), "") if wanted else page(query)
    rows, paging = found.cut([pair for pair in known if not wanted or pair[0].id in wanted])
    shown = [agent(one, view.invocations, stage) for one, stage in rows]
    return {"InstanceCloudAssistantStatusSet": {"InstanceCloudAssistantStatus": shown}, **paging}


def describe_regions(view: View, query: Query) -> Body:
    english = query.text("AcceptLanguage") not in ("", "zh-CN", "zh-TW")
    shown = [
        {
            "RegionId": region,
            "RegionEndpoint": f"ecs.{region}.aliyuncs.com",
            "LocalName": REGIONS.get(region, (region, region))[0 if english else 1],
            "Status": "available",
        }
        for region in view.regions
    ]
    return {"Regions": {"Region": shown}}


@dataclass(frozen=True)
class Action:
    """An API: its own parameters beside the common ones, and its answer."""

    answer: Callable[[View, Query], Body]
    parameters: frozenset[str]
    needs_region: bool = True
    version: str = VERSION


def _action(answer: Callable[[View, Query], Body], parameters: str) -> Action:
    return Action(answer, frozenset(parameters.split()) | COMMON | PAGING)


ACTIONS: Mapping[str, Action] = {
    "DescribeInvocationResults": _action(
        describe_invocation_results,
        "InvokeId InstanceId CommandId InvokeRecordStatus IncludeHistory ContentEncoding ResourceGroupId Tag",
    ),
    "DescribeInvocations": _action(
        describe_invocations,
        "InvokeId InstanceId CommandId CommandName CommandType InvokeStatus RepeatMode Timed IncludeOutput "
        "ContentEncoding ResourceGroupId Tag",
    ),
    "DescribeCommands": _action(
        describe_commands,
        "CommandId Name Description Type Provider Latest ContentEncoding ResourceGroupId Tag",
    ),
    "DescribeInstances": _action(
        describe_instances,
        "InstanceIds InstanceName PrivateIpAddresses PublicIpAddresses EipAddresses Status ZoneId "
        "InstanceType ResourceGroupId InstanceNetworkType DryRun Tag",
    ),
    "DescribeCloudAssistantStatus": _action(describe_cloud_assistant_status, "InstanceId OSType"),
    "DescribeRegions": Action(
        describe_regions,
        frozenset({"AcceptLanguage", "ResourceType", "InstanceChargeType"}) | COMMON,
        needs_region=False,
    ),
}


def _chosen(view: View, query: Query) -> list[tuple[Invocation, Stage]]:
    """The invocations that pass the filters that both invocation APIs have."""
    tags, instance = query.tags(), query.text("InstanceId")
    return [
        (run, stage)
        for run, stage in view.invocations
        if query.same("InvokeId", run.id)
        and query.same("CommandId", run.fields["CommandId"])
        and query.same("ResourceGroupId", run.fields["ResourceGroupId"])
        and (not instance or any(target.instance == instance for target in run.targets))
        and _tagged(tags, run.tags)
    ]


def _invocation_filter(query: Query) -> Callable[[Invocation, Stage], bool]:
    """With InstanceId the API ignores CommandName, RepeatMode and the state PartialFailed."""
    kind, mode = query.choice("CommandType", _TYPES), query.choice("RepeatMode", _MODES)
    status = query.choice("InvokeStatus", _RECORD_STATES | {"Pending", "Scheduled"})
    timed, by_instance = query.flag("Timed"), bool(query.text("InstanceId"))
    if by_instance and status == "PartialFailed":
        status = ""

    def passes(run: Invocation, stage: Stage) -> bool:
        return (
            kind in ("", run.fields["CommandType"])
            and (by_instance or mode in ("", run.fields["RepeatMode"]))
            and (by_instance or query.same("CommandName", run.fields["CommandName"]))
            and (timed is None or timed == _timed(run, stage))
            and (not status or status in _answers_to(run, stage))
        )

    return passes


def _timed(run: Invocation, stage: Stage) -> bool:
    """Whether it will run by itself again."""
    if run.fields["RepeatMode"] == "Once" or stage.reached(run.until):
        return False
    return run.scheduled or any(state in GOING_ON for state in states_of(run, stage))


def _check_history(query: Query, chosen: list[Invocation]) -> None:
    if not query.text("InvokeId"):
        raise ApiError("MissingParameter.InvokeId", "IncludeHistory needs InvokeId.")
    if any(not run.scheduled for run in chosen):
        raise ApiError("InvalidParameter.IncludeHistory", "IncludeHistory is for Period and EveryReboot only.")


def _answers_to(run: Invocation, stage: Stage) -> set[str]:
    """The states an invocation is found by: both of its own, and Finished once no instance is at work."""
    states = states_of(run, stage)
    names = {overall(run, states, stage), aggregate(states)}
    return names if run.scheduled or aggregate(states) in GOING_ON else names | {"Finished"}


def _entries(run: Invocation, stage: Stage, query: Query, history: bool) -> list[tuple[Entry, str | None]]:
    """Rows of one invocation with the state to show; None: the run's own, to be read when it is shown."""
    targets = [one for one in run.targets if one.has_result and query.same("InstanceId", one.instance)]
    if not history:
        return [current(run, target, stage) for target in targets]
    rows = [(entry, None) for target in targets for entry in entries(run, target, stage)]
    return sorted(rows, key=lambda row: row[0].number, reverse=True)


def _provided(query: Query, command: Command, latest: bool) -> bool:
    """Own commands are found by `*` patterns, public ones (Provider) by any part of their text."""
    provider, name, about = (str(command.fields.get(key, "")) for key in ("Provider", "Name", "Description"))
    wanted = query.text("Provider")
    if not wanted:
        return not provider and query.like("Name", name) and query.like("Description", about)
    return (
        provider.startswith(wanted)
        and query.text("Name").strip("*") in name
        and query.text("Description").strip("*") in about
        and not (latest and command.fields.get("Latest") is False)
    )


def _instances(view: View, query: Query) -> list[Instance]:
    ids = query.json_list("InstanceIds", "InvalidInstanceIds.Malformed")
    lists = {name: query.json_list(name, f"Invalid{name}.Malformed") for name in _ADDRESSES}
    tags = query.tags()
    plain = ("Status", "ZoneId", "InstanceType", "ResourceGroupId", "InstanceNetworkType")
    return [
        one
        for one, _ in view.instances
        if (ids is None or one.id in ids)
        and query.like("InstanceName", one.name)
        and all(query.same(name, one.fields[name]) for name in plain)
        and all(wanted is None or set(wanted) & set(_ADDRESSES[name](one.fields)) for name, wanted in lists.items())
        and _tagged(tags, {tag["TagKey"]: tag["TagValue"] for tag in one.fields["Tags"]["Tag"]})
    ]


def _tagged(wanted: Mapping[str, str | None], tags: Mapping[str, str]) -> bool:
    return all(key in tags and value in (None, tags[key]) for key, value in wanted.items())


def _encoding(query: Query) -> Encode:
    if query.choice("ContentEncoding", {"PlainText", "Base64"}) == "PlainText":
        # Bytes that are not UTF-8 go out as they are: the API is no kinder.
        return lambda content: content.decode("utf-8", "surrogateescape")
    return lambda content: base64.b64encode(content).decode()
