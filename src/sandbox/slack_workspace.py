"""The workspace behind the sandbox's Slack: who is in it, its channels, and what has been written.

Plain state without HTTP and without locks: `sandbox.slack.Slack` holds its lock around every use.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

TEAM_ID = "T0ACME0001"
TEAM_DOMAIN = "acme"
OTHER_TEAM_ID = "T0OTHER001"
APP_ID = "A0CLOUDAS1"
BOT_ID = "B0CLOUDAS1"
BOT_USER = "U0CLOUDBOT"
SLACKBOT = "USLACKBOT"
BOT_TOKEN = "xoxb-sandbox"
APP_TOKEN = f"xapp-1-{APP_ID}-sandbox"
SIGNING_SECRET = "sandbox-signing-secret"

MEI = "U0MEI00001"
LUCAS = "U0LUCAS001"
GUEST = "U0GUEST001"
SINGLE_CHANNEL_GUEST = "U0SINGLE01"
STRANGER = "U0STRANGE1"
USERGROUP = "S0ONCALL01"

INCIDENTS = "C0INCIDENT"
GENERAL = "C0GENERAL1"
PRIVATE = "C0PRIVATE1"
SECRET = "C0SECRET01"
SHARED = "C0SHARED01"
ARCHIVED = "C0ARCHIVE1"
DIRECT = "D0MEIBOT01"
OTHERS_DIRECT = "D0TWOOFUS1"

SCOPES = frozenset(
    {"commands", "chat:write", "users:read", "usergroups:read", "files:write", "reactions:write"}
    | {"app_mentions:read", "channels:read", "groups:read", "im:read", "mpim:read"}
    | {"channels:history", "groups:history", "im:history", "mpim:history"}
)
TRIGGER_SECONDS = 3
RESPONSE_URL_SECONDS = 30 * 60
RESPONSE_URL_USES = 5


class ApiError(Exception):
    """Slack's `ok: false`: the error code, and what goes with it in the answer."""

    def __init__(self, code: str, messages: Sequence[str] = (), **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.messages = tuple(messages)
        self.more = more


@dataclass(frozen=True)
class User:
    id: str
    name: str
    real_name: str
    tz: str = "UTC"
    tz_offset: int = 0
    locale: str = "en-US"
    team_id: str = TEAM_ID
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_bot: bool = False


@dataclass
class Channel:
    """A conversation; `kind` is the word its scopes begin with: channels, groups or im."""

    id: str
    name: str
    members: set[str]
    kind: str = "channels"
    is_archived: bool = False
    is_ext_shared: bool = False


@dataclass(frozen=True)
class Version:
    text: str
    blocks: tuple[Any, ...]


@dataclass
class Message:
    """A message as people see it now; `versions` are its earlier states, oldest first.

    `via` says how it came: a method name, `response_url`, `ack`, `echo` (the slash command that Slack shows),
    `typed` (a person wrote it) or `slack` (Slack's own error text). `time` is the clock's, in seconds. `unheard`:
    Slack took it, and did not say so.
    """

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Any]
    via: str
    time: float
    thread_ts: str | None = None
    ephemeral_to: str | None = None
    deleted: bool = False
    metadata: Mapping[str, Any] | None = None
    files: tuple[str, ...] = ()
    reactions: list[tuple[str, str]] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    unheard: bool = False

    def as_json(self) -> dict[str, Any]:
        """As conversations.history gives it."""
        found: dict[str, Any] = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text}
        if self.user == BOT_USER:
            found |= {"bot_id": BOT_ID, "app_id": APP_ID, "team": TEAM_ID}
        optional = {"blocks": self.blocks, "thread_ts": self.thread_ts, "metadata": self.metadata}
        return found | {key: value for key, value in optional.items() if value}


@dataclass
class View:
    """A modal or a Home tab; `history` are its earlier contents, oldest first."""

    id: str
    user: str
    content: dict[str, Any]
    hash: str
    root_id: str
    previous_id: str | None = None
    history: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        ids = {"id": self.id, "hash": self.hash, "root_view_id": self.root_id}
        owner = {"team_id": TEAM_ID, "app_id": APP_ID, "bot_id": BOT_ID}
        return {**self.content, **ids, **owner, "previous_view_id": self.previous_id, "state": {"values": {}}}


@dataclass
class Trigger:
    user: str
    expires: float
    view_id: str | None
    used: bool = False


