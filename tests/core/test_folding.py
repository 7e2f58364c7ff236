"""Outputs that say the same are told once; what differs in more than noise never is."""

from __future__ import annotations

import random
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model import Instance
from bot.core.summary import Group, Summary, summarise
from core.samples import REGION, failed, invocation, results_of, succeeded, summary_of

LOG = "2024-01-15 12:30:{n:02d} sshd[{pid}]: stopped after {n}.5 s"


def groups_of(*outputs: str | bytes) -> tuple[Group, ...]:
    return summary_of([failed(f"i-bp{n:04d}", output) for n, output in enumerate(outputs)]).groups


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("ok", "ok \n\n"),
        ("ok", "\x1b[32mok\x1b[0m"),
        ("10%\r100%\ndone", "100%\ndone"),
        ("a\r\nb", "a\nb"),
    ],
)
def test_outputs_equal_but_for_what_a_terminal_hides_are_one(one: str, two: str) -> None:
    (group,) = groups_of(one, two)
    assert group.differs == ()


def test_outputs_that_differ_in_a_word_are_two() -> None:
    assert [group.output.text for group in groups_of("ok", "OK")] == ["ok", "OK"]


def test_what_differs_is_named_beside_one_real_output() -> None:
    outputs = [LOG.format(n=n, pid=4_000 + n) for n in (3, 1, 2)]
    (group,) = groups_of(*outputs)
    assert group.output.text == min(outputs)
    assert group.differs == ("time", "duration", "pid")
    assert [row.output.text for row in group.rows] == outputs


def test_the_output_that_most_sent_is_shown() -> None:
    (group,) = groups_of("pid 10", "pid 30", "pid 20", "pid 30")
    assert (group.output.text, group.differs) == ("pid 30", ("pid",))


def test_other_codes_do_not_fold_whatever_they_print() -> None:
    rows = [
        failed("i-1", "x"),
        failed("i-2", "x", code=2),
        failed("i-3", "x", ErrorCode="Other"),
        succeeded("i-4", "x"),
    ]
    assert [group.count for group in summary_of(rows).groups] == [1, 1, 1, 1]


def test_of_outputs_that_are_alike_the_most_that_is_missing_is_told() -> None:
    (group,) = summary_of([failed(f"i-{missing}", "x", Dropped=missing) for missing in (0, 9, 3)]).groups
    assert group.output.dropped == 9


def on_instances(text: str, *instances: Instance) -> Summary:
    outputs = [
        text.format(id=one.id, host=one.id.removeprefix("i-"), name=one.name, address=one.addresses[0])
        for one in instances
    ]
    rows = [failed(one.id, output) for one, output in zip(instances, outputs, strict=True)]
    return summarise([invocation(rows)], results_of(rows), {one.id: one for one in instances})


WEB_01 = Instance("i-bp1aaa", REGION, "web-01", ("10.0.0.1",))
WEB_02 = Instance("i-bp1bbb", REGION, "web-02", ("10.0.0.2",))


@pytest.mark.parametrize(
    ("text", "differs"),
    [
        ("{name}: disk full", "instance name"),
        ("{name}.internal: disk full", "instance name"),
        ("root@iZ{host}Z: disk full", "instance id"),
        ("{id} is full", "instance id"),
        ("/data/{address}/x is full", "address"),
    ],
)
def test_an_instances_own_names_do_not_keep_it_apart(text: str, differs: str) -> None:
    (group,) = on_instances(text, WEB_01, WEB_02).groups
    assert group.differs == (differs,)


@pytest.mark.parametrize("text", ["peer {name}0 lost", "peer my-{name} lost", "peer {id}x lost", "{name}-old lost"])
def test_names_that_only_hold_ones_own_keep_it_apart(text: str) -> None:
    assert len(on_instances(text, WEB_01, WEB_02).groups) == 2


def test_an_instance_called_as_a_word_hides_no_word() -> None:
    rows = [Instance("i-1", REGION, "failed", ("",)), Instance("i-2", REGION, "passed", ("",))]
    assert len(on_instances("deploy {name}", *rows).groups) == 2


def test_a_secret_does_not_keep_outputs_apart_nor_choose_what_is_shown() -> None:
    outputs = ["login password=zebra1!z at 10:00:01", "login password=apple2!a at 10:00:02"]
    (group,) = groups_of(*outputs)
    assert group.output.text == outputs[0]
    assert group.differs == ("time",)


