"""Earlier runs of the same command, searched for to be compared with.

The history is the API's (DescribeInvocations, newest first); the store keeps for a month which runs of a command were
shown, so that those are found that newer runs have pushed down the list.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bot.adapters.cloud_assistant import CloudAssistant
from bot.core.errors import CloudError
from bot.core.history import earlier_runs
from bot.core.model import Instance, Invocation, InvocationResult
from bot.fanout import Fanout
from bot.kept import Kept

PAGE, SEARCHED = 50, 200  # runs that are looked through for one to compare with: at first, and at most
MOST_RESULTS = 5_000  # rows of one run
MOST_SHOWN = 10  # runs of one command that are remembered
_REMEMBERED = 30 * 86_400.0  # seconds


@dataclass(frozen=True, slots=True)
class Earlier:
    """Runs of the same command on some of the same instances, newest first, among `searched` others that were read.

    `complete`: there are no more runs that could be one. `error` says why nothing, or not all, could be read.
    """

    runs: tuple[Invocation, ...] = ()
    searched: int = 0
    complete: bool = True
    error: CloudError | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """Results, the ids of the runs that they are of, and instances by id."""

    results: tuple[InvocationResult, ...]
    read: frozenset[str]
    instances: Mapping[str, Instance]


class EarlierRuns:
    """The methods raise nothing: what cannot be read is not there, or named in Earlier."""

    def __init__(self, cloud: CloudAssistant, kept: Kept, fanout: Fanout) -> None:
        self._cloud, self._kept, self._fanout = cloud, kept, fanout

    def search(self, runs: Sequence[Invocation]) -> dict[str, Earlier]:
        """For each run the earlier ones of its command; runs of one command share the reading."""
        sharing: dict[str, list[Invocation]] = {}
        calls: dict[str, Callable[[], tuple[list[Invocation], bool]]] = {}
        for run in runs:
            for chosen in alternatives(run):
                key = json.dumps([run.region, chosen])
                sharing.setdefault(key, []).append(run)
                calls[key] = partial(self._look_through, run.region, chosen, sharing[key])
        calls |= {f"shown/{run.id}": partial(self._shown_before, run) for run in runs}
        gathered = self._fanout.together(calls)
        return {run.id: self._earlier(run, gathered.replies, gathered.failed) for run in runs}

    def whole(self, runs: Iterable[Invocation], unnamed: Mapping[str, Iterable[str]]) -> Whole:
        """Results of runs with their outputs, and instances by region, as far as they can be read."""
        calls: dict[tuple[str, str], Callable[[], Any]] = {
            ("results", run.id): partial(self._cloud.invocation_results, run.region, {"InvokeId": run.id}, MOST_RESULTS)
            for run in runs
        }
        calls |= {
            ("names", region): partial(self._cloud.instances_by_id, region, sorted(ids))
            for region, ids in unnamed.items()
        }
        replies = self._fanout.together(calls).replies
        return Whole(
            tuple(row for (kind, _), rows in replies.items() if kind == "results" for row in rows),
            frozenset(key for kind, key in replies if kind == "results"),
            {one.id: one for (kind, _), some in replies.items() if kind == "names" for one in some},
        )

    def _earlier(
        self, run: Invocation, replies: Mapping[str, tuple[list[Invocation], bool]], failed: Mapping[str, CloudError]
    ) -> Earlier:
        keys = [*(json.dumps([run.region, chosen]) for chosen in alternatives(run)), f"shown/{run.id}"]
        read = {one.id: one for key in keys if key in replies for one in replies[key][0]}
        error = next((failed[key] for key in keys[:-1] if key in failed), None)
        complete = error is None and all(replies[key][1] for key in keys[:-1])
        return Earlier(tuple(earlier_runs(run, read.values())), len(read.keys() - {run.id}), complete, error)

    def _look_through(
        self, region: str, chosen: Mapping[str, Any], runs: Sequence[Invocation]
    ) -> tuple[list[Invocation], bool]:
        """The newest runs of a command, more where the first bring nothing earlier; and whether these are all."""
        found = self._cloud.invocations(region, chosen, PAGE)
        if len(found) < PAGE:
            return found, True
        if all(earlier_runs(run, found) for run in runs):
            return found, False
        found = self._cloud.invocations(region, chosen, SEARCHED)
        return found, len(found) < SEARCHED

    def _shown_before(self, run: Invocation) -> tuple[list[Invocation], bool]:
        """Runs of this command that were shown before, the newest two: they may be too far down the list."""
        shown = self._kept.get(_shown_key(run)).get("runs", {})
        ids = [one for one, at in sorted(shown.items(), key=lambda pair: -pair[1]) if one != run.id]
        created = run.created.timestamp() if run.created else 0.0
        older = [one for one in ids if shown[one] < created][:2]
        found = [self._cloud.invocations(run.region, {"InvokeId": one}, 1) for one in older]
        return [one for some in found for one in some], True

    def remember(self, runs: Sequence[Invocation]) -> None:
        """Keeps of which runs an answer told, by their command."""
        for run in runs:
            if run.created is None or run.is_schedule:
                continue
            shown: dict[str, float] = self._kept.get(_shown_key(run)).get("runs", {})
            if run.id not in shown:
                shown[run.id] = run.created.timestamp()
                newest = sorted(shown.items(), key=lambda pair: pair[1])[-MOST_SHOWN:]
                self._kept.put(_shown_key(run), {"runs": dict(newest)}, _REMEMBERED)


def alternatives(run: Invocation) -> list[dict[str, str]]:
    """What to ask for: a kept command may have had another name, and one that is not kept has always another id."""
    names = {"CommandName": run.command_name, "CommandId": run.command_id}
    return [{key: value} for key, value in names.items() if value]


def _shown_key(run: Invocation) -> str:
    named = "\0".join([run.command_name, run.command_type, run.content])
    return f"shown/{run.region}/{hashlib.sha256(named.encode('utf-8', 'replace')).hexdigest()[:32]}"
