"""From a question to what Cloud Assistant knows: what to ask where, and what is missing from the replies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from bot import filters, missing
from bot.adapters.cloud_assistant import CloudAssistant
from bot.adapters.store import Store
from bot.core import access
from bot.core.access import Limit
from bot.core.errors import CloudError, NotAllowed, NotFound, Throttled, Unavailable
from bot.core.history import Pasts, runs_told
from bot.core.manners import AT_ONCE, Priority
from bot.core.model import AgentStatus, Command, Instance, Invocation, InvocationResult
from bot.core.question import Question
from bot.core.summary import BAD, Row, reason_keys, summarise
from bot.core.texts import N_, _
from bot.earlier import EarlierRuns
from bot.fanout import Fanout, Gathered, K, T
from bot.history import History
from bot.kept import Kept
from bot.regions import Located, Regions
from bot.settings import Clock, Settings

MOST_NAMED = 20  # instances that one name stands for
MOST_RESULTS = 5_000  # rows of one invocation; a run has at most about 100 targets
MOST_HISTORY = 500  # rows of a schedule's history
NEWEST = 10  # runs shown where no size was asked for
PAGE = 50  # rows that one call can bring
_MOST_ABOUT = 20  # newest runs of a command among which those are that an event is of
_OFF = 300.0  # seconds between the end of a run as an event tells it and as the API does
_LOOKED_THROUGH = 200  # newest runs among which a name with `*` is looked for


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: when the answer goes out with what is there; for a first guess; for all other regions at once; for what
    is good to know beside an answer that is there.
    """

    gather: float = 30.0
    likely: float = 15.0
    others: float = 5.0
    beside: float = 1.0


@dataclass(frozen=True, slots=True)
class Found:
    """What there is. `notes` are sentences about what is missing; `read_at` in seconds since the epoch.

    `before` is how earlier runs ended, by (invocation id, instance id); `versions` those of agents, by instance id.
    """

    invocations: tuple[Invocation, ...] = ()
    results: tuple[InvocationResult, ...] = ()
    instances: Mapping[str, Instance] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    read_at: float = 0.0
    before: Pasts = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


_BESIDE = "beside"
_Key = tuple[str, str]
_Calls = dict[_Key, Callable[[], Any]]


