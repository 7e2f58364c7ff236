"""Block Kit as tables, the smaller parts: composition objects, rich text and elements, with limits.

Taken from Slack's block reference (docs.slack.dev/reference/block-kit) and the comments of its own
`@slack/types`. Where two of Slack's own pages give different limits, the lower one stands here: what passes
is then safe everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.block_kit_checks import (
    Check,
    Rule,
    array,
    at_least_one,
    boolean,
    enum,
    exactly_one,
    integer,
    mrkdwn_units,
    part,
    plain_units,
    shape,
    string,
    tagged,
    url,
)

# Composition objects


def _plain(high: int, low: int = 1) -> Check:
    return part({"text": string(high, low, plain_units)}, {"emoji": boolean})


def _mrkdwn(high: int) -> Check:
    return part({"text": string(high, 1, mrkdwn_units)}, {"verbatim": boolean})


def plain(high: int) -> Check:
    return tagged({"plain_text": _plain(high)})


def mrkdwn(high: int) -> Check:
    return tagged({"mrkdwn": _mrkdwn(high)})


def text(high: int) -> Check:
    return tagged({"plain_text": _plain(high), "mrkdwn": _mrkdwn(high)})


STYLE = enum("primary", "danger")
CONFIRM = shape({"text": text(300)}, {"title": plain(100), "confirm": plain(30), "deny": plain(30), "style": STYLE})
OPTION = shape({"text": plain(75), "value": string(150)}, {"description": plain(75)})
CHOICE = shape({"text": text(75), "value": string(150)}, {"description": text(75)})
MENU_OPTION = shape({"text": plain(75), "value": string(150)}, {"description": plain(75), "url": url(3000)})
OPTION_GROUP = shape({"label": plain(75), "options": array(OPTION, 100)})
SLACK_FILE = shape({}, {"id": string(), "url": url(3000)}, exactly_one("id", "url"))
DISPATCH = shape({}, {"trigger_actions_on": array(enum("on_enter_pressed", "on_character_entered"), 2)})
FILTER = shape(
    {},
    {
        "include": array(enum("im", "mpim", "private", "public")),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
    at_least_one("include", "exclude_external_shared_channels", "exclude_bot_users"),
)

# Rich text: a `text` element is literal, and an empty one is refused

_FLAG = dict.fromkeys(("bold", "code", "italic", "strike", "underline"), boolean)
_STYLED: dict[str, Check] = {"style": shape({}, _FLAG)}
LITERAL = part({"text": string()}, _STYLED)
LINK = part({"url": url(3000)}, {"text": string(), "unsafe": boolean, **_STYLED})
INLINE = tagged(
    {
        "text": LITERAL,
        "link": LINK,
        "emoji": part(
            {"name": string()}, {"unicode": string(), "url": url(3000), "skin_tone": integer(1, 6), **_STYLED}
        ),
        "user": part({"user_id": string()}, _STYLED),
        "usergroup": part({"usergroup_id": string()}, _STYLED),
        "channel": part({"channel_id": string()}, _STYLED),
        "team": part({"team_id": string()}, _STYLED),
        "broadcast": part({"range": enum("here", "channel", "everyone")}, _STYLED),
        "date": part(
            {"timestamp": integer(0), "format": string()}, {"url": url(3000), "fallback": string(), **_STYLED}
        ),
        "color": part({"value": string()}, _STYLED),
    }
)
_SECTION = part({"elements": array(INLINE)})
_BORDER: dict[str, Check] = {"border": integer(0, 1)}
RICH_PARTS: dict[str, Check] = {
    "rich_text_section": _SECTION,
    "rich_text_list": part(
        {"elements": array(tagged({"rich_text_section": _SECTION})), "style": enum("bullet", "ordered")},
        {"indent": integer(0, 8), "offset": integer(0), **_BORDER},
    ),
    "rich_text_quote": part({"elements": array(INLINE)}, _BORDER),
    "rich_text_preformatted": part(
        {"elements": array(tagged({"text": LITERAL, "link": LINK}))}, {"language": string(), **_BORDER}
    ),
}
BLOCK_ID: dict[str, Check] = {"block_id": string(255)}
_RICH_TEXT = part({"elements": array(tagged(RICH_PARTS))}, BLOCK_ID)
RICH_TEXT = tagged({"rich_text": _RICH_TEXT})

# Elements

_ACTION: dict[str, Check] = {"action_id": string(255)}
_PRESS: dict[str, Check] = {**_ACTION, "confirm": CONFIRM}
_CHOOSE: dict[str, Check] = {**_PRESS, "focus_on_load": boolean}
_PICK: dict[str, Check] = {**_CHOOSE, "placeholder": plain(150)}
_WRITE: dict[str, Check] = {
    **_ACTION, "focus_on_load": boolean, "placeholder": plain(150), "dispatch_action_config": DISPATCH
}  # fmt: skip
_SEVERAL: dict[str, Check] = {"max_selected_items": integer(1)}
_OPTIONS: dict[str, Check] = {"options": array(OPTION, 100), "option_groups": array(OPTION_GROUP, 100)}
_ONE_SOURCE = exactly_one("options", "option_groups")
_IMAGE: dict[str, Check] = {"image_url": url(3000), "slack_file": SLACK_FILE}
_ONE_IMAGE = exactly_one("image_url", "slack_file")
_NAMED: dict[str, Check] = {"accessibility_label": string(75)}
_PICTURE = part({"alt_text": string(2000)}, _IMAGE, _ONE_IMAGE)
IMAGE = tagged({"image": _PICTURE})
CONTEXT_ELEMENTS = tagged({"image": _PICTURE, "plain_text": _plain(3000), "mrkdwn": _mrkdwn(3000)})
_FEEDBACK = shape({"text": plain(75), "value": string(2000)}, _NAMED)
_WORKFLOW = shape(
    {
        "trigger": shape(
            {"url": url(3000)},
            {"customizable_input_parameters": array(shape({"name": string(), "value": string(low=0)}))},
        )
    }
)
_BUTTON = part(
    {"text": plain(75)},
    {
        "url": url(3000),
        "value": string(2000),
        "style": STYLE,
        "agent_prompt": string(4000),
        "agent_prompt_display": string(),
        "visible_to_user_ids": array(string(), 10),
        **_NAMED,
        **_PRESS,
    },
)
BUTTON = tagged({"button": _BUTTON})


def _select(fields: Mapping[str, Check], *rules: Rule) -> Check:
    return part({}, {**_PICK, **fields}, *rules)


_ASK: dict[str, Check] = {"min_query_length": integer(0)}
_REPLY_URL: dict[str, Check] = {"response_url_enabled": boolean}
_TALKS: dict[str, Check] = {"filter": FILTER, "default_to_current_conversation": boolean}
SELECTS: dict[str, Check] = {
    "static_select": _select({**_OPTIONS, "initial_option": OPTION}, _ONE_SOURCE),
    "external_select": _select({**_ASK, "initial_option": OPTION}),
    "users_select": _select({"initial_user": string()}),
    "conversations_select": _select({**_TALKS, **_REPLY_URL, "initial_conversation": string()}),
    "channels_select": _select({**_REPLY_URL, "initial_channel": string()}),
    "multi_static_select": _select({**_OPTIONS, **_SEVERAL, "initial_options": array(OPTION, 100)}, _ONE_SOURCE),
    "multi_external_select": _select({**_ASK, **_SEVERAL, "initial_options": array(OPTION, 100)}),
    "multi_users_select": _select({**_SEVERAL, "initial_users": array(string())}),
    "multi_conversations_select": _select({**_TALKS, **_SEVERAL, "initial_conversations": array(string())}),
    "multi_channels_select": _select({**_SEVERAL, "initial_channels": array(string())}),
}
CHOICES: dict[str, Check] = {
    "checkboxes": part({"options": array(CHOICE, 10)}, {**_CHOOSE, "initial_options": array(CHOICE, 10)}),
    "radio_buttons": part({"options": array(CHOICE, 10)}, {**_CHOOSE, "initial_option": CHOICE}),
    "datepicker": part({}, {**_PICK, "initial_date": string(10, 10)}),
    "timepicker": part({}, {**_PICK, "initial_time": string(5, 5), "timezone": string()}),
}
MOMENT: dict[str, Check] = {"datetimepicker": part({}, {**_CHOOSE, "initial_date_time": integer(10**9, 10**10 - 1)})}
RICH_INPUT: dict[str, Check] = {
    "rich_text_input": part(
        {}, {**_WRITE, "initial_value": RICH_TEXT, "min_lines": integer(1, 100), "max_lines": integer(1, 100)}
    )
}
PRESSES: dict[str, Check] = {
    "button": _BUTTON,
    "overflow": part({"options": array(MENU_OPTION, 5)}, _PRESS),
    "workflow_button": part({"text": plain(75), "workflow": _WORKFLOW}, {"style": STYLE, **_NAMED, **_PRESS}),
}
INPUTS: dict[str, Check] = {
    "plain_text_input": part(
        {},
        {
            **_WRITE,
            "initial_value": string(3000, 0),
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
        },
    ),
    "email_text_input": part({}, {**_WRITE, "initial_value": string()}),
    "url_text_input": part({}, {**_WRITE, "initial_value": string()}),
    "number_input": part(
        {"is_decimal_allowed": boolean},
        {**_WRITE, "initial_value": string(), "min_value": string(), "max_value": string()},
    ),
    "file_input": part({}, {**_ACTION, "filetypes": array(string()), "max_files": integer(1, 10)}),
}
ACTION_ELEMENTS = tagged({**PRESSES, **SELECTS, **CHOICES, **MOMENT, **RICH_INPUT})
ACCESSORIES = tagged({**PRESSES, **SELECTS, **CHOICES, "image": _PICTURE})
INPUT_ELEMENTS = tagged({**INPUTS, **SELECTS, **CHOICES, **MOMENT, **RICH_INPUT})
CONTEXT_ACTIONS = tagged(
    {
        "feedback_buttons": part({"positive_button": _FEEDBACK, "negative_button": _FEEDBACK}, _ACTION),
        "icon_button": part(
            {"icon": enum("trash"), "text": plain(75)},
            {"value": string(2000), "visible_to_user_ids": array(string(), 10), **_NAMED, **_PRESS},
        ),
    }
)
