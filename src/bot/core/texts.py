"""What people read, in their language: the texts in the code are English, a catalogue has the others.

`_` says a text in the language of now; `counted` one of two, by a number. What goes into a text are named fields, so
that a translator may put them in another order. `N_` marks a text that stands in a table and is said later. `Text` is
a text with its fields, said when it is read: who raises an error need not know who will read it. A catalogue is
handed in by `speaking`, for as long as it lasts: reading one is the shell's work (`bot.languages`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import reduce
from typing import Protocol


class Catalogue(Protocol):
    """The part of `gettext.NullTranslations` that is used."""

    def gettext(self, message: str, /) -> str: ...

    def ngettext(self, msgid1: str, msgid2: str, n: int, /) -> str: ...

    def pgettext(self, context: str, message: str, /) -> str: ...


_catalogue: ContextVar[Catalogue | None] = ContextVar("catalogue", default=None)


@contextmanager
def speaking(catalogue: Catalogue | None) -> Iterator[None]:
    """Whatever is said inside is said in this language; None is English. Other threads do not hear of it."""
    token = _catalogue.set(catalogue)
    try:
        yield
    finally:
        _catalogue.reset(token)


def switch(catalogue: Catalogue | None) -> None:
    """From now on this language, until the `speaking` ends that this is in."""
    _catalogue.set(catalogue)


def _(text: str, /, **fields: object) -> str:
    """The text in the language of now; without fields, braces in it are braces."""
    catalogue = _catalogue.get()
    said = catalogue.gettext(text) if catalogue and text else text
    return said.format(**fields) if fields else said


def counted(one: str, many: str, count: int, /, **fields: object) -> str:
    """`{count}` in it is the number, with its thousands set off; which of the two texts it is, the language knows."""
    catalogue = _catalogue.get()
    said = catalogue.ngettext(one, many, count) if catalogue else one if count == 1 else many
    return said.format(count=f"{count:,}", **fields)


def pgettext(context: str, text: str, /) -> str:
    """A text that means something else elsewhere."""
    catalogue = _catalogue.get()
    return catalogue.pgettext(context, text) if catalogue else text


def N_(text: str, /) -> str:  # noqa: N802 (gettext's own name for it)
    """Marked for translation, and said later."""
    return text


class Text:
    """Said in the language of whoever reads it; fields may be Texts too."""

    def __init__(self, text: str, /, **fields: object) -> None:
        self._text, self._fields = text, fields

    def __str__(self) -> str:
        return _(self._text, **self._fields)


def listed(items: Iterable[str]) -> str:
    """`a, b, c`: things of one kind."""
    return pgettext("between things", ", ").join(items)


def joined(clauses: Iterable[str]) -> str:
    """`3 failed, 1 timed out`: parts of one sentence."""
    return pgettext("between clauses", ", ").join(clauses)


def stop(sentence: str) -> str:
    return _("{sentence}.", sentence=sentence)


def sentences(said: Iterable[str]) -> str:
    """One after another on a line."""
    told = [one for one in said if one]
    return reduce(lambda first, second: _("{first} {second}", first=first, second=second), told) if told else ""


def capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
