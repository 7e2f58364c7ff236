"""The judge of chaos finds what is wrong, and excuses nothing but by the record of that very thing."""

import json
from types import SimpleNamespace

import pytest

from bot.adapters.slack import REPEAT
from bot.door import MAYBE_QUEUED, NOT_QUEUED
from bot.jobs import COMMAND, NOTICE, Job, seal
from chaos import event_run
from chaos_judge import PASSWORD, Judge, Record, Report
from sandbox.fc import Call
from sandbox.fc_queue import Task
from sandbox.slack_requests import Response
from sandbox.slack_workspace import BOT_USER, PRIVATE, SIGNING_SECRET, Message

ASKED = ("C1", "chaos0001")
ANSWER = "1 of 3 failed: chaos0001"
AGAIN = f"{ANSWER}\n{REPEAT}"
QUESTION = Job(COMMAND, "cmd_1", 0, {"channel_id": "C1", "text": "t-hz0chaos0001 private"})
RUN = event_run(1_000, 3, 5)
NOTICED = "1 of 3 failed: chaos1000"
NEWS = Job(NOTICE, "notice_1", 0, {"channel": PRIVATE, "message": {"text": NOTICED}})


def said(text, at=0.0, channel="C1", **fields):
    return Message(channel, str(at), BOT_USER, text, [], "response_url", at, **fields)


def call(status=200, *, stood_still=False, of=QUESTION):
    return Call("/invoke", "/invoke", status, 1.0, False, f"1-{of.id}", stood_still)


def ack(text="", error=""):
    return Response(0 if error else 200, json.dumps({"text": text}).encode() if text else b"", 1.0, error)


def judged(*messages, calls=(), jobs=(QUESTION,), acked=None, full=(), runs=(), logs=""):
    tasks = [Task(job.task_id, seal(job, SIGNING_SECRET), f"1-{job.id}", 0, 0) for job in jobs]
    fc = SimpleNamespace(tasks=tasks, requests=list(calls), logs=lambda: logs)
    stage = SimpleNamespace(slack=SimpleNamespace(messages=list(messages)), fc=fc)
    record = Record([] if runs else [ASKED], runs, {ASKED: acked or ack()}, list(full))
    report = Report(seed=1)
    Judge(stage, record, report).judge()
    return report


def test_one_answer_is_as_it_should_be():
    report = judged(said(ANSWER), calls=[call()])
    assert (report.problems, report.answered, dict(report.repeats)) == ([], 1, {})


def test_an_apology_will_do():
    report = judged(said("Something broke (request id 1-c0ffee)"), jobs=[QUESTION])
    assert report.problems == [f"lost: {ASKED}"]  # that is another request's
    job = Job(COMMAND, "c0ffee", 0, QUESTION.payload)
    report = judged(said("Something broke (request id 1-c0ffee)"), jobs=[job])
    assert (report.problems, report.apologies) == ([], 1)


def test_no_answer_is_a_loss_whatever_died():
    assert judged(calls=[call(502)]).problems == [f"lost: {ASKED}"]


@pytest.mark.parametrize(
    ("first", "calls", "full", "cause"),
    [
        (said(ANSWER, 1, unheard=True), [call()], [], "reply lost"),
        (said(ANSWER, 1), [call(502), call()], [], "kill"),
        (said(ANSWER, 1), [call(stood_still=True)], [], "freeze"),
        (said(ANSWER, 1), [call(), call()], [(0, 2)], "disk full"),
    ],
)
def test_what_was_said_again_has_its_cause(first, calls, full, cause):
    report = judged(first, said(AGAIN, 3), calls=calls, full=full)
    assert (report.problems, dict(report.repeats)) == ([], {cause: 1})
    assert f"{cause} 1" in str(report)


@pytest.mark.parametrize(
    ("second", "calls", "full"),
    [
        (said(AGAIN, 3), [call(), call()], []),
        (said(AGAIN, 3, unheard=True), [call()], []),
        (said(AGAIN, 3), [call(502, of=NEWS), call(stood_still=True, of=NEWS)], [(2, 4)]),
    ],
    ids=["nothing", "its own reply was lost", "others died, and the disk was full later"],
)
def test_what_was_said_again_for_no_reason_is_found(second, calls, full):
    report = judged(said(ANSWER, 1), second, calls=calls, full=full)
    assert report.problems == [f"said again for no reason: {ASKED}, after {ANSWER!r}"]


def test_one_death_explains_one_repeat():
    report = judged(said(ANSWER, 1), said(AGAIN, 2), said(AGAIN, 3), calls=[call(502), call(), call()])
    assert (len(report.problems), dict(report.repeats)) == (1, {"kill": 1, "nothing": 1})


def test_a_repeat_must_say_so_whatever_its_cause():
    report = judged(said(ANSWER, 1, unheard=True), said(ANSWER, 2))
    assert report.problems == [f"said 2 times without a word: {ASKED}"]


@pytest.mark.parametrize(
    ("acked", "taken", "good"),
    [
        (ack(), True, True),
        (ack(), False, False),
        (ack(NOT_QUEUED), False, True),
        (ack(NOT_QUEUED), True, False),
        (ack(MAYBE_QUEUED), False, True),
        (ack(MAYBE_QUEUED), True, True),
        (ack(error="operation_timeout"), False, True),
        (ack(error="operation_timeout"), True, True),
        (ack("I cannot read this."), False, False),
    ],
)
def test_what_the_ack_said_must_be_true(acked, taken, good):
    report = judged(*([said(ANSWER)] * taken), jobs=[QUESTION] * taken, acked=acked)
    assert (report.problems == []) is good, report.problems


def test_what_was_never_queued_has_no_answer():
    assert judged(said(ANSWER), jobs=[], acked=ack(NOT_QUEUED)).problems == [f"never queued, and answered: {ASKED}"]


def test_a_failing_run_is_told_once_and_at_its_end():
    notice = said(NOTICED, channel=PRIVATE)
    assert judged(notice, jobs=[NEWS], runs=[RUN]).problems == []
    [lost] = judged(jobs=[NEWS], runs=[RUN]).problems
    assert lost.startswith("never told at its end: chaos1000")
    [early] = judged(said("1 failed so far: chaos1000", channel=PRIVATE), jobs=[NEWS], runs=[RUN]).problems
    assert early.startswith("never told at its end: chaos1000")
    again = said(f"{NOTICED}\n{REPEAT}", 1, channel=PRIVATE)
    [twice] = judged(notice, again, jobs=[NEWS], calls=[call(502)], runs=[RUN]).problems
    assert twice.startswith("said again for no reason: ('")
    assert judged(notice, again, jobs=[NEWS], calls=[call(502, of=NEWS)], runs=[RUN]).problems == []


def test_a_secret_is_found_wherever_it_got():
    assert judged(said(f"{ANSWER} {PASSWORD}")).problems == ["a message holds a secret: hunter…"]
    assert judged(said(ANSWER), logs=SIGNING_SECRET).problems == [f"the log holds a secret: {SIGNING_SECRET[:6]}…"]
