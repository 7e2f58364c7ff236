"""What the envelopes of EventBridge, CloudMonitor and MNS say alike, read from JSON objects by their shape.

Sources: EventBridge's page on ECS events, CloudMonitor's on system events and on the webhook of a subscription,
Function Compute's on MNS triggers. Keys may be camelCase, PascalCase or snake_case, any field may be missing or of
another type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from bot.core.model import number_of, text_of

_MOST_TEXT = 1_000  # characters of one field


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the three envelopes say alike. `resource` is an ARN or an id, `status` the envelope's own."""

    id: str
    account: str
    region: str
    at: datetime | None
    name: str
    status: str
    level: str
    product: str
    resource: str
    content: Mapping[str, Any] = field(default_factory=dict)

    @property
    def instance_id(self) -> str:
        """In the content under one of two names, else in the ARN."""
        found = (text(self.content, "instanceid"), text(self.content, "resourceid"), self.resource)
        ids = (one.rpartition("/")[2] for one in found)
        return next((one for one in ids if re.fullmatch(r"m?i-[0-9A-Za-z*-]{1,64}", one)), "")

    @property
    def parts(self) -> tuple[str, str, str]:
        """`ecs:Instance:SystemFailure.Reboot:Executing` as Instance, SystemFailure.Reboot, Executing."""
        family, what, status, last = (*self.name.split(":"), "", "", "", "")[:4]
        return (what, status, last) if family.lower() == "ecs" else (family, what, status)


def envelope_of(body: Mapping[str, Any]) -> Envelope | None:
    if isinstance(body.get("alert"), Mapping):
        return _from_webhook(body, folded(body["alert"]))
    if "type" in body and any(key in body for key in ("specversion", "source", "data")):
        return _from_eventbridge(body)
    if "name" in body and any(key in body for key in ("content", "resourceid")):
        return _from_cloudmonitor(body)
    return None


def _from_eventbridge(body: Mapping[str, Any]) -> Envelope:
    """CloudEvents 1.0 with Alibaba Cloud's extensions.

    `subject` is `acs.ecs:REGION:ACCOUNT:…`. It names the region of the instance, the extension that of the bus: an
    event may have been passed on to another region, and from another account.
    """
    content = folded(body.get("data"))
    source, region, account = (*text(body, "subject").split(":"), "", "", "")[:3]
    if source != "acs.ecs":
        region = account = ""
    return Envelope(
        id=text(body, "id"),
        account=text(body, "aliyunoriginalaccountid") or text(body, "aliyunaccountid") or account,
        region=region or text(body, "aliyunregionid"),
        at=time_of(body.get("time")) or time_of(body.get("aliyunpublishtime")),
        name=text(body, "type"),
        status="",
        level="",
        product=text(body, "source").removeprefix("acs."),
        resource=text(content, "resourceid"),
        content=content,
    )


def _from_cloudmonitor(body: Mapping[str, Any]) -> Envelope:
    """A system event as CloudMonitor pushes it to MNS, to Function Compute or into the console's notification."""
    resource = text(body, "resourceid")
    arn = _arn(resource)
    return Envelope(
        id=text(body, "id"),
        account=text(body, "userid") or arn[1],
        region=text(body, "regionid") or arn[0],
        at=time_of(body.get("eventtime")) or time_of(body.get("time")),
        name=text(body, "name"),
        status=text(body, "status"),
        level=text(body, "level"),
        product=text(body, "product"),
        resource=resource,
        content=folded(body.get("content")),
    )


def _from_webhook(body: Mapping[str, Any], alert: Mapping[str, Any]) -> Envelope:
    """A system event as a subscription of CloudMonitor sends it: an alert, with the event itself inside as text."""
    meta = folded(folded(alert.get("meta")).get("syseventmeta"))
    raw = folded(alert.get("eventrawcontent"))
    resource = text(alert, "arn") or text(meta, "resourceid")
    arn = _arn(resource)
    return Envelope(
        id=text(raw, "id") or text(meta, "id") or text(alert, "dedupid"),
        account=text(body, "userid") or arn[1],
        region=text(meta, "regionid") or arn[0],
        at=time_of(meta.get("eventtime")) or time_of(body.get("time")),
        name=text(alert, "eventname") or text(meta, "name"),
        status=text(meta, "status") or text(alert, "alertstatus"),
        level=text(meta, "level") or text(body, "severity"),
        product=text(alert, "product") or text(raw, "product"),
        resource=resource,
        content=folded(alert.get("eventcontentmap")) or folded(raw.get("content")) or raw,
    )


def _arn(name: str) -> tuple[str, str]:
    """Region and account in `acs:ecs:REGION:ACCOUNT:instance/ID`."""
    parts = name.split(":")
    return (parts[2], parts[3]) if len(parts) > 4 else ("", "")


def message_in(body: Mapping[str, Any]) -> str | Mapping[str, Any] | list[Any] | None:
    """What an MNS topic or queue carries: a message as pushed or received, or EventBridge's event about one."""
    if text(body, "type").startswith("mns:"):
        body = folded(body.get("data"))
    elif not ("messageid" in body or "topicname" in body):
        return None
    message = body.get("messagebody", body.get("message"))
    return message if isinstance(message, str | Mapping | list) else None


def folded(value: object) -> Mapping[str, Any]:
    """An object with its keys in lower case without `_`; also one that stands there as JSON text. Else empty."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    if not isinstance(value, Mapping):
        return {}
    return {key.lower().replace("_", ""): inner for key, inner in value.items()}


def text(body: Mapping[str, Any], key: str) -> str:
    return text_of(body.get(key))[:_MOST_TEXT].strip()


_TIME = re.compile(
    r"(2\d{3})-?(\d\d)-?(\d\d)[T ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d{1,9}))?)?"
    r" ?(?:Z|UTC|GMT|(PRC|CST)|([+-])(\d\d):?(\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = 946_684_800_000, 32_503_680_000_000  # the years 2000 to 2999, in milliseconds


def time_of(value: object) -> datetime | None:
    """A time in any form that was seen, in UTC; None for what is none.

    `2020-11-19T21:04:41+08:00`, `2020-11-19T21:04:42.179PRC`, `20190409T121826.922+0800`, `2019-04-09T04:18Z`,
    milliseconds or seconds since the epoch as number or text. A time without a zone is UTC; CST is China's.
    """
    number = number_of(value)
    if number is not None:
        milliseconds = number if number >= _FIRST else number * 1_000
        return _EPOCH + timedelta(milliseconds=milliseconds) if _FIRST <= milliseconds < _LAST else None
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    *numbers, fraction, china, sign, hours, minutes = match.groups()
    offset = timedelta(hours=8) if china else timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        zone = timezone(-offset if sign == "-" else offset)
        micro = int(((fraction or "") + "000000")[:6])
        return datetime(*(int(part or 0) for part in numbers), micro, tzinfo=zone).astimezone(UTC)  # type: ignore[misc,arg-type]
    except ValueError:
        return None
