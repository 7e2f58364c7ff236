"""Names of time zones, kept with what stands and read back."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.zones import name_of, zone_called, zone_of

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("user", "name", "hours"),
    [
        ({"tz": "Asia/Shanghai"}, "Asia/Shanghai", 8),
        ({"tz": "Moon/Base", "tz_offset": 20_700}, "UTC+05:45", 5.75),
        ({"tz_offset": -12_600}, "UTC-03:30", -3.5),
        ({}, "UTC", 0),
    ],
)
def test_a_zone_comes_back_by_its_name(user, name, hours):
    zone = zone_of(user, "")
    assert name_of(zone) == name
    assert NOW.astimezone(zone_called(name)).utcoffset() == timedelta(hours=hours)


def test_a_zone_that_the_system_has_lost_is_utc():
    assert zone_called("Moon/Base") is UTC
