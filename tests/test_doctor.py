"""`python -m bot doctor` against the sandbox: with each right taken away in turn it names exactly that one."""

import json
import math
import time
from datetime import timedelta
from pathlib import Path

import pytest

from bot.commands import run
from bot.doctor import examine
from sandbox.cloud import SECRETS, STS_KEY_ID, TOKENS, Cloud
from sandbox.cloud_replies import ACTIONS
from sandbox.fc import ENVIRONMENT_CREDENTIALS
from sandbox.http import Drop, Peer, Reply
from sandbox.scenario_values import OWN_ACCOUNT
from sandbox.slack_workspace import APP_TOKEN, BOT_TOKEN, BOT_USER, INCIDENTS, SECRET, SIGNING_SECRET, USERGROUP
from sandbox.stage import Stage
from tablestore_stub import INSTANCE, KEY_ID, NO_RIGHT, REGION, TablestoreStub
from tablestore_stub import SECRET as STORE_SECRET

TOP = Path(__file__).resolve().parent.parent
REGIONS = ("cn-hangzhou", "cn-shanghai")
ECS = ["DescribeInvocationResults", "DescribeInvocations", "DescribeCommands", "DescribeCloudAssistantStatus"]
NEEDED = {"commands", "chat:write", "app_mentions:read", "im:history", "users:read", "channels:read", "groups:read"}


@pytest.fixture
def cloud(peers):
    yield peers.cloud
    peers.reset()
    peers.cloud.keys.skew = timedelta()


@pytest.fixture
def slack(peers, cloud):
    peers.slack.scopes = frozenset(NEEDED | {"files:write"})
    return peers.slack


@pytest.fixture
def environment(cloud, slack, tmp_path):
    return {
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_API_URL": f"{slack.url}/api/",
        "ECS_ENDPOINT": cloud.url,
        "BOT_REGIONS": ",".join(REGIONS),
        "BOT_STORE": f"sqlite:///{tmp_path}/bot.sqlite3",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": STS_KEY_ID,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRETS[STS_KEY_ID],
        "ALIBABA_CLOUD_SECURITY_TOKEN": TOKENS[STS_KEY_ID],
    }


@pytest.fixture
def doctor(environment, capsys):
    """Its exit code, what is wrong, and all that was printed."""

    def doctor(prove_read_only=False, clock=time.time, **changes):
        status = examine({**environment, **changes}, prove_read_only=prove_read_only, clock=clock)
        printed = capsys.readouterr().out
        for secret in (SIGNING_SECRET, BOT_TOKEN, SECRETS[STS_KEY_ID], TOKENS[STS_KEY_ID], STORE_SECRET):
            assert secret not in printed
        wrong = [line.removeprefix("✖ ") for line in printed.splitlines() if line.startswith("✖")]
        assert status == (1 if wrong else 0)
        return status, wrong, printed

    return doctor


def test_where_all_is_well_it_says_so_and_changes_nothing(doctor, cloud, slack):
    status, wrong, printed = doctor()
    assert (status, wrong) == (0, [])
    assert "✔ ecs:DescribeInstances in cn-shanghai: allowed" in printed
    assert printed.splitlines()[-1].startswith("All ")
    assert {call.action for call in cloud.calls} <= set(ACTIONS)
    assert {call.method for call in slack.calls} == {"auth.test", "users.info", "conversations.info"}
    assert slack.messages == []


def test_every_action_that_the_role_must_allow_is_tried_in_every_region(doctor, cloud):
    doctor()
    tried = {(call.action, call.region) for call in cloud.calls}
    assert tried == {(a, r) for a in [*ECS, "DescribeInstances"] for r in REGIONS} | {("DescribeRegions", REGIONS[0])}


# The bot token by reference

KMS, OOS = {"SLACK_BOT_TOKEN": "kms:slack"}, {"SLACK_BOT_TOKEN": "oos:bots/slack#bot"}


@pytest.fixture
def by_reference(cloud, environment):
    cloud.kms["slack"], cloud.oos["bots/slack"] = BOT_TOKEN, f'{{"bot": "{BOT_TOKEN}"}}'
    environment |= {"KMS_ENDPOINT": cloud.url, "OOS_ENDPOINT": cloud.url}


