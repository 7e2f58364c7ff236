"""Who may ask, and where."""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.access import Rules, refuse_channel, refuse_shared, refuse_user
from bot.core.errors import NotAllowed

MEMBER = {"id": "U1", "team_id": "T1"}


@pytest.mark.parametrize(
    "user",
    [MEMBER, {"id": "U1"}, {**MEMBER, "team_id": "T2", "enterprise_user": {"enterprise_id": "E1"}}],
)
def test_members_may_ask(user: dict[str, Any]) -> None:
    refuse_user(user, "T1", "E1", Rules())
    refuse_user(user, "T1", "E1", Rules(readers=("U1",)))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"is_restricted": True}, "Guests"),
        ({"is_ultra_restricted": True}, "Guests"),
        ({"deleted": True}, "Only members"),
        ({"is_bot": True}, "Only members"),
        ({"is_stranger": True}, "another organisation"),
        ({"team_id": "T2"}, "another organisation"),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E2"}}, "another organisation"),
        ({"team_id": "T2", "enterprise_user": "E1"}, "another organisation"),
        ({"id": "U2"}, "BOT_READERS"),
        ({"id": None}, "BOT_READERS"),
    ],
)
def test_others_may_not(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(NotAllowed, match=why):
        refuse_user({**MEMBER, **changes}, "T1", "E1", Rules(readers=("U1",)))


def test_a_workspace_outside_a_grid_has_no_siblings() -> None:
    with pytest.raises(NotAllowed):
        refuse_user({**MEMBER, "team_id": "T2", "enterprise_user": {"enterprise_id": ""}}, "T1", "", Rules())


def test_channels() -> None:
    refuse_channel("C1", Rules())
    refuse_channel("C1", Rules(channels=("C1",)))
    with pytest.raises(NotAllowed, match="BOT_CHANNELS"):
        refuse_channel("D1", Rules(channels=("C1",)))


@pytest.mark.parametrize("flag", ["is_ext_shared", "is_pending_ext_shared"])
def test_shared_channels(flag: str) -> None:
    refuse_shared({"id": "C1", flag: False})
    with pytest.raises(NotAllowed, match="shared with another organisation"):
        refuse_shared({"id": "C1", flag: True})
