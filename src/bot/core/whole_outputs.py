"""Whole outputs: as the message that `output t-… i-…` answers, and as the text that *As file* uploads.

Output stands only in preformatted text, in pieces that Slack takes.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.core import blocks as b
from bot.core import messages, outputs, parts, spoken, wording
from bot.core.blocks import Block, Message
from bot.core.masking import Masked
from bot.core.messages import MOST_LINE, Frame
from bot.core.output import excerpt
from bot.core.summary import Group, Summary
from bot.core.texts import N_, _, pgettext, stop

MOST_GROUPS = 10
_ROOM = 8_500  # characters of all outputs: with titles, notes and buttons a message stays under 12,000
_LINES = 100_000  # of one excerpt: here only characters count
_CUT = N_("Not all of it has room in one message: Outputs shows every line, As file brings the whole into the thread.")


def message(summary: Summary, subject: str, frame: Frame, actions: Sequence[Block], *, by_run: bool = False) -> Message:
    """Each group's output, whole as far as there is room; what did not succeed comes first. `by_run` as in results."""
    regions = [row.result.region for row in summary.rows]
    counts = wording.counts(summary, of_runs=by_run)
    what, where = wording.name(subject, 40), wording.where(regions)
    head = _("{counts}: outputs of {what}, {where}", counts=counts, what=what, where=where)
    masked = summary.masked
    shown, left = summary.groups[:MOST_GROUPS], summary.groups[MOST_GROUPS:]
    sections, cut = _sections(shown, masked)
    notes = (*frame.notes, *([_(_CUT)] if cut or left else []))
    text = spoken.text(b.clip(stop(head), MOST_LINE), summary, frame.zone, notes, masked)
    blocks = [
        b.header(b.clip(f"{wording.mark(summary)} {head}", MOST_LINE)),
        *sections,
        *_more(left),
        *messages.notes_block(notes),
        b.context(*messages.footer(summary, frame, by_run=by_run)),
    ]
    return b.within_limits(text, [*blocks, *actions])


def _sections(groups: Sequence[Group], masked: Masked) -> tuple[list[Block], bool]:
    """A block for each group, and whether some output was cut: what a short one leaves, the later ones get."""
    room, cut, sections = _ROOM, False, []
    for number, group in enumerate(groups):
        text, secrets = masked.shown(group.output.text)
        shown = _fitting(text, room // (len(groups) - number))
        cut = cut or shown != text
        room -= b.width(shown)
        sections.append(_section(group, shown, secrets))
    return sections, cut


def _fitting(text: str, most: int) -> str:
    """A character is at most two units wide, so half of what is cut always fits."""
    if b.width(text) <= most:
        return text
    room = most - 60  # for the line that names the cut
    shown = excerpt(text, _LINES, room)
    return shown if b.width(shown) <= most else excerpt(text, _LINES, room // 2)


def _section(group: Group, shown: str, secrets: int) -> Block:
    return b.rich_text(
        b.line(b.words(wording.title(group), bold=True)),
        b.line(b.words(wording.members(group.rows, 120).replace("\n", pgettext("between things", ", ")))),
        *(b.preformatted(page.removesuffix("\n")) for page in outputs.pages(shown)),
        *parts.output_notes(group.output, secrets, group.rows, wording.differs(group)),
    )


def _more(groups: Sequence[Group]) -> list[Block]:
    if not groups:
        return []
    rows = sum(group.count for group in groups)
    counted = {"groups": wording.more_groups(len(groups)), "results": wording.results(rows)}
    return [b.context(_("{groups}, {results}, not shown here.", **counted))]


def whole_text(summary: Summary) -> str:
    """All outputs in full, one section for each group: what *As file* uploads."""
    return "\n".join(_text(group, summary.masked) for group in summary.groups) or f"{_('(no results yet)')}\n"


def _text(group: Group, masked: Masked) -> str:
    text, secrets = masked.shown(group.output.text)
    notes = [*wording.differs(group), *wording.output_notes(group.output, secrets), *wording.oss_notes(group.rows)]
    addresses = [
        _("whole output of {instance} in OSS: {address}", instance=whose, address=address)
        for address, whose in wording.oss_addresses(group.rows)
    ]
    about = "\n".join([f"== {wording.title(group)}", wording.members(group.rows, 100_000), *notes, *addresses])
    return f"{about}\n\n{text or _('(no output)')}\n"
