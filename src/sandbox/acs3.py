"""Alibaba Cloud's request signature ACS3-HMAC-SHA256, seen from the server's side.

RPC and ROA style are signed alike. Canonical form as the vendor documents it and as the official client
(tea-openapi 0.4.6) sends it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, MutableSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

ALGORITHM = "ACS3-HMAC-SHA256"
CLOCK_TOLERANCE = timedelta(minutes=15)
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{{64}})"
)
_ALWAYS_SIGNED = frozenset({"host", "x-acs-date", "x-acs-content-sha256", "x-acs-signature-nonce"})


@dataclass(frozen=True)
class Credentials:
    """An access key; one whose id starts `STS.` is temporary and is worth nothing without its token."""

    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


def problem(
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    secrets: Mapping[str, str],
    tokens: Mapping[str, str],
    now: datetime,
    seen_nonces: MutableSet[str],
) -> str | None:
    """The vendor's error code for what is wrong with a request's signature; None when it is right.

    `target` is path and query as on the wire, header names are lower case, `secrets` and `tokens` are keyed
    by access key id, `now` is aware. The nonce of a request that is right is added to `seen_nonces`; callers
    with several threads hold a lock around this call.
    """
    match = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if not match:
        return "IncompleteSignature"
    key_id, signed, signature = match.groups()
    names = signed.split(";")
    if key_id not in secrets:
        return "InvalidAccessKeyId.NotFound"
    if not _must_be_signed(headers) <= set(names) <= set(headers):
        return "IncompleteSignature"
    if hashlib.sha256(body).hexdigest() != headers["x-acs-content-sha256"]:
        return "SignatureDoesNotMatch"
    # Sorted, whatever order came: the documentation demands it, and a client that forgets it must fail here.
    expected = _signature(method, target, headers, sorted(names), secrets[key_id])
    if not hmac.compare_digest(expected, signature):
        return "SignatureDoesNotMatch"
    return (
        _token_problem(key_id, headers.get("x-acs-security-token", ""), tokens)
        or _date_problem(headers["x-acs-date"], now)
        or _nonce_problem(headers["x-acs-signature-nonce"], seen_nonces)
    )


def _must_be_signed(headers: Mapping[str, str]) -> frozenset[str]:
    return _ALWAYS_SIGNED.union(name for name in headers if name.startswith("x-acs-"))


def _signature(method: str, target: str, headers: Mapping[str, str], names: list[str], secret: str) -> str:
    path, _, query = target.partition("?")
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    lines = [
        method,
        path or "/",
        # The official client encodes the values only.
        "&".join(f"{name}={quote(value, safe='~')}" for name, value in pairs),
        *(f"{name}:{headers[name].strip()}" for name in names),
        "",
        ";".join(names),
        headers["x-acs-content-sha256"],
    ]
    hashed = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return hmac.new(secret.encode(), f"{ALGORITHM}\n{hashed}".encode(), hashlib.sha256).hexdigest()


def _token_problem(key_id: str, token: str, tokens: Mapping[str, str]) -> str | None:
    if key_id.startswith("STS.") and not token:
        return "MissingSecurityToken"
    return None if token == tokens.get(key_id, "") else "InvalidSecurityToken.MismatchWithAccessKey"


def _date_problem(date: str, now: datetime) -> str | None:
    try:
        sent = datetime.strptime(date, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return "InvalidTimeStamp.Format"
    return "InvalidTimeStamp.Expired" if abs(now - sent) > CLOCK_TOLERANCE else None


def _nonce_problem(nonce: str, seen: MutableSet[str]) -> str | None:
    if nonce in seen:
        return "SignatureNonceUsed"
    seen.add(nonce)
    return None
