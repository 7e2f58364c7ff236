"""What a button carries: the question itself, so that nothing is stored for it and an old message still works.

A handle is signed: a value that did not come from us is refused. Slack gives a button's `value` 2,000 characters and
a `block_id` 255; a menu's option has 150, so the menu's question stands in its block's id.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import astuple, dataclass

MOST_VALUE = 2_000
MOST_BLOCK_ID = 255
_MAC = 20  # hexadecimal digits


@dataclass(frozen=True, slots=True)
class Handle:
    """A question in canonical words, who asked it (id and name), and who is on it since when (seconds, epoch).

    `made` is when the message was made: an update needs new block ids.
    """

    words: str
    asked_by: str
    made: int
    asked_name: str = ""
    on_it: str = ""
    on_it_name: str = ""
    on_it_since: int = 0


def pack(handle: Handle, signing_secret: str) -> str:
    body = json.dumps(astuple(handle), separators=(",", ":"), ensure_ascii=False)
    return _mac(body, signing_secret) + body


def unpack(value: str, signing_secret: str) -> Handle | None:
    """The handle in a value; None where it is not one of ours."""
    mac, body = value[:_MAC], value[_MAC:]
    if not hmac.compare_digest(mac.encode("utf-8", "replace"), _mac(body, signing_secret).encode()):
        return None
    fields = json.loads(body)
    return Handle(*fields) if len(fields) == len(Handle.__slots__) else None


def _mac(body: str, signing_secret: str) -> str:
    key = hmac.digest(signing_secret.encode(), b"cloud-assistant-bot handle v1", "sha256")
    return hmac.new(key, body.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:_MAC]
