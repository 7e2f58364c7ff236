"""Sub-commands that leave something standing: what comes after their word, read or refused.

The door asks `check` before it acks, so that a mistake is told at once; the shell (`bot.orders`) reads the words again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from bot.core import daily, expectations, quiet, status, subscriptions
from bot.core.errors import UsageError
from bot.core.expectations import Expectation
from bot.core.question import ORDER_KEYS
from bot.core.subscriptions import Subscription
from bot.core.words import words_of


def _plain(key: str) -> str:
    return re.sub(r"[-_]", "", key.lower()).removesuffix("s")


_KEYS = {_plain(key): key for key in ORDER_KEYS}
_TYPED = frozenset({*ORDER_KEYS, *(f"{key}s" for key in ORDER_KEYS), *_KEYS})


def words(text: str) -> tuple[str, ...]:
    """The words after a sub-command; filters by their right names, where they were typed as `--commands:` or so."""
    return tuple(map(_meant, words_of(text, _TYPED)[1:]))


def _meant(word: str) -> str:
    word = re.sub(r"\A--?(?=[A-Za-z])", "", word)
    match = re.match(r"[A-Za-z_-]+(?=[:=])", word)
    key = _KEYS.get(_plain(match[0])) if match else None
    return f"{key}{word[match.end() :]}" if match and key else word


def check(subcommand: str, said: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The accounts and the regions that the words after a sub-command name; raises UsageError where they cannot be
    read.
    """
    wish = _READERS[subcommand](said)
    return (wish.accounts, wish.regions) if isinstance(wish, Subscription | Expectation) else ((), ())


def _nothing(usage: str) -> Callable[[Sequence[str]], None]:
    def refuse(words: Sequence[str]) -> None:
        if words:
            raise UsageError("Nothing comes after `{word}`.", word=usage)

    return refuse


def _unsubscribe(words: Sequence[str]) -> None:
    """What has been subscribed to can be ended, also of an account that is not asked any more."""
    if [word.lower() for word in words] != [EVERYTHING]:
        subscriptions.read(words)


def _unexpect(words: Sequence[str]) -> None:
    if words and [word.lower() for word in words] != [EVERYTHING]:
        expectations.read(words)


EVERYTHING = "everything"
_READERS: dict[str, Callable[[Sequence[str]], object]] = {
    "subscribe": subscriptions.read,
    "unsubscribe": _unsubscribe,
    "subscriptions": _nothing("subscriptions"),
    "digest": daily.read,
    "handover": _nothing("handover"),
    "whoami": _nothing("whoami"),
    "status": status.read,
    "mute": quiet.read,
    "unmute": quiet.read_unmute,
    "expect": expectations.read,
    "unexpect": _unexpect,
    "expectations": _nothing("expectations"),
}