def test_noise_in_the_middle_of_a_long_output_keeps_it_apart() -> None:
    long = "begin\n" + "x" * 5_000 + "\npid {pid}\n" + "x" * 5_000 + "\nend"
    assert len(groups_of(long.format(pid=1234), long.format(pid=1235))) == 2
    ends = "pid {pid}\n" + "x" * 10_000 + "\npid {pid}"
    assert len(groups_of(ends.format(pid=1234), ends.format(pid=1235))) == 1


@pytest.mark.parametrize("at", range(4_080, 4_100))
def test_noise_across_the_border_of_the_middle_merges_nothing_that_differs(at: int) -> None:
    one, two = ("x" * (at - 1) + f" errno=1{number} rows " + "y" * 9_000 for number in (3, 4))
    assert len(groups_of(one, two)) == 2
    one, two = ("x" * 9_000 + f" errno=1{number} rows " + "y" * (at - 1) for number in (3, 4))
    assert len(groups_of(one, two)) == 2


noise = st.sampled_from(
    ["pid 12", "pid 99", "10:00:01", "10:00:02", "12 ms", "7.5 s", "10.0.0.1", "10.9.8.7", "port 80", "port 8080",
     "0123456789abcdef", "fedcba9876543210", "12 rows", "99 rows", "/tmp/tmp.Ab12Cd34", "/tmp/tmp.Zz99Yy88"]
)  # fmt: skip
word = st.sampled_from(
    ["ok", "errno 13", "errno 14", "exit code 1", "exit code 2", "HTTP 502", "HTTP 503", "ORA-01017", "ORA-12541",
     "0x80070005", "0x80070002", "/var/a.log", "/var/b.log", "nginx-1.24.0", "nginx-1.25.1", "v1.2.3.4", "v1.2.3.5",
     "sda1", "sdb1", "eth0", "eth1", "1 failed", "0 failed", "2 failed", "0 rows", "3 errors", "4 errors", "status=137"]
)  # fmt: skip
outputs = st.lists(st.lists(noise | word, min_size=1, max_size=5).map("\n".join), min_size=1, max_size=6)


def parts(groups: tuple[Group, ...]) -> set[tuple[str, tuple[str, ...], frozenset[str]]]:
    return {(one.output.text, one.differs, frozenset(row.result.instance_id for row in one.rows)) for one in groups}


@given(outputs)
def test_folding_what_is_folded_changes_nothing(texts: list[str]) -> None:
    once = groups_of(*texts)
    again = groups_of(*(group.output.text for group in once))
    assert sorted(group.output.text for group in again) == sorted(group.output.text for group in once)
    assert all(group.differs == () for group in again)


@given(outputs, st.randoms(use_true_random=False))
def test_the_order_of_results_changes_nothing(texts: list[str], chance: random.Random) -> None:
    rows = [failed(f"i-bp{n:04d}", text) for n, text in enumerate(texts)]
    shuffled = chance.sample(rows, len(rows))
    assert parts(summary_of(rows).groups) == parts(summary_of(shuffled).groups)


@given(st.lists(noise, max_size=4), word, word)
def test_outputs_that_differ_in_a_word_are_never_merged(around: list[str], one: str, two: str) -> None:
    groups = groups_of("\n".join([*around, one]), "\n".join([*around, two]))
    assert len(groups) == (1 if one == two else 2)


before = st.sampled_from(
    ["errno ", "errno=", "error ", "error: ", "Error code: ", "ERROR ", "exit code ", "exit status ", "exited with ",
     "status=", "HTTP ", "HTTP/1.1 ", "rc=", "code=", "ORA-", "MY-0", "ERR_", "E", "signal ", "returned ", "错误码 ",
     "退出码：", "错误 ", "(os error ", "Event ID ", "failed with error ", "curl: (", "SQLSTATE[", "err[", "code["]
)  # fmt: skip
after = st.sampled_from(["", " rows", "]", "]:", ")", " ms", " s", ": bad", ", port 1", " files", "/5]"])


@given(before, st.integers(1, 99_999), st.integers(1, 99_999), after)
def test_an_error_number_is_never_taken_for_noise(words: str, one: int, two: int, end: str) -> None:
    assert len(groups_of(f"x {words}{one}{end}", f"x {words}{two}{end}")) == (1 if one == two else 2)


@given(st.binary(max_size=200))
def test_any_bytes_fold_with_themselves(raw: bytes) -> None:
    (group,) = groups_of(raw, raw)
    assert group.differs == ()


def test_all_orders_of_three_show_the_same() -> None:
    texts = [LOG.format(n=n, pid=100 + n) for n in range(3)]
    assert len({groups_of(*order)[0].output for order in permutations(texts)}) == 1
