"""What people read of a digest: sentences first, then a chart.

The chart is Slack's `data_visualization` block (at most 20 points and six series; names of 20 characters, a title of
50). A workspace may not know it yet, so nothing stands in it alone: `without_chart` leaves it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from bot.core import blocks as b
from bot.core import what_stands, wording
from bot.core.blocks import Block, Message
from bot.core.digest import CHARTED, DAY, POINTS, STEP, Command, Digest, FirstSeen, Place, Tally
from bot.core.model import Instance
from bot.core.ranges import ranges
from bot.core.summary import Bucket, unique_names
from bot.core.texts import N_, _, capital, counted, joined, listed, pgettext, sentences, stop
from bot.core.what_stands import WhatStands

CHART = "data_visualization"
MOST_COMMANDS = 8
MOST_WORST = 5
MOST_FIRST_SEEN = 5
MOST_PLACES = 160  # characters of the instances in one sentence


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a digest: when it was read, whose zone its times are in, why it was made.

    `cut` says back to when each region was read of which not all could be; `silent` are sentences about regions that
    did not answer, `limited` one about what the channel may be shown.
    """

    now: datetime
    read_at: datetime
    zone: tzinfo = UTC
    reason: str = ""
    scope: str = ""
    instances: Mapping[str, Instance] | None = None
    cut: Mapping[str, datetime] | None = None
    silent: tuple[str, ...] = ()
    limited: str = ""


def named(digest: Digest) -> list[Place]:
    """The instances that the message names."""
    first = [place for one in digest.first_seen[:MOST_FIRST_SEEN] for place in one.places[:50]]
    return list(dict.fromkeys([*(place for place, _ in digest.worst[:MOST_WORST]), *digest.never[:50], *first]))


def message(digest: Digest, stands: WhatStands, around: Around) -> Message:
    """The digest of one channel."""
    whole = not around.cut and not around.silent
    head = _head(digest, compared=whole)
    first = b.clip(stop(_("Digest: {told}", told=head)), 110)
    details = _details(digest, around, compared=whole)
    standing = what_stands.told(stands, around.zone)
    notes = _notes(around)
    age = _("data {span} old", span=wording.duration((around.now - around.read_at).total_seconds()))
    footer = [b.escape(one) for one in (around.scope, around.reason, age) if one]
    blocks = [
        b.header(f"{_mark(digest)} {capital(head)}"),
        *([b.rich_text(*(b.line(b.words(line)) for line in details))] if details else []),
        *([b.rich_text(*(b.line(b.words(line)) for line in standing))] if standing else []),
        *_chart(digest, around.zone),
        *([b.context(b.mrkdwn(sentences(notes), 600))] if notes else []),
        b.context(*footer),
    ]
    return b.within_limits(b.escape("\n".join([first, *standing, *details, *notes])), blocks)


def without_chart(said: Message) -> Message:
    return said._replace(blocks=tuple(block for block in said.blocks if block["type"] != CHART))


def _mark(digest: Digest) -> str:
    return wording.MARKS[Bucket.FAILED if digest.today.failed else Bucket.SUCCEEDED]


def _head(digest: Digest, *, compared: bool) -> str:
    today, before = digest.today, digest.before
    if not today.runs:
        told = _("no runs in the last 24 h")
    elif today.failed:
        told = counted(
            "{failed} of {count} run failed in the last 24 h",
            "{failed} of {count} runs failed in the last 24 h",
            today.runs,
            failed=f"{today.failed:,}",
        )
    else:
        told = joined(
            [counted("{count} run in the last 24 h", "{count} runs in the last 24 h", today.runs), _("none failed")]
        )
    return _("{told}; the day before {was}", told=told, was=_was(before)) if compared else told


def _was(before: Tally) -> str:
    if not before.runs:
        return _("no runs")
    return pgettext("failures of runs", "{count} of {total}").format(
        count=f"{before.failed:,}", total=f"{before.runs:,}"
    )


