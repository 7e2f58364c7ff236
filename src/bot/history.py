"""Earlier runs of the same command, read beside an answer at a bounded cost.

The history is the API's (DescribeInvocations, newest first); the store keeps for some minutes what was read of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any

from bot.adapters.cloud_assistant import MOST_IDS, CloudAssistant
from bot.core.history import Before, befores, befores_of_repeats, earlier_runs, newest_failures
from bot.core.model import AgentStatus, Invocation
from bot.core.summary import BAD, Row, bucket_of, summarise_results
from bot.core.where import LEAST
from bot.earlier import PAGE, EarlierRuns, alternatives
from bot.kept import Kept

MOST_BESIDE = 2  # calls for earlier runs beside an answer
READ_BESIDE = 20  # earlier runs, in one call
MOST_VERSIONS = 3  # calls for agents' versions beside an answer, 100 instances each
MOST_BESIDE_RESULTS = 5  # calls for earlier runs beside results on instances, which have no others
_CACHED = 600.0  # seconds

_Befores = Mapping[str, Before | None]
_Call = Callable[[], Any]


class History:
    """The methods raise nothing: what cannot be read is not there."""

    def __init__(self, cloud: CloudAssistant, store: Kept, earlier: EarlierRuns) -> None:
        self._cloud, self._store, self._earlier = cloud, store, earlier

    # Beside an answer

    def beside(self, runs: Sequence[Invocation]) -> dict[str, Callable[[], Any]]:
        """Calls that tell more of failures: their earlier runs, unless kept, and agents' versions for three or more."""
        calls: dict[str, Callable[[], Any]] = {"shown": partial(self._earlier.remember, runs)}
        failing = {run.id: _failing(run) for run in runs if not run.is_schedule}
        missing = [run for run in runs if failing.get(run.id) and not failing[run.id] <= self._kept(run).keys()]
        for run in missing:
            key = json.dumps(["earlier", run.region, _chosen(run)])
            if key not in calls and sum(one.startswith('["earlier"') for one in calls) < MOST_BESIDE:
                calls[key] = partial(self._cloud.invocations, run.region, _chosen(run), READ_BESIDE)
        if len(set().union(*map(_failing, runs))) >= LEAST:
            calls |= self._versions(runs)
        return calls

    def read(
        self, runs: Sequence[Invocation], replies: Mapping[str, Any]
    ) -> tuple[dict[tuple[str, str], Before | None], dict[str, str]]:
        """From the replies to `beside`: how earlier runs ended, by run and instance, and versions by instance."""
        known: dict[tuple[str, str], Before | None] = {}
        for run in runs:
            found = replies.get(json.dumps(["earlier", run.region, _chosen(run)]))
            before = self._kept(run) if found is None else self._keep(run, found)
            known |= {(run.id, one): before.get(one) for one in _failing(run)}
        agents: Iterable[AgentStatus] = (
            agent for key, some in replies.items() if key.startswith("versions") for agent in some
        )
        return known, {agent.instance_id: agent.version for agent in agents if agent.version}

    # Beside results on instances

    def beside_results(self, rows: Sequence[Row], runs: Sequence[Invocation]) -> dict[str, _Call]:
        """Calls that tell more of failed results where the runs that were read for them, or are kept, do not."""
        calls: dict[str, _Call] = {}
        for run in newest_failures(rows, runs):
            telling = self._telling(run)
            if not telling.keys() <= {**_settled(run, runs), **self._kept(run)}.keys():
                calls |= dict(telling.values())
        return dict(islice(calls.items(), MOST_BESIDE_RESULTS))

    def read_results(
        self, rows: Sequence[Row], runs: Sequence[Invocation], replies: Mapping[str, Any]
    ) -> dict[tuple[str, str], Before | None]:
        """From what was read, and the replies to `beside_results`: how earlier runs ended, by run and instance."""
        listed = (run for key, some in replies.items() if key.startswith('["earlier"') for run in some)
        read = [*runs, *listed]
        known: dict[tuple[str, str], Before | None] = {}
        for run in newest_failures(rows, read):
            replied = {one: _reply(run, one, replies) for one in _ids(run)}
            new = {one: _before(run, one, read, reply) for one, reply in replied.items() if reply is not None}
            kept = self._kept(run)
            if new:
                self._store.put(_before_key(run), _packed_all({**kept, **new}), _CACHED)
            before = {**_settled(run, read), **kept, **new}
            known |= {(run.id, one): before.get(one) for one in _ids(run)}
        return known

    def _telling(self, run: Invocation) -> dict[str, tuple[str, _Call]]:
        """By instance the call that tells of its earlier runs of this command."""
        calls: dict[str, tuple[str, _Call]] = {}
        for one in sorted(_ids(run)):
            chosen = _telling(run, one)[0]
            call: _Call = partial(self._cloud.invocations, run.region, chosen, READ_BESIDE)
            if run.is_schedule:
                call = partial(self._cloud.invocation_results, run.region, chosen, PAGE)
            calls[one] = (_key(run, chosen), call)
        return calls

    def _versions(self, runs: Sequence[Invocation]) -> dict[str, Callable[[], Any]]:
        """All targets or none: the share among them is what counts."""
        by_region: dict[str, set[str]] = {}
        for run in runs:
            by_region.setdefault(run.region, set()).update(one.instance_id for one in run.targets)
        calls: dict[str, Callable[[], Any]] = {}
        for region, ids in by_region.items():
            ordered = sorted(ids - {""})
            for at in range(0, len(ordered), MOST_IDS):
                some = ordered[at : at + MOST_IDS]
                calls[f"versions/{region}/{at}"] = partial(self._cloud.agents, region, some)
        return calls if len(calls) <= MOST_VERSIONS else {}

    def _keep(self, run: Invocation, found: Sequence[Invocation]) -> _Befores:
        """What is known of the run's failing instances, an entry for each, so that nothing is asked twice."""
        before = befores(earlier_runs(run, found), complete=len(found) < READ_BESIDE)
        failing = {one: before.get(one) for one in _failing(run)}
        self._store.put(_before_key(run), _packed_all(failing), _CACHED)
        return failing

    def _kept(self, run: Invocation) -> _Befores:
        kept: Mapping[str, Any] = self._store.get(_before_key(run)).get("before", {})
        return {one: _unpacked(packed) for one, packed in kept.items()}


