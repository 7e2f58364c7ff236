"""Who may ask, where the answer may be seen, and what of the cloud a channel may be shown.

Who and where is decided before anything is fetched; a limit also leaves out what was read.

Facts: Slack's users.info (is_restricted, is_ultra_restricted, is_stranger, team_id, deleted) and
conversations.info (is_ext_shared, is_pending_ext_shared). Ids decide, never names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from fnmatch import fnmatchcase
from typing import Any

from bot.core import places, wording
from bot.core.errors import NotAllowed
from bot.core.model import Invocation
from bot.core.texts import Text, _, sentences

_ASK = Text("Ask the people who run this bot.")


@dataclass(frozen=True, slots=True)
class Limit:
    """What of the cloud a channel may be shown: patterns of commands' names or ids (`deploy-*`), ids of regions, names
    of accounts.

    Empty means all. `ours` are the configured places that are within.
    """

    commands: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.commands or self.regions or self.accounts)

    def __str__(self) -> str:
        limits = (("command", self.commands), ("region", self.regions), ("account", self.accounts))
        return ", ".join(f"{key}:{one}" for key, some in limits for one in some)

    def allows(self, region: str, command_name: str, command_id: str) -> bool:
        """Whether runs of this command in this region may be shown."""
        named = any(fnmatchcase(text, one) for one in self.commands for text in (command_name, command_id))
        return self.allows_region(region) and (named or not self.commands)

    def allows_run(self, run: Invocation) -> bool:
        return self.allows(run.region, run.command_name, run.command_id)

    def allows_region(self, region: str) -> bool:
        return places.within(region, self.accounts, self.regions)

    def among(self, regions: Sequence[str]) -> tuple[str, ...]:
        """Those of the regions that may be shown; where none is, the limit's own."""
        return tuple(one for one in regions if self.allows_region(one)) or self.ours or self.regions

    def refuse_wish(self, commands: Iterable[str], regions: Iterable[str], accounts: Iterable[str]) -> None:
        """Raises NotAllowed where a wish names commands, as patterns, regions or accounts that may not be shown.

        A pattern lies within another that knows only `*` when it fits it as a text does; one with `[` might not.
        """
        wrong = [one for one in commands if self.commands and ("[" in one or not self._fits(one))]
        wrong += [one for one in regions if not self._may_be_within(one)]
        wrong += [one for one in accounts if self.accounts and one not in self.accounts]
        if wrong:
            raise NotAllowed(lambda: outside(self, wrong))

    def _may_be_within(self, region: str) -> bool:
        """A region without an account may be one of an account that is."""
        return places.within(region, self.accounts if places.account_of(region) else (), self.regions)

    def _fits(self, pattern: str) -> bool:
        return any(fnmatchcase(pattern, one) for one in self.commands)


def limit_from(pairs: Iterable[tuple[str, str]], ours: Iterable[str] = ()) -> Limit:
    """From the (key, value) pairs of a channel in BOT_CHANNELS, and the configured places."""
    found = list(pairs)
    kinds = ("command", "region", "account")
    limit = Limit(*(tuple(value for key, value in found if key == kind) for kind in kinds))
    return replace(limit, ours=tuple(one for one in ours if limit.allows_region(one))) if limit else limit


def only(limit: Limit) -> str:
    """A sentence that says what is shown; for what is a part of more."""
    return _("This channel is shown only {limit} (BOT_CHANNELS).", limit=limit)


def outside(limit: Limit, what: Sequence[str]) -> str:
    """Why these ids, names or regions are not shown, and whom to ask."""
    left = wording.and_more(what[:3], max(0, len(what) - 3))
    return sentences([only(limit), _("That leaves out {what}.", what=left), str(_ASK)])


@dataclass(frozen=True, slots=True)
class Admission:
    """A person who may ask. `why_private` says why the channel may not see the answer, "" when it may.

    `limit` is what the channel may be shown; `language` what is said to this person alone, "" where nobody asks.
    `alone`: nobody else reads there, since it is a direct message.
    """

    user_id: str
    name: str
    zone: tzinfo
    why_private: str = ""
    limit: Limit = Limit()
    language: str = ""
    alone: bool = False

    @property
    def short_name(self) -> str:
        """As buttons carry it: 40 characters at most."""
        return self.name[:40]


@dataclass(frozen=True, slots=True)
class Rules:
    """`readers` (people's, no groups') and `channels` are Slack ids; empty means every member, every channel."""

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
