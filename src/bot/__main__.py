"""`python -m bot`: the start command on Function Compute and on a laptop."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.adapters.kept_secret import bot_token
from bot.adapters.queue import FunctionComputeQueue, LocalQueue
from bot.door import MOST_BODY, Application, Door
from bot.jobs import unseal
from bot.settings import Settings, SettingsError

if TYPE_CHECKING:
    from bot.worker import Worker

INSTANCE_CONCURRENCY = 10  # as in template.yml
THREADS = INSTANCE_CONCURRENCY + 2
GARBAGE = 50_000  # new objects that are looked through at once; at 700, a tenth of the first job's time goes into that
_BY_SOCKET = (
    "SLACK_APP_TOKEN is set, so Slack sends nothing to an address: `make run` connects by Socket Mode. "
    "To serve an address, unset it."
)
CHANNEL_TIMEOUT = 3_600  # seconds; Function Compute keeps its connections for at least 900


class Bot:
    """The door in front of a worker that is imported when its first job arrives."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._queue = FunctionComputeQueue(settings) if settings.on_function_compute else LocalQueue(self._work_locally)
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._token = bot_token(settings)
        self.application = Door(settings, self._queue, self._web, token=self._token)

    def _the_worker(self) -> Worker:
        from bot.worker import Worker  # heavy: Bolt, slack_sdk, Tea

        with self._lock:
            self._worker = self._worker or Worker(self._settings, self._queue, token=self._token)
            return self._worker

    def _web(self) -> Application:
        from bot.web import create_app

        return create_app(self._settings, self._the_worker())

    def _work_locally(self, body: bytes) -> bool:
        job = unseal(body, self._settings.signing_secret)
        return self._the_worker().work(job, self._settings.credentials, f"local-{job.id}")

    def close(self) -> None:
        """Jobs at work are finished first."""
        self._queue.close()
        if self._worker is not None:
            self._worker.close()


def main(arguments: Sequence[str] = ()) -> None:
    """Serves; with arguments it is a command for a person at a terminal instead."""
    set_up_logging()
    if arguments:
        from bot.commands import run

        sys.exit(run(arguments, os.environ))
    if os.environ.get("SLACK_APP_TOKEN", "").strip() and not os.environ.get("FC_FUNCTION_NAME", "").strip():
        sys.exit(f"The bot cannot start:\n- {_BY_SOCKET}")  # before other settings are missed: it needs fewer
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        sys.exit("The bot cannot start:\n" + "\n".join(f"- {problem}" for problem in error.problems))
    gc.set_threshold(GARBAGE)
    bot = Bot(settings)
    try:
        serve(bot.application, settings)
    finally:
        bot.close()


class OneLine(logging.Formatter):
    """What others named cannot begin a line of its own, nor steer the terminal that shows the log."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the base class's name)
        said = super().formatMessage(record)
        return said if said.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in said)


def set_up_logging() -> None:
    """To standard output, where Function Compute takes it up; handlers that are there already stay."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(OneLine("%(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("bot").setLevel(logging.INFO)
    for loud in ("slack_sdk", "tablestore", "tablestore-client"):  # bodies and addresses; each claim that was not won
        logging.getLogger(loud).setLevel(logging.CRITICAL)


def serve(application: Application, settings: Settings) -> None:
    import waitress

    server = waitress.create_server(
        application,
        host=settings.host,
        port=settings.port,
        threads=THREADS,
        channel_timeout=CHANNEL_TIMEOUT,
        max_request_body_size=MOST_BODY,
        ident=None,
    )
    logging.getLogger("bot").info("listening on %s:%s", settings.host, settings.port)
    server.run()


if __name__ == "__main__":
    main(sys.argv[1:])
