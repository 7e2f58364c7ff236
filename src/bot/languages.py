"""Which language: `BOT_LANGUAGE` for what a channel sees, a person's own for what only they see.

A catalogue is `locale/LANGUAGE/LC_MESSAGES/bot.mo`, which `make texts` compiles from the `.po` beside it. English
needs none: a cold start reads none.
"""

from __future__ import annotations

import os
from functools import cache

from bot.core.texts import Catalogue

LANGUAGES = ("en", "zh")
_LOCALE = os.path.join(os.path.dirname(__file__), "locale")


@cache
def catalogue(language: str) -> Catalogue | None:
    """None for English."""
    if language == "en":
        return None
    import gettext  # only where a catalogue is read: a cold start pays for every import

    with open(os.path.join(_LOCALE, language, "LC_MESSAGES", "bot.mo"), "rb") as file:
        return gettext.GNUTranslations(file)


def language_of(locale: object, default: str) -> str:
    """The language of a Slack locale such as `zh-CN`; `default` where there is no catalogue for it.

    Source: Slack's users.info with `include_locale`, an IETF language tag.
    """
    language = str(locale or "").split("-")[0].lower()
    return language if language in LANGUAGES else default
