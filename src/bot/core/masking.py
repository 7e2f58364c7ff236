"""Secrets taken out of text before it leaves for Slack, high precision first.

A secret that was shown cannot be taken back, and a false alarm hides a fact at 03:00. So what has a form of its own
is masked wherever it stands (`secrets`), and a name such as `password` masks what follows it only where that looks
like a value. What was masked in one text of an answer is masked in all of them, also where it stands bare.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from bot.core import personal
from bot.core.secrets import FORMS, SAID, is_value
from bot.core.texts import N_, _

MASK = N_("[masked]")  # as texts are kept and compared; people read it in their language
Span = tuple[int, int]

# Names whose value is secret. Those of `sure` ones may be plain words; the others' must look made by a machine.
_NAME = re.compile(
    r"(?:(?P<sure>pass(?:word|wd|phrase|code)|pswd|pwd|(?<![a-z])pass"
    r"|(?:access[_-]?key|client|consumer|app|api|shared|jwt|webhook)[_-]?secret|secret[._-]?(?:access[_-]?)?key|(?:store|key)[_-]?pass)"
    r"|secret|token|credentials?|(?:(?:primary|secondary)[_-])?(?:access|api|private|account|encryption|signing|master|shared|shared[_-]?access"
    r"|subscription|storage|auth|license|app|session|jwt|hmac|webhook|consumer|client|aes|des|rsa"
    r"|secret)[_-]?key(?:[_-]?(?:id|data|base))?|(?<![a-z])secret[_-]?id|_auth|^auth"
    r"|shared[_-]?access[_-]?signature)\Z",
    re.IGNORECASE,
)
_HINT = re.compile(r"pass|pwd|pswd|secret|token|credential|key|auth|signature")
_VALUE = (
    r"""(?=(?P<value>\\?"[^"\n]{1,4000}"|\\?'[^'\n]{1,4000}'|[^\s"',;&|<>(){}\[\]\\，。；）]{1,4000})(?P<next>.?))"""
)
# The value is looked at, not taken: in `config: password=…` it is another name.
_NAMED = re.compile(
    rf"""(?<![\w.-])(?P<name>[\w.-]++)(?P<mark>\\?["']?\]?\s{{0,3}}(?:=>|:=|==?|[：:])\s{{0,3}}){_VALUE}""", re.S
)
_OPTION = re.compile(rf"(?<![\w-])--?(?P<name>[A-Za-z][\w-]*+)(?P<mark>\s{{1,3}})(?!-){_VALUE}", re.S)
_ENVIRONMENT = re.compile(
    r"^(?:export |set |declare -x |setenv |[+>$] )?(?!(?:OLD)?PWD=|GPG_KEY=|PUBLIC)(?P<name>[A-Z][A-Z0-9_]{0,60}?)?"
    r"(?:PASS(?:WORD|WD|PHRASE)?|PWD|SECRET|TOKEN|CREDENTIALS?|(?<=_)KEY|_AUTH)(?:_ID|_BASE|_SECRET)?"
    r"=(?![\"'\s`])(?P<value>\S{1,2000})",
    re.M,
)
# Tokens and keys that are no secret: `PublicKeyToken` of .NET, pages of an API, marks against doing things twice.
_NO_SECRET_BEFORE = re.compile(
    r"(?:(?<![A-Za-z])|(?-i:(?<=[a-z])(?=[A-Z])))"  # a word of its own: `admin_password` is one
    r"(?:public[_-]?(?:key)?|next|page|paging|pagination|client|continuation|cancel\w*|sync|resume|fencing|primary"
    r"|foreign|unexpected|last|first|num|max|min|end|start|stop|eos|bos|pad|unk|by|cache|partition|sort"
    r"|idempoten\w*)[_ -]?\Z",
    re.IGNORECASE,
)
_RESOURCE = re.compile(r"[a-z]+(?:[-./:_][a-z0-9]{1,10})+")  # `default-token-x7k2p`, `kube-system/tls`
_KEY_END = re.compile(r"-----END (?:[A-Z0-9]+ ){0,4}PRIVATE KEY")
_KEY_LINE = re.compile(r"[ \t]{0,16}[0-9A-Za-z+/=]{1,80}\r?")


def mask(text: str, *, personal: bool = True) -> tuple[str, int]:
    """The text with secrets replaced by `[masked]`, and how many there were. `personal`: id cards and phones too."""
    return Masked(personal=personal).read(text)


def masked_line(text: str) -> str:
    """One text by itself, as people read it."""
    return as_shown(_masked(_as_kept(text)))


