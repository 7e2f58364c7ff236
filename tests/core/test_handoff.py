"""Ids of what did not succeed, ready to copy: complete, within Slack's limits, and safe to paste."""

from __future__ import annotations

import csv
import io
import re
import shlex
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import blocks as b
from bot.core.handoff import csv_of, failed_ids
from bot.core.model import Instance
from bot.core.summary import Summary, summarise, summarise_results
from bot.core.texts import speaking
from bot.languages import catalogue
from core.samples import (
    HOSTILE,
    REGION,
    RUN,
    failed,
    invocation,
    never_ran,
    refused,
    results_of,
    row,
    running,
    shown,
    succeeded,
    summary_of,
)

COMMAND = {"CommandId": "c-hz0jdfwcsr"}


def forms(summary: Summary) -> dict[str, list[str]]:
    """The lines of each form by its heading."""
    found = {}
    for block in failed_ids(summary).blocks:
        if block["type"] == "rich_text":
            heading, *pieces = ("".join(one["text"] for one in part["elements"]) for part in block["elements"])
            found[heading] = "\n".join(pieces).split("\n")
    return found


def ids_in(lines: list[str]) -> list[str]:
    return re.findall(r"--InstanceId[.]\d+ (\S+)", " ".join(lines))


def cells(summary: Summary) -> list[list[str]]:
    return list(csv.reader(io.StringIO(csv_of(summary.groups))))


def test_three_forms_of_what_did_not_succeed() -> None:
    rows = [
        failed("i-1", **COMMAND),
        row("i-2", "Timeout", ErrorCode="ExecutionTimeout", **COMMAND),
        never_ran("i-3", **COMMAND),
        succeeded("i-4"),
    ]
    assert forms(summary_of(rows, {"i-1": "web, one"})) == {
        "3 instances without success": ["i-1", "i-2", "i-3"],
        "Run it again there": [
            "aliyun ecs InvokeCommand --RegionId cn-hangzhou --CommandId c-hz0jdfwcsr"
            " --InstanceId.1 i-1 --InstanceId.2 i-2 --InstanceId.3 i-3"
        ],
        "CSV": [
            "instance_id,name,region,state,error_code,exit_code,reason",
            'i-1,"web, one",cn-hangzhou,failed,ExitCodeNonzero,1,',
            "i-2,i-2,cn-hangzhou,timed out,ExecutionTimeout,,timeout",
            "i-3,i-3,cn-hangzhou,never ran,ClientNotOnline,,agent-offline",
        ],
    }


def test_in_the_csv_the_state_is_for_who_reads_it_and_the_rest_for_who_sorts_by_it() -> None:
    rows = [failed("i-1"), row("i-2", "Timeout", ErrorCode="ExecutionTimeout"), never_ran("i-3")]
    with speaking(catalogue("zh")):
        assert forms(summary_of(rows))["CSV"] == [
            "instance_id,name,region,state,error_code,exit_code,reason",
            "i-1,i-1,cn-hangzhou,失败,ExitCodeNonzero,1,",
            "i-2,i-2,cn-hangzhou,超时,ExecutionTimeout,,timeout",
            "i-3,i-3,cn-hangzhou,未执行,ClientNotOnline,,agent-offline",
        ]


def test_a_reason_in_the_csv_bears_a_question_mark_where_it_is_not_proven() -> None:
    full = "tar: x: No space left on device"
    denied = "rm: x: Permission denied"
    rows = [failed("i-1", denied), failed("i-2", full, Dropped=9), failed("i-3", code=137), failed("i-4", "odd")]
    reasons = {line[0]: line[6] for line in cells(summary_of(rows))[1:]}
    assert reasons == {"i-1": "permission", "i-2": "disk-full?", "i-3": "killed?", "i-4": ""}


def test_a_command_line_for_each_region_and_command() -> None:
    rows = [failed("i-1", **COMMAND), failed("i-2")]
    far = [failed("i-3", InvokeId="t-hk0c12345", **COMMAND)]
    runs = [invocation(rows), invocation(far, "cn-hongkong", InvokeId="t-hk0c12345")]
    summary = summarise(runs, [*results_of(rows), *results_of(far, "cn-hongkong")], {})
    assert sorted(forms(summary)["Run it again there"]) == [
        "aliyun ecs InvokeCommand --RegionId cn-hangzhou --CommandId c-hz0jdfwcsr --InstanceId.1 i-1",
        "aliyun ecs InvokeCommand --RegionId cn-hangzhou --CommandId c-… --InstanceId.1 i-2",
        "aliyun ecs InvokeCommand --RegionId cn-hongkong --CommandId c-hz0jdfwcsr --InstanceId.1 i-3",
    ]


def test_a_command_line_names_the_account_as_a_profile() -> None:
    rows = [failed("i-1", **COMMAND)]
    summary = summarise([invocation(rows, "prod/cn-hangzhou")], results_of(rows, "prod/cn-hangzhou"), {})
    assert forms(summary)["Run it again there"] == [
        "aliyun ecs InvokeCommand --RegionId cn-hangzhou --profile prod --CommandId c-hz0jdfwcsr --InstanceId.1 i-1"
    ]
    assert forms(summary)["CSV"][1] == "i-1,i-1,prod/cn-hangzhou,failed,ExitCodeNonzero,1,"


def test_what_is_going_can_be_stopped_and_what_that_means_is_said() -> None:
    summary = summary_of([running("i-1"), running("i-2"), succeeded("i-3")])
    assert forms(summary) == {
        "Stop what is still going": [
            f"aliyun ecs StopInvocation --RegionId {REGION} --InvokeId {RUN} --InstanceId.1 i-1 --InstanceId.2 i-2"
        ]
    }
    assert "where the command runs already it goes on" in shown(failed_ids(summary))


