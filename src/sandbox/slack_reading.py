"""The Web API methods that read: auth.test, users, user groups, conversations.

They follow Slack's method pages (docs.slack.dev/reference/methods); where a page leaves the behaviour open,
the stricter reading stands.
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.slack_calls import Answer, Call, Method, readable
from sandbox.slack_workspace import (
    APP_ID,
    BOT_ID,
    BOT_USER,
    TEAM_DOMAIN,
    TEAM_ID,
    ApiError,
    Channel,
    Message,
    User,
)


def _history(call: Call) -> list[Message]:
    channel = readable(call, "history")
    if BOT_USER not in channel.members:
        raise ApiError("not_in_channel")
    oldest, latest = call.number("oldest", 0), call.number("latest", 1e12)
    return [m for m in call.workspace.standing(channel.id) if oldest <= float(m.ts) <= latest]


def _limited(call: Call, found: Sequence[Message]) -> Answer:
    limit = int(call.number("limit", 100))
    return {"messages": [m.as_json() for m in found[:limit]], "has_more": len(found) > limit}


def _channel_json(channel: Channel) -> Answer:
    direct = channel.kind == "im"
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": channel.kind == "channels",
        "is_group": False,
        "is_im": direct,
        "is_mpim": False,
        "is_private": channel.kind != "channels",
        "is_archived": channel.is_archived,
        "is_shared": channel.is_ext_shared,
        "is_ext_shared": channel.is_ext_shared,
        "is_org_shared": False,
        "is_member": BOT_USER in channel.members,
        "context_team_id": TEAM_ID,
        **({"user": next(iter(channel.members - {BOT_USER}))} if direct else {}),
    }


def _conversations_info(call: Call) -> Answer:
    return {"channel": _channel_json(readable(call, "read"))}


def _conversations_members(call: Call) -> Answer:
    return {"members": sorted(readable(call, "read").members), "response_metadata": {"next_cursor": ""}}


def _conversations_history(call: Call) -> Answer:
    """Newest first, without thread replies."""
    return _limited(call, [m for m in reversed(_history(call)) if m.thread_ts in (None, m.ts)])


def _conversations_replies(call: Call) -> Answer:
    """The parent and its replies, oldest first."""
    (ts,) = call.need("ts")
    found = [m for m in _history(call) if ts in (m.ts, m.thread_ts)]
    if not found:
        raise ApiError("thread_not_found")
    return _limited(call, found)


def _user_json(user: User) -> Answer:
    return {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": False,
        "tz": user.tz,
        "tz_label": user.tz,
        "tz_offset": user.tz_offset,
        "is_bot": user.is_bot,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "is_stranger": user.is_stranger,
        "profile": {"real_name": user.real_name, "display_name": user.name},
    }


def _auth_test(call: Call) -> Answer:
    bot = call.workspace.users[BOT_USER]
    return {
        "url": f"https://{TEAM_DOMAIN}.slack.com/",
        "team": TEAM_DOMAIN,
        "user": bot.name,
        "team_id": TEAM_ID,
        "user_id": bot.id,
        "bot_id": BOT_ID,
        "app_id": APP_ID,
        "is_enterprise_install": False,
    }


def _users_info(call: Call) -> Answer:
    user = call.workspace.users.get(str(call.args.get("user")))
    if user is None:
        raise ApiError("user_not_found")
    locale = {"locale": user.locale} if _is_true(call.args.get("include_locale")) else {}
    return {"user": {**_user_json(user), **locale}}


def _is_true(value: object) -> bool:
    return str(value).lower() in ("true", "1")


def _usergroups_users_list(call: Call) -> Answer:
    (usergroup,) = call.need("usergroup")
    if usergroup not in call.workspace.usergroups:
        raise ApiError("no_such_subteam")
    return {"users": list(call.workspace.usergroups[usergroup][1])}


READING: dict[str, Method] = {
    "conversations.info": Method(_conversations_info),
    "conversations.members": Method(_conversations_members),
    "conversations.history": Method(_conversations_history),
    "conversations.replies": Method(_conversations_replies),
    "auth.test": Method(_auth_test),
    "users.info": Method(_users_info, "users:read"),
    "usergroups.users.list": Method(_usergroups_users_list, "usergroups:read"),
}
