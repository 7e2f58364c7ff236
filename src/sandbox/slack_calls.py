"""What the Web API methods of the sandbox's Slack share: a call, a method, the channels it may touch."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.block_kit import error_code, message_problems
from sandbox.slack_workspace import BOT_USER, ApiError, Channel, Workspace

Args = Mapping[str, Any]
Answer = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """What a method gets: the workspace, its arguments, the granted scopes and this peer's own address."""

    workspace: Workspace
    args: Args
    scopes: frozenset[str]
    url: str

    def need(self, *names: str) -> list[Any]:
        missing = [name for name in names if self.args.get(name) in (None, "")]
        if missing:
            raise ApiError("invalid_arguments", [f"missing required field: {name}" for name in missing])
        return [self.args[name] for name in names]

    def number(self, name: str, default: float) -> float:
        try:
            return float(self.args.get(name) or default)
        except (TypeError, ValueError):
            raise ApiError("invalid_arguments", [f"must be a number: {name}"]) from None

    def need_scope(self, scope: str) -> None:
        if scope and scope not in self.scopes:
            raise ApiError("missing_scope", needed=scope, provided=",".join(sorted(self.scopes)))


@dataclass(frozen=True)
class Method:
    """A Web API method. `run` gives the fields of the answer or raises `ApiError`; `scope` may be none."""

    run: Callable[[Call], Answer]
    scope: str = ""


def channel_of(call: Call, key: str = "channel") -> Channel:
    """The channel, or channel_not_found where the bot cannot even know of it."""
    channel = call.workspace.channels.get(str(call.args.get(key)))
    if channel is None or (channel.kind != "channels" and BOT_USER not in channel.members):
        raise ApiError("channel_not_found")
    return channel


def direct_channel(workspace: Workspace, user: str) -> Channel:
    members = {user, BOT_USER}
    for channel in workspace.channels.values():
        if channel.kind == "im" and channel.members == members:
            return channel
    channel = Channel(f"D{secrets.token_hex(5).upper()[:9]}", "", members, "im")
    return workspace.channels.setdefault(channel.id, channel)


def writable(call: Call, key: str = "channel") -> Channel:
    """Where the bot may post; a user id stands for the direct channel with that user."""
    user = call.workspace.users.get(str(call.args.get(key)))
    channel = direct_channel(call.workspace, user.id) if user else channel_of(call, key)
    if channel.is_archived:
        raise ApiError("is_archived")
    if BOT_USER not in channel.members and "chat:write.public" not in call.scopes:
        raise ApiError("not_in_channel")
    return channel


def readable(call: Call, right: str) -> Channel:
    channel = channel_of(call)
    call.need_scope(f"{channel.kind}:{right}")
    return channel


def check_message(args: Args, *, charts: bool = True) -> None:
    """Raises ApiError for what Slack refuses; `charts`: the workspace knows data_visualization."""
    found = message_problems(args)
    if not charts:
        blocks = [block for block in args.get("blocks") or () if isinstance(block, dict)]
        unknown = [at for at, block in enumerate(blocks) if block.get("type") == "data_visualization"]
        found += [f"unsupported type: data_visualization [json-pointer:/blocks/{at}/type]" for at in unknown]
    if found:
        raise ApiError(error_code(found), found)
