"""What people read of a system event of an instance. Names and statuses: the vendor's pages on ECS system events."""

from __future__ import annotations

import re
from datetime import datetime

from bot.core import blocks as b
from bot.core import wording
from bot.core.blocks import Message
from bot.core.model import Instance
from bot.core.texts import N_, _, joined, stop

MOST_DETAIL = 300

# The first that an event's name begins with: what it is in words, and what on-call people do about it.
_KINDS: tuple[tuple[str, str, str], ...] = (
    ("Instance:SystemFailure", N_("system failure of the host"), N_("Check that its services came back.")),
    (
        "Instance:InstanceFailure",
        N_("failure within the instance"),
        N_("Look at its console screenshot and system log."),
    ),
    ("Instance:SystemMaintenance", N_("maintenance by the vendor"), N_("Move its work away before it begins.")),
    (
        "Instance:PreemptibleInstanceInterruption",
        N_("spot interruption"),
        N_("It is released within about five minutes; move its work now."),
    ),
    ("Instance:StateChange", N_("state change"), ""),
    (
        "Instance:BurstablePerformanceRestricted",
        N_("CPU credits used up"),
        N_("It runs at its baseline until they return."),
    ),
    ("Disk:Stalled", N_("disk stalled"), N_("Reads and writes on it wait; check the instance.")),
    ("Disk:ErrorDetected", N_("disk error"), N_("Check the disk and its snapshots.")),
    ("CloudAssistant:FirstHeartbeat", N_("agent online for the first time"), ""),
)


def message(name: str, status: str, instance: Instance, happened: datetime, detail: str) -> Message:
    """One notice: which instance, what, since when, and what to do. `status` and `detail` are the vendor's words."""
    what, advice = next(((what, advice) for begins, what, advice in _KINDS if name.startswith(begins)), (name, ""))
    known = name.partition(":")[2].partition(".")[2]  # Reboot, Stop, Redeploy, …
    told = joined(part for part in (wording.name(_(what), 60), _plain(known), _plain(status)) if part)
    advice = _(advice)
    who = wording.name(instance.name or instance.id, 40)
    head = _("{what}: {told}", what=who, told=told)
    first = b.clip(stop(head), 110)
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
