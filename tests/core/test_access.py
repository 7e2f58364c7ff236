"""Who may ask, and where."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest

from bot.core.access import Admission, Limit, Rules, limit_from, refuse_channel, refuse_shared, refuse_user
from bot.core.errors import NotAllowed
from bot.core.whoami import Rights, message

MEMBER = {"id": "U1", "team_id": "T1"}
MEI = Admission("U1", "mei", UTC)


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


LIMIT = limit_from([("command", "deploy-*"), ("command", "c-hz0backup01"), ("region", "cn-hangzhou")])


@pytest.mark.parametrize(
    ("run", "allowed"),
    [
        (("cn-hangzhou", "deploy-web", "c-1"), True),
        (("cn-hangzhou", "", "c-hz0backup01"), True),
        (("cn-shanghai", "deploy-web", "c-1"), False),
        (("cn-hangzhou", "Deploy-web", "c-1"), False),
        (("cn-hangzhou", "", "c-1"), False),
    ],
)
def test_a_limit_lets_through_its_commands_in_its_regions(run: tuple[str, str, str], allowed: bool) -> None:
    assert LIMIT.allows(*run) is allowed
    assert Limit().allows(*run)


def test_regions_within_a_limit() -> None:
    assert LIMIT.among(("cn-shanghai", "cn-hangzhou")) == ("cn-hangzhou",)
    assert LIMIT.among(("cn-shanghai",)) == ("cn-hangzhou",)
    assert Limit().among(("cn-shanghai",)) == ("cn-shanghai",)


def test_a_limit_to_accounts() -> None:
    ours = ("own/cn-hangzhou", "prod/cn-hangzhou", "prod/cn-beijing")
    limit = limit_from([("account", "prod"), ("region", "cn-hangzhou")], ours)
    assert str(limit) == "region:cn-hangzhou, account:prod"
    assert [one for one in ours if limit.allows_region(one)] == ["prod/cn-hangzhou"]
    assert limit.among(ours) == limit.among(("own/cn-hangzhou",)) == ("prod/cn-hangzhou",)
    limit.refuse_wish([], ["cn-hangzhou"], ["prod"])
    limit.refuse_wish([], ["prod/cn-hangzhou"], [])
    with pytest.raises(NotAllowed, match="leaves out own/cn-hangzhou\\."):
        limit.refuse_wish([], ["own/cn-hangzhou"], [])
    with pytest.raises(NotAllowed, match="leaves out own\\."):
        limit.refuse_wish([], [], ["own"])
    assert limit_from([], ours) == Limit()


@pytest.mark.parametrize(
    ("commands", "regions", "left_out"),
    [
        (["deploy-web", "deploy-db-*"], ["cn-hangzhou"], ""),
        ([], [], ""),
        (["*"], [], "leaves out \\*\\."),
        (["[d]eploy-web"], [], "leaves out"),
        (["deploy-[ab]"], [], "leaves out"),
        (["a", "b", "c", "d", "e"], [], "leaves out a, b, c and 2 more\\."),
        (["deploy-web"], ["cn-shanghai"], "leaves out cn-shanghai\\. Ask the people who run this bot"),
    ],
)
def test_what_is_wished_for_must_lie_within_the_limit(commands: list[str], regions: list[str], left_out: str) -> None:
    if not left_out:
        LIMIT.refuse_wish(commands, regions, [])
        Limit().refuse_wish(["*"], ["cn-shanghai"], ["prod"])
        return
    with pytest.raises(NotAllowed, match=left_out):
        LIMIT.refuse_wish(commands, regions, [])


@pytest.mark.parametrize(
    ("rights", "says"),
    [
        (Rights(MEI, readers=False, channels=False, operator=False, regions=("cn-hangzhou",)),
         "You are mei (U1).\nYou may ask about runs here, and press what stands under answers: every member of this "
         "workspace may, in every channel of your own.\nShown is what ran in cn-hangzhou, and elsewhere when asked.\n"
         "Others here see my answers; write private to keep one to yourself.\nYou are no operator (BOT_OPERATORS): "
         "what is masked stays so, and you take back only your own answers."),
        (Rights(replace(MEI, limit=LIMIT, why_private="Only you."), readers=True, channels=True, operator=True,
                regions=("cn-hangzhou",)),
         "You are mei (U1).\nYou may ask about runs here, and press what stands under answers: you are among "
         "BOT_READERS, in the channels that BOT_CHANNELS names.\nThis channel is shown only command:deploy-*, "
         "command:c-hz0backup01, region:cn-hangzhou (BOT_CHANNELS).\nOnly you.\nYou are an operator: you may see what "
         "is masked, and take back anyone's answer."),
    ],
)  # fmt: skip
def test_whoami_says_what_a_person_may_do(rights: Rights, says: str) -> None:
    assert message(rights).text == says
