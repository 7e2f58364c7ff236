"""What a person does on the page, turned into what Slack sends for it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.console import modals
from sandbox.console.elements import pressed
from sandbox.console.faults import Faults
from sandbox.console.state import COMMAND
from sandbox.slack import Message, Response, View
from sandbox.slack_calls import direct_channel
from sandbox.slack_interactions import message_action_payload, payload_form
from sandbox.slack_requests import escape
from sandbox.slack_workspace import BOT_USER, SLACKBOT, Channel
from sandbox.stage import Stage

Body = dict[str, Any]
Answer = dict[str, Any]

MOST_AHEAD = 7 * 24 * 3600
_RETRY_REASONS = {"operation_timeout": "http_timeout", "dispatch_failed": "connection_failed"}


class Refused(Exception):
    """What Slack, or the page's API, does not let anyone do; its text is shown."""


class Actor:
    """One method for each thing that can be done. Each takes the page's JSON and gives the answer to it.

    `error` in an answer is what Slack tells the user when the app did not answer well.
    """

    def __init__(self, stage: Stage, faults: Faults, app: str) -> None:
        self._stage, self._faults, self._app = stage, faults, app
        self._slack = stage.slack
        self.actions: dict[str, Callable[[Body], Answer]] = {
            "type": self.type,
            "press": self.press,
            "submit": self.submit,
            "close": self.close,
            "shortcut": self.shortcut,
            "home": self.home,
            "clock": self.clock,
            "replay": self.replay,
            "fault": self.fault,
        }

    # Writing

    def type(self, body: Body) -> Answer:
        """A line in the box: a slash command, a mention, a direct message, or a message to the others."""
        user, channel, text = self._user(body), self._channel(body), _text(body, "text").strip()
        thread = body.get("thread") or None
        if not text:
            raise Refused("There is nothing to send.")
        if channel.is_archived:
            raise Refused("This channel is archived: nobody can write here.")
        if text.startswith("/"):
            return self._command(text, channel, user, thread)
        if channel.kind == "im" and BOT_USER in channel.members:
            return self._deliver(self._slack.direct_message(text, user=user, thread_ts=thread))
        return self._message(text, channel, user, thread)

    def _command(self, text: str, channel: Channel, user: str, thread: str | None) -> Answer:
        word, _, rest = text.partition(" ")
        if word != COMMAND:
            raise Refused(f"{word} is not a valid command. Here there is {COMMAND}.")
        if thread:
            raise Refused(f"{word} is not supported in threads. Sorry! Mention the bot instead.")
        return _told(self._slack.command(self._app, rest.strip(), channel=channel.id, user=user, command=word))

    def _message(self, text: str, channel: Channel, user: str, thread: str | None) -> Answer:
        name = self._slack.workspace.users[BOT_USER].name
        rest, mentions = re.subn(rf"(?<![\w@])@{re.escape(name)}\b[ \t]*", "", text, count=1)
        if mentions and BOT_USER in channel.members:
            return self._deliver(self._slack.mention(rest.strip(), channel=channel.id, user=user, thread_ts=thread))
        with self._slack.changed:
            workspace = self._slack.workspace
            workspace.add(channel.id, user, escape(workspace, text), "typed", thread_ts=thread)
            if mentions:
                absent = f"@{name} is not in this channel, so it is not told."
                workspace.add(channel.id, SLACKBOT, absent, "slack", thread_ts=thread, ephemeral_to=user)
            self._slack.publish_news()
        return {}

    def _deliver(self, event: Mapping[str, Any]) -> Answer:
        """Send an event, and once more at once where the app did not take it, as Slack does."""
        key = f"Ev{secrets.token_hex(5).upper()}"
        response = self._slack.event(self._app, event, key)
        reason = _RETRY_REASONS.get(response.error, "http_error") if response.error else "http_timeout"
        if response.error or self._faults.repeat_events:
            if not response.error:
                self._faults.repeat_events -= 1
            response = self._slack.event(self._app, event, key, 1, reason)
        return _told(response)

    # Pressing

    def press(self, body: Body) -> Answer:
        """A button, or a choice in a menu: in a message (`channel`, `ts`) or in a view."""
        user, block, action = self._user(body), _text(body, "block"), _text(body, "action")
        values = _values(body.get("values"))
        source = self._view(body, user) if body.get("view") else self._seen_message(body, user)
        with self._slack.changed:
            now = f"{self._slack.workspace.clock():.6f}"
            try:
                form = self._press_form(source, user, block, action, values, now, body)
            except LookupError as missing:
                raise Refused(str(missing)) from None
        return _told(self._slack.send(self._app, form))

    def _press_form(
        self, source: Message | View, user: str, block: str, action: str, values: list[str], now: str, body: Body
    ) -> bytes:
        if isinstance(source, View):
            entry = pressed(source.content["blocks"], block, action, values, now)
            return payload_form(modals.view_payload(self._slack, source, _inputs(body), entry))
        entry = pressed(source.blocks, block, action, values, now)
        url = self._slack.new_response_url(source.channel, user, "action", source.ts)
        workspace = self._slack.workspace
        channel, person = workspace.channels[source.channel], workspace.users[user]
        trigger = self._slack.new_trigger(user)
        return payload_form(message_action_payload(source, entry, channel, person, trigger, url))

    def submit(self, body: Body) -> Answer:
        view = self._view(body, self._user(body))
        try:
            response, errors = modals.submit(self._slack, self._app, view, _inputs(body))
        except LookupError as missing:
            raise Refused(str(missing)) from None
        return {**_told(response), "errors": errors}

    def close(self, body: Body) -> Answer:
        view = self._view(body, self._user(body))
        modals.close(self._slack, self._app, view, everything=bool(body.get("everything")))
        return {}

    def shortcut(self, body: Body) -> Answer:
        """On a message, or with neither `channel` nor `ts` a global one."""
        user = self._user(body)
        message = self._seen_message(body, user) if body.get("ts") else None
        return _told(self._slack.shortcut(self._app, _text(body, "callback_id"), user=user, message=message))

    def home(self, body: Body) -> Answer:
        """The user opens the bot's Home tab."""
        user = self._user(body)
        with self._slack.changed:
            channel = direct_channel(self._slack.workspace, user)
            stamp = f"{self._slack.workspace.clock():.6f}"
        event = {"type": "app_home_opened", "user": user, "channel": channel.id, "tab": "home", "event_ts": stamp}
        return _told(self._slack.event(self._app, event))

    # Time and trouble

    def clock(self, body: Body) -> Answer:
        seconds = body.get("seconds")
        if not isinstance(seconds, int | float) or not 0 < seconds <= MOST_AHEAD:
            raise Refused(f"from 1 to {MOST_AHEAD} seconds")
        self._stage.hasten(seconds)
        return {}

    def replay(self, body: Body) -> Answer:
        """A scenario starts again now."""
        try:
            self._stage.cloud.replay(_text(body, "scenario"))
        except ValueError as unknown:
            raise Refused(str(unknown)) from None
        return {}

    def fault(self, body: Body) -> Answer:
        try:
            match body:
                case {"cloud": str(key)}:
                    self._faults.set_cloud(key)
                case {"slack": str(key)}:
                    self._faults.set_slack(key)
                case {"once": str(key)}:
                    return {"said": self._faults.once(key)}
                case _:
                    raise KeyError("cloud, slack or once")
        except KeyError as unknown:
            raise Refused(f"no such fault: {unknown}") from None
        return {}

    # Finding what is meant

    def _user(self, body: Body) -> str:
        user = self._slack.workspace.users.get(_text(body, "user"))
        if user is None or user.is_bot:
            raise Refused("no such user")
        return user.id

    def _channel(self, body: Body) -> Channel:
        """One that the user is in."""
        channel = self._slack.workspace.channels.get(_text(body, "channel"))
        if channel is None or self._user(body) not in channel.members:
            raise Refused("no such channel")
        return channel

    def _seen_message(self, body: Body, user: str) -> Message:
        with self._slack.changed:
            message = self._slack.workspace.find(self._channel(body).id, _text(body, "ts"))
        if message is None or message.ephemeral_to not in (None, user):
            raise Refused("This message is no longer there.")
        return message

    def _view(self, body: Body, user: str) -> View:
        with self._slack.changed:
            view = self._slack.workspace.views.get(_text(body, "view"))
        if view is None or view.user != user:
            raise Refused("This window is no longer there.")
        return view


def _told(response: Response) -> Answer:
    return {"error": response.error} if response.error else {}


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise Refused(f"{name} is missing")
    return value


def _values(given: object) -> list[str]:
    return [str(value) for value in given] if isinstance(given, list) else []


def _inputs(body: Body) -> dict[str, dict[str, list[str]]]:
    given = body.get("inputs")
    return {
        str(block): {str(action): _values(values) for action, values in held.items()}
        for block, held in (given.items() if isinstance(given, dict) else ())
        if isinstance(held, dict)
    }
