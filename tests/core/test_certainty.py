"""What is proven is said as it is, what is not "looks like" it: every reason, by all kinds of evidence, in both
languages, wherever a reason is said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest

from bot.core import diff_message, digest, digest_message, handover, messages, notices, outputs, reports, whole_outputs
from bot.core.blocks import escape
from bot.core.diagnosis import Diagnosis
from bot.core.differences import of_run
from bot.core.digest_message import Around
from bot.core.handoff import csv_of
from bot.core.handover import Failing, Handover
from bot.core.home import Page, Snapshot, runs_of, view
from bot.core.model import Instance
from bot.core.reasons import CODES, ECHO, EXITS, OUTPUTS, Reason
from bot.core.summary import Summary, summarise
from bot.core.texts import _, speaking
from bot.core.what_stands import WhatStands
from bot.languages import LANGUAGES, catalogue
from core.samples import FRAME, NOW, REGION, RUN, failed, invocation, results_of, row, shown, succeeded

Case = tuple[Reason, str, dict[str, Any]]
"""A reason, its system, and the fields of a result that has it."""
LAST = "t-hz0last0001"


def codes() -> Iterator[Case]:
    for reason in CODES:
        yield from ((reason, reason.system, {"status": "Failed", "ErrorCode": code}) for code in reason.codes)


def statuses() -> Iterator[Case]:
    for reason in CODES:
        yield from ((reason, reason.system, {"status": status}) for status in reason.statuses)


def exits() -> Iterator[Case]:
    for reason in EXITS:
        yield from ((reason, reason.system, {"ExitCode": number}) for number in reason.exits[:1])


def said() -> Iterator[Case]:
    for reason in OUTPUTS:
        yield from ((reason, reason.system, {"ExitCode": 1, "output": sample}) for sample in reason.samples[:1])


def said_in_part() -> Iterator[Case]:
    yield from ((reason, system, {**fields, "Dropped": 9}) for reason, system, fields in said())


def said_at_the_end_of_much() -> Iterator[Case]:
    much = "line of a long log\n" * 600
    yield from ((reason, system, {**fields, "output": much + fields["output"]}) for reason, system, fields in said())


def said_while_waiting() -> Iterator[Case]:
    yield from ((reason, system, {**fields, "status": "Timeout"}) for reason, system, fields in said())


def summary_of(system: str, fields: dict[str, Any]) -> Summary:
    told = dict(fields)
    rows = [row("i-1", told.pop("status", "Failed"), told.pop("output", ""), **told)]
    return summarise([invocation(rows)], results_of(rows), {"i-1": Instance("i-1", REGION, os_type=system)})


def line_one(summary: Summary) -> str:
    return messages.results(summary, FRAME).text.split("\n")[0]


def read_out(summary: Summary) -> str:
    return messages.results(summary, FRAME).text


def answer(summary: Summary) -> str:
    return shown(messages.results(summary, FRAME))


def on_an_instance(summary: Summary) -> str:
    message = messages.results_on_instances(summary, "web-01", FRAME)
    return f"{message.text}\n{shown(message)}"


def watched(summary: Summary) -> str:
    message = messages.progress(summary, FRAME, [])
    return f"{message.text}\n{shown(message)}\n{messages.ringing(messages.results(summary, FRAME), 'U1').text}"


def rung(summary: Summary) -> str:
    """What rings in the thread of a notice: for the first time, for another reason, and when it goes on."""
    line = line_one(summary)
    news = notices.News(reports.BADLY, 2, 0.0, "t-1", cause=reports.cause(summary), instances=("i-1",), line=line)
    before = notices.Notice("1.2", 1, -9.0e9, "another", ("i-1",), "t-0", 1)
    return "\n".join(notices.step(one, news, 0.0, UTC).reply for one in (notices.Notice(), before))


def outputs_modal(summary: Summary) -> str:
    return json.dumps(outputs.view(summary, outputs.State("handle"), re.compile), ensure_ascii=False)


def whole(summary: Summary) -> str:
    return f"{whole_outputs.whole_text(summary)}\n{whole_outputs.message(summary, 'web', FRAME, []).text}"


def of_a_day(summary: Summary) -> str:
    """Of these runs without their outputs, which a digest does not read."""
    told = digest.made(summary.invocations, [], {}, NOW)
    message = digest_message.message(told, WhatStands(), Around(now=NOW, read_at=NOW))
    return f"{message.text}\n{shown(message)}"


def handed_over(summary: Summary) -> str:
    told = Handover([Failing(line_one(summary))], (), {}, (), WhatStands())
    return handover.message(told, "mei", UTC, NOW.timestamp(), NOW.timestamp()).text


def compared(summary: Summary) -> str:
    """Newly failing, and newly fixed."""
    run, now = summary.invocations[0], [replace(one.result, invoke_id=RUN) for one in summary.rows]
    was = invocation([succeeded("i-1")], InvokeId=LAST)
    well = results_of([succeeded("i-1", "fine", InvokeId=LAST)])
    names = {"i-1": Instance("i-1", REGION, os_type=next(summary.rows).system)}
    failing = of_run(run, [was], [*now, *well], names, {}, {LAST}, None)
    fixed = of_run(was, [run], [*now, *well], names, {}, {RUN}, None)
    messages = [diff_message.message([one], summary, FRAME) for one in (failing, fixed)]
    return "\n".join(f"{message.text}\n{shown(message)}" for message in messages)


PLACES: list[Callable[[Summary], str]] = [
    line_one, read_out, answer, on_an_instance, watched, rung, outputs_modal, whole, of_a_day, handed_over, compared,
]  # fmt: skip
# Where a reason ought to be read at all: the day's digest reads no outputs, line one tells of no time-outs.
ALWAYS = [read_out, answer, on_an_instance, outputs_modal, whole, compared]
KINDS: list[tuple[Callable[[], Iterator[Case]], bool | None]] = [
    (codes, True),
    (statuses, True),
    (exits, None),
    (said, None),
    (said_in_part, False),
    (said_at_the_end_of_much, False),
    (said_while_waiting, True),
]
UNSAID = ("stopped", "timeout")  # the count of failures says it already


def guessed(cause: str) -> str:
    return _("looks like {cause}", cause=_(cause))


def wrong(text: str, output: str, known: Diagnosis) -> list[str]:
    """The causes that stand in a text as what they are not. The output may quote itself."""
    told = text.lower()
    for line in (one.strip() for one in output.lower().split("\n") if one.strip()):
        for form in (json.dumps(line, ensure_ascii=False)[1:-1], line, escape(line)):
            told = told.replace(form, "")
    found = []
    causes = [(known.reason.cause, known.certain), *([(known.hint.cause, False)] if known.hint else [])]
    for cause, certain in causes:
        likenesses = told.count(guessed(cause).lower())
        if certain and likenesses:
            found.append(f"{cause!r} is proven")
        if not certain and told.count(_(cause).lower()) != likenesses:
            found.append(f"{cause!r} is not proven")
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "proven"), KINDS, ids=lambda one: getattr(one, "__name__", ""))
def test_no_guess_is_dressed_as_a_fact_nor_a_fact_as_a_guess(
    kind: Callable[[], Iterator[Case]], proven: bool | None, language: str
) -> None:
    missed: list[str] = []
    with speaking(catalogue(language)):
        for reason, system, fields in kind():
            summary = summary_of(system, fields)
            known = summary.groups[0].diagnosis
            assert known is not None, (reason.key, fields)
            if proven is not None:
                assert known.certain == proven, (reason.key, fields)
            for place in PLACES:
                text = place(summary)
                output = str(fields.get("output", ""))
                missed += [f"{place.__name__}, {reason.key}: {one}" for one in wrong(text, output, known)]
                if place in ALWAYS and known.reason.key not in UNSAID:
                    assert _(known.reason.cause).lower() in text.lower(), (place.__name__, reason.key)
    assert missed == []


@pytest.mark.parametrize("reason", EXITS, ids=lambda reason: reason.key)
def test_an_exit_code_proves_only_what_no_script_ends_with(reason: Reason) -> None:
    for _reason, system, fields in ((reason, reason.system, {"ExitCode": number}) for number in reason.exits):
        known = summary_of(system, fields).groups[0].diagnosis
        assert known is not None
        assert known.certain == (abs(fields["ExitCode"]) >= 2**28)


def test_a_row_that_leaves_it_open_is_never_proven_by_its_line() -> None:
    for reason, system, fields in said():
        known = summary_of(system, fields).groups[0].diagnosis
        assert known is not None
        assert known.certain <= (reason.proven and reason.depth > ECHO)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_cause_of_the_table_hedges_in_no_words_of_the_likeness(language: str) -> None:
    """Else a proven one would read as a guess."""
    with speaking(catalogue(language)):
        likeness = _("looks like {cause}", cause="").strip()
        assert [one.key for one in (*CODES, *EXITS, *OUTPUTS) if likeness in _(one.cause)] == []


def test_what_follows_from_a_likeness_is_no_more_than_one() -> None:
    full = "tar: x: No space left on device"
    for fields, says in (({"Dropped": 0}, "it stopped half-way"), ({"Dropped": 9}, "it may have stopped half-way")):
        assert says in answer(summary_of("linux", {"ExitCode": 1, "output": full, **fields}))
    broken = "gzip: stdin: not in gzip format"
    for fields, says in (({"Dropped": 0}, "A rerun is safe."), ({"Dropped": 9}, "Not known whether a rerun is safe.")):
        assert says in answer(summary_of("linux", {"ExitCode": 1, "output": broken, **fields}))


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_no_reason_is_read_none_is_said(language: str) -> None:
    """Home, the CSV, and what was expected tell of states alone."""
    with speaking(catalogue(language)):
        for reason, system, fields in (*codes(), *exits(), *said()):
            summary = summary_of(system, fields)
            runs = runs_of(summary.invocations, NOW)
            home = json.dumps(view(Page(Snapshot(runs, 1.0), NOW, (REGION,))), ensure_ascii=False)
            text = f"{home}\n{csv_of(summary.groups)}".lower()
            assert guessed("").strip().lower() not in text
            assert len(_(reason.cause)) < 8 or _(reason.cause).lower() not in text, reason.key


def test_what_failed_for_different_reasons_is_not_told_as_one_in_a_comparison() -> None:
    outputs = {"i-1": "tar: x: No space left on device", "i-2": "tar: x: Permission denied", "i-3": "odd"}
    rows = [failed(one, text) for one, text in outputs.items()]
    was = [failed(one, text, InvokeId=LAST) for one, text in outputs.items()]
    names = {one: Instance(one, REGION, os_type="linux") for one in outputs}
    run, last = invocation(rows), invocation(was, InvokeId=LAST)
    for against, read in (([], set()), ([last], set())):  # a first run; a last run whose outputs were not read
        told = of_run(run, against, results_of(rows), names, {}, read, None)
        text = diff_message.message([told], summarise([run], results_of(rows), names), FRAME).text
        assert "no space left, exit code 1" in text
        assert "permission denied, exit code 1" in text


def test_what_ended_in_different_states_is_not_told_as_one() -> None:
    """Without a code the state is the reason."""
    rows = [row("i-1", "Cancelled"), row("i-2", "Aborted"), row("i-3", "Failed"), row("i-4", "Error")]
    told = {group.rows[0].name: group.diagnosis for group in summarise([invocation(rows)], results_of(rows), {}).groups}
    assert {name: known and known.reason.key for name, known in told.items()} == {
        "i-1": "cancelled", "i-2": "not-sent", "i-3": None, "i-4": "exception",
    }  # fmt: skip


def test_a_digest_tells_apart_what_was_stopped_and_what_failed() -> None:
    rows = [row("i-1", "Terminated"), row("i-2", "Failed")]
    told = digest.made([invocation(rows)], [], {}, NOW)
    assert {(one.why, len(one.places)) for one in told.first_seen} == {("stopped", 1), ("no exit code", 1)}
