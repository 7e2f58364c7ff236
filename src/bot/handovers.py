"""What is handed over to the next one on call, gathered: what the channel was told, and what the cloud says now."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot import open_work, subscribers, what_stands
from bot.adapters.slack import Place
from bot.core import digest, handover, home, reports
from bot.core.access import Admission, Limit
from bot.core.blocks import Message
from bot.core.errors import CloudError
from bot.core.handles import Handle, pack
from bot.core.handover import Failing, Handover, Recovered
from bot.core.home import Run
from bot.core.model import Invocation
from bot.core.notices import OPEN, Notice, notice_from
from bot.core.open_work import OnIt
from bot.core.subscriptions import Subscription
from bot.core.summary import BAD, summarise
from bot.core.texts import _, counted, joined, pgettext, stop
from bot.lookup import Found

if TYPE_CHECKING:
    from bot.answering import Answering
    from bot.turn import Turn

_HOURS = 12  # in which what has recovered is news


def draft(answering: Answering, turn: Turn, by: Admission, place: Place) -> Message:
    """For the person alone, with its buttons. Raises StoreError."""
    handle = Handle("handover", by.user_id, int(answering.now), by.short_name)
    value = pack(handle, answering.settings.signing_secret)
    return handover.draft(shared(answering, turn, by, place), value)


def shared(answering: Answering, turn: Turn, by: Admission, place: Place) -> Message:
    """As the channel sees it, read now. Raises StoreError."""
    now = answering.now
    here = [one.subscription for one in subscribers.in_channel(answering.store, place.channel_id, now)]
    found = _read(answering, turn, by.limit, here)
    about = [run for run in found.invocations if _wanted(run, here)]
    notices = _notices(answering, place.channel_id)
    told = {name for story, one in notices if one.cause for name in _runs_of(story, one)}
    groups = _open(about, told, answering.settings.run_tag, now)
    who = open_work.who(answering.store, place.team_id, [*told, *(run.id for some in groups for run in some)], now)
    failing = [*_noticed(notices, who, now), *_unnoticed(groups, who, now)]
    going = [run for run in home.runs_of(about, datetime.fromtimestamp(now, UTC)) if run.progress]
    taken = open_work.taken_in(answering.store, place.team_id, place.channel_id, now)
    known = {*who, *(run.id for some in groups for run in some)}
    gathered = Handover(
        failing=sorted(failing, key=lambda one: (one.on_it is not None, one.since)),
        going=going,
        taken={run: one for run, one in taken.items() if run not in known},
        recovered=_recovered(notices, now),
        stands=what_stands.of_channel(answering.store, place.channel_id, now),
        notes=found.notes,
        hours=_HOURS,
    )
    return handover.message(gathered, by.name, by.zone, now, found.read_at)


def _read(answering: Answering, turn: Turn, limit: Limit, here: Sequence[Subscription]) -> Found:
    """The newest runs; a handover without them is better than none."""
    regions = limit.among(digest.regions_of(here, answering.settings.regions))
    try:
        found, _silent = answering.lookup(turn, limit).recent(regions)
    except CloudError as error:
        code = error.code or _("no answer")
        note = _(
            "Runs could not be read ({action} in {region}: {code}).",
            action=error.action,
            region=error.region,
            code=code,
        )
        return Found(notes=(note,), read_at=answering.now)
    return found


def _wanted(run: Invocation, here: Sequence[Subscription]) -> bool:
    about = [one for one in here if one.of_runs]
    return not about or any(one.of_run(run) for one in about)


def _notices(answering: Answering, channel_id: str) -> list[tuple[str, Notice]]:
    """What the channel was told, by story."""
    prefix = f"notice/{channel_id}/"
    records = answering.store.list(prefix, answering.now)
    return [(one.key.removeprefix(prefix), notice_from(one.value)) for one in records]


def _runs_of(story: str, notice: Notice) -> list[str]:
    """The ids of runs that a notice is about: its first one, and its newest."""
    return list(dict.fromkeys([story, notice.occasion.split("/", 1)[0]]))


def _noticed(notices: Iterable[tuple[str, Notice]], who: dict[str, OnIt], now: float) -> list[Failing]:
    """A thing that has not failed again for a day counts as over."""
    return [
        Failing(_plain(one.line) or stop(story), one.since, one.times, _first(who, _runs_of(story, one)))
        for story, one in notices
        if one.cause and now - one.told_at < OPEN
    ]


def _open(about: Sequence[Invocation], told: set[str], run_tag: str, now: float) -> list[tuple[Invocation, ...]]:
    """Of each command its newest occasion, where the channel was not told of it."""
    newest: dict[str, tuple[Invocation, ...]] = {}
    for group in sorted(reports.joined(about, run_tag), key=_made, reverse=True):
        newest.setdefault(reports.identity(group[0], run_tag), group)
    return [some for some in newest.values() if now - _made(some) < OPEN and not told & {run.id for run in some}]


def _made(group: Sequence[Invocation]) -> float:
    return max(run.created.timestamp() if run.created else 0.0 for run in group)


def _unnoticed(groups: Iterable[Sequence[Invocation]], who: dict[str, OnIt], now: float) -> list[Failing]:
    failing = []
    for group in groups:
        groups_left = reports.settled(summarise(group, (), {})).of(*BAD)
        still = {row.result.invoke_id for some in groups_left for row in some.rows}
        bad = [run for run in home.runs_of(group, datetime.fromtimestamp(now, UTC)) if run.id in still and run.failed]
        if bad:
            failing.append(
                Failing(_line(bad), float(min(run.when for run in bad)), 1, _first(who, [r.id for r in bad]))
            )
    return failing


def _line(bad: Sequence[Run]) -> str:
    told = [_("{what}: {told}", what=run.failed, told=joined([run.what, run.region, run.id])) for run in bad[:3]]
    left = len(bad) - 3
    more = [counted("and {count} more run of it", "and {count} more runs of it", left)] if left > 0 else []
    return stop(pgettext("between sentences of one", "; ").join([*told, *more]))


def _first(who: dict[str, OnIt], runs: Iterable[str]) -> OnIt | None:
    return next((who[run] for run in runs if run in who), None)


def _recovered(notices: Iterable[tuple[str, Notice]], now: float) -> list[Recovered]:
    found = [one for _story, one in notices if not one.cause and now - one.recovered < _HOURS * 3_600]
    return [Recovered(_plain(one.line), one.recovered) for one in sorted(found, key=lambda one: -one.recovered)]


def _plain(line: str) -> str:
    """A line of a message was escaped for Slack; here it is escaped anew."""
    return html.unescape(line)
