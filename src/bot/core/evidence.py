"""What an output says about why a command failed: the line that names the root, and how far it proves it.

Only the first and last 4 KB are read, in lower case. A line is passed over where it only quotes, echoes or denies a
failure; one that was retried counts only where nothing better is there. Every pattern of the table is looked for by its
plain characters first, so that an output costs little more than finding these in it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

from bot.core import phrases
from bot.core.phrases import compiled, says
from bot.core.reasons import DEEP, ECHO, EXITS, OUTPUTS, USUAL, Reason

END = 4_096  # characters read at each end
_BLOCK = 3  # lines between complaints that belong together
_LAST_WORDS = 1  # lines after a complaint that leave it what the command ended with
_FAR = 6  # lines after a complaint from which on it seems to have been overcome


@dataclass(frozen=True, slots=True)
class Evidence:
    """The root, and whether the output proves it: its line would by itself, and nothing around it speaks against it."""

    reason: Reason
    certain: bool


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One alternative of a row's `says`, its plain characters, and the first and last three of them."""

    reason: Reason
    source: str
    needle: str
    begins: str
    ends: str


def read(text: str, system: str = "") -> Evidence | None:
    """The root that an output names; None where it names none. `system` leaves out rows of another one."""
    whole = len(text) <= 2 * END
    seen = (text if whole else f"{text[:END]}\n\n{text[-END:]}").lower()
    lines = _Lines(_without_followers(seen.split("\n")))
    found = lines.complaints(system)
    strong = {at: reason for at, reason in found.items() if not says(phrases.RETRIED, lines.lines[at])}
    weak = {at: reason for at, reason in found.items() if at not in strong and says(phrases.RETRIED, lines.lines[at])}
    strong, weak = lines.not_recovered(strong), lines.not_recovered(weak)
    if weak and all(reason.depth == ECHO or reason.key in _SECOND_HAND for reason in strong.values()):
        deepest = [weak[at] for at in sorted(weak) if weak[at].depth >= USUAL]
        if deepest and (strong or not lines.complains_after(max(weak))):
            return Evidence(max(deepest, key=lambda reason: reason.depth), certain=False)
    if not strong:
        return None
    block = _last_block(lines.lines, strong)
    root = max(block, key=lambda at: (strong[at].depth, strong[at].key in _NEARER, strong[at].key not in _VAGUE, -at))
    return lines.judged(strong, block, root, whole=whole)


# Named when the way to the packages was the trouble.
_SECOND_HAND = frozenset({"package-missing"})
# Say why another of the same depth came: there is no space, for there are no inodes.
_NEARER = frozenset({"no-inodes"})
# Said before the line that says why.
_VAGUE = frozenset({"connect-failed"})


