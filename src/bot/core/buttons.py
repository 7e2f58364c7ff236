"""What can be pressed under an answer: at most five buttons and a menu, each time in the same place.

Every button carries the question (see `handles`). Texts name the act; accessibility labels name what it acts on.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.core import blocks as b
from bot.core.blocks import Block
from bot.core.handles import MOST_BLOCK_ID, MOST_VALUE
from bot.core.modal import OUTPUTS

MOST_URL = 3_000
ON_IT, COPY, REFRESH, WATCH, CONSOLE, MORE = "on_it", "copy", "refresh", "watch", "console", "more"
SHARE, TAKE_BACK = "share", "take_back"
MUTE_HOUR, MUTE_NIGHT = "mute_hour", "mute_night"
MUTES: dict[str, tuple[str, tuple[str, ...]]] = {  # what the menu of a notice offers, and the words that it stands for
    MUTE_HOUR: ("Mute 1 h", ("1h",)),
    MUTE_NIGHT: ("Mute until tomorrow 09:00", ("until", "tomorrow", "09:00")),
}


@dataclass(frozen=True, slots=True)
class Pressable:
    """What the buttons of one answer act on.

    `value` is the packed handle; `subject` what people call it. `going` decides whether it can be watched, `failed`
    whether there are ids to copy, `outputs` whether there is output to open, `takeable` whether somebody can be on it,
    `notice` whether nobody has asked for it, so that more of its kind can be muted.
    """

    value: str
    subject: str
    private: bool = False
    going: bool = False
    failed: bool = False
    outputs: bool = True
    takeable: bool = True
    taken: bool = False
    notice: bool = False
    console_url: str = ""


def actions(on: Pressable) -> list[Block]:
    """The block of buttons; none where the question is too long to be carried."""
    if b.width(on.value) > MOST_VALUE:
        return []
    elements = [_button(on, ON_IT, "Let go" if on.taken else "I'm on it")] if on.takeable else []
    if on.outputs:
        elements.append(_button(on, OUTPUTS, "Outputs"))
    if on.failed:
        elements.append(_button(on, COPY, "Copy failed ids"))
    elements.append(_button(on, REFRESH, "Refresh"))
    if on.going:
        elements.append(_button(on, WATCH, "Watch"))
    elif 0 < len(on.console_url) <= MOST_URL:
        elements.append({**_button(on, CONSOLE, "Console"), "url": on.console_url})
    block: Block = {"type": "actions", "elements": elements}
    if b.width(on.value) <= MOST_BLOCK_ID:
        block["block_id"] = on.value
        elements.append(_menu(on))
    return [block]


def _button(on: Pressable, action_id: str, text: str) -> Block:
    return {
        "type": "button",
        "action_id": action_id,
        "text": {"type": "plain_text", "text": text, "emoji": False},
        "value": on.value,
        "accessibility_label": b.plain(f"{text}: {on.subject}", 75),
    }


def _menu(on: Pressable) -> Block:
    """A private answer can be shared, a public one taken back. Slack takes no accessibility label on a menu."""
    entries = [("Share with the channel", SHARE) if on.private else ("Take back", TAKE_BACK)]
    entries += [(text, value) for value, (text, _) in MUTES.items()] if on.notice else []
    options = [
        {"text": {"type": "plain_text", "text": text, "emoji": False}, "value": value} for text, value in entries
    ]
    return {"type": "overflow", "action_id": MORE, "options": options}
