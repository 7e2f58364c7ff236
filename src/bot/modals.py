"""The Outputs modal, opened by the door and filled here; every press in it is answered by another view.

Secrets are shown to operators alone, at their press; each view that shows them is in the audit.
`regex` bounds the time of a person's regular expression, which the standard library cannot.
"""

from __future__ import annotations

import hashlib
import logging
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import regex

from bot import replies
from bot.adapters.slack import Place
from bot.answering import Answering
from bot.claims import Claim
from bot.core import messages, modal, outputs, whole_outputs
from bot.core.access import Admission
from bot.core.errors import CloudError, NotAllowed, SlackError, UsageError, UserError
from bot.core.handles import Handle, unpack
from bot.core.outputs import BadPattern, State
from bot.core.parsing import parse
from bot.core.summary import Summary
from bot.core.texts import N_, _
from bot.turn import Turn

log = logging.getLogger("bot.modals")

_ONE_FILE = 3_600.0  # seconds in which the same file is not uploaded again
_MATCH_LIMIT = 0.05  # seconds for one line; a whole filter is given up after the first line that takes longer
_MATCH_IN_ALL = 2.0  # seconds for all lines together
_MOST_REPEATS = 100_000  # the product of all counts in braces: they are unrolled, and nothing bounds the time of that
_REPEATS = re.compile(r"\{(\d*),?(\d*)\}")
_NOT_READ = (r"$^", r"\s", r"\s|#.*")  # what may be left out between the digits of a count: nothing; or with the flag x
_TOO_LONG = N_("That regular expression takes too long on these lines; try a simpler one.")


def fill(answering: Answering, turn: Turn, by: Admission, handle: Handle, state: State) -> None:
    """The modal that the door has opened for this press."""
    operator = by.user_id in answering.settings.operators
    view = outputs.view(answering.summary(turn, by, handle), state, matcher, operator=operator)
    _show(turn, view, external_id=turn.job_id)


def open_late(turn: Turn, trigger_id: str) -> None:
    """The modal that the door could not open, as it opens it. Raises UsageError where it is too late for that."""
    try:
        turn.slack.open_view(trigger_id, {**modal.loading(), "external_id": turn.job_id})
    except SlackError as error:
        if error.retry_after is not None:
            raise
        log.info("modal not opened: %s", error.code)
        raise UsageError(N_("I was not ready to open that in time. Please press again: it opens now.")) from error


def fail(turn: Turn, error: UserError | CloudError) -> bool:
    """An error in place of outputs, where the person is looking; False where no modal is open."""
    text = str(error) if isinstance(error, UserError) else messages.cloud_error(error).text
    return _show(turn, modal.told(text), external_id=turn.job_id)


def pressed(answering: Answering, turn: Turn, payload: Mapping[str, Any], place: Place) -> None:
    """A press within the modal: another view in its place, or the file in the thread."""
    view_id = str(payload["view"]["id"])
    try:
        action: Mapping[str, Any] = next(iter(payload["actions"]))
        if answering.settings.paused:
            raise UsageError(answering.settings.paused)
        state = State.unpacked(str(payload["view"].get("private_metadata", "")))
        handle = unpack(state.handle, answering.settings.signing_secret)
        if handle is None:
            raise UsageError(messages.UNKNOWN_PRESS)
        turn.audit(str(action.get("action_id", "")), parse(handle.words).invocations, channel=state.channel)
        by = answering.admissions.admit(turn, replace(place, channel_id=state.channel, thread_ts=state.thread))
        summary = answering.summary(turn, by, handle)
        operator = by.user_id in answering.settings.operators
        view = _after(answering, turn, action, state, summary, operator=operator)
        _audit(turn, view)
    except UserError as error:
        turn.told(error)
        view = modal.told(str(error))
    except CloudError as error:
        turn.told(error)
        view = modal.told(messages.cloud_error(error).text)
    _show(turn, view, view_id=view_id)


