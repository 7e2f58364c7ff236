"""The short notations of scenario files: name ranges, times, outputs, addresses, tags."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.scenario_values import When

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
# How ids of the regions' instances begin, as seen in the vendor's samples.
_ID_PREFIX = {
    "cn-hangzhou": "bp1",
    "cn-hongkong": "j6c",
    "cn-shanghai": "uf6",
    "cn-beijing": "2ze",
    "cn-shenzhen": "wz9",
    "ap-southeast-1": "t4n",
    "eu-central-1": "gw8",
    "us-east-1": "0xi",
}


def instance_id(region: str, name: str) -> str:
    """The made-up id of a named instance: `i-` and 20 characters, the same wherever the name turns up."""
    number = int.from_bytes(hashlib.sha256(f"{region}/{name}".encode()).digest()[:12])
    return "i-" + _ID_PREFIX.get(region, "0jl") + _base36(number)[:17].rjust(17, "0")


def names(pattern: str) -> list[str]:
    """`web-[01-03,07]` -> web-01, web-02, web-03, web-07. A text without such a range is one name."""
    found = re.search(r"\[(\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*)\]", pattern)
    if not found:
        return [pattern]
    before, after = pattern[: found.start()], pattern[found.end() :]
    return [before + number + after for part in found[1].split(",") for number in _numbers(part)]


def duration(text: str) -> timedelta:
    """`-4m`, `+1h30m`, `6s`."""
    found = re.fullmatch(r"([+-]?)((?:\d+[dhms])+)", text)
    if not found:
        raise ValueError(f"not a time: {text!r}; write it as -4m, +90s, +1h30m")
    seconds = sum(int(part[:-1]) * _UNITS[part[-1]] for part in re.findall(r"\d+[dhms]", found[2]))
    return timedelta(seconds=-seconds if found[1] == "-" else seconds)


def moment(text: str) -> When | None:
    """A time as written in a scenario: None for '', else relative or absolute."""
    if not text:
        return None
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text):
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return duration(text)


def output_bytes(value: Any) -> bytes:
    """What the command wrote, from one of the forms of `Output`."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, list):
        return "\n".join(value).encode()
    if "base64" in value:
        return base64.b64decode(value["base64"], validate=True) * int(value.get("repeat", 1))
    text = value["text"] if "text" in value else "\n".join(value["lines"])
    return str(text).encode(value.get("encoding", "utf-8")) * int(value.get("repeat", 1))


def tag_rows(tags: Mapping[str, str]) -> dict[str, Any]:
    """Tags as the API shows them."""
    return {"Tag": [{"TagKey": key, "TagValue": value} for key, value in tags.items()]}


def counted(first: str, position: int) -> str:
    return str(ipaddress.IPv4Address(first) + position) if first else ""


def _numbers(part: str) -> list[str]:
    first, _, last = part.partition("-")
    return [str(number).zfill(len(first)) for number in range(int(first), int(last or first) + 1)]


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits += "0123456789abcdefghijklmnopqrstuvwxyz"[rest]
    return digits
