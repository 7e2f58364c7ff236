"""What Slack meets: verify, read the words, queue a job, ack. Standard library only, so that it is up in time.

Function Compute freezes the process when a response has been sent, and Slack gives up after 3 s; so the door
answers nothing itself and leaves nothing to a thread. It hands the verified request on as a job and acks. Flask,
Bolt and Tea are imported only when a job arrives (`web.py`).
"""

from __future__ import annotations

import hmac
import http.client
import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.adapters.queue import Queue, QueueRefused
from bot.core.blocks import escape
from bot.core.errors import UsageError
from bot.core.parsing import parse
from bot.jobs import COMMAND, EVENT, INTERACTION, Job, job_id, seal
from bot.settings import Clock, Credentials, Settings

log = logging.getLogger("bot.door")

Environ = dict[str, Any]
StartResponse = Any  # WSGI's, whose exact type differs between libraries
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

MOST_BODY = 1_000_000
SLACK_PATH = "/slack/events"
CONTRACT_PATHS = ("/invoke", "/initialize", "/pre-stop")
_MOST_SKEW = 300  # seconds between Slack's clock and ours, either way
_HOOKS = {"/initialize": "Initialize", "/pre-stop": "PreStop"}

NOT_QUEUED = "I could not take your question just now, so nothing was asked. Please type it again in a moment."
_PRESS_NOT_QUEUED = "I could not take that press just now, so nothing was done. Please press again in a moment."


class Response(Exception):
    """An answer that ends the request where it is raised."""

    def __init__(self, status: int, body: str = "", content_type: str = "text/plain; charset=utf-8") -> None:
        super().__init__(status)
        self.status, self.body, self.content_type = status, body.encode(), content_type


def _json(value: dict[str, Any], status: int = 200) -> Response:
    return Response(status, json.dumps(value, ensure_ascii=False), "application/json; charset=utf-8")