@pytest.mark.parametrize(("named", "action"), [(KMS, "GetSecretValue"), (OOS, "GetSecretParameter")])
def test_a_token_by_reference_is_read_and_used(doctor, cloud, by_reference, named, action):
    status, _, printed = doctor(**named)
    assert (status, cloud.count(action)) == (0, 1)
    assert f"✔ SLACK_BOT_TOKEN, {named['SLACK_BOT_TOKEN']} in cn-hangzhou: read" in printed
    assert "✔ Slack auth.test" in printed


@pytest.mark.parametrize(
    ("named", "fault", "code", "fix"),
    [
        (KMS, "denied", "Forbidden.NoPermission", "Allow kms:GetSecretValue on it to the function's role"),
        (OOS, "denied", "Forbidden.RAM", "Allow oos:GetSecretParameter on it to the function's role"),
        (KMS, "http500", "ServiceUnavailable", "A proxy or KMS_ENDPOINT may be wrong"),
        (OOS, "drop", "no answer", "A proxy or OOS_ENDPOINT may be wrong"),
        (KMS, "throttle", "Rejected.Throttling", "try again"),
    ],
)
def test_a_token_that_cannot_be_read_is_named_with_its_fix(doctor, cloud, by_reference, named, fault, code, fix):
    cloud.fail(fault, action="GetSecretValue" if named is KMS else "GetSecretParameter", times=math.inf)
    _, wrong, printed = doctor(**named)
    assert wrong == [f"SLACK_BOT_TOKEN, {named['SLACK_BOT_TOKEN']} in cn-hangzhou: {code}"]
    assert fix in printed


@pytest.mark.parametrize(
    ("named", "code", "fix"),
    [
        ("kms:other", "Forbidden.ResourceNotFound", "Make the secret other in that region"),
        ("oos:other", "EntityNotExists.Parameter", "Make the secret other in that region"),
        ("kms:slack#bot", "SecretUnusable", "a JSON object and its key"),
    ],
)
def test_a_reference_that_leads_nowhere_is_named_with_its_fix(doctor, by_reference, named, code, fix):
    _, wrong, printed = doctor(SLACK_BOT_TOKEN=named)
    assert wrong == [f"SLACK_BOT_TOKEN, {named} in cn-hangzhou: {code}"]
    assert fix in printed


def test_a_token_by_reference_that_slack_refuses_is_to_be_put_into_the_secret(doctor, slack, by_reference):
    slack.token = "xoxb-newer"
    _, wrong, printed = doctor(**KMS)
    assert wrong == ["Slack auth.test: invalid_auth"]
    assert "Copy the bot token into the secret kms:slack," in printed


# Accounts


def let_write(cloud, code):
    """StopInvocation is allowed: it answers with a code, or does what it is asked for."""
    right = cloud.handle

    def handle(request):
        if request.headers.get("x-acs-action") != "StopInvocation":
            return right(request)
        status = 404 if code else 200
        return Reply(status, f'{{"Code": "{code}", "RequestId": "1"}}'.encode(), {"content-type": "application/json"})

    cloud.handle = handle


ROLE, OTHER_ROLE = "acs:ram::1111111111111111:role/reader", "acs:ram::2222222222222222:role/reader"


def test_roles_of_other_accounts_are_taken_on_and_what_they_may_read_is_tried(doctor):
    with Cloud([], roles=[ROLE]) as cloud:
        accounts = {"BOT_ACCOUNTS": f"own,prod={ROLE}@cn-beijing,stage={OTHER_ROLE}@cn-beijing"}
        at = {"ECS_ENDPOINT": cloud.url, "STS_ENDPOINT": cloud.url}
        _, wrong, printed = doctor(prove_read_only=True, **accounts, **at)
        assert wrong == [f"sts:AssumeRole on {OTHER_ROLE} (stage): EntityNotExist.Role"]
        assert "deploy/ros-reader.yml" in printed
        assert f"✔ sts:AssumeRole on {ROLE} (prod): taken on" in printed
        assert "✔ ecs:DescribeInstances in prod/cn-beijing: allowed" in printed
        assert "stage/cn-beijing: allowed" not in printed
        assert "✔ ecs:StopInvocation in prod/cn-beijing, of a run that does not exist: refused" in printed
        assert "· ecs:StopInvocation in stage/cn-beijing, of a run that does not exist: not tried" in printed
        trail = {(call.account, call.session) for call in cloud.calls if call.action == "DescribeInstances"}
        assert ("1111111111111111", "cloud-assistant-in-slack") in trail


