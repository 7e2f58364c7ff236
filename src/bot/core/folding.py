"""Identical outputs of many instances folded into one.

Outputs are alike when they are equal after trailing white space, terminal escapes and progress (`\\r`) are taken
away. Each different raw output is read once, however many instances sent it.
"""

from __future__ import annotations

from dataclasses import replace

from bot.core.model import InvocationResult
from bot.core.output import Output, read


class OutputReader:
    """Reads outputs and gives equal ones the same Output, so that they can be compared and counted."""

    def __init__(self) -> None:
        self._by_raw: dict[tuple[bytes, int], Output] = {}
        self._by_text: dict[str, Output] = {}

    def read(self, result: InvocationResult) -> Output:
        """The output of one result. Of outputs alike but for `dropped`, the one with most missing speaks."""
        key = (result.output, result.dropped)
        output = self._by_raw.get(key)
        if output is None:
            output = self._by_raw[key] = read(*key)
        first = self._by_text.setdefault(output.text, output)
        if output.dropped > first.dropped:
            self._by_text[output.text] = replace(first, dropped=output.dropped)
        return self._by_text[output.text]
