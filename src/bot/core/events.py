"""What reaches us from EventBridge, CloudMonitor, MNS and timers, as frozen values.

Shapes: EventBridge's page on ECS events, Cloud Assistant's on its events, CloudMonitor's on system events and on the
webhook of a subscription, Function Compute's on its triggers. They are told apart by what is in them; keys may be
camelCase, PascalCase or snake_case, texts may be wrapped in JSON or Base64 again. An event is only a hint: what it says
of a run is read back from the API. Nothing here raises, whatever the bytes.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.core import places
from bot.core.envelopes import Envelope, envelope_of, folded, message_in, text, time_of
from bot.core.model import number_of

MOST_BYTES = 8_000_000
_ID = "{}-[0-9a-z]{{6,64}}"
_MOST_VALUES = 50_000  # looked at in one body, wrappings included
_MOST_WRAPPINGS = 8
_MOST_DETAIL = 300
_MOST_REASONS = 10


@dataclass(frozen=True, slots=True)
class TaskCompleted:
    """A run ended on one instance. `status` is an InvocationStatus; `exit_code` is None where none was given.

    Where there is no `invoke_id` there is an `instance_id`.
    """

    id: str
    account: str
    region: str
    at: datetime | None
    invoke_id: str
    command_id: str
    command_name: str
    instance_id: str
    status: str
    exit_code: int | None
    finished: datetime | None


@dataclass(frozen=True, slots=True)
class FirstHeartbeat:
    """Cloud Assistant Agent of an instance reported for the first time since the instance started."""

    id: str
    account: str
    region: str
    at: datetime | None
    instance_id: str


@dataclass(frozen=True, slots=True)
class InstanceEvent:
    """A system event of an instance or of its disk, such as `Instance:SystemFailure.Reboot`, `Disk:Stalled`.

    `status`: Scheduled, Executing, …; for Instance:StateChange the new state; for CloudMonitor's events that have no
    status of their own what it writes there, but for Normal, which says nothing. `level`: INFO, WARN, CRITICAL, or ""
    from EventBridge. `detail`: what else is said, in the vendor's words: untrusted text, at most 300 characters.
    `own_id` (`e-…`) is what ECS calls it in all its statuses, by whatever way it comes; `id` is of the one message.
    """

    id: str
    account: str
    region: str
    at: datetime | None
    name: str
    status: str
    level: str
    instance_id: str
    detail: str
    own_id: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """A timer of Function Compute went off; `payload` is what template.yml gives it."""

    name: str
    at: datetime | None
    payload: str


CloudEvent = TaskCompleted | FirstHeartbeat | InstanceEvent
Event = CloudEvent | Tick


@dataclass(frozen=True, slots=True)
class Reading:
    """`unknown`: why parts of a body were left alone, each reason once; never what stood in them."""

    events: tuple[Event, ...] = ()
    unknown: tuple[str, ...] = ()


def read(raw: bytes) -> Reading:
    """All events in a body: one or many, bare or wrapped."""
    if len(raw) > MOST_BYTES:
        return Reading(unknown=(f"more than {MOST_BYTES:,} bytes",))
    reader = _Reader()
    reader.take(raw, 0)
    return Reading(tuple(reader.events), tuple(reader.unknown))


def trusted(events: Iterable[Event], accounts: Mapping[str, str], regions: Collection[str]) -> Reading:
    """The events that are worth a look: of an account that is asked, and of a region that is configured.

    `accounts` are the names of accounts by their numbers; "" stands for a number that is not known. The region of what
    is kept is a place, as in `regions`.
    """
    kept: list[Event] = []
    dropped: dict[str, None] = {}
    for event in events:
        if isinstance(event, Tick):
            kept.append(event)
            continue
        name = accounts.get(event.account, accounts.get(""))
        if name is None:
            dropped["of another account"] = None
        elif places.at(name, event.region) not in regions:
            dropped["of a region that is not configured"] = None
        else:
            kept.append(replace(event, region=places.at(name, event.region)))
    return Reading(tuple(kept), tuple(dropped))


class _Reader:
    """Unwraps a body until there are events; what is none gives a reason."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.unknown: dict[str, None] = {}
        self._left = _MOST_VALUES

    def take(self, value: object, wrappings: int) -> None:
        self._left -= 1
        if self._left < 0 or wrappings > _MOST_WRAPPINGS:
            self._leave("more values than one body should hold" if self._left < 0 else "wrapped too often")
        elif isinstance(value, bytes | str):
            self._take_text(value, wrappings)
        elif isinstance(value, list) and value:
            for one in value[: self._left + 1]:
                self.take(one, wrappings + 1)
        elif isinstance(value, Mapping):
            self._take_object(folded(value), wrappings)
        else:
            self._leave("empty" if value == [] else "neither an object nor a list")

    def _take_text(self, written: bytes | str, wrappings: int) -> None:
        try:
            value = _parsed(written)
        except (ValueError, RecursionError):
            self._leave("no JSON" if written else "empty")
        else:
            self.take(value, wrappings + 1)

    def _take_object(self, body: Mapping[str, Any], wrappings: int) -> None:
        message = message_in(body)
        if message is not None:
            self.take(message, wrappings + 1)
        elif "triggername" in body and "triggertime" in body:
            self.events.append(_tick(body))
        else:
            envelope = envelope_of(body)
            event = _event(envelope) if envelope else None
            if event:
                self.events.append(event)
            else:
                self._leave(f"not for us: {_kind(envelope)}" if envelope else "an object of no known shape")

    def _leave(self, reason: str) -> None:
        if len(self.unknown) < _MOST_REASONS:
            self.unknown[reason] = None


