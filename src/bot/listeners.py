"""Bolt: what reaches us from Slack, one listener each, one line to the function that does it.

The requests come out of the queue, already verified by the door; Bolt's own verification is off, and its
`auth.test` too: whose bot we are stands in the event.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt import App, BoltContext
from slack_bolt.authorization import AuthorizeResult

from bot.adapters.kept_secret import KeptSecret
from bot.adapters.slack import Place

LOOK_UP = "look_up"  # callback id of the message shortcut, as in the manifest

_QUIET = logging.getLogger("bot.bolt")
_QUIET.setLevel(logging.CRITICAL)  # its own log lines may hold payloads; what matters is logged by the worker


def bolt_app(token: KeptSecret) -> App:
    """The app with its listeners; a listener that raises leaves its error in the request's context."""
    app = App(
        process_before_response=True,
        request_verification_enabled=False,
        ssl_check_enabled=False,
        url_verification_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
        authorize=_authorize(token),
        logger=_QUIET,
    )
    app.command(re.compile(".*"))(slash_command)
    app.event("app_mention")(mention)
    app.event("message")(direct_message)
    app.event("app_home_opened")(home_opened)
    app.action(re.compile(".*"))(press)
    app.shortcut(LOOK_UP)(look_up)
    app.error(_keep)
    return app


def slash_command(ack: Callable[[], None], command: Mapping[str, Any], context: BoltContext) -> None:
    ack()
    _answer(context, str(command.get("text", "")), place_of(command))


def mention(body: Mapping[str, Any], event: Mapping[str, Any], context: BoltContext) -> None:
    _answer(context, str(event.get("text", "")), place_of(body))


def direct_message(body: Mapping[str, Any], event: Mapping[str, Any], context: BoltContext) -> None:
    """Messages in channels are not for us: those come as mentions."""
    if event.get("channel_type") == "im":
        _answer(context, str(event.get("text", "")), place_of(body))


def home_opened(body: Mapping[str, Any], context: BoltContext) -> None:
    from bot import home

    home.opened(context["answering"], context["turn"], place_of(body))


def press(ack: Callable[[], None], body: Mapping[str, Any], context: BoltContext) -> None:
    ack()
    from bot.presses import pressed

    pressed(context["answering"], context["turn"], body, place_of(body))


def look_up(ack: Callable[[], None], body: Mapping[str, Any], context: BoltContext) -> None:
    """The message shortcut: what a message names is answered in its thread, one answer each."""
    ack()
    from bot.presses import look_up_named

    look_up_named(context["answering"], context["turn"], body, place_of(body))


def _answer(context: BoltContext, words: str, place: Place) -> None:
    context["answering"].answer(context["turn"], words, place)


def _keep(error: Exception, context: BoltContext) -> None:
    context["error"] = error


def _authorize(token: KeptSecret) -> Callable[..., AuthorizeResult]:
    def authorize(context: BoltContext, enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_token=token.known,
            bot_user_id=context.get("own_user_id"),
        )

    return authorize


def own_user_id(payload: Mapping[str, Any]) -> str | None:
    """The bot's own user, which Slack names in each event; so nobody has to be asked."""
    authorizations = payload.get("authorizations")
    granted = _mapping(authorizations[0]) if isinstance(authorizations, list) and authorizations else {}
    return _text(granted.get("user_id")) or None if granted.get("is_bot") else None


def place_of(payload: Mapping[str, Any]) -> Place:
    """Where a job's answer goes; in a thread it goes into that thread."""
    if "command" in payload:
        return _place_of_command(payload)
    if "event" in payload:
        return _place_of_event(payload, _mapping(payload["event"]))
    return _place_of_interaction(payload)


def _place_of_command(command: Mapping[str, Any]) -> Place:
    return Place(
        team_id=_text(command.get("team_id")),
        enterprise_id=_text(command.get("enterprise_id")),
        channel_id=_text(command.get("channel_id")),
        user_id=_text(command.get("user_id")),
        response_url=_text(command.get("response_url")),
    )


def _place_of_event(body: Mapping[str, Any], event: Mapping[str, Any]) -> Place:
    return Place(
        team_id=_text(body.get("team_id")),
        enterprise_id=_text(body.get("enterprise_id")),
        channel_id=_text(event.get("channel")),
        user_id=_text(event.get("user")),
        thread_ts=_text(event.get("thread_ts")),
        is_direct_message=event.get("channel_type") == "im",
    )


def _place_of_interaction(body: Mapping[str, Any]) -> Place:
    """A press or a shortcut; a global shortcut and a press in a modal have no channel and no response_url."""
    container, message = _mapping(body.get("container")), _mapping(body.get("message"))
    thread = container.get("thread_ts") or message.get("thread_ts")
    channel_id = _text(_mapping(body.get("channel")).get("id"))
    own = container.get("message_ts") or message.get("ts")
    return Place(
        team_id=_text(_mapping(body.get("team")).get("id")),
        enterprise_id=_text(_mapping(body.get("enterprise")).get("id")),
        channel_id=channel_id,
        user_id=_text(_mapping(body.get("user")).get("id")),
        response_url=_text(body.get("response_url")),
        thread_ts="" if thread == own else _text(thread),  # the first message of a thread bears its own
        # What is pressed is a message of ours, so that it is our own direct message; a shortcut may be used in others.
        is_direct_message=body.get("type") == "block_actions" and channel_id.startswith("D"),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
