"""`whoami`, an entry of the table in `orders`, which must be loaded with it."""

from __future__ import annotations

from bot.core import whoami
from bot.core.blocks import Message
from bot.core.texts import N_
from bot.orders import Asked, order


@order("whoami", "whoami", N_("what you may do here, and what this channel may see"), alone=True)
def tell(asked: Asked) -> Message:
    settings = asked.answering.settings
    return whoami.message(
        whoami.Rights(
            by=asked.by,
            readers=bool(settings.readers),
            channels=bool(settings.channels),
            operator=asked.by.user_id in settings.operators,
            regions=asked.by.limit.among(settings.regions),
        )
    )
