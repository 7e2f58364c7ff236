"""Rows in the API's own form, and what the tests of messages share."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.core import messages
from bot.core.blocks import Message
from bot.core.model import Instance, Invocation, InvocationResult, invocation_from, result_from
from bot.core.summary import Summary, summarise
from sandbox.block_kit import message_problems, pings

REGION = "cn-hangzhou"
RUN = "t-hz0jdfwd9f"
NOW = datetime(2026, 11, 24, 21, 10, tzinfo=UTC)
FRAME = messages.Frame(now=NOW, asked_by="mei", read_at=datetime(2026, 11, 24, 21, 9, 54, tzinfo=UTC))

HOSTILE = (
    "<!channel> <!here> <@U012AB3CD> <!subteam^S1> <https://evil.example|click> ```fence``` `tick`",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \u202egnp.exe \u2066x\u2069 \u200f",
    "nul\x00 bell\x07 half\ud83d &amp; <&> \ufffe \U000e0041",
    "*bold* _it_ ~no~ :rotating_light: @channel @here",
)


def row(instance: str, status: str = "Success", output: str | bytes = b"", **fields: Any) -> dict[str, Any]:
    """A row of DescribeInvocationResults that ran for a minute."""
    raw = output.encode("utf-8", "surrogatepass") if isinstance(output, str) else output
    return {
        "InvokeId": RUN,
        "InstanceId": instance,
        "InvocationStatus": status,
        "Output": base64.b64encode(raw).decode(),
        "StartTime": "2026-11-24T21:01:00Z",
        "FinishedTime": "2026-11-24T21:02:00Z",
        "Username": "root",
        **fields,
    }


def failed(instance: str, output: str | bytes = b"", code: int = 1, **fields: Any) -> dict[str, Any]:
    return row(instance, "Failed", output, **{"ExitCode": code, "ErrorCode": "ExitCodeNonzero", **fields})


def succeeded(instance: str, output: str | bytes = b"", **fields: Any) -> dict[str, Any]:
    return row(instance, "Success", output, ExitCode=0, **fields)


def never_ran(instance: str, code: str = "ClientNotOnline", **fields: Any) -> dict[str, Any]:
    return row(instance, "Aborted", ErrorCode=code, StartTime="", FinishedTime="", **fields)


def running(instance: str, **fields: Any) -> dict[str, Any]:
    return row(instance, "Running", FinishedTime="", **fields)


def results_of(rows: Iterable[dict[str, Any]], region: str = REGION) -> list[InvocationResult]:
    return [result_from(one, region) for one in rows]


def invocation(rows: Iterable[dict[str, Any]] = (), region: str = REGION, **fields: Any) -> Invocation:
    targets = [{key: value for key, value in one.items() if key != "Output"} for one in rows]
    return invocation_from(
        {
            "InvokeId": RUN,
            "CommandId": "c-hz0jdfwcsr",
            "CommandName": "deploy-web",
            "CreationTime": "2026-11-24T21:00:58Z",
            "InvocationStatus": "Success",
            "RepeatMode": "Once",
            "Timeout": 600,
            "InvokeInstances": {"InvokeInstance": targets},
            **fields,
        },
        region,
    )


def summary_of(rows: list[dict[str, Any]], names: dict[str, str] | None = None, **fields: Any) -> Summary:
    instances = {one: Instance(one, REGION, name) for one, name in (names or {}).items()}
    return summarise([invocation(rows, **fields)], results_of(rows), instances)


def payload(message: Message) -> dict[str, Any]:
    return {"text": message.text, "blocks": list(message.blocks)}


def refused(message: Message) -> list[str]:
    """What Slack would refuse in a message, and whom it would ring."""
    return [*message_problems(payload(message)), *(f"rings: {token}" for token in pings(payload(message)))]


def shown(message: Message) -> str:
    """What an eye sees: the text of all blocks, in order."""
    return "\n".join(_texts(list(message.blocks)))


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        told = [value["fallback"]] if value.get("type") == "date" else []
        own = value.get("text")
        told += [own] if isinstance(own, str) else []
        return told + [text for part in value.values() if not isinstance(part, str) for text in _texts(part)]
    return [text for part in value for text in _texts(part)] if isinstance(value, list) else []


def golden(folder: Path, language: str) -> Path:
    """Where golden messages in a language stand: English ones in the folder itself."""
    return folder if language == "en" else folder / language


AsGolden = Callable[[Path, str, str, Mapping[str, Any]], None]
"""The fixture `as_golden`, by folder, language, name and what is sent."""
