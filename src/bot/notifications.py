"""Cloud events and timers: what each asks for is queued as a job, and nothing else is done here.

An event is only a hint: where it is not of an account that is asked, or of a region that is not configured, it is
dropped; what is shown is read back from the API. A storm of events of one run becomes one job in five seconds, because
their jobs bear the same id and the queue refuses an id that it has: no store is read for that.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable

from bot import reporting
from bot.core.events import Event, FirstHeartbeat, InstanceEvent, TaskCompleted, Tick, trusted
from bot.jobs import CHORE, CLOUD_EVENT, Job, job_id
from bot.settings import Settings

log = logging.getLogger("bot.notifications")

_MINUTE = 60


def heard(
    settings: Settings, events: Iterable[Event], put: Callable[[Job, float], None], now: float, request_id: str
) -> dict[str, int]:
    """Queues what events ask for by `put(job, seconds)`, each job once; how many of each kind there were, without those
    that are dropped. Raises QueueRefused.
    """
    reading = trusted(events, settings.account_ids, settings.regions)
    for reason in reading.unknown:
        log.warning("events dropped: %s (%s)", reason, request_id)
    asked_for = [_asked_for(event, now) for event in reading.events]
    for job, wait in {job.id: (job, wait) for job, wait in asked_for}.values():
        put(job, wait)
    return dict(Counter(type(event).__name__ for event in reading.events))


def _asked_for(event: Event, now: float) -> tuple[Job, float]:
    """The job that an event asks for, and the seconds until it is due."""
    match event:
        case TaskCompleted():
            return _look(event, now)
        case InstanceEvent():
            same = f"{event.own_id}-{event.status}-{event.detail}" if event.own_id else ""
            return _system_event(event, event.name, event.status, event.detail, now, same), 0.0
        case FirstHeartbeat():
            return _system_event(event, "CloudAssistant:FirstHeartbeat", "", "", now), 0.0
        case Tick():
            moment = event.at.timestamp() if event.at else now
            name = job_id("chore", f"{event.name}-{int(moment // _MINUTE)}")
            return Job(CHORE, name, int(now), {"name": event.name, "payload": event.payload}), 0.0


def _look(event: TaskCompleted, now: float) -> tuple[Job, float]:
    finished = event.finished or event.at
    hints = {
        "command_id": event.command_id,
        "command_name": event.command_name,
        "instance_id": event.instance_id,
        "finished": finished.timestamp() if finished else now,
    }
    return reporting.heard_of(event.region, event.invoke_id, hints, now)


def _system_event(
    event: InstanceEvent | FirstHeartbeat, name: str, status: str, detail: str, now: float, same: str = ""
) -> Job:
    """The job that tells of it; `same` names what is told, whichever message brings it."""
    at = event.at.timestamp() if event.at else now
    told = {
        "region": event.region,
        "instance_id": event.instance_id,
        "name": name,
        "status": status,
        "detail": detail,
        "at": at,
    }
    # The same event comes more than once, and by more than one way (EventBridge and CloudMonitor give it ids of their
    # own); an id is not always there.
    which = same or event.id or f"{name}-{status}-{event.instance_id}-{int(at)}"
    return Job(CLOUD_EVENT, job_id("event", which), int(now), told)
