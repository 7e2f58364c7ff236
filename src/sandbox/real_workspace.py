"""`make run` with SLACK_APP_TOKEN: a real workspace, whose people are answered by the real function on this machine.

The function runs as in the demo, frozen between requests, with its queue and its timers; but Slack is Slack, which
reaches it by Socket Mode. The cloud is the sandbox's, or, where the environment has keys, Alibaba Cloud. Which of
them it is stands in the first lines on the terminal.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox import fc
from sandbox.acs3 import Credentials
from sandbox.clock import Clock
from sandbox.cloud import Cloud
from sandbox.drawing import menu
from sandbox.fc_triggers import Timers, Triggers
from sandbox.scenario import load_all
from sandbox.slack_requests import JSON, send, sign
from sandbox.socket_connection import web_client
from sandbox.socket_mode import Address, SocketMode
from sandbox.stage import PATH, REGIONS, SOURCE

_START = 30.0  # seconds for the function's first answer
_PASSED_ON = (
    *("ECS_ENDPOINT", "STS_ENDPOINT", "TMPDIR", "HTTPS_PROXY", "https_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
)
_ROLE = fc.ENVIRONMENT_CREDENTIALS  # in the sandbox's cloud
_SLACK_API = "https://slack.com/api/"
_KEY_ID, _KEY_SECRET = "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"


class Unusable(Exception):
    """It cannot start; one sentence for each thing to be mended."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(["Socket Mode cannot start:", *(f"- {problem}" for problem in problems)]))


@dataclass(frozen=True)
class Asked:
    """What the environment asks for. Without `keys` the cloud is the sandbox's; `own` is for the function."""

    app_token: str = field(repr=False)
    bot_token: str = field(repr=False)
    signing_secret: str = field(repr=False)
    api_url: str
    keys: Credentials | None
    own: Mapping[str, str]

    @property
    def regions(self) -> str:
        return self.own.get("BOT_REGIONS") or ("cn-hangzhou" if self.keys else REGIONS)


def asked_for(environment: Mapping[str, str]) -> Asked:
    """Raises Unusable."""
    given = {name: value.strip() for name, value in environment.items() if value.strip()}
    app_token, bot_token = given.get("SLACK_APP_TOKEN", ""), given.get("SLACK_BOT_TOKEN", "")
    problems = [
        *_wrong("SLACK_APP_TOKEN", app_token, "xapp-", "Basic Information, App-Level Tokens, scope connections:write"),
        *_wrong("SLACK_BOT_TOKEN", bot_token, "xoxb-", "Install App, Bot User OAuth Token"),
    ]
    if (_KEY_ID in given) != (_KEY_SECRET in given):
        there, absent = (_KEY_ID, _KEY_SECRET) if _KEY_ID in given else (_KEY_SECRET, _KEY_ID)
        problems.append(f"{there} is set, {absent} is not: set both for the real cloud, none for the sandbox's.")
    if problems:
        raise Unusable(*problems)
    return Asked(
        app_token,
        bot_token,
        # Nothing is signed over a socket, but the values of buttons are, and they should outlive a restart.
        given.get("SLACK_SIGNING_SECRET") or hmac.digest(app_token.encode(), b"signing secret", "sha256").hex(),
        given.get("SLACK_API_URL", _SLACK_API).rstrip("/") + "/",
        _keys(given),
        {name: value for name, value in given.items() if name.startswith("BOT_") or name in _PASSED_ON},
    )


def _wrong(name: str, token: str, start: str, where: str) -> list[str]:
    if token.startswith(start):
        return []
    wrong = f"must begin with {start}" if token else "is missing"
    return [f"{name} {wrong} (the Slack app's page, {where}: {start}…)."]


def _keys(given: Mapping[str, str]) -> Credentials | None:
    if _KEY_ID not in given:
        return None
    return Credentials(given[_KEY_ID], given[_KEY_SECRET], given.get("ALIBABA_CLOUD_SECURITY_TOKEN", ""))


def serve(environment: Mapping[str, str]) -> None:
    """Until it is stopped. Raises Unusable or GivenUp, whose texts are for the person at the terminal."""
    asked = asked_for(environment)
    client = web_client(asked.bot_token, asked.api_url)
    _say(*_banner(asked, _who(client)))
    with _function(asked) as address:
        SocketMode(client, asked.app_token, address, _say).run()


