"""From words to a posted answer: read, see who asks and where, ask, post. The errors that people can use end here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import UTC
from typing import Any, NoReturn, Protocol

from bot import languages, replies, seen_ends
from bot.adapters.calls import Calls
from bot.adapters.cloud_assistant import CloudAssistant
from bot.adapters.roles import Roles
from bot.adapters.shared_replies import SharedReplies
from bot.adapters.slack import Place, Slack
from bot.adapters.store import Store, StoreError
from bot.core import access, buttons, messages, wording
from bot.core.access import Admission, Limit
from bot.core.audit import ASKED
from bot.core.blocks import Block, Message
from bot.core.errors import CloudError, NotAllowed, SlackError, Throttled, UsageError, UserError
from bot.core.handles import Handle, pack
from bot.core.manners import Priority
from bot.core.parsing import parse
from bot.core.question import ORDERS, STATUS, Question
from bot.core.status import Busy
from bot.core.summary import Summary
from bot.core.texts import N_, _, listed, speaking, switch
from bot.fanout import Fanout
from bot.jobs import Job
from bot.lookup import Limits, Lookup
from bot.settings import Clock, Credentials, Settings
from bot.subcommands import SUBCOMMANDS, Desk, summary_of
from bot.zones import named_zone, zone_of

log = logging.getLogger("bot.answering")

_CACHED = 300.0  # seconds in which what Slack said of a person or a channel still counts
_MOST_NAME = 40  # characters of a name that a button carries
FOR_THE_POST = 25.0  # seconds that the cloud must leave for the posting of the answer


class Turn(Protocol):
    """One delivery of one job, as the worker sees it."""

    @property
    def slack(self) -> Slack: ...

    @property
    def credentials(self) -> Credentials: ...

    @property
    def asked_by(self) -> str:
        """The Slack id of the person for whom it is; "" where nobody asked."""
        ...

    @property
    def job_id(self) -> str: ...

    @property
    def trace(self) -> str:
        """What the job is called in lines of the log, the audit and footers."""
        ...

    @property
    def calls(self) -> Calls:
        """What the job has asked of others so far."""
        ...

    def audit(
        self, act: str, runs: Iterable[str] = (), *, picked: str = "", channel: str = "", shown: str = ""
    ) -> None:
        """Names what is done, for the audit, and what it is about; what is empty stays as it was.

        `shown` is the `ts` of a message that the channel reads.
        """
        ...

    def told(self, error: Exception) -> None:
        """Takes note of an error that a person was told instead of an answer."""
        ...

    @property
    def tries(self) -> int:
        """How often the job has queued itself again."""
        ...

    @property
    def deadline(self) -> float:
        """When this delivery must be over, on the worker's clock."""
        ...

    @property
    def priority(self) -> Priority:
        """For whom the job asks the cloud."""
        ...

    @property
    def fresh(self) -> bool:
        """Whether the cloud is asked even for what it answered a moment ago."""
        ...

    @property
    def busy(self) -> Busy:
        """What else this process works on."""
        ...

    @property
    def patient(self) -> bool:
        """Whether the answer may wait for a throttled API once more."""
        ...

    def post(self, place: Place, message: Message, *, private: bool) -> str:
        """Posts the job's one answer; its `ts` where the channel sees it and Slack names it. Raises SlackError."""
        ...

    def post_to(self, channel_id: str, message: Message, thread_ts: str = "", *, whole: bool = False) -> str:
        """Posts the job's one message as one that can be updated; its `ts`. Raises SlackError.

        `whole`: blocks that Slack refuses are an error, not left out.
        """
        ...

    def upload(self, channel_id: str, thread_ts: str, name: str, text: str) -> str:
        """Puts a text file into a thread, once for each job; its id. Raises SlackError."""
        ...

    def later(self, place: Place, wait: float, message: Message) -> NoReturn:
        """Queues the job again and tells the person, once for each job."""
        ...

    def again(self, wait: float) -> NoReturn:
        """Queues the job again, in `wait` seconds, and tells nobody."""
        ...

    def follow(self, job: Job, wait: float) -> None:
        """Queues another job of ours, for `wait` seconds from now. Raises QueueRefused."""
        ...


