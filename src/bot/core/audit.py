"""Who asked for what, where it could be read, and what was done with it: one entry, as it is kept and as it is told.

The message of an answer to a slash command is not known: Slack does not tell it where a `response_url` took it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

ASKED = "asked"
CHANNEL, PERSON = "channel", "person"  # who could read it

WHO_READ = "Slack does not tell who read a channel: who was in it, or joined later, may have read what stands there."


@dataclass(frozen=True, slots=True)
class Entry:
    """`at` in seconds since the epoch; `act` is ASKED, the kind of a job that told a channel, or what was pressed.

    `to` says who could read what came of it, `message` and `file` are its ids where Slack named them; `picked` is the
    group or instance whose secrets were shown. `outcome` is "done", or the kind of error that was told instead.
    """

    at: float
    act: str
    user: str = ""
    team: str = ""
    channel: str = ""
    channel_kind: str = ""
    to: str = PERSON
    message: str = ""
    file: str = ""
    picked: str = ""
    runs: tuple[str, ...] = ()
    trace: str = ""
    request: str = ""
    outcome: str = ""

    def value(self) -> dict[str, Any]:
        return asdict(self)

    def told(self) -> str:
        """For a terminal: nothing but printable ASCII."""
        when = f"{datetime.fromtimestamp(self.at, UTC):%Y-%m-%d %H:%M:%S} UTC"
        where = f"in {self.channel} ({self.channel_kind})" if self.channel else "where no channel is known"
        which = [f"{name} {value}" for name, value in (("message", self.message), ("file", self.file)) if value]
        which += [f"of {self.picked}"] if self.picked else []
        who = self.user or "nobody asked"
        parts = [
            f"{when}  {who}",
            self.act,
            where,
            f"for the {self.to}",
            *which,
            self.outcome,
            f"trace {self.trace}",
        ]
        return re.sub(r"[^ -~]", "?", ", ".join(parts))


def entry_from(value: Mapping[str, Any]) -> Entry:
    """Of an entry that was kept; what another version has put there is left out."""
    known = {name: value[name] for name in Entry.__dataclass_fields__ if name in value}
    return Entry(**{**known, "runs": tuple(known.get("runs", ()))})


def kind_of(channel_id: str, channel: Mapping[str, Any] | None) -> str:
    """What kind of channel it is, by its id and what conversations.info said of it."""
    if channel_id.startswith("D"):
        return "direct message"
    if channel is None:
        return "a kind that I could not see"
    if channel.get("is_mpim"):
        return "group direct message"
    return "private channel" if channel.get("is_private") else "public channel"
