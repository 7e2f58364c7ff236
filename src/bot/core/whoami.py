"""`whoami`: what a person may do, and what the channel may see, as the settings have it now."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core import messages, wording
from bot.core.access import Admission, only
from bot.core.blocks import Message
from bot.core.texts import _, listed


@dataclass(frozen=True, slots=True)
class Rights:
    """`readers`, `channels`: whether the settings name some; else every member, every channel."""

    by: Admission
    readers: bool
    channels: bool
    operator: bool
    regions: tuple[str, ...]


def message(rights: Rights) -> Message:
    by = rights.by
    who = _("You are {name} ({id}).", name=wording.name(by.name), id=by.user_id)
    return messages.sentence("\n".join([who, *_may(rights)]))


def _may(rights: Rights) -> list[str]:
    by = rights.by
    among = _("you are among BOT_READERS") if rights.readers else _("every member of this workspace may")
    where = _("in the channels that BOT_CHANNELS names") if rights.channels else _("in every channel of your own")
    regions = _("Shown is what ran in {regions}, and elsewhere when asked.", regions=listed(rights.regions))
    return [
        _(
            "You may ask about runs here, and press what stands under answers: {among}, {where}.",
            among=among,
            where=where,
        ),
        only(by.limit) if by.limit else regions,
        by.why_private or _("Others here see my answers; write private to keep one to yourself."),
        _("You are an operator: you may see what is masked, and take back anyone's answer.")
        if rights.operator
        else _(
            "You are no operator (BOT_OPERATORS): what is masked stays so, and you take back only your own answers."
        ),
    ]