class Lookup:
    """One question's way through the API. `patient` is False when waiting once more would be too much.

    `read` hears the ids of the runs that were found for it.

    All methods raise CloudError where nothing can be said, and NotFound.
    """

    def __init__(
        self,
        settings: Settings,
        cloud: CloudAssistant,
        store: Store,
        clock: Clock,
        *,
        limits: Limits,
        deadline: float,
        patient: bool,
        priority: Priority = Priority.PEOPLE,
        limit: Limit = Limit(),  # noqa: B008 (a frozen value)
        read: Callable[[Iterable[str]], object] = tuple,
    ) -> None:
        self._read = read
        self._limit = limit
        self._cloud, self._clock, self._patient, self._limits = cloud, clock, patient, limits
        self._fanout = Fanout(deadline, clock, AT_ONCE[priority])
        kept = Kept(store, clock)
        self.earlier_runs = EarlierRuns(cloud, kept, self._fanout)
        self.history = History(cloud, kept, self.earlier_runs)
        self.regions = Regions(
            settings, cloud, kept, self._fanout, likely=limits.likely, others=limits.others, limit=limit
        )

    def _as_of(self, began: float) -> float:
        """How old the data is that was asked for at `began`: a shared reply may have come before."""
        return min(began, self._cloud.oldest)

    # Invocations by id

    def invocations(self, question: Question, *, beside: bool = False) -> Found:
        """The named invocations with all their results; ids that are nowhere are noted, or NotFound if all are.

        `beside`: with what is known of failures beside them, as far as it is there in time.
        """
        read_at = self._clock()
        located = self.regions.locate(question.invocations, question, self._invocation)
        notes = self._not_located(located)
        found = self._shown(located.found.values(), notes)
        calls = self._reading_runs(found, question) | self._naming(found)
        calls |= {(_BESIDE, key): call for key, call in (self.history.beside(found) if beside else {}).items()}
        grace = self._limits.beside
        gathered = self._fanout.together(calls, spare=lambda key: key[0] == _BESIDE, grace=grace)
        self._worth_waiting_for([e for (kind, _), e in gathered.failed.items() if kind == "results"])
        notes += [*missing.unread(gathered), *missing.nameless(gathered, found)]
        results = _replies(gathered, "results")
        instances = _by_id(_replies(gathered, "names"))
        if filters.names_targets(question):
            ids = [target.instance_id for one in found for target in one.targets]
            wanted = filters.targets_wanted(question, ids, instances.values())
            results = [result for result in results if result.instance_id in wanted]
            found = [_narrowed(invocation, wanted) for invocation in found]
        before, versions = self.history.read(found, _beside(gathered)) if beside else ({}, {})
        as_of = self._as_of(read_at)
        return Found(tuple(found), tuple(results), instances, tuple(notes), as_of, before, versions)

    def progress(self, question: Question, *, with_names: bool) -> Found:
        """How the named invocations stand, without outputs: one call each, and one more for names where wanted."""
        read_at = self._clock()
        located = self.regions.locate(question.invocations, question, self._invocation)
        notes = self._not_located(located)
        found = tuple(self._shown(located.found.values(), notes))
        named = self._fanout.together(self._naming(found) if with_names else {})
        instances = _by_id(_replies(named, "names"))
        return Found(found, instances=instances, notes=tuple(notes), read_at=self._as_of(read_at))

    def earlier(self, invocation: Invocation) -> list[Invocation]:
        """The newest other runs of the same command; empty where that cannot be read."""
        chosen = {"CommandName": invocation.command_name} if invocation.command_name else {}
        chosen = chosen or {"CommandId": invocation.command_id}
        try:
            runs = self._cloud.invocations(invocation.region, chosen, most=NEWEST)
        except CloudError:
            return []
        return [run for run in runs if run.id != invocation.id]

    def _invocation(self, region: str, invoke_id: str) -> Invocation | None:
        rows = self._cloud.invocations(region, {"InvokeId": invoke_id}, most=1)
        return rows[0] if rows else None

    def _not_located(self, located: Located[Any]) -> list[str]:
        """Sentences about ids that are nowhere; raises what is worth waiting for, and NotFound if all are nowhere."""
        errors = located.errors()
        self._worth_waiting_for(errors)
        if not located.replied():
            raise next((error for error in errors if isinstance(error, Throttled)), errors[0])
        if not located.found:
            raise NotFound(lambda: "\n".join(missing.nowhere(located)))
        return missing.nowhere(located)

    def _shown(self, runs: Iterable[Invocation], notes: list[str]) -> list[Invocation]:
        """Those within the limit; the others are noted. Raises NotAllowed where none is left."""
        found = list(runs)
        shown = [run for run in found if self._limit.allows_run(run)]
        self._read([run.id for run in shown])
        self._left_out([run.id for run in found if not self._limit.allows_run(run)], notes, some=bool(shown))
        return shown

    def _left_out(self, ids: Sequence[str], notes: list[str], *, some: bool) -> None:
        if ids and not some:
            raise NotAllowed(lambda: access.outside(self._limit, ids))
        notes += [access.outside(self._limit, ids)] if ids else []

    def _partly(self) -> list[str]:
        """A list within a limit says so, for what is not in it may be there all the same."""
        return [access.only(self._limit)] if self._limit else []

    def _from_some(self, calls: Mapping[K, Callable[[], T]]) -> Gathered[K, T]:
        """What regions replied; the first error where none did."""
        gathered = self._fanout.together(calls)
        if gathered.failed and not gathered.replies:
            raise gathered.first_error()
        return gathered

    def _worth_waiting_for(
        self, errors: Iterable[CloudError], kinds: tuple[type[CloudError], ...] = (Throttled,)
    ) -> None:
        """What can be read in a minute is waited for, a few times."""
        for error in errors:
            if self._patient and isinstance(error, kinds):
                raise error

    def _reading_runs(self, found: Sequence[Invocation], question: Question) -> _Calls:
        calls: _Calls = {}
        for one in found:
            chosen: dict[str, Any] = {"InvokeId": one.id}
            if len(question.instances) == 1 and not question.names and not question.addresses:
                chosen["InstanceId"] = question.instances[0]
            if one.is_schedule:
                chosen["IncludeHistory"] = "true"
            most = MOST_HISTORY if one.is_schedule else MOST_RESULTS
            calls["results", one.id] = partial(self._cloud.invocation_results, one.region, chosen, most)
        return calls

    def _naming(self, found: Iterable[Invocation]) -> _Calls:
        """Names of the targets, region by region."""
        ids: dict[str, list[str]] = {}
        for one in found:
            ids.setdefault(one.region, []).extend(target.instance_id for target in one.targets)
        return {("names", region): partial(self._cloud.instances_by_id, region, some) for region, some in ids.items()}

    # Runs that are reported on

    def standing(self, runs: Sequence[tuple[str, str]]) -> Found:
        """How runs, as (region, id), stand, without outputs: one call each. Raises CloudError where one is not read."""
        read_at = self._clock()
        gathered = self._fanout.together({run: partial(self._invocation, *run) for run in runs})
        if gathered.failed:
            raise gathered.first_error()
        return Found(tuple(one for one in gathered.replies.values() if one), read_at=self._as_of(read_at))

    def runs_of(self, region: str, hints: Mapping[str, Any]) -> list[str]:
        """The ids of the runs of a command that ended about a time, the one on the hinted instance first.

        Others may have ended in the same moment, and of their events none has asked for a look. Empty where that on
        the instance is not there, or not yet. Raises CloudError.
        """
        instance, about = hints["instance_id"], hints["finished"]
        commands = {"CommandId": hints["command_id"], "CommandName": hints["command_name"], "InstanceId": instance}
        chosen = next({key: value} for key, value in commands.items() if value)

        def off(run: Invocation, some: Sequence[str]) -> float:
            ends = [one.finished for one in run.targets if one.instance_id in some and one.finished]
            return min((abs(end.timestamp() - about) for end in ends), default=_OFF + 1)

        runs = self._cloud.invocations(region, chosen, most=_MOST_ABOUT)
        mine = min(runs, key=lambda run: off(run, (instance,)), default=None)
        if mine is None or off(mine, (instance,)) > _OFF:
            return []
        others = [run for run in runs if off(run, [one.instance_id for one in run.targets]) <= _OFF]
        return list(dict.fromkeys(run.id for run in (mine, *others)))

    def whole(self, found: Found, *, all_names: bool) -> Found:
        """The same runs with their results and names. A schedule with its history.

        Raises what is worth waiting for: `all_names` that cannot be read, too, for filters decide by them.
        """
        return self._with(found, self._reading_runs(found.invocations, Question()), all_names=all_names)

    def named(self, found: Found, *, all_names: bool) -> Found:
        """The same runs with the names of all instances, or only of those that did not succeed."""
        return self._with(found, {}, all_names=all_names)

    def _with(self, found: Found, reading: _Calls, *, all_names: bool) -> Found:
        some = found.invocations if all_names else [_unsuccessful(one) for one in found.invocations]
        gathered = self._fanout.together(reading | self._naming(some))
        kinds = (Throttled, Unavailable) if all_names else (Throttled,)
        failed = [e for (kind, _), e in gathered.failed.items() if kind == "results" or all_names]
        self._worth_waiting_for(failed, kinds)
        results = _replies(gathered, "results")
        instances = _by_id(_replies(gathered, "names"))
        return replace(found, results=tuple(results), instances=instances, notes=tuple(missing.unread(gathered)))

    # Results on instances

    def on_instances(self, question: Question) -> tuple[Found, list[Instance]]:
        """The newest results on the instances that the question names; no instances where none bears the name."""
        read_at = self._clock()
        instances, notes = self._instances(question)
        within = [one for one in instances if self._limit.allows_region(one.region)]
        self._left_out([one.id for one in instances if one not in within], notes, some=bool(within))
        instances = within
        most = PAGE if filters.narrows_rows(question) or self._limit.commands else question.size or NEWEST
        chosen = filters.on_instance(question)
        calls: _Calls = {
            ("results", one.id): partial(
                self._cloud.invocation_results, one.region, {**chosen, "InstanceId": one.id}, most
            )
            for one in instances
        }
        # For the names of commands: those of many instances are mostly the same, but a limit needs to know all.
        for one in instances if self._limit.commands else instances[:5]:
            calls["runs", one.id] = partial(self._cloud.invocations, one.region, {"InstanceId": one.id}, most)
        gathered = self._fanout.together(calls)
        failed = [error for (kind, _), error in gathered.failed.items() if kind == "results"]
        if instances and len(failed) == len(instances):
            raise failed[0]
        results = _replies(gathered, "results")
        runs = {run.id: run for run in _replies(gathered, "runs")}
        # An id that lies outside is named; who asks by a name or an address does not know what else bears it.
        partly = self._limit.commands or question.names or question.addresses
        notes += [*missing.unread(gathered), *(self._partly() if partly else [])]
        if self._limit.commands:
            runs = {run.id: run for run in runs.values() if self._limit.allows_run(run)}
            results = [row for row in results if row.invoke_id in runs]
        self._read([row.invoke_id for row in results])
        as_of = self._as_of(read_at)
        return Found(tuple(runs.values()), tuple(results), _by_id(instances), tuple(notes), as_of), instances

    def _instances(self, question: Question) -> tuple[list[Instance], list[str]]:
        """By id, address and name; at most 20 for a name, and a note says when there were more."""
        notes: list[str] = []
        found: dict[str, Instance] = {}
        if question.instances:
            located = self.regions.locate(question.instances, question, self.instance)
            notes += self._not_located(located)
            found |= _by_id(located.found.values())
        for address in question.addresses:
            matches, silent = self._matching(question, filters.of_address(address))
            if not matches:
                raise missing.no_address(address, self.regions.of_list(question), silent)
            notes += silent
            found |= _by_id(matches)
        for name in question.names:
            matches, silent = self._matching(question, [{"InstanceName": name}])
            notes += silent
            if len(matches) > MOST_NAMED:
                text = N_("“{name}” stands for {count} instances; the first {most} are shown.")
                notes.append(_(text, name=name, count=f"{len(matches):,}", most=MOST_NAMED))
            found |= _by_id(sorted(matches, key=lambda one: one.name)[:MOST_NAMED])
        return list(found.values()), notes

    def instance(self, region: str, instance_id: str) -> Instance | None:
        """Known, or with results; a managed instance (mi-…) is known only by its results."""
        named = self._cloud.instances_by_id(region, [instance_id])
        if named:
            return named[0]
        ran = self._cloud.invocation_results(region, {"InstanceId": instance_id}, most=1)
        return Instance(instance_id, region) if ran else None

    def _matching(
        self, question: Question, alternatives: Sequence[Mapping[str, Any]]
    ) -> tuple[list[Instance], list[str]]:
        calls = {
            (region, str(number)): partial(self._cloud.instances, region, some, 200)
            for region in self.regions.of_list(question)
            for number, some in enumerate(alternatives)
        }
        gathered = self._from_some(calls)
        matches = [instance for some in gathered.replies.values() for instance in some]
        return matches, missing.silent({region: error for (region, _), error in gathered.failed.items()})

    def beside_results(
        self, found: Found, instances: Sequence[Instance], failed: Sequence[Row]
    ) -> tuple[list[AgentStatus], Pasts]:
        """What is good to know beside results on instances: whether the agents are online, less where that cannot be
        read; and how earlier runs of the commands that failed ended there, as far as it is there in time.
        """
        by_region: dict[str, list[str]] = {}
        for instance in instances[:MOST_NAMED]:
            by_region.setdefault(instance.region, []).append(instance.id)
        calls: _Calls = {
            ("agents", region): partial(self._cloud.agents, region, ids) for region, ids in by_region.items()
        }
        runs = runs_told(found.results, found.invocations)
        calls |= {(_BESIDE, key): call for key, call in self.history.beside_results(failed, runs).items()}
        grace = self._limits.beside
        gathered = self._fanout.together(calls, spare=lambda key: key[0] == _BESIDE, grace=grace)
        return _replies(gathered, "agents"), self.history.read_results(failed, runs, _beside(gathered))

    # Lists of invocations, and commands

    def newest(self, question: Question) -> tuple[Found, bool]:
        """The newest invocations that fit, page by page, newest first; and whether there are more."""
        read_at = self._clock()
        size = question.size or NEWEST
        last = size * question.page
        calls = {
            (region, str(number)): partial(self._runs, region, chosen, pattern, last + 1)
            for region in self.regions.of_list(question)
            for number, (chosen, pattern) in enumerate(filters.selections(question))
        } | {
            (region, f"schedules {number}"): partial(self._failing_schedules, region, chosen, pattern)
            for region in self.regions.of_list(question)
            for number, (chosen, pattern) in enumerate(filters.of_schedules(question))
        }
        gathered = self._from_some(calls)
        runs = {one.id: one for some in gathered.replies.values() for one in some}
        ordered = sorted(runs.values(), key=lambda one: one.created.timestamp() if one.created else 0, reverse=True)
        notes = self._partly() + missing.silent({region: error for (region, _), error in gathered.failed.items()})
        shown = tuple(ordered[last - size : last])
        self._read([run.id for run in shown])
        return Found(shown, notes=tuple(notes), read_at=self._as_of(read_at)), len(ordered) > last

    def recent(self, regions: Sequence[str]) -> tuple[Found, frozenset[str]]:
        """The newest 50 invocations of each region, one call each; and the regions that did not answer."""
        read_at = self._clock()
        gathered = self._from_some({region: partial(self._cloud.invocations, region, {}, PAGE) for region in regions})
        runs = tuple(run for some in gathered.replies.values() for run in some if self._limit.allows_run(run))
        notes = (*self._partly(), *missing.silent(gathered.failed))
        return Found(runs, notes=notes, read_at=self._as_of(read_at)), frozenset(gathered.failed)

    def since(self, regions: Sequence[str], moment: datetime, most: int) -> tuple[Found, dict[str, datetime]]:
        """All invocations of each region since a moment, newest first, and schedules that began before it.

        Of a region with more than `most` only the newest are read; it is given with when the oldest of them was made.
        The notes say which did not answer, not that there is a limit: that takes nothing from the picture within it.
        """
        read_at = self._clock()
        calls: _Calls = {}
        for region in regions:
            calls["runs", region] = partial(self._since, region, moment, most)
            calls["schedules", region] = partial(self._cloud.invocations, region, {"RepeatMode": "Period"}, PAGE)
        gathered = self._fanout.together(calls)
        self._worth_waiting_for(gathered.failed.values())
        if gathered.failed and not gathered.replies:
            raise gathered.first_error()
        runs = {one.id: one for some in gathered.replies.values() for one in some if self._limit.allows_run(one)}
        cut = {
            region: some[-1].created
            for (kind, region), some in gathered.replies.items()
            if kind == "runs" and len(some) == most and some[-1].created
        }
        notes = missing.silent({region: error for (_, region), error in gathered.failed.items()})
        return Found(tuple(runs.values()), notes=tuple(notes), read_at=self._as_of(read_at)), cut

    def _since(self, region: str, moment: datetime, most: int) -> list[Invocation]:
        return self._cloud.invocations_since(region, {}, moment.timestamp(), most)[0]

    def named_instances(self, ids: Iterable[tuple[str, str]]) -> dict[str, Instance]:
        """What is known of instances, given as (region, id); less where that cannot be read."""
        by_region: dict[str, list[str]] = {}
        for region, one in ids:
            by_region.setdefault(region, []).append(one)
        gathered = self._fanout.together(
            {region: partial(self._cloud.instances_by_id, region, some) for region, some in by_region.items()}
        )
        return _by_id(one for some in gathered.replies.values() for one in some)

    def _runs(self, region: str, chosen: Mapping[str, Any], pattern: str, most: int) -> list[Invocation]:
        if not (pattern or self._limit.commands):
            return self._cloud.invocations(region, chosen, most)
        some = self._cloud.invocations(region, chosen, max(most, _LOOKED_THROUGH))
        fitting = [one for one in some if not pattern or fnmatchcase(one.command_name, pattern)]
        return [one for one in fitting if self._limit.allows_run(one)][:most]

    def _failing_schedules(self, region: str, chosen: Mapping[str, Any], pattern: str) -> list[Invocation]:
        """Those of the newest schedules whose last run failed somewhere."""
        schedules = self._runs(region, chosen, pattern, _LOOKED_THROUGH)
        return [one for one in schedules if summarise([one], (), {}).count(*BAD)]

    def with_reasons(self, runs: Sequence[Invocation], reasons: Sequence[str]) -> tuple[Invocation, ...]:
        """Those runs in which something failed for one of these reasons; outputs are read of those that ended badly."""
        bad = [run for run in runs if summarise([run], (), {}).count(*BAD)]
        calls: _Calls = {
            ("results", run.id): partial(self._cloud.invocation_results, run.region, {"InvokeId": run.id}, MOST_RESULTS)
            for run in bad
        }
        replies = self._fanout.together(calls).replies
        kept = []
        for run in bad:
            summary = summarise([run], replies.get(("results", run.id), ()), {})
            if any(reason_keys(group) & set(reasons) for group in summary.groups):
                kept.append(run)
        return tuple(kept)

    def commands(self, question: Question) -> list[Command]:
        """Kept commands with these ids or names, whether they ever ran; empty where that cannot be read."""
        wanted: list[dict[str, Any]] = [{"CommandId": one} for one in question.commands]
        wanted += [{"Name": one} for one in filters.command_names(question)]
        gathered = self._fanout.together(
            {
                (region, str(number)): partial(self._cloud.commands, region, chosen, PAGE)
                for region in self.regions.of_list(question)
                for number, chosen in enumerate(wanted)
            }
        )
        found = [command for some in gathered.replies.values() for command in some]
        return [one for one in found if self._limit.allows(one.region, one.name, one.id)]


def _replies(gathered: Gathered[_Key, Any], kind: str) -> list[Any]:
    """All that the calls of one kind have brought."""
    return [one for (what, _), some in gathered.replies.items() if what == kind for one in some]


def _beside(gathered: Gathered[_Key, Any]) -> dict[str, Any]:
    """What the history asked for beside an answer, by its own keys."""
    return {key: reply for (kind, key), reply in gathered.replies.items() if kind == _BESIDE}


def _by_id(instances: Iterable[Instance]) -> dict[str, Instance]:
    return {instance.id: instance for instance in instances}


def _unsuccessful(invocation: Invocation) -> Invocation:
    return replace(invocation, targets=tuple(one for one in invocation.targets if one.status != "Success"))


def _narrowed(invocation: Invocation, wanted: set[str]) -> Invocation:
    return replace(invocation, targets=tuple(one for one in invocation.targets if one.instance_id in wanted))
