"""Cloud events that reached us: whose are taken, and what the log says."""

import pytest

from bot.core.events import FirstHeartbeat, TaskCompleted, Tick
from bot.notifications import heard
from rig import Peers, Rig, settings_for

OURS, OTHER = "1234567890123456", "6543210987654321"
TICK = Tick("poll", None, "")


def task(account=OURS, region="cn-hangzhou"):
    return TaskCompleted("e-1", account, region, None, "t-hz01", "c-hz01", "deploy", "i-bp1a", "Failed", 1, None)


@pytest.fixture
def told(tmp_path, caplog):
    """What the log says of events."""
    caplog.set_level("INFO")

    def tell(*events, account=OURS):
        assert heard(settings_for(None, None, tmp_path, FC_ACCOUNT_ID=account), events, "1-abc") is True
        return caplog.messages

    return tell


def test_events_of_our_account_and_regions_are_taken_and_timers_always(told):
    beat = FirstHeartbeat("e-2", OURS, "cn-shanghai", None, "i-sh1a")
    assert told(task(), task(), beat, TICK) == [
        "heard: 2 TaskCompleted (1-abc)",
        "heard: 1 FirstHeartbeat (1-abc)",
        "heard: 1 Tick (1-abc)",
    ]


@pytest.mark.parametrize("account", [OTHER, ""])
def test_those_of_another_account_or_of_none_are_dropped(told, account):
    assert told(task(account), TICK) == ["events dropped: of another account (1-abc)", "heard: 1 Tick (1-abc)"]


@pytest.mark.parametrize("region", ["us-west-1", ""])
def test_those_of_a_region_that_is_not_configured_are_dropped(told, region):
    assert told(task(region=region)) == ["events dropped: of a region that is not configured (1-abc)"]


def test_where_our_own_account_is_not_known_the_region_decides(told):
    assert told(task(OTHER), account="") == ["heard: 1 TaskCompleted (1-abc)"]


def test_what_breaks_is_to_be_delivered_again(tmp_path, caplog):
    with Peers() as peers, Rig(tmp_path, peers) as rig:
        assert rig.worker.hear([task()], "1-abc") is True
        assert rig.worker.hear([None], "1-abc") is False
    assert "crash 1-abc: AttributeError at " in caplog.text
