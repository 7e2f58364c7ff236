"""What a channel may be shown: in answers, presses, watches, notices, lists, and what is left standing."""

import pytest

from bot.core import buttons
from bot.core.events import InstanceEvent
from rig import RUN, Peers, Rig, fleet
from sandbox.slack_workspace import GENERAL, INCIDENTS, MEI, PRIVATE
from test_reporting import completed, hear, settle

OTHER, FAR = "t-hz0backup001", "t-sh0deploy001"
SCENARIOS = [fleet(), fleet(run=OTHER, CommandName="backup-db"), fleet(region="cn-shanghai", run=FAR)]
CHANNELS = (INCIDENTS, PRIVATE)
ONLY = "This channel is shown only command:deploy-*, region:cn-hangzhou (BOT_CHANNELS)."


@pytest.fixture(scope="module")
def peers():
    with Peers(SCENARIOS) as peers:
        yield peers


@pytest.fixture
def limited(tmp_path, peers):
    limits = f"{INCIDENTS}=command:deploy-*,region:cn-hangzhou;{PRIVATE}"
    with Rig(tmp_path, peers, environment={"BOT_CHANNELS": limits}) as rig:
        yield rig


@pytest.mark.parametrize("run", [OTHER, FAR])
@pytest.mark.parametrize("words", ["{}", "watch {}", "output {}", "diff {}"])
def test_a_run_outside_the_limit_is_refused_before_its_results_are_read(limited, words, run):
    answer = limited.ask(words.format(run))[-1]
    assert answer.text == f"{ONLY} That leaves out {run}. Ask the people who run this bot."
    assert answer.ephemeral_to == MEI
    assert "DescribeInvocationResults" not in {call.action for call in limited.cloud.calls}


def test_a_run_within_the_limit_and_a_channel_without_one_are_answered(limited):
    assert limited.ask(RUN)[0].text.startswith("1 of 3 failed: deploy-web")
    assert limited.ask(OTHER, channel=PRIVATE)[0].text.startswith("1 of 3 failed: backup-db")


def test_of_several_runs_those_within_the_limit_are_shown_and_the_others_named(limited):
    [answer] = limited.ask(f"{RUN} {OTHER}")
    assert answer.text.startswith("1 of 3 failed: deploy-web")
    assert f"leaves out {OTHER}." in answer.text


@pytest.mark.parametrize("words", ["", "failed", "region:all", "name:*-*", "command:*"])
def test_lists_hold_only_what_is_within_the_limit_and_say_so(limited, words):
    [answer] = limited.ask(words)
    assert ONLY in answer.text
    blocks = str(answer.blocks)
    assert RUN in blocks
    assert OTHER not in blocks
    assert FAR not in blocks


def test_a_region_outside_the_limit_is_refused(limited):
    [answer] = limited.ask("region:cn-shanghai")
    assert "leaves out cn-shanghai. Ask the people" in answer.text
    assert limited.cloud.calls == []


def test_results_on_an_instance_are_those_of_the_commands_within_the_limit(limited):
    near, far = (instance(limited, region) for region in ("cn-hangzhou", "cn-shanghai"))
    [answer] = limited.ask(near)
    assert "deploy-web" in str(answer.blocks)
    assert "backup" not in str(answer.blocks)
    [refused] = limited.ask(far)
    assert f"leaves out {far}." in refused.text


def instance(rig, region):
    from bot.adapters.cloud_assistant import CloudAssistant

    cloud = CloudAssistant(rig.settings, rig.settings.credentials, rig.worker._store, deadline=rig.time() + 30)
    return cloud.instances(region, {"InstanceName": "web-001"}, most=1)[0].id


def test_a_command_outside_the_limit_is_not_even_said_to_exist(limited):
    [answer] = limited.ask("command:never-ran")
    assert "exists" not in answer.text


@pytest.mark.parametrize("button", [buttons.REFRESH, buttons.COPY, buttons.OUTPUTS])
def test_what_stands_under_an_older_answer_obeys_the_limit_of_today(tmp_path, peers, button):
    with Rig(tmp_path, peers) as rig:
        shown = rig.ask(OTHER)[0]
        narrowed = Rig(tmp_path, peers, environment={"BOT_CHANNELS": f"{INCIDENTS}=command:deploy-*"})
        asked = len(rig.cloud.calls)
        assert narrowed.work(rig.pressed(shown, button))
        narrowed.worker.close()
        told = str(rig.slack.views) if button == buttons.OUTPUTS else rig.said[-1].text
        assert f"leaves out {OTHER}." in told
        assert "DescribeInvocationResults" not in {call.action for call in rig.cloud.calls[asked:]}


