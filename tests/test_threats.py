"""The real function behind a public address whose callers can forge all that the platform itself writes."""

import json
from urllib.parse import urlencode

import pytest

from bot.jobs import COMMAND, Job, seal
from sandbox.cloud_events import COMPLETED, envelope
from sandbox.drawing import draw
from sandbox.scenario import load
from sandbox.slack_requests import FORM, send, sign
from sandbox.slack_workspace import BOT_USER, INCIDENTS, MEI, SIGNING_SECRET, TEAM_ID
from sandbox.stage import Stage

HOSTILE, RUN = load("hostile"), "t-hz0jdfwd9f"
FORGED = {
    "Content-Type": "application/json",
    "x-fc-control-path": "/invoke",
    "x-fc-request-id": "1-forged",
    "x-fc-access-key-id": "STS.Attacker",
    "x-fc-access-key-secret": "attackers-secret",
    "x-fc-security-token": "attackers-token",
}


@pytest.fixture(scope="module")
def running():
    with Stage(spoofing=True) as stage:
        yield stage


@pytest.fixture
def stage(running):
    yield running
    running.fc.wait_idle(30)
    running.slack.clear()
    running.cloud.clear()


def said(stage):
    stage.fc.wait_idle(30)
    return [message for message in stage.slack.messages if message.user == BOT_USER]


def command(stage, text):
    who = {"team_id": TEAM_ID, "channel_id": INCIDENTS, "user_id": MEI}
    url = stage.slack.new_response_url(INCIDENTS, MEI)
    return {**who, "command": "/cloudassist", "text": text, "response_url": url, "trigger_id": "1.2.replayed"}


def test_a_job_that_we_have_not_sealed_is_refused_whatever_headers_come_with_it(stage):
    job = Job(COMMAND, "cmd_forged", int(stage.slack.workspace.clock()), command(stage, RUN))
    for secret in ("", "guessed", SIGNING_SECRET[:-1]):
        assert send(stage.fc.url + "/invoke", seal(job, secret), FORGED, 10).status == 403
    sealed = seal(job, SIGNING_SECRET)
    other = seal(job._replace(payload=command(stage, "failed")), "guessed")
    assert send(stage.fc.url + "/invoke", other[:100] + sealed[100:], FORGED, 10).status == 403
    assert said(stage) == []
    assert stage.cloud.calls == []


def test_a_forged_event_shows_nothing_and_uses_no_keys_of_its_caller(stage):
    data = {
        "invokeId": "t-hz0attacker1",
        "invocationStatus": "Failed",
        "instanceId": "i-1",
        "commandName": "<!channel>",
    }
    when = stage.cloud.clock.now()
    event = envelope(COMPLETED, "cn-hangzhou", stage.fc.function.account_id, when, data)
    assert send(stage.fc.url + "/invoke", json.dumps(event).encode(), FORGED, 10).status == 200
    assert said(stage) == []
    assert stage.cloud.calls == []  # nobody has subscribed, so that it is not even looked up
    assert "Attacker" not in stage.fc.logs()


def test_a_request_of_slacks_that_is_sent_again_is_answered_once(stage):
    body = urlencode(command(stage, RUN)).encode()
    signed = {"Content-Type": FORM, **sign(SIGNING_SECRET, int(stage.slack.workspace.clock()), body)}
    for _ in range(3):
        assert send(stage.url, body, signed, 10).status == 200
    assert len(said(stage)) == 1
    late = {"Content-Type": FORM, **sign(SIGNING_SECRET, int(stage.slack.workspace.clock()) - 301, body)}
    assert send(stage.url, body, late, 10).status == 401


def test_what_an_instance_prints_steers_no_terminal(stage):
    [answer] = stage.ask(HOSTILE.ask)
    drawn = draw(answer.text, answer.blocks)
    assert [character for character in drawn if not character.isprintable() and character != "\n"] == []
    assert all(line.isprintable() for line in stage.fc.logs().splitlines())
