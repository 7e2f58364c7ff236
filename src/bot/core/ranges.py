"""Names of instances as ranges: web-01, web-02, web-03, web-07 as `web-[01-03,07]`."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LAST_NUMBER = re.compile(r"(?s)(.*[^0-9]|)([0-9]{1,9})([^0-9]*)")
# Ids are random: their numbers mean nothing. Names that hold our own marks would be read as ranges.
_NEVER_FOLDED = re.compile(r"(?:i|mi|t|c)-[0-9a-z]+|.*[\[\],].*", re.DOTALL)


def ranges(names: Iterable[str]) -> list[str]:
    """The names, those that differ only in their last number folded; sorted, each name once.

    `web-1` and `web-01` are two machines, so widths are kept; ids are random and never folded.
    """
    families: dict[tuple[str, str], list[str]] = {}
    plain = []
    for name in sorted(set(names)):
        match = None if _NEVER_FOLDED.fullmatch(name) else _LAST_NUMBER.fullmatch(name)
        if match is None:
            plain.append(name)
        else:
            families.setdefault((match[1], match[3]), []).append(match[2])
    for (prefix, suffix), numbers in families.items():
        plain.extend(_folded(prefix, suffix, group) for group in _by_width(numbers))
    return sorted(plain)


def _by_width(numbers: list[str]) -> list[list[str]]:
    """Numbers that can stand in one range: 08, 09, 10 together; 8 and 08 apart."""
    padded = {len(number) for number in numbers if number.startswith("0") and len(number) > 1}
    groups: dict[int, list[str]] = {}
    for number in numbers:
        groups.setdefault(len(number) if len(number) in padded else 0, []).append(number)
    return list(groups.values())


def _folded(prefix: str, suffix: str, numbers: list[str]) -> str:
    if len(numbers) == 1:
        return f"{prefix}{numbers[0]}{suffix}"
    runs: list[list[str]] = []
    for number in sorted(numbers, key=int):
        if runs and int(number) == int(runs[-1][-1]) + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return f"{prefix}[{','.join(_run(run) for run in runs)}]{suffix}"


def _run(run: list[str]) -> str:
    return ",".join(run) if len(run) < 3 else f"{run[0]}-{run[-1]}"
