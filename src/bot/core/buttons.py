"""What can be pressed under an answer: at most five buttons and a menu, each time in the same place.

Every button carries the question (see `handles`). Texts name the act; accessibility labels name what it acts on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.core import blocks as b
from bot.core.blocks import Block
from bot.core.handles import MOST_BLOCK_ID, MOST_VALUE
from bot.core.modal import OUTPUTS
from bot.core.texts import N_, _

MOST_URL = 3_000
ON_IT, COPY, REFRESH, WATCH, CONSOLE, MORE = "on_it", "copy", "refresh", "watch", "console", "more"
LOOK, FILE, DIFF, SHARE, TAKE_BACK = "look", "file", "diff", "share", "take_back"


@dataclass(frozen=True, slots=True)
class Act:
    """What a button is called, and what `help` says of it: texts that are said later."""

    text: str
    says: str


# In the order in which they stand.
ACTS = {
    ON_IT: Act(N_("I'm on it"), N_("your name and the time on the answer, for all to see; pressed again, Let go")),
    OUTPUTS: Act(N_("Outputs"), N_("every output whole: pick a group or an instance, filter its lines, page")),
    FILE: Act(N_("As file"), N_("all outputs in full, as a file in the thread")),
    COPY: Act(N_("Copy failed ids"), N_("as a list, as aliyun command lines and as CSV; only you see them")),
    REFRESH: Act(N_("Refresh"), N_("the answer as it is now, in place; under a watch that stood still, it goes on")),
    WATCH: Act(N_("Watch"), N_("the run to its end in one message; you are mentioned if something failed")),
    CONSOLE: Act(N_("Console"), N_("the same in the console")),
    DIFF: Act(N_("Diff with last run"), N_("what is different from the last run of the same command")),
    SHARE: Act(N_("Share with the channel"), N_("what only you see")),
    TAKE_BACK: Act(N_("Take back"), N_("deletes an answer with its replies and files; for who asked, and operators")),
}
MUTE_HOUR, MUTE_NIGHT = "mute_hour", "mute_night"
MUTES: dict[str, tuple[str, tuple[str, ...]]] = {  # what the menu of a notice offers, and the words that it stands for
    MUTE_HOUR: (N_("Mute 1 h"), ("1h",)),
    MUTE_NIGHT: (N_("Mute until tomorrow 09:00"), ("until", "tomorrow", "09:00")),
}
_MUTING = [(text, act) for act, (text, _words) in MUTES.items()]


@dataclass(frozen=True, slots=True)
class Pressable:
    """What the buttons of one answer act on.

    `value` is the packed handle; `subject` what people call it. `going` decides whether it can be watched, `failed`
    whether there are ids to copy, `outputs` whether there is output to open, `file` whether a file of it is offered
    beside that, `takeable` whether somebody can be on it, `diff` whether there are runs to compare, `notice` whether
    nobody has asked for it, so that more of its kind can be muted.
    """

    value: str
    subject: str
    private: bool = False
    going: bool = False
    failed: bool = False
    outputs: bool = True
    takeable: bool = True
    taken: bool = False
    file: bool = False
    diff: bool = False
    notice: bool = False
    console_url: str = ""


def actions(on: Pressable) -> list[Block]:
    """The block of buttons; none where the question is too long to be carried."""
    if b.width(on.value) > MOST_VALUE:
        return []
    linked = not on.going and 0 < len(on.console_url) <= MOST_URL
    shown = {
        ON_IT: on.takeable,
        OUTPUTS: on.outputs,
        FILE: on.file and not on.takeable,  # Slack would take six, but people do not
        COPY: on.failed,
        REFRESH: True,
        WATCH: on.going,
        CONSOLE: linked,
    }
    elements = [_button(on.value, on.subject, act) for act, there in shown.items() if there]
    if on.takeable and on.taken:
        elements[0] = _button(on.value, on.subject, ON_IT, N_("Let go"))
    if linked:
        elements[-1]["url"] = on.console_url
    block: Block = {"type": "actions", "elements": elements}
    if b.width(on.value) <= MOST_BLOCK_ID:
        block["block_id"] = on.value
        elements.append(_menu(on))
    return [block]


def look(value: str, subject: str) -> list[Block]:
    """The one button under a watch: it looks out of turn, and revives a watch that stood still."""
    if b.width(value) > MOST_VALUE:
        return []
    return [{"type": "actions", "elements": [_button(value, subject, LOOK, ACTS[REFRESH].text)]}]


def notice_menu(value: str) -> list[Block]:
    """The menu under a notice that is not of runs; none where what it mutes is too long to be carried."""
    if b.width(value) > MOST_BLOCK_ID:
        return []
    return [
        {"type": "actions", "block_id": value, "elements": [_overflow([(ACTS[TAKE_BACK].text, TAKE_BACK), *_MUTING])]}
    ]


def _button(value: str, subject: str, action_id: str, text: str = "") -> Block:
    text = _(text or ACTS[action_id].text)
    return {
        "type": "button",
        "action_id": action_id,
        "text": {"type": "plain_text", "text": text, "emoji": False},
        "value": value,
        "accessibility_label": b.plain(_("{what}: {told}", what=text, told=subject), 75),
    }


def _menu(on: Pressable) -> Block:
    """A private answer can be shared, a public one taken back."""
    acts = [*([DIFF] if on.diff else []), SHARE if on.private else TAKE_BACK]
    return _overflow([*((ACTS[act].text, act) for act in acts), *(_MUTING if on.notice else [])])


def _overflow(entries: Iterable[tuple[str, str]]) -> Block:
    """Texts, still to be said, and what each stands for. Slack takes no accessibility label on a menu."""
    options = [{"text": {"type": "plain_text", "text": _(text), "emoji": False}, "value": act} for text, act in entries]
    return {"type": "overflow", "action_id": MORE, "options": options}