@pytest.fixture
def accounts(environment):
    """The sandbox's cloud with an account beside its own, and what names both."""
    with Cloud([], roles=[ROLE]) as cloud:
        places = {"BOT_ACCOUNTS": f"own,prod={ROLE}", "BOT_REGIONS": "cn-hangzhou"}
        environment |= {**places, "ECS_ENDPOINT": cloud.url, "STS_ENDPOINT": cloud.url}
        yield cloud


@pytest.mark.parametrize(
    ("account", "name", "fix"),
    [(OWN_ACCOUNT, "own", "the function's role: deploy/ram-policy.json"),
     (ROLE.split(":")[3], "prod", "the role of the account prod: deploy/ros-reader.yml")],
)  # fmt: skip
@pytest.mark.parametrize("action", [*ECS, "DescribeInstances"])
def test_an_action_that_is_not_allowed_in_one_account_is_named_and_no_other(
    doctor, accounts, action, account, name, fix
):
    accounts.fail("denied", action=action, account=account, times=math.inf)
    _, wrong, printed = doctor()
    assert wrong == [f"ecs:{action} in {name}/cn-hangzhou: Forbidden.RAM"]
    assert f"Allow it to {fix}" in printed


@pytest.mark.parametrize(
    ("fault", "code", "fix"),
    [
        ("denied", "Forbidden.RAM", "Allow sts:AssumeRole on it to the function's role"),
        ("http500", "ServiceUnavailable", "A proxy or STS_ENDPOINT may be wrong"),
        ("throttle", "Throttling.User", "try again"),
    ],
)
def test_a_role_that_cannot_be_taken_on_is_named_and_what_lies_behind_it_is_not(doctor, accounts, fault, code, fix):
    accounts.fail(fault, action="AssumeRole", times=math.inf)
    _, wrong, printed = doctor()
    assert wrong == [f"sts:AssumeRole on {ROLE} (prod): {code}"]
    assert fix in printed


def test_a_role_whose_trust_policy_names_others_is_named(doctor, accounts):
    accounts.sts.refuse(ROLE)
    assert doctor()[1] == [f"sts:AssumeRole on {ROLE} (prod): NoPermission"]


def test_a_role_is_not_blamed_for_what_is_wrong_with_our_own_keys_or_clock(doctor, accounts):
    only = {"BOT_ACCOUNTS": f"prod={ROLE}"}
    _, [wrong], printed = doctor(**only, ALIBABA_CLOUD_ACCESS_KEY_ID="LTAIno")
    assert wrong == f"sts:AssumeRole on {ROLE} (prod): InvalidAccessKeyId.NotFound"
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in printed
    accounts.keys.skew = timedelta(minutes=20)
    _, [wrong], printed = doctor(**only)
    assert wrong == f"sts:AssumeRole on {ROLE} (prod): InvalidTimeStamp.Expired"
    assert "Set this machine's clock" in printed


def test_a_region_of_an_account_that_does_not_exist_is_named(doctor, accounts):
    _, wrong, printed = doctor(BOT_ACCOUNTS=f"own,prod={ROLE}@cn-nowhere")
    assert {line.partition(" in ")[2] for line in wrong} == {"prod/cn-nowhere: InvalidRegionId.NotFound"}
    assert "Take cn-nowhere out of BOT_REGIONS, or out of BOT_ACCOUNTS." in printed


