"""What failures share: said only where it says something, in the same words whatever the order."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import messages, where
from bot.core.model import Instance
from bot.core.summary import Bucket, Shared, Summary, summarise
from core.samples import FRAME, REGION, failed, invocation, never_ran, refused, results_of, shown, succeeded


def ids(count: int) -> list[str]:
    return [f"i-{number:03}" for number in range(count)]


def fleet(count: int, failing: set[int], stopped: Collection[int] = ()) -> Summary:
    rows = [
        failed(one) if number in failing else never_ran(one) if number in stopped else succeeded(one)
        for number, one in enumerate(ids(count))
    ]
    return summarise([invocation(rows)], results_of(rows), {})


def instances(count: int, **fields: Any) -> dict[str, Instance]:
    """Each field a function from an instance's number to its value."""
    return {
        one: Instance(one, REGION, **{key: value(number) for key, value in fields.items()})
        for number, one in enumerate(ids(count))
    }


def sentences(summary: Summary, known: dict[str, Instance], versions: dict[str, str] | None = None) -> list[str]:
    return where.sentences(where.shared(summary, known, versions or {}), {REGION})


def zone(first: int) -> Any:
    """The first so many in zone h, the others in i and j."""
    return lambda number: f"{REGION}-{'h' if number < first else 'ij'[number % 2]}"


def test_all_failures_are_in_a_zone_that_few_targets_are_in() -> None:
    summary = fleet(240, set(range(7)))
    assert sentences(summary, instances(240, zone=zone(38))) == [
        "7 of 7 failures are in zone h, which has 38 of the 240"
    ]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"image": lambda n: "m-old" if n < 9 else "m-new"}, "have image m-old, as 9 of the 40 do"),
        ({"type": lambda n: "ecs.t5" if n < 9 else "ecs.g7"}, "are of type ecs.t5, as 9 of the 40 are"),
        ({"os_name": lambda n: "Ubuntu  22.04" if n < 9 else "Debian 12"}, "run Ubuntu 22.04, as 9 of the 40 do"),
        ({"os_type": lambda n: "windows" if n < 9 else "linux"}, "run windows, as 9 of the 40 do"),
        ({"vpc": lambda n: "vpc-a" if n < 9 else "vpc-b"}, "are in VPC vpc-a, which has 9 of the 40"),
        ({"vswitch": lambda n: "vsw-a" if n < 9 else "vsw-b"}, "are in vSwitch vsw-a, which has 9 of the 40"),
        ({"tags": lambda n: (("canary", "yes"),) if n < 9 else ()}, "have the tag canary=yes, as 9 of the 40 do"),
    ],
)
def test_each_kind_of_fact(fields: dict[str, Any], says: str) -> None:
    assert sentences(fleet(40, {0, 1, 2, 3}), instances(40, **fields)) == [f"4 of 4 failures {says}"]


def test_the_version_of_the_agent() -> None:
    versions = {one: "2.2.3.309" if number < 9 else "2.2.4.961" for number, one in enumerate(ids(40))}
    assert sentences(fleet(40, {0, 1, 2}), {}, versions) == [
        "3 of 3 failures have agent version 2.2.3.309, as 9 of the 40 do"
    ]
    del versions["i-039"]  # of one target it is not known: it may have it too
    assert len(sentences(fleet(40, {0, 1, 2}), {}, versions)) == 1
    assert sentences(fleet(40, {0, 1, 2}), {}, {one: versions[one] for one in ids(27)}) == []


@pytest.mark.parametrize(
    ("failing", "in_zone", "told"),
    [
        ({0, 1, 2}, 20, True),  # half of the targets
        ({0, 1, 2}, 21, False),  # most of them
        ({0, 1}, 5, False),  # two failures are no pattern
        ({*range(9), 39}, 12, True),  # nine of ten
        ({*range(8), 39}, 12, False),  # eight of nine
        (set(range(40)), 40, False),  # everything fails everywhere
        (set(), 5, False),
        ({0, 13, 26}, 13, False),  # spread
    ],
)
def test_when_it_is_said(failing: set[int], in_zone: int, told: bool) -> None:
    assert bool(sentences(fleet(40, failing), instances(40, zone=zone(in_zone)))) == told


def test_what_the_same_instances_have_is_said_once_and_no_more_than_two_things() -> None:
    known = instances(
        40,
        zone=zone(12),
        vswitch=lambda n: "vsw-h" if n < 12 else "vsw-i",
        image=lambda n: "m-old" if n < 6 else "m-new",
        type=lambda n: "ecs.t5" if n < 18 else "ecs.g7",
    )
    assert sentences(fleet(40, {0, 1, 2}), known) == [
        "3 of 3 failures have image m-old, as 6 of the 40 do",
        "3 of 3 failures are in zone h, which has 12 of the 40",
    ]


