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
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from bot import languages, slack_requests
from bot.adapters import timed_http
from bot.adapters.kept_secret import KeptSecret, bot_token
from bot.adapters.queue import MaybeQueued, Queue, QueueRefused
from bot.core.blocks import escape
from bot.core.errors import UsageError
from bot.core.modal import loading
from bot.core.parsing import parse
from bot.core.question import STATUS
from bot.core.texts import N_, _, speaking
from bot.jobs import Job, seal
from bot.lines import REQUEST, Line
from bot.settings import Clock, Credentials, Settings

log = logging.getLogger("bot.door")

Environ = dict[str, Any]
StartResponse = Any  # WSGI's, whose exact type differs between libraries
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

MOST_BODY = 1_000_000
SLACK_PATH = "/slack/events"
CONTRACT_PATHS = ("/invoke", "/initialize", "/pre-stop")
_MOST_SKEW = 300  # seconds between Slack's clock and ours, either way
_OPENING = 1.0  # seconds for views.open
_IN_ALL = 2.8  # seconds after which a press must have been acked: Slack waits 3
_HOOKS = {"/initialize": "Initialize", "/pre-stop": "PreStop"}

NOT_QUEUED = N_("I could not take your question just now, so nothing was asked. Please type it again in a moment.")
MAYBE_QUEUED = N_(
    "I did not hear whether your question was taken, so the answer may still come. "
    "If there is none in a minute, please type it again."
)
PRESS_NOT_QUEUED = N_("I could not take that press just now, so nothing was done. Please press again in a moment.")
PRESS_MAYBE_QUEUED = N_(
    "I did not hear whether that press was taken, so it may still be done. "
    "If nothing has happened in a minute, please press again."
)


class Response(NamedTuple):
    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


def _json(value: Mapping[str, Any], status: int = 200) -> Response:
    text = json.dumps(value, ensure_ascii=False)
    return Response(status, text.encode("utf-8", "replace"), "application/json; charset=utf-8")


def _private(text: str) -> Response:
    return _json({"response_type": "ephemeral", "text": escape(text)})