class Answering:
    """Safe to use from many threads; what belongs to one job is in its Turn."""

    def __init__(
        self, settings: Settings, store: Store, clock: Clock, sleep: Callable[[float], None], limits: Limits
    ) -> None:
        self._settings, self._store, self._limits = settings, store, limits
        self._clock, self._sleep = clock, sleep
        self._shared, self._roles = SharedReplies(), Roles(settings, clock)

    @property
    def settings(self) -> Settings:
        return self._settings

    @property
    def store(self) -> Store:
        return self._store

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock()

    def summary(self, turn: Turn, by: Admission, handle: Handle) -> Summary:
        """What a handle's question is about, as it is now; raises UserError and CloudError."""
        return summary_of(self.desk(turn, by, handle, private=True), parse(handle.words))

    def look_button(self, handle: Handle, summary: Summary, due: int) -> list[Block]:
        """The one button under a message that is kept up to date; it carries when the next look is due."""
        value = pack(replace(handle, made=due), self._settings.signing_secret)
        return buttons.look(value, wording.what(summary.invocations))

    def answer(self, turn: Turn, words: str, place: Place) -> None:
        """One answer, or one sentence that says why there is none."""
        turn.audit(ASKED)
        try:
            answer = self._answer(turn, words, place)
            if answer is None:
                return
            message, private = answer
        except UserError as error:
            turn.told(error)
            message, private = messages.sentence(str(error)), True
        except Throttled as error:
            if turn.patient:
                turn.later(place, error.wait, messages.waiting(error))
            turn.told(error)
            message, private = messages.cloud_error(error), True
        except CloudError as error:
            log.warning("%s in %s: %s %s", error.action, error.region, error.code, error.request_id)
            turn.told(error)
            message, private = messages.cloud_error(error), True
        ts = self.post(turn, place, message, private=private)
        replies.remember(self._store, self.now, place.channel_id, place.thread_ts, replies.REPLY, ts)
        if message.ended and not private:
            seen_ends.remember(self._store, place.channel_id, message.ended, self.now)

    def _answer(self, turn: Turn, words: str, place: Place) -> tuple[Message, bool] | None:
        """The message, and whether only the person sees it; None where it has been posted already."""
        try:
            question = self._read(words)
        except UsageError:
            self._speak_to(turn, place)
            raise
        if question is None:
            return messages.sentence(self._settings.paused), True
        by = self.admit(turn, place)
        if question.subcommand in ORDERS:
            from bot.every_order import carry_out

            said = carry_out(self, turn, by, place, question)
            return None if said is None else (said, True)
        wished = bool(question.private or question.subcommand == "help")
        subcommand = "show" if question.subcommand == "watch" else question.subcommand
        shown = question._replace(private=None, subcommand=subcommand)
        handle = Handle(shown.words(), by.user_id, int(self._clock()), by.name[:_MOST_NAME])
        if question.subcommand == "watch":
            from bot import watch

            watch.begin(self, turn, by, place, handle)
            return None
        message = self.message(turn, by, handle, private=wished or bool(by.why_private))
        if wished or not by.why_private:
            return message, wished
        return messages.noted(message, by.why_private), True

    def _read(self, words: str) -> Question | None:
        """What is asked; None where the bot is paused, for all but how it fares. Raises UsageError."""
        try:
            question = parse(words, self._settings.account_names)
        except UsageError:
            if self._settings.paused:
                return None
            raise
        return None if self._settings.paused and question.subcommand != STATUS else question

    def message(self, turn: Turn, by: Admission, handle: Handle, *, private: bool) -> Message:
        """The answer to a handle's question as it is now; raises UserError and CloudError."""
        question = parse(handle.words)
        if not private:
            with self.aloud():
                return self._message(turn, by, handle, question, private=False)
        return self._message(turn, by, handle, question, private=True)

    def _message(self, turn: Turn, by: Admission, handle: Handle, question: Question, *, private: bool) -> Message:
        return SUBCOMMANDS[question.subcommand].run(self.desk(turn, by, handle, private=private), question)

    def aloud(self) -> AbstractContextManager[None]:
        """What is said inside is for a channel, so it is said in its language and not in that of who asked."""
        return speaking(languages.catalogue(self._settings.language))

    def post(self, turn: Turn, place: Place, message: Message, *, private: bool) -> str:
        """As `turn.post`, whose own notes are in the language of the message."""
        if private:
            return turn.post(place, message, private=True)
        with self.aloud():
            return turn.post(place, message, private=False)

    def _speak_to(self, turn: Turn, place: Place) -> None:
        """From now on to this person, as far as Slack says in which language."""
        with suppress(SlackError):
            self._person(turn, place)

    def desk(self, turn: Turn, by: Admission, handle: Handle, *, private: bool) -> Desk:
        return Desk(self._settings, self.lookup(turn, by.limit), self._clock, by, handle, private, turn.trace)

    def unasked_desk(self, turn: Turn, runs: Iterable[tuple[str, str]]) -> Desk:
        """For what nobody has asked about: runs as (region, id)."""
        pairs = list(runs)
        regions = tuple(dict.fromkeys(region for region, _ in pairs))
        words = Question(invocations=tuple(run for _, run in pairs), regions=regions).words()
        nobody = Admission("", "", named_zone(self._settings.timezone) or UTC)
        return self.desk(turn, nobody, Handle(words, "", int(self._clock())), private=False)

    def calls(self, turn: Turn) -> tuple[CloudAssistant, Fanout]:
        """The API, and a way to ask it many things at once, for as long as the job has."""
        deadline = self._deadline(turn)
        return self._cloud(turn, deadline), Fanout(deadline, self._clock)

    def _deadline(self, turn: Turn) -> float:
        return min(self._clock() + self._limits.gather, turn.deadline - FOR_THE_POST)

    def _cloud(self, turn: Turn, deadline: float) -> CloudAssistant:
        return CloudAssistant(
            self._settings,
            turn.credentials,
            self._store,
            deadline=deadline,
            clock=self._clock,
            sleep=self._sleep,
            priority=turn.priority,
            shared=self._shared,
            fresh=turn.fresh,
            calls=turn.calls,
            roles=self._roles,
            asked_by=turn.asked_by,
        )

    def lookup(self, turn: Turn, limit: Limit = access.Limit()) -> Lookup:  # noqa: B008 (a frozen value)
        """A way into the API for as long as the job has; it shows nothing that lies outside of the limit."""
        deadline = self._deadline(turn)
        return Lookup(
            self._settings,
            self._cloud(turn, deadline),
            self._store,
            self._clock,
            limits=self._limits,
            deadline=deadline,
            patient=turn.patient,
            priority=turn.priority,
            limit=limit,
            read=lambda runs: turn.audit("", runs),
        )

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
        return Admission(place.user_id, name_of(user), zone, why_private, self.limit_of(place.channel_id))

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
            user = self._person(turn, place)
        except SlackError as error:
            self._wait_for_slack(turn, place, error)
            raise NotAllowed(
                "I could not check who you are (users.info: {code}), so I asked nothing. "
                "Please try again; if it stays so, the app lacks the scope users:read.",
                code=error.code,
            ) from error
        access.refuse_user(user, place.team_id, place.enterprise_id, access.Rules(self._readers(turn, place)))
        return user

    def _person(self, turn: Turn, place: Place) -> Mapping[str, Any]:
        """What Slack knows of who asks, whose language is spoken from now on; raises SlackError."""
        user = self._user(turn, place.team_id, place.user_id)
        language = languages.language_of(user.get("locale"), self._settings.language)
        switch(languages.catalogue(language))
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