@lru_cache(maxsize=16_384)  # names of instances, each told several times in one answer
def _masked(text: str) -> str:
    return mask(text)[0]


def as_shown(text: str) -> str:
    """A text without secrets as people read it: what hides them in their language."""
    return text.replace(MASK, _(MASK)) if MASK in text else text


def _as_kept(text: str) -> str:
    """A text that has been shown may come again: what is hidden in it is not hidden twice."""
    return text.replace(_(MASK), MASK)


class Masked:
    """The texts of one answer without secrets: what is masked in one of them is masked in all.

    `learn` all of them first, also those that are not shown (parameters, the command's content); then `read`.
    """

    def __init__(self, *, personal: bool = True) -> None:
        self._personal = personal
        self._learnt: dict[str, tuple[str, int]] = {}
        self._shown: dict[str, tuple[str, int]] = {}
        self._values: set[str] = set()
        self._by_gram: dict[str, list[str]] = {}

    def learn(self, text: str) -> None:
        """Remembers the secrets of a text."""
        if text in self._learnt:
            return
        found, count = text, 0
        while spans := _merged(_spans(found, personal_too=self._personal), found):
            for start, end in spans:
                self._remember(found[start:end])
            found, count = _replaced(found, spans), count + len(spans)
        self._learnt[text] = found, count

    def read(self, text: str) -> tuple[str, int]:
        """The text without secrets, and how many it had."""
        self.learn(text)
        if text not in self._shown:
            found, count = self._learnt[text]
            for value in self._standing_bare(found):
                pieces = [_bare(value).subn(MASK, piece) for piece in found.split(MASK)]
                found, count = MASK.join(piece for piece, _ in pieces), count + sum(times for _, times in pieces)
            if found != text:
                found, more = self.read(found)  # until nothing is left: what was masked once stays as it is
                count += more
            self._shown[text] = found, count
        return self._shown[text]

    def shown(self, text: str) -> tuple[str, int]:
        """The same as people read it."""
        found, count = self.read(_as_kept(text))
        return as_shown(found), count

    def _remember(self, value: str) -> None:
        """What is short, or a plain word, stands elsewhere for something else: to mask it there hides facts."""
        value = value.strip()
        if value in self._values or len(value) < _GRAM or value.lower() in _COMMON or value in MASK:
            return
        if len(value) < 6 and (value.isalpha() or value.isdigit()):
            return
        self._shown.clear()
        self._values.add(value)
        self._by_gram.setdefault(value[-_GRAM:], []).append(value)

    def _standing_bare(self, text: str) -> list[str]:
        """Known secrets in a text, longest first. Many are not looked for one by one: that would be quadratic."""
        candidates: Iterable[str] = self._values
        if len(self._values) > _FEW:
            grams = {text[at : at + _GRAM] for at in range(len(text) - _GRAM + 1)}
            candidates = (value for gram in grams & self._by_gram.keys() for value in self._by_gram[gram])
        return sorted((value for value in candidates if value in text), key=lambda value: (-len(value), value))


_GRAM = 4  # characters of the shortest secret that is looked for where it stands bare
_FEW = 50
_LONG = 1_000  # characters from which on gathering is quicker
_MOST_NAME = 60
_COMMON = frozenset(
    {
        *(
            "root",
            "admin",
            "administrator",
            "password",
            "passwd",
            "postgres",
            "mysql",
            "redis",
            "guest",
            "test",
            "user",
        ),
        *("oracle", "default", "docker", "ubuntu", "nginx", "system", "public", "master", "service", "localhost"),
        *("example", "tomcat", "jenkins", "mongo", "mongodb", "rabbitmq", "elastic"),
    }
)


def _bare(value: str) -> re.Pattern[str]:
    """Short ones only as words of their own; never a part of `[masked]`."""
    escaped = re.escape(value)
    return re.compile(escaped if len(value) >= 8 else rf"(?<![^\W_]){escaped}(?![^\W_])")


def _spans(text: str, *, personal_too: bool) -> Iterator[Span]:
    lower = _lower(text)
    holds = _holding(lower)
    for row in FORMS:
        if holds(row.hint):
            yield from (match.span(match.lastindex or 0) for match in row.pattern.finditer(text))
    for row in SAID:
        if holds(row.hint):
            spans = (match.span(match.lastindex or 0) for match in row.pattern.finditer(lower))
            yield from ((start, end) for start, end in spans if is_value(text[start:end]))
    if "PRIVATE KEY" in text:
        yield from _keys_without_first_line(text)
    for start, end in _lines_with_names(lower):
        yield from _named(text, start, end)
    if personal_too:
        yield from personal.spans(text)


