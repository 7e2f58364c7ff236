"""Values of the filters that a standing wish names (a subscription, an expectation, a mute), as people type them.

Each function gives the value that is meant, and raises UsageError with a sentence for the person.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from bot.core import places
from bot.core.errors import UsageError
from bot.core.words import shown

_MOST = 128  # characters of a name


def pattern(value: str) -> str:
    """A name in which `*` stands for anything."""
    if "[" in value or "]" in value:
        raise UsageError(
            "I do not read ranges such as `{word}` here; write web-*, or each name by itself.", word=shown(value)
        )
    return value[:_MOST]


def like(wanted: str, *texts: str) -> bool:
    """Whether one of the texts fits a pattern. Phones write capitals where none were meant."""
    return any(fnmatchcase(text.casefold(), wanted.casefold()) for text in texts)


def tag(value: str) -> tuple[str, str]:
    """Key and value; the value may be empty, and a pattern."""
    key, equals, wanted = value.partition("=")
    if not key or (":" in key and not equals):
        raise UsageError("A tag filter is written tag:key=value, for example tag:team=web.")
    return key[:_MOST], wanted[:_MOST]


def region(value: str) -> str:
    """A region's id, with or without its account."""
    lower = value.lower()
    if not places.is_place(lower):
        raise UsageError("`{word}` is not a region id. Right would be region:cn-shanghai.", word=shown(value))
    return lower


def account(value: str) -> str:
    lower = value.lower()
    if not re.fullmatch(places.NAME, lower):
        raise UsageError("`{word}` is not the name of an account. Right would be account:prod.", word=shown(value))
    return lower


def ring(value: str) -> str:
    """Slack turns a picked name into an id; a name that was only typed rings nobody."""
    if not re.fullmatch(r"[USW][A-Z0-9]{2,20}", value):
        raise UsageError(
            "I do not know whom `ring:{word}` means. Type @ and pick the person or group from Slack's list.",
            word=shown(value),
        )
    return value


def mention(ring: str) -> str:
    """The mrkdwn that rings the person or the group; "" for nobody."""
    if not ring:
        return ""
    return f"<!subteam^{ring}>" if ring.startswith("S") else f"<@{ring}>"
