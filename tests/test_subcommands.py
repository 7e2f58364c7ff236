"""What people type and what they read: the conversations, through the real clients."""

import pytest

from bot.core import buttons
from bot.subcommands import SUBCOMMANDS
from rig import COMMAND_ID, RUN, Peers, fleet
from sandbox.scenario import load

RUNNING, MANAGED = "t-sh0fleet0001", "t-bj0managed01"


@pytest.fixture(scope="module")
def peers():
    managed = fleet(1, "cn-beijing", MANAGED)
    with Peers([fleet(), fleet(3, "cn-shanghai", RUNNING), managed, load("agent_offline")]) as peers:
        yield peers


CONVERSATIONS = [
    (RUN, "1 of 3 failed: deploy-web, cn-hangzhou", False),
    (
        f"https://ecs.console.aliyun.com/cloud-assistant/region/cn-hangzhou/result?InvokeId={RUN}",
        "1 of 3 failed",
        False,
    ),
    (f"{RUN} {RUNNING}", "2 of 6 failed: deploy-web, 2 regions", False),
    (f"{RUN} web-001", "1 of 1 failed: deploy-web on web-001", False),
    (f"{RUN} web-777", "web-777 is not among the targets.", True),
    (f"{RUN} failed", "Filters narrow lists; a run is always shown whole.", False),
    (f"{RUN} history", "History is there for schedules only; this run has none.", False),
    ("web-001 cn-hangzhou", "1 run failed: web-001, cn-hangzhou", False),
    ("web-00*", "runs failed: 7 instances, 3 regions", False),
    ("10.9.0.2", "2 runs", False),
    ("web-001 cn-hangzhou success", "No results (success) on web-001 in cn-hangzhou among the newest 50.", True),
    (f"web-001 cn-hangzhou {COMMAND_ID}", "1 run failed", False),
    ("web-001 cn-hangzhou c-hz0other0001", "No results of c-hz0other0001 on web-001 in cn-hangzhou.", True),
    ("cache-06", "The agent is offline now on i-", False),
    ("i-0nowhere", "No instance i-0nowhere in cn-hangzhou, cn-shanghai, cn-beijing", True),
    ("192.0.2.1", "No instance has the address 192.0.2.1", True),
    (COMMAND_ID, f"1 of 1 run failed: {COMMAND_ID}, 3 regions", False),
    ("command:deploy-web", "1 of 1 run failed: deploy-web, 3 regions", False),
    ("deploy-web", "1 of 1 run failed: deploy-web, 3 regions", False),
    ("deploy-*", "1 of 1 run failed: deploy-*, 3 regions", False),
    ("c-hz0never0001", "Command c-hz0never0001 (never-ran) exists in cn-hangzhou but has no runs there.", True),
    ("never-ran", "Command c-hz0never0001 (never-ran) exists in cn-hangzhou but has no runs there.", True),
    ("c-hz0never0001 failed", "exists in cn-hangzhou but has no such runs there.", True),
    ("c-hz0unknown01", "No command c-hz0unknown01 in cn-hangzhou, cn-shanghai, cn-beijing, and no runs", True),
    ("command:unknown", "No command unknown in cn-hangzhou, cn-shanghai, cn-beijing, and no runs of it.", True),
    ("nothing-01", "No instance and no command is called “nothing-01” in cn-hangzhou", True),
    ("", "newest runs, 3 regions", False),
    ("failed", "2 of 2 runs failed: newest runs (failed), 3 regions", False),
    ("running", "No runs (running) in cn-hangzhou, cn-shanghai, cn-beijing.", True),
    ("since:2h", "newest runs (since:2h), 3 regions", False),
    ("since:1m", "No runs (since:1m) in", True),
    ("since:2026-02-30", "2026-02-30", True),
    ("region:all", "newest runs, 22 regions", False),
    ("cn-hangzhou", "1 of 1 run failed: newest runs, cn-hangzhou", False),
    ("region:cn-nowhere-1", "there is no such region (InvalidRegionId.NotFound)", True),
    ("size:1", "More: page:2", False),
    ("size:1 page:9", "No runs (page:9) in", True),
    (f"{RUN} reason:disk-full", "Shown is only reason:disk-full: 1 of 3; 2 more are not shown.", False),
    (f"{RUN} reason:oom", "Nothing with reason:oom among 3 instances.", True),
    ("reason:oom", "No runs (reason:oom) in cn-hangzhou, cn-shanghai, cn-beijing.", True),
    ("reason:agent-offline", "have another reason, or none.", False),
    ("cache-06 reason:agent-offline", "1 run never ran", False),
    ("cache-06 reason:oom", "No results (reason:oom) on cache-06 in", True),
    ("tag:team=nobody", "No runs (tag:team=nobody) in", True),
    (f"{RUN} private", "1 of 3 failed", True),
    (f"{RUN} here", "1 of 3 failed", False),
    (f"output {RUN}", "1 of 3 failed: outputs of deploy-web, cn-hangzhou", False),
    (f"{RUN} web-001 outputs", "1 of 1 failed: outputs of deploy-web, cn-hangzhou", False),
    (f"output {RUN} private", "1 of 3 failed: outputs of", True),
    ("output web-001 cn-hangzhou", "1 run failed: outputs of web-001, cn-hangzhou", False),
    (f"output {RUN} web-777", "web-777 is not among the targets.", True),
    ("output nothing-01", "No instance is called “nothing-01”, so there is no output of it.", True),
    ("output web-001 cn-hangzhou success", "There are no results yet, so there is no output to show.", True),
    ("output", "Output of what? Right would be: output t-hz0jdfwd9f", True),
    ("output failed", "Output of what?", True),
    (f"watch {RUN} private", "A watch cannot be private", True),
    ("help", "In a thread, where Slack has no slash commands", True),
    ("help filters", "since:2h", True),
    ("help output", "output t-… i-…: the whole output", True),
    ("help watch", "Watch: the run to its end in one message", True),
]


