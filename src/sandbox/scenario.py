"""Scenarios: fleets and runs that the sandbox's Cloud Assistant tells about, one JSON file each.

To add one, copy a file in `scenarios/`, change it, and type its `ask`. Names with a capital letter are the
API's own fields, as they stand in its replies; names in lower case are short forms of ours.

    {
      "title": "One full disk",                      a few words
      "about": "One of three web servers is full.",  one sentence for a person
      "ask": "t-hz0example01",                       what to type
      "regions": ["cn-hangzhou"],                    all regions used below
      "Instance": [{"RegionId": "cn-hangzhou", "InstanceName": "web-[01-03]"}],
      "Invocation": [{
        "RegionId": "cn-hangzhou", "InvokeId": "t-hz0example01", "CommandId": "c-hz0example01",
        "CommandName": "deploy-web", "CreationTime": "-5m", "targets": ["web-[01-03]"],
        "InvocationResult": [
          {"instances": "web-02", "StartTime": "-4m", "FinishedTime": "-3m", "ExitCode": 1, "Output": "full"},
          {"StartTime": "-4m", "FinishedTime": "-10s", "ExitCode": 0, "Output": "release 4.12.0 active"}
        ]
      }]
    }

Times are counted from the moment the scenario starts: "-4m", "+90s", "+1h30m" (d, h, m, s), or absolute,
"2026-11-24T21:00:00Z". Name lists: "web-[01-03,07]" stands for four names, in its order.

Instance: any field of DescribeInstances; what is not given is made up, always the same for the same region
and name. InstanceId may be given for a single name. Short: `private_ip`, `public_ip`, `eip` (of the first,
the others count on from it), `agent` (fields of DescribeCloudAssistantStatus), `Tags` {"key": "value"}.
Top level `instances_listed` false: DescribeInstances shows none of them, as without the permission. Top level
`account`: the number of another account than that of the sandbox's own keys.

Invocation: any field of DescribeInvocations, CommandContent as plain text, `Tags` as above, and
ResourceGroupId. InvokeStatus and InvocationStatus follow from the results. Short: `targets` (names or
instance ids), `kept` false (RunCommand without KeepCommand: DescribeCommands does not know it), `until` (the
schedule was over then).

InvocationResult: one row for several instances: `instances`, or all targets no other row has named. Any field
of DescribeInvocationResults as it is in the end; before StartTime the instance is Pending, then Running
(Stopping from StopTime on) until FinishedTime. InvocationStatus and ErrorCode may be left out where ExitCode
tells them. Short:
  `ends`       when the end state comes, for rows that show no FinishedTime
  `step`       "6s": each next instance starts and ends that much later
  `partial`    the Output shown while running
  `no_result`  true: the instance stands in DescribeInvocations only
  `every`      "5m", for schedules: times are those of the newest run, it goes on running in this rhythm, and
  `runs`       says what came before, oldest first: [{"repeats": 28, "ExitCode": 0}, {"repeats": 72, ...}]
Output: a text, a list of lines, or {"text" or "lines" or "base64": ..., "encoding": "gbk", "repeat": 400}.

Command: commands beside those of the invocations, any field of DescribeCommands and RegionId. One with a
Provider is a public command.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from sandbox.scenario_notation import counted, duration, instance_id, moment, names, output_bytes, tag_rows
from sandbox.scenario_values import OWN_ACCOUNT, Command, Fields, Instance, Invocation, Repeat, Scenario, Target

FOLDER = Path(__file__).parent / "scenarios"

_SHORT = {
    "scenario": {"title", "about", "ask", "regions", "instances_listed", "account"},
    "Instance": {"private_ip", "public_ip", "eip", "agent"},
    "Invocation": {"targets", "kept", "until"},
    "InvocationResult": {"instances", "ends", "step", "partial", "no_result", "every", "runs"},
    "Command": set[str](),
}
# Fields that are not copied as they stand, but read.
_READ = {"StartTime", "FinishedTime", "StopTime", "CreationTime", "Output", "Tags", "InvocationResult"}


def build(name: str, data: Fields) -> Scenario:
    """A scenario from its parsed JSON; raises ValueError that names the scenario and what is wrong."""
    try:
        return _scenario(name, data)
    except KeyError as missing:
        raise ValueError(f"scenario {name}: {missing} is missing") from None
    except ValueError as wrong:
        raise ValueError(f"scenario {name}: {wrong}") from None


def load(name: str) -> Scenario:
    return build(name, json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))


def load_all() -> tuple[Scenario, ...]:
    """Every file of the folder, by name."""
    return tuple(load(path.stem) for path in sorted(FOLDER.glob("*.json")))


def _scenario(name: str, data: Fields) -> Scenario:
    _check("scenario", data)
    listed, account = bool(data.get("instances_listed", True)), data.get("account", OWN_ACCOUNT)
    instances = tuple(one for row in data.get("Instance", ()) for one in _instances(row, listed, account))
    if len({one.id for one in instances}) < len(instances):
        raise ValueError("the same instance twice")
    invocations = tuple(_invocation(row, instances) for row in data.get("Invocation", ()))
    commands = (*map(_command, data.get("Command", ())), *_kept_commands(invocations))
    used = {one.region for group in (instances, invocations, commands) for one in group}
    if extra := used - set(data["regions"]):
        raise ValueError(f"regions without {', '.join(sorted(extra))}")
    return Scenario(
        name=name,
        title=data["title"],
        about=data["about"],
        ask=data["ask"],
        regions=tuple(data["regions"]),
        instances=instances,
        invocations=invocations,
        commands=commands,
        account=account,
    )


def _instances(row: Fields, listed: bool, account: str) -> Iterator[Instance]:
    _check("Instance", row)
    mine = "" if account == OWN_ACCOUNT else f"{account}/"
    for position, name in enumerate(names(row["InstanceName"])):
        region = row["RegionId"]
        number = row.get("InstanceId") or instance_id(region, mine + name)
        fields = {**_instance_defaults(region, number, name), **_api_fields(row)}
        fields |= {"InstanceName": name, "InstanceId": number, **_addresses(row, number, position)}
        fields["Tags"] = tag_rows(row.get("Tags", {}))
        yield Instance(region, number, name, fields, row.get("agent", {}), listed and number[:2] == "i-")


def _instance_defaults(region: str, number: str, name: str) -> dict[str, Any]:
    return {
        "HostName": name,
        "Status": "Running",
        "ZoneId": f"{region}-h",
        "ImageId": "aliyun_3_x64_20G_alibase_20240528.vhd",
        "OSType": "linux",
        "OSName": "Alibaba Cloud Linux  3.2104 LTS 64 bit",
        "InstanceType": "ecs.g7.large",
        "InstanceTypeFamily": "ecs.g7",
        "Cpu": 2,
        "Memory": 8192,
        "CreationTime": "2025-04-14T22:32Z",
        "StartTime": "2025-04-14T22:33Z",
        "InstanceNetworkType": "vpc",
        "InstanceChargeType": "PostPaid",
        "ResourceGroupId": "",
        "Description": "",
        "SerialNumber": hashlib.sha256(number.encode()).hexdigest()[:32],
    }


def _addresses(row: Fields, number: str, position: int) -> dict[str, Any]:
    public, eip = (counted(row.get(key, ""), position) for key in ("public_ip", "eip"))
    made_up = ".".join(str(byte) for byte in (10, *hashlib.sha256(number.encode()).digest()[:3]))
    private = counted(row.get("private_ip", ""), position) or made_up
    return {
        "VpcAttributes": {
            "VpcId": "vpc-bp1sandbox",
            "VSwitchId": "vsw-bp1sandbox",
            "NatIpAddress": "",
            "PrivateIpAddress": {"IpAddress": [private]},
        },
        "PublicIpAddress": {"IpAddress": [public] if public else []},
        "InnerIpAddress": {"IpAddress": list[str]()},
        "EipAddress": {"IpAddress": eip, "AllocationId": f"eip-{number[2:]}" if eip else ""},
    }


def _invocation(row: Fields, instances: Sequence[Instance]) -> Invocation:
    _check("Invocation", row)
    here = {one.name: one.id for one in instances if one.region == row["RegionId"]}
    wanted = _ids(row["targets"], here)
    rows = list(_targets(row["InvocationResult"], wanted, here))
    targets = {target.instance: target for target in rows}
    if len(targets) < len(rows):
        raise ValueError(f"{row['InvokeId']} has two results for one instance")
    if missing := [one for one in wanted if one not in targets]:
        raise ValueError(f"{row['InvokeId']} has no result for {', '.join(missing)}")
    created = moment(row["CreationTime"])
    if created is None:
        raise ValueError(f"{row['InvokeId']} has no CreationTime")
    return Invocation(
        region=row["RegionId"],
        id=row["InvokeId"],
        fields=_invocation_fields(row),
        tags=row.get("Tags", {}),
        content=str(row.get("CommandContent", "")).encode(),
        created=created,
        targets=tuple(targets[one] for one in wanted),
        kept=row.get("kept", True),
        until=moment(row.get("until", "")),
    )


def _invocation_fields(row: Fields) -> dict[str, Any]:
    return {
        "CommandName": "",
        "CommandType": "RunShellScript",
        "CommandDescription": "",
        "RepeatMode": "Once",
        "Frequency": "",
        "Timeout": 60,
        "Username": "root",
        "WorkingDir": "/root",
        "Parameters": "{}",
        "ContainerId": "",
        "ContainerName": "",
        "Launcher": "",
        "OssOutputDelivery": "",
        "TerminationMode": "Process",
        "ResourceGroupId": "",
        "CommandId": row["CommandId"],
        **_api_fields(row),
    }


def _targets(rows: Sequence[Fields], wanted: Sequence[str], here: Mapping[str, str]) -> Iterator[Target]:
    named = {one for row in rows for one in _ids(row.get("instances", ()), here)}
    if strangers := named - set(wanted):
        raise ValueError(f"a result for {', '.join(sorted(strangers))}, not among the targets")
    for row in rows:
        _check("InvocationResult", row)
        rest = [one for one in wanted if one not in named]
        for position, one in enumerate(_ids(row["instances"], here) if "instances" in row else rest):
            yield _target(row, one, duration(row.get("step", "0s")) * position)


def _target(row: Fields, instance: str, late: timedelta) -> Target:
    every = duration(row["every"]) if "every" in row else None
    repeats = _history(row, every) if every else [_repeat(row)]
    later = tuple(repeat.later(late) for repeat in repeats)
    return Target(instance, later, every, not row.get("no_result", False))


def _history(row: Fields, every: timedelta) -> list[Repeat]:
    """Oldest first, so that the newest run has the times as written."""
    stretches = row.get("runs", [{"repeats": 1}])
    fields = [{**row, **stretch} for stretch in stretches for _ in range(stretch["repeats"])]
    return [_repeat(one).later(-every * (len(fields) - 1 - index)) for index, one in enumerate(fields)]


def _repeat(row: Fields) -> Repeat:
    finished = moment(row.get("FinishedTime", ""))
    return Repeat(
        fields={**_verdict(row), **_api_fields(row)},
        output=output_bytes(row.get("Output", "")),
        partial=output_bytes(row.get("partial", "")),
        start=moment(row.get("StartTime", "")),
        end=moment(row["ends"]) if "ends" in row else finished,
        finished=finished,
        stop=moment(row.get("StopTime", "")),
    )


def _verdict(row: Fields) -> dict[str, Any]:
    """Status and error code that go with an exit code."""
    if "InvocationStatus" in row:
        return {}
    if row.get("ExitCode", 0) == 0:
        return {"InvocationStatus": "Success"}
    info = "The exit code of the command is not 0."
    return {"InvocationStatus": "Failed", "ErrorCode": "ExitCodeNonzero", "ErrorInfo": info}


def _command(row: Fields) -> Command:
    _check("Command", row)
    content = str(row.get("CommandContent", "")).encode()
    created = moment(row.get("CreationTime", "")) or timedelta(days=-30)
    fields = {**_api_fields(row), "CommandId": row["CommandId"], "Name": row["Name"]}
    return Command(row["RegionId"], row["CommandId"], fields, row.get("Tags", {}), content, created)


def _kept_commands(invocations: Iterable[Invocation]) -> list[Command]:
    """The commands of the runs, one for each id; RunCommand leaves none behind unless told to."""
    kept: dict[str, Command] = {}
    for run in invocations:
        if run.kept:
            fields = {
                "CommandId": run.fields["CommandId"],
                "Name": run.fields["CommandName"],
                "Type": run.fields["CommandType"],
                "Description": run.fields["CommandDescription"],
                "Timeout": run.fields["Timeout"],
                "WorkingDir": run.fields["WorkingDir"],
            }
            command = Command(run.region, str(fields["CommandId"]), fields, {}, run.content, run.created)
            kept.setdefault(command.id, command)
    return list(kept.values())


def _api_fields(row: Fields) -> dict[str, Any]:
    """The fields that go into the reply as they are written."""
    return {key: value for key, value in row.items() if key[0].isupper() and key not in _READ}


def _check(kind: str, row: Fields) -> None:
    if unknown := [key for key in row if not key[0].isupper() and key not in _SHORT[kind]]:
        raise ValueError(f"{kind} has no {', '.join(unknown)}; short forms: {', '.join(sorted(_SHORT[kind]))}")


def _ids(wanted: str | Iterable[str], here: Mapping[str, str]) -> list[str]:
    """Instance ids for names and ranges; ids are taken as they are, known or not."""
    patterns = [wanted] if isinstance(wanted, str) else wanted
    return [one if re.match("m?i-", one) else _known(one, here) for each in patterns for one in names(each)]


def _known(name: str, here: Mapping[str, str]) -> str:
    if name not in here:
        raise ValueError(f"no instance {name!r} in that region")
    return here[name]
