"""What people type, read into a Question or refused with the nearest right word.

The door reads the words before it acks, so this module imports little. How a word is read: an id, address or
URL by its look; then an exact keyword; then a region id from the list below; then a name, if it holds a digit,
`-`, `.` or `*`; else it is a usage error. Words may stand in any order.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bot.core.errors import UsageError

# Regions of ECS in the vendor's metadata, 2026-04. Any other region needs `region:`.
REGIONS = frozenset(
    """
    cn-qingdao cn-beijing cn-zhangjiakou cn-huhehaote cn-wulanchabu cn-hangzhou cn-shanghai cn-nanjing cn-fuzhou
    cn-shenzhen cn-heyuan cn-guangzhou cn-chengdu cn-hongkong cn-wuhan-lr cn-zhongwei cn-zhengzhou-jva
    cn-heyuan-acdr-1 cn-beijing-finance-1 cn-shanghai-finance-1 cn-shenzhen-finance-1 cn-north-2-gov-1
    ap-northeast-1 ap-northeast-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-5 ap-southeast-6
    ap-southeast-7 ap-southeast-8 ap-south-1 us-east-1 us-west-1 us-southeast-1 eu-central-1 eu-west-1 me-east-1
    me-central-1 na-south-1
    """.split()
)
EVERYWHERE = "all"

# What a person types, and the API's InvokeStatus values that it stands for.
STATES: dict[str, tuple[str, ...]] = {
    "failed": ("Failed", "PartialFailed"),
    "running": ("Running",),
    "finished": ("Finished",),
    "stopped": ("Stopped",),
    "stopping": ("Stopping",),
    "success": ("Success",),
    "pending": ("Pending",),
    "scheduled": ("Scheduled",),
}
TYPES = {"shell": "RunShellScript", "bat": "RunBatScript", "powershell": "RunPowerShellScript"}
MODES = {"once": "Once", "period": "Period", "nextreboot": "NextRebootOnly", "everyreboot": "EveryReboot"}

USAGE = (
    "Usage: t-… (a run), i-… or a name or an IP address (an instance), c-… (a command), or nothing for the newest "
    "runs; then failed, running, region:cn-shanghai, since:2h, private. More: help"
)
_EXAMPLES = "Examples: t-hz0jdfwd9f, web-01, failed since:2h."
SUBCOMMANDS = ("show", "help")
TOPICS = ("runs", "instances", "commands", "regions", "filters", "threads", "private")


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, in the API's own terms. `private` is None where nothing was said about it.

    `since` is kept as typed: what it means depends on the asking person's time zone.
    """

    subcommand: str = "show"
    topic: str = ""
    invocations: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    since: str = ""
    history: bool = False
    page: int = 1
    size: int = 0
    command_name: str = ""
    command_type: str = ""
    repeat_mode: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    group: str = ""
    private: bool | None = None

    @property
    def everywhere(self) -> bool:
        return EVERYWHERE in self.regions

    def words(self) -> str:
        """The question in canonical words: `parse` reads them back to an equal question."""
        if self.subcommand == "help":
            return f"help {self.topic}".rstrip()
        pairs = {
            "since": self.since,
            "page": "" if self.page == 1 else str(self.page),
            "size": str(self.size or ""),
            "command": self.command_name,
            "type": next((word for word, value in TYPES.items() if value == self.command_type), ""),
            "mode": next((word for word, value in MODES.items() if value == self.repeat_mode), ""),
            "group": self.group,
        }
        return " ".join(
            [
                *(self.invocations + self.instances + self.commands + self.addresses),
                *(f"name:{_quoted(name)}" for name in self.names),
                *(f"region:{region}" for region in self.regions),
                *self.states,
                *(f"{key}:{_quoted(value)}" for key, value in pairs.items() if value),
                *(f"tag:{_quoted(f'{key}={value}')}" for key, value in self.tags),
                *(["history"] if self.history else []),
                *([] if self.private is None else ["private" if self.private else "here"]),
            ]
        )


def _quoted(value: str) -> str:
    value = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return value if re.fullmatch(r"[\w*/=.-]*[\w*/=-]", value) else f'"{value}"'


