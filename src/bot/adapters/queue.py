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
import os
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import quote, urlsplit

from bot.settings import Credentials, Settings

log = logging.getLogger("bot.queue")

API_VERSION = "2023-03-30"
TIME_LIMIT = 1.5  # seconds for a hand-off, retry included: Slack waits 3 s in all
MOST_DELAY = 3_600


class QueueRefused(Exception):
    """The job was not taken; the text says why in a few words, for the log."""


class Queue(Protocol):
    def put(self, task_id: str, body: bytes, credentials: Credentials, delay: float = 0) -> None:
        """Takes a job to be delivered once at least, `delay` seconds from now; a known task id is left as it is.

        Raises QueueRefused.
        """
        ...


class FunctionComputeQueue:
    """InvokeFunction of this very function, asynchronously. Connections are kept between hand-offs."""

    def __init__(self, settings: Settings) -> None:
        target = urlsplit(settings.fc_endpoint.replace("{region}", settings.function_region))
        self._host, self._tls = target.netloc, target.scheme == "https"
        self._path = f"/{API_VERSION}/functions/{quote(settings.function_name, safe='~')}/invocations"
        self._query = {"qualifier": settings.qualifier}
        # Reading the CA bundle is half the cost of a first hand-off, so it is done before the clock starts.
        self._context = ssl.create_default_context() if self._tls else None
        self._idle: list[http.client.HTTPConnection] = []

    def put(self, task_id: str, body: bytes, credentials: Credentials, delay: float = 0) -> None:
        deadline = time.monotonic() + TIME_LIMIT
        headers = {
            "host": self._host,
            "content-type": "application/octet-stream",
            "x-acs-action": "InvokeFunction",
            "x-acs-version": API_VERSION,
            "x-fc-invocation-type": "Async",
            "x-fc-async-task-id": task_id,
            **({"x-fc-async-delay": str(min(MOST_DELAY, round(delay)))} if round(delay) > 0 else {}),
        }
        status, reason = self._send(headers, body, credentials, deadline)
        if status == 409:
            log.info("already queued: %s", task_id)
        elif not 200 <= status < 300:
            raise QueueRefused(f"InvokeFunction answered {status} {reason}".rstrip())

    def _send(
        self, headers: Mapping[str, str], body: bytes, credentials: Credentials, deadline: float
    ) -> tuple[int, str]:
        """Status and error code. A broken connection is tried once more: the task id makes that harmless."""
        target = f"{self._path}?{canonical_query(self._query)}"
        for last in (False, True):
            signed = signed_headers("POST", self._path, self._query, headers, body, credentials)
            connection = self._connection(deadline, fresh=last)
            try:
                connection.request("POST", target, body, signed)
                _limit(connection, deadline)
                response = connection.getresponse()
                response.read()
            except TimeoutError as error:
                connection.close()
                raise QueueRefused("no answer in time") from error
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if last or time.monotonic() >= deadline:
                    raise QueueRefused(f"connection failed ({type(error).__name__})") from error
            else:
                self._keep(connection, response)
                return response.status, response.headers.get("x-fc-error-type") or response.reason
        raise AssertionError("unreachable")

    def _connection(self, deadline: float, *, fresh: bool) -> http.client.HTTPConnection:
        while self._idle and not fresh:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread took it
                break
            if _still_open(connection):
                _limit(connection, deadline)
                return connection
            connection.close()
        left = max(0.05, deadline - time.monotonic())
        if self._context is None:
            return http.client.HTTPConnection(self._host, timeout=left)
        return http.client.HTTPSConnection(self._host, timeout=left, context=self._context)

    def _keep(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        if response.will_close or len(self._idle) >= 16:
            connection.close()
        else:
            self._idle.append(connection)


def _limit(connection: http.client.HTTPConnection, deadline: float) -> None:
    if connection.sock is not None:
        connection.sock.settimeout(max(0.05, deadline - time.monotonic()))


def _still_open(connection: http.client.HTTPConnection) -> bool:
    """A kept connection that has something to read was closed by the other side, often while we were frozen."""
    if connection.sock is None:
        return False
    connection.sock.settimeout(0)
    try:
        connection.sock.recv(1)
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

    `work` says whether a job is done. What the queue holds is lost with the process; Function Compute's is not.
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
            if self._work(body) or attempt == self.ATTEMPTS:
                continue
            with self._condition:
                self._push(time.monotonic() + self._retry_after, body, attempt + 1)

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
