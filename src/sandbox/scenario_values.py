"""What a scenario holds once it is read. Written form: `scenario.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

# A time counted from the start of the scenario, or an absolute one.
When = timedelta | datetime
Fields = Mapping[str, Any]
OWN_ACCOUNT = "1234567890123456"  # that of the sandbox's own keys


@dataclass(frozen=True)
class Instance:
    """`fields` is the DescribeInstances row without times; `agent` overrides DescribeCloudAssistantStatus."""

    region: str
    id: str
    name: str
    fields: Fields
    agent: Fields
    listed: bool


@dataclass(frozen=True)
class Repeat:
    """One run on one instance, as it is in the end. `start` None: it never ran; `end` None: it never ends."""

    fields: Fields
    output: bytes
    partial: bytes
    start: When | None
    end: When | None
    finished: When | None
    stop: When | None

    def later(self, by: timedelta) -> Repeat:
        return Repeat(
            self.fields,
            self.output,
            self.partial,
            _shift(self.start, by),
            _shift(self.end, by),
            _shift(self.finished, by),
            _shift(self.stop, by),
        )


@dataclass(frozen=True)
class Target:
    """One instance in one invocation. `repeats` is oldest first; `every` (schedules) says how it goes on."""

    instance: str
    repeats: tuple[Repeat, ...]
    every: timedelta | None
    has_result: bool


@dataclass(frozen=True)
class Invocation:
    region: str
    id: str
    fields: Fields
    tags: Mapping[str, str]
    content: bytes
    created: When
    targets: tuple[Target, ...]
    kept: bool
    until: When | None

    @property
    def scheduled(self) -> bool:
        return self.fields["RepeatMode"] in ("Period", "EveryReboot")


@dataclass(frozen=True)
class Command:
    region: str
    id: str
    fields: Fields
    tags: Mapping[str, str]
    content: bytes
    created: When


@dataclass(frozen=True)
class Scenario:
    """One file. `name` is the file's; `ask` is what to type to see it; `account` the account it is in."""

    name: str
    title: str
    about: str
    ask: str
    regions: tuple[str, ...]
    instances: tuple[Instance, ...]
    invocations: tuple[Invocation, ...]
    commands: tuple[Command, ...]
    account: str = OWN_ACCOUNT


def _shift(when: When | None, by: timedelta) -> When | None:
    return None if when is None else when + by
