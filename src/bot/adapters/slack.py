"""Slack, through slack_sdk: answers that find a way to the person, and what Slack knows of people and channels.

Every call has a time limit and a bounded retry. A post that may have arrived although no reply came is sent again
with a note that it may be a repeat: a second answer is better than none.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from bot.core.blocks import Message
from bot.core.errors import SlackError
from bot.core.messages import noted
from bot.settings import Settings

log = logging.getLogger("bot.slack")

TIME_LIMIT = 10  # seconds for one call
TRIES = 4
LONGEST_SLEEP = 5.0  # seconds; a longer wait is the queue's business
REPEAT = "This may be a repeat: an earlier try may have posted this answer already."


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


Reply = TypeVar("Reply")


class _Uncertain(Exception):
    """The request went out and no reply came: it may have been carried out."""


class Slack:
    def __init__(self, settings: Settings, sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings, self._sleep = settings, sleep
        self._client = WebClient(
            token=settings.bot_token, base_url=settings.slack_api_url, timeout=TIME_LIMIT, retry_handlers=[]
        )

    def user(self, user_id: str) -> Mapping[str, Any]:
        """users.info; raises SlackError."""
        return self._read("users.info", "user", user=user_id)

    def channel(self, channel_id: str) -> Mapping[str, Any]:
        """conversations.info; raises SlackError, for example `channel_not_found` where the bot cannot look."""
        return self._read("conversations.info", "channel", channel=channel_id)

    def _read(self, method: str, key: str, **arguments: str) -> Mapping[str, Any]:
        def call() -> Mapping[str, Any]:
            return self._call(method, params=arguments).get(key) or {}

        return _persistent(call, call, method, self._sleep)

    def answer(self, place: Place, message: Message, *, private: bool) -> None:
        """Brings the message to the person: by response_url, else into the channel, else as a direct message.

        Raises SlackError when none of these took it; with `retry_after` when Slack asks for a longer wait.
        """
        last = SlackError("answer", "no way to answer")
        for way in self._ways(place, private=private):
            try:
                self._delivered(way, message)
            except SlackError as error:
                if error.retry_after is not None:
                    raise
                log.warning("answer refused: %s", error)
                last = error
            else:
                return
        raise last

    def _ways(self, place: Place, *, private: bool) -> list[Callable[[Message], object]]:
        thread = {"thread_ts": place.thread_ts} if place.thread_ts else {}

        def post(message: Message) -> object:
            return self._call("chat.postMessage", json={"channel": place.channel_id, **thread, **_body(message)})

        def post_privately(message: Message) -> object:
            who = {"channel": place.channel_id, "user": place.user_id}
            return self._call("chat.postEphemeral", json={**who, **thread, **_body(message)})

        def post_directly(message: Message) -> object:
            told = noted(message, "I could not answer where you asked, so the answer comes here.")
            return self._call("chat.postMessage", json={"channel": place.user_id, **_body(told)})

        ways: list[Callable[[Message], object]] = []
        if place.response_url and self._settings.may_respond_to(place.response_url):
            ways.append(lambda message: self._respond(place.response_url, message, private=private))
        if private and not place.is_direct_message:
            return [*ways, post_privately, post_directly]
        return [*ways, post, post_directly]

    def _delivered(self, way: Callable[[Message], object], message: Message) -> None:
        """One way tried to the end; blocks that Slack refuses are left out, the text says all of it."""
        try:
            _persistent(lambda: way(message), lambda: way(noted(message, REPEAT)), "answer", self._sleep)
        except SlackError as error:
            if not message.blocks or error.code not in ("invalid_blocks", "msg_blocks_too_long", "invalid_attachments"):
                raise
            log.error("Slack refused the blocks: %s", error)
            plain = Message(message.text)
            _persistent(lambda: way(plain), lambda: way(noted(plain, REPEAT)), "answer", self._sleep)

    def _respond(self, url: str, message: Message, *, private: bool) -> None:
        client = WebhookClient(url, timeout=TIME_LIMIT, retry_handlers=[])
        try:
            response = client.send(
                text=message.text,
                blocks=list(message.blocks) or None,
                response_type="ephemeral" if private else "in_channel",
                replace_original=False,
                unfurl_links=False,
                unfurl_media=False,
            )
        except (OSError, HTTPException) as error:
            raise _network_error(error) from error
        if response.status_code != 200:
            code = (response.body or "").strip()[:60] or f"http_{response.status_code}"
            raise _refusal("response_url", response.status_code, code, response.headers)

    def _call(self, method: str, **arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """One call; reading methods take `params`, posting ones `json`."""
        try:
            response = self._client.api_call(method, **arguments)  # type: ignore[arg-type]
        except SlackApiError as error:
            reply: Any = error.response
            raise _refusal(method, reply.status_code, str(reply.get("error", "")), reply.headers) from error
        except (OSError, HTTPException, ValueError) as error:
            raise _network_error(error) from error
        data = response.data
        return data if isinstance(data, dict) else {}


def _body(message: Message) -> dict[str, Any]:
    blocks = {"blocks": list(message.blocks)} if message.blocks else {}
    return {"text": message.text, **blocks, "unfurl_links": False, "unfurl_media": False}


def _persistent(
    first: Callable[[], Reply], again: Callable[[], Reply], what: str, sleep: Callable[[float], None]
) -> Reply:
    """Calls until it works: `first` as long as nothing can have arrived, `again` after that.

    Raises SlackError for what a retry cannot cure, and after the last try.
    """
    call = first
    for attempt in range(TRIES):
        wait = 0.3 * 2**attempt * random.uniform(0.75, 1.25)  # noqa: S311 (jitter, not a secret)
        try:
            return call()
        except _Uncertain:
            call = again
        except SlackError as error:
            if error.code not in _CURABLE or (error.retry_after or 0) > LONGEST_SLEEP:
                raise
            wait = error.retry_after or wait
        if attempt + 1 < TRIES:
            sleep(wait)
    raise SlackError(what, "unreachable")


_CURABLE = frozenset(
    {"ratelimited", "unreachable", "server_error", "internal_error", "fatal_error", "service_unavailable"}
)


def _refusal(method: str, status: int, code: str, headers: Mapping[str, Any]) -> SlackError:
    """What an answer other than "ok" means: a wait, a fault of Slack's that passes, or a refusal."""
    if status == 429 or code in ("ratelimited", "rate_limited"):
        given = str(headers.get("retry-after") or headers.get("Retry-After") or "")
        return SlackError(method, "ratelimited", float(given) if given.isdigit() else 1.0)
    return SlackError(method, "server_error" if status >= 500 else code)


def _network_error(error: Exception) -> Exception:
    """Nothing arrived where the connection or the sending failed; else nobody knows."""
    if isinstance(error, URLError):
        return SlackError("network", "unreachable")
    return _Uncertain(type(error).__name__)
