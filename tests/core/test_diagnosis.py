"""What error codes mean."""

from __future__ import annotations

import pytest

from bot.core.diagnosis import REASONS, proves_never_ran, reason


@pytest.mark.parametrize("code", ["", "ExitCodeNonzero"])
def test_where_the_exit_code_says_it_better_there_is_no_reason(code: str) -> None:
    assert reason(code) is None


def test_an_unknown_code_is_its_own_reason() -> None:
    told = reason("BrandNew")
    assert told is not None
    assert (told.words, told.next_step, told.never_ran) == ("BrandNew", "", False)


@pytest.mark.parametrize("code", ["DeliveryTimeout", "ClientNotRunning", "ClientNotOnline", "InstanceNotRunning"])
def test_codes_that_prove_that_nothing_ran(code: str) -> None:
    assert proves_never_ran(code)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "BrandNew",
        "ExitCodeNonzero",
        "ClientNotResponse",
        "InstanceRestarted",
        "ExecutionInterrupted",
        "ExecutionTimeout",
    ],
)
def test_codes_that_leave_it_open(code: str) -> None:
    assert not proves_never_ran(code)


@pytest.mark.parametrize("code", REASONS)
def test_each_reason_reads_in_a_sentence(code: str) -> None:
    told = REASONS[code]
    assert told.next_step
    assert len(told.words) <= 60
    assert not told.words.endswith(".")
    assert not told.next_step.endswith(".")
