"""The three peers and the real function between them: what the demo shows and what the tests drive.

The function runs as `template.yml` starts it: `python3 -m bot` from the source folder, with the environment that
Function Compute gives it, frozen between requests.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sandbox import fc
from sandbox.cloud import SECRETS, TOKENS, Cloud
from sandbox.fc_triggers import Triggers
from sandbox.scenario import load_all
from sandbox.scenario_values import Scenario
from sandbox.slack import Slack
from sandbox.slack_requests import Response
from sandbox.slack_workspace import BOT_TOKEN, BOT_USER, INCIDENTS, MEI, SIGNING_SECRET, Message

SOURCE = Path(__file__).resolve().parents[1]
PATH = "/slack/events"
REGIONS = "cn-hangzhou,cn-hongkong,cn-shanghai,cn-beijing,cn-shenzhen,ap-southeast-1"

_CREDENTIALS = (fc.ENVIRONMENT_CREDENTIALS, fc.REQUEST_CREDENTIALS)


class Stage:
    """`environment` overrides what the function is started with; `options` go to FunctionCompute.

    `events`: EventBridge and the timers follow the cloud's clock. Else nothing happens until `triggers.look()`.
    `roles`: ARNs of roles in other accounts that the function may take on.
    """

    def __init__(
        self,
        scenarios: Iterable[Scenario] | None = None,
        environment: Mapping[str, str] | None = None,
        command: Iterable[str] = (sys.executable, "-m", "bot"),
        *,
        directory: Path = SOURCE,
        events: bool = False,
        roles: Iterable[str] = (),
        **options: Any,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="cloud-assistant-sandbox-")
        self.scenarios = load_all() if scenarios is None else tuple(scenarios)
        self.cloud = Cloud(
            self.scenarios,
            secrets={**SECRETS, **{one.key_id: one.secret for one in _CREDENTIALS}},
            tokens={**TOKENS, **{one.key_id: one.token for one in _CREDENTIALS}},
            roles=roles,
        )
        self.slack = Slack()
        defaults = {
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_API_URL": f"{self.slack.url}/api/",
            **dict.fromkeys(("ECS_ENDPOINT", "STS_ENDPOINT", "KMS_ENDPOINT", "OOS_ENDPOINT"), self.cloud.url),
            "BOT_REGIONS": REGIONS,
            "BOT_STORE": f"sqlite:///{self._folder.name}/bot.sqlite3",
        }
        self.fc = fc.FunctionCompute(
            list(command), directory=directory, environment={**defaults, **(environment or {})}, **options
        )
        self.triggers, self._events = Triggers(self.cloud, self.fc), events

    @property
    def url(self) -> str:
        """Where Slack sends its requests."""
        return self.fc.url + PATH

    def slash(self, text: str, channel: str = INCIDENTS, user: str = MEI) -> Response:
        """A slash command as a person types it; the ack comes back."""
        return self.slack.command(self.url, text, channel=channel, user=user)

    def ask(
        self, text: str, channel: str = INCIDENTS, user: str = MEI, timeout: float = 60, *, delayed: bool = True
    ) -> list[Message]:
        """What the bot said to a slash command: its answer, or the private sentence in its ack.

        Without `delayed`, only what it says at once: a watch goes on behind this.
        """
        before = len(self._answers())
        self.slash(text, channel, user)
        self.fc.wait_idle(timeout, delayed=delayed)
        return self._answers()[before:]

    def hasten(self, seconds: float) -> None:
        """Let time go by at once, for the runs in the cloud and for what the function has put off, step by step."""
        self.fc.hasten(seconds, self.cloud.clock.advance)

    def _answers(self) -> list[Message]:
        return [message for message in self.slack.messages if message.user == BOT_USER]

    def __enter__(self) -> Self:
        for peer in (self.cloud, self.slack, self.fc):
            peer.start()
        if self._events:
            self.triggers.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.triggers.stop()
        for peer in (self.fc, self.slack, self.cloud):
            peer.stop()
        self._folder.cleanup()
