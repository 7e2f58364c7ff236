"""One look at a watched question: fetch, update the message, queue the next look.

A watch is a chain of delayed jobs; each carries all that it needs. Task ids come from channel, message and step, so
that a repeated delivery cannot fork the chain. A claim in the store keeps a second watch of the same runs out of the
channel; without a store there are two. `core.watching` decides when to look next, and when to stop.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot import open_work, replies, seen_ends
from bot.adapters.slack import CANNOT_POST, REPEAT, Place
from bot.adapters.store import Value
from bot.claims import Claim
from bot.core import messages, watching, wording
from bot.core.access import Admission
from bot.core.blocks import Message
from bot.core.errors import BotError, CloudError, SlackError, UsageError, UserError
from bot.core.handles import Handle
from bot.core.messages import noted
from bot.core.model import Instance
from bot.core.open_work import Watched
from bot.core.parsing import parse
from bot.core.summary import Summary, summarise
from bot.core.texts import N_, _
from bot.jobs import LOOK, Job

if TYPE_CHECKING:
    from bot.answering import Answering
    from bot.turn import Turn

log = logging.getLogger("bot.watch")

MOST_NAMES = 300  # instance names that a look carries on, so that they are asked for once
_GRACE = 120.0  # seconds past its next look for which a watch still counts as living
_LATE = 15.0  # seconds past its next look after which Refresh revives it
_LAST_LOOK = 600.0  # seconds after the longest watch in which its last look may still come
_GONE = CANNOT_POST | {"message_not_found", "cant_update_message", "edit_window_closed"}
_GONE |= {"account_inactive", "not_authed"}

NOT_A_MEMBER = N_(
    "I cannot keep a message up to date here, because I am not in this channel. "
    "Invite me with /invite and ask again to watch; this is how it stands now."
)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look hands on to the next: the question, the message, and how far it has come.

    `began` in seconds since the epoch; `silent` looks in a row had no answer; `usual` is a sentence; `link` opens
    the message, which may be a `repeat` and says so. `owner` is the job that holds the claim; `chain` tells a revived
    chain's jobs from those of the one that broke.
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
    owner: str = ""
    chain: int = 0
    repeat: bool = False

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
        name = f"look_{self.channel_id}_{self.ts.replace('.', '-')}_{self.chain}_{self.step}"
        return Job(LOOK, name, int(now), {"look": asdict(self), "names": carried})


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look has seen."""

    summary: Summary
    names: Mapping[str, str]
    read_at: float
    notes: tuple[str, ...]


def begin(answering: Answering, turn: Turn, by: Admission, place: Place, handle: Handle) -> None:
    """Posts the message that is kept up to date, and queues its first look. Raises UserError and CloudError."""
    if by.why_private:
        note = _("A watch is seen by the channel. {why}", why=by.why_private)
        turn.post(place, noted(answering.message(turn, by, handle, private=True), note), private=True)
        return
    words = parse(handle.words)._replace(subcommand="show").words()
    asked = replace(handle, words=words, asked_by=by.user_id, asked_name=by.name)
    look = _first_look(answering, turn, place, asked)
    claim = _claim(answering, look)
    look = replace(look, ts=_claimed(answering, turn, claim, place.channel_id))
    try:
        with answering.aloud():
            _post(answering, turn, by, place, look, asked)
    except BotError:  # after a crash the same job comes again, and still holds the claim
        claim.release(answering.now)
        raise


def _first_look(answering: Answering, turn: Turn, place: Place, handle: Handle) -> Look:
    return Look(
        words=handle.words,
        asked_by=handle.asked_by,
        asked_name=handle.asked_name,
        team_id=place.team_id,
        enterprise_id=place.enterprise_id,
        channel_id=place.channel_id,
        thread_ts=place.thread_ts,
        ts="",
        began=int(answering.now),
        owner=turn.job_id,
    )


def _claim(answering: Answering, of: Look) -> Claim:
    """One living watch of the same runs in a channel."""
    runs = hashlib.sha256(" ".join(sorted(parse(of.words).invocations)).encode()).hexdigest()[:32]
    return Claim(answering.store, f"claim/watch/{of.channel_id}/{runs}", of.owner)


def _claimed(answering: Answering, turn: Turn, claim: Claim, channel_id: str) -> str:
    """The message that an earlier delivery of this job has posted already, mostly ""; raises UsageError."""
    ours, held = claim.take(answering.now, _GRACE)
    ts = str(held.get("ts", ""))
    if ours:
        return ts
    try:
        link = turn.slack.permalink(channel_id, ts) if ts else ""
    except SlackError as error:
        link = ""
        if error.code == "message_not_found":
            claim.seize(answering.now, _GRACE)
            return ""
    if link:
        raise UsageError("I am watching it already: {link}", link=link)
    raise UsageError("I am watching it already.")


