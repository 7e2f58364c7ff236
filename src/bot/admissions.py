"""Who may ask, and what a channel may be told: Slack is asked, and its word counts for minutes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from bot import languages
from bot.adapters.slack import Place
from bot.adapters.store import Store, StoreError
from bot.core import access, messages
from bot.core.access import Admission, Limit
from bot.core.errors import NotAllowed, SlackError
from bot.core.texts import N_, _, listed, switch
from bot.settings import Clock, Settings
from bot.turn import Turn
from bot.zones import zone_of

log = logging.getLogger("bot.admissions")

_CACHED = 300.0  # seconds in which what Slack said of a person or a channel still counts


class Admissions:
    """Rights are looked at anew at every act and every press. Safe to use from many threads."""

    def __init__(self, settings: Settings, store: Store, clock: Clock) -> None:
        self._settings, self._store, self._clock = settings, store, clock

    def may_tell(self, channel_id: str) -> bool:
        """Whether a channel may be told anything: the settings name it, or none."""
        return not self._settings.channels or channel_id in self._settings.channels

    def limit_of(self, channel_id: str) -> Limit:
        """What a channel may be shown."""
        return access.limit_from(self._settings.channels.get(channel_id, ()), self._settings.regions)

    def admit(self, turn: Turn, place: Place) -> Admission:
        """The person, when they may ask here; raises NotAllowed. Slack's word counts for minutes."""
        try:
            user = self._admitted(turn, place)
            why_private = self._why_private(turn, place)
        except NotAllowed as error:
            operators = self._operators(turn, place)
            if not operators:
                raise
            raise NotAllowed("{why} Operators here: {names}.", why=error, names=operators) from error
        zone = zone_of(user, self._settings.timezone)
        limit, language = self.limit_of(place.channel_id), self._language_of(user)
        return Admission(place.user_id, name_of(user), zone, why_private, limit, language, place.is_direct_message)

    def _language_of(self, user: Mapping[str, Any]) -> str:
        return languages.language_of(user.get("locale"), self._settings.language)

    def _operators(self, turn: Turn, place: Place) -> str:
        """By name; less where Slack does not say."""
        try:
            names = [name_of(self._user(turn, place.team_id, one)) for one in self._settings.operators[:3]]
        except SlackError:
            return ""
        return listed(names)

    def _user(self, turn: Turn, team_id: str, user_id: str) -> Mapping[str, Any]:
        return self._cached(f"user/{team_id}/{user_id}", lambda: kept(turn.slack.user(user_id)))

    def _admitted(self, turn: Turn, place: Place) -> Mapping[str, Any]:
        """The person, when they may ask here; raises NotAllowed. Who cannot be checked is not admitted."""
        access.refuse_channel(place.channel_id, access.Rules(channels=self._settings.channels))
        try:
            user = self.person(turn, place)
        except SlackError as error:
            self._wait_for_slack(turn, place, error)
            raise NotAllowed(
                "I could not check who you are (users.info: {code}), so I asked nothing. "
                "Please try again; if it stays so, the app lacks the scope users:read.",
                code=error.code,
            ) from error
        access.refuse_user(user, place.team_id, place.enterprise_id, access.Rules(self._readers(turn, place)))
        return user

    def person(self, turn: Turn, place: Place) -> Mapping[str, Any]:
        """What Slack knows of who asks, whose language is spoken from now on; raises SlackError."""
        user = self._user(turn, place.team_id, place.user_id)
        switch(languages.catalogue(self._language_of(user)))
        return user

    def _readers(self, turn: Turn, place: Place) -> frozenset[str]:
        """The people of BOT_READERS; its user groups are looked into only for who is not named. Raises NotAllowed."""
        named = frozenset(self._settings.readers)
        groups = [] if place.user_id in named else sorted(one for one in named if one.startswith("S"))
        try:
            return named.union(*(self._members(turn, place.team_id, group) for group in groups))
        except SlackError as error:
            self._wait_for_slack(turn, place, error)
            raise NotAllowed(
                "I could not check whether you may ask here (usergroups.users.list: {code}), so I asked "
                "nothing. Please try again; if it stays so, the app lacks the scope usergroups:read.",
                code=error.code,
            ) from error

    def _members(self, turn: Turn, team_id: str, group_id: str) -> list[str]:
        key = f"group/{team_id}/{group_id}"
        return list(self._cached(key, lambda: {"users": turn.slack.user_group(group_id)})["users"])

    def _why_private(self, turn: Turn, place: Place) -> str:
        """Why the channel may not see the answer; "" when it may. Raises NotAllowed in a shared channel."""
        if place.is_direct_message:
            return ""
        key = f"channel/{place.team_id}/{place.channel_id}"
        try:
            channel = self._cached(key, lambda: kept(turn.slack.channel(place.channel_id)))
        except SlackError as error:
            self._wait_for_slack(turn, place, error)
            return _(
                "Only you see this: I could not check who else reads here ({code}). "
                "Invite me to the channel to let it see my answers.",
                code=error.code,
            )
        access.refuse_shared(channel)
        return ""

    def _wait_for_slack(self, turn: Turn, place: Place, error: SlackError) -> None:
        if error.retry_after is not None and turn.patient:
            turn.later(place, error.retry_after, messages.sentence(_(_SLACK_IS_BUSY)))

    def _cached(self, key: str, read: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        """What Slack said within the last minutes, else what it says now."""
        now = self._clock()
        try:
            record = self._store.get(key, now)
        except StoreError:
            return read()
        if record is not None:
            return record.value
        value = dict(read())
        try:
            self._store.put(key, value, now + _CACHED)
        except StoreError:
            log.warning("not kept: %s", key)
        return value


_SLACK_IS_BUSY = N_(
    "Slack asks me to wait before I may check who asks. I go on as soon as I may; you need not do anything."
)

# What decides about access or is shown; nothing else of a person is kept.
_KEPT = (
    "id",
    "team_id",
    "is_restricted",
    "is_ultra_restricted",
    "is_stranger",
    "deleted",
    "is_bot",
    "locale",
    "tz",
    "tz_offset",
    "real_name",
    "name",
    "enterprise_user",
    "is_ext_shared",
    "is_pending_ext_shared",
    "is_private",
    "is_mpim",
)


def kept(value: Mapping[str, Any]) -> dict[str, Any]:
    profile = value.get("profile")
    display = profile.get("display_name") if isinstance(profile, Mapping) else ""
    return {key: value[key] for key in _KEPT if key in value} | ({"display_name": display} if display else {})


def name_of(user: Mapping[str, Any]) -> str:
    """What people call a person: the display name, else the full name, else what Slack has."""
    names = (user.get(key) for key in ("display_name", "real_name", "name", "id"))
    return str(next((name for name in names if name), ""))
