"""Function Compute in the sandbox, with a stand-in for the function (echo_function.py)."""

import base64
import json
import sys
import threading
import time
from contextlib import closing
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path

import pytest
from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException, ServerException
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.core import DaraCore
from darabonba.exceptions import UnretryableException
from darabonba.runtime import RuntimeOptions

from sandbox.fc import ENVIRONMENT_CREDENTIALS, REQUEST_CREDENTIALS, FunctionCompute
from sandbox.fc_process import Copies, FunctionError, Launch, Process
from sandbox.fc_wire import exchange
from sandbox.http import Request

ECHO = Path(__file__).with_name("echo_function.py")
PATIENCE = 20  # seconds after which a condition that did not come true is called a failure


COMMAND = (sys.executable, "-S", "-E", str(ECHO))


@pytest.fixture
def function(tmp_path):
    """Starts Function Compute with the stand-in; what was started is stopped at the end."""
    started = []

    def start(environment=None, **options):
        own = {"EVENTS": str(tmp_path / "events"), **(environment or {})}
        started.append(FunctionCompute(COMMAND, directory=tmp_path, environment=own, **options).start())
        return started[-1]

    yield start
    for peer in started:
        peer.stop()
    for session in DaraCore._sessions.values():
        session.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One for all tests that leave it as it was."""
    with FunctionCompute(COMMAND, directory=tmp_path_factory.mktemp("function")) as peer:
        yield peer


@pytest.fixture
def events(tmp_path):
    """What reached the function's /invoke so far, one dictionary for each delivery."""

    def read():
        file = tmp_path / "events"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    return read


@pytest.fixture
def file(tmp_path):
    return tmp_path / "a-file"


def ask(fc, path, method="GET", body=None, headers=None):
    """One request from the world: status, headers (lower case), body."""
    with closing(HTTPConnection(fc.url.removeprefix("http://"), timeout=PATIENCE)) as connection:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return response.status, names, response.read()


def told(fc, path="/", **request):
    """What the function says that it received; its headers as a dictionary."""
    answer = json.loads(ask(fc, path, **request)[2])
    return {**answer, "headers": dict(answer["headers"]), "body": base64.b64decode(answer["body"])}


def call_api(fc, payload, *, key=REQUEST_CREDENTIALS, name="cloudassist", query=None, **headers):
    """InvokeFunction by the official client; `_` in header names stands for `-`."""
    config = Config(
        access_key_id=key.key_id,
        access_key_secret=key.secret,
        security_token=key.token,
        endpoint=fc.url.removeprefix("http://"),
        protocol="http",
    )
    params = Params(
        action="InvokeFunction",
        version="2023-03-30",
        protocol="HTTPS",
        pathname=f"/2023-03-30/functions/{name}/invocations",
        method="POST",
        auth_type="AK",
        style="ROA",
        req_body_type="json",
        body_type="binary",
    )
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    request = OpenApiRequest(query=query, headers=headers, stream=payload)
    return Client(config).call_api(params, request, RuntimeOptions(read_timeout=PATIENCE * 1000))


def queue(fc, payload, task_id=None, **headers):
    if task_id is not None:
        headers["x_fc_async_task_id"] = task_id
    return call_api(fc, payload, x_fc_invocation_type="Async", **headers)


def refusal(call, *args, **kwargs):
    """Status and code of the error that the official client raises."""
    with pytest.raises((ClientException, ServerException)) as caught:
        call(*args, **kwargs)
    return caught.value.status_code, caught.value.code


