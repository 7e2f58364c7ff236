"""Alibaba Cloud's RPC APIs, through the official Tea OpenAPI client: one call, and what its failure means.

Traps of the client met here: importing it takes half a second, its retry settings do nothing, a reply that is not JSON
loses its HTTP status, raw numbers in a query raise, and it follows redirects and hands the STS token to the new host.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from bot.adapters.calls import Calls
from bot.core import places
from bot.core.errors import OUT_OF_TIME, CloudError, Denied, Throttled, Unavailable
from bot.core.model import text_of
from bot.settings import Credentials

CONNECT_LIMIT, READ_LIMIT = 3.0, 10.0  # seconds for one call
LONGEST_THROTTLE = 120.0  # seconds; the documented one ends with the minute
_PASSING = ("ServiceUnavailable", "SignatureNonceUsed", "InternalError", "InternalFailure")  # codes, or parts of them

_LOADING = threading.Lock()

Query = Mapping[str, Any]
"""Request parameters by the API's own names; lists as lists, empty ones are left out."""


@dataclass(frozen=True, slots=True)
class Call:
    """An action of an API's version, at a base URL; `region` is the place that errors name, whose region goes along as
    the client's, not as a parameter.
    """

    endpoint: str
    version: str
    action: str
    region: str
    query: Query


def ask(call: Call, credentials: Credentials, seconds: float, throttled: float, calls: Calls) -> dict[str, Any]:
    """The body of the reply. The client is imported here, at first use.

    Raises Denied, Unavailable, and Throttled, whose wait is `throttled` seconds where the reply names none.
    """
    load()
    from Tea.exceptions import TeaException

    if not credentials:
        raise Denied(call.action, call.region, "NoCredentials")
    if seconds <= 0:
        raise Unavailable(call.action, call.region, OUT_OF_TIME)
    try:
        with calls.one("cloud"):
            body = _send(call, credentials, seconds)
    except TeaException as error:
        # Not `from error`: its text and its request hold URL and token.
        raise meaning(error, call.action, call.region, throttled) from None
    if not isinstance(body, dict):
        raise Unavailable(call.action, call.region, "UnreadableReply")
    return body


def meaning(error: Exception, action: str, region: str, throttled: float) -> CloudError:
    """Of the client's error. KMS names what is throttled `Rejected.Throttling`, all others `Throttling` and more."""
    code, request_id = text_of(getattr(error, "code", "")), text_of(getattr(error, "request_id", ""))
    status = getattr(error, "status_code", None) or 0
    if "Throttling" in code or status == 429:
        wait = (getattr(error, "retry_after", None) or 0) / 1000 or throttled
        return Throttled(action, region, min(wait, LONGEST_THROTTLE), code or "Throttling", request_id)
    if not code or status >= 500 or any(one in code for one in _PASSING):
        return Unavailable(action, region, code, request_id)
    return Denied(action, region, code, request_id)


def _send(call: Call, credentials: Credentials, seconds: float) -> object:
    """One request by the Tea client; raises its TeaException. A client is cheap: its connections are the process's."""
    import requests
    from alibabacloud_tea_openapi.client import Client
    from alibabacloud_tea_openapi.utils import Utils
    from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
    from darabonba.runtime import RuntimeOptions

    # Before the client's first session: a redirect would hand the STS token to another host.
    requests.sessions.DEFAULT_REDIRECT_LIMIT = 0  # type: ignore[attr-defined]
    address = urlsplit(call.endpoint)
    client = Client(
        Config(
            access_key_id=credentials.access_key_id,
            access_key_secret=credentials.access_key_secret,
            security_token=credentials.security_token or None,
            protocol=address.scheme,
            endpoint=address.netloc,
            region_id=places.region_of(call.region),
            user_agent="cloud-assistant-in-slack",
        )
    )
    parameters = Params(
        action=call.action,
        version=call.version,
        protocol="HTTPS",
        pathname="/",
        method="POST",
        auth_type="AK",
        style="RPC",
        req_body_type="formData",
        body_type="json",
    )
    request = OpenApiRequest(query=Utils.query(dict(call.query)))
    limits = RuntimeOptions(
        connect_timeout=_milliseconds(min(CONNECT_LIMIT, seconds)),
        read_timeout=_milliseconds(min(READ_LIMIT, seconds)),
    )
    return client.call_api(parameters, request, limits).get("body")


# What the client imports and nobody uses here: for asynchronous calls, keys in files, keys of ECS instances, RSA keys.
_UNUSED = (
    "aiohttp",
    "aiofiles",
    "apscheduler.schedulers.background",
    "cryptography.hazmat.primitives",
    "cryptography.hazmat.primitives.asymmetric",
    "cryptography.hazmat.primitives.serialization",
)


class _StandIn(ModuleType):
    """Stands for a module of which only the names of classes and functions are read."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return object


def load() -> None:
    """The client, once, without what it does not use here, which would take as long again and 12 MB.

    For all others that is there: the stand-ins are gone afterwards.
    """
    with _LOADING:
        if "alibabacloud_tea_openapi.client" in sys.modules:
            return
        absent = [name for name in _UNUSED if name not in sys.modules]
        sys.modules.update({name: _StandIn(name) for name in absent})
        try:
            import alibabacloud_tea_openapi.client  # noqa: F401
        finally:
            for name in absent:
                del sys.modules[name]


def _milliseconds(seconds: float) -> int:
    """At least 1: the client takes 0 for its default of ten seconds."""
    return max(1, int(seconds * 1000))