def test_the_caveat_stands_only_where_something_can_be_stopped() -> None:
    assert "it goes on" not in shown(failed_ids(summary_of([failed("i-1")])))


@pytest.mark.parametrize("rows", [[], [succeeded("i-1")]])
def test_nothing_to_copy_is_said(rows: list[dict[str, Any]]) -> None:
    message = failed_ids(summary_of(rows))
    assert message.text == "Nothing failed, and nothing is going: there is nothing to copy."
    assert not message.blocks


def test_an_instance_on_which_several_runs_failed_is_listed_once() -> None:
    rows = [failed("i-1", InvokeId=f"t-hz0run000{n}", **COMMAND) for n in range(3)]
    told = forms(summarise_results(results_of(rows), [invocation()], {}))
    assert told["1 instance without success"] == ["i-1"]
    assert ids_in(told["Run it again there"]) == ["i-1"]


def test_a_result_without_an_id_gives_no_line_to_run_but_one_to_read() -> None:
    assert list(forms(summary_of([failed("")]))) == ["CSV"]


@pytest.mark.parametrize("going", [0, 40, 100])
def test_ids_of_a_hundred_targets_are_complete_in_every_line_to_paste(going: int) -> None:
    ids = [f"i-bp1{n:019d}" for n in range(100)]
    rows = [(running if n < going else failed)(one, **COMMAND) for n, one in enumerate(ids)]
    summary = summary_of(rows, {one: f"a-rather-long-name-of-a-machine-{one}" for one in ids})
    told = forms(summary)
    assert told.get(f"{100 - going} instances without success", []) == ids[going:]
    assert ids_in(told.get("Run it again there", [])) == ids[going:]
    assert ids_in(told.get("Stop what is still going", [])) == ids[:going]
    assert refused(failed_ids(summary)) == []


def test_what_does_not_fit_is_counted() -> None:
    ids = [f"i-bp1{n:019d}" for n in range(2_000)]
    listed = forms(summary_of([failed(one) for one in ids]))["2,000 instances without success"]
    assert listed[:-1] == ids[: len(listed) - 1]
    assert listed[-1] == f"… {2_000 - len(listed) + 1:,} more lines: no room in one message"


def test_forms_share_the_room_of_one_message_and_the_longest_gives_way() -> None:
    rows = [(failed if n % 2 else running)(f"i-{n:03}", CommandId=f"c-{n}", InvokeId=f"t-{n}") for n in range(400)]
    names = {f"i-{n:03}": Instance(f"i-{n:03}", REGION, "漢😀" * 20) for n in range(400)}
    summary = summarise_results(results_of(rows), [], names)
    told = forms(summary)
    assert [lines[-1].endswith("no room in one message") for lines in told.values()] == [False, True, True, True]
    assert b.size(failed_ids(summary).blocks) <= b.MOST_IN_ALL
    assert "left out" not in shown(failed_ids(summary))


def test_width_is_counted_as_slack_does() -> None:
    summary = summary_of([failed("😀" * 1_400), failed("😀" * 1_500)])
    assert forms(summary)["2 instances without success"] == ["😀" * 1_400, "… 1 more line: no room in one message"]


def test_a_missing_exit_code_is_not_zero() -> None:
    summary = summary_of([failed("i-1", code=0), row("i-2", "Error")])
    assert {line[0]: line[5] for line in cells(summary)[1:]} == {"i-1": "0", "i-2": ""}


def test_a_line_too_long_for_slack_is_counted_and_not_cut() -> None:
    long = "i-" + "x" * 3_000
    assert forms(summary_of([failed(long), failed("i-1")]))["2 instances without success"] == [
        "i-1",
        "… 1 more line: no room in one message",
    ]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "＝1+1"])
def test_a_spreadsheet_takes_no_cell_for_a_formula(name: str) -> None:
    summary = summary_of([failed("i-1", ErrorCode=name)], {"i-1": name})
    _, (_, shown_name, _, _, code, _, _) = cells(summary)
    assert (shown_name, code) == (f"'{name.strip()}", f"'{name.strip()}")


def test_a_name_in_a_cell_keeps_to_its_cell() -> None:
    rows = [failed(f"i-{n}", ErrorCode=text) for n, text in enumerate(HOSTILE)]
    found = cells(summary_of(rows, {f"i-{n}": f'a,"b"\n{text}' for n, text in enumerate(HOSTILE)}))
    assert [len(line) for line in found] == [7] * 5


def test_an_id_cannot_leave_its_place_in_a_command_line() -> None:
    evil = "i-1; rm -rf / #"
    summary = summary_of([failed(evil, CommandId="c-1 $(id)"), running("i-2", InvokeId="t-1 $(id)")])
    told = forms(summary)
    assert shlex.split(told["Run it again there"][0])[-3:] == ["c-1 $(id)", "--InstanceId.1", evil]
    assert shlex.split(told["Stop what is still going"][0])[-3:] == ["t-1 $(id)", "--InstanceId.1", "i-2"]


any_text = st.text(max_size=40) | st.sampled_from(HOSTILE) | st.sampled_from(["i-" + "x" * 700, "😀" * 400])


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from([failed, running, never_ran]), any_text, any_text), max_size=12))
def test_slack_takes_it_whatever_ids_and_names_are(found: list[tuple[Any, str, str]]) -> None:
    rows = [make(one, CommandId=text) for make, one, text in found]
    names = {one: Instance(one, REGION, text) for _, one, text in found}
    assert refused(failed_ids(summarise([invocation(rows)], results_of(rows), names))) == []
