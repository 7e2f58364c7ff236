"""A process of ours beside the measurement, driven by questions and answers over a pipe."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

from bench.table import NotMeasured

_TIME_LIMIT = 120  # seconds for one answer


class FarProcess:
    """Runs `target(connection, *arguments)` until it is told ("stop",), or killed by its id when it does not listen."""

    def __init__(self, target: Callable[..., None], *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=target, args=(theirs, *arguments), daemon=True)
        self._process.start()
        theirs.close()

    def say(self, *question: Any) -> None:
        """A question whose answer is fetched later, by `answer`."""
        self._pipe.send(question)

    def answered(self, seconds: float = 0) -> bool:
        return self._pipe.poll(seconds)

    def answer(self) -> Any:
        if not self._pipe.poll(_TIME_LIMIT):
            raise NotMeasured(f"{self._process.name} gave no answer in {_TIME_LIMIT} s")
        try:
            found = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise NotMeasured(f"{self._process.name} ended") from error
        if isinstance(found, Exception):
            raise NotMeasured(str(found)) from found
        return found

    def ask(self, *question: Any) -> Any:
        with suppress(BrokenPipeError):  # it has ended, which `answer` says
            self.say(*question)
        return self.answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # it has ended
            self.say("stop")
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._pipe.close()


def answering(pipe: Connection, answer: Callable[..., Any]) -> None:
    """The far side: each question is a call of `answer(name, *rest)`; ends with "stop" or a closed pipe."""
    while True:
        try:
            question = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        if question == ("stop",):
            return
        try:
            pipe.send(answer(*question))
        except Exception as error:  # the one that asked shall hear of it, whatever it is
            pipe.send(RuntimeError(f"{type(error).__name__}: {error}"))
