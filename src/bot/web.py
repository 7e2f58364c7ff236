"""Flask: the Function Compute contract of `/invoke`. Everything is read as raw bytes, whatever the content type.

A failure is status 404 with `x-fc-status: 404`: without that header Function Compute takes a call for a success and
never delivers it again. The door lets only requests through whose `x-fc-control-path` names this path; the hooks
(`/initialize`, `/pre-stop`) it answers itself, since they must import nothing.
"""

from __future__ import annotations

import logging

from flask import Flask, Response, request

from bot.core.events import read
from bot.door import request_credentials
from bot.jobs import BadJob, is_job, unseal
from bot.settings import Settings
from bot.worker import Worker

log = logging.getLogger("bot.web")


def create_app(settings: Settings, worker: Worker) -> Flask:
    app = Flask("bot", static_folder=None)
    # A bare 500 would count as success: what breaks here must reach the door, which reports it as a failure.
    app.config["PROPAGATE_EXCEPTIONS"] = True

    @app.post("/invoke")
    def invoke() -> Response:
        request_id = request.headers.get("x-fc-request-id", "")
        log.info("FC Invoke Start RequestId: %s", request_id)
        response = _invoked(settings, worker, request_id)
        error = ", Error: Unhandled function error" if response.status_code == 404 else ""
        log.info("FC Invoke End RequestId: %s%s", request_id, error)
        return response

    return app


def _invoked(settings: Settings, worker: Worker, request_id: str) -> Response:
    raw = request.get_data(cache=False)
    if not is_job(raw):
        return _heard(raw, worker, request_id)
    try:
        job = unseal(raw, settings.signing_secret)
    except BadJob as error:
        log.warning("refused a job: %s", error)
        return Response("Refused.", 403)
    credentials = request_credentials(request.environ) if settings.on_function_compute else None
    return _settled(worker.work(job, credentials or settings.credentials, request_id))


def _heard(raw: bytes, worker: Worker, request_id: str) -> Response:
    """A cloud event or a timer, by its shape. What is none is left alone: delivered again it would be none either."""
    reading = read(raw)
    for reason in reading.unknown:
        log.info("no event, %d bytes left alone: %s", len(raw), reason)
    return _settled(worker.hear(reading.events, request_id)) if reading.events else Response("Nothing to do.", 200)


def _settled(done: bool) -> Response:
    return Response("Done.", 200) if done else Response("Failed.", 404, {"x-fc-status": "404"})
