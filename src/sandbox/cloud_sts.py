"""STS of the sandbox: AssumeRole (RPC, version 2015-04-01), whose keys belong to the role's account.

Parameters and codes are those of the vendor's page on AssumeRole: RoleSessionName has 2 to 64 characters, a session
lasts 900 s to the role's longest, which is an hour by default.
"""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.cloud_errors import ApiError
from sandbox.cloud_keys import Keys
from sandbox.cloud_query import Query
from sandbox.scenario_values import OWN_ACCOUNT

ASSUME_ROLE, VERSION = "AssumeRole", "2015-04-01"
_ARN = re.compile(r"acs:ram::(\d+):role/([A-Za-z0-9.-]{1,64})")
_SESSION_NAME = re.compile(r"[A-Za-z0-9.@_-]{2,64}")
_SECONDS = range(900, 3_601)


@dataclass(frozen=True)
class Caller:
    """Whose keys sign a call. `session` is the RoleSessionName, as ActionTrail shows it; "" for the sandbox's own."""

    account: str = OWN_ACCOUNT
    session: str = ""


class Sts:
    """`roles`: ARNs of the roles that the sandbox's own keys may take on; `refuse` and `allow` change that."""

    def __init__(self, keys: Keys, roles: Iterable[str]) -> None:
        self._keys, self._numbers = keys, itertools.count(1)
        self._allowed = dict.fromkeys(roles, True)
        self._callers: dict[str, Caller] = {}
        self._lock = threading.Lock()

    def refuse(self, role: str) -> None:
        """From now on the role's trust policy does not name our own."""
        self._allowed[role] = False

    def allow(self, role: str) -> None:
        self._allowed[role] = True

    def sessions(self, account: str) -> list[str]:
        """Ids of the keys that were given out for an account, oldest first."""
        with self._lock:
            return [key for key, caller in self._callers.items() if caller.account == account]

    def caller(self, key_id: str) -> Caller:
        with self._lock:
            return self._callers.get(key_id, Caller())

    def assume_role(self, query: Query, caller: Caller) -> dict[str, Any]:
        """The body of the reply, but for RequestId. Raises ApiError."""
        query.only({"RoleArn", "RoleSessionName", "DurationSeconds", "Policy", "ExternalId"})
        arn, name, seconds = query.text("RoleArn"), query.text("RoleSessionName"), query.text("DurationSeconds")
        role = _ARN.fullmatch(arn)
        if role is None:
            raise ApiError("InvalidParameter.RoleArn", "The parameter RoleArn is wrongly formed.")
        if not _SESSION_NAME.fullmatch(name):
            raise ApiError("InvalidParameter.RoleSessionName", "The parameter RoleSessionName is wrongly formed.")
        if seconds and (not seconds.isdecimal() or int(seconds) not in _SECONDS):
            raise ApiError("InvalidParameter.DurationSeconds", "The Min/Max value of DurationSeconds is 15min/1hr.")
        if arn not in self._allowed:
            raise ApiError("EntityNotExist.Role", "The specified Role not exists .", 404)
        if caller.session or not self._allowed[arn]:
            raise ApiError(
                "NoPermission", "You are not authorized to do this action. You should be authorized by RAM.", 403
            )
        return {
            "AssumedRoleUser": {
                "Arn": f"acs:ram::{role[1]}:role/{role[2]}/{name}",
                "AssumedRoleId": f"300000000000000000:{name}",
            },
            "Credentials": self._given(Caller(role[1], name), int(seconds or _SECONDS[-1])),
        }

    def _given(self, caller: Caller, seconds: int) -> dict[str, str]:
        number = next(self._numbers)
        key_id, secret, token = (f"{kind}{number:04}" for kind in ("STS.Session", "secret-of-session", "CAIS-session"))
        self._keys.renew(key_id, secret, token)
        with self._lock:
            self._callers[key_id] = caller
        ends = datetime.now(UTC) + timedelta(seconds=seconds)
        return {
            "AccessKeyId": key_id,
            "AccessKeySecret": secret,
            "SecurityToken": token,
            "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
