"""The Web API methods that write: chat, reactions, files; and blocks.validate.

They follow Slack's method pages (docs.slack.dev/reference/methods); where a page leaves the behaviour open,
the stricter reading stands.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.block_kit import message_problems, problems, view_problems
from sandbox.slack_calls import Answer, Args, Call, Method, channel_of, check_message, writable
from sandbox.slack_workspace import BOT_USER, TEAM_DOMAIN, ApiError, Channel, File, Message


def thread_of(call: Call, channel: Channel) -> str | None:
    """The parent's ts: a reply to a reply joins the same thread."""
    ts = call.args.get("thread_ts")
    if not ts:
        return None
    parent = call.workspace.find(channel.id, ts)
    if parent is None or parent.ephemeral_to:
        raise ApiError("thread_not_found")
    return parent.thread_ts or parent.ts


def _content(args: Args) -> dict[str, Any]:
    return {"blocks": args.get("blocks"), "metadata": args.get("metadata")}


def _text(args: Args) -> str:
    return str(args.get("text") or args.get("markdown_text") or "")


def _post_message(call: Call) -> Answer:
    channel = writable(call)
    check_message(call.args, charts=call.workspace.charts)
    thread = thread_of(call, channel)
    message = call.workspace.add(
        channel.id, BOT_USER, _text(call.args), "chat.postMessage", thread_ts=thread, **_content(call.args)
    )
    return {"channel": channel.id, "ts": message.ts, "message": message.as_json()}


def _post_ephemeral(call: Call) -> Answer:
    channel = writable(call)
    (user,) = call.need("user")
    if user not in channel.members:
        raise ApiError("user_not_in_channel")
    check_message(call.args, charts=call.workspace.charts)
    thread = thread_of(call, channel)
    message = call.workspace.add(
        channel.id,
        BOT_USER,
        _text(call.args),
        "chat.postEphemeral",
        thread_ts=thread,
        ephemeral_to=user,
        **_content(call.args),
    )
    return {"message_ts": message.ts}


def _own(call: Call, code: str) -> Message:
    """A message of the bot's own that everyone can see: an ephemeral one cannot be found again."""
    channel = channel_of(call)
    message = call.workspace.find(channel.id, call.args.get("ts"))
    if message is None or message.ephemeral_to:
        raise ApiError("message_not_found")
    if message.user != BOT_USER:
        raise ApiError(code)
    return message


def _update(call: Call) -> Answer:
    """`text` given without `blocks` removes the blocks; `blocks` without `text` leave no text."""
    message = _own(call, "cant_update_message")
    check_message(call.args, charts=call.workspace.charts)
    call.workspace.change(message, _text(call.args), call.args.get("blocks") or [])
    message.metadata = call.args.get("metadata") or message.metadata
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": message.as_json()}


def _delete(call: Call) -> Answer:
    message = _own(call, "cant_delete_message")
    message.deleted = True
    return {"channel": message.channel, "ts": message.ts}


def _permalink(call: Call) -> Answer:
    channel = channel_of(call)
    (ts,) = call.need("message_ts")
    if call.workspace.find(channel.id, ts) is None:
        raise ApiError("message_not_found")
    link = f"https://{TEAM_DOMAIN}.slack.com/archives/{channel.id}/p{str(ts).replace('.', '')}"
    return {"channel": channel.id, "permalink": link}


def _react(call: Call) -> Answer:
    channel = channel_of(call)
    name, ts = call.need("name", "timestamp")
    message = call.workspace.find(channel.id, ts)
    if message is None or message.ephemeral_to:
        raise ApiError("message_not_found")
    if (name, BOT_USER) in message.reactions:
        raise ApiError("already_reacted")
    message.reactions.append((name, BOT_USER))
    return {}


def _validate(call: Call) -> Answer:
    """Needs no token. Says nothing of a message without text."""
    given = [key for key in ("blocks", "message", "view") if call.args.get(key) is not None]
    if len(given) != 1:
        raise ApiError("invalid_arguments", ["provide exactly one of blocks, message, view"])
    key, value = given[0], call.args[given[0]]
    checks: dict[str, Callable[[Any], list[str]]] = {
        "blocks": problems,
        "message": message_problems,
        "view": view_problems,
    }
    found = checks[key](value)
    if found:
        raise ApiError(f"invalid_{key}", found, errors=[_validation_error(problem) for problem in found])
    return {}


def _validation_error(problem: str) -> Answer:
    message, _, pointer = problem.removesuffix("]").partition(" [json-pointer:")
    return {"pointer": pointer, "code": "failed_constraint", "message": message}


# Files


def _upload_url(call: Call) -> Answer:
    name, _ = call.need("filename", "length")
    file = File(f"F{secrets.token_hex(5).upper()}", str(name), int(call.number("length", 0)))
    call.workspace.files[file.id] = file
    return {"file_id": file.id, "upload_url": f"{call.url}/upload/v1/{file.id}"}


def _complete_upload(call: Call) -> Answer:
    (listed,) = call.need("files")
    files = [_uploaded(call, entry) for entry in listed if isinstance(entry, Mapping)]
    if call.args.get("channel_id"):
        _share(call, files)
    return {"files": [{"id": file.id, "name": file.name, "title": title or file.name} for file, title in files]}


def _uploaded(call: Call, entry: Mapping[str, Any]) -> tuple[File, str]:
    return _file(call, entry.get("id")), str(entry.get("title") or "")


def _file(call: Call, file_id: object) -> File:
    file = call.workspace.files.get(str(file_id))
    if file is not None and file.deleted:
        raise ApiError("file_deleted")
    if file is None or file.content is None:
        raise ApiError("file_not_found")
    return file


def _delete_file(call: Call) -> Answer:
    """The file is forgotten; a message that said nothing else goes with it."""
    (file_id,) = call.need("file")
    file = _file(call, file_id)
    file.content, file.deleted = None, True
    for message in call.workspace.messages:
        if file.id in message.files:
            message.files = tuple(one for one in message.files if one != file.id)
            message.deleted = message.deleted or not (message.files or message.text or message.blocks)
    return {}


def _share(call: Call, files: Sequence[tuple[File, str]]) -> None:
    channel = writable(call, "channel_id")
    comment, blocks = str(call.args.get("initial_comment") or ""), call.args.get("blocks")
    if comment or blocks:
        check_message({"text": comment, "blocks": blocks})
    thread = thread_of(call, channel)
    for file, _ in files:
        file.shared = True
    ids = tuple(file.id for file, _ in files)
    via = "files.completeUploadExternal"
    call.workspace.add(channel.id, BOT_USER, comment, via, blocks=blocks, thread_ts=thread, files=ids)


WRITING: dict[str, Method] = {
    "chat.postMessage": Method(_post_message, "chat:write"),
    "chat.postEphemeral": Method(_post_ephemeral, "chat:write"),
    "chat.update": Method(_update, "chat:write"),
    "chat.delete": Method(_delete, "chat:write"),
    "chat.getPermalink": Method(_permalink),
    "reactions.add": Method(_react, "reactions:write"),
    "blocks.validate": Method(_validate),
    "files.getUploadURLExternal": Method(_upload_url, "files:write"),
    "files.completeUploadExternal": Method(_complete_upload, "files:write"),
    "files.delete": Method(_delete_file, "files:write"),
}
