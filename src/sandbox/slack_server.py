"""The serving half of the sandbox's Slack: Web API, response_urls and uploads, with rates and faults on demand."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from sandbox.http import Drop, Peer, Reply, Request, json_reply
from sandbox.slack_calls import Answer, Call, Method, check_message
from sandbox.slack_reading import READING
from sandbox.slack_sockets import PATH as SOCKETS
from sandbox.slack_sockets import Sockets
from sandbox.slack_views import VIEWS
from sandbox.slack_wire import Fault, Rate, arguments, known_arguments, rate_limited, take_fault, token_of
from sandbox.slack_workspace import (
    APP_TOKEN,
    BOT_TOKEN,
    BOT_USER,
    RESPONSE_URL_USES,
    SCOPES,
    ApiError,
    Message,
    ResponseUrl,
    Workspace,
)
from sandbox.slack_writing import WRITING

METHODS: dict[str, Method] = {**READING, **WRITING, **VIEWS}


@dataclass(frozen=True)
class Called:
    """A call as it came: `method` is the Web API's, `response_url` or `upload`; `outcome` is `ok`, an error
    code or the kind of the fault that was asked for."""

    method: str
    args: Mapping[str, Any]
    outcome: str
    time: float


@dataclass(frozen=True)
class Refusal:
    method: str
    error: str
    messages: tuple[str, ...]
    args: Mapping[str, Any]


class SlackServer(Peer):
    """Keeps `calls`, `refused` (what Slack would refuse) and `warnings` (blocks that came without text).

    `scopes`, `token` and `app_token` may be set at any time. `changed` guards all state and is notified at every
    change.
    """

    workspace: Workspace
    scopes: frozenset[str]
    token: str
    app_token: str
    _rate: Rate | None

    def __init__(self, port: int = 0, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__(port)
        self.changed = threading.Condition()
        self.sockets = Sockets(self.changed)
        self.calls: list[Called] = []
        self.refused: list[Refusal] = []
        self.warnings: list[Called] = []
        self._faults: list[Fault] = []
        self._halted = threading.Event()
        self._clock = clock
        self.reset()

    def stop(self) -> None:
        self._halted.set()
        self.sockets.drop()
        super().stop()

    def fail(self, kind: str, method: str = "*", *, times: int = 1, retry_after: int = 1, seconds: float = 3.5) -> None:
        """Let the next `times` calls of `method` (`*`: any; `response_url`, `upload` and `socket` too) fail.

        Kinds: `429` (with `retry_after` seconds), `500`, `500_after` (done all the same), `502html`, `drop_before`
        (closed, not done), `drop_after` (done, closed without an answer), `slow` (done after `seconds`),
        `error:<code>`.
        """
        with self.changed:
            self._faults.append(Fault(kind, method, times, retry_after, seconds))

    def mend(self) -> None:
        """Forget the faults that still wait for a call."""
        with self.changed:
            self._faults.clear()

    @property
    def faults_left(self) -> int:
        """How many calls will still fail."""
        with self.changed:
            return sum(fault.times for fault in self._faults)

    def limit_posts(self, burst: int | None = 4, every: float = 1.0) -> None:
        """Per channel, refuse chat.postMessage beyond `burst` and then one in `every` seconds; None: off."""
        with self.changed:
            self._rate = Rate(burst, every) if burst else None

    def clear(self) -> None:
        """Forget messages, calls, refusals, warnings and faults; people, channels and views stay."""
        with self.changed:
            self.workspace.messages.clear()
            for records in (self.calls, self.refused, self.warnings, self._faults):
                records.clear()

    def reset(self) -> None:
        """Everything as it was at the start: people, channels, scopes and token too."""
        with self.changed:
            self.workspace = Workspace(self._clock)
            self.token, self.app_token = BOT_TOKEN, APP_TOKEN
            self.scopes = SCOPES
            self._rate = None
            self.clear()

    def told(self, kind: str, message: Message) -> None:
        """For subclasses: a message was `added` or `changed`. Called with the lock held."""

    # Serving

    def handle(self, request: Request) -> Reply:
        name, serve = self._route(request)
        with self.changed:
            fault = take_fault(self._faults, name)
        return serve() if fault is None else self._fail(fault, name, request, serve)

    def _route(self, request: Request) -> tuple[str, Callable[[], Reply]]:
        path = request.path
        if path.startswith("/api/"):
            name = path.removeprefix("/api/")
            return name, lambda: self._api(name, request)
        if path.startswith(("/commands/", "/actions/")):
            return "response_url", lambda: self._in_words("response_url", self._respond, request)
        if path.startswith("/upload/v1/"):
            return "upload", lambda: self._in_words("upload", self._upload, request)
        if path == SOCKETS:
            return "socket", lambda: self.sockets.upgrade(request)
        return "", lambda: Reply(404)

    def _fail(self, fault: Fault, name: str, request: Request, serve: Callable[[], Reply]) -> Reply:
        if fault.kind == "slow":
            self._halted.wait(fault.seconds)
            return serve()
        if fault.kind in ("drop_after", "500_after"):
            with self.changed:
                before = len(self.workspace.messages)
                serve()
                for message in self.workspace.messages[before:]:
                    message.unheard = True
        else:
            with self.changed:
                self._record(name, known_arguments(request), fault.kind)
        if fault.kind in ("drop_before", "drop_after"):
            raise Drop
        return fault.reply(name)

    def _record(self, name: str, args: Mapping[str, Any], outcome: str) -> None:
        self.calls.append(Called(name, args, outcome, self.workspace.clock()))
        self.publish_news()

    def refuse(self, name: str, args: Mapping[str, Any], error: ApiError) -> None:
        self.refused.append(Refusal(name, error.code, error.messages, args))
        self._record(name, args, error.code)

    def publish_news(self) -> None:
        """Tell everyone who waits; called with the lock held."""
        news, self.workspace.news = self.workspace.news, []
        for kind, message in news:
            self.told(kind, message)
        self.changed.notify_all()

    # Web API

    def _api(self, name: str, request: Request) -> Reply:
        with self.changed:
            try:
                answer = self._run(name, request)
            except ApiError as error:
                self.refuse(name, known_arguments(request), error)
                return _error_reply(error)
            self._record(name, arguments(request), "ok")
        told = {"x-oauth-scopes": ",".join(sorted(self.scopes)), "date": formatdate(self._clock(), usegmt=True)}
        return json_reply({"ok": True, **answer}, 200, **told)

    def _run(self, name: str, request: Request) -> Answer:
        if name == "apps.connections.open":
            self._authorise_app(request)
            return {"url": self.sockets.ticket(self.url)}
        method = METHODS.get(name)
        if method is None:
            raise ApiError("unknown_method")
        if name != "blocks.validate":
            self._authorise(token_of(request))
        call = Call(self.workspace, arguments(request), self.scopes, self.url)
        call.need_scope(method.scope)
        if self._rate and name == "chat.postMessage":
            self._rate.take(str(call.args.get("channel")), self.workspace.clock())
        return {**method.run(call), **self._warning(name, call.args)}

    def _authorise(self, token: str) -> None:
        if not token:
            raise ApiError("not_authed")
        if token != self.token:
            raise ApiError("invalid_auth")

    def _authorise_app(self, request: Request) -> None:
        """Slack takes an app-level token in the header only."""
        token = token_of(request) if "authorization" in request.headers else ""
        if token and not token.startswith("xapp-"):
            raise ApiError("not_allowed_token_type")
        if token != self.app_token:
            raise ApiError("invalid_auth" if token else "not_authed")

    def _warning(self, name: str, args: Mapping[str, Any]) -> Answer:
        """Slack takes blocks without text, and warns: notifications and screen readers get nothing."""
        writes = name.startswith(("chat.", "response_url"))
        if not writes or not args.get("blocks") or args.get("text"):
            return {}
        warning = "missing_text_in_message"
        self.warnings.append(Called(name, args, warning, self.workspace.clock()))
        return {"warning": warning, "response_metadata": {"warnings": [warning]}}

    # response_urls and uploads: both answer in plain text

    def _in_words(self, name: str, serve: Callable[[Request], str], request: Request) -> Reply:
        args = known_arguments(request) if name == "response_url" else {}
        with self.changed:
            try:
                said = serve(request)
            except ApiError as error:
                self.refuse(name, args, error)
                return Reply(error.more.get("status", 400), error.code.encode())
            self._record(name, args, "ok")
        return Reply(200, said.encode(), {"content-type": "text/plain"})

    def _respond(self, request: Request) -> str:
        url = self._usable(request.path)
        args = arguments(request)
        original = self.workspace.find(url.channel, url.message_ts)
        # A slash command has no original message, so its URL can replace and delete nothing.
        if args.get("delete_original"):
            if original:
                original.deleted = True
            return "ok"
        check_message(args)
        self._warning("response_url", args)
        if args.get("replace_original") and original:
            self.workspace.change(original, str(args.get("text") or ""), args.get("blocks") or [])
        else:
            self._answer(url, args)
        return "ok"

    def _usable(self, path: str) -> ResponseUrl:
        url = self.workspace.response_urls.get(path)
        if url is None:
            raise ApiError("no_service", status=404)
        if self.workspace.clock() > url.expires:
            raise ApiError("expired_url", status=404)
        if url.uses >= RESPONSE_URL_USES:
            raise ApiError("used_url", status=404)
        url.uses += 1
        return url

    def _answer(self, url: ResponseUrl, args: Mapping[str, Any]) -> None:
        everyone = args.get("response_type") == "in_channel"
        self.workspace.add(
            url.channel,
            BOT_USER,
            str(args.get("text") or ""),
            "response_url",
            blocks=args.get("blocks"),
            thread_ts=args.get("thread_ts"),
            metadata=args.get("metadata"),
            ephemeral_to=None if everyone else url.user,
        )

    def _upload(self, request: Request) -> str:
        file = self.workspace.files.get(request.path.removeprefix("/upload/v1/"))
        if file is None:
            raise ApiError("file_not_found", status=404)
        if len(request.body) != file.length:
            raise ApiError("length_mismatch", [f"announced {file.length}, sent {len(request.body)} bytes"])
        file.content = request.body
        return f"OK - {file.length}"


def _error_reply(error: ApiError) -> Reply:
    if error.code == "ratelimited":
        return rate_limited(error.more["retry_after"])
    body: Answer = {"ok": False, "error": error.code, **error.more}
    if error.messages:
        body["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in error.messages]}
        body.setdefault("errors", list(error.messages))
    return json_reply(body)
