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

from bot import expected, mutes, seen_ends, subscribers
from bot.adapters.slack import LOST, REPEAT, Posted
from bot.adapters.slack_calls import MaybePosted
from bot.core import blocks as b
from bot.core import buttons, messages, quiet
from bot.core.blocks import Message
from bot.core.errors import SlackError
from bot.core.handles import Handle, pack
from bot.core.notices import News, Notice, Step, news_from, notice_from, step
from bot.core.question import Question
from bot.core.quiet import Held, folded, hold
from bot.core.reports import GOING
from bot.core.texts import _
from bot.core.values import mention
from bot.jobs import NOTICE, Job, job_id
from bot.settings import Settings
from bot.zones import named_zone

if TYPE_CHECKING:
    from bot.adapters.slack import Slack
    from bot.answering import Answering
    from bot.turn import Turn

log = logging.getLogger("bot.notices")

LEASE = 30.0  # seconds for one telling, from when it turns to Slack
FOR_SLACK = 20.0  # seconds of these in which calls to Slack may begin and be tried again
_KEEP = 30 * 86_400.0  # seconds
_POSTING = "posting"
REPLY = "notice_reply"  # in the audit
_NOT_NOW = "restricted_action"  # the workspace's settings forbid it; the channel is there, and may be written to again
_NO_THREAD = frozenset({"thread_not_found", "message_not_found", "cannot_reply_to_message"})
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})


def job(
    channel_id: str,
    story: str,
    news: News,
    message: Message,
    now: float,
    *,
    wishes: Sequence[str],
    rings: Sequence[str] = (),
    runs: Sequence[str] = (),
    commands: Sequence[str] = (),
    event: str = "",
) -> Job:
    """The job that tells one channel. `rings` are whom it mentions, `runs` what may have been answered there already.

    `commands`, by name or else id, or the kind of system `event` are what it is about, for those who have muted some.
    `wishes` are the keys in the store of what asks for it: when all of them have ended, nothing is told.
    """
    payload = {
        "channel": channel_id,
        "story": story,
        "news": asdict(news),
        "message": {"text": message.text, "blocks": list(message.blocks)},
        "rings": list(rings),
        "runs": list(runs),
        "commands": list(commands),
        "event": event,
        "wishes": list(wishes),
    }
    return Job(NOTICE, job_id("notice", f"{story}-{channel_id}-{news.version}"), int(now), payload)


def tell(answering: Answering, turn: Turn, payload: Mapping[str, Any]) -> None:
    """Carries out one telling. Raises SlackError where Slack asks to wait, and StoreError."""
    if not answering.admissions.may_tell(str(payload["channel"])):
        log.warning("not told, since BOT_CHANNELS does not name it: %s", payload["channel"])
        return
    if "thread_ts" in payload:
        _reply(turn, payload)
        return
    _Telling(answering, turn, payload).carry_out()


def with_menu(message: Message, about: Sequence[str], settings: Settings, now: float) -> Message:
    """The message, which is of no run, with the menu that mutes what is like it: what it carries is a mute of that."""
    words = Question(quiet.MUTE, arguments=(*about, *buttons.MUTES[buttons.MUTE_HOUR][1])).words()
    menu = buttons.notice_menu(pack(Handle(words, "", int(now)), settings.signing_secret))
    return message._replace(blocks=(*message.blocks, *menu))


def _reply(turn: Turn, payload: Mapping[str, Any]) -> None:
    """Into the thread of a notice; where somebody has deleted that, as a message of its own."""
    turn.audit(REPLY, payload.get("runs", ()))
    try:
        turn.post_to(payload["channel"], _message(payload), payload["thread_ts"])
    except SlackError as error:
        if error.code not in _NO_THREAD:
            raise
        turn.post_to(payload["channel"], _message(payload))


def ringing(message: Message, rings: Sequence[str]) -> Message:
    """The message with mentions in front, where its readers and their phones see them."""
    if not rings:
        return message
    mentions = " ".join(map(mention, rings))
    return Message(f"{mentions} {message.text}", (b.context(mentions), *message.blocks))


