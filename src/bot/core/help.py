"""What `help` says. In a thread slash commands do not work, so it begins with what to write there."""

from __future__ import annotations

from collections.abc import Iterable

from bot.core import blocks as b
from bot.core import wording
from bot.core.blocks import Message

_START = "In a thread, where Slack has no slash commands, write to me by name: @bot t-…"

TOPICS: dict[str, tuple[str, ...]] = {
    "runs": (
        "nothing: the newest runs of the configured regions, failures first",
        "t-hz0jdfwd9f: that run, every instance; several ids in one line make one answer",
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


def help_message(topic: str, subcommands: Iterable[tuple[str, str]]) -> Message:
    """All of it, or what names the word. `subcommands` are (usage, what it does), from the table that runs them."""
    topics = _about(topic)
    lines = []
    if topics is TOPICS:
        lines = [f"There is no help on “{wording.name(topic, 40)}”; this is all of it."] if topic else []
        lines += [_START, *(f"{usage}: {what}" for usage, what in subcommands)]
    text = "\n".join([*lines, *(f"{name}: {'; '.join(says)}." for name, says in topics.items())])
    blocks = [b.rich_text(*(b.line(b.words(line)) for line in lines))] if lines else []
    blocks += [
        b.rich_text(
            b.line(b.words(name.capitalize(), bold=True)),
            {"type": "rich_text_list", "style": "bullet", "elements": [b.line(b.words(one)) for one in says]},
        )
        for name, says in topics.items()
    ]
    return b.within_limits(b.escape(text), blocks)


def _about(topic: str) -> dict[str, tuple[str, ...]]:
    """The topic of this name, else those that speak of the word, else all."""
    word = topic.strip(":").lower()
    if word in TOPICS:
        return {word: TOPICS[word]}
    speaking = {name: says for name, says in TOPICS.items() if word and any(word in one for one in says)}
    return speaking or TOPICS