def test_a_role_in_another_account_that_may_write_is_told_loudly(doctor, accounts):
    let_write(accounts, "InvalidInvokeId.NotFound")
    _, wrong, printed = doctor(prove_read_only=True)
    assert wrong == [
        f"ecs:StopInvocation in {account}/cn-hangzhou, of a run that does not exist: NOT REFUSED: these keys may write"
        for account in ("own", "prod")
    ]
    assert "Give the role of the account prod what deploy/ros-reader.yml gives it, and no more." in printed


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("action", [*ECS, "DescribeInstances"])
def test_an_action_that_is_not_allowed_is_named_and_no_other(doctor, cloud, action, region):
    cloud.fail("denied", action=action, region=region, times=math.inf)
    _, wrong, printed = doctor()
    assert wrong == [f"ecs:{action} in {region}: Forbidden.RAM"]
    assert "deploy/ram-policy.json" in printed


def test_instances_that_are_silently_left_out_are_found_out(doctor, cloud):
    cloud.may_list_instances = False
    assert doctor()[1] == [f"ecs:DescribeInstances in {region}: Forbidden.RAM" for region in REGIONS]


@pytest.mark.parametrize("scope", sorted(NEEDED - {"users:read", "channels:read"}))
def test_a_scope_that_is_missing_is_named_and_no_other(doctor, slack, scope):
    slack.scopes -= {scope}
    [wrong] = doctor()[1]
    assert wrong.startswith(f"Slack scope {scope}: missing: ")


@pytest.mark.parametrize(("scope", "method"), [("users:read", "users.info"), ("channels:read", "conversations.info")])
def test_a_scope_that_is_missing_is_named_with_the_call_that_fails_for_it(doctor, slack, scope, method):
    slack.scopes -= {scope}
    first, second = doctor(BOT_CHANNELS=INCIDENTS)[1]
    assert first.startswith(f"Slack scope {scope}: missing: ")
    assert second.startswith(f"Slack {method}: ")
    assert second.endswith("missing_scope")


def test_the_scope_of_a_feature_that_was_left_out_is_noted_and_fails_nothing(doctor, slack):
    slack.scopes -= {"files:write"}
    status, _, printed = doctor()
    assert status == 0
    assert "· Slack scope files:write: left out, and with it: whole outputs as a file" in printed


def test_a_channel_that_the_bot_was_not_invited_to_is_named(doctor):
    _, wrong, printed = doctor(BOT_CHANNELS=f"{INCIDENTS},{SECRET}")
    assert wrong == [f"Slack conversations.info: {SECRET} channel_not_found"]
    assert "/invite" in printed


def test_socket_mode_is_tried_where_it_is_set_and_needs_no_signing_secret(doctor, slack):
    status, _, printed = doctor(SLACK_APP_TOKEN=APP_TOKEN, SLACK_SIGNING_SECRET="")
    assert status == 0
    assert "✔ Slack apps.connections.open (SLACK_APP_TOKEN): answers: Socket Mode is on" in printed
    assert APP_TOKEN not in printed
    assert len(slack.sockets) == 0


@pytest.mark.parametrize(
    ("code", "fix"),
    [("invalid_auth", "scope connections:write"), ("missing_scope", "Switch Socket Mode on"), ("unreachable", "proxy")],
)
def test_socket_mode_that_slack_refuses_is_named_with_the_way_to_mend_it(doctor, slack, code, fix):
    slack.fail("500" if code == "unreachable" else f"error:{code}", "apps.connections.open", times=9)
    _, [wrong], printed = doctor(SLACK_APP_TOKEN=APP_TOKEN)
    assert wrong == f"Slack apps.connections.open (SLACK_APP_TOKEN): {code}"
    assert fix in printed
    slack.mend()


def test_a_user_group_that_may_ask_is_looked_into(doctor, slack):
    slack.scopes |= {"usergroups:read"}
    assert f"✔ Slack user group {USERGROUP} (BOT_READERS): 2 may ask" in doctor(BOT_READERS=USERGROUP)[2]
    assert doctor(BOT_READERS="S0UNKNOWN1")[1] == ["Slack user group S0UNKNOWN1 (BOT_READERS): no_such_subteam"]
    slack.scopes -= {"usergroups:read"}
    assert doctor(BOT_READERS=USERGROUP)[1] == [f"Slack user group {USERGROUP} (BOT_READERS): missing_scope"]