def _failing(run: Invocation) -> set[str]:
    return {one.instance_id for one in run.targets if bucket_of(one.status, one.error_code) in BAD} - {""}


def _chosen(run: Invocation) -> dict[str, str]:
    return next(iter(alternatives(run)), {})


def _ids(run: Invocation) -> set[str]:
    return {one.instance_id for one in run.targets} - {""}


def _telling(run: Invocation, instance: str) -> list[dict[str, str]]:
    """What brings the earlier runs of this command there. One that only a result told of bears its name in the list of
    the instance's runs.
    """
    if run.is_schedule:
        return [{"InvokeId": run.id, "InstanceId": instance, "IncludeHistory": "true"}]
    return [*([_chosen(run)] if run.content else []), {"InstanceId": instance}]


def _key(run: Invocation, chosen: Mapping[str, str]) -> str:
    return json.dumps(["repeats" if run.is_schedule else "earlier", run.region, chosen])


def _reply(run: Invocation, instance: str, replies: Mapping[str, Any]) -> Sequence[Any] | None:
    keys = (_key(run, chosen) for chosen in _telling(run, instance))
    return next((replies[key] for key in keys if key in replies), None)


def _settled(run: Invocation, read: Iterable[Invocation]) -> dict[str, Before]:
    """What runs that are not all there are tell for certain: that it failed before, and well before that."""
    known = befores(earlier_runs(run, read), complete=False)
    return {one: past for one, past in known.items() if past.bad and not past.at_least}


def _before(run: Invocation, instance: str, read: Iterable[Invocation], reply: Sequence[Any]) -> Before | None:
    """What is known of an instance with the reply that tells of it; of a schedule, its repeats."""
    if run.is_schedule:
        repeats = summarise_results(reply, [run], {}).rows
        return befores_of_repeats(repeats, complete=len(reply) < PAGE).get(instance)
    return befores(earlier_runs(run, read), complete=len(reply) < READ_BESIDE).get(instance)


def _before_key(run: Invocation) -> str:
    """Of a run, whose past does not change any more; a schedule's does with each repeat."""
    repeats = f"/{max(one.repeats for one in run.targets)}" if run.is_schedule else ""
    return f"before/{run.region}/{run.id}{repeats}"


def _packed_all(pasts: _Befores) -> dict[str, Any]:
    return {"before": {one: _packed(past) for one, past in pasts.items()}}


def _packed(before: Before | None) -> list[Any]:
    if before is None:
        return []
    moments = [one.timestamp() if one else None for one in (before.since, before.last)]
    return [before.failed, moments[0], before.at_least, before.bad, moments[1]]


def _unpacked(packed: Sequence[Any]) -> Before | None:
    if not packed:
        return None
    failed, since, at_least, bad, last = packed
    return Before(failed, _moment(since), at_least, bad, _moment(last))


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
