"""Several accounts, the whole way: AssumeRole at the sandbox's STS, keys of an account, and what people read."""

import pytest

from bot.core.events import InstanceEvent, Tick
from rig import RUN, Peers, Rig, fleet
from sandbox.fc import REQUEST_CREDENTIALS
from sandbox.scenario_values import OWN_ACCOUNT
from sandbox.slack_workspace import GENERAL, INCIDENTS, LUCAS, MEI
from sandbox.stage import Stage
from test_reporting import completed, hear, settle

PROD, STAGE = "1111111111111111", "2222222222222222"
READER, VIEWER = f"acs:ram::{PROD}:role/reader", f"acs:ram::{STAGE}:role/viewer"
IN_PROD, FAR_IN_PROD, IN_STAGE = "t-hz0prod00001", "t-bj0prod00001", "t-hz0stage0001"
SCENARIOS = [
    fleet(),
    fleet(run=IN_PROD, account=PROD),
    fleet(run=FAR_IN_PROD, region="cn-beijing", account=PROD, CommandName="backup-db"),
    fleet(run=IN_STAGE, account=STAGE),
]
ACCOUNTS = {
    "BOT_ACCOUNTS": f"own,prod={READER}@cn-hangzhou|cn-beijing,stage={VIEWER}",
    "BOT_REGIONS": "cn-hangzhou",
    "FC_ACCOUNT_ID": OWN_ACCOUNT,
}


@pytest.fixture(scope="module")
def peers():
    with Peers(SCENARIOS, roles=[READER, VIEWER]) as peers:
        yield peers


@pytest.fixture
def rig(tmp_path, peers):
    with Rig(tmp_path, peers, environment=ACCOUNTS) as rig:
        yield rig
        for role in (READER, VIEWER):
            peers.cloud.sts.allow(role)


def asked_in(rig):
    """Which accounts and regions were asked, in order, each once."""
    return list(dict.fromkeys((call.account, call.region) for call in rig.cloud.calls if call.region))


def text_of(message):
    return f"{message.text}\n{message.blocks}"


def test_a_run_of_another_account_is_found_and_told_with_its_account(rig):
    [answer] = rig.ask(IN_PROD)
    assert answer.text.startswith("1 of 3 failed: deploy-web, prod/cn-hangzhou")
    assert "web-001   prod/cn-hangzhou" in text_of(answer)


def test_an_id_is_looked_for_in_the_default_region_of_every_account_first_and_then_in_all_others(rig):
    [answer] = rig.ask(FAR_IN_PROD)
    assert answer.text.startswith("1 of 3 failed: backup-db, prod/cn-beijing")
    first = {(OWN_ACCOUNT, "cn-hangzhou"), (PROD, "cn-hangzhou"), (STAGE, "cn-hangzhou")}
    assert set(asked_in(rig)[:3]) == first
    assert asked_in(rig)[3:] == [(PROD, "cn-beijing")]


def test_where_an_id_was_is_remembered(rig):
    rig.ask(FAR_IN_PROD)
    rig.cloud.clear()
    rig.time.sleep(10)
    rig.ask(FAR_IN_PROD)
    assert asked_in(rig) == [(PROD, "cn-beijing")]


def test_each_account_sees_who_asked_and_each_person_takes_the_role_on_once(rig):
    for user in (MEI, LUCAS, MEI):
        rig.ask(IN_PROD, user=user)
        rig.time.sleep(10)  # within a few seconds the same question makes no call
    taken_on = [call.params for call in rig.cloud.calls if call.action == "AssumeRole"]
    names = [one["RoleSessionName"] for one in taken_on if one["RoleArn"] == READER]
    assert names == [f"slack-{MEI}", f"slack-{LUCAS}"]
    trail = {call.session for call in rig.cloud.calls if call.account == PROD}
    assert trail == {f"slack-{MEI}", f"slack-{LUCAS}"}
    assert {call.session for call in rig.cloud.calls if call.account == OWN_ACCOUNT} == {""}


def test_the_same_name_in_several_accounts_is_told_by_account(rig):
    [answer] = rig.ask("web-001")
    assert answer.text.split("\n")[0] == "4 of 4 runs failed: 4 instances, 3 accounts, 2 regions. No space left on 4."
    assert "web-001 (own)" in answer.text
    assert "web-001 (stage)" in answer.text
    assert "web-001 (i-2z" in answer.text  # one of the two of prod