def parse(text: str) -> Question:
    """The question in what was typed; raises UsageError with a sentence for the person."""
    question = Question()
    words = _words(text)
    verb = next((word.lower() for word in words if word.lower() in _VERBS), None)
    if verb is not None and "help" not in map(str.lower, words):
        raise UsageError(_only_read(verb, words))
    for word in words:
        question = _read(question, word)
    if question.subcommand == "help":
        return Question("help", topic=question.topic)
    return question


# Typing noise: what phones, chat clients and input methods put in place of what was meant.
_SAME = str.maketrans(
    {
        **dict.fromkeys("“”„‟＂«»", '"'),
        **dict.fromkeys("‘’‚‛", "'"),
        **dict.fromkeys("‐‑‒–−﹣－", "-"),
        **dict.fromkeys("—―", "--"),
        **dict.fromkeys("，、；", ","),
        "：": ":",
        "＝": "=",
        "＊": "*",
        "．": ".",
        "。": " ",
        "`": " ",
        **dict.fromkeys(
            "\u200b\u200c\u200d\u2060\ufeff\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        ),
    }
)
_TOKEN = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")


def _words(text: str) -> list[str]:
    """The words of a text: noise normalised, Slack's `<…>` tokens resolved, quoted parts kept together."""
    text = text[:4000].translate(_SAME)
    text = _TOKEN.sub(_token_meant, text)
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    text = re.sub(r"\b(region|since|page|size|command|tag|group|name|type|mode):\s+(?=\S)", r"\1:", text, flags=re.I)
    return [word for word in map(_trimmed, _split(text)) if word]


def _split(text: str) -> list[str]:
    """At white space and commas, not inside quotes. A `'` within a word is an apostrophe. NUL marks what was quoted."""
    words, word, quote = [], "", ""
    for character in text.replace("\0", ""):
        if quote:
            word, quote = (word + "\0", "") if character == quote else (word + character, quote)
        elif character == '"' or (character == "'" and word[-1:] in ("", ":", "=")):
            quote = character
        elif character.isspace() or character == ",":
            words.append(word)
            word = ""
        else:
            word += character
    return [*words, word]


def _trimmed(word: str) -> str:
    """Without brackets and punctuation around it; what was quoted stays as it is."""
    if "\0" in word:
        return word.replace("\0", "")
    word = word.lstrip("([{<").rstrip(")]}>;!?.")
    return word if word[:-1].lower() in _FILTERS else word.rstrip(":.)")


def _token_meant(match: re.Match[str]) -> str:
    """`<url|label>`: the label where Slack linked a host name by itself. Mentions say nothing about what to show."""
    target, label = match[1], match[2] or ""
    if target[:1] in ("@", "#", "!"):
        return " "
    linked_by_itself = label and label in target
    return f" {label if linked_by_itself else target} "


_INVOCATION = re.compile(r"t-[0-9a-z]{6,64}")
_COMMAND = re.compile(r"c-[0-9a-z]{6,64}")
_INSTANCE = re.compile(r"(?:i|mi)-[0-9a-z]{4,40}")
_MASKED_ID = re.compile(r"(?:t|c|i|mi)-[0-9a-z]*\*{2,}[0-9a-z]*")
_BYTE = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IPV4 = re.compile(rf"({_BYTE}(?:\.{_BYTE}){{3}})(?:[:/]\d{{1,5}})?")
_IPV6 = re.compile(r"(?=(?:[^:]*:){2,})[0-9a-f:]{2,39}")
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z0-9]+){1,4}")
_SINCE = re.compile(r"(?:\d{1,4}[smhdw])|(?:[01]?\d|2[0-3]):[0-5]\d|\d{4}-\d\d-\d\d(?:t(?:[01]?\d|2[0-3]):[0-5]\d)?")
_NAME_LIKE = re.compile(r"[\d.*-]")


