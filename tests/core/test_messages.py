"""What people read. Golden messages stand in golden/: `pytest --rewrite-golden` writes them anew, to be read."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import blocks as b
from bot.core import messages
from bot.core.blocks import Message
from bot.core.errors import CloudError, Denied, RoleRefused, Throttled, Unavailable
from bot.core.history import Before, with_seen
from bot.core.model import Instance
from bot.core.summary import summarise, summarise_results
from bot.core.texts import speaking
from bot.languages import LANGUAGES, catalogue
from core.samples import (
    FRAME,
    HOSTILE,
    NOW,
    REGION,
    RUN,
    AsGolden,
    failed,
    golden,
    invocation,
    never_ran,
    payload,
    refused,
    results_of,
    row,
    running,
    shown,
    succeeded,
    summary_of,
)

GOLDEN = Path(__file__).parent / "golden"


def alone(runs):
    """Each run as one of its own."""
    return [[run] for run in runs]


def within(message: Message) -> list[str]:
    """`refused`, and what our own limits say: an answer is short and its first line fits a phone."""
    first = message.text.split("\n")[0].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    limits = {
        "line one": b.width(first) <= messages.MOST_LINE,
        "header": not message.blocks or b.width(message.blocks[0]["text"]["text"]) <= messages.MOST_LINE,
        "text": b.width(message.text) <= b.MOST_TEXT,
        "blocks": len(message.blocks) <= 15,
        "characters": b.size(message.blocks) <= 4_000,
        "no date in text": "<!date" not in message.text,
    }
    return [*refused(message), *(limit for limit, kept in limits.items() if not kept)]


def fleet() -> list[dict[str, Any]]:
    """120 results: 3 failed, two of them alike, 1 timed out, 2 never ran."""
    full = "unpacking release 4.12.0\ntar: /var/www/app: No space left on device\n"
    return [
        failed("i-000", full),
        failed("i-001", full.replace("\n", " \r\n")),
        failed("i-002", "curl: (7) Failed to connect to registry port 443", code=7),
        row("i-003", "Timeout", "waiting for lock", ErrorCode="ExecutionTimeout"),
        never_ran("i-004", ErrorInfo="The Cloud Assistant agent is not online."),
        never_ran("i-005"),
        *(succeeded(f"i-{n:03}", "release 4.12.0 active\n") for n in range(6, 120)),
    ]


def names(count: int) -> dict[str, str]:
    return {f"i-{n:03}": f"web-{n + 1:03}" for n in range(count)}


def schedule() -> Message:
    rows = [
        row("i-001", "Scheduled", "df: 98 % used\n", ExitCode=2, Repeats=n, StartTime=f"2026-11-24T{n:02}:00:00Z")
        for n in range(1, 21)
    ]
    run = invocation(rows[-1:], RepeatMode="Period", Frequency="rate(1h)", InvocationStatus="Scheduled")
    return messages.results(summarise([run], results_of(rows), {}), FRAME)


def several() -> Message:
    """Two runs in two regions, one of them a schedule that has ended."""
    hk = [failed("i-9", "password=hunter2", InvokeId="t-hk0c12345", OssOutputUri="oss://logs/o.txt", Dropped=1200)]
    ended = invocation(hk, "cn-hongkong", InvokeId="t-hk0c12345", RepeatMode="EveryReboot", InvocationStatus="Failed")
    rows = [succeeded("i-000", "ok"), succeeded("i-001", "fine")]
    results = [*results_of(rows), *results_of(hk, "cn-hongkong")]
    summary = summarise([invocation(rows), ended], results, {"i-9": Instance("i-9", "cn-hongkong", "api-hk-04")})
    return messages.results(summary, replace(FRAME, notes=("No reply from cn-shanghai.",)))


def on_an_instance() -> Message:
    rows = [
        failed("i-000", "boom goes it", InvokeId=f"t-hz0run000{n}", StartTime=f"2026-11-24T{n:02}:00:00Z")
        for n in range(4)
    ]
    rows += [succeeded("i-000", "ok"), running("i-000", InvokeId="t-hz0run0009", CommandId="c-1")]
    known = {"i-000": Instance("i-000", REGION, "web-001")}
    told = summarise_results(results_of(rows), [invocation()], known)
    before = {("t-hz0run0003", "i-000"): Before(3, datetime(2026, 11, 24, tzinfo=UTC))}
    told = replace(told, groups=with_seen(told.groups, before))
    return messages.results_on_instances(told, "web-001", FRAME)


def going() -> Message:
    rows = [*(running(f"i-{n:03}") for n in range(8)), row("i-008", "Pending", StartTime="", FinishedTime="")]
    return messages.results(summary_of([*rows, succeeded("i-009", "ok")], names(10)), FRAME)


def listed() -> Message:
    runs = [
        invocation(fleet(), InvokeId="t-hz0aaaaaa"),
        invocation([succeeded("i-1")], InvokeId="t-hz0bbbbbb", CommandName="rotate-logs"),
        invocation([running("i-1")], InvokeId="t-hz0cccccc"),
        invocation([], InvokeId="t-hz0dddddd", CreationTime=None),
        invocation([row("i-1", "Scheduled")], InvokeId="t-hz0eeeeee", RepeatMode="Period", Frequency="rate(5m)"),
    ]
    return messages.runs(alone(runs), f"newest runs, {REGION}", FRAME, "More: page:2")


def hostile() -> Message:
    rows = [failed(f"i-{n}", text, ErrorInfo=text, Username=text, ErrorCode=text) for n, text in enumerate(HOSTILE)]
    known = {f"i-{n}": text for n, text in enumerate(HOSTILE)}
    return messages.results(
        summary_of(rows, known, CommandName=HOSTILE[0]), replace(FRAME, asked_by=HOSTILE[0], notes=HOSTILE)
    )


MESSAGES: dict[str, Callable[[], Message]] = {
    "120_results": lambda: messages.results(summary_of(fleet(), names(120)), FRAME),
    "all_well": lambda: messages.results(summary_of(fleet()[6:], names(120)), FRAME),
    "one_failed": lambda: messages.results(summary_of(fleet()[:1], names(1)), FRAME),
    "one_well_without_output": lambda: messages.results(summary_of([succeeded("i-000")]), FRAME),
    "schedule": schedule,
    "several": several,
    "on_an_instance": on_an_instance,
    "going": going,
    "list": listed,
    "hostile": hostile,
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", MESSAGES)
def test_golden(name: str, language: str, as_golden: AsGolden) -> None:
    with speaking(catalogue(language)):
        message = MESSAGES[name]()
    assert within(message) == []
    as_golden(GOLDEN, language, name, payload(message))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_golden_file_is_of_a_message(language: str) -> None:
    assert {path.stem for path in golden(GOLDEN, language).glob("*.json")} == set(MESSAGES)


def test_what_is_read_out_ends_with_the_next_step_for_the_largest_group_of_failures() -> None:
    full, refused_ = "tar: x: No space left on device", "curl: (7) Failed to connect to a port 443"
    rows = [failed("i-1", full), *(never_ran(f"i-{n}") for n in range(2, 5))]
    text = messages.results(summary_of(rows), replace(FRAME, notes=("No reply from cn-shanghai.",))).text
    assert text.endswith("\nNo reply from cn-shanghai.\nNext (host owner): restart the agent on the instance.")
    unknown = [failed("i-1", full), failed("i-2", "odd"), failed("i-3", "odd")]
    assert "Next" not in messages.results(summary_of(unknown), FRAME).text
    assert "Next" not in messages.results(summary_of([succeeded("i-1")]), FRAME).text
    crowded = [failed(f"i-{n}-{k}", f"{k} {'x' * 200} {refused_}", code=k) for n in range(9) for k in range(1, 7)]
    step = "\nNext (network): see whether the service over there can be reached."
    told = []
    for number in range(12):
        notes = tuple(f"Note {n} {'x' * 90}." for n in range(number))
        text = messages.results(summary_of(crowded), replace(FRAME, notes=notes)).text
        told.append(text.endswith(step))
        assert told[-1] or b.width(text) + b.width(step) > b.MOST_TEXT
    assert set(told) == {True, False}


def test_failures_stand_first_and_named_and_the_numbers_add_up() -> None:
    message = MESSAGES["120_results"]()
    assert message.text.split("\n") == [
        "3 of 120 failed, 1 timed out, 2 never ran: deploy-web, cn-hangzhou. No space left on 2; 2 more reasons.",
        "2 failed: no space left, exit code 1: web-001, web-002. "
        "Output ends: tar: /var/www/app: No space left on device",
        "1 failed: could not connect, exit code 7: web-003. "
        "Output ends: curl: (7) Failed to connect to registry port 443",
        "1 timed out (ExecutionTimeout): web-004. Output ends: waiting for lock",
        "2 never ran: agent not online (ClientNotOnline): web-005, web-006.",
        "114 exit code 0.",
        "Next (host owner): free space, or grow the disk.",
    ]
    seen = shown(message)
    assert seen.index("web-[001,002]") < seen.index("web-003") < seen.index("web-004") < seen.index("web-[005,006]")
    assert 3 + 1 + 2 + 114 == 120


@pytest.mark.parametrize("name", ["hostile", "several"])
def test_nothing_harmful_is_shown(name: str) -> None:
    message = MESSAGES[name]()
    everything = json.dumps(payload(message))
    assert not any(code in everything for code in ("\\u0000", "\\u001b", "\\u202e", "\\u200f", "\\ud83d\\n", "hunter2"))


def test_notes_about_an_output_stand_under_it() -> None:
    seen = shown(several())
    assert "1,200 bytes are missing from this output; Cloud Assistant does not say where · 1 secret masked" in seen
    assert "Whole output in OSS: \noss://logs/o.txt" in seen
    assert "password=[masked]" in seen


def test_who_is_on_it_stands_under_line_one() -> None:
    since = datetime(2026, 11, 24, 3, 14, tzinfo=UTC)
    seen = shown(messages.results(summary_of(fleet()), replace(FRAME, on_it="<!here> Lucas", on_it_since=since)))
    assert "On it: &lt;!here&gt; Lucas since <!date^" in seen
    assert "On it" not in shown(messages.results(summary_of(fleet()), FRAME))


THREE = "Exit code 1 on 1; exit code 2 on 1; exit code 3 on 1"


@pytest.mark.parametrize(
    ("groups", "first"),
    [
        (1, "1 of 1 failed: deploy-web on i-000, cn-hangzhou. Exit code 1 on 1."),
        (3, f"3 of 3 failed: deploy-web, cn-hangzhou. {THREE}."),
        (
            4,
            f"4 of 4 failed: deploy-web, cn-hangzhou. {THREE}; 1 more reason.",
        ),
        (
            9,
            f"9 of 9 failed: deploy-web, cn-hangzhou. {THREE}; 6 more reasons.",
        ),
        (110, f"110 of 110 failed: deploy-web, cn-hangzhou. {THREE}."),
    ],
)
def test_line_one(groups: int, first: str) -> None:
    message = messages.results(summary_of([failed(f"i-{n:03}", code=n + 1) for n in range(groups)]), FRAME)
    assert message.text.split("\n")[0] == first
    assert within(message) == []


def test_line_one_keeps_its_counts_where_the_names_are_long() -> None:
    rows = [failed("i-1"), row("i-2", "Timeout"), never_ran("i-3"), row("i-4", "Odd"), running("i-5")]
    message = messages.results(summary_of(rows * 1, CommandName="n" * 200), FRAME)
    first = message.text.split("\n")[0]
    assert first.startswith("1 of 5 failed, 1 timed out, 1 never ran, 1 in an unknown state, 1 still going: nnn")
    assert first.endswith("…")
    assert within(message) == []


def test_what_has_no_room_is_counted() -> None:
    rows = [failed(f"i-{n:03}", f"error number {n}", code=n + 1) for n in range(9)]
    message = messages.results(summary_of(rows, names(9)), FRAME)
    assert "4 more groups, 4 instances" in shown(message)
    assert "4 more groups, 4 results, not read out." in message.text
    by_run = messages.results_on_instances(summarise_results(results_of(rows), [], {}), "web", FRAME)
    assert "4 more groups, 4 runs" in shown(by_run)


def test_the_text_gives_up_ends_of_outputs_then_names() -> None:
    def text(output: str, name: str) -> str:
        rows = [failed(f"i-{n:03}", f"{output} {n % 5}", code=n % 5 + 1) for n in range(50)]
        known = {f"i-{n:03}": f"{name}{n}" for n in range(50)}
        return messages.results(summary_of(rows, known), FRAME).text

    assert text("x" * 60, "web-").count("Output ends") == 5
    assert "…" in text("x" * 300, "web-name-which-is-long-")
    named = text("x" * 300, "n" * 37)
    assert "Output ends" not in named
    assert "and 5 more" in named
    assert "and 8 more" in text("x", "&" * 37)


def test_successes_with_several_outputs() -> None:
    rows = [succeeded(f"i-{n:03}", f"version {n % 2}") for n in range(5)]
    seen = shown(messages.results(summary_of(rows), FRAME))
    assert "5 exit code 0, 2 different outputs" in seen
    assert "3 × i-000, i-002, i-004   cn-hangzhou" in seen
    many = [succeeded(f"i-{n:03}", f"version {n}") for n in range(6)]
    assert shown(messages.results(summary_of(many), FRAME)).count("×") == 1


def test_a_run_that_has_lasted_and_one_that_has_not_begun() -> None:
    assert "running for 9 min" in shown(going())
    waiting = summary_of([row(f"i-{n}", "Pending", StartTime="", FinishedTime="") for n in range(2)], CreationTime=None)
    message = messages.results(waiting, FRAME)
    assert "running for" not in shown(message)
    assert "ran <!date" not in shown(message)
    late = summary_of([running("i-1", StartTime="2026-11-24T20:00:00Z")])
    assert "killed at" not in shown(messages.results(late, FRAME))


def test_finished_without_an_end_time_says_no_duration() -> None:
    rows = [failed("i-1", FinishedTime=""), failed("i-2", FinishedTime="")]
    assert "took" not in shown(messages.results(summary_of(rows), FRAME))


def test_a_frame_may_be_empty() -> None:
    message = messages.results(summary_of([]), messages.Frame(now=NOW))
    assert message.text == "No results yet: deploy-web, cn-hangzhou."
    assert within(message) == []


def test_many_ids_are_counted() -> None:
    runs = [invocation([succeeded("i-1")], InvokeId=f"t-hz0run{n:04}") for n in range(10)]
    message = messages.results(summarise(runs, [], {}), FRAME)
    assert "t-hz0run0000 (1)" in shown(message)
    assert "and 2 more" in shown(message)
    assert within(message) == []


def test_times_in_the_text_are_in_the_persons_zone() -> None:
    rows = [row("i-1", "Scheduled", ExitCode=1, Repeats=n, StartTime=f"2026-11-24T{n:02}:00:00Z") for n in (1, 2)]
    run = invocation(rows[-1:], RepeatMode="Period", Frequency="rate(1h)", InvocationStatus="Scheduled")
    zone = timezone(timedelta(hours=8), "CST")
    message = messages.results(summarise([run], results_of(rows), {}), replace(FRAME, zone=zone))
    assert "failed 2 times in a row since 2026-11-24 09:00 CST." in message.text


# Lists


def test_a_list_counts_failures_and_puts_them_first() -> None:
    message = listed()
    assert message.text.split("\n")[0] == "1 of 5 runs failed, 2 still going: newest runs, cn-hangzhou."
    assert message.text.split("\n")[1].startswith("3 of 120 failed, 1 timed out, 2 never ran: deploy-web")


@pytest.mark.parametrize(
    ("rows", "head"),
    [([succeeded("i-1")], "✓ 1 run, none failed: x"), ([running("i-1")], "▸ 1 run, none failed, 1 still going: x"),
     ([failed("i-1")], "✖ 1 of 1 run failed: x"), ([], "? 1 run, none failed: x")],
)  # fmt: skip
def test_the_head_of_a_list(rows: list[dict[str, Any]], head: str) -> None:
    assert shown(messages.runs([[invocation(rows)]], "x", FRAME)).split("\n")[0] == head


def test_a_list_of_nothing() -> None:
    message = messages.runs([], "newest runs", messages.Frame(now=NOW))
    assert message.text == "0 runs, none failed: newest runs."
    assert refused(message) == []


def test_a_long_list_is_read_out_as_far_as_there_is_room() -> None:
    runs = [invocation([failed("i-1")], InvokeId=f"t-hz0run{n:04}", CommandName="n" * 40) for n in range(50)]
    message = messages.runs(alone(runs), "newest runs", FRAME, "More: page:2")
    assert refused(message) == []
    assert "t-hz0run0049" in shown(message)
    assert message.text.endswith("more.\nMore: page:2")
    crowded = messages.runs(alone(runs[:1]), "h", replace(FRAME, notes=("n" * 1_450,)))
    assert crowded.text.startswith("1 of 1 run failed: h.\nnnn")


# Sentences


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Throttled("DescribeInvocations", "cn-x", 5.0, request_id="R1"),
         "Alibaba Cloud still refuses DescribeInvocations in cn-x (too many calls in this account, by anyone), so I "
         "have no answer. Please ask again in a few minutes. Request id R1."),
        (Unavailable("X", "cn-x"), "Alibaba Cloud gave no usable answer to X in cn-x (no reply), several times. "
         "Please ask again in a minute."),
        (CloudError("X", "cn-x", "InternalError"), "(InternalError)"),
        (Denied("X", "cn-x", "NoCredentials"), "I have no keys."),
        (Denied("X", "cn-x", "Forbidden.RAM"), "my role may not do that (Forbidden.RAM). It needs the right ecs:X."),
        (Denied("X", "cn-x", "InvalidAccessKeyId.NotFound"), "my keys are not accepted"),
        (Denied("X", "cn-x", "InvalidRegionId.NotFound"), "there is no such region (InvalidRegionId.NotFound)."),
        (Denied("X", "prod/cn-x", "NoSuchAccount"), "no account of that name is asked any more (BOT_ACCOUNTS)."),
        (RoleRefused("prod/cn-x", "acs:ram::11:role/reader", "NoPermission", "R1"),
         "Alibaba Cloud refused AssumeRole in prod/cn-x: the account prod did not give me the role "
         "acs:ram::11:role/reader (NoPermission). My own role needs sts:AssumeRole on it, and its trust policy must "
         "name my role. Request id R1."),
        (RoleRefused("prod/cn-x", "acs:ram::11:role/reader", ""), "(no reason given)"),
        (RoleRefused("prod/cn-x", "acs:ram::11:role/reader", "NoCredentials"), "I have no keys."),
        (Denied("X", "cn-x", "MissingParameter<!here>"), "X in cn-x: MissingParameter&lt;!here&gt;."),
        (Denied("X", "cn-x"), "X in cn-x: it gave no reason."),
    ],
)  # fmt: skip
def test_cloud_errors(error: CloudError, told: str) -> None:
    message = messages.cloud_error(error)
    assert told in message.text
    assert refused(message) == []


def test_other_sentences() -> None:
    assert "I ask again in 1 s; you need not do anything." in messages.waiting(Throttled("X", "cn-x", 0.2)).text
    assert messages.apology("1-abc").text.endswith("request id 1-abc.")
    assert messages.apology("").text.endswith("request id unknown.")
    assert messages.sentence(" \x00").text == "…"
    assert messages.sentence("a <!channel>").text == "a &lt;!channel&gt;"


def test_a_note_survives_on_any_message() -> None:
    note = "This may be a repeat <!here>."
    full = Message("&amp;" * 300, tuple(b.rich_text(b.line(b.words("x"))) for _ in range(50)))
    for message in (full, messages.sentence("x"), MESSAGES["120_results"]()):
        noted = messages.noted(message, note)
        assert noted.text.endswith("This may be a repeat &lt;!here&gt;.")
        assert bool(noted.blocks) == bool(message.blocks)
        assert refused(noted) == []
        assert b.width(noted.text) <= b.MOST_TEXT


# Whatever comes in


TEXT = st.one_of(st.none(), st.integers(), st.sampled_from(HOSTILE), st.text(st.characters(), max_size=400))
OUTPUT = st.one_of(
    st.none(), st.text(max_size=20), st.binary(max_size=300).map(lambda raw: base64.b64encode(raw * 40).decode())
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"InvokeId": st.sampled_from([RUN, RUN, "t-other1"])},
        optional={
            "InstanceId": TEXT,
            "CommandId": TEXT,
            "InvocationStatus": st.sampled_from(["Failed", "Success", "Timeout", "Aborted", "Running", "Scheduled"])
            | TEXT,
            "ErrorCode": st.sampled_from(["", "ClientNotOnline", "ExecutionTimeout"]) | TEXT,
            "ErrorInfo": TEXT,
            "ExitCode": st.one_of(st.integers(), st.floats(), TEXT),
            "Output": OUTPUT,
            "Dropped": st.one_of(st.integers(), TEXT),
            "Repeats": st.one_of(st.integers(0, 5), TEXT),
            "StartTime": st.sampled_from(["2026-11-24T21:01:00Z", "2999-12-31T23:59Z", "0001-01-01T00:00:00Z", ""])
            | TEXT,
            "FinishedTime": st.sampled_from(["2026-11-24T21:02:00Z", "2000-01-01T00:00:00Z", ""]) | TEXT,
            "Username": TEXT,
            "OssOutputUri": TEXT,
        },
    ),
    max_size=10,
)


@settings(max_examples=120)
@given(ROWS, TEXT, TEXT, st.sampled_from(["Once", "Period"]), st.integers() | TEXT)
def test_any_rows_make_messages_that_slack_takes(
    rows: list[dict[str, Any]], name: Any, frequency: Any, mode: str, timeout: Any
) -> None:
    fields = {"CommandName": name, "Frequency": frequency, "RepeatMode": mode, "Timeout": timeout}
    runs = [invocation(rows, **fields), invocation([], InvokeId="t-other1", Username=name)]
    results = results_of(rows)
    known = {one.instance_id: Instance(one.instance_id, REGION, str(name)) for one in results[:3]}
    frame = replace(FRAME, asked_by=str(name), notes=(str(name),), zone=timezone(timedelta(hours=14)))
    assert within(messages.results(summarise(runs, results, known), frame)) == []
    assert within(messages.results_on_instances(summarise_results(results, runs, known), str(name), frame)) == []
    assert refused(messages.runs(alone(runs), str(name), frame)) == []


def answered(rows: list[dict[str, Any]]) -> Message:
    """From rows of the API to a message."""
    known = {one["InstanceId"]: Instance(one["InstanceId"], REGION, f"web-{n:05}") for n, one in enumerate(rows)}
    run = invocation(rows)
    return messages.results(summarise([run], results_of(rows), known), FRAME)


def test_10000_results_with_20_outputs_make_one_message() -> None:
    rows = [failed(f"i-{n}", (f"output {n % 20} " * 30)[:200], code=1 + n % 2) for n in range(10_000)]
    message = answered(rows)
    assert within(message) == []
    assert message.text.startswith("10,000 of 10,000 failed")


def test_500_random_outputs_of_24_kb_with_anything_missing_make_one_message() -> None:
    chance = random.Random(7)
    rows = []
    for n in range(500):
        status = chance.choice(["Failed", "Odd", "Success"])
        made = row(f"i-{n}", status, chance.randbytes(24_000), ExitCode=n, ErrorCode=f"C{n % 9}")
        for key in chance.sample(list(made)[2:], 2):
            made[key] = chance.choice([None, made[key], "", 3])
        rows.append(made)
    assert within(answered(rows)) == []


@pytest.mark.parametrize("nasty", ["&" * 400, "<!here>" * 60, "😀" * 200, "n" * 400])
def test_the_least_detail_holds_whatever_the_names_are(nasty: str) -> None:
    rows = [
        failed(f"i-{n}", nasty, ErrorCode=f"{n}{nasty}", ErrorInfo=nasty, OssOutputUri=nasty, Dropped=9)
        for n in range(9)
    ]
    assert (
        within(
            messages.results(summary_of(rows, {f"i-{n}": f"{n}{nasty}" for n in range(9)}, CommandName=nasty), FRAME)
        )
        == []
    )


def test_data_age_is_told() -> None:
    old = replace(FRAME, read_at=datetime(2026, 11, 24, 21, 5, tzinfo=UTC))
    assert "data 5 min old" in shown(messages.results(summary_of([failed("i-1")]), old))


@pytest.mark.parametrize(
    ("durations", "said"),
    [
        ([], ""),
        ([240.0], "The last run of this command took 4 min."),
        ([180.0, 300.0, 240.0], "The last 3 runs of this command took 3 min to 5 min."),
    ],
)
def test_how_long_it_usually_takes(durations: list[float], said: str) -> None:
    assert messages.usual(durations) == said


def test_progress_tells_no_outputs_and_when_the_next_look_is_due() -> None:
    going = summarise([invocation([running("i-1"), failed("i-2"), succeeded("i-3")])], (), {})
    frame = replace(FRAME, next_look=FRAME.now + timedelta(seconds=5), notes=("The last run took 4 min.",))
    message = messages.progress(going, frame, [])
    seen = shown(message)
    assert "next look <!date^" in seen
    assert "of 3 done, 1 failed" in message.text
    assert "output" not in seen
    assert "rich_text_preformatted" not in str(message.blocks)
    assert "The last run took 4 min." in message.text


def test_a_reply_that_rings_names_the_person_and_line_one() -> None:
    message = messages.results(summary_of(fleet()), FRAME)
    ringing = messages.ringing(message, "U0MEI00001")
    assert ringing.text == f"<@U0MEI00001> {message.text.splitlines()[0]}"
    assert ringing.blocks == ()


def test_what_folded_outputs_differ_in_stands_beside_the_one_that_is_shown() -> None:
    rows = [failed(f"i-{n}", f"12:00:0{n} worker pid {n}0 gone") for n in (1, 2, 3)]
    message = messages.results(summary_of(rows), FRAME)
    assert "12:00:01 worker pid 10 gone" in shown(message)
    assert "differs in: time, pid" in shown(message)
    assert refused(message) == []


def test_secrets_are_counted_beside_the_output() -> None:
    message = messages.results(summary_of([failed("i-1", "password=hunter2 token=a1b2c3d4e5")]), FRAME)
    assert "2 secrets masked" in shown(message)
