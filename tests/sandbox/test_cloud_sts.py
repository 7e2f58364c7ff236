"""The sandbox's STS, asked by the official client: whose keys it gives, what they see, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alibabacloud_tea_openapi import utils_models as um
from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException, ServerException
from darabonba.runtime import RuntimeOptions

from rig import fleet
from sandbox.cloud import KEY_ID, SECRETS, Cloud

ACCOUNT, ROLE = "1111111111111111", "acs:ram::1111111111111111:role/reader"
RUN, THEIRS = "t-hz0fleet0001", "t-hz0theirs0001"
GOOD = {"RoleArn": ROLE, "RoleSessionName": "slack-U0MEI00001"}


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud([fleet(), fleet(run=THEIRS, account=ACCOUNT)], roles=[ROLE]) as cloud:
        yield cloud


def call(cloud: Cloud, action: str, version: str, query: dict[str, str], keys: dict[str, str] | None = None) -> Any:
    own = {"AccessKeyId": KEY_ID, "AccessKeySecret": SECRETS[KEY_ID]}
    given = keys or own
    client = Client(
        um.Config(
            access_key_id=given["AccessKeyId"],
            access_key_secret=given["AccessKeySecret"],
            security_token=given.get("SecurityToken"),
            protocol="http",
            endpoint=cloud.url.removeprefix("http://"),
        )
    )
    shape = {"protocol": "HTTP", "pathname": "/", "method": "POST", "auth_type": "AK", "style": "RPC"}
    params = um.Params(action=action, version=version, req_body_type="formData", body_type="json", **shape)
    return client.call_api(params, um.OpenApiRequest(query=query), RuntimeOptions())["body"]


def assume(cloud: Cloud, keys: dict[str, str] | None = None, **changes: str) -> Any:
    return call(cloud, "AssumeRole", "2015-04-01", {**GOOD, **changes}, keys)


def runs(cloud: Cloud, keys: dict[str, str] | None = None) -> list[str]:
    reply = call(cloud, "DescribeInvocations", "2014-05-26", {"RegionId": "cn-hangzhou"}, keys)
    return [row["InvokeId"] for row in reply["Invocations"]["Invocation"]]


def test_keys_of_a_role_see_its_account_and_our_own_see_ours(cloud: Cloud) -> None:
    reply = assume(cloud, DurationSeconds="900")
    assert reply["AssumedRoleUser"]["Arn"] == f"{ROLE}/slack-U0MEI00001"
    ends = datetime.strptime(reply["Credentials"]["Expiration"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(minutes=14) < ends - datetime.now(UTC) <= timedelta(minutes=15)
    assert runs(cloud, reply["Credentials"]) == [THEIRS]
    assert runs(cloud) == [RUN]
    trail = [(one.action, one.account == ACCOUNT, one.session) for one in cloud.calls]
    assert trail[1:] == [
        ("DescribeInvocations", True, "slack-U0MEI00001"),
        ("DescribeInvocations", False, ""),
    ]


def test_keys_without_their_token_or_that_have_ended_are_refused(cloud: Cloud) -> None:
    keys = assume(cloud)["Credentials"]
    with pytest.raises(ClientException, match="MissingSecurityToken"):
        runs(cloud, {**keys, "SecurityToken": ""})
    [key_id] = cloud.sts.sessions(ACCOUNT)
    cloud.keys.expire(key_id)
    with pytest.raises(ClientException, match=r"InvalidSecurityToken\.Expired"):
        runs(cloud, keys)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"RoleArn": "reader"}, "InvalidParameter.RoleArn"),
        ({"RoleArn": f"{ROLE}-2"}, "EntityNotExist.Role"),
        ({"RoleSessionName": "mei!"}, "InvalidParameter.RoleSessionName"),
        ({"RoleSessionName": "m"}, "InvalidParameter.RoleSessionName"),
        ({"DurationSeconds": "899"}, "InvalidParameter.DurationSeconds"),
        ({"DurationSeconds": "3601"}, "InvalidParameter.DurationSeconds"),
        ({"DurationSeconds": "long"}, "InvalidParameter.DurationSeconds"),
        ({"SourceIdentity": "mei"}, "UnsupportedParameter"),
    ],
)
def test_what_sts_refuses(cloud: Cloud, changes: dict[str, str], code: str) -> None:
    with pytest.raises(ClientException, match=code.replace(".", r"\.")):
        assume(cloud, **changes)


def test_a_role_that_does_not_trust_us_and_a_role_taken_on_by_a_role_are_refused(cloud: Cloud) -> None:
    keys = assume(cloud)["Credentials"]
    with pytest.raises(ClientException, match="NoPermission"):
        assume(cloud, keys)
    cloud.sts.refuse(ROLE)
    with pytest.raises(ClientException, match="NoPermission"):
        assume(cloud)
    cloud.sts.allow(ROLE)
    assert assume(cloud)["Credentials"]


def test_the_version_is_that_of_sts(cloud: Cloud) -> None:
    with pytest.raises(ClientException, match="InvalidVersion"):
        call(cloud, "AssumeRole", "2014-05-26", GOOD)


def test_faults_and_limits_are_of_one_account(cloud: Cloud) -> None:
    keys = assume(cloud)["Credentials"]
    cloud.fail("http500", action="DescribeInvocations", account=ACCOUNT)
    assert runs(cloud) == [RUN]
    with pytest.raises(ServerException):
        runs(cloud, keys)
    cloud.limit(2, action="DescribeInvocations")
    assert runs(cloud) == [RUN]
    with pytest.raises(ClientException, match="Throttling"):
        runs(cloud)
    assert runs(cloud, keys) == [THEIRS]


def test_an_event_tells_of_the_account_that_it_is_of(cloud: Cloud) -> None:
    accounts = {run.id: cloud.account_of(run) for run, _ in cloud.runs()}
    assert accounts == {RUN: "1234567890123456", THEIRS: ACCOUNT}
