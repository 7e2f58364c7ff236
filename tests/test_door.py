"""The door: what gets in, what becomes a job, and what is said where the queue does not take it."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from wsgiref.validate import validator

import pytest
import waitress
from hypothesis import given
from hypothesis import strategies as st
from waitress import wasyncore

from bot import door as module
from bot.adapters.queue import MaybeQueued, QueueRefused
from bot.door import MAYBE_QUEUED, MOST_BODY, NOT_QUEUED, PRESS_MAYBE_QUEUED, PRESS_NOT_QUEUED, Door
from bot.jobs import MOST_BYTES, Job, unseal
from bot.settings import Credentials, Settings
from sandbox.http import Peer, Reply, Request
from sandbox.slack_requests import sign

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = 1_764_000_000
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
COMMAND = {
    "token": "deprecated",
    "team_id": "T1",
    "channel_id": "C1",
    "user_id": "U1",
    "command": "/cloudassist",
    "text": "t-hz0jdfwd9f",
    "response_url": "https://hooks.slack.com/commands/T1/1/x",
    "trigger_id": "13345224609.738474920.808893",
}
OURS = [{"team_id": "T1", "user_id": "UBOT", "is_bot": True}]
FRESH = {
    "HTTP_X_FC_ACCESS_KEY_ID": "STS.Fresh",
    "HTTP_X_FC_ACCESS_KEY_SECRET": "fresh",
    "HTTP_X_FC_SECURITY_TOKEN": "token",
}


class Queue:
    """Keeps what was put; refuses while `refusing`, and then nobody knows whether it did where that is "maybe"."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.task_ids: list[str] = []
        self.credentials: list[Credentials] = []
        self.refusing: bool | str = False

    def put(self, task_id: str, body: bytes, credentials: Credentials, delay: float = 0) -> None:
        if self.refusing:
            raise MaybeQueued("no answer in time") if self.refusing == "maybe" else QueueRefused("all taken")
        assert len(body) <= MOST_BYTES
        self.jobs.append(unseal(body, SECRET))
        self.task_ids.append(task_id)
        self.credentials.append(credentials)


