"""`python -m sandbox`: the bot in a terminal and on a page, without any account.

`python -m sandbox "t-…"` asks one question and ends. Without a question it asks three, then serves the page until it
is stopped (Ctrl-C, SIGTERM), and answers what is typed where there is a keyboard. With SLACK_APP_TOKEN it connects to
that real workspace instead, see `real_workspace`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import NoReturn

from sandbox import real_workspace
from sandbox.console import serve
from sandbox.console.state import Shortcut
from sandbox.drawing import WIDTH, draw, menu
from sandbox.scenario import load_all
from sandbox.scenario_values import Scenario
from sandbox.socket_connection import GivenUp
from sandbox.stage import Stage

SHORTCUTS = (Shortcut("look_up", "Look up invocations"),)  # as in the manifest
SAMPLES = ("seven_of_240", "schedule", "windows_gbk")

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(questions: Sequence[str]) -> None:
    for number in _ENDING:
        signal.signal(number, _end)
    signal.signal(signal.SIGTTIN, signal.SIG_IGN)  # in the background there is no keyboard: reading is an error then
    if os.environ.get("SLACK_APP_TOKEN", "").strip() and not questions:
        _serve_workspace()
        return
    scenarios = {scenario.name: scenario for scenario in load_all()}
    with Stage(scenarios.values(), events=True) as stage:
        if questions:
            _ask(stage, " ".join(questions))
            return
        print("The real function, frozen between requests; Slack and Alibaba Cloud are played on loopback.\n")
        for name in SAMPLES:
            _ask(stage, scenarios[name].ask)
        console = serve(stage, shortcuts=SHORTCUTS)
        try:
            print(f"The same as a page, with all that can be pressed: {console.url} (Ctrl-C ends it)", flush=True)
            _converse(stage, list(scenarios.values()))
            threading.Event().wait()
        finally:
            console.stop()


def _serve_workspace() -> None:
    try:
        real_workspace.serve(os.environ)
    except (real_workspace.Unusable, GivenUp) as error:
        sys.exit(str(error))


def _end(number: int, frame: object) -> NoReturn:
    """Ends what was started, and then this; once is enough."""
    for one in _ENDING:
        signal.signal(one, signal.SIG_IGN)
    sys.exit()


def _converse(stage: Stage, scenarios: Sequence[Scenario]) -> None:
    """More questions: from the keyboard, or what was piped in; until there are none, which may be at once."""
    if sys.stdin is None:  # closed
        return
    keyboard = sys.stdin.isatty()
    if keyboard:
        print("\nAsk here too; an empty line asks for the newest runs, `help` says what can be asked. There is:")
        print(menu(scenarios))
    with contextlib.suppress(EOFError, OSError):
        while True:
            _ask(stage, input("\n/cloudassist " if keyboard else ""), typed=keyboard)
    if keyboard:
        print("\nThe page is still there.")


def _ask(stage: Stage, text: str, *, typed: bool = False) -> None:
    if not typed:
        print(f"/cloudassist {text}")
    try:
        messages = stage.ask(text, delayed=False)
    except TimeoutError as late:
        print(f"No answer {late}; where one comes, the page has it.")
        return
    for message in messages:
        seen_by = "only you see this" if message.ephemeral_to else "the channel sees this"
        print(f"{'═' * (WIDTH - len(seen_by) - 1)} {seen_by}")
        print(draw(message.text, message.blocks, colour=sys.stdout.isatty()))
    print("═" * WIDTH + "\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
