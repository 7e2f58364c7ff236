"""Why a run did not succeed: Cloud Assistant's code first, then its status, then the exit code, then the output.

What is proven is said as it is; what is not "looks like" it. The table stands in `reasons`; `evidence` reads outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from bot.core import evidence
from bot.core.output import Output, one_line
from bot.core.reasons import AUTHOR, CODES, EXITS, HALF_WAY, LINUX, NOT_KNOWN, WINDOWS, Reason
from bot.core.texts import _, joined

MAYBE_HALF_WAY = "maybe"
# Says only what the exit code and the output say better.
_OPEN_CODES = frozenset({"", "ExitCodeNonzero"})
# States that an exit code or an output may explain.
_OPEN_STATUSES = frozenset({"Failed", "Error", "Timeout", "Scheduled"})
_LEAST_NTSTATUS = 0x40000000
_MAY_HANG = frozenset(
    {"waiting-for-input", "package-lock", "lock-held", "database-lock", "connection-timeout", "dns", "sudo", "no-tty"}
    | {"network-unreachable", "connection-refused", "connect-failed", "stale-handle", "health-check", "oom", "proxy"}
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A reason and how sure it is. `hint` is what the output adds to it: never more than a likeness."""

    reason: Reason
    certain: bool
    system: str = ""
    hint: Reason | None = None

    @property
    def cause(self) -> str:
        """One line, without a full stop: `no space left`, `looks like out of memory`."""
        if self.reason.key == _UNKNOWN.key:
            return _("{code}, a code that I do not know", code=self.reason.cause)
        said = _(self.reason.cause) if self.certain else looks_like(self.reason.cause)
        return joined([said, looks_like(self.hint.cause)]) if self.hint else said

    @property
    def owner(self) -> str:
        """Whose move it is."""
        return (self.hint or self.reason).owner

    @property
    def next_step(self) -> str:
        return _((self.hint or self.reason).next_step)

    @property
    def rerun(self) -> str:
        """Whether a rerun is safe: what follows from a likeness is no more than one."""
        if self.certain or self.reason.rerun == NOT_KNOWN:
            return self.reason.rerun
        return MAYBE_HALF_WAY if self.reason.rerun == HALF_WAY else NOT_KNOWN

    @property
    def command(self) -> str:
        """The line to copy; "" where there is none."""
        reason = self.hint or self.reason
        return reason.windows if self.system == WINDOWS and reason.windows else reason.command

    @property
    def keys(self) -> frozenset[str]:
        """What it is asked for by, in `reason:oom`."""
        hinted = (self.hint.key, *self.hint.also) if self.hint else ()
        return frozenset({self.reason.key, *self.reason.also, *hinted})


def looks_like(cause: str) -> str:
    """A cause of the table as a likeness."""
    return _("looks like {cause}", cause=_(cause))


def diagnose(status: str, error_code: str, exit_code: int | None, output: Output, system: str = "") -> Diagnosis | None:
    """Why an instance did not succeed; None where nothing is known. `system` is "linux", "windows" or ""."""
    if not is_open_code(error_code):
        known = _by_code().get(error_code) or _unknown(error_code)
        hint = _hint(known, output, system)
        return Diagnosis(known, True, system, hint)
    if status not in _OPEN_STATUSES:
        stated = _by_status().get(status)
        return Diagnosis(stated, True, system) if stated else None
    told = _by_output(output, system)
    meant = _by_exit(exit_code, system)
    stated = _by_status().get(status)
    if status == "Timeout" and stated:
        return Diagnosis(stated, True, system, _hint(stated, output, system))
    if meant and not (told and (told.reason.key == meant.key or told.reason.key in meant.covers)):
        return Diagnosis(meant, _is_ntstatus(exit_code), system)
    if told:
        return told
    return Diagnosis(stated, True, system) if stated else None


def meaning(exit_code: int | None, system: str) -> str:
    """The key of what an exit code means there; "" where it means nothing: 194 reboots Linux and no Windows."""
    meant = _by_exit(exit_code, system)
    return meant.key if meant else ""


def is_open_code(error_code: str) -> bool:
    """Whether a code leaves it to the status, the exit code and the output to say why."""
    return error_code in _OPEN_CODES


def proves_never_ran(error_code: str) -> bool:
    known = _by_code().get(error_code)
    return known is not None and known.never_ran


def _by_output(output: Output, system: str) -> Diagnosis | None:
    """What the output says; never certain where a part of it is missing."""
    found = evidence.read(output.text, system) if output.text else None
    return Diagnosis(found.reason, found.certain and not output.dropped, system) if found else None


def _hint(known: Reason, output: Output, system: str) -> Reason | None:
    """What a run that did not come to its end seems to have waited for."""
    told = _by_output(output, system) if known.key == "timeout" else None
    return told.reason if told and told.reason.key in _MAY_HANG else None


def _by_exit(exit_code: int | None, system: str) -> Reason | None:
    """What an exit code means there. Where the system is not known, only codes that can be no other's count."""
    if exit_code is None:
        return None
    systems = (system,) if system else (WINDOWS,) if _is_ntstatus(exit_code) else (LINUX,)
    found = next((row for one in systems if (row := _exits().get((one, exit_code)))), None)
    return None if found and not system and found.key in ("power-off", "reboot") else found


def _is_ntstatus(exit_code: int | None) -> bool:
    """A number that no script ends with by chance, so that it proves what it says."""
    return exit_code is not None and (exit_code >= _LEAST_NTSTATUS or exit_code < -(2**28))


def _unknown(error_code: str) -> Reason:
    return replace(_UNKNOWN, cause=one_line(error_code)[:60].strip())


_UNKNOWN = Reason("unknown-code", "", AUTHOR, "")


@cache
def _by_code() -> Mapping[str, Reason]:
    return {code: row for row in CODES for code in row.codes}


@cache
def _by_status() -> Mapping[str, Reason]:
    return {status: row for row in CODES for status in row.statuses}


@cache
def _exits() -> Mapping[tuple[str, int], Reason]:
    return {(row.system, number): row for row in EXITS for number in row.exits}