class Answer:
    def __init__(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.headers, self.body = int(status.split()[0]), dict(headers), body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Slack:
    """Sends WSGI requests to a door, signed at the door's own time; every answer is checked against WSGI's rules."""

    def __init__(self, **environment: str) -> None:
        self.queue = Queue()
        required = {"SLACK_SIGNING_SECRET": SECRET, "SLACK_BOT_TOKEN": "xoxb-1", "ALIBABA_CLOUD_ACCESS_KEY_ID": "Env"}
        settings = Settings.from_environment({**required, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "env", **environment})
        self.worker: Any = None
        self.door = Door(settings, self.queue, lambda: self.worker(), clock=lambda: NOW + 0.5)

    def send(self, body: bytes, kind: str = FORM, path: str = "/slack/events", **environ: str) -> Answer:
        complete = {
            "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "CONTENT_TYPE": kind,
            "CONTENT_LENGTH": str(len(body)),
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "9000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **environ,
        }
        started: list[Any] = []

        def start_response(*arguments: Any) -> Any:
            started.append(arguments)

        chunks: Any = validator(self.door)(complete, start_response)
        with contextlib.closing(chunks):
            content = b"".join(chunks)
        return Answer(started[0][0], started[0][1], content)

    def signed(self, body: bytes, kind: str = FORM, at: int | str = NOW, **environ: str) -> Answer:
        names = {name.upper().replace("-", "_"): value for name, value in sign(SECRET, at, body).items()}
        return self.send(body, kind, **{**{f"HTTP_{name}": value for name, value in names.items()}, **environ})

    def command(self, text: str = "t-hz0jdfwd9f", **environ: str) -> Answer:
        return self.signed(urlencode({**COMMAND, "text": text}).encode(), **environ)

    def event(self, event: dict[str, Any], **outer: Any) -> Answer:
        body = {"type": "event_callback", "event_id": "Ev1", "team_id": "T1", "authorizations": OURS, "event": event}
        return self.signed(json.dumps({**body, **outer}).encode(), JSON)

    def press(self, **payload: Any) -> Answer:
        complete = {"type": "block_actions", "trigger_id": "1.2.a", "user": {"id": "U1"}, **payload}
        return self.signed(urlencode({"payload": json.dumps(complete)}).encode())


@pytest.fixture
def slack() -> Slack:
    return Slack()


# Who gets in.


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"HTTP_X_SLACK_REQUEST_TIMESTAMP": ""}, "no timestamp"),
        ({"HTTP_X_SLACK_REQUEST_TIMESTAMP": "abc"}, "no timestamp"),
        ({"HTTP_X_SLACK_REQUEST_TIMESTAMP": f"{NOW}.0"}, "no timestamp"),
        ({"HTTP_X_SLACK_REQUEST_TIMESTAMP": f"-{NOW}"}, "no timestamp"),
        ({"HTTP_X_SLACK_REQUEST_TIMESTAMP": f" {NOW}"}, "no timestamp"),
        ({"HTTP_X_SLACK_REQUEST_TIMESTAMP": "9" * 5_000}, "no timestamp"),
        ({"HTTP_X_SLACK_REQUEST_TIMESTAMP": "\u0661\u0667"}, "no timestamp"),
        ({"HTTP_X_SLACK_REQUEST_TIMESTAMP": "\xb2"}, "no timestamp"),
        ({"HTTP_X_SLACK_REQUEST_TIMESTAMP": "999999999999"}, "stale timestamp"),
        ({"HTTP_X_SLACK_REQUEST_TIMESTAMP": str(NOW + 1)}, "wrong signature"),
        ({"HTTP_X_SLACK_SIGNATURE": ""}, "wrong signature"),
        ({"HTTP_X_SLACK_SIGNATURE": "v0="}, "wrong signature"),
        ({"HTTP_X_SLACK_SIGNATURE": "v0=\xe9\xff" + "\u20ac" * 64}, "wrong signature"),
        ({"HTTP_X_SLACK_SIGNATURE": "v0=" + "0" * 64}, "wrong signature"),
    ],
)
def test_only_a_right_signature_gets_in(
    slack: Slack, caplog: pytest.LogCaptureFixture, changes: dict[str, str], reason: str
) -> None:
    answer = slack.command(**changes)
    if not reason:
        assert answer.status == 200
        return
    assert (answer.status, answer.json) == (401, {"error": "invalid request"})
    assert caplog.messages == [f"refused: {reason}"]
    assert slack.queue.jobs == []


@pytest.mark.parametrize(
    ("skew", "status"), [(-301, 401), (-300, 401), (-299, 200), (299, 200), (300, 200), (301, 401)]
)
def test_a_timestamp_may_be_five_minutes_off_either_way(slack: Slack, skew: int, status: int) -> None:
    """The door's clock stands half a second after `NOW`."""
    assert slack.signed(urlencode(COMMAND).encode(), at=NOW + skew).status == status


def test_a_change_of_any_byte_is_refused(slack: Slack) -> None:
    body = urlencode(COMMAND).encode()
    given_for_another = sign(SECRET, NOW, body)
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in given_for_another.items()}
    assert slack.send(body, **headers).status == 200
    for index in range(len(body)):
        changed = body[:index] + bytes([body[index] ^ 1]) + body[index + 1 :]
        assert slack.send(changed, **headers).status == 401
    assert slack.send(body + b"&", **headers).status == 401
    assert slack.send(b"", **headers).status == 401


def test_another_secrets_signature_is_refused(slack: Slack) -> None:
    body = urlencode(COMMAND).encode()
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in sign("other", NOW, body).items()}
    assert slack.send(body, **headers).status == 401


