"""Typing noise taken away: from what phones, input methods and Slack make of a line to the words that were meant; and
how an error quotes one of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from bot.core.characters import harmless

# What phones, chat clients and input methods put in place of what was meant.
_MEANT = str.maketrans(
    {
        **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},  # full-width forms of ASCII
        **dict.fromkeys("“”„‟«»", '"'),
        **dict.fromkeys("‘’‚‛", "'"),
        **dict.fromkeys("‐‑‒–−﹣", "-"),
        **dict.fromkeys("—―", "--"),
        "、": ",",
        **dict.fromkeys("。`\x1c\x1d\x1e\x1f", " "),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060"),  # soft hyphen, zero-width characters
    }
)
# `<url|label>`, `<@U…>`, `<!here>`: how Slack writes links and mentions. Typed `<` and `>` come as entities.
_TOKEN = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_OPENING = "([{<"
_CLOSING = ")]}>!?."
_MARKS = frozenset("!#$%&'+-./:<=>?@\\^_|~·•…→▸")  # nothing but these stands between words: `t-… - t-…`, a pasted list
_QUOTED = "\0"  # stands before and after what was quoted, which nothing trims


def words_of(text: str, keys: Collection[str]) -> list[str]:
    """The words of a line. `keys` are filter names, so that `region: cn-shanghai` is one word, as it was meant."""
    text = _TOKEN.sub(_token_meant, harmless(text.translate(_MEANT)))
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    words: list[str] = []
    for piece in _split(text):
        if words and words[-1][-1:] in (":", "=") and words[-1][:-1].lower() in keys:
            words[-1] += _trimmed(piece, ())
        else:
            words.append(_trimmed(piece, keys))
    meant = (word.replace(_QUOTED, "") for word in words if not _MARKS.issuperset(word))
    return [word for word in meant if word]  # `""` says nothing


def _token_meant(match: re.Match[str]) -> str:
    """Of a host name that Slack linked by itself the name, else the address; a mention asks for nothing.

    But right after `ring:` it names whom to ring, and its id is what counts.
    """
    target, label = match[1], match[2] or ""
    if target[:1] in ("@", "#", "!"):
        rings = match.string[: match.start()].rstrip().lower().endswith("ring:")
        return target.removeprefix("!subteam^").lstrip("@") if rings else " "
    linked_by_itself = re.sub(r"\A(?:https?://|mailto:|tel:)", "", target).rstrip("/") == label.rstrip("/")
    return f" {label if linked_by_itself else target} "


def _split(text: str) -> list[str]:
    """At white space, `,` and `;`, not inside quotes. A `'` within a word is an apostrophe."""
    words, word, at = [], "", 0
    while at < len(text):
        character = text[at]
        opens = character == '"' or (character == "'" and word[-1:] in ("", ":", "=", _QUOTED, *_OPENING))
        end = text.find(character, at + 1) if opens else -1
        if end >= 0:
            word += f"{_QUOTED}{text[at + 1 : end]}{_QUOTED}"
            at = end
        elif character.isspace() or character in ",;":
            words.append(word)
            word = ""
        elif not opens:  # a quote that nothing closes is noise
            word += character
        at += 1
    return [piece for piece in [*words, word] if piece]


def _trimmed(word: str, keys: Collection[str]) -> str:
    """Without brackets and punctuation around it; what was quoted stays as it is."""
    word = word.lstrip(_OPENING).rstrip(_CLOSING)
    if word.endswith(":") and not word.endswith("::") and word[:-1].lower() not in keys:
        return word[:-1].rstrip(_CLOSING)
    return word


def shown(word: str) -> str:
    """A word of theirs inside our sentence: short, on one line, unable to end the quotation."""
    word = re.sub(r"[\s`]+", " ", word)
    return word if len(word) <= 40 else f"{word[:39]}…"
