"""The audit: a line for each act, kept in the store as `audit/{run}/{milliseconds}-{trace}` for BOT_AUDIT_DAYS.

What is about no run, or about none that was found, is kept as `audit/-/…`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from bot import lines
from bot.adapters.store import Store, StoreError
from bot.core import audit
from bot.core.audit import Entry, entry_from

log = logging.getLogger("bot.audit")

MOST_RUNS = 50  # of one entry: a page of a list
NO_RUN = "-"
_DAY = 86_400.0


def keep(store: Store, entry: Entry, days: int) -> None:
    """Writes the line, then keeps it; a store that does not answer is told in the log, and the line stands there."""
    lines.write(lines.AUDIT, **entry.value())
    try:
        for run in entry.runs[:MOST_RUNS] or (NO_RUN,):
            key = f"audit/{run}/{int(entry.at * 1000):014d}-{entry.trace}"
            store.put(key, entry.value(), entry.at + days * _DAY)
    except StoreError as error:
        log.error("not kept for the audit: %s: %s", entry.trace, error)


def of_run(store: Store, run: str, now: float) -> list[Entry]:
    """Oldest first. Raises StoreError."""
    return [entry_from(record.value) for record in store.list(f"audit/{run}/", now)]


def told(run: str, entries: Iterable[Entry], days: int) -> str:
    """What is printed for a person at a terminal."""
    found = [entry.told() for entry in entries]
    head = f"{run}: {len(found)} kept, of the last {days} days." if found else f"{run}: nothing kept in {days} days."
    return "\n".join([head, *found, audit.WHO_READ])
