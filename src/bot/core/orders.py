"""Sub-commands that leave something standing: what comes after their word, read or refused.

The door asks `check` before it acks, so that a mistake is told at once; the shell (`bot.orders`) reads the words again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.core import daily, expectations, quiet, status, subscriptions
from bot.core.errors import UsageError
from bot.core.expectations import Expectation
from bot.core.subscriptions import Subscription


def check(subcommand: str, words: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The accounts and the regions that the words after a sub-command name; raises UsageError where they cannot be
    read.
    """
    wish = _READERS[subcommand](words)
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
