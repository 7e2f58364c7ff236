from __future__ import annotations

import os

import pytest

from bot.settings import Credentials, Reference, Settings, SettingsError, Tablestore

REQUIRED = {"SLACK_SIGNING_SECRET": "signing-secret", "SLACK_BOT_TOKEN": "xoxb-token"}

DEPLOY, HANGZHOU = ("command", "deploy-*"), ("region", "cn-hangzhou")


def read(**environment: str) -> Settings:
    return Settings.from_environment({**REQUIRED, **environment})


def problems(**environment: str) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        read(**environment)
    assert str(raised.value) == "\n".join(raised.value.problems)
    return raised.value.problems


def test_two_values_are_enough() -> None:
    settings = read()
    assert settings.regions == ("cn-hangzhou",)
    assert settings.endpoint("cn-shanghai") == "https://ecs.cn-shanghai.aliyuncs.com"
    assert (settings.port, settings.host, settings.timezone) == (9000, "127.0.0.1", "UTC")
    assert settings.slack_api_url == "https://slack.com/api/"
    assert (settings.readers, settings.channels) == ((), {})
    assert not settings.on_function_compute
    assert not settings.store_chosen
    assert not settings.credentials


def test_empty_values_are_the_defaults() -> None:
    names = [
        *("SLACK_API_URL", "SLACK_APP_TOKEN", "BOT_REGIONS", "ECS_ENDPOINT", "FC_ENDPOINT", "FC_FUNCTION_NAME"),
        *("FC_SERVER_PORT", "FC_CUSTOM_LISTEN_PORT", "BOT_STORE", "BOT_READERS", "BOT_CHANNELS", "BOT_ACCOUNTS"),
        *("BOT_LANGUAGE", "BOT_TIMEZONE", "BOT_CONSOLE", "BOT_PAUSED", "TMPDIR"),
    ]
    assert read(**dict.fromkeys(names, " ")) == read()


def test_all_that_is_missing_or_wrong_is_named_at_once() -> None:
    wrong = {
        "SLACK_SIGNING_SECRET": " ",
        "SLACK_BOT_TOKEN": "",
        "SLACK_API_URL": "slack.com",
        "SLACK_APP_TOKEN": "xoxb-1",
        "ECS_ENDPOINT": "https://ecs.{regio}.aliyuncs.com",
        "FC_ENDPOINT": "https://fc:70000",
        "BOT_REGIONS": "cn-hangzhou, Hangzhou",
        "BOT_STORE": "redis://x",
        "BOT_READERS": "U024BE7LH,@mei",
        "BOT_CHANNELS": "#incidents",
        "BOT_TIMEZONE": "Mars/Phobos",
        "BOT_CONSOLE": "https://ecs.console.aliyun.com/",
        "STS_ENDPOINT": "sts.aliyuncs.com",
        "BOT_ACCOUNTS": "prod",
        "BOT_LANGUAGE": "zh-CN",
        "FC_SERVER_PORT": "http",
    }
    named = [problem.split()[0] for problem in problems(**wrong)]
    assert sorted(named) == sorted(wrong)


@pytest.mark.parametrize("zone", ["../../etc/passwd", "/etc/passwd", "Europe", "\x00", "UTC+8"])
def test_a_time_zone_that_is_none_is_refused(zone: str) -> None:
    assert "Asia/Shanghai" in problems(BOT_TIMEZONE=zone)[0]


def test_a_time_zone_is_taken() -> None:
    assert read(BOT_TIMEZONE="Asia/Shanghai").timezone == "Asia/Shanghai"


def test_an_app_level_token_is_taken_and_in_no_repr() -> None:
    settings = read(SLACK_APP_TOKEN="xapp-1-A0-hush")
    assert settings.app_token == "xapp-1-A0-hush"
    assert "hush" not in repr(settings)


def test_on_function_compute_there_is_no_socket_mode() -> None:
    [problem] = problems(SLACK_APP_TOKEN="xapp-1-A0-hush", FC_FUNCTION_NAME="cloudassist")
    assert problem == "SLACK_APP_TOKEN is for Socket Mode on a laptop (make run); unset it on Function Compute."


