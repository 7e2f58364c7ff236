"""One answer or one apology for each job, whatever breaks; in this process, with the far ends on loopback."""

import math
import threading
import time

import pytest

from bot import lease as leases
from bot.adapters.slack import REPEAT
from bot.adapters.store import SQLiteStore, StoreError
from bot.adapters.tablestore_client import make_table
from bot.core.events import TaskCompleted
from bot.core.messages import UNKNOWN_PRESS
from bot.delivery import AWAY, NEWS_OLDEST
from bot.jobs import Job
from bot.lease import ATTEMPTS, LEASE, Lease, LostLease
from bot.lookup import Limits
from bot.settings import Credentials
from bot.subcommands import SUBCOMMANDS, Entry
from bot.worker import AT_WORK, BUSY_DELAY
from rig import RUN, Peers, Rig, Time, fleet
from sandbox.cloud import KEY_ID, SECRETS, STS_KEY_ID, TOKENS
from sandbox.slack_workspace import DIRECT, INCIDENTS, MEI
from tablestore_stub import INSTANCE, REGION, TablestoreStub, place

IN_BEIJING = "t-bj0fleet0001"


@pytest.fixture(scope="module")
def peers():
    with Peers([fleet(), fleet(region="cn-beijing", run=IN_BEIJING)]) as peers:
        yield peers


def test_an_answer_and_then_nothing_for_every_further_delivery(rig):
    job = rig.command(RUN)
    assert all(rig.work(job) for _ in range(3))
    assert [message.text.split(":")[0] for message in rig.said] == ["1 of 3 failed"]
    assert rig.queue.jobs == []


def test_two_deliveries_at_once(rig):
    """The second meets a live lease, queues itself for its end, and finds the job done."""
    job, entered, go_on = rig.command(RUN), threading.Event(), threading.Event()
    real = rig.cloud.handle

    def held(request):
        entered.set()
        go_on.wait(10)
        return real(request)

    rig.cloud.handle = held
    first = threading.Thread(target=rig.work, args=(job,))
    first.start()
    assert entered.wait(10)
    assert rig.work(job)
    [(again, delay)] = rig.queue.jobs
    assert (again.id, again.tries) == (job.id, 1)
    assert LEASE < delay <= LEASE + 1
    go_on.set()
    first.join()
    rig.work_off()
    assert len(rig.said) == 1


# Without a place


def test_a_job_that_finds_no_place_queues_itself_again(tmp_path, peers):
    with Rig(tmp_path, peers, slot_wait=0.05) as rig:
        go_on, held = threading.Event(), threading.Barrier(AT_WORK + 1)
        real = rig.cloud.handle

        def handle(request):
            if not go_on.is_set():
                held.wait(10)
                go_on.wait(10)
            return real(request)

        rig.cloud.handle = handle
        busy = [threading.Thread(target=rig.work, args=(rig.command("region:cn-hangzhou"),)) for _ in range(AT_WORK)]
        for thread in busy:
            thread.start()
        held.wait(10)
        job = rig.command(RUN)
        assert rig.work(job)
        [(again, delay)] = rig.queue.jobs
        assert (again.id, again.tries, delay) == (job.id, 1, BUSY_DELAY)
        rig.queue.refusing = True
        assert not rig.work(job)
        rig.queue.refusing = False
        go_on.set()
        for thread in busy:
            thread.join()
        rig.work_off()
        assert len(rig.said) == AT_WORK + 1


# Throttled


def throttle(rig, action, seconds=40, **more):
    rig.cloud.fail("throttle", action=action, headers={"x-acs-retry-after": str(seconds * 1000)}, **more)


def test_a_throttled_run_is_answered_when_the_api_answers_again(rig):
    throttle(rig, "DescribeInvocationResults")
    waiting, answer = rig.ask(RUN)
    assert "I ask again in 40 s" in waiting.text
    assert (waiting.ephemeral_to, answer.ephemeral_to) == (MEI, None)
    assert "disk full" in str(answer.blocks)
    assert REPEAT not in answer.text


def test_a_run_throttled_for_long_is_told_of_once_and_answered_with_what_is_there(rig):
    throttle(rig, "DescribeInvocationResults", times=math.inf)
    waiting, answer = rig.ask(RUN)
    assert "I ask again" in waiting.text
    assert answer.text.startswith("1 of 3 failed")
    assert f"Outputs of {RUN} are missing: DescribeInvocationResults is throttled there" in answer.text
    assert rig.cloud.count("DescribeInvocationResults") == 3


