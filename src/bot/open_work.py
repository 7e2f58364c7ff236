"""Open work in the store: who is on which run, and which watches go on. The messages say it; this is for lists of it.

This is a memory beside the work itself: where it cannot be written that is logged, and nothing stops for it.
Reading raises StoreError. Without a shared store (BOT_STORE) it is what this function instance knows.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import asdict

from bot.adapters.slack import Slack
from bot.adapters.store import Store, StoreError
from bot.core.errors import SlackError
from bot.core.open_work import OnIt, Watched

log = logging.getLogger("bot.open_work")

KEPT = 7 * 86_400.0  # seconds for which somebody is on a run without saying so again


def take(store: Store, team_id: str, invocation_ids: Iterable[str], who: OnIt) -> None:
    """That a person is on these runs; the last one to say so is."""
    for one in invocation_ids:
        _put(store, _on_it(team_id, one), who, who.since + KEPT)


def let_go(store: Store, team_id: str, invocation_ids: Iterable[str], user_id: str, now: float) -> None:
    """That a person is on these runs no more; whoever else is on one of them by now stays so."""
    try:
        for one, taken in who(store, team_id, invocation_ids, now).items():
            if taken.user_id == user_id:
                store.delete(_on_it(team_id, one))
    except StoreError as error:
        log.warning("not let go: %s", error)


def who(store: Store, team_id: str, invocation_ids: Iterable[str], now: float) -> dict[str, OnIt]:
    """Who is on which of these runs, by invocation id; runs that nobody is on are left out."""
    records = ((one, store.get(_on_it(team_id, one), now)) for one in invocation_ids)
    return {one: OnIt(**record.value) for one, record in records if record}


def taken_in(store: Store, team_id: str, channel_id: str, now: float) -> dict[str, OnIt]:
    """Who is on which run, where they said so in this channel."""
    prefix = _on_it(team_id, "")
    records = {one.key.removeprefix(prefix): OnIt(**one.value) for one in store.list(prefix, now)}
    return {run: one for run, one in records.items() if one.channel_id == channel_id}


def watching(store: Store, place: tuple[str, str, str, str], watched: Watched, until: float) -> None:
    """That a watch goes on. `place` is team, user, channel and ts; `until` when it can last no longer."""
    _put(store, _watch(place), watched, until)


def watched_no_more(store: Store, place: tuple[str, str, str, str]) -> None:
    try:
        store.delete(_watch(place))
    except StoreError as error:
        log.warning("watch not forgotten: %s", error)


def watches(store: Store, team_id: str, user_id: str, now: float) -> list[Watched]:
    """The live watches of one person, the newest first."""
    records = store.list(f"watch/{team_id}/{user_id}/", now)
    return sorted((Watched(**one.value) for one in records), key=lambda one: one.began, reverse=True)


def link_to(slack: Slack, channel_id: str, ts: str) -> str:
    """The address that opens a message, asked for once and kept; "" where Slack gives none.

    chat.getPermalink needs no scope, and knows the workspace's domain and the thread, which nobody can make up.
    """
    try:
        return slack.permalink(channel_id, ts)
    except SlackError as error:
        log.info("no link: %s", error.code)
        return ""


def _on_it(team_id: str, invocation_id: str) -> str:
    return f"on-it/{team_id}/{invocation_id}"


def _watch(place: tuple[str, str, str, str]) -> str:
    return "/".join(("watch", *place))


def _put(store: Store, key: str, value: OnIt | Watched, expires: float) -> None:
    try:
        store.put(key, asdict(value), expires)
    except StoreError as error:
        log.warning("not remembered: %s: %s", key, error)
