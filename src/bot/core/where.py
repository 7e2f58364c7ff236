"""Where failures are: what nearly all of them share and most targets do not, as plain counts.

Zone, image, instance type, operating system, VPC, vSwitch and tags come from DescribeInstances, the agent's version
from DescribeCloudAssistantStatus. Of an instance that is not known there nothing is assumed: among failures it counts
as one that does not share, among targets as one that does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot.core import places, wording
from bot.core.model import Instance
from bot.core.summary import BAD, Bucket, Shared, Summary
from bot.core.texts import N_, _

LEAST = 3  # failures that must share a fact
NEARLY_ALL = 0.9  # of the failures
MOST_TARGETS = 0.5  # of all targets may have it
MOST_TOLD = 2

# Kinds of facts, and how one is said, of failures and of targets. Of equal sets of instances the first kind speaks.
KINDS: dict[str, str] = {
    "zone": N_("{failures} are in zone {value}, which has {share}"),
    "image": N_("{failures} have image {value}, as {share} do"),
    "type": N_("{failures} are of type {value}, as {share} are"),
    "os": N_("{failures} run {value}, as {share} do"),
    "os type": N_("{failures} run {value}, as {share} do"),
    "vpc": N_("{failures} are in VPC {value}, which has {share}"),
    "vswitch": N_("{failures} are in vSwitch {value}, which has {share}"),
    "agent": N_("{failures} have agent version {value}, as {share} do"),
    "tag": N_("{failures} have the tag {value}, as {share} do"),
}

_Fact = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Targets:
    """All targets of a summary, which have each fact, and of which each kind is known."""

    ids: frozenset[str]
    having: Mapping[_Fact, frozenset[str]]
    known: Mapping[str, frozenset[str]]


def shared(summary: Summary, instances: Mapping[str, Instance], versions: Mapping[str, str]) -> tuple[Shared, ...]:
    """What failures share, most telling first, at most two; `versions` are agent versions by instance id.

    What failed and what never ran is looked at together first, then apart.
    """
    targets = _read({row.result.instance_id for row in summary.rows} - {""}, instances, versions)
    bad = {bucket: {row.result.instance_id for group in summary.of(bucket) for row in group.rows} for bucket in BAD}
    failed, never_ran = bad[Bucket.FAILED] | bad[Bucket.TIMED_OUT], bad[Bucket.NEVER_RAN]
    told: dict[_Fact, Shared] = {}
    for bucket, failing in (
        (None, failed | never_ran if failed and never_ran else set[str]()),
        (Bucket.FAILED, failed),
        (Bucket.NEVER_RAN, never_ran),
    ):
        for one in _shared(bucket, frozenset(failing - {""}), targets):
            told.setdefault((one.kind, one.value), one)
    return tuple(told.values())[:MOST_TOLD]


def _read(ids: Collection[str], instances: Mapping[str, Instance], versions: Mapping[str, str]) -> _Targets:
    having: dict[_Fact, set[str]] = {}
    known: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for one in ids:
        instance = instances.get(one)
        known["tag"] |= {one} if instance else set()
        for fact in _facts(instance, versions.get(one, "")):
            having.setdefault(fact, set()).add(one)
            known[fact[0]].add(one)
    return _Targets(
        frozenset(ids),
        {fact: frozenset(some) for fact, some in having.items()},
        {kind: frozenset(some) for kind, some in known.items()},
    )


def _facts(instance: Instance | None, version: str) -> Iterator[_Fact]:
    if version:
        yield "agent", version
    if instance is None:
        return
    told = {
        "zone": instance.zone,
        "image": instance.image,
        "type": instance.type,
        "os": " ".join(instance.os_name.split()),
        "os type": instance.os_type.lower(),
        "vpc": instance.vpc,
        "vswitch": instance.vswitch,
    }
    yield from ((kind, value) for kind, value in told.items() if value)
    yield from (("tag", f"{key}={value}") for key, value in instance.tags if key)


def _shared(bucket: Bucket | None, failing: frozenset[str], targets: _Targets) -> list[Shared]:
    """The facts that say something, most telling first; of several that the same instances have, one."""
    order = list(KINDS)
    by_set: dict[frozenset[str], Shared] = {}
    for kind, value in sorted(targets.having, key=lambda fact: (order.index(fact[0]), fact[1])):
        having = targets.having[kind, value]
        failures = len(having & failing)
        unknown = len(targets.ids - targets.known[kind])
        if failures < LEAST or failures < NEARLY_ALL * len(failing):
            continue
        if len(having) + unknown > MOST_TARGETS * len(targets.ids):
            continue
        one = Shared(kind, value, bucket, failures, len(failing), len(having), len(targets.ids))
        by_set.setdefault(having, one)
    return sorted(by_set.values(), key=_lift, reverse=True)


def _lift(one: Shared) -> float:
    """How much more often failures have it than targets do."""
    return one.failures * one.of_targets / (one.of_failures * one.having)


_WHO = {
    None: N_("{part} of {count} that failed or never ran"),
    Bucket.FAILED: N_("{part} of {count} failures"),
    Bucket.NEVER_RAN: N_("{part} of {count} that never ran"),
}


def sentences(told: Iterable[Shared], regions: Collection[str]) -> list[str]:
    """`7 of 7 failures are in zone h, which has 38 of the 240`; a zone bears its region where there are several."""
    return [_sentence(one, places.region_of(next(iter(regions))) if len(regions) == 1 else "") for one in told]


def _sentence(one: Shared, region: str) -> str:
    value = one.value.removeprefix(f"{region}-") if one.kind == "zone" and region else one.value
    share = _("{part} of the {count}", part=f"{one.having:,}", count=f"{one.of_targets:,}")
    failures = _(_WHO[one.bucket], part=f"{one.failures:,}", count=f"{one.of_failures:,}")
    return _(KINDS[one.kind], failures=failures, value=wording.name(value, 40), share=share)
