"""Anything at all, sent to the door and to all that reads what others wrote. `make fuzz` tries far more of it."""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import modals, slack_requests
from bot.core import events, orders
from bot.core.errors import UsageError
from bot.core.handles import unpack
from bot.core.outputs import BadPattern, State
from bot.core.parsing import parse
from bot.core.pasted import named_in
from bot.jobs import COMMAND, MOST_BYTES, BadJob, Job, seal, unseal
from bot.settings import Settings
from bot.web import create_app
from test_door import FORM, JSON, KINDS, NOW, SECRET, Slack

REQUESTS = int(os.environ.get("FUZZ", "40"))
requests = settings(max_examples=REQUESTS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
fuzz = settings(requests, max_examples=max(40, REQUESTS // 10))

LATIN = st.text(st.characters(max_codepoint=255), max_size=60)  # what WSGI makes of a header
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def written(value: Any) -> bytes:
    return json.dumps(value).encode()


def one_of(words: str) -> st.SearchStrategy[str]:
    return st.sampled_from(words.split())


def among(names: str) -> st.SearchStrategy[dict[str, Any]]:
    """An object with some of these fields, each anything."""
    return st.dictionaries(one_of(names), VALUES, max_size=8)


# The door

PATHS = st.sampled_from(["/slack/events", "/invoke", "/initialize", "/pre-stop", "/", "/slack/events/", "//invoke"])
HEADERS = st.dictionaries(
    one_of(
        """HTTP_X_SLACK_SIGNATURE HTTP_X_SLACK_REQUEST_TIMESTAMP HTTP_X_SLACK_RETRY_NUM HTTP_X_FC_REQUEST_ID
        HTTP_X_FC_ACCESS_KEY_ID HTTP_X_FC_SECURITY_TOKEN HTTP_X_FC_RETRY_COUNT CONTENT_TYPE"""
    ),
    LATIN | st.sampled_from([f"{NOW}", "v0=" + "0" * 64, *KINDS]),
)
COMMANDS = st.dictionaries(one_of("text command user_id response_url ssl_check payload"), st.text())
BODIES = (
    st.binary(max_size=400) | VALUES.map(written) | COMMANDS.map(lambda one: urlencode(one, errors="replace").encode())
)
METHODS = st.sampled_from(["POST", "GET", "PUT", "HEAD", "DELETE"])


@requests
@given(METHODS, PATHS, HEADERS, BODIES)
def test_whoever_is_not_slack_gets_no_further_than_the_door(
    method: str, path: str, headers: dict[str, str], body: bytes
) -> None:
    slack = Slack()  # whose worker cannot be made: what reached it would be a 404 with x-fc-status
    answer = slack.send(body, headers.pop("CONTENT_TYPE", FORM), path, REQUEST_METHOD=method, **headers)
    assert answer.status in (401, 403, 404, 405)
    assert "x-fc-status" not in answer.headers
    assert slack.queue.jobs == []


SIGNED = (
    among("type event event_id team_id authorizations challenge").map(written),
    among("type text user bot_id subtype channel ts thread_ts tab channel_type")
    .map(lambda event: {"type": "event_callback", "event": event})
    .map(written),
    among("type actions container trigger_id response_url user team channel view message state hash")
    .map(lambda payload: urlencode({"payload": json.dumps(payload)}).encode()),
    COMMANDS.map(lambda one: urlencode(one, errors="replace").encode()),
    st.binary(max_size=400),
)  # fmt: skip


@requests
@given(st.one_of(*SIGNED), st.sampled_from([FORM, JSON, *KINDS]), st.booleans())
def test_what_slack_signs_is_taken_or_refused_and_never_breaks_the_door(body: bytes, kind: str, refusing: bool) -> None:
    slack = Slack()
    slack.queue.refusing = refusing
    answer = slack.signed(body, kind)
    assert answer.status in (200, 400, *([503] if refusing else []))
    assert len(slack.queue.jobs) <= 1


# Behind it: a caller who could forge the platform's own headers


class Worker:
    """Must never be asked to work on what we did not seal."""

    def __init__(self) -> None:
        self.worked: list[Job] = []

    def work(self, job: Job, credentials: object, request_id: str) -> bool:
        self.worked.append(job)
        return True

    def hear(self, heard: object, request_id: str) -> bool:
        return True


SEALED = seal(Job(COMMAND, "cmd_1", NOW, {"text": "t-hz0jdfwd9f", "response_url": "https://hooks.slack.com/x"}), SECRET)


def changed(at: int, put: bytes, drop: int) -> bytes:
    at %= len(SEALED)
    return SEALED[:at] + put + SEALED[at + drop :]


FORGED = st.builds(changed, st.integers(0, 10_000), st.binary(max_size=8), st.integers(0, 8)).filter(
    lambda raw: raw != SEALED
)


@fuzz
@given(FORGED | BODIES | among("mac v kind id time tries told payload").map(written))
def test_a_forged_job_is_never_worked_on_not_even_with_the_platforms_headers(body: bytes) -> None:
    worker, slack = Worker(), Slack()
    slack.worker = lambda: create_app(slack.door._settings, worker)  # type: ignore[arg-type]
    answer = slack.send(body, path="/invoke", HTTP_X_FC_CONTROL_PATH="/invoke", HTTP_X_FC_REQUEST_ID="1-x")
    assert answer.status in (200, 403)
    assert worker.worked == []
    with pytest.raises(BadJob):
        unseal(body, SECRET)


# The parsers

WORDS = st.lists(
    one_of(
        """t-hz0jdfwd9f i-bp1i7gg30r52z2em c-hz0jdfwcsr web-* 10.0.0.7 failed region:all since:2h since: tag:a=b page:2
        size: private here watch output diff history help subscribe unsubscribe everything mute unmute 2h until 18:00
        expect daily weekly by:03:30 by:mon-03:30 on:web-01 on:tag:a=b digest 09:00 off ring:<@U024BE7LH|mei>
        at-least:5% longer-than:30m events:spot bucket:failed reason:oom command:deploy-* name:x status handover
        “ ” " ' ` <!channel> https://ecs.console.aliyun.com/x?invokeId=t-1 <https://x|y> -- — : = % { } \\ /"""
    )
    | st.text(max_size=12),
    max_size=9,
).map(" ".join)


@fuzz
@given(WORDS | st.text(max_size=300))
def test_any_words_are_a_question_or_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        question = parse(text)
        assert parse(question.words()) == question


@fuzz
@given(st.sampled_from(sorted(orders._READERS)), WORDS.map(str.split) | st.lists(st.text(max_size=20), max_size=6))
def test_any_words_after_an_order_are_read_or_refused(order: str, words: list[str]) -> None:
    with contextlib.suppress(UsageError):
        orders.check(order, words)


EVENT = among("type source specversion subject data id time aliyunaccountid alert name content product messageBody")


@fuzz
@given(EVENT.map(written) | VALUES.map(written) | st.binary(max_size=300))
def test_no_event_breaks_the_reader(raw: bytes) -> None:
    assert len(events.read(raw).unknown) <= 10


@fuzz
@given(among("type actions container trigger_id response_url user view message state"), VALUES)
def test_no_press_and_no_message_breaks_its_reader_or_outgrows_a_job(body: dict[str, Any], message: Any) -> None:
    job = slack_requests.interaction_job({**body, "message": message}, NOW)
    assert len(seal(job, SECRET)) <= MOST_BYTES
    assert all(len(name) < 1_000 for name in named_in({"blocks": message}))


@fuzz
@given(st.text(max_size=300), st.text(max_size=100))
def test_no_value_of_a_button_is_taken_that_we_have_not_signed(value: str, more: str) -> None:
    assert unpack(value, SECRET) is None
    assert unpack(value[:20] + more, SECRET) is None


@fuzz
@given(st.builds(State, *[st.text(max_size=40)] * 3, st.integers(-5, 10_000), *[st.text(max_size=40)] * 3))
def test_the_state_of_a_modal_comes_back_as_it_was(state: State) -> None:
    assert State.unpacked(state.packed()) == state


HOSTS = "hooks.slack.com hooks.slack-gov.com hooks.slack.com. evil.example 169.254.169.254 100.100.100.200 localhost"
URLS = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["https://", "http://", "//", "file://", "HTTPS://", "https:\\\\", "https:/\\", ""]),
    st.sampled_from(["", "hooks.slack.com@", "x:y@", "hooks.slack.com#@", "hooks.slack.com\\@", "\t", "[::1]"]),
    st.sampled_from(HOSTS.split()) | st.text(max_size=12),
    st.sampled_from(["", ":443", ":80", ":0443", ".evil.example", "%2eevil.example", "\r\nHost: x", "?", "#"]),
    st.sampled_from(["", "/commands/T1/1/x", "/../x", "\\x", "@evil.example"]),
)
OURS = Settings.from_environment({"SLACK_SIGNING_SECRET": SECRET, "SLACK_BOT_TOKEN": "xoxb-1"})


@fuzz
@given(URLS | st.text(max_size=60))
def test_a_response_url_leads_to_slack_or_is_not_used(url: str) -> None:
    if OURS.may_respond_to(url):
        target = urlsplit(url)
        assert (target.scheme, target.port or 443) == ("https", 443)
        assert target.hostname in ("hooks.slack.com", "hooks.slack-gov.com")
        assert target.username is None


PATTERNS = st.lists(
    st.sampled_from(
        ["a", ".", "*", "+", "?", "(", ")", "(?:", "|", "[", "]", "^", "$", "{9}", "{1,99}", "{99999}", "\\d"]
    ),
    max_size=14,
).map("".join)


@fuzz
@given(PATTERNS | st.text(max_size=40), st.lists(st.text("ab1", max_size=40), max_size=5))
def test_any_filter_is_used_or_explained(pattern: str, lines: list[str]) -> None:
    with contextlib.suppress(BadPattern):
        test = modals.matcher(f"/{pattern}/")
        assert all(isinstance(test(line), bool) for line in lines)
