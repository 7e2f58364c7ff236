"""How Tablestore is reached: its client with short waits, what its errors mean, and the table itself.

From the client's sources (tablestore 6.4.8): retries 20 times and waits 50 s unless told otherwise; never repeats a
write that timed out; lets errors of urllib3 through; `socket_timeout` goes to urllib3 as it is; asks for credentials
at each call; a column condition passes where the column is missing unless told otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import tablestore as ots
from tablestore.credentials import Credentials as OTSCredentials
from tablestore.error import OTSClientError, OTSServiceError
from urllib3 import Timeout
from urllib3.exceptions import HTTPError

from bot.adapters.store import StoreError
from bot.settings import Credentials, Tablestore

TABLE = "cloud_assistant_in_slack"  # deploy/ram-policy.json allows its rows only
_RETRIES = 2  # of what was certainly not done
_READY_WITHIN = 60  # seconds that a new table may take

# Refused before anything was written, whatever the status.
_NOT_DONE = frozenset(
    {
        "OTSServerBusy",
        "OTSOperationThrottled",
        "OTSNotEnoughCapacityUnit",
        "OTSRowOperationConflict",
        "OTSPartitionUnavailable",
        "OTSTableNotReady",
    }
)
_NOT_READY = ("OTSTableNotReady", "OTSPartitionUnavailable", "OTSObjectNotExist")
_HINTS = {
    "OTSAuthFailed": "it does not know these keys; the function's role or ALIBABA_CLOUD_ACCESS_KEY_ID is wrong",
    "OTSNoPermissionAccess": "these keys may not do that; see deploy/ram-policy.json",
    "OTSObjectNotExist": "the table is missing; python -m bot init makes it",
}
_OTHER_NETWORK = "the instance lets this network not in; allow the internet there, or set ?endpoint= in BOT_STORE"


class ConditionFailed(Exception):
    """The row is not as the write expects it; nothing was written."""


class Unsure(StoreError):
    """No reply, or none that can be believed: it may have been done."""


class Refused(StoreError):
    def __init__(self, error: OTSServiceError) -> None:
        self.code = str(error.code)
        # The server's own words may quote what was signed. Only this one is needed to tell two causes apart.
        hint = _OTHER_NETWORK if "ACL" in str(error.message) else _HINTS.get(self.code, "")
        super().__init__(f"Tablestore: {self.code}{_request(error)}{': ' if hint else ''}{hint}")


def _request(error: OTSServiceError) -> str:
    return f" (request {error.request_id})" if error.request_id else ""


def make_table(
    place: Tablestore,
    credentials: Callable[[], Credentials],
    table: str = TABLE,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Makes the table and waits until it can be used; False where it was there. Raises StoreError."""
    client = connected(place, credentials, connect=5.0, read=30.0)
    meta, options = ots.TableMeta(table, [("key", "STRING")]), ots.TableOptions(time_to_live=-1, max_version=1)
    unreserved = ots.ReservedThroughput(ots.CapacityUnit(0, 0))  # what is reserved is paid for when idle, too
    made = True
    try:
        asked(lambda: client.create_table(meta, options, unreserved))
    except Refused as error:
        if error.code != "OTSObjectAlreadyExist":
            raise
        made = False
        there = asked(lambda: client.describe_table(table))
        keys = [(str(name), str(kind)) for name, kind, *_ in there.table_meta.schema_of_primary_key]
        if keys != [("key", "STRING")] or there.table_options.time_to_live != -1:
            raise StoreError(f"Tablestore: the table {table} is another's, or has a time to live; delete it") from None
    for _ in range(_READY_WITHIN):
        try:
            asked(lambda: client.get_row(table, [("key", "init")], max_version=1))
            return made
        except Refused as error:
            if error.code not in _NOT_READY:
                raise
        sleep(1.0)
    raise StoreError(f"Tablestore: the table {table} is not ready after {_READY_WITHIN} s; try again later")


def drop_table(place: Tablestore, credentials: Callable[[], Credentials], table: str = TABLE) -> bool:
    """Deletes the table with all that it keeps; False where there was none. Raises StoreError."""
    client = connected(place, credentials, connect=5.0, read=30.0)
    try:
        asked(lambda: client.delete_table(table))
    except Refused as error:
        if error.code != "OTSObjectNotExist":
            raise
        return False
    return True


def connected(
    place: Tablestore, credentials: Callable[[], Credentials], connect: float = 1.0, read: float = 2.0
) -> Any:
    """A client whose waits are short, in seconds; `credentials` is asked at each call."""
    policy = ots.DefaultRetryPolicy()
    policy.max_retry_times = _RETRIES
    client = ots.OTSClient(
        place.endpoint,
        instance_name=place.instance,
        region=place.region,
        credentials_provider=_Provider(credentials),
        socket_timeout=Timeout(connect=connect, read=read),
        retry_policy=policy,
        enable_native=False,  # for other versions of Python than the function's, and not what the tests run
    )
    client.connection.pool.connection_pool_kw["retries"] = False  # the caller repeats what may be repeated
    return client


class _Provider:
    def __init__(self, credentials: Callable[[], Credentials]) -> None:
        self._credentials = credentials

    def get_credentials(self) -> Any:
        keys = self._credentials()
        if not keys:
            raise StoreError("Tablestore: there are no credentials; set ALIBABA_CLOUD_ACCESS_KEY_ID and …_SECRET")
        return OTSCredentials(keys.access_key_id, keys.access_key_secret, keys.security_token or None)


def asked(call: Callable[[], Any]) -> Any:
    """Raises ConditionFailed, and StoreError for all else that went wrong: Unsure where it may have been done."""
    try:
        return call()
    except OTSServiceError as error:
        if error.code == "OTSConditionCheckFail":  # its status is that of a refused key
            raise ConditionFailed from None
        if error.http_status >= 500 and error.code not in _NOT_DONE:
            raise Unsure(f"Tablestore: {error.code}{_request(error)}") from error
        raise Refused(error) from error
    except OTSClientError as error:  # a reply of somebody else's, or a clock that is 15 minutes off
        raise Unsure(f"Tablestore: {error.message}") from error
    except HTTPError as error:
        raise Unsure(f"Tablestore does not answer ({type(error).__name__})") from error
