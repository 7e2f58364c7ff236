"""What timers ask for: one function for each chore, named by the payload of the timer in template.yml.

A payload is `{"job": NAME}`; a timer without one is called by its own name.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from bot import digests, expectations, mutes, polling

if TYPE_CHECKING:
    from bot.answering import Answering
    from bot.turn import Turn

log = logging.getLogger("bot.chores")

Chore = Callable[["Answering", "Turn"], None]
CHORES: dict[str, tuple[Chore, ...]] = {
    "tick": (mutes.release, expectations.queue_due, digests.start_due),
    "poll": (polling.poll,),
}


def do(answering: Answering, turn: Turn, payload: Mapping[str, Any]) -> None:
    """Does the chores of a timer, each of them even where another fails; one of another version is logged."""
    name = _name(payload)
    if name not in CHORES:
        log.warning("no chore of this name: %s", name[:40])
    with ExitStack() as all_of_them:
        for chore in reversed(CHORES.get(name, ())):
            all_of_them.callback(chore, answering, turn)


def _name(payload: Mapping[str, Any]) -> str:
    try:
        wish = json.loads(payload["payload"])
    except ValueError:
        wish = None
    return str(wish.get("job", "")) if isinstance(wish, dict) else str(payload["name"])
