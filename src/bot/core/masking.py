"""Secrets taken out of text before it leaves for Slack, high precision first.

A masked value cannot be unseen by mistake; a false alarm hides a fact at 03:00. So a name such as `password`
masks what follows it only where the value looks like one.
"""

from __future__ import annotations

import re

MASK = "[masked]"

_WHOLE = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\Z)"
    r"|\bLTAI[0-9A-Za-z]{8,30}\b"  # Alibaba Cloud AccessKey id
    r"|\bSTS\.[0-9A-Za-z]{8,}"  # its temporary form
    r"|\bCAI[0-9A-Za-z+/]{60,}={0,2}"  # STS security token
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bxox[abeoprs]-[0-9A-Za-z-]{8,}"
    r"|\bxapp-[0-9A-Za-z-]{8,}"
    r"|\bgh[pousr]_[0-9A-Za-z]{30,}"
    r"|\bgithub_pat_[0-9A-Za-z_]{30,}"
    r"|\bglpat-[0-9A-Za-z_-]{16,}"
    r"|\beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}",  # JWT
    re.DOTALL,
)
_BEARER = re.compile(r"(?i)(\bbearer\s+)([0-9a-z._~+/-]{16,}=*)")
_IN_URL = re.compile(r"(\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{0,200}:)([^\s/@]{1,200})(?=@)", re.IGNORECASE)
_NAMED = re.compile(
    r"""(?ix)
    (?P<name>[\w.-]{0,60}?
        (?:password|passwd|passphrase|pwd|secret|secret[_-]?key|access[_-]?key(?:[_-]?(?:secret|id))?|api[_-]?key
          |(?:access|auth|security|session|refresh|api|secret|private|bot)[_-]?token|token))
    (?P<mark>["']?\s{0,3}(?:=|:)\s{0,3})
    (?P<value>"[^"\n]{1,400}"|'[^'\n]{1,400}'|[^\s"',;&|<>(){}\[\]]{1,400})
    """
)
_PLACEHOLDER = re.compile(r"(?i)[*x•.…-]*|\$.*|%.*%|none|null|nil|true|false|yes|no|unset|empty|\[masked\]|/.*")


def mask(text: str) -> tuple[str, int]:
    """The text with secrets replaced by `[masked]`, and how many there were."""
    text, whole = _WHOLE.subn(MASK, text)
    text, bearers = _BEARER.subn(rf"\1{MASK}", text)
    text, in_urls = _IN_URL.subn(_masked_url_password, text)
    count = whole + bearers + in_urls

    def named(match: re.Match[str]) -> str:
        nonlocal count
        value = match["value"]
        quote = value[0] if value[0] in "\"'" else ""
        if not _looks_secret(value.strip("\"'"), assigned="=" in match["mark"] or bool(quote)):
            return match[0]
        count += 1
        return f"{match['name']}{match['mark']}{quote}{MASK}{quote}"

    return _NAMED.sub(named, text), count


def _masked_url_password(match: re.Match[str]) -> str:
    return match[0] if _PLACEHOLDER.fullmatch(match[2]) else match[1] + MASK


def _looks_secret(value: str, *, assigned: bool) -> bool:
    """`password=hunter2` is one; `token: expired` and `PWD=/root` are not."""
    if len(value) < 4 or _PLACEHOLDER.fullmatch(value) or MASK in value:
        return False
    return assigned or (len(value) >= 8 and any(c.isdigit() for c in value) and any(c.isalpha() for c in value))
