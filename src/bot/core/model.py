"""What Cloud Assistant says, as frozen values; dictionaries of the API end here.

Field meanings: API pages DescribeInvocations, DescribeInvocationResults and DescribeInstances (2014-05-26).
Every field may be missing, null or of another type in a reply; nothing here raises for that.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

SCHEDULED_MODES = frozenset({"Period", "EveryReboot"})


@dataclass(frozen=True, slots=True)
class InvocationResult:
    """What one instance did in one run. `exit_code` is None where none was reported, which is not 0."""

    invoke_id: str
    instance_id: str
    region: str = ""
    command_id: str = ""
    status: str = ""
    error_code: str = ""
    error_info: str = ""
    exit_code: int | None = None
    output: bytes = b""
    dropped: int = 0
    repeats: int = 0
    started: datetime | None = None
    finished: datetime | None = None
    username: str = ""
    oss_uri: str = ""
    oss_status: str = ""


@dataclass(frozen=True, slots=True)
class Invocation:
    """A run of a command on one or more instances.

    `timeout` in seconds; `parameters` is JSON; `targets` has no outputs.
    """

    id: str
    region: str
    command_id: str = ""
    command_name: str = ""
    command_type: str = ""
    content: str = ""
    parameters: str = ""
    created: datetime | None = None
    status: str = ""
    repeat_mode: str = ""
    frequency: str = ""
    timeout: int | None = None
    username: str = ""
    targets: tuple[InvocationResult, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def is_schedule(self) -> bool:
        return self.repeat_mode in SCHEDULED_MODES


@dataclass(frozen=True, slots=True)
class Instance:
    """`os_name` and `os_type` as in `Ubuntu  22.04 64 bit` and `linux`; `tags` are (key, value), in their order."""

    id: str
    region: str
    name: str = ""
    addresses: tuple[str, ...] = ()
    os_type: str = ""
    zone: str = ""
    image: str = ""
    type: str = ""
    os_name: str = ""
    vpc: str = ""
    vswitch: str = ""
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    id: str
    region: str
    name: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """Cloud Assistant Agent of one instance: `online` means a heartbeat within the last 2 minutes."""

    instance_id: str
    online: bool
    version: str = ""


def text_of(value: object) -> str:
    """The value as text; "" for anything that is not text or a number. Half characters become U+FFFD."""
    if isinstance(value, str) and value.isascii():
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def number_of(value: object) -> int | None:
    """A whole number of the API's type Long; None for anything else, so that 0.5 or 10**400 is not taken for one."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    whole = isinstance(value, str) or number == value
    return number if whole and abs(number) < 2**63 else None


_TIME = re.compile(r"(2\d{3})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d))?(?:\.\d+)?Z?", re.ASCII)


def time_of(value: object) -> datetime | None:
    """UTC times of the API, to the second (`2020-05-11T09:01:40Z`) or the minute; "" is a time not reached.

    So is a year no run can be from: `0001-01-01T00:00:00Z` is how some programs write that there is none.
    """
    return _time_of(value.strip()) if isinstance(value, str) and value else None