def _holding(text: str) -> Callable[[str], bool]:
    """Tells whether a hint is in the text. Of a long one its threes are gathered once: 200 passes would cost more."""
    if len(text) < _LONG:
        return text.__contains__
    threes = {text[at : at + 3] for at in range(len(text) - 2)}
    return lambda hint: (len(hint) < 3 or (hint[:3] in threes and hint[-3:] in threes)) and hint in text


def _lower(text: str) -> str:
    """In lower case, each character in its place: of a few, the small letter is two characters."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(one.lower() if len(one.lower()) == 1 else one for one in text)


def _keys_without_first_line(text: str) -> Iterator[Span]:
    """The Base64 before the end of a key; its beginning may have been cut off."""
    for match in _KEY_END.finditer(text):
        start = end = text.rfind("\n", 0, match.start()) + 1
        while start > 0:
            line = text.rfind("\n", 0, start - 1) + 1
            if not _KEY_LINE.fullmatch(text, line, start - 1):
                break
            start = line
        if start < end:
            yield start, end - 1


def _lines_with_names(lower: str) -> Iterator[Span]:
    """The lines that hold a name, each with the next one: its value may stand there."""
    end = -1
    while hit := _HINT.search(lower, end + 1):
        start = lower.rfind("\n", 0, hit.start()) + 1
        end = lower.find("\n", hit.end())
        after = lower.find("\n", end + 1) if end >= 0 else -1
        yield start, after if after >= 0 else len(lower)
        if end < 0:
            return


def _named(text: str, start: int, end: int) -> Iterator[Span]:
    for pattern in (_NAMED, _OPTION):
        for match in pattern.finditer(text, start, end):
            name = match["name"][-_MOST_NAME:]
            found = _NAME.search(name) if _HINT.search(name.lower()) else None
            if found is None or _NO_SECRET_BEFORE.search(name[: found.start()]):
                continue
            if _is_value_of(found["sure"], match):
                yield _inside_quotes(match)
    for match in _ENVIRONMENT.finditer(text, start, end):
        if is_value(match["value"]) and not _NO_SECRET_BEFORE.search(match["name"] or ""):
            yield match.span("value")


def _is_value_of(sure: str | None, match: re.Match[str]) -> bool:
    """`password=hunter2` has one; `token: expired`, `PWD=/root` and `password=read_it()` have not."""
    value, quoted = match["value"].strip("\\\"'"), match["value"][-1] in "\"'"
    if not is_value(value) or (not quoted and match["next"] in ("(", "[", "{")):
        return False
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    told = not quoted and (":" in match["mark"] or "：" in match["mark"])  # as in a sentence
    bare = match["name"] == "PASS"  # of a test
    if sure and sure.lower() == "pass" and (value.isdigit() or (told and (bare or not _is_made_up(value)))):
        return False  # counts and results of tests
    if sure and told:
        return len(value) >= 6 and value.isascii() and any(map(str.isalpha, value)) and not value.isalpha()
    if sure or (quoted and match["mark"].isspace()):
        return len(value) >= 4
    if not value.isascii() or (_RESOURCE.fullmatch(value) and not (mixed and len(value) > 30)):
        return False
    return len(value) >= 8 and (mixed or (not told and len(value) >= 16))


def _is_made_up(value: str) -> bool:
    """Capitals, small letters and digits mixed, as no word has them."""
    return len(value) >= 8 and all(any(map(kind, value)) for kind in (str.isupper, str.islower, str.isdigit))


def _inside_quotes(match: re.Match[str]) -> Span:
    start, end = match.span("value")
    quote = match["value"][-1]
    if quote not in "\"'":
        return start, end
    end -= 2 if match["value"].startswith("\\") and match["value"].endswith("\\" + quote) else 1
    return match["value"].index(quote) + 1 + start, end


def _merged(spans: Iterable[Span], text: str) -> list[Span]:
    """In order, those that overlap as one; what is masked already is not masked again."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if text.find(MASK, max(0, start - len(MASK) + 1), end + len(MASK) - 1) >= 0:
            continue
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _replaced(text: str, spans: Iterable[Span]) -> str:
    pieces, at = [], 0
    for start, end in spans:
        pieces += [text[at:start], MASK]
        at = end
    return "".join([*pieces, text[at:]])