class _Telling:
    """News of one thing for one channel. `_value` is what the record will hold, whatever happens."""

    def __init__(self, answering: Answering, turn: Turn, payload: Mapping[str, Any]) -> None:
        self._answering, self._turn, self._payload = answering, turn, payload
        self._store, self._owner = answering.store, os.urandom(8).hex()
        self._channel, self._news = str(payload["channel"]), news_from(payload["news"])
        self._story = str(payload["story"])
        self._key = f"notice/{self._channel}/{self._story}"
        self._value: dict[str, Any] = {}

    def carry_out(self) -> None:
        now = self._answering.now
        claim = self._store.claim(self._key, self._owner, now, now + LEASE, now + _KEEP)
        if not claim.won:
            self._turn.again(claim.until - now + 1)
        self._value = claim.value
        try:
            self._told(notice_from(claim.value), now)
        finally:
            self._store.mark(self._key, self._owner, self._value, 0.0)

    def _told(self, before: Notice, now: float) -> None:
        held = mutes.held(self._store, self._channel, self._story, now)
        if not any(self._store.get(wish, now) for wish in self._payload["wishes"]):
            mutes.forget(self._store, self._channel, self._story)
            return
        if held and held.news.version > self._news.version:
            return  # what waits is newer
        if not held and self._is_overtaken():
            return
        self._payload = folded(held, self._payload)
        self._news = news_from(self._payload["news"])
        repeat = bool(self._value.get(_POSTING))
        if before.ts or repeat or not seen_ends.has_all(self._store, self._channel, self._payload["runs"], now):
            news = held.with_it(self._news) if held else self._news
            this = step(before, news, now, named_zone(self._answering.settings.timezone) or UTC)
            if this.wait:
                self._turn.again(this.wait)
            if (this.show or this.reply) and not self._unmuted(before, this, held, repeat=repeat):
                return
        if held:
            mutes.forget(self._store, self._channel, self._story)

    def _is_overtaken(self) -> bool:
        """Whether the runs were looked at again since they ended, for more of a rollout: that look tells of all."""
        if self._news.state == GOING:
            return False
        report = self._store.get(f"report/{self._news.occasion}", self._answering.now)
        return report is not None and int(report.value.get("read_at", 0.0) * 1000) > self._news.version

    def _unmuted(self, before: Notice, this: Step, held: Held | None, *, repeat: bool) -> bool:
        """Holds the telling back where a mute wants it, which gives False; else shows it and ends what it breaks.

        An update that rings nobody is no noise: a message that stands already is kept right.
        """
        now, news = self._answering.now, self._news
        covering = mutes.covering(self._store, self._payload, now)
        holding = [one for one in covering if not one.broken_by(news.instances)]
        if holding and (held or this.reply or not before.ts) and not repeat:
            last = max(holding, key=lambda one: one.until)
            mutes.hold(self._store, self._channel, self._story, hold(held, self._payload, last, now), now)
            if before.ts and not before.cause:
                self._keep_right(before)
            return False
        notes = [one.broken(news.instances) for one in covering if one not in holding]
        notes += [held.note(news, now)] if held else []
        self._show(before, replace(this, note=" ".join(filter(None, [this.note, *notes]))), repeat=repeat)
        mutes.remove(self._store, self._channel, [one for one in covering if one not in holding])
        return True

    def _keep_right(self, before: Notice) -> None:
        """A message that says that something goes on says what became of it, though a mute holds back the ringing."""
        try:
            self._updated(before, _message(self._payload))
        except SlackError as error:
            log.warning("not kept right while muted: %s", error)
        self._value = replace(before, told_at=self._answering.now).value()

    def _show(self, before: Notice, this: Step, *, repeat: bool) -> None:
        message = _message(self._payload)
        message = messages.noted(message, this.note) if this.note else message
        stands = not this.show and before.ts
        try:
            stood = Posted(before.ts, before.repeat) if stands else None
            stood = stood or (self._updated(before, message) if before.ts else None)
            ts, marked = stood or self._posted(before, message, repeat=repeat)
        except SlackError as error:
            if error.code not in LOST:
                raise
            self._lose_channel(error)
            return
        self._turn.audit(NOTICE, self._payload["runs"] or [self._story], channel=self._channel, shown=ts)
        # Should the reply not be queued, the next delivery finds the message and tries again.
        self._value = replace(before, ts=ts, repeat=marked).value()
        if this.reply:
            self._turn.follow(self._reply(ts, this.reply), 0)
        self._value = replace(this.after, ts=ts, repeat=marked).value()

    def _updated(self, before: Notice, message: Message) -> Posted | None:
        """The message that stands; None where it is gone, so that a new one is needed."""
        message = messages.noted(message, _(REPEAT)) if before.repeat else message
        slack = self._slack(self._value)
        try:
            slack.update(self._channel, before.ts, message)
        except SlackError as error:
            if error.code in _GONE:
                return None
            if error.code != _NOT_NOW:
                raise
            log.warning("not kept right, since the workspace does not allow it: %s", self._channel)
        return Posted(before.ts, before.repeat)

    def _posted(self, before: Notice, message: Message, *, repeat: bool) -> Posted:
        """The new message. The mark that it is being posted stands where nobody knows how that went."""
        unmarked, marked = self._value, {**replace(before, ts="").value(), _POSTING: True}
        slack, self._value = self._slack(marked), marked
        try:
            return slack.post(self._channel, message, repeat=repeat)
        except MaybePosted:
            raise
        except SlackError:
            self._value = unmarked
            raise

    def _slack(self, value: Mapping[str, Any]) -> Slack:
        """Slack for one call, which ends well before the lease does; raises Postponed where another tells by now."""
        now = self._answering.now
        if not self._store.mark(self._key, self._owner, dict(value), now + LEASE):
            self._turn.again(1.0)
        return self._turn.slack.until(now + FOR_SLACK)

    def _reply(self, ts: str, text: str) -> Job:
        """A thread reply rings those who follow the thread; a mention rings those whom the subscription names."""
        mentions = " ".join(mention(ring) for ring in self._payload["rings"])
        payload = {
            "channel": self._channel,
            "thread_ts": ts,
            "message": {"text": f"{mentions} {text}".strip(), "blocks": []},
            "runs": self._payload["runs"] or [self._story],
        }
        name = job_id("reply", f"{self._story}-{self._channel}-{self._news.version}")
        return Job(NOTICE, name, int(self._answering.now), payload)

    def _lose_channel(self, error: SlackError) -> None:
        """A channel that was archived, or that we were removed from, hears nothing any more."""
        lost = subscribers.in_channel(self._store, self._channel, self._answering.now)
        log.error("channel lost (%s), its %d subscriptions are removed: %s", error.code, len(lost), self._channel)
        subscribers.remove(self._store, lost)
        expected.remove(self._store, expected.in_channel(self._store, self._channel, self._answering.now))


def _message(payload: Mapping[str, Any]) -> Message:
    message = payload["message"]
    return Message(message["text"], tuple(message["blocks"]))
