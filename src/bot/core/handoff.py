"""What the next person needs in hand: the ids of what did not succeed, ready to copy in three forms.

The lines are for the vendor's own command line (`aliyun ecs …`): the bot itself changes nothing.
"""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Iterable, Sequence

from bot.core import blocks as b
from bot.core import places, wording
from bot.core.blocks import Block, Message
from bot.core.summary import BAD, Bucket, Group, Row, Summary
from bot.core.texts import N_, _, counted

_AT_ONCE = 50  # ids in one line, so that it can be pasted; InvokeCommand takes 100, StopInvocation 50
_MOST_ELEMENT = 2_900  # characters of one piece: Slack takes 3,000
_MOST_FORM = 4_500  # of one form: a hundred ids with their options fit
_MOST_FORMS = 11_000  # of all forms together, beside the headings
_STOP_CAVEAT = N_(
    "The vendor says: where the command runs already it goes on; where it has not begun it will not. "
    "Stopped instances are reported as failed (stopped)."
)


def failed_ids(summary: Summary) -> Message:
    """Ids as a list, as command lines, and as CSV; for a run that is going also the lines that would stop it.

    The CSV comes last: it is the longest, and gives way where room is short.
    """
    groups = list(summary.of(*BAD))
    rows = [row for group in groups for row in group.rows]
    ids, stop = _ids(rows), _stop(summary)
    forms = [
        (counted("{count} instance without success", "{count} instances without success", len(ids)), ids),
        (_("Run it again there"), _again(rows)),
        (_("Stop what is still going"), stop),
        ("CSV", csv_of(groups).split("\n") if rows else []),
    ]
    parts, room = [], _MOST_FORMS
    for heading, lines in forms:
        if lines:
            pieces = _pieces(lines, min(room, _MOST_FORM))
            room -= sum(map(b.width, pieces))
            parts.append(b.rich_text(b.line(b.words(heading, bold=True)), *map(b.preformatted, pieces)))
    if not parts:
        return Message(_("Nothing failed, and nothing is going: there is nothing to copy."))
    caveat: list[Block] = [b.context(_(_STOP_CAVEAT))] if stop else []
    return b.within_limits(b.escape(_("{counts}. Ids to copy.", counts=wording.counts(summary))), [*parts, *caveat])


def _ids(rows: Iterable[Row]) -> list[str]:
    """Each id once: on one instance several runs may have failed. A result may come without an id."""
    return list(dict.fromkeys(row.result.instance_id for row in rows if row.result.instance_id))


def _again(rows: Iterable[Row]) -> list[str]:
    """InvokeCommand works for kept commands; RunCommand makes others, which are gone: the API then says so."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.result.region, row.result.command_id), []).append(row)
    return [
        line
        for (region, command), some in groups.items()
        for line in _lines("InvokeCommand", region, f"--CommandId {shlex.quote(command) if command else 'c-…'}", some)
    ]


def _stop(summary: Summary) -> list[str]:
    groups: dict[tuple[str, str], list[Row]] = {}
    for group in summary.of(Bucket.GOING):
        for row in group.rows:
            groups.setdefault((row.result.region, row.result.invoke_id), []).append(row)
    return [
        line
        for (region, run), some in groups.items()
        for line in _lines("StopInvocation", region, f"--InvokeId {shlex.quote(run)}", some)
    ]


def _lines(action: str, place: str, options: str, rows: Iterable[Row]) -> list[str]:
    """Where places bear an account, it is taken for the name of a profile of the command line's."""
    ids, account = _ids(rows), places.account_of(place)
    command = f"aliyun ecs {action} --RegionId {shlex.quote(places.region_of(place))}"
    command += f" --profile {shlex.quote(account)}" if account else ""
    return [f"{command} {options} {_numbered(ids[at : at + _AT_ONCE])}" for at in range(0, len(ids), _AT_ONCE)]


def _numbered(ids: Iterable[str]) -> str:
    return " ".join(f"--InstanceId.{number} {shlex.quote(one)}" for number, one in enumerate(ids, 1))


def csv_of(groups: Iterable[Group]) -> str:
    """One line for each row, with a heading; names are quoted where they must be.

    Headings, ids, codes and reasons are the same in every language, for who sorts by them; the state is for who reads
    it. A reason is what `reason:` takes; one that is not proven bears a question mark.
    """
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(["instance_id", "name", "region", "state", "error_code", "exit_code", "reason"])
    for row, reason in ((row, _reason(group)) for group in groups for row in group.rows):
        one = row.result
        state = _(wording.WORDS[row.bucket])
        texts = [_cell(text) for text in (one.instance_id, row.name, one.region, state, one.error_code)]
        writer.writerow([*texts, "" if one.exit_code is None else one.exit_code, reason])
    return target.getvalue().rstrip("\n")


def _reason(group: Group) -> str:
    known = group.diagnosis
    return "" if known is None else known.reason.key if known.certain else f"{known.reason.key}?"


def _cell(text: str) -> str:
    """One line of text: a spreadsheet would take one that begins so for a formula."""
    shown = wording.name(text, 200)
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")) else shown


def _pieces(lines: Sequence[str], most: int) -> list[str]:
    """The lines that fit, in pieces that Slack takes; the others are counted, never dropped unsaid."""
    pieces = [""]
    room, left = most - 60, 0  # the count of the others takes less than 60
    for line in lines:
        width = b.width(line) + 1
        if width > min(room, _MOST_ELEMENT):
            left += 1
            continue
        room -= width
        if b.width(pieces[-1]) + width > _MOST_ELEMENT:
            pieces.append("")
        pieces[-1] += f"{line}\n"
    more = [_no_room(left)] if left else []
    return [*(piece.removesuffix("\n") for piece in pieces if piece), *more]


def _no_room(left: int) -> str:
    return counted("… {count} more line: no room in one message", "… {count} more lines: no room in one message", left)