def _details(digest: Digest, around: Around, *, compared: bool) -> list[str]:
    shown, left = digest.commands[:MOST_COMMANDS], digest.commands[MOST_COMMANDS:]
    lines = [_command(one, compared=compared) for one in shown]
    if left:
        runs, failed = sum(one.today.runs for one in left), sum(one.today.failed for one in left)
        more = counted("{count} more command", "{count} more commands", len(left))
        lines.append(stop(_("{what}: {told}", what=more, told=_failed_of(failed, runs))))
    if digest.going:
        lines.append(_("Still going: {runs}.", runs=wording.runs(digest.going)))
    called = _names(named(digest), around)
    if digest.worst:
        worst = [f"{called[place]} ({count:,})" for place, count in digest.worst[:MOST_WORST]]
        names = wording.and_more(worst, len(digest.worst) - len(worst))
        lines.append(_("Most failures: {names}.", names=names))
    if digest.never:
        lines.append(_("Never ran on {names}.", names=_places(digest.never, called)))
    return [*lines, *(_first_seen(digest.first_seen, called) if compared else [])]


def _command(one: Command, *, compared: bool) -> str:
    today, before = one.today, one.before
    if today.failed:
        where = counted(
            "on {bad} of {count} instance", "on {bad} of {count} instances", today.targets, bad=f"{today.bad:,}"
        )
        told = joined([_failed_of(today.failed, today.runs), where])
    else:
        told = joined([wording.runs(today.runs), _("none failed")])
    told = _("{what}: {told}", what=one.name, told=told)
    return stop(_("{told}; the day before {was}", told=told, was=_was(before)) if compared else told)


def _failed_of(failed: int, runs: int) -> str:
    return counted("{failed} of {count} run failed", "{failed} of {count} runs failed", runs, failed=f"{failed:,}")


def _first_seen(found: Sequence[FirstSeen], called: Mapping[Place, str]) -> list[str]:
    text, told = N_("New since the day before: {command}, {why}, on {names}."), found[:MOST_FIRST_SEEN]
    shown = [_(text, command=one.command, why=one.why, names=_places(one.places, called)) for one in told]
    left = len(found) - len(shown)
    more = counted("{count} more new way to fail.", "{count} more new ways to fail.", left)
    return [*shown, *([more] if left else [])]


def _names(some: Sequence[Place], around: Around) -> dict[Place, str]:
    """What people call them; where several share a name, with what tells them apart."""
    names = unique_names(some, around.instances or {})
    return {place: wording.name(names[place[1]], 60) for place in some}


def _places(places: Sequence[Place], called: Mapping[Place, str]) -> str:
    """Names as ranges, as many as fit; the others are counted."""
    names = [called[place] for place in places[:50]]
    count = len(names)
    while count > 1 and len(listed(ranges(names[:count]))) > MOST_PLACES:
        count -= 1
    left = len(places) - count
    return wording.and_more(ranges(names[:count]), left)


def _notes(around: Around) -> list[str]:
    cut = [
        _(
            "{region} has more runs than I read; those before {time} are not counted.",
            region=region,
            time=wording.clock_time(moment, around.zone),
        )
        for region, moment in (around.cut or {}).items()
    ]
    partial = [_("So nothing is compared with the day before.")] if cut or around.silent else []
    return [*filter(None, [around.limited]), *around.silent, *cut, *partial]


def _chart(digest: Digest, zone: tzinfo) -> list[Block]:
    """Outcomes on instances in steps of two hours; none where there were none."""
    begins = [digest.until - DAY + number * STEP for number in range(POINTS)]
    labels = [f"{moment.astimezone(zone):%H:%M}" for moment in begins]
    series = [
        {"name": _(wording.WORDS[bucket]), "data": _points(labels, digest.series[bucket])}
        for bucket in CHARTED
        if any(digest.series[bucket])
    ]
    if not series:
        return []
    axis = {
        "categories": labels,
        "x_label": b.plain(_("from, {zone}", zone=digest.until.astimezone(zone).tzname()), 50),
    }
    chart = {"type": "bar", "series": series, "axis_config": {**axis, "y_label": _("instances")}}
    return [{"type": CHART, "title": _("Outcomes on instances, last 24 h"), "chart": chart}]


def _points(labels: Iterable[str], counts: Iterable[int]) -> list[Block]:
    return [{"label": label, "value": count} for label, count in zip(labels, counts, strict=True)]
