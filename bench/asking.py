"""How the API is asked: an id whose region nobody knows, and a rate limit that nobody told us of."""

from __future__ import annotations

import heapq
import itertools
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from bench import far_ends
from bench.client import form
from bench.options import Options
from bench.table import OURS, Line, at_most
from bench.workbench import Workbench
from sandbox.cloud_regions import REGIONS
from sandbox.fc import ENVIRONMENT_CREDENTIALS
from sandbox.slack import Slack
from sandbox.slack_workspace import BOT_TOKEN, BOT_USER, INCIDENTS, MEI, SIGNING_SECRET

CALL = 0.08  # seconds that one call of the API takes
SEARCHED = 20  # regions
LIMIT, QUESTIONS, MINUTES = 60, 40, 2  # calls a minute for each API and region; questions a minute; simulated
AT_ONCE = 4  # questions that come together: as many as one process works on


def unknown_region(workbench: Workbench, options: Options) -> list[Line]:
    """The real look-up against the sandbox in its own process, whose every call takes 80 ms."""
    _, cloud = workbench.far_ends.ask("addresses")
    regions = [far_ends.REGION, *(one for one in REGIONS if one not in (far_ends.REGION, far_ends.FAR_REGION))]
    regions = [*regions[: SEARCHED - 1], far_ends.FAR_REGION]
    workbench.far_ends.ask("slow", CALL)
    samples: dict[str, list[float]] = {"one": [], "found": [], "nowhere": []}
    try:
        for turn in range(options.rounds + 1):
            one = _timed(cloud, regions, f"region:{far_ends.REGION} t-hz0nowhere{turn:05d}")
            found = _timed(cloud, regions, far_ends.FAR_INVOCATION)
            nowhere = _timed(cloud, regions, f"t-hz0nowhere{turn:05d}")
            if turn:  # the first one opens the connections
                samples["one"].append(one * 1000)
                samples["found"].append(found / one)
                samples["nowhere"].append(nowhere / one)
    finally:
        workbench.far_ends.ask("quick")
    said = (
        f"unknown region: {SEARCHED} regions, {CALL * 1000:.0f} ms a call; "
        "one that is found takes a call more, for its results and the names"
    )
    return [
        Line(
            "an id that is in none of 20 regions, in times of one call",
            "×",
            {OURS: samples["nowhere"]},
            at_most(3, "×"),
            notes=[said],
        ),
        Line("an id found in the 20th region, and its results read", "×", {OURS: samples["found"]}),
        Line("one call", "ms", {OURS: samples["one"]}),
    ]


def _timed(cloud: str, regions: list[str], words: str) -> float:
    """The seconds until a question is answered or its id is nowhere, by a bot that remembers nothing."""
    from bot.adapters.cloud_assistant import CloudAssistant  # heavy: only for those who ask for this row
    from bot.adapters.store import SQLiteStore
    from bot.core.errors import NotFound
    from bot.core.parsing import parse
    from bot.lookup import Limits, Lookup

    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        settings = _settings({"ECS_ENDPOINT": cloud, "BOT_REGIONS": ",".join(regions)})
        store = SQLiteStore(f"{folder}/store.sqlite3")
        deadline = time.time() + 60
        asked = CloudAssistant(settings, settings.credentials, store, deadline=deadline)
        lookup = Lookup(settings, asked, store, time.time, limits=Limits(), deadline=deadline, patient=True)
        began = time.perf_counter()
        with suppress(NotFound):
            assert lookup.invocations(parse(words)).invocations
        return time.perf_counter() - began


def _settings(changes: dict[str, str]) -> Any:
    from bot.settings import Settings

    return Settings.from_environment(
        {
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": ENVIRONMENT_CREDENTIALS.key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": ENVIRONMENT_CREDENTIALS.secret,
            "ALIBABA_CLOUD_SECURITY_TOKEN": ENVIRONMENT_CREDENTIALS.token,
            **changes,
        }
    )


class SimulatedTime:
    """Seconds since the epoch that pass only when told; starts with a full minute, as the API's limits do."""

    def __init__(self) -> None:
        self.seconds = float(int(time.time()) // 60 * 60)

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)


