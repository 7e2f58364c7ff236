"""What is handed over: a draft for one person, then shared."""

import pytest

from rig import Peers, fleet
from sandbox.slack_workspace import INCIDENTS
from test_reporting import completed, hear, subscribe

DAY = 86_400


@pytest.fixture(scope="module")
def peers():
    with Peers([fleet(), fleet(1, run="t-hz0backup001", CommandName="backup-db")]) as peers:
        yield peers


def test_a_handover_is_a_private_draft_that_is_shared_once(rig):
    subscribe(rig, "subscribe command:deploy-*")
    hear(rig, completed())
    [draft] = rig.ask("handover")
    assert draft.ephemeral_to
    assert draft.text.startswith("Handover: 1 failing, nobody on 1 of them, 0 still going.")
    assert "Failing: 1 of 3 failed: deploy-web" in draft.text
    assert "Failing since" in draft.text
    text = draft.text
    [shared] = rig.press(draft, "share_handover")
    assert (shared.channel, shared.ephemeral_to) == (INCIDENTS, None)
    assert shared.text == text
    assert draft.text == "Shared with the channel."
    assert "actions" not in [block["type"] for block in shared.blocks]
    assert rig.slack.refused == []


def test_a_handover_names_who_is_on_it(rig):
    subscribe(rig, "subscribe command:deploy-*")
    [answer] = rig.ask("t-hz0fleet0001")
    rig.press(answer, "on_it")
    [other] = rig.ask("t-hz0backup001")
    rig.press(other, "on_it")
    [draft] = rig.ask("handover")
    assert "is on it since" in draft.text
    assert "Nobody is on it." not in draft.text
    assert "Taken: t-hz0backup001: " in draft.text


def test_a_handover_tells_what_recovered_and_not_what_ended_long_ago(rig):
    subscribe(rig)
    notice = {"ts": "1.1", "line": "5 of 5 exit code 0: backup &amp; co, cn-hangzhou.", "recovered": rig.time() - 60}
    rig.worker._store.put(f"notice/{INCIDENTS}/t-1", notice, rig.time() + DAY)
    old = {"ts": "1.2", "line": "old", "recovered": rig.time() - DAY}
    rig.worker._store.put(f"notice/{INCIDENTS}/t-2", old, rig.time() + DAY)
    [draft] = rig.ask("handover")
    assert "Recovered in the last 12 h: 5 of 5 exit code 0: backup &amp; co, cn-hangzhou. Well since 20" in draft.text
    assert "old" not in draft.text


def test_a_handover_goes_out_without_runs_where_they_cannot_be_read(rig):
    rig.cloud.fail("denied", times=1_000)
    [draft] = rig.ask("handover")
    assert "Runs could not be read (DescribeInvocations in cn-" in draft.text
    rig.cloud.mend()
    rig.press(draft, "refresh_handover")
    [refreshed] = [message for message in rig.said if message.ts == draft.ts]
    assert "2 failing" in refreshed.text


def test_a_handover_is_not_shared_where_the_channel_may_not_see_it(rig):
    [draft] = rig.ask("handover")
    rig.slack.scopes = rig.slack.scopes - {"channels:read"}
    rig.time.sleep(600)
    [refused] = rig.press(draft, "share_handover")
    assert "I cannot share it here." in refused.text