@lru_cache(maxsize=1_000)  # the instances of a run start within seconds
def _time_of(text: str) -> datetime | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    try:
        return datetime(*(int(part or 0) for part in match.groups()), tzinfo=UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        return None


def bytes_of(value: object) -> bytes:
    """Base64 text as bytes. What is not Base64 is taken as the text it is: better odd than lost."""
    if not isinstance(value, str) or not value:
        return b""
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return value.encode("utf-8", "replace")


def rows_of(reply: object, *path: str) -> tuple[Mapping[str, Any], ...]:
    """The list of objects at `path` in a reply; empty where the shape is another."""
    value = reply
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return tuple(row for row in value if isinstance(row, Mapping)) if isinstance(value, list) else ()


def result_from(row: Mapping[str, Any], region: str, invoke_id: str = "", command_id: str = "") -> InvocationResult:
    """A row of DescribeInvocationResults, or (with FinishTime, without Output) of InvokeInstances."""
    return InvocationResult(
        invoke_id=text_of(row.get("InvokeId")) or invoke_id,
        instance_id=text_of(row.get("InstanceId")),
        region=region,
        command_id=text_of(row.get("CommandId")) or command_id,
        status=text_of(row.get("InvocationStatus")),
        error_code=text_of(row.get("ErrorCode")),
        error_info=text_of(row.get("ErrorInfo")),
        exit_code=number_of(row.get("ExitCode")),
        output=bytes_of(row.get("Output")),
        dropped=max(0, number_of(row.get("Dropped")) or 0),
        repeats=max(0, number_of(row.get("Repeats")) or 0),
        started=time_of(row.get("StartTime")),
        finished=time_of(row.get("FinishedTime")) or time_of(row.get("FinishTime")),
        username=text_of(row.get("Username")),
        oss_uri=text_of(row.get("OssOutputUri")),
        oss_status=text_of(row.get("OssOutputStatus")),
    )


def invocation_from(row: Mapping[str, Any], region: str) -> Invocation:
    """A row of DescribeInvocations with its InvokeInstances."""
    invoke_id, command_id = text_of(row.get("InvokeId")), text_of(row.get("CommandId"))
    targets = rows_of(row, "InvokeInstances", "InvokeInstance")
    return Invocation(
        id=invoke_id,
        region=region,
        command_id=command_id,
        command_name=text_of(row.get("CommandName")),
        command_type=text_of(row.get("CommandType")),
        content=bytes_of(row.get("CommandContent")).decode("utf-8", "replace"),
        parameters=text_of(row.get("Parameters")),
        created=time_of(row.get("CreationTime")),
        status=text_of(row.get("InvocationStatus")) or text_of(row.get("InvokeStatus")),
        repeat_mode=text_of(row.get("RepeatMode")),
        frequency=text_of(row.get("Frequency")),
        timeout=number_of(row.get("Timeout")),
        username=text_of(row.get("Username")),
        targets=tuple(result_from(target, region, invoke_id, command_id) for target in targets),
        tags=_tags(row),
    )


def instance_from(row: Mapping[str, Any], region: str) -> Instance:
    """A row of DescribeInstances; addresses private first, then public, then elastic."""
    attributes = row.get("VpcAttributes")
    vpc = attributes if isinstance(attributes, Mapping) else {}
    lists = (
        _addresses(vpc, "PrivateIpAddress"),
        _addresses(row, "InnerIpAddress"),
        _addresses(row, "PublicIpAddress"),
    )
    eip = row.get("EipAddress")
    elastic = text_of(eip.get("IpAddress")) if isinstance(eip, Mapping) else ""
    addresses = [*(address for found in lists for address in found), elastic]
    return Instance(
        id=text_of(row.get("InstanceId")),
        region=region,
        name=text_of(row.get("InstanceName")),
        addresses=tuple(address for address in addresses if address),
        os_type=text_of(row.get("OSType")),
        zone=text_of(row.get("ZoneId")),
        image=text_of(row.get("ImageId")),
        type=text_of(row.get("InstanceType")),
        os_name=text_of(row.get("OSName")),
        vpc=text_of(vpc.get("VpcId")),
        vswitch=text_of(vpc.get("VSwitchId")),
        tags=_tags(row),
    )


def _tags(row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Tags as (key, value); the pages write `TagKey` and `Key`, and lists with and without a name."""
    told = [
        (text_of(one.get("TagKey") or one.get("Key")), one)
        for one in rows_of(row, "Tags", "Tag") or rows_of(row, "Tags")
    ]
    return tuple((key, text_of(one.get("TagValue") or one.get("Value"))) for key, one in told if key)


def _addresses(row: Mapping[str, Any], key: str) -> Iterable[str]:
    value = row.get(key)
    values = value.get("IpAddress") if isinstance(value, Mapping) else value
    return [text_of(item) for item in values] if isinstance(values, list) else []


def command_from(row: Mapping[str, Any], region: str) -> Command:
    return Command(text_of(row.get("CommandId")), region, text_of(row.get("Name")), text_of(row.get("Type")))


def agent_from(row: Mapping[str, Any]) -> AgentStatus:
    """A row of DescribeCloudAssistantStatus; its CloudAssistantStatus is the text "true" or "false"."""
    return AgentStatus(
        instance_id=text_of(row.get("InstanceId")),
        online=str(row.get("CloudAssistantStatus")).lower() == "true",
        version=text_of(row.get("CloudAssistantVersion")),
    )