def _read(question: Question, word: str) -> Question:
    if question.subcommand == "help":
        return replace(question, topic=question.topic or word.lower())
    if re.match(r"https?://", word, re.IGNORECASE):
        return _read_url(question, word)
    word = re.sub(r"^--?(?=[a-z])", "", word, flags=re.IGNORECASE)
    lower = word.lower()
    by_look = _read_by_look(question, lower)
    if by_look is not None:
        return by_look
    keyword = _KEYWORDS.get(lower)
    if keyword is not None:
        return keyword(question)
    if lower in REGIONS:
        return _with(question, "regions", lower)
    filtered = _read_filter(question, word)
    if filtered is not None:
        return filtered
    if _NAME_LIKE.search(word):
        return _with(question, "names", word)
    raise UsageError(_unreadable(word))


def _with(question: Question, field: str, value: str) -> Question:
    values: tuple[str, ...] = getattr(question, field)
    changes: dict[str, Any] = {field: (*values, value)}
    return question if value in values else replace(question, **changes)


def _read_by_look(question: Question, word: str) -> Question | None:
    for field, look in (("invocations", _INVOCATION), ("instances", _INSTANCE), ("commands", _COMMAND)):
        if look.fullmatch(word):
            return _with(question, field, word)
    if _MASKED_ID.fullmatch(word):
        raise UsageError(f"`{_shown(word)}` is a masked id (it ends in stars). Paste the whole id.")
    address = _IPV4.fullmatch(word)
    if address or _IPV6.fullmatch(word):
        return _with(question, "addresses", address[1] if address else word)
    return None


_ID_IN_URL = re.compile(r"(?<![0-9a-z-])((?:t|c)-[0-9a-z]{6,64}|(?:i|mi)-[0-9a-z]{4,40})(?![0-9a-z-])")
_REGION_IN_URL = re.compile(r"(?:/region/|regionid=|region=)([a-z]{2,4}(?:-[a-z0-9]+){1,4})")


def _read_url(question: Question, url: str) -> Question:
    """A console URL: its ids and its region."""
    lower = url.lower()
    ids = _ID_IN_URL.findall(lower)
    if not ids:
        raise UsageError(f"That address names no run (t-…), instance (i-…) or command (c-…). {_EXAMPLES}")
    for word in ids:
        question = _read_by_look(question, word) or question
    region = _REGION_IN_URL.search(lower)
    return _with(question, "regions", region[1]) if region else question


def _state(word: str) -> Callable[[Question], Question]:
    return lambda question: _with(question, "states", word)


_KEYWORDS: dict[str, Callable[[Question], Question]] = {
    **{word: _state(word) for word in STATES},
    "succeeded": _state("success"),
    "history": lambda question: replace(question, history=True),
    "private": lambda question: replace(question, private=True),
    "here": lambda question: replace(question, private=False),
    "help": lambda question: replace(question, subcommand="help"),
}


def _read_filter(question: Question, word: str) -> Question | None:
    """`key:value` or `key=value`; None where the key is not one of ours."""
    match = re.fullmatch(r"([A-Za-z]+)[:=](.*)", word, re.DOTALL)
    reader = _FILTERS.get(match[1].lower()) if match else None
    if match is None or reader is None:
        return None
    if not match[2]:
        raise UsageError(
            f"`{match[1].lower()}:` needs a value right after it, for example {_FILTER_EXAMPLES[match[1].lower()]}."
        )
    return reader(question, match[2])


def _region(question: Question, value: str) -> Question:
    lower = value.lower()
    if lower != EVERYWHERE and not _REGION.fullmatch(lower):
        raise UsageError(f"`{_shown(value)}` is not a region id. Right would be region:cn-shanghai or region:all.")
    return _with(question, "regions", lower)


def _since(question: Question, value: str) -> Question:
    if not _SINCE.fullmatch(value.lower()):
        raise UsageError(
            f"I cannot read the time `{_shown(value)}`. Right would be since:2h, since:30m, since:21:00 or since:2026-11-24."
        )
    return replace(question, since=value.lower())


def _page(question: Question, value: str) -> Question:
    return replace(question, page=_number(value, "page", 1, 200))


def _size(question: Question, value: str) -> Question:
    return replace(question, size=_number(value, "size", 1, 50))


