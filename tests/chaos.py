"""Random trouble for the real function, and what must hold all the same. `make chaos`, or `python tests/chaos.py`.

Two copies of the function share a store and stand between the sandbox's Cloud Assistant and Slack. In each round
people ask at once, runs end and are told of by events, and things go wrong: in the cloud, in Slack, in the queue, on
the disk, with the clocks; copies are killed or stand still. At the end each question has one answer or apology, each
failing run that a channel subscribed to has been told at its end, what was said twice says that it may be a repeat,
and no secret stands in any message or log. The seed decides what goes wrong; the moments are the machine's own.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import struct
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from bot.adapters.slack import REPEAT
from bot.jobs import unseal
from sandbox.cloud import SECRETS, TOKENS
from sandbox.fc import ENVIRONMENT_CREDENTIALS, REQUEST_CREDENTIALS
from sandbox.fc_triggers import Triggers
from sandbox.scenario import build
from sandbox.slack_workspace import BOT_TOKEN, BOT_USER, MEI, PRIVATE, SIGNING_SECRET, Channel, Message
from sandbox.stage import SOURCE, Stage

BOT = Path(__file__).with_name("chaos_bot.py")
REGIONS = ("cn-hangzhou", "cn-shanghai", "cn-beijing")
QUESTIONS = ("t-hz0{}", "t-hz0{} private", "c-hz0{}", "command:{}")
TOKEN = re.compile(r"chaos\d{4}")
APOLOGY = re.compile(r"request id (1-[0-9a-f-]+)")
OUTPUT, PASSWORD = "output that belongs to nobody else", "hunter2-of-the-database"
AT_ONCE = 8
ROUND = 30.0  # seconds that go by in one round, for the function, the runs and Slack
MOST_GROWTH = 8.0  # MB of a process, from the first quarter of its calm rounds to the last

CLOUD = ("throttle", "http500", "html502", "drop", "drop_after", "slow", "empty", "bad_json")
SLACK = ("429", "500", "502html", "drop_before", "drop_after", "slow")
QUEUE = ("refuse_429", "http500", "slow", "drop_before", "drop_after")


@dataclass
class Report:
    """What came of it. `problems` is empty where all held."""

    seed: int
    commands: int = 0
    events: int = 0
    answered: int = 0
    apologies: int = 0
    refused: int = 0  # told in the ack that the question was not taken
    taken_after_all: int = 0  # of these, because the queue took it and its reply was lost
    slack_said: int = 0  # the ack never came, and Slack itself told the person
    repeats: Counter[str] = field(default_factory=Counter)  # what was said again, by what forced it
    told: int = 0
    kills: int = 0
    freezes: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    growth: float | None = None
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        faults, repeats = counted(self.faults), counted(self.repeats) or "none"
        memory = "not judged, too short" if self.growth is None else f"grew by {self.growth:.1f} MB in calm rounds"
        lines = [
            f"seed {self.seed}: {self.commands} commands, {self.events} events in {self.seconds:.0f} s",
            f"answered {self.answered}, apologies {self.apologies}, "
            f"refused in the ack {self.refused} ({self.taken_after_all} of them taken after all), "
            f"Slack's own error {self.slack_said}; failing runs told {self.told}",
            f"kills {self.kills}, freezes {self.freezes}",
            f"repeats, each marked, and what forced them: {repeats}; memory {memory}",
            f"faults: {faults}",
            *(f"PROBLEM {one}" for one in self.problems),
        ]
        return "\n".join(lines)


def counted(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items()))


def question_run(number: int):
    """A run that has ended long ago, for questions."""
    failed = {"instances": "web-01", "StartTime": "-4m", "FinishedTime": "-3m", "ExitCode": 1, "Output": said()}
    fine = {"StartTime": "-4m", "FinishedTime": "-3m", "ExitCode": 0, "Output": said()}
    return run_of(number, 3, "-5m", [failed, fine])


def event_run(number: int, count: int, ends: float):
    """A run whose instances end one by one from `ends` seconds on; the first of them fails."""
    failed = {"instances": "web-01", "StartTime": "+1s", "FinishedTime": f"+{ends:.0f}s", "ExitCode": 1}
    fine = {"StartTime": "+1s", "FinishedTime": f"+{ends + 1:.0f}s", "step": "1s", "ExitCode": 0}
    return run_of(number, count, "-5s", [{**failed, "Output": said()}, {**fine, "Output": said()}])


def said() -> list[str]:
    return [OUTPUT, f"DB_PASSWORD={PASSWORD}", ""]


def run_of(number: int, count: int, created: str, results: list[dict[str, object]]):
    name, region, targets = f"chaos{number:04}", REGIONS[number % len(REGIONS)], f"web-[01-{count:02}]"
    run = {
        "RegionId": region,
        "InvokeId": f"t-hz0{name}",
        "CommandId": f"c-hz0{name}",
        "CommandName": name,
        "Timeout": 86_400,
        "CreationTime": created,
        "targets": [targets],
        "InvocationResult": results,
    }
    instance = {"RegionId": region, "InstanceName": targets, "private_ip": "10.9.0.1"}
    whole = {"title": name, "about": "Chaos.", "ask": run["InvokeId"], "regions": [region]}
    return build(name, {**whole, "Instance": [instance], "Invocation": [run], "Command": []})


class Clocks:
    """The time of the function, of Slack and of the cloud, which go ahead together but for jumps."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self._ahead = self._jumped = 0.0
        self._write()

    def _write(self) -> None:
        # In place: the function has the file mapped.
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("d", self._ahead + self._jumped))

    def now(self) -> float:
        return time.time() + self._ahead

    def pass_by(self, seconds: float) -> None:
        self._ahead += seconds
        self._write()

    def jump(self, seconds: float) -> None:
        """The function's clock alone is that far off from now on."""
        self._jumped = seconds
        self._write()


