"""What people type, read into a Question or refused with the nearest right word.

The door reads the words before it acks, so this module imports little. How a word is read: an id, address or
URL by its look; then an exact keyword; then a region id that we know; then a name, if it holds a digit, `-`,
`.` or `*`; else it is a usage error. Words may stand in any order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import date
from typing import Any

from bot.core import places
from bot.core.errors import UsageError
from bot.core.question import EVERYWHERE, KINDS, MODES, ORDERS, REASONS, REGIONS, STATES, TYPES, Question
from bot.core.texts import N_, Text
from bot.core.words import shown, words_of

LONGEST = 4_000  # characters of one line
MOST_OF_A_KIND = 20  # ids, names or regions in one question: each costs calls of the account's quota

USAGE = N_(
    "Usage: t-… (a run), i-… or a name or an IP address (an instance), c-… (a command), or nothing for the newest "
    "runs; then failed, running, region:cn-shanghai, since:2h, private. More: help"
)
_EXAMPLES = N_("Examples: t-hz0jdfwd9f, web-01, failed since:2h.")


def parse(text: str, accounts: Collection[str] | None = None) -> Question:
    """The question in what was typed; raises UsageError with a sentence for the person.

    `accounts` are the names that may be used; None for words of our own, which have been read before.
    """
    if len(text) > LONGEST:
        raise UsageError(
            "That is {length} characters; I read at most {most}. "
            "Ask about fewer ids at once, or about the command (c-…) or a name such as web-*.\n{usage}",
            length=f"{len(text):,}",
            most=f"{LONGEST:,}",
            usage=Text(USAGE),
        )
    words = words_of(text, _FILTERS)
    lower = [_without_dashes(word).lower() for word in words]
    if "help" in lower:
        topic = lower[lower.index("help") + 1 :][:1]
        return Question("help", topic=" ".join(topic))
    if lower[:1] and lower[0] in ORDERS:
        return _read_order(lower[0], text, accounts)
    verb = next((word for word in lower if word in _VERBS), None)
    if verb is not None:
        raise _only_read(verb, words)
    question = Question()
    for word in words:
        question = _read(question, word)
    if accounts is not None:
        know_accounts(question.accounts, question.regions, accounts)
    if question.subcommand in _NEEDS:
        _NEEDS[question.subcommand](question)
    return question


def know_accounts(wanted: Collection[str], regions: Collection[str], accounts: Collection[str]) -> None:
    """Raises UsageError with the nearest right name where one of the wanted accounts is not among those asked.

    `regions` may be places: their accounts are wanted too, and where others are named beside them, they contradict.
    """
    for name in [*wanted, *places.accounts_of(regions)]:
        if name in accounts:
            continue
        if not accounts:
            raise UsageError("I ask one account only, so `{word}` names none (BOT_ACCOUNTS).", word=shown(name))
        nearest = _nearest(name, accounts)
        hint = Text("Did you mean `{word}`?", word=f"account:{nearest}") if nearest else ""
        raise UsageError(
            "I ask no account called `{word}`. {hint}\nThe accounts are: {known}.",
            word=shown(name),
            hint=hint,
            known=", ".join(sorted(accounts)),
        )
    foreign = [one for one in regions if wanted and places.account_of(one) not in ("", *wanted)]
    if foreign:
        both = ", ".join(f"account:{name}" for name in wanted)
        raise UsageError("`{word}` does not go with {accounts}: leave one of them out.", word=foreign[0], accounts=both)


def _read_order(subcommand: str, text: str, accounts: Collection[str] | None) -> Question:
    """A sub-command with words of its own; raises UsageError where they cannot be read."""
    from bot.core import orders  # only where one is typed: the ack of the others must not pay for it

    words = orders.words(text)
    wanted, regions = orders.check(subcommand, words)
    if accounts is not None:
        know_accounts(wanted, regions, accounts)
    return Question(subcommand, arguments=words)


def _needs_a_run(question: Question) -> None:
    if not question.invocations:
        if question.subcommand == "watch":
            raise UsageError("Only runs can be watched. Right would be: watch t-hz0jdfwd9f.")
        raise UsageError("Only runs can be compared. Right would be: diff t-hz0jdfwd9f.")


def _can_be_watched(question: Question) -> None:
    _needs_a_run(question)
    if question.private:
        raise UsageError(
            "A watch cannot be private: Slack lets me change no message that only you see. "
            "Write to me in a direct message: watch t-…"
        )


def _needs_instances(question: Question) -> None:
    if not (question.invocations or question.instances or question.addresses or question.names):
        raise UsageError(
            "Output of what? Right would be: output t-hz0jdfwd9f (every group of that run), "
            "output t-hz0jdfwd9f i-bp1i7gg30r52z2em, or output web-01 (its newest runs)."
        )


_NEEDS = {"watch": _can_be_watched, "diff": _needs_a_run, "output": _needs_instances}


def _without_dashes(word: str) -> str:
    """`--failed` as people write for command lines."""
    return re.sub(r"\A--?(?=[A-Za-z])", "", word)


def _read(question: Question, word: str) -> Question:
    if re.match(r"https?://", word, re.IGNORECASE):
        return _read_url(question, word)
    word = _without_dashes(word)
    lower = word.lower()
    by_look = _read_by_look(question, lower)
    if by_look is not None:
        return by_look
    keyword = _KEYWORDS.get(lower)
    if keyword is not None:
        return keyword(question)
    if places.is_known_place(lower):
        return _with(question, "regions", lower)
    filtered = _read_filter(question, word)
    if filtered is not None:
        return filtered
    key = re.match(r"[A-Za-z]+[:=]", word)
    mistyped = key is not None and _nearest(f"{key[0][:-1].lower()}:") is not None
    if re.search(r"[\d.*-]", word) and not mistyped:
        return _with(question, "names", word)
    raise _unreadable(key[0] if key and mistyped else word)


def _with(question: Question, field: str, value: str) -> Question:
    values: tuple[str, ...] = getattr(question, field)
    if value in values:
        return question
    if len(values) == MOST_OF_A_KIND:
        raise UsageError(
            "At most {most} {kind} can be asked for at once; `{word}` is one more.",
            most=MOST_OF_A_KIND,
            kind=Text(KINDS[field]),
            word=shown(value),
        )
    changes: dict[str, Any] = {field: (*values, value)}
    return question._replace(**changes)


# Ids and addresses: reference of each API, field by field; the letters of an id do not tell its region.
_INVOCATION = re.compile(r"t-[0-9a-z]{6,64}")
_COMMAND = re.compile(r"c-[0-9a-z]{6,64}")
_INSTANCE = re.compile(r"(?:i|mi)-[0-9a-z]{4,40}")
_MASKED_ID = re.compile(r"(?:t|c|i|mi)-[0-9a-z]*\*{2,}[0-9a-z]*")
_EMPHASIS = re.compile(r"([*_~])(.+)\1")
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_IPV4 = re.compile(rf"({_BYTE}(?:\.{_BYTE}){{3}})(?::[0-9]{{1,5}}|/32)?")
_IPV4_RANGE = re.compile(rf"{_BYTE}(?:\.{_BYTE}){{3}}/[0-9]{{1,2}}")
_IPV6 = re.compile(r"(?=[0-9a-f:]{0,37}::|(?:[0-9a-f]{1,4}:){7})[0-9a-f:]{3,39}")


def _read_by_look(question: Question, word: str) -> Question | None:
    """`word` in lower case. Bold and long dashes, which chat programs make, are no part of an id."""
    emphasis = _EMPHASIS.fullmatch(word)
    plain = (emphasis[2] if emphasis else word).replace("--", "-")
    for field, look in (("invocations", _INVOCATION), ("instances", _INSTANCE), ("commands", _COMMAND)):
        if look.fullmatch(plain):
            return _with(question, field, plain)
    if _MASKED_ID.fullmatch(word):
        raise UsageError("`{word}` is a masked id (some of it is stars). Paste the whole id.", word=shown(word))
    address = _IPV4.fullmatch(plain)
    if address or _IPV6.fullmatch(plain):
        return _with(question, "addresses", address[1] if address else plain)
    if _IPV4_RANGE.fullmatch(plain):
        raise UsageError(
            "`{word}` is a range of addresses; I look up single ones. Or ask for a name such as web-*.", word=plain
        )
    return None


_ID_IN_URL = re.compile(r"(?<![0-9a-z-])((?:t|c)-[0-9a-z]{6,64}|(?:i|mi)-[0-9a-z]{4,40})(?![0-9a-z-])")
_REGION_IN_URL = re.compile(r"(?:/region/|regionid=|region=)([a-z]{2,4}(?:-[a-z0-9]+){1,4})")


def _read_url(question: Question, url: str) -> Question:
    """A console URL: its ids and its region."""
    from urllib.parse import unquote  # the door has it by now; others need not pay

    lower = unquote(url).lower()
    ids = _ID_IN_URL.findall(lower)
    if not ids:
        raise UsageError(
            "That address names no run (t-…), instance (i-…) or command (c-…). {examples}", examples=Text(_EXAMPLES)
        )
    for word in ids:
        question = _read_by_look(question, word) or question
    region = _REGION_IN_URL.search(lower)
    return _with(question, "regions", region[1]) if region else question


def _state(word: str) -> Callable[[Question], Question]:
    return lambda question: _with(question, "states", word)


_KEYWORDS: dict[str, Callable[[Question], Question]] = {
    **{word: _state(word) for word in STATES},
    "succeeded": _state("success"),
    "history": lambda question: question._replace(history=True),
    "private": lambda question: question._replace(private=True),
    "here": lambda question: question._replace(private=False),
    "watch": lambda question: question._replace(subcommand="watch"),
    "output": lambda question: question._replace(subcommand="output"),
    "outputs": lambda question: question._replace(subcommand="output"),
    "diff": lambda question: question._replace(subcommand="diff"),
}


def _read_filter(question: Question, word: str) -> Question | None:
    """`key:value` or `key=value`; None where the key is not one of ours."""
    key, value = re.split(r"[:=]", word, maxsplit=1) if re.search(r"[:=]", word) else (word, None)
    reader = _FILTERS.get(key.lower())
    if reader is None or value is None:
        return None
    if not value:
        example = _FILTER_EXAMPLES[key.lower()]
        raise UsageError(
            "`{key}:` needs a value right after it, for example {example}.", key=key.lower(), example=example
        )
    return reader(question, value)


def _region(question: Question, value: str) -> Question:
    lower = value.lower()
    if lower != EVERYWHERE and not places.is_place(lower):
        raise UsageError(
            "`{word}` is not a region id. Right would be region:cn-shanghai or region:all.", word=shown(value)
        )
    return _with(question, "regions", lower)


def _account(question: Question, value: str) -> Question:
    """By its look: which accounts there are is known to who asks for the question."""
    from bot.core import values  # only where one is typed: the ack of the others must not pay for it

    return _with(question, "accounts", values.account(value))


_SPAN = re.compile(r"[0-9]{1,4}[smhdw]")
_TIME_OF_DAY = r"((?:[01]?[0-9]|2[0-3]):[0-5][0-9])"
_MOMENT = re.compile(rf"(?:(20[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}})(?:[t ](?=[0-9])|\Z))?(?:{_TIME_OF_DAY})?")


def _since(question: Question, value: str) -> Question:
    lower = value.strip().lower()
    if _SPAN.fullmatch(lower):
        return question._replace(since=lower)
    match = _MOMENT.fullmatch(lower)
    if not lower or match is None or not _is_day(match[1]):
        raise UsageError(
            "I cannot read the time `{word}`. Right would be since:2h, since:30m, since:21:00 or since:2026-11-24.",
            word=shown(value),
        )
    time_of_day = match[2].zfill(5) if match[2] else ""
    return question._replace(since="t".join(part for part in (match[1], time_of_day) if part))


def _is_day(text: str | None) -> bool:
    try:
        return text is None or bool(date.fromisoformat(text))
    except ValueError:
        return False


def _page(question: Question, value: str) -> Question:
    return question._replace(page=_number(value, "page", 1, 200))


def _size(question: Question, value: str) -> Question:
    return question._replace(size=_number(value, "size", 1, 50))


def _number(value: str, key: str, least: int, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", value) or not least <= int(value) <= most:
        text = N_("`{key}:` takes a whole number from {least} to {most}, not `{word}`.")
        raise UsageError(text, key=key, least=least, most=most, word=shown(value))
    return int(value)


def _tag(question: Question, value: str) -> Question:
    key, _, wanted = value.partition("=")
    if not key:
        raise UsageError("A tag filter is written tag:key=value, for example tag:team=web.")
    if len(question.tags) == 20:
        raise UsageError("At most 20 tags can be asked for at once.")
    return question._replace(tags=(*question.tags, (key, wanted)))


def _group(question: Question, value: str) -> Question:
    if not re.fullmatch(r"rg-[0-9a-z]{4,40}", value.lower()):
        raise UsageError(
            "`{word}` is not a resource group id. Right would be group:rg-bp67acfmxazb4p.", word=shown(value)
        )
    return question._replace(group=value.lower())


def _one_of(field: str, key: str, values: dict[str, str]) -> Callable[[Question, str], Question]:
    def read(question: Question, value: str) -> Question:
        if value.lower() not in values:
            known = ", ".join(values)
            raise UsageError("`{key}:` takes {known}, not `{word}`.", key=key, known=known, word=shown(value))
        changes: dict[str, Any] = {field: values[value.lower()]}
        return question._replace(**changes)

    return read


def _reason(question: Question, value: str) -> Question:
    lower = value.lower()
    if lower not in REASONS:
        nearest = _nearest(lower[:40], REASONS)
        hint = (
            Text("Did you mean `{word}`?", word=f"reason:{nearest}")
            if nearest
            else Text("Some are oom, disk-full, agent-offline, dns.")
        )
        raise UsageError("`{word}` is not a reason that I know. {hint}", word=shown(value), hint=hint)
    return _with(question, "reasons", lower)


_FILTERS: dict[str, Callable[[Question, str], Question]] = {
    "region": _region,
    "account": _account,
    "since": _since,
    "page": _page,
    "size": _size,
    "command": lambda question, value: question._replace(command_name=value),
    "name": lambda question, value: _with(question, "names", value),
    "tag": _tag,
    "group": _group,
    "reason": _reason,
    "type": _one_of("command_type", "type", TYPES),
    "mode": _one_of("repeat_mode", "mode", MODES),
}
_FILTER_EXAMPLES = {
    "region": "region:cn-shanghai",
    "account": "account:prod",
    "since": "since:2h",
    "page": "page:2",
    "size": "size:50",
    "command": "command:deploy-web",
    "name": "name:web-01",
    "tag": "tag:team=web",
    "group": "group:rg-bp67acfmxazb4p",
    "reason": "reason:oom",
    "type": "type:shell",
    "mode": "mode:period",
}

# What people may expect a bot to do, and the line that does it elsewhere: the id is filled in from their words.
_VERBS = {
    "run": ("InvokeCommand", "--CommandId", _COMMAND, "c-…", " --InstanceId.1 i-…"),
    "rerun": ("InvokeCommand", "--CommandId", _COMMAND, "c-…", " --InstanceId.1 i-…"),
    "stop": ("StopInvocation", "--InvokeId", _INVOCATION, "t-…", ""),
    "kill": ("StopInvocation", "--InvokeId", _INVOCATION, "t-…", ""),
    "restart": ("RebootInstance", "--InstanceId", _INSTANCE, "i-…", ""),
    "reboot": ("RebootInstance", "--InstanceId", _INSTANCE, "i-…", ""),
}


def _only_read(verb: str, words: list[str]) -> UsageError:
    action, option, look, unknown, rest = _VERBS[verb]
    lower = [word.lower() for word in words]
    wanted = next((word for word in lower if look.fullmatch(word)), unknown)
    place = next((w for w in (w.removeprefix("region:") for w in lower) if places.is_known_place(w)), "REGION")
    region, account = places.region_of(place), _account_in(lower) or places.account_of(place)
    profile = f" --profile {account}" if account else ""
    line = f"aliyun ecs {action} --RegionId {region}{profile} {option} {wanted}{rest}"
    name = next((w for w in words if not _says_where(w.lower()) and re.search(r"[\d.*-]", w)), None)
    if "…" not in line and region != "REGION":
        return UsageError("I only read; here is the line to copy: `{line}`.", line=line)
    if not name:
        return UsageError("I only read; here is the line to copy: `{line}`. Fill in what is missing.", line=line)
    return UsageError(
        "I only read; here is the line to copy: `{line}`. Fill in what is missing. Ask me `{name}` to see the ids.",
        line=line,
        name=shown(name),
    )


def _says_where(word: str) -> bool:
    return places.is_known_place(word) or word.startswith("account:")


def _account_in(words: list[str]) -> str:
    found = (re.fullmatch(rf"account:({places.NAME})", word) for word in words)
    return next((match[1] for match in found if match), "")


def _unreadable(word: str) -> UsageError:
    nearest, usage = _nearest(word.lower()[:40]), Text(USAGE)
    if nearest:
        hint = Text("Did you mean `{word}`?", word=nearest)
    else:
        written = Text("A name without digits is written {word}.", word=f"name:{shown(word)}")
        hint = Text("{first} {second}", first=Text(_EXAMPLES), second=written)
    return UsageError("I cannot read `{word}`. {hint}\n{usage}", word=shown(word), hint=hint, usage=usage)


def _nearest(word: str, among: Collection[str] = ()) -> str | None:
    """The word that was meant: one of `among`, else of all that can be typed."""
    import difflib  # only where something went wrong: the ack must not pay for it

    known = sorted(among) or [*_KEYWORDS, "help", *ORDERS, *(f"{key}:" for key in _FILTERS), *REGIONS]
    found = difflib.get_close_matches(word, known, n=1, cutoff=0.7 if not among else 0.5)
    return found[0] if found else None
