"""Messages drawn for a terminal."""

from sandbox.drawing import WIDTH, draw

HEADER = {"type": "header", "text": {"type": "plain_text", "text": "✖ 1 of 2 failed: deploy-web"}}
COUNTS = {"type": "context", "elements": [{"type": "mrkdwn", "text": "1 exit code 0 &amp; more"}]}


def rich(*elements: dict) -> dict:
    return {"type": "rich_text", "elements": list(elements)}


def section(*elements: dict) -> dict:
    return {"type": "rich_text_section", "elements": list(elements)}


def word(text: str, **style: bool) -> dict:
    return {"type": "text", "text": text, **({"style": style} if style else {})}


def test_a_message_without_blocks_is_its_text() -> None:
    assert draw("No run &lt;t-1&gt;.\nAsk again.", []) == "No run <t-1>.\nAsk again."


def test_a_rule_parts_the_summary_from_what_follows() -> None:
    drawn = draw("", [HEADER, COUNTS, rich(section(word("1 failed")))])
    assert drawn.split("\n") == ["✖ 1 of 2 failed: deploy-web", "  1 exit code 0 & more", "─" * WIDTH, "1 failed"]


def test_output_stands_behind_a_bar_and_is_never_wrapped() -> None:
    output = {"type": "rich_text_preformatted", "elements": [word("x" * 200 + "\nend")]}
    assert draw("", [rich(output)]).split("\n") == ["  │ " + "x" * 200, "  │ end"]


def test_lists_links_and_dates_are_readable() -> None:
    date = {"type": "date", "timestamp": 0, "format": "{time}", "fallback": "1970-01-01"}
    bullets = {"type": "rich_text_list", "style": "bullet", "elements": [section(word("one")), section(date)]}
    footer = {
        "type": "context",
        "elements": [{"type": "mrkdwn", "text": "<https://c.example|console> <!date^0^{date} {time}|long ago>"}],
    }
    lines = draw("", [rich(section(word("Runs")), bullets), footer]).split("\n")
    assert lines[:2] == ["Runs", "  • one"]
    assert lines[2].startswith("  • ")
    assert lines[2].endswith(":00")
    assert lines[4].startswith("  console ")
    assert "<" not in lines[4]


def test_colour_is_for_terminals_only() -> None:
    assert "\x1b[1m" in draw("", [HEADER], colour=True)
    assert "\x1b" not in draw("", [HEADER, rich(section(word("a", bold=True)))])


def test_blocks_it_does_not_know_show_their_text() -> None:
    unknown = {"type": "card", "title": {"type": "plain_text", "text": "Title"}, "parts": [{"text": "part"}]}
    section_block = {"type": "section", "text": {"type": "mrkdwn", "text": "said"}}
    assert draw("", [unknown, section_block, {"type": "divider"}]).split("\n") == ["Title", "part", "said", "─" * WIDTH]