def _after(
    answering: Answering, turn: Turn, action: Mapping[str, Any], state: State, summary: Summary, *, operator: bool
) -> modal.View:
    action_id = str(action.get("action_id", ""))
    if action_id == outputs.REVEAL and not operator:
        raise NotAllowed("Only an operator (BOT_OPERATORS) may see what is masked.")
    if action_id == outputs.AS_FILE:
        upload(answering, turn, summary, state.channel, state.thread, state.answer or state.thread)
        return modal.told(_("All outputs are in the thread of the answer now, as a file."))
    return outputs.view(summary, _changed(state, action_id, action), matcher, operator=operator)


def _audit(turn: Turn, view: modal.View) -> None:
    """A view that shows secrets is one, whatever was pressed for it; never what they are."""
    if metadata := view["private_metadata"]:
        state = State.unpacked(metadata)
        if state.revealed:
            turn.audit(outputs.REVEAL, picked=state.picked)


def _changed(state: State, action_id: str, action: Mapping[str, Any]) -> State:
    if action_id == outputs.PICK:
        return replace(state, picked=str((action.get("selected_option") or {}).get("value", "")), page=0)
    if action_id == outputs.FILTER:
        return replace(state, filter=str(action.get("value") or ""), page=0)
    if action_id in (outputs.REVEAL, outputs.HIDE):
        return replace(state, revealed=action_id == outputs.REVEAL)
    return replace(state, page=state.page + (1 if action_id == outputs.NEXT else -1))


def upload(answering: Answering, turn: Turn, summary: Summary, channel: str, thread: str, under: str) -> None:
    """The full text of all results into a thread, never into the channel; once while nothing has changed.

    It is taken back with the answer `under`. Raises UsageError and SlackError with a wait.
    """
    with answering.aloud():
        text = whole_outputs.whole_text(summary)
    same = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
    claim = Claim(answering.store, f"claim/file/{channel}/{under}/{same}", turn.job_id)
    name = "-".join(one.id for one in summary.invocations[:3]) or "outputs"
    with claim.once(answering.now, _ONE_FILE, N_("The file is in the thread already, and nothing has changed since.")):
        try:
            file = turn.upload(channel, thread, f"{name}.txt", text)
        except SlackError as error:
            if error.retry_after is not None:
                raise
            if error.code in ("not_in_channel", "channel_not_found"):
                text = N_("Slack did not take the file ({code}). Invite me to the channel first.")
            else:
                text = N_("Slack did not take the file ({code}).")
            raise UsageError(text, code=error.code) from error
        replies.remember(answering.store, answering.now, channel, under, replies.FILE, file)


def _show(turn: Turn, view: modal.View, **which: str) -> bool:
    """Whether the modal is there; one that the person has closed is no error."""
    try:
        turn.slack.update_view(view, **which)
    except SlackError as error:
        if error.code != "not_found":
            raise
        log.info("modal closed")
        return False
    return True


def matcher(text: str) -> Callable[[str], bool]:
    """A test of a line: `/…/` is a regular expression, anything else is looked for as it is, in either case.

    Raises BadPattern, also later from the test, when the expression takes too long.
    """
    if not (len(text) > 2 and text.startswith("/") and text.endswith("/")):
        wanted = text.casefold()
        return lambda line: wanted in line.casefold()
    expression, left = _compiled(text[1:-1]), _MATCH_IN_ALL

    def test(line: str) -> bool:
        nonlocal left
        began = time.monotonic()
        try:
            return expression.search(line, timeout=min(_MATCH_LIMIT, left)) is not None
        except TimeoutError as error:
            raise BadPattern(_(_TOO_LONG)) from error
        finally:
            left = max(0.001, left - (time.monotonic() - began))

    return test


def _compiled(expression: str) -> regex.Pattern[str]:
    """Raises BadPattern, before anything is unrolled, where counts multiply to more than is worth it."""
    if any(_repeats(re.sub(ignored, "", expression)) > _MOST_REPEATS for ignored in _NOT_READ):
        raise BadPattern(_(_TOO_LONG))
    try:
        return regex.compile(expression)
    except (regex.error, RecursionError) as error:
        raise BadPattern(_("That regular expression cannot be read: {why}.", why=error)) from error


def _repeats(expression: str) -> int:
    """How often the innermost part may have to be written out, at most."""
    pairs = _REPEATS.findall(expression)
    return math.prod(max(1, *(int(number[:9] or 1) for number in pair)) for pair in pairs)
