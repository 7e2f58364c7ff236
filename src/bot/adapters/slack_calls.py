"""One call of Slack's, through slack_sdk: its time limit, a bounded retry, and what its failure means.

A post that may have arrived although no reply came is made again with a note that it may be a repeat: a second answer
is better than none.
"""

from __future__ import annotations

import copy
import logging
import random
import re
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any, Self, TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse
from slack_sdk.webhook import WebhookClient

from bot.adapters.calls import Calls
from bot.core.errors import SlackError
from bot.settings import Clock, Settings

_QUIET = logging.getLogger("bot.slack.sdk")
_QUIET.setLevel(logging.CRITICAL)  # its own log lines hold bodies and addresses

TIME_LIMIT = 10.0  # seconds for one call
TRIES = 4
LONGEST_SLEEP = 5.0  # seconds; a longer wait is the queue's business
NO_TOKEN = "no_token"  # noqa: S105 (a code of ours: Slack was not asked)


class MaybePosted(SlackError):
    """Not taken in the end, but one of the tries may have arrived: the next one must say so."""


class _Uncertain(Exception):
    """The request went out and no reply came: it may have been carried out."""


Token = Callable[[str], str]
"""Gives the bot token, "" while it is not known; of one that Slack has refused, the newest that can be had."""

Reply = TypeVar("Reply")


class SlackCalls:
    """For one job. `deadline`, on the given clock, is when the last call must have begun."""

    def __init__(
        self,
        settings: Settings,
        deadline: float,
        clock: Clock = time.time,
        sleep: Callable[[float], None] = time.sleep,
        calls: Calls | None = None,
        token: Token | None = None,
    ) -> None:
        self._calls = calls or Calls()
        self._settings, self._deadline = settings, deadline
        self._token: Token = token or (lambda _refused: settings.bot_token)
        self._clock, self._sleep = clock, sleep

    def until(self, deadline: float) -> Self:
        """The same with an earlier deadline. The call that is under way then ends about a second after it."""
        sooner = copy.copy(self)
        sooner._deadline = min(deadline, self._deadline)
        return sooner

    def _send_bytes(self, url: str, content: bytes) -> None:
        # The address is Slack's answer to our own call, not a person's.
        request = Request(url, content, {"content-type": "application/octet-stream"}, method="POST")  # noqa: S310
        try:
            with self._calls.one("slack"), urlopen(request, timeout=self._time_limit()) as response:  # noqa: S310
                response.read()
        except HTTPError as error:
            raise _refusal("upload", error.code, "", dict(error.headers.items())) from error
        except (OSError, HTTPException) as error:
            raise _network_error(error) from error

    def _twice_is_once(self, call: Callable[[], object], what: str) -> None:
        self._persistent(call, call, what, self._deadline)

    def _respond(self, url: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """A response_url answers with a word, never with a `ts`: so what it gives is empty."""
        client = WebhookClient(url, timeout=self._time_limit(), retry_handlers=[], logger=_QUIET)
        try:
            with self._calls.one("slack"):
                response = client.send_dict({"replace_original": False, **body})
        except (OSError, HTTPException) as error:
            raise _network_error(error) from error
        if response.status_code != 200:
            raise _refusal("response_url", response.status_code, (response.body or "").strip(), response.headers)
        return {}

    def _call(self, method: str, **arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """One call; reading methods take `params`, posting ones `json`."""
        data = self._response(method, **arguments).data
        return data if isinstance(data, dict) else {}

    def _response(self, method: str, **arguments: Mapping[str, Any]) -> SlackResponse:
        token = self._token("")
        if not token:
            raise SlackError(method, NO_TOKEN)
        try:
            return self._response_to(token, method, **arguments)
        except SlackError as error:
            newer = self._token(token) if error.code in REFUSED_TOKENS else token
            if newer == token:
                raise
        return self._response_to(newer, method, **arguments)

    def _response_to(self, token: str, method: str, **arguments: Mapping[str, Any]) -> SlackResponse:
        client = WebClient(
            token=token,
            base_url=self._settings.slack_api_url,
            timeout=self._time_limit(),
            retry_handlers=[],
            logger=_QUIET,
        )
        try:
            with self._calls.one("slack"):
                return client.api_call(method, **arguments)  # type: ignore[arg-type]
        except SlackApiError as error:
            reply: Any = error.response
            raise _refusal(method, reply.status_code, str(reply.get("error", "")), reply.headers) from error
        except (OSError, HTTPException, ValueError) as error:
            raise _network_error(error) from error

    def _time_limit(self) -> int:
        return max(1, int(min(TIME_LIMIT, self._deadline - self._clock())))

    def _persistent(self, first: Callable[[], Reply], again: Callable[[], Reply], what: str, deadline: float) -> Reply:
        """Calls until it works: `first` as long as nothing can have been carried out, `again` after that.

        Raises SlackError for what a retry cannot cure, and after the last try; MaybePosted where one may have arrived.
        """
        uncertain, last = False, SlackError(what, "unreachable")
        for attempt in range(TRIES):
            wait = 0.3 * 2**attempt * random.uniform(0.75, 1.25)  # noqa: S311 (jitter, not a secret)
            try:
                return again() if uncertain else first()
            except _Uncertain:
                uncertain = True
            except SlackError as error:
                if error.code not in _CURABLE or (error.retry_after or 0) > LONGEST_SLEEP:
                    raise _told(error, uncertain=uncertain) from error
                uncertain = uncertain or error.code in _LEAVES_OPEN
                wait, last = error.retry_after or wait, error
            if attempt + 1 == TRIES or self._clock() + wait >= deadline:
                break
            self._sleep(wait)
        raise _told(SlackError(what, "unreachable", last.retry_after), uncertain=uncertain)


def _told(error: SlackError, *, uncertain: bool) -> SlackError:
    return MaybePosted(error.method, error.code, error.retry_after) if uncertain else error


REFUSED_TOKENS = frozenset({"invalid_auth", "token_revoked", "token_expired", "account_inactive"})
_CURABLE = frozenset(
    {"ratelimited", "unreachable", "server_error", "internal_error", "fatal_error", "service_unavailable"}
)

_LEAVES_OPEN = frozenset({"server_error", "internal_error", "fatal_error"})
"""Of these Slack says that some of it may have been carried out; of a gateway's 5xx nobody can know."""


def _refusal(method: str, status: int, code: str, headers: Mapping[str, Any]) -> SlackError:
    """What an answer other than "ok" means: a wait, a fault of Slack's that passes, or a refusal."""
    if status == 429 or code in ("ratelimited", "rate_limited"):
        given = str(headers.get("retry-after") or headers.get("Retry-After") or "")
        return SlackError(method, "ratelimited", float(given) if given.isdigit() else 1.0)
    if status >= 500:
        return SlackError(method, "service_unavailable" if status == 503 else "server_error")
    # A proxy's page instead of Slack's answer must not get into our log.
    return SlackError(method, code if re.fullmatch(r"[a-z_]{1,60}", code) else f"http_{status}")


def _network_error(error: Exception) -> Exception:
    """Nothing arrived where the connection or the sending failed; else nobody knows."""
    if isinstance(error, URLError):
        return SlackError("network", "unreachable")
    return _Uncertain(type(error).__name__)
