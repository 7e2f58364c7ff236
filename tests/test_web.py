"""What Function Compute reads of `/invoke`: done, refused, or to be delivered again."""

import io

import pytest

from bot.door import Door
from bot.jobs import seal
from bot.settings import Credentials
from bot.web import create_app
from rig import RUN, Peers, Rig
from sandbox.slack_workspace import SIGNING_SECRET

KEYS = {"x-fc-access-key-id": "STS.Fresh", "x-fc-access-key-secret": "s", "x-fc-security-token": "t"}
NOTHING = Credentials()


class Worker:
    """Says what it is told to, and keeps with which keys it was called."""

    def __init__(self):
        self.result, self.calls = True, []

    def work(self, job, credentials, request_id):
        self.calls.append((job, credentials, request_id))
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.fixture(scope="module")
def peers():
    with Peers() as peers:
        yield peers


@pytest.fixture
def rig(tmp_path, peers):
    with Rig(tmp_path, peers) as rig:
        yield rig


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


def test_what_is_no_job_is_left_alone(client, worker):
    assert client.post("/invoke", data=b'{"triggerName": "sweep"}').status_code == 200
    assert client.post("/invoke", data=b"").status_code == 200
    assert worker.calls == []


@pytest.mark.parametrize(("headers", "key_id"), [(KEYS, "STS.Fresh"), ({}, None)])
def test_on_function_compute_the_keys_of_the_request_come_first(tmp_path, peers, worker, headers, key_id):
    with Rig(tmp_path, peers, environment={"FC_FUNCTION_NAME": "cloudassist"}) as rig:
        client = create_app(rig.settings, worker).test_client()
        client.post("/invoke", data=seal(rig.command(RUN), SIGNING_SECRET), headers=headers)
        assert worker.calls[0][1].access_key_id == (key_id or rig.settings.credentials.access_key_id)


def test_what_breaks_outside_the_worker_is_a_failure_too(rig, worker, body):
    """A bare 500 would count as success on Function Compute."""
    worker.result = RuntimeError("not the worker's own")
    door = Door(rig.settings, rig.queue, lambda: create_app(rig.settings, worker))
    started = []
    environ = {
        "PATH_INFO": "/invoke",
        "REQUEST_METHOD": "POST",
        "HTTP_X_FC_CONTROL_PATH": "/invoke",
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "x",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
    }
    b"".join(door(environ, lambda status, headers: started.append((status, dict(headers)))))
    assert started[-1][0].startswith("404")
    assert started[-1][1]["x-fc-status"] == "404"
