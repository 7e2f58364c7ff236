"""The function's triggers beside HTTP: EventBridge's rule and two timers, moved by the cloud's clock.

Both invoke the function asynchronously, as `template.yml` and `deploy/ros-events.yml` set them up. EventBridge
delivers at least once and in no order.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sandbox.clock import Clock
from sandbox.cloud import Cloud
from sandbox.cloud_events import Completions, Event, envelope
from sandbox.fc import FunctionCompute

# As in template.yml: seconds, payload.
TIMERS = {"poll": (900, '{"job":"poll"}'), "tick": (300, '{"job":"tick"}')}
_BEAT = 0.2  # seconds between two looks at the clock


class Timers:
    """The two timers. `start` has them follow the clock in a thread; without it `look` is called by hand."""

    def __init__(self, function: FunctionCompute, clock: Clock) -> None:
        self._function, self._clock = function, clock
        now = clock.now().timestamp()
        self._due = {name: now + every for name, (every, _) in TIMERS.items()}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="triggers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def look(self) -> None:
        """Delivers what has happened by now. After a jump of the clock each timer goes off once."""
        with self._lock:
            self._happen()

    def tick(self, name: str, payload: str = "") -> None:
        self._function.tick(name, payload, self._clock.now())

    def _happen(self) -> None:
        now = self._clock.now().timestamp()
        for name in [name for name, due in self._due.items() if due <= now]:
            self._due[name] = now + TIMERS[name][0]
            self.tick(name, TIMERS[name][1])

    def _follow(self) -> None:
        while not self._ended.wait(_BEAT):
            self.look()


class Triggers(Timers):
    """The timers and the cloud's events, which follow the cloud's clock. `options` see Completions.

    `regions` are those that have a rule, all unless told otherwise. Of the events `doubled` (0 to 1) come twice, and
    those of one look come `shuffled`; `seed` makes it the same each time.
    """

    def __init__(
        self,
        cloud: Cloud,
        function: FunctionCompute,
        *,
        regions: Collection[str] | None = None,
        doubled: float = 0,
        shuffled: bool = False,
        seed: int = 0,
        **options: bool,
    ) -> None:
        super().__init__(function, cloud.clock)
        self._account = function.function.account_id
        self._regions, self._doubled, self._shuffled = regions, doubled, shuffled
        self._random = random.Random(seed)  # noqa: S311 (nothing is kept secret by it)
        self._completions = Completions(cloud, **options)

    def publish(self, kind: str, region: str, data: Mapping[str, Any]) -> None:
        """Another event of ECS, such as `ecs:Instance:SystemFailure.Reboot`, happens now."""
        with self._lock:
            self._deliver([envelope(kind, region, self._account, self._clock.now(), data)])

    def _happen(self) -> None:
        self._deliver(self._completions.fresh())
        super()._happen()

    def _deliver(self, events: Sequence[Event]) -> None:
        ours = [one for one in events if self._regions is None or one["aliyunregionid"] in self._regions]
        sent = [*ours, *(one for one in ours if self._random.random() < self._doubled)]
        if self._shuffled:
            self._random.shuffle(sent)
        for one in sent:
            self._function.invoke(json.dumps(one, ensure_ascii=False).encode(), sync=False)
