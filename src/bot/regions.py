"""Which regions to ask, and in which one an id lives.

An id carries neither account nor region: the default region of each account (or where the id was seen last) is tried
first, then all others together.
A region that does not reply is named, not waited for.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from bot.adapters.cloud_assistant import CloudAssistant
from bot.core import places
from bot.core.access import Limit, outside
from bot.core.errors import CloudError, Denied, NotAllowed, RoleRefused
from bot.core.parsing import know_accounts
from bot.core.question import Question
from bot.fanout import Fanout, Gathered
from bot.kept import Kept
from bot.settings import Settings

log = logging.getLogger("bot.regions")

_REMEMBER = 30 * 86_400.0  # seconds; Cloud Assistant keeps results about as long
_LISTED = 86_400.0  # seconds for which the list of all regions is good
_LISTING = ("", "")


class Placed(Protocol):
    @property
    def region(self) -> str: ...


P = TypeVar("P", bound=Placed)


@dataclass(frozen=True, slots=True)
class Nowhere:
    """Not found: these regions said so, the `silent` ones did not reply."""

    asked: tuple[str, ...] = ()
    silent: Mapping[str, CloudError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Located(Generic[P]):
    """What was found for each id; for the others, where it was not."""

    found: Mapping[str, P]
    missing: Mapping[str, Nowhere]

    def errors(self) -> list[CloudError]:
        return [error for place in self.missing.values() for error in place.silent.values()]

    def replied(self) -> bool:
        """Whether any region answered at all."""
        return bool(self.found) or any(place.asked for place in self.missing.values())


class Regions:
    """`likely` and `others` are seconds that a first guess, and all the others, have for their reply."""

    def __init__(
        self,
        settings: Settings,
        cloud: CloudAssistant,
        kept: Kept,
        fanout: Fanout,
        *,
        likely: float,
        others: float,
        limit: Limit = Limit(),  # noqa: B008 (a frozen value)
    ) -> None:
        self._settings, self._cloud, self._kept, self._fanout = settings, cloud, kept, fanout
        self._likely, self._others, self._limit = likely, others, limit
        self._all: list[str] | None = None

    def of_list(self, question: Question) -> list[str]:
        """The regions that a list is about, as far as the channel may be shown them. Raises NotAllowed."""
        self._know_accounts(question)
        regions = self._about(question)
        chosen = question.accounts or (question.regions and not question.everywhere)
        if chosen and not any(map(self._limit.allows_region, regions)):
            raise NotAllowed(outside(self._limit, regions))
        return list(self._limit.among(regions))

    def _about(self, question: Question) -> list[str]:
        """A command's id may be in any of our regions, as every id."""
        if question.everywhere:
            return self._of(question, self._everywhere())
        if question.regions:
            return self._named(question)
        return self._of(question, self._ours() if question.commands else self._settings.regions)

    def _know_accounts(self, question: Question) -> None:
        """Raises UsageError for a question of before, which names an account that is not asked any more."""
        know_accounts(question.accounts, question.regions, self._settings.account_names)

    def _named(self, question: Question) -> list[str]:
        return list(places.meant(question.accounts, question.regions, self._settings.regions))

    @staticmethod
    def _of(question: Question, some: Sequence[str]) -> list[str]:
        """Those of the accounts that the question names, or all."""
        return [place for place in some if places.within(place, question.accounts, ())]

    def locate(self, ids: Sequence[str], question: Question, ask: Callable[[str, str], P | None]) -> Located[P]:
        """Where ids live: `ask(region, id)` gives what is there, or None. Raises Denied where our keys are bad."""
        self._know_accounts(question)
        search: _Search[P] = _Search(ids)
        for where, limit in self._rounds(ids, question):
            calls: dict[tuple[str, str], Callable[[], Any]] = {
                (one, region): partial(ask, region, one)
                for one in search.missing
                for region in search.new(one, where(one))
            }
            if self._must_list(question):
                calls[_LISTING] = self._everywhere
            search.take(self._fanout.together(calls, limit, enough=search.finished_by))
            if not search.missing:
                break
        for one, place in search.found.items():
            self._remember(one, place.region)
        return search.result()

    def _rounds(self, ids: Sequence[str], question: Question) -> Iterator[tuple[Callable[[str], list[str]], float]]:
        """For one round after another: the regions to ask for an id, and the seconds they have."""
        if question.everywhere:
            yield lambda one: self._of(question, self._everywhere()), self._others
        elif question.regions:
            yield lambda one: self._named(question), self._likely
        else:
            likely = {one: self._of(question, self._first_guess(one)) for one in ids}
            yield lambda one: likely[one], self._likely
            yield lambda one: self._of(question, self._ours()), self._others

    def _must_list(self, question: Question) -> bool:
        """The list of regions is fetched beside the first guess: a third call one after another would be too slow."""
        return not (question.regions or self._settings.regions_chosen or self._all or self._known_list())

    def _ours(self) -> list[str]:
        """BOT_REGIONS; where that is unset, those of DescribeRegions."""
        return list(self._settings.regions) if self._settings.regions_chosen else self._everywhere()

    def _everywhere(self) -> list[str]:
        """All regions, the configured ones first; only those where the others cannot be listed."""
        if self._all:
            return self._all
        listed = self._known_list()
        if not listed:
            try:
                listed = self._cloud.regions()
            except CloudError as error:
                log.warning("regions not listed: %s", error.code)
                return list(self._settings.regions)
            self._kept.put("regions", {"all": listed}, _LISTED)
        everywhere = [places.at(account, region) for account in self._settings.accounts for region in listed]
        self._all = list(dict.fromkeys([*self._settings.regions, *everywhere]))
        return self._all

    def _known_list(self) -> list[str]:
        return list(self._kept.get("regions").get("all", []))

    def _first_guess(self, one: str) -> list[str]:
        """Where the id was seen last; else the default region of each account."""
        region = str(self._kept.get(f"region/{one}").get("region", ""))
        known = region and places.account_of(region) in self._settings.accounts
        return [region] if known else list(self._settings.default_regions)

    def _remember(self, one: str, region: str) -> None:
        if self._first_guess(one) != [region]:
            self._kept.put(f"region/{one}", {"region": region}, _REMEMBER)


