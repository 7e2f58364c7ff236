"""The poll: what the timer finds in regions from which no event comes, and what events have missed elsewhere.

Every 15 minutes the newest runs of each subscribed region are listed, and those whose report is not over are looked at
as an event would have it. A missing rule never means a subscription that never speaks.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from bot import heard, reporting, subscribers
from bot.adapters.cloud_assistant import CloudAssistant
from bot.core.model import Invocation
from bot.core.reports import occasion_from
from bot.subscribers import Subscribed

if TYPE_CHECKING:
    from bot.answering import Answering
    from bot.turn import Turn

log = logging.getLogger("bot.polling")

EVERY = 900.0  # seconds, as the timer `poll` has it
_TWICE = 300.0  # seconds within which a second delivery finds that it has been done
_LEASE = 90.0  # seconds for all regions
_OVERLAP = 60.0  # seconds; a run is listed some time after it was made
_MISSED = 1_800.0  # seconds of runs that are looked through where events arrive
_FURTHEST = 86_400.0  # seconds
_MOST_RUNS = 200  # of one region
_MOST_SCHEDULES = 50
_KEEP = 30 * 86_400.0  # seconds
_APART = 1.0  # seconds between two looks: a poll must not fill the API's minute


def poll(answering: Answering, turn: Turn) -> None:
    """Raises StoreError and QueueRefused. A region that does not answer is left alone until the next poll."""
    now, owner = answering.now, os.urandom(8).hex()
    since = {}
    for region, made in _subscribed(answering).items():
        claim = answering.store.claim(f"polled/{region}", owner, now, now + _LEASE, now + _KEEP)
        if not claim.won:
            continue
        if now - claim.value.get("at", 0.0) < _TWICE:
            answering.store.mark(f"polled/{region}", owner, claim.value, 0.0)
            continue
        since[region] = (_since(answering, region, claim.value, made), claim.value)
    cloud, fanout = answering.calls(turn)
    gathered = fanout.together(
        {region: partial(_newest, cloud, region, moment) for region, (moment, _) in since.items()}
    )
    for region, error in gathered.failed.items():
        log.warning("poll of %s: %s", region, error.code or "no answer")
        begun = {"at": now - EVERY, **since[region][1]}  # the next poll looks as far back as this one would have
        answering.store.mark(f"polled/{region}", owner, begun, 0.0)
    _look_at(answering, turn, [run for runs in gathered.replies.values() for run in runs])
    for region in gathered.replies:
        answering.store.mark(f"polled/{region}", owner, {"at": now}, 0.0)


def _subscribed(answering: Answering) -> dict[str, float]:
    """The regions that somebody wants to hear of, each with the time of the first such wish."""
    ours, regions = answering.settings.regions, dict[str, float]()
    channels = subscribers.everywhere(answering.store, answering.now)
    for one in _of_runs(channels.values()):
        for region in ours:
            if one.subscription.of_place(region):
                regions[region] = min(one.made, regions.get(region, one.made))
    return regions


def _of_runs(channels: Iterable[Sequence[Subscribed]]) -> list[Subscribed]:
    return [one for some in channels for one in some if one.subscription.of_runs]


def _since(answering: Answering, region: str, polled: Mapping[str, Any], made: float) -> float:
    """From when on runs are listed: never much before the first subscription, so that nobody gets history."""
    now = answering.now
    last = float(polled.get("at", now - EVERY)) - _OVERLAP
    known = heard.last(answering.store, region, now)
    if known and known.serves(now):
        last = now - _MISSED
    return max(last, made - EVERY, now - _FURTHEST)


def _newest(cloud: CloudAssistant, region: str, since: float) -> list[Invocation]:
    """Runs made since then, and schedules of which a run has ended since then."""
    runs, more = cloud.invocations_since(region, {}, since, _MOST_RUNS)
    if more:
        log.warning("poll of %s: only the newest %d runs", region, _MOST_RUNS)
    schedules = cloud.invocations(region, {"RepeatMode": "Period"}, _MOST_SCHEDULES)
    ended = [run for run in schedules if any(one.finished and one.finished.timestamp() >= since for one in run.targets)]
    return list({run.id: run for run in [*runs, *ended]}.values())


def _look_at(answering: Answering, turn: Turn, runs: Sequence[Invocation]) -> None:
    now, number = answering.now, 0
    for run in runs:
        if not _over(answering, run):
            wait = number * _APART
            turn.follow(reporting.look_at(run.region, run.id, now, wait), wait)
            number += 1


def _over(answering: Answering, run: Invocation) -> bool:
    """Whether all has been told of it, or nobody wants to hear of it. Of a schedule, each run is looked at anew."""
    store, now = answering.store, answering.now
    pointer = store.get(f"run/{run.id}", now)
    if pointer is None or run.is_schedule:
        return False
    occasion = store.get(pointer.value["occasion"], now) if pointer.value["occasion"] else None
    if occasion is None:
        return True
    name = occasion_from(occasion.value)
    report = store.get(f"report/{name.name}", now)
    return report is not None and name.report(report.value).over
