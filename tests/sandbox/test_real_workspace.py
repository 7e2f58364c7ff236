"""`make run` with SLACK_APP_TOKEN: what the environment asks for, and what the terminal says of it."""

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.cloud import SECRETS, STS_KEY_ID, TOKENS, Cloud
from sandbox.real_workspace import Unusable, asked_for, serve
from sandbox.scenario import load_all
from sandbox.slack import Slack
from sandbox.slack_sockets import SOCKET
from sandbox.slack_workspace import APP_TOKEN, BOT_TOKEN
from sandbox.socket_connection import GivenUp
from sandbox.stage import REGIONS
from terminal import end, read_until, started

RUN = "t-hz0jdfwd9f"
TOKENS_OF_THE_APP = {"SLACK_APP_TOKEN": APP_TOKEN, "SLACK_BOT_TOKEN": BOT_TOKEN}
KEYS = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAI0123456789abcdef", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "hush"}


# The environment


def test_two_tokens_are_enough_and_mean_the_sandboxs_cloud():
    asked = asked_for({**TOKENS_OF_THE_APP, "ALIBABA_CLOUD_ACCESS_KEY_ID": " "})
    assert (asked.keys, asked.regions, asked.api_url) == (None, REGIONS, "https://slack.com/api/")


def test_keys_mean_the_real_cloud():
    asked = asked_for({**TOKENS_OF_THE_APP, **KEYS, "BOT_REGIONS": "cn-shanghai", "ECS_ENDPOINT": "http://127.0.0.1:1"})
    assert (asked.keys.key_id, asked.keys.secret, asked.keys.token) == ("LTAI0123456789abcdef", "hush", "")
    assert (asked.regions, asked.own["ECS_ENDPOINT"]) == ("cn-shanghai", "http://127.0.0.1:1")
    assert asked_for({**TOKENS_OF_THE_APP, **KEYS}).regions == "cn-hangzhou"


def test_the_secret_of_buttons_outlives_a_restart_and_is_that_of_the_app():
    first, again = asked_for(TOKENS_OF_THE_APP), asked_for(TOKENS_OF_THE_APP)
    other = asked_for({**TOKENS_OF_THE_APP, "SLACK_APP_TOKEN": "xapp-2"})
    assert first.signing_secret == again.signing_secret != other.signing_secret
    assert APP_TOKEN not in first.signing_secret
    assert asked_for({**TOKENS_OF_THE_APP, "SLACK_SIGNING_SECRET": "own"}).signing_secret == "own"


def test_the_function_gets_the_bots_settings_and_nothing_else():
    given = {**TOKENS_OF_THE_APP, **KEYS, "BOT_LANGUAGE": "zh", "HOME": "/home/mei", "HTTPS_PROXY": "http://proxy:3128"}
    assert asked_for(given).own == {"BOT_LANGUAGE": "zh", "HTTPS_PROXY": "http://proxy:3128"}


def test_no_secret_is_in_the_repr():
    shown = repr(asked_for({**TOKENS_OF_THE_APP, **KEYS}))
    assert not any(secret in shown for secret in (APP_TOKEN, BOT_TOKEN, "hush"))


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"SLACK_BOT_TOKEN": ""}, ["SLACK_BOT_TOKEN is missing (the Slack app's page, Install App, "]),
        (
            {"SLACK_APP_TOKEN": "xoxb-1"},
            ["SLACK_APP_TOKEN must begin with xapp- (the Slack app's page, Basic Information, "],
        ),
        (
            {"SLACK_APP_TOKEN": "", "SLACK_BOT_TOKEN": "xoxp-1"},
            ["SLACK_APP_TOKEN is missing", "SLACK_BOT_TOKEN must begin with xoxb-"],
        ),
        ({"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAI"}, ["ALIBABA_CLOUD_ACCESS_KEY_ID is set, …_SECRET is not: set both"]),
        ({"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "x"}, ["ALIBABA_CLOUD_ACCESS_KEY_SECRET is set, …_ID is not: set both"]),
    ],
)
def test_what_is_missing_or_wrong_is_named_at_once(changes, problems):
    with pytest.raises(Unusable) as raised:
        asked_for({**TOKENS_OF_THE_APP, **changes})
    heading, *named = str(raised.value).splitlines()
    assert heading == "Socket Mode cannot start:"
    for line, begins in zip(named, problems, strict=True):
        assert line.startswith(f"- {begins.replace('…', 'ALIBABA_CLOUD_ACCESS_KEY')}")


# The terminal


@pytest.fixture(scope="module")
def slack():
    with Slack() as peer:
        yield peer


@pytest.fixture
def environment(slack, tmp_path):
    yield {**TOKENS_OF_THE_APP, "SLACK_API_URL": f"{slack.url}/api/", "TMPDIR": str(tmp_path)}
    slack.reset()


