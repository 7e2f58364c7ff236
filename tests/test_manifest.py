"""deploy/slack-app.yml: Slack's schema takes misspelt scopes and plain http, so we look ourselves."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

from bot.listeners import LOOK_UP

TOP = Path(__file__).resolve().parent.parent
SOURCE = (TOP / "deploy" / "slack-app.yml").read_text()
MANIFEST = yaml.safe_load(SOURCE)
SCHEMA = TOP.parent / "shared" / "reference" / "slack-manifest.schema.json"

# Every scope is one more thing to explain to the people who approve the app. chat:write.public is not among them:
# the bot posts only where it was invited.
SCOPES = {
    "commands",
    "chat:write",
    "app_mentions:read",
    "im:history",
    "users:read",
    "channels:read",
    "groups:read",
    "files:write",
}
# And the scope each needs, "" for none.
EVENTS = {"app_mention": "app_mentions:read", "message.im": "im:history", "app_home_opened": ""}


def addresses(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key.endswith("url"):
                yield value
            yield from addresses(value)
    elif isinstance(node, list):
        for value in node:
            yield from addresses(value)


def address_problems(manifest: Any) -> list[str]:
    found = list(addresses(manifest))
    problems = [f"{url} is not https" for url in found if urlsplit(url).scheme != "https"]
    # The door answers one path. A redirect, or a slash more, reaches the person who typed as an error.
    problems += [f"{url} is not the door" for url in found if urlsplit(url).path != "/slack/events"]
    if len(found) != 3 or len(set(found)) != 1:
        problems.append("one address, in three places")
    return problems


def scope_problems(manifest: Any) -> list[str]:
    scopes = manifest["oauth_config"]["scopes"]
    problems = [] if scopes.keys() == {"bot"} else ["scopes are the bot's only: nobody's own token is needed"]
    granted = scopes.get("bot", [])
    problems += [f"no scope {scope}" for scope in sorted(SCOPES - set(granted))]
    problems += [f"scope {scope} is not needed or does not exist" for scope in granted if scope not in SCOPES]
    return problems + ([] if len(set(granted)) == len(granted) else ["a scope is there twice"])


def event_problems(manifest: Any) -> list[str]:
    subscribed = manifest["settings"]["event_subscriptions"]["bot_events"]
    problems = [f"no event {event}" for event in EVENTS if event not in subscribed]
    problems += [f"event {event} is not read or does not exist" for event in subscribed if event not in EVENTS]
    granted = manifest["oauth_config"]["scopes"].get("bot", [])
    needed = [(event, EVENTS[event]) for event in subscribed if EVENTS.get(event)]
    return problems + [f"event {event} needs {scope}" for event, scope in needed if scope not in granted]


def command_problems(manifest: Any) -> list[str]:
    (command,) = manifest["features"]["slash_commands"]
    problems = []
    if not re.fullmatch(r"/[a-z0-9_-]{1,31}", command["command"]):
        problems.append("a command is a slash and at most 31 lower-case letters, digits, - or _")
    if command.get("should_escape") is not True:
        # Without it a person or a channel arrives as a plain name, which nothing turns into an id reliably; with
        # it a slash command has the form of a mention, and the words of both are read by the same rules.
        problems.append("should_escape must be true")
    return problems


def switch_problems(manifest: Any) -> list[str]:
    home, settings = manifest["features"]["app_home"], manifest["settings"]
    wanted = [
        (home, "home_tab_enabled", True),  # else views.publish is refused
        (home, "messages_tab_enabled", True),  # else nobody can write to the bot, and message.im never comes
        (home, "messages_tab_read_only_enabled", False),
        (settings["interactivity"], "is_enabled", True),
        (settings, "socket_mode_enabled", False),  # would switch the addresses off
        (settings, "token_rotation_enabled", False),  # tokens of 12 hours, and no way back
        (settings, "org_deploy_enabled", False),
    ]
    return [f"{key} must be {value}" for where, key, value in wanted if where.get(key) is not value]


def problems(manifest: Any) -> list[str]:
    checks = [address_problems, scope_problems, event_problems, command_problems, switch_problems]
    return [problem for check in checks for problem in check(manifest)]


def test_the_manifest_has_no_problems():
    assert problems(MANIFEST) == []


def test_the_message_shortcut_is_the_one_that_is_listened_to():
    [shortcut] = MANIFEST["features"]["shortcuts"]
    assert (shortcut["type"], shortcut["callback_id"]) == ("message", LOOK_UP)
    assert len(shortcut["name"]) <= 24


def test_its_address_is_a_placeholder():
    """A name that can never be somebody's: Slack would send our users' words there."""
    assert {urlsplit(url).hostname for url in addresses(MANIFEST)} == {"cloudassist.example"}


@pytest.mark.parametrize("name", [*MANIFEST["oauth_config"]["scopes"]["bot"], *EVENTS])
def test_every_scope_and_event_says_why(name: str):
    assert re.search(rf"^ +- {re.escape(name)} # \w.{{9,}}$", SOURCE, re.MULTILINE)


def at(path: str, change: Callable[[Any], None]) -> Callable[[Any], None]:
    def mutate(manifest: Any) -> None:
        for key in filter(None, path.split(".")):
            manifest = manifest[int(key)] if key.isdigit() else manifest[key]
        change(manifest)

    return mutate


COMMAND, SETTINGS = "features.slash_commands.0", "settings"
SUBSCRIPTIONS, BOT = "settings.event_subscriptions", "oauth_config.scopes.bot"
DOOR = "https://cloudassist.example/slack/events"
MUTATIONS: dict[str, tuple[Callable[[Any], None], str]] = {
    "http": (at(COMMAND, lambda it: it.update(url=DOOR.replace("https", "http"))), "is not https"),
    "slash more": (at(SUBSCRIPTIONS, lambda it: it.update(request_url=DOOR + "/")), "is not the door"),
    "two hosts": (at(COMMAND, lambda it: it.update(url=DOOR.replace("cloud", "other"))), "one address"),
    "no address": (at(COMMAND, lambda it: it.pop("url")), "one address, in three places"),
    "address for options": (
        at("settings.interactivity", lambda it: it.update(message_menu_options_url=DOOR)),
        "one address, in three places",
    ),
    "misspelt scope": (at(BOT, lambda it: it.append("chat:wirte")), "scope chat:wirte is not needed or does not"),
    "public channels": (at(BOT, lambda it: it.append("chat:write.public")), "scope chat:write.public is not"),
    "scope missing": (at(BOT, lambda it: it.remove("users:read")), "no scope users:read"),
    "scope of an event": (at(BOT, lambda it: it.remove("im:history")), "event message.im needs im:history"),
    "scope twice": (at(BOT, lambda it: it.append("commands")), "a scope is there twice"),
    "user scopes": (at("oauth_config.scopes", lambda it: it.update(user=["users:read"])), "the bot's only"),
    "misspelt event": (
        at(SUBSCRIPTIONS, lambda it: it.update(bot_events=["app_mention", "mesage.im"])),
        "event mesage.im is not read or does not exist",
    ),
    "event missing": (at(SUBSCRIPTIONS, lambda it: it["bot_events"].remove("message.im")), "no event message.im"),
    "nobody fills Home": (
        at(SUBSCRIPTIONS, lambda it: it["bot_events"].remove("app_home_opened")),
        "no event app_home_opened",
    ),
    "no Home": (at("features.app_home", lambda it: it.update(home_tab_enabled=False)), "home_tab_enabled must be"),
    "no slash": (at(COMMAND, lambda it: it.update(command="cloudassist")), "a command is a slash"),
    "upper case": (at(COMMAND, lambda it: it.update(command="/CloudAssist")), "a command is a slash"),
    "plain names": (at(COMMAND, lambda it: it.pop("should_escape")), "should_escape must be true"),
    "no direct messages": (
        at("features.app_home", lambda it: it.pop("messages_tab_enabled")),
        "messages_tab_enabled must be True",
    ),
    "read-only": (
        at("features.app_home", lambda it: it.update(messages_tab_read_only_enabled=True)),
        "messages_tab_read_only_enabled must be False",
    ),
    "no buttons": (
        at("settings.interactivity", lambda it: it.update(is_enabled=False)),
        "is_enabled must be True",
    ),
    "socket mode": (at(SETTINGS, lambda it: it.update(socket_mode_enabled=True)), "socket_mode_enabled must be"),
    "rotation": (at(SETTINGS, lambda it: it.update(token_rotation_enabled=True)), "token_rotation_enabled must"),
    "whole organisation": (at(SETTINGS, lambda it: it.update(org_deploy_enabled=True)), "org_deploy_enabled must"),
}


@pytest.mark.parametrize(("mutate", "complaint"), MUTATIONS.values(), ids=MUTATIONS.keys())
def test_a_wrong_manifest_is_refused_for_what_it_is(mutate: Callable[[Any], None], complaint: str):
    manifest = copy.deepcopy(MANIFEST)
    mutate(manifest)
    found = problems(manifest)
    assert [problem for problem in found if complaint in problem], found


# Slack's schema, where it lies beside the project.


@pytest.fixture(scope="module")
def schema() -> Any:
    if not SCHEMA.exists():
        pytest.skip("no ../shared/reference/slack-manifest.schema.json: the manifest is checked by our own rules only")
    return json.loads(SCHEMA.read_text())


def test_slacks_schema_accepts_it(schema: Any):
    assert [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(MANIFEST)] == []


@pytest.mark.parametrize(
    "mutate",
    [
        at(COMMAND, lambda it: it.update(command="cloudassist")),
        at(COMMAND, lambda it: it.update(escape=True)),
        at("display_information", lambda it: it.update(name="x" * 36)),
    ],
    ids=["no slash", "unknown key", "long name"],
)
def test_and_would_not_accept_anything(schema: Any, mutate: Callable[[Any], None]):
    manifest = copy.deepcopy(MANIFEST)
    mutate(manifest)
    assert list(jsonschema.Draft7Validator(schema).iter_errors(manifest))
