"""The start: in this process piece by piece, and as Function Compute starts it, in a fresh one."""

from __future__ import annotations

import http.client
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

import pytest

from bot import __main__ as main
from bot.adapters.queue import FunctionComputeQueue, LocalQueue
from bot.jobs import COMMAND, Job, seal
from bot.settings import Settings
from sandbox.fc import REQUEST_CREDENTIALS, FunctionCompute
from sandbox.slack_requests import send, sign

SOURCE = Path(main.__file__).parents[1]
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
REQUIRED = {"SLACK_SIGNING_SECRET": SECRET, "SLACK_BOT_TOKEN": "xoxb-1"}
ON_FC = {"FC_FUNCTION_NAME": "bot", "FC_ENDPOINT": "http://127.0.0.1:1"}

# The program, with one more path that tells what was imported.
REPORTING = """
import json, sys
from bot import __main__ as main

serve = main.serve

def serve_and_report(application, settings):
    def reporting(environ, start_response):
        if environ["PATH_INFO"] != "/modules":
            return application(environ, start_response)
        body = json.dumps(sorted(sys.modules)).encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]
    serve(reporting, settings)

main.serve = serve_and_report
main.main()
"""
# Whole packages that must not be imported before the first ack.
HEAVY = {
    "flask", "werkzeug", "jinja2", "slack_bolt", "slack_sdk", "Tea", "darabonba", "requests", "urllib3", "aiohttp",
    "cryptography", "sqlite3", "asyncio", "zoneinfo", "difflib", "tempfile", "concurrent", "tablestore", "dataclasses",
}  # fmt: skip


class Worker:
    """Stands for the real one, whose import takes half a second."""

    made: ClassVar[list[Worker]] = []

    def __init__(self, settings: Settings, queue: Any, token: Any) -> None:
        self.jobs: list[tuple[Job, str]] = []
        self.closed = False
        Worker.made.append(self)

    def work(self, job: Job, credentials: Any, request_id: str) -> bool:
        self.jobs.append((job, request_id))
        return True

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def workers(monkeypatch: pytest.MonkeyPatch) -> list[Worker]:
    made: list[Worker] = []
    monkeypatch.setattr(Worker, "made", made)
    monkeypatch.setattr("bot.worker.Worker", Worker)
    return made


def bot(**environment: str) -> main.Bot:
    return main.Bot(Settings.from_environment({**REQUIRED, **environment}))


def test_a_function_name_decides_which_queue_it_is() -> None:
    here, there = bot(), bot(**ON_FC)
    assert isinstance(here._queue, LocalQueue)
    assert isinstance(there._queue, FunctionComputeQueue)
    here.close()
    there.close()


def test_a_local_job_reaches_the_worker_which_is_made_once(workers: list[Worker]) -> None:
    one = bot()
    for number in range(2):
        job = Job(COMMAND, f"cmd_{number}", 0, {})
        one._queue.put(job.task_id, seal(job, SECRET), one._settings.credentials)
    deadline = time.monotonic() + 5
    while not (workers and len(workers[0].jobs) == 2) and time.monotonic() < deadline:
        time.sleep(0.001)
    one.close()
    [worker] = workers
    assert sorted((job.id, request_id) for job, request_id in worker.jobs) == [
        ("cmd_0", "local-cmd_0"),
        ("cmd_1", "local-cmd_1"),
    ]
    assert worker.closed


def test_an_invocation_reaches_the_worker(workers: list[Worker]) -> None:
    one = bot(**ON_FC)
    body = seal(Job(COMMAND, "cmd_1", 0, {}), SECRET)
    client = one._web().test_client()  # type: ignore[attr-defined]
    assert client.post("/invoke", data=body, headers={"x-fc-request-id": "1-abc"}).status_code == 200
    assert [request_id for _, request_id in workers[0].jobs] == ["1-abc"]
    one.close()


def test_the_server_is_what_function_compute_asks_for(monkeypatch: pytest.MonkeyPatch, workers: list[Worker]) -> None:
    """All addresses, its port, a thread for each request of an instance, and connections that are kept."""
    given: dict[str, Any] = {}
    runs: list[int] = []

    def create_server(application: Any, **options: Any) -> Any:
        given.update(options)
        return SimpleNamespace(run=lambda: runs.append(1))

    monkeypatch.setattr("waitress.create_server", create_server)
    for name, value in {**REQUIRED, **ON_FC, "FC_SERVER_PORT": "9123"}.items():
        monkeypatch.setenv(name, value)
    main.main()
    assert runs == [1]
    assert given["host"] == "0.0.0.0"  # noqa: S104
    assert (given["port"], given["max_request_body_size"]) == (9123, 1_000_000)
    assert given["threads"] > main.INSTANCE_CONCURRENCY
    assert given["channel_timeout"] >= 900
    assert workers == []


