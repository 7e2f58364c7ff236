"""One line of JSON on standard output for each request, each job, and each act that somebody may ask about later.

Ids, times and words of our own; never what was typed, output or tokens. The door writes such lines before it acks, so
this imports nothing that it has not imported already.
"""

from __future__ import annotations

import json
import logging
import time

log = logging.getLogger("bot.lines")

REQUEST, JOB, AUDIT = "request", "job", "audit"
_MOST = 200  # characters of a value, some of which come from who is not known yet


def write(kind: str, **fields: object) -> None:
    """What is empty is left out; everything else than letters of ASCII is escaped, so that a line stays one."""
    told = {key: value[:_MOST] if isinstance(value, str) else value for key, value in fields.items()}
    log.info("%s", json.dumps({"kind": kind, **{key: value for key, value in told.items() if value not in ("", None)}}))


class Line:
    """One such line, gathered on the way; `stage` takes the time since the last one, in milliseconds."""

    def __init__(self, kind: str, **fields: object) -> None:
        self._kind, self._fields = kind, fields
        self._began = self._last = time.perf_counter()
        self.ms: dict[str, float] = {}

    def note(self, **fields: object) -> None:
        self._fields.update(fields)

    def stage(self, name: str) -> None:
        now = time.perf_counter()
        self.ms[name], self._last = _ms(now - self._last), now

    def write(self, **fields: object) -> None:
        ms = {**self.ms, "total": _ms(time.perf_counter() - self._began)}
        write(self._kind, **self._fields, **fields, ms=ms)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