def test_a_question_throttled_for_long_has_one_sentence_in_the_end(rig):
    throttle(rig, "DescribeInvocations", times=math.inf)
    waiting, answer = rig.ask(RUN)
    assert "I ask again" in waiting.text
    assert "still refuses DescribeInvocations" in answer.text


def test_a_throttle_in_the_region_where_the_run_is_is_waited_for(rig):
    throttle(rig, "DescribeInvocations")
    waiting, answer = rig.ask(RUN)
    assert "I ask again" in waiting.text
    assert answer.text.startswith("1 of 3 failed")


def test_a_list_goes_out_at_once_and_names_what_is_throttled(rig):
    throttle(rig, "DescribeInvocations", region="cn-shanghai")
    [answer] = rig.ask("")
    assert "No answer from cn-shanghai: DescribeInvocations is throttled there for another 40 s." in answer.text


def test_a_throttle_that_another_worker_met_is_respected(rig, tmp_path, peers):
    throttle(rig, "DescribeInvocations")
    assert rig.work(rig.command(RUN))
    with Rig(tmp_path, peers) as other:
        other.cloud.clear()
        assert other.work(other.command(RUN))
        assert other.cloud.count(region="cn-hangzhou") == 0
        assert len(other.queue.jobs) == 1


def test_a_postponed_job_that_the_queue_refuses_is_delivered_again(rig):
    throttle(rig, "DescribeInvocations", times=1)
    rig.queue.refusing = True
    job = rig.command(RUN)
    assert not rig.work(job)
    assert rig.said == []
    rig.time.sleep(41)
    assert rig.work(job)
    assert len(rig.said) == 1


def test_a_wait_that_cannot_be_told_is_a_wait_all_the_same(rig):
    throttle(rig, "DescribeInvocationResults")
    job = rig.command(RUN, response_url="")
    rig.slack.fail("error:fatal_error", "chat.postEphemeral", times=9)
    rig.slack.fail("error:restricted_action", "chat.postMessage")
    assert rig.work(job)
    rig.work_off()
    assert [message.text.split(":")[0] for message in rig.said] == ["1 of 3 failed"]


# Slow and broken regions


def test_the_answer_goes_out_with_the_regions_that_replied(tmp_path, peers):
    with Rig(tmp_path, peers, limits=Limits(gather=0.5)) as rig:
        rig.cloud.fail("slow", region="cn-beijing", seconds=0.8)
        [answer] = rig.ask("")
        assert answer.text.startswith("1 of 1 run failed")
        assert "No answer from cn-beijing: no reply in time." in answer.text


def test_when_no_region_replies_in_time_that_is_said(tmp_path, peers):
    with Rig(tmp_path, peers, limits=Limits(gather=0.1)) as rig:
        rig.cloud.fail("slow", seconds=0.4, times=3)
        [answer] = rig.ask("")
        assert "Alibaba Cloud gave no usable answer to" in answer.text


def test_a_slow_region_is_named_where_the_id_is_nowhere_else(tmp_path, peers):
    with Rig(tmp_path, peers, limits=Limits(others=0.5)) as rig:
        rig.cloud.fail("slow", region="cn-beijing", seconds=0.8)
        [answer] = rig.ask("t-hz0nowhere01")
        assert "No run t-hz0nowhere01 in cn-hangzhou, cn-shanghai" in answer.text
        assert "No answer from cn-beijing: no reply in time." in answer.text
        assert answer.ephemeral_to == MEI


@pytest.mark.parametrize("kind", ["http500", "html502", "drop", "drop_after", "empty", "bad_json"])
def test_faults_of_the_cloud_that_pass_are_not_seen(rig, kind):
    rig.cloud.fail(kind, times=2)
    [answer] = rig.ask(RUN)
    assert answer.text.startswith("1 of 3 failed")


@pytest.mark.parametrize("kind", ["http500", "html502", "drop"])
def test_faults_of_the_cloud_that_stay_are_one_sentence(rig, kind):
    rig.cloud.fail(kind, times=math.inf)
    [answer] = rig.ask(RUN)
    assert "Alibaba Cloud gave no usable answer to DescribeInvocations" in answer.text
    assert answer.ephemeral_to == MEI
    assert rig.cloud.url not in answer.text


# Slack's side


def test_a_long_wait_of_slacks_is_kept_and_repeats_nothing(rig):
    rig.slack.fail("429", "response_url", retry_after=30)
    job = rig.command(RUN)
    assert rig.work(job)
    [(_, delay)] = rig.queue.jobs
    assert delay == 30
    rig.work_off()
    [answer] = rig.said
    assert REPEAT not in answer.text


