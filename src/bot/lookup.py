"""From a question to what Cloud Assistant knows: which regions to ask, at once where the region is unknown.

An id carries no region: the default region is tried first, then the others together, and where it was found is
remembered. A region that does not reply is named, not waited for.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from bot.adapters.cloud_assistant import CloudAssistant
from bot.adapters.store import Store, StoreError
from bot.core.errors import CloudError, NotFound, Throttled, Unavailable
from bot.core.model import AgentStatus, Instance, Invocation, InvocationResult
from bot.core.parsing import STATES, Question
from bot.settings import Clock, Settings

log = logging.getLogger("bot.lookup")

AT_ONCE = 20  # calls; also bounds the threads of one job
OTHER_REGIONS_LIMIT = 5.0  # seconds in which other regions must reply to count
GATHER_LIMIT = 30.0  # seconds after which the answer goes out with what is there
MOST_NAMED = 20  # instances that one name stands for
MOST_RESULTS = 5_000  # rows of one invocation; a run has at most about 100 targets
MOST_HISTORY = 500  # rows of a schedule's history
NEWEST = 10  # runs shown where no size was asked for
_REMEMBER = 30 * 86_400.0  # seconds; Cloud Assistant keeps results about as long

T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Found:
    """What there is. `notes` are sentences about what is missing; `read_at` in seconds since the epoch."""

    invocations: tuple[Invocation, ...] = ()
    results: tuple[InvocationResult, ...] = ()
    instances: Mapping[str, Instance] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    read_at: float = 0.0


class Lookup:
    """One question's way through the API. `patient` is False when waiting once more would be too much.

    All methods raise CloudError where nothing can be said, and NotFound.
    """

    def __init__(
        self, settings: Settings, cloud: CloudAssistant, store: Store, clock: Clock, *, patient: bool = True
    ) -> None:
        self._settings, self._cloud, self._store, self._clock = settings, cloud, store, clock
        self._patient = patient
        self._deadline = clock() + GATHER_LIMIT

    # Invocations by id

    def invocations(self, question: Question) -> Found:
        """The named invocations with all their results; ids that are nowhere are noted, or NotFound if all are."""
        read_at = self._clock()
        found, notes = self._find_all(question)
        calls: dict[tuple[str, str], Callable[[], Any]] = {
            **{("results", one.id): self._reading_results(one, question) for one in found},
            **{("names", region): self._reading_names(region, found) for region in {one.region for one in found}},
        }
        gathered, failed = self._together(calls)
        results: list[InvocationResult] = []
        instances: dict[str, Instance] = {}
        for (kind, _), value in gathered.items():
            if kind == "results":
                results += value
            else:
                instances |= value
        notes += self._missing(failed, gathered, found)
        wanted = set(question.instances)
        if wanted:
            results = [result for result in results if result.instance_id in wanted]
            found = [_narrowed(invocation, wanted) for invocation in found]
        return Found(tuple(found), tuple(results), instances, tuple(notes), read_at)

    def _find_all(self, question: Question) -> tuple[list[Invocation], list[str]]:
        places, failed = self._together({one: self._finding(one, question) for one in question.invocations})
        found = [place for place in places.values() if isinstance(place, Invocation)]
        missing = {one: place for one, place in places.items() if not isinstance(place, Invocation)}
        for error in failed.values():
            if not found or (isinstance(error, Throttled) and self._patient):
                raise error
        sentences = [_nowhere(one, place) for one, place in missing.items()]
        sentences += [f"{one} could not be looked up: {_reason(error)}." for one, error in failed.items()]
        if not found:
            raise NotFound("\n".join(sentences))
        return found, sentences

    def _finding(self, invoke_id: str, question: Question) -> Callable[[], Invocation | _Nowhere]:
        return lambda: self._find(invoke_id, question)

    def _find(self, invoke_id: str, question: Question) -> Invocation | _Nowhere:
        """The invocation, or where it is not: the likely regions first, then all others at once."""
        asked: list[str] = []
        silent: dict[str, CloudError] = {}
        for regions, limit in self._search(invoke_id, question):
            replies, failed = self._together(
                {region: self._asking(region, invoke_id) for region in regions if region not in asked}, limit
            )
            for invocations in replies.values():
                if invocations:
                    self._remember(invoke_id, invocations[0].region)
                    return invocations[0]
            asked += replies
            silent |= failed
        throttled = [error for error in silent.values() if isinstance(error, Throttled)]
        if silent and (not asked or (throttled and self._patient)):
            raise next(iter(throttled), None) or next(iter(silent.values()))
        return _Nowhere(tuple(asked), tuple(silent))

    def _search(self, invoke_id: str, question: Question) -> Iterable[tuple[list[str], float]]:
        """Groups of regions to ask one after another, with the seconds each group may take."""
        if question.regions and not question.everywhere:
            yield list(question.regions), GATHER_LIMIT
            return
        if not question.everywhere:
            yield [self._remembered(invoke_id) or self._settings.regions[0]], GATHER_LIMIT
        yield self._all_regions(chosen_only=not question.everywhere), OTHER_REGIONS_LIMIT

    def _asking(self, region: str, invoke_id: str) -> Callable[[], list[Invocation]]:
        return lambda: self._cloud.invocations(region, {"InvokeId": invoke_id}, most=1)

    def _reading_results(self, invocation: Invocation, question: Question) -> Callable[[], list[InvocationResult]]:
        filters: dict[str, Any] = {"InvokeId": invocation.id, **_common_filters(question)}
        if len(question.instances) == 1:
            filters["InstanceId"] = question.instances[0]
        most = MOST_RESULTS
        if invocation.is_schedule:
            filters["IncludeHistory"], most = "true", MOST_HISTORY
        return lambda: self._cloud.invocation_results(invocation.region, filters, most)

    def _reading_names(self, region: str, found: Sequence[Invocation]) -> Callable[[], dict[str, Instance]]:
        ids = [target.instance_id for one in found if one.region == region for target in one.targets]
        return lambda: self._names(region, ids)

    def _names(self, region: str, ids: Sequence[str]) -> dict[str, Instance]:
        return {instance.id: instance for instance in self._cloud.instances_by_id(region, ids)}

    def _missing(
        self,
        failed: Mapping[tuple[str, str], CloudError],
        gathered: Mapping[tuple[str, str], Any],
        found: Sequence[Invocation],
    ) -> list[str]:
        """Sentences about what could not be read. Results that could be read in a minute are waited for once."""
        notes = []
        for (kind, name), error in failed.items():
            if kind == "names":
                notes.append(f"Instance names in {name} are missing: {_reason(error)}.")
                continue
            if self._patient and isinstance(error, Throttled):
                raise error
            notes.append(f"Outputs of {name} are missing, only its states are shown: {_reason(error)}.")
        for (kind, region), value in gathered.items():
            targets = [t.instance_id for one in found if one.region == region for t in one.targets]
            if kind == "names" and not value and any(one.startswith("i-") for one in targets):
                notes.append(
                    f"No instance names in {region}: I may lack the right ecs:DescribeInstances, so ids are shown."
                )
        return notes

    # Results on instances

    def on_instances(self, question: Question) -> tuple[Found, list[Instance]]:
        """The newest results on the instances that the question names. NotFound where there are none of them."""
        read_at = self._clock()
        instances, notes = self._instances(question)
        if not instances:
            return Found(notes=tuple(notes), read_at=read_at), []
        size = question.size or NEWEST
        filters = _common_filters(question) | _record_status(question)
        calls: dict[tuple[str, str], Callable[[], Any]] = {
            **{("results", one.id): self._results_on(one, filters, size) for one in instances},
            **{("runs", one.id): self._runs_on(one, size) for one in instances[:5]},
        }
        gathered, failed = self._together(calls)
        if failed and not any(kind == "results" for kind, _ in gathered):
            raise next(iter(failed.values()))
        results = [result for (kind, _), rows in gathered.items() if kind == "results" for result in rows]
        runs = {run.id: run for (kind, _), rows in gathered.items() if kind == "runs" for run in rows}
        notes += [f"{one}: {_reason(error)}." for (kind, one), error in failed.items() if kind == "results"]
        shown = {instance.id: instance for instance in instances}
        return Found(tuple(runs.values()), tuple(results), shown, tuple(notes), read_at), instances

    def _results_on(
        self, instance: Instance, filters: Mapping[str, Any], size: int
    ) -> Callable[[], list[InvocationResult]]:
        return lambda: self._cloud.invocation_results(instance.region, {**filters, "InstanceId": instance.id}, size)

    def _runs_on(self, instance: Instance, size: int) -> Callable[[], list[Invocation]]:
        return lambda: self._cloud.invocations(instance.region, {"InstanceId": instance.id}, size)

    def _instances(self, question: Question) -> tuple[list[Instance], list[str]]:
        """By id, address and name; at most 20 for a name, and a note says when there were more."""
        notes: list[str] = []
        found: dict[str, Instance] = {}
        for one in question.instances:
            instance = self._instance_by_id(one, question)
            found[instance.id] = instance
        for address in question.addresses:
            matches = self._matching(question, _address_filters(address))
            if not matches:
                raise NotFound(f"No instance has the address {address} in {_listed(self._regions(question))}.")
            found |= matches
        for name in question.names:
            matches = self._matching(question, [{"InstanceName": name}])
            if len(matches) > MOST_NAMED:
                notes.append(f"“{name}” stands for {len(matches)} instances; the first {MOST_NAMED} are shown.")
            found |= dict(sorted(matches.items(), key=lambda item: item[1].name)[:MOST_NAMED])
        return list(found.values()), notes

    def _instance_by_id(self, instance_id: str, question: Question) -> Instance:
        """Where the instance has results or is known; a managed one (mi-…) is known only by its results."""
        asked: list[str] = []
        silent: dict[str, CloudError] = {}
        for regions, limit in self._search(instance_id, question):
            replies, failed = self._together({region: self._knowing(region, instance_id) for region in regions}, limit)
            for instance in replies.values():
                if instance is not None:
                    self._remember(instance_id, instance.region)
                    return instance
            asked += replies
            silent |= failed
        if silent and not asked:
            raise next(iter(silent.values()))
        raise NotFound(_nowhere(instance_id, _Nowhere(tuple(dict.fromkeys(asked)), tuple(silent))))

    def _knowing(self, region: str, instance_id: str) -> Callable[[], Instance | None]:
        def know() -> Instance | None:
            named = self._cloud.instances_by_id(region, [instance_id])
            if named:
                return named[0]
            ran = self._cloud.invocation_results(region, {"InstanceId": instance_id}, most=1)
            return Instance(instance_id, region) if ran else None

        return know

    def _matching(self, question: Question, alternatives: Sequence[Mapping[str, Any]]) -> dict[str, Instance]:
        regions = self._regions(question)
        calls = {
            (region, number): self._reading_instances(region, filters)
            for region in regions
            for number, filters in enumerate(alternatives)
        }
        replies, failed = self._together(calls)
        if failed and not replies:
            raise next(iter(failed.values()))
        return {instance.id: instance for found in replies.values() for instance in found}

    def _reading_instances(self, region: str, filters: Mapping[str, Any]) -> Callable[[], list[Instance]]:
        return lambda: self._cloud.instances(region, filters, most=200)

    def agents(self, instances: Sequence[Instance]) -> list[AgentStatus]:
        """Whether the agents of some instances are online; empty where that cannot be read."""
        by_region: dict[str, list[str]] = {}
        for instance in instances[:MOST_NAMED]:
            by_region.setdefault(instance.region, []).append(instance.id)
        replies, _ = self._together({region: self._agents_in(region, ids) for region, ids in by_region.items()})
        return [agent for agents in replies.values() for agent in agents]

    def _agents_in(self, region: str, ids: Sequence[str]) -> Callable[[], list[AgentStatus]]:
        return lambda: self._cloud.agents(region, ids)

    # Lists of invocations

    def newest(self, question: Question) -> tuple[Found, bool]:
        """The newest invocations that fit, page by page, newest first; and whether there are more."""
        read_at = self._clock()
        regions = self._regions(question)
        size = question.size or NEWEST
        last = size * question.page
        selections = [
            {**_list_filters(question), **state, **command}
            for state in _invoke_status(question)
            for command in ([{"CommandId": one} for one in question.commands] or [{}])
        ]
        replies, failed = self._together(
            {
                (region, number): self._listing(region, filters, question, last + 1)
                for region in regions
                for number, filters in enumerate(selections)
            }
        )
        errors = {region: error for (region, _), error in failed.items()}
        if errors and not replies:
            raise next(iter(errors.values()))
        merged = {one.id: one for found in replies.values() for one in found}
        ordered = sorted(merged.values(), key=lambda one: one.created.timestamp() if one.created else 0, reverse=True)
        notes = [f"No answer from {region}: {_reason(error)}." for region, error in errors.items()]
        return Found(tuple(ordered[last - size : last]), notes=tuple(notes), read_at=read_at), len(ordered) > last

    def _listing(
        self, region: str, filters: Mapping[str, Any], question: Question, most: int
    ) -> Callable[[], list[Invocation]]:
        pattern = question.command_name

        def read() -> list[Invocation]:
            if "*" not in pattern:
                return self._cloud.invocations(region, filters, most)
            # The API knows no wildcards in CommandName: the newest runs are looked through.
            some = self._cloud.invocations(region, filters, max(most, 200))
            return [one for one in some if fnmatchcase(one.command_name, pattern)][:most]

        return read

    # Regions

    def regions(self, question: Question) -> list[str]:
        """The regions that a list is about."""
        return self._regions(question)

    def _regions(self, question: Question) -> list[str]:
        if question.everywhere:
            return self._all_regions(chosen_only=False)
        return list(question.regions or self._settings.regions)

    def _all_regions(self, *, chosen_only: bool) -> list[str]:
        """BOT_REGIONS, or those of DescribeRegions where that is unset or everything is asked for."""
        chosen = list(self._settings.regions)
        if chosen_only and self._settings.regions_chosen:
            return chosen
        try:
            listed = self._cloud.regions()
        except CloudError as error:
            log.warning("regions not listed: %s", error.code)
            return chosen
        return listed or chosen

    def _remembered(self, one: str) -> str:
        try:
            record = self._store.get(f"region/{one}", self._clock())
        except StoreError:
            return ""
        return str(record.value["region"]) if record else ""

    def _remember(self, one: str, region: str) -> None:
        if region == self._settings.regions[0] or self._remembered(one) == region:
            return
        try:
            self._store.put(f"region/{one}", {"region": region}, self._clock() + _REMEMBER)
        except StoreError:
            log.warning("region not remembered")

    def _together(
        self, calls: Mapping[K, Callable[[], T]], limit: float = GATHER_LIMIT
    ) -> tuple[dict[K, T], dict[K, CloudError]]:
        """Calls at once on a bounded pool: replies and failures, in the order of the calls.

        What has not replied within the limit counts as failed and is not waited for.
        """
        if not calls:
            return {}, {}
        pool = ThreadPoolExecutor(max_workers=min(AT_ONCE, len(calls)))
        futures: dict[K, Future[T]] = {key: pool.submit(call) for key, call in calls.items()}
        wait(futures.values(), timeout=max(0.0, min(limit, self._deadline - self._clock())))
        pool.shutdown(wait=False, cancel_futures=True)
        replies: dict[K, T] = {}
        failed: dict[K, CloudError] = {}
        for key, future in futures.items():
            if not future.done() or future.cancelled():
                failed[key] = Unavailable("The API", "time", "no answer in time")
                continue
            error = future.exception()
            if error is None:
                replies[key] = future.result()
            elif isinstance(error, CloudError):
                failed[key] = error
            else:
                raise error
        return replies, failed


@dataclass(frozen=True, slots=True)
class _Nowhere:
    """Not found in these regions; `silent` ones did not reply."""

    asked: tuple[str, ...]
    silent: tuple[str, ...]


def _nowhere(one: str, place: object) -> str:
    asked, silent = (place.asked, place.silent) if isinstance(place, _Nowhere) else ((), ())
    kind = "run" if one.startswith("t-") else "instance"
    why = "older than about four weeks, pushed out by newer runs, or in another region or account"
    sentence = (
        f"No {kind} {one} in {_listed(asked)}: {why if kind == 'run' else 'it may be in another region or account'}."
    )
    return f"{sentence} No reply from {_listed(silent)}." if silent else sentence


def _listed(regions: Sequence[str]) -> str:
    return ", ".join(regions) if len(regions) <= 5 else f"{', '.join(regions[:4])} and {len(regions) - 4} other regions"


def _reason(error: CloudError) -> str:
    if isinstance(error, Throttled):
        return f"{error.action} is throttled there for another {round(error.wait)} s"
    return error.code or "no answer"


def _narrowed(invocation: Invocation, wanted: set[str]) -> Invocation:
    return replace(invocation, targets=tuple(one for one in invocation.targets if one.instance_id in wanted))


def _common_filters(question: Question) -> dict[str, Any]:
    filters: dict[str, Any] = {}
    if question.group:
        filters["ResourceGroupId"] = question.group
    if question.tags:
        filters["Tag"] = [{"Key": key, "Value": value} for key, value in question.tags]
    if len(question.commands) == 1 and question.instances:
        filters["CommandId"] = question.commands[0]
    return filters


def _list_filters(question: Question) -> dict[str, Any]:
    filters = _common_filters(question)
    if question.command_name and "*" not in question.command_name:
        filters["CommandName"] = question.command_name
    if question.command_type:
        filters["CommandType"] = question.command_type
    if question.repeat_mode:
        filters["RepeatMode"] = question.repeat_mode
    return filters


def _invoke_status(question: Question) -> list[dict[str, str]]:
    """One selection for each InvokeStatus asked for: the API takes one at a time."""
    values = dict.fromkeys(value for state in question.states for value in STATES[state])
    return [{"InvokeStatus": value} for value in values] or [{}]


_RECORD_STATUSES = frozenset({"Running", "Finished", "Success", "Failed", "PartialFailed", "Stopped", "Stopping"})


def _record_status(question: Question) -> dict[str, str]:
    """InvokeRecordStatus, where one value says it; several are told apart by what each instance did."""
    values = [value for state in question.states for value in STATES[state] if value in _RECORD_STATUSES]
    return {"InvokeRecordStatus": values[0]} if len(values) == 1 else {}


def _address_filters(address: str) -> list[dict[str, Any]]:
    if ":" in address:
        return [{"Ipv6Address": [address]}]
    text = f'["{address}"]'
    return [{"PrivateIpAddresses": text}, {"PublicIpAddresses": text}, {"EipAddresses": text}]
