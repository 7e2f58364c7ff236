"""One function for each thing that can be pressed; the question stands in what was pressed (`core.handles`).

Rights are checked again at each press. A press on an old message works, or says why not; a second press of the same
button does nothing twice.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot import handovers, home, modals, open_work, replies, watch
from bot.adapters.slack import Place
from bot.answering import Answering
from bot.claims import Claim
from bot.core import buttons, handoff, handover, messages, quiet, standing, unmet
from bot.core.access import Admission
from bot.core.blocks import Message
from bot.core.errors import CloudError, NotAllowed, SlackError, UsageError, UserError
from bot.core.handles import Handle, unpack
from bot.core.modal import OUTPUTS
from bot.core.open_work import OnIt
from bot.core.outputs import State
from bot.core.parsing import parse
from bot.core.question import Question
from bot.core.texts import N_, _
from bot.every_order import carry_out
from bot.slack_requests import UNOPENED, opens_modal
from bot.turn import Turn

_NOTHING_NAMED = N_("That message names no run (t-…), instance (i-…), command (c-…) or IP address.")
_NOT_CHANGED = N_("Slack did not let me change that message, so please type the question again ({code}).")
_ONE_COPY = 30.0  # seconds: a copy is lost when Slack is opened anew, so that it may be wanted again
_A_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Pressed:
    """One press on one message: what is carried, and where it was. `private`: only one person sees the message."""

    action_id: str
    value: str
    handle: Handle
    place: Place
    ts: str
    private: bool

    @property
    def thread_ts(self) -> str:
        """Where details go: the thread that the message is in, else its own."""
        return self.place.thread_ts or self.ts


Press = Callable[[Answering, Turn, Pressed, Admission], None]
PRESSES: dict[str, Press] = {}


def press(action_id: str) -> Callable[[Press], Press]:
    def register(run: Press) -> Press:
        PRESSES[action_id] = run
        return run

    return register


def pressed(answering: Answering, turn: Turn, payload: Mapping[str, Any], place: Place) -> None:
    """Carries a press out; what a person can use of its errors is said privately."""
    if "view" in payload:
        _pressed_in_view(answering, turn, payload, place)
        return
    try:
        one = _read(payload, place, answering.settings.signing_secret)
        turn.audit(one.action_id, parse(one.handle.words).invocations)
        if answering.settings.paused:
            raise UsageError(answering.settings.paused)
        if trigger := payload.get(UNOPENED):
            modals.open_late(turn, str(trigger))
        PRESSES[one.action_id](answering, turn, one, answering.admissions.admit(turn, place))
    except SlackError as error:
        if error.retry_after is not None:
            raise  # the worker waits as Slack asks
        turn.post(place, messages.sentence(_(_NOT_CHANGED, code=error.code)), private=True)
    except (UserError, CloudError) as error:
        turn.told(error)
        if not (opens_modal(payload) and modals.fail(turn, error)):
            text = messages.sentence(str(error)) if isinstance(error, UserError) else messages.cloud_error(error)
            turn.post(place, text, private=True)


def _pressed_in_view(answering: Answering, turn: Turn, payload: Mapping[str, Any], place: Place) -> None:
    """A view is the modal, or a person's Home."""
    if payload["view"].get("type") == "home":
        home.pressed(answering, turn, place)
    else:
        modals.pressed(answering, turn, payload, place)


def look_up_named(answering: Answering, turn: Turn, payload: Mapping[str, Any], place: Place) -> None:
    """Every id and address that a message names, found by the door, is answered in the message's thread."""
    message = payload.get("message") or {}
    thread = replace(place, thread_ts=str(message.get("thread_ts") or message.get("ts") or ""), response_url="")
    for words in payload.get("named") or ():
        _answer_named(answering, turn, words, thread)
    if not payload.get("named"):
        turn.post(place, messages.sentence(_(_NOTHING_NAMED)), private=True)


def _answer_named(answering: Answering, turn: Turn, words: str, thread: Place) -> None:
    """Once, though the job may have to go on later in the middle of several."""
    claim = Claim(answering.store, f"claim/named/{turn.job_id}/{words}", turn.job_id)
    _ours, held = claim.take(answering.now, _A_DAY)
    if not held.get("answered"):
        answering.answer(turn, words, thread)
        claim.mark({"answered": True}, answering.now, _A_DAY)


