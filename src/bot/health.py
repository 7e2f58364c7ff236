"""`status`: what this process, the store and the libraries say of themselves."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import bot
from bot import heard
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
    last: dict[str, float] = {}
    try:
        throttles = [_throttle(one) for one in answering.store.list(THROTTLES, answering.now)]
        events = {region: heard.last(answering.store, region, answering.now) for region in settings.regions}
        last = {region: one.at for region, one in events.items() if one}
    except StoreError:
        throttles = None
    told = Status(
        versions=versions(),
        busy=turn.busy,
        store=type(answering.store).__name__.removesuffix("Store"),
        store_lasts=settings.store_lasts,
        regions=settings.regions,
        throttles=throttles,
        heard=last,
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
