"""What must hold after chaos, read from the record: what was said, what was queued, how each delivery went.

Whatever is said again needs a cause, proven of that very question or run: a delivery of its job was killed, or under
way while a copy stood still; Slack took the message before it and its reply was lost; or that one was posted while
the disk was full, so that nobody could write down that it was.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.adapters.slack import REPEAT
from bot.door import MAYBE_QUEUED, NOT_QUEUED
from bot.jobs import COMMAND, NOTICE, BadJob, Job, unseal
from sandbox.cloud import SECRETS, TOKENS
from sandbox.fc import ENVIRONMENT_CREDENTIALS, REQUEST_CREDENTIALS, Call
from sandbox.fc_queue import Task
from sandbox.scenario_values import Scenario
from sandbox.slack_requests import Response
from sandbox.slack_workspace import BOT_TOKEN, BOT_USER, PRIVATE, SIGNING_SECRET, Message
from sandbox.stage import Stage

OUTPUT, PASSWORD = "output that belongs to nobody else", "hunter2-of-the-database"
MOST_GROWTH = 8.0  # MB of a process, in its calm rounds but those in which it gets warm
WARM_AFTER = 4  # this part of the calm rounds: by then each copy has polled, which takes up to 7 MB once and for all
TOKEN = re.compile(r"chaos\d{4}")
APOLOGY = re.compile(r"request id (1-[0-9a-f-]+)")

Asked = tuple[str, str]  # a channel, and the name of what was asked for in it


@dataclass
class Record:
    """What went on, beside what the stage keeps."""

    asked: Sequence[Asked]
    runs: Sequence[Scenario]  # each of which must be told at its end
    acks: dict[Asked, Response] = field(default_factory=dict)
    full: list[tuple[float, float]] = field(default_factory=list)  # from when to when, by Slack's clock
    memory: list[Mapping[int, float]] = field(default_factory=list)  # MB of each process after each calm round


@dataclass
class Report:
    """What came of it. `problems` is empty where all held."""

    seed: int
    commands: int = 0
    events: int = 0
    answered: int = 0
    apologies: int = 0
    refused: int = 0  # told in the ack that the question was not taken
    unsure: int = 0  # told in the ack that nobody knows
    unsure_taken: int = 0  # of these
    slack_said: int = 0  # the ack never came, and Slack itself told the person
    repeats: Counter[str] = field(default_factory=Counter)  # what was said again, by its cause
    told: int = 0
    kills: int = 0
    freezes: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    growth: float | None = None
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        memory = "not judged, too short" if self.growth is None else f"grew by {self.growth:.1f} MB in calm rounds"
        lines = [
            f"seed {self.seed}: {self.commands} commands, {self.events} events in {self.seconds:.0f} s",
            f"answered {self.answered}, apologies {self.apologies}; in the ack: not taken {self.refused}, "
            f"perhaps taken {self.unsure} ({self.unsure_taken} were); Slack's own error {self.slack_said}",
            f"failing runs told {self.told}; memory {memory}",
            f"repeats, all marked, by what forced them: {listed(self.repeats)}",
            f"kills {self.kills}, freezes {self.freezes}; faults: {listed(self.faults)}",
            *(f"PROBLEM {one}" for one in self.problems),
        ]
        return "\n".join(lines)


def listed(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items())) or "none"


class Judge:
    """Looks at all that was said once everything has come to rest."""

    def __init__(self, stage: Stage, record: Record, report: Report) -> None:
        self._stage, self._record, self._report = stage, record, report
        self._said = [one for one in stage.slack.messages if one.user == BOT_USER and one.via != "ack"]
        self._jobs = list(jobs_in(stage.fc.tasks))
        self._deliveries: dict[str, list[Call]] = defaultdict(list)
        for call in stage.fc.requests:
            self._deliveries[call.request_id].append(call)

    def judge(self) -> None:
        self._questions()
        self._failing_runs()
        self._secrets()
        self._memory()

    def _problem(self, text: str) -> None:
        self._report.problems.append(text)

    # One answer or apology each, and what the ack said is true

    def _questions(self) -> None:
        tasks = self._tasks_by(COMMAND, lambda job: asked_in(job.payload))
        answers, apologies = self._answers(), self._apologies()
        for asked in self._record.asked:
            taken, said = tasks[asked], answers[asked] + apologies[asked]
            self._report.commands += 1
            self._report.answered += bool(answers[asked])
            self._report.apologies += len(apologies[asked])
            self._acked(asked, taken=bool(taken))
            if taken and not said:
                self._problem(f"lost: {asked}")
            if said and not taken:
                self._problem(f"never queued, and answered: {asked}")
            self._said_again(asked, said, taken)

    def _acked(self, asked: Asked, *, taken: bool) -> None:
        response = self._record.acks[asked]
        text = text_of(response)
        if response.error:
            self._report.slack_said += 1
        elif text == NOT_QUEUED:
            self._report.refused += 1
            if taken:
                self._problem(f"said in the ack not to be taken, and taken: {asked}")
        elif text == MAYBE_QUEUED:
            self._report.unsure += 1
            self._report.unsure_taken += taken
        elif text or not taken:
            self._problem(f"acked with {text!r}, {'' if taken else 'not '}taken: {asked}")

    def _answers(self) -> dict[Asked, list[Message]]:
        found: dict[Asked, list[Message]] = defaultdict(list)
        for one in self._said:
            names = set(TOKEN.findall(whole(one)))
            if one.channel != PRIVATE and len(names) == 1 and "I ask again in" not in one.text:
                found[one.channel, names.pop()].append(one)
        return found

    def _apologies(self) -> dict[Asked, list[Message]]:
        asked = {task.request_id: asked_in(job.payload) for task, job in self._jobs if job.kind == COMMAND}
        found: dict[Asked, list[Message]] = defaultdict(list)
        for one in self._said:
            apology = APOLOGY.search(one.text)
            if apology and apology[1] in asked:
                found[asked[apology[1]]].append(one)
        return found

    # No failing run is lost

    def _failing_runs(self) -> None:
        self._report.events = sum(task.payload.startswith(b'{"datacontenttype') for task in self._stage.fc.tasks)
        tasks = self._tasks_by(NOTICE, told_in)
        for run in self._record.runs:
            notices = [
                one for one in self._said if one.channel == PRIVATE and not one.thread_ts and run.name in one.text
            ]
            at_end = f"1 of {len(run.invocations[0].targets)} failed"
            told = any(one.text.startswith(at_end) for one in notices)
            self._report.told += told
            if not told:
                self._problem(f"never told at its end: {run.name}: {[one.text[:60] for one in notices]}")
            self._said_again((PRIVATE, run.name), notices, tasks[PRIVATE, run.name])

    # Nothing is said again without a word and a cause

    def _said_again(self, what: Asked, said: Iterable[Message], tasks: Iterable[Task]) -> None:
        messages = sorted(said, key=lambda one: one.time)
        unmarked = sum(REPEAT not in one.text for one in messages)
        if unmarked > 1:
            self._problem(f"said {unmarked} times without a word: {what}")
        calls = [call for task in tasks for call in self._deliveries[task.request_id]]
        left = Counter(
            {"kill": sum(one.status == 502 for one in calls), "freeze": sum(one.stood_still for one in calls)}
        )
        for earlier in messages[:-1]:
            cause = self._cause(earlier, left)
            left[cause] -= 1
            self._report.repeats[cause or "nothing"] += 1
            if not cause:
                self._problem(f"said again for no reason: {what}, after {earlier.text[:60]!r}")

    def _cause(self, earlier: Message, left: Counter[str]) -> str:
        """Why another message followed this one; `left` are the deaths and halts that explain no other yet."""
        if earlier.unheard:
            return "reply lost"
        if forced := next((name for name in ("kill", "freeze") if left[name] > 0), ""):
            return forced
        return "disk full" if any(since <= earlier.time <= until for since, until in self._record.full) else ""

    def _tasks_by(self, kind: str, key: Callable[[Job], Asked]) -> dict[Asked, list[Task]]:
        found: dict[Asked, list[Task]] = defaultdict(list)
        for task, job in self._jobs:
            if job.kind == kind:
                found[key(job)].append(task)
        return found

    # Nothing secret is said, and memory is flat

    def _secrets(self) -> None:
        keys = [*SECRETS.values(), *TOKENS.values(), BOT_TOKEN, SIGNING_SECRET, PASSWORD]
        for one in (ENVIRONMENT_CREDENTIALS, REQUEST_CREDENTIALS):
            keys += [one.key_id, one.secret, one.token]
        logs = self._stage.fc.logs()
        messages = "\n".join(map(whole, self._said))
        for secret in filter(None, keys):
            if secret in messages:
                self._problem(f"a message holds a secret: {secret[:6]}…")
            if secret in logs:
                self._problem(f"the log holds a secret: {secret[:6]}…")
        for what in (OUTPUT, "/commands/", "/actions/"):
            if what in logs:
                self._problem(f"the log holds {what!r}")

    def _memory(self) -> None:
        """Of the processes that lived through all calm rounds."""
        calm = self._record.memory
        if len(calm) < 20:
            return
        first, last = calm[len(calm) // WARM_AFTER], calm[-1]
        grown = [last[pid] - first[pid] for pid in last if first.get(pid)]
        self._report.growth = max(grown, default=0.0)
        if self._report.growth > MOST_GROWTH:
            self._problem(f"memory grew by {self._report.growth:.1f} MB")


def jobs_in(tasks: Iterable[Task]) -> Iterable[tuple[Task, Job]]:
    """Our own jobs among what was queued; events and timers are none."""
    for task in tasks:
        try:
            yield task, unseal(task.payload, SIGNING_SECRET)
        except BadJob:
            continue


def asked_in(payload: Mapping[str, Any]) -> Asked:
    return str(payload.get("channel_id")), next(iter(TOKEN.findall(str(payload.get("text")))), "")


def told_in(job: Job) -> Asked:
    """Of what the job tells which channel: one run, or its name would not be in the message."""
    return str(job.payload["channel"]), next(iter(TOKEN.findall(str(job.payload["message"]["text"]))), "")


def text_of(ack: Response) -> str:
    return str(json.loads(ack.body).get("text", "")) if ack.body and not ack.error else ""


def whole(message: Message) -> str:
    return message.text + json.dumps(message.blocks, ensure_ascii=False)
