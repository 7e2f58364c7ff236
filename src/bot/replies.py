"""What the bot has put under an answer, so that it can be taken back with it: thread replies and files.

One record each, `under/CHANNEL/TS/ID`, so that two who write at once lose nothing. A reply may have others under it.
"""

from __future__ import annotations

import logging

from bot.adapters.slack import Slack
from bot.adapters.store import Store, StoreError
from bot.core.errors import SlackError

log = logging.getLogger("bot.replies")

REPLY, FILE = "reply", "file"
_KEEP = 30 * 86_400.0  # seconds for which an answer can be taken back with what is under it


def remember(store: Store, now: float, channel_id: str, ts: str, kind: str, one: str) -> None:
    """Under the message `ts` stands this reply (its own `ts`) or file (its id); "" where Slack named none."""
    if not (ts and one):
        return
    try:
        store.put(f"under/{channel_id}/{ts}/{one}", {"kind": kind, "id": one}, now + _KEEP)
    except StoreError:
        log.warning("%s not remembered", kind)


def take_back(store: Store, slack: Slack, now: float, channel_id: str, ts: str) -> list[str]:
    """Deletes all that is under a message; the codes of what Slack kept. Raises SlackError where Slack asks to wait."""
    kept = []
    try:
        records = store.list(f"under/{channel_id}/{ts}/", now)
        for record in records:
            kept += _delete(store, slack, now, channel_id, str(record.value["kind"]), str(record.value["id"]))
            store.delete(record.key)
    except StoreError:
        log.warning("not known what is under a message")
    return kept


def _delete(store: Store, slack: Slack, now: float, channel_id: str, kind: str, one: str) -> list[str]:
    below = take_back(store, slack, now, channel_id, one) if kind == REPLY else []
    try:
        if kind == REPLY:
            slack.delete(channel_id, one)
        else:
            slack.delete_file(one)
    except SlackError as error:
        if error.retry_after is not None:
            raise
        return [*below, error.code]
    return below