def _post(answering: Answering, turn: Turn, by: Admission, place: Place, look: Look, handle: Handle) -> None:
    seen = _see(answering, turn, by, handle, {}, first=True)
    if seen.summary.schedules and len(seen.summary.schedules) == len(seen.summary.invocations):
        raise no_end(seen.summary)
    look = replace(look, usual=_usual(answering, turn, by, seen.summary))
    wait = watching.wait_after(0)
    if not look.ts:
        message = _progress(answering, by, handle, seen, look, wait)
        try:
            ts, repeat = turn.post_to(look.channel_id, message, look.thread_ts)
            look = replace(look, ts=ts, repeat=repeat)
        except SlackError as error:
            if error.code not in CANNOT_POST:
                raise
            _claim(answering, look).release(answering.now)
            turn.post(place, noted(answering.message(turn, by, handle, private=False), _(NOT_A_MEMBER)), private=False)
            return
        replies.remember(answering.store, answering.now, look.channel_id, look.thread_ts, replies.REPLY, look.ts)
    look = replace(look, link=open_work.link_to(turn.slack, look.channel_id, look.ts))
    seen_ends.remember(answering.store, look.channel_id, [one.id for one in seen.summary.invocations], answering.now)
    _go_on(answering, turn, look, seen, seen.names, wait)


def no_end(summary: Summary) -> UsageError:
    """Why a schedule is not watched, and what to do instead."""
    name = wording.name(summary.invocations[0].command_name, 40)
    subscribe = f"subscribe command:{name}" if name else "subscribe"
    return UsageError(
        "A schedule has no end to watch. Type {words} to have this channel told when its runs fail, "
        "or ask for its id to see how the last ones ended.",
        words=subscribe,
    )


def _go_on(
    answering: Answering, turn: Turn, then: Look, seen: _Seen | None, names: Mapping[str, str], wait: float
) -> None:
    """Queues a look. Before that the store is told which message is watched and when it is looked at next."""
    held: Value = {"ts": then.ts, "due": int(answering.now + wait)}
    _claim(answering, then).mark(held, answering.now, wait + _GRACE)
    what = f"{watching.done_words(seen.summary)}: {wording.what(seen.summary.invocations)}" if seen else ""
    watched = Watched(then.words, what, then.began, int(answering.now + wait), then.link)
    open_work.watching(answering.store, then.key, watched, then.began + watching.LONGEST + _LAST_LOOK)
    turn.follow(then.job(answering.now, names), wait)


def _over(answering: Answering, this: Look, *, told: bool = False) -> None:
    """Whoever was not told the end here is to be told it where the channel has subscribed to it."""
    if not told:
        seen_ends.forget(answering.store, this.channel_id, parse(this.words).invocations)
    _claim(answering, this).release(answering.now)
    open_work.watched_no_more(answering.store, this.key)


def refresh(answering: Answering, turn: Turn, by: Admission, place: Place, handle: Handle, ts: str) -> None:
    """Looks out of turn. `handle.made` is when the next look is due: where that is long over, the chain is revived.

    Raises UserError and CloudError.
    """
    now, due = answering.now, handle.made
    this = replace(_first_look(answering, turn, place, handle), ts=ts, chain=due)
    if now > due + _LATE:
        claim = _claim(answering, this)
        ours, held = claim.take(now, _GRACE)
        due = int(held.get("due", 0))
        if ours or now > due + _LATE:
            if not ours:
                claim.seize(now, _GRACE)
            with answering.aloud():
                _carry_out(answering, turn, by, this, handle, {})
            return
        if held.get("ts") != ts:  # another message watches the same by now
            turn.slack.replace(place, ts, answering.message(turn, by, handle, private=False))
            return
    with answering.aloud():
        seen = _see(answering, turn, by, handle, {}, first=True)
        this = replace(this, usual=_usual(answering, turn, by, seen.summary))
        _update(turn, this, _progress(answering, by, handle, seen, this, due - now))


