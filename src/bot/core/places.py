"""Places: where the cloud is asked, a region of an account, in one word.

`cn-hangzhou` is a region of the function's own account where that is the only one. Where BOT_ACCOUNTS names accounts,
every place bears its account, the function's own too: `prod/cn-hangzhou`, `own/cn-hangzhou`. So whatever is kept,
counted or grouped by place is so by account. Only the edges take the word apart: the calls, links and lines to copy.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from bot.core.question import REGIONS

OWN = "own"
REGION = r"[a-z]{2,4}(?:-[a-z0-9]{1,20}){1,4}"
NAME = r"[a-z0-9][a-z0-9-]{0,19}"
_PLACE = rf"(?:{NAME}/)?{REGION}"  # compiled at first use, as the next ones: the door's start must not pay for them
# RAM, page "Role overview": ARNs and what a role's name may hold. The account's id is a number of 16 digits today.
_ROLE = r"acs:ram::[0-9]{1,20}:role/[A-Za-z0-9._-]{1,64}"
_WRITTEN = rf"({NAME})(?:=({_ROLE}))?(?:@({REGION}(?:\|{REGION})*))?"
RIGHT = "own,prod=acs:ram::1234567890123456:role/reader@cn-hangzhou|cn-shanghai"


class Account(NamedTuple):  # no dataclass: those take ten times as long to make, and every start would pay for it
    """An Alibaba Cloud account that is asked. `role` is the ARN of the role to take on there, "" in the function's own.

    `name` is "" where the function's own account is the only one; no `regions` means those of BOT_REGIONS.
    """

    name: str = ""
    role: str = ""
    regions: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The account's number, "" for the function's own."""
        return self.role.split(":")[3] if self.role else ""


def at(account: str, region: str) -> str:
    return f"{account}/{region}" if account else region


def account_of(place: str) -> str:
    """The account's name, "" where the place bears none."""
    return place.rpartition("/")[0]


def region_of(place: str) -> str:
    """The region's id, as the API takes it."""
    return place.rpartition("/")[2]


def is_place(word: str) -> bool:
    """Whether a word looks like a region's id, with or without an account."""
    return re.fullmatch(_PLACE, word) is not None


def is_known_place(word: str) -> bool:
    """The same of a region that we know, so that the word can be nothing else."""
    return region_of(word) in REGIONS and is_place(word)


def accounts_of(places: Iterable[str]) -> tuple[str, ...]:
    """The names of the accounts, each once, in their order."""
    return tuple(dict.fromkeys(name for place in places if (name := account_of(place))))


def within(place: str, accounts: Collection[str], regions: Collection[str]) -> bool:
    """Whether a place is one of those meant: of the accounts, and in the regions; empty means all of either.

    A region means that region in every account; one that bears an account means that one.
    """
    named = not regions or place in regions or region_of(place) in regions
    return named and (not accounts or account_of(place) in accounts)


def meant(accounts: Collection[str], regions: Iterable[str], ours: Sequence[str]) -> tuple[str, ...]:
    """The places that words for accounts and regions stand for, where `ours` are those that are configured.

    A region that none of the accounts has is asked for in all of them.
    """
    mine = [place for place in ours if within(place, accounts, ())]
    found: list[str] = []
    for region in regions:
        there = [place for place in mine if within(place, (), (region,))]
        elsewhere = [at(one, region) for one in dict.fromkeys(map(account_of, mine))]
        found += [region] if account_of(region) else there or elsewhere
    return tuple(dict.fromkeys(found))


def read(text: str, own_id: str) -> tuple[dict[str, Account], list[str]]:
    """The accounts of BOT_ACCOUNTS by name, and what is wrong with it; `own_id` is the function's own account.

    Where it is empty, there is one without a name: the function's own.
    """
    accounts: dict[str, Account] = {}
    problems: list[str] = []
    for part in filter(None, map(str.strip, text.split(","))):
        found = re.fullmatch(_WRITTEN, part)
        if found is None or found[1] in REGIONS or (found[1] == OWN) is bool(found[2]):
            problems.append(f"BOT_ACCOUNTS names {part!r}; right would be {RIGHT}.")
            continue
        one = Account(found[1], found[2] or "", tuple(dict.fromkeys((found[3] or "").split("|"))) if found[3] else ())
        if one.name in accounts:
            problems.append(f"BOT_ACCOUNTS names {one.name} twice.")
        accounts[one.name] = one
    return accounts or {"": Account()}, [*problems, *_same(accounts, own_id)]


def _same(accounts: Mapping[str, Account], own_id: str) -> list[str]:
    """An event says of which account it is, not by which name."""
    names: dict[str, str] = {}
    problems = []
    for name, one in accounts.items():
        number = one.id or own_id
        if number and number in names:
            problems.append(f"BOT_ACCOUNTS names one account twice, as {names[number]} and as {name}.")
        names.setdefault(number, name)
    return problems
