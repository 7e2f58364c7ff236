"""The lines of JSON that an operator reads: one for each request and each job, with ids and times, and no words."""

import json
import threading
from datetime import UTC, datetime

import pytest

from bot import lines
from bot.adapters.calls import Calls
from bot.core.events import Tick
from bot.jobs import CLOUD_EVENT, COMMAND, Job
from rig import RUN
from sandbox.slack_workspace import INCIDENTS, MEI, TEAM_ID
from test_door import COMMAND as TYPED
from test_door import Slack
from test_reporting import completed


@pytest.fixture
def told(caplog):
    """The lines of a kind so far."""
    caplog.set_level("INFO", "bot.lines")

    def told(kind):
        found = [json.loads(record.getMessage()) for record in caplog.records if record.name == "bot.lines"]
        return [one for one in found if one["kind"] == kind]

    return told


def test_a_line_stays_one_line_and_is_short_whatever_comes_in(told, caplog):
    lines.write("request", request='1\n{"kind": "audit"}\u2028' + "x" * 999, empty="", none=None, count=0)
    [line] = caplog.messages
    assert "\n" not in line
    assert line.isascii()
    [fields] = told("request")
    assert len(fields["request"]) == 200
    assert fields.keys() == {"kind", "request", "count"}


def test_a_command_makes_one_line_with_ids_and_times_and_without_its_words(told):
    slack = Slack()
    slack.command(text="t-hz0secretword", HTTP_X_FC_REQUEST_ID="1-abc")
    slack.command(text="nonsense")
    queued, answered = told("request")
    job = slack.queue.jobs[0]
    assert queued.pop("ms").keys() == {"verify", "queue", "total"}
    assert queued == {
        "kind": "request",
        "request": "1-abc",
        "cold": True,
        "what": "command",
        "outcome": "queued",
        "team": TYPED["team_id"],
        "channel": TYPED["channel_id"],
        "user": TYPED["user_id"],
        "task": job.task_id,
        "trace": job.trace,
        "status": 200,
    }
    assert (answered["cold"], answered["outcome"]) == (False, "answered")
    assert "secretword" not in str(told("request"))


def test_what_is_refused_makes_a_line_with_the_reason(told):
    slack = Slack()
    slack.send(b"x")
    slack.queue.refusing = True
    slack.command()
    slack.queue.refusing = "maybe"
    slack.command()
    assert [(one["status"], one["outcome"]) for one in told("request")] == [
        (401, "refused: no timestamp"),
        (200, "not queued"),
        (200, "maybe queued"),
    ]


def test_a_job_makes_one_line_with_what_it_asked_of_others(rig, told):
    rig.ask(RUN)
    rig.ask("help")
    first, second = told("job")
    assert first["ms"].keys() == {"slot", "work", "cloud", "slack", "total"}
    assert first["calls"] == {"slack": 3, "cloud": len(rig.cloud.calls)}
    assert (first["cold"], second["cold"]) == (True, False)
    who = {"team": TEAM_ID, "channel": INCIDENTS, "user": MEI}
    assert {key: first[key] for key in who} == who
    assert (first["what"], first["outcome"], first["tries"], first["request"]) == (COMMAND, "done", 0, "1-request")
    assert RUN not in str(first)


def test_a_job_that_goes_on_later_says_so_in_each_of_its_lines(rig, told):
    rig.slack.fail("429", "users.info", retry_after=20)
    rig.ask(RUN)
    assert [(one["outcome"], one["tries"]) for one in told("job")] == [("postponed", 0), ("done", 1)]
    assert len({one["trace"] for one in told("job")}) == 1
    assert [one["outcome"] for one in told("audit")] == ["done"]


def test_events_and_timers_make_one_line_with_what_was_heard_and_what_came_of_it(rig, told):
    at = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
    assert rig.worker.hear([completed(), completed(), Tick("poll", at, "")], "1-abc")
    assert rig.worker.hear([Tick("poll", at, "")], "1-def")
    assert rig.worker.hear([completed(region="us-west-1")], "1-ghi")
    rig.queue.refusing = True
    assert not rig.worker.hear([Tick("tick", at, "")], "1-jkl")
    several, one, none, failed = told("request")
    assert several.pop("ms").keys() == {"total"}
    assert several == {
        "kind": "request",
        "request": "1-abc",
        "cold": True,
        "what": CLOUD_EVENT,
        "heard": {"TaskCompleted": 2, "Tick": 1},
        "outcome": "queued",
        "jobs": 2,
    }
    chore = rig.queue.jobs[-1][0]
    assert (one["cold"], one["jobs"], one["task"], one["trace"]) == (False, 1, chore.task_id, chore.trace)
    assert (none["outcome"], none["jobs"], failed["outcome"], failed["jobs"]) == ("dropped", 0, "failed", 0)


def test_the_trace_is_that_of_the_slack_request_and_stays_through_new_tries():
    job = Job(COMMAND, "cmd_1", 0, {})
    assert job.trace == job.again().trace
    assert job.trace != Job(COMMAND, "cmd_2", 0, {}).trace


def test_calls_from_many_threads_are_counted():
    calls = Calls()

    def call():
        for _ in range(100):
            with calls.one("cloud"):
                pass

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls.counts == {"cloud": 400}
    assert calls.ms["cloud"] >= 0
