"""From words to a posted answer: read, see who asks and where, ask, post. The errors that people can use end here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from datetime import UTC

from bot import languages, replies, seen_ends
from bot.adapters.cloud_assistant import CloudAssistant
from bot.adapters.roles import Roles
from bot.adapters.shared_replies import SharedReplies
from bot.adapters.slack import Place
from bot.adapters.store import Store
from bot.admissions import Admissions
from bot.core import access, buttons, messages, wording
from bot.core.access import Admission, Limit
from bot.core.audit import ASKED
from bot.core.blocks import Block, Message
from bot.core.errors import CloudError, SlackError, Throttled, UsageError, UserError
from bot.core.handles import Handle, pack
from bot.core.parsing import parse
from bot.core.question import ORDERS, STATUS, Question
from bot.core.summary import Summary
from bot.core.texts import speaking
from bot.fanout import Fanout
from bot.lookup import Limits, Lookup
from bot.settings import Clock, Settings
from bot.subcommands import SUBCOMMANDS, Desk, summary_of
from bot.turn import Turn
from bot.zones import named_zone

log = logging.getLogger("bot.answering")

FOR_THE_POST = 25.0  # seconds that the cloud must leave for the posting of the answer


class Answering:
    """Safe to use from many threads; what belongs to one job is in its Turn."""

    def __init__(
        self, settings: Settings, store: Store, clock: Clock, sleep: Callable[[float], None], limits: Limits
    ) -> None:
        self._settings, self._store, self._limits = settings, store, limits
        self._clock, self._sleep = clock, sleep
        self._shared, self._roles = SharedReplies(), Roles(settings, clock)
        self.admissions = Admissions(settings, store, clock)

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
        by = self.admissions.admit(turn, place)
        if question.subcommand in ORDERS:
            from bot.every_order import carry_out

            said = carry_out(self, turn, by, place, question)
            return None if said is None else (said, True)
        wished = bool(question.private or question.subcommand == "help")
        subcommand = "show" if question.subcommand == "watch" else question.subcommand
        shown = question._replace(private=None, subcommand=subcommand)
        handle = Handle(shown.words(), by.user_id, int(self._clock()), by.short_name)
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
        with nullcontext() if private or by.alone else self.aloud():
            return SUBCOMMANDS[question.subcommand].run(self.desk(turn, by, handle, private=private), question)

    def aloud(self) -> AbstractContextManager[None]:
        """What is said inside is for a channel, so it is said in its language and not in that of who asked."""
        return speaking(languages.catalogue(self._settings.language))

    def post(self, turn: Turn, place: Place, message: Message, *, private: bool) -> str:
        """As `turn.post`, whose own notes are in the language of the message."""
        with nullcontext() if private or place.is_direct_message else self.aloud():
            return turn.post(place, message, private=private)

    def _speak_to(self, turn: Turn, place: Place) -> None:
        """From now on to this person, as far as Slack says in which language."""
        with suppress(SlackError):
            self.admissions.person(turn, place)

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
