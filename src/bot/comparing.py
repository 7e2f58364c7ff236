"""Runs beside the last runs of the same command on the same instances: what is read for it, and what cannot be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.core import differences, wording
from bot.core.differences import Compared
from bot.core.errors import NotFound
from bot.core.history import befores
from bot.core.model import Invocation
from bot.core.question import Question
from bot.core.texts import _, counted
from bot.earlier import Earlier
from bot.filters import abbreviated, names_targets
from bot.lookup import MOST_HISTORY, Found, Lookup

MOST_LAST = 20  # last runs of the instances of one run
READ_LAST, READ_EACH = 3, 1  # of these, how many are read with outputs: for a few runs asked about, for many
A_FEW = 5


def compared(lookup: Lookup, question: Question) -> tuple[Found, list[Compared]]:
    """Each run that the question names beside its last run. Raises NotFound where no run has an earlier one."""
    found = lookup.invocations(question)
    plain = [run for run in found.invocations if not run.is_schedule]
    earlier = lookup.earlier_runs.search(plain)
    told = [*_runs(lookup, question, found, plain, earlier), *_schedules(found)]
    if any(one.against for one in told):
        order = [run.id for run in found.invocations]
        return found, sorted(told, key=lambda one: order.index(one.run.id))
    for one in earlier.values():
        if one.error is not None:
            raise one.error
    raise NotFound(lambda: "\n".join([*(note for one in told for note in one.notes), *found.notes]))


def _runs(
    lookup: Lookup, question: Question, found: Found, runs: Sequence[Invocation], earlier: Mapping[str, Earlier]
) -> list[Compared]:
    last = {run.id: differences.last_runs(run, earlier[run.id].runs, MOST_LAST) for run in runs}
    most = READ_LAST if len(runs) <= A_FEW else READ_EACH
    to_read = {one.id: one for some in last.values() for one in some[:most]}
    asked = {target.instance_id for run in found.invocations for target in run.targets}
    unnamed: dict[str, set[str]] = {}
    for one in to_read.values():
        others = {target.instance_id for target in one.targets} - asked
        if others and not names_targets(question):
            unnamed.setdefault(one.region, set()).update(others)
    whole = lookup.earlier_runs.whole(to_read.values(), unnamed)
    return [
        replace(
            differences.of_run(
                run,
                last[run.id],
                [*(row for row in found.results if row.invoke_id == run.id), *whole.results],
                {**found.instances, **whole.instances},
                befores(earlier[run.id].runs, complete=earlier[run.id].complete),
                whole.read,
                None if names_targets(question) else asked,
            ),
            notes=tuple(_notes(run, earlier[run.id], last[run.id], whole.read)),
        )
        for run in runs
    ]


def _notes(run: Invocation, earlier: Earlier, last: Sequence[Invocation], read: frozenset[str]) -> list[str]:
    if not last:
        return [_nothing(run, earlier)]
    unread = [one.id for one in last if one.id not in read]
    if not unread:
        return []
    return [_("Outputs of {runs} were not read, so they are not compared.", runs=abbreviated(unread, "run"))]


def _nothing(run: Invocation, earlier: Earlier) -> str:
    """That there is nothing to compare with, and what was searched."""
    what = wording.name(run.command_name or run.command_id or run.id, 40)
    if earlier.error is not None:
        code = earlier.error.reason
        return _("The earlier runs of {what} could not be read ({code}).", what=what, code=code)
    return _(
        "No earlier run of {what} on the instances of {run} in {region}: {looked}, {bounds}.",
        what=what,
        run=run.id,
        region=run.region,
        looked=counted(
            "I looked through {count} other run by its name and id",
            "I looked through {count} other runs by its name and id",
            earlier.searched,
        ),
        bounds=_("all that Cloud Assistant still lists") if earlier.complete else _("the newest"),
    )


def _schedules(found: Found) -> list[Compared]:
    told = []
    for run in found.invocations:
        if run.is_schedule:
            rows = [row for row in found.results if row.invoke_id == run.id]
            one = differences.of_schedule(run, rows, found.instances, complete=len(rows) < MOST_HISTORY)
            note = _(
                "The schedule {run} has not ended twice on any instance, so there is nothing to compare.", run=run.id
            )
            told.append(one if one.against else replace(one, notes=(note,)))
    return told