def _say(*lines: str) -> None:
    print("\n".join(lines) + "\n", end="", flush=True)  # in one piece: several threads speak


def _who(client: WebClient) -> Mapping[str, str]:
    """auth.test: `team`, `team_id`, `url` and `user` among others."""
    try:
        answer = client.auth_test()
    except SlackApiError as error:
        code = str(error.response.get("error"))
        raise Unusable(f"Slack refuses SLACK_BOT_TOKEN: {code}. Copy it anew (the app's page, Install App).") from error
    except (OSError, HTTPException) as error:
        raise Unusable(f"{client.base_url} is not reached ({type(error).__name__}).") from error
    return {name: str(answer.get(name, "")) for name in ("team", "team_id", "url", "user")}


def _banner(asked: Asked, who: Mapping[str, str]) -> list[str]:
    workspace = f"A REAL WORKSPACE: {who['team']} ({who['url'] or who['team_id']}), where people ask @{who['user']}."
    if asked.keys:
        key_id = asked.keys.key_id
        cloud = f"THE REAL CLOUD: Alibaba Cloud with the keys {key_id[:4]}…{key_id[-4:]}, in {asked.regions}."
        what = "What they read is what really ran there. The bot only reads: it changes nothing in the cloud."
    else:
        cloud = "THE SANDBOX'S CLOUD: every run and instance is made up; no Alibaba Cloud account is asked."
        what = (
            f"The bot only reads. Set {_KEY_ID} and …_SECRET for the real cloud.\n"
            f"Ask in Slack, as in /cloudassist t-hz0jdfwd9f. There is:\n{menu(load_all())}"
        )
    loud = [f"\x1b[1m{line}\x1b[0m" if sys.stdout.isatty() else line for line in (workspace, cloud)]
    return [*loud, what, ""]


@contextlib.contextmanager
def _function(asked: Asked) -> Iterator[Address]:
    """The function, started, with the cloud and the triggers; the address where Slack's requests go."""
    with contextlib.ExitStack() as stack:
        cloud = None if asked.keys else stack.enter_context(_sandbox_cloud(asked.own.get("BOT_ACCOUNTS", "")))
        # The sandbox's runs begin anew each time, and so does what is known of them.
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="cloud-assistant-sandbox-"))
        store = asked.own.get("BOT_STORE") or f"sqlite:///{_lasting()}"
        function = fc.FunctionCompute(
            [sys.executable, "-m", "bot"],
            directory=SOURCE,
            environment={
                **asked.own,
                "SLACK_SIGNING_SECRET": asked.signing_secret,
                "SLACK_BOT_TOKEN": asked.bot_token,
                "SLACK_API_URL": asked.api_url,
                "BOT_REGIONS": asked.regions,
                "BOT_STORE": f"sqlite:///{folder}/bot.sqlite3" if cloud else store,
                **({"ECS_ENDPOINT": cloud.url, "STS_ENDPOINT": cloud.url} if cloud else {}),
            },
            credentials=asked.keys or _ROLE,
        )
        stack.enter_context(function)
        triggers = Triggers(cloud, function) if cloud else Timers(function, Clock())
        address = Address(function.url + PATH, asked.signing_secret)
        _begin(function, address)
        triggers.start()
        stack.callback(triggers.stop)
        yield address


def _sandbox_cloud(accounts: str) -> Cloud:
    """With the roles that BOT_ACCOUNTS names, in accounts where nothing has run."""
    roles = re.findall(r"acs:ram::[^@,|]+", accounts)
    return Cloud(load_all(), secrets={_ROLE.key_id: _ROLE.secret}, tokens={_ROLE.key_id: _ROLE.token}, roles=roles)


def _lasting() -> Path:
    """Where a laptop's bot keeps what it knows; of the real cloud alone."""
    return Path(tempfile.gettempdir()) / f"cloud-assistant-bot-{os.getuid()}" / "real-cloud.sqlite3"


def _begin(function: fc.FunctionCompute, address: Address) -> None:
    """The function answers a first request, or says what is wrong with its settings."""
    body = json.dumps({"type": "url_verification", "challenge": "start"}).encode()
    signed = sign(address.signing_secret, int(time.time()), body)
    if send(address.url, body, {"Content-Type": JSON, **signed}, _START).status != 200:
        raise Unusable(*re.findall(r"^- (.+)$", function.logs(), re.MULTILINE) or ["the function does not start."])
