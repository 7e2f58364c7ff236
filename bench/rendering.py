"""From results to a message, in this process: `summarise` and `messages.results`, without any network."""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from bench.options import Options
from bench.table import OURS, Line, at_most
from bench.workbench import Workbench
from bot.core.messages import Frame, results
from bot.core.model import Instance, Invocation, InvocationResult, result_from
from bot.core.summary import summarise

RUN = Invocation("t-hz0bench", "cn-hangzhou", command_name="deploy-web", status="Finished", username="root")
_NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
_SIZES = (1_000, 5_000, 10_000)
_DISTINCT = 20


def rendering(workbench: Workbench, options: Options) -> list[Line]:
    few = {size: fleet(size, [output(number, 200) for number in range(_DISTINCT)]) for size in _SIZES}
    many = fleet(500, [output(number, 24_000) for number in range(500)])
    rows = [_row(one) for one in few[10_000]]
    times: dict[str, list[float]] = {}
    for _ in range(options.rounds):
        for size, some in few.items():
            times.setdefault(f"{size}", []).append(_timed(lambda some=some: _rendered(some)))
        times.setdefault("many", []).append(_timed(lambda: _rendered(many)))
        times.setdefault("rows", []).append(_timed(lambda: [result_from(row, "cn-hangzhou") for row in rows]))
    linear = [large / (10 * small) for large, small in zip(times["10000"], times["1000"], strict=True)]
    found = [
        _line(f"summarise and render {size:,} results of 200 bytes, {_DISTINCT} distinct", times[f"{size}"])
        for size in _SIZES
    ]
    found[-1].goal = at_most(500, "ms")
    return [
        *found,
        Line("10,000 of them against 10 times 1,000", "×", {OURS: linear}, at_most(1.5, "×")),
        _line("summarise and render 500 results of 24 KB, all different", times["many"]),
        _line("read 10,000 rows of the API before that", times["rows"]),
    ]


def _line(what: str, seconds: Sequence[float]) -> Line:
    return Line(what, "ms", {OURS: [1000 * one for one in seconds]})


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _rendered(fleet: Sequence[InvocationResult]) -> None:
    instances = {one.instance_id: Instance(one.instance_id, one.region, f"web-{at}") for at, one in enumerate(fleet)}
    message = results(summarise([RUN], fleet, instances), Frame(now=_NOW))
    assert message.text
    assert message.blocks


def fleet(size: int, outputs: Sequence[bytes]) -> list[InvocationResult]:
    """Of every twenty results five failed, each with an exit code and an output of its own."""
    return [
        InvocationResult(
            RUN.id,
            f"i-bp1bench{number:06d}",
            RUN.region,
            status="Failed" if number % 20 < 5 else "Success",
            error_code="ExitCodeNonzero" if number % 20 < 5 else "",
            exit_code=number % 20 + 1 if number % 20 < 5 else 0,
            output=outputs[number % len(outputs)],
            started=_NOW,
            finished=_NOW,
            username="root",
        )
        for number in range(size)
    ]


def output(number: int, size: int) -> bytes:
    """Lines as of a log, another for each number."""
    made_up = random.Random(number)
    lines = (f"{at:05d} step {made_up.getrandbits(64):016x} done, {made_up.randrange(1000)} ms\n" for at in range(size))
    text = ""
    while len(text) < size:
        text += next(lines)
    return text[:size].encode()


def _row(one: InvocationResult) -> dict[str, object]:
    """The result as DescribeInvocationResults gives it."""
    return {
        "InvokeId": one.invoke_id,
        "InstanceId": one.instance_id,
        "InvocationStatus": one.status,
        "ErrorCode": one.error_code,
        "ExitCode": one.exit_code,
        "Output": base64.b64encode(one.output).decode(),
        "Dropped": 0,
        "Repeats": 1,
        "StartTime": "2026-11-24T02:55:00Z",
        "FinishedTime": "2026-11-24T02:56:00Z",
        "Username": one.username,
    }