def test_a_list_covers_all_regions_of_all_accounts(rig):
    [answer] = rig.ask("")
    assert all(run in text_of(answer) for run in (RUN, IN_PROD, FAR_IN_PROD, IN_STAGE))
    assert "prod/cn-beijing" in text_of(answer)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("account:prod", {IN_PROD, FAR_IN_PROD}),
        ("account:prod account:stage", {IN_PROD, FAR_IN_PROD, IN_STAGE}),
        ("account:prod region:cn-beijing", {FAR_IN_PROD}),
        ("region:cn-hangzhou", {RUN, IN_PROD, IN_STAGE}),
        ("cn-beijing", {FAR_IN_PROD}),
        ("prod/cn-hangzhou", {IN_PROD}),
        ("account:stage region:cn-beijing", set()),
        ("region:all account:prod", {IN_PROD, FAR_IN_PROD}),
    ],
)
def test_words_choose_accounts_and_regions(rig, words, shown):
    [answer] = rig.ask(words)
    runs = (RUN, IN_PROD, FAR_IN_PROD, IN_STAGE)
    assert {run for run in runs if run in text_of(answer)} == shown


def test_an_unknown_account_gets_the_nearest_right_one(rig):
    [answer] = rig.ask("account:prd")
    assert "I ask no account called `prd`. Did you mean `account:prod`?" in answer.text
    assert "own, prod, stage" in answer.text
    assert rig.cloud.calls == []


def test_a_press_asks_the_same_account_again(rig):
    [answer] = rig.ask(f"{IN_PROD} account:prod")
    rig.cloud.clear()
    rig.press(answer, "refresh")
    assert {account for account, _ in asked_in(rig)} == {PROD}


def test_lines_to_copy_name_the_account_as_a_profile(rig):
    [answer] = rig.ask(IN_PROD)
    [ids] = rig.press(answer, "copy")
    assert "aliyun ecs InvokeCommand --RegionId cn-hangzhou --profile prod --CommandId" in str(ids.blocks)


def test_a_role_that_is_refused_costs_only_its_account(rig):
    rig.cloud.sts.refuse(READER)
    [answer] = rig.ask("")
    shown = text_of(answer)
    assert RUN in shown
    assert IN_STAGE in shown
    assert IN_PROD not in shown
    assert (
        f"No answer from prod/cn-hangzhou, prod/cn-beijing: the account prod did not give me the role {READER}" in shown
    )
    assert "sts:AssumeRole" in shown
    assert [call.outcome for call in rig.cloud.calls if call.action == "AssumeRole"].count("NoPermission") == 1


def test_a_run_is_found_beside_a_refused_account_and_told_missing_with_it(rig):
    rig.cloud.sts.refuse(READER)
    assert rig.ask(IN_STAGE)[0].text.startswith("1 of 3 failed: deploy-web, stage/cn-hangzhou")
    [answer] = rig.ask("t-hz0nowhere01")
    assert "No run t-hz0nowhere01 in own/cn-hangzhou, stage/cn-hangzhou" in answer.text
    assert f"the account prod did not give me the role {READER} (NoPermission)" in answer.text


def test_a_role_that_is_refused_is_told_where_it_alone_is_asked(rig):
    rig.cloud.sts.refuse(READER)
    [answer] = rig.ask("account:prod")
    assert f"the account prod did not give me the role {READER} (NoPermission)." in answer.text
    assert "its trust policy must name my role." in answer.text
    rig.cloud.sts.allow(READER)
    rig.time.sleep(20)
    assert IN_PROD in text_of(rig.ask("account:prod")[0])


def test_a_throttle_of_one_account_leaves_the_others_alone(rig):
    where = {"action": "DescribeInvocations", "region": "cn-hangzhou", "account": PROD}
    throttle = {**where, "headers": {"x-acs-retry-after": "30000"}}
    rig.cloud.fail("throttle", **throttle)
    waits, answer = rig.ask(f"{IN_PROD} account:prod")
    assert "prod/cn-hangzhou" in waits.text
    assert answer.text.startswith("1 of 3 failed")
    rig.time.sleep(60)
    rig.cloud.fail("throttle", **throttle)
    rig.ask("account:prod private")
    assert "prod/cn-hangzhou refuses DescribeInvocations until" in rig.ask("status")[-1].text
    before = rig.time.ahead
    assert rig.ask(RUN)[0].text.startswith("1 of 3 failed")
    assert rig.time.ahead == before


