"""What people read of a digest: sentences first, then a chart.

The chart is Slack's `data_visualization` block (at most 20 points and six series; names of 20 characters, a title of
50). A workspace may not know it yet, so nothing stands in it alone: `without_chart` leaves it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from bot.core import blocks as b
from bot.core import what_stands, wording
from bot.core.blocks import Block, Message
from bot.core.digest import CHARTED, DAY, POINTS, STEP, Command, Digest, FirstSeen, Place, Tally
from bot.core.model import Instance
from bot.core.ranges import ranges
from bot.core.summary import Bucket
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
    did not answer.
    """

    now: datetime
    read_at: datetime
    zone: tzinfo = UTC
    reason: str = ""
    scope: str = ""
    instances: Mapping[str, Instance] | None = None
    cut: Mapping[str, datetime] | None = None
    silent: tuple[str, ...] = ()


def named(digest: Digest) -> list[Place]:
    """The instances that the message names."""
    first = [place for one in digest.first_seen[:MOST_FIRST_SEEN] for place in one.places[:50]]
    return list(dict.fromkeys([*(place for place, _ in digest.worst[:MOST_WORST]), *digest.never[:50], *first]))


def message(digest: Digest, stands: WhatStands, around: Around) -> Message:
    """The digest of one channel."""
    whole = not around.cut and not around.silent
    head = _head(digest, compared=whole)
    first = b.clip(f"Digest: {head}.", 110)
    details = _details(digest, around, compared=whole)
    standing = what_stands.told(stands, around.zone)
    notes = _notes(around)
    age = f"data {wording.duration((around.now - around.read_at).total_seconds())} old"
    footer = [b.escape(one) for one in (around.scope, around.reason, age) if one]
    blocks = [
        b.header(f"{_mark(digest)} {head[0].upper()}{head[1:]}"),
        *([b.rich_text(*(b.line(b.words(line)) for line in details))] if details else []),
        *([b.rich_text(*(b.line(b.words(line)) for line in standing))] if standing else []),
        *_chart(digest, around.zone),
        *([b.context(b.mrkdwn(" ".join(notes), 600))] if notes else []),
        b.context(*footer),
    ]
    return b.within_limits(b.escape("\n".join([first, *standing, *details, *notes])), blocks)


def without_chart(said: Message) -> Message:
    return replace(said, blocks=tuple(block for block in said.blocks if block["type"] != CHART))


def _mark(digest: Digest) -> str:
    return wording.MARKS[Bucket.FAILED if digest.today.failed else Bucket.SUCCEEDED]


def _head(digest: Digest, *, compared: bool) -> str:
    today, before = digest.today, digest.before
    if not today.runs:
        told = "no runs in the last 24 h"
    elif today.failed:
        told = f"{today.failed:,} of {wording.plural(today.runs, 'run')} failed in the last 24 h"
    else:
        told = f"{wording.plural(today.runs, 'run')} in the last 24 h, none failed"
    return f"{told}; the day before {_was(before)}" if compared else told


def _was(before: Tally) -> str:
    return f"{before.failed:,} of {before.runs:,}" if before.runs else "no runs"


def _details(digest: Digest, around: Around, *, compared: bool) -> list[str]:
    shown, left = digest.commands[:MOST_COMMANDS], digest.commands[MOST_COMMANDS:]
    lines = [_command(one, compared=compared) for one in shown]
    if left:
        runs, failed = sum(one.today.runs for one in left), sum(one.today.failed for one in left)
        lines.append(
            f"{wording.plural(len(left), 'more command')}: {failed:,} of {wording.plural(runs, 'run')} failed."
        )
    if digest.going:
        lines.append(f"Still going: {wording.plural(digest.going, 'run')}.")
    if digest.worst:
        worst = [f"{_name(place, around)} ({count:,})" for place, count in digest.worst[:MOST_WORST]]
        more = len(digest.worst) - len(worst)
        rest = f" and {more:,} more" if more else ""
        lines.append(f"Most failures: {', '.join(worst)}{rest}.")
    if digest.never:
        lines.append(f"Never ran on {_places(digest.never, around)}.")
    return [*lines, *(_first_seen(digest.first_seen, around) if compared else [])]


def _command(one: Command, *, compared: bool) -> str:
    today, before = one.today, one.before
    runs = wording.plural(today.runs, "run")
    failed = f"{today.failed:,} of {runs} failed, on {today.bad:,} of {wording.plural(today.targets, 'instance')}"
    told = failed if today.failed else f"{runs}, none failed"
    return f"{one.name}: {told}; the day before {_was(before)}." if compared else f"{one.name}: {told}."


def _first_seen(found: Sequence[FirstSeen], around: Around) -> list[str]:
    lines = [f"New since the day before: {one.command}, {one.why}, on {_places(one.places, around)}." for one in found]
    shown, left = lines[:MOST_FIRST_SEEN], lines[MOST_FIRST_SEEN:]
    return [*shown, *([f"{wording.plural(len(left), 'more new way')} to fail."] if left else [])]


def _name(place: Place, around: Around) -> str:
    instance = (around.instances or {}).get(place[1])
    return wording.name((instance.name if instance else "") or place[1] or "an instance without id", 40)


def _places(places: Sequence[Place], around: Around) -> str:
    """Names as ranges, as many as fit; the others are counted."""
    names = [_name(place, around) for place in places[:50]]
    count = len(names)
    while count > 1 and len(", ".join(ranges(names[:count]))) > MOST_PLACES:
        count -= 1
    left = len(places) - count
    return ", ".join(ranges(names[:count])) + (f" and {left:,} more" if left else "")


def _notes(around: Around) -> list[str]:
    cut = [
        f"{region} has more runs than I read; those before {wording.clock_time(moment, around.zone)} are not counted."
        for region, moment in (around.cut or {}).items()
    ]
    partial = ["So nothing is compared with the day before."] if cut or around.silent else []
    return [*around.silent, *cut, *partial]


def _chart(digest: Digest, zone: tzinfo) -> list[Block]:
    """Outcomes on instances in steps of two hours; none where there were none."""
    begins = [digest.until - DAY + number * STEP for number in range(POINTS)]
    labels = [f"{moment.astimezone(zone):%H:%M}" for moment in begins]
    series = [
        {"name": bucket.value, "data": _points(labels, digest.series[bucket])}
        for bucket in CHARTED
        if any(digest.series[bucket])
    ]
    if not series:
        return []
    axis = {"categories": labels, "x_label": b.plain(f"from, {digest.until.astimezone(zone).tzname()}", 50)}
    chart = {"type": "bar", "series": series, "axis_config": {**axis, "y_label": "instances"}}
    return [{"type": CHART, "title": "Outcomes on instances, last 24 h", "chart": chart}]


def _points(labels: Iterable[str], counts: Iterable[int]) -> list[Block]:
    return [{"label": label, "value": count} for label, count in zip(labels, counts, strict=True)]
