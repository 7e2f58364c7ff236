"""Places: regions of accounts, in one word."""

import pytest

from bot.core import places

OURS = ("own/cn-hangzhou", "prod/cn-hangzhou", "prod/cn-beijing", "stage/cn-shanghai")
ALONE = ("cn-hangzhou", "cn-beijing")


def test_a_place_is_taken_apart_as_it_was_put_together() -> None:
    assert places.at("prod", "cn-hangzhou") == "prod/cn-hangzhou"
    assert places.at("", "cn-hangzhou") == "cn-hangzhou"
    assert (places.account_of("prod/cn-hangzhou"), places.region_of("prod/cn-hangzhou")) == ("prod", "cn-hangzhou")
    assert (places.account_of("cn-hangzhou"), places.region_of("cn-hangzhou")) == ("", "cn-hangzhou")
    assert places.accounts_of([*OURS, "cn-hangzhou"]) == ("own", "prod", "stage")


@pytest.mark.parametrize(
    ("word", "place", "known"),
    [
        ("cn-hangzhou", True, True),
        ("prod/cn-hangzhou", True, True),
        ("prod/cn-new-1", True, False),
        ("prod/web-01", True, False),
        ("prod/", False, False),
        ("/cn-hangzhou", False, False),
        ("a/b/cn-hangzhou", False, False),
        ("Prod/cn-hangzhou", False, False),
    ],
)
def test_what_looks_like_a_place(word: str, place: bool, known: bool) -> None:
    assert (places.is_place(word), places.is_known_place(word)) == (place, known)


@pytest.mark.parametrize(
    ("accounts", "regions", "inside"),
    [
        ((), (), OURS),
        (("prod",), (), OURS[1:3]),
        (("prod", "stage"), (), OURS[1:]),
        ((), ("cn-hangzhou",), OURS[:2]),
        (("prod",), ("cn-hangzhou",), OURS[1:2]),
        ((), ("stage/cn-shanghai",), OURS[3:]),
        (("prd",), (), ()),
    ],
)
def test_places_within(accounts: tuple[str, ...], regions: tuple[str, ...], inside: tuple[str, ...]) -> None:
    assert tuple(one for one in OURS if places.within(one, accounts, regions)) == inside


@pytest.mark.parametrize(
    ("accounts", "regions", "ours", "meant"),
    [
        ((), ("cn-hangzhou",), OURS, OURS[:2]),
        (("prod",), ("cn-hangzhou", "cn-hangzhou"), OURS, OURS[1:2]),
        (("stage",), ("cn-hangzhou",), OURS, ("stage/cn-hangzhou",)),
        ((), ("cn-qingdao",), OURS, ("own/cn-qingdao", "prod/cn-qingdao", "stage/cn-qingdao")),
        ((), ("prod/cn-qingdao",), OURS, ("prod/cn-qingdao",)),
        (("prod",), (), OURS, ()),
        ((), ("cn-beijing", "cn-qingdao"), ALONE, ("cn-beijing", "cn-qingdao")),
    ],
)
def test_what_words_stand_for(
    accounts: tuple[str, ...], regions: tuple[str, ...], ours: tuple[str, ...], meant: tuple[str, ...]
) -> None:
    assert places.meant(accounts, regions, ours) == meant


def test_an_account_knows_its_number() -> None:
    assert places.Account("prod", "acs:ram::1111:role/reader").id == "1111"
    assert places.Account("own").id == ""