class SimulatedQueue:
    """Jobs in the order of their time; `put` is what the worker sees of it."""

    def __init__(self, clock: SimulatedTime) -> None:
        self._clock = clock
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, int, bytes]] = []
        self._lock = threading.Lock()

    def put(self, task_id: str, body: bytes, credentials: object, delay: float = 0) -> None:
        with self._lock:
            heapq.heappush(self._waiting, (self._clock() + delay, next(self._numbers), body))

    def close(self) -> None:
        """Nothing is held open."""

    def taken(self) -> Iterator[list[bytes]]:
        """The jobs that are due together, the clock put to their time, until there are none."""
        while self._waiting:
            due = [heapq.heappop(self._waiting)]
            while self._waiting and self._waiting[0][0] <= due[0][0] and len(due) < AT_ONCE:
                due.append(heapq.heappop(self._waiting))
            self._clock.seconds = max(self._clock.seconds, due[0][0])
            yield [body for _, _, body in due]


@dataclass(frozen=True)
class Simulated:
    """`calls` are (action, whether it was refused); `late` is the seconds from the last question to its answer."""

    asked: int
    answered: int
    late: float
    calls: list[tuple[str, bool]]

    def refused(self, *actions: str) -> float:
        """Percent of the calls of these actions, of all where none is named."""
        outcomes = [refused for action, refused in self.calls if not actions or action in actions]
        return 100 * sum(outcomes) / len(outcomes)


def rate_limit(workbench: Workbench, options: Options) -> list[Line]:
    """The real worker, Slack and Cloud Assistant on loopback, in simulated time; once, since chance has no part."""
    minutes = 1 if options.quick else MINUTES
    found = _simulated(minutes)
    said = (
        f"rate limit: {LIMIT} calls a minute for each API, {QUESTIONS} questions a minute (two pages of results each, "
        f"{AT_ONCE} at once) for {minutes} simulated min; {found.answered} of {found.asked} questions were answered, "
        f"the last one {found.late:.0f} s after the last question"
    )
    goal = at_most(5, "%")
    short = "DescribeInvocationResults"
    return [
        Line("calls refused under a rate limit we do not know", "%", {OURS: [found.refused()]}, goal, notes=[said]),
        Line(f"the same, of {short} alone", "%", {OURS: [found.refused(short)]}),
    ]


def _simulated(minutes: int) -> Simulated:
    from bot.adapters.store import SQLiteStore  # heavy: only for those who ask for this row
    from bot.worker import Worker

    clock = SimulatedTime()
    run = far_ends.scenario(invocation="t-hz0bench000100", targets=100)
    with (
        far_ends.cloud(run, clock=clock) as cloud,
        Slack(clock=clock) as slack,
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
    ):
        cloud.limit(LIMIT)
        settings = _settings(
            {"ECS_ENDPOINT": cloud.url, "SLACK_API_URL": f"{slack.url}/api/", "BOT_REGIONS": run.regions[0]}
        )
        queue, store = SimulatedQueue(clock), SQLiteStore(f"{folder}/store.sqlite3")
        worker = Worker(settings, queue, store, clock=clock, sleep=lambda seconds: None)
        asked = _ask(queue, slack, settings, clock, run.ask, minutes)
        for bodies in queue.taken():
            _work(worker, settings, bodies)
        store.close()
        answers = [
            one.time for one in slack.messages if one.user == BOT_USER and f"{far_ends.FAILED} of 100" in one.text
        ]
        calls = [(call.action, call.outcome.startswith("Throttling")) for call in cloud.calls]
    return Simulated(len(asked), len(answers), max(answers, default=0) - asked[-1], calls)


def _ask(
    queue: SimulatedQueue, slack: Slack, settings: Any, clock: SimulatedTime, words: str, minutes: int
) -> list[float]:
    """Queues all questions, some together; gives the times they are asked at."""
    from bot.jobs import COMMAND, Job, seal

    times = [number // AT_ONCE * AT_ONCE * 60 / QUESTIONS for number in range(QUESTIONS * minutes)]
    for number, later in enumerate(times):
        fields = dict(parse_qsl(form(words, slack.new_response_url(INCIDENTS, MEI)).decode()))
        job = Job(COMMAND, f"cmd_{number}", int(clock() + later), fields)
        queue.put(job.task_id, seal(job, settings.signing_secret), settings.credentials, later)
    return [clock() + later for later in times]


def _work(worker: Any, settings: Any, bodies: list[bytes]) -> None:
    """Works off some jobs side by side, as one process does."""
    from bot.jobs import unseal

    def work(body: bytes) -> None:
        worker.work(unseal(body, settings.signing_secret), settings.credentials, "bench")

    threads = [threading.Thread(target=work, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