def _read(payload: Mapping[str, Any], place: Place, signing_secret: str) -> Pressed:
    """A menu says what was chosen; its question stands in its block's id. Raises UsageError."""
    action: Mapping[str, Any] = next(iter(payload.get("actions") or []), {})
    chosen = (action.get("selected_option") or {}).get("value")
    action_id = str(chosen or action.get("action_id", ""))
    value = str(action.get("block_id" if chosen else "value", ""))
    handle = unpack(value, signing_secret)
    if handle is None or action_id not in PRESSES:
        raise UsageError(messages.UNKNOWN_PRESS)
    container = payload.get("container") or {}
    ts = str(container.get("message_ts", ""))
    return Pressed(action_id, value, handle, place, ts, bool(container.get("is_ephemeral")))


@press(buttons.REFRESH)
def refresh(answering: Answering, turn: Turn, one: Pressed, by: Admission) -> None:
    """The same question asked anew, in place."""
    turn.slack.replace(one.place, one.ts, answering.message(turn, by, one.handle, private=one.private))


@press(buttons.LOOK)
def look_again(answering: Answering, turn: Turn, one: Pressed, by: Admission) -> None:
    """Refresh under a watch."""
    watch.refresh(answering, turn, by, one.place, one.handle, one.ts)


@press(buttons.ON_IT)
def on_it(answering: Answering, turn: Turn, one: Pressed, by: Admission) -> None:
    """Name and time onto the message, in place; pressed again by the one who is on it, it lets go."""
    if one.handle.on_it == by.user_id:
        handle, said = replace(one.handle, on_it="", on_it_name="", on_it_since=0), N_("{who} has let go of it.")
    else:
        now = int(answering.now)
        handle = replace(one.handle, on_it=by.user_id, on_it_name=by.short_name, on_it_since=now)
        said = N_("{who} is on it.")
    try:
        message = answering.message(turn, by, handle, private=one.private)
    except CloudError:  # who is on it matters more than how it stands
        with answering.aloud():
            told = messages.sentence(_("{told} ({words})", told=_(said, who=by.name), words=one.handle.words))
        _into_thread(answering, turn, one, told)
    else:
        turn.slack.replace(one.place, one.ts, message)
    _remember_on_it(answering, turn, one, handle, by)


def _remember_on_it(answering: Answering, turn: Turn, one: Pressed, handle: Handle, by: Admission) -> None:
    """For lists of who is on which run; a question about instances names no run and is in none."""
    team, runs = one.place.team_id, parse(handle.words).invocations
    if not handle.on_it:
        open_work.let_go(answering.store, team, runs, by.user_id, answering.now)
    elif runs:
        channel, ts = ("", "") if one.private else (one.place.channel_id, one.ts)
        link = open_work.link_to(turn.slack, channel, ts) if channel else ""
        who = OnIt(by.user_id, handle.on_it_name, handle.on_it_since, channel, ts, link)
        open_work.take(answering.store, team, runs, who)


def _into_thread(answering: Answering, turn: Turn, one: Pressed, message: Message) -> None:
    """Under the answer, and taken back with it; what only one person sees has no thread."""
    place = one.place if one.private else replace(one.place, thread_ts=one.thread_ts, response_url="")
    ts = turn.post(place, message, private=one.private)
    replies.remember(answering.store, answering.now, place.channel_id, one.ts, replies.REPLY, ts)


@press(OUTPUTS)
def show_outputs(answering: Answering, turn: Turn, one: Pressed, by: Admission) -> None:
    """The modal is open already; errors are told in it."""
    state = State(one.value, channel=one.place.channel_id, thread=one.thread_ts, answer=one.ts)
    modals.fill(answering, turn, by, one.handle, state)


@press(buttons.COPY)
def copy_failed_ids(answering: Answering, turn: Turn, one: Pressed, by: Admission) -> None:
    with _claim(answering, turn, one, f"copy/{by.user_id}").once(answering.now, _ONE_COPY, _COPIED):
        turn.post(one.place, handoff.failed_ids(answering.summary(turn, by, one.handle)), private=True)


@press(buttons.FILE)
def as_file(answering: Answering, turn: Turn, one: Pressed, by: Admission) -> None:
    """All outputs into the thread; the file itself says that it is done."""
    summary = answering.summary(turn, by, one.handle)
    modals.upload(answering, turn, summary, one.place.channel_id, one.thread_ts, one.ts)


