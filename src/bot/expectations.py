"""Whether what is expected has happened: checked once at its due time, and told where it has not.

The timer `tick` queues a job for each expectation that is due; its row is claimed, so that it is checked once. A timer
that comes late makes one check, of the last due time, and those that were skipped are told. A check that cannot be made
is tried again for some minutes and then told as such.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from bot import expected, notices
from bot.adapters.cloud_assistant import CloudAssistant
from bot.adapters.store import FOR_EVER
from bot.core import places, quiet, unmet
from bot.core.access import Limit
from bot.core.blocks import Message
from bot.core.errors import NotAllowed, UsageError
from bot.core.expectations import Expectation
from bot.core.model import Instance, Invocation
from bot.core.notices import News
from bot.core.reports import MOST_NAMES, WELL
from bot.core.texts import N_, _, counted, joined, listed
from bot.core.unmet import Check
from bot.core.values import like
from bot.expected import Expected, expected_from
from bot.fanout import Fanout
from bot.jobs import EXPECTATION, Job, job_id

if TYPE_CHECKING:
    from bot.answering import Answering
    from bot.turn import Turn

log = logging.getLogger("bot.expectations")

_LEASE = 120.0  # seconds for one check
_TRIED = 900.0  # seconds after the due time for which a check that cannot be made is tried again
_LATE = 900.0  # seconds after which it is said that the check was late
_LOOKED_BACK = 86_400.0  # seconds before the period in which a run that ended in it may have begun
_MOST_INSTANCES = 1_000
_MOST_RUNS = 500  # of one command and region
_MOST_SCHEDULES = 100
_MOST_READ = 20  # runs whose results are read
_MOST_ROWS = 500  # results of one run


def queue_due(answering: Answering, turn: Turn) -> None:
    """A job for each expectation whose time has come. Raises StoreError and QueueRefused."""
    now = answering.now
    for one in expected.everywhere(answering.store, now):
        if one.due <= now:
            name = job_id("expectation", f"{one.key}-{int(one.due)}-{int(now // 60)}")
            turn.follow(Job(EXPECTATION, name, int(now), {"key": one.key, "due": one.due}), 0)


def check(answering: Answering, turn: Turn, payload: Mapping[str, Any]) -> None:
    """One check, once for each due time. Raises StoreError and QueueRefused, which bring the job again."""
    store, now, key, owner = answering.store, answering.now, str(payload["key"]), os.urandom(8).hex()
    record = store.get(key, now)
    if record is None or record.value["due"] != payload["due"]:
        return  # ended, or checked already
    claim = store.claim(key, owner, now, now + _LEASE, now + FOR_EVER)
    if not claim.won:
        turn.again(claim.until - now + 1)
    after = claim.value
    try:
        if after.get("due") == payload["due"]:
            after = _checked(answering, turn, expected_from(after)).value()
    except UsageError:
        log.error("an expectation of another version is left alone: %s", key)
    finally:
        if after:
            store.mark(key, owner, after, 0.0)
        else:
            store.delete(key)  # ended since it was read


def _checked(answering: Answering, turn: Turn, one: Expected) -> Expected:
    """The expectation as it stands after the check: with its next due time, or the same where it is to be retried."""
    now = answering.now
    due = one.expectation.due_by(datetime.fromtimestamp(now, UTC), one.zone)
    since = one.expectation.due_before(due, one.zone)
    skipped = one.expectation.dues(datetime.fromtimestamp(one.due, UTC), due, one.zone)
    late = now - due.timestamp()
    wish, limit = one.expectation, answering.admissions.limit_of(one.channel_id)
    try:
        limit.refuse_wish(wish.commands, wish.regions, wish.accounts)
    except NotAllowed:
        return replace(one, due=one.next_after(now), last="not checked, since this channel may not be shown it")
    cloud, fanout = answering.calls(turn)
    found = _Reading(cloud, fanout, wish, since.timestamp()).check(_places(answering, wish, limit))
    if found.failed and late < _TRIED:
        log.warning("check is tried again: %s: %s", one.key, "; ".join(found.check.unread))
        return one
    after = replace(one, due=one.next_after(now), last=_last(found.check))
    if not (found.check.missing or found.check.unread or skipped):
        return after
    told = unmet.message(one.told, found.check, due, since, late if late >= _LATE else 0.0, skipped)
    _tell(answering, turn, one, told, found.check, due.timestamp())
    if not (found.check.missing or found.check.unread):
        return after
    return replace(after, missed_at=due.timestamp(), missing=len(found.check.missing))


def _places(answering: Answering, wish: Expectation, limit: Limit) -> Sequence[str]:
    """Where the wish is about; a region that it names is looked at although it is not configured."""
    ours = answering.settings.regions
    named = places.meant(wish.accounts, wish.regions, ours)
    return limit.among(named or [one for one in ours if places.within(one, wish.accounts, ())])


def _last(found: Check) -> str:
    if not found.total:
        return _("could not be checked")
    if not found.missing:
        fine = _("all {count} fine", count=f"{found.total:,}")
        return joined([fine, *([_("as far as was read")] if found.unread else [])])
    return _("{count} of {total} missed it", count=f"{len(found.missing):,}", total=f"{found.total:,}")


def _tell(answering: Answering, turn: Turn, one: Expected, message: Message, found: Check, due: float) -> None:
    """A message of its own each time, which rings whom the expectation names."""
    now, story = answering.now, f"expectation-{one.expectation.key}-{int(due)}"
    rings = [one.expectation.ring] if one.expectation.ring else []
    news = News(
        WELL,  # nothing follows: a later run that makes it good is a run as others are
        int(now * 1000),
        due,
        story,
        instances=tuple(instance.id for instance in found.missing),
        names=tuple(instance.name or instance.id for instance in found.missing)[:MOST_NAMES],
        line=message.text.split("\n", 1)[0],
    )
    about = one.expectation.commands
    rung = notices.ringing(notices.with_menu(message, quiet.about(about), answering.settings, now), rings)
    turn.follow(notices.job(one.channel_id, story, news, rung, now, wishes=[one.key], commands=about), 0)


@dataclass(frozen=True, slots=True)
class _Found:
    check: Check
    failed: bool


class _Reading:
    """What of the API one check needs: instances, runs of the command, and results where those do not say enough."""

    def __init__(self, cloud: CloudAssistant, fanout: Fanout, one: Expectation, since: float) -> None:
        self._cloud, self._fanout, self._one, self._since = cloud, fanout, one, since
        self._unread: list[str] = []
        self._failed = False

    def check(self, regions: Sequence[str]) -> _Found:
        instances = self._instances(regions)
        runs = self._runs(list(dict.fromkeys(one.region for one in instances)))
        silent = {region for region, some in runs.items() if some is None}
        known = [one for one in instances if one.region not in silent]
        invocations = [run for some in runs.values() for run in some or ()]
        results = self._results(known, invocations)
        made = {run.id: run.created.timestamp() if run.created else 0.0 for run in invocations if not run.is_schedule}
        rows = unmet.rows(invocations, results)
        return _Found(unmet.judged(known, rows, made, self._since, self._unread), self._failed)

    def _together(self, calls: Mapping[Any, Callable[[], Any]], text: str) -> Mapping[Any, Any]:
        gathered = self._fanout.together(calls)
        for key, error in gathered.failed.items():
            region = key[0]
            self._failed = True
            self._unread.append(_(text, region=region, reason=error.reason))
        self._unread = list(dict.fromkeys(self._unread))
        return gathered.replies

    def _instances(self, regions: Sequence[str]) -> list[Instance]:
        tags = [{"Key": key, "Value": value} if value else {"Key": key} for key, value in self._one.tags]
        named: list[dict[str, Any]] = [
            {"InstanceIds": json.dumps([name])} if name.startswith("i-") and "*" not in name else {"InstanceName": name}
            for name in self._one.instances
        ]
        calls = {
            (region, number): partial(
                self._cloud.instances, region, {**some, **({"Tag": tags} if tags else {})}, _MOST_INSTANCES
            )
            for region in regions
            for number, some in enumerate(named or [{}])
        }
        replies = self._together(calls, N_("Instances in {region} could not be read: {reason}."))
        found = {one.id: one for some in replies.values() for one in some}
        full = sorted({region for (region, _), some in replies.items() if len(some) == _MOST_INSTANCES})
        self._unread += [
            _("Only the first {count} instances in {region} were checked.", count=f"{_MOST_INSTANCES:,}", region=region)
            for region in full
        ]
        if not found and not self._unread:
            text = N_("No instance with {where} in {regions}; or I may lack the right ecs:DescribeInstances.")
            self._unread.append(_(text, where=self._one.where, regions=listed(regions)))
        return list(found.values())

    def _runs(self, regions: Sequence[str]) -> dict[str, list[Invocation] | None]:
        """The runs of the command in each region, schedules among them; None where they could not be read."""
        calls: dict[tuple[str, ...], Callable[[], tuple[list[Invocation], bool]]] = {}
        for region in regions:
            for command in self._one.commands:
                chosen = _chosen(command)
                since = self._since - _LOOKED_BACK
                calls[region, command, "runs"] = partial(
                    self._cloud.invocations_since, region, chosen, since, _MOST_RUNS
                )
                for mode in ("Period", "EveryReboot"):
                    calls[region, command, mode] = partial(
                        self._cloud.invocations_since, region, {**chosen, "RepeatMode": mode}, 0.0, _MOST_SCHEDULES
                    )
        replies = self._together(calls, N_("Runs in {region} could not be read: {reason}."))
        runs: dict[str, list[Invocation] | None] = dict.fromkeys(regions)
        for region in {key[0] for key in calls} - {key[0] for key in calls if key not in replies}:
            mine = [(key, reply) for key, reply in replies.items() if key[0] == region]
            runs[region] = list({run.id: run for key, reply in mine for run in reply[0] if _is(run, key[1])}.values())
            self._unread += [
                _("Older runs in {region} were not read.", region=region) for _key, (_runs, more) in mine[:1] if more
            ]
        return runs

    def _results(self, instances: Sequence[Instance], runs: Sequence[Invocation]) -> list[Any]:
        """Results of the runs that may show what is missing: a schedule's earlier repeats, an exit code."""
        rows = unmet.rows(runs, ())
        good = {row.result.instance_id for row in rows if unmet.is_good(row, self._since)}
        open_ones = {one.id for one in instances} - good
        wanted = [run for run in runs if _says_too_little(run, open_ones)]
        if len(wanted) > _MOST_READ:
            left = len(wanted) - _MOST_READ
            self._unread.append(
                counted("Results of {count} run were not read.", "Results of {count} runs were not read.", left)
            )
        calls = {
            (run.region, run.id): partial(
                self._cloud.invocation_results,
                run.region,
                {"InvokeId": run.id, **({"IncludeHistory": "true"} if run.is_schedule else {})},
                _MOST_ROWS,
            )
            for run in wanted[:_MOST_READ]
        }
        return [
            row
            for some in self._together(calls, N_("Results in {region} could not be read: {reason}.")).values()
            for row in some
        ]


def _chosen(command: str) -> dict[str, str]:
    """The API compares whole names; a pattern is compared here."""
    if any(character in command for character in "*?["):
        return {}
    return {"CommandId": command} if command.startswith("c-") else {"CommandName": command}


def _is(run: Invocation, command: str) -> bool:
    return like(command, run.command_name, run.command_id)


def _says_too_little(run: Invocation, open_ones: set[str]) -> bool:
    """Of a schedule only the last repeat is known; and a success may come without its exit code."""
    mine = [one for one in run.targets if one.instance_id in open_ones]
    return bool(mine) and (run.is_schedule or any(one.status == "Success" and one.exit_code is None for one in mine))
