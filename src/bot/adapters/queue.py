"""Where jobs wait: Function Compute's asynchronous invocation, or a thread pool where there is none.

Both refuse a task id that they have seen (which is fine: the job is there) and both can hold a job back. The
request to Function Compute is signed by hand because importing the official client takes longer than Slack waits;
a test proves that the signature is the client's. API: InvokeFunction, version 2023-03-30 (ROA),
ACS3-HMAC-SHA256.
"""

from __future__ import annotations

import hashlib
import heapq
import hmac
import http.client
import logging
import math
import os
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import quote, urlsplit

from bot.adapters import timed_http
from bot.adapters.timed_http import Connection, Unanswered
from bot.settings import Credentials, Settings

log = logging.getLogger("bot.queue")

API_VERSION = "2023-03-30"
TIME_LIMIT = 1.5  # seconds for a hand-off, retry included: Slack waits 3 s in all
MOST_DELAY = 3_600  # seconds; Function Compute's own limit
MOST_IDLE = 30.0  # seconds; what lies between may forget a connection without telling us
MOST_KEPT = 16
_GATEWAYS = frozenset({502, 504})  # they passed the request on and got no answer themselves


class QueueRefused(Exception):
    """The job was not taken; the text says why in a few words, for the log."""


class MaybeQueued(QueueRefused):
    """The job went out and no answer came: nobody knows whether it was taken."""


class Queue(Protocol):
    def put(self, task_id: str, body: bytes, credentials: Credentials, delay: float = 0) -> None:
        """Takes a job to be delivered once at least, `delay` seconds from now; a known task id is left as it is.

        Raises QueueRefused; MaybeQueued where the job may come all the same.
        """
        ...


class FunctionComputeQueue:
    """InvokeFunction of this very function, asynchronously. Connections are kept between hand-offs."""

    def __init__(self, settings: Settings) -> None:
        target = urlsplit(settings.fc_endpoint.replace("{region}", settings.function_region))
        self._host = target.netloc
        self._path = f"/{API_VERSION}/functions/{quote(settings.function_name, safe='~')}/invocations"
        self._query = {"qualifier": settings.qualifier}
        # Reading the authorities is a large part of a first hand-off, so it is done before the clock starts.
        self._context = timed_http.trusted() if target.scheme == "https" else None
        self._idle: list[tuple[Connection, float]] = []  # with the time of their last use

    def put(self, task_id: str, body: bytes, credentials: Credentials, delay: float = 0) -> None:
        deadline = time.monotonic() + TIME_LIMIT
        wait = min(MOST_DELAY, math.ceil(delay))  # not before its time
        headers = {
            "host": self._host,
            "content-type": "application/octet-stream",
            "x-acs-action": "InvokeFunction",
            "x-acs-version": API_VERSION,
            "x-fc-invocation-type": "Async",
            "x-fc-async-task-id": task_id,
            **({"x-fc-async-delay": str(wait)} if wait > 0 else {}),
        }
        maybe, why = False, ""
        # A connection that breaks is tried once more, newly, in the time that is left: the task id makes it harmless.
        for connect in (self._connection, self._new_connection):
            try:
                status, reason = self._exchange(connect(deadline), headers, body, credentials, deadline)
            except (OSError, http.client.HTTPException) as error:
                maybe, why = maybe or isinstance(error, Unanswered), _failure(error)
                continue
            if 200 <= status < 300:
                return
            if status == 409:
                log.info("already queued: %s", task_id)
                return
            maybe, why = maybe or status in _GATEWAYS, f"InvokeFunction answered {status} {reason}".rstrip()
            break
        raise MaybeQueued(why) if maybe else QueueRefused(why)

    def _exchange(
        self, line: Connection, headers: Mapping[str, str], body: bytes, credentials: Credentials, deadline: float
    ) -> tuple[int, str]:
        signed = signed_headers("POST", self._path, self._query, headers, body, credentials)
        try:
            answer, _body = timed_http.post(
                line, f"{self._path}?{canonical_query(self._query)}", signed, body, deadline
            )
        except BaseException:
            line.close()
            raise
        self._keep(line)
        return answer.status, answer.headers.get("x-fc-error-type") or answer.reason

    def _connection(self, deadline: float) -> Connection:
        """A kept one that is good still, else a new one."""
        while True:
            try:
                line, used = self._idle.pop()
            except IndexError:  # not asked before: another thread may take the last one in between
                return self._new_connection(deadline)
            if time.monotonic() - used < MOST_IDLE and _still_open(line):
                return line
            line.close()

    def _new_connection(self, deadline: float) -> Connection:
        return timed_http.connection(self._host, self._context, deadline)

    def _keep(self, line: Connection) -> None:
        if line.sock is None or len(self._idle) >= MOST_KEPT:
            line.close()
        else:
            self._idle.append((line, time.monotonic()))

    def close(self) -> None:
        while self._idle:
            self._idle.pop()[0].close()


