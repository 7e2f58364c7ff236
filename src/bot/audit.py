"""The audit: a row for each act, kept in the store as `audit/{run}/{milliseconds}-{trace}-{user}` for BOT_AUDIT_DAYS.

What is about no run, or about none that was found, is kept as `audit/-/…`; what is about several, as lists and Home
are, once as `audit/+/…`: it is written often and read rarely.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from bot import lines
from bot.adapters.store import Store, StoreError
from bot.core import audit
from bot.core.audit import Entry, entry_from

log = logging.getLogger("bot.audit")

NO_RUN, SEVERAL = "-", "+"
_DAY = 86_400.0


def keep(store: Store, entry: Entry, days: int) -> None:
    """Writes the line, then keeps it; a store that does not answer is told in the log, and the line stands there."""
    lines.write(lines.AUDIT, **entry.value())
    try:
        run = SEVERAL if len(entry.runs) > 1 else "".join(entry.runs) or NO_RUN
        key = f"audit/{run}/{int(entry.at * 1000):014d}-{entry.trace}-{entry.user}"
        store.put(key, entry.value(), entry.at + days * _DAY)
    except StoreError as error:
        log.error("not kept for the audit: %s: %s", entry.trace, error)


def of_run(store: Store, run: str, now: float) -> list[Entry]:
    """Oldest first. Raises StoreError."""
    entries = [entry_from(record.value) for of in (run, SEVERAL) for record in store.list(f"audit/{of}/", now)]
    return sorted((one for one in entries if run in (one.runs or (NO_RUN,))), key=lambda one: one.at)


def told(run: str, entries: Iterable[Entry], days: int) -> str:
    """What is printed for a person at a terminal."""
    found = [entry.told() for entry in entries]
    head = f"{run}: {len(found)} kept, of the last {days} days." if found else f"{run}: nothing kept in {days} days."
    return "\n".join([head, *found, audit.WHO_READ])