class Door:
    """The WSGI callable that waitress serves. `worker` builds the application for `/invoke` at first use."""

    def __init__(
        self, settings: Settings, queue: Queue, worker: Callable[[], Application], clock: Clock = time.time
    ) -> None:
        self._settings, self._queue, self._worker, self._clock = settings, queue, worker, clock
        self._application: Application | None = None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/invoke" and environ.get("HTTP_X_FC_CONTROL_PATH") == "/invoke":
            return self._invoke(environ, start_response)
        response = self._respond(path, environ)
        headers = [("Content-Type", response.content_type), ("Content-Length", str(len(response.body)))]
        start_response(f"{response.status} {http.client.responses[response.status]}", headers)
        return [response.body]

    def _invoke(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            self._application = self._application or self._worker()
            return self._application(environ, start_response)
        except Exception as error:  # not even the worker could be imported: the platform must deliver again
            log.error("no worker: %s", type(error).__name__)
            start_response("404 Not Found", [("x-fc-status", "404"), ("Content-Length", "0")])
            return [b""]

    def _respond(self, path: str, environ: Environ) -> Response:
        if path in CONTRACT_PATHS:
            return self._hook(path, environ)
        if path != SLACK_PATH:
            return Response(404, "Not found.")
        if environ.get("REQUEST_METHOD") != "POST":
            return Response(405, "Only POST.")
        try:
            return self._slack(environ)
        except Response as response:
            return response

    def _hook(self, path: str, environ: Environ) -> Response:
        """Hooks of Function Compute: nothing to do, and nothing is imported. The public can reach the path too."""
        if environ.get("HTTP_X_FC_CONTROL_PATH") != path:
            return Response(403, "Only Function Compute may call this.")
        request_id = environ.get("HTTP_X_FC_REQUEST_ID", "")
        log.info("FC %s Start RequestId: %s", _HOOKS[path], request_id)
        log.info("FC %s End RequestId: %s", _HOOKS[path], request_id)
        return Response(200)

    def _slack(self, environ: Environ) -> Response:
        body = _body(environ)
        reason = signature_problem(environ, body, self._settings.signing_secret, self._clock())
        if reason:
            log.warning("refused: %s", reason)
            return _json({"error": "invalid request"}, 401)
        credentials = self._credentials(environ)
        if "json" in environ.get("CONTENT_TYPE", ""):
            return self._event(_object(body), credentials)
        fields = _fields(body)
        if "payload" in fields:
            return self._interaction(_object(fields["payload"].encode("utf-8", "replace")), credentials)
        if "command" in fields:
            return self._command(fields, credentials)
        return Response(200) if "ssl_check" in fields else Response(400, "Neither a command nor a payload.")

    def _credentials(self, environ: Environ) -> Credentials:
        """Those of this request, which are fresh, where Function Compute sends some; else the environment's."""
        if not self._settings.on_function_compute:
            return self._settings.credentials
        return request_credentials(environ) or self._settings.credentials

    def _command(self, fields: Mapping[str, str], credentials: Credentials) -> Response:
        if self._settings.paused:
            return _private(self._settings.paused)
        try:
            question = parse(fields.get("text", ""))
        except UsageError as error:
            return _private(str(error))
        name = fields.get("trigger_id") or json.dumps(sorted(fields.items()))
        kept = {key: fields[key] for key in _COMMAND_FIELDS if key in fields}
        job = Job(COMMAND, job_id("cmd", name), int(self._clock()), kept)
        try:
            self._put(job, credentials)
        except QueueRefused as error:
            log.warning("not queued: %s: %s", job.id, error)
            return _private(NOT_QUEUED)
        if question.private or question.subcommand == "help":
            return Response(200)
        return _json({"response_type": "in_channel"})

    def _event(self, body: Mapping[str, Any], credentials: Credentials) -> Response:
        if body.get("type") == "url_verification":
            return _json({"challenge": str(body.get("challenge", ""))})
        event = _mapping(body.get("event"))
        if body.get("type") != "event_callback" or _is_noise(event, body):
            return Response(200)
        name = str(body.get("event_id") or json.dumps(body, sort_keys=True))
        job = Job(EVENT, job_id("evt", name), int(self._clock()), _reduced_event(body, event))
        try:
            self._put(job, credentials)
        except QueueRefused as error:
            log.warning("not queued: %s: %s", job.id, error)
            return Response(503, "Try again.")  # so that Slack delivers again
        return Response(200)

    def _interaction(self, body: Mapping[str, Any], credentials: Credentials) -> Response:
        name = str(body.get("trigger_id") or json.dumps(body, sort_keys=True))
        job = Job(INTERACTION, job_id("act", name), int(self._clock()), _reduced_interaction(body))
        try:
            self._put(job, credentials)
        except QueueRefused as error:
            log.warning("not queued: %s: %s", job.id, error)
            self._tell(str(body.get("response_url") or ""), _PRESS_NOT_QUEUED)
        return Response(200)

    def _put(self, job: Job, credentials: Credentials) -> None:
        try:
            body = seal(job, self._settings.signing_secret)
        except ValueError as error:
            raise QueueRefused(str(error)) from error
        self._queue.put(job.task_id, body, credentials)

    def _tell(self, url: str, text: str) -> None:
        """A private sentence to a response_url, before the ack: after it we may be frozen."""
        if not url or not self._settings.may_respond_to(url):
            return
        target = urlsplit(url)
        kind = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
        connection = kind(target.netloc, timeout=1)
        body = json.dumps({"response_type": "ephemeral", "replace_original": False, "text": escape(text)})
        try:
            connection.request("POST", target.path, body, {"content-type": "application/json"})
            connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            log.warning("could not tell: %s", type(error).__name__)
        finally:
            connection.close()


def _private(text: str) -> Response:
    return _json({"response_type": "ephemeral", "text": escape(text)})


def signature_problem(environ: Environ, body: bytes, signing_secret: str, now: float) -> str:
    """Why a request is not Slack's, in a few words; "" when it is. Signature v0, over the exact bytes."""
    timestamp = environ.get("HTTP_X_SLACK_REQUEST_TIMESTAMP", "")
    given = environ.get("HTTP_X_SLACK_SIGNATURE", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return "no timestamp"
    if abs(now - int(timestamp)) > _MOST_SKEW:
        return "stale timestamp"
    signed = b"v0:" + timestamp.encode() + b":" + body
    wanted = "v0=" + hmac.digest(signing_secret.encode(), signed, "sha256").hex()
    if not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace")):
        return "wrong signature"
    return ""


def request_credentials(environ: Environ) -> Credentials:
    """The function role's temporary keys that Function Compute puts on each request; empty without a role."""
    return Credentials(
        environ.get("HTTP_X_FC_ACCESS_KEY_ID", ""),
        environ.get("HTTP_X_FC_ACCESS_KEY_SECRET", ""),
        environ.get("HTTP_X_FC_SECURITY_TOKEN", ""),
    )


def _body(environ: Environ) -> bytes:
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > MOST_BODY:
        raise Response(413, "Too large.")
    body: bytes = environ["wsgi.input"].read(int(length))
    return body


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Response(400, "Not JSON.") from error
    if not isinstance(value, dict):
        raise Response(400, "Not a JSON object.")
    return value


def _fields(body: bytes) -> dict[str, str]:
    try:
        parsed = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100)
    except ValueError as error:
        raise Response(400, "Too many fields.") from error
    return {key: values[0] for key, values in parsed.items()}


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


_COMMAND_FIELDS = (
    "command",
    "text",
    "team_id",
    "enterprise_id",
    "channel_id",
    "channel_name",
    "user_id",
    "user_name",
    "response_url",
    "trigger_id",
    "api_app_id",
    "is_enterprise_install",
)
_EVENT_FIELDS = ("type", "team_id", "enterprise_id", "api_app_id", "event_id", "event_time", "is_ext_shared_channel")
_INNER_FIELDS = ("type", "user", "text", "ts", "thread_ts", "channel", "channel_type", "team", "event_ts", "tab")
_MOST_TEXT = 5_000  # characters of a mention; what can be read is shorter, and says so


def _is_noise(event: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Messages of bots, our own among them, edits and other subtypes: answering them would answer ourselves."""
    if event.get("type") not in ("message", "app_mention"):
        return False
    return bool(event.get("bot_id") or event.get("subtype")) or event.get("user") in {None, "", *_own_users(body)}


def _own_users(body: Mapping[str, Any]) -> list[str]:
    authorizations = body.get("authorizations")
    listed = authorizations if isinstance(authorizations, list) else []
    return [str(one.get("user_id")) for one in map(_mapping, listed) if one.get("is_bot")]


def _reduced_event(body: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    inner = {key: event[key] for key in _INNER_FIELDS if isinstance(event.get(key), str)}
    inner["text"] = inner.get("text", "")[:_MOST_TEXT]
    envelope = {key: body[key] for key in _EVENT_FIELDS if isinstance(body.get(key), str | int)}
    authorizations = body.get("authorizations")
    first = _mapping(authorizations[0]) if isinstance(authorizations, list) and authorizations else {}
    return {**envelope, "event": inner, "authorizations": [first] if first else []}


_PRESS_FIELDS = (
    "type",
    "team",
    "enterprise",
    "user",
    "channel",
    "container",
    "response_url",
    "trigger_id",
    "api_app_id",
    "callback_id",
)
_ACTION_FIELDS = ("type", "action_id", "block_id", "value", "action_ts")


def _reduced_interaction(body: Mapping[str, Any]) -> dict[str, Any]:
    """A press or shortcut without the message's blocks, which may be larger than a job."""
    actions = body.get("actions")
    return {
        **{key: body[key] for key in (*_PRESS_FIELDS, "is_enterprise_install") if key in body},
        "actions": [
            {key: action[key] for key in _ACTION_FIELDS if key in action}
            for action in map(_mapping, actions if isinstance(actions, list) else [])
        ],
        "message": {key: value for key, value in _mapping(body.get("message")).items() if key in ("ts", "thread_ts")},
    }
