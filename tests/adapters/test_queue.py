"""Both queues: what is sent to Function Compute and what becomes of every answer; the local one's semantics."""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions

from bot.adapters import queue as module
from bot.adapters import timed_http
from bot.adapters.queue import FunctionComputeQueue, LocalQueue, MaybeQueued, QueueRefused, authorization
from bot.settings import Credentials, Settings
from sandbox import acs3
from sandbox.http import Drop, Peer, Reply, Request

KEYS = Credentials("STS.Key", "secret", "token")
ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"


def queue_at(url: str, name: str = "cloud-assistant", qualifier: str = "LATEST") -> FunctionComputeQueue:
    environment = {
        "SLACK_SIGNING_SECRET": "s",
        "SLACK_BOT_TOKEN": "t",
        "FC_FUNCTION_NAME": name,
        "FC_QUALIFIER": qualifier,
        "FC_REGION": "cn-hangzhou",
        "FC_ENDPOINT": url,
    }
    return FunctionComputeQueue(Settings.from_environment(environment))


class Api(Peer):
    """Answers InvokeFunction with `status`, and keeps the requests."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 202
        self.headers: dict[str, str] = {}
        self.drops = 0
        self.requests: list[Request] = []

    def handle(self, request: Request) -> Reply:
        self.requests.append(request)
        if self.drops:
            self.drops -= 1
            raise Drop
        return Reply(self.status, b'{"Code": "X"}', self.headers)


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as api:
        yield api


class Wire:
    """A server of bare bytes: `answer(connection, number)` is called for each accepted connection."""

    def __init__(self, answer: Callable[[socket.socket, int], None]) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.accepted: list[socket.socket] = []
        self.ending = threading.Event()
        self._threads = [threading.Thread(target=self._run)]
        self._threads[0].start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.accepted.append(connection)
                self._threads.append(threading.Thread(target=self._serve, args=(connection, len(self.accepted))))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError):
            self._answer(connection, number)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *error: object) -> None:
        self.ending.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        for connection in self.accepted:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in self._threads[1:]:
            thread.join()
        self._listener.close()


def read_request(connection: socket.socket) -> bytes:
    """Head and body of one request; empty at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65_536)
        if not chunk:
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split()[0])
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def saying(*answers: bytes) -> Callable[[socket.socket, int], None]:
    """The nth connection gets the nth answer (the last one for all that follow), request by request."""

    def answer(connection: socket.socket, number: int) -> None:
        while read_request(connection):
            connection.sendall(answers[min(number, len(answers)) - 1])

    return answer


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> float:
    """The time limit, made short; it is read at each hand-off."""
    monkeypatch.setattr(module, "TIME_LIMIT", 0.15)
    return 0.15


def refusal(queue: FunctionComputeQueue, *, maybe: bool = False) -> str:
    """Why the job was not taken, for certain; `maybe`: why nobody knows."""
    with contextlib.closing(queue), pytest.raises(QueueRefused) as raised:
        queue.put("cmd_1", b"job", KEYS)
    assert isinstance(raised.value, MaybeQueued) is maybe
    return str(raised.value)


# What is sent.


def test_a_job_becomes_an_asynchronous_invocation_of_this_very_function(api: Api) -> None:
    with contextlib.closing(queue_at(api.url, "bot", "prod")) as queue:
        queue.put("cmd_1", b"\x00job", KEYS)
    [request] = api.requests
    assert (request.method, request.target) == ("POST", "/2023-03-30/functions/bot/invocations?qualifier=prod")
    assert request.body == b"\x00job"
    sent = {
        "content-type": "application/octet-stream",
        "x-acs-action": "InvokeFunction",
        "x-acs-version": "2023-03-30",
        "x-fc-invocation-type": "Async",
        "x-fc-async-task-id": "cmd_1",
        "x-acs-security-token": "token",
        "x-acs-accesskey-id": "STS.Key",
    }
    assert sent.items() <= request.headers.items()
    assert "x-fc-async-delay" not in request.headers


@pytest.mark.parametrize(
    ("delay", "sent"), [(0.2, "1"), (-3, None), (0, None), (1, "1"), (12.6, "13"), (9_999, "3600")]
)
def test_a_delay_is_whole_seconds_up_to_an_hour(api: Api, delay: float, sent: str | None) -> None:
    with contextlib.closing(queue_at(api.url)) as queue:
        queue.put("cmd_1", b"job", KEYS, delay)
    assert api.requests[0].headers.get("x-fc-async-delay") == sent