def test_an_sts_that_fails_is_asked_again_and_the_log_names_it(rig, caplog):
    rig.cloud.fail("http500", action="AssumeRole")
    assert rig.ask(f"{IN_PROD} account:prod")[0].text.startswith("1 of 3 failed")
    assert "AssumeRole in prod/cn-hangzhou: ServiceUnavailable" in caplog.messages


def test_keys_that_have_ended_before_their_time_are_got_anew(rig):
    rig.ask(IN_PROD)
    for key in rig.cloud.sts.sessions(PROD):
        rig.cloud.keys.expire(key)
    rig.time.sleep(10)
    assert rig.ask(IN_PROD)[0].text.startswith("1 of 3 failed")


def test_an_event_of_another_account_is_told_with_it_and_by_keys_of_nobody(rig):
    rig.ask("subscribe account:prod")
    rig.cloud.clear()
    [notice, *_] = hear(rig, completed(IN_PROD, account=PROD))
    assert notice.text.startswith("1 of 3 failed: deploy-web, prod/cn-hangzhou")
    assert {(call.account, call.session) for call in rig.cloud.calls if call.action != "AssumeRole"} == {
        (PROD, "cloud-assistant-in-slack")
    }


@pytest.mark.parametrize(
    ("account", "run"), [(OWN_ACCOUNT, RUN), (STAGE, IN_STAGE), ("3333333333333333", IN_PROD), ("", IN_PROD)]
)
def test_events_of_accounts_that_nobody_wants_or_that_are_not_asked_are_not_told(rig, account, run):
    rig.ask("subscribe account:prod")
    assert hear(rig, completed(run, account=account)) == []


def test_a_system_event_names_the_account(rig):
    rig.ask("subscribe events:failure region:cn-beijing")
    fields = {
        "id": "e-2",
        "at": None,
        "status": "Executed",
        "level": "",
        "detail": "",
        "name": "Instance:SystemFailure.Reboot",
    }
    event = InstanceEvent(account=PROD, region="cn-beijing", instance_id="i-bj0someone0001", **fields)
    [told, *_] = hear(rig, event)
    assert "prod/cn-beijing" in text_of(told)


def test_a_poll_looks_into_every_account(rig):
    rig.ask("subscribe")
    rig.time.sleep(120)
    rig.cloud.clear()
    hear(rig, Tick("poll", None, '{"job":"poll"}'))
    asked = {(account, region) for account, region in asked_in(rig)}
    assert asked >= {(OWN_ACCOUNT, "cn-hangzhou"), (PROD, "cn-hangzhou"), (PROD, "cn-beijing"), (STAGE, "cn-hangzhou")}


def test_a_subscription_says_its_account_and_the_wrong_one_is_refused(rig):
    assert "of account prod" in rig.ask("subscribe account:prod")[-1].text
    assert "I ask no account called `prd`" in rig.ask("subscribe account:prd")[-1].text
    assert "failures in prod/cn-beijing" in rig.ask("subscribe prod/cn-beijing")[-1].text
    assert "`own/cn-hangzhou` does not go with account:prod" in rig.ask("own/cn-hangzhou account:prod")[-1].text
    listed = rig.ask("subscriptions")[-1]
    assert "prod/cn-beijing: no event within a day" in listed.text


def test_a_digest_a_handover_and_status_cover_all_accounts(rig):
    everywhere = "own/cn-hangzhou, prod/cn-hangzhou, prod/cn-beijing, stage/cn-hangzhou"
    assert f"all of {everywhere}" in text_of(rig.ask("digest now")[-1])
    assert "prod/cn-hangzhou" in text_of(rig.ask("handover")[-1])
    assert "stage/cn-hangzhou" in rig.ask("status")[-1].text


def test_an_expectation_is_checked_in_its_account(rig):
    rig.ask("expect command:deploy-web daily by:23:59 on:instance:web-* account:stage")
    rig.cloud.clear()
    rig.time.sleep(86_400)
    hear(rig, Tick("tick", None, '{"job":"tick"}'))
    assert {account for account, _ in asked_in(rig)} == {STAGE}


def test_an_expectation_of_one_region_of_an_account_is_checked_there(rig):
    said = rig.ask("expect command:backup-db daily by:23:59 on:instance:web-* region:prod/cn-beijing")[-1]
    assert "on web-* in prod/cn-beijing" in said.text
    rig.cloud.clear()
    rig.time.sleep(86_400)
    hear(rig, Tick("tick", None, '{"job":"tick"}'))
    assert asked_in(rig) == [(PROD, "cn-beijing")]


