"""Both shapes of event that the built-in runtimes hand over, with the real door."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import urlencode

import pytest

import index
from bot.adapters import queue
from bot.core.events import Event, Tick
from bot.jobs import COMMAND, Job, seal, unseal
from bot.settings import Credentials
from sandbox.slack_requests import sign

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
FORM = "application/x-www-form-urlencoded"
OLD = SimpleNamespace(  # of Python 3.10
    request_id="1-old",
    credentials=SimpleNamespace(access_key_id="STS.Context", access_key_secret="context", security_token="token"),
)
NEW = SimpleNamespace(request_id="1-new")  # of Python 3.12
CONTEXTS = pytest.mark.parametrize(("context", "key"), [(OLD, "STS.Context"), (NEW, "STS.Env")])


class Worker:
    """Stands for the real one: says `result`, and keeps with what it was called."""

    result = True
    calls: ClassVar[list[tuple[Job, Credentials, str]]] = []
    heard: ClassVar[list[tuple[list[Event], str]]] = []

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Takes what the real one takes."""

    def work(self, job: Job, credentials: Credentials, request_id: str) -> bool:
        self.calls.append((job, credentials, request_id))
        return self.result

    def hear(self, events: Sequence[Event], request_id: str) -> bool:
        self.heard.append((list(events), request_id))
        return self.result

    def close(self) -> None:
        """Has nothing open."""


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> type[Worker]:
    monkeypatch.setattr("bot.worker.Worker", Worker)
    monkeypatch.setattr(Worker, "calls", [])
    monkeypatch.setattr(Worker, "heard", [])
    monkeypatch.setattr(Worker, "result", True)
    return Worker


@pytest.fixture(autouse=True)
def puts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[Job, Credentials]]]:
    """The function's environment, a fresh process's application, and the jobs it queued."""
    queued: list[tuple[Job, Credentials]] = []

    def put(self: Any, task_id: str, body: bytes, credentials: Credentials, delay: float = 0) -> None:
        queued.append((unseal(body, SECRET), credentials))

    monkeypatch.setattr(queue.FunctionComputeQueue, "put", put)
    environment = {
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_BOT_TOKEN": "xoxb-1",
        "FC_FUNCTION_NAME": "bot",
        "FC_ENDPOINT": "http://127.0.0.1:1",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "STS.Env",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "env",
        "ALIBABA_CLOUD_SECURITY_TOKEN": "env-token",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    index._application.cache_clear()
    yield queued
    index._application.cache_clear()


def command(text: str = "t-hz0jdfwd9f") -> bytes:
    fields = {"command": "/cloudassist", "text": text, "trigger_id": "1.2.a", "user_id": "U1", "channel_id": "C1"}
    return urlencode(fields).encode()


def http_event(
    body: bytes,
    headers: dict[str, Any] | None = None,
    path: str = "/slack/events",
    method: str = "POST",
    encoded: bool = False,
    **other: Any,
) -> bytes:
    """As the vendor's page on HTTP triggers shows it."""
    signed = {"Content-Type": FORM, **sign(SECRET, int(time.time()), body)}
    event = {
        "version": "v1",
        "rawPath": path,
        "body": base64.b64encode(body).decode() if encoded else body.decode(),
        "isBase64Encoded": encoded,
        "headers": signed if headers is None else headers,
        "queryParameters": {},
        "requestContext": {
            "accountId": "1234567890123456",
            "domainName": "bot-xyz.cn-hangzhou.fcapp.run",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "x"},
            "requestId": "1-trigger",
            "time": "2026-11-24T03:00:00Z",
            "timeEpoch": "1764000000000",
        },
    }
    return json.dumps({**event, **other}).encode()


@CONTEXTS
@pytest.mark.parametrize("encoded", [False, True])
def test_a_slash_command_is_queued_and_acked(puts: Any, context: Any, key: str, encoded: bool) -> None:
    answer = index.handler(http_event(command("t-hz0jdfwd9f name:值-1"), encoded=encoded), context)
    assert answer == {
        "statusCode": 200,
        "headers": {"content-type": "application/json; charset=utf-8"},
        "isBase64Encoded": False,
        "body": '{"response_type": "in_channel"}',
    }
    [(job, credentials)] = puts
    assert (job.id, job.payload["text"]) == ("cmd_1-2-a", "t-hz0jdfwd9f name:值-1")
    assert credentials.access_key_id == key


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_headers_may_come_in_any_case(puts: Any, case: Any) -> None:
    headers = {"content-type": FORM, "content-length": "99999", **sign(SECRET, int(time.time()), command())}
    event = http_event(command(), {case(name): value for name, value in headers.items()})
    assert index.handler(event, NEW)["statusCode"] == 200
    assert len(puts) == 1


