"""`status`: what this process, the store and the libraries say of themselves."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import bot
from bot.adapters.cloud_assistant import THROTTLES
from bot.adapters.store import Record, StoreError
from bot.core import status
from bot.core.access import Admission
from bot.core.blocks import Message
from bot.core.status import Status, Throttle

if TYPE_CHECKING:
    from bot.answering import Answering
    from bot.turn import Turn

_LIBRARIES = ("slack-bolt", "slack-sdk", "flask", "waitress", "alibabacloud-tea-openapi", "tablestore")


def message(answering: Answering, turn: Turn, by: Admission) -> Message:
    settings = answering.settings
    throttles: list[Throttle] | None = None
    heard: dict[str, float | None] = {}
    try:
        throttles = [_throttle(one) for one in answering.store.list(THROTTLES, answering.now)]
        heard = {region: _heard(answering, region) for region in settings.regions}
    except StoreError:
        throttles = None
    told = Status(
        versions=versions(),
        busy=turn.busy,
        store=type(answering.store).__name__.removesuffix("Store"),
        store_lasts=settings.store_lasts,
        regions=settings.regions,
        throttles=throttles,
        heard=heard,
        paused=settings.paused,
    )
    return status.message(told, by.zone, answering.now)


def versions() -> dict[str, str]:
    """Of the bot, of Python and of the libraries that are installed."""
    found = {"bot": bot.__version__, "Python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _throttle(record: Record) -> Throttle:
    action, region = record.key.removeprefix(THROTTLES).split("/", 1)
    return Throttle(action, region, float(record.value["until"]))


def _heard(answering: Answering, region: str) -> float | None:
    record = answering.store.get(f"heard/{region}", answering.now)
    return float(record.value["at"]) if record else None