def test_the_region_is_put_into_the_endpoint() -> None:
    queue = queue_at("https://fcv3.{region}.aliyuncs.com")
    assert queue._host == "fcv3.cn-hangzhou.aliyuncs.com"
    assert queue._context is not None


@pytest.mark.parametrize("keys", [KEYS, Credentials("LTAIkey", "secret")])
@pytest.mark.parametrize("name", ["bot", "bot~_.-", "机器人 1/2"])
def test_the_signature_is_right_for_a_server(api: Api, keys: Credentials, name: str) -> None:
    with contextlib.closing(queue_at(api.url, name, "a b*~+/é")) as queue:
        queue.put("cmd_1", "job 值".encode(), keys, 5)
    [request] = api.requests
    assert unquote(request.path) == f"/2023-03-30/functions/{name}/invocations"
    secrets, tokens = {keys.access_key_id: keys.access_key_secret}, {keys.access_key_id: keys.security_token}
    now = datetime.now(UTC)
    seen: set[str] = set()
    arguments = (request.method, request.target, request.headers, request.body, secrets, tokens, now, seen)
    assert acs3.problem(*arguments) is None
    signed = request.headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    assert {"host", "content-type", "x-fc-async-task-id", "x-fc-async-delay", "x-acs-date"} <= set(signed)


@pytest.mark.parametrize("token", ["token", ""])
@pytest.mark.parametrize("body", [b"", b'{"v": 1}', "值 \x00".encode()])
def test_the_signature_equals_the_official_clients(api: Api, token: str, body: bytes) -> None:
    """A request that the official client sent, signed again by us, has the same Authorization."""
    client = Client(
        Config(
            access_key_id="STS.Key" if token else "LTAIkey",
            access_key_secret="secret",
            security_token=token or None,
            endpoint=api.url.removeprefix("http://"),
            protocol="http",
        )
    )
    params = Params(
        action="InvokeFunction",
        version="2023-03-30",
        protocol="HTTP",
        method="POST",
        auth_type="AK",
        style="ROA",
        pathname="/2023-03-30/functions/bot/invocations",
        req_body_type="json",
        body_type="binary",
    )
    headers = {"x-fc-invocation-type": "Async", "x-fc-async-task-id": "cmd_1", "x-fc-async-delay": "5"}
    request = OpenApiRequest(query={"qualifier": "prod a*~/+"}, headers=headers, stream=body)
    client.call_api(params, request, RuntimeOptions())

    [sent] = api.requests
    theirs = sent.headers["authorization"]
    names = theirs.split("SignedHeaders=")[1].split(",")[0].split(";")
    keys = Credentials("STS.Key" if token else "LTAIkey", "secret", token)
    signed = {name: sent.headers[name] for name in names}
    ours = authorization(sent.method, sent.path, {"qualifier": "prod a*~/+"}, signed, keys)
    assert ours == theirs
    assert sent.body == body


def test_each_request_has_its_own_nonce(api: Api) -> None:
    api.drops = 1
    with contextlib.closing(queue_at(api.url)) as queue:
        queue.put("cmd_1", b"job", KEYS)
        queue.put("cmd_2", b"job", KEYS)
    nonces = {request.headers["x-acs-signature-nonce"] for request in api.requests}
    assert len(nonces) == len(api.requests) == 3


# What becomes of the answers.


@pytest.mark.parametrize("status", [200, 202, 409])
def test_accepted_and_known_already_are_both_fine(api: Api, status: int) -> None:
    api.status = status
    with contextlib.closing(queue_at(api.url)) as queue:
        queue.put("cmd_1", b"job", KEYS)


@pytest.mark.parametrize("status", [302, 400, 403, 404, 429, 500, 503])
def test_every_other_answer_is_a_refusal(api: Api, status: int) -> None:
    api.status, api.headers = status, {"x-fc-error-type": "AccessDenied"}
    assert refusal(queue_at(api.url)) == f"InvokeFunction answered {status} AccessDenied"
    assert len(api.requests) == 1


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateway_that_got_no_answer_leaves_it_open(api: Api, status: int) -> None:
    api.status = status
    assert refusal(queue_at(api.url), maybe=True).startswith(f"InvokeFunction answered {status}")


