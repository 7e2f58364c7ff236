"""Who may ask, and where the answer may be seen. Decided before anything is fetched from the cloud.

Facts: Slack's users.info (is_restricted, is_ultra_restricted, is_stranger, team_id, deleted) and
conversations.info (is_ext_shared, is_pending_ext_shared). Ids decide, never names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from bot.core.errors import NotAllowed
from bot.core.texts import Text

_ASK = Text("Ask the people who run this bot.")


@dataclass(frozen=True, slots=True)
class Admission:
    """A person who may ask. `why_private` says why the channel may not see the answer, "" when it may."""

    user_id: str
    name: str
    zone: tzinfo
    why_private: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """`readers` and `channels` are Slack ids; empty means every member, every channel."""

    readers: Collection[str] = ()
    channels: Collection[str] = ()


def refuse_user(user: Mapping[str, Any], team_id: str, enterprise_id: str, rules: Rules) -> None:
    """Raises NotAllowed for guests, people of other organisations, bots, and those not among the readers."""
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        raise NotAllowed("Guests cannot see command results. {ask}", ask=_ASK)
    if user.get("deleted") or user.get("is_bot"):
        raise NotAllowed("Only members of this workspace can see command results. {ask}", ask=_ASK)
    if user.get("is_stranger") or _of_another_organisation(user, team_id, enterprise_id):
        raise NotAllowed("You belong to another organisation, so I cannot show you command results.")
    if rules.readers and user.get("id") not in rules.readers:
        raise NotAllowed("You are not among the people who may ask here (BOT_READERS). {ask}", ask=_ASK)


def _of_another_organisation(user: Mapping[str, Any], team_id: str, enterprise_id: str) -> bool:
    home = user.get("team_id")
    if not home or home == team_id:
        return False
    grid = user.get("enterprise_user")
    return not (enterprise_id and isinstance(grid, Mapping) and grid.get("enterprise_id") == enterprise_id)


def refuse_channel(channel_id: str, rules: Rules) -> None:
    """Raises NotAllowed where the settings name channels and this is none of them; direct messages count too."""
    if rules.channels and channel_id not in rules.channels:
        raise NotAllowed("I do not answer in this channel (BOT_CHANNELS). {ask}", ask=_ASK)


def refuse_shared(channel: Mapping[str, Any]) -> None:
    """Raises NotAllowed in a channel that another organisation can read."""
    if channel.get("is_ext_shared") or channel.get("is_pending_ext_shared"):
        raise NotAllowed(
            "This channel is shared with another organisation, so I show no command results here. "
            "Ask again in a channel of your own."
        )
