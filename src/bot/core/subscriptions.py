"""What a channel wants to be told: a subscription as a value, its words, and what of a run it lets through.

A subscription is read from words in any order and written back in canonical ones, so that the same wish twice is one.
Without filters it wants failures of everything: success is not news.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from bot.core import places, values
from bot.core.errors import UsageError
from bot.core.model import Invocation
from bot.core.question import KINDS, ORDER_KEYS, REASONS, quoted
from bot.core.spans import seconds_of, written
from bot.core.texts import N_, Text, _, listed
from bot.core.values import like
from bot.core.words import shown, words_of

USAGE = N_(
    "Usage: subscribe (failures of everything), or with all, command:deploy-*, instance:web-*, tag:team=web, "
    "region:cn-shanghai, account:prod, bucket:failed,timed-out,never-ran, reason:oom, events:spot,maintenance, "
    "at-least:2 or 5%, longer-than:30m, ring:@somebody"
)
BUCKETS = ("failed", "timed-out", "never-ran")
# What a person types, and the beginnings of the event names that it stands for.
EVENTS: dict[str, tuple[str, ...]] = {
    "failure": ("Instance:SystemFailure", "Instance:InstanceFailure"),
    "maintenance": ("Instance:SystemMaintenance",),
    "spot": ("Instance:PreemptibleInstanceInterruption",),
    "state": ("Instance:StateChange",),
    "disk": ("Disk:Stalled", "Disk:ErrorDetected"),
    "performance": ("Instance:BurstablePerformanceRestricted",),
    "heartbeat": ("CloudAssistant:FirstHeartbeat",),
}
_GRAVE = tuple(name for kind in ("failure", "spot", "disk") for name in EVENTS[kind])
_MOST = 20  # patterns of one kind


@dataclass(frozen=True, slots=True)
class Subscription:
    """Patterns are shell patterns (`deploy-*`). `at_least` is a count, or a share where it ends in `%`.

    `longer_than` in seconds. `ring` is the Slack id of a person (U…) or of a user group (S…).
    """

    everything: bool = False
    commands: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    regions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    at_least: str = ""
    longer_than: int = 0
    ring: str = ""

    @property
    def of_runs(self) -> bool:
        """Whether it is about runs; one that names only kinds of events is not."""
        runs = (self.everything, self.commands, self.buckets, self.reasons, self.at_least, self.longer_than)
        return not self.events or any(runs)

    def words(self) -> str:
        """Canonical words; "" for the default, failures of everything."""
        pairs = [
            *(("command", one) for one in self.commands),
            *(("instance", one) for one in self.instances),
            *(("tag", f"{key}={value}") for key, value in self.tags),
            *(("account", one) for one in self.accounts),
            *(("region", one) for one in self.regions),
            *(("bucket", one) for one in self.buckets),
            *(("reason", one) for one in self.reasons),
            *(("events", one) for one in self.events),
            *([("at-least", self.at_least)] if self.at_least else []),
            *([("longer-than", written(self.longer_than))] if self.longer_than else []),
            *([("ring", self.ring)] if self.ring else []),
        ]
        return " ".join([*(["all"] if self.everything else []), *(f"{key}:{quoted(value)}" for key, value in pairs)])

    @property
    def key(self) -> str:
        """Names the subscription among those of its channel: the same wish has the same key."""
        return hashlib.sha256(self.words().encode()).hexdigest()[:16]

    def of_command(self, region: str, command_name: str, command_id: str) -> bool:
        """Whether runs of this command in this region may be news; instances and outcomes are looked at later."""
        if not self.of_runs or not self.of_place(region):
            return False
        return not self.commands or any(like(one, command_name, command_id) for one in self.commands)

    def of_run(self, run: Invocation) -> bool:
        """The same of one run."""
        return self.of_command(run.region, run.command_name, run.command_id)

    def of_place(self, place: str) -> bool:
        return places.within(place, self.accounts, self.regions)

    def of_instance(self, instance_id: str, name: str, tags: Collection[tuple[str, str]]) -> bool:
        if self.instances and not any(like(one, instance_id, name) for one in self.instances):
            return False
        return all(_tagged(wanted, tags) for wanted in self.tags)

    def of_event(self, name: str, region: str) -> bool:
        """Whether a system event of this name is wanted."""
        if not self.of_place(region):
            return False
        return any(name.startswith(EVENTS[kind]) for kind in self.events)

    def enough(self, failed: int, total: int) -> bool:
        """Whether so many failures among so many are worth a message."""
        if not self.at_least:
            return failed > 0
        number = int(self.at_least.rstrip("%"))
        return failed * 100 >= number * total > 0 if self.at_least.endswith("%") else failed >= number


def kind_of(event_name: str) -> str:
    """What a person types for system events of this name; "" for those that nobody can subscribe to."""
    return next((kind for kind, names in EVENTS.items() if event_name.startswith(names)), "")


def grave(event_name: str) -> bool:
    """Whether a system event tells of an instance that fails or is about to."""
    return event_name.startswith(_GRAVE)


def _tagged(wanted: tuple[str, str], tags: Collection[tuple[str, str]]) -> bool:
    key, value = wanted
    return any(key == one and (not value or fnmatchcase(other, value)) for one, other in tags)


def read(words: Sequence[str]) -> Subscription:
    """The subscription in words; raises UsageError with a sentence for the person."""
    subscription = Subscription()
    for word in words:
        subscription = _read(subscription, word)
    return subscription


def _read(subscription: Subscription, word: str) -> Subscription:
    lower = word.lower()
    if lower in ("all", "failures") or (lower == "failure" and not subscription.events):
        return replace(subscription, everything=subscription.everything or lower == "all")
    if _dashed(word) in (*BUCKETS, *EVENTS):  # the rest of a list, which a comma has cut
        return _FILTERS["bucket" if _dashed(word) in BUCKETS else "events"](subscription, word)
    if places.is_known_place(lower):
        return _with(subscription, "regions", lower)
    match = re.match(r"([a-z-]+)[:=](.*)", word, re.IGNORECASE | re.DOTALL)
    reader = _FILTERS.get(match[1].lower()) if match else None
    if match is None or reader is None:
        hint, usage = _hint(match[1] if match else word, shown(word)), Text(USAGE)
        if not hint:
            raise UsageError("I cannot subscribe to `{word}`.\n{usage}", word=shown(word), usage=usage)
        raise UsageError("I cannot subscribe to `{word}`. {hint}\n{usage}", word=shown(word), hint=hint, usage=usage)
    if not match[2]:
        raise UsageError("`{key}:` needs a value right after it.\n{usage}", key=match[1].lower(), usage=Text(USAGE))
    return reader(subscription, match[2])


def _dashed(value: str) -> str:
    """`Timed_out` and `timed out` as `timed-out`."""
    return re.sub(r"[ _]", "-", value.lower())


def _with(subscription: Subscription, field: str, value: Any) -> Subscription:
    before: tuple[Any, ...] = getattr(subscription, field)
    if len(before) == _MOST:
        text = N_("At most {most} {kind} in one subscription; make a second one for the others.")
        raise UsageError(text, most=_MOST, kind=Text(KINDS[field]))
    changes: dict[str, Any] = {field: before if value in before else (*before, value)}
    return replace(subscription, **changes)


def _each(field: str, read: Callable[[str], Any]) -> Callable[[Subscription, str], Subscription]:
    return lambda subscription, value: _with(subscription, field, read(value))


def _several(field: str, key: str, known: Iterable[str]) -> Callable[[Subscription, str], Subscription]:
    known = tuple(known)

    def read_several(subscription: Subscription, value: str) -> Subscription:
        for one in filter(None, re.split(r"[,+]", _dashed(value))):
            if one not in known:
                text = N_("`{key}:` takes {known}, not `{word}`.")
                raise UsageError(text, key=key, known=", ".join(known), word=shown(one))
            subscription = _with(subscription, field, one)
        ordered: dict[str, Any] = {field: tuple(one for one in known if one in getattr(subscription, field))}
        return replace(subscription, **ordered)

    return read_several


def _reason(subscription: Subscription, value: str) -> Subscription:
    """By its key in the table of reasons, as in questions."""
    lower = value.lower()
    if lower not in REASONS:
        import difflib  # as in `_hint`

        near = difflib.get_close_matches(lower[:40], REASONS, n=3, cutoff=0.5)
        if near:
            text = N_("I know no reason called `{word}`. Near to it: {near}.")
            raise UsageError(text, word=shown(value), near=", ".join(near))
        raise UsageError("I know no reason called `{word}`.", word=shown(value))
    return _with(subscription, "reasons", lower)


def _at_least(subscription: Subscription, value: str) -> Subscription:
    if not re.fullmatch(r"0*[1-9][0-9]{0,4}|0*(?:[1-9][0-9]?|100)%", value):
        raise UsageError(
            "`at-least:` takes a count or a share, for example at-least:2 or at-least:5%, not `{word}`.",
            word=shown(value),
        )
    return replace(subscription, at_least=value.lstrip("0"))


def _longer_than(subscription: Subscription, value: str) -> Subscription:
    seconds = seconds_of(value)
    if not seconds:
        raise UsageError("`longer-than:` takes a span such as 30m or 2h, not `{word}`.", word=shown(value))
    return replace(subscription, longer_than=seconds)


def _ring(subscription: Subscription, value: str) -> Subscription:
    ring = values.ring(value)
    if subscription.ring not in ("", ring):
        raise UsageError("One subscription rings one person or group; make a second one for the other.")
    return replace(subscription, ring=ring)


_FILTERS: dict[str, Callable[[Subscription, str], Subscription]] = {
    "command": _each("commands", values.pattern),
    "instance": _each("instances", values.pattern),
    "tag": _each("tags", values.tag),
    "region": _each("regions", values.region),
    "account": _each("accounts", values.account),
    "bucket": _several("buckets", "bucket", BUCKETS),
    "reason": _reason,
    "events": _several("events", "events", EVENTS),
    "at-least": _at_least,
    "longer-than": _longer_than,
    "ring": _ring,
}


def _hint(word: str, shown: str) -> Text | None:
    """The nearest right word, or how what looks like a name is written."""
    import difflib  # only where something went wrong: the ack must not pay for it

    found = difflib.get_close_matches(word.lower()[:40], ["all", *(f"{key}:" for key in _FILTERS)], n=1, cutoff=0.6)
    if found:
        return Text("Did you mean `{word}`?", word=found[0])
    if re.search(r"[\d.*-]", word) and not word.startswith("t-"):
        return Text("A command is written `command:{word}`, an instance `instance:{word}`.", word=shown)
    return None


def told(subscription: Subscription) -> str:
    """The subscription in a sentence's words: `failures of command deploy-* on web-*`."""
    kinds = []
    if subscription.of_runs:
        kinds.append(_ends(subscription))
    if subscription.events:
        kinds.append(_("events: {kinds}", kinds=listed(subscription.events)))
    where = [
        *([_(" of {commands}", commands=listed(subscription.commands))] if subscription.commands else []),
        *([_(" on {instances}", instances=listed(subscription.instances))] if subscription.instances else []),
        *(_(" tagged {tag}", tag=f"{key}={value}") for key, value in subscription.tags),
        *([_(" in {regions}", regions=listed(subscription.regions))] if subscription.regions else []),
        *([_(" of account {names}", names=listed(subscription.accounts))] if subscription.accounts else []),
        *(
            [_(" that took longer than {span}", span=written(subscription.longer_than))]
            if subscription.longer_than
            else []
        ),
    ]
    what = _("{one} and {other}", one=kinds[0], other=kinds[1]) if len(kinds) > 1 else kinds[0]
    return what + "".join(where or ([_(" of everything")] if subscription.of_runs else []))


def _ends(one: Subscription) -> str:
    """Where only so many failures, or only some kinds of them, are news, a success is none, whatever else was typed."""
    if not one.everything or one.at_least or one.buckets:
        return _failures(one)
    return _("{one} and {other}", one=_("successes"), other=_failures(one)) if one.reasons else _("every end")


def _failures(subscription: Subscription) -> str:
    named = (*subscription.buckets, *(_("reason {name}", name=one) for one in subscription.reasons))
    what = listed(named) if named else _("failures")
    return _("{what} (at least {share})", what=what, share=subscription.at_least) if subscription.at_least else what


def from_value(value: Mapping[str, Any]) -> Subscription:
    """What the store holds; a word of a later version makes it unreadable, which raises UsageError."""
    return read(words_of(str(value.get("words", "")), ORDER_KEYS))
