"""Outputs that say the same folded into one; what differs between them is named.

Equal outputs are one at once. Others are alike when they are equal without their noise (see `noise`). Of a long
output only the beginning and the end are looked at so; its middle must be equal to the character.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from bot.core import noise
from bot.core.model import Instance, InvocationResult
from bot.core.noise import Found
from bot.core.output import Output, read

_END = 4_096  # characters at each end of an output within which noise is looked for


@dataclass(frozen=True, slots=True)
class Alike:
    """What an output says, without its noise: those with equal `key` are alike. `found` is the noise, in order."""

    key: bytes
    found: tuple[Found, ...]


class OutputReader:
    """Reads each different raw output once, and looks at each different text once."""

    def __init__(self) -> None:
        self._by_raw: dict[tuple[bytes, int], Output] = {}
        self._by_text: dict[str, Alike] = {}
        self._texts: set[str] = set()
        self._middles: Counter[str] = Counter()

    def read(self, result: InvocationResult) -> Output:
        """The output of one result."""
        key = (result.output, result.dropped)
        if key not in self._by_raw:
            self._by_raw[key] = read(*key)
        return self._by_raw[key]

    def expect(self, text: str) -> None:
        """Tells of a text before `alike` is asked of any: a long one whose middle no other has is alike to none."""
        if text not in self._texts:
            self._texts.add(text)
            self._middles[_middle(text)] += 1

    def alike(self, text: str, own: Iterable[Found]) -> Alike:
        """`own` are the words that name the instance itself, as `own_words` gives them."""
        middle = _middle(text)
        if middle and self._middles[middle] == 1:
            return Alike(_digest(text), ())
        found: list[Found] = []
        for kind, word in own:
            if word in text:
                text = _without(text, word, kind, found)
        if found:
            return _alike(text, found)
        if text not in self._by_text:
            self._by_text[text] = _alike(text, [])
        return self._by_text[text]


def _middle(text: str) -> str:
    return text[_END:-_END] if len(text) > 2 * _END else ""


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _alike(text: str, own: Sequence[Found]) -> Alike:
    if len(text) <= 2 * _END:
        kept, found = noise.masked(text, 0, len(text))
    else:
        head, first = noise.masked(text, 0, _END)
        tail, last = noise.masked(text, len(text) - _END, len(text))
        kept, found = f"{head}\0{text[_END:-_END]}\0{tail}", [*first, *last]
    return Alike(_digest(kept), (*own, *found))


_TELLING = re.compile(r"(?=.*\d)(?=.*[A-Za-z])|.*-")  # an instance called `failed` must not fold what failed


def own_words(result: InvocationResult, instance: Instance | None) -> tuple[Found, ...]:
    """(kind, word) of what names an instance in its own output: id, host name made of it, name, addresses."""
    one = result.instance_id
    words = [("instance id", one), ("instance id", f"iZ{one.removeprefix('i-')}Z")] if len(one) > 3 else []
    if instance is not None:
        names = [instance.name] if len(instance.name) > 2 and _TELLING.match(instance.name) else []
        words += [("instance name", name) for name in names]
        words += [("address", address) for address in instance.addresses]
    return tuple(sorted((word for word in words if word[1]), key=lambda word: -len(word[1])))


_GLUED_BEFORE, _GLUED_AFTER = re.compile(r"[\w-]"), re.compile(r"[\w-]|\.\d")


def _without(text: str, word: str, kind: str, found: list[Found]) -> str:
    """The text with the kind in place of a word of the instance's own, where it is not part of a longer one."""
    first, *others = text.split(word)
    pieces = [first]
    for piece in others:
        if _GLUED_BEFORE.search(pieces[-1][-1:]) or _GLUED_AFTER.match(piece):
            pieces += [word, piece]
        else:
            found.append((kind, word))
            pieces += [f"\0{kind}\0", piece]
    return "".join(pieces)


def differing(alike: Iterable[Alike]) -> tuple[str, ...]:
    """The kinds of noise in which these, which all have one key, differ; in the order of `noise.KINDS`."""
    first, *others = alike
    kinds = {
        kind
        for one in others
        for (kind, value), same in zip(one.found, first.found, strict=True)
        if (kind, value) != same
    }
    return tuple(kind for kind in noise.KINDS if kind in kinds)


def shown(outputs: Sequence[Output], masked: Callable[[str], str]) -> Output:
    """Of outputs that are alike the one that most sent, else the first by its text; the most that any has missing.

    `masked` gives the text that is shown: a secret does not decide.
    """
    texts = {output.text: masked(output.text) for output in outputs}
    counted = Counter(texts[output.text] for output in outputs)
    best = min(outputs, key=lambda one: (-counted[texts[one.text]], texts[one.text], one.text, one.encoding))
    return replace(best, dropped=max(output.dropped for output in outputs))