def _number(value: str, key: str, least: int, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", value) or not least <= int(value) <= most:
        raise UsageError(f"`{key}:` takes a whole number from {least} to {most}, not `{_shown(value)}`.")
    return int(value)


def _tag(question: Question, value: str) -> Question:
    key, _, wanted = value.partition("=")
    if not key:
        raise UsageError("A tag filter is written tag:key=value, for example tag:team=web.")
    if len(question.tags) == 20:
        raise UsageError("At most 20 tags can be asked for at once.")
    return replace(question, tags=(*question.tags, (key, wanted)))


def _group(question: Question, value: str) -> Question:
    if not re.fullmatch(r"rg-[0-9a-z]{4,40}", value.lower()):
        raise UsageError(f"`{_shown(value)}` is not a resource group id. Right would be group:rg-bp67acfmxazb4p.")
    return replace(question, group=value.lower())


def _one_of(field: str, key: str, values: dict[str, str]) -> Callable[[Question, str], Question]:
    def read(question: Question, value: str) -> Question:
        if value.lower() not in values:
            raise UsageError(f"`{key}:` takes {', '.join(values)}, not `{_shown(value)}`.")
        changes: dict[str, Any] = {field: values[value.lower()]}
        return replace(question, **changes)

    return read


_FILTERS: dict[str, Callable[[Question, str], Question]] = {
    "region": _region,
    "since": _since,
    "page": _page,
    "size": _size,
    "command": lambda question, value: replace(question, command_name=value),
    "name": lambda question, value: _with(question, "names", value),
    "tag": _tag,
    "group": _group,
    "type": _one_of("command_type", "type", TYPES),
    "mode": _one_of("repeat_mode", "mode", MODES),
}
_FILTER_EXAMPLES = {
    "region": "region:cn-shanghai",
    "since": "since:2h",
    "page": "page:2",
    "size": "size:50",
    "command": "command:deploy-web",
    "name": "name:web-01",
    "tag": "tag:team=web",
    "group": "group:rg-bp67acfmxazb4p",
    "type": "type:shell",
    "mode": "mode:period",
}

# What people may expect a bot to do, and the line that does it elsewhere: {id} is filled from their words.
_VERBS = {
    "run": ("InvokeCommand", "--CommandId", _COMMAND, "c-…", " --InstanceId.1 i-…"),
    "rerun": ("InvokeCommand", "--CommandId", _COMMAND, "c-…", " --InstanceId.1 i-…"),
    "stop": ("StopInvocation", "--InvokeId", _INVOCATION, "t-…", ""),
    "kill": ("StopInvocation", "--InvokeId", _INVOCATION, "t-…", ""),
    "restart": ("RebootInstance", "--InstanceId", _INSTANCE, "i-…", ""),
    "reboot": ("RebootInstance", "--InstanceId", _INSTANCE, "i-…", ""),
}


def _only_read(verb: str, words: list[str]) -> str:
    action, option, look, unknown, rest = _VERBS[verb]
    lower = [word.lower() for word in words]
    wanted = next((word for word in lower if look.fullmatch(word)), unknown)
    region = next((word for word in lower if word in REGIONS), "REGION")
    line = f"aliyun ecs {action} --RegionId {region} {option} {wanted}{rest}"
    name = next((word for word in words if word.lower() not in _VERBS and _NAME_LIKE.search(word)), None)
    missing = " Fill in what is missing." if "…" in line or "REGION" in line.split() else ""
    shown = f" Ask me `{_shown(name)}` to see the ids." if missing and name else ""
    return f"I only read; here is the line to copy: `{line}`.{missing}{shown}"


def _shown(word: str) -> str:
    """A word of theirs inside our sentence: short, on one line, unable to end the quotation."""
    word = re.sub(r"[\s`]+", " ", word)
    return word if len(word) <= 40 else f"{word[:39]}…"


def _unreadable(word: str) -> str:
    nearest = _nearest(word.lower())
    hint = (
        f"Did you mean `{nearest}`?"
        if nearest
        else f"{_EXAMPLES} A name without digits is written name:{_shown(word)}."
    )
    return f"I cannot read `{_shown(word)}`. {hint}\n{USAGE}"


def _nearest(word: str) -> str | None:
    import difflib  # only where something went wrong: the ack must not pay for it

    known = [*_KEYWORDS, *(f"{key}:" for key in _FILTERS), *REGIONS]
    found = difflib.get_close_matches(word, known, n=1, cutoff=0.7)
    return found[0] if found else None
