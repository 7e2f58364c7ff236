"""Calls at once, on a bounded pool and within a time limit: who does not reply is named, not waited for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.core.errors import OUT_OF_TIME, CloudError, Unavailable
from bot.core.manners import AT_ONCE, Priority
from bot.settings import Clock

_SILENCE = Unavailable("my calls", "any region asked", OUT_OF_TIME)

K = TypeVar("K")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Gathered(Generic[K, T]):
    """Replies and failures, both in the order of the calls. What was not needed any more is in neither."""

    replies: Mapping[K, T]
    failed: Mapping[K, CloudError]

    def first_error(self) -> CloudError:
        return next(iter(self.failed.values()))


class Fanout:
    """`deadline`, on the given clock, is when the whole question must have its answer.

    At most `at_once` calls side by side, and so as many threads; the client keeps 40 connections for each host.
    """

    def __init__(self, deadline: float, clock: Clock, at_once: int = AT_ONCE[Priority.PEOPLE]) -> None:
        self._deadline, self._clock, self._at_once = deadline, clock, at_once

    def together(
        self,
        calls: Mapping[K, Callable[[], T]],
        limit: float | None = None,
        enough: Callable[[Mapping[K, T]], bool] = lambda replies: False,
        spare: Callable[[K], bool] = lambda key: False,
        grace: float | None = 0.0,
    ) -> Gathered[K, T]:
        """All calls side by side, for `limit` seconds at most, until all have replied or there is `enough`.

        A CloudError counts as a failure, and so does silence; anything else that a call raises is raised here. `spare`
        calls have `grace` seconds more when all others are done. The calls speak the language that is spoken here.
        """
        if not calls:
            return Gathered({}, {})
        end = self._deadline if limit is None else min(self._deadline, self._clock() + limit)
        replies: dict[K, T] = {}
        failed: dict[K, CloudError] = {}
        pool = ThreadPoolExecutor(min(self._at_once, len(calls)), "call")
        try:
            pending = {pool.submit(copy_context().run, call): key for key, call in calls.items()}
            while pending and not enough(replies):
                if grace is not None and all(map(spare, pending.values())):
                    end, grace = min(end, self._clock() + grace), None
                done, _ = wait(pending, max(0.0, end - self._clock()), FIRST_COMPLETED)
                if not done:
                    failed |= dict.fromkeys(pending.values(), _SILENCE)
                    break
                for future in done:
                    _sort(future, pending.pop(future), replies, failed)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return Gathered(_ordered(replies, calls), _ordered(failed, calls))


def _sort(future: Future[T], key: K, replies: dict[K, T], failed: dict[K, CloudError]) -> None:
    try:
        replies[key] = future.result()
    except CloudError as error:
        failed[key] = error


V = TypeVar("V")


def _ordered(found: Mapping[K, V], calls: Mapping[K, object]) -> dict[K, V]:
    return {key: found[key] for key in calls if key in found}
