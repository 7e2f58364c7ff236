"""The Slack app's manifest, made from deploy/slack-app.yml: with the real address or none, without features nobody
wants.

It is worked on as text, so that what is pasted still says beside each scope why it is there, and because the function
carries no YAML. The source marks what a feature alone needs: a line whose comment begins with `[files]`, `[groups]`
or `[home]` is left out together with that feature.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

PATH = "/slack/events"
_PLACEHOLDER = "https://cloudassist.example" + PATH
_SCOPE = re.compile(r"^ +- (?P<scope>[a-z_]+(?::[a-z]+)*) # (?:\[(?P<feature>[a-z]+)\] )?(?P<why>.+)$", re.MULTILINE)
_ADDRESS = re.compile(rf"^ +(?:request_)?url: {re.escape(_PLACEHOLDER)}\n", re.MULTILINE)
_SOCKET_MODE = re.compile(r"socket_mode_enabled: false # .*")
_MARK = re.compile(r" # \[([a-z]+)\] ")


@dataclass(frozen=True, slots=True)
class Scope:
    """`feature` is empty where the app is of no use without the scope."""

    name: str
    why: str
    feature: str


def features(source: str) -> tuple[str, ...]:
    """What can be left out."""
    return tuple(sorted(set(_MARK.findall(source))))


def scopes(source: str) -> list[Scope]:
    within = source.partition("\noauth_config:")[2].partition("\nsettings:")[0]
    return [Scope(found["scope"], found["why"], found["feature"] or "") for found in _SCOPE.finditer(within)]


def manifest(source: str, url: str | None, without: Collection[str] = ()) -> str:
    """The manifest to paste. `url` is the HTTP trigger's, with or without the door's path; None: Socket Mode.

    Raises ValueError, with a sentence for the person, for another kind of address or an unknown feature.
    """
    unknown = sorted(set(without) - set(features(source)))
    if unknown:
        raise ValueError(f"There is no feature {unknown[0]} to leave out; there are {', '.join(features(source))}.")
    body = source.partition("\n_metadata:")[2]  # what stands above it tells how to use the source
    lines = [line for line in f"_metadata:{body}".splitlines() if not _belongs_to(line, without)]
    text = "".join(_MARK.sub(" # ", line) + "\n" for line in lines)
    return _by_socket(text) if url is None else text.replace(_PLACEHOLDER, _door(url))


def _by_socket(text: str) -> str:
    """Everything comes over a web socket that the bot opens, so there are no addresses."""
    return _SOCKET_MODE.sub("socket_mode_enabled: true # from a laptop, without an address", _ADDRESS.sub("", text))


def _belongs_to(line: str, without: Collection[str]) -> bool:
    found = _MARK.search(line)
    return found is not None and found[1] in without


def _door(url: str) -> str:
    found = re.fullmatch(rf"(https://[A-Za-z0-9.-]+(?::[0-9]+)?)(?:/|{PATH})?", url)
    if found is None:
        raise ValueError(
            f"{url} is no address that Slack takes; right would be https://….fcapp.run, as deploying prints."
        )
    return found[1] + PATH