@press(buttons.DIFF)
def diff_with_last_run(answering: Answering, turn: Turn, one: Pressed, by: Admission) -> None:
    """Into the answer's thread; of an answer that only one person sees, to that person."""
    words = parse(one.handle.words)._replace(subcommand="diff").words()
    handle = Handle(words, by.user_id, int(answering.now), by.short_name)
    _into_thread(answering, turn, one, answering.message(turn, by, handle, private=one.private))


@press(buttons.WATCH)
def start_watch(answering: Answering, turn: Turn, one: Pressed, by: Admission) -> None:
    watch.begin(answering, turn, by, one.place, one.handle)


@press(buttons.CONSOLE)
def console(answering: Answering, turn: Turn, one: Pressed, by: Admission) -> None:
    """A link: Slack opens it, and tells us all the same."""


@press(buttons.SHARE)
def share(answering: Answering, turn: Turn, one: Pressed, by: Admission) -> None:
    """A private answer into the channel, where the channel may see it."""
    if by.why_private:
        raise NotAllowed("I cannot share it here. {why}", why=by.why_private)
    shared = replace(one.handle, asked_by=by.user_id, asked_name=by.short_name)
    with _claim(answering, turn, one, "share").once(answering.now, _A_DAY, _SHARED):
        turn.post(one.place, answering.message(turn, by, shared, private=False), private=False)


@press(buttons.MUTE_HOUR)
@press(buttons.MUTE_NIGHT)
def mute(answering: Answering, turn: Turn, one: Pressed, by: Admission) -> None:
    """What a notice tells of: its runs' commands, else what its menu carries; what else the channel is told goes on."""
    carried = parse(one.handle.words)
    if carried.subcommand == quiet.MUTE:
        wish = quiet.read(carried.arguments)
        about = quiet.about(wish.commands, wish.events)
    else:
        runs = answering.summary(turn, by, one.handle).invocations
        about = quiet.about(glob.escape(run.command_name or run.command_id) for run in runs)
    words = (*about, *buttons.MUTES[one.action_id][1])
    carry_out(answering, turn, by, one.place, Question(quiet.MUTE, arguments=words))


@press(quiet.UNMUTE)
@press(unmet.UNEXPECT)
@press(standing.REMOVE)
def end_standing(answering: Answering, turn: Turn, one: Pressed, by: Admission) -> None:
    said = carry_out(answering, turn, by, one.place, parse(one.handle.words))
    if said:
        turn.post(one.place, said, private=True)


@press(handover.SHARE)
def share_handover(answering: Answering, turn: Turn, one: Pressed, by: Admission) -> None:
    """As it stands now, into the channel; the draft is gone then, so that it is shared once."""
    if by.why_private:
        raise NotAllowed("I cannot share it here. {why}", why=by.why_private)
    with answering.aloud():
        turn.post(one.place, handovers.shared(answering, turn, by, one.place), private=False)
    turn.slack.replace(one.place, one.ts, messages.sentence(_("Shared with the channel.")))


@press(handover.REFRESH)
def refresh_handover(answering: Answering, turn: Turn, one: Pressed, by: Admission) -> None:
    turn.slack.replace(one.place, one.ts, handovers.draft(answering, turn, by, one.place))


@press(buttons.TAKE_BACK)
def take_back(answering: Answering, turn: Turn, one: Pressed, by: Admission) -> None:
    """Deletes a public answer and all that is under it; for the one who asked, and operators."""
    if by.user_id != one.handle.asked_by and by.user_id not in answering.settings.operators:
        raise NotAllowed("Only the person who asked, or an operator (BOT_OPERATORS), can take this answer back.")
    kept = replies.take_back(answering.store, turn.slack, answering.now, one.place.channel_id, one.ts)
    turn.slack.delete_original(one.place, one.ts)
    if kept:
        raise NotAllowed(
            "The answer is taken back, but Slack kept something in its thread ({codes}).", codes=", ".join(kept)
        )


def _claim(answering: Answering, turn: Turn, one: Pressed, what: str) -> Claim:
    """What must happen once for this message, whoever presses how often."""
    return Claim(answering.store, f"claim/{what}/{one.place.channel_id}/{one.ts}", turn.job_id)


_COPIED = N_("You have the ids already, in my message that only you see.")
_SHARED = N_("You have shared this answer already. Ask again to share how it stands later.")
