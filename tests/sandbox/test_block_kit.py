"""Each limit at its edge: what Slack takes at the limit, it refuses one above."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.block_kit import error_code, message_problems, pings, problems, view_problems


def plain(text):
    return {"type": "plain_text", "text": text}


def mrkdwn(text):
    return {"type": "mrkdwn", "text": text}


def rich(*elements):
    return {"type": "rich_text", "elements": list(elements)}


def rich_section(*inline):
    return rich({"type": "rich_text_section", "elements": list(inline)})


def output(text):
    return rich({"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]})


def section(text="x", **more):
    return {"type": "section", "text": mrkdwn(text), **more}


def button(text="Go", **more):
    return {"type": "button", "text": plain(text), **more}


def actions(*elements):
    return {"type": "actions", "elements": list(elements)}


def options(n, text="a", value="v", **more):
    return [{"text": plain(text), "value": value, **more} for _ in range(n)]


def select(n=1, **more):
    return {"type": "static_select", "options": options(n), **more}


def image(**more):
    return {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a", **more}


def cell(text="x"):
    return {"type": "raw_text", "text": text}


def table(rows, columns=1, text="x"):
    return {"type": "table", "rows": [[cell(text)] * columns] * rows}


def data_table(rows, columns=1, text="x", **more):
    return {"type": "data_table", "caption": "c", "rows": [[cell(text)] * columns] * rows, **more}


def pie(n, label="a"):
    segments = [{"label": label, "value": 1}] * n
    return {"type": "data_visualization", "title": "t", "chart": {"type": "pie", "segments": segments}}


def bar(names, categories, labels=None, **axis):
    data = [{"label": label, "value": 1} for label in labels or categories]
    series = [{"name": name, "data": data} for name in names]
    chart = {"type": "bar", "series": series, "axis_config": {"categories": categories, **axis}}
    return {"type": "data_visualization", "title": "t", "chart": chart}


def card(**more):
    return {"type": "card", **more}


def container(children, **more):
    return {"type": "container", "title": plain("t"), "child_blocks": children, **more}


def task(**more):
    return {"type": "task_card", "task_id": "1", "title": "t", "status": "complete", **more}


def video(title="t", **more):
    urls = {"video_url": "https://example.com/v", "thumbnail_url": "https://example.com/t"}
    return {"type": "video", "title": plain(title), "alt_text": "a", **urls, **more}


def confirm(title="t", text="x", yes="y", no="n"):
    return {"title": plain(title), "text": mrkdwn(text), "confirm": plain(yes), "deny": plain(no)}


def named(n):
    return [str(i) for i in range(n)]


def field(element):
    return {"type": "input", "label": plain("l"), "element": element}


# One row: what it is, how it is made from a number, the limit, and the pointer of the refusal.
LIMITS = [
    ("section text", lambda n: [section("a" * n)], 3000, "/blocks/0/text/text"),
    ("section fields", lambda n: [{"type": "section", "fields": [mrkdwn("a")] * n}], 10, "/blocks/0/fields"),
    ("field text", lambda n: [{"type": "section", "fields": [plain("a" * n)]}], 2000, "/blocks/0/fields/0/text"),
    ("header", lambda n: [{"type": "header", "text": plain("a" * n)}], 150, "/blocks/0/text/text"),
    ("block_id", lambda n: [section(block_id="a" * n)], 255, "/blocks/0/block_id"),
    ("action_id", lambda n: [actions(button(action_id="a" * n))], 255, "/blocks/0/elements/0/action_id"),
    ("context", lambda n: [{"type": "context", "elements": [mrkdwn("a")] * n}], 10, "/blocks/0/elements"),
    ("actions", lambda n: [actions(*[button()] * n)], 25, "/blocks/0/elements"),
    ("button text", lambda n: [actions(button("a" * n))], 75, "/blocks/0/elements/0/text/text"),
    ("button value", lambda n: [actions(button(value="a" * n))], 2000, "/blocks/0/elements/0/value"),
    ("button url", lambda n: [actions(button(url="https:" + "a" * (n - 6)))], 3000, "/blocks/0/elements/0/url"),
    (
        "button label",
        lambda n: [actions(button(accessibility_label="a" * n))],
        75,
        "/blocks/0/elements/0/accessibility_label",
    ),
    ("agent prompt", lambda n: [actions(button(agent_prompt="a" * n))], 4000, "/blocks/0/elements/0/agent_prompt"),
    ("confirm title", lambda n: [actions(button(confirm=confirm(title="a" * n)))], 100, "/confirm/title/text"),
    ("confirm text", lambda n: [actions(button(confirm=confirm(text="a" * n)))], 300, "/confirm/text/text"),
    ("confirm yes", lambda n: [actions(button(confirm=confirm(yes="a" * n)))], 30, "/confirm/confirm/text"),
    ("confirm no", lambda n: [actions(button(confirm=confirm(no="a" * n)))], 30, "/confirm/deny/text"),
    ("options", lambda n: [actions(select(n))], 100, "/blocks/0/elements/0/options"),
    (
        "option groups",
        lambda n: [
            actions({"type": "static_select", "option_groups": [{"label": plain("l"), "options": options(1)}] * n})
        ],
        100,
        "/blocks/0/elements/0/option_groups",
    ),
    ("placeholder", lambda n: [actions(select(placeholder=plain("a" * n)))], 150, "/placeholder/text"),
    ("option text", lambda n: [actions(select(options=options(1, "a" * n)))], 75, "/options/0/text/text"),
    ("option value", lambda n: [actions(select(options=options(1, value="a" * n)))], 150, "/options/0/value"),
    (
        "option description",
        lambda n: [actions(select(options=options(1, description=plain("a" * n))))],
        75,
        "/options/0/description/text",
    ),
    ("overflow", lambda n: [actions({"type": "overflow", "options": options(n)})], 5, "/blocks/0/elements/0/options"),
    ("checkboxes", lambda n: [actions({"type": "checkboxes", "options": options(n)})], 10, "/elements/0/options"),
    ("radios", lambda n: [actions({"type": "radio_buttons", "options": options(n)})], 10, "/elements/0/options"),
    ("image alt text", lambda n: [image(alt_text="a" * n)], 2000, "/blocks/0/alt_text"),
    ("image title", lambda n: [image(title=plain("a" * n))], 2000, "/blocks/0/title/text"),
    ("image url", lambda n: [image(image_url="https:" + "a" * (n - 6))], 3000, "/blocks/0/image_url"),
    ("input label", lambda n: [{**field(select()), "label": plain("a" * n)}], 2000, "/blocks/0/label/text"),
    ("input hint", lambda n: [{**field(select()), "hint": plain("a" * n)}], 2000, "/blocks/0/hint/text"),
    ("text input", lambda n: [field({"type": "plain_text_input", "max_length": n})], 3000, "/element/max_length"),
    ("file input", lambda n: [field({"type": "file_input", "max_files": n})], 10, "/element/max_files"),
    ("markdown", lambda n: [{"type": "markdown", "text": "a" * n}], 12_000, "/blocks/0/text"),
    ("markdown in all", lambda n: [{"type": "markdown", "text": t} for t in ("a", "a" * (n - 1))], 12_000, "/blocks]"),
    ("table rows", lambda n: [table(n)], 100, "/blocks/0/rows"),
    ("table columns", lambda n: [table(1, n)], 20, "/blocks/0/rows/0"),
    ("table text", lambda n: [table(1, 1, "a" * n)], 10_000, "/blocks]"),
    ("tables", lambda n: [table(1)] * n, 1, "/blocks]"),
    ("column settings", lambda n: [{**table(1), "column_settings": [{"align": "right"}] * n}], 20, "column_settings"),
    ("data table rows", lambda n: [data_table(n)], 101, "/blocks/0/rows"),
    ("data table columns", lambda n: [data_table(2, n)], 20, "/blocks/0/rows/0"),
    ("data table text", lambda n: [data_table(2, 1, "a" * (n // 2) + "a" * (n % 2))], 20_000, "/blocks]"),
    ("data table page", lambda n: [data_table(2, page_size=n)], 100, "/blocks/0/page_size"),
    ("charts", lambda n: [pie(1)] * n, 2, "/blocks]"),
    ("chart title", lambda n: [{**pie(1), "title": "a" * n}], 50, "/blocks/0/title"),
    ("segments", lambda n: [pie(n)], 6, "/blocks/0/chart/segments"),
    ("segment label", lambda n: [pie(1, "a" * n)], 20, "/blocks/0/chart/segments/0/label"),
    ("series", lambda n: [bar(named(n), ["c"])], 6, "/blocks/0/chart/series"),
    ("series name", lambda n: [bar(["a" * n], ["c"])], 20, "/blocks/0/chart/series/0/name"),
    ("points", lambda n: [bar(["a"], named(n))], 20, "/blocks/0/chart"),
    ("axis label", lambda n: [bar(["a"], ["c"], x_label="a" * n)], 50, "/blocks/0/chart/axis_config/x_label"),
    ("card title", lambda n: [card(title=mrkdwn("a" * n))], 150, "/blocks/0/title/text"),
    ("card body", lambda n: [card(body=mrkdwn("a" * n))], 200, "/blocks/0/body/text"),
    ("card buttons", lambda n: [card(actions=[button()] * n)], 3, "/blocks/0/actions"),
    ("carousel", lambda n: [{"type": "carousel", "elements": [card(body=mrkdwn("a"))] * n}], 10, "/blocks/0/elements"),
    ("children", lambda n: [container([section()] * n)], 10, "/blocks/0/child_blocks"),
    ("container title", lambda n: [container([section()], title=plain("a" * n))], 150, "/blocks/0/title/text"),
    (
        "context actions",
        lambda n: [
            {"type": "context_actions", "elements": [{"type": "icon_button", "icon": "trash", "text": plain("x")}] * n}
        ],
        5,
        "/blocks/0/elements",
    ),
    ("plan tasks", lambda n: [{"type": "plan", "title": "t", "tasks": [task(status="pending")] * n}], 50, "/tasks"),
    ("video title", lambda n: [video("a" * n)], 199, "/blocks/0/title/text"),
    ("video author", lambda n: [video(author_name="a" * n)], 49, "/blocks/0/author_name"),
    (
        "list indent",
        lambda n: [
            rich(
                {
                    "type": "rich_text_list",
                    "style": "bullet",
                    "indent": n,
                    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "a"}]}],
                }
            )
        ],
        8,
        "/blocks/0/elements/0/indent",
    ),
    ("blocks", lambda n: [{"type": "divider"}] * n, 50, "/blocks]"),
    ("block text", lambda n: [section("a" * 3000)] * 4 + [output("a" * (n - 12_000))], 13_000, "/blocks]"),
]


@pytest.mark.parametrize(("make", "limit", "pointer"), [row[1:] for row in LIMITS], ids=[row[0] for row in LIMITS])
def test_a_limit_holds_at_its_edge(make, limit, pointer):
    assert problems(make(limit)) == []
    found = problems(make(limit + 1))
    assert found
    assert any(pointer in problem for problem in found)


def test_a_refusal_reads_like_slacks():
    assert problems([section(), section("a" * 3001)]) == [
        "must be less than 3001 characters [json-pointer:/blocks/1/text/text]"
    ]


PASSES = {
    "every inline element": [
        rich_section(
            {"type": "text", "text": "<!channel>", "style": {"bold": True}},
            {"type": "link", "url": "https://example.com", "text": "x"},
            {"type": "emoji", "name": "tada"},
            {"type": "user", "user_id": "U1"},
            {"type": "usergroup", "usergroup_id": "S1"},
            {"type": "channel", "channel_id": "C1"},
            {"type": "team", "team_id": "T1"},
            {"type": "broadcast", "range": "here"},
            {"type": "date", "timestamp": 1_700_000_000, "format": "{time}", "fallback": "now"},
            {"type": "color", "value": "#fff"},
        )
    ],
    "preformatted with language and border": [
        rich(
            {
                "type": "rich_text_preformatted",
                "border": 1,
                "language": "json",
                "elements": [{"type": "text", "text": "{}"}, {"type": "link", "url": "https://example.com"}],
            },
            {"type": "rich_text_quote", "border": 0, "elements": [{"type": "text", "text": "q"}]},
        )
    ],
    "foldable container": [container([output("x"), table(1)], is_collapsible=True, default_collapsed=True)],
    "table with numbers and a skipped column": [
        {
            "type": "table",
            "column_settings": [None, {"is_wrapped": True}],
            "rows": [[{"type": "raw_number", "value": 1.5, "text": "1.5"}, output("x")]],
        }
    ],
    "an image from a file": [{"type": "image", "slack_file": {"id": "F1"}, "alt_text": "a"}],
    "context with an image": [{"type": "context", "elements": [image(), mrkdwn("a")]}],
    "accessory": [
        section(accessory=image()),
        section(accessory={"type": "overflow", "options": options(1, url="https://a.b")}),
    ],
    "choosing": [
        actions(
            {"type": "datepicker", "initial_date": "2026-11-24"},
            {"type": "timepicker", "initial_time": "03:00"},
            {"type": "datetimepicker", "initial_date_time": 1_700_000_000},
            {"type": "conversations_select", "filter": {"include": ["public"]}},
            {"type": "multi_users_select", "max_selected_items": 1},
        )
    ],
    "feedback": [
        {
            "type": "context_actions",
            "elements": [
                {
                    "type": "feedback_buttons",
                    "positive_button": {"text": plain("+"), "value": "1"},
                    "negative_button": {"text": plain("-"), "value": "0"},
                }
            ],
        }
    ],
    "task with sources": [task(output=output("x"), sources=[{"type": "url", "url": "https://a.b", "text": "a"}])],
    "line chart": [bar(["a", "b"], ["x", "y"])],
}


@pytest.mark.parametrize("blocks", PASSES.values(), ids=PASSES.keys())
def test_slack_takes(blocks):
    assert problems(blocks) == []


REFUSED = {
    "empty preformatted text": ([output("")], "must be more than 0 characters", "/elements/0/text"),
    "empty rich text": ([rich()], "no fewer than 1 items", "/blocks/0/elements"),
    "emoji in preformatted": (
        [rich({"type": "rich_text_preformatted", "elements": [{"type": "emoji", "name": "tada"}]})],
        "unsupported type: emoji",
        "/elements/0/type",
    ),
    "list of text": (
        [rich({"type": "rich_text_list", "style": "bullet", "elements": [{"type": "text", "text": "a"}]})],
        "unsupported type: text",
        "/elements/0/type",
    ),
    "unknown list style": (
        [rich({"type": "rich_text_list", "style": "disc", "elements": []})],
        "must be one of bullet, ordered",
        "/style",
    ),
    "unknown block": ([{"type": "sections"}], "unsupported type: sections", "/blocks/0/type"),
    "unknown key": ([section(colour="red")], "invalid additional property: colour", "/blocks/0"),
    "empty section": ([{"type": "section"}], "must provide text or fields", "/blocks/0"),
    "header in mrkdwn": ([{"type": "header", "text": mrkdwn("a")}], "unsupported type: mrkdwn", "/text/type"),
    "mrkdwn with emoji": ([{"type": "section", "text": {**mrkdwn("a"), "emoji": True}}], "invalid additional", "/text"),
    "plain_text with verbatim": (
        [{"type": "section", "text": {**plain("a"), "verbatim": True}}],
        "invalid additional",
        "/text",
    ),
    "text that is a number": ([{"type": "markdown", "text": 1}], "must provide a string", "/blocks/0/text"),
    "text that is no object": ([{"type": "header", "text": "a"}], "must provide an object", "/blocks/0/text"),
    "header without text": ([{"type": "header"}], "missing required field: text", "/blocks/0"),
    "expand that is no boolean": ([section(expand=1)], "must provide a boolean", "/expand"),
    "blocks that are no array": ({"type": "divider"}, "must provide an array", "/blocks"),
    "block that is no object": (["divider"], "must provide an object", "/blocks/0"),
    "style": ([actions(button(style="blue"))], "must be one of primary, danger", "/style"),
    "url without scheme": ([actions(button(url="example.com"))], "must be a valid url", "/url"),
    "two kinds of options": (
        [actions(select(option_groups=[{"label": plain("a"), "options": options(1)}]))],
        "exactly one of options and option_groups",
        "/elements/0",
    ),
    "url in a select": (
        [actions(select(options=options(1, url="https://a.b")))],
        "additional property: url",
        "/options/0",
    ),
    "empty filter": ([actions({"type": "conversations_select", "filter": {}})], "must provide include or", "/filter"),
    "image without source": (
        [{"type": "image", "alt_text": "a"}],
        "exactly one of image_url and slack_file",
        "/blocks/0",
    ),
    "plain input in actions": ([actions({"type": "plain_text_input"})], "unsupported type", "/elements/0/type"),
    "alert in a message": ([{"type": "alert", "text": plain("a")}], "unsupported type: alert", "/blocks/0/type"),
    "file": ([{"type": "file", "external_id": "a", "source": "remote"}], "unsupported type: file", "/blocks/0/type"),
    "container in a container": ([container([container([section()])])], "unsupported type", "/child_blocks/0/type"),
    "container without a title": (
        [{"type": "container", "child_blocks": [section()]}],
        "must provide title or rich_text_title",
        "/blocks/0",
    ),
    "collapsed, not collapsible": (
        [container([section()], default_collapsed=True)],
        "requires is_collapsible",
        "/blocks/0",
    ),
    "divider of a foldable container": (
        [container([section()], is_collapsible=True, has_header_divider=True)],
        "has_header_divider",
        "/blocks/0",
    ),
    "empty card": ([card()], "must provide hero_image or", "/blocks/0"),
    "pending task": ([task(status="pending")], "must be one of in_progress", "/status"),
    "header only": ([data_table(1)], "no fewer than 2 items", "/rows"),
    "ragged data table": (
        [{**data_table(2), "rows": [[cell()], [cell(), cell()]]}],
        "same number of cells",
        "/blocks/0/rows",
    ),
    "rich header cell": (
        [{**data_table(2), "rows": [[output("x")], [cell()]]}],
        "header cells must not be rich_text",
        "/rows/0/0",
    ),
    "empty cell": ([table(1, 1, "")], "must be more than 0 characters", "/rows/0/0/text"),
    "number as text": (
        [{"type": "table", "rows": [[{"type": "raw_number", "value": "1", "text": "1"}]]}],
        "must provide a number",
        "/value",
    ),
    "page of a half": ([data_table(2, page_size=0.5)], "must provide an integer", "/page_size"),
    "page of none": ([data_table(2, page_size=0)], "must be more than 0", "/page_size"),
    "empty slice": (
        [{**pie(1), "chart": {"type": "pie", "segments": [{"label": "a", "value": 0}]}}],
        "must be more than 0",
        "/value",
    ),
    "series without a point": ([bar(["a"], ["x", "y"], ["x"])], "one point for every category", "/series/0/data"),
    "series twice": ([bar(["a", "a"], ["x"])], "series names must be unique", "/chart/series"),
    "block_id twice": (
        [section(block_id="a"), container([section(block_id="a")])],
        "block_id already in use: a",
        "/blocks/1/child_blocks/0/block_id",
    ),
    "action_id twice": (
        [actions(button(action_id="a"), button(action_id="a"))],
        "action_id must be unique",
        "/blocks/0",
    ),
}


@pytest.mark.parametrize(("blocks", "said", "pointer"), REFUSED.values(), ids=REFUSED.keys())
def test_slack_refuses(blocks, said, pointer):
    found = problems(blocks)
    assert any(said in problem and f"{pointer}]" in problem for problem in found), found


def test_the_same_action_id_may_stand_in_two_blocks():
    assert problems([actions(button(action_id="a")), section(accessory=button(action_id="a"))]) == []


@pytest.mark.parametrize(
    ("text", "length"),
    [("😀", 2), ("&", 5), ("<", 4), (">", 4), ("&amp;", 5), ("&lt;", 4), ("<https://a.b|c>", 15), ("中", 1)],
)
def test_lengths_are_utf_16_units_after_escaping(text, length):
    filler = "a" * (3000 - length)
    assert problems([section(filler + text)]) == []
    assert problems([section(filler + text + "a")]) != []


def test_in_plain_text_a_token_is_escaped_too():
    token = "<!here>"
    assert problems([{"type": "header", "text": plain("a" * (150 - 13) + token)}]) == []
    assert problems([{"type": "header", "text": plain("a" * (150 - 12) + token)}]) != []


def test_surfaces_take_different_blocks():
    alert, markdown = {"type": "alert", "text": plain("a")}, {"type": "markdown", "text": "a"}
    assert problems([alert], "modal") == []
    assert problems([markdown]) == []
    assert problems([markdown], "home") != []
    assert problems([{"type": "divider"}] * 100, "home") == []
    assert problems([{"type": "divider"}] * 101, "home") != []
    assert problems([section("a" * 3000)] * 5, "modal") == []


MESSAGES = {
    "text": ({"text": "a" * 40_000}, []),
    "too long": ({"text": "a" * 40_001}, ["msg_too_long"]),
    "nothing": ({"blocks": []}, ["no_text"]),
    "blocks only": ({"blocks": [section()]}, []),
    "blocks too long": ({"text": "a", "blocks": [section("a" * 3000)] * 5}, ["msg_blocks_too_long"]),
    "two tables": ({"text": "a", "blocks": [table(1), table(1)]}, ["invalid_attachments"]),
    "markdown_text": ({"markdown_text": "a" * 12_000}, []),
    "markdown_text too long": ({"markdown_text": "a" * 12_001}, ["invalid_blocks"]),
    "markdown_text and text": ({"markdown_text": "a", "text": "a"}, ["markdown_text_conflict"]),
    "text of a number": ({"text": 1}, ["invalid_blocks"]),
    "attachments": ({"attachments": [{"text": "a", "blocks": [section()] * 20}] * 100}, []),
    "too many attachments": ({"attachments": [{"text": "a"}] * 101}, ["invalid_attachments"]),
    "too many blocks in one": ({"attachments": [{"blocks": [section()] * 21}]}, ["invalid_attachments"]),
    "bad block in one": ({"attachments": [{"blocks": [section("")]}]}, ["invalid_attachments"]),
    "attachment of a string": ({"attachments": ["a"]}, ["invalid_attachments"]),
    "metadata": ({"text": "a", "metadata": {"event_type": "run", "event_payload": {"id": "t-1"}}}, []),
    "bad metadata": ({"text": "a", "metadata": {"event_type": "run", "event_payload": 1}}, ["invalid_metadata_format"]),
}  # fmt: skip


@pytest.mark.parametrize(("payload", "codes"), MESSAGES.values(), ids=MESSAGES.keys())
def test_messages_are_refused_under_slacks_codes(payload, codes):
    assert [error_code([problem]) for problem in message_problems(payload)] == codes


def modal(*blocks, **more):
    return {"type": "modal", "title": plain("t"), "blocks": list(blocks) or [section()], **more}


VIEWS = {
    "title": (lambda n: modal(title=plain("a" * n)), 24),
    "submit": (lambda n: modal(submit=plain("a" * n)), 24),
    "close": (lambda n: modal(close=plain("a" * n)), 24),
    "private_metadata": (lambda n: modal(private_metadata="a" * n), 3000),
    "callback_id": (lambda n: modal(callback_id="a" * n), 255),
    "external_id": (lambda n: modal(external_id="a" * n), 255),
    "blocks": (lambda n: modal(*[{"type": "divider"}] * n), 100),
}


@pytest.mark.parametrize(("make", "limit"), VIEWS.values(), ids=VIEWS.keys())
def test_a_view_limit_holds_at_its_edge(make, limit):
    assert view_problems(make(limit)) == []
    assert view_problems(make(limit + 1)) != []


def test_views_have_rules_of_their_own():
    asking = field({"type": "plain_text_input"})
    assert "submit is required" in view_problems(modal(asking))[0]
    assert view_problems(modal(asking, submit=plain("Go"))) == []
    assert view_problems({"type": "home", "blocks": [section()]}) == []
    assert "additional property: title" in view_problems({**modal(), "type": "home"})[0]
    assert "no fewer than 1" in view_problems({"type": "home", "blocks": []})[0]
    assert "already in use" in view_problems(modal(section(block_id="a"), section(block_id="a")))[0]
    assert view_problems("x") == ["must provide an object [json-pointer:/view]"]


PINGS = [
    ({"text": "<!channel> <!here|@here> <!everyone>"}, ["<!channel>", "<!here|@here>", "<!everyone>"]),
    ({"blocks": [section("<@U1> <!subteam^S1|@x> <#C1|x>")]}, ["<@U1>", "<!subteam^S1|@x>", "<#C1|x>"]),
    ({"blocks": [section("<https://a.b|c> <mailto:a@b.c>")]}, ["<https://a.b|c>", "<mailto:a@b.c>"]),
    ({"blocks": [{"type": "markdown", "text": "`<!here>`"}]}, ["<!here>"]),
    ({"markdown_text": "<!here>"}, ["<!here>"]),
    ({"attachments": [{"pretext": "<!here>", "fields": [{"value": "<@U1>"}]}]}, ["<!here>", "<@U1>"]),
    ({"text": "<!date^1700000000^{time}|22:13>"}, []),
    ({"text": "&lt;!channel&gt; @channel a < b > c <b> <!channels>"}, []),
    ({"blocks": [output("<!channel> <@U1> <https://a.b|c>")]}, []),
    ({"blocks": [{"type": "header", "text": plain("<!channel>")}]}, []),
    (
        {
            "blocks": [
                rich_section(
                    {"type": "user", "user_id": "U1"},
                    {"type": "usergroup", "usergroup_id": "S1"},
                    {"type": "channel", "channel_id": "C1"},
                    {"type": "broadcast", "range": "channel"},
                )
            ]
        },
        ["<@U1>", "<!subteam^S1>", "<#C1>", "<!channel>"],
    ),
    ({"blocks": [container([section("<!here>")])]}, ["<!here>"]),
    ({"text": None}, []),
]


@pytest.mark.parametrize(("payload", "found"), PINGS, ids=[json.dumps(row[0])[:60] for row in PINGS])
def test_pings(payload, found):
    assert pings(payload) == found


words = st.sampled_from(["type", "text", "elements", "blocks", "rows", "chart", "series", "block_id", "fields"])
types = st.sampled_from(["section", "rich_text", "table", "data_table", "container", "carousel", "mrkdwn", "bar"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | types,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words | st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_no_json_makes_the_checks_raise(value):
    assert isinstance(problems(value), list)
    assert isinstance(view_problems(value), list)
    payload = value if isinstance(value, dict) else {"text": value, "blocks": value, "attachments": value}
    assert isinstance(message_problems(payload), list)
    assert isinstance(pings(payload), list)


@given(json_values, types)
def test_no_field_of_a_known_block_makes_the_checks_raise(value, kind):
    block = {"type": kind, "text": value, "elements": value, "rows": value, "child_blocks": value, "block_id": value}
    chart = {"type": "bar", "series": value, "axis_config": value}
    assert isinstance(problems([block, {"type": "data_visualization", "title": "t", "chart": chart}]), list)


def test_deep_nesting_is_no_trouble():
    deep = []
    for _ in range(5000):
        deep = [{"text": deep}]
    assert problems(deep) != []
    assert pings({"blocks": deep}) == []
