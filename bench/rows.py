"""The rows by name, in the order of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench import asking, cold, folding, imports, package, rendering, warm
from bench.options import Options
from bench.table import Line
from bench.workbench import Workbench


@dataclass(frozen=True)
class Row:
    """`quick` says whether it is part of a quick run that names no rows."""

    name: str
    measure: Callable[[Workbench, Options], list[Line]]
    quick: bool = True


ROWS = (
    Row("cold", cold.ack),
    Row("cold-quarter", cold.ack_quarter),
    Row("cold-tenth", cold.ack_tenth, quick=False),
    Row("no-byte-code", cold.ack_without_byte_code, quick=False),
    Row("imports", imports.imports),
    Row("beside", cold.ack_beside_import),
    Row("modal", cold.modal),
    Row("answer", cold.answer),
    Row("warm", warm.acks),
    Row("memory", cold.memory),
    Row("package", package.package, quick=False),
    Row("rendering", rendering.rendering),
    Row("folding", folding.folding),
    Row("unknown-region", asking.unknown_region),
    Row("rate-limit", asking.rate_limit),
)
