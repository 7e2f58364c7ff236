"""From the start of the process: to the first ack, to the posted answer, and what memory that takes.

"Ack" is the first signed slash command answered 200. Who hands off hands off: to the queue over TLS, connection
and context included. The queue holds the job, so that nothing but the ack is measured.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence

from bench import quota
from bench.client import exchange, form, signed
from bench.far_ends import FAILED, INVOCATION
from bench.options import Options
from bench.programs import PROGRAMS, Program, in_turns, running
from bench.table import OURS, Goal, Line, NotMeasured, at_most, at_most_times
from bench.workbench import Workbench

_ACK_ONLY = {"BENCH_ACK_ONLY": "1"}


def ack(workbench: Workbench, options: Options) -> list[Line]:
    samples, notes = _acks(workbench, options, 1)
    return [
        Line("spawn to first ack, whole core", "ms", samples.get("ack", {}), at_most(170, "ms"), notes=notes),
        Line("its CPU time", "ms", samples.get("cpu", {})),
        *_with_one_bundle(samples),
    ]


def ack_quarter(workbench: Workbench, options: Options) -> list[Line]:
    return _slowed(workbench, options, 0.25, at_most(700, "ms"))


def ack_tenth(workbench: Workbench, options: Options) -> list[Line]:
    return _slowed(workbench, options, 0.1, at_most(1_800, "ms"))


def _slowed(workbench: Workbench, options: Options, share: float, goal: Goal) -> list[Line]:
    samples, notes = _acks(workbench, options, share)
    first = Line(f"spawn to first ack, {share} vCPU", "ms", samples.get("ack", {}), goal, notes=notes)
    return [first, *_with_one_bundle(samples)]


def _with_one_bundle(samples: Mapping[str, Mapping[str, Sequence[float]]]) -> list[Line]:
    found = samples.get("bundle", {})
    return [Line("the same, authorities read as one bundle", "ms", found)] if found else []


def ack_without_byte_code(workbench: Workbench, options: Options) -> list[Line]:
    """With and without take turns, so that the two can be compared."""
    both: dict[bool, dict[str, list[float]]] = {True: {}, False: {}}
    notes: list[str] = []
    for _ in range(options.rounds):
        for byte_code in (True, False):
            samples, notes = _acks(workbench, Options(1, options.quick), 1, byte_code=byte_code)
            for name, found in samples.get("ack", {}).items():
                both[byte_code].setdefault(name, []).extend(found)
    ratios = {
        name: [one / other for one, other in zip(both[False][name], found, strict=True)]
        for name, found in both[True].items()
        if len(both[False].get(name, ())) == len(found)
    }
    return [
        Line("spawn to first ack, no byte code", "ms", both[False], notes=notes),
        Line("the same against with byte code", "×", ratios, at_most(1.5, "×")),
    ]


def _acks(
    workbench: Workbench, options: Options, share: float, *, byte_code: bool = True
) -> tuple[dict[str, dict[str, list[float]]], Sequence[str]]:
    """Samples of "ack" and "cpu" in ms, and of "bundle" for ours where "ack" finds its authorities in a folder."""
    limit = quota.of(share)
    workbench.environment(byte_code=byte_code)  # made before anything is timed

    def once(program: Program) -> Mapping[str, float]:
        found = _acked(workbench, program, limit, byte_code=byte_code)
        if program.name != OURS or workbench.hashed is None or not byte_code:
            return found
        return found | {"bundle": _acked(workbench, program, limit, byte_code=True, one_bundle=True)["ack"]}

    samples, notes = in_turns(options.programs, options.rounds, once)
    where = "one bundle: this system has no hashed folder" if workbench.hashed is None else "a folder of hashed names"
    said = f"cold: certificate authorities in {where}, for all; P3's client reads its own bundle"
    return samples, [said, *([] if share == 1 else [f"{share} vCPU: {limit.says}"]), *notes]


def _acked(
    workbench: Workbench, program: Program, limit: quota.WholeCore, *, byte_code: bool, one_bundle: bool = False
) -> dict[str, float]:
    """Milliseconds to the first ack, and those of CPU."""
    workbench.sink.ask("hold")
    with running(workbench, program, limit, byte_code=byte_code, one_bundle=one_bundle, settings=_ACK_ONLY) as process:
        seconds = process.ack(form(INVOCATION))
        cpu = process.cpu()
        if program.hands_off and not workbench.sink.ask("taken"):
            raise NotMeasured("acked without handing the job to the queue")
    return {"ack": seconds * 1000, "cpu": cpu * 1000}


def ack_beside_import(workbench: Workbench, options: Options) -> list[Line]:
    """At 0.25 vCPU: one ack after another while the first job imports Bolt and Tea and answers.

    The pauses between them are uneven, or they would fall into step with the quota's period.
    """
    limit = quota.of(0.25)

    def once(program: Program) -> Mapping[str, float]:
        workbench.sink.ask("hold")
        url = workbench.far_ends.ask("response_url")
        with running(workbench, program, limit) as process:
            process.ack(form(INVOCATION, url))
            with process.connected() as connection:
                workbench.sink.say("release", process.port)
                waits = []
                while not workbench.sink.answered(random.uniform(0.01, 0.11)):
                    began = time.perf_counter()
                    exchange(connection, signed(form(INVOCATION, number=len(waits))))
                    waits.append(time.perf_counter() - began)
            if workbench.sink.answer() != [200]:
                raise NotMeasured("the job beside it failed")
            if not waits:
                raise NotMeasured("the job was done before an ack could be asked for")
            return {"slowest": max(waits) * 1000, "median": sorted(waits)[len(waits) // 2] * 1000}

    samples, notes = in_turns(PROGRAMS[:1], options.rounds, once)
    said = "beside a job: the peers import everything before they listen, so they have no such moment"
    return [
        Line(
            "ack while a job imports beside it, 0.25 vCPU, slowest",
            "ms",
            samples.get("slowest", {}),
            at_most(1_000, "ms"),
            notes=[f"0.25 vCPU: {limit.says}", said, *notes],
        ),
        Line("the same, median", "ms", samples.get("median", {})),
    ]


def modal(workbench: Workbench, options: Options) -> list[Line]:
    """At 0.25 vCPU: a press of Outputs starts the process, which opens the modal before it acks."""
    limit = quota.of(0.25)
    workbench.environment(byte_code=True)  # made before anything is timed

    def once(program: Program) -> Mapping[str, float]:
        workbench.sink.ask("hold")
        press = workbench.far_ends.ask("press")
        with running(workbench, program, limit) as process:
            began = time.time() - (time.perf_counter() - process.began)  # Slack notes the time of day
            seconds = process.ack(press)
        calls = workbench.far_ends.ask("opened")
        if [outcome for _, outcome in calls] != ["ok"]:
            raise NotMeasured(f"views.open: {[outcome for _, outcome in calls]}")
        return {"opened": (calls[0][0] - began) * 1000, "ack": seconds * 1000}

    samples, notes = in_turns(PROGRAMS[:1], options.rounds, once)
    said = "modal: views.open is asked for on loopback without TLS, the hand-off to the queue with it; peers open none"
    opened = Line(
        "spawn to modal opened, 0.25 vCPU",
        "ms",
        samples.get("opened", {}),
        at_most(3_000, "ms"),
        notes=[f"0.25 vCPU: {limit.says}", said, *notes],
    )
    return [opened, Line("the same, to its ack", "ms", samples.get("ack", {}), at_most(3_000, "ms"))]


def answer(workbench: Workbench, options: Options) -> list[Line]:
    limit = quota.of(1)

    def once(program: Program) -> Mapping[str, float]:
        return {"answer": _answered(workbench, program, limit)["answer"]}

    samples, notes = in_turns([one for one in options.programs if one.answers], options.rounds, once)
    said = (
        "answer: peers make one call (DescribeInvocationResults) and post counts; ours also looks up the person, the "
        "channel, the run and the instances' names"
    )
    return [
        Line(
            "spawn to answer posted, whole core",
            "ms",
            samples.get("answer", {}),
            at_most_times(1),
            notes=[said, *notes],
        )
    ]


def memory(workbench: Workbench, options: Options) -> list[Line]:
    """Resident set and its highest so far; gunicorn's two processes are added up."""
    limit = quota.of(1)

    def once(program: Program) -> Mapping[str, float]:
        workbench.sink.ask("hold")
        with running(workbench, program, limit, settings=_ACK_ONLY) as process:
            process.ack(form(INVOCATION))
            time.sleep(0.1)  # what the ack left to do
            after_ack = process.memory()
        found = {"rss after ack": after_ack["VmRSS"], "hwm after ack": after_ack["VmHWM"]}
        if program.answers:
            after_answer = _answered(workbench, program, limit)
            found |= {"rss after answer": after_answer["VmRSS"], "hwm after answer": after_answer["VmHWM"]}
        return found

    samples, notes = in_turns(options.programs, options.rounds, once)
    return [
        Line(
            "memory after the first ack, VmRSS", "MB", samples.get("rss after ack", {}), at_most(25, "MB"), notes=notes
        ),
        Line("the same, VmHWM", "MB", samples.get("hwm after ack", {})),
        Line("memory after the first answer, VmRSS", "MB", samples.get("rss after answer", {}), at_most(70, "MB")),
        Line("the same, VmHWM", "MB", samples.get("hwm after answer", {})),
    ]


def _answered(workbench: Workbench, program: Program, limit: quota.WholeCore) -> dict[str, float]:
    """Milliseconds from the start to the answer's arrival at Slack, and the memory after it."""
    workbench.sink.ask("hold")
    url = workbench.far_ends.ask("response_url")
    with running(workbench, program, limit) as process:
        began = time.time() - (time.perf_counter() - process.began)  # Slack notes the time of day
        workbench.sink.ask("deliver", process.port)
        process.ack(form(INVOCATION, url))
        arrived, text = workbench.far_ends.ask("answer")
        if f"{FAILED} failed" not in text.lower() and f"{FAILED} of " not in text:
            raise NotMeasured(f"answered something else: {text[:80]!r}")
        time.sleep(0.1)
        memory = process.memory()
    workbench.sink.ask("hold")
    return {"answer": (arrived - began) * 1000, **memory}
