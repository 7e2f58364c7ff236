"""The access keys that the sandbox's Cloud Assistant knows, and its answers to badly signed requests."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sandbox import acs3
from sandbox.cloud_errors import ApiError
from sandbox.http import Request

_MESSAGES = {
    "IncompleteSignature": "The request signature does not conform to Alibaba Cloud standards.",
    "InvalidAccessKeyId.NotFound": "Specified access key is not found.",
    "SignatureDoesNotMatch": "Specified signature is not matched with our calculation.",
    "SignatureNonceUsed": "Specified signature nonce was used already.",
    "MissingSecurityToken": "SecurityToken is mandatory for this action.",
    "InvalidSecurityToken.MismatchWithAccessKey": "Specified SecurityToken mismatch with the AccessKey.",
    "InvalidSecurityToken.Expired": "Specified SecurityToken is expired.",
    "InvalidTimeStamp.Format": "Specified time stamp or date value is not well formatted.",
    "InvalidTimeStamp.Expired": "Specified time stamp or date value is expired.",
}


class Keys:
    """`secrets`: access key id to secret; `tokens`: id of a temporary key to its STS token.

    The real clock counts here, because real clients sign with it: the sandbox's may be hours ahead. `skew`
    puts the server's idea of the time wrong, as a client with a wrong clock would see it.
    """

    def __init__(self, secrets: Mapping[str, str], tokens: Mapping[str, str]) -> None:
        self.skew = timedelta()
        self._secrets, self._tokens = dict(secrets), dict(tokens)
        self._expired: set[str] = set()
        self._nonces: set[str] = set()
        self._lock = threading.Lock()

    def expire(self, key_id: str) -> None:
        """From now on the STS token of this key has expired."""
        with self._lock:
            self._expired.add(key_id)

    def renew(self, key_id: str, secret: str, token: str = "") -> None:
        """Add a key, or give a known one a new secret and token."""
        with self._lock:
            self._secrets[key_id], self._tokens[key_id] = secret, token
            self._expired.discard(key_id)

    def check(self, request: Request) -> None:
        """Raise the ApiError that a badly signed request gets."""
        code = self._problem(request)
        if code:
            raise ApiError(code, _MESSAGES[code], 404 if code == "InvalidAccessKeyId.NotFound" else 400)

    def _problem(self, request: Request) -> str | None:
        now = datetime.now(UTC) + self.skew
        with self._lock:
            known = (self._secrets, self._tokens, now, self._nonces)
            code = acs3.problem(request.method, request.target, request.headers, request.body, *known)
            if code is None and key_id(request) in self._expired:
                return "InvalidSecurityToken.Expired"
            return code


def key_id(request: Request) -> str:
    """The access key id that a request claims, right or not; '' when it names none."""
    found = re.search(r" Credential=([^,\s]+)", request.headers.get("authorization", ""))
    return found[1] if found else ""