@dataclass
class ResponseUrl:
    """`kind` is `command` or `action`; only the latter has an original message."""

    kind: str
    channel: str
    user: str
    message_ts: str | None
    expires: float
    uses: int = 0


@dataclass
class File:
    id: str
    name: str
    length: int
    content: bytes | None = None
    shared: bool = False
    deleted: bool = False


def _users() -> list[User]:
    return [
        User(MEI, "mei", "Mei Lin", "Asia/Shanghai", 8 * 3600),
        User(LUCAS, "lucas", "Lucas Brandt", "Europe/Berlin", 3600),
        User(GUEST, "gus", "Gus Guest", is_restricted=True),
        User(SINGLE_CHANNEL_GUEST, "sid", "Sid Single", is_restricted=True, is_ultra_restricted=True),
        User(STRANGER, "stella", "Stella Stranger", team_id=OTHER_TEAM_ID, is_stranger=True),
        User(BOT_USER, "cloudassist", "Cloud Assistant", is_bot=True),
    ]


def _channels() -> list[Channel]:
    people = {MEI, LUCAS}
    return [
        Channel(INCIDENTS, "incidents", {*people, GUEST, SINGLE_CHANNEL_GUEST, BOT_USER}),
        Channel(GENERAL, "general", set(people)),
        Channel(PRIVATE, "war-room", {*people, BOT_USER}, "groups"),
        Channel(SECRET, "board", set(people), "groups"),
        Channel(SHARED, "ext-partner", {MEI, STRANGER, BOT_USER}, is_ext_shared=True),
        Channel(ARCHIVED, "old-incidents", {*people, BOT_USER}, is_archived=True),
        Channel(DIRECT, "", {MEI, BOT_USER}, "im"),
        Channel(OTHERS_DIRECT, "", set(people), "im"),
    ]


class Workspace:
    """All state of one sandbox. `clock` gives seconds since 1970; `news` is what no one was told of yet."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.charts = True  # Slack brings data_visualization to one workspace after another
        self.users = {user.id: user for user in _users()}
        self.channels = {channel.id: channel for channel in _channels()}
        self.usergroups = {USERGROUP: ("oncall", [MEI, LUCAS])}
        self.messages: list[Message] = []
        self.news: list[tuple[str, Message]] = []
        self.views: dict[str, View] = {}
        self.files: dict[str, File] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self._last_ts = 0

    def new_ts(self) -> str:
        """A message's id: seconds with six decimals, never twice."""
        self._last_ts = max(round(self.clock() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def add(self, channel: str, user: str, text: str, via: str, **fields: Any) -> Message:
        blocks = fields.pop("blocks", None) or []
        message = Message(channel, self.new_ts(), user, text, blocks, via, self.clock(), **fields)
        self.messages.append(message)
        self.news.append(("added", message))
        return message

    def change(self, message: Message, text: str, blocks: list[Any]) -> None:
        message.versions.append(Version(message.text, tuple(message.blocks)))
        message.text, message.blocks = text, blocks
        self.news.append(("changed", message))

    def find(self, channel: str, ts: object) -> Message | None:
        """The message that stands there now, ephemeral ones included."""
        places = (m for m in self.messages if (m.channel, m.ts) == (channel, ts) and not m.deleted)
        return next(places, None)

    def standing(self, channel: str) -> Iterator[Message]:
        """What everyone in the channel can read, oldest first."""
        return (m for m in self.messages if m.channel == channel and not (m.deleted or m.ephemeral_to))

    def new_trigger(self, user: str, view_id: str | None = None) -> str:
        trigger_id = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self.triggers[trigger_id] = Trigger(user, self.clock() + TRIGGER_SECONDS, view_id)
        return trigger_id

    def use_trigger(self, trigger_id: object) -> Trigger:
        trigger = self.triggers.get(str(trigger_id))
        if trigger is None:
            raise ApiError("invalid_trigger_id")
        if trigger.used:
            raise ApiError("trigger_exchanged")
        if self.clock() > trigger.expires:
            raise ApiError("expired_trigger_id")
        trigger.used = True
        return trigger

    def new_response_url(self, channel: str, user: str, kind: str, message_ts: str | None) -> str:
        """The path of a new response_url."""
        path = f"/{kind}s/{TEAM_ID}/{secrets.randbelow(10**13)}/{secrets.token_urlsafe(18)}"
        expires = self.clock() + RESPONSE_URL_SECONDS
        self.response_urls[path] = ResponseUrl(kind, channel, user, message_ts, expires)
        return path
