"""Acks of a process that is up: how many, how fast, and what memory is left after them.

Who hands off does so with each ack: the queue takes the job over TLS and holds it. P1, P2 and the floor make no
hand-off, so their rates are for orientation; P3 does the same work as ours.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from bench import quota
from bench.client import Load, form, percentile, signed
from bench.far_ends import INVOCATION
from bench.options import Options
from bench.programs import Program, in_turns, running
from bench.table import P3, Goal, Line, NotMeasured, at_least_times, at_most, at_most_times
from bench.workbench import Workbench

CONNECTIONS = 8
RATE = 100  # acks per second of the steady load
_WARM_UP = 0.5  # seconds


def acks(workbench: Workbench, options: Options) -> list[Line]:
    limit = quota.of(1)

    def once(program: Program) -> Mapping[str, float]:
        workbench.sink.ask("hold")
        with running(workbench, program, limit, settings={"BENCH_ACK_ONLY": "1"}) as process:
            process.ack(form(INVOCATION))
            requests = [signed(form(INVOCATION, number=number)) for number in range(64)]
            Load(process.port, requests, CONNECTIONS).closed_loop(_WARM_UP)
            steady = Load(process.port, requests, CONNECTIONS)
            steady.steady(RATE, options.seconds(10))
            after_steady = process.memory()["VmRSS"]
            workbench.sink.ask("hold")
            closed = Load(process.port, requests, CONNECTIONS)
            rate = closed.closed_loop(options.seconds(4))
            taken = workbench.sink.ask("taken")
            if program.hands_off and taken < len(closed.latencies):
                raise NotMeasured(f"handed off {taken} of {len(closed.latencies)} acks")
            time.sleep(0.2)
            return {
                "rate": rate,
                "p50": percentile(closed.latencies, 0.5) * 1000,
                "p99": percentile(closed.latencies, 0.99) * 1000,
                "steady": percentile(steady.latencies, 0.99) * 1000,
                "memory": after_steady,
                "highest": process.memory()["VmHWM"],
            }

    samples, notes = in_turns(options.programs, min(3, options.rounds), once)
    said = (
        "warm: ours and P3 hand each job to the queue over TLS before they ack; P1, P2 and the floor hand off nothing"
    )

    def line(what: str, unit: str, key: str, goal: Goal | None = None, *, more: bool = False) -> Line:
        found = samples.get(key, {})
        return Line(what, unit, found, goal, more) if goal else Line(what, unit, found, more_is_better=more)

    first = line("warm acks, 8 connections, closed loop", "req/s", "rate", at_least_times(4, [P3]), more=True)
    first.notes = [said, *notes]
    return [
        first,
        line("the same, p50", "ms", "p50"),
        line("the same, p99", "ms", "p99", at_most_times(1, [P3])),
        line("steady 100 req/s, p99", "ms", "steady", at_most(50, "ms")),
        line("memory after it, VmRSS", "MB", "memory"),
        line("memory after the closed loop, VmHWM", "MB", "highest"),
    ]
