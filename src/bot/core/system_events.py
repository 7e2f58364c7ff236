"""What people read of a system event of an instance. Names and statuses: the vendor's pages on ECS system events."""

from __future__ import annotations

import re
from datetime import datetime

from bot.core import blocks as b
from bot.core import wording
from bot.core.blocks import Message
from bot.core.model import Instance

MOST_DETAIL = 300

# The first that an event's name begins with: what it is in words, and what on-call people do about it.
_KINDS: tuple[tuple[str, str, str], ...] = (
    ("Instance:SystemFailure", "system failure of the host", "Check that its services came back."),
    ("Instance:InstanceFailure", "failure within the instance", "Look at its console screenshot and system log."),
    ("Instance:SystemMaintenance", "maintenance by the vendor", "Move its work away before it begins."),
    (
        "Instance:PreemptibleInstanceInterruption",
        "spot interruption",
        "It is released within about five minutes; move its work now.",
    ),
    ("Instance:StateChange", "state change", ""),
    ("Instance:BurstablePerformanceRestricted", "CPU credits used up", "It runs at its baseline until they return."),
    ("Disk:Stalled", "disk stalled", "Reads and writes on it wait; check the instance."),
    ("Disk:ErrorDetected", "disk error", "Check the disk and its snapshots."),
    ("CloudAssistant:FirstHeartbeat", "agent online for the first time", ""),
)


def message(name: str, status: str, instance: Instance, happened: datetime, detail: str) -> Message:
    """One notice: which instance, what, since when, and what to do. `status` and `detail` are the vendor's words."""
    what, advice = next(((what, advice) for begins, what, advice in _KINDS if name.startswith(begins)), (name, ""))
    known = name.partition(":")[2].partition(".")[2]  # Reboot, Stop, Redeploy, …
    told = ", ".join(part for part in (wording.name(what, 60), _plain(known), _plain(status)) if part)
    who = wording.name(instance.name or instance.id, 40)
    head = f"{who}: {told}"
    first = b.clip(f"{head}.", 110)
    blocks = [
        b.header(f"! {head}"),
        *([b.rich_text(b.line(b.words(advice)))] if advice else []),
        *([b.rich_text(b.line(b.words(wording.name(detail, MOST_DETAIL))))] if detail else []),
        b.context(
            b.escape(wording.name(instance.id)),
            b.escape(wording.name(instance.region)),
            b.date(happened),
            b.escape(name),
        ),
    ]
    return b.within_limits(b.escape("\n".join(part for part in (first, advice) if part)), blocks)


def _plain(word: str) -> str:
    """`InProgress` as `in progress`."""
    return wording.name(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", word).lower(), 40)
