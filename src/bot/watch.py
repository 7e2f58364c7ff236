"""One look at a watched question: fetch, update the message, queue the next look.

A watch is a chain of delayed jobs; each carries all that it needs, so nothing is stored for it. Task ids come from
channel, message and step, so that a repeated delivery cannot fork the chain. `core.watching` decides when to look
next, and when to stop.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot import notices, open_work
from bot.adapters.slack import Place
from bot.adapters.store import StoreError
from bot.core import messages, watching, wording
from bot.core.access import Admission
from bot.core.blocks import Message
from bot.core.errors import CloudError, NotAllowed, SlackError, UsageError, UserError
from bot.core.handles import Handle
from bot.core.messages import noted
from bot.core.model import Instance
from bot.core.open_work import Watched
from bot.core.parsing import parse
from bot.core.summary import Summary, summarise
from bot.jobs import LOOK, Job

if TYPE_CHECKING:
    from bot.answering import Answering, Turn

log = logging.getLogger("bot.watch")

MOST_NAMES = 300  # instance names that a look carries on, so that they are asked for once
_KEEP_REPLIES = 30 * 86_400.0  # seconds for which an answer can be taken back with its thread
_LAST_LOOK = 600.0  # seconds after the longest watch in which its last look may still come
_NO_MEMBER = frozenset({"not_in_channel", "channel_not_found", "is_archived", "restricted_action"})
_GONE = _NO_MEMBER | {"message_not_found", "cant_update_message", "edit_window_closed"}
_GONE |= {"account_inactive", "token_revoked", "invalid_auth", "not_authed"}

NOT_A_MEMBER = (
    "I cannot keep a message up to date here, because I am not in this channel. "
    "Invite me with /invite and ask again to watch; this is how it stands now."
)
NO_END = "A schedule has no end to watch. Ask for its id again to see how its last runs ended."


@dataclass(frozen=True, slots=True)
class Look:
    """What one look hands on to the next: the question, the message, and how far it has come.

    `began` in seconds since the epoch; `silent` looks in a row had no answer; `usual` is a sentence; `link` opens
    the message.
    """

    words: str
    asked_by: str
    asked_name: str
    team_id: str
    enterprise_id: str
    channel_id: str
    thread_ts: str
    ts: str
    began: int
    usual: str = ""
    step: int = 0
    silent: int = 0
    link: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Where and for whom, for lists of watches."""
        return self.team_id, self.asked_by, self.channel_id, self.ts

    @property
    def place(self) -> Place:
        return Place(self.team_id, self.enterprise_id, self.channel_id, self.asked_by, thread_ts=self.thread_ts)

    def job(self, now: float, names: Mapping[str, str]) -> Job:
        """The job of this look: its id names channel, message and step."""
        carried = dict(list(names.items())[:MOST_NAMES])
        name = f"look_{self.channel_id}_{self.ts.replace('.', '-')}_{self.step}"
        return Job(LOOK, name, int(now), {"look": asdict(self), "names": carried})


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look has seen."""

    summary: Summary
    names: Mapping[str, str]
    read_at: float


def begin(answering: Answering, turn: Turn, by: Admission, place: Place, handle: Handle) -> None:
    """Posts the message that is kept up to date, and queues its first look. Raises UserError and CloudError."""
    if by.why_private:
        raise NotAllowed(f"A watch is seen by the channel. {by.why_private}")
    seen = _see(answering, turn, by, handle, {}, first=True)
    if seen.summary.schedules and len(seen.summary.schedules) == len(seen.summary.invocations):
        raise UsageError(NO_END)
    usual = _usual(answering, turn, by, handle, seen.summary)
    look = Look(
        words=handle.words,
        asked_by=by.user_id,
        asked_name=by.name,
        team_id=place.team_id,
        enterprise_id=place.enterprise_id,
        channel_id=place.channel_id,
        thread_ts=place.thread_ts,
        ts="",
        began=int(answering.now),
        usual=usual,
    )
    wait = watching.wait_after(0)
    try:
        ts = turn.post_to(place.channel_id, _progress(answering, by, handle, seen, look, wait), place.thread_ts)
    except SlackError as error:
        if error.code not in _NO_MEMBER:
            raise
        turn.post(place, noted(answering.message(turn, by, handle, private=False), NOT_A_MEMBER), private=False)
        return
    notices.seen(answering, place.channel_id, [one.id for one in seen.summary.invocations])
    first = replace(look, ts=ts, link=open_work.link_to(turn.slack, place.channel_id, ts))
    _note(answering, first, seen, wait)
    turn.follow(first.job(answering.now, seen.names), wait)


def look(answering: Answering, turn: Turn, payload: Mapping[str, Any]) -> None:
    """Carries out one look of a chain; a message that is gone ends it."""
    this, names = Look(**payload["look"]), dict(payload["names"])
    handle = Handle(this.words, this.asked_by, int(answering.now), this.asked_name)
    try:
        by = answering.admit(turn, this.place)
        _carry_out(answering, turn, by, this, handle, names)
    except UserError as error:
        _update(turn, this, messages.sentence(f"I have stopped watching {this.words}. {error}"))
        open_work.watched_no_more(answering.store, this.key)


def _carry_out(
    answering: Answering, turn: Turn, by: Admission, this: Look, handle: Handle, names: dict[str, str]
) -> None:
    age = answering.now - this.began
    try:
        seen = _see(answering, turn, by, handle, names, first=False)
        after = watching.after_look(seen.summary, this.step, age)
        if after.reason == "done":
            _end(answering, turn, by, this, handle, seen.summary)
            open_work.watched_no_more(answering.store, this.key)
            return
        message = _progress(answering, by, handle, seen, this, after.wait)
        then = replace(this, step=this.step + 1, silent=0)
    except CloudError as error:
        log.warning("look %s: %s", this.ts, error.code or "no answer")
        after = watching.after_silence(this.step, this.silent + 1, age)
        then, message, seen = replace(this, step=this.step + 1, silent=this.silent + 1), None, None
    if after.reason:
        _update(turn, this, messages.sentence(f"I have stopped watching {this.words}: {_WHY[after.reason]}"))
        open_work.watched_no_more(answering.store, this.key)
    elif message is not None and not _update(turn, this, message):
        open_work.watched_no_more(answering.store, this.key)
    else:
        _note(answering, then, seen, after.wait)
        turn.follow(then.job(answering.now, seen.names if seen else names), after.wait)


def _note(answering: Answering, this: Look, seen: _Seen | None, wait: float) -> None:
    """What a list of watches says of this one until its next look; before that is queued, which may end the watch."""
    what = f"{watching.done_words(seen.summary)}: {wording.what(seen.summary.invocations)}" if seen else ""
    watched = Watched(this.words, what, this.began, int(answering.now + wait), this.link)
    open_work.watching(answering.store, this.key, watched, this.began + watching.LONGEST + _LAST_LOOK)


_WHY = {
    "too old": "a day is over. Ask again to go on.",
    "silent": "Alibaba Cloud gave no answer, many times in a row. Ask again to go on.",
}


def _see(
    answering: Answering, turn: Turn, by: Admission, handle: Handle, names: Mapping[str, str], *, first: bool
) -> _Seen:
    """How the runs stand, from DescribeInvocations alone; names of instances are asked for once."""
    lookup = answering.desk(turn, by, handle, private=False).lookup
    found = lookup.progress(parse(handle.words), with_names=first)
    known = {**names, **{one.id: one.name for one in found.instances.values() if one.name}}
    instances = {one: Instance(one, "", name) for one, name in known.items()}
    return _Seen(summarise(found.invocations, (), instances), known, found.read_at)


def _usual(answering: Answering, turn: Turn, by: Admission, handle: Handle, summary: Summary) -> str:
    """How long the last runs of the same command took; "" where nothing is known of them."""
    lookup = answering.desk(turn, by, handle, private=False).lookup
    return messages.usual(watching.durations(lookup.earlier(summary.invocations[0])))


def _progress(answering: Answering, by: Admission, handle: Handle, seen: _Seen, this: Look, wait: float) -> Message:
    now = datetime.fromtimestamp(answering.now, UTC)
    frame = messages.Frame(
        now=now,
        asked_by=this.asked_name,
        zone=by.zone,
        read_at=datetime.fromtimestamp(seen.read_at, UTC),
        next_look=now + timedelta(seconds=wait),
        notes=(this.usual,) if this.usual else (),
    )
    return messages.progress(seen.summary, frame, answering.refresh_button(by, handle, seen.summary))


def _end(answering: Answering, turn: Turn, by: Admission, this: Look, handle: Handle, summary: Summary) -> None:
    """The whole answer in place; and, because an update rings nobody, a reply where something went wrong."""
    message = answering.message(turn, by, handle, private=False)
    if not _update(turn, this, message, last=True) or not watching.ended_badly(summary):
        return
    thread = this.thread_ts or this.ts
    ts = turn.post_to(this.channel_id, messages.ringing(message, this.asked_by), thread)
    _remember_reply(answering, this, ts)


def _update(turn: Turn, this: Look, message: Message, *, last: bool = False) -> bool:
    """Whether the message is still there. An update that Slack puts off is left out, but for the last one."""
    try:
        turn.slack.update(this.channel_id, this.ts, message)
    except SlackError as error:
        if error.code in _GONE:
            log.info("watch ended, message gone: %s", error.code)
            return False
        if last:
            raise
        log.warning("update left out: %s", error)
    return True


def _remember_reply(answering: Answering, this: Look, ts: str) -> None:
    key = f"replies/{this.channel_id}/{this.ts}"
    try:
        answering.store.put(key, {"ts": [ts]}, answering.now + _KEEP_REPLIES)
    except StoreError:
        log.warning("reply not remembered")


def replies(answering: Answering, channel_id: str, ts: str) -> list[str]:
    """Thread replies of ours under a message, to be taken back with it."""
    try:
        record = answering.store.get(f"replies/{channel_id}/{ts}", answering.now)
    except StoreError:
        return []
    return list(record.value["ts"]) if record else []
