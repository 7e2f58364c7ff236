"""The sandbox's Cloud Assistant, asked by the vendor's generated SDK and by requests signed by hand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import math
import os
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest

# Read at import: the SDK's credential chain would otherwise ask a link-local address.
os.environ["ALIBABA_CLOUD_ECS_METADATA_DISABLED"] = "true"
for _name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
    os.environ.pop(_name, None)

from alibabacloud_ecs20140526 import models as m  # noqa: E402
from alibabacloud_ecs20140526.client import Client  # noqa: E402
from alibabacloud_tea_openapi import utils_models as um  # noqa: E402
from alibabacloud_tea_openapi.exceptions import ClientException, ServerException  # noqa: E402
from darabonba.exceptions import UnretryableException  # noqa: E402

from sandbox import scenario  # noqa: E402
from sandbox.cloud import KEY_ID, SECRETS, STS_KEY_ID, TOKENS, Cloud  # noqa: E402
from sandbox.scenario_notation import instance_id  # noqa: E402
from sandbox.scenario_values import Scenario  # noqa: E402

HANGZHOU = "cn-hangzhou"
SEVEN = "t-hz0a4kq8w5n7xc"
SCHEDULE = "t-hz0s8g5cf2vj7n"
FLEET = "t-hz0r6d1ym9sk4v"
MIXED = "t-hz0m9x3bw7ft5d"
NO_PATTERN = "t-hz0p4v8xk2j6gd"
SCENARIOS = scenario.load_all()


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(SCENARIOS) as running:
        yield running


@pytest.fixture(scope="module")
def still() -> Iterator[Cloud]:
    """One for all tests that leave no trace in it."""
    with Cloud(SCENARIOS) as running:
        yield running


def sdk(cloud: Cloud, key_id: str = KEY_ID, secret: str | None = None, token: str | None = None) -> Client:
    config = um.Config(
        access_key_id=key_id,
        access_key_secret=secret or SECRETS[key_id],
        security_token=token,
        region_id=HANGZHOU,
        endpoint=cloud.url.removeprefix("http://"),
        protocol="HTTP",
    )
    return Client(config)


def results(cloud: Cloud, **params: Any) -> Any:
    """The `Invocation` of DescribeInvocationResults, by the SDK."""
    request = m.DescribeInvocationResultsRequest(**{"region_id": HANGZHOU, **params})
    return sdk(cloud).describe_invocation_results(request).body.invocation


def invocations(cloud: Cloud, **params: Any) -> Any:
    request = m.DescribeInvocationsRequest(**{"region_id": HANGZHOU, **params})
    return sdk(cloud).describe_invocations(request).body


def run_ids(cloud: Cloud, **params: Any) -> list[str]:
    body = invocations(cloud, **{"max_results": 50, **params})
    return [run.invoke_id for run in body.invocations.invocation]


def instances(cloud: Cloud, **params: Any) -> list[str]:
    request = m.DescribeInstancesRequest(**{"region_id": HANGZHOU, "max_results": 100, **params})
    return [one.instance_name for one in sdk(cloud).describe_instances(request).body.instances.instance]


def commands(cloud: Cloud, **params: Any) -> list[Any]:
    request = m.DescribeCommandsRequest(**{"region_id": HANGZHOU, "max_results": 50, **params})
    return list(sdk(cloud).describe_commands(request).body.commands.command)


def signed(
    cloud: Cloud,
    query: str,
    *,
    method: str = "POST",
    body: bytes = b"",
    action: str = "DescribeInvocationResults",
    drop: tuple[str, ...] = (),
    **changed: str,
) -> tuple[int, dict[str, Any]]:
    """A request signed by hand. `changed` replaces headers (`_` for `-`) before, `drop` hides names from signing."""
    headers = {
        "host": cloud.url.removeprefix("http://"),
        "x-acs-action": action,
        "x-acs-version": "2014-05-26",
        "x-acs-date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": uuid.uuid4().hex,
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    names = sorted(name for name in headers if name not in drop)
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    lines = "".join(f"{name}:{headers[name]}\n" for name in names)
    canonical = "&".join(f"{name}={quote(value, safe='~')}" for name, value in pairs)
    text = "\n".join([method, "/", canonical, lines, ";".join(names), headers["x-acs-content-sha256"]])
    digest = "ACS3-HMAC-SHA256\n" + hashlib.sha256(text.encode()).hexdigest()
    mac = hmac.new(SECRETS[KEY_ID].encode(), digest.encode(), hashlib.sha256).hexdigest()
    authorization = f"ACS3-HMAC-SHA256 Credential={KEY_ID},SignedHeaders={';'.join(names)},Signature={mac}"
    return send(cloud, method, f"/?{query}", body, {**headers, "authorization": authorization})


def send(cloud: Cloud, method: str, target: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection(cloud.url.removeprefix("http://"), timeout=5)
    try:
        connection.request(method, target, body, headers)
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        connection.close()


def refusal(call: Callable[[], Any]) -> tuple[str, int]:
    with pytest.raises((ClientException, ServerException)) as caught:
        call()
    error: Any = caught.value
    return error.code, error.status_code


# What each API answers


def test_all_results_come_page_by_page_with_the_token(still: Cloud) -> None:
    seen, token, sizes = [], None, []
    while token != "":
        page = results(still, invoke_id=MIXED, max_results=50, next_token=token)
        seen += [row.instance_id for row in page.invocation_results.invocation_result]
        sizes.append(len(page.invocation_results.invocation_result))
        token = page.next_token
        assert (page.total_count, page.page_number) == (None, None)
    assert sizes == [50, 50, 20]
    assert len(set(seen)) == 120


def test_all_results_come_page_by_page_with_the_number(still: Cloud) -> None:
    pages = [results(still, invoke_id=MIXED, page_number=number, page_size=50) for number in (1, 2, 3, 4)]
    assert [len(page.invocation_results.invocation_result) for page in pages] == [50, 50, 20, 0]
    assert {(page.total_count, page.page_size, page.next_token) for page in pages} == {(120, 50, None)}
    assert [page.page_number for page in pages] == [1, 2, 3, 4]


def test_a_page_has_ten_rows_unless_told_otherwise(still: Cloud) -> None:
    assert len(results(still, invoke_id=MIXED).invocation_results.invocation_result) == 10
    assert len(results(still, invoke_id=MIXED, next_token="").invocation_results.invocation_result) == 10


def test_a_token_is_good_for_its_own_query_only(still: Cloud) -> None:
    token = results(still, invoke_id=MIXED, max_results=50).next_token
    assert results(still, invoke_id=MIXED, next_token=token, max_results=5).next_token
    bad = ("InvalidParameter.NextToken", 400)
    for other in ({"invoke_id": SEVEN, "next_token": token}, {"invoke_id": MIXED, "next_token": "ü"}):
        assert refusal(lambda other=other: results(still, **other)) == bad
    assert refusal(lambda: results(still, invoke_id=MIXED, next_token=token[:-4])) == bad


def test_a_result_has_the_fields_of_the_api(still: Cloud) -> None:
    web = instance_id(HANGZHOU, "web-03")
    row = results(still, invoke_id=SEVEN, instance_id=web).invocation_results.invocation_result[0].to_map()
    start, finish = (datetime.fromisoformat(row.pop(name)) for name in ("StartTime", "FinishedTime"))
    assert finish - start == timedelta(seconds=50)
    assert base64.b64decode(row.pop("Output")).endswith(b"No space left on device")
    assert row == {
        "CommandId": "c-hz0e7tq3v9kd2",
        "ContainerId": "",
        "ContainerName": "",
        "Dropped": 0,
        "ErrorCode": "ExitCodeNonzero",
        "ErrorInfo": "The exit code of the command is not 0.",
        "ExitCode": 1,
        "InstanceId": web,
        "InvocationStatus": "Failed",
        "InvokeId": SEVEN,
        "InvokeRecordStatus": "Finished",
        "Launcher": "",
        "OssOutputDelivery": "",
        "Repeats": 1,
        "StopTime": "",
        "Tags": {"Tag": [{"TagKey": "release", "TagValue": "4.12.0"}]},
        "TerminationMode": "Process",
        "Username": "root",
    }


def test_a_command_that_never_ran_has_no_exit_code_and_no_times(still: Cloud) -> None:
    offline = instance_id(HANGZHOU, "batch-04")
    row = results(still, invoke_id=SEVEN, instance_id=offline).invocation_results.invocation_result[0]
    assert (row.invocation_status, row.error_code) == ("Aborted", "ClientNotOnline")
    assert (row.exit_code, row.start_time, row.finished_time, row.repeats) == (None, "", "", 0)


def test_an_id_that_is_unknown_here_gives_an_empty_list(still: Cloud) -> None:
    assert results(still, invoke_id="t-hz0q1z6ik4pu8a").invocation_results.invocation_result == []
    assert results(still, invoke_id=SEVEN, region_id="cn-hongkong").invocation_results.invocation_result == []
    assert run_ids(still, invoke_id="t-hz0q1z6ik4pu8a") == []


def test_results_of_a_region_come_newest_first(still: Cloud) -> None:
    rows = results(still, region_id="cn-hongkong", max_results=50).invocation_results.invocation_result
    assert {row.invoke_id for row in rows} == {"t-hk0c1ps7y3ghuj"}
    assert run_ids(still)[:3] == [FLEET, "t-hz0b9mzr2v6tde", SEVEN]


def test_results_are_found_by_each_filter(still: Cloud) -> None:
    def found(**params: Any) -> set[str]:
        page = results(still, max_results=50, **params)
        return {row.invoke_id for row in page.invocation_results.invocation_result}

    tag = m.DescribeInvocationResultsRequestTag
    assert found(command_id="c-hz0p6l2kd8oq4") == {MIXED}
    assert found(instance_id=instance_id(HANGZHOU, "db-01")) == {SCHEDULE}
    check = {"command_id": "c-hz0t4y6qb1we3"}
    assert found(invoke_record_status="Running", **check) == {SCHEDULE}
    assert found(invoke_record_status="Finished", **check) == set()
    assert found(invoke_record_status="Failed") == {"t-hz0y5j7me3xs2g"}
    assert found(tag=[tag(key="change", value="CHG-4471")]) == {MIXED}
    assert found(tag=[tag(key="change")]) == {MIXED}
    assert found(tag=[tag(key="change", value="CHG-1")]) == set()
    assert found(resource_group_id="rg-none") == set()
    assert found(include_history=False, invoke_id=MIXED) == {MIXED}


def test_output_as_plain_text_keeps_bytes_that_are_not_utf8(still: Cloud) -> None:
    plain = results(still, invoke_id=SEVEN, content_encoding="PlainText")
    assert plain.invocation_results.invocation_result[0].output.startswith("unpacking release 4.12.0 …")
    bad = instance_id(HANGZHOU, "line\nbreak\0nul")
    with pytest.raises(UnretryableException):
        results(still, invoke_id="t-hz0y5j7me3xs2g", instance_id=bad, content_encoding="PlainText")


def test_history_has_every_run_of_a_schedule_newest_first(still: Cloud) -> None:
    db = instance_id(HANGZHOU, "db-02")
    asked = {"invoke_id": SCHEDULE, "instance_id": db, "max_results": 50}
    first = results(still, include_history=True, **asked)
    rest = results(still, include_history=True, next_token=first.next_token, **asked)
    rows = [row for page in (first, rest) for row in page.invocation_results.invocation_result]
    assert [row.repeats for row in rows] == list(range(100, 0, -1))
    assert [row.exit_code for row in rows] == [2] * 72 + [0] * 28
    now = results(still, **asked).invocation_results.invocation_result
    assert [(row.invocation_status, row.exit_code, row.repeats) for row in now] == [("Scheduled", 2, 100)]


def test_history_is_refused_where_there_is_none(still: Cloud) -> None:
    one_shot = refusal(lambda: results(still, include_history=True, invoke_id=SEVEN))
    assert one_shot == ("InvalidParameter.IncludeHistory", 400)
    assert refusal(lambda: results(still, include_history=True)) == ("MissingParameter.InvokeId", 400)


def test_an_invocation_has_the_fields_of_the_api(still: Cloud) -> None:
    run = invocations(still, invoke_id=SEVEN).invocations.invocation[0].to_map()
    rows = run.pop("InvokeInstances")["InvokeInstance"]
    assert base64.b64decode(run.pop("CommandContent")).startswith(b"#!/bin/sh")
    datetime.fromisoformat(run.pop("CreationTime"))
    assert run == {
        "CommandDescription": "Unpack a release and switch to it",
        "CommandId": "c-hz0e7tq3v9kd2",
        "CommandName": "deploy-web",
        "CommandType": "RunShellScript",
        "ContainerId": "",
        "ContainerName": "",
        "Frequency": "",
        "InvocationStatus": "PartialFailed",
        "InvokeId": SEVEN,
        "InvokeStatus": "Finished",
        "Launcher": "",
        "OssOutputDelivery": "",
        "Parameters": "{}",
        "RepeatMode": "Once",
        "Tags": {"Tag": [{"TagKey": "release", "TagValue": "4.12.0"}]},
        "TerminationMode": "Process",
        "Timed": False,
        "Timeout": 600,
        "Username": "root",
        "WorkingDir": "/root",
    }
    assert len(rows) == 100
    assert (rows[0]["InvocationStatus"], rows[0]["ExitCode"], rows[0]["Output"]) == ("Failed", 1, "")
    assert rows[0]["FinishTime"] == rows[0]["UpdateTime"]
    assert rows[0]["InstanceInvokeStatus"] == "Finished"


def test_an_invocation_shows_outputs_only_when_asked(still: Cloud) -> None:
    asked = {"invoke_id": SEVEN, "include_output": True, "content_encoding": "PlainText"}
    row = invocations(still, **asked).invocations.invocation[0].invoke_instances.invoke_instance[4]
    assert "No space left" in row.output or row.output == "release 4.12.0 active"
    assert refusal(lambda: invocations(still, include_output=True)) == ("MissingParameter.InvokeId", 400)


def test_invocations_are_found_by_each_filter(still: Cloud) -> None:
    all_runs = set(run_ids(still))
    tag = m.DescribeInvocationsRequestTag
    assert run_ids(still, command_name="check-replica") == [SCHEDULE]
    assert run_ids(still, command_id="c-hz0p6l2kd8oq4") == [MIXED]
    assert run_ids(still, region_id="cn-shenzhen", command_type="RunPowerShellScript") == ["t-sz0w7p2ea5rl9q"]
    assert run_ids(still, command_type="RunBatScript") == []
    assert run_ids(still, repeat_mode="Period") == [SCHEDULE]
    assert run_ids(still, timed=True) == [SCHEDULE]
    assert set(run_ids(still, timed=False)) == all_runs - {SCHEDULE}
    assert run_ids(still, tag=[tag(key="change")]) == [MIXED]
    assert run_ids(still, resource_group_id="rg-none") == []
    assert run_ids(still, instance_id=instance_id(HANGZHOU, "edge-001")) == [MIXED]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Pending", {FLEET}),
        ("Scheduled", {SCHEDULE}),
        ("Running", {FLEET, SCHEDULE}),
        ("Failed", {"t-hz0y5j7me3xs2g"}),
        ("PartialFailed", {SEVEN, MIXED, "t-hz0v2o4xn8qy6k", NO_PATTERN}),
        ("Success", {"t-hz0jdfwd9f", "t-hz0b9mzr2v6tde"}),
        ("Stopped", set()),
        (
            "Finished",
            {SEVEN, MIXED, "t-hz0v2o4xn8qy6k", "t-hz0jdfwd9f", "t-hz0b9mzr2v6tde", "t-hz0y5j7me3xs2g", NO_PATTERN},
        ),
    ],
)
def test_invocations_are_found_by_status(still: Cloud, status: str, expected: set[str]) -> None:
    assert set(run_ids(still, invoke_status=status)) == expected


def test_with_an_instance_some_filters_are_ignored(still: Cloud) -> None:
    ignored = {"command_name": "other", "repeat_mode": "Period", "invoke_status": "PartialFailed"}
    web = instance_id(HANGZHOU, "web-01")
    assert run_ids(still, instance_id=web, **ignored) == [SEVEN, "t-hz0jdfwd9f"]
    run = invocations(still, instance_id=web, invoke_id=SEVEN).invocations.invocation[0]
    assert [row.instance_id for row in run.invoke_instances.invoke_instance] == [web]


def test_invocations_come_in_pages(still: Cloud) -> None:
    whole = run_ids(still)
    first = invocations(still, max_results=3)
    assert run_ids(still, max_results=50, next_token=first.next_token) == whole[3:]
    numbered = invocations(still, page_number=2, page_size=3)
    assert [run.invoke_id for run in numbered.invocations.invocation] == whole[3:6]
    assert (numbered.total_count, numbered.next_token) == (len(whole), None)


def test_commands_of_the_runs_are_known_and_found_by_patterns(still: Cloud) -> None:
    found = commands(still, name="deploy-*")
    assert [(one.command_id, one.invoke_times) for one in found] == [("c-hz0e7tq3v9kd2", 2)]
    assert commands(still, name="deploy") == []
    assert [one.name for one in commands(still, name="*replica")] == ["check-replica"]
    assert [one.name for one in commands(still, description="Test the*")] == ["check-nginx"]
    assert [one.name for one in commands(still, command_id="c-hz0t4y6qb1we3")] == ["check-replica"]
    assert commands(still, type="RunBatScript") == []
    assert commands(still, resource_group_id="rg-none") == []
    tag = m.DescribeCommandsRequestTag
    assert commands(still, tag=[tag(key="team")]) == []
    plain = commands(still, name="check-replica", content_encoding="PlainText")[0]
    assert plain.command_content == "check_mysql_replica --max-lag 30\n"


def extra(**data: Any) -> Scenario:
    return scenario.build("extra", {"title": "T", "about": "A.", "ask": "", "regions": [HANGZHOU], **data})


def test_public_commands_are_found_by_their_provider() -> None:
    public = {"RegionId": HANGZHOU, "Name": "ACS-ECS-Disk-Check", "Provider": "AlibabaCloud.ECS.GuestOS"}
    rows = [
        {**public, "CommandId": "c-public02", "Version": 2, "ParameterNames": ["disk"]},
        {**public, "CommandId": "c-public01", "Version": 1, "Latest": False, "CreationTime": "-90d"},
    ]
    with Cloud([extra(Command=rows)]) as cloud:
        assert commands(cloud) == []
        found = commands(cloud, provider="AlibabaCloud", name="Disk")
        assert [one.command_id for one in found] == ["c-public02", "c-public01"]
        assert found[0].parameter_names.parameter_name == ["disk"]
        assert [one.version for one in commands(cloud, provider="AlibabaCloud", latest=True)] == [2]


def test_a_command_that_was_not_kept_is_unknown() -> None:
    run = {
        "RegionId": HANGZHOU,
        "InvokeId": "t-hz0once",
        "CommandId": "c-hz0once",
        "CreationTime": "-1m",
        "targets": ["i-bp1gone"],
        "kept": False,
        "InvocationResult": [{"InvocationStatus": "Invalid", "ErrorCode": "InstanceNotExists"}],
    }
    with Cloud([extra(Invocation=[run])]) as cloud:
        assert commands(cloud) == []
        assert run_ids(cloud) == ["t-hz0once"]


def test_instances_are_found_by_each_filter(still: Cloud) -> None:
    ids = [instance_id(HANGZHOU, name) for name in ("web-02", "web-01", "web-999")]
    assert instances(still, instance_ids=json.dumps(ids)) == ["web-01", "web-02"]
    assert instances(still, instance_ids="[]") == []
    assert instances(still, instance_name="db-*") == ["db-01", "db-02"]
    assert instances(still, instance_name="*-002") == ["edge-002", "worker-002"]
    assert instances(still, instance_name="db") == []
    assert instances(still, private_ip_addresses='["10.0.7.2", "10.0.7.99"]') == ["db-02"]
    assert instances(still, public_ip_addresses='["47.1.1.1"]') == []
    assert instances(still, region_id="cn-shanghai", status="Stopped") == ["cache-08"]
    role = m.DescribeInstancesRequestTag(key="role", value="mysql")
    assert instances(still, tag=[role]) == ["db-01", "db-02"]


def test_instances_have_public_and_elastic_addresses_and_managed_ones_are_not_listed() -> None:
    rows = [
        {"RegionId": HANGZHOU, "InstanceName": "front-[01-02]", "public_ip": "47.1.1.1"},
        {"RegionId": HANGZHOU, "InstanceName": "gate", "eip": "47.2.1.1"},
        {"RegionId": HANGZHOU, "InstanceName": "shop", "InstanceId": "mi-hz03vea8ivh50qo"},
    ]
    with Cloud([extra(Instance=rows)]) as cloud:
        assert instances(cloud) == ["front-01", "front-02", "gate"]
        assert instances(cloud, public_ip_addresses='["47.1.1.2"]') == ["front-02"]
        assert instances(cloud, eip_addresses='["47.2.1.1"]') == ["gate"]
    with Cloud([extra(Instance=rows, instances_listed=False)]) as cloud:
        assert instances(cloud) == []


def test_instances_come_in_pages_of_10_to_100(still: Cloud) -> None:
    assert len(instances(still, max_results=1)) == 10
    assert len(instances(still, max_results=1000)) == 100
    request = m.DescribeInstancesRequest(region_id=HANGZHOU, page_number=2, page_size=100)
    body = sdk(still).describe_instances(request).body
    assert (len(body.instances.instance), body.page_number, body.next_token) == (100, 2, None)
    assert body.total_count == len({one.id for each in SCENARIOS for one in each.instances if one.region == HANGZHOU})


@pytest.mark.parametrize("bad", ["i-bp1", '"i-bp1"', "[1]", json.dumps(["i-bp1"] * 101)])
def test_bad_lists_of_instances_are_refused(still: Cloud, bad: str) -> None:
    assert refusal(lambda: instances(still, instance_ids=bad)) == ("InvalidInstanceIds.Malformed", 400)


def test_without_the_permission_no_instance_is_listed(cloud: Cloud) -> None:
    assert refusal(lambda: instances(cloud, dry_run=True)) == ("DryRunOperation", 400)
    cloud.may_list_instances = False
    assert instances(cloud) == []
    assert refusal(lambda: instances(cloud, dry_run=True)) == ("Forbidden.RAM", 403)


def test_the_state_of_the_agents(cloud: Cloud) -> None:
    def agents(**params: Any) -> Any:
        request = m.DescribeCloudAssistantStatusRequest(**{"region_id": HANGZHOU, **params})
        return sdk(cloud).describe_cloud_assistant_status(request).body

    ids = [instance_id(HANGZHOU, name) for name in ("batch-04", "worker-001", "web-01")]
    cloud.clock.advance(30)
    body = agents(instance_id=ids, max_results=1)
    rows = {one.instance_id: one for one in body.instance_cloud_assistant_status_set.instance_cloud_assistant_status}
    offline, busy, idle = (rows[each] for each in ids)
    assert [one.cloud_assistant_status for one in (offline, busy, idle)] == ["false", "true", "true"]
    assert offline.last_heartbeat_time < idle.last_heartbeat_time
    assert (offline.last_invoked_time, busy.active_task_count, idle.active_task_count) == ("", 1, 0)
    assert (idle.invocation_count, idle.ostype) == (2, "Linux")
    assert len(agents(max_results=50).instance_cloud_assistant_status_set.instance_cloud_assistant_status) == 50
    windows = agents(region_id="cn-shenzhen", ostype="Windows")
    assert (windows.total_count, windows.page_size) == (4, 10)


def test_regions_are_named_in_the_language_asked_for(still: Cloud) -> None:
    def regions(**params: Any) -> dict[str, str]:
        body = sdk(still).describe_regions(m.DescribeRegionsRequest(**params)).body
        return {one.region_id: one.local_name for one in body.regions.region}

    assert regions()[HANGZHOU] == "华东1（杭州）"
    assert regions(accept_language="en-US")[HANGZHOU] == "China (Hangzhou)"
    with Cloud([], regions=["cn-hangzhou", "cn-new-1"]) as few:
        body = sdk(few).describe_regions(m.DescribeRegionsRequest()).body
        assert [one.local_name for one in body.regions.region] == ["华东1（杭州）", "cn-new-1"]


# Time


def test_runs_move_on_with_the_clock_and_can_start_again(cloud: Cloud) -> None:
    def ended() -> int:
        rows = []
        for number in (1, 2):
            page = results(cloud, invoke_id=FLEET, page_number=number, page_size=50)
            rows += page.invocation_results.invocation_result
        return sum(row.invocation_status in ("Success", "Failed") for row in rows)

    def first() -> Any:
        return results(cloud, invoke_id=FLEET, max_results=1).invocation_results.invocation_result[0]

    assert (first().invocation_status, first().start_time, first().output) == ("Pending", "", "")
    cloud.clock.advance(30)
    assert first().invocation_status == "Running"
    assert base64.b64decode(first().output).startswith(b"Resolving Dependencies")
    assert (first().finished_time, first().exit_code) == ("", None)
    cloud.clock.advance(270)
    assert 40 < ended() < 60
    cloud.clock.advance(300)
    assert ended() == 100
    assert invocations(cloud, invoke_id=FLEET).invocations.invocation[0].invocation_status == "PartialFailed"
    cloud.replay("running_fleet")
    assert ended() == 0
    with pytest.raises(ValueError, match="no such scenario"):
        cloud.replay("nothing")


def test_two_scenarios_may_not_share_a_run() -> None:
    with pytest.raises(ValueError, match="t-hz0jdfwd9f is in scenario all_fine and in all_fine"):
        Cloud([scenario.load("all_fine"), scenario.load("all_fine")])


# Who may ask


@pytest.mark.parametrize(
    ("key_id", "secret", "token", "refused"),
    [
        (KEY_ID, "wrong", None, ("SignatureDoesNotMatch", 400)),
        ("LTAIunknown", "wrong", None, ("InvalidAccessKeyId.NotFound", 404)),
        (STS_KEY_ID, None, None, ("MissingSecurityToken", 400)),
        (STS_KEY_ID, None, "CAIS-other", ("InvalidSecurityToken.MismatchWithAccessKey", 400)),
    ],
)
def test_wrong_credentials_are_refused(
    cloud: Cloud, key_id: str, secret: str | None, token: str | None, refused: tuple[str, int]
) -> None:
    client = sdk(cloud, key_id, secret, token)
    assert refusal(lambda: client.describe_regions(m.DescribeRegionsRequest())) == refused
    assert cloud.calls[0].outcome == refused[0]


def test_a_temporary_key_works_until_it_expires_and_again_when_it_is_renewed(cloud: Cloud) -> None:
    def ask(token: str) -> Any:
        return sdk(cloud, STS_KEY_ID, None, token).describe_regions(m.DescribeRegionsRequest())

    assert ask(TOKENS[STS_KEY_ID]).status_code == 200
    cloud.keys.expire(STS_KEY_ID)
    assert refusal(lambda: ask(TOKENS[STS_KEY_ID])) == ("InvalidSecurityToken.Expired", 400)
    cloud.keys.renew(STS_KEY_ID, SECRETS[STS_KEY_ID], "CAIS-next")
    assert ask("CAIS-next").status_code == 200


def test_a_client_with_a_wrong_clock_is_refused(cloud: Cloud) -> None:
    cloud.clock.advance(86_400)
    assert run_ids(cloud, invoke_id=SEVEN) == [SEVEN]
    cloud.keys.skew = timedelta(minutes=-16)
    assert refusal(lambda: run_ids(cloud)) == ("InvalidTimeStamp.Expired", 400)


def test_requests_signed_by_hand(still: Cloud) -> None:
    asked = "RegionId=cn-hangzhou&InvokeId=t-hz0jdfwd9f&InstanceId=%2A~%20%2F"
    assert signed(still, asked)[0] == 200
    assert signed(still, asked, method="GET")[0] == 200
    again = {"x_acs_signature_nonce": "n-1"}
    assert signed(still, asked, **again)[0] == 200
    assert signed(still, asked, **again)[1]["Code"] == "SignatureNonceUsed"
    assert signed(still, asked, x_acs_date="yesterday")[1]["Code"] == "InvalidTimeStamp.Format"
    assert signed(still, asked, drop=("x-acs-version",))[1]["Code"] == "IncompleteSignature"
    assert signed(still, asked, x_acs_content_sha256="0" * 64)[1]["Code"] == "SignatureDoesNotMatch"
    assert send(still, "GET", "/", b"", {})[1]["Code"] == "IncompleteSignature"


def test_parameters_may_stand_in_a_form(still: Cloud) -> None:
    body = b"RegionId=cn-hangzhou&InvokeId=t-hz0jdfwd9f&MaxResults=1"
    status, reply = signed(still, "", body=body, content_type="application/x-www-form-urlencoded")
    assert status == 200
    assert reply["Invocation"]["NextToken"]


# What is refused


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"max_results": 0}, "InvalidParameter.MaxResults"),
        ({"max_results": 51}, "InvalidParameter.MaxResults"),
        ({"max_results": "many"}, "InvalidParameter.MaxResults"),
        ({"page_number": 0}, "InvalidParam.PageNumber"),
        ({"page_size": 51}, "InvalidParam.PageSize"),
        ({"next_token": "nonsense"}, "InvalidParameter.NextToken"),
        ({"content_encoding": "Hex"}, "InvalidParameter.ContentEncoding"),
        ({"invoke_record_status": "Fine"}, "InvalidParameter.InvokeRecordStatus"),
        ({"include_history": "maybe"}, "InvalidParameter.IncludeHistory"),
        ({"region_id": "cn-atlantis"}, "InvalidRegionId.NotFound"),
    ],
)
def test_bad_values_are_refused_with_their_code(still: Cloud, params: dict[str, Any], code: str) -> None:
    assert refusal(lambda: results(still, **params))[0] == code


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ([("a", "1"), ("a", "2")], "Duplicate.TagKey"),
        ([("aliyun.x", "1")], "InvalidTagKey.Malformed"),
        ([("http://x", "1")], "InvalidTagKey.Malformed"),
        ([("k" * 65, "1")], "InvalidTagKey.Malformed"),
        ([("k", "v" * 129)], "InvalidTagValue.Malformed"),
        ([("", "v")], "MissingParameter.TagKey"),
        ([(f"k{n}", "v") for n in range(21)], "NumberExceed.Tags"),
    ],
)
def test_bad_tags_are_refused_with_their_code(still: Cloud, tags: list[tuple[str, str]], code: str) -> None:
    rows = [m.DescribeInvocationResultsRequestTag(key=key, value=value) for key, value in tags]
    assert refusal(lambda: results(still, tag=rows)) == (code, 400)


@pytest.mark.parametrize(
    ("query", "changed", "code", "status"),
    [
        ("InvokeId=t-1", {}, "MissingParameter", 400),
        ("RegionId=cn-hangzhou&InvokeIds=t-1", {}, "UnsupportedParameter", 400),
        ("RegionId=cn-hangzhou", {"x_acs_version": "2016-03-14"}, "InvalidVersion", 400),
        ("RegionId=cn-hangzhou", {"method": "PUT"}, "UnsupportedHTTPMethod", 400),
        ("RegionId=cn-hangzhou", {"action": "DescribeNothing"}, "InvalidAction.NotFound", 404),
        ("RegionId=cn-hangzhou", {"action": "RunCommand"}, "Forbidden.RAM", 403),
        ("RegionId=cn-hangzhou", {"action": "StopInvocation"}, "Forbidden.RAM", 403),
        (
            "RegionId=cn-hangzhou&" + "&".join(f"InstanceId.{n}=i-1" for n in range(1, 102)),
            {"action": "DescribeCloudAssistantStatus"},
            "InvalidParameter.InstanceId",
            400,
        ),
    ],
)
def test_what_cannot_be_asked(still: Cloud, query: str, changed: dict[str, Any], code: str, status: int) -> None:
    got, body = signed(still, query, **changed)
    assert (got, body["Code"]) == (status, code)
    assert {"RequestId", "HostId", "Message", "Recommend"} < set(body)


def test_the_role_may_only_read(cloud: Cloud) -> None:
    request = m.RebootInstanceRequest(instance_id="i-1")
    assert refusal(lambda: sdk(cloud).reboot_instance(request)) == ("Forbidden.RAM", 403)
    assert cloud.calls[0].outcome == "Forbidden.RAM"


# Secrets

KMS = {"action": "GetSecretValue", "x_acs_version": "2016-01-20"}
OOS = {"action": "GetSecretParameter", "x_acs_version": "2019-06-01"}


def test_secrets_are_read_by_name(cloud: Cloud) -> None:
    cloud.kms["slack"], cloud.kms["bytes"], cloud.oos["bots/slack"] = "xoxb-1", b"\x00", "xoxb-2"
    status, body = signed(cloud, "SecretName=slack", **KMS)
    assert (status, body["SecretData"], body["SecretDataType"]) == (200, "xoxb-1", "text")
    assert signed(cloud, "SecretName=bytes", **KMS)[1]["SecretDataType"] == "binary"
    status, body = signed(cloud, "Name=bots/slack&RegionId=cn-hangzhou&WithDecryption=true", **OOS)
    assert (status, body["Parameter"]["Value"]) == (200, "xoxb-2")
    assert "Value" not in signed(cloud, "Name=bots/slack", **OOS)[1]["Parameter"]


@pytest.mark.parametrize(
    ("query", "changed", "code", "status"),
    [
        ("SecretName=slack", KMS, "Forbidden.ResourceNotFound", 404),
        ("Name=slack", OOS, "EntityNotExists.Parameter", 404),
        ("SecretName=slack&Name=slack", KMS, "UnsupportedParameter", 400),
        ("SecretName=slack", {**KMS, "x_acs_version": "2014-05-26"}, "InvalidVersion", 400),
        ("Name=slack", {**OOS, "x_acs_version": "2016-01-20"}, "InvalidVersion", 400),
    ],
)
def test_which_secrets_cannot_be_read(
    still: Cloud, query: str, changed: dict[str, Any], code: str, status: int
) -> None:
    got, body = signed(still, query, **changed)
    assert (got, body["Code"]) == (status, code)


def test_a_secret_is_shown_to_nobody_whose_signature_is_wrong(cloud: Cloud) -> None:
    cloud.kms["slack"] = "xoxb-1"
    status, body = signed(cloud, "SecretName=slack", **KMS, drop=("x-acs-action",))
    assert (status, body.get("SecretData")) == (400, None)


@pytest.mark.parametrize(
    ("fault", "code", "status"), [("throttle", "Rejected.Throttling", 429), ("denied", "Forbidden.NoPermission", 403)]
)
def test_kms_has_codes_of_its_own(cloud: Cloud, fault: Any, code: str, status: int) -> None:
    cloud.fail(fault, times=2)
    got, body = signed(cloud, "SecretName=slack", **KMS)
    assert (got, body["Code"]) == (status, code)
    assert signed(cloud, "Name=slack", **OOS)[1]["Code"] in ("Throttling.User", "Forbidden.RAM")


# What can be made to go wrong


def test_over_the_limit_an_api_is_refused_in_its_region_until_the_next_minute(cloud: Cloud) -> None:
    cloud.clock.advance(61 - cloud.clock.now().second)
    cloud.limit(2, action="DescribeInvocations")
    cloud.limit(1, action="DescribeInvocations", region="cn-hongkong")
    run_ids(cloud)
    run_ids(cloud)
    run_ids(cloud, region_id="cn-hongkong")
    for region in (HANGZHOU, "cn-hongkong"):
        assert refusal(lambda region=region: run_ids(cloud, region_id=region)) == ("Throttling.User", 400)
    run_ids(cloud, region_id="cn-beijing")
    results(cloud)
    cloud.clock.advance(60)
    run_ids(cloud)
    cloud.limit(0)
    assert refusal(lambda: results(cloud)) == ("Throttling.User", 400)
    cloud.limit(None)
    results(cloud)
    assert [call.outcome for call in cloud.calls].count("Throttling.User") == 3


@pytest.mark.parametrize(
    ("kind", "refused"),
    [
        ("throttle", ("Throttling.User", 400)),
        ("http500", ("ServiceUnavailable", 500)),
        ("denied", ("Forbidden.RAM", 403)),
    ],
)
def test_a_fault_that_speaks_the_api_form(cloud: Cloud, kind: Any, refused: tuple[str, int]) -> None:
    cloud.fail(kind, times=2)
    assert [refusal(lambda: run_ids(cloud)) for _ in range(2)] == [refused] * 2
    assert run_ids(cloud)
    assert [call.outcome for call in cloud.calls] == [kind, kind, "ok"]


@pytest.mark.parametrize("kind", ["html502", "empty", "bad_json", "drop", "drop_after"])
def test_a_fault_that_no_client_can_read(cloud: Cloud, kind: Any) -> None:
    cloud.fail(kind)
    with pytest.raises(UnretryableException):
        run_ids(cloud)
    assert run_ids(cloud)


def test_a_call_dropped_after_the_work_counts_against_the_limit(cloud: Cloud) -> None:
    cloud.clock.advance(61 - cloud.clock.now().second)
    cloud.limit(1)
    cloud.fail("drop_after")
    with pytest.raises(UnretryableException):
        run_ids(cloud)
    assert refusal(lambda: run_ids(cloud)) == ("Throttling.User", 400)


def test_a_slow_answer_is_right_and_late(cloud: Cloud) -> None:
    cloud.fail("slow", seconds=0.2)
    begun = time.monotonic()
    assert run_ids(cloud, invoke_id=SEVEN) == [SEVEN]
    assert time.monotonic() - begun >= 0.2


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_leads_the_client_elsewhere(cloud: Cloud, status: int) -> None:
    with Cloud([]) as other:
        cloud.fail("redirect", location=f"{other.url}/stolen", status=status)
        # The client drops its Authorization on the way: the other server refuses it.
        assert refusal(lambda: run_ids(cloud))[0] == "IncompleteSignature"
        assert [call.method for call in other.calls] == ["GET" if status == 302 else "POST"]


def test_faults_wait_for_their_call_in_order(cloud: Cloud) -> None:
    cloud.fail("throttle", action="DescribeInvocations", region="cn-hongkong", skip=1)
    cloud.fail("denied", action="DescribeInvocations", times=math.inf)
    results(cloud)
    run_ids(cloud, region_id="cn-hongkong")
    assert refusal(lambda: run_ids(cloud, region_id="cn-hongkong"))[0] == "Throttling.User"
    assert refusal(lambda: run_ids(cloud, region_id="cn-hongkong"))[0] == "Forbidden.RAM"
    assert refusal(lambda: run_ids(cloud))[0] == "Forbidden.RAM"
    cloud.mend()
    assert run_ids(cloud)


def test_a_fault_may_carry_headers(cloud: Cloud) -> None:
    cloud.fail("throttle", headers={"x-acs-retry-after": "1500"})
    with pytest.raises(Exception, match="flow control") as caught:
        run_ids(cloud)
    assert getattr(caught.value, "retry_after", None) == 1500


def test_an_unknown_fault_is_named(cloud: Cloud) -> None:
    with pytest.raises(ValueError, match="no such fault: 'nap'; there are throttle, "):
        cloud.fail("nap")  # type: ignore[arg-type]


# The record


def test_calls_are_recorded_without_secrets(cloud: Cloud) -> None:
    client = sdk(cloud, STS_KEY_ID, None, TOKENS[STS_KEY_ID])
    client.describe_invocations(m.DescribeInvocationsRequest(region_id=HANGZHOU, invoke_id=SEVEN))
    results(cloud, region_id="cn-hongkong")
    first = cloud.calls[0]
    assert (first.action, first.region, first.outcome) == ("DescribeInvocations", HANGZHOU, "ok")
    assert first.params == {"RegionId": HANGZHOU, "InvokeId": SEVEN}
    assert first.headers["x-acs-accesskey-id"] == STS_KEY_ID
    assert first.headers["user-agent"].startswith("AlibabaCloud")
    assert TOKENS[STS_KEY_ID] not in str(first)
    assert (cloud.count(), cloud.count("DescribeInvocations"), cloud.count(region="cn-hongkong")) == (2, 1, 1)
    cloud.clear()
    assert cloud.count() == 0
