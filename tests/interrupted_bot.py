"""The bot, but it dies or breaks at a moment that a file names. Tests start this in place of `python -m bot`.

INTERRUPTION is the file's path. `kill MOMENT` in it: the first to pass there takes the file away and kills the
process; `break MOMENT`: it raises instead; `raise MOMENT`: so does everyone after it. Leases are short here.
"""

import os
import signal
import sys

from bot import lease, worker
from bot.__main__ import main
from bot.adapters.cloud_assistant import CloudAssistant
from bot.adapters.slack import Slack
from bot.adapters.store import SQLiteStore

FILE = os.environ["INTERRUPTION"]
BEFORE = {
    "delivery": (worker.Worker, "work"),
    "users.info": (Slack, "user"),
    "conversations.info": (Slack, "channel"),
    "DescribeInvocations": (CloudAssistant, "invocations"),
    "DescribeInvocationResults": (CloudAssistant, "invocation_results"),
    "DescribeInstances": (CloudAssistant, "instances_by_id"),
    "posting mark": (lease.Lease, "posting"),
    "done mark": (lease.Lease, "finish"),
}
AFTER = {
    "claim": (SQLiteStore, "claim"),
    "posting marked": (lease.Lease, "posting"),
    "Slack's reply": (Slack, "answer"),
    "done marked": (lease.Lease, "finish"),
}


def pass_by(moment):
    try:
        with open(FILE) as file:
            what, _, where = file.read().partition(" ")
        if where != moment:
            return
        if what != "raise":
            os.remove(FILE)
    except FileNotFoundError:  # nobody asks for anything, or another thread was first
        return
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise RuntimeError("what only the function may know")


def watch(owner, name, *, before=None, after=None):
    real = getattr(owner, name)

    def watched(*args, **kwargs):
        pass_by(before)
        result = real(*args, **kwargs)
        pass_by(after)
        return result

    setattr(owner, name, watched)


if __name__ == "__main__":
    lease.LEASE, lease.RENEW_EVERY = 0.8, 0.15
    for moment, place in BEFORE.items():
        watch(*place, before=moment)
    for moment, place in AFTER.items():
        watch(*place, after=moment)
    sys.exit(main())
