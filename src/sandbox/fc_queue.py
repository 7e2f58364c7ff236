"""The queue of asynchronous invocations: at least once, in its own time, with retries.

As the vendor documents asynchronous invocation: a task id is taken once and for all; a task that the function
fails is delivered again; and *at least once* allows that one that succeeded is delivered twice.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

Status = Literal["Enqueued", "Running", "Retrying", "Succeeded", "Failed"]

_STEP_PATIENCE = 30.0  # real seconds that hastened time waits for the deliveries of one moment


@dataclass
class Task:
    """What is known of one asynchronous invocation; times are seconds since the epoch, `delay` is seconds.

    `attempts` counts every delivery begun, `retries` those after a failure; `error` is the last one's code.
    """

    id: str
    payload: bytes
    request_id: str
    delay: float
    enqueued: float
    status: Status = "Enqueued"
    attempts: int = 0
    retries: int = 0
    started: float | None = None
    ended: float | None = None
    error: str | None = None


@dataclass(order=True)
class _Delivery:
    """One delivery to come. `extra` ones are the duplicates: what becomes of them changes nothing."""

    due: float
    number: int
    task: Task = field(compare=False)
    extra: bool = field(compare=False, default=False)
    again: bool = field(compare=False, default=False)


class Queue:
    """Delivers tasks in threads of its own by `deliver(task)`, which returns an error code or None.

    A failed task is tried again `max_retries` times, first after `retry_seconds`, then after twice as long.
    Of all tasks `duplicate_share` (0 to 1) are delivered a second time, evenly spread.
    """

    def __init__(
        self,
        deliver: Callable[[Task], str | None],
        *,
        max_retries: int,
        retry_seconds: float,
        duplicate_share: float,
    ) -> None:
        self._deliver = deliver
        self._max_retries = max_retries
        self._retry_seconds = retry_seconds
        self._share, self._owed = duplicate_share, 0.0
        self._ahead = 0.0
        self._hastening = threading.Lock()
        self._tasks: dict[str, Task] = {}
        self._waiting: list[_Delivery] = []
        self._duplicates: deque[bool] = deque()
        self._numbers = itertools.count()
        self._workers: set[threading.Thread] = set()
        self._held = self._ended = False
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="async queue", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def add(self, task_id: str, payload: bytes, request_id: str, delay: float) -> bool:
        """Take a task; False if its id was taken before."""
        with self._change:
            if task_id in self._tasks:
                return False
            task = Task(task_id, payload, request_id, delay, time.time())
            self._tasks[task_id] = task
            duplicate = self._next_duplicate()
            self._push(task, delay, again=duplicate == "after")
            if duplicate == "beside":
                self._push(task, delay, extra=True)
            return True

    def _next_duplicate(self) -> Literal["after", "beside"] | None:
        if self._duplicates:
            return "beside" if self._duplicates.popleft() else "after"
        self._owed += self._share
        if self._owed < 1:
            return None
        self._owed -= 1
        return "after"

    def _push(self, task: Task, delay: float, *, extra: bool = False, again: bool = False) -> None:
        delivery = _Delivery(self._now() + delay, next(self._numbers), task, extra, again)
        heapq.heappush(self._waiting, delivery)
        self._change.notify_all()

    def duplicate(self, times: int, *, at_once: bool) -> None:
        """Deliver the next `times` tasks twice: after the first success, or `at_once`, both side by side."""
        with self._change:
            self._duplicates.extend([at_once] * times)

    def hold(self) -> None:
        """Begin no delivery until `release`."""
        with self._change:
            self._held = True

    def release(self) -> None:
        with self._change:
            self._held = False
            self._change.notify_all()

    def tasks(self) -> list[Task]:
        """A copy of every task's record, in the order they were accepted."""
        with self._change:
            return [replace(task) for task in self._tasks.values()]

    def wait_idle(self, timeout: float, *, delayed: bool) -> None:
        """Wait until nothing is queued or running, nor `delayed`; TimeoutError names what is left."""
        with self._change:
            if not self._change.wait_for(lambda: not (self._busy() or (delayed and self._waiting)), timeout):
                left = [f"{task.id} {task.status}" for task in self._tasks.values() if task.ended is None]
                raise TimeoutError(f"after {timeout:g} s: {', '.join(left) or 'a duplicate'}")

    def hasten(self, seconds: float, passing: Callable[[float], object]) -> None:
        """Let so many seconds go by at once: what falls due on the way is delivered in order, and so is what it adds.

        `passing` is told of each step of that time before anything is delivered in it, so that other clocks keep up.
        Returns when all has been delivered, or the queue has ended; a delivery that hangs is not waited for.
        """
        with self._hastening:
            while seconds > 0 and not self._ended:
                step = self._next_step(seconds)
                passing(step)
                with self._change:
                    self._ahead += step
                    self._change.notify_all()
                seconds -= step
            self._next_step(0)

    def _next_step(self, most: float) -> float:
        """Seconds to the next delivery once all that is due has been made, `most` of them."""
        with self._change:
            self._change.wait_for(lambda: self._ended or not self._busy(), _STEP_PATIENCE)
            if not self._waiting or self._held:
                return most
            return min(most, max(self._waiting[0].due - self._now(), 0.001))

    def _busy(self) -> bool:
        """Whether a delivery is being made, or due."""
        due = bool(self._waiting) and not self._held and self._waiting[0].due <= self._now()
        return due or bool(self._workers)

    def _now(self) -> float:
        return time.monotonic() + self._ahead

    def end(self) -> None:
        """Begin no delivery any more; `join` waits for those that run."""
        with self._change:
            self._ended = True
            self._change.notify_all()

    def join(self) -> None:
        self._thread.join()
        for worker in tuple(self._workers):
            worker.join()

    def _run(self) -> None:
        while worker := self._next():
            worker.start()

    def _next(self) -> threading.Thread | None:
        """A thread for the first delivery once that is due; None at the end."""
        with self._change:
            while not self._ended:
                wait = None
                if self._waiting and not self._held:
                    wait = self._waiting[0].due - self._now()
                    if wait <= 0:
                        return self._worker(heapq.heappop(self._waiting))
                self._change.wait(wait)
            return None

    def _worker(self, delivery: _Delivery) -> threading.Thread:
        # Counted and marked from here on, so that the queue never looks idle between taking and beginning.
        task = delivery.task
        task.attempts += 1
        if not delivery.extra:
            task.status = "Running"
            task.started = task.started or time.time()
        worker = threading.Thread(target=self._work, args=(delivery,), name=task.id, daemon=True)
        self._workers.add(worker)
        return worker

    def _work(self, delivery: _Delivery) -> None:
        error = self._deliver(delivery.task)
        with self._change:
            if not delivery.extra:
                self._settle(delivery, error)
            self._workers.discard(threading.current_thread())
            self._change.notify_all()

    def _settle(self, delivery: _Delivery, error: str | None) -> None:
        task = delivery.task
        task.error = error
        if error and task.retries < self._max_retries:
            task.status = "Retrying"
            self._push(task, self._retry_seconds * 2**task.retries, again=delivery.again)
            task.retries += 1
            return
        task.status, task.ended = ("Failed" if error else "Succeeded"), time.time()
        if delivery.again and not error:
            self._push(task, 0, extra=True)