def look(answering: Answering, turn: Turn, payload: Mapping[str, Any]) -> None:
    """Carries out one look of a chain; a message that is gone ends it, and so does a chain that took over."""
    this, names = Look(**payload["look"]), dict(payload["names"])
    claim = _claim(answering, this)
    ours, _held = claim.take(answering.now, _GRACE)
    if not ours:
        log.info("another chain looks at %s", this.ts)
        return
    handle = Handle(this.words, this.asked_by, int(answering.now), this.asked_name)
    try:
        by = answering.admissions.admit(turn, this.place)
        with answering.aloud():
            _carry_out(answering, turn, by, this, handle, names)
    except UserError as error:
        _update(turn, this, messages.sentence(_("I have stopped watching {words}. {why}", words=this.words, why=error)))
        _over(answering, this)


def _carry_out(
    answering: Answering, turn: Turn, by: Admission, this: Look, handle: Handle, names: dict[str, str]
) -> None:
    age = answering.now - this.began
    seen = None
    try:
        seen = _see(answering, turn, by, handle, names, first=not (this.step or names))
        after = watching.after_look(seen.summary, this.step, age)
        if after.reason == "done":
            told = _end(answering, turn, by, this, handle, seen.summary)
            _over(answering, this, told=told)
            return
        if not (this.step or this.usual):
            this = replace(this, usual=_usual(answering, turn, by, seen.summary))
        message = _progress(answering, by, handle, seen, this, after.wait)
        then = replace(this, step=this.step + 1, silent=0)
    except CloudError as error:
        log.warning("look %s: %s", this.ts, error.code or "no answer")
        after = watching.after_silence(this.step, this.silent + 1, age)
        then, message = replace(this, step=this.step + 1, silent=this.silent + 1), None
    if after.reason:
        message = messages.sentence(
            _("I have stopped watching {words}: {why}", words=this.words, why=_(_WHY[after.reason]))
        )
    if (message is None or _update(turn, this, message)) and not after.reason:
        _go_on(answering, turn, then, seen, seen.names if seen else names, after.wait)
    else:
        _over(answering, this)


_WHY = {
    "too old": N_("a day is over. Ask again to go on."),
    "silent": N_("Alibaba Cloud gave no answer, many times in a row. Ask again to go on."),
}


def _see(
    answering: Answering, turn: Turn, by: Admission, handle: Handle, names: Mapping[str, str], *, first: bool
) -> _Seen:
    """How the runs stand, from DescribeInvocations alone; names of instances are asked for once."""
    found = answering.lookup(turn, by.limit).progress(parse(handle.words), with_names=first)
    known = {**names, **{one.id: one.name for one in found.instances.values() if one.name}}
    instances = {one: Instance(one, "", name) for one, name in known.items()}
    return _Seen(summarise(found.invocations, (), instances), known, found.read_at, found.notes)


def _usual(answering: Answering, turn: Turn, by: Admission, summary: Summary) -> str:
    """How long the last runs of the same command took; "" where nothing is known of them."""
    earlier = answering.lookup(turn, by.limit).earlier(summary.invocations[0])
    return messages.usual(watching.durations(earlier))


def _progress(answering: Answering, by: Admission, handle: Handle, seen: _Seen, this: Look, wait: float) -> Message:
    now = datetime.fromtimestamp(answering.now, UTC)
    frame = messages.Frame(
        now=now,
        asked_by=this.asked_name,
        zone=by.zone,
        read_at=datetime.fromtimestamp(seen.read_at, UTC),
        next_look=now + timedelta(seconds=wait),
        notes=(*seen.notes, *([this.usual] if this.usual else [])),
    )
    button = answering.look_button(handle, seen.summary, int(answering.now + wait))
    return messages.progress(seen.summary, frame, button)


def _end(answering: Answering, turn: Turn, by: Admission, this: Look, handle: Handle, summary: Summary) -> bool:
    """The whole answer in place; and, because an update rings nobody, a reply where something went wrong.

    False where the message is gone.
    """
    message = answering.message(turn, by, handle, private=False)
    if not _update(turn, this, message, last=True):
        return False
    turn.audit(LOOK, channel=this.channel_id, shown=this.ts)
    if not watching.ended_badly(summary):
        return True
    thread = this.thread_ts or this.ts
    ts = turn.post_to(this.channel_id, messages.ringing(message, this.asked_by), thread).ts
    replies.remember(answering.store, answering.now, this.channel_id, this.ts, replies.REPLY, ts)
    return True


def _update(turn: Turn, this: Look, message: Message, *, last: bool = False) -> bool:
    """Whether the message is still there. An update that Slack puts off is left out, but for the last one."""
    try:
        turn.slack.update(this.channel_id, this.ts, noted(message, _(REPEAT)) if this.repeat else message)
    except SlackError as error:
        if error.code in _GONE:
            log.info("watch ended, message gone: %s", error.code)
            return False
        if last:
            raise
        log.warning("update left out: %s", error)
    return True