def test_a_language_is_taken() -> None:
    assert (read().language, read(BOT_LANGUAGE="zh").language) == ("en", "zh")


def test_secrets_are_in_no_repr() -> None:
    settings = read(
        ALIBABA_CLOUD_ACCESS_KEY_ID="LTAIkey",
        ALIBABA_CLOUD_ACCESS_KEY_SECRET="hush",
        ALIBABA_CLOUD_SECURITY_TOKEN="psst",
    )
    shown = repr(settings)
    assert "LTAIkey" in shown
    assert not any(secret in shown for secret in ("signing-secret", "xoxb-token", "hush", "psst"))
    assert settings.credentials == Credentials("LTAIkey", "hush", "psst")
    assert settings.credentials


def test_half_a_key_is_no_key() -> None:
    assert not Credentials("LTAIkey", "")
    assert not Credentials("", "secret", "token")


@pytest.mark.parametrize(
    ("environment", "port"),
    [
        ({"FC_SERVER_PORT": "8080", "FC_CUSTOM_LISTEN_PORT": "8081"}, 8080),
        ({"FC_SERVER_PORT": "", "FC_CUSTOM_LISTEN_PORT": "8081"}, 8081),
        ({"FC_SERVER_PORT": "65535"}, 65535),
        ({}, 9000),
    ],
)
def test_the_first_port_that_is_set_wins(environment: dict[str, str], port: int) -> None:
    assert read(**environment).port == port


@pytest.mark.parametrize("port", ["0", "00", "-1", "65536", "99999", "٣", "9" * 5_000])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    assert "port number" in problems(FC_CUSTOM_LISTEN_PORT=port)[0]


def test_on_function_compute_the_region_and_all_addresses_are_its_own() -> None:
    settings = read(FC_FUNCTION_NAME="bot", FC_REGION="cn-beijing", FC_QUALIFIER="prod", FC_ACCOUNT_ID="12")
    assert settings.host == "0.0.0.0"  # noqa: S104
    assert (settings.regions, settings.function_region) == (("cn-beijing",), "cn-beijing")
    assert (settings.qualifier, settings.account_id, settings.regions_chosen) == ("prod", "12", False)
    assert settings.on_function_compute


