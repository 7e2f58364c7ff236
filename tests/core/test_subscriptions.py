"""What a channel subscribes to: read, written back, and what it lets through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import UsageError
from bot.core.parsing import parse
from bot.core.subscriptions import BUCKETS, EVENTS, Subscription, from_value, grave, read, told
from bot.core.values import mention


def typed(text: str) -> Subscription:
    return read(parse(f"subscribe {text}").arguments)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", Subscription()),
        ("failures", Subscription()),
        ("all", Subscription(everything=True)),
        ("command:deploy-*", Subscription(commands=("deploy-*",))),
        ("region:CN-Shanghai Region:prod/CN-hangzhou", Subscription(regions=("cn-shanghai", "prod/cn-hangzhou"))),
        ("account:Prod", Subscription(accounts=("prod",))),
        ("command=deploy-* command:deploy-*", Subscription(commands=("deploy-*",))),
        ("instance: web-*", Subscription(instances=("web-*",))),
        ("tag:team=web tag:env", Subscription(tags=(("team", "web"), ("env", "")))),
        ("cn-shanghai region:cn-mars-1", Subscription(regions=("cn-shanghai", "cn-mars-1"))),
        ("bucket:never-ran,failed", Subscription(buckets=("failed", "never-ran"))),
        ("timed-out", Subscription(buckets=("timed-out",))),
        ("events:spot,maintenance", Subscription(events=("maintenance", "spot"))),
        ("reason:oom", Subscription(reasons=("oom",))),
        ("at-least:2", Subscription(at_least="2")),
        ("at-least:05%", Subscription(at_least="5%")),
        ("longer-than:30m", Subscription(longer_than=1_800)),
        ("ring:<@U024BE7LH|mei>", Subscription(ring="U024BE7LH")),
        ("ring: <!subteam^S024BE7LH|@oncall>", Subscription(ring="S024BE7LH")),
        ("failure", Subscription()),
        ("events:spot,failure", Subscription(events=("failure", "spot"))),
        ("--all --Commands：“deploy-*”", Subscription(everything=True, commands=("deploy-*",))),
        ("commands: a-1 Instances=web-*", Subscription(commands=("a-1",), instances=("web-*",))),
        ("buckets:timed_out、never–ran，failed", Subscription(buckets=BUCKETS)),
        ("Failed，Timed_Out；never-ran", Subscription(buckets=BUCKETS)),
        ('bucket:"timed out"', Subscription(buckets=("timed-out",))),
        ("event:Spot；disk", Subscription(events=("spot", "disk"))),
        ("at_least:2 longerthan:1h30m", Subscription(at_least="2", longer_than=5_400)),
        ("At–Least:5％", Subscription(at_least="5%")),
        ("longer-than:2小时", Subscription(longer_than=7_200)),
        ("<@U0BOT> all", Subscription(everything=True)),  # a mention elsewhere asks for nothing
    ],
)
def test_what_is_typed(text: str, meant: Subscription) -> None:
    assert typed(text) == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("command:", "`command:` needs a value"),
        ("comand:x", "Did you mean `command:`?"),
        ("region:Mars!", "is not a region id"),
        ("account:a/b", "`a/b` is not the name of an account"),
        ("tag:=x", "tag:key=value"),
        ("bucket:bad", "`bucket:` takes failed, timed-out, never-ran, not `bad`"),
        ("events:birthdays", "not `birthdays`"),
        ("reason:agent-offlin", "Near to it: agent-offline"),
        ("reason:9q9", "I know no reason called `9q9`."),
        ("at-least:0", "at-least:2 or at-least:5%"),
        ("at-least:101%", "at-least:2 or at-least:5%"),
        ("longer-than:0m", "30m or 2h"),
        ("longer-than:soon", "30m or 2h"),
        ("ring:@mei", "Slack's list"),
        ("whenever", "I cannot subscribe to `whenever`"),
        ("tag:team:web", "tag:key=value"),
        ("instance:web-[01-03,07]", "I do not read ranges such as `web-[01-03`"),
        ("command:deploy-*,backup-*", "A command is written `command:backup-*`, an instance `instance:backup-*`."),
        ("t-hz0jdfwd9f", "I cannot subscribe to `t-hz0jdfwd9f`.\nUsage"),
        ("ring:<@U024BE7LH> ring:<!subteam^S024BE7LH>", "rings one person or group"),
        ("w" * 50, "…`"),
        (" ".join(f"command:c{number}" for number in range(21)), "At most 20 commands"),
    ],
)
def test_what_cannot_be_read_is_said_with_the_right_words(text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(f"subscribe {text}")
    assert said in str(refused.value)


subscriptions = st.builds(
    Subscription,
    everything=st.booleans(),
    commands=st.lists(st.from_regex(r"[a-z][a-z0-9*-]{0,12}", fullmatch=True), unique=True, max_size=3).map(tuple),
    instances=st.lists(st.from_regex(r"[a-z][a-z 0-9*-]{0,8}[a-z]", fullmatch=True), unique=True, max_size=3).map(
        tuple
    ),
    tags=st.lists(
        st.tuples(st.sampled_from(["team", "env"]), st.sampled_from(["web", "a b", ""])), unique=True, max_size=2
    ).map(tuple),
    regions=st.lists(st.sampled_from(["cn-hangzhou", "cn-mars-1"]), unique=True).map(tuple),
    accounts=st.lists(st.sampled_from(["own", "prod-2"]), unique=True).map(tuple),
    buckets=st.sets(st.sampled_from(BUCKETS)).map(lambda some: tuple(one for one in BUCKETS if one in some)),
    events=st.sets(st.sampled_from(sorted(EVENTS))).map(lambda some: tuple(one for one in EVENTS if one in some)),
    reasons=st.sampled_from([(), ("oom",), ("oom", "agent-offline")]),
    at_least=st.sampled_from(["", "2", "5%", "100%"]),
    longer_than=st.sampled_from([0, 45, 1_800, 7_200, 86_400]),
    ring=st.sampled_from(["", "U024BE7LH", "S024BE7LH"]),
)


@given(subscriptions)
def test_canonical_words_are_read_back_to_the_same(subscription: Subscription) -> None:
    assert from_value({"words": subscription.words()}) == subscription
    assert typed(subscription.words()) == subscription
    assert from_value({"words": subscription.words()}).key == subscription.key
    assert told(subscription)


@pytest.mark.parametrize(
    ("subscription", "region", "name", "wanted"),
    [
        (Subscription(), "cn-hangzhou", "deploy-web", True),
        (Subscription(commands=("deploy-*",)), "cn-hangzhou", "deploy-web", True),
        (Subscription(commands=("c-1",)), "cn-hangzhou", "deploy-web", True),
        (Subscription(commands=("Deploy-*",)), "cn-hangzhou", "deploy-Web", True),
        (Subscription(commands=("backup-*",)), "cn-hangzhou", "deploy-web", False),
        (Subscription(regions=("cn-shanghai",)), "cn-hangzhou", "deploy-web", False),
        (Subscription(accounts=("prod",)), "prod/cn-hangzhou", "deploy-web", True),
        (Subscription(accounts=("prod",)), "own/cn-hangzhou", "deploy-web", False),
        (Subscription(regions=("prod/cn-hangzhou",)), "prod/cn-hangzhou", "deploy-web", True),
        (Subscription(regions=("prod/cn-hangzhou",)), "own/cn-hangzhou", "deploy-web", False),
        (Subscription(accounts=("prod",), regions=("cn-hangzhou",)), "prod/cn-beijing", "deploy-web", False),
        (Subscription(regions=("cn-hangzhou",)), "prod/cn-hangzhou", "deploy-web", True),
        (Subscription(events=("spot",)), "cn-hangzhou", "deploy-web", False),
        (Subscription(events=("spot",), at_least="2"), "cn-hangzhou", "deploy-web", True),
    ],
)
def test_which_commands_are_wanted(subscription: Subscription, region: str, name: str, wanted: bool) -> None:
    assert subscription.of_command(region, name, "c-1") is wanted


@pytest.mark.parametrize(
    ("subscription", "wanted"),
    [
        (Subscription(), True),
        (Subscription(instances=("web-*",)), True),
        (Subscription(instances=("i-1",)), True),
        (Subscription(instances=("I-1",)), True),
        (Subscription(instances=("WEB-*",)), True),
        (Subscription(instances=("db-*",)), False),
        (Subscription(tags=(("team", "web"),)), True),
        (Subscription(tags=(("team", ""),)), True),
        (Subscription(tags=(("team", "web"), ("env", "prod"))), False),
    ],
)
def test_which_instances_are_wanted(subscription: Subscription, wanted: bool) -> None:
    assert subscription.of_instance("i-1", "web-01", [("team", "web"), ("env", "test")]) is wanted


def test_which_events_are_wanted() -> None:
    spot = Subscription(events=("spot",), regions=("cn-hangzhou",))
    assert spot.of_event("Instance:PreemptibleInstanceInterruption", "cn-hangzhou")
    assert not spot.of_event("Instance:PreemptibleInstanceInterruption", "cn-shanghai")
    assert not spot.of_event("Instance:SystemFailure.Reboot", "cn-hangzhou")
    assert not Subscription().of_event("Instance:SystemFailure.Reboot", "cn-hangzhou")


@pytest.mark.parametrize(
    ("at_least", "failed", "total", "enough"),
    [
        ("", 0, 9, False),
        ("", 1, 9, True),
        ("2", 1, 9, False),
        ("2", 2, 9, True),
        ("5%", 4, 100, False),
        ("5%", 5, 100, True),
        ("5%", 0, 0, False),
    ],
)
def test_how_many_failures_are_news(at_least: str, failed: int, total: int, enough: bool) -> None:
    assert Subscription(at_least=at_least).enough(failed, total) is enough


@pytest.mark.parametrize(
    ("event", "is_grave"),
    [
        ("Instance:SystemFailure.Reboot", True),
        ("Instance:PreemptibleInstanceInterruption", True),
        ("Disk:Stalled", True),
        ("Instance:SystemMaintenance.Reboot", False),
        ("Instance:StateChange", False),
    ],
)
def test_which_system_events_tell_of_an_instance_that_fails(event: str, is_grave: bool) -> None:
    assert grave(event) is is_grave


@pytest.mark.parametrize(("ring", "rings"), [("", ""), ("U1", "<@U1>"), ("S1", "<!subteam^S1>")])
def test_whom_it_rings(ring: str, rings: str) -> None:
    assert mention(ring) == rings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "failures of everything"),
        ("all command:deploy-*", "every end of deploy-*"),
        ("all bucket:failed", "failed of everything"),
        ("all at-least:2", "failures (at least 2) of everything"),
        ("all reason:oom", "successes and reason oom of everything"),
        ("bucket:timed-out at-least:2 region:cn-shanghai", "timed-out (at least 2) in cn-shanghai"),
        ("events:spot", "events: spot"),
        ("failed reason:oom", "failed, reason oom of everything"),
        ("events:spot instance:web-* all", "every end and events: spot on web-*"),
        ("longer-than:30m tag:team=web", "failures tagged team=web that took longer than 30m"),
    ],
)
def test_how_it_is_said(text: str, said: str) -> None:
    assert told(typed(text)) == said
