"""Commands for a person at a terminal, such as `python -m bot doctor`. Imported only with an argument."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot import audit
from bot.adapters.store import StoreError, open_store
from bot.core import slack_app
from bot.settings import Settings, SettingsError

_USAGE = """\
Usage: python -m bot                  serves
       python -m bot manifest --url https://… [--without files,groups,home]
                                      prints the Slack app's manifest, with that address;
                                      --socket instead of --url: for Socket Mode, without an address
       python -m bot init [--undo]    makes the table that BOT_STORE names; --undo deletes it with all it keeps
       python -m bot doctor [--prove-read-only]
                                      tries every right and connection, and says what is missing
       python -m bot audit t-…        prints who asked for a run, where it was shown, and what was done with it"""
_RIGHTS = (
    "Run it with keys (ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET) that are allowed "
    "ots:CreateTable, ots:DescribeTable and ots:GetRow on acs:ots:{region}:*:instance/{instance}/table/{table}."
)
_WHERE = "Is there an instance {instance} in {region}, and does this network reach {endpoint}?"


class _Parser(argparse.ArgumentParser):
    """One usage for all that cannot be read."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise ValueError(message)


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> str | int:
    """0, 1 where doctor found something, or what to say on standard error beside a status of 1."""
    try:
        asked = _asked(arguments)
    except ValueError:
        return _USAGE
    if asked.command == "manifest":
        return _manifest(asked.url, asked.without)
    if asked.command == "doctor":
        from bot.doctor import examine

        return examine(environment, prove_read_only=asked.prove_read_only)
    # Nothing here talks to Slack.
    slack = {name: environment.get(name) or "unused" for name in ("SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN")}
    try:
        settings = Settings.from_environment({**environment, **slack})
    except SettingsError as error:
        return "\n".join(["Nothing was done:", *(f"- {problem}" for problem in error.problems)])
    if asked.command == "audit":
        return _audit(settings, asked.run)
    return _undo(settings) if asked.undo else _init(settings)


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(prog="python -m bot", add_help=False)
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    init = commands.add_parser("init", add_help=False)
    init.add_argument("--undo", action="store_true")
    manifest = commands.add_parser("manifest", add_help=False)
    way = manifest.add_mutually_exclusive_group(required=True)
    way.add_argument("--url")
    way.add_argument("--socket", action="store_true")
    manifest.add_argument("--without", default="")
    doctor = commands.add_parser("doctor", add_help=False)
    doctor.add_argument("--prove-read-only", action="store_true")
    commands.add_parser("audit", add_help=False).add_argument("run")
    return parser.parse_args(arguments)


def _audit(settings: Settings, run: str) -> str | int:
    if not re.fullmatch(r"t-[A-Za-z0-9_-]{1,100}|-", run):
        return "Which run? Its id begins with t-, as in: python -m bot audit t-hz0jdfwd9f"
    store = open_store(settings)
    try:
        print(audit.told(run, audit.of_run(store, run, time.time()), settings.audit_days))  # noqa: T201
    except StoreError as error:
        return f"The store did not answer: {error}."
    finally:
        store.close()
    return 0


def manifest_source() -> str:
    """deploy/slack-app.yml: it lies beside src/, and deploy/pack puts a copy beside bot/, so that there is one source
    and the function can be asked for its manifest too."""
    above = Path(__file__).resolve().parents[1:3]
    found = [folder / "deploy" / "slack-app.yml" for folder in above]
    return next(path for path in found if path.is_file()).read_text(encoding="utf-8")


def _manifest(url: str | None, without: str) -> str | int:
    left_out = [feature.strip() for feature in without.split(",") if feature.strip()]
    try:
        print(slack_app.manifest(manifest_source(), url, left_out), end="")  # noqa: T201
    except ValueError as error:
        return str(error)
    return 0


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


def _undo(settings: Settings) -> str | int:
    place = settings.tablestore
    if place is None:
        print(f"The store is SQLite, {settings.store_path}: delete the file.")  # noqa: T201
        return 0
    from bot.adapters.tablestore_client import TABLE, drop_table

    try:
        was_there = drop_table(place, lambda: settings.credentials)
    except StoreError as error:
        return f"The table was not deleted: {error}.\nThe keys need ots:DeleteTable on it."
    print(f"The table {TABLE} in {place.instance} ({place.region}) {'was deleted' if was_there else 'is not there'}.")  # noqa: T201
    return 0
