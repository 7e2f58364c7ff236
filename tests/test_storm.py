"""A storm of events of one run, on several processes that share a store, some of them killed at any moment."""

import itertools
import json
import random
import tracemalloc
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from slack_sdk import WebClient

from bot import subscribers
from bot.adapters.slack import REPEAT
from bot.adapters.store import SQLiteStore
from bot.core.events import TaskCompleted
from bot.core.subscriptions import Subscription
from bot.subscribers import Subscribed
from bot.worker import Worker
from rig import RUN, Peers, Rig, fleet
from sandbox.slack_workspace import BOT_USER, INCIDENTS, PRIVATE, TEAM_ID, Channel
from sandbox.stage import Stage

COUNT, SECONDS, AT_ONCE = 500, 30, 8


class Killed(BaseException):
    """The process is gone: not even its `finally` writes anything."""


class MortalStore(SQLiteStore):
    """A store whose process dies before the call of the given number; what a dead process asks is not done."""

    def __init__(self, path, dies_at=None):
        super().__init__(path)
        self.calls, self.dies_at, self.dead = 0, dies_at, False

    def _alive(self):
        self.calls += 1
        self.dead = self.dead or self.calls == self.dies_at
        if self.dead:
            raise Killed

    def claim(self, *arguments, **more):
        self._alive()
        return super().claim(*arguments, **more)

    def mark(self, *arguments):
        self._alive()
        return super().mark(*arguments)

    def get(self, *arguments):
        self._alive()
        return super().get(*arguments)

    def put(self, *arguments, **more):
        self._alive()
        return super().put(*arguments, **more)


class Processes:
    """Workers that take turns, as function instances do; one that dies is followed by another."""

    def __init__(self, rig, folder, deaths=()):
        self._rig, self._path, self._deaths = rig, f"{folder}/bot.sqlite3", list(deaths)
        self._workers = [self._born(), self._born()]
        self.killed = 0

    def _born(self):
        store = MortalStore(self._path, self._deaths.pop() if self._deaths else None)
        rig = self._rig
        return Worker(rig.settings, rig.queue, store, clock=rig.time, sleep=rig.time.sleep), store

    def work(self, number, job):
        """As the platform does it: what is not done is delivered again."""
        place = number % 2
        worker, store = self._workers[place]
        try:
            if worker.work(job, self._rig.settings.credentials, "1-request"):
                return
        except Killed:
            self.killed += 1
            store.close()
            self._workers[place] = self._born()
        self._rig.queue.jobs.append((job, 0))
        self._rig.queue.due[job.task_id] = self._rig.time() + 1

    def hear(self, number, event):
        worker, _ = self._workers[number % 2]
        assert worker.hear([event], "1-request")

    def close(self):
        for worker, _ in self._workers:
            worker.close()


@pytest.fixture(scope="module")
def peers():
    with Peers([fleet(COUNT)]) as peers:
        yield peers


