"""Slack on loopback: its Web API, response_urls, and the signed requests it sends to an app.

    with Slack() as slack:
        client = WebClient(token=BOT_TOKEN, base_url=f"{slack.url}/api/")
        slack.command(f"{bot}/slack/events", "t-hz0jdfwd9f")
        slack.wait_for(1)

What Slack would refuse is refused and kept in `refused`. Time limits, counts and error codes are those of
Slack's documentation; `sandbox.slack_workspace` names the people and the channels.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sandbox import slack_interactions as interactions
from sandbox import slack_requests as requests
from sandbox.block_kit import error_code, message_problems
from sandbox.slack_calls import direct_channel
from sandbox.slack_envelopes import Request, wrapped
from sandbox.slack_requests import FORM, JSON, Response, sign
from sandbox.slack_server import Called, Refusal, SlackServer
from sandbox.slack_sockets import SOCKET
from sandbox.slack_workspace import (
    BOT_USER,
    INCIDENTS,
    MEI,
    SIGNING_SECRET,
    SLACKBOT,
    ApiError,
    Message,
    View,
)

__all__ = ["Called", "Message", "Refusal", "Response", "Slack", "View", "sign"]


class Slack(SlackServer):
    """One workspace with one app installed.

    Users and channels are named by their ids; where an app's URL is asked for, SOCKET is its web socket. `seconds`
    is how long Slack waits for an app. With `feed_back` each message and update of the bot is sent back to that URL
    as the event Slack would send, and the answers are kept in `fed_back`.
    """

    signing_secret: str
    seconds: float
    feed_back: str | None

    def __init__(self, port: int = 0, *, clock: Callable[[], float] = time.time, feed_back: str | None = None) -> None:
        self.fed_back: list[Response] = []  # before `reset`, which the base class calls
        super().__init__(port, clock=clock)
        self.feed_back = feed_back
        self._feeder = ThreadPoolExecutor(1, "slack-feed-back")

    def reset(self) -> None:
        super().reset()
        self.signing_secret = SIGNING_SECRET
        self.seconds = 3.0
        self.feed_back = None
        self.fed_back.clear()

    def stop(self) -> None:
        self._feeder.shutdown(cancel_futures=True)
        super().stop()

    # What there is to see

    @property
    def messages(self) -> list[Message]:
        """Everything ever written, oldest first: deleted and ephemeral messages too."""
        with self.changed:
            return list(self.workspace.messages)

    @property
    def views(self) -> list[View]:
        with self.changed:
            return list(self.workspace.views.values())

    def wait_for(
        self, n: int = 1, channel: str | None = None, timeout: float = 10, *, by: str | None = BOT_USER
    ) -> list[Message]:
        """Wait until `by` (None: anyone) has written `n` messages that somebody can see now, and give them.

        TimeoutError says what there was instead after `timeout` seconds.
        """

        def found() -> list[Message]:
            return [
                message
                for message in self.workspace.messages
                if not message.deleted and channel in (None, message.channel) and by in (None, message.user)
            ]

        with self.changed:
            if not self.changed.wait_for(lambda: len(found()) >= n, timeout):
                texts = [f"{message.via}: {message.text[:80]}" for message in self.workspace.messages]
                raise TimeoutError(f"{len(found())} of {n} messages; all: {texts}; refused: {self.refused}")
            return found()

    # Sending

    def new_trigger(self, user: str = MEI, view_id: str | None = None) -> str:
        """A trigger_id for one use within 3 s."""
        with self.changed:
            return self.workspace.new_trigger(user, view_id)

    def new_response_url(self, channel: str, user: str, kind: str = "command", message_ts: str | None = None) -> str:
        """A URL on this peer for 5 uses within 30 min; `message_ts` is the original of an `action`."""
        with self.changed:
            return self.url + self.workspace.new_response_url(channel, user, kind, message_ts)

    def send(self, url: str, body: bytes, kind: str = FORM, headers: Mapping[str, str] | None = None) -> Response:
        """POST a body signed now; to SOCKET it goes over the app's web socket instead.

        For stale or tampered requests use `sign` and `slack_requests.send`.
        """
        if url == SOCKET:
            return self.sockets.deliver(wrapped(Request(body, kind, headers or {})), self.seconds)
        signed = sign(self.signing_secret, int(self.workspace.clock()), body)
        return requests.send(url, body, {"Content-Type": kind, **signed, **(headers or {})}, self.seconds)

    def command(
        self,
        url: str,
        text: str = "",
        *,
        channel: str = INCIDENTS,
        user: str = MEI,
        command: str = "/cloudassist",
        should_escape: bool = True,
    ) -> Response:
        """Type a slash command and show its ack.

        With `should_escape` the app gets `@mei`, `#incidents` and links in the escaped form. An ack with
        `in_channel` puts what was typed into the channel; a failed one leaves Slack's error to the user.
        """
        with self.changed:
            form = requests.command_form(
                command,
                requests.escape(self.workspace, text) if should_escape else text,
                self.workspace.channels[channel],
                self.workspace.users[user],
                self.new_trigger(user),
                self.new_response_url(channel, user),
            )
        response = self.send(url, form)
        with self.changed:
            self._show_ack(response, channel, user, f"{command} {text}".strip())
            self.publish_news()
        return response

    def _show_ack(self, response: Response, channel: str, user: str, typed: str) -> None:
        if response.error:
            said = f'{typed.split()[0]} failed with the error "{response.error}"'
            self.workspace.add(channel, SLACKBOT, said, "slack", ephemeral_to=user)
            return
        ack = _ack(response.body)
        everyone = ack.get("response_type") == "in_channel"
        if everyone:
            self.workspace.add(channel, user, typed, "echo")
        if not (ack.get("text") or ack.get("blocks")):
            return
        found = message_problems(ack)
        if found:
            self.refuse("ack", ack, ApiError(error_code(found), found))
            return
        self.workspace.add(
            channel,
            BOT_USER,
            str(ack.get("text") or ""),
            "ack",
            blocks=ack.get("blocks"),
            ephemeral_to=None if everyone else user,
        )

    def event(
        self,
        url: str,
        event: Mapping[str, Any],
        event_id: str | None = None,
        retry_num: int | None = None,
        retry_reason: str = "http_timeout",
    ) -> Response:
        """Deliver an event of the Events API; `retry_num` (1 to 3) makes it a repeat of an earlier delivery."""
        retry = {"X-Slack-Retry-Num": str(retry_num), "X-Slack-Retry-Reason": retry_reason}
        channel = self.workspace.channels.get(str(event.get("channel")))
        shared = channel is not None and channel.is_ext_shared
        body = requests.envelope(event, event_id, self.workspace.clock(), shared=shared)
        return self.send(url, body, JSON, retry if retry_num else {})

    def mention(
        self, text: str, *, channel: str = INCIDENTS, user: str = MEI, thread_ts: str | None = None
    ) -> dict[str, Any]:
        """Let the user write `@bot text` in a channel; gives the `app_mention` for `event`."""
        return self._write("app_mention", f"<@{BOT_USER}> ", text, channel, user, thread_ts)

    def direct_message(self, text: str, *, user: str = MEI, thread_ts: str | None = None) -> dict[str, Any]:
        """Let the user write to the bot; gives the `message` (channel type im) for `event`."""
        with self.changed:
            channel = direct_channel(self.workspace, user)
        return self._write("message", "", text, channel.id, user, thread_ts)

    def _write(
        self, kind: str, start: str, text: str, channel: str, user: str, thread_ts: str | None
    ) -> dict[str, Any]:
        with self.changed:
            written = start + requests.escape(self.workspace, text)
            message = self.workspace.add(channel, user, written, "typed", thread_ts=thread_ts)
            self.publish_news()
            return requests.message_event(kind, message, self.workspace.channels[channel])

    def action(
        self,
        url: str,
        source: Message | View,
        action_id: str,
        *,
        user: str = MEI,
        value: str | None = None,
        block_id: str | None = None,
    ) -> Response:
        """Press a button, or choose the option with this `value` (else the first), in a message or a view.

        LookupError where there is no such element or option.
        """
        with self.changed:
            form = self._action_form(source, action_id, user, value, block_id)
        return self.send(url, form)

    def _action_form(
        self, source: Message | View, action_id: str, user: str, value: str | None, block_id: str | None
    ) -> bytes:
        blocks = source.content["blocks"] if isinstance(source, View) else source.blocks
        pressed = interactions.press(blocks, action_id, value, block_id, f"{self.workspace.clock():.6f}")
        person = self.workspace.users[user]
        if isinstance(source, View):
            trigger = self.new_trigger(user, source.id)
            return interactions.payload_form(interactions.view_action_payload(source, pressed, person, trigger))
        url = self.new_response_url(source.channel, user, "action", source.ts)
        channel = self.workspace.channels[source.channel]
        trigger = self.new_trigger(user)
        payload = interactions.message_action_payload(source, pressed, channel, person, trigger, url)
        return interactions.payload_form(payload)

    def shortcut(self, url: str, callback_id: str, *, user: str = MEI, message: Message | None = None) -> Response:
        """Use a message shortcut on `message`, or a global one, which has no channel and no response_url."""
        with self.changed:
            person, trigger = self.workspace.users[user], self.new_trigger(user)
            if message is None:
                now = f"{self.workspace.clock():.6f}"
                payload = interactions.shortcut_payload(callback_id, person, trigger, now)
            else:
                reply_url = self.new_response_url(message.channel, user, "action", message.ts)
                channel = self.workspace.channels[message.channel]
                payload = interactions.message_shortcut_payload(
                    callback_id, message, channel, person, trigger, reply_url
                )
        return self.send(url, interactions.payload_form(payload))

    def url_verification(self, url: str, challenge: str = "3eZbrw1aBm2rZgRNFdxV") -> Response:
        body = {"token": "deprecated", "challenge": challenge, "type": "url_verification"}
        return self.send(url, json.dumps(body).encode(), JSON)

    # The bot's own messages, sent back

    def told(self, kind: str, message: Message) -> None:
        if self.feed_back is None or message.user != BOT_USER or message.ephemeral_to:
            return
        channel = self.workspace.channels[message.channel]
        if kind == "added":
            event = requests.message_event("message", message, channel)
        else:
            event = requests.changed_event(message, channel, self.workspace.new_ts())
        self._feeder.submit(self._feed, self.feed_back, event)

    def _feed(self, url: str, event: Mapping[str, Any]) -> None:
        response = self.event(url, event)
        with self.changed:
            self.fed_back.append(response)
            self.changed.notify_all()


def _ack(body: bytes) -> dict[str, Any]:
    """An ack is JSON or plain text."""
    try:
        ack = json.loads(body)
    except ValueError:
        ack = None
    return ack if isinstance(ack, dict) else {"text": body.decode("utf-8", "replace").strip()}