@pytest.mark.parametrize(
    ("given", "read_as"),
    [
        ("C1", {"C1": ()}),
        ("C1,C2", {"C1": (), "C2": ()}),
        ("C1;G2=command:deploy-*,region:cn-hangzhou; D3 ", {"C1": (), "G2": (DEPLOY, HANGZHOU), "D3": ()}),
        ("C1=region:cn-hangzhou,command:deploy-*,C2;", {"C1": (HANGZHOU, DEPLOY), "C2": ()}),
        ("C1=command:deploy-*,command:a:b", {"C1": (DEPLOY, ("command", "a:b"))}),
    ],
)
def test_channels_each_with_its_limits(given: str, read_as: dict[str, object]) -> None:
    assert read(BOT_CHANNELS=given).channels == read_as


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("#incidents", "#incidents"),
        ("command:deploy-*", "command:deploy-*"),
        ("C1=", "C1="),
        ("C1=comand:x", "C1=comand:x"),
        ("C1=command:x,regoin:cn-hangzhou", "regoin:cn-hangzhou"),
        ("C1=region:moon", "C1=region:moon"),
        ("C1=command:web-[12]", "C1=command:web-[12]"),
    ],
)
def test_a_wrong_limit_is_named_with_a_right_one(given: str, named: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(BOT_CHANNELS=given)
    assert f"BOT_CHANNELS names {named!r}; right would be any" in str(refused.value)
    assert "C0613TXKG=command:deploy-*,region:cn-hangzhou" in str(refused.value)


def test_lists_keep_their_order_and_lose_repeats() -> None:
    settings = read(BOT_REGIONS=" cn-shanghai,cn-hangzhou,,cn-shanghai ", BOT_READERS="U1,W2", BOT_CHANNELS="Any")
    assert (settings.regions, settings.regions_chosen) == (("cn-shanghai", "cn-hangzhou"), True)
    assert (settings.readers, settings.channels) == (("U1", "W2"), {})


def test_numbers_of_people_are_masked_unless_told_otherwise() -> None:
    assert read().mask_personal
    assert not read(BOT_MASK_PERSONAL="no").mask_personal
    assert "BOT_MASK_PERSONAL is 'maybe'; right would be yes or no." in problems(BOT_MASK_PERSONAL="maybe")


def test_the_store_is_in_a_writable_folder_of_ours_by_default() -> None:
    name = f"cloud-assistant-bot-{os.getuid()}/bot.sqlite3"
    assert read().store_path == f"/tmp/{name}"
    assert read(TMPDIR="/var/tmp").store_path == f"/var/tmp/{name}"
    chosen = read(BOT_STORE="sqlite:///relative/bot.sqlite3")
    assert (chosen.store_path, chosen.store_chosen) == ("relative/bot.sqlite3", True)
    assert read(BOT_STORE="sqlite:////mnt/nas/bot.sqlite3").store_path == "/mnt/nas/bot.sqlite3"


def test_tablestore_is_an_instance_in_a_region() -> None:
    chosen = read(BOT_STORE="tablestore://on-call-bot.cn-hangzhou")
    internet = "https://on-call-bot.cn-hangzhou.ots.aliyuncs.com"
    assert chosen.tablestore == Tablestore("on-call-bot", "cn-hangzhou", internet)
    assert (chosen.store_path, chosen.store_chosen) == ("", True)
    assert read().tablestore is None


@pytest.mark.parametrize(
    ("endpoint", "base"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://bot.{region}.vpc.tablestore.aliyuncs.com/", "https://bot.cn-hangzhou.vpc.tablestore.aliyuncs.com"),
    ],
)
def test_tablestore_may_be_reached_elsewhere(endpoint: str, base: str) -> None:
    chosen = read(BOT_STORE=f"tablestore://bot.cn-hangzhou?endpoint={endpoint}")
    assert chosen.tablestore == Tablestore("bot", "cn-hangzhou", base)


@pytest.mark.parametrize(
    "url",
    [
        "tablestore:",
        "tablestore://",
        "tablestore://bot",
        "tablestore://ab.cn-hangzhou",
        "tablestore://seventeen-letters.cn-hangzhou",
        "tablestore://-bot.cn-hangzhou",
        "tablestore://bot-.cn-hangzhou",
        "tablestore://b_t.cn-hangzhou",
        "tablestore://bot.Hangzhou",
        "tablestore://bot.cn-hangzhou/table",
        "tablestore://bot.cn-hangzhou?",
        "tablestore://bot.cn-hangzhou?endpoint=",
        "tablestore://bot.cn-hangzhou?endpoint=ftp://bot",
        "tablestore://bot.cn-hangzhou?table=x",
    ],
)
def test_a_tablestore_that_is_none_is_refused(url: str) -> None:
    [problem] = problems(BOT_STORE=url)
    assert problem.startswith(f"BOT_STORE is '{url}'; right would be tablestore://instance.region")
    assert "3 to 16" in problem


@pytest.mark.parametrize(
    ("store", "on_function_compute", "lasts"),
    [
        ("", "", True),
        ("", "bot", False),
        ("sqlite:////mnt/nas/bot.sqlite3", "bot", True),
        ("tablestore://bot.cn-hangzhou", "bot", True),
    ],
)
def test_only_the_default_on_function_compute_does_not_last(store: str, on_function_compute: str, lasts: bool) -> None:
    assert read(BOT_STORE=store, FC_FUNCTION_NAME=on_function_compute).store_lasts is lasts


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://[::1]:8080/", "https://ecs-vpc.{region}.aliyuncs.com/"]
)
def test_endpoints_may_be_elsewhere(url: str) -> None:
    assert read(ECS_ENDPOINT=url).endpoint("cn-beijing") == url.replace("{region}", "cn-beijing").rstrip("/")