def test_what_failed_and_what_never_ran_are_looked_at_together_then_apart() -> None:
    known = instances(40, zone=zone(12))
    assert sentences(fleet(40, {0, 1}, {2, 3}), known) == [
        "4 of 4 that failed or never ran are in zone h, which has 12 of the 40"
    ]
    assert sentences(fleet(40, {0, 1, 2}, {20, 21}), known) == ["3 of 3 failures are in zone h, which has 12 of the 40"]
    assert sentences(fleet(40, {20, 21}, {0, 1, 2}), known) == [
        "3 of 3 that never ran are in zone h, which has 12 of the 40"
    ]


def test_of_instances_that_are_not_known_nothing_is_assumed() -> None:
    known = instances(40, zone=zone(5))
    assert sentences(fleet(40, {0, 1, 2}), {one: known[one] for one in ids(30)}) != []  # 5 and 10 unknown
    assert sentences(fleet(40, {0, 1, 2}), {one: known[one] for one in ids(24)}) == []  # 5 and 16 unknown
    assert sentences(fleet(40, {0, 1, 2, 39}), {one: known[one] for one in ids(39)}) == []  # a failure unknown
    assert sentences(fleet(40, {0, 1, 2}), {}) == []


def test_an_instance_that_failed_in_three_runs_is_one_failure() -> None:
    runs = [f"t-hz0batch{number}" for number in range(3)]
    rows = [failed("i-000", InvokeId=run) for run in runs] + [succeeded(one, InvokeId=runs[0]) for one in ids(9)[1:]]
    summary = summarise([invocation(InvokeId=run) for run in runs], results_of(rows), {})
    assert sentences(summary, instances(9, zone=zone(1))) == []


def test_a_zone_bears_its_region_where_there_are_several() -> None:
    told = where.shared(fleet(40, {0, 1, 2}), instances(40, zone=zone(5)), {})
    assert where.sentences(told, {REGION, "cn-hongkong"}) == [
        "3 of 3 failures are in zone cn-hangzhou-h, which has 5 of the 40"
    ]


def test_it_stands_above_the_groups_and_is_read_out_and_tags_are_only_text() -> None:
    tags = lambda n: (("<!channel>", "*x* password=hunter2secret"),) if n < 5 else ()  # noqa: E731
    summary = fleet(40, {0, 1, 2})
    told = replace(summary, shared=where.shared(summary, instances(40, tags=tags), {}))
    message = messages.results(told, FRAME)
    assert refused(message) == []
    assert "hunter2secret" not in shown(message)
    assert shown(message).index("3 of 3 failures have the tag") < shown(message).index("3 failed")
    assert "3 of 3 failures have the tag" in message.text


facts = st.fixed_dictionaries(
    {
        "zone": st.sampled_from(["", "z-a", "z-b", "z-c"]),
        "image": st.sampled_from(["m-1", "m-2"]),
        "tags": st.lists(st.sampled_from([("a", "1"), ("b", ""), ("", "x")]), max_size=2).map(tuple),
    }
)


@given(st.lists(st.tuples(st.sampled_from(["ok", "failed", "never"]), facts | st.none()), max_size=24), st.randoms())
def test_never_of_fewer_than_three_nearly_all_of_the_failures_few_of_the_targets_in_any_order(
    drawn: list[tuple[str, dict[str, Any] | None]], chance: random.Random
) -> None:
    made = {"ok": succeeded, "failed": failed, "never": never_ran}
    rows = [made[state](f"i-{number}") for number, (state, _) in enumerate(drawn)]
    known = {f"i-{n}": Instance(f"i-{n}", REGION, **some) for n, (_, some) in enumerate(drawn) if some is not None}
    told = where.shared(summarise([invocation(rows)], results_of(rows), {}), known, {})
    assert len(told) <= 2
    for one in told:
        assert one.failures >= 3
        assert one.failures >= 0.9 * one.of_failures
        assert one.having <= 0.5 * one.of_targets
    chance.shuffle(rows)
    mixed = dict(sorted(known.items(), key=lambda pair: chance.random()))
    assert where.shared(summarise([invocation(rows)], results_of(rows), {}), mixed, {}) == told


def test_the_counts_are_plain_counts() -> None:
    known = instances(40, tags=lambda n: (("a", "b"),) if n % 10 == 0 else ())
    assert where.shared(fleet(40, {0, 1, 10, 20}), known, {}) == ()
    [one] = where.shared(fleet(40, {0, 10, 20}), known, {})
    assert one == Shared("tag", "a=b", Bucket.FAILED, 3, 3, 4, 40)