def eventually(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "did not come true"
        time.sleep(0.002)


# The HTTP trigger


def test_a_request_reaches_the_function_exactly_as_it_was(shared):
    fc = shared
    body = bytes(range(256))
    seen = told(fc, "/a%20b/?q=%2F&q=1&e=", method="PUT", body=body, headers={"Host": "bot.example", "X-One": "1; é"})
    assert (seen["method"], seen["target"], seen["body"]) == ("PUT", "/a%20b/?q=%2F&q=1&e=", body)
    plain = {name: value for name, value in seen["headers"].items() if not name.startswith("x-fc-")}
    assert plain == {
        "host": "bot.example",
        "accept-encoding": "identity",
        "content-length": "256",
        "x-one": "1; é",
    }


def test_the_function_is_told_who_and_where_it_is(function):
    headers = told(function(region="cn-shanghai", timeout=60))["headers"]
    assert headers["x-fc-control-path"] == "/http-invoke"
    assert headers["x-fc-access-key-id"] == REQUEST_CREDENTIALS.key_id
    assert headers["x-fc-access-key-secret"] == REQUEST_CREDENTIALS.secret
    assert headers["x-fc-security-token"] == REQUEST_CREDENTIALS.token
    assert headers["x-fc-function-name"] == "cloudassist"
    assert headers["x-fc-region"] == "cn-shanghai"
    assert headers["x-fc-account-id"] == "1234567890123456"
    assert headers["x-fc-qualifier"] == "LATEST"
    assert headers["x-fc-function-timeout"] == "60"
    assert headers["x-fc-retry-count"] == "0"


def test_the_function_gets_the_environment_that_fc_sets_and_nothing_of_ours(function, monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_OF_THE_TERMINAL", "x")
    fc = function({"OWN": "1"})
    environment = json.loads(ask(fc, "/environment")[2])
    assert environment["FC_FUNCTION_NAME"] == "cloudassist"
    assert environment["FC_QUALIFIER"] == "LATEST"
    assert environment["FC_ENDPOINT"] == fc.url
    assert environment["FC_FUNC_CODE_PATH"] == str(tmp_path)
    assert environment["FC_SERVER_PORT"] == environment["FC_CUSTOM_LISTEN_PORT"]
    assert environment["FC_INSTANCE_ID"].startswith("c-")
    assert environment["ALIBABA_CLOUD_ACCESS_KEY_ID"] == ENVIRONMENT_CREDENTIALS.key_id
    assert environment["ALIBABA_CLOUD_SECURITY_TOKEN"] == ENVIRONMENT_CREDENTIALS.token
    assert environment["OWN"] == "1"
    assert "SECRET_OF_THE_TERMINAL" not in environment


def test_a_callers_own_fc_headers_are_dropped(shared):
    spoofed = {"x-fc-control-path": "/invoke", "X-Fc-Made-Up": "1"}
    seen = told(shared, "/invoke", method="POST", headers=spoofed)["headers"]
    assert seen["x-fc-control-path"] == "/http-invoke"
    assert "x-fc-made-up" not in seen


def test_with_spoofing_a_callers_fc_headers_win(function):
    headers = {"x-fc-region": "mars", "X-Fc-Made-Up": "1"}
    seen = told(function(spoofing=True), headers=headers)["headers"]
    assert (seen["x-fc-region"], seen["x-fc-made-up"]) == ("mars", "1")
    assert seen["x-fc-account-id"] == "1234567890123456"


def test_an_answer_comes_back_without_the_reserved_headers(shared):
    status, headers, body = ask(shared, "/reserved")
    assert (status, body) == (201, b"kept")
    assert set(headers) == {"x-own", "x-fc-request-id", "content-length"}


def test_head_has_no_body(shared):
    assert ask(shared, "/pid", method="HEAD")[::2] == (200, b"")


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/" + "p" * 4096, {}), ("/", {"x-long": "h" * 8192}), ("/", {"x-folded": "one\r\n two"})],
)
def test_what_is_over_the_limits_does_not_reach_the_function(shared, path, headers):
    passed = len(shared.requests)
    status, _, body = ask(shared, path, headers=headers)
    assert (status, json.loads(body)["Code"]) == (400, "InvalidArgument")
    assert len(shared.requests) == passed


@pytest.mark.parametrize(
    ("path", "code"),
    [("/large_headers", "BadResponse"), ("/garbage", "BadResponse"), ("/event_die", "CAExited")],
)
def test_an_answer_that_is_none_gives_502(shared, path, code):
    status, headers, _ = ask(shared, path)
    assert (status, headers["x-fc-error-type"]) == (502, code)


def test_a_function_that_is_too_slow_has_timed_out(function, file):
    fc = function(timeout=0.2)
    ask(fc, "/pid")
    reply = fc.invoke(f"wait {file}".encode())
    assert (reply.status, reply.headers["x-fc-error-type"]) == (502, "FunctionTimedOut")


def test_a_connection_is_kept_and_one_that_the_function_closed_is_replaced(tmp_path):
    process = Process(Launch(COMMAND, tmp_path, {}, PATIENCE))
    with closing(process):
        process.wait_until_ready()
        kept = process.connection(PATIENCE)
        kept.request("GET", "/late_close")
        assert kept.getresponse().read() == b"late close"
        process.give_back(kept)

        def replaced():
            connection = process.connection(PATIENCE)
            process.give_back(connection)
            return connection is not kept

        eventually(replaced)


def test_a_function_may_close_its_connections(shared):
    assert [ask(shared, path)[0] for path in ("/pid", "/closing", "/pid")] == [200] * 3


# Processes


def test_the_first_request_starts_the_function_and_is_recorded_as_cold(function):
    fc = function()
    assert (fc.requests, fc.logs()) == ([], "")
    ask(fc, "/pid?x=1")
    ask(fc, "/reserved", method="POST")
    assert [(call.path, call.status, call.cold) for call in fc.requests] == [
        ("/pid", 200, True),
        ("/reserved", 201, False),
    ]
    assert fc.requests[0].milliseconds > fc.requests[1].milliseconds > 0
    assert fc.requests[0].control_path == "/http-invoke"
    assert fc.logs() == "echo function starts\n"


def test_two_first_requests_share_one_start(function):
    fc = function()
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(ask(fc, "/pid")[2])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 1
    assert sorted(call.cold for call in fc.requests) == [False, False, False, True]


def test_requests_are_spread_over_the_copies(function):
    fc = function(instances=2)
    first, second, third = (ask(fc, "/pid")[2] for _ in range(3))
    assert first == third != second


def test_a_request_that_finds_no_free_copy_in_time_is_refused(tmp_path):
    copies = Copies(Launch(COMMAND, tmp_path, {}, PATIENCE), count=1, concurrency=1, freeze=True)
    with (
        closing(copies),
        copies.place(None),
        pytest.raises(FunctionError, match="ResourceExhausted"),
        copies.place(0.01),
    ):
        pytest.fail("two in one place")


@pytest.mark.parametrize(("mode", "seconds", "code"), [("exit", 60, "CAExited"), ("deaf", 0.05, "FunctionNotStarted")])
def test_a_function_that_does_not_listen_has_not_started(function, mode, seconds, code):
    fc = function({"MODE": mode}, start_timeout=seconds)
    status, headers, body = ask(fc, "/")
    assert (status, headers["x-fc-error-type"]) == (502, code)
    assert json.loads(body)["Code"] == code
    assert [(call.status, call.cold) for call in fc.requests] == [(502, False)]


def test_a_start_command_that_is_none_has_exited(tmp_path):
    with FunctionCompute(["no-such-command"], directory=tmp_path) as fc:
        assert ask(fc, "/")[1]["x-fc-error-type"] == "CAExited"


def test_the_output_of_all_processes_is_kept(function):
    fc = function({"MODE": "exit"}, start_timeout=60)
    ask(fc, "/")
    ask(fc, "/")
    assert fc.logs() == "echo function starts\nno start today\n" * 2


def test_after_a_kill_the_next_request_starts_anew(function):
    fc = function()
    fc.kill()
    before = ask(fc, "/pid")[2]
    fc.kill()
    assert ask(fc, "/pid")[2] != before
    assert [call.cold for call in fc.requests] == [True, True]


def test_a_request_that_comes_too_late_for_its_process_has_no_answer(tmp_path):
    process = Process(Launch(COMMAND, tmp_path, {"EVENTS": str(tmp_path / "events")}, 60))
    process.wait_until_ready()  # whose connection is kept
    process.close()
    with pytest.raises(FunctionError, match="CAExited"):
        exchange(process, Request("GET", "/", {}, b""), PATIENCE)


def test_what_stop_interrupts_ends(function, events, file):
    fc = function(max_async_retry_attempts=0)
    fc.invoke(f"wait {file}".encode(), sync=False)
    eventually(events)
    fc.stop()
    assert [task.error for task in fc.tasks] == ["CAExited"]
    assert fc.invoke(b"ok").status == 429


# The freeze


def still(path):
    """Whether a file stays as it is for a moment in which a running thread would make it longer."""
    size = path.stat().st_size
    time.sleep(0.02)
    return path.stat().st_size == size


def test_a_background_thread_goes_on_only_during_a_request(function, file):
    fc = function({"TICKS": str(file)})
    assert ask(fc, "/ticks")[0] == 200
    eventually(lambda: still(file))
    size = file.stat().st_size
    assert ask(fc, "/ticks")[0] == 200
    assert file.stat().st_size >= size + 5
    eventually(lambda: still(file))


def test_a_copy_freezes_only_when_its_last_request_ended(function, file, events, tmp_path):
    gate = tmp_path / "gate"
    fc = function({"TICKS": str(file)})
    fc.invoke(f"wait {gate}".encode(), sync=False)
    eventually(events)
    ask(fc, "/pid")
    size = file.stat().st_size
    eventually(lambda: file.stat().st_size > size)
    gate.touch()
    fc.wait_idle(PATIENCE)
    eventually(lambda: still(file))


def test_a_call_tells_whether_a_copy_stood_still_meanwhile(function, events, tmp_path):
    gate = tmp_path / "gate"
    fc = function()
    fc.invoke(f"wait {gate}".encode(), sync=False)
    eventually(events)
    fc.freeze(0.01)
    gate.touch()
    fc.wait_idle(PATIENCE)
    ask(fc, "/pid")
    [task] = fc.tasks
    during, after = fc.requests
    assert (during.request_id, during.stood_still) == (task.request_id, True)
    assert not after.stood_still


def test_without_freeze_it_runs_on(function, file):
    fc = function({"TICKS": str(file)}, freeze=False)
    ask(fc, "/ticks")
    size = file.stat().st_size
    eventually(lambda: file.stat().st_size > size)


# InvokeFunction, synchronous, and events


def test_the_official_client_invokes_and_reads_the_answer(function, events):
    answer = call_api(function(), b"ok \xe7\xa3\x81", query={"qualifier": "LATEST"})
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["target"] == "/invoke"
    headers = {name.lower(): value for name, value in events()[0]["headers"].items()}
    assert headers["content-type"] == "application/octet-stream"
    assert headers["x-fc-control-path"] == "/invoke"
    assert headers["x-fc-request-id"] == answer["headers"]["x-fc-request-id"]
    assert headers["x-fc-access-key-id"] == REQUEST_CREDENTIALS.key_id
    assert events()[0]["payload"] == "ok 磁"


def test_a_failed_function_is_no_failed_call(function):
    reply = function().invoke(b"fail")
    assert (reply.status, reply.body) == (200, b"failed")
    assert reply.headers["x-fc-error-type"] == "UnhandledInvocationError"


def test_a_broken_function_is_a_failed_call(function):
    fc = function()
    assert refusal(call_api, fc, b"die") == (502, "CAExited")
    assert [(call.path, call.status) for call in fc.requests] == [("/invoke", 502)]


def test_an_event_may_be_delivered_at_once_or_by_the_queue(function, events):
    fc = function()
    assert fc.invoke(b"ok 1").status == 200
    assert fc.invoke(b"ok 2", sync=False).status == 202
    fc.wait_idle(PATIENCE)
    assert [event["payload"] for event in events()] == ["ok 1", "ok 2"]
    assert fc.invoke(b"x" * (128 * 1024 + 1), sync=False).status == 400


# InvokeFunction, asynchronous


def test_an_accepted_task_is_acked_and_then_delivered(function, events):
    fc = function()
    fc.hold()
    answer = queue(fc, b"ok", "T1")
    assert (answer["statusCode"], events()) == (202, [])
    assert [(task.id, task.status, task.attempts) for task in fc.tasks] == [("T1", "Enqueued", 0)]
    with pytest.raises(TimeoutError, match="T1 Enqueued"):
        fc.wait_idle(0.01)
    fc.release()
    fc.wait_idle(PATIENCE)
    (task,) = fc.tasks
    assert (task.status, task.attempts, task.error, task.payload) == ("Succeeded", 1, None, b"ok")
    assert task.enqueued <= task.started <= task.ended
    assert task.request_id == answer["headers"]["x-fc-request-id"]
    assert events()[0]["headers"]["x-fc-request-id"] == task.request_id


def test_the_same_task_id_is_refused_even_when_done(function, events):
    fc = function()
    queue(fc, b"ok", "T1")
    fc.wait_idle(PATIENCE)
    assert refusal(queue, fc, b"ok", "T1") == (409, "StatefulAsyncInvocationAlreadyExists")
    assert len(events()) == 1


def test_tasks_without_an_id_are_all_taken(function):
    fc = function()
    queue(fc, b"ok")
    queue(fc, b"ok")
    fc.wait_idle(PATIENCE)
    assert len(fc.tasks) == 2


def test_a_delayed_task_waits_while_others_pass_it(function, events):
    fc = function()
    queue(fc, b"ok late", "late", x_fc_async_delay="3600")
    queue(fc, b"ok now", "now")
    eventually(lambda: fc.tasks[1].status == "Succeeded")
    assert [(task.delay, task.status) for task in fc.tasks] == [(3600, "Enqueued"), (0, "Succeeded")]
    assert [event["payload"] for event in events()] == ["ok now"]


def test_a_delayed_task_comes_after_its_delay(function):
    fc = function(delay_scale=0.001)
    queue(fc, b"ok", "T1", x_fc_async_delay="100")
    fc.wait_idle(PATIENCE)
    (task,) = fc.tasks
    assert (task.delay, task.status) == (0.1, "Succeeded")
    assert task.started - task.enqueued >= 0.099


@pytest.mark.parametrize(
    ("headers", "payload", "code"),
    [
        ({"x_fc_async_task_id": "1-starts-with-a-digit"}, b"", "InvalidArgument"),
        ({"x_fc_async_task_id": "T" * 129}, b"", "InvalidArgument"),
        ({"x_fc_async_task_id": "with.dot"}, b"", "InvalidArgument"),
        ({"x_fc_async_delay": "3601"}, b"", "InvalidArgument"),
        ({"x_fc_async_delay": "1.5"}, b"", "InvalidArgument"),
        ({"x_fc_invocation_type": "Later"}, b"", "InvalidArgument"),
        ({}, b"x" * (128 * 1024 + 1), "EntityTooLarge"),
    ],
)
def test_what_the_api_does_not_take(shared, headers, payload, code):
    sent = {"x_fc_invocation_type": "Async", **headers}
    assert refusal(call_api, shared, payload, **sent) == (400, code)
    assert shared.tasks == []


def test_the_limits_themselves_are_taken(function):
    fc = function()
    fc.hold()
    queue(fc, b"x" * (128 * 1024), "_" + "T" * 127, x_fc_async_delay="3600")
    assert len(fc.tasks) == 1


def test_another_function_or_alias_is_not_found(shared):
    fc = shared
    assert refusal(call_api, fc, b"", name="other") == (404, "FunctionNotFound")
    assert refusal(call_api, fc, b"", query={"qualifier": "prod"}) == (404, "AliasNotFound")


def test_a_failed_task_is_tried_again_until_it_succeeds(function, events, file):
    fc = function(retry_seconds=0.001)
    queue(fc, f"once {file}".encode(), "T1")
    fc.wait_idle(PATIENCE)
    (task,) = fc.tasks
    assert (task.status, task.attempts, task.retries, task.error) == ("Succeeded", 2, 1, None)
    assert [event["headers"]["x-fc-retry-count"] for event in events()] == ["0", "1"]


def test_a_task_that_always_fails_has_failed_after_its_retries(function, events):
    fc = function(max_async_retry_attempts=1, retry_seconds=0.001)
    queue(fc, b"fail", "T1")
    fc.wait_idle(PATIENCE)
    assert [(task.status, task.attempts, task.error) for task in fc.tasks] == [
        ("Failed", 2, "UnhandledInvocationError")
    ]
    assert len(events()) == 2


def test_only_the_header_tells_of_a_failure(function):
    fc = function()
    queue(fc, b"bare500", "T1")
    fc.wait_idle(PATIENCE)
    assert [(task.status, task.attempts) for task in fc.tasks] == [("Succeeded", 1)]


def test_between_two_attempts_a_task_is_retrying(function):
    fc = function(retry_seconds=3600)
    queue(fc, b"fail", "T1")
    eventually(lambda: fc.tasks[0].status == "Retrying")
    assert fc.tasks[0].ended is None


def test_a_killed_function_gets_the_task_again_in_a_new_process(function, events, file):
    fc = function(retry_seconds=0.001)
    queue(fc, f"wait {file}".encode(), "T1")
    eventually(events)
    fc.kill()
    eventually(lambda: len(events()) == 2)
    file.touch()
    fc.wait_idle(PATIENCE)
    first, second = events()
    assert first["pid"] != second["pid"]
    assert [(task.status, task.attempts) for task in fc.tasks] == [("Succeeded", 2)]


def test_a_task_may_be_delivered_twice_one_after_the_other(function, events, file):
    fc = function(retry_seconds=0.001)
    fc.duplicate()
    queue(fc, f"once {file}".encode(), "T1")
    queue(fc, b"ok", "T2")
    fc.wait_idle(PATIENCE)
    assert [(task.id, task.status, task.attempts) for task in fc.tasks] == [
        ("T1", "Succeeded", 3),
        ("T2", "Succeeded", 1),
    ]
    assert len(events()) == 4


def test_a_task_may_be_delivered_twice_side_by_side(function, events, file):
    fc = function()
    fc.duplicate(at_once=True)
    queue(fc, f"wait {file}".encode(), "T1")
    eventually(lambda: len(events()) == 2)
    file.touch()
    fc.wait_idle(PATIENCE)
    assert [(task.status, task.attempts) for task in fc.tasks] == [("Succeeded", 2)]


def test_a_share_of_the_tasks_is_delivered_twice(function):
    fc = function(duplicate_share=0.5)
    for number in range(4):
        queue(fc, b"ok", f"T{number}")
    fc.wait_idle(PATIENCE)
    assert [task.attempts for task in fc.tasks] == [1, 2, 1, 2]


# Signatures and faults


def test_a_badly_signed_call_is_refused(function):
    fc = function()
    wrong = REQUEST_CREDENTIALS.__class__(REQUEST_CREDENTIALS.key_id, "wrong", REQUEST_CREDENTIALS.token)
    assert refusal(queue, fc, b"ok", key=wrong) == (403, "SignatureDoesNotMatch")
    status, _, body = ask(fc, "/2023-03-30/functions/cloudassist/invocations", method="POST")
    assert (status, json.loads(body)["Code"]) == (403, "IncompleteSignature")
    assert (fc.tasks, fc.requests) == ([], [])


def test_the_environments_credentials_are_good_too(function):
    assert queue(function(), b"ok", key=ENVIRONMENT_CREDENTIALS)["statusCode"] == 202


def test_other_methods_and_paths_of_the_api_are_the_functions(shared):
    path = "/2023-03-30/functions/cloudassist/invocations"
    assert told(shared, path)["target"] == path


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("refuse_429", (429, "ResourceExhausted")), ("http500", (500, "InternalServerError"))],
)
def test_the_api_may_refuse(function, fault, expected):
    fc = function()
    fc.fail(fault, times=2)
    assert [refusal(queue, fc, b"ok", "T1") for _ in range(2)] == [expected] * 2
    assert queue(fc, b"ok", "T1")["statusCode"] == 202


@pytest.mark.parametrize(("fault", "taken"), [("drop_before", 0), ("drop_after", 1)])
def test_the_api_may_close_the_connection(function, fault, taken):
    fc = function()
    fc.fail(fault)
    with pytest.raises(UnretryableException):
        queue(fc, b"ok", "T1")
    assert len(fc.tasks) == taken


def test_the_api_may_be_slow(function):
    fc = function()
    fc.fail("slow", seconds=0.05)
    began = time.monotonic()
    assert queue(fc, b"ok", "T1")["statusCode"] == 202
    assert time.monotonic() - began >= 0.05


def test_the_api_may_hang_until_the_end(function):
    fc = function()
    fc.fail("hang")
    connection = HTTPConnection(fc.url.removeprefix("http://"), timeout=PATIENCE)
    with closing(connection):
        connection.request("POST", "/2023-03-30/functions/cloudassist/invocations")
        eventually(lambda: not fc._faults)
        fc.stop()
        with pytest.raises(RemoteDisconnected):
            connection.getresponse()
    assert fc.tasks == []