def test_a_wrong_token_ends_slacks_part_and_nothing_else(doctor):
    _, wrong, printed = doctor(SLACK_BOT_TOKEN="xoxb-other")
    assert wrong == ["Slack auth.test: invalid_auth"]
    assert "ecs:DescribeInstances in cn-shanghai: allowed" in printed


def test_a_cloud_that_does_not_answer_is_said_so_in_a_bounded_time(doctor, cloud):
    cloud.fail("drop", action="DescribeCommands", region="cn-shanghai", times=math.inf)
    _, wrong, printed = doctor()
    assert wrong == ["ecs:DescribeCommands in cn-shanghai: no answer"]
    assert "Does this network reach it?" in printed


def test_a_region_that_does_not_exist_is_named(doctor):
    wrong = doctor(BOT_REGIONS="cn-hangzhou,cn-nowhere")[1]
    assert {line.partition(" in ")[2] for line in wrong} == {"cn-nowhere: InvalidRegionId.NotFound"}


def test_wrong_keys_are_told_from_missing_rights(doctor):
    _, wrong, printed = doctor(ALIBABA_CLOUD_ACCESS_KEY_SECRET="guessed")
    assert {line.rpartition(": ")[2] for line in wrong} == {"SignatureDoesNotMatch"}
    assert "ram-policy" not in printed
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in printed


def test_a_clock_that_is_wrong_for_slack_is_named(doctor):
    for off, said in ((400, "ahead of"), (-400, "behind")):
        [wrong] = doctor(clock=lambda off=off: time.time() + off)[1]
        assert f"s {said} Slack's" in wrong


def test_a_clock_that_is_wrong_for_the_cloud_is_named(doctor, cloud):
    cloud.keys.skew = timedelta(minutes=20)
    _, wrong, printed = doctor()
    assert {line.rpartition(": ")[2] for line in wrong} == {"InvalidTimeStamp.Expired"}
    assert "Set this machine's clock" in printed


def test_settings_that_are_wrong_are_all_named(doctor):
    _, wrong, printed = doctor(SLACK_BOT_TOKEN="", BOT_TIMEZONE="Mars/Phobos")
    assert wrong == ["settings: wrong"] * 2
    assert "SLACK_BOT_TOKEN is missing" in printed
    assert "BOT_TIMEZONE is" in printed


def test_a_store_that_cannot_be_written_is_named(doctor, tmp_path):
    (tmp_path / "file").touch()
    [wrong] = doctor(BOT_STORE=f"sqlite:///{tmp_path}/file/bot.sqlite3")[1]
    assert wrong.startswith("store, SQLite in ")


@pytest.fixture
def tablestore(cloud):
    """A store in Tablestore, whose keys the cloud knows too."""
    cloud.keys.renew(KEY_ID, STORE_SECRET)
    with TablestoreStub() as stub:
        stub.environment = {
            "BOT_STORE": f"tablestore://{INSTANCE}.{REGION}?endpoint={stub.url}",
            "ALIBABA_CLOUD_ACCESS_KEY_ID": KEY_ID,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": STORE_SECRET,
            "ALIBABA_CLOUD_SECURITY_TOKEN": "",
        }
        yield stub


def test_a_table_that_is_missing_is_named(doctor, tablestore):
    [wrong] = doctor(**tablestore.environment)[1]
    assert wrong.startswith("store, Tablestore: Tablestore: OTSObjectNotExist")


@pytest.mark.parametrize("api", ["PutRow", "UpdateRow", "GetRow", "GetRange", "BatchWriteRow", "DeleteRow"])
def test_a_right_to_the_table_that_is_missing_is_named_and_no_other(doctor, tablestore, api):
    run(["init"], tablestore.environment)
    assert doctor(**tablestore.environment)[1] == []
    tablestore.fail(api, NO_RIGHT, times=9)
    _, [wrong], printed = doctor(**tablestore.environment)
    assert wrong.startswith(f"ots:{api} on the table cloud_assistant_in_slack: Tablestore: OTSNoPermissionAccess")
    assert "deploy/ram-policy.json" in printed