def test_a_long_wait_after_a_lost_reply_may_repeat(rig):
    rig.slack.fail("drop_after", "response_url")
    rig.slack.fail("429", "response_url", retry_after=30)
    first, second = rig.ask(RUN)
    assert REPEAT not in first.text
    assert REPEAT in second.text


def test_a_wait_of_slacks_that_the_queue_refuses_is_delivered_again(rig):
    rig.slack.fail("429", "response_url", retry_after=30)
    rig.queue.refusing = True
    job = rig.command(RUN)
    assert not rig.work(job)
    assert rig.work(job)
    assert len(rig.said) == 1


def test_after_half_an_hour_nobody_waits_any_more(rig):
    job = rig.command(RUN)
    rig.time.sleep(2_000)
    rig.slack.fail("429", "response_url", retry_after=30)
    assert rig.work(job)
    assert rig.queue.jobs == rig.said == []


def test_slack_that_takes_nothing_ends_the_job(rig, caplog):
    rig.slack.fail("error:invalid_auth", "*", times=99)
    assert rig.work(rig.command(RUN, response_url=""))
    assert "no way to answer" in caplog.text


# Crashes


@pytest.fixture
def breaking(rig, monkeypatch):
    """`show` raises as often as `breaking` says, with a secret in its message."""
    left = [99]
    entry = SUBCOMMANDS["show"]

    def run(desk, question):
        if left[0]:
            left[0] -= 1
            raise RuntimeError("secret-output")
        return entry.run(desk, question)

    monkeypatch.setitem(SUBCOMMANDS, "show", Entry(entry.usage, entry.says, run))
    return left


def test_a_crash_is_delivered_again_and_then_apologised_for_once(rig, breaking, caplog):
    job = rig.command(RUN)
    assert [rig.work(job) for _ in range(ATTEMPTS + 1)] == [False, False, True, True]
    [apology] = rig.said
    assert "request id 1-request" in apology.text
    assert apology.ephemeral_to == MEI
    assert "secret-output" not in caplog.text + apology.text
    assert "crash 1-request: RuntimeError at test_worker.py" in caplog.text


def test_a_crash_that_passes_is_not_seen(rig, breaking):
    breaking[0] = 2
    job = rig.command(RUN)
    assert [rig.work(job) for _ in range(3)] == [False, False, True]
    assert [message.text.split(":")[0] for message in rig.said] == ["1 of 3 failed"]


def test_a_job_that_was_put_off_may_crash_as_often_as_a_new_one(rig, breaking):
    breaking[0] = 0
    rig.slack.fail("429", "response_url", retry_after=30)
    assert rig.work(rig.command(RUN))
    [(again, _)] = rig.queue.jobs
    breaking[0] = ATTEMPTS - 1
    assert [rig.work(again) for _ in range(ATTEMPTS)] == [False, False, True]
    assert [message.text.split(":")[0] for message in rig.said] == ["1 of 3 failed"]


def test_a_crash_without_a_store_is_apologised_for_at_once(tmp_path, breaking, peers):
    with Rig(tmp_path, peers, store=SQLiteStore("/proc/nowhere/bot.sqlite3")) as rig:
        assert rig.work(rig.command(RUN))
        assert len(rig.said) == 1


def test_an_apology_that_slack_does_not_take(rig, breaking, caplog):
    rig.ask("help")  # now it is known who asks, and where
    rig.slack.fail("error:invalid_auth", "*", times=99)
    job = rig.command(RUN, response_url="")
    assert [rig.work(job) for _ in range(ATTEMPTS)] == [False, False, True]
    assert "no way to apologise" in caplog.text


def test_a_status_of_bolts_own_fails_the_job(rig, monkeypatch):
    class Refusing:
        status = 401

    monkeypatch.setattr(rig.worker._app, "dispatch", lambda request: Refusing)
    assert not rig.work(rig.command(RUN))


# The store


def test_an_unwritable_store_is_no_reason_not_to_answer(tmp_path, caplog, peers):
    with Rig(tmp_path, peers, environment={"BOT_STORE": "sqlite:////proc/nowhere/bot.sqlite3"}) as rig:
        [answer] = rig.ask(RUN)
        assert answer.text.startswith("1 of 3 failed")
    assert "store: " in caplog.text


