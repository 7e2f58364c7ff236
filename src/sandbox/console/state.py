"""What the page shows: the facts that stay, and what changed since it last looked."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.console.faults import Faults
from sandbox.slack_workspace import (
    BOT_USER,
    OTHER_TEAM_ID,
    SLACKBOT,
    TEAM_DOMAIN,
    Channel,
    File,
    Message,
    User,
    Workspace,
)
from sandbox.stage import Stage

COMMAND = "/cloudassist"
# The function's queue has no bell of its own, so it is looked at this often.
_BEAT = 0.25
MOST_OF_A_FILE = 20_000  # bytes shown

State = dict[str, Any]


@dataclass(frozen=True)
class Shortcut:
    """An entry of the app's manifest; without `on_message` it is a global one."""

    callback_id: str
    name: str
    on_message: bool = True


def facts(stage: Stage, faults: Faults, shortcuts: Sequence[Shortcut]) -> State:
    workspace = stage.slack.workspace
    return {
        "workspace": TEAM_DOMAIN,
        "command": COMMAND,
        "bot": BOT_USER,
        "slackbot": SLACKBOT,
        "users": [_user(user) for user in workspace.users.values()],
        "usergroups": [{"id": key, "name": name} for key, (name, _) in workspace.usergroups.items()],
        "scenarios": [
            {"name": one.name, "title": one.title, "about": one.about, "ask": one.ask} for one in stage.scenarios
        ],
        "shortcuts": [asdict(shortcut) for shortcut in shortcuts],
        "faults": faults.choices,
    }


def _user(user: User) -> State:
    return {"id": user.id, "name": user.name, "real_name": user.real_name, "kind": _kind(user), "bot": user.is_bot}


def _kind(user: User) -> str:
    if user.team_id == OTHER_TEAM_ID:
        return "other organisation"
    if user.is_ultra_restricted:
        return "single-channel guest"
    return "guest" if user.is_restricted else "member"


class Feed:
    """Numbers every change of a message, so that a page can ask for what it has not seen.

    A page's place is `epoch.number.digest`; the digest stands for all that is not a message.
    """

    def __init__(self, stage: Stage, faults: Faults) -> None:
        self._stage, self._faults = stage, faults
        self._epoch, self._number = secrets.token_hex(4), 0
        self._seen: dict[str, tuple[tuple[int, ...], int]] = {}
        self._ended = threading.Event()

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    def end(self) -> None:
        """Let everyone go who waits."""
        self._ended.set()
        self.look_again()

    def look_again(self) -> None:
        """Something changed that Slack does not tell of."""
        with self._stage.slack.changed:
            self._stage.slack.changed.notify_all()

    def wait(self, user: str, after: str, seconds: float) -> State:
        """The state as soon as it differs from `after`, or after so many seconds."""
        deadline = time.monotonic() + seconds
        with self._stage.slack.changed:
            while True:
                state = self._look(user, after)
                if state["after"] != after or self.ended or time.monotonic() > deadline:
                    return state
                self._stage.slack.changed.wait(_BEAT)

    def _look(self, user: str, after: str) -> State:
        workspace = self._stage.slack.workspace
        self._count(workspace.messages)
        epoch, _, rest = after.partition(".")
        known = epoch == self._epoch
        number = int(rest.partition(".")[0]) if known else -1
        small = self._small(workspace, user)
        digest = hashlib.sha256(json.dumps(small, sort_keys=True).encode()).hexdigest()[:12]
        return {
            **small,
            "fresh": not known,
            "messages": list(self._news(workspace, user, number)),
            "now": self._stage.cloud.clock.now().isoformat(),
            "after": f"{self._epoch}.{self._number}.{digest}",
        }

    def _count(self, messages: Sequence[Message]) -> None:
        if self._seen.keys() - {message.ts for message in messages}:  # somebody has cleared the workspace
            self._epoch, self._seen = secrets.token_hex(4), {}
        for message in messages:
            mark = (len(message.versions), message.deleted, len(message.reactions))
            if self._seen.get(message.ts, ((), 0))[0] != mark:
                self._number += 1
                self._seen[message.ts] = (mark, self._number)

    def _news(self, workspace: Workspace, user: str, after: int) -> list[State]:
        mine = {channel.id for channel in workspace.channels.values() if user in channel.members}
        return [
            _message(message, workspace)
            for message in workspace.messages
            if self._seen[message.ts][1] > after
            and message.channel in mine
            and message.ephemeral_to in (None, user)
            and not (message.deleted and after < 0)
        ]

    def _small(self, workspace: Workspace, user: str) -> State:
        clock = self._stage.cloud.clock
        views = [view for view in workspace.views.values() if view.user == user]
        home = next((view for view in views if view.content["type"] == "home"), None)
        return {
            "channels": [_channel(one, user) for one in workspace.channels.values() if user in one.members],
            "modals": [
                {"id": view.id, "root": view.root_id, "hash": view.hash, "view": view.content}
                for view in views
                if view.content["type"] == "modal"
            ],
            "home": home and {"id": home.id, "hash": home.hash, "view": home.content},
            "ahead": round((clock.now() - datetime.now(UTC)).total_seconds()),
            "faults": self._faults.state(),
            **self._work(),
        }

    def _work(self) -> State:
        """Jobs of the function: `working` now, `waiting` for a later moment (a watch, a retry)."""
        open_ones = [task for task in self._stage.fc.tasks if task.ended is None]
        waiting = sum(task.status == "Enqueued" and task.delay > 0 for task in open_ones)
        return {"working": len(open_ones) - waiting, "waiting": waiting}


def _channel(channel: Channel, user: str) -> State:
    others = sorted(channel.members - {user})
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "archived": channel.is_archived,
        "shared": channel.is_ext_shared,
        "bot": BOT_USER in channel.members,
        "with": others[0] if channel.kind == "im" and others else None,
    }


def _message(message: Message, workspace: Workspace) -> State:
    if message.deleted:
        return {"channel": message.channel, "ts": message.ts, "deleted": True}
    files = [_file(workspace.files[one]) for one in message.files if one in workspace.files]
    return {
        "channel": message.channel,
        "ts": message.ts,
        "thread": message.thread_ts if message.thread_ts != message.ts else None,
        "user": message.user,
        "text": message.text,
        "blocks": message.blocks,
        "via": message.via,
        "private": message.ephemeral_to is not None,
        "edits": len(message.versions),
        "files": files,
        "reactions": [name for name, _ in message.reactions],
    }


def _file(file: File) -> State:
    text = (file.content or b"")[:MOST_OF_A_FILE].decode("utf-8", "replace")
    return {"name": file.name, "length": file.length, "text": text}
