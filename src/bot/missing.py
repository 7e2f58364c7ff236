"""What is missing from an answer, in sentences: ids that are nowhere, regions that did not reply, what was not read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.errors import CloudError, NotFound, Throttled
from bot.core.model import Invocation
from bot.core.texts import N_, _, sentences
from bot.fanout import Gathered
from bot.filters import abbreviated
from bot.regions import Located, Nowhere


def nowhere(located: Located[Any]) -> list[str]:
    """A sentence for each id that was not found."""
    return [_not_found(one, place) for one, place in located.missing.items()]


def _not_found(one: str, place: Nowhere) -> str:
    """That an id was not found, where it was looked for, and what else may be the reason."""
    if not place.asked:
        sentence = _("I could not look for {id}.", id=one)
    elif one.startswith("t-"):
        sentence = _(
            "No run {id} in {regions}: older than about four weeks, pushed out by newer runs, or in another region "
            "or account.",
            id=one,
            regions=abbreviated(place.asked),
        )
    else:
        sentence = _(
            "No instance {id} in {regions}: it may be in another region or account.",
            id=one,
            regions=abbreviated(place.asked),
        )
    return sentences([sentence, *silent(place.silent)])


def no_address(address: str, regions: Sequence[str], notes: Sequence[str]) -> NotFound:
    """That no instance has an address; `notes` are of regions that did not reply."""

    def say() -> str:
        none = _("No instance has the address {address} in {regions}.", address=address, regions=abbreviated(regions))
        return sentences([none, *notes])

    return NotFound(say)


def silent(errors: Mapping[str, CloudError]) -> list[str]:
    """A sentence for each reason why regions did not answer."""
    by_reason: dict[str, list[str]] = {}
    for region, error in errors.items():
        by_reason.setdefault(_reason(error), []).append(region)
    text = N_("No answer from {regions}: {reason}.")
    return [_(text, regions=abbreviated(regions), reason=reason) for reason, regions in by_reason.items()]


def unread(gathered: Gathered[tuple[str, str], Any]) -> list[str]:
    """Sentences about what could not be read, by the kinds of calls of `lookup`."""
    says = {
        "results": N_("Outputs of {id} are missing: {reason}."),
        "names": N_("Instance names in {id} are missing: {reason}."),
        "runs": N_("Names of commands that ran on {id} are missing: {reason}."),
    }
    failed = [(kind, one, error) for (kind, one), error in gathered.failed.items() if kind in says]
    return [_(says[kind], id=one, reason=_reason(error)) for kind, one, error in failed]


def nameless(gathered: Gathered[tuple[str, str], Any], found: Sequence[Invocation]) -> list[str]:
    """DescribeInstances answers with an empty list to who may not use it."""
    named = {region for (kind, region), some in gathered.replies.items() if kind == "names" and not some}
    regions = {one.region for one in found if any(target.instance_id.startswith("i-") for target in one.targets)}
    return [
        _("No instance names in {region}: I may lack the right ecs:DescribeInstances, so ids are shown.", region=region)
        for region in sorted(named & regions)
    ]


def _reason(error: CloudError) -> str:
    if isinstance(error, Throttled):
        return _("{action} is throttled there for another {s} s", action=error.action, s=round(error.wait))
    return error.reason