class _Search(Generic[P]):
    """What several rounds of asking have brought so far."""

    def __init__(self, ids: Sequence[str]) -> None:
        self._ids = tuple(dict.fromkeys(ids))
        self.found: dict[str, P] = {}
        self._asked: dict[str, list[str]] = {one: [] for one in self._ids}
        self._silent: dict[str, dict[str, CloudError]] = {one: {} for one in self._ids}

    @property
    def missing(self) -> list[str]:
        return [one for one in self._ids if one not in self.found]

    def new(self, one: str, regions: Sequence[str]) -> list[str]:
        """Those of the regions that were not asked for this id."""
        return [region for region in regions if region not in self._asked[one] and region not in self._silent[one]]

    def finished_by(self, replies: Mapping[tuple[str, str], object]) -> bool:
        there = {one for (one, _), reply in replies.items() if reply is not None}
        return set(self.missing) <= there

    def take(self, gathered: Gathered[tuple[str, str], Any]) -> None:
        for (one, region), reply in gathered.replies.items():
            if one and reply is not None:
                self.found[one] = reply
            elif one:
                self._asked[one].append(region)
        for (one, region), error in gathered.failed.items():
            if isinstance(error, Denied) and error.of_keys and not isinstance(error, RoleRefused):
                raise error  # bad keys are bad in the next region too; a role's are those of one account
            if one:
                self._silent[one][region] = error

    def result(self) -> Located[P]:
        missing = {one: Nowhere(tuple(self._asked[one]), self._silent[one]) for one in self.missing}
        return Located({one: self.found[one] for one in self._ids if one in self.found}, missing)
