"""Work that is open: who is on which run, and which runs somebody watches."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OnIt:
    """A person who is on a run. `since` in seconds since the epoch; `link` opens the message, "" where there is none.

    A private message has no place that others could open: its channel, ts and link are empty.
    """

    user_id: str
    name: str
    since: int
    channel_id: str = ""
    ts: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Watched:
    """A watch that goes on, as its last look left it. Times in seconds since the epoch.

    `said` is its progress in words, "" where the last look had no answer.
    """

    words: str
    said: str
    began: int
    next_look: int
    link: str = ""
