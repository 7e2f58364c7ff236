"""Cloud events that reached us: whose are taken, what each asks for, and what the log says."""

import json
from datetime import UTC, datetime

import pytest

from bot.core.events import FirstHeartbeat, InstanceEvent, TaskCompleted, Tick, read
from bot.jobs import CHORE, CLOUD_EVENT, REPORT
from bot.notifications import heard
from rig import Peers, Rig, settings_for

OURS, OTHER = "1234567890123456", "6543210987654321"
TICK = Tick("poll", None, "")
BEAT = FirstHeartbeat("e-2", OURS, "cn-shanghai", None, "i-sh1a")
NOW = 1_795_000_000.0


def task(account=OURS, region="cn-hangzhou", run="t-hz01"):
    return TaskCompleted("e-1", account, region, None, run, "c-hz01", "deploy", "i-bp1a", "Failed", 1, None)


@pytest.fixture
def queued(tmp_path, caplog):
    """The jobs that events ask for, with their waits."""
    caplog.set_level("INFO")

    def take(*events, account=OURS, now=NOW):
        jobs = []
        settings = settings_for(None, None, tmp_path, FC_ACCOUNT_ID=account)
        heard(settings, events, lambda job, wait: jobs.append((job, wait)), now, "1-abc")
        return jobs

    return take


def test_events_of_our_account_and_regions_are_taken_and_timers_always(tmp_path, caplog):
    jobs = []
    settings = settings_for(None, None, tmp_path, FC_ACCOUNT_ID=OURS)
    kinds = heard(settings, [task(), task(), BEAT, TICK], lambda job, _: jobs.append(job), NOW, "1-abc")
    assert kinds == {"TaskCompleted": 2, "FirstHeartbeat": 1, "Tick": 1}
    assert [job.kind for job in jobs] == [REPORT, CLOUD_EVENT, CHORE]
    assert caplog.messages == []


@pytest.mark.parametrize("account", [OTHER, ""])
def test_those_of_another_account_or_of_none_are_dropped(queued, caplog, account):
    assert [job.kind for job, _ in queued(task(account), TICK)] == [CHORE]
    assert caplog.messages == ["events dropped: of another account (1-abc)"]


@pytest.mark.parametrize("region", ["us-west-1", ""])
def test_those_of_a_region_that_is_not_configured_are_dropped(queued, caplog, region):
    assert queued(task(region=region)) == []
    assert caplog.messages == ["events dropped: of a region that is not configured (1-abc)"]


def test_where_our_own_account_is_not_known_the_region_decides(queued):
    assert len(queued(task(OTHER), account="")) == 1


def test_of_several_accounts_each_event_is_of_its_own(tmp_path, caplog):
    caplog.set_level("INFO")
    accounts = f"own@cn-hangzhou,prod=acs:ram::{OTHER}:role/reader@cn-hangzhou|cn-beijing"
    jobs = []
    settings = settings_for(None, None, tmp_path, FC_ACCOUNT_ID=OURS, BOT_ACCOUNTS=accounts)
    events = [task(), task(OTHER, run="t-hz02"), task(OTHER, "cn-beijing", "t-bj03")]
    events += [task(region="cn-beijing"), task("111"), task("")]
    heard(settings, events, lambda job, wait: jobs.append(job.payload["region"]), NOW, "1-abc")
    assert jobs == ["own/cn-hangzhou", "prod/cn-hangzhou", "prod/cn-beijing"]
    assert caplog.messages[:2] == [
        "events dropped: of a region that is not configured (1-abc)",
        "events dropped: of another account (1-abc)",
    ]


def test_a_storm_of_one_run_is_one_look_in_five_seconds(queued):
    storm = [(job, NOW + at / 10 + wait) for at in range(50) for job, wait in queued(*[task()] * 10, now=NOW + at / 10)]
    assert len(storm) == 50
    assert len({job.id for job, _ in storm}) == 1
    [(job, wait)] = queued(task(), task())
    assert (job.kind, wait, job.payload["invoke_id"], job.payload["region"]) == (REPORT, 5, "t-hz01", "cn-hangzhou")


@pytest.mark.parametrize(("second", "wait"), [(0.0, 5), (0.1, 5), (1.5, 4), (2.0, 3), (4.9, 3)])
def test_the_look_is_due_when_no_other_event_can_ask_for_the_same(queued, second, wait):
    [(_, seconds)] = queued(task(), now=NOW + second)
    assert seconds == wait


def test_an_event_without_a_run_asks_for_a_look_by_command_instance_and_time(queued):
    [(job, _)] = queued(task(run=""))
    assert job.payload["invoke_id"] == ""
    assert job.payload["hints"] == {
        "command_id": "c-hz01",
        "command_name": "deploy",
        "instance_id": "i-bp1a",
        "finished": NOW,
    }


def test_a_system_event_is_one_job_however_often_and_by_whatever_way_it_comes(queued):
    at = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
    failure = InstanceEvent("", OURS, "cn-hangzhou", at, "Instance:SystemFailure.Reboot", "Executing", "", "i-1", "")
    [(job, wait)] = queued(failure, failure)
    assert (job.kind, wait, job.payload["name"]) == (CLOUD_EVENT, 0.0, "Instance:SystemFailure.Reboot")
    assert queued(failure)[0][0].id == job.id


def test_a_system_event_by_eventbridge_and_by_cloudmonitor_is_told_once_in_each_of_its_statuses(queued):
    happens = {"eventId": "e-bp1", "instanceId": "i-1", "notBefore": "2026-11-28T01:01:01Z"}
    name, subject = "Instance:SystemMaintenance.Reboot", {"product": "ECS", "regionId": "cn-hangzhou", "userId": OURS}

    def both(status):
        content = {**happens, "eventType": "SystemMaintenance.Reboot", "eventStatus": status}
        bus = {"id": "a-1", "source": "acs.ecs", "type": f"ecs:{name}", "data": content}
        bus |= {"specversion": "1.0", "aliyunaccountid": OURS, "aliyunregionid": "cn-hangzhou"}
        monitor = {"id": "b-2", "ver": "1.0", "name": f"{name}:{status}", "content": content, **subject}
        return read(json.dumps([bus, monitor]).encode()).events

    [(planned, _)] = queued(*both("Scheduled"))
    [(begun, _)] = queued(*both("Executing"))
    assert (planned.payload["status"], begun.payload["status"]) == ("Scheduled", "Executing")
    happens["notBefore"] = "2026-11-29T01:01:01Z"
    [(moved, _)] = queued(*both("Scheduled"))
    assert len({planned.id, begun.id, moved.id}) == 3


def test_a_timer_that_is_delivered_twice_is_one_chore(queued):
    [(job, _)] = queued(TICK, Tick("poll", None, ""))
    assert job.payload == {"name": "poll", "payload": ""}


def test_what_breaks_is_to_be_delivered_again(tmp_path, caplog):
    with Peers() as peers, Rig(tmp_path, peers) as rig:
        assert rig.worker.hear([task()], "1-abc") is True
        assert rig.worker.hear([None], "1-abc") is False
        rig.queue.refusing = True
        assert rig.worker.hear([task(run="t-hz02")], "1-abc") is False
    assert "crash 1-abc: AttributeError at " in caplog.text