class Door:
    """The WSGI callable that waitress serves. `worker` builds the application for `/invoke` at first use."""

    def __init__(
        self,
        settings: Settings,
        queue: Queue,
        worker: Callable[[], Application],
        clock: Clock = time.time,
        token: KeptSecret | None = None,
    ) -> None:
        self._settings, self._queue, self._worker, self._clock = settings, queue, worker, clock
        self._token = token or bot_token(settings, clock)
        self._application: Application | None = None
        self._cold = True

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
            return Response(404, b"Not found.")
        if environ.get("REQUEST_METHOD") != "POST":
            return Response(405, b"Only POST.")
        return self._slack(environ)

    def _hook(self, path: str, environ: Environ) -> Response:
        """Hooks of Function Compute: nothing to do, and nothing is imported. The public can reach the path too."""
        if environ.get("HTTP_X_FC_CONTROL_PATH") != path:
            return Response(403, b"Only Function Compute may call this.")
        request_id = environ.get("HTTP_X_FC_REQUEST_ID", "")
        log.info("FC %s Start RequestId: %s", _HOOKS[path], request_id)
        log.info("FC %s End RequestId: %s", _HOOKS[path], request_id)
        return Response(200)

    def _slack(self, environ: Environ) -> Response:
        line = Line(REQUEST, request=environ.get("HTTP_X_FC_REQUEST_ID", ""), cold=self._cold)
        self._cold = False
        response = self._answered(environ, line)
        line.write(status=response.status)
        return response

    def _answered(self, environ: Environ, line: Line) -> Response:
        body = _body(environ)
        if body is None:
            line.note(outcome="too large")
            return Response(413, b"Too large.")
        reason = signature_problem(environ, body, self._settings.signing_secret, self._clock())
        line.stage("verify")
        if reason:
            log.warning("refused: %s", reason)
            line.note(outcome=f"refused: {reason}")
            return _json({"error": "invalid request"}, 401)
        try:
            return self._verified(environ, body, line)
        except slack_requests.Unreadable as error:
            log.warning("unreadable: %s", error)
            line.note(outcome="unreadable")
            return Response(400, str(error).encode())

    def _verified(self, environ: Environ, body: bytes, line: Line) -> Response:
        credentials = self._credentials(environ)
        if "json" in environ.get("CONTENT_TYPE", ""):
            return self._event(slack_requests.json_object(body), credentials, line)
        fields = slack_requests.form_fields(body)
        if "payload" in fields:
            return self._interaction(slack_requests.json_object(fields["payload"]), credentials, line)
        if "command" in fields:
            return self._command(fields, credentials, line)
        return Response(200) if "ssl_check" in fields else Response(400, b"Neither a command nor a payload.")

    def _credentials(self, environ: Environ) -> Credentials:
        """Those of this request, which are fresh, where Function Compute sends some; else the environment's."""
        if not self._settings.on_function_compute:
            return self._settings.credentials
        return request_credentials(environ) or self._settings.credentials

    def _command(self, fields: Mapping[str, str], credentials: Credentials, line: Line) -> Response:
        line.note(what="command", outcome="answered", **slack_requests.ids_of(fields))
        try:
            question = parse(fields.get("text", ""), self._settings.account_names)
        except UsageError as error:
            return _private(self._settings.paused or self._said(error))
        if self._settings.paused and question.subcommand != STATUS:
            return _private(self._settings.paused)
        refusal = self._refusal(slack_requests.command_job(fields, self._now), credentials, line)
        if refusal:
            return _private(self._said(MAYBE_QUEUED if isinstance(refusal, MaybeQueued) else NOT_QUEUED))
        if question.for_one:
            return Response(200)
        return _json({"response_type": "in_channel"})

    def _said(self, what: str | UsageError) -> str:
        """In BOT_LANGUAGE: who asks is not known here. A catalogue is read only when there is something to say."""
        with speaking(languages.catalogue(self._settings.language)):
            return _(what) if isinstance(what, str) else str(what)

    def _event(self, body: Mapping[str, Any], credentials: Credentials, line: Line) -> Response:
        line.note(what="event", outcome="nothing to do", **slack_requests.ids_of(body))
        if body.get("type") == "url_verification":
            return _json({"challenge": str(body.get("challenge", ""))})
        job = slack_requests.event_job(body, self._now)
        if job is None or not self._refusal(job, credentials, line):
            return Response(200)
        return Response(503, b"Try again.")  # so that Slack delivers again

    def _interaction(self, body: Mapping[str, Any], credentials: Credentials, line: Line) -> Response:
        line.note(what="interaction", outcome="nothing to do", **slack_requests.ids_of(body))
        if body.get("type") in ("view_submission", "view_closed"):
            return Response(200)  # Done or closed: an empty answer closes the modal, and nothing is to do
        job = slack_requests.interaction_job(body, self._now)
        trigger, began = slack_requests.opens_modal(body), time.monotonic()
        if trigger and not self._settings.paused:
            if not self._open_modal(trigger, job.id, began + _OPENING):
                job = slack_requests.unopened(job, trigger)
            line.stage("open")
        refusal = self._refusal(job, credentials, line)
        if refusal:
            text = self._said(PRESS_MAYBE_QUEUED if isinstance(refusal, MaybeQueued) else PRESS_NOT_QUEUED)
            self._tell(str(body.get("response_url") or ""), text, began + _IN_ALL)
        return Response(200)

    def _open_modal(self, trigger_id: str, external_id: str, deadline: float) -> bool:
        """views.open, here and now: the trigger is dead after 3 s. The worker fills the modal by its external id.

        False where it is not known to be open: nobody heard of it, or the bot token has not been read yet, or is not
        what it was. The worker tries then.
        """
        token = self._token.known
        if not token:
            return False
        with speaking(languages.catalogue(self._settings.language)):
            view = {**loading(), "external_id": external_id}
        body = json.dumps({"trigger_id": trigger_id, "view": view}).encode()
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json; charset=utf-8"}
        said = self._post(f"{self._settings.slack_api_url}views.open", headers, body, deadline)
        try:
            return json.loads(said).get("ok") is True
        except (ValueError, AttributeError, RecursionError):
            return False

    @property
    def _now(self) -> int:
        return int(self._clock())

    def _refusal(self, job: Job, credentials: Credentials, line: Line) -> QueueRefused | None:
        """Why the queue has not taken the job; None where it has."""
        line.note(task=job.task_id, trace=job.trace)
        try:
            self._queue.put(job.task_id, seal(job, self._settings.signing_secret), credentials)
        except (QueueRefused, ValueError) as error:
            outcome = "maybe queued" if isinstance(error, MaybeQueued) else "not queued"
            log.warning("%s: %s: %s", outcome, job.id, error)
            line.note(outcome=outcome)
            return error if isinstance(error, QueueRefused) else QueueRefused(str(error))
        line.stage("queue")
        line.note(outcome="queued")
        return None

    def _tell(self, url: str, text: str, deadline: float) -> None:
        """A private sentence to a response_url, before the ack: after it we may be frozen."""
        if not self._settings.may_respond_to(url):
            return
        body = json.dumps({"response_type": "ephemeral", "replace_original": False, "text": escape(text)})
        self._post(url, {"content-type": "application/json"}, body.encode(), deadline)

    def _post(self, url: str, headers: Mapping[str, str], body: bytes, deadline: float) -> bytes:
        """What was answered. Before the ack, for after it we may be frozen; what fails is only logged."""
        target = urlsplit(url)
        context = timed_http.trusted() if target.scheme == "https" else None
        line = None
        try:
            line = timed_http.connection(target.netloc, context, deadline)
            return timed_http.post(line, target.path, headers, body, deadline)[1]
        except (OSError, ValueError, http.client.HTTPException) as error:
            log.warning("Slack not reached: %s", type(error).__name__)
            return b""
        finally:
            if line is not None:
                line.close()


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


def _body(environ: Environ) -> bytes | None:
    """None when it is longer than anything that Slack sends."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if not re.fullmatch(r"[0-9]{1,9}", length) or int(length) > MOST_BODY:
        return None
    body: bytes = environ["wsgi.input"].read(int(length))
    return body
