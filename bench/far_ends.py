"""The sandbox's Slack and Cloud Assistant in a process of their own.

Questions over the pipe: ("addresses",), ("response_url",), ("answer",), ("press",), ("opened",), ("slow", seconds).
"""

from __future__ import annotations

import math
import time
from multiprocessing.connection import Connection
from typing import Any

from bench.far_process import answering
from bot.core import buttons
from bot.core.handles import Handle, pack
from bot.core.modal import OUTPUTS
from sandbox import slack_interactions as interactions
from sandbox.cloud import SECRETS, TOKENS, Cloud
from sandbox.fc import ENVIRONMENT_CREDENTIALS, REQUEST_CREDENTIALS
from sandbox.scenario import Scenario, build
from sandbox.slack import Slack
from sandbox.slack_workspace import BOT_USER, INCIDENTS, MEI, SIGNING_SECRET

REGION = "cn-hangzhou"
INVOCATION = "t-hz0bench000001"
FAR_REGION = "eu-central-1"
FAR_INVOCATION = "t-fr0bench000001"
TARGETS, FAILED = 40, 3


def scenario(region: str = REGION, invocation: str = INVOCATION, targets: int = TARGETS) -> Scenario:
    """One finished run on `targets` instances, three of them failed: one page of results."""
    digits = len(str(targets))
    return build(
        f"bench {invocation}",
        {
            "title": "bench",
            "about": "One finished run.",
            "ask": invocation,
            "regions": [region],
            "Instance": [{"RegionId": region, "InstanceName": f"web-[{1:0{digits}}-{targets}]"}],
            "Invocation": [
                {
                    "RegionId": region,
                    "InvokeId": invocation,
                    "CommandId": f"c-{invocation[2:]}",
                    "CommandName": "deploy-web",
                    "CommandContent": "systemctl reload web",
                    "CreationTime": "-5m",
                    "targets": [f"web-[{1:0{digits}}-{targets}]"],
                    "InvocationResult": [
                        {
                            "instances": [f"web-[{1:0{digits}}-{FAILED:0{digits}}]"],
                            "StartTime": "-4m40s",
                            "FinishedTime": "-4m",
                            "ExitCode": 1,
                            "Output": "tar: /var/www/app: No space left on device",
                        },
                        {
                            "StartTime": "-4m40s",
                            "FinishedTime": "-4m",
                            "ExitCode": 0,
                            "Output": "release 4.12.0 active",
                        },
                    ],
                }
            ],
        },
    )


def cloud(*scenarios: Scenario, **options: Any) -> Cloud:
    """A Cloud Assistant that knows the credentials of a function, the environment's and each request's."""
    keys = (ENVIRONMENT_CREDENTIALS, REQUEST_CREDENTIALS)
    return Cloud(
        scenarios,
        secrets={**SECRETS, **{key.key_id: key.secret for key in keys}},
        tokens={**TOKENS, **{key.key_id: key.token for key in keys}},
        **options,
    )


class FarEnds:
    def __init__(self) -> None:
        self._slack = Slack().start()
        self._cloud = cloud(scenario(), scenario(FAR_REGION, FAR_INVOCATION)).start()

    def answer(self, name: str, *rest: Any) -> Any:
        match name, rest:
            case "addresses", ():
                return self._slack.url, self._cloud.url
            case "response_url", ():
                self._slack.clear()
                return self._slack.new_response_url(INCIDENTS, MEI)
            case "answer", ():
                message = self._slack.wait_for(1, timeout=60)[0]
                return message.time, message.text
            case "press", ():
                self._slack.clear()
                return self._press()
            case "opened", ():
                return [(call.time, call.outcome) for call in self._slack.calls if call.method == "views.open"]
            case "slow", (seconds,):
                self._cloud.mend()
                self._cloud.fail("slow", times=math.inf, seconds=seconds)
                return None
            case "quick", ():
                self._cloud.mend()
                return None
        raise ValueError(name)

    def _press(self) -> bytes:
        """The body of a press of Outputs, now: Slack gives it three seconds."""
        value = pack(Handle(INVOCATION, MEI, int(time.time())), SIGNING_SECRET)
        blocks = buttons.actions(buttons.Pressable(value, "deploy-web", failed=True))
        workspace = self._slack.workspace
        with self._slack.changed:
            message = workspace.add(INCIDENTS, BOT_USER, "3 of 40 failed", "chat.postMessage", blocks=blocks)
        pressed = interactions.press(blocks, OUTPUTS, None, None, message.ts)
        trigger, url = self._slack.new_trigger(), self._slack.new_response_url(INCIDENTS, MEI, "action", message.ts)
        channel, person = workspace.channels[INCIDENTS], workspace.users[MEI]
        return interactions.payload_form(
            interactions.message_action_payload(message, pressed, channel, person, trigger, url)
        )


def run(pipe: Connection) -> None:
    answering(pipe, FarEnds().answer)
