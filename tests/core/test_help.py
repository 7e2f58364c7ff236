"""What `help` says."""

from __future__ import annotations

import pytest

from bot.core.help import TOPICS, help_message
from bot.core.parsing import parse
from core.samples import refused, shown

TABLE = [("show", "what really happened"), ("help, help WORD", "this")]


def test_all_of_it_begins_with_threads_and_holds_the_table() -> None:
    message = help_message("", TABLE)
    assert message.text.startswith("In a thread, where Slack has no slash commands, write to me by name: @bot")
    assert "help, help WORD: this" in message.text
    assert all(name.capitalize() in shown(message) for name in TOPICS)
    assert "size:50" in message.text
    assert refused(message) == []


@pytest.mark.parametrize("topic", TOPICS)
def test_one_topic(topic: str) -> None:
    message = help_message(topic.upper(), TABLE)
    assert message.text.startswith(f"{topic}: ")
    assert len(message.blocks) == 1
    assert refused(message) == []


@pytest.mark.parametrize(("word", "topics"), [("since", ["filters"]), ("tag:", ["filters"]), ("console", ["runs"])])
def test_a_word_finds_what_speaks_of_it(word: str, topics: list[str]) -> None:
    assert [line.split(":")[0] for line in help_message(word, TABLE).text.split("\n")] == topics


def test_an_unknown_word_is_said_to_be_unknown() -> None:
    message = help_message("<!channel>", TABLE)
    assert message.text.startswith("There is no help on “&lt;!channel&gt;”; this is all of it.")
    assert refused(message) == []


@pytest.mark.parametrize(
    "example", ["failed", "since:2h", "region:all", "tag:team=web", "page:2", "type:shell", "here"]
)
def test_what_help_names_is_understood(example: str) -> None:
    assert any(example in line for says in TOPICS.values() for line in says)
    parse(example)