@pytest.mark.parametrize("url", ["https://slack.com", "https://slack.com/api", "https://slack.com/api/"])
def test_slacks_address_ends_in_a_slash(url: str) -> None:
    assert read(SLACK_API_URL=url).slack_api_url in ("https://slack.com/", "https://slack.com/api/")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://hooks.slack.com/commands/T1/2/x", True),
        ("https://hooks.slack-gov.com/actions/T1/2/x", True),
        ("https://HOOKS.slack.com:443/commands/1", True),
        ("http://hooks.slack.com/commands/1", False),
        ("https://hooks.slack.com:8443/commands/1", False),
        ("https://hooks.slack.com:99999999/commands/1", False),
        ("https://mei@hooks.slack.com/commands/1", False),
        ("https://hooks.slack.com@example.com/commands/1", False),
        ("https://hooks.slack.com.example.com/commands/1", False),
        ("https://hooks.slack.com\\@example.com/", False),
        ("https://slack.com/api/x", False),
        ("https://100.100.100.200/latest/meta-data/", False),
        ("http://127.0.0.1:9000/", False),
        ("https://[::1", False),
        ("//hooks.slack.com/commands/1", False),
        ("", False),
    ],
)
def test_only_slacks_own_hosts_are_answered(url: str, allowed: bool) -> None:
    assert read().may_respond_to(url) is allowed


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:8080/commands/1", True),
        ("https://hooks.slack.com/commands/1", True),
        ("https://127.0.0.1:8080/commands/1", False),
        ("http://127.0.0.1:9000/commands/1", False),
        ("http://mei@127.0.0.1:8080/commands/1", False),
        ("http://example.com/commands/1", False),
    ],
)
def test_where_slacks_address_is_set_its_host_is_answered_too(url: str, allowed: bool) -> None:
    assert read(SLACK_API_URL="http://127.0.0.1:8080/api/").may_respond_to(url) is allowed


@pytest.mark.parametrize(
    "typed", ["kms:slack", "kms:acs/slack.bot@team#bot_token", "oos:bots/slack_1", "oos:slack#key"]
)
def test_the_bot_token_may_be_named_by_reference(typed: str) -> None:
    settings = read(SLACK_BOT_TOKEN=typed)
    assert (settings.bot_token, str(settings.bot_token_reference)) == ("", typed)
    assert read().bot_token_reference is None


