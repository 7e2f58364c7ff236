"""What a question means for the API and for the rows that come back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot import filters
from bot.core.model import Instance, Invocation, InvocationResult
from bot.core.parsing import parse
from bot.core.summary import summarise_results

NOW = datetime(2026, 11, 24, 18, 30, tzinfo=UTC)
SHANGHAI = timezone(timedelta(hours=8))  # there it is 02:30 on the 25th


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("", [({}, "")]),
        ("failed", [({"InvokeStatus": "Failed"}, ""), ({"InvokeStatus": "PartialFailed"}, "")]),
        ("c-hz0000001 running", [({"InvokeStatus": "Running", "CommandId": "c-hz0000001"}, "")]),
        ("c-hz0000001 c-hz0000002", [({"CommandId": "c-hz0000001"}, ""), ({"CommandId": "c-hz0000002"}, "")]),
        ("command:deploy-web", [({"CommandName": "deploy-web"}, "")]),
        ("command:deploy-*", [({}, "deploy-*")]),
        ("deploy-web purge-*", [({"CommandName": "deploy-web"}, ""), ({}, "purge-*")]),
        (
            "type:bat mode:period group:rg-bp67acfmxazb4p tag:team=web tag:env=",
            [
                (
                    {
                        "CommandType": "RunBatScript",
                        "RepeatMode": "Period",
                        "ResourceGroupId": "rg-bp67acfmxazb4p",
                        "Tag": [{"Key": "team", "Value": "web"}, {"Key": "env", "Value": ""}],
                    },
                    "",
                )
            ],
        ),
    ],
)
def test_selections_of_runs(words, wanted):
    assert filters.selections(parse(words)) == wanted


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("", []),
        ("running", []),
        ("failed mode:once", []),
        ("failed", [({"RepeatMode": "Period"}, "")]),
        ("failed mode:period command:back*", [({"RepeatMode": "Period"}, "back*")]),
    ],
)
def test_failed_runs_are_looked_for_among_schedules_too(words, wanted):
    assert filters.of_schedules(parse(words)) == wanted


def test_results_on_an_instance_take_one_command():
    assert filters.on_instance(parse("web-01 c-hz0000001")) == {"CommandId": "c-hz0000001"}
    assert filters.on_instance(parse("web-01 c-hz0000001 c-hz0000002 tag:a=b")) == {"Tag": [{"Key": "a", "Value": "b"}]}


def test_an_address_may_be_of_three_kinds():
    assert [list(one) for one in filters.of_address("10.0.0.7")] == [
        ["PrivateIpAddresses"],
        ["PublicIpAddresses"],
        ["EipAddresses"],
    ]
    assert filters.of_address("10.0.0.7")[0] == {"PrivateIpAddresses": '["10.0.0.7"]'}
    assert filters.of_address("fe80::1") == [{"Ipv6Address": ["fe80::1"]}]


def test_targets_are_wanted_by_id_name_and_address():
    instances = [Instance("i-0001", "r", "web-01", ("10.0.0.1",)), Instance("i-0002", "r", "db-01", ("10.0.0.2",))]
    ids = ["i-0001", "i-0002", "i-0003"]
    assert filters.targets_wanted(parse("i-0003 i-0004"), ids, instances) == {"i-0003"}
    assert filters.targets_wanted(parse("web-*"), ids, instances) == {"i-0001"}
    assert filters.targets_wanted(parse("10.0.0.2"), ids, instances) == {"i-0002"}
    assert not filters.names_targets(parse("t-hz0000001 failed"))


def result(status="Success", minutes=10, instance="i-0001", invoke="t-1", **more):
    started = NOW - timedelta(minutes=minutes)
    return InvocationResult(invoke, instance, "r", "c-hz0000001", status, started=started, **more)


def rows(*results):
    summary = summarise_results(results, [Invocation("t-1", "r", command_name="deploy-web")], {})
    return summary, [row for group in summary.groups for row in group.rows]


@pytest.mark.parametrize(
    ("words", "status", "fits"),
    [
        ("failed", "Failed", True),
        ("failed", "Timeout", True),
        ("failed", "Success", False),
        ("finished", "Success", True),
        ("finished", "Running", False),
        ("success", "Success", True),
        ("running", "Running", True),
        ("running", "Pending", False),
        ("pending", "Pending", True),
        ("scheduled", "Scheduled", True),
        ("stopping", "Stopping", True),
        ("stopped", "Terminated", True),
        ("stopped", "Failed", False),
        ("failed running", "Running", True),
        ("c-hz0000001 c-hz0000002", "Success", True),
        ("c-hz0000009 c-hz0000002", "Success", False),
        ("command:deploy-*", "Success", True),
        ("command:purge", "Success", False),
        ("", "Whatever", True),
    ],
)
def test_a_row_fits(words, status, fits):
    _, [row] = rows(result(status))
    assert filters.fits(row, parse(words), None) is fits


def test_a_row_fits_by_time_and_one_without_a_time_is_kept():
    _, [row] = rows(result(minutes=10))
    assert filters.fits(row, parse(""), NOW - timedelta(minutes=11))
    assert not filters.fits(row, parse(""), NOW - timedelta(minutes=9))
    _, [timeless] = rows(InvocationResult("t-1", "i-0001", "r"))
    assert filters.fits(timeless, parse(""), NOW)


def test_narrows_rows():
    assert not filters.narrows_rows(parse("web-01 c-hz0000001"))
    for words in ("failed", "since:2h", "command:a", "c-hz0000001 c-hz0000002"):
        assert filters.narrows_rows(parse(words))


def test_a_narrowed_summary_still_adds_up():
    summary, _ = rows(result("Success"), result("Failed", invoke="t-2"), result("Failed", invoke="t-3"))
    bad = filters.only(summary, lambda row: row.result.status == "Failed")
    assert (bad.total, sum(bad.counts.values()), len(bad.groups)) == (2, 2, 1)


def test_the_newest_rows_of_each_instance():
    summary, _ = rows(
        result(minutes=3, invoke="t-1"),
        result(minutes=2, invoke="t-2"),
        result(minutes=1, invoke="t-3"),
        result(minutes=9, invoke="t-4", instance="i-0002"),
        InvocationResult("t-5", "i-0002", "r"),
    )
    kept = {row.result.invoke_id for group in filters.newest(summary, 1).groups for row in group.rows}
    assert kept == {"t-3", "t-4"}


def test_runs_since():
    runs = [Invocation("t-1", "r", created=NOW), Invocation("t-2", "r", created=NOW - timedelta(hours=3))]
    timeless = Invocation("t-3", "r")
    assert filters.runs_since([*runs, timeless], NOW - timedelta(hours=2)) == (runs[0], timeless)
    assert filters.runs_since(runs, None) == tuple(runs)


def test_what_narrows_is_said_in_the_persons_words():
    words = "failed since:2h tag:a=b group:rg-bp67acfmxazb4p type:bat mode:once page:2"
    assert filters.narrowed(parse(words)) == (" (failed since:2h tag:a=b rg-bp67acfmxazb4p RunBatScript Once page:2)")
    assert filters.narrowed(parse("")) == ""
    assert filters.of_commands(parse("c-hz0000001 command:deploy")) == " of c-hz0000001, deploy"
    assert filters.of_commands(parse("")) == ""


def test_long_lists_are_counted():
    assert filters.abbreviated(["a", "b"]) == "a, b"
    assert filters.abbreviated([*"abcdefg"]) == "a, b, c, d and 3 other regions"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30m", "2026-11-25T02:00+08:00"),
        ("2h", "2026-11-25T00:30+08:00"),
        ("9999w", "1835-04-08T02:30+08:00"),
        ("2:29", "2026-11-25T02:29+08:00"),
        ("21:00", "2026-11-24T21:00+08:00"),
        ("2026-11-24", "2026-11-24T00:00+08:00"),
        ("2026-11-24t9:30", "2026-11-24T09:30+08:00"),
    ],
)
def test_since_in_the_persons_time_zone(text, moment):
    assert filters.since(text, NOW, SHANGHAI) == datetime.fromisoformat(moment)
