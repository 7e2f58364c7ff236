"""The modal that shows whole outputs: pick a group or an instance, filter its lines, page through it.

The view carries its own state in `private_metadata` (3,000 characters, Slack's limit): the packed question, what is
picked, the filter and the page. Output stands only in preformatted text. Secrets are masked; an operator may have
them shown, in the modal alone, which nobody else sees.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.core import blocks as b
from bot.core import parts, wording
from bot.core.blocks import Block
from bot.core.modal import View, modal, told
from bot.core.output import Output
from bot.core.summary import Group, Row, Summary
from bot.core.texts import N_, _, counted, pgettext

PICK, FILTER, PREVIOUS, NEXT, AS_FILE, REVEAL, HIDE = (
    "outputs_pick",
    "outputs_filter",
    "outputs_previous",
    "outputs_next",
    "outputs_file",
    "outputs_reveal",
    "outputs_hide",
)
MOST_METADATA = 3_000
_PAGE = 2_900  # characters of one page: Slack takes 3,000 in one element
_MOST_OPTIONS = 100
_MOST_FILTER = 200

Matcher = Callable[[str], bool]


class BadPattern(Exception):
    """The filter cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class State:
    """`picked` is the place of a group (`g0`) or an instance's run and id.

    `channel` and `thread` take the file, which belongs to the message `answer`. `revealed`: the secrets are shown.
    """

    handle: str
    picked: str = "g0"
    filter: str = ""
    page: int = 0
    channel: str = ""
    thread: str = ""
    answer: str = ""
    revealed: bool = False

    def packed(self) -> str:
        place = (self.channel, self.thread, self.answer)
        fields = [self.handle, self.picked, self.filter, self.page, *place, self.revealed]
        return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)

    @staticmethod
    def unpacked(text: str) -> State:
        return State(*json.loads(text))


@dataclass(frozen=True, slots=True)
class _Choice:
    """What can be picked: an output, whose it is, the menu's option, and what a reader must know of it."""

    output: Output
    rows: Sequence[Row]
    names: str
    option: Block
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Filtered:
    """Lines of an output, of how many; `problem` where the filter cannot be used."""

    lines: Sequence[str]
    of: int
    problem: str = ""


def view(summary: Summary, state: State, matches: Callable[[str], Matcher], *, operator: bool = False) -> View:
    """The modal for this state. `matches` turns a filter into a test of a line, or raises BadPattern. `operator`: for
    somebody who may see secrets; for others they are masked whatever the state says.

    What was picked may be gone, and the page too: then the first group is shown, or the last page.
    """
    choices = _choices(summary.groups)
    if not choices:
        return told(_("There are no results yet, so there is no output to show."))
    picked = state.picked if state.picked in choices else "g0"
    choice = choices[picked]
    text, secrets = summary.masked.shown(choice.output.text)
    revealed = state.revealed and operator and secrets > 0
    text = choice.output.text if revealed else text
    wanted = state.filter[:_MOST_FILTER]
    filtered = _filtered(text.split("\n") if text else [], wanted, matches)
    in_pages = pages("\n".join(filtered.lines))
    page = min(max(0, state.page), len(in_pages) - 1)
    state = replace(state, picked=picked, filter=wanted, page=page, revealed=state.revealed and operator)
    notes = parts.output_notes(choice.output, 0 if revealed else secrets, choice.rows, choice.notes)
    output = [
        *([b.context(b.mrkdwn(filtered.problem, 500))] if filtered.problem else []),
        b.rich_text(b.preformatted(_shown(in_pages[page], filtered)), *notes),
        b.context(b.mrkdwn(_about(choice, filtered, page, len(in_pages)), b.MOST_CONTEXT)),
        *([b.context(_(_REVEALED))] if revealed else []),
    ]
    packed = state.packed()
    if b.width(packed) > MOST_METADATA:
        return modal([b.context(_(_TOO_LONG)), *output])
    secret = _secrets_button(revealed, secrets) if operator and secrets else []
    shown = [*_picker(choices, state), _filter(state), *output, _paging(page, len(in_pages), secret)]
    # Slack wants a submit button where there is an input; it closes the modal, as Close does.
    return {**modal(shown, packed), "submit": {"type": "plain_text", "text": _("Done")}}


_REVEALED = N_("Secrets are shown, to you alone; that you saw them is in my log. The file has them masked.")
_TOO_LONG = N_(
    "This question is too long to page: Slack carries no more than 3,000 characters with a modal. "
    "Here is the beginning; ask for fewer things at once to see the rest."
)


def _choices(groups: Sequence[Group]) -> Mapping[str, _Choice]:
    """By the value that picks it: all groups, then the instances of those that have several."""
    found = {}
    titles = [wording.title(group) for group in groups]
    for number, group in enumerate(groups):
        names = wording.members(group.rows, 70).replace("\n", pgettext("between things", ", "))
        option = _option(titles[number], names, f"g{number}")
        found[f"g{number}"] = _Choice(group.output, group.rows, names, option, wording.differs(group))
    for title, group in zip(titles, groups, strict=True):
        for row in group.rows if group.count > 1 else ():
            name, key = wording.name(row.name), b.clip(f"{row.result.invoke_id}/{row.result.instance_id}", 150)
            found.setdefault(key, _Choice(row.output, (row,), name, _option(name, title, key)))
    return found


