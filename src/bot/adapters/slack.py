"""Slack: answers that find a way to the person, messages that live on, and what Slack knows of people and channels."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from bot.adapters.slack_calls import MaybePosted, SlackCalls
from bot.core.blocks import Message
from bot.core.errors import SlackError
from bot.core.messages import noted
from bot.core.texts import N_, _

log = logging.getLogger("bot.slack")

FOR_THE_ANSWER = 40.0  # seconds that questions about people and channels must leave
REPEAT = N_("This may be a repeat: an earlier try may have posted this answer already.")
ELSEWHERE = N_("I could not answer where you asked, so the answer comes here.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer goes. `response_url` is empty for mentions and direct messages."""

    team_id: str
    enterprise_id: str
    channel_id: str
    user_id: str
    response_url: str = ""
    thread_ts: str = ""
    is_direct_message: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are to Slack, and what we may; `date` is Slack's clock, in seconds since the epoch, or 0."""

    user_id: str
    user: str
    team: str
    scopes: frozenset[str]
    date: float


class Posted(NamedTuple):
    """A new message, and whether it says that it may be a repeat."""

    ts: str
    repeat: bool


_Way = Callable[[Message], Mapping[str, Any]]


class Slack(SlackCalls):
    """For one job."""

    def who_am_i(self) -> Identity:
        """auth.test; raises SlackError, for example `invalid_auth`."""

        def call() -> Identity:
            response = self._response("auth.test")
            headers = {str(name).lower(): str(value) for name, value in response.headers.items()}
            granted = frozenset(filter(None, (scope.strip() for scope in headers.get("x-oauth-scopes", "").split(","))))
            user_id, user, team = (str(response.get(key, "")) for key in ("user_id", "user", "team"))
            return Identity(user_id, user, team, granted, _date(headers))

        return self._persistent(call, call, "auth.test", self._deadline)

    def try_socket(self, app_token: str) -> None:
        """apps.connections.open, with which Socket Mode begins; the address that it gives goes unused.

        Raises SlackError, for example `invalid_auth`.
        """
        token = {"token": app_token}  # slack_sdk puts it into the header, in place of the bot's

        def call() -> object:
            return self._call("apps.connections.open", params=dict(token))

        self._twice_is_once(call, "apps.connections.open")

    def user(self, user_id: str) -> Mapping[str, Any]:
        """users.info, with `locale`; raises SlackError."""
        return _object(self._read("users.info", user=user_id, include_locale="true"), "user")

    def channel(self, channel_id: str) -> Mapping[str, Any]:
        """conversations.info; raises SlackError, for example `channel_not_found` where the bot cannot look."""
        return _object(self._read("conversations.info", channel=channel_id), "channel")

    def user_group(self, group_id: str) -> list[str]:
        """The ids of its members, by usergroups.users.list; raises SlackError, for example `no_such_subteam`."""
        users = self._read("usergroups.users.list", usergroup=group_id).get("users")
        return [str(one) for one in users] if isinstance(users, list) else []

    def _read(self, method: str, **arguments: str) -> Mapping[str, Any]:
        def call() -> Mapping[str, Any]:
            return self._call(method, params=arguments)

        return self._persistent(call, call, method, self._deadline - FOR_THE_ANSWER)

    def answer(self, place: Place, message: Message, *, private: bool, repeat: bool = False) -> str:
        """Brings the message to the person: by response_url, else into the channel, else as a direct message.

        Gives the `ts` of a message that the channel sees, "" where Slack names none. Raises SlackError when no way
        took it; with `retry_after` when Slack asks for a longer wait. `repeat` says that an earlier delivery may
        have answered already.
        """
        last: SlackError = SlackError("answer", "no_way")
        for way in self._ways(place, private=private):
            try:
                reply = self._delivered(way, noted(message, _(REPEAT)) if repeat else message, said=repeat)
            except SlackError as error:
                if error.retry_after is not None:
                    raise
                log.warning("answer refused: %s", error)
                repeat = repeat or isinstance(error, MaybePosted)
                last = error
            else:
                return str(reply.get("ts", "")) if reply.get("channel") == place.channel_id else ""
        raise last

    def _ways(self, place: Place, *, private: bool) -> list[_Way]:
        thread = {"thread_ts": place.thread_ts} if place.thread_ts else {}
        where = {"channel": place.channel_id, **thread}
        ways: list[_Way] = []
        if place.response_url and self._settings.may_respond_to(place.response_url):
            how = {"response_type": "ephemeral" if private else "in_channel", **thread}
            ways.append(lambda message: self._respond(place.response_url, _body(message) | how))
        if place.channel_id and private and not place.is_direct_message:
            ways.append(lambda message: self._post("chat.postEphemeral", message, **where, user=place.user_id))
        elif place.channel_id:
            ways.append(lambda message: self._post("chat.postMessage", message, **where))
        if place.user_id:
            ways.append(
                lambda message: self._post("chat.postMessage", noted(message, _(ELSEWHERE)), channel=place.user_id)
            )
        return ways

    def _post(self, method: str, message: Message, **where: str) -> Mapping[str, Any]:
        return self._call(method, json={**where, **_body(message)})

    # Messages that live on: watches, thread replies, and what is pressed

    def post(
        self, channel_id: str, message: Message, thread_ts: str = "", *, repeat: bool = False, whole: bool = False
    ) -> Posted:
        """chat.postMessage. `whole`: refused blocks are an error, not left out."""
        where = {"channel": channel_id, **({"thread_ts": thread_ts} if thread_ts else {})}
        said = message

        def way(one: Message) -> Mapping[str, Any]:
            nonlocal said
            said = one
            return self._post("chat.postMessage", one, **where)

        first = noted(message, _(REPEAT)) if repeat else message
        send = self._sent if whole else self._delivered
        reply = send(way, first, said=repeat, what="chat.postMessage")
        return Posted(str(reply.get("ts", "")), repeat or said.text == noted(message, _(REPEAT)).text)

    def update(self, channel_id: str, ts: str, message: Message) -> None:
        """chat.update: in place, and nobody is notified. The same update twice is one."""

        def way(one: Message) -> Mapping[str, Any]:
            return self._post("chat.update", one, channel=channel_id, ts=ts)

        self._delivered(way, message, said=True, what="chat.update")

    def replace(self, place: Place, ts: str, message: Message) -> None:
        """The message that was pressed, in place; ephemeral ones can be changed by their response_url alone."""
        if place.response_url and self._settings.may_respond_to(place.response_url):

            def way(one: Message) -> Mapping[str, Any]:
                return self._respond(place.response_url, _body(one) | {"replace_original": True})

            self._delivered(way, message, said=True, what="response_url")
        else:
            self.update(place.channel_id, ts, message)

    def permalink(self, channel_id: str, ts: str) -> str:
        """chat.getPermalink: the address that opens a message, in the workspace's own domain and in its thread.

        Raises SlackError, `message_not_found` where the message is gone.
        """
        where = {"channel": channel_id, "message_ts": ts}

        def call() -> Mapping[str, Any]:
            return self._call("chat.getPermalink", params=where)

        return str(self._persistent(call, call, "chat.getPermalink", self._deadline).get("permalink", ""))

    def delete(self, channel_id: str, ts: str) -> None:
        """chat.delete; a message that is gone already is no error."""
        self._gone("chat.delete", channel=channel_id, ts=ts)

    def delete_file(self, file_id: str) -> None:
        """files.delete; a file that is gone already is no error."""
        self._gone("files.delete", file=file_id)

    def _gone(self, method: str, **which: str) -> None:
        try:
            self._twice_is_once(lambda: self._call(method, json=which), method)
        except SlackError as error:
            if error.code not in _GONE:
                raise

    def delete_original(self, place: Place, ts: str) -> None:
        """The message that was pressed; it may have been posted where the bot is no member."""
        if place.response_url and self._settings.may_respond_to(place.response_url):
            self._twice_is_once(lambda: self._respond(place.response_url, {"delete_original": True}), "response_url")
        else:
            self.delete(place.channel_id, ts)

    def open_view(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        """views.open; one that is open already is no error. The trigger is dead 3 s after the press."""
        try:
            self._twice_is_once(
                lambda: self._call("views.open", json={"trigger_id": trigger_id, "view": view}), "views.open"
            )
        except SlackError as error:
            if error.code not in _OPENED:
                raise

    def update_view(self, view: Mapping[str, Any], **which: str) -> None:
        """views.update by `view_id` or `external_id`."""
        self._twice_is_once(lambda: self._call("views.update", json={**which, "view": view}), "views.update")

    def publish(self, user_id: str, view: Mapping[str, Any], expected: str = "") -> str:
        """views.publish: a person's Home; the hash of what is shown now.

        With a hash `expected` only over that view; else SlackError with `hash_conflict`, which a try of ours that
        arrived unheard gives too.
        """
        body = {"user_id": user_id, "view": view, **({"hash": expected} if expected else {})}

        def call() -> Mapping[str, Any]:
            return self._call("views.publish", json=body)

        reply = self._persistent(call, call, "views.publish", self._deadline)
        shown = reply.get("view")
        return str(shown.get("hash", "")) if isinstance(shown, dict) else ""

    def upload(self, channel_id: str, thread_ts: str, name: str, text: str) -> str:
        """A text file into a thread: files.getUploadURLExternal, the bytes, files.completeUploadExternal; its id."""
        content = text.encode("utf-8", "replace")
        size = {"filename": name, "length": len(content)}
        ticket = self._persistent(
            lambda: self._call("files.getUploadURLExternal", params=size),
            lambda: self._call("files.getUploadURLExternal", params=size),
            "files.getUploadURLExternal",
            self._deadline,
        )
        self._twice_is_once(lambda: self._send_bytes(str(ticket["upload_url"]), content), "upload")
        share = {"files": [{"id": ticket["file_id"], "title": name}], "channel_id": channel_id, "thread_ts": thread_ts}
        self._twice_is_once(
            lambda: self._call("files.completeUploadExternal", json=share), "files.completeUploadExternal"
        )
        return str(ticket["file_id"])

    def _delivered(self, way: _Way, message: Message, *, said: bool, what: str = "answer") -> Mapping[str, Any]:
        """One way tried to the end; blocks that Slack refuses are left out, the text says all of it."""
        try:
            return self._sent(way, message, said=said, what=what)
        except SlackError as error:
            if not message.blocks or error.code not in REFUSED_BLOCKS:
                raise
            log.error("Slack refused the blocks, so the text goes out alone: %s", error)
            return self._sent(way, Message(message.text), said=said, what=what)

    def _sent(self, way: _Way, message: Message, *, said: bool, what: str) -> Mapping[str, Any]:
        """`said`: that it may be a repeat need not be said, or has been."""
        again = message if said else noted(message, _(REPEAT))
        return self._persistent(lambda: way(message), lambda: way(again), what, self._deadline)


def _date(headers: Mapping[str, str]) -> float:
    try:
        return parsedate_to_datetime(headers.get("date", "")).timestamp()
    except ValueError:
        return 0.0


def _object(reply: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = reply.get(key)
    return found if isinstance(found, dict) else {}


def _body(message: Message) -> dict[str, Any]:
    """A message without blocks is sent so: an update then takes away the old ones."""
    return {
        "text": message.text,
        **({"blocks": list(message.blocks)} if message.blocks else {}),
        "unfurl_links": False,
        "unfurl_media": False,
    }


LOST = frozenset({"not_in_channel", "channel_not_found", "is_archived"})  # a channel that we cannot post to any more
CANNOT_POST = LOST | {"restricted_action"}  # or that the workspace's settings keep for some, for now
REFUSED_BLOCKS = frozenset({"invalid_blocks", "msg_blocks_too_long", "invalid_attachments", "invalid_blocks_format"})
_OPENED = frozenset({"exchanged_trigger_id", "trigger_exchanged", "duplicate_external_id"})
_GONE = frozenset({"message_not_found", "file_not_found", "file_deleted"})
