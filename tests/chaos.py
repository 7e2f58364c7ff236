"""Random trouble for the real function, and what must hold all the same. `make chaos`, or `python tests/chaos.py`.

Two copies of the function share a store and stand between the sandbox's Cloud Assistant and Slack. In each round
people ask at once, runs end and are told of by events, and things go wrong: in the cloud, in Slack, in the queue, on
the disk, with the clocks; copies are killed or stand still. At the end (`chaos_judge`) each question has one answer or
apology, what its ack said is true, each failing run that a channel subscribed to has been told at its end, what was
said twice says that it may be a repeat and has a cause, and no secret stands in any message or log. The seed decides
what goes wrong; the moments are the machine's own.
"""

from __future__ import annotations

import argparse
import random
import re
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chaos_judge import OUTPUT, PASSWORD, WARM_AFTER, Asked, Judge, Record, Report
from sandbox.fc_triggers import Triggers
from sandbox.scenario import build
from sandbox.slack_workspace import BOT_USER, MEI, PRIVATE, Channel
from sandbox.stage import SOURCE, Stage

BOT = Path(__file__).with_name("chaos_bot.py")
REGIONS = ("cn-hangzhou", "cn-shanghai", "cn-beijing")
QUESTIONS = ("t-hz0{}", "t-hz0{} private", "c-hz0{}", "command:{}")
AT_ONCE = 8
ROUND = 30.0  # seconds that go by in one round, for the function, the runs and Slack
WARMING = 330.0  # while the copies get warm: more than the function lets lie between two polls

CLOUD = ("throttle", "http500", "html502", "drop", "drop_after", "slow", "empty", "bad_json")
SLACK = ("429", "500", "500_after", "502html", "drop_before", "drop_after", "slow")
QUEUE = ("refuse_429", "http500", "slow", "drop_before", "drop_after")


def question_run(number: int):
    """A run that has ended long ago, for questions."""
    failed = {"instances": "web-01", "StartTime": "-4m", "FinishedTime": "-3m", "ExitCode": 1, "Output": said()}
    fine = {"StartTime": "-4m", "FinishedTime": "-3m", "ExitCode": 0, "Output": said()}
    return run_of(number, 3, "-5m", [failed, fine])


def event_run(number: int, count: int, ends: float):
    """A run whose instances end one by one from `ends` seconds on; the first of them fails.

    Every other run takes so long that it is told before its end, and what was told is kept right after that.
    """
    failed = {"instances": "web-01", "StartTime": "+1s", "FinishedTime": f"+{ends:.0f}s", "ExitCode": 1}
    step = f"{1 + 2 * (number % 2)}s"
    fine = {"StartTime": "+1s", "FinishedTime": f"+{ends + 1:.0f}s", "step": step, "ExitCode": 0}
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
        calm = self._rounds // 3
        self._calm_from = self._rounds - calm
        self._warm_from = self._calm_from + calm // WARM_AFTER
        runs = max(1, events // instances)
        count = min(instances, events)
        self._questions = [question_run(number) for number in range(40)]
        gap = max(1.0, self._rounds * ROUND / runs)
        told_of = [event_run(1_000 + number, count, 20 + number * gap) for number in range(runs)]
        self._channels = [f"C0CHAOS{number:03}" for number in range(-(-commands // len(self._questions)))]
        asked = [(channel, run.name) for channel in self._channels for run in self._questions]
        self._chance.shuffle(asked)
        self._record, self._per_round = Record(asked[:commands], told_of), per_round
        self._full_since: float | None = None

    def run(self) -> Report:
        began = time.monotonic()
        options = {"environment": self._environment, "command": (sys.executable, str(BOT)), "instances": 2}
        with self._folder, Stage([*self._questions, *self._record.runs], **options) as stage:
            self._stage = stage
            self._set_up()
            for number in range(self._rounds):
                self._round(number)
            self._settle()
            Judge(stage, self._record, self.report).judge()
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
        asked = self._record.asked[number * self._per_round : (number + 1) * self._per_round]
        calm, warm = number >= self._calm_from, number >= self._warm_from
        trouble = [self._chance.choice(self._troubles) for _ in range(self._chance.randint(1, 4))]
        for one in trouble:
            one(self._chance)
        harm = [] if calm else self._harm(self._chance)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for one in harm:
                one.start()
            list(pool.map(self._ask, asked, [self._chance.choice(QUESTIONS) for _ in asked]))
            self._triggers.look()
            if calm and not warm:
                self._triggers.tick("poll")
            self._let_pass(WARMING if calm and not warm else ROUND)
        for one in harm:
            one.join()
        self._mend()
        if calm:
            self._record.memory.append({pid: resident(pid) for pid in self._stage.fc.pids()})

    def _ask(self, asked: Asked, words: str) -> None:
        channel, name = asked
        self._record.acks[asked] = self._stage.slash(words.format(name), channel=channel)

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
        self._stage.fc.fail(kind, times, seconds=chance.uniform(0.1, 2.0))
        self._count(f"queue {kind}", times)

    def _twice(self, chance: random.Random) -> None:
        times = chance.randint(1, 4)
        self._stage.fc.duplicate(times, at_once=chance.random() < 0.5)
        self._count("delivered twice", times)

    def _on_the_disk(self, chance: random.Random) -> None:
        self._full_since = self._full_since or self._clocks.now()
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

    def _mend(self) -> None:
        self._stage.cloud.mend()
        self._stage.slack.mend()
        (self._here / "full").unlink(missing_ok=True)
        if self._full_since is not None:
            self._record.full.append((self._full_since, self._clocks.now()))
            self._full_since = None
        self._clocks.jump(0)

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