def _failure(error: Exception) -> str:
    reason = error.__cause__ if isinstance(error, Unanswered) else error
    return "no answer in time" if isinstance(reason, TimeoutError) else f"connection failed ({type(reason).__name__})"


def _still_open(line: Connection) -> bool:
    """A kept connection that has something to read was closed by the other side, often while we were frozen."""
    line.sock.settimeout(0)
    try:
        line.sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    return False


def canonical_query(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(key, safe='~')}={quote(query[key], safe='~')}" for key in sorted(query))


def signed_headers(
    method: str,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: bytes,
    credentials: Credentials,
) -> dict[str, str]:
    """The headers with date, nonce and signature; each call makes a new nonce, as each request needs one."""
    complete = {
        **headers,
        "x-acs-date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "x-acs-signature-nonce": os.urandom(16).hex(),
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
    }
    if credentials.security_token:
        complete["x-acs-accesskey-id"] = credentials.access_key_id
        complete["x-acs-security-token"] = credentials.security_token
    complete["authorization"] = authorization(method, path, query, complete, credentials)
    return complete


def authorization(
    method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], credentials: Credentials
) -> str:
    """ACS3-HMAC-SHA256 over all given headers (lower-case names), as the official client does it."""
    names = sorted(headers)
    request = "\n".join(
        [
            method,
            path,
            canonical_query(query),
            "".join(f"{name}:{headers[name].strip()}\n" for name in names),
            ";".join(names),
            headers["x-acs-content-sha256"],
        ]
    )
    to_sign = f"ACS3-HMAC-SHA256\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(credentials.access_key_secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return (
        f"ACS3-HMAC-SHA256 Credential={credentials.access_key_id},SignedHeaders={';'.join(names)},Signature={signature}"
    )


class LocalQueue:
    """Off Function Compute: a thread pool with the same task ids, delays and retries after a failure.

    `work` says whether a job is done; one that raises is not. What the queue holds is lost with the process;
    Function Compute's is not.
    """

    ATTEMPTS = 3
    REMEMBERED = 10_000

    def __init__(self, work: Callable[[bytes], bool], workers: int = 4, retry_after: float = 1.0) -> None:
        self._work, self._workers, self._retry_after = work, workers, retry_after
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._waiting: list[tuple[float, int, bytes, int]] = []  # a heap of: due, order, body, attempt
        self._order = 0
        self._condition = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._closed = False

    def put(self, task_id: str, body: bytes, credentials: Credentials, delay: float = 0) -> None:
        with self._condition:
            if self._closed:
                raise QueueRefused("shutting down")
            if task_id in self._seen:
                log.info("already queued: %s", task_id)
                return
            self._seen[task_id] = None
            if len(self._seen) > self.REMEMBERED:
                self._seen.popitem(last=False)
            self._push(time.monotonic() + delay, body, 1)

    def _push(self, due: float, body: bytes, attempt: int) -> None:
        self._order += 1
        heapq.heappush(self._waiting, (due, self._order, body, attempt))
        if len(self._threads) < self._workers:
            thread = threading.Thread(target=self._run, name="worker", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._condition.notify()

    def _run(self) -> None:
        while (taken := self._take()) is not None:
            body, attempt = taken
            if self._done(body):
                continue
            with self._condition:
                if attempt == self.ATTEMPTS:
                    log.error("given up after %d attempts", attempt)
                elif not self._closed:
                    self._push(time.monotonic() + self._retry_after, body, attempt + 1)

    def _done(self, body: bytes) -> bool:
        try:
            return self._work(body)
        except Exception as error:  # as behind Function Compute's queue: not even a crash ends the queue
            log.error("crash: %s", type(error).__name__)
            return False

    def _take(self) -> tuple[bytes, int] | None:
        with self._condition:
            while not self._closed:
                now = time.monotonic()
                if self._waiting and self._waiting[0][0] <= now:
                    _, _, body, attempt = heapq.heappop(self._waiting)
                    return body, attempt
                self._condition.wait(self._waiting[0][0] - now if self._waiting else None)
            return None

    def close(self) -> None:
        """Jobs at work are finished, waiting ones are dropped."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        for thread in self._threads:
            thread.join()
