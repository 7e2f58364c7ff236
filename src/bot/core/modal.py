"""The modal's frame: what the door opens at once is the same modal that the worker fills."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.core import blocks as b
from bot.core.blocks import Block
from bot.core.texts import _

CALLBACK = "outputs"
OUTPUTS = "outputs"  # action id of the button that opens it; here, so that the door imports no more than this

View = dict[str, Any]


def modal(parts: Sequence[Block], metadata: str = "") -> View:
    """A modal with these blocks; `metadata` comes back with each press in it (3,000 characters, Slack's limit)."""
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": {"type": "plain_text", "text": _("Outputs")},
        "close": {"type": "plain_text", "text": _("Close")},
        "private_metadata": metadata,
        "blocks": list(parts),
    }


def loading() -> View:
    """What is seen until the worker has read the outputs."""
    return modal([b.context(_("Loading…"))])


def told(text: str) -> View:
    """A sentence in place of outputs."""
    return modal([{"type": "section", "text": {"type": "mrkdwn", "text": b.mrkdwn(text, 2_900)}}])
