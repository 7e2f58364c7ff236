"""Commands for a person at a terminal: `python -m bot init`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.adapters.store import StoreError
from bot.settings import Settings, SettingsError

_USAGE = "Usage: python -m bot        serves\n       python -m bot init   makes the table that BOT_STORE names"
_RIGHTS = (
    "Run it with keys (ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET) that are allowed "
    "ots:CreateTable, ots:DescribeTable and ots:GetRow on acs:ots:{region}:*:instance/{instance}/table/{table}."
)
_WHERE = "Is there an instance {instance} in {region}, and does this network reach {endpoint}?"


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> str | int:
    """0, or what to say on standard error beside a status of 1."""
    if list(arguments) != ["init"]:
        return _USAGE
    # Nothing here talks to Slack.
    slack = {name: environment.get(name) or "unused" for name in ("SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN")}
    try:
        settings = Settings.from_environment({**environment, **slack})
    except SettingsError as error:
        return "\n".join(["Nothing was made:", *(f"- {problem}" for problem in error.problems)])
    return _init(settings)


def _init(settings: Settings) -> str | int:
    place = settings.tablestore
    if place is None:
        print(f"The store is SQLite, {settings.store_path}: there is nothing to make.")  # noqa: T201
        return 0
    from bot.adapters.tablestore_client import TABLE, Unsure, make_table  # heavy, and installed only where it is chosen

    try:
        made = make_table(place, lambda: settings.credentials)
    except StoreError as error:
        fix = _WHERE if isinstance(error, Unsure) else _RIGHTS if "NoPermission" in str(error) else ""
        fix = fix.format(region=place.region, instance=place.instance, endpoint=place.endpoint, table=TABLE)
        return f"The table was not made: {error}.\n{fix}".rstrip()
    done = "was made" if made else "was there already"
    print(f"The table {TABLE} in {place.instance} ({place.region}) {done} and can be used.")  # noqa: T201
    return 0
