"""What one channel is told of one thing: its message made once, kept right, and rung where it must ring.

The record `notice/{channel}/{story}` says what stands in the channel. It is claimed for each telling, so that of many
function instances one makes the message; whoever died while posting is followed by one that says it may be a repeat.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

from bot import subscribers
from bot.adapters.slack import MaybePosted
from bot.adapters.store import StoreError
from bot.core import blocks as b
from bot.core import messages
from bot.core.blocks import Message
from bot.core.errors import SlackError
from bot.core.notices import News, Notice, Step, news_from, notice_from, step
from bot.core.subscriptions import mention
from bot.jobs import NOTICE, Job, job_id
from bot.zones import named_zone

if TYPE_CHECKING:
    from bot.answering import Answering, Turn

log = logging.getLogger("bot.notices")

_LEASE = 15.0  # seconds for one telling
_KEEP = 30 * 86_400.0  # seconds
_POSTING = "posting"
_LOST = frozenset({"not_in_channel", "channel_not_found", "is_archived", "restricted_action", "account_inactive"})
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})


def job(
    channel_id: str,
    story: str,
    news: News,
    message: Message,
    rings: Sequence[str],
    runs: Sequence[str],
    now: float,
) -> Job:
    """The job that tells one channel; `runs` are those that may have been answered there already."""
    payload = {
        "channel": channel_id,
        "story": story,
        "news": asdict(news),
        "message": {"text": message.text, "blocks": list(message.blocks)},
        "rings": list(rings),
        "runs": list(runs),
    }
    return Job(NOTICE, job_id("notice", f"{story}-{channel_id}-{news.version}"), int(now), payload)


def tell(answering: Answering, turn: Turn, payload: Mapping[str, Any]) -> None:
    """Carries out one telling. Raises SlackError where Slack asks to wait, and StoreError."""
    if "thread_ts" in payload:
        turn.post_to(payload["channel"], _message(payload), payload["thread_ts"])
        return
    _Telling(answering, turn, payload).carry_out()


def ringing(message: Message, rings: Sequence[str]) -> Message:
    """The message with mentions in front, where its readers and their phones see them."""
    if not rings:
        return message
    mentions = " ".join(map(mention, rings))
    return Message(f"{mentions} {message.text}", (b.context(mentions), *message.blocks))


def seen(answering: Answering, channel_id: str, run_ids: Sequence[str]) -> None:
    """Remembers that a channel has the end of these runs before its eyes, or will have."""
    for run_id in run_ids:
        try:
            answering.store.put(f"seen/{channel_id}/{run_id}", {}, answering.now + _KEEP)
        except StoreError:
            log.warning("not remembered as seen: %s", run_id)


class _Telling:
    """News of one thing for one channel. `_value` is what the record will hold, whatever happens."""

    def __init__(self, answering: Answering, turn: Turn, payload: Mapping[str, Any]) -> None:
        self._answering, self._turn, self._payload = answering, turn, payload
        self._store, self._owner = answering.store, os.urandom(8).hex()
        self._channel, self._news = str(payload["channel"]), news_from(payload["news"])
        self._key = f"notice/{self._channel}/{payload['story']}"
        self._value: dict[str, Any] = {}

    def carry_out(self) -> None:
        now = self._answering.now
        claim = self._store.claim(self._key, self._owner, now, now + _LEASE, now + _KEEP)
        if not claim.won:
            self._turn.again(claim.until - now + 1)
        self._value = claim.value
        try:
            self._told(notice_from(claim.value), now)
        finally:
            self._store.mark(self._key, self._owner, self._value, 0.0)

    def _told(self, before: Notice, now: float) -> None:
        repeat = bool(self._value.get(_POSTING))
        if not before.ts and not repeat and self._seen():
            return
        this = step(before, self._news, now, named_zone(self._answering.settings.timezone) or UTC)
        if this.wait:
            self._turn.again(this.wait)
        if this.show:
            self._show(before, this, repeat=repeat)

    def _seen(self) -> bool:
        runs, now = self._payload["runs"], self._answering.now
        return bool(runs) and all(self._store.get(f"seen/{self._channel}/{run}", now) for run in runs)

    def _show(self, before: Notice, this: Step, *, repeat: bool) -> None:
        message = _message(self._payload)
        message = messages.noted(message, this.note) if this.note else message
        try:
            ts = (self._updated(before, message) if before.ts else "") or self._posted(before, message, repeat=repeat)
        except SlackError as error:
            if error.code not in _LOST:
                raise
            self._lose_channel(error)
            return
        # Should the reply not be queued, the next delivery finds the message and tries again.
        self._value = replace(before, ts=ts).value()
        if this.reply:
            self._turn.follow(self._reply(ts, this.reply), 0)
        self._value = replace(this.after, ts=ts).value()

    def _updated(self, before: Notice, message: Message) -> str:
        """The message's `ts`; "" where it is gone, so that a new one is needed."""
        try:
            self._turn.slack.update(self._channel, before.ts, message)
        except SlackError as error:
            if error.code not in _GONE:
                raise
            return ""
        return before.ts

    def _posted(self, before: Notice, message: Message, *, repeat: bool) -> str:
        """The new message's `ts`. The mark that it is being posted stands where nobody knows how that went."""
        unmarked, marked = self._value, {**replace(before, ts="").value(), _POSTING: True}
        self._store.mark(self._key, self._owner, marked, self._answering.now + _LEASE)
        self._value = marked
        try:
            return self._turn.slack.post(self._channel, message, repeat=repeat)
        except MaybePosted:
            raise
        except SlackError:
            self._value = unmarked
            raise

    def _reply(self, ts: str, text: str) -> Job:
        """A thread reply rings those who follow the thread; a mention rings those whom the subscription names."""
        mentions = " ".join(mention(ring) for ring in self._payload["rings"])
        payload = {
            "channel": self._channel,
            "thread_ts": ts,
            "message": {"text": f"{mentions} {text}".strip(), "blocks": []},
        }
        name = job_id("reply", f"{self._payload['story']}-{self._channel}-{self._news.version}")
        return Job(NOTICE, name, int(self._answering.now), payload)

    def _lose_channel(self, error: SlackError) -> None:
        """A channel that was archived, or that we were removed from, hears nothing any more."""
        lost = subscribers.in_channel(self._store, self._channel, self._answering.now)
        log.error("channel lost (%s), its %d subscriptions are removed: %s", error.code, len(lost), self._channel)
        subscribers.remove(self._store, lost)


def _message(payload: Mapping[str, Any]) -> Message:
    message = payload["message"]
    return Message(message["text"], tuple(message["blocks"]))