GARBAGE = [
    b"",
    b"zzz",
    b"payload=zzz",
    b"payload=",
    b"payload=[]",
    b"payload=%5B" * 50,
    b"ssl_check=1",
    b"\xff\xfe\x00",
    b"{" * 50_000,
    b"[" * 50_000,
    b'{"type":"event_callback","event":' + b"[" * 980 + b"]" * 980 + b"}",
    b'{"type":"url_verification","challenge":"\\ud800"}',
    b'{"type":"event_callback","event":"zzz","authorizations":7}',
    b'{"type":"event_callback","event":{"type":"message","user":{"a":[]}},"authorizations":[7,{"user_id":{}}]}',
    b'{"type":["event_callback"],"event":{"type":["message"]}}',
    b'{"type":1e999,"event_time":' + b"9" * 5_000 + b"}",
    b"payload=" + b"%7B%22actions%22%3A7%2C%22container%22%3A" + b"[" * 900 + b"]" * 900 + b"%7D",
    b"payload=%7B%22actions%22%3A%5B7%5D%2C%22trigger_id%22%3A7%2C%22response_url%22%3A%5B%5D%7D",
    b"payload=%ff%fe",
    b"&".join(b"field%d=x" % number for number in range(10_000)),
    b"command=%00&text=%ff%00%ed%a0%80",
    b"null",
]
KINDS = [FORM, JSON, "", "text/plain", "application/json; charset=utf-16", "multipart/form-data; boundary=x", "\xff"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", GARBAGE, ids=lambda body: repr(body[:24]))
def test_garbage_is_refused_and_nothing_of_it_is_logged(
    slack: Slack, caplog: pytest.LogCaptureFixture, body: bytes, kind: str
) -> None:
    assert slack.send(body, kind).status == 401
    assert caplog.messages == ["refused: no timestamp"]


@pytest.mark.parametrize("refusing", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", GARBAGE, ids=lambda body: repr(body[:24]))
def test_not_even_signed_garbage_is_a_crash(slack: Slack, body: bytes, kind: str, refusing: bool) -> None:
    slack.queue.refusing = refusing
    assert slack.signed(body, kind).status in (200, 400, *([503] if refusing else []))


@given(st.binary(max_size=200), st.sampled_from(KINDS), st.text(st.characters(max_codepoint=255), max_size=40))
def test_whatever_comes_unsigned_is_refused(body: bytes, kind: str, header: str) -> None:
    slack = Slack()
    assert slack.send(body, kind).status == 401
    assert slack.send(body, kind, HTTP_X_SLACK_REQUEST_TIMESTAMP=header, HTTP_X_SLACK_SIGNATURE=header).status == 401
    assert slack.signed(body, kind, HTTP_X_SLACK_SIGNATURE=header).status == 401


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PARTS = ["type", "event", "event_id", "user", "text", "bot_id", "authorizations", "actions", "container", "trigger_id"]


@given(st.dictionaries(st.sampled_from(PARTS), json_values), json_values, st.booleans())
def test_no_shape_of_a_signed_request_is_a_crash(body: dict[str, Any], event: Any, press: bool) -> None:
    slack = Slack()
    if press:
        assert slack.signed(urlencode({"payload": json.dumps(body)}).encode()).status == 200
    else:
        body = {**body, "type": "event_callback", "event": event}
        assert slack.signed(json.dumps(body).encode(), JSON).status == 200


@pytest.mark.parametrize("length", [str(MOST_BODY + 1), "9" * 5_000, "-1", "1e3", "\xb2", "\u0663", "abc", " 5"])
def test_a_length_that_is_too_large_or_none_is_refused_unread(slack: Slack, length: str) -> None:
    environ = {"PATH_INFO": "/slack/events", "REQUEST_METHOD": "POST", "CONTENT_LENGTH": length}
    assert slack.door._respond("/slack/events", environ).status == 413


def test_no_length_is_no_body(slack: Slack) -> None:
    environ = {"PATH_INFO": "/slack/events", "REQUEST_METHOD": "POST", "wsgi.input": io.BytesIO(b"zzz")}
    assert slack.door._respond("/slack/events", environ).status == 401


@pytest.mark.parametrize("path", ["", "/", "/slack", "/slack/events/", "/slack/events\0", "//slack/events", "/INVOKE"])
def test_other_paths_are_not_there(slack: Slack, path: str) -> None:
    assert slack.door._respond(path, {"PATH_INFO": path, "REQUEST_METHOD": "POST"}).status == 404


def test_slack_posts(slack: Slack) -> None:
    assert slack.command(REQUEST_METHOD="GET").status == 405


def test_ssl_check_is_answered_when_it_is_signed(slack: Slack) -> None:
    assert slack.signed(b"ssl_check=1&token=x").status == 200
    assert slack.signed(b"hello=1").status == 400


# Slash commands.


def test_a_slash_command_is_queued_and_acked_into_the_channel(slack: Slack) -> None:
    answer = slack.command("t-hz0jdfwd9f failed")
    assert (answer.status, answer.json) == (200, {"response_type": "in_channel"})
    assert answer.headers["Content-Type"].startswith(JSON)
    [job] = slack.queue.jobs
    assert (job.kind, job.id, job.time) == ("command", "cmd_13345224609-738474920-808893", NOW)
    assert slack.queue.task_ids == [job.id]
    assert job.payload == {**{k: v for k, v in COMMAND.items() if k != "token"}, "text": "t-hz0jdfwd9f failed"}


@pytest.mark.parametrize("text", ["private", "t-hz0jdfwd9f private", "help", "help runs"])
def test_what_is_private_is_acked_with_nothing(slack: Slack, text: str) -> None:
    answer = slack.command(text)
    assert (answer.status, answer.body) == (200, b"")
    assert len(slack.queue.jobs) == 1


def test_a_usage_error_is_answered_in_the_ack(slack: Slack) -> None:
    answer = slack.command("faild")
    assert answer.json["response_type"] == "ephemeral"
    assert "failed" in answer.json["text"]
    assert "Usage:" in answer.json["text"]
    assert slack.queue.jobs == []


def test_what_a_person_typed_rings_nobody(slack: Slack) -> None:
    text = slack.command('region:"&lt;!channel&gt;"').json["text"]
    assert "<!" not in text


@pytest.mark.parametrize("character", ["x", "值", "\U0001f600"])
def test_a_huge_command_is_refused_in_the_ack(slack: Slack, character: str) -> None:
    assert slack.command(character * 40_000).json["response_type"] == "ephemeral"
    assert slack.queue.jobs == []


def test_a_command_that_the_queue_does_not_take_is_told(slack: Slack, caplog: pytest.LogCaptureFixture) -> None:
    slack.queue.refusing = True
    answer = slack.command()
    assert (answer.status, answer.json) == (200, {"response_type": "ephemeral", "text": NOT_QUEUED})
    assert caplog.messages == ["not queued: cmd_13345224609-738474920-808893: all taken"]


def test_a_command_that_the_queue_may_have_taken_is_told_as_that(
    slack: Slack, caplog: pytest.LogCaptureFixture
) -> None:
    slack.queue.refusing = "maybe"
    answer = slack.command()
    assert (answer.status, answer.json) == (200, {"response_type": "ephemeral", "text": MAYBE_QUEUED})
    assert caplog.messages == ["maybe queued: cmd_13345224609-738474920-808893: no answer in time"]


@pytest.mark.parametrize(("refusing", "says"), [(True, "未做任何操作"), ("maybe", "可能仍会")])
def test_what_the_queue_did_is_told_in_the_bots_language(refusing: bool | str, says: str) -> None:
    with Hooks() as hooks:
        slack = Slack(BOT_LANGUAGE="zh", SLACK_API_URL=f"{hooks.url}/api/")
        slack.queue.refusing = refusing
        assert says in slack.command().json["text"]
        assert slack.press(response_url=f"{hooks.url}/actions/T1/1/x").status == 200
    assert says in json.loads(hooks.requests[0].body)["text"]


def test_the_same_command_without_a_trigger_is_the_same_job(slack: Slack) -> None:
    for text in ("t-hz0jdfwd9f", "t-hz0jdfwd9f", "t-hz0jdfwd9e"):
        slack.signed(urlencode({**COMMAND, "trigger_id": "", "text": text}).encode())
    first, second, third = slack.queue.task_ids
    assert first == second != third


def test_a_paused_bot_says_so_and_asks_nothing() -> None:
    slack = Slack(BOT_PAUSED="Paused <!here> until 09:00.")
    assert slack.command().json == {"response_type": "ephemeral", "text": "Paused &lt;!here&gt; until 09:00."}
    assert slack.queue.jobs == []


# Events.


def message(**event: Any) -> dict[str, Any]:
    own = {"type": "app_mention", "user": "U1", "text": "<@UBOT> failed", "ts": "1.2", "channel": "C1"}
    return {**own, **event}


@pytest.mark.parametrize("kind", ["app_mention", "message"])
def test_an_event_is_queued_under_its_own_id(slack: Slack, kind: str) -> None:
    answer = slack.event(message(type=kind, thread_ts="1.1", blocks=[{"type": "rich_text"}]), event_time=NOW)
    assert (answer.status, answer.body) == (200, b"")
    [job] = slack.queue.jobs
    assert (job.kind, job.id) == ("event", "evt_Ev1")
    assert job.payload == {
        "type": "event_callback",
        "event_id": "Ev1",
        "event_time": NOW,
        "team_id": "T1",
        "authorizations": OURS,
        "event": message(type=kind, thread_ts="1.1"),
    }


@pytest.mark.parametrize(
    "event",
    [
        message(bot_id="B1"),
        message(type="message", bot_id="B1"),
        message(user="UBOT"),
        message(type="message", user="UBOT"),
        message(user=None),
        message(type="message", user=""),
        *(
            message(type="message", subtype=kind)
            for kind in ("bot_message", "message_changed", "file_share", "me_message")
        ),
    ],
)
def test_bots_edits_and_we_ourselves_are_not_answered(slack: Slack, event: dict[str, Any]) -> None:
    assert slack.event(event).status == 200
    assert slack.queue.jobs == []


def test_an_event_of_another_type_is_queued(slack: Slack) -> None:
    slack.event({"type": "app_home_opened", "user": "U1", "tab": "home"})
    assert slack.queue.jobs[0].payload["event"] == {"type": "app_home_opened", "user": "U1", "tab": "home", "text": ""}


def test_opening_the_messages_tab_is_nothing_to_us(slack: Slack) -> None:
    assert slack.event({"type": "app_home_opened", "user": "U1", "tab": "messages"}).status == 200
    assert slack.queue.jobs == []


def test_what_is_no_event_is_acked(slack: Slack) -> None:
    assert slack.event({}, type="app_rate_limited").status == 200
    assert slack.queue.jobs == []


@pytest.mark.parametrize("refusing", [True, "maybe"])
def test_an_event_that_the_queue_does_not_take_is_asked_for_again(slack: Slack, refusing: bool | str) -> None:
    slack.queue.refusing = refusing
    assert slack.event(message()).status == 503


def test_the_address_is_verified(slack: Slack) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1aBm2rZgRNFdxV"}).encode()
    assert slack.signed(body, "application/json; charset=utf-8").json == {"challenge": "3eZbrw1aBm2rZgRNFdxV"}
    assert slack.send(body, JSON).status == 401


@pytest.mark.parametrize("character", ["x", "值", "\U0001f600", "\ud800"])
def test_a_huge_event_is_cut_to_what_a_job_holds(slack: Slack, character: str) -> None:
    assert slack.event(message(text=character * 60_000)).status == 200
    assert slack.queue.jobs[0].payload["event"]["text"] == character * 5_000


def test_an_event_without_an_id_is_still_one_job(slack: Slack) -> None:
    slack.event(message(), event_id=None)
    slack.event(message(), event_id=None)
    assert slack.queue.task_ids[0].startswith("evt_")
    assert slack.queue.task_ids[0] == slack.queue.task_ids[1]


# Presses and shortcuts.


def test_a_press_is_queued_without_the_messages_blocks(slack: Slack) -> None:
    button = {"type": "button", "action_id": "refresh", "block_id": "b", "value": "t-1", "action_ts": "1.3"}
    menu = {"type": "overflow", "action_id": "more", "selected_option": {"text": {"text": "Share"}, "value": "share"}}
    answer = slack.press(
        team={"id": "T1", "domain": "x"},
        channel={"id": "C1", "name": "incidents"},
        container={"type": "message", "message_ts": "1.2", "is_ephemeral": False, "deep": {"er": []}},
        response_url="https://hooks.slack.com/actions/1",
        actions=[{**button, "text": {"type": "plain_text", "text": "Refresh"}}, menu],
        message={"ts": "1.2", "thread_ts": "1.1", "blocks": [{"type": "section"}] * 50, "text": "x" * 40_000},
        state={"values": {}},
    )
    assert (answer.status, answer.body) == (200, b"")
    [job] = slack.queue.jobs
    assert (job.kind, job.id) == ("interaction", "act_1-2-a")
    assert job.payload == {
        "type": "block_actions",
        "trigger_id": "1.2.a",
        "response_url": "https://hooks.slack.com/actions/1",
        "team": {"id": "T1", "domain": "x"},
        "user": {"id": "U1"},
        "channel": {"id": "C1", "name": "incidents"},
        "container": {"type": "message", "message_ts": "1.2", "is_ephemeral": False},
        "actions": [button, {"type": "overflow", "action_id": "more", "selected_option": {"value": "share"}}],
        "message": {"ts": "1.2", "thread_ts": "1.1"},
    }


def test_a_press_in_a_view_keeps_what_kind_of_view_it_is(slack: Slack) -> None:
    view = {"id": "V1", "type": "home", "callback_id": "home", "hash": "1.a", "blocks": [{"type": "section"}] * 50}
    slack.press(container={"type": "view", "view_id": "V1"}, view=view)
    kept = {"id": "V1", "type": "home", "callback_id": "home", "hash": "1.a"}
    assert slack.queue.jobs[0].payload["view"] == kept


def test_a_shortcut_is_queued(slack: Slack) -> None:
    assert slack.press(type="shortcut", callback_id="newest_runs").status == 200
    assert slack.queue.jobs[0].payload["callback_id"] == "newest_runs"


class Hooks(Peer):
    """Where a response_url leads to."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []

    def handle(self, request: Request) -> Reply:
        self.requests.append(request)
        return Reply(200, b"ok")


def test_a_press_on_outputs_opens_the_modal_before_it_is_queued() -> None:
    with Hooks() as hooks:
        slack = Slack(SLACK_API_URL=f"{hooks.url}/api/")
        assert slack.press(actions=[{"action_id": "outputs", "value": "v"}], trigger_id="1.2.3").status == 200
    [request] = hooks.requests
    [job] = slack.queue.jobs
    said = json.loads(request.body)
    assert (request.target, request.headers["authorization"]) == ("/api/views.open", "Bearer xoxb-1")
    assert (said["trigger_id"], said["view"]["external_id"]) == ("1.2.3", job.id)
    assert said["view"]["callback_id"] == "outputs"


@pytest.mark.parametrize(
    ("answered", "opened"),
    [
        (b'{"ok": true, "view": {"id": "V1"}}', True),
        (b'{"ok": false, "error": "invalid_auth"}', False),
        (b"[1]", False),
    ],
)
def test_a_modal_that_slack_does_not_confirm_is_left_to_the_worker(answered: bytes, opened: bool) -> None:
    class Answering(Peer):
        def handle(self, request: Request) -> Reply:
            return Reply(200, answered)

    with Answering() as peer:
        slack = Slack(SLACK_API_URL=f"{peer.url}/api/")
        assert slack.press(actions=[{"action_id": "outputs"}], trigger_id="1.2.3").status == 200
    [job] = slack.queue.jobs
    assert job.payload.get("unopened", "") == ("" if opened else "1.2.3")


def test_a_door_that_does_not_know_its_token_yet_leaves_the_modal_to_the_worker_and_asks_nobody() -> None:
    with Hooks() as hooks:
        far = f"{hooks.url}/api/"
        slack = Slack(SLACK_API_URL=far, KMS_ENDPOINT=hooks.url, SLACK_BOT_TOKEN="kms:slack")
        assert slack.press(actions=[{"action_id": "outputs"}], trigger_id="1.2.3").status == 200
        assert slack.command().status == 200
        assert hooks.requests == []
    assert [job.payload.get("unopened") for job in slack.queue.jobs] == ["1.2.3", None]


def test_a_press_within_the_modal_carries_its_state() -> None:
    slack = Slack()
    view = {"id": "V1", "private_metadata": "state", "blocks": ["large"]}
    slack.press(actions=[{"action_id": "outputs_pick", "selected_option": {"value": "g1"}}], view=view)
    [job] = slack.queue.jobs
    assert job.payload["view"] == {"id": "V1", "private_metadata": "state"}


@pytest.mark.parametrize("kind", ["view_submission", "view_closed"])
def test_a_modal_that_is_done_or_closed_starts_nothing(kind: str) -> None:
    slack = Slack()
    answer = slack.press(type=kind, view={"id": "V1", "private_metadata": "state"})
    assert (answer.status, answer.headers["Content-Length"]) == (200, "0")
    assert slack.queue.jobs == []


@pytest.mark.parametrize(("refusing", "text"), [(True, PRESS_NOT_QUEUED), ("maybe", PRESS_MAYBE_QUEUED)])
def test_a_press_that_the_queue_does_not_take_is_told_privately(refusing: bool | str, text: str) -> None:
    with Hooks() as hooks:
        slack = Slack(SLACK_API_URL=f"{hooks.url}/api/")
        slack.queue.refusing = refusing
        assert slack.press(response_url=f"{hooks.url}/actions/T1/1/x").status == 200
    [request] = hooks.requests
    assert (request.method, request.target) == ("POST", "/actions/T1/1/x")
    said = json.loads(request.body)
    assert (said["response_type"], said["replace_original"]) == ("ephemeral", False)
    assert said["text"] == text


@pytest.mark.parametrize("url", [None, "", 7, "zzz", "https://[::1", "https://hooks.slack.com:x/", "HOOKS"])
def test_no_other_host_is_told_anything(url: Any) -> None:
    with Hooks() as hooks:
        slack = Slack()  # whose Slack is slack.com
        slack.queue.refusing = True
        assert slack.press(response_url=f"{hooks.url}/actions/1" if url == "HOOKS" else url).status == 200
    assert hooks.requests == []


@pytest.mark.parametrize("path", ["/x", "/\u00e9", "/a b", "/a\x7f"])
def test_a_press_is_acked_although_nobody_can_be_told(path: str, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    slack = Slack(SLACK_API_URL=url)
    slack.queue.refusing = True
    assert slack.press(response_url=url + path).status == 200
    assert caplog.messages[0].startswith("not queued: ")
    assert len(caplog.messages) == 2


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_telling_does_not_hold_up_the_ack(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setattr(module, "_IN_ALL", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}"
        slack = Slack(SLACK_API_URL=url)
        slack.queue.refusing = True
        began = time.monotonic()
        assert slack.press(response_url=f"{url}/actions/1").status == 200
        assert time.monotonic() - began < 1


# Credentials.


@pytest.mark.parametrize(
    ("environment", "environ", "key"),
    [
        ({"FC_FUNCTION_NAME": "bot"}, FRESH, "STS.Fresh"),
        ({"FC_FUNCTION_NAME": "bot"}, {}, "Env"),
        ({"FC_FUNCTION_NAME": "bot"}, dict.fromkeys(FRESH, ""), "Env"),
        ({}, FRESH, "Env"),
    ],
)
def test_a_requests_own_keys_count_on_function_compute_alone(
    environment: dict[str, str], environ: dict[str, str], key: str
) -> None:
    slack = Slack(**environment)
    slack.command(**environ)
    assert slack.queue.credentials[0].access_key_id == key


# Function Compute's own paths.


@pytest.mark.parametrize("path", ["/invoke", "/initialize", "/pre-stop"])
@pytest.mark.parametrize("control_path", [None, "", "/http-invoke", "/slack/events", "invoke", "/pre-freeze"])
def test_only_function_compute_may_call_its_paths(slack: Slack, path: str, control_path: str | None) -> None:
    environ = {} if control_path is None else {"HTTP_X_FC_CONTROL_PATH": control_path}
    assert slack.send(b"{}", path=path, **environ).status == 403


@pytest.mark.parametrize(("path", "name"), [("/initialize", "Initialize"), ("/pre-stop", "PreStop")])
def test_hooks_have_nothing_to_do(slack: Slack, caplog: pytest.LogCaptureFixture, path: str, name: str) -> None:
    caplog.set_level(logging.INFO)
    before = set(sys.modules)
    answer = slack.send(b"", path=path, HTTP_X_FC_CONTROL_PATH=path, HTTP_X_FC_REQUEST_ID="1-abc")
    assert (answer.status, answer.body) == (200, b"")
    assert caplog.messages == [f"FC {name} Start RequestId: 1-abc", f"FC {name} End RequestId: 1-abc"]
    assert set(sys.modules) == before


def test_an_invocation_goes_to_the_worker_which_is_made_once(slack: Slack) -> None:
    made = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["wsgi.input"].read(3)]

    def worker() -> Any:
        made.append(1)
        return application

    slack.worker = worker
    for _ in range(2):
        answer = slack.send(b"job", path="/invoke", HTTP_X_FC_CONTROL_PATH="/invoke")
        assert (answer.status, answer.body) == (200, b"job")
    assert made == [1]


def test_a_worker_that_cannot_be_made_fails_the_invocation(slack: Slack, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise ImportError("secret detail")

    slack.worker = broken
    started: list[Any] = []
    environ = {"PATH_INFO": "/invoke", "HTTP_X_FC_CONTROL_PATH": "/invoke"}
    assert b"".join(slack.door(environ, lambda *arguments: started.append(arguments))) == b""
    status, headers = started[0]
    assert (status, dict(headers)["x-fc-status"]) == ("404 Not Found", "404")
    assert caplog.messages == ["no worker: ImportError"]


# Bytes on the wire, through the real server.


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = waitress.create_server(Slack().door, port=0, host="127.0.0.1", threads=4, max_request_body_size=MOST_BODY)
    ended = threading.Event()

    def run() -> None:
        while not ended.is_set():
            wasyncore.loop(timeout=0.01, map=server._map, count=1)

    thread = threading.Thread(target=run)
    thread.start()
    yield server.effective_port
    ended.set()
    thread.join()
    server.task_dispatcher.shutdown()
    wasyncore.close_all(server._map)


SLACK = b"POST /slack/events HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (SLACK + b"\r\n", 401),
        (SLACK + b"Content-Length: 3\r\n\r\nzzz", 401),
        (SLACK + b"Content-Type: application/json\r\nContent-Length: 3\r\n\r\nzzz", 401),
        (SLACK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nzzz\r\n0\r\n\r\n", 401),
        (SLACK + b"X-Slack-Signature: v0=\xe9\xff\xf0\x9f\x98\x80\r\nX-Slack-Request-Timestamp: \xb2\r\n\r\n", 401),
        (SLACK + b"X_Slack_Signature: v0=1\r\n\r\n", 401),
        (SLACK + b"Content-Length: abc\r\n\r\n", 400),
        (SLACK + b"Content-Length: -5\r\n\r\n", 400),
        (SLACK + b"Content-Length: 1000001\r\n\r\n", 413),
        (b"POST /slack/events%00 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"POST /%ff%fe%00 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"POST /slack/events\x00 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"POST /invoke HTTP/1.1\r\nHost: x\r\n\r\n", 403),
        (b"POST /invoke HTTP/1.1\r\nHost: x\r\nx_fc_control_path: /invoke\r\n\r\n", 403),
        (b"zzz\r\n\r\n", 400),
    ],
)
def test_garbage_on_the_wire(port: int, raw: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(raw)
        assert int(connection.recv(1_000).split()[1]) == status
