"""App Home: shown from the store at once, then read anew behind it, once for all people.

Who opens Home while another's reading is under way waits in the store, and whoever reads publishes for all of them.
The order is: those who wait say so and look again; who reads keeps the snapshot and then looks who waits. So one of
the two always sees the other.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot import audit, languages, open_work
from bot.adapters.slack import Place
from bot.adapters.store import StoreError
from bot.core import home, messages
from bot.core.access import Admission
from bot.core.audit import Entry
from bot.core.errors import CloudError, NotAllowed, SlackError, UsageError, UserError
from bot.core.home import Page, Run, Snapshot
from bot.core.texts import N_, _, speaking
from bot.publishing import publish

if TYPE_CHECKING:
    from bot.answering import Answering
    from bot.turn import Turn

log = logging.getLogger("bot.home")

SHOWN = "home"  # in the audit
FRESH = 30.0  # seconds in which what was read is new enough for whoever opens Home
FRESH_PRESSED = 5.0  # and for whoever presses Refresh: a run is read at most once in so long
READING = 40.0  # seconds after which a reading that has not ended is taken for dead
_KEPT = 7 * 86_400.0  # seconds; an old snapshot with its age is better than none

ONLY_CHANNELS = N_(
    "Here I answer only in the channels that BOT_CHANNELS names, so this page stays empty. Ask me there."
)
NOT_LASTING = N_(
    "Who is on what, and your watches, are only what this function instance knows of; there may be more. "
    "BOT_STORE, set to a shared store, makes me know all."
)
NO_MEMORY = N_("My store does not answer, so who is on what and your watches are missing here.")


def opened(answering: Answering, turn: Turn, place: Place) -> None:
    """Somebody has opened the tab. Raises SlackError."""
    turn.audit(SHOWN)
    _show(answering, turn, place, FRESH)


def pressed(answering: Answering, turn: Turn, place: Place) -> None:
    """Refresh, the one button there; rights are checked again. Raises SlackError."""
    turn.audit(home.REFRESH)
    _show(answering, turn, place, FRESH_PRESSED)


def _show(answering: Answering, turn: Turn, place: Place, fresh: float) -> None:
    made = answering.now
    try:
        visit = _Visit(answering, turn, place.team_id, _admitted(answering, turn, place))
    except UserError as error:
        turn.told(error)
        key = _shown(place.team_id, place.user_id)
        publish(turn.slack, answering.store, key, place.user_id, home.refused(str(error)), made)
        return
    snapshot = visit.snapshot()
    old = answering.now - snapshot.tried_at >= fresh
    visit.publish(visit.by.user_id, snapshot, reading=old)
    if old:
        visit.refresh(snapshot, fresh)


def _admitted(answering: Answering, turn: Turn, place: Place) -> Admission:
    """As for a question in a direct message: only this person sees the page. Raises UserError."""
    if answering.settings.paused:
        raise UsageError(answering.settings.paused)
    if answering.settings.channels:
        raise NotAllowed(ONLY_CHANNELS)
    alone = Place(place.team_id, place.enterprise_id, "", place.user_id, is_direct_message=True)
    return answering.admissions.admit(turn, alone)


def _shown(team_id: str, user_id: str) -> str:
    return f"home-shown/{team_id}/{user_id}"


@dataclass(frozen=True, slots=True)
class _Visit:
    """One person at Home, in one job."""

    answering: Answering
    turn: Turn
    team_id: str
    by: Admission

    @property
    def _key(self) -> str:
        """Everybody of a workspace sees the runs of the same regions."""
        return f"{self.team_id}/{','.join(self.answering.settings.regions)}"

    def _kept(self, language: str) -> str:
        return f"home/{self._key}/{language}"

    def snapshot(self, language: str = "") -> Snapshot:
        """What was read last, told in a language (this person's); an empty one where that is not known."""
        try:
            record = self.answering.store.get(self._kept(language or self.by.language), self.answering.now)
        except StoreError as error:
            log.warning("no snapshot: %s", error)
            return Snapshot()
        if record is None:
            return Snapshot()
        return Snapshot(**{**record.value, "runs": tuple(Run(**run) for run in record.value["runs"])})

    def publish(self, user_id: str, snapshot: Snapshot, *, reading: bool = False) -> None:
        """Raises SlackError."""
        made = self.answering.now
        page = self._page(user_id, snapshot, made)
        view = home.view(replace(page, reading=reading))
        publish(self.turn.slack, self.answering.store, _shown(self.team_id, user_id), user_id, view, made)
        self._audit(user_id, home.shown(snapshot), made)

    def _audit(self, user_id: str, runs: list[str], at: float) -> None:
        """Whoever waits is shown in this job what their own knows nothing of."""
        if user_id == self.by.user_id:
            self.turn.audit("", runs)
            return
        entry = Entry(at, SHOWN, user_id, self.team_id, runs=tuple(runs), trace=self.turn.trace, outcome="done")
        audit.keep(self.answering.store, entry, self.answering.settings.audit_days)

    def _page(self, user_id: str, snapshot: Snapshot, now: float) -> Page:
        settings, store = self.answering.settings, self.answering.store
        page = Page(snapshot, datetime.fromtimestamp(now, UTC), settings.regions)
        lasting = settings.store_chosen or not settings.on_function_compute
        failed = [run.id for run in home.failures(snapshot)[: home.MOST_SHOWN]]
        try:
            on_it = open_work.who(store, self.team_id, failed, now)
            watches = open_work.watches(store, self.team_id, user_id, now)
        except StoreError as error:
            log.warning("open work is not known: %s", error)
            return replace(page, notes=(_(NO_MEMORY),))
        notes = () if lasting else (_(NOT_LASTING),)
        return replace(page, on_it=on_it, watches=watches, all_known=lasting, notes=notes)

    def refresh(self, shown: Snapshot, fresh: float) -> None:
        """Reads anew, or leaves that to the one who does; publishes what is new. Raises SlackError."""
        with self._claim() as won:
            if not won:
                self._wait()
            latest = self.snapshot()
            if self.answering.now - latest.tried_at < fresh:  # another's reading has ended just now
                self.publish(self.by.user_id, latest)
                return
            if not won:
                return
            told = self._read(shown)
            self._keep(told)
        try:
            self.publish(self.by.user_id, told[self.by.language])
        finally:
            self._publish_to_waiting(told)

    @contextmanager
    def _claim(self) -> Iterator[bool]:
        """The right to read, for one job at a time; without a store everybody reads."""
        store, key, now = self.answering.store, f"home-reading/{self._key}", self.answering.now
        try:
            won = store.claim(key, self.turn.job_id, now, now + READING, now + _KEPT).won
        except StoreError:
            won = True
        try:
            yield won
        finally:
            if won:
                self._release(key)

    def _release(self, key: str) -> None:
        try:
            self.answering.store.mark(key, self.turn.job_id, {}, 0)
        except StoreError as error:
            log.warning("claim not released: %s", error)

    def _read(self, shown: Snapshot) -> dict[str, Snapshot]:
        """The newest runs, told in each language; what did not answer stays as it was before, and is named."""
        regions = self.answering.settings.regions
        before = {one: shown if one == self.by.language else self.snapshot(one) for one in languages.LANGUAGES}
        try:
            with self.answering.aloud():  # the notes are kept for all people
                found, silent = self.answering.lookup(self.turn, self.by.limit).recent(regions)
        except CloudError as error:
            log.warning("%s in %s: %s %s", error.action, error.region, error.code, error.request_id)
            return {one: self._troubled(before[one], error, one) for one in languages.LANGUAGES}
        now = self.answering.now
        trouble = messages.sentence(" ".join(found.notes)).text if found.notes else ""
        told = {}
        for one in languages.LANGUAGES:
            with speaking(languages.catalogue(one)):
                new = home.runs_of(found.invocations, datetime.fromtimestamp(now, UTC))
            told[one] = Snapshot(home.merged(new, before[one].runs, silent), found.read_at, now, trouble)
        return told

    def _troubled(self, before: Snapshot, error: CloudError, language: str) -> Snapshot:
        with speaking(languages.catalogue(language)):
            return replace(before, tried_at=self.answering.now, trouble=messages.cloud_error(error).text)

    def _keep(self, told: Mapping[str, Snapshot]) -> None:
        try:
            for language, snapshot in told.items():
                self.answering.store.put(self._kept(language), asdict(snapshot), self.answering.now + _KEPT)
        except StoreError as error:
            log.warning("snapshot not kept: %s", error)

    def _wait(self) -> None:
        value, expires = {"user": self.by.user_id, "language": self.by.language}, self.answering.now + READING
        try:
            self.answering.store.put(f"home-waiting/{self._key}/{self.by.user_id}", value, expires)
        except StoreError as error:
            log.warning("not waiting: %s", error)

    def _publish_to_waiting(self, told: Mapping[str, Snapshot]) -> None:
        """Those who came while this was read, each in their language; each was admitted seconds ago."""
        store = self.answering.store
        try:
            waiting = store.list(f"home-waiting/{self._key}/", self.answering.now)
            for one in waiting:
                store.delete(one.key)
        except StoreError as error:
            log.warning("who waits is not known: %s", error)
            return
        for one in waiting:
            language = one.value.get("language", self.by.language)
            try:
                with speaking(languages.catalogue(language)):
                    self.publish(one.value["user"], told[language])
            except SlackError as error:
                log.warning("Home not published: %s", error)
