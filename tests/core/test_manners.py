"""Who goes first, and how long the others wait."""

from __future__ import annotations

import pytest

from bot.core.manners import AT_ONCE, Priority, wait_after


@pytest.mark.parametrize(("priority", "wait"), [(Priority.PEOPLE, 5), (Priority.NOTICES, 15), (Priority.DIGESTS, 65)])
def test_after_a_throttle_people_go_first_then_notices_then_digests(priority: Priority, wait: float) -> None:
    assert wait_after(105, priority, 100) == wait
    assert wait_after(105, priority, 105 + 60) == 0


def test_who_goes_later_makes_fewer_calls_at_once() -> None:
    assert AT_ONCE[Priority.PEOPLE] > AT_ONCE[Priority.NOTICES] > AT_ONCE[Priority.DIGESTS] > 0
