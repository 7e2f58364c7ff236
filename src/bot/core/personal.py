"""Numbers of people in China: id cards (18 digits with a check digit, GB 11643-1999) and mobile phones.

Eleven digits that begin as a mobile number does are, in a log, more often a count of bytes. So a phone is masked
where it is written as one (+86, 138-0013-8000) or where the words beside it say whose it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

Span = tuple[int, int]

_EIGHTEEN = re.compile(r"[0-9]{17}[0-9Xx]")
# What stands before is looked at last: a pattern that begins with a digit is quick.
_ID_CARD = re.compile(
    r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|91)[0-9]{4}"
    r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx](?<![0-9A-Za-z.].{18})(?![0-9A-Za-z])"
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"

_PREFIX = r"1(?:3[0-9]|4[5-9]|5[0-35-9]|6[2567]|7[0-8]|8[0-9]|9[0-35-9])"
_PHONE = re.compile(rf"{_PREFIX}([ -]?)[0-9]{{4}}\1[0-9]{{4}}(?![0-9A-Za-z]|[.-][0-9])")
_COUNTRY_BEFORE = re.compile(r"(?<![0-9A-Za-z])(?:\+|00)86[ -]?\Z")
_PART_BEFORE = re.compile(r"[0-9A-Za-z.+-]\Z")
_SAID_BEFORE = re.compile(
    r"(?:phone|mobile|msisdn|cell|sms|tel|caller|callee|callback|contact|customer|member|recipient|receiver|whatsapp"
    r"|user|account|login|手机|电话|号码|联系|短信|用户|账号|帐号|致电|呼叫|尾号|会员|客户|收件人|验证码|机主)"
    r"[^0-9\n]{0,24}\Z|[\u4e00-\u9fff][：:，,（( ]?\Z",
    re.IGNORECASE,
)
_UNIT_AFTER = re.compile(r"\s?(?:bytes?|[KMGT]i?B?|B|[num]s)\b|\s?(?:字节|[毫微纳]?秒|次|条|行|个)", re.IGNORECASE)
_SIZE_BEFORE = re.compile(
    r"(?:bytes?|size|mem\w*|total|free|used|limit|quota|offset|大小|内存|共|总计|剩余|已用)\W{0,4}\Z", re.IGNORECASE
)


def spans(text: str) -> Iterator[Span]:
    """Where id cards and mobile phones stand."""
    for match in _ID_CARD.finditer(text) if _EIGHTEEN.search(text) else ():
        if (
            _CHECK_DIGITS[sum(int(d) * w for d, w in zip(match[0], _WEIGHTS, strict=False)) % 11]
            == match[0][17].upper()
        ):
            yield match.span()
    for match in _PHONE.finditer(text):
        before = text[max(0, match.start() - 40) : match.start()]
        if country := _COUNTRY_BEFORE.search(before):
            yield match.start() - len(country[0]), match.end()
        elif not _PART_BEFORE.search(before) and (match[1] or _is_said(text, match, before)):
            yield match.span()


def _is_said(text: str, match: re.Match[str], before: str) -> bool:
    if _UNIT_AFTER.match(text, match.end()) or _SIZE_BEFORE.search(before):
        return False
    return _SAID_BEFORE.search(before) is not None