def test_it_says_first_where_it_is_and_answers_people_there(slack, environment):
    # Roles of other accounts are taken on in the sandbox, too.
    several = {"BOT_ACCOUNTS": "own,prod=acs:ram::1111111111111111:role/reader", "BOT_REGIONS": "cn-hangzhou"}
    with started(environment={**environment, **several}) as program:
        shown = read_until(program, "Connected")
        slack.command(SOCKET, RUN)
        [answer] = slack.wait_for(1)
        shown += read_until(program, "slash command by mei in incidents: taken")
        slack.command(SOCKET, "account:prod")
        [_, other] = slack.wait_for(2)
        shown += read_until(program, "slash command by mei in incidents: taken")
        assert end(program, signal.SIGINT) == ""
    assert answer.text.startswith("60 of 60 exit code 0")
    assert other.text == "No runs at all in prod/cn-hangzhou."
    workspace, cloud, reads, *_ = shown.splitlines()
    assert workspace == "A REAL WORKSPACE: acme (https://acme.slack.com/), where people ask @cloudassist."
    assert cloud.startswith("THE SANDBOX'S CLOUD: every run and instance is made up")
    assert reads.startswith("The bot only reads.")
    assert not any(secret in shown for secret in (APP_TOKEN, BOT_TOKEN))
    assert len(slack.sockets) == 0


def test_with_keys_it_is_the_real_cloud_and_what_is_known_of_it_is_kept(slack, environment, tmp_path, capsys):
    keys = {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": STS_KEY_ID,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRETS[STS_KEY_ID],
        "ALIBABA_CLOUD_SECURITY_TOKEN": TOKENS[STS_KEY_ID],
    }
    store = f"sqlite:///{tmp_path}/bot.sqlite3"
    before = slack.sockets.connected
    with Cloud(load_all()) as cloud, ThreadPoolExecutor(1) as thread:
        own = {"ECS_ENDPOINT": cloud.url, "BOT_REGIONS": "cn-hangzhou", "BOT_STORE": store}
        ended = thread.submit(serve, {**environment, **keys, **own})
        slack.sockets.wait_for(before + 1)
        slack.command(SOCKET, RUN)
        [answer] = slack.wait_for(1)
        slack.app_token = "xapp-made-anew"
        slack.sockets.disconnect()
        with pytest.raises(GivenUp, match="Slack does not know this SLACK_APP_TOKEN"):
            ended.result(30)
        asked_by = {call.headers["x-acs-accesskey-id"] for call in cloud.calls}
    assert answer.text.startswith("60 of 60 exit code 0")
    assert asked_by == {STS_KEY_ID}
    shown = capsys.readouterr().out
    assert "THE REAL CLOUD: Alibaba Cloud with the keys STS.…0001, in cn-hangzhou." in shown
    assert "it changes nothing in the cloud" in shown
    assert "made up" not in shown
    assert (tmp_path / "bot.sqlite3").exists()
    assert not any(secret in shown for secret in (*list(keys.values())[1:], APP_TOKEN, BOT_TOKEN))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"SLACK_BOT_TOKEN": ""}, r"^Socket Mode cannot start:\n- SLACK_BOT_TOKEN is missing"),
        ({"SLACK_BOT_TOKEN": "xoxb-other"}, "- Slack refuses SLACK_BOT_TOKEN: invalid_auth. Copy it anew"),
        ({"SLACK_API_URL": "http://127.0.0.1:1/api"}, r"- http://127.0.0.1:1/api/ is not reached \(URLError\)"),
        ({"SLACK_APP_TOKEN": "xapp-other"}, "^Slack does not know this SLACK_APP_TOKEN: copy it anew"),
        (
            {"BOT_CHANNELS": "#incidents", "BOT_LANGUAGE": "de"},
            r"^Socket Mode cannot start:\n- BOT_LANGUAGE is 'de'.*\n- BOT_CHANNELS names '#incidents'",
        ),
        ({"BOT_CHANNELS": "#incidents", "BOT_LANGUAGE": "de", **KEYS}, "- BOT_CHANNELS names '#incidents'"),
    ],
)
def test_what_stands_in_the_way_is_said_and_ends_it(environment, changes, says):
    with pytest.raises((Unusable, GivenUp), match=says):
        serve({**environment, **changes})


def test_on_the_command_line_that_is_an_error(environment):
    with started(environment={**environment, "SLACK_APP_TOKEN": "xapp-other"}) as program:
        shown, complaints = program.communicate()
    assert program.returncode == 1
    assert complaints.startswith("Slack does not know this SLACK_APP_TOKEN")
    assert shown.startswith("A REAL WORKSPACE")


def test_one_question_is_asked_in_the_sandbox_whatever_is_set(environment):
    with started(RUN, environment=environment) as program:
        shown, complaints = program.communicate()
    assert (program.returncode, complaints) == (0, "")
    assert "the channel sees this" in shown
