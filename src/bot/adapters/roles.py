"""Keys of the roles that BOT_ACCOUNTS names, taken on by AssumeRole of STS (RPC, version 2015-04-01).

By the client that makes all other calls, not by the provider of `alibabacloud-credentials` (1.0.12) for role ARNs:
that one speaks https only, puts the token of our own keys into the query of a GET, tells refusals apart by nothing but
a text that quotes the whole reply, and holds on to one source of keys, where Function Compute sends new ones with each
request.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from bot.adapters import openapi
from bot.adapters.calls import Calls
from bot.adapters.openapi import Call
from bot.core.errors import OUT_OF_TIME, CloudError, Denied, RoleRefused, Unavailable
from bot.core.model import text_of
from bot.core.places import Account
from bot.settings import Clock, Credentials, Settings

ASSUME_ROLE, VERSION = "AssumeRole", "2015-04-01"
LASTING = 3_600  # seconds: the default, and the longest where a role takes on another one
SPARE = 300.0  # seconds before their end in which keys are not used any more: a job takes 100
REFUSED = 15.0  # seconds for which a refusal is good, so that a question in twenty regions asks once
BROKEN = 1.0  # the same for any other failure
THROTTLED = 2.0  # seconds, where the reply names none: STS counts calls by the second
MOST = 200  # accounts and people with keys at the same time
_NOBODY = "cloud-assistant-in-slack"


def session_name(user_id: str) -> str:
    """What ActionTrail shows beside each call: 2 to 64 letters, digits and `.@-_`. "" is nobody: a timer, an event."""
    return f"slack-{user_id}" if re.fullmatch(r"[A-Z0-9]{2,50}", user_id) else _NOBODY


@dataclass(slots=True)
class _Session:
    """What is known until a moment: keys, or why there are none, asked for with the own keys of this id.

    The lock is held by who asks.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    until: float = 0.0
    asked_with: str = ""
    keys: Credentials = field(default_factory=Credentials)
    error: CloudError | None = None


class Roles:
    """One for each process. Safe to use from many threads."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        endpoint = settings.sts_endpoint.replace("{region}", settings.function_region).rstrip("/")
        self._endpoint, self._clock = endpoint, clock
        self._sessions: dict[tuple[str, str], _Session] = {}
        self._lock = threading.Lock()

    def keys(
        self, account: Account, place: str, user_id: str, own: Credentials, seconds: float, calls: Calls
    ) -> Credentials:
        """Keys for an account, got with our own, for the person who asks ("" for nobody). Raises CloudError."""
        session, began = self._session(account.name, session_name(user_id)), self._clock()
        if not session.lock.acquire(timeout=max(0.0, seconds)):
            raise Unavailable(ASSUME_ROLE, place, OUT_OF_TIME)
        try:
            waited = self._clock() - began
            # Why there are none may be our own keys, which are others in the next request.
            if session.until <= began + waited or (session.error and session.asked_with != own.access_key_id):
                session.asked_with, call = own.access_key_id, self._call(account, place, user_id)
                ask = partial(openapi.ask, call, own, seconds - waited, THROTTLED, calls)
                self._take_on(session, account, place, ask)
            if session.error is not None:
                raise session.error
            return session.keys
        finally:
            session.lock.release()

    def forget(self, account: Account, user_id: str) -> None:
        """The keys were not accepted: the next call takes the role on anew."""
        with self._lock:
            self._sessions.pop((account.name, session_name(user_id)), None)

    def _session(self, account: str, name: str) -> _Session:
        with self._lock:
            found = self._sessions.setdefault((account, name), _Session())
            if len(self._sessions) > MOST:
                self._sessions.pop(next(iter(self._sessions)))
            return found

    def _call(self, account: Account, place: str, user_id: str) -> Call:
        query = {
            "RoleArn": account.role,
            "RoleSessionName": session_name(user_id),
            "DurationSeconds": LASTING,
        }
        return Call(self._endpoint, VERSION, ASSUME_ROLE, place, query)

    def _take_on(self, session: _Session, account: Account, place: str, ask: Callable[[], dict[str, Any]]) -> None:
        now = self._clock()
        try:
            session.keys, end = _keys(ask(), place)
            session.error, session.until = None, end - SPARE
        except Denied as error:
            refused = RoleRefused(place, account.role, error.code, error.request_id)
            session.error, session.until = refused, now + REFUSED
        except CloudError as error:
            session.error, session.until = error, now + BROKEN


def _keys(reply: dict[str, Any], place: str) -> tuple[Credentials, float]:
    """The keys, and when they end in seconds since the epoch. Raises Unavailable."""
    found = reply.get("Credentials")
    told = found if isinstance(found, dict) else {}
    names = ("AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration")
    key_id, secret, token, end = (text_of(told.get(name)) for name in names)
    if not (key_id and secret and token):
        raise Unavailable(ASSUME_ROLE, place, "UnreadableReply")
    try:
        return Credentials(key_id, secret, token), datetime.fromisoformat(end).timestamp()
    except ValueError:
        raise Unavailable(ASSUME_ROLE, place, "UnreadableReply") from None