def _option(text: str, description: str, value: str) -> Block:
    """Plain text; control characters of Slack's are replaced as in a header."""
    return {
        "text": {"type": "plain_text", "text": b.plain(text, 75), "emoji": False},
        "description": {"type": "plain_text", "text": b.plain(description, 75), "emoji": False},
        "value": value,
    }


def _filtered(lines: Sequence[str], wanted: str, matches: Callable[[str], Matcher]) -> _Filtered:
    """The lines with what is wanted; all of them where the filter cannot be used."""
    if not wanted:
        return _Filtered(lines, len(lines))
    try:
        test = matches(wanted)
        return _Filtered([line for line in lines if test(line)], len(lines))
    except BadPattern as error:
        return _Filtered(lines, len(lines), str(error))


def _picker(choices: Mapping[str, _Choice], state: State) -> list[Block]:
    """A menu of as much as Slack takes, what is picked among it; the rest is counted."""
    options = [choice.option for choice in choices.values()]
    picked = choices[state.picked].option
    shown = options[:_MOST_OPTIONS]
    if picked not in shown:
        shown[-1] = picked
    menu: Block = {
        "type": "actions",
        "block_id": f"pick-{state.page}-{len(state.filter)}",
        "elements": [
            {
                "type": "static_select",
                "action_id": PICK,
                "placeholder": {"type": "plain_text", "text": _("A group or an instance")},
                "options": shown,
                "initial_option": picked,
            }
        ],
    }
    left = len(options) - len(shown)
    if not left:
        return [menu]
    return [menu, b.context(_("The menu has no room for {count} more; the file has all outputs.", count=f"{left:,}"))]


def _filter(state: State) -> Block:
    return {
        "type": "input",
        "block_id": "filter",
        "dispatch_action": True,
        "optional": True,
        "label": {"type": "plain_text", "text": _("Only lines with this text, or /regular expression/; press Enter")},
        "element": {
            "type": "plain_text_input",
            "action_id": FILTER,
            "max_length": _MOST_FILTER,
            **({"initial_value": state.filter} if state.filter else {}),
            "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
        },
    }


def pages(text: str) -> list[str]:
    """The text in pieces that one element takes, none of it lost: whole lines as far as they fit, a longer line cut.

    A page that ends with a line has its line end, which is not shown and needs no room.
    """
    found = [""]
    while text:
        page = _beginning(text)
        if text.startswith("\n", len(page)):
            page += "\n"
        elif len(page) < len(text):
            whole_lines = page[: page.rfind("\n") + 1]
            page = whole_lines if whole_lines.strip() else page
        found.append(page)
        text = text[len(page) :]
    return found[1:] or found


def _beginning(text: str) -> str:
    """As much as one page takes; a character is at most two units wide, so half of what is over goes each time."""
    text = text[:_PAGE]
    while (over := b.width(text) - _PAGE) > 0:
        text = text[: -((over + 1) // 2)]
    return text


def _shown(page: str, filtered: _Filtered) -> str:
    """A page without the line end that the page's own end shows; in words what has nothing to see."""
    if page.strip():
        return page.removesuffix("\n")
    if not filtered.of:
        return _("(no output)")
    return _("(only blank lines)") if filtered.lines else _("(no line matches)")


def _about(choice: _Choice, filtered: _Filtered, page: int, pages: int) -> str:
    matching = f"{len(filtered.lines):,}"
    if len(filtered.lines) < filtered.of:
        lines = counted("{matching} of {count} line", "{matching} of {count} lines", filtered.of, matching=matching)
    else:
        lines = counted("{count} line", "{count} lines", filtered.of)
    told = [choice.names, lines]
    told += [_("page {page} of {pages}", page=f"{page + 1:,}", pages=f"{pages:,}")] if pages > 1 else []
    return " · ".join(told)


def _secrets_button(revealed: bool, secrets: int) -> list[Block]:
    if revealed:
        return [_button(HIDE, _("Mask secrets"), _("Mask the secrets again"))]
    label = counted(
        "Show masked: {count} secret, to me alone; it is logged",
        "Show masked: {count} secrets, to me alone; it is logged",
        secrets,
    )
    return [_button(REVEAL, _("Show masked"), label)]


def _paging(page: int, pages: int, secret: Sequence[Block]) -> Block:
    """Buttons are left out where they lead nowhere; the file is always there."""
    elements = []
    if page > 0:
        label = _("Previous page, {page} of {pages}", page=f"{page:,}", pages=f"{pages:,}")
        elements.append(_button(PREVIOUS, _("Previous page"), label))
    if page + 1 < pages:
        label = _("Next page, {page} of {pages}", page=f"{page + 2:,}", pages=f"{pages:,}")
        elements.append(_button(NEXT, _("Next page"), label))
    elements.append(_button(AS_FILE, _("As file"), _("All outputs as a file in the thread")))
    return {"type": "actions", "block_id": f"paging-{page}-{pages}", "elements": [*elements, *secret]}


def _button(action_id: str, text: str, label: str) -> Block:
    return {
        "type": "button",
        "action_id": action_id,
        "text": {"type": "plain_text", "text": text, "emoji": False},
        "accessibility_label": label,
    }