class _Lines:
    def __init__(self, lines: list[str]) -> None:
        self.text = "\n".join(lines)
        self.lines = lines
        starts = [0]
        for line in self.lines[:-1]:
            starts.append(starts[-1] + len(line) + 1)
        self._starts = starts

    def complaints(self, system: str) -> dict[int, Reason]:
        """By line number: the uppermost row that fits a line to be believed; an ECHO gives way to what says more."""
        texts = [self.text]
        if "fullyqualifiederrorid" in self.text:  # PowerShell breaks its messages at the console's width
            texts.append(self.text.replace("\n", " "))
        found: dict[int, Reason] = {}
        for pattern in self._possible(texts[-1]):
            if system and pattern.reason.system not in ("", system):
                continue
            for match in chain.from_iterable(compiled(pattern.source).finditer(text) for text in texts):
                at = bisect_right(self._starts, match.start()) - 1
                said_already = found.get(at)
                better = said_already is None or said_already.depth == ECHO < pattern.reason.depth
                if better and self._believed(at, match):
                    found[at] = pattern.reason
        return found

    @staticmethod
    def _possible(text: str) -> list[_Pattern]:
        """The patterns whose plain characters are there: three of them first, which one pass finds for all."""
        threes = {text[at : at + 3] for at in range(len(text))} | {""}
        return [
            pattern
            for pattern in _patterns()
            if pattern.begins in threes and pattern.ends in threes and pattern.needle in text
        ]

    def _believed(self, at: int, match: re.Match[str]) -> bool:
        line = self.lines[at].strip()
        if says(phrases.ECHOED, line) or says(phrases.HARMLESS, line) or says(phrases.LEVEL, line):
            return False
        start = match.start() - self._starts[at]
        before, after = self.lines[at][:start], self.text[match.end() : match.end() + 40].split("\n", 1)[0]
        return not (says(phrases.DENIED_BEFORE, before[-40:]) or says(phrases.DENIED_AFTER, after))

    def not_recovered(self, found: Mapping[int, Reason]) -> dict[int, Reason]:
        """Without what was tried again and then went well."""
        if not found:
            return {}
        well = [at for at, line in enumerate(self.lines) if at > min(found) and self._well(line)]
        kept = {}
        for at, reason in found.items():
            after = next((place for place in well if place >= at and place not in found), None)
            again = after is not None and any(says(phrases.AGAIN, line) for line in self.lines[at : after + 1])
            if not again:
                kept[at] = reason
        return kept

    @staticmethod
    def _well(line: str) -> bool:
        return says(phrases.WELL, line) and not says(phrases.BADLY, line)

    def complains_after(self, at: int) -> bool:
        """Whether something below complains of what no row knows, and does not only repeat that it failed."""
        return any(says(phrases.BADLY, line) and not says(phrases.REPEATS, line) for line in self._told(at))

    def _told(self, at: int) -> list[str]:
        return [line for line in self.lines[at + 1 :] if line.strip() and not says(phrases.ECHOED, line.strip())]

    def judged(self, strong: Mapping[int, Reason], block: Sequence[int], root: int, *, whole: bool) -> Evidence | None:
        """The root, unless what follows shows that it was overcome; certain where nothing speaks against it."""
        reason, last = strong[root], block[-1]
        told = self._told(last)
        plain = [line for line in told if not line[:1].isspace() and not says(phrases.REPEATS, line)]
        foreign = self.complains_after(last)
        overcome = (foreign and not says(phrases.BADLY, plain[0])) or len(plain) >= _FAR
        if overcome and reason.depth < DEEP and reason.key != "bad-option":  # after which the usage is printed
            return None
        if reason.key == "waiting-for-input" and plain:
            return None
        line = self.lines[root].strip()
        echoed = any(other.startswith("+") and line in other for other in self.lines[:root])  # the script's own words
        if echoed and plain:  # more than its last words
            return None
        logged = says(phrases.LOGGED, line)
        if logged and any(not says(phrases.LOGGED, line) for line in plain):  # the command's own last word is another
            return None
        beside = {at: other for at, other in strong.items() if not (at in block and other.key in _VAGUE)}
        rivals = {other.key for at, other in beside.items() if not (at in block and other.depth < reason.depth)}
        clear = (
            whole
            and not logged
            and not echoed
            and not foreign
            and len(plain) <= _LAST_WORDS
            and not any(map(self._well, told))
        )
        return Evidence(
            reason, certain=clear and reason.proven and reason.depth > ECHO and len(rivals | {reason.key}) == 1
        )


def _last_block(lines: Sequence[str], strong: Iterable[int]) -> list[int]:
    """The complaints that stand together at the end; indented lines between them are details."""
    places = sorted(strong)
    block = [places[-1]]
    for at in reversed(places[:-1]):
        between = [line for line in lines[at + 1 : block[0]] if line.strip() and not line[:1].isspace()]
        if len([line for line in between if not says(phrases.REPEATS, line)]) > _BLOCK or any(
            says(phrases.WELL, line) and not says(phrases.BADLY, line) for line in between
        ):
            break
        block.insert(0, at)
    return block


_OF_DIFF = ("+", "-", " ", "@", "\\")
_MESSAGE = 6  # lines of what an exception says
_NAMED = re.compile(r"^(?:.{0,200}[ :])?(?:[a-z_$][\w$]*\.)+\w*(?:exception|error|failure)\b")
_TRACEBACK = "traceback (most recent call last):"
_CHAINED = ("during handling of the above exception", "the above exception was the direct cause")


