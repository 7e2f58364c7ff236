"""deploy/slack-app.yml: Slack's schema takes misspelt scopes and plain http, so we look ourselves."""

import ast
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

from bot.commands import manifest_source, run
from bot.core import slack_app
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
    "usergroups:read",
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
    assert re.search(rf"^ +- {re.escape(name)} # (?:\[\w+\] )?\w.{{9,}}$", SOURCE, re.MULTILINE)


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


# What is printed to be pasted.

URL = "https://bot-abc.cn-hangzhou.fcapp.run"


def printed(capsys: pytest.CaptureFixture[str], *options: str) -> Any:
    assert run(["manifest", "--url", URL, *options], {}) == 0
    return yaml.safe_load(capsys.readouterr().out)


def test_the_source_is_found_where_it_lies():
    assert manifest_source() == SOURCE


@pytest.mark.parametrize("given", [URL, f"{URL}/", f"{URL}/slack/events"])
def test_the_manifest_differs_from_its_source_in_the_address_alone(capsys: pytest.CaptureFixture[str], given: str):
    assert run(["manifest", "--url", given], {}) == 0
    text = capsys.readouterr().out
    assert yaml.safe_load(text.replace(URL, "https://cloudassist.example")) == MANIFEST
    assert problems(yaml.safe_load(text)) == []
    for scope in MANIFEST["oauth_config"]["scopes"]["bot"]:
        assert re.search(rf"^ +- {re.escape(scope)} # [^\[].{{9,}}$", text, re.MULTILINE)


@pytest.mark.parametrize(
    "given", ["http://bot.example", "bot.example", "https://bot.example/invoke", "https://a.example\nx: y", "https://"]
)
def test_an_address_that_slack_would_not_take_is_refused(given: str):
    assert "is no address that Slack takes" in str(run(["manifest", "--url", given], {}))


def test_without_files_nothing_is_uploaded(capsys: pytest.CaptureFixture[str]):
    assert problems(printed(capsys, "--without", "files")) == ["no scope files:write"]


def test_without_groups_nobody_is_asked_who_is_in_one(capsys: pytest.CaptureFixture[str]):
    assert problems(printed(capsys, "--without", "groups")) == ["no scope usergroups:read"]


def test_without_home_there_is_no_tab_and_no_event_of_it(capsys: pytest.CaptureFixture[str]):
    without = printed(capsys, "--without=home")
    assert problems(without) == ["no event app_home_opened", "home_tab_enabled must be True"]
    assert "home_tab_enabled" not in without["features"]["app_home"]


def test_without_both_the_scopes_are_those_that_the_bot_is_of_no_use_without(capsys: pytest.CaptureFixture[str]):
    needed = "commands chat:write app_mentions:read im:history users:read channels:read groups:read"
    assert printed(capsys, "--without", "files, groups, home")["oauth_config"]["scopes"]["bot"] == needed.split()


def test_for_socket_mode_it_has_no_address_and_else_nothing_is_changed(capsys: pytest.CaptureFixture[str]):
    assert run(["manifest", "--socket"], {}) == 0
    text = capsys.readouterr().out
    without_addresses = yaml.safe_load(text)
    assert problems(without_addresses) == ["one address, in three places", "socket_mode_enabled must be False"]
    assert list(addresses(without_addresses)) == []
    left_out = [line for line in SOURCE.splitlines() if "url:" in line]
    assert len(left_out) == 3
    assert len(text.splitlines()) == len(SOURCE[SOURCE.index("_metadata") :].splitlines()) - len(left_out)


def test_for_socket_mode_too_features_can_be_left_out(capsys: pytest.CaptureFixture[str]):
    assert run(["manifest", "--socket", "--without", "home,files"], {}) == 0
    text = capsys.readouterr().out
    assert "app_home_opened" not in text
    assert "files:write" not in text


def test_what_cannot_be_left_out_is_answered_with_what_can():
    assert run(["manifest", "--url", URL, "--without", "commands"], {}) == (
        "There is no feature commands to leave out; there are files, groups, home."
    )


