"""Function Compute (FC 3) on this machine: the HTTP trigger, InvokeFunction with its queue, and the freeze.

`FunctionCompute` starts the function as `template.yml` says and stands between it and the world. Where the
vendor's documentation is silent, the choice made here is the one that is harder on the function.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self

from sandbox import acs3, fc_api
from sandbox.acs3 import Credentials
from sandbox.fc_api import RefusalError
from sandbox.fc_process import Copies, FunctionError, Launch
from sandbox.fc_queue import Queue, Task
from sandbox.fc_wire import Function, acceptable, exchange, forwarded, returned
from sandbox.http import Drop, Peer, Reply, Request

# Two, so that a test can tell which of them the function used.
ENVIRONMENT_CREDENTIALS = Credentials("STS.SandboxEnvironment", "sandbox-env-secret", "sandbox-env-token")
REQUEST_CREDENTIALS = Credentials("STS.SandboxRequest", "sandbox-request-secret", "sandbox-request-token")

Fault = Literal["refuse_429", "http500", "slow", "drop_before", "drop_after", "hang"]


@dataclass(frozen=True)
class Call:
    """One request that was passed to the function; `status` is the function's own, 502 when it gave none.

    `stood_still`: a copy was made to, in the meantime.
    """

    path: str
    control_path: str
    status: int
    milliseconds: float
    cold: bool
    request_id: str
    stood_still: bool


class FunctionCompute(Peer):
    """Function Compute with one function; use as a context manager, or `start` and `stop`.

    `command` runs in `directory` with FC's variables, FC_ENDPOINT (this peer) and `environment`, which wins.
    Times are seconds: `timeout` is the function's, `start_timeout` how long its port may stay closed. The function
    acts with `credentials` where they are given, and else with two made-up ones.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        directory: Path,
        environment: Mapping[str, str] | None = None,
        port: int = 0,
        instances: int = 1,
        instance_concurrency: int = 10,
        timeout: float = 120,
        start_timeout: float = 120,
        max_async_retry_attempts: int = 2,
        retry_seconds: float = 0.05,
        duplicate_share: float = 0,
        delay_scale: float = 1,
        freeze: bool = True,
        spoofing: bool = False,
        name: str = "cloudassist",
        region: str = "cn-hangzhou",
        account_id: str = "1234567890123456",
        credentials: Credentials | None = None,
    ) -> None:
        super().__init__(port)
        in_environment = credentials or ENVIRONMENT_CREDENTIALS
        self._credentials = credentials or REQUEST_CREDENTIALS
        keys = (in_environment, self._credentials)
        self._secrets = {key.key_id: key.secret for key in keys}
        self._tokens = {key.key_id: key.token for key in keys if key.token}
        self.function = Function(name, region, account_id, "LATEST", memory=512, timeout=timeout)
        own = {**self.function.environment(in_environment), "FC_ENDPOINT": self.url}
        launch = Launch(
            command,
            directory,
            {**own, "FC_FUNC_CODE_PATH": str(directory), **(environment or {})},
            start_timeout,
        )
        self._copies = Copies(launch, instances, instance_concurrency, freeze)
        self._queue = Queue(
            self._deliver,
            max_retries=max_async_retry_attempts,
            retry_seconds=retry_seconds,
            duplicate_share=duplicate_share,
        )
        self._spoofing = spoofing
        self._delay_scale = delay_scale
        self._faults: deque[tuple[Fault, float | None]] = deque()
        self._nonces: set[str] = set()
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self.requests: list[Call] = []

    def start(self) -> Self:
        self._queue.start()
        return super().start()

    def stop(self) -> None:
        """End everything: no process and no thread of ours is left."""
        self._ending.set()
        self._queue.end()
        self._copies.close()
        self._queue.join()
        super().stop()

    # What tests and the demo turn and look at.

    @property
    def tasks(self) -> list[Task]:
        """Copies of all task records, in the order they were accepted."""
        return self._queue.tasks()

    def hold(self) -> None:
        """Accept asynchronous invocations but deliver none until `release`."""
        self._queue.hold()

    def release(self) -> None:
        self._queue.release()

    def duplicate(self, times: int = 1, *, at_once: bool = False) -> None:
        """Deliver each of the next tasks twice: after the first success, or `at_once`, side by side."""
        self._queue.duplicate(times, at_once=at_once)

    def wait_idle(self, timeout: float, *, delayed: bool = True) -> None:
        """Wait until no task is queued or running, nor `delayed`; raises TimeoutError that names what is left."""
        self._queue.wait_idle(timeout, delayed=delayed)

    def hasten(self, seconds: float, passing: Callable[[float], object]) -> None:
        """Let time go by at once for what is delayed; `passing(seconds)` hears of each step, to move other clocks."""
        self._queue.hasten(seconds, passing)

    def kill(self, instance: int = 0) -> None:
        """SIGKILL one copy of the function, whatever it does; the next request to it starts a new one."""
        self._copies.kill(instance)

    def freeze(self, seconds: float, instance: int = 0) -> None:
        """Let one copy stand still for so long, in the middle of whatever it does; returns after that."""
        self._copies.freeze(instance, seconds)

    def pids(self) -> list[int]:
        """The process ids of the copies that live now."""
        return self._copies.pids()

    def logs(self) -> str:
        """All that the function's processes wrote to standard output and standard error."""
        return self._copies.output()

    def fail(self, fault: Fault, times: int = 1, *, seconds: float | None = None) -> None:
        """Make the next `times` API calls go wrong.

        `slow` waits `seconds` and goes on; `hang` waits (until `stop` when not told) and closes;
        `drop_before` closes with nothing done, `drop_after` closes although all was done.
        """
        with self._lock:
            self._faults.extend([(fault, seconds)] * times)

    def invoke(self, payload: bytes, *, sync: bool = True) -> Reply:
        """Deliver an event as an event source does; the reply is InvokeFunction's (202 when not `sync`).

        Timers and EventBridge call asynchronously, and their payloads may be 128 KB at most.
        """
        request_id = _new_id()
        try:
            fc_api.check_size("Sync" if sync else "Async", payload)
            if sync:
                return self._invoke_sync(payload, request_id)
            return self._enqueue(payload, request_id, request_id, 0)
        except RefusalError as refusal:
            return fc_api.error(refusal.status, refusal.code, request_id)

    def tick(self, name: str, payload: str, at: datetime) -> Reply:
        """A timer trigger goes off, which is always asynchronous."""
        event = {"triggerTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "triggerName": name, "payload": payload}
        return self.invoke(json.dumps(event).encode(), sync=False)

    # The way of a request.

    def handle(self, request: Request) -> Reply:
        return self._api(request) if fc_api.is_invocation(request) else self._trigger(request)

    def _trigger(self, request: Request) -> Reply:
        request_id = _new_id()
        if not acceptable(request):
            return fc_api.error(400, "InvalidArgument", request_id)
        try:
            reply = self._call(request, "/http-invoke", request_id, patience=self.function.timeout)
        except FunctionError as failure:
            return _failure(failure, request_id)
        return returned(reply, request_id)

    def _call(
        self,
        request: Request,
        control_path: str,
        request_id: str,
        *,
        retry_count: int = 0,
        patience: float | None,
    ) -> Reply:
        own = self.function.headers(
            self._credentials, control_path=control_path, request_id=request_id, retry_count=retry_count
        )
        headers = forwarded(request.headers, own, spoofing=self._spoofing)
        began, status, cold, freezes = time.monotonic(), 502, False, self._copies.freezes
        try:
            with self._copies.place(patience) as (process, cold):
                reply = exchange(process, replace(request, headers=headers), self.function.timeout)
            status = reply.status
            return reply
        finally:
            milliseconds = (time.monotonic() - began) * 1000
            stood_still = self._copies.freezes > freezes
            self.requests.append(Call(request.path, control_path, status, milliseconds, cold, request_id, stood_still))

    def _event(self, payload: bytes, request_id: str, *, retry_count: int = 0, patience: float | None) -> Reply:
        headers = {
            "host": self.url.removeprefix("http://"),
            "content-type": "application/octet-stream",
            "content-length": str(len(payload)),
        }
        request = Request("POST", "/invoke", headers, payload)
        return self._call(request, "/invoke", request_id, retry_count=retry_count, patience=patience)

    # InvokeFunction.

    def _api(self, request: Request) -> Reply:
        fault, seconds = self._next_fault()
        match fault:
            case "refuse_429":
                return fc_api.error(429, "ResourceExhausted", _new_id())
            case "http500":
                return fc_api.error(500, "InternalServerError", _new_id())
            case "drop_before":
                raise Drop
            case "hang":
                self._ending.wait(seconds)
                raise Drop
            case "slow":
                self._ending.wait(seconds)
        reply = self._invoke_function(request)
        if fault == "drop_after":
            raise Drop
        return reply

    def _next_fault(self) -> tuple[Fault | None, float | None]:
        with self._lock:
            return self._faults.popleft() if self._faults else (None, None)

    def _invoke_function(self, request: Request) -> Reply:
        request_id = _new_id()
        try:
            self._check_signature(request)
            fc_api.check_target(request, self.function)
            if not fc_api.is_asynchronous(request):
                return self._invoke_sync(request.body, request_id)
            task_id, delay = fc_api.task_id(request, otherwise=request_id), fc_api.delay(request)
            return self._enqueue(request.body, task_id, request_id, delay)
        except RefusalError as refusal:
            return fc_api.error(refusal.status, refusal.code, request_id)

    def _check_signature(self, request: Request) -> None:
        method, target, headers, body = request.method, request.target, request.headers, request.body
        now = datetime.now(UTC)
        with self._lock:
            code = acs3.problem(method, target, headers, body, self._secrets, self._tokens, now, self._nonces)
        if code:
            raise RefusalError(403, code)

    def _enqueue(self, payload: bytes, task_id: str, request_id: str, delay: int) -> Reply:
        if not self._queue.add(task_id, payload, request_id, delay * self._delay_scale):
            raise RefusalError(409, "StatefulAsyncInvocationAlreadyExists")
        return Reply(202, b"", {"x-fc-request-id": request_id})

    def _invoke_sync(self, payload: bytes, request_id: str) -> Reply:
        try:
            reply = self._event(payload, request_id, patience=self.function.timeout)
        except FunctionError as failure:
            return _failure(failure, request_id)
        answer = returned(reply, request_id)
        if _succeeded(reply):
            return answer
        # A function's own failure is not the API's: the caller reads a 200 with this header.
        headers = {**answer.headers, "x-fc-error-type": "UnhandledInvocationError"}
        return replace(answer, status=200, headers=headers)

    def _deliver(self, task: Task) -> str | None:
        try:
            reply = self._event(task.payload, task.request_id, retry_count=task.retries, patience=None)
        except FunctionError as failure:
            return str(failure)
        return None if _succeeded(reply) else "UnhandledInvocationError"


def _succeeded(reply: Reply) -> bool:
    """Only the header `x-fc-status` tells of a failure; a bare 500 counts as done."""
    return reply.headers.get("x-fc-status", "200").startswith("2")


def _new_id() -> str:
    return f"1-{uuid.uuid4()}"


def _failure(failure: FunctionError, request_id: str) -> Reply:
    code = str(failure)
    return fc_api.error(429 if code == "ResourceExhausted" else 502, code, request_id)
