"""What people read of a system event."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.core import system_events
from bot.core.model import Instance
from core.samples import HOSTILE, refused

AT = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
WEB = Instance("i-bp1a", "cn-hangzhou", "web-01")


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        (
            "Instance:SystemMaintenance.Reboot",
            "Scheduled",
            "web-01: maintenance by the vendor, reboot, scheduled.\nMove its work away before it begins.",
        ),
        (
            "Instance:PreemptibleInstanceInterruption",
            "",
            "web-01: spot interruption.\nIt is released within about five minutes; move its work now.",
        ),
        ("Instance:StateChange", "Stopping", "web-01: state change, stopping."),
        ("Instance:SystemFailure.Reboot", "InProgress", "web-01: system failure of the host, reboot, in progress.\n"),
        ("Snapshot:CreateSnapshotCompleted", "", "web-01: Snapshot:CreateSnapshotCompleted."),
    ],
)
def test_line_one_says_who_what_and_what_to_do(name: str, status: str, said: str) -> None:
    message = system_events.message(name, status, WEB, AT, "")
    assert message.text.startswith(said)
    assert refused(message) == []


@pytest.mark.parametrize("hostile", HOSTILE)
def test_whatever_comes_in_a_valid_message_goes_out(hostile: str) -> None:
    message = system_events.message(hostile, hostile, Instance(hostile, hostile, hostile), AT, hostile * 20)
    assert refused(message) == []
    assert "<!" not in message.text