def storm(seed):
    """An event for each instance, four in a hundred of them twice, in any order."""
    chance = random.Random(seed)
    events = [completed(number) for number in range(COUNT)]
    events += chance.sample(events, COUNT // 25)
    chance.shuffle(events)
    return events


def completed(number):
    status, code = ("Failed", 1) if number == 0 else ("Success", 0)
    instance = f"i-{number:08}"
    return TaskCompleted(f"e-{number}", "", "cn-hangzhou", None, RUN, "", "deploy-web", instance, status, code, None)


def weather(rig, processes, events):
    """Events over half a minute, eight at a time, and all that follows from them."""
    batch = -(-len(events) // SECONDS)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for second in range(SECONDS + 90):
            some = events[second * batch : (second + 1) * batch]
            list(pool.map(lambda pair: processes.hear(*pair), enumerate(some)))
            due = [pair for pair in rig.queue.jobs if rig.queue.due[pair[0].task_id] <= rig.time()]
            rig.queue.jobs[:] = [pair for pair in rig.queue.jobs if pair not in due]
            list(pool.map(lambda pair: processes.work(pair[0], pair[1][0]), enumerate(due)))
            rig.time.ahead += 1


WHERE = ("cn-hangzhou", "cn-hangzhou", "cn-shanghai", "cn-shanghai", "cn-beijing")
ROLLOUT = [fleet(COUNT // 5, region, f"t-hz0rollout{number}") for number, region in enumerate(WHERE)]


def test_a_rollout_of_five_runs_in_three_regions_is_one_message_and_one_reply_that_rings(tmp_path):
    with Peers(ROLLOUT) as peers, Rig(tmp_path, peers) as rig:
        rig.ask("subscribe ring:<@U024BE7LH>")
        calls, processes = rig.cloud.count(), Processes(rig, tmp_path)
        runs = [ROLLOUT[number % 5] for number in range(COUNT)]
        events = [
            replace(completed(number), invoke_id=run.ask, region=run.regions[0]) for number, run in enumerate(runs)
        ]
        random.Random(3).shuffle(events)
        weather(rig, processes, events)
        processes.close()
        notice, reply = rig.said[1:]
    assert notice.text.startswith(f"5 of {COUNT} failed: deploy-web, 3 regions")
    assert reply.thread_ts == notice.ts
    assert reply.text.startswith(f"<@U024BE7LH> 5 of {COUNT} failed: deploy-web")
    assert rig.cloud.count() - calls <= 40


TIMES = ("2026-11-24T03:00:41+08:00", "2026-11-24T03:00:42.179PRC", "20261124T030042.922+0800", 1_795_000_000_000)


def eventbridge(number):
    """The event as EventBridge writes it, its time in one of the forms that were seen."""
    told = completed(number)
    return {
        "id": told.id,
        "source": "acs.ecs",
        "specversion": "1.0",
        "type": "ecs:CloudAssistant:TaskCompleted",
        "subject": "acs.ecs:cn-hangzhou:1234567890123456:1",
        "time": TIMES[number % len(TIMES)],
        "aliyunaccountid": "1234567890123456",
        "data": {"invokeId": RUN, "instanceId": told.instance_id, "invocationStatus": told.status},
    }


def shaped(way, events):
    """Events in one of the shapes in which they may come."""
    texts = [json.dumps(one) for one in events]
    body = {
        "one or several": events[0] if len(events) == 1 else events,
        "as texts": texts,
        "from a topic": [{"TopicName": "ecs", "MessageId": "m", "Message": one} for one in texts],
        "from a queue": [{"messageId": "m", "messageBody": b64encode(one.encode()).decode()} for one in texts],
    }
    return json.dumps(body[way]).encode()


WAYS = ("one or several", "as texts", "from a topic", "from a queue")


def test_a_storm_upon_two_real_processes_that_are_frozen_between_requests_is_one_message():
    chance = random.Random(5)
    events = [eventbridge(number) for number in range(COUNT)]
    events += chance.sample(events, COUNT // 25)
    chance.shuffle(events)
    bodies = []
    while events:
        some = chance.choice([1, 1, 5, 40])
        bodies.append(shaped(chance.choice(WAYS), events[:some]))
        del events[:some]
    with Stage([fleet(COUNT)], instances=2, delay_scale=0.02) as stage:
        for channel in (INCIDENTS, PRIVATE):
            stage.ask("subscribe", channel)
        calls = stage.cloud.count()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            replies = list(pool.map(lambda body: stage.fc.invoke(body, sync=False).status, bodies))
        stage.fc.wait_idle(60)
        told = [message for message in stage.slack.messages if message.user == BOT_USER][2:]
        assert set(replies) == {202}
        for channel in (INCIDENTS, PRIVATE):
            notice, reply = [message for message in told if message.channel == channel]
            assert notice.text.startswith(f"1 of {COUNT} failed: deploy-web")
            assert reply.thread_ts == notice.ts
        assert stage.cloud.count() - calls <= 15
        assert stage.slack.refused == []


SLOW = fleet(
    200,
    run="t-hz0slow00001",
    CreationTime="-1s",
    InvocationResult=[
        {"instances": "web-001", "StartTime": "+1s", "FinishedTime": "+10s", "ExitCode": 1, "Output": "disk full"},
        {"StartTime": "+1s", "FinishedTime": "+5s", "step": "1s", "ExitCode": 0, "Output": "release 4.12.0 active"},
    ],
)


def test_while_a_run_goes_on_its_message_is_kept_right_at_most_every_three_seconds(tmp_path, monkeypatch):
    """First a minute after the first failure; the last state gets through."""
    with Peers([SLOW]) as peers, Rig(tmp_path, peers) as rig:
        rig.ask("subscribe")
        began, calls, written = rig.time(), rig.cloud.count(), []
        real = WebClient.api_call

        def api_call(client, method, **arguments):
            if method in ("chat.postMessage", "chat.update") and "thread_ts" not in arguments["json"]:
                written.append((method, rig.time() - began))
            return real(client, method, **arguments)

        monkeypatch.setattr(WebClient, "api_call", api_call)
        processes, chance = Processes(rig, tmp_path), random.Random(7)
        ends = {number: 10 if number == 0 else 5 + number for number in range(200)}
        arrive = sorted((end + chance.randint(0, 4), number) for number, end in ends.items() for _ in range(2))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for second in range(400):
                some = [replace(completed(number), invoke_id=SLOW.ask) for at, number in arrive if at == second]
                list(pool.map(lambda pair: processes.hear(*pair), enumerate(some)))
                due = [pair for pair in rig.queue.jobs if rig.queue.due[pair[0].task_id] <= rig.time()]
                rig.queue.jobs[:] = [pair for pair in rig.queue.jobs if pair not in due]
                list(pool.map(lambda pair: processes.work(pair[0], pair[1][0]), enumerate(due)))
                rig.time.ahead += 1
                rig.cloud.clock.advance(1)
        processes.close()
        notice, reply = rig.said[1:]
    methods, times = zip(*written, strict=True)
    assert methods == ("chat.postMessage", *["chat.update"] * len(methods[1:]))
    assert 70 <= times[0] < 80
    assert len(times) >= 3
    assert min(after - before for before, after in itertools.pairwise(times)) >= 3
    assert notice.text.startswith("1 of 200 failed: deploy-web")
    assert reply.thread_ts == notice.ts
    assert rig.cloud.count() - calls <= 40


def test_five_hundred_events_are_one_message_in_each_channel(rig, tmp_path):
    rig.ask("subscribe")
    rig.ask("subscribe", channel=PRIVATE)
    rig.said.clear()
    before, calls = len(rig.said), rig.cloud.count()
    processes = Processes(rig, tmp_path)
    weather(rig, processes, storm(1))
    processes.close()
    told = rig.said[before:]
    for channel in (INCIDENTS, PRIVATE):
        notice, reply = [message for message in told if message.channel == channel]
        assert notice.text.startswith(f"1 of {COUNT} failed: deploy-web")
        assert reply.thread_ts == notice.ts
        assert "web-001" in reply.text
    assert rig.cloud.count() - calls <= 15
    assert rig.queue.jobs == []


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_moment_the_end_is_right_and_a_repeat_says_so(rig, tmp_path, seed):
    rig.ask("subscribe")
    before = len(rig.said)
    chance = random.Random(seed)
    processes = Processes(rig, tmp_path, [chance.randint(3, 16) for _ in range(10)])
    weather(rig, processes, storm(seed))
    processes.close()
    notices = [message for message in rig.said[before:] if not message.thread_ts]
    assert processes.killed >= 5
    assert notices
    assert notices[-1].text.startswith(f"1 of {COUNT} failed: deploy-web")
    assert all(REPEAT in message.text for message in notices[1:])
    assert rig.queue.jobs == []


CHANNELS = [f"C0MANY{number:04}" for number in range(200)]


def test_two_hundred_channels_are_all_told_and_nothing_is_lost_on_429(rig):
    for channel in CHANNELS:
        rig.slack.workspace.channels[channel] = Channel(channel, channel.lower(), {BOT_USER})
        subscribers.add(rig.worker._store, [Subscribed(TEAM_ID, channel, Subscription(), made=rig.time())])
    rig.slack.fail("429", method="chat.postMessage", times=60)
    calls = rig.cloud.count()
    assert rig.worker.hear([completed(0)], "1-request")
    rig.work_off()
    told = {channel: [one for one in rig.said if one.channel == channel] for channel in CHANNELS}
    assert all(len(messages) == 2 for messages in told.values())
    assert all(notice.ts == reply.thread_ts for notice, reply in told.values())
    assert rig.cloud.count() - calls <= 15


def test_a_day_of_twenty_thousand_events_leaves_nothing_behind(tmp_path):
    runs = [f"t-hz0day{number:06}" for number in range(20)]
    scenarios = [fleet(1, run=run, CommandName=f"job-{number}") for number, run in enumerate(runs)]
    with Peers(scenarios) as peers, Rig(tmp_path, peers) as rig:
        store = SQLiteStore(f"{tmp_path}/bot.sqlite3", sweep_every=1)
        subscribers.add(store, [Subscribed(TEAM_ID, INCIDENTS, Subscription(), made=rig.time())])
        tracemalloc.start()
        sizes = []
        for run in runs:
            events = [replace(completed(number), invoke_id=run) for number in range(1_000)]
            for at in range(0, 1_000, 100):
                assert rig.worker.hear(events[at : at + 100], "1-request")
                rig.time.ahead += 3
            rig.work_off()
            rig.time.ahead += 4_320
            rig.queue.due.clear()  # the platform's memory of ids, not ours
            sizes.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert rig.queue.jobs == []
        assert len({message.text for message in rig.said if not message.thread_ts}) == len(runs)
        assert sizes[-1] - sizes[len(sizes) // 2] < 3_000_000
        rig.time.ahead += 200 * 86_400
        store.claim("sweep", "me", rig.time(), rig.time(), rig.time())
        left = {record.key.split("/")[0] for record in store.list("", rig.time() - 200 * 86_400)}
        assert left <= {"subscription", "sweep"}
        store.close()
