"""Conversations: what people type, and how it is read."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import UsageError
from bot.core.parsing import LONGEST, USAGE, parse
from bot.core.question import Question

RUN = {"invocations": ("t-hz0jdfwd9f",)}
CONSOLE = "https://ecs.console.aliyun.com/cloud-assistant/region/cn-shanghai?invokeId=t-hz0jdfwd9f"


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("", {}),
        ("t-hz0jdfwd9f", RUN),
        ("T-HZ0JDFWD9F", RUN),
        ("t-hz0jdfwd9f t-hz0jdfwd9f", RUN),
        ("t-hz0aaaaaa, t-hz0bbbbbb", {"invocations": ("t-hz0aaaaaa", "t-hz0bbbbbb")}),
        ("i-bp1i7gg30r52z2em", {"instances": ("i-bp1i7gg30r52z2em",)}),
        ("mi-sh03vea8ivh50qo", {"instances": ("mi-sh03vea8ivh50qo",)}),
        ("c-hz0jdfwcsr failed", {"commands": ("c-hz0jdfwcsr",), "states": ("failed",)}),
        ("web-01", {"names": ("web-01",)}),
        ("db-master-1", {"names": ("db-master-1",)}),
        ("web-*", {"names": ("web-*",)}),
        ("Web-01", {"names": ("Web-01",)}),
        ("us-west-1", {"regions": ("us-west-1",)}),
        ("us-west-9", {"names": ("us-west-9",)}),
        ("region:us-west-9", {"regions": ("us-west-9",)}),
        ("region:ALL", {"regions": ("all",)}),
        ("account:Prod account:stage cn-beijing", {"accounts": ("prod", "stage"), "regions": ("cn-beijing",)}),
        ("prod/cn-beijing", {"regions": ("prod/cn-beijing",)}),
        ("region:prod/cn-new-1", {"regions": ("prod/cn-new-1",)}),
        ("prod/web-01", {"names": ("prod/web-01",)}),
        ("name:deploy", {"names": ("deploy",)}),
        ("name:“my host”", {"names": ("my host",)}),
        ("10.0.0.7", {"addresses": ("10.0.0.7",)}),
        ("10.0.0.7:22 10.0.0.8/32", {"addresses": ("10.0.0.7", "10.0.0.8")}),
        ("fe80::1 [2001:db8::2]", {"addresses": ("fe80::1", "2001:db8::2")}),
        ("2001:db8:0:0:0:0:0:3", {"addresses": ("2001:db8:0:0:0:0:0:3",)}),
        ("12:30:45", {"names": ("12:30:45",)}),
        ("failed running FINISHED stopped", {"states": ("failed", "running", "finished", "stopped")}),
        ("succeeded success", {"states": ("success",)}),
        ("history private", {"history": True, "private": True}),
        ("private here", {"private": False}),
        ("since:2h", {"since": "2h"}),
        ("since:9:05", {"since": "09:05"}),
        ("since:2026-11-24", {"since": "2026-11-24"}),
        ("since:“2026-11-24 9:05”", {"since": "2026-11-24t09:05"}),
        ("page:2 size=50", {"page": 2, "size": 50}),
        ("command:deploy-web type:shell mode:period", {
            "command_name": "deploy-web", "command_type": "RunShellScript", "repeat_mode": "Period"}),
        ("tag:team=web tag:stage", {"tags": (("team", "web"), ("stage", ""))}),
        ("group:rg-bp67acfmxazb4p", {"group": "rg-bp67acfmxazb4p"}),
        ("reason:oom reason=Agent-Offline", {"reasons": ("oom", "agent-offline")}),
        ("help", {"subcommand": "help"}),
        ("help since", {"subcommand": "help", "topic": "since"}),
        ("restart --help", {"subcommand": "help"}),
        # A pasted address, as it is and as Slack writes it.
        (CONSOLE, {**RUN, "regions": ("cn-shanghai",)}),
        (f"<{CONSOLE}|console>", {**RUN, "regions": ("cn-shanghai",)}),
        ("https://x.example/?InvokeId%3Dt-hz0jdfwd9f", RUN),
        ("https://x.example/server/i-bp1i7gg30r52z2em/c-hz0jdfwcsr", {
            "instances": ("i-bp1i7gg30r52z2em",), "commands": ("c-hz0jdfwcsr",)}),
        # Typing noise.
        ("  t-hz0jdfwd9f\u00a0\u00a0 ", RUN),
        ("“t-hz0jdfwd9f”", RUN),
        ("t–hz0jdfwd9f", RUN),
        ("t—hz0jdfwd9f", RUN),
        ("`t-hz0jdfwd9f`", RUN),
        ("*t-hz0jdfwd9f*", RUN),
        ("_*t-hz0jdfwd9f*_", {"names": ("_*t-hz0jdfwd9f*_",)}),
        ("(t-hz0jdfwd9f).", RUN),
        ("t-hz0\u200bjdfwd9f\ufeff", RUN),
        ("ｔ－ｈｚ０ｊｄｆｗｄ９ｆ", RUN),
        ("<@U012AB3CD> t-hz0jdfwd9f, please-1", {**RUN, "names": ("please-1",)}),
        ("--failed —region：cn-shanghai", {"states": ("failed",), "regions": ("cn-shanghai",)}),
        ("t-hz0jdfwd9f — “failed”", {**RUN, "states": ("failed",)}),
        ("region: cn-shanghai", {"regions": ("cn-shanghai",)}),
        ("<http://web-01.example.com|web-01.example.com>", {"names": ("web-01.example.com",)}),
    ],
)  # fmt: skip
def test_question(typed: str, asked: dict[str, Any]) -> None:
    question = parse(typed)
    assert question == Question(**asked)
    assert parse(question.words()) == question


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("fialed", "Did you mean `failed`?"),
        ("regoin:cn-x", "Did you mean `region:`?"),
        ("cn_hangzhou", "Did you mean `cn-hangzhou`?"),
        ("hlep", "Did you mean `help`?"),
        ("deploy", "A name without digits is written name:deploy."),
        ("x" * 50, f"I cannot read `{'x' * 39}…`."),
        ("“a `quoted` thing”", "I cannot read `a quoted thing`."),
        ("t-hz0jd****", "is a masked id"),
        ("10.0.0.0/24", "`10.0.0.0/24` is a range of addresses"),
        ("restart web-01", "aliyun ecs RebootInstance --RegionId REGION --InstanceId i-…`. Fill in what is missing. "
         "Ask me `web-01` to see the ids."),
        ("reboot i-bp1i7gg30r52z2em cn-shanghai",
         "here is the line to copy: `aliyun ecs RebootInstance --RegionId cn-shanghai --InstanceId "
         "i-bp1i7gg30r52z2em`."),
        ("stop t-hz0jdfwd9f region:cn-shanghai", "StopInvocation --RegionId cn-shanghai --InvokeId t-hz0jdfwd9f`."),
        ("stop t-hz0jdfwd9f prod/cn-shanghai",
         "StopInvocation --RegionId cn-shanghai --profile prod --InvokeId t-hz0jdfwd9f`."),
        ("stop t-hz0jdfwd9f cn-shanghai account:prod", "StopInvocation --RegionId cn-shanghai --profile prod --Inv"),
        ("stop web-01 account:prod-2", "--profile prod-2 --InvokeId t-…`. Fill in what is missing. Ask me `web-01`"),
        ("account:", "`account:` needs a value right after it, for example account:prod."),
        ("account:a/b", "`a/b` is not the name of an account. Right would be account:prod."),
        ("RUN", "I only read; here is the line to copy: `aliyun ecs InvokeCommand --RegionId REGION --CommandId c-…"),
        ("https://x.example/", "That address names no run"),
        ("region:", "`region:` needs a value right after it, for example region:cn-shanghai."),
        ("name:“”", "`name:` needs a value"),
        ("region:moon", "`moon` is not a region id"),
        ("since:yesterday", "I cannot read the time `yesterday`."),
        ("since:“ ”", "I cannot read the time"),
        ("since:2026-02-30", "I cannot read the time `2026-02-30`."),
        ("since:2026-11-24t", "I cannot read the time"),
        ("since:24:00", "I cannot read the time"),
        ("reason:omm", "`omm` is not a reason that I know. Did you mean `reason:oom`?"),
        ("reason:zzzzzzzz", "Some are oom, disk-full, agent-offline, dns."),
        ("reason:", "`reason:` needs a value right after it, for example reason:oom."),
        ("page:0", "`page:` takes a whole number from 1 to 200, not `0`."),
        ("size:51", "`size:` takes a whole number from 1 to 50, not `51`."),
        ("size:٥", "`size:` takes a whole number"),
        ("tag:=x", "A tag filter is written tag:key=value"),
        (" ".join(f"tag:k{n}=v" for n in range(21)), "At most 20 tags"),
        (" ".join(f"t-hz0jdfwd{n:02}" for n in range(21)), "At most 20 invocations can be asked for at once"),
        ("group:x", "`x` is not a resource group id"),
        ("type:perl", "`type:` takes shell, bat, powershell, not `perl`."),
        ("a" * (LONGEST + 1), "That is 4,001 characters; I read at most 4,000."),
    ],
)  # fmt: skip
def test_usage_error(typed: str, told: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(typed)
    assert told in str(refused.value)
    assert len(str(refused.value)) < 600


def test_an_unreadable_word_is_answered_with_the_usage_line() -> None:
    with pytest.raises(UsageError) as refused:
        parse("what happened")
    assert str(refused.value).endswith(USAGE)


VALUES = st.text("ab1-._*/= \"'<>&;:,()[]`\n中", min_size=1, max_size=12)
PIECES = st.one_of(
    st.sampled_from([
        "failed", "running", "history", "private", "here", "help", "t-hz0jdfwd9f", "i-bp1i7gg3", "c-hz0jdfwcsr",
        "10.0.0.7", "::1", "cn-shanghai", "region:all", "since:2h", "since:2026-11-24t9:05", "page:3", "size:7",
        "type:bat", "mode:once", "group:rg-abcd1", "reason:disk-full", "web-*", "name:it's", 'tag:a="b c"',
    ]),
    VALUES,
    st.builds("{}:{}".format, st.sampled_from(["name", "command", "tag"]), VALUES),
    st.builds('{}:"{}"'.format, st.sampled_from(["name", "command", "tag"]), VALUES),
    st.builds("{}:'{}'".format, st.sampled_from(["name", "command", "tag"]), VALUES),
    st.text(max_size=20),
)  # fmt: skip


@given(st.lists(PIECES, max_size=8).map(" ".join))
def test_any_line_is_read_or_refused_and_canonical_words_mean_the_same(text: str) -> None:
    try:
        question = parse(text)
    except UsageError as error:
        refusal = str(error)
    else:
        refusal = "none"
        assert parse(question.words()) == question
    assert 0 < len(refusal) < 600


@given(VALUES, VALUES)
def test_any_name_and_tag_survives_canonical_words(name: str, value: str) -> None:
    question = Question(names=(name.replace("`", ""), "x"), tags=(("k", value.replace("`", "")),))
    if question.names[0]:
        assert parse(question.words()) == question


def test_reading_words_imports_nothing_heavy() -> None:
    code = (
        "import sys; import bot.core.parsing, bot.core.blocks;"
        "print([m for m in ('difflib', 'zoneinfo', 'html', 'shlex', 'json', 'urllib.parse', 'bot.core.messages')"
        " if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-S", "-c", code], env={"PYTHONPATH": "src"}, capture_output=True, text=True)
    assert ran.stdout.strip() == "[]", ran.stderr


@pytest.mark.parametrize(
    "piece", ["<", "<a|", '"', "'", "a:", "region: ", "a-", "1.", ":", "*", "t-", "&lt;", "。", "a1 "]
)
def test_a_long_line_is_read_or_refused_with_a_sentence(piece: str) -> None:
    words = (piece * LONGEST)[:LONGEST]
    try:
        said = parse(words).words()
    except UsageError as error:
        said = str(error)
    assert len(said) < 2 * LONGEST


ACCOUNTS = frozenset({"own", "prod"})


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("account:prd", "I ask no account called `prd`. Did you mean `account:prod`?\nThe accounts are: own, prod."),
        ("region:prd/cn-beijing", "I ask no account called `prd`. Did you mean"),
        ("account:zzzzzzz", "I ask no account called `zzzzzzz`. \nThe accounts are: own, prod."),
        ("subscribe account:prd", "I ask no account called `prd`."),
        ("expect command:a by:03:30 on:tag:k account:prd", "I ask no account called `prd`."),
        ("subscribe prd/cn-beijing", "I ask no account called `prd`."),
        ("expect command:a by:03:30 on:tag:k region:prd/cn-beijing", "I ask no account called `prd`."),
        ("account:prod own/cn-beijing", "`own/cn-beijing` does not go with account:prod: leave one of them out."),
        ("subscribe account:prod region:own/cn-beijing", "`own/cn-beijing` does not go with account:prod"),
        ("expect command:a by:03:30 on:tag:k own/cn-beijing account:prod", "`own/cn-beijing` does not go with"),
    ],
)
def test_an_account_that_is_not_asked_is_refused(typed: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(typed, ACCOUNTS)
    assert str(refused.value).startswith(said)
    assert parse(typed)


@pytest.mark.parametrize(
    "typed",
    [
        *("account:prod", "own/cn-beijing failed", "account:prod prod/cn-beijing cn-shanghai", "status"),
        *("subscribe account:prod", "subscribe account:own own/cn-beijing", "unsubscribe account:gone"),
    ],
)
def test_accounts_that_are_asked_are_read(typed: str) -> None:
    assert parse(typed, ACCOUNTS) == parse(typed)


def test_where_one_account_is_asked_no_name_is_right() -> None:
    with pytest.raises(UsageError, match="I ask one account only, so `prod` names none"):
        parse("account:prod", frozenset())
    assert parse("failed cn-beijing", frozenset()) == parse("failed cn-beijing")


def test_everywhere() -> None:
    assert parse("region:all").everywhere
    assert not parse("cn-shanghai").everywhere