def test_what_comes_twice_to_a_process_without_a_store_is_answered_once(tmp_path, peers):
    with Rig(tmp_path, peers, store=SQLiteStore("/proc/nowhere/bot.sqlite3")) as rig:
        job = rig.command(RUN)
        assert rig.work(job)
        assert rig.work(job)
        [answer] = rig.said
        assert REPEAT in answer.text  # another process may have answered


class Full(SQLiteStore):
    """A disk that is full from now on."""

    full = False

    def mark(self, *args):
        if self.full:
            raise StoreError("database or disk is full")
        return super().mark(*args)

    def put(self, *args, **kwargs):
        if self.full:
            raise StoreError("database or disk is full")
        return super().put(*args, **kwargs)


def test_a_disk_that_fills_up_is_no_reason_not_to_answer_but_only_this_process_knows_of_repeats_then(tmp_path, peers):
    store = Full(str(tmp_path / "full.sqlite3"))
    store.full = True
    with Rig(tmp_path, peers, store=store) as rig:
        job = rig.command(RUN)
        assert rig.work(job)
        store.full = False
        assert rig.work(job)
        rig.work_off()  # the first delivery's lease could not be given back
        assert len(rig.said) == 1
        rig.worker._memory.close()  # as another process, which knows nothing
        assert rig.work(job)
        assert [one.text.startswith("1 of 3 failed") for one in rig.said] == [True, True]
        assert [REPEAT in one.text for one in rig.said] == [True, False]


def test_news_that_meets_a_full_disk_is_told_when_there_is_room_again(tmp_path, caplog, peers):
    store = Full(str(tmp_path / "full.sqlite3"))
    with Rig(tmp_path, peers, store=store) as rig:
        rig.ask("subscribe")
        before = len(rig.said)
        store.full = True
        event = {"id": "e-1", "account": "", "at": None, "command_id": "", "command_name": "", "finished": None}
        ended = TaskCompleted(
            **event, region="cn-hangzhou", invoke_id=RUN, instance_id="i-1", status="Failed", exit_code=1
        )
        assert rig.worker.hear([ended], "1-request")
        look, _ = rig.queue.jobs.pop()
        assert rig.work(look)
        assert [delay for _, delay in rig.queue.jobs] == [AWAY]
        assert "put off, store: " in caplog.text
        store.full = False
        rig.work_off()
        notice, _ = rig.said[before:]
        assert notice.text.startswith("1 of 3 failed")


def test_what_the_store_has_failed_for_a_day_is_given_up(tmp_path, caplog, peers):
    store = Full(str(tmp_path / "full.sqlite3"))
    with Rig(tmp_path, peers, store=store) as rig:
        rig.ask("subscribe")
        store.full = True
        payload = {"region": "cn-hangzhou", "invoke_id": RUN, "heard": True}
        assert not rig.work(Job("report", "report_old", int(rig.time()) - NEWS_OLDEST, payload))
        assert rig.queue.jobs == []
        assert "crash 1-request: StoreError" in caplog.text


def test_the_store_is_asked_with_the_credentials_of_the_latest_job(tmp_path, peers):
    """The environment's serve until a job brings its own; those outlast a job that has none."""
    with TablestoreStub() as stub:
        stub.keys = {KEY_ID: (SECRETS[KEY_ID], None), STS_KEY_ID: (SECRETS[STS_KEY_ID], TOKENS[STS_KEY_ID])}
        own, brought = (Credentials(key, SECRETS[key], TOKENS.get(key, "")) for key in (KEY_ID, STS_KEY_ID))
        make_table(place(stub), lambda: own)
        environment = {
            "BOT_STORE": f"tablestore://{INSTANCE}.{REGION}?endpoint={stub.url}",
            "ALIBABA_CLOUD_ACCESS_KEY_ID": own.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": own.access_key_secret,
            "ALIBABA_CLOUD_SECURITY_TOKEN": "",
        }
        with Rig(tmp_path, peers, environment=environment) as rig:
            for credentials, used in (
                (own, KEY_ID),
                (brought, STS_KEY_ID),
                (own, STS_KEY_ID),
                (Credentials(), STS_KEY_ID),
            ):
                stub.key_ids.clear()
                assert rig.worker.work(rig.command(RUN), credentials, "1-request")
                assert set(stub.key_ids) == {used}
            first = rig.said[0]
            assert first.text.startswith("1 of 3 failed")


# The lease


@pytest.fixture
def clock():
    return Time()


@pytest.fixture
def store(tmp_path):
    store = SQLiteStore(str(tmp_path / "lease.sqlite3"))
    yield store
    store.close()


@pytest.fixture
def memory():
    memory = SQLiteStore(":memory:")
    yield memory
    memory.close()