def test_the_scopes_that_are_read_from_the_source_are_those_of_the_manifest():
    scopes = slack_app.scopes(SOURCE)
    assert [scope.name for scope in scopes] == MANIFEST["oauth_config"]["scopes"]["bot"]
    assert {scope.name for scope in scopes if scope.feature} == {"files:write", "usergroups:read"}
    assert all(len(scope.why) > 9 for scope in scopes)


# What the code does and what the app asks for are the same.

# The Web API methods of the bot, and what Slack's page on each asks for.
METHODS = {
    "apps.connections.open": set(),  # connections:write of the app-level token, in doctor
    "auth.test": set(),
    "chat.delete": {"chat:write"},
    "chat.getPermalink": set(),
    "chat.postEphemeral": {"chat:write"},
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "conversations.info": {"channels:read", "groups:read"},  # of direct messages the bot asks nothing
    "files.completeUploadExternal": {"files:write"},
    "files.delete": {"files:write"},
    "files.getUploadURLExternal": {"files:write"},
    "usergroups.users.list": {"usergroups:read"},
    "users.info": {"users:read"},
    "views.open": set(),
    "views.publish": set(),
    "views.update": set(),
}
# What Bolt's listeners are registered for, and the manifest's entry and scope for it.
LISTENERS = {
    "command": ("commands", ""),
    "shortcut": ("commands", ""),
    "action": ("", ""),  # by interactivity's address
    "event app_mention": ("app_mentions:read", "app_mention"),
    "event message": ("im:history", "message.im"),
    "event app_home_opened": ("", "app_home_opened"),
}
_METHOD = r"(?:apps|auth|bookmarks|chat|conversations|files|pins|reactions|usergroups|users|views)(?:\.[a-zA-Z]+)+"


def constants(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def registered() -> Iterator[str]:
    for node in ast.walk(ast.parse((TOP / "src" / "bot" / "listeners.py").read_text())):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and ast.unparse(node.func.value) == "app"
        ):
            kind = node.func.attr
            yield f"event {node.args[0].value}" if kind == "event" else kind


def test_every_web_api_method_that_the_bot_calls_has_its_scope_and_the_reverse():
    found = {text for path in (TOP / "src" / "bot").rglob("*.py") for text in constants(path)}
    # A method stands alone in a text, or as the path of an address.
    called = {text.removeprefix("/api/") for text in found if re.fullmatch(rf"(?:/api/)?{_METHOD}", text)}
    assert called == set(METHODS)
    events = {scope for scope, _ in LISTENERS.values() if scope}
    assert set.union(*METHODS.values()) | events == set(MANIFEST["oauth_config"]["scopes"]["bot"])


def test_every_listener_has_its_entry_in_the_manifest_and_the_reverse():
    assert set(registered()) - {"error"} == set(LISTENERS)
    subscribed = MANIFEST["settings"]["event_subscriptions"]["bot_events"]
    assert {event for _, event in LISTENERS.values() if event} == set(subscribed)
    assert MANIFEST["features"]["slash_commands"]
    assert MANIFEST["features"]["shortcuts"]


# Slack's schema, where it lies beside the project.


@pytest.fixture(scope="module")
def schema() -> Any:
    if not SCHEMA.exists():
        pytest.skip("no ../shared/reference/slack-manifest.schema.json: the manifest is checked by our own rules only")
    return json.loads(SCHEMA.read_text())


def test_slacks_schema_accepts_it(schema: Any):
    assert [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(MANIFEST)] == []


@pytest.mark.parametrize("url", [URL, None])
@pytest.mark.parametrize("without", [[], ["files"], ["home"], ["files", "home"]])
def test_and_what_is_printed_of_it(schema: Any, without: list[str], url: str | None):
    manifest = yaml.safe_load(slack_app.manifest(SOURCE, url, without))
    assert [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(manifest)] == []


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
