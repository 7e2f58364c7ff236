"""From words to a posted answer: read, see who asks and where, ask, post. The errors that people can use end here."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.adapters.cloud_assistant import CloudAssistant
from bot.adapters.slack import Place, Slack
from bot.adapters.store import Store, StoreError
from bot.core import access, messages
from bot.core.blocks import Message
from bot.core.errors import CloudError, NotAllowed, SlackError, Throttled, UserError
from bot.core.parsing import parse
from bot.lookup import Lookup
from bot.settings import Clock, Credentials, Settings
from bot.subcommands import SUBCOMMANDS, Desk

log = logging.getLogger("bot.answering")

_CACHED = 300.0  # seconds in which what Slack said of a person or a channel still counts
JOB_LIMIT = 100.0  # seconds of work in one delivery; the function's own limit is 120


class Turn(Protocol):
    """One delivery of one job, as the worker sees it."""

    request_id: str
    patient: bool

    def post(self, place: Place, message: Message, *, private: bool) -> None:
        """Posts the job's one answer."""
        ...

    def later(self, place: Place, wait: float, message: Message) -> None:
        """Queues the job again and tells the person once; does not return."""
        ...


class Answering:
    def __init__(
        self, settings: Settings, credentials: Credentials, store: Store, slack: Slack, clock: Clock = time.time
    ) -> None:
        self._settings, self._credentials, self._store = settings, credentials, store
        self._slack, self._clock = slack, clock

    def answer(self, turn: Turn, words: str, place: Place) -> None:
        """One answer, or one sentence that says why there is none."""
        try:
            message, private = self._answer(turn, words, place)
        except UserError as error:
            message, private = messages.sentence(str(error)), True
        except Throttled as error:
            if turn.patient:
                turn.later(place, error.wait, messages.waiting(error))
            message, private = messages.cloud_error(error), True
        except CloudError as error:
            log.warning("%s in %s: %s %s", error.action, error.region, error.code, error.request_id)
            message, private = messages.cloud_error(error), True
        turn.post(place, message, private=private)

    def _answer(self, turn: Turn, words: str, place: Place) -> tuple[Message, bool]:
        if self._settings.paused:
            return messages.sentence(self._settings.paused), True
        question = parse(words)
        user = self._admitted(place)
        hidden = self._why_private(place)
        entry = SUBCOMMANDS[question.subcommand]
        message = entry.run(self._desk(turn, user), question)
        if question.private or question.subcommand == "help" or not hidden:
            return message, bool(question.private or question.subcommand == "help")
        return messages.noted(message, hidden), True

    def _desk(self, turn: Turn, user: Mapping[str, Any]) -> Desk:
        cloud = CloudAssistant(
            self._settings, self._credentials, self._store, deadline=self._clock() + JOB_LIMIT, clock=self._clock
        )
        lookup = Lookup(self._settings, cloud, self._store, self._clock, patient=turn.patient)
        return Desk(self._settings, lookup, self._clock, _name(user), _zone(user, self._settings))

    def _admitted(self, place: Place) -> Mapping[str, Any]:
        """The person, when they may ask here; raises NotAllowed. Who cannot be checked is not admitted."""
        rules = access.Rules(self._settings.readers, self._settings.channels)
        access.refuse_channel(place.channel_id, rules)
        try:
            user = self._cached(f"user/{place.team_id}/{place.user_id}", lambda: self._slack.user(place.user_id))
        except SlackError as error:
            raise NotAllowed(
                f"I could not check who you are (users.info: {error.code}), so I asked nothing. "
                "Please try again; if it stays so, the app lacks the scope users:read."
            ) from error
        access.refuse_user(user, place.team_id, place.enterprise_id, rules)
        return user

    def _why_private(self, place: Place) -> str:
        """Why the channel may not see the answer; "" when it may. Raises NotAllowed in a shared channel."""
        if place.is_direct_message:
            return ""
        try:
            channel = self._cached(
                f"channel/{place.team_id}/{place.channel_id}", lambda: self._slack.channel(place.channel_id)
            )
        except SlackError as error:
            return (
                f"Only you see this: I could not check who else reads here ({error.code}). "
                "Invite me to the channel to let it see my answers."
            )
        access.refuse_shared(channel)
        return ""

    def _cached(self, key: str, read: Any) -> Mapping[str, Any]:
        now = self._clock()
        try:
            record = self._store.get(key, now)
            if record is not None:
                return record.value
            value = dict(read())
            self._store.put(key, _kept(value), now + _CACHED)
        except StoreError:
            return dict(read())
        return value


# What decides about access or is shown; nothing else of a person is kept.
_KEPT = (
    "id",
    "team_id",
    "is_restricted",
    "is_ultra_restricted",
    "is_stranger",
    "deleted",
    "is_bot",
    "tz",
    "tz_offset",
    "real_name",
    "name",
    "profile",
    "enterprise_user",
    "is_ext_shared",
    "is_pending_ext_shared",
)


def _kept(value: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value[key] for key in _KEPT if key in value}
    profile = kept.pop("profile", None)
    if isinstance(profile, dict) and profile.get("display_name"):
        kept["profile"] = {"display_name": profile["display_name"]}
    return kept


def _name(user: Mapping[str, Any]) -> str:
    profile = user.get("profile")
    display = profile.get("display_name") if isinstance(profile, Mapping) else ""
    return str(display or user.get("real_name") or user.get("name") or user.get("id") or "")


def _zone(user: Mapping[str, Any], settings: Settings) -> tzinfo:
    """The person's time zone; its offset where the system does not know the name; BOT_TIMEZONE else."""
    for name in (user.get("tz"), settings.timezone):
        try:
            return ZoneInfo(name) if isinstance(name, str) and name else _raise()
        except (ZoneInfoNotFoundError, ValueError, OSError):
            offset = user.get("tz_offset")
            if isinstance(offset, int) and abs(offset) < 86_400:
                return timezone(timedelta(seconds=offset))
    return UTC


def _raise() -> tzinfo:
    raise ValueError
