"""Replies of the API as values, whatever is missing, null or of another type."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import model
from core.samples import succeeded


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        ("é", "é"),
        (None, ""),
        (7, "7"),
        (1.5, "1.5"),
        (True, ""),
        ([], ""),
        ("a\ud83d", "a\ufffd"),
        ("😀", "😀"),
    ],
)
def test_text(value: object, text: str) -> None:
    assert model.text_of(value) == text


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0, 0), (-1, -1), ("12", 12), (3.0, 3), (0.5, None), (None, None), (True, None), ("", None), ("x", None),
        (float("nan"), None), (float("inf"), None), (10**30, None), ("9" * 5_000, None), ([], None),
    ],
)  # fmt: skip
def test_number(value: object, number: int | None) -> None:
    assert model.number_of(value) == number


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2020-05-11T09:01:40Z", datetime(2020, 5, 11, 9, 1, 40, tzinfo=UTC)),
        (" 2024-04-14T22:32Z ", datetime(2024, 4, 14, 22, 32, tzinfo=UTC)),
        ("2020-05-11T09:01:40.123Z", datetime(2020, 5, 11, 9, 1, 40, tzinfo=UTC)),
        ("2020-02-30T09:01:40Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("soon", None),
        ("", None),
        (None, None),
        (0, None),
    ],
)
def test_time(value: object, moment: datetime | None) -> None:
    assert model.time_of(value) == moment


@pytest.mark.parametrize(
    ("value", "raw"),
    [("b2s=", b"ok"), ("", b""), (None, b""), ("not Base64!", b"not Base64!"), ("é", "é".encode()), ("a\ud83d", b"a?")],
)
def test_bytes(value: object, raw: bytes) -> None:
    assert model.bytes_of(value) == raw


@pytest.mark.parametrize("reply", [None, [], {}, {"A": None}, {"A": []}, {"A": {"B": {}}}, {"A": {"B": "x"}}])
def test_no_rows(reply: object) -> None:
    assert model.rows_of(reply, "A", "B") == ()


def test_rows() -> None:
    assert model.rows_of({"A": {"B": [{"x": 1}, None, 3]}}, "A", "B") == ({"x": 1},)


def test_result() -> None:
    row = {**succeeded("i-1", "ok"), "Dropped": -3, "Repeats": 2, "OssOutputUri": "oss://b/o", "ErrorInfo": "x"}
    row["OssOutputStatus"] = "Finished"
    result = model.result_from(row, "cn-hangzhou")
    assert (result.instance_id, result.status, result.exit_code) == ("i-1", "Success", 0)
    assert (result.output, result.dropped, result.repeats) == (b"ok", 0, 2)
    assert result.oss_status == "Finished"
    assert (result.oss_uri, result.error_info, result.username) == ("oss://b/o", "x", "root")
    assert result.finished == datetime(2026, 11, 24, 21, 2, tzinfo=UTC)


def test_ids_come_from_the_call_where_the_row_has_none() -> None:
    result = model.result_from({"FinishTime": "2026-11-24T21:02Z"}, "cn-hangzhou", "t-1", "c-1")
    assert (result.invoke_id, result.command_id, result.exit_code) == ("t-1", "c-1", None)
    assert result.finished is not None


@pytest.mark.parametrize(
    ("mode", "schedule"), [("Once", False), ("Period", True), ("EveryReboot", True), (None, False)]
)
def test_invocation(mode: str | None, schedule: bool) -> None:
    row = {
        "InvokeId": "t-1",
        "RepeatMode": mode,
        "CommandContent": "ZWNobyAx",
        "InvokeStatus": "Finished",
        "Timeout": "60",
    }
    invocation = model.invocation_from({**row, "InvokeInstances": {"InvokeInstance": [{"InstanceId": "i-1"}]}}, "r")
    assert (invocation.is_schedule, invocation.content, invocation.timeout) == (schedule, "echo 1", 60)
    assert (invocation.status, invocation.targets[0].invoke_id) == ("Finished", "t-1")


def test_instance() -> None:
    row = {
        "InstanceId": "i-1",
        "InstanceName": "web-01",
        "OSType": "linux",
        "VpcAttributes": {"PrivateIpAddress": {"IpAddress": ["10.0.0.1"]}},
        "PublicIpAddress": {"IpAddress": ["1.2.3.4", None]},
        "InnerIpAddress": ["10.9.9.9"],
        "EipAddress": {"IpAddress": "5.6.7.8"},
    }
    instance = model.instance_from(row, "r")
    assert instance.addresses == ("10.0.0.1", "10.9.9.9", "1.2.3.4", "5.6.7.8")
    assert model.instance_from({"VpcAttributes": None, "EipAddress": []}, "r").addresses == ()


def test_what_an_instance_is() -> None:
    row = {
        "ZoneId": "cn-hangzhou-h",
        "ImageId": "m-1",
        "InstanceType": "ecs.g7.large",
        "OSName": "Ubuntu  22.04 64 bit",
        "OSType": "linux",
        "VpcAttributes": {"VpcId": "vpc-1", "VSwitchId": "vsw-1"},
        "Tags": {"Tag": [{"TagKey": "role", "TagValue": "web"}, {"TagKey": "canary"}]},
    }
    one = model.instance_from(row, "r")
    assert (one.zone, one.image, one.type) == ("cn-hangzhou-h", "m-1", "ecs.g7.large")
    assert (one.os_name, one.os_type, one.vpc, one.vswitch) == ("Ubuntu  22.04 64 bit", "linux", "vpc-1", "vsw-1")
    assert one.tags == (("role", "web"), ("canary", ""))
    assert model.instance_from({"Tags": row["Tags"]["Tag"]}, "r").tags == one.tags  # type: ignore[index]


def test_command() -> None:
    assert model.command_from({"CommandId": "c-1", "Name": "x", "Type": "y"}, "r") == model.Command(
        "c-1", "r", "x", "y"
    )


@pytest.mark.parametrize(("said", "online"), [("true", True), (True, True), ("false", False), (None, False)])
def test_agent(said: object, online: bool) -> None:
    assert model.agent_from({"InstanceId": "i-1", "CloudAssistantStatus": said}).online is online


ANYTHING: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)
KEYS = [
    "InvokeId", "InstanceId", "InvocationStatus", "ExitCode", "Output", "Dropped", "Repeats", "StartTime", "Username",
    "CommandContent", "InvokeInstances", "VpcAttributes", "EipAddress", "PublicIpAddress", "CloudAssistantStatus",
    "Tags",
]  # fmt: skip


@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING))
def test_no_row_raises(row: dict[str, Any]) -> None:
    result = model.result_from(row, "r")
    result.instance_id.encode()  # whole characters only
    model.invocation_from(row, "r")
    model.instance_from(row, "r")
    model.command_from(row, "r")
    model.agent_from(row)
