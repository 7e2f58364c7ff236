"""What did not happen: on which instances an expectation was not met and why, and how that is told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from bot.core import blocks as b
from bot.core import wording
from bot.core.blocks import Block, Message
from bot.core.expectations import Expectation
from bot.core.model import Instance, Invocation, InvocationResult
from bot.core.ranges import ranges
from bot.core.standing import with_button
from bot.core.summary import Bucket, Row, summarise_results
from bot.core.texts import N_, _, counted, joined, pgettext, sentences, stop
from bot.core.texts import listed as things
from bot.core.values import mention

UNEXPECT = "unexpect"
MOST_LISTED = 40
_MOST_NAMES = 600  # characters of names in one group
NO_RUN = N_("no run found")
# In the order in which they are told.
WHY = {
    None: NO_RUN,
    Bucket.NEVER_RAN: N_("never ran"),
    Bucket.FAILED: N_("failed"),
    Bucket.TIMED_OUT: N_("timed out"),
    Bucket.UNKNOWN: N_("in an unknown state"),
    Bucket.GOING: N_("still going"),
    Bucket.SUCCEEDED: N_("reported Success without exit code 0"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """What a check has found. `unmet` are instances by reason; `unread` says what could not be read."""

    total: int
    unmet: Mapping[str, tuple[Instance, ...]]
    unread: tuple[str, ...] = ()

    @property
    def missing(self) -> list[Instance]:
        return [one for some in self.unmet.values() for one in some]


def rows(invocations: Sequence[Invocation], results: Sequence[InvocationResult]) -> list[Row]:
    """All that is known of these runs; where results were read, they speak for the invocation's own rows."""
    read = {(one.invoke_id, one.instance_id) for one in results}
    own = [one for run in invocations for one in run.targets if (one.invoke_id, one.instance_id) not in read]
    return list(summarise_results([*results, *own], invocations, {}).rows)


def judged(
    instances: Sequence[Instance],
    rows: Iterable[Row],
    created: Mapping[str, float],
    since: float,
    unread: Sequence[str] = (),
) -> Check:
    """Which instances have no finished exit-0 run since a moment (seconds, epoch).

    `created` says when each run was made, by id, and leaves out schedules: one that was made long ago may have been
    tried since.
    """
    by_instance: dict[str, list[Row]] = {}
    for row in rows:
        if _when(row, created, since) >= since:
            by_instance.setdefault(row.result.instance_id, []).append(row)
    unmet: dict[str, list[Instance]] = {why: [] for why in WHY.values()}
    for one in instances:
        mine = by_instance.get(one.id, [])
        if not any(is_good(row, since) for row in mine):
            newest = max(mine, key=lambda row: _when(row, created, since), default=None)
            unmet[WHY[newest.bucket if newest else None]].append(one)
    found = {why: tuple(sorted(some, key=lambda one: one.name)) for why, some in unmet.items() if some}
    return Check(len(instances), found, tuple(unread))


def is_good(row: Row, since: float) -> bool:
    """Whether it is a finished run with exit code 0 since then."""
    result = row.result
    finished = result.finished is not None and result.finished.timestamp() >= since
    return finished and row.bucket is Bucket.SUCCEEDED and result.exit_code == 0


def _when(row: Row, created: Mapping[str, float], since: float) -> float:
    moment = row.result.finished or row.result.started
    return moment.timestamp() if moment else created.get(row.result.invoke_id, since)


# What people read


@dataclass(frozen=True, slots=True)
class Told:
    """An expectation as it is told: who made it, and the zone that its times are in, with the zone's name."""

    expectation: Expectation
    by_name: str
    zone: tzinfo
    zone_name: str


def message(
    told: Told, check: Check, due: datetime, since: datetime, late: float = 0.0, skipped: Sequence[datetime] = ()
) -> Message:
    """Who is missing first, grouped by why. `late` in seconds, where the check was made long after its time.

    `skipped` are due times before it that nobody has checked.
    """
    one = told.expectation
    what, by = wording.name(things(one.commands), 40), wording.clock_time(due, told.zone)
    missing = check.missing
    if missing:
        counts = {"count": f"{len(missing):,}", "total": f"{check.total:,}"}
        head = _("{count} of {total} missed {what}, due {time}", **counts, what=what, time=by)
    elif check.unread:
        head = _("Could not check {what}, due {time}", what=what, time=by)
    else:
        head = _("{count} of {total} missed {what}, due {time}", count=0, total=f"{check.total:,}", what=what, time=by)
    groups = [
        (_("{count} {why}", count=f"{len(some):,}", why=_(why)), _members(some)) for why, some in check.unmet.items()
    ]
    notes = [*check.unread, *([_("Checked {span} late.", span=wording.duration(late))] if late else [])]
    notes += [_skipped(skipped, told.zone)] if skipped else []
    wish = wording.name(one.told(told.zone_name), 400)
    expected = _("expected by {who}: {what}", who=wording.name(told.by_name), what=wish)
    since_told = _("looked for exit code 0 since {time}", time=wording.clock_time(since, told.zone))
    spoken = [_("{title}: {names}.", title=title, names=members) for title, members in groups]
    text = b.escape("\n".join([head, *spoken, *notes]))
    blocks: list[Block] = [b.header(f"✖ {head}" if missing or check.unread else head)]
    blocks += [b.rich_text(b.line(b.words(title, bold=True), b.words(f"\n{who}"))) for title, who in groups]
    blocks += [b.context(b.mrkdwn(sentences(notes), 1_500))] if notes else []
    blocks.append(b.context(b.mrkdwn(expected, 800), b.escape(since_told)))
    return b.within_limits(text, blocks)


