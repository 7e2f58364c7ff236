"""What Function Compute reads of `/invoke`: done, refused, or to be delivered again."""

import io

import pytest

from bot.core.events import TaskCompleted, Tick
from bot.door import Door
from bot.jobs import seal
from bot.settings import Credentials
from bot.web import create_app
from rig import RUN, Rig
from sandbox.slack_workspace import SIGNING_SECRET

KEYS = {"x-fc-access-key-id": "STS.Fresh", "x-fc-access-key-secret": "s", "x-fc-security-token": "t"}
NOTHING = Credentials()


class Worker:
    """Says what it is told to, and keeps with which keys it was called."""

    def __init__(self):
        self.result, self.calls, self.heard = True, [], []

    def hear(self, events, request_id):
        self.heard.append((events, request_id))
        return self.result

    def work(self, job, credentials, request_id):
        self.calls.append((job, credentials, request_id))
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.fixture
def worker():
    return Worker()


@pytest.fixture
def client(rig, worker):
    return create_app(rig.settings, worker).test_client()


@pytest.fixture
def body(rig):
    return seal(rig.command(RUN), SIGNING_SECRET)


def test_a_job_that_is_done(client, worker, rig, body, caplog):
    caplog.set_level("INFO")
    answer = client.post("/invoke", data=body, headers={"x-fc-request-id": "1-abc", **KEYS})
    assert (answer.status_code, answer.headers.get("x-fc-status")) == (200, None)
    [(job, credentials, request_id)] = worker.calls
    assert (job.payload["text"], request_id) == (RUN, "1-abc")
    assert credentials == rig.settings.credentials  # those of a request count on Function Compute alone
    assert "FC Invoke Start RequestId: 1-abc" in caplog.text
    assert "FC Invoke End RequestId: 1-abc\n" in caplog.text


@pytest.mark.parametrize("kind", ["application/json", "application/octet-stream", "text/plain; charset=gbk"])
def test_any_content_type_is_read_as_bytes(client, worker, body, kind):
    assert client.post("/invoke", data=body, content_type=kind).status_code == 200
    assert len(worker.calls) == 1


def test_a_job_that_failed_says_so_in_a_header_too(client, worker, body, caplog):
    caplog.set_level("INFO")
    worker.result = False
    answer = client.post("/invoke", data=body)
    assert (answer.status_code, answer.headers["x-fc-status"]) == (404, "404")
    assert "Error: Unhandled function error" in caplog.text


def test_a_forged_job_is_refused_and_not_worked_on(client, worker, body):
    assert client.post("/invoke", data=body.replace(RUN.encode(), b"t-hz0forged01")).status_code == 403
    assert client.post("/invoke", data=b'{"mac": 1}').status_code == 403
    assert worker.calls == []


EVENT = b"""{"id": "e-1", "source": "acs.ecs", "specversion": "1.0", "type": "ecs:CloudAssistant:TaskCompleted",
    "aliyunaccountid": "1234567890123456", "aliyunregionid": "cn-hangzhou",
    "data": {"invokeId": "t-hz01", "instanceId": "i-bp1a", "invocationStatus": "Failed", "mac": "0:1"}}"""
TIMER = b'{"triggerTime": "2026-11-24T02:15:00Z", "triggerName": "poll", "payload": "{}"}'


@pytest.mark.parametrize(("body", "kind"), [(EVENT, TaskCompleted), (TIMER, Tick)])
def test_a_cloud_event_or_timer_is_heard(client, worker, body, kind):
    answer = client.post("/invoke", data=body, headers={"x-fc-request-id": "1-abc", **KEYS})
    assert (answer.status_code, answer.headers.get("x-fc-status")) == (200, None)
    [(events, request_id)] = worker.heard
    assert ([type(event) for event in events], request_id) == ([kind], "1-abc")
    assert worker.calls == []


def test_one_that_could_not_be_taken_is_to_be_delivered_again(client, worker):
    worker.result = False
    answer = client.post("/invoke", data=EVENT)
    assert (answer.status_code, answer.headers["x-fc-status"]) == (404, "404")


@pytest.mark.parametrize("body", [b"", b"[", b'{"triggerName": "sweep"}', b'{"secret": "hunter2"}', b"\x00\xff"])
def test_what_is_neither_job_nor_event_is_logged_without_its_content_and_left_alone(client, worker, caplog, body):
    caplog.set_level("INFO")
    assert client.post("/invoke", data=body).status_code == 200
    assert (worker.calls, worker.heard) == ([], [])
    assert f"no event, {len(body)} bytes left alone: " in caplog.text
    assert "hunter2" not in caplog.text


def test_the_events_among_other_things_are_heard(client, worker):
    assert client.post("/invoke", data=b"[{}, " + EVENT + b", 3]").status_code == 200
    assert [len(events) for events, _ in worker.heard] == [1]


@pytest.mark.parametrize(("path", "status"), [("/invoke", 200), ("/http-invoke", 403), ("", 403)])
def test_an_event_comes_by_function_compute_or_not_at_all(rig, worker, path, status):
    """The public can reach the path too, but never with this header."""
    assert through_the_door(rig, worker, EVENT, path)[0].startswith(str(status))
    assert len(worker.heard) == (status == 200)


def through_the_door(rig, worker, body, control_path="/invoke"):
    """Status line and headers."""
    door = Door(rig.settings, rig.queue, lambda: create_app(rig.settings, worker))
    started = []
    environ = {
        "PATH_INFO": "/invoke",
        "REQUEST_METHOD": "POST",
        "HTTP_X_FC_CONTROL_PATH": control_path,
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "x",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
    }
    b"".join(door(environ, lambda status, headers: started.append((status, dict(headers)))))
    return started[-1]


@pytest.mark.parametrize(("headers", "key_id"), [(KEYS, "STS.Fresh"), ({}, None)])
def test_on_function_compute_the_keys_of_the_request_come_first(tmp_path, peers, worker, headers, key_id):
    with Rig(tmp_path, peers, environment={"FC_FUNCTION_NAME": "cloudassist"}) as rig:
        client = create_app(rig.settings, worker).test_client()
        client.post("/invoke", data=seal(rig.command(RUN), SIGNING_SECRET), headers=headers)
        assert worker.calls[0][1].access_key_id == (key_id or rig.settings.credentials.access_key_id)


def test_what_breaks_outside_the_worker_is_a_failure_too(rig, worker, body):
    """A bare 500 would count as success on Function Compute."""
    worker.result = RuntimeError("not the worker's own")
    status, headers = through_the_door(rig, worker, body)
    assert (status[:3], headers["x-fc-status"]) == ("404", "404")