def test_notices_are_of_what_is_within_the_limit(limited):
    for channel in CHANNELS:
        limited.ask("subscribe", channel=channel)
    for run, region in ((RUN, "cn-hangzhou"), (OTHER, "cn-hangzhou"), (FAR, "cn-shanghai")):
        hear(limited, completed(run, region=region))
    notices = [one for one in limited.said if " failed: " in one.text and not one.thread_ts]
    told = {channel: [one.text.split(",")[0] for one in notices if one.channel == channel] for channel in CHANNELS}
    assert told[INCIDENTS] == ["1 of 3 failed: deploy-web"]
    assert sorted(told[PRIVATE]) == ["1 of 3 failed: backup-db", "2 of 6 failed: deploy-web"]


def test_of_a_run_that_spans_regions_a_channel_hears_its_own(limited):
    limited.ask("subscribe")
    notice, *_ = hear(limited, completed(RUN), completed(FAR, region="cn-shanghai"))
    assert "cn-hangzhou" in notice.text
    assert FAR not in str(notice.blocks)


def test_system_events_of_other_regions_are_not_told(limited):
    limited.ask("subscribe spot")
    spot = "Instance:PreemptibleInstanceInterruption"
    values = {
        "account": "",
        "at": None,
        "name": spot,
        "instance_id": "i-1",
        "status": "Executing",
        "detail": "",
        "level": "",
    }
    assert hear(limited, InstanceEvent(id="e-1", region="cn-shanghai", **values)) == []
    assert hear(limited, InstanceEvent(id="e-2", region="cn-hangzhou", **values)) != []


def test_a_channel_that_is_no_longer_named_is_told_nothing(tmp_path, peers):
    with Rig(tmp_path, peers) as rig:
        rig.ask("subscribe")
        narrowed = Rig(tmp_path, peers, environment={"BOT_CHANNELS": PRIVATE})
        assert hear(narrowed, completed()) == []
        assert rig.cloud.calls == []
        narrowed.worker.close()


@pytest.mark.parametrize(
    "words",
    [
        "subscribe command:backup-*",
        "subscribe region:cn-shanghai",
        "expect command:backup-* hourly by:00:15 on:instance:web-*",
    ],
)
def test_what_lies_outside_the_limit_can_be_neither_subscribed_to_nor_expected(limited, words):
    [answer] = limited.ask(words)
    assert ONLY in answer.text
    assert answer.ephemeral_to == MEI


@pytest.mark.parametrize("words", ["subscribe", "expect command:deploy-* hourly by:00:15 on:instance:web-*"])
def test_what_is_begun_within_a_limit_says_so(limited, words):
    assert ONLY in limited.ask(words)[-1].text
    assert ONLY not in limited.ask(words, channel=PRIVATE)[-1].text


@pytest.mark.parametrize("words", ["web-001", "10.9.0.1"])
def test_a_name_or_an_address_that_others_may_bear_too_says_what_was_looked_at(tmp_path, peers, words):
    with Rig(tmp_path, peers, environment={"BOT_CHANNELS": f"{INCIDENTS}=region:cn-hangzhou"}) as rig:
        [answer] = rig.ask(words)
        assert "This channel is shown only region:cn-hangzhou (BOT_CHANNELS)." in answer.text
        assert FAR not in str(answer.blocks)


def test_a_digest_within_a_limit_is_compared_with_the_day_before(limited):
    answer = limited.ask("digest now")[-1]
    assert "1 of 1 run failed in the last 24 h; the day before no runs." in answer.text
    assert "nothing is compared" not in answer.text


@pytest.mark.parametrize("words", ["digest now", "handover"])
def test_digests_and_handovers_hold_only_what_is_within_the_limit(limited, words):
    answer = limited.ask(words)[-1]
    everything = answer.text + str(answer.blocks)
    assert "deploy-web" in everything
    assert "backup-db" not in everything
    assert "only command:deploy-*" in everything


@pytest.mark.parametrize("channel", [INCIDENTS, GENERAL])
def test_whoami_is_told_to_the_person_alone(limited, channel):
    [answer] = limited.ask("whoami", channel=channel)
    assert answer.ephemeral_to == MEI
    assert (ONLY if channel == INCIDENTS else "I do not answer in this channel") in answer.text


def test_a_paused_bot_asks_and_tells_nothing_until_it_goes_on(tmp_path, peers):
    with Rig(tmp_path, peers) as rig:
        rig.ask("subscribe")
        shown = rig.ask(OTHER)[0]
        modal = rig.press(shown, buttons.OUTPUTS)
        assert modal == []
        paused = Rig(tmp_path, peers, environment={"BOT_PAUSED": "Back at noon."})
        calls, said = len(rig.cloud.calls), len(rig.said)
        assert hear(paused, completed()) == []
        assert rig.press(shown, buttons.COPY) != []
        calls = len(rig.cloud.calls)
        assert paused.work(rig.pressed(shown, buttons.COPY))
        assert rig.said[-1].text == "Back at noon."
        settle(paused)
        assert (len(rig.cloud.calls), len(rig.said)) == (calls, said + 2)
        rig.queue.jobs, rig.queue.due = paused.queue.jobs, paused.queue.due
        settle(rig)
        assert "1 of 3 failed: deploy-web" in rig.said[said + 2].text
        paused.worker.close()
