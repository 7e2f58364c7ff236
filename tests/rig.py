"""The worker in the test's own process, between the sandbox's Cloud Assistant and Slack on loopback."""

import itertools
import threading
import time

from slack_sdk import WebClient

from bot.adapters.queue import QueueRefused
from bot.core.modal import loading
from bot.jobs import COMMAND, EVENT, INTERACTION, Job, unseal
from bot.lookup import Limits
from bot.settings import Settings
from bot.slack_requests import interaction_job, opens_modal, unopened
from bot.worker import Worker
from sandbox import slack_interactions as interactions
from sandbox.block_kit import message_problems, pings
from sandbox.cloud import SECRETS, STS_KEY_ID, TOKENS, Cloud
from sandbox.scenario import build
from sandbox.scenario_values import OWN_ACCOUNT
from sandbox.slack import Slack
from sandbox.slack_workspace import BOT_TOKEN, BOT_USER, INCIDENTS, MEI, SIGNING_SECRET, TEAM_ID, View

REGIONS = "cn-hangzhou,cn-shanghai,cn-beijing"
CONSOLE = "<https://ecs.console.aliyun.com/"  # the one link that an answer holds
RUN, COMMAND_ID = "t-hz0fleet0001", "c-hz0fleet0001"
_NUMBERS = itertools.count(1)


PATIENT = Limits(beside=30.0)  # with what is good to know beside an answer, however slow the machine is


class Time:
    """Real time and all that was slept: nothing here waits."""

    def __init__(self):
        self.ahead = 0.0
        self.slept = []

    def __call__(self):
        return time.time() + self.ahead

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.ahead += seconds


class Queue:
    """Keeps what was put, and when it is due; leaves out a task id that it knows; refuses while `refusing`."""

    def __init__(self, clock=time.time):
        self.jobs = []
        self.due = {}
        self.refusing = False
        self._clock = clock

    def put(self, task_id, body, credentials, delay=0):
        if self.refusing:
            raise QueueRefused("busy")
        if task_id not in self.due:
            self.jobs.append((unseal(body, SIGNING_SECRET), delay))
            self.due[task_id] = self._clock() + delay


def fleet(count=3, region="cn-hangzhou", run=RUN, account=OWN_ACCOUNT, **invocation):
    """A scenario: one run on `web-[001-…]`, all fine but the first, which failed."""
    targets = f"web-[001-{count:03d}]"
    failed = {"instances": "web-001", "StartTime": "-4m", "FinishedTime": "-3m", "ExitCode": 1, "Output": "disk full"}
    fine = {"StartTime": "-4m", "FinishedTime": "-3m", "ExitCode": 0, "Output": "release 4.12.0 active"}
    return build(
        run,
        {
            "title": "A fleet",
            "about": "One failed.",
            "ask": run,
            "account": account,
            "regions": [region],
            "Instance": [{"RegionId": region, "InstanceName": targets, "private_ip": "10.9.0.1"}],
            "Invocation": [
                {
                    "RegionId": region,
                    "InvokeId": run,
                    "CommandId": run.replace("t-", "c-"),
                    "CommandName": "deploy-web",
                    "CreationTime": "-5m",
                    "targets": [targets],
                    "InvocationResult": [failed, fine] if count > 1 else [failed],
                    **invocation,
                }
            ],
            "Command": [{"RegionId": "cn-hangzhou", "CommandId": "c-hz0never0001", "Name": "never-ran"}]
            if region == "cn-hangzhou"
            else [],
        },
    )


def settings_for(cloud, slack, folder, **environment):
    defaults = {
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_API_URL": f"{slack.url}/api/" if slack else "",
        **dict.fromkeys(("ECS_ENDPOINT", "STS_ENDPOINT", "KMS_ENDPOINT", "OOS_ENDPOINT"), cloud.url if cloud else ""),
        "BOT_REGIONS": REGIONS,
        "BOT_STORE": f"sqlite:///{folder}/bot.sqlite3",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": STS_KEY_ID,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRETS[STS_KEY_ID],
        "ALIBABA_CLOUD_SECURITY_TOKEN": TOKENS[STS_KEY_ID],
    }
    return Settings.from_environment({**defaults, **environment})