def test_a_channel_may_be_limited_to_an_account(tmp_path, peers):
    limits = f"{INCIDENTS}=account:prod,region:cn-hangzhou;{GENERAL}"
    with Rig(tmp_path, peers, environment={**ACCOUNTS, "BOT_CHANNELS": limits}) as rig:
        [answer] = rig.ask("")
        assert {run for run in (RUN, IN_PROD, FAR_IN_PROD, IN_STAGE) if run in text_of(answer)} == {IN_PROD}
        assert "This channel is shown only region:cn-hangzhou, account:prod (BOT_CHANNELS)." in answer.text
        assert "leaves out own/cn-hangzhou" in rig.ask("account:own")[0].text
        assert "leaves out stage" in rig.ask("subscribe account:stage")[0].text
        assert "leaves out stage/cn-hangzhou" in rig.ask("subscribe stage/cn-hangzhou")[0].text
        assert f"leaves out {IN_STAGE}" in rig.ask(IN_STAGE)[0].text


def test_without_accounts_nothing_takes_a_role_on_and_no_account_is_named(tmp_path, peers):
    with Rig(tmp_path, peers) as rig:
        [answer] = rig.ask(RUN)
        assert answer.text.startswith("1 of 3 failed: deploy-web, cn-hangzhou")
        assert "I ask one account only" in rig.ask("account:prod")[0].text
        assert "AssumeRole" not in {call.action for call in rig.cloud.calls}


def test_only_the_accounts_that_are_named_are_asked(tmp_path, peers):
    with Rig(tmp_path, peers, environment={**ACCOUNTS, "BOT_ACCOUNTS": f"prod={READER}"}) as rig:
        [answer] = rig.ask(RUN)
        assert f"No run {RUN} in prod/cn-hangzhou" in answer.text
        assert {call.account for call in rig.cloud.calls if call.action != "AssumeRole"} == {PROD}


def test_an_answer_of_before_whose_account_is_not_asked_any_more(tmp_path, peers):
    with Rig(tmp_path, peers, environment=ACCOUNTS) as rig:
        [answer] = rig.ask(IN_STAGE)
    with Rig(tmp_path, peers, environment={**ACCOUNTS, "BOT_ACCOUNTS": f"prod={READER}"}) as rig:
        [said] = rig.press(answer, "refresh")
        assert "I ask no account called `stage`" in said.text
        settle(rig)


def test_the_real_function_takes_roles_on_with_the_keys_of_each_request_and_hears_events_of_other_accounts():
    """Door, queue, worker and triggers as deployed; the keys of a request are not those of the environment."""
    accounts = {"BOT_ACCOUNTS": f"own,prod={READER}", "BOT_REGIONS": "cn-hangzhou"}
    later = fleet(
        run="t-hz0later0001",
        account=PROD,
        InvocationResult=[{"StartTime": "-1m", "FinishedTime": "+20s", "ExitCode": 2, "Output": "no"}],
    )
    with Stage([fleet(run=IN_PROD, account=PROD), later], accounts, roles=[READER], delay_scale=0.02) as stage:
        [refused] = stage.ask("account:prd")
        assert "Did you mean `account:prod`?" in refused.text
        assert stage.cloud.calls == []
        [answer] = stage.ask(IN_PROD)
        assert answer.text.startswith("1 of 3 failed: deploy-web, prod/cn-hangzhou")
        [taken_on] = [call for call in stage.cloud.calls if call.action == "AssumeRole"]
        assert taken_on.headers["x-acs-accesskey-id"] == REQUEST_CREDENTIALS.key_id
        stage.ask("subscribe account:prod")
        stage.hasten(60)
        stage.triggers.look()
        stage.fc.wait_idle(60)
        assert any(one.text.startswith("3 of 3 failed: deploy-web, prod/cn-hangzhou") for one in stage.slack.messages)
        trail = {call.session for call in stage.cloud.calls if call.account == PROD}
        assert trail == {f"slack-{MEI}", "cloud-assistant-in-slack"}
        for key in stage.cloud.sts.sessions(PROD):
            stage.cloud.keys.expire(key)
        assert stage.ask("web-001 account:prod")[0].text.startswith("2 of 2 runs failed")
        assert len(stage.cloud.sts.sessions(PROD)) == 3
        told = stage.fc.logs() + str([text_of(message) for message in stage.slack.messages])
        for given in ("secret-of-session", "CAIS-session", REQUEST_CREDENTIALS.secret, REQUEST_CREDENTIALS.token):
            assert given not in told