@pytest.mark.parametrize(("typed", "says", "private"), CONVERSATIONS)
def test_conversation(rig, typed, says, private):
    rig.converse(typed, says, private=private)


def test_since_is_said_in_the_persons_time_zone(rig):
    [answer] = rig.ask("since:2h")
    assert "CST." in answer.text.split("Since ")[1]


def test_the_answer_says_who_asked_and_how_old_it_is(rig):
    [answer] = rig.ask(RUN)
    assert "asked by mei" in str(answer.blocks[-2])
    assert "data " in str(answer.blocks[-2])
    assert answer.blocks[-1]["type"] == "actions"


def test_help_is_made_from_the_table(rig):
    [answer] = rig.ask("help")
    assert all(entry.usage in str(answer.blocks) for entry in SUBCOMMANDS.values())


def test_typed_output_is_what_the_modal_shows(rig):
    [answer] = rig.ask(f"output {RUN}")
    seen = str(answer.blocks)
    assert "'text': 'disk full'" in seen
    assert "'text': 'release 4.12.0 active'" in seen
    assert [one["text"]["text"] for one in answer.blocks[-1]["elements"][:-1]] == [
        "Outputs",
        "As file",
        "Refresh",
        "Console",
    ]


def test_typed_output_is_refreshed_as_output(rig):
    [answer] = rig.ask(f"output {RUN}")
    rig.press(answer, buttons.REFRESH)
    assert "outputs of deploy-web" in answer.text
    assert "'text': 'disk full'" in str(answer.blocks)


def test_output_asked_for_in_a_thread_is_answered_there(rig):
    parent = rig.slack.mention("first")
    assert rig.work(rig.event(rig.slack.mention(f"output {RUN} web-001", thread_ts=parent["ts"])))
    [answer] = rig.said
    assert (answer.thread_ts, answer.ephemeral_to) == (parent["ts"], None)
    assert "'text': 'disk full'" in str(answer.blocks)