@pytest.mark.parametrize(("then", "taken"), [(202, True), (409, True), (429, False)])
def test_what_a_broken_connection_left_open_only_being_taken_settles(api: Api, then: int, taken: bool) -> None:
    api.drops, api.status = 1, then
    queue = queue_at(api.url)
    if taken:
        with contextlib.closing(queue):
            queue.put("cmd_1", b"job", KEYS)
    else:
        assert refusal(queue, maybe=True).startswith("InvokeFunction answered 429")
    assert len(api.requests) == 2


def test_after_a_broken_connection_nobody_there_leaves_it_open() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def last_words() -> None:
        connection, _ = listener.accept()
        listener.close()
        with connection:
            read_request(connection)

    thread = threading.Thread(target=last_words)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert refusal(queue_at(url), maybe=True) == "connection failed (ConnectionRefusedError)"
    thread.join()


@pytest.mark.parametrize(
    "answer",
    [
        b"zzz\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"\r\n" * 10,
        b"\xff" * 70_000,
        b"HTTP/1.1 202 Accepted\r\n" + b"x: y\r\n" * 200 + b"\r\n",
    ],
    ids=["no HTTP", "no status", "empty lines", "one long line", "200 headers"],
)
def test_garbage_is_a_refusal(answer: bytes) -> None:
    def garbage(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_RDWR)

    with Wire(garbage) as wire:
        assert "connection failed" in refusal(queue_at(wire.url), maybe=True)
        assert len(wire.accepted) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 202 Accepted\r\ncontent-length: 10\r\n\r\n12345",
        b"HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\nzzz\r\n",
        b"HTTP/1.1 202 Accepted\r\n\r\n",
    ],
    ids=["too short", "no chunk", "none"],
)
def test_a_status_counts_whatever_the_body_is(answer: bytes) -> None:
    """The job is in the queue by then: nobody may be told that it is not."""

    def broken(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_RDWR)

    with Wire(broken) as wire, contextlib.closing(queue_at(wire.url)) as queue:
        queue.put("cmd_1", b"job", KEYS)
        queue.put("cmd_2", b"job", KEYS)
        assert len(wire.accepted) == 2


