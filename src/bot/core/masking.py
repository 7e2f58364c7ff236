"""Secrets taken out of text before it leaves for Slack, high precision first.

A secret that was shown cannot be taken back, and a false alarm hides a fact at 03:00. So what has a form of its
own is masked wherever it stands, and a name such as `password` masks what follows it only where that looks like a
value. Every pattern takes linear time: nothing in it is unbounded and may fail after it has matched much.
"""

from __future__ import annotations

import re

MASK = "[masked]"

_KEY_BLOCK = r"(?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----"
# (what every such secret holds, the secret): the first is looked for by itself, which is ten times as fast.
_WHOLE = tuple(
    (hint, re.compile(pattern, re.DOTALL))
    for hint, pattern in (
        ("PRIVATE KEY", rf"-----BEGIN {_KEY_BLOCK}.*?(?:-----END {_KEY_BLOCK}|\Z)"),
        ("LTAI", r"\bLTAI[0-9A-Za-z]{8,30}\b"),  # Alibaba Cloud AccessKey id
        ("STS.", r"\bSTS\.[0-9A-Za-z]{8,}"),  # its temporary form
        ("CAI", r"\bCAI[0-9A-Za-z+/]{60,}={0,2}"),  # STS security token
        ("AKIA", r"\bAKIA[0-9A-Z]{16}\b"),  # AWS
        ("ASIA", r"\bASIA[0-9A-Z]{16}\b"),
        ("xox", r"\bxox[abeoprs](?:\.xox[bp])?-[0-9A-Za-z-]{8,}"),  # Slack
        ("xapp-", r"\bxapp-[0-9A-Za-z-]{8,}"),
        ("gh", r"\bgh[pousr]_[0-9A-Za-z]{30,}"),  # GitHub
        ("github_pat_", r"\bgithub_pat_[0-9A-Za-z_]{30,}"),
        ("glpat-", r"\bglpat-[0-9A-Za-z_-]{16,}"),  # GitLab
        # JSON Web Token
        ("eyJ", r"(?<![0-9A-Za-z_-])eyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}"),
    )
)
_BEARER = re.compile(
    r"(\bbearer[ \t]{1,4}|\bauthorization[\"']?[ \t]?[:=][ \t]?[\"']?basic )[0-9a-z._~+/-]{12,}=*", re.I
)
_IN_URL = re.compile(r"(://[^\s:/@]{0,200}:)([^\s/@]{1,200})(?=@)")
_NAMES = (
    r"(?:password|passwd|passphrase|pwd|secret|token"
    r"|secret[_-]?key|access[_-]?key(?:[_-]?(?:secret|id))?|api[_-]?key|private[_-]?key)"
)
_HINTS = ("pass", "pwd", "secret", "token", "key")  # one of these is in every name: looked for first, to save time
_VALUE = r"""(?P<value>"[^"\n]{1,400}"|'[^'\n]{1,400}'|[^\s"',;&|<>(){}\[\]]{1,400})"""
_NAMED = re.compile(rf"""(?P<before>{_NAMES}(?P<mark>["']?\s{{0,3}}[=:]\s{{0,3}})){_VALUE}""", re.I)
_OPTION = re.compile(rf"(?P<before>--(?:[a-z]{{1,20}}-){{0,3}}{_NAMES}(?P<mark>[ ]{{1,3}}))(?!-){_VALUE}", re.I)
_PLACEHOLDER = re.compile(
    r"[*x•.…-]*|\$.*|%.*%|none|null|nil|true|false|yes|no|unset|empty|\[masked\]|/.*", re.I | re.DOTALL
)


def mask(text: str) -> tuple[str, int]:
    """The text with secrets replaced by `[masked]`, and how many there were."""
    count = 0
    for hint, pattern in _WHOLE:
        if hint in text:
            text, found = pattern.subn(MASK, text)
            count += found
    text, found = _BEARER.subn(rf"\1{MASK}", text)
    count += found

    def in_url(match: re.Match[str]) -> str:
        nonlocal count
        if _PLACEHOLDER.fullmatch(match[2]):
            return match[0]
        count += 1
        return match[1] + MASK

    def named(match: re.Match[str]) -> str:
        nonlocal count
        value = match["value"]
        quote = value[0] if value[0] in "\"'" else ""
        if not _looks_secret(value.strip("\"'"), assigned=":" not in match["mark"] or bool(quote)):
            return match[0]
        count += 1
        return f"{match['before']}{quote}{MASK}{quote}"

    text = _IN_URL.sub(in_url, text)
    lower = text.lower()
    if any(hint in lower for hint in _HINTS):
        text = _NAMED.sub(named, _OPTION.sub(named, text))
    return text, count


def _looks_secret(value: str, *, assigned: bool) -> bool:
    """`password=hunter2` is one; `token: expired` and `PWD=/root` are not."""
    if len(value) < 4 or _PLACEHOLDER.fullmatch(value) or MASK in value:
        return False
    return assigned or (len(value) >= 8 and any(c.isdigit() for c in value) and any(c.isalpha() for c in value))


class Masked:
    """Outputs masked once, however often they are shown."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, int]] = {}

    def read(self, text: str) -> tuple[str, int]:
        """As `mask`."""
        if text not in self._known:
            self._known[text] = mask(text)
        return self._known[text]
