"""`python -m sandbox`: the bot in a terminal and on a page, without any account.

`python -m sandbox "t-…"` asks one question and ends; `python -m sandbox --page` serves the page until it is stopped.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence

from sandbox.console import serve
from sandbox.console.state import Shortcut
from sandbox.drawing import WIDTH, draw
from sandbox.scenario import load_all
from sandbox.scenario_values import Scenario
from sandbox.stage import Stage

SHORTCUTS = (Shortcut("look_up", "Look up invocations"),)  # as in the manifest
SAMPLES = ("seven_of_240", "schedule", "windows_gbk")


def main(questions: Sequence[str]) -> None:
    scenarios = {scenario.name: scenario for scenario in load_all()}
    colour = sys.stdout.isatty()
    with Stage(scenarios.values(), events=True) as stage:
        if list(questions) == ["--page"]:
            _serve(stage)
            return
        if questions:
            _ask(stage, " ".join(questions), colour=colour)
            return
        print("The real function, frozen between requests; Slack and Alibaba Cloud are played on loopback.\n")
        for name in SAMPLES:
            _ask(stage, scenarios[name].ask, colour=colour)
        console = serve(stage, shortcuts=SHORTCUTS)
        print(f"The same as a page, while this runs: {console.url}\n")
        try:
            _converse(stage, list(scenarios.values()), colour=colour)
        finally:
            console.stop()


def _serve(stage: Stage) -> None:
    """The page alone, until Ctrl-C."""
    console = serve(stage, shortcuts=SHORTCUTS)
    print(f"Open {console.url} in a browser; Ctrl-C ends it.", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        print()
    finally:
        console.stop()


def _converse(stage: Stage, scenarios: Sequence[Scenario], *, colour: bool) -> None:
    """More questions from the keyboard, until there is none."""
    print("Ask on; an empty line asks for the newest runs, `help` says what can be asked, Ctrl-D ends. There is:")
    for scenario in scenarios:
        print(f"  {scenario.ask.split()[0]:<20} {scenario.title}")
    while True:
        try:
            text = input("\n/cloudassist ")
        except (EOFError, KeyboardInterrupt):
            print()
            return
        _ask(stage, text, colour=colour, typed=True)


def _ask(stage: Stage, text: str, *, colour: bool, typed: bool = False) -> None:
    if not typed:
        print(f"/cloudassist {text}")
    for message in stage.ask(text):
        seen_by = "only you see this" if message.ephemeral_to else "the channel sees this"
        print(f"{'═' * (WIDTH - len(seen_by) - 1)} {seen_by}")
        print(draw(message.text, message.blocks, colour=colour))
    print("═" * WIDTH + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