def test_a_body_that_does_not_come_is_left_in_time(short: float) -> None:
    def headers_only(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\n")

    with Wire(headers_only) as wire, contextlib.closing(queue_at(wire.url)) as queue:
        began = time.monotonic()
        queue.put("cmd_1", b"job", KEYS)
        assert time.monotonic() - began < 4 * short
        assert queue._idle == []


def test_no_answer_at_all_leaves_it_open_after_one_retry() -> None:
    def silent(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.shutdown(socket.SHUT_RDWR)

    with Wire(silent) as wire:
        assert "connection failed" in refusal(queue_at(wire.url), maybe=True)
        assert len(wire.accepted) == 2


def test_nobody_there_is_a_refusal() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert refusal(queue_at(f"http://127.0.0.1:{port}")) == "connection failed (ConnectionRefusedError)"


def test_a_server_that_hangs_is_left_in_time(short: float) -> None:
    with Wire(lambda connection, number: None) as wire:
        began = time.monotonic()
        assert refusal(queue_at(wire.url), maybe=True) == "no answer in time"
        assert short <= time.monotonic() - began < 4 * short
        assert len(wire.accepted) == 1


@pytest.mark.parametrize(
    "drops",
    [b"HTTP/1.1 202 Accepted\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"],
    ids=["head", "continue"],
)
def test_a_server_that_drips_bytes_is_left_in_time(short: float, drops: bytes) -> None:
    def drip(connection: socket.socket, number: int) -> None:
        for byte in itertools.cycle(drops):
            connection.sendall(bytes([byte]))
            if wire.ending.wait(short / 15):
                return

    with Wire(drip) as wire:
        began = time.monotonic()
        assert refusal(queue_at(wire.url), maybe=True) == "no answer in time"
        assert time.monotonic() - began < 4 * short


def test_a_tls_handshake_that_hangs_is_left_in_time(short: float) -> None:
    with Wire(lambda connection, number: None) as wire:
        assert refusal(queue_at(wire.url.replace("http:", "https:"))) == "no answer in time"


def test_a_retry_has_only_the_time_that_is_left(short: float) -> None:
    def late_reset(connection: socket.socket, number: int) -> None:
        wire.ending.wait(short * 0.6)
        connection.shutdown(socket.SHUT_RDWR)

    with Wire(late_reset) as wire:
        began = time.monotonic()
        assert refusal(queue_at(wire.url), maybe=True) == "no answer in time"
        assert time.monotonic() - began < 4 * short


def test_no_retry_when_no_time_is_left() -> None:
    with pytest.raises(TimeoutError):
        timed_http.left(time.monotonic())


# Kept connections.


def test_a_connection_is_used_again() -> None:
    with Wire(saying(ACCEPTED)) as wire, contextlib.closing(queue_at(wire.url)) as queue:
        for number in range(5):
            queue.put(f"cmd_{number}", b"job", KEYS)
        assert len(wire.accepted) == 1


def test_hand_offs_at_once_have_a_connection_each() -> None:
    meeting = threading.Barrier(3)

    def together(connection: socket.socket, number: int) -> None:
        while read_request(connection):
            meeting.wait(5)
            connection.sendall(ACCEPTED)

    with Wire(together) as wire, contextlib.closing(queue_at(wire.url)) as queue:
        for _ in range(2):
            threads = [threading.Thread(target=queue.put, args=(f"cmd_{n}", b"job", KEYS)) for n in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(wire.accepted) == 3
        assert len(queue._idle) == 3


def test_a_connection_that_was_closed_during_a_freeze_is_noticed() -> None:
    """The request goes out once, over a new connection: nothing is sent into the old one."""
    requests = []

    def answer(connection: socket.socket, number: int) -> None:
        requests.append(read_request(connection))
        connection.sendall(ACCEPTED)
        if number == 1:
            connection.shutdown(socket.SHUT_RDWR)

    with Wire(answer) as wire, contextlib.closing(queue_at(wire.url)) as queue:
        queue.put("cmd_1", b"job", KEYS)
        wait_until_readable(queue._idle[0][0].sock)
        queue.put("cmd_2", b"job", KEYS)
        assert [request[-3:] for request in requests] == [b"job", b"job"]


def wait_until_readable(sock: socket.socket) -> None:
    assert select.select([sock], [], [], 5)[0]


def test_a_reset_connection_is_noticed() -> None:
    def answer(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(ACCEPTED)
        if number == 1:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            connection.close()

    with Wire(answer) as wire, contextlib.closing(queue_at(wire.url)) as queue:
        queue.put("cmd_1", b"job", KEYS)
        wait_until_readable(queue._idle[0][0].sock)
        queue.put("cmd_2", b"job", KEYS)
        assert len(wire.accepted) == 2


def test_a_connection_that_breaks_under_a_request_is_replaced_once() -> None:
    def answer(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(ACCEPTED)
        if number == 1:
            read_request(connection)  # the second request, which is lost
            connection.shutdown(socket.SHUT_RDWR)

    with Wire(answer) as wire, contextlib.closing(queue_at(wire.url)) as queue:
        queue.put("cmd_1", b"job", KEYS)
        queue.put("cmd_2", b"job", KEYS)
        assert len(wire.accepted) == 2


def test_a_connection_that_lay_idle_for_long_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_IDLE", 0)
    with Wire(saying(ACCEPTED)) as wire, contextlib.closing(queue_at(wire.url)) as queue:
        queue.put("cmd_1", b"job", KEYS)
        queue.put("cmd_2", b"job", KEYS)
        assert len(wire.accepted) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.0 202 Accepted\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70_000,
    ],
    ids=["said so", "HTTP/1.0", "long answer"],
)
def test_a_connection_that_cannot_be_used_again_is_closed(answer: bytes) -> None:
    with Wire(saying(answer)) as wire, contextlib.closing(queue_at(wire.url)) as queue:
        queue.put("cmd_1", b"job", KEYS)
        queue.put("cmd_2", b"job", KEYS)
        assert len(wire.accepted) == 2
        assert queue._idle == []


def test_only_so_many_connections_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 0)
    with Wire(saying(ACCEPTED)) as wire, contextlib.closing(queue_at(wire.url)) as queue:
        queue.put("cmd_1", b"job", KEYS)
        assert queue._idle == []


def test_a_chunked_answer_is_read_to_its_end() -> None:
    answer = b"HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    with Wire(saying(answer)) as wire, contextlib.closing(queue_at(wire.url)) as queue:
        queue.put("cmd_1", b"job", KEYS)
        queue.put("cmd_2", b"job", KEYS)
        assert len(wire.accepted) == 1


@pytest.fixture
def bundle(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What `create_default_context` was asked for."""
    asked: list[object] = []
    monkeypatch.setattr("ssl.create_default_context", lambda **options: asked.append(options.get("capath")))
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    return asked


def test_authorities_come_from_a_hashed_folder(
    bundle: list[object], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    timed_http.trusted()
    (tmp_path / "0a1b2c3d.0").touch()  # type: ignore[operator]
    timed_http.trusted()
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/bundle.pem")
    timed_http.trusted()
    assert bundle == [None, str(tmp_path), None]


# The local queue.


def collecting(count: int) -> tuple[list[bytes], Callable[[bytes], bool], threading.Event]:
    """A worker that keeps what it gets, and an event for when there are `count`."""
    got: list[bytes] = []
    complete = threading.Event()

    def work(body: bytes) -> bool:
        got.append(body)
        if len(got) == count:
            complete.set()
        return True

    return got, work, complete


def test_a_local_job_is_worked_on_once_for_each_task_id() -> None:
    got, work, complete = collecting(2)
    with contextlib.closing(LocalQueue(work, workers=1)) as queue:
        for task_id in ("a", "a", "b", "a"):
            queue.put(task_id, task_id.encode(), KEYS)
        assert complete.wait(5)
    assert got == [b"a", b"b"]


def test_a_local_delay_is_kept() -> None:
    got, work, complete = collecting(2)
    began = time.monotonic()
    with contextlib.closing(LocalQueue(work)) as queue:
        queue.put("late", b"late", KEYS, 0.05)
        queue.put("early", b"early", KEYS)
        assert complete.wait(5)
    assert got == [b"early", b"late"]
    assert time.monotonic() - began >= 0.05


@pytest.mark.parametrize("failure", [False, RuntimeError("no worker")])
def test_a_local_job_that_fails_is_tried_again(failure: object) -> None:
    attempts = []
    complete = threading.Event()

    def work(body: bytes) -> bool:
        attempts.append(body)
        if len(attempts) == 3:
            complete.set()
            return True
        if isinstance(failure, Exception):
            raise failure
        return False

    with contextlib.closing(LocalQueue(work, retry_after=0.001)) as queue:
        queue.put("a", b"a", KEYS)
        assert complete.wait(5)
    assert len(attempts) == 3


def test_a_local_job_is_given_up_after_three_attempts(caplog: pytest.LogCaptureFixture) -> None:
    attempts = []
    done = threading.Event()

    def work(body: bytes) -> bool:
        attempts.append(body)
        if body == b"last":
            done.set()
        return body == b"last"

    with contextlib.closing(LocalQueue(work, workers=1, retry_after=0)) as queue:
        queue.put("a", b"a", KEYS)
        queue.put("last", b"last", KEYS, 0.05)
        assert done.wait(5)
    assert attempts == [b"a"] * 3 + [b"last"]
    assert "given up after 3 attempts" in caplog.text


def test_local_jobs_run_side_by_side() -> None:
    meeting = threading.Barrier(5)
    with contextlib.closing(LocalQueue(lambda body: meeting.wait(5) >= 0)) as queue:
        for number in range(4):
            queue.put(str(number), b"", KEYS)
        meeting.wait(5)


def test_closing_finishes_what_is_at_work_and_drops_the_rest() -> None:
    working, go_on = threading.Event(), threading.Event()
    finished = []

    def work(body: bytes) -> bool:
        working.set()
        go_on.wait(5)
        finished.append(body)
        return False

    queue = LocalQueue(work, workers=1)
    queue.put("a", b"a", KEYS)
    queue.put("b", b"b", KEYS)
    assert working.wait(5)
    closer = threading.Thread(target=queue.close)
    closer.start()
    while not queue._closed:
        closer.join(0.001)
    go_on.set()
    closer.join()
    assert finished == [b"a"]
    with pytest.raises(QueueRefused, match="shutting down"):
        queue.put("c", b"c", KEYS)


def test_only_so_many_local_task_ids_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalQueue, "REMEMBERED", 2)
    got, work, complete = collecting(4)
    with contextlib.closing(LocalQueue(work, workers=1)) as queue:
        for task_id in ("a", "b", "c", "a", "c"):
            queue.put(task_id, task_id.encode(), KEYS)
        assert complete.wait(5)
    assert got == [b"a", b"b", b"c", b"a"]