def test_an_event_in_json_with_an_exact_body(puts: Any) -> None:
    """The signature is over the bytes: nothing may be parsed and written again on the way."""
    body = '{ "type":"url_verification",\n"challenge":"é值"}'.encode()
    headers = {"content-type": "application/json", **sign(SECRET, int(time.time()), body)}
    for encoded in (False, True):
        answer = index.handler(http_event(body, headers, encoded=encoded), NEW)
        assert json.loads(answer["body"]) == {"challenge": "é值"}


def test_an_unsigned_request_is_refused(puts: Any) -> None:
    answer = index.handler(http_event(b"payload=zzz", {}), OLD)
    assert (answer["statusCode"], json.loads(answer["body"])) == (401, {"error": "invalid request"})
    assert puts == []


@pytest.mark.parametrize("name", ["x-fc-control-path", "X-Fc-Control-Path", "x_fc_control_path"])
@pytest.mark.parametrize("path", ["/invoke", "/initialize", "/pre-stop", "/%69nvoke"])
def test_a_caller_cannot_pass_for_function_compute(path: str, name: str, worker: type[Worker]) -> None:
    job = seal(Job(COMMAND, "cmd_1", 0, {}), SECRET)
    headers = {name: path, "x-fc-access-key-id": "STS.Mine"}
    assert index.handler(http_event(job, headers, path=path), NEW)["statusCode"] == 403
    assert worker.calls == []


def test_a_callers_keys_are_dropped(puts: Any) -> None:
    theirs = {"X-Fc-Access-Key-Id": "STS.Mine", "X-Fc-Access-Key-Secret": "mine"}
    headers = {"Content-Type": FORM, **sign(SECRET, int(time.time()), command()), **theirs}
    index.handler(http_event(command(), headers), NEW)
    assert puts[0][1].access_key_id == "STS.Env"


def test_missing_parts_of_an_http_event_are_as_good_as_empty() -> None:
    bare = {"version": "v1", "requestContext": {"http": {}}}
    assert index.handler(json.dumps(bare).encode(), None)["statusCode"] == 404
    empty = {**json.loads(http_event(b"", method="GET")), "rawPath": "", "body": None, "headers": None}
    assert index.handler(json.dumps(empty).encode(), NEW)["statusCode"] == 405
    assert index.handler(http_event(b"", {}, queryParameters={"a": "1,2", "é": "ü"}), NEW)["statusCode"] == 401


@CONTEXTS
def test_a_job_is_worked_on_with_the_keys_of_the_context(worker: type[Worker], context: Any, key: str) -> None:
    job = Job(COMMAND, "cmd_1", 0, {"text": "值"})
    assert index.handler(seal(job, SECRET), context) == "Done."
    [(worked, credentials, request_id)] = worker.calls
    assert (worked, credentials.access_key_id, request_id) == (job, key, context.request_id)


def test_a_failed_job_is_raised_so_that_it_is_delivered_again(worker: type[Worker]) -> None:
    worker.result = False
    with pytest.raises(index.JobFailed, match="404"):
        index.handler(seal(Job(COMMAND, "cmd_1", 0, {}), SECRET), NEW)


@pytest.mark.parametrize(
    "event",
    [
        b"",
        b"zzz",
        b"\xff\xfe",
        b"[" * 100_000,
        b"[]",
        b'"v1"',
        b'{"version": "v1"}',
        b'{"version": "v1", "requestContext": {"requestId": "1"}}',
        b'{"version": "v2", "requestContext": {"http": {"method": "POST"}}}',
        b'{"specversion": "1.0", "source": "acs.ecs", "data": {}}',
    ],
)
def test_anything_else_is_an_invocation_that_is_no_job(worker: type[Worker], event: bytes) -> None:
    assert index.handler(event, NEW) == "Nothing to do."
    assert worker.calls == []


TIMER = b'{"triggerTime": "2026-11-24T03:00:00Z", "triggerName": "poll", "payload": ""}'


def test_a_timer_or_cloud_event_is_heard(worker: type[Worker]) -> None:
    assert index.handler(TIMER, NEW) == "Done."
    assert worker.heard == [([Tick("poll", datetime(2026, 11, 24, 3, tzinfo=UTC), "")], NEW.request_id)]
    worker.result = False
    with pytest.raises(index.JobFailed):
        index.handler(TIMER, NEW)


def test_a_forged_job_is_refused_for_good(worker: type[Worker]) -> None:
    """Raising would only have it delivered again."""
    assert index.handler(seal(Job(COMMAND, "cmd_1", 0, {}), "another"), NEW) == "Refused."
    assert worker.calls == []


def test_the_application_is_made_once_for_a_process() -> None:
    index.handler(b"zzz", NEW)
    first = index._application()
    index.handler(http_event(b"", {}), NEW)
    assert index._application() is first