def _skipped(times: Sequence[datetime], zone: tzinfo) -> str:
    return counted(
        "{count} due time before that was not checked: {first}.",
        "{count} due times before that were not checked, the first {first}.",
        len(times),
        first=wording.clock_time(times[0], zone),
    )


def _members(instances: Collection[Instance]) -> str:
    """Names as ranges, region by region; an id where there is no name."""
    regions: dict[str, list[str]] = {}
    for one in instances:
        regions.setdefault(one.region, []).append(wording.name(one.name or one.id))
    most = max(60, _MOST_NAMES // len(regions))
    told = [f"{b.clip(things(ranges(names)), most)} {region}" for region, names in regions.items()]
    return pgettext("between sentences of one", "; ").join(told)


def expected(told: Told, due: datetime, *, known: bool) -> Message:
    """Said to the channel, with when it is checked first."""
    one = told.expectation
    who, what = b.escape(wording.name(told.by_name)), _what(one, told.zone_name)
    lines = [
        _("{who} expects here already: {what}.", who=who, what=what)
        if known
        else _("{who} expects here: {what}.", who=who, what=what),
        _(
            "Checked first at {time}. I tell what is missing; that all is well is no news.",
            time=wording.clock_time(due, told.zone),
        ),
        _("To end it: {words}", words=f"`{b.mrkdwn(f'{UNEXPECT} {one.words()}'.replace('`', ' '), 600)}`"),
    ]
    return Message("\n".join(lines))


def unexpected(ended: Sequence[Told], by_name: str) -> Message:
    what = pgettext("between sentences of one", "; ").join(_what(one.expectation, one.zone_name) for one in ended)
    who = b.escape(wording.name(by_name))
    return Message(_("Not expected here any more: {what}. Ended by {who}.", what=what, who=who))


@dataclass(frozen=True, slots=True)
class Listed:
    """An expectation in a list: when it is due next (seconds, epoch), how it went last, what its button carries."""

    told: Told
    due: float
    last: str
    value: str


def listed(some: Sequence[Listed]) -> Message:
    """All expectations of a channel, with buttons to end them."""
    head = _("Nothing is expected in this channel")
    if some:
        head = counted("{count} expectation", "{count} expectations", len(some))
    between = pgettext("between sentences of one", "; ")
    lines = [between.join([_what(one.told.expectation, one.told.zone_name), _state(one)]) for one in some]
    blocks: list[Block] = [b.header(head), *(_row(one) for one in some[:MOST_LISTED])]
    blocks += (
        [b.context(counted("and {count} more", "and {count} more", len(some) - MOST_LISTED))]
        if len(some) > MOST_LISTED
        else []
    )
    how = [] if some else [_("Begin with: {words}", words="expect command:backup-* daily by:03:30 on:tag:backup=yes")]
    blocks += [b.context(*how)] if how else []
    return b.within_limits("\n".join([stop(head), *lines, *how]), blocks)


def _row(one: Listed) -> Block:
    words = one.told.expectation.told(one.told.zone_name)
    text = f"{_what(one.told.expectation, one.told.zone_name)}\n{_state(one)}"
    return with_button(text, UNEXPECT, _("End"), words, one.value)


def _state(one: Listed) -> str:
    by = b.escape(wording.name(one.told.by_name))
    due = wording.clock_time(datetime.fromtimestamp(one.due, UTC), one.told.zone)
    last = [_("last time: {told}", told=b.mrkdwn(one.last, 200))] if one.last else []
    return joined([_("by {who}", who=by), _("next due {time}", time=due), *last])


def _what(one: Expectation, zone_name: str) -> str:
    rings = [_("rings {who}", who=mention(one.ring))] if one.ring else []
    return joined([b.mrkdwn(one.told(zone_name), 600), *rings])
