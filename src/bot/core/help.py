"""What `help` says. In a thread slash commands do not work, so it begins with what to write there.

Sub-commands come from the table that runs them, buttons from the table that draws them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.core import blocks as b
from bot.core import wording
from bot.core.blocks import Block, Message
from bot.core.buttons import ACTS
from bot.core.texts import N_, _, listed, pgettext, stop

START = N_("In a thread, where Slack has no slash commands, write to me by name: @bot t-…")

TOPICS: dict[str, tuple[str, ...]] = {
    "runs": (
        N_("nothing: the newest runs of the configured regions, failures first"),
        N_("t-hz0jdfwd9f: that run, every instance; several ids in one line make one answer"),
        N_("diff t-hz0jdfwd9f: what is different from the last run of the same command on the same instances"),
        N_("a console address works like the id in it"),
        N_("failed, running, finished, stopped, success, pending, scheduled, stopping: only those"),
    ),
    "instances": (
        N_("i-bp1i7gg30r52z2em, mi-…: the newest results on that instance"),
        N_("web-01, web-*, 10.0.0.7: the same by name or address; name:WORD where a name looks like something else"),
        N_("t-… i-…: that run on that instance"),
    ),
    "commands": (
        N_("c-hz0jdfwcsr: the newest runs of that command, and how each ended"),
        N_("command:deploy-web or command:deploy-*: the same by name"),
    ),
    "regions": (
        N_("cn-shanghai: there; region:… for one that I do not know; region:all: everywhere at once"),
        N_("an id is looked for in the default region first, then in the others"),
        N_("account:prod: only in that account, where the people who run this bot have named several"),
    ),
    "filters": (
        N_("since:2h, since:21:00 (your time zone), since:2026-11-24"),
        N_("tag:team=web, group:rg-…, type:shell, mode:period, history (of a schedule)"),
        N_("reason:oom, reason:agent-offline: only what failed for that reason"),
        N_("page:2, size:50"),
    ),
    "private": (N_("private: only you see the answer; here: the channel sees it, which is the default"),),
}


# What each section says, as (words that it is found by, how it is said): people ask in English, as they type.
_Lines = Sequence[tuple[str, str]]


def _sections() -> dict[str, _Lines]:
    told = {name: [(line, _(line)) for line in lines] for name, lines in TOPICS.items()}
    acts = [(f"{act.text}: {act.says}", _told(_(act.text), _(act.says))) for act in ACTS.values()]
    return {**told, "buttons": [(f"{words} {said}", said) for words, said in acts]}


# By the word that asks for a section.
_TITLES = {
    "runs": N_("Runs"),
    "instances": N_("Instances"),
    "commands": N_("Commands"),
    "regions": N_("Regions"),
    "filters": N_("Filters"),
    "private": N_("Private"),
    "buttons": N_("Buttons"),
}


def _told(what: str, says: str) -> str:
    return _("{what}: {told}", what=what, told=says)


def help_message(topic: str, subcommands: Iterable[tuple[str, str]]) -> Message:
    """All of it, or what names the word. `subcommands` are (usage, what it does), from the table that runs them."""
    typed = [(usage, _told(_(usage), _(what))) for usage, what in subcommands]
    word = topic.strip(":").lower()
    lines = [line for usage, line in typed if word and word in usage.split(":")[0].lower()]
    sections = _about(word)
    if not (lines or sections):
        none = _("There is no help on “{word}”; this is all of it.", word=wording.name(topic, 40))
        lines = [*([none] if topic else []), _(START), *(line for _usage, line in typed)]
        sections = _said(_sections())
    blocks = [b.rich_text(*(b.line(b.words(line)) for line in lines))] if lines else []
    return b.within_limits(_spoken(lines, sections), [*blocks, *(_section(*one) for one in sections.items())])


def _about(word: str) -> Mapping[str, tuple[str, ...]]:
    """The section of this name, else of each the lines that speak of the word."""
    sections = _sections()
    if word in sections:
        return _said({word: sections[word]})
    speaking = {name: [one for one in says if word and word in one[0].lower()] for name, says in sections.items()}
    return _said({name: says for name, says in speaking.items() if says})


def _said(sections: Mapping[str, _Lines]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(said for _words, said in lines) for name, lines in sections.items()}


def _section(name: str, says: Iterable[str]) -> Block:
    return b.rich_text(
        b.line(b.words(_(_TITLES[name]), bold=True)),
        {"type": "rich_text_list", "style": "bullet", "elements": [b.line(b.words(one)) for one in says]},
    )


def _spoken(lines: Iterable[str], sections: Mapping[str, tuple[str, ...]]) -> str:
    """All of it in words; sections that have no room are named, so that they can be asked for."""
    between = pgettext("between sentences of one", "; ")
    told = [*lines, *(stop(_told(name, between.join(says))) for name, says in sections.items())]
    names = list(sections)
    for left in range(len(names) + 1):
        more = _("More: {words}.", words=listed(f"help {name}" for name in names[len(names) - left :]))
        text = b.escape("\n".join([*told[: len(told) - left], *([more] if left else [])]))
        if b.width(text) <= b.MOST_TEXT:
            break
    return text