JOB = Job("command", "cmd_1", 0, {})


def leased(store, memory, clock):
    lease = Lease(store, memory, JOB, clock)
    assert lease.take() is None
    lease.keep()
    return lease


def test_what_died_while_posting_is_known_to_the_next(store, memory, clock):
    dead = leased(store, memory, clock)
    dead.posting()
    dead.stop()
    assert 0 < Lease(store, memory, JOB, clock).take() <= LEASE
    clock.sleep(LEASE + 1)
    following = leased(store, memory, clock)
    assert following.posting_before
    assert following.attempts == 2
    following.finish()
    following.stop()
    last = leased(store, memory, clock)
    assert last.done
    last.stop()


def test_a_lease_that_was_taken_over_may_not_post(store, memory, clock):
    slow = leased(store, memory, clock)
    slow.stop()
    clock.sleep(LEASE + 1)
    other = leased(store, memory, clock)
    with pytest.raises(LostLease):
        slow.posting()
    slow.finish()
    other.stop()
    assert Lease(store, memory, JOB, clock).take() is not None


def test_without_a_store_deliveries_to_one_process_know_of_each_other(memory, clock):
    broken = SQLiteStore("/proc/nowhere/lease.sqlite3")
    first = leased(broken, memory, clock)
    assert (first.attempts, first.may_repeat) == (ATTEMPTS, True)
    assert 0 < Lease(broken, memory, JOB, clock).take() <= LEASE
    first.finish()
    first.stop()
    second = leased(broken, memory, clock)
    assert second.done
    second.stop()


def test_a_lost_lease_ends_the_delivery_without_an_answer(rig, monkeypatch, caplog):
    def lost(lease):
        raise LostLease

    monkeypatch.setattr(Lease, "posting", lost)
    assert rig.work(rig.command(RUN))
    assert rig.said == []
    assert "another delivery took over" in caplog.text


def test_a_lease_is_renewed_until_its_end_and_never_after(store, memory, clock, monkeypatch):
    monkeypatch.setattr(leases, "RENEW_EVERY", 0.001)
    marks, written = [], threading.Semaphore(0)
    real = store.mark

    def mark(key, owner, value, until):
        marks.append((value, until))
        written.release()
        return real(key, owner, value, until)

    store.mark = mark
    lease = leased(store, memory, clock)
    for _ in range(5):
        assert written.acquire(timeout=5)
    lease.finish()
    after = len(marks)
    lease.release()
    lease._renew()
    lease.stop()
    assert len(marks) == after
    assert marks[-1][0]["done"]
    assert Lease(store, memory, JOB, clock).take() is None


def test_a_renewer_whose_lease_is_lost_stops(store, memory, clock, monkeypatch):
    monkeypatch.setattr(leases, "RENEW_EVERY", 0.001)
    store.mark = lambda *args: False
    lease = leased(store, memory, clock)
    lease._renewer.join(timeout=5)
    assert not lease._renewer.is_alive()
    lease.stop()


# What has no listener


def test_a_button_without_a_listener_is_answered_privately(rig):
    url = rig.slack.new_response_url(INCIDENTS, MEI, "action")
    press = {
        "type": "block_actions",
        "channel": {"id": INCIDENTS},
        "container": {"type": "message", "channel_id": INCIDENTS},
        "response_url": url,
        "actions": [{"type": "button", "action_id": "of_an_older_version", "block_id": "b"}],
    }
    assert rig.work(rig.interaction(press))
    assert [(message.text, message.ephemeral_to) for message in rig.said] == [(UNKNOWN_PRESS, MEI)]


@pytest.mark.parametrize("kind", ["shortcut", "view_submission", "block_suggestion", "something_new"])
def test_a_shortcut_without_a_channel_is_answered_in_a_direct_message(rig, kind):
    assert rig.work(rig.interaction({"type": kind, "callback_id": "gone", "actions": []}))
    [answer] = rig.said
    assert answer.channel == DIRECT
    assert answer.text.startswith(UNKNOWN_PRESS)


@pytest.mark.parametrize("event", [{"type": "team_join"}, {"type": "reaction_added", "user": MEI}, {}])
def test_events_of_no_interest_start_nothing(rig, event):
    assert rig.work(rig.event(event))
    assert rig.slack.calls == rig.cloud.calls == []


def test_time_is_real_unless_told(tmp_path, peers):
    with Rig(tmp_path, peers) as rig:
        assert abs(rig.worker.now - time.time()) < 5