def _without_followers(lines: list[str]) -> list[str]:
    """Of chained exceptions only the root is left: in Python the first of the chain, in Java the last "Caused by". Of
    unified diffs nothing is.
    """
    gone = _in_diffs(lines)
    heads = [at for at, line in enumerate(lines) if _TRACEBACK in line]
    ends = [_end_of_traceback(lines, at) for at in heads]
    for number, (head, end) in enumerate(zip(heads, ends, strict=True)):
        gone |= set(range(head, end))  # lines of source
        if end < len(lines) and any("os.environ[" in line for line in lines[head:end]):
            lines[end] += " in os.environ"  # which key is missing where
        elif end < len(lines) and any("subprocess.py" in line for line in lines[head:end]):
            lines[end] += " in subprocess"  # which file is missing for what
        if number and any(said in line for line in lines[ends[number - 1] : head] for said in _CHAINED):
            gone |= set(range(ends[number - 1] + 1, end + 1))
    caused = [at for at, line in enumerate(lines) if line.lstrip().startswith("caused by:")]
    if caused:
        gone |= set(range(_head_of_trace(lines, caused[-1]), caused[-1]))
    return ["" if at in gone else line for at, line in enumerate(lines)]


def _in_diffs(lines: Sequence[str]) -> set[int]:
    """The lines of unified diffs, from their two headings to the first line that cannot be in one."""
    gone: set[int] = set()
    for at in range(1, len(lines)):
        if lines[at - 1].startswith("--- ") and lines[at].startswith("+++ "):
            end = next((below for below in range(at + 1, len(lines)) if lines[below][:1] not in _OF_DIFF), len(lines))
            gone |= set(range(at - 1, end))
    return gone


def _end_of_traceback(lines: Sequence[str], head: int) -> int:
    """The line with the error: the first after the head that is not indented."""
    below = range(head + 1, len(lines))
    return next((at for at in below if lines[at].strip() and not lines[at][0].isspace()), len(lines))


def _head_of_trace(lines: Sequence[str], caused: int) -> int:
    """The exception that a stack trace begins with: the first line above that is neither a frame nor a cause, or where
    its message has more than one line, that which names it.
    """
    above = range(caused - 1, -1, -1)
    last = next((at for at in above if lines[at][:1].strip() and not lines[at].startswith("caused by:")), caused)
    return next((at for at in range(last, max(-1, last - _MESSAGE), -1) if _NAMED.search(lines[at])), last)


@cache
def _patterns() -> tuple[_Pattern, ...]:
    """All patterns in the order of the table, each alternative with its plain characters."""
    rows = (*OUTPUTS, *EXITS)
    return tuple(
        _Pattern(row, one, plain, plain[:3] if len(plain) > 2 else "", plain[-3:] if len(plain) > 2 else "")
        for row in rows
        for pattern in row.says
        for one in alternatives(pattern)
        for plain in [needle(one)]
    )


def alternatives(pattern: str) -> list[str]:
    """What stands between the `|` that are in no brackets."""
    if "|" not in pattern:
        return [pattern]
    parts, depth, start = [], 0, 0
    for at, character in enumerate(pattern):
        if at and pattern[at - 1] == "\\":
            continue
        depth += (character in "([") - (character in ")]")
        if character == "|" and not depth:
            parts.append(pattern[start:at])
            start = at + 1
    return [*parts, pattern[start:]]


_PLAIN = re.compile(r"[\w ,;:'\"/=@<>!%&-]+")
_PIECE = re.compile(r"\\[A-Za-z]|\\.|\[(?:\\.|[^\]])*\]|.")


def needle(pattern: str) -> str:
    """The longest run of plain characters that every match contains; "" where there is none."""
    if _PLAIN.fullmatch(pattern):
        return pattern
    runs, run, depth = [], "", 0
    for piece in _PIECE.findall(pattern):
        quantifier = piece in ("?", "*", "{")
        if depth or piece in "()[^$.|+}" or quantifier or len(piece) > 2 or piece[1:].isalpha():
            runs.append(run[:-1] if quantifier else run)
            run = ""
            depth += (piece in "({") - (piece in ")}")
        else:
            run += piece[-1]
    return max([*runs, run], key=len)