def test_it_does_not_start_without_its_settings_and_names_them_all() -> None:
    environment = {"PATH": os.environ["PATH"], "BOT_TIMEZONE": "Mars/Phobos", "SLACK_BOT_TOKEN": "xoxb-hush"}
    ended = subprocess.run(
        [sys.executable, "-m", "bot"],
        cwd=SOURCE,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("The bot cannot start:\n- SLACK_SIGNING_SECRET is missing")
    assert "- BOT_TIMEZONE is 'Mars/Phobos'" in ended.stderr
    assert "hush" not in ended.stderr


def test_what_is_wrong_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in REQUIRED:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit, match=r"cannot start:\n- SLACK_SIGNING_SECRET .*\n- SLACK_BOT_TOKEN "):
        main.main()


def test_it_serves_no_address_where_slack_comes_by_socket_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1-hush")
    monkeypatch.delenv("FC_FUNCTION_NAME", raising=False)
    with pytest.raises(SystemExit, match="`make run` connects by Socket Mode") as ended:
        main.main()
    assert "hush" not in str(ended.value)


def test_on_function_compute_it_refuses_socket_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**REQUIRED, "SLACK_APP_TOKEN": "xapp-1", "FC_FUNCTION_NAME": "cloudassist"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match="cannot start:\n- SLACK_APP_TOKEN is for Socket Mode on a laptop"):
        main.main()


@pytest.fixture
def function() -> Iterator[FunctionCompute]:
    environment = {**REQUIRED, "SLACK_API_URL": "http://127.0.0.1:1/api/"}
    command = [sys.executable, "-c", REPORTING]
    with FunctionCompute(command, directory=SOURCE, environment=environment) as function:
        function.hold()
        yield function


def type_command(function: FunctionCompute, text: str) -> dict[str, Any]:
    fields = {"command": "/cloudassist", "text": text, "trigger_id": "1.2.a", "user_id": "U1", "channel_id": "C1"}
    body = urlencode(fields).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", **sign(SECRET, int(time.time()), body)}
    response = send(f"{function.url}/slack/events", body, headers, seconds=30)
    assert response.status == 200
    return dict(json.loads(response.body))


def test_the_first_ack_comes_before_anything_heavy_is_imported(function: FunctionCompute) -> None:
    assert type_command(function, "t-hz0jdfwd9f failed") == {"response_type": "in_channel"}
    [task] = function.tasks
    assert task.id == "cmd_1-2-a"
    assert json.loads(task.payload)["payload"]["text"] == "t-hz0jdfwd9f failed"

    connection = http.client.HTTPConnection(urlsplit(function.url).netloc, timeout=30)
    connection.request("GET", "/modules")
    modules = set(json.loads(connection.getresponse().read()))
    connection.close()
    assert "bot.door" in modules
    assert {name.partition(".")[0] for name in modules} & HEAVY == set()
    assert [name for name in modules if name.startswith("alibabacloud")] == []
    assert "listening on 0.0.0.0:" in function.logs()


def test_secrets_are_in_no_log(function: FunctionCompute) -> None:
    type_command(function, "t-hz0jdfwd9f")
    send(f"{function.url}/slack/events", b"payload=zzz", {}, seconds=30)
    logs = function.logs()
    assert "refused: no timestamp" in logs
    assert not any(secret in logs for secret in (SECRET, "xoxb-1", REQUEST_CREDENTIALS.secret, "zzz"))


@pytest.mark.parametrize(
    "name", ["a\nheard: 1 Tick", "a\r\nb", "\x1b]0;title\x07\x1b[2J", "a\u2028b", "\u202eb", "\ud800"]
)
def test_what_others_named_stays_in_its_line_of_the_log_and_steers_no_terminal(name: str) -> None:
    record = logging.LogRecord("bot", logging.INFO, "", 0, "no such run: %s", (name,), None)
    said = main.OneLine("%(message)s").format(record)
    assert said.startswith("no such run: ")
    assert said.isprintable()
    assert len(said.splitlines()) == 1


def test_a_log_in_chinese_stays_as_it_is() -> None:
    record = logging.LogRecord("bot", logging.INFO, "", 0, "消息: %s", ("部署 ✖",), None)
    assert main.OneLine("%(message)s").format(record) == "消息: 部署 ✖"