def _parsed(written: bytes | str) -> object:
    """JSON, or Base64 of JSON, as MNS carries it; raises ValueError and RecursionError."""
    try:
        return json.loads(written)
    except ValueError:
        packed = written.encode() if isinstance(written, str) else written
        return json.loads(base64.b64decode(b"".join(packed.split()), validate=True))


def _tick(body: Mapping[str, Any]) -> Tick:
    return Tick(text(body, "triggername"), time_of(body["triggertime"]), text(body, "payload"))


def _event(envelope: Envelope) -> CloudEvent | None:
    """None for another product's event, another kind, or one that names nothing to look at."""
    family, what, suffix = envelope.parts
    if envelope.product.lower() not in ("", "ecs"):
        return None
    if (family, what) == ("CloudAssistant", "TaskCompleted"):
        return _task_completed(envelope, suffix)
    if (family, what) == ("CloudAssistant", "FirstHeartbeat"):
        who = envelope.instance_id
        return FirstHeartbeat(envelope.id, envelope.account, envelope.region, envelope.at, who) if who else None
    if family in ("Instance", "Disk") and what:
        return _instance_event(envelope, f"{family}:{what}", suffix)
    return None


def _task_completed(envelope: Envelope, suffix: str) -> TaskCompleted | None:
    """None where neither a run nor an instance is named: by these and the time a run can be found."""
    content = envelope.content
    task = TaskCompleted(
        id=envelope.id,
        account=envelope.account,
        region=envelope.region,
        at=envelope.at,
        invoke_id=text(content, "invokeid") or _by_look(content, "t"),
        command_id=text(content, "commandid") or _by_look(content, "c"),
        command_name=text(content, "commandname"),
        instance_id=envelope.instance_id,
        status=text(content, "invocationstatus") or suffix,
        exit_code=number_of(content.get("exitcode")),
        finished=time_of(content.get("finishtime")) or time_of(content.get("finishedtime")),
    )
    return task if task.invoke_id or task.instance_id else None


def _by_look(content: Mapping[str, Any], letter: str) -> str:
    """An id under whatever name: the vendor's page does not show all fields of this event."""
    return next((one for one in (text(content, key) for key in content) if re.fullmatch(_ID.format(letter), one)), "")


def _instance_event(envelope: Envelope, name: str, suffix: str) -> InstanceEvent:
    content = envelope.content
    own = suffix or text(content, "eventstatus") or text(content, "state")
    return InstanceEvent(
        id=envelope.id,
        account=envelope.account,
        region=envelope.region,
        at=envelope.at,
        name=name,
        status=own or ("" if envelope.status == _NO_STATUS else envelope.status),
        level=envelope.level,
        instance_id=envelope.instance_id,
        detail=_detail(content),
        own_id=text(content, "eventid"),
    )


_NO_STATUS = "Normal"  # CloudMonitor's word for an event of one status only, such as a spot interruption


def _kind(envelope: Envelope) -> str:
    """The name of an event, where it looks like a name."""
    return envelope.name if re.fullmatch(r"[A-Za-z][A-Za-z.:]{0,80}", envelope.name) else "an event without a name"


_DETAILS = (
    ("action", "action"),
    ("reason", "reason"),
    ("reasoncode", "reason"),
    ("diskid", "disk"),
    ("device", "device"),
    ("notbefore", "not before"),
    ("executestarttime", "started"),
    ("executefinishtime", "finished"),
)


def _detail(content: Mapping[str, Any]) -> str:
    told = [f"{word} {text(content, key)}" for key, word in _DETAILS if text(content, key)]
    return ", ".join(told)[:_MOST_DETAIL]