def test_every_action_on_rows_that_the_role_allows_is_tried(doctor, tablestore):
    policy = json.loads((TOP / "deploy" / "ram-policy.json").read_text())
    run(["init"], tablestore.environment)
    for action in policy["Statement"][-1]["Action"]:
        tablestore.fail(action.removeprefix("ots:"), NO_RIGHT, times=9)
    wrong = [line.partition(" ")[0] for line in doctor(**tablestore.environment)[1]]
    assert sorted(wrong) == sorted(policy["Statement"][-1]["Action"])


def test_a_cloud_that_throttles_us_is_told_from_missing_rights(doctor, cloud):
    cloud.fail("throttle", action="DescribeInvocations", region="cn-hangzhou", times=math.inf)
    _, wrong, printed = doctor()
    assert wrong == ["ecs:DescribeInvocations in cn-hangzhou: Throttling.User"]
    assert "try again after the minute" in printed


@pytest.mark.parametrize("date", ["", "soon"])
def test_where_slack_names_no_time_that_is_noted(doctor, slack, monkeypatch, date):
    monkeypatch.setattr("sandbox.slack_server.formatdate", lambda *_, **__: date)
    status, _, printed = doctor()
    assert status == 0
    assert "· clock: Slack named no time to compare with" in printed


def test_a_write_is_shown_to_be_refused(doctor, cloud):
    status, _, printed = doctor(prove_read_only=True)
    assert status == 0
    assert "refused for want of the right (Forbidden.RAM): the bot can only read" in printed
    assert cloud.count("StopInvocation") == 1


def test_no_write_is_asked_for_unasked(doctor, cloud):
    doctor()
    assert cloud.count("StopInvocation") == 0


@pytest.mark.parametrize("code", ["InvalidInvokeId.NotFound", ""])
def test_keys_that_may_write_are_told_loudly(doctor, cloud, code):
    """The run is unknown, or stopped: in both cases the right was there."""
    let_write(cloud, code)  # taken back by the fixture
    [wrong] = doctor(prove_read_only=True)[1]
    assert wrong.endswith("NOT REFUSED: these keys may write")


class Refusing(Peer):
    """InvokeFunction without the right to it; silent where `status` is 0."""

    status = 403

    def handle(self, request):
        if not self.status:
            raise Drop
        return Reply(self.status, b"{}", {"x-fc-error-type": "AccessDenied"})


def test_a_queue_that_does_not_let_us_in_is_named(doctor):
    with Refusing() as peer:
        here = {"FC_FUNCTION_NAME": "cloud-assistant-in-slack", "FC_ENDPOINT": peer.url}
        _, wrong, printed = doctor(**here)
        assert wrong == [
            "fc:InvokeFunction on cloud-assistant-in-slack: InvokeFunction answered 403 AccessDenied",
        ]
        assert "deploy/ram-policy.json" in printed
        peer.status = 0
        assert "connection failed" in doctor(**here)[1][0]


def test_what_it_puts_into_the_queue_does_nothing(doctor, peers):
    """The real function, behind the real queue: its job is done at once, and nobody is told or asked anything."""
    with Stage() as stage:
        key = ENVIRONMENT_CREDENTIALS
        peers.cloud.keys.renew(key.key_id, key.secret, key.token)
        here = {
            "FC_FUNCTION_NAME": stage.fc.function.name,
            "FC_ENDPOINT": stage.fc.url,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": key.key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": key.secret,
            "ALIBABA_CLOUD_SECURITY_TOKEN": key.token,
        }
        _, wrong, printed = doctor(**here)
        assert wrong == []
        assert "· log:PostLogStoreLogs: not tried" in printed
        stage.fc.wait_idle(30)
        [task] = stage.fc.tasks
        assert task.id.startswith("doctor-")
        assert [call.status for call in stage.fc.requests] == [200]
        assert (stage.slack.calls, stage.cloud.calls) == ([], [])


def test_it_is_a_command(environment, capsys):
    assert run(["doctor"], environment) == 0
    assert f"{BOT_USER}" not in capsys.readouterr().err
