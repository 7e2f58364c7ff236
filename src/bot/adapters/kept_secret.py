"""A secret of this process: as the environment has it, or read by reference from KMS or OOS, and kept.

KMS, API 2016-01-20: GetSecretValue with SecretName answers SecretData and SecretDataType, `text` or `binary`. OOS, API
2019-06-01: GetSecretParameter with RegionId, Name and WithDecryption answers Parameter.Value. Both are RPC.

Jobs read; the door, which must ack within 3 s, takes what is known. Nothing heavy is imported before the first read.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable
from typing import Any

from bot.adapters.calls import Calls
from bot.core.errors import CloudError, Denied, Throttled
from bot.settings import Clock, Credentials, Reference, Settings

log = logging.getLogger("bot.secrets")

UNUSABLE = "SecretUnusable"  # a code of ours: what was read cannot be the secret that is meant
KEPT = 600.0  # seconds after which a value is read anew
AGAIN = 60.0  # seconds until it is tried again after a failure, or for a value that was refused where it is used
TRIES = 3  # while no value is known; later ones are tried once
SECONDS, QUICK = 15.0, 3.0  # for all tries while no value is known; for later ones, since an answer waits behind them
_THROTTLED = 1.0  # seconds: KMS and OOS count calls by the second
_PAUSE = 0.25  # seconds after the first failure, then twice as long


class KeptSecret:
    """One for each process and secret; safe to use from many threads. One thread reads at a time.

    A value that was read once is used for as long as no newer one can be had.
    """

    def __init__(
        self,
        settings: Settings,
        value: str,
        reference: Reference | None,
        clock: Clock = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._value, self._reference = settings, value, reference
        self._clock, self._sleep = clock, sleep
        self._due = self._may_ask = 0.0  # when it is read anew; when a refused value may be asked for again
        self._lock = threading.Lock()

    @property
    def known(self) -> str:
        """The value; "" while none has been read. Nobody is asked."""
        return self._value

    def read(self, credentials: Credentials, deadline: float, calls: Calls) -> None:
        """Sees to it that a value is known. Raises CloudError where there is none and none can be had."""
        if self._reference is None or self._clock() < self._due or not self._lock.acquire(blocking=not self._value):
            return
        try:
            self._renew(self._reference, credentials, deadline, calls)
        finally:
            self._lock.release()

    def renewed(self, refused: str, credentials: Credentials, deadline: float, calls: Calls) -> str:
        """The value, read anew where it is still the one that was refused: at most once a minute."""
        if self._reference is not None:
            with self._lock:
                if self._value == refused and self._clock() >= self._may_ask:
                    self._may_ask, self._due = self._clock() + AGAIN, 0.0
                    self._renew(self._reference, credentials, deadline, calls)
        return self._value

    def _renew(self, reference: Reference, credentials: Credentials, deadline: float, calls: Calls) -> None:
        if self._clock() < self._due:
            return  # another thread has just read it
        try:
            self._value = self._persistent(reference, credentials, deadline, calls)
        except CloudError as error:
            if not self._value:
                raise
            log.warning("%s: %s; the last value stays", reference, error.code or "no answer")
            self._due = self._clock() + AGAIN
        else:
            self._due = self._clock() + KEPT

    def _persistent(self, reference: Reference, credentials: Credentials, deadline: float, calls: Calls) -> str:
        tries, seconds = (1, QUICK) if self._value else (TRIES, SECONDS)
        deadline, pause = min(deadline, self._clock() + seconds), _PAUSE
        while True:
            try:
                return self._read(reference, credentials, deadline - self._clock(), calls)
            except CloudError as error:
                tries -= 1
                wait = error.wait if isinstance(error, Throttled) else pause
                if isinstance(error, Denied) or not tries or self._clock() + wait >= deadline:
                    raise
                log.warning("%s: %s", reference, error.code or "no answer")
            self._sleep(wait)
            pause *= 2

    def _read(self, reference: Reference, credentials: Credentials, seconds: float, calls: Calls) -> str:
        from bot.adapters import openapi

        region, endpoint = self._settings.function_region, self._settings.endpoint_of(reference)
        if reference.service == "kms":
            query: dict[str, Any] = {"SecretName": reference.name}
            call = openapi.Call(endpoint, "2016-01-20", "GetSecretValue", region, query)
        else:
            query = {"RegionId": region, "Name": reference.name, "WithDecryption": "true"}
            call = openapi.Call(endpoint, "2019-06-01", "GetSecretParameter", region, query)
        body = openapi.ask(call, credentials, seconds, _THROTTLED, calls)
        value = _text_in(body, reference).strip()
        # It goes into a header: no spaces, no line ends, nothing but ASCII.
        if not re.fullmatch(r"[!-~]+", value):
            raise Denied(call.action, region, UNUSABLE)
        return value


def bot_token(settings: Settings, clock: Clock = time.time, sleep: Callable[[float], None] = time.sleep) -> KeptSecret:
    return KeptSecret(settings, settings.bot_token, settings.bot_token_reference, clock, sleep)


def _text_in(body: dict[str, Any], reference: Reference) -> str:
    """What a reply holds, or what stands under a key of it; "" where it is no text, or the key is not there."""
    if reference.service == "kms":
        text = body.get("SecretData") if body.get("SecretDataType") != "binary" else None
    else:
        parameter = body.get("Parameter")
        text = parameter.get("Value") if isinstance(parameter, dict) else None
    if reference.key and isinstance(text, str):
        try:
            held = json.loads(text)
        except (ValueError, RecursionError):
            return ""
        text = held.get(reference.key) if isinstance(held, dict) else None
    return text if isinstance(text, str) else ""
