"""What `help` says. In a thread slash commands do not work, so it begins with what to write there.

Sub-commands come from the table that runs them, buttons from the table that draws them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.core import blocks as b
from bot.core import wording
from bot.core.blocks import Block, Message
from bot.core.buttons import ACTS

_START = "In a thread, where Slack has no slash commands, write to me by name: @bot t-…"

TOPICS: dict[str, tuple[str, ...]] = {
    "runs": (
        "nothing: the newest runs of the configured regions, failures first",
        "t-hz0jdfwd9f: that run, every instance; several ids in one line make one answer",
        "diff t-hz0jdfwd9f: what is different from the last run of the same command on the same instances",
        "a console address works like the id in it",
        "failed, running, finished, stopped, success, pending, scheduled, stopping: only those",
    ),
    "instances": (
        "i-bp1i7gg30r52z2em, mi-…: the newest results on that instance",
        "web-01, web-*, 10.0.0.7: the same by name or address; name:WORD where a name looks like something else",
        "t-… i-…: that run on that instance",
    ),
    "commands": (
        "c-hz0jdfwcsr: the newest runs of that command, and how each ended",
        "command:deploy-web or command:deploy-*: the same by name",
    ),
    "regions": (
        "cn-shanghai: there; region:… for one that I do not know; region:all: everywhere at once",
        "an id is looked for in the default region first, then in the others",
    ),
    "filters": (
        "since:2h, since:21:00 (your time zone), since:2026-11-24",
        "tag:team=web, group:rg-…, type:shell, mode:period, history (of a schedule)",
        "reason:oom, reason:agent-offline: only what failed for that reason",
        "page:2, size:50",
    ),
    "private": ("private: only you see the answer; here: the channel sees it, which is the default",),
}


_SECTIONS = {**TOPICS, "buttons": tuple(f"{act.text}: {act.says}" for act in ACTS.values())}


def help_message(topic: str, subcommands: Iterable[tuple[str, str]]) -> Message:
    """All of it, or what names the word. `subcommands` are (usage, what it does), from the table that runs them."""
    typed = [f"{usage}: {what}" for usage, what in subcommands]
    word = topic.strip(":").lower()
    lines = [line for line in typed if word and word in line.split(":")[0].lower()]
    sections = _about(word)
    if not (lines or sections):
        unknown = [f"There is no help on “{wording.name(topic, 40)}”; this is all of it."] if topic else []
        lines, sections = [*unknown, _START, *typed], _SECTIONS
    blocks = [b.rich_text(*(b.line(b.words(line)) for line in lines))] if lines else []
    return b.within_limits(_spoken(lines, sections), [*blocks, *(_section(*one) for one in sections.items())])


def _about(word: str) -> Mapping[str, tuple[str, ...]]:
    """The section of this name, else of each the lines that speak of the word."""
    if word in _SECTIONS:
        return {word: _SECTIONS[word]}
    speaking = {name: tuple(one for one in says if word and word in one.lower()) for name, says in _SECTIONS.items()}
    return {name: says for name, says in speaking.items() if says}


def _section(name: str, says: Iterable[str]) -> Block:
    return b.rich_text(
        b.line(b.words(name.capitalize(), bold=True)),
        {"type": "rich_text_list", "style": "bullet", "elements": [b.line(b.words(one)) for one in says]},
    )


def _spoken(lines: Iterable[str], sections: Mapping[str, tuple[str, ...]]) -> str:
    """All of it in words; sections that have no room are named, so that they can be asked for."""
    told = [*lines, *(f"{name}: {'; '.join(says)}." for name, says in sections.items())]
    names = list(sections)
    for left in range(len(names) + 1):
        more = f"More: {', '.join(f'help {name}' for name in names[len(names) - left :])}."
        text = b.escape("\n".join([*told[: len(told) - left], *([more] if left else [])]))
        if b.width(text) <= b.MOST_TEXT:
            break
    return text
