"""What `help` says."""

from __future__ import annotations

import pytest

from bot.core.buttons import ACTS, Act
from bot.core.help import TOPICS, help_message
from bot.core.parsing import parse
from core.samples import refused, shown

TABLE = [("show", "what really happened"), ("help, help WORD", "this"), ("watch t-…", "one message, kept up to date")]


def test_all_of_it_begins_with_threads_and_holds_the_table() -> None:
    message = help_message("", TABLE)
    assert message.text.startswith("In a thread, where Slack has no slash commands, write to me by name: @bot")
    assert "help, help WORD: this" in message.text
    assert all(name.capitalize() in shown(message) for name in TOPICS)
    assert "size:50" in message.text
    assert refused(message) == []


def test_it_shows_what_can_be_pressed() -> None:
    seen = shown(help_message("", TABLE))
    assert "Buttons" in seen
    assert all(f"{act.text}: {act.says}" in seen for act in ACTS.values())
    assert "More: help buttons." in help_message("", TABLE).text


@pytest.mark.parametrize("act", ACTS.values(), ids=lambda act: act.text)
def test_the_name_of_a_button_finds_what_it_does(act: Act) -> None:
    assert f"{act.text}: {act.says}" in help_message(act.text.split(" ")[0], TABLE).text


def test_a_sub_command_is_told_alone_with_the_button_that_does_the_same() -> None:
    message = help_message("watch", TABLE)
    first, second = message.text.split("\n")
    assert first == "watch t-…: one message, kept up to date"
    assert second.startswith("buttons: ")
    assert "Watch: " in second
    assert "Take back" not in second
    assert refused(message) == []


def test_what_has_no_room_in_words_is_named() -> None:
    message = help_message("", [*TABLE, *((f"sub-command-{n}", "x" * 60) for n in range(8))])
    assert message.text.endswith("private, help buttons.")
    assert refused(message) == []


@pytest.mark.parametrize("topic", TOPICS)
def test_one_topic(topic: str) -> None:
    message = help_message(topic.upper(), TABLE)
    assert message.text.startswith(f"{topic}: ")
    assert len(message.blocks) == 1
    assert refused(message) == []


@pytest.mark.parametrize(
    ("word", "topics"), [("since", ["filters"]), ("tag:", ["filters"]), ("console", ["runs", "buttons"])]
)
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
