"""Characters that do harm where people read: controls, direction overrides, halves of characters."""

from __future__ import annotations

import re

# C0 and C1 controls but tab and line feed; bidirectional marks and overrides; BOM; tags; halves of characters;
# U+FFFE and U+FFFF, which are no characters.
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]+"
)


def harmless(text: str) -> str:
    """The text without them. Slack refuses some, shows others as noise, and a few turn a line around."""
    return _HARMFUL.sub("", text)
