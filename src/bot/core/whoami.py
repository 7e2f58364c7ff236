"""`whoami`: what a person may do, and what the channel may see, as the settings have it now."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core import messages, wording
from bot.core.access import Admission, only
from bot.core.blocks import Message


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
    return messages.sentence("\n".join([f"You are {wording.name(by.name)} ({by.user_id}).", *_may(rights)]))


def _may(rights: Rights) -> list[str]:
    by = rights.by
    among = "you are among BOT_READERS" if rights.readers else "every member of this workspace may"
    everywhere = "in the channels that BOT_CHANNELS names" if rights.channels else "in every channel of your own"
    return [
        f"You may ask about runs here, and press what stands under answers: {among}, {everywhere}.",
        only(by.limit) if by.limit else f"Shown is what ran in {', '.join(rights.regions)}, and elsewhere when asked.",
        by.why_private or "Others here see my answers; write private to keep one to yourself.",
        "You are an operator: you may see what is masked, and take back anyone's answer."
        if rights.operator
        else "You are no operator (BOT_OPERATORS): what is masked stays so, and you take back only your own answers.",
    ]