class Chaos:
    """One run. `commands` and `events` are how many, `at_once` of the commands in one round."""

    def __init__(self, seed: int, commands: int, events: int, per_round: int = 16, instances: int = 50) -> None:
        self.report = Report(seed)
        self._chance = random.Random(seed)
        self._folder = tempfile.TemporaryDirectory(prefix="chaos-")
        self._here = Path(self._folder.name)
        self._clocks = Clocks(self._here)
        self._rounds = -(-commands // per_round)
        self._calm_from = self._rounds - self._rounds // 3
        runs = max(1, events // instances)
        count = min(instances, events)
        self._questions = [question_run(number) for number in range(40)]
        gap = max(1.0, self._rounds * ROUND / runs)
        self._told_of = [event_run(1_000 + number, count, 20 + number * gap) for number in range(runs)]
        self._channels = [f"C0CHAOS{number:03}" for number in range(-(-commands // len(self._questions)))]
        asked = [(channel, run.name) for channel in self._channels for run in self._questions]
        self._chance.shuffle(asked)
        self._asked, self._per_round = asked[:commands], per_round
        self._acks: dict[tuple[str, str], str] = {}
        self._forces: list[set[str]] = []  # of each round
        self._unheard = False  # the queue may take something and not be heard to
        self._memory: list[dict[int, float]] = []

    def run(self) -> Report:
        began = time.monotonic()
        options = {"environment": self._environment, "command": (sys.executable, str(BOT)), "instances": 2}
        with self._folder, Stage([*self._questions, *self._told_of], **options) as stage:
            self._stage = stage
            self._set_up()
            for number in range(self._rounds):
                self._round(number)
            self._settle()
            Judge(self).judge()
        self.report.seconds = time.monotonic() - began
        return self.report

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "CHAOS": self._folder.name,
            "PYTHONPATH": str(SOURCE),
            "BOT_REGIONS": ",".join(REGIONS),
            "BOT_STORE": f"sqlite:///{self._folder.name}/bot.sqlite3",
        }

    def _set_up(self) -> None:
        stage = self._stage
        stage.slack.workspace.clock = self._clocks.now
        for channel in self._channels:
            stage.slack.workspace.channels[channel] = Channel(channel, channel.lower(), {BOT_USER, MEI})
        self._triggers = Triggers(stage.cloud, stage.fc, doubled=0.1, shuffled=True, seed=self.report.seed)
        stage.ask("subscribe", channel=PRIVATE)

    # A round

    def _round(self, number: int) -> None:
        asked = self._asked[number * self._per_round : (number + 1) * self._per_round]
        calm = number >= self._calm_from
        trouble = [self._chance.choice(self._troubles) for _ in range(self._chance.randint(1, 4))]
        for one in trouble:
            one(self._chance)
        harm = [] if calm else self._harm(self._chance)
        self._forces.append(self._forcing(bool(harm)))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for one in harm:
                one.start()
            list(pool.map(self._ask, asked, [self._chance.choice(QUESTIONS) for _ in asked]))
            self._triggers.look()
            self._let_pass(ROUND)
        for one in harm:
            one.join()
        self._mend()
        self._memory.append({pid: resident(pid) for pid in self._stage.fc.pids()} if calm else {})

    def _ask(self, asked: tuple[str, str], words: str) -> None:
        channel, name = asked
        response = self._stage.slash(words.format(name), channel=channel)
        self._acks[asked] = response.error or ("refused" if b'"text"' in response.body else "")

    def _rounds_of(self, asked: tuple[str, str]) -> list[set[str]]:
        """What may have forced a repeat of this answer: in its round, and in those to which it may be put off."""
        first = self._asked.index(asked) // self._per_round
        return self._forces[first : first + 3]

    @property
    def _troubles(self) -> list[Callable[[random.Random], None]]:
        return [self._in_the_cloud, self._in_slack, self._in_the_queue, self._twice, self._on_the_disk, self._with_time]

    def _count(self, name: str, times: int = 1) -> None:
        self.report.faults[name] += times

    def _in_the_cloud(self, chance: random.Random) -> None:
        kind, times = chance.choice(CLOUD), chance.randint(1, 6)
        headers = {"x-acs-retry-after": str(chance.choice((500, 3_000, 20_000)))} if kind == "throttle" else None
        self._stage.cloud.fail(kind, times=times, seconds=chance.uniform(0.1, 1.0), headers=headers)
        self._count(f"cloud {kind}", times)

    def _in_slack(self, chance: random.Random) -> None:
        kind, times = chance.choice(SLACK), chance.randint(1, 4)
        self._stage.slack.fail(kind, times=times, retry_after=1, seconds=chance.uniform(0.1, 1.0))
        self._count(f"Slack {kind}", times)

    def _in_the_queue(self, chance: random.Random) -> None:
        kind, times = chance.choice(QUEUE), chance.randint(1, 3)
        self._unheard = self._unheard or kind in ("slow", "drop_after")
        self._stage.fc.fail(kind, times, seconds=chance.uniform(0.1, 2.0))
        self._count(f"queue {kind}", times)

    def _twice(self, chance: random.Random) -> None:
        times = chance.randint(1, 4)
        self._stage.fc.duplicate(times, at_once=chance.random() < 0.5)
        self._count("delivered twice", times)

    def _on_the_disk(self, chance: random.Random) -> None:
        (self._here / "full").touch()
        self._count("disk full")

    def _with_time(self, chance: random.Random) -> None:
        self._clocks.jump(chance.uniform(-90, 90))
        self._count("clock jump")

    def _harm(self, chance: random.Random) -> list[threading.Thread]:
        what, when = chance.choice(("nothing", "kill", "kill", "kill", "freeze")), chance.uniform(0.02, 1.2)
        copy = chance.randrange(2)

        def kill() -> None:
            time.sleep(when)
            self._stage.fc.kill(copy)

        def freeze() -> None:
            time.sleep(when)
            self._pass(15)  # longer than a lease
            self._stage.fc.freeze(0.5, copy)

        if what == "nothing":
            return []
        if what == "kill":
            self.report.kills += 1
        else:
            self.report.freezes += 1
        return [threading.Thread(target=kill if what == "kill" else freeze)]

    def _forcing(self, harm: bool) -> set[str]:
        """What of this round may force a repeat: a death, or something that leaves nobody knowing what was said."""
        unheard = self._stage.slack.faults_left > 0
        full = (self._here / "full").exists()
        return {name for name, so in (("kill or freeze", harm), ("Slack unheard", unheard), ("disk full", full)) if so}

    def _mend(self) -> None:
        self._stage.cloud.mend()
        self._stage.slack.mend()
        (self._here / "full").unlink(missing_ok=True)
        self._clocks.jump(0)
        self._unheard = False

    # Time

    def _pass(self, seconds: float) -> None:
        self._clocks.pass_by(seconds)
        self._stage.cloud.clock.advance(seconds)

    def _let_pass(self, seconds: float) -> None:
        self._stage.fc.hasten(seconds, self._pass)

    def _settle(self) -> None:
        """Until nothing is queued and every run has ended; raises TimeoutError that names what never ends."""
        for _ in range(60):
            self._triggers.look()
            self._let_pass(2 * ROUND)
            try:
                self._stage.fc.wait_idle(0.05, delayed=True)
            except TimeoutError:
                continue
            return
        self._stage.fc.wait_idle(1, delayed=True)


def resident(pid: int) -> float:
    """MB of memory that a process holds; 0 where it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


class Judge:
    """Looks at all that was said once everything has come to rest."""

    def __init__(self, chaos: Chaos) -> None:
        self._chaos, self._report, self._stage = chaos, chaos.report, chaos._stage
        self._said = [one for one in self._stage.slack.messages if one.user == BOT_USER and one.via != "ack"]

    def judge(self) -> None:
        self._questions()
        self._failing_runs()
        self._secrets()
        self._memory()

    def _problem(self, text: str) -> None:
        self._report.problems.append(text)

    def _questions(self) -> None:
        answers, apologies = self._answers(), self._apologies()
        self._report.commands = len(self._chaos._asked)
        for asked in self._chaos._asked:
            ack, said, sorry = self._chaos._acks[asked], answers.get(asked, []), apologies[asked]
            plain = sum(not marked for marked in said)
            self._report.answered += bool(said)
            self._report.apologies += sorry
            self._report.refused += ack == "refused"
            self._report.slack_said += ack not in ("", "refused")
            self._again(len(said) - 1, asked, self._chaos._rounds_of(asked))
            if not (said or sorry or ack):
                self._problem(f"lost: {asked}")
            if plain + sorry > 1:
                self._problem(f"said {plain + sorry} times without a word: {asked}")
            if ack == "refused" and (said or sorry):
                self._report.taken_after_all += 1
            if ack == "refused" and (said or sorry) and "queue unheard" not in self._chaos._rounds_of(asked)[0]:
                self._problem(f"refused in the ack, and answered: {asked}")

    def _again(self, times: int, what: object, rounds: list[set[str]]) -> None:
        if times > 0:
            forces = set().union(*rounds)
            by = next((one for one in ("kill or freeze", "Slack unheard", "disk full") if one in forces), "")
            self._report.repeats[by] += times
            if not by:
                self._problem(f"said again for no reason: {what}")

    def _answers(self) -> dict[tuple[str, str], list[bool]]:
        """For each question its answers: whether each says that it may be a repeat."""
        found: dict[tuple[str, str], list[bool]] = {}
        for one in self._said:
            names = set(TOKEN.findall(whole(one)))
            if one.channel != PRIVATE and len(names) == 1 and "I ask again in" not in one.text:
                found.setdefault((one.channel, names.pop()), []).append(REPEAT in one.text)
        return found

    def _apologies(self) -> Counter[tuple[str, str]]:
        tasks = {task.request_id: task for task in self._stage.fc.tasks}
        found: Counter[tuple[str, str]] = Counter()
        for one in self._said:
            apology = APOLOGY.search(one.text)
            if apology and apology[1] in tasks:
                payload = unseal(tasks[apology[1]].payload, SIGNING_SECRET).payload
                found[one.channel, TOKEN.findall(str(payload.get("text")))[0]] += 1
        return found

    def _failing_runs(self) -> None:
        self._report.events = sum(task.payload.startswith(b'{"datacontenttype') for task in self._stage.fc.tasks)
        for run in self._chaos._told_of:
            notices = [
                one for one in self._said if one.channel == PRIVATE and not one.thread_ts and run.name in one.text
            ]
            count = len(run.invocations[0].targets)
            told = [one for one in notices if one.text.startswith((f"1 of {count} failed", REPEAT))]
            self._report.told += bool(told)
            self._again(len(notices) - 1, run.name, self._chaos._forces)
            if not told:
                self._problem(f"never told at its end: {run.name}: {[one.text[:60] for one in notices]}")
            if sum(REPEAT not in one.text for one in notices) > 1:
                self._problem(f"told twice without a word: {run.name}")

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
        calm = [one for one in self._chaos._memory if one]
        if len(calm) < 20:
            return
        first, last = calm[len(calm) // 4], calm[-1]
        grown = [last[pid] - first[pid] for pid in last if first.get(pid)]
        self._report.growth = max(grown, default=0.0)
        if self._report.growth > MOST_GROWTH:
            self._problem(f"memory grew by {self._report.growth:.1f} MB")


def whole(message: Message) -> str:
    return message.text + json.dumps(message.blocks, ensure_ascii=False)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--commands", type=int, default=2_000)
    parser.add_argument("--events", type=int, default=5_000)
    chosen = parser.parse_args(arguments)
    sys.stdout.write(f"chaos: --seed {chosen.seed} --commands {chosen.commands} --events {chosen.events}\n")
    sys.stdout.flush()
    report = Chaos(chosen.seed, chosen.commands, chosen.events).run()
    sys.stdout.write(f"{report}\n")
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
