"""Reading the parameters of an ECS call, and cutting its reply into pages.

Codes for paging and tags are those of the vendor's page on DescribeInvocationResults. For values out of a
closed list the page names none; the sandbox answers `InvalidParameter.NAME`, of the same family.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from sandbox.cloud_errors import ApiError
from sandbox.http import Request

# Every ECS call takes these; they choose nothing here.
COMMON = {"RegionId", "OwnerId", "OwnerAccount", "ResourceOwnerId", "ResourceOwnerAccount", "Format"}
PAGING = {"MaxResults", "NextToken", "PageNumber", "PageSize"}


@dataclass(frozen=True)
class Query:
    """One call: `params` as sent, flattened (`Tag.1.Key`). Every reader raises ApiError for a bad value."""

    action: str
    params: Mapping[str, str]

    @property
    def region(self) -> str:
        return self.text("RegionId")

    def text(self, name: str) -> str:
        return self.params.get(name, "")

    def same(self, name: str, value: Any) -> bool:
        """True when the filter is not set, or equals the value."""
        return self.text(name) in ("", value)

    def like(self, name: str, value: str) -> bool:
        """As `same`, with `*` for any characters."""
        pattern = ".*".join(re.escape(part) for part in self.text(name).split("*"))
        return not pattern or re.fullmatch(pattern, value, re.DOTALL) is not None

    def choice(self, name: str, allowed: Collection[str]) -> str:
        value = self.text(name)
        if value and value not in allowed:
            raise _invalid(f"InvalidParameter.{name}", name)
        return value

    def flag(self, name: str) -> bool | None:
        # The Python client writes True, the others true.
        value = self.text(name).lower()
        if value not in ("", "true", "false"):
            raise _invalid(f"InvalidParameter.{name}", name)
        return None if not value else value == "true"

    def numbered(self, name: str, most: int) -> list[str]:
        """`NAME.1`, `NAME.2` ... in order."""
        found = [(key.removeprefix(f"{name}."), value) for key, value in self.params.items()]
        values = [value for key, value in sorted(found, key=lambda pair: pair[0].zfill(4)) if key.isdigit()]
        if len(values) > most:
            raise _invalid(f"InvalidParameter.{name}", name)
        return values

    def json_list(self, name: str, code: str, most: int = 100) -> list[str] | None:
        """A list of texts sent as JSON; None when not sent. An empty list is a filter that nothing passes."""
        if name not in self.params:
            return None
        try:
            values = json.loads(self.text(name))
        except ValueError:
            raise _invalid(code, name) from None
        if not isinstance(values, list) or len(values) > most or not all(isinstance(v, str) for v in values):
            raise _invalid(code, name)
        return values

    def tags(self) -> dict[str, str | None]:
        """`Tag.N.Key` and `Tag.N.Value` as key to value; None where only the key was asked for."""
        numbers = sorted({name.split(".")[1] for name in self.params if name.startswith("Tag.")})
        if len(numbers) > 20:
            raise ApiError("NumberExceed.Tags", "The maximum number of tags is exceeded.")
        wanted: dict[str, str | None] = {}
        for number in numbers:
            key = _tag_key(self.params.get(f"Tag.{number}.Key", ""))
            if key in wanted:
                raise ApiError("Duplicate.TagKey", f"The tag key {key} is duplicated.")
            wanted[key] = _tag_value(self.params.get(f"Tag.{number}.Value"))
        return wanted

    def only(self, known: Collection[str]) -> None:
        """Refuse what the sandbox would silently ignore: a filter without effect misleads whoever tests."""
        for name in self.params:
            if name.split(".")[0] not in known and name not in COMMON:
                raise ApiError("UnsupportedParameter", f"{self.action} has no parameter {name} here.")

    def number(self, name: str, default: int, code: str) -> int:
        text = self.text(name)
        if not text:
            return default
        if not re.fullmatch(r"-?[0-9]{1,18}", text):
            raise _invalid(code, name)
        return int(text)


def read(request: Request) -> Query:
    """A call from its request: the action is a header, the parameters are in the query and a form body."""
    pairs = parse_qsl(request.query, keep_blank_values=True)
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        pairs += parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    return Query(request.headers.get("x-acs-action", ""), dict(pairs))


@dataclass(frozen=True)
class Page:
    """Which rows are asked for. With a token (`by_token`) the reply names the next one; else it counts."""

    by_token: bool
    first: int
    size: int
    seal: str

    def cut(self, rows: Sequence[Any]) -> tuple[Sequence[Any], dict[str, Any]]:
        """The rows of this page and the paging fields of the reply."""
        end = self.first + self.size
        if self.by_token:
            return rows[self.first : end], {"NextToken": self._token(end) if end < len(rows) else ""}
        fields = {"PageNumber": self.first // self.size + 1, "PageSize": self.size, "TotalCount": len(rows)}
        return rows[self.first : end], fields

    def _token(self, position: int) -> str:
        return base64.urlsafe_b64encode(f"{self.seal}{position}".encode()).decode().rstrip("=")


def page(query: Query, most: int = 50) -> Page:
    """By token when MaxResults or NextToken is set, else by number. Sizes: 1 to `most`, 10 unless told."""
    seal = _seal(query)
    if query.text("MaxResults") or query.text("NextToken"):
        size = _within(query, "MaxResults", "InvalidParameter.MaxResults", 10, most)
        return Page(True, _position(query.text("NextToken"), seal), size, seal)
    number = _within(query, "PageNumber", "InvalidParam.PageNumber", 1, 10**9)
    size = _within(query, "PageSize", "InvalidParam.PageSize", 10, most)
    return Page(False, (number - 1) * size, size, seal)


def instances_page(query: Query) -> Page:
    """DescribeInstances forgives: a MaxResults under 10 counts as 10, one over 100 as 100."""
    size = query.number("MaxResults", 10, "InvalidParameter.MaxResults")
    if not query.text("MaxResults"):
        return page(query, 100)
    return page(Query(query.action, {**query.params, "MaxResults": str(min(max(size, 10), 100))}), 100)


def _within(query: Query, name: str, code: str, default: int, most: int) -> int:
    value = query.number(name, default, code)
    if not 1 <= value <= most:
        raise _invalid(code, name)
    return value


def _seal(query: Query) -> str:
    """A token is good only for the query it came from: same call, same region, same filters."""
    asked = sorted((name, value) for name, value in query.params.items() if name not in PAGING)
    return hashlib.sha256(repr((query.action, asked)).encode()).hexdigest()[:16]


def _position(token: str, seal: str) -> int:
    if not token:
        return 0
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        text = ""
    if not text.startswith(seal) or not text[len(seal) :].isdigit():
        raise _invalid("InvalidParameter.NextToken", "NextToken")
    return int(text[len(seal) :])


def _tag_key(key: str) -> str:
    if not key:
        raise ApiError("MissingParameter.TagKey", "You must specify the tag key.")
    if len(key) > 64 or key.startswith(("aliyun", "acs:")) or re.search("https?://", key):
        raise _invalid("InvalidTagKey.Malformed", "Tag.N.Key")
    return key


def _tag_value(value: str | None) -> str | None:
    if value and (len(value) > 128 or re.search("https?://", value)):
        raise _invalid("InvalidTagValue.Malformed", "Tag.N.Value")
    return value


def _invalid(code: str, name: str) -> ApiError:
    return ApiError(code, f"The specified parameter {name} is not valid.")
