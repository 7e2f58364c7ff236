"""A person's Home, published in order: of two that race the newer is seen in the end.

Slack knows only the hash of the view that it shows. So the store keeps, for each person, when the newest view was
made, written before it is published, and the hash of what was published last. Without a store the last one wins.
"""

from __future__ import annotations

import logging

from bot.adapters.slack import Slack
from bot.adapters.store import Store, StoreError
from bot.core.errors import SlackError
from bot.core.modal import View

log = logging.getLogger("bot.publishing")

_TRIES = 3
_KEPT = 86_400.0  # seconds; after that a view is published without a hash


def publish(slack: Slack, store: Store, key: str, user_id: str, view: View, made: float) -> None:
    """Shows a view made at `made` (seconds since the epoch), unless a newer one is known. Raises SlackError.

    `key` names the person in the store.
    """
    conflicting = ""
    for attempt in range(_TRIES):
        known = _announced(store, key, made)
        if known is None:
            log.info("a newer Home is shown")
            return
        expected = "" if known == conflicting else known
        try:
            shown = slack.publish(user_id, view, expected)
        except SlackError as error:
            if error.code != "hash_conflict" or attempt + 1 == _TRIES:
                raise
            conflicting = expected  # what we know of is no longer shown, and nothing newer was announced: go over it
        else:
            _remember(store, key, made, shown)
            return


def _announced(store: Store, key: str, made: float) -> str | None:
    """The hash that is known, "" where none is, once this view has been announced; None where a newer one was."""
    try:
        for attempt in range(_TRIES):
            record = store.get(key, made)
            if record and record.value["made"] > made:
                return None
            known = str(record.value["hash"]) if record else ""
            over = None if attempt + 1 == _TRIES else record.version if record else 0
            if store.put(key, {"made": made, "hash": known}, made + _KEPT, over):
                return known
    except StoreError as error:
        log.warning("not in order: %s", error)
    return ""


def _remember(store: Store, key: str, made: float, shown: str) -> None:
    """The hash of what is shown; whoever has announced a newer view finds out by itself."""
    try:
        record = store.get(key, made)
        if record and record.value["made"] == made:
            store.put(key, {"made": made, "hash": shown}, made + _KEPT, record.version)
    except StoreError as error:
        log.warning("hash not kept: %s", error)
