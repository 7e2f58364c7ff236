"""A look at a run that an event or the poll has named: read it, decide, and hand each channel what it wants.

Looks are delayed jobs whose ids Function Compute folds: a storm of events makes one look in five seconds. The store
decides which runs share a report (`run/…`, `grouping/…`, `report/…`), so that many function instances agree.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot import heard, notices, subscribers
from bot.core import messages, reports
from bot.core.access import Limit
from bot.core.blocks import Message
from bot.core.errors import CloudError, Denied, Throttled
from bot.core.model import Invocation
from bot.core.notices import OPEN, News, made_good
from bot.core.reports import BADLY, GOING, WELL, Decision, Occasion, Report, Wanted
from bot.core.summary import BAD, Bucket, Summary, summarise
from bot.jobs import REPORT, Job, job_id
from bot.lookup import Found
from bot.subcommands import answer_buttons
from bot.subscribers import Subscribed

if TYPE_CHECKING:
    from bot.answering import Answering
    from bot.turn import Turn

log = logging.getLogger("bot.reporting")

DELAY = 3.0  # seconds from an event to the look that it asks for
WINDOW = 5  # seconds in which all news of a run make one look
_LEASE = 20.0  # seconds for one look
_GROUPING = 15.0  # seconds in which one process decides where a run belongs
_HELD = 3.0  # seconds until a lease that another holds is tried again; it mostly holds it for less
_MORE = 6.0  # seconds in which other runs of a rollout may end too, before channels hear of the end of one
_UNANSWERED, _LONGEST_TRY = 15.0, 300.0  # seconds until a look that got no answer is made again: first, and in the end
_MOST_TRIES = 100
_UNSEEN, _UNSEEN_TRIES = 6.0, 4  # seconds until a run is looked for again that is not there: each time that much more
_UNWANTED = 300.0  # seconds for which a run that nobody wants to hear of is left alone
_KEEP = 3 * 86_400.0  # seconds; longer than any run is looked at


def look_at(region: str, invoke_id: str, now: float, wait: float = 0.0) -> Job:
    """The job of a look at a run; those that are due within one window are one job."""
    name = job_id("report", f"{invoke_id}-due-{int((now + wait) // WINDOW)}")
    return Job(REPORT, name, int(now), {"region": region, "invoke_id": invoke_id})


def heard_of(region: str, invoke_id: str, hints: Mapping[str, Any], now: float) -> tuple[Job, float]:
    """The job that an event asks for, and the seconds until it is due: all events within one window ask for one job.

    It is due after the window's end, for news that comes later would find the id taken and be lost. Without an
    invoke id, `hints` tell command, instance and time.
    """
    which = invoke_id or f"{region}-{hints['command_id'] or hints['command_name'] or hints['instance_id']}"
    window = int(now // WINDOW)
    payload = {"region": region, "invoke_id": invoke_id, "heard": True, **({} if invoke_id else {"hints": dict(hints)})}
    wait = max(DELAY, math.ceil((window + 1) * WINDOW - now))
    return Job(REPORT, job_id("report", f"{which}-{window}"), int(now), payload), wait


def report(answering: Answering, turn: Turn, payload: Mapping[str, Any]) -> None:
    """One look, and what follows from it. Raises StoreError and QueueRefused, which bring the job again."""
    region, invoke_id = str(payload["region"]), str(payload["invoke_id"])
    if payload.get("heard"):
        heard.remember(answering.store, region, answering.now)
    everywhere = subscribers.everywhere(answering.store, answering.now)
    channels = {channel: some for channel, some in everywhere.items() if answering.admissions.may_tell(channel)}
    if not any(one.subscription.of_runs for some in channels.values() for one in some):
        return
    try:
        runs = [invoke_id] if invoke_id else answering.lookup(turn).runs_of(region, payload["hints"])
        for other in runs[1:]:
            turn.follow(look_at(region, other, answering.now), 0)
        if runs:
            _Look(answering, turn, channels).at(region, runs[0])
        else:
            _look_for_it_again(turn)
    except Throttled as error:
        turn.again(error.wait)
    except CloudError as error:
        log.warning("look at %s: %s %s", invoke_id, error.code or "no answer", error.request_id)
        if not isinstance(error, Denied) and turn.tries < _MOST_TRIES:
            turn.again(min(_LONGEST_TRY, _UNANSWERED * (turn.tries + 1)))


def _look_for_it_again(turn: Turn) -> None:
    """An event may come before the API shows its run; raises Postponed."""
    if turn.tries < _UNSEEN_TRIES:
        turn.again(_UNSEEN * (turn.tries + 1))


def _after(report: Report, name: str, region: str, invoke_id: str, now: float) -> Job:
    """The job of the look `name` after a look: there is one of each name, and the next look has others."""
    which = job_id("report", f"{report.runs[0].id}-{name}-{int(report.read_at * 1000)}")
    return Job(REPORT, which, int(now), {"region": region, "invoke_id": invoke_id})


class _Look:
    """One look, with all that it needs at hand."""

    def __init__(self, answering: Answering, turn: Turn, channels: Mapping[str, list[Subscribed]]) -> None:
        self._answering, self._turn, self._channels = answering, turn, channels
        self._settings, self._store = answering.settings, answering.store
        self._owner, self._lookup = os.urandom(8).hex(), answering.lookup(turn)
        self._first: Found | None = None  # what was read to find out where the run belongs

    def at(self, region: str, invoke_id: str) -> None:
        """Looks, tells, and queues the next look, where there is to be one. Raises CloudError."""
        occasion = self._occasion_of(region, invoke_id)
        if occasion is None:
            return
        key, now = f"report/{occasion.name}", self._answering.now
        claim = self._store.claim(key, self._owner, now, now + _LEASE, now + _KEEP)
        if not claim.won:
            self._turn.again(min(_HELD, claim.until - now + 1))
        before, after = occasion.report(claim.value), None
        try:
            if before.over and not occasion.schedule:
                return
            if now < before.soonest:
                self._look_soon(region, invoke_id, before)
                return
            decision = self._looked(occasion, before)
            after = decision.report
        finally:
            self._store.mark(key, self._owner, (after or before).value(), 0.0)
        if decision.wait:
            self._turn.follow(_after(after, "next", region, invoke_id, now), decision.wait)

    def _look_soon(self, region: str, invoke_id: str, before: Report) -> None:
        """One look more as soon as one is allowed, however many have asked for it."""
        now = self._answering.now
        job = _after(before, "soon", region, invoke_id, now)
        if job.id == self._turn.job_id:  # clocks differ: it has come too early
            self._turn.again(before.soonest - now)
        self._turn.follow(job, before.soonest - now)

    # Where a run belongs

    def _occasion_of(self, region: str, invoke_id: str) -> Occasion | None:
        """The occasion of a run; None where nobody wants to hear of it. Raises CloudError."""
        now = self._answering.now
        pointer = self._store.get(f"run/{invoke_id}", now)
        if pointer is None:
            return self._placed(region, invoke_id)
        record = self._store.get(pointer.value["occasion"], now) if pointer.value["occasion"] else None
        return reports.occasion_from(record.value) if record else None

    def _placed(self, region: str, invoke_id: str) -> Occasion | None:
        self._first = self._lookup.standing([(region, invoke_id)])
        if not self._first.invocations:
            _look_for_it_again(self._turn)
            log.info("no such run in %s: %s", region, invoke_id)
            return None
        run, now = self._first.invocations[0], self._answering.now
        if not self._wanted_by(run):
            self._store.put(f"run/{invoke_id}", {"occasion": ""}, now + _UNWANTED)
            return None
        identity = reports.identity(run, self._settings.run_tag)
        lease = f"grouping/{identity}"
        claim = self._store.claim(lease, self._owner, now, now + _GROUPING, now + _KEEP)
        if not claim.won:
            self._turn.again(min(_HELD, claim.until - now + 1))
        try:
            return self._joined(run, identity)
        finally:
            self._store.mark(lease, self._owner, {}, 0.0)

    def _wanted_by(self, run: Invocation) -> list[str]:
        wanting = [channel for channel, some in self._channels.items() if _about(some, run)]
        return [channel for channel in wanting if self._answering.admissions.limit_of(channel).allows_run(run)]

    def _joined(self, run: Invocation, identity: str) -> Occasion:
        now, this = self._answering.now, reports.run_of(run)
        known = (reports.occasion_from(one.value) for one in self._store.list(f"occasion/{identity}/", now))
        occasion = next((one.joined_by(this) for one in known if one.takes(this)), None)
        if occasion is None:
            occasion = reports.occasion_of(run, self._settings.run_tag)
            trouble = self._store.get(f"trouble/{identity}", now)
            occasion = replace(occasion, story=trouble.value["story"]) if trouble else occasion
        key = f"occasion/{identity}/{occasion.name}"
        self._store.put(key, occasion.value(), now + _KEEP)
        self._store.put(f"run/{run.id}", {"occasion": key}, now + _KEEP)
        return occasion

    # What it shows, and who hears of it

    def _looked(self, occasion: Occasion, before: Report) -> Decision:
        now = self._answering.now
        found = self._first if self._first and len(before.runs) == 1 else None
        found = found or self._lookup.standing([(run.region, run.id) for run in before.runs])
        if not found.invocations:
            return Decision("", 0, replace(before, ended=len(before.runs)))
        if occasion.schedule:
            found = self._lookup.whole(found, all_names=self._all_names)
        decision = reports.after_look(before, reports.settled(_summary(found, self._settings.mask_personal)), now)
        if decision.tell:
            if decision.tell == GOING:
                found = self._lookup.named(found, all_names=self._all_names)
            elif not occasion.schedule:
                found = self._lookup.whole(found, all_names=self._all_names)
            self._tell(occasion, before, decision, found)
        return decision

    @property
    def _all_names(self) -> bool:
        """Whether a filter needs to know what every instance is called."""
        return any(
            one.subscription.instances or one.subscription.tags for some in self._channels.values() for one in some
        )

    def _tell(self, occasion: Occasion, before: Report, decision: Decision, found: Found) -> None:
        # Channels that hear nothing of successes still want to hear that what failed has recovered.
        open_still = before.told in (GOING, BADLY) or occasion.story != occasion.name or occasion.schedule
        told: dict[tuple[Limit, tuple[str, ...]], tuple[Wanted, News, Message]] = {}  # most channels want the same
        for channel, some in self._channels.items():
            limit = self._answering.admissions.limit_of(channel)
            shown = _within(found, limit)
            relevant = [one for one in some if any(_about([one], run) for run in shown.invocations)]
            words = limit, tuple(sorted(one.subscription.words() for one in relevant))
            if words not in told:
                told[words] = self._worded(occasion, decision, shown, relevant)
            wanted, news, message = told[words]
            if wanted.news or (open_still and wanted.summary.total):
                theirs = wanted.summary.invocations
                job = notices.job(
                    channel,
                    occasion.story,
                    news,
                    message,
                    self._answering.now,
                    wishes=[one.key for one in relevant],
                    rings=wanted.rings,
                    runs=[run.id for run in theirs] if not occasion.schedule else (),
                    commands=sorted({run.command_name or run.command_id for run in theirs}),
                )
                ended = decision.tell != GOING and not occasion.schedule
                self._turn.follow(job, _MORE if ended else 0)  # that job alone talks to Slack
        if decision.tell != GOING:
            self._remember(occasion, reports.settled(_summary(found, self._settings.mask_personal)))

    def _worded(
        self, occasion: Occasion, decision: Decision, shown: Found, some: Sequence[Subscribed]
    ) -> tuple[Wanted, News, Message]:
        """What these subscriptions let through of what a channel may be shown, as news and in words."""
        summary = _summary(shown, self._settings.mask_personal)
        wanted = reports.wanted(summary, [one.subscription for one in some], shown.instances)
        message = self._message(wanted, shown, decision)
        return wanted, self._news(occasion, decision, wanted, message, reports.settled(summary)), message

    def _news(self, occasion: Occasion, decision: Decision, wanted: Wanted, message: Message, settled: Summary) -> News:
        """`settled` is of all that the channel may be shown: what went well there ends what had failed."""
        summary, now = wanted.summary, self._answering.now
        bad = summary.count(*BAD, Bucket.UNKNOWN) > 0
        return News(
            state=GOING if decision.tell == GOING else BADLY if bad else WELL,
            version=int(now * 1000),
            at=summary.ended.timestamp() if summary.ended else now,
            occasion=reports.occasion_name(occasion, summary),
            wanted=wanted.news,
            cause=reports.cause(summary),
            instances=reports.failing(summary),
            names=reports.failing_names(summary),
            line=message.text.split("\n", 1)[0],
            well=reports.gone_well(settled),
            **reports.streak(summary),
        )

    def _message(self, wanted: Wanted, found: Found, decision: Decision) -> Message:
        summary, now = wanted.summary, self._answering.now
        desk = self._answering.unasked_desk(self._turn, [(run.region, run.id) for run in summary.invocations])
        frame = desk.frame(found)
        if decision.tell == GOING:
            frame = replace(frame, next_look=datetime.fromtimestamp(now + decision.wait, UTC))
            return messages.progress(summary, frame, answer_buttons(desk, summary))
        message = messages.results(summary, frame, answer_buttons(desk, summary))
        return messages.noted(message, made_good(wanted.made_good)) if wanted.made_good else message

    def _remember(self, occasion: Occasion, summary: Summary) -> None:
        """While a thing goes on failing, its next runs are told in the same message.

        It does until each instance that failed has gone well since, on whichever instances it ran meanwhile.
        """
        key, now, failing = f"trouble/{occasion.identity}", self._answering.now, reports.failing(summary)
        record = self._store.get(key, now)
        before = record.value.get("failing", ()) if record else ()
        left = set(before).difference(reports.gone_well(summary), failing)
        if failing or (left and len(left) < len(before)):
            self._store.put(key, {"story": occasion.story, "failing": [*failing, *sorted(left)]}, now + OPEN)
        elif not left:
            self._store.delete(key)


def _about(some: Iterable[Subscribed], run: Invocation) -> bool:
    return any(one.subscription.of_run(run) for one in some)


def _within(found: Found, limit: Limit) -> Found:
    """What a channel with this limit may be told of it."""
    if not limit:
        return found
    runs = tuple(run for run in found.invocations if limit.allows_run(run))
    ids = {run.id for run in runs}
    return replace(found, invocations=runs, results=tuple(row for row in found.results if row.invoke_id in ids))


def _summary(found: Found, personal: bool) -> Summary:
    return summarise(found.invocations, found.results, found.instances, personal=personal)
