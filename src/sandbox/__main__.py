"""`python -m sandbox`: the bot in a terminal, without any account. `python -m sandbox "t-…"` asks one question."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from sandbox.drawing import WIDTH, draw
from sandbox.scenario import load_all
from sandbox.scenario_values import Scenario
from sandbox.stage import Stage

SAMPLES = ("seven_of_240", "schedule", "windows_gbk")


def main(questions: Sequence[str]) -> None:
    scenarios = {scenario.name: scenario for scenario in load_all()}
    colour = sys.stdout.isatty()
    with Stage(scenarios.values()) as stage:
        if questions:
            _ask(stage, " ".join(questions), colour=colour)
            return
        print("The real function, frozen between requests; Slack and Alibaba Cloud are played on loopback.\n")
        for name in SAMPLES:
            _ask(stage, scenarios[name].ask, colour=colour)
        _converse(stage, list(scenarios.values()), colour=colour)


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