@pytest.mark.parametrize("typed", ["kms:", "kms:a b", "oos:a.b", "kms:slack#", "oos:slack#a b", "kms:" + "x" * 65])
def test_a_reference_that_cannot_be_read_is_told_without_what_it_says(typed: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(SLACK_BOT_TOKEN=typed)
    [problem] = caught.value.problems
    assert problem.startswith("SLACK_BOT_TOKEN is not a reference that can be read; right would be kms:name")


@pytest.mark.parametrize("typed", ["kms:signing", "oos:signing"])
def test_what_the_ack_needs_cannot_be_a_reference(typed: str) -> None:
    with pytest.raises(SettingsError, match="SLACK_SIGNING_SECRET cannot be a reference: Slack waits 3 s for the ack"):
        read(SLACK_SIGNING_SECRET=typed)


def test_secrets_are_read_in_the_functions_own_region() -> None:
    settings = read(FC_REGION="cn-beijing", BOT_REGIONS="cn-shanghai")
    kms, oos = Reference("kms", "slack"), Reference("oos", "slack")
    assert settings.endpoint_of(kms) == "https://kms.cn-beijing.aliyuncs.com"
    assert settings.endpoint_of(oos) == "https://oos.cn-beijing.aliyuncs.com"
    vpc = read(KMS_ENDPOINT="https://kms-vpc.{region}.aliyuncs.com/", OOS_ENDPOINT="http://127.0.0.1:1")
    assert vpc.endpoint_of(kms) == "https://kms-vpc.cn-hangzhou.aliyuncs.com"
    assert vpc.endpoint_of(oos) == "http://127.0.0.1:1"


PROD, STAGE = "acs:ram::1111:role/reader", "acs:ram::2222:role/viewer"


def test_the_functions_own_account_alone_has_no_name() -> None:
    settings = read(BOT_REGIONS="cn-hangzhou,cn-beijing", FC_ACCOUNT_ID="12")
    assert (settings.regions, settings.regions_chosen) == (("cn-hangzhou", "cn-beijing"), True)
    assert (settings.account_names, settings.account_ids) == (frozenset(), {"12": ""})
    assert settings.default_regions == ("cn-hangzhou",)


def test_each_account_has_its_own_regions_or_those_of_all() -> None:
    accounts = f"own, prod={PROD}@cn-shanghai|cn-beijing|cn-shanghai ,stage={STAGE}"
    settings = read(BOT_ACCOUNTS=accounts, FC_ACCOUNT_ID="12", FC_REGION="cn-shenzhen")
    assert settings.regions == ("own/cn-shenzhen", "prod/cn-shanghai", "prod/cn-beijing", "stage/cn-shenzhen")
    assert settings.default_regions == ("own/cn-shenzhen", "prod/cn-shanghai", "stage/cn-shenzhen")
    assert not settings.regions_chosen
    assert settings.account_names == {"own", "prod", "stage"}
    assert settings.account_ids == {"12": "own", "1111": "prod", "2222": "stage"}
    assert settings.endpoint("prod/cn-beijing") == "https://ecs.cn-beijing.aliyuncs.com"
    assert read(BOT_ACCOUNTS=f"prod={PROD}@cn-shanghai").regions_chosen
    assert read(BOT_ACCOUNTS=f"prod={PROD}", BOT_REGIONS="cn-beijing").regions == ("prod/cn-beijing",)


@pytest.mark.parametrize(
    "wrong",
    [
        "prod",
        "prod=reader",
        f"own={PROD}",
        f"Prod={PROD}",
        f"cn-hangzhou={PROD}",
        f"{'a' * 21}={PROD}",
        f"-a={PROD}",
        f"prod={PROD}@",
        f"prod={PROD}@cn-hangzhou|",
        f"prod={PROD}@Hangzhou",
        "prod=acs:ram::1111:user/mei",
    ],
)
def test_a_wrong_account_is_named(wrong: str) -> None:
    [problem] = problems(BOT_ACCOUNTS=f"own,{wrong}")
    assert problem.startswith(f"BOT_ACCOUNTS names {wrong!r}; right would be own,prod=acs:ram::")


@pytest.mark.parametrize(
    ("accounts", "said"),
    [
        (f"prod={PROD},prod={STAGE}", "BOT_ACCOUNTS names prod twice."),
        (f"prod={PROD},again={PROD}", "BOT_ACCOUNTS names one account twice, as prod and as again."),
        ("own,prod=acs:ram::12:role/reader", "BOT_ACCOUNTS names one account twice, as own and as prod."),
    ],
)
def test_an_account_is_named_once(accounts: str, said: str) -> None:
    assert problems(BOT_ACCOUNTS=accounts, FC_ACCOUNT_ID="12") == [said]


@pytest.mark.parametrize("limit", ["account:prd", "region:cn-beijing", "account:prod,region:cn-shanghai"])
def test_a_limit_that_no_account_can_meet_is_refused(limit: str) -> None:
    accounts = f"own@cn-shanghai,prod={PROD}@cn-hangzhou"
    [problem] = problems(BOT_ACCOUNTS=accounts, BOT_CHANNELS=f"C1={limit};C2=account:prod,region:cn-hangzhou")
    assert problem == f"BOT_CHANNELS limits C1 to {limit}, which no account of BOT_ACCOUNTS has."


def test_where_roles_are_taken_on() -> None:
    assert read().sts_endpoint == "https://sts.{region}.aliyuncs.com"
    assert read(STS_ENDPOINT="http://127.0.0.1:8001/").sts_endpoint == "http://127.0.0.1:8001/"