class Peers:
    """The far ends, for as many rigs as like, one after another; `reset` makes them as they were."""

    def __init__(self, scenarios=None, roles=()):
        self.time = Time()
        self.cloud = Cloud([fleet()] if scenarios is None else scenarios, roles=roles)
        self.slack = Slack(clock=self.time)

    def __enter__(self):
        self.cloud.start()
        self.slack.start()
        return self

    def __exit__(self, *error):
        self.slack.stop()
        self.cloud.stop()

    def reset(self):
        self.time.ahead = 0.0
        self.time.slept.clear()
        self.cloud.__dict__.pop("handle", None)
        self.cloud.mend()
        self.cloud.clear()
        self.cloud.may_list_instances = True
        self.cloud.kms.clear()
        self.cloud.oos.clear()
        self.slack.reset()


class Rig:
    """One worker with its own store in `folder`; use as a context manager. `options` go to Worker."""

    def __init__(self, folder, peers, environment=None, **options):
        self.peers, self.time, self.cloud, self.slack = peers, peers.time, peers.cloud, peers.slack
        self.queue = Queue(self.time)
        self.settings = settings_for(self.cloud, self.slack, folder, **(environment or {}))
        self.worker = Worker(self.settings, self.queue, clock=self.time, sleep=self.time.sleep, **options)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for thread in threading.enumerate():
            if thread.name.startswith("call"):  # calls that an answer did not wait for
                thread.join()
        self.worker.close()
        self.peers.reset()

    def _job(self, kind, payload):
        return Job(kind, f"test_{next(_NUMBERS)}", int(self.time()), payload)

    def command(self, text, channel=INCIDENTS, user=MEI, response_url=None):
        url = self.slack.new_response_url(channel, user) if response_url is None else response_url
        who = {"team_id": TEAM_ID, "channel_id": channel, "user_id": user, "response_url": url}
        return self._job(COMMAND, {"command": "/cloudassist", "text": text, **who})

    def event(self, event):
        own = {"team_id": TEAM_ID, "user_id": BOT_USER, "is_bot": True}
        body = {"type": "event_callback", "team_id": TEAM_ID, "event": event, "authorizations": [own]}
        return self._job(EVENT, body)

    def interaction(self, payload):
        return self._job(INTERACTION, {"team": {"id": TEAM_ID}, "user": {"id": MEI}, **payload})

    def press(self, shown, action_id, value=None, user=MEI):
        """A press, and all that follows from it."""
        before = len(self.said)
        assert self.work(self.pressed(shown, action_id, value, user))
        return self.said[before:]

    def pressed(self, shown, action_id, value=None, user=MEI, *, opened=True):
        """The job of a press: as Slack sends it and the door makes it small, with the modal that the door opens.

        Not `opened`: the door did not know the bot token, or heard nothing good from Slack.
        """
        blocks = shown.content["blocks"] if isinstance(shown, View) else shown.blocks
        pressed = interactions.press(blocks, action_id, value, None, f"{self.time():.6f}")
        person, trigger = self.slack.workspace.users[user], self.slack.new_trigger(user)
        if isinstance(shown, View):
            payload = interactions.view_action_payload(shown, pressed, person, trigger)
        else:
            url = self.slack.new_response_url(shown.channel, user, "action", shown.ts)
            channel = self.slack.workspace.channels[shown.channel]
            payload = interactions.message_action_payload(shown, pressed, channel, person, trigger, url)
        job = interaction_job(payload, int(self.time()))
        if opens_modal(payload) and not opened:
            return unopened(job, trigger)
        if opens_modal(payload):
            view = {**loading(), "external_id": job.id}
            client = WebClient(self.slack.token, base_url=f"{self.slack.url}/api/")
            client.views_open(trigger_id=self.slack.new_trigger(user), view=view)
        return job

    def work(self, job):
        return self.worker.work(job, self.settings.credentials, "1-request")

    def ask(self, text, **place):
        """All that the bot said to a slash command, postponed parts included."""
        before = len(self.said)
        assert self.work(self.command(text, **place))
        self.work_off()
        return self.said[before:]

    def converse(self, typed, says, *, private):
        """One answer, to whom it is for, in a form that Slack takes, and it rings nobody."""
        [answer] = self.ask(typed)
        assert says in answer.text
        assert answer.ephemeral_to == (MEI if private else None)
        shown = {"text": answer.text, "blocks": answer.blocks}
        assert message_problems(shown) == []
        assert [one for one in pings(shown) if not one.startswith(CONSOLE)] == []

    def work_off(self):
        while self.queue.jobs:
            job, delay = self.queue.jobs.pop(0)
            self.time.sleep(delay)
            assert self.work(job)

    @property
    def said(self):
        return [message for message in self.slack.messages if message.user == BOT_USER]
