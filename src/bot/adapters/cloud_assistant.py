"""Cloud Assistant and its neighbours in the ECS API, through the official Tea OpenAPI client.

API 2014-05-26, RPC, POST. Pages are walked by MaxResults and NextToken (page numbers are announced for removal);
outputs come as Base64. How a call is made is in `openapi`. What is called a region here is a place (see `core.places`),
which says with whose keys is asked.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bot.adapters import openapi
from bot.adapters.calls import Calls
from bot.adapters.roles import Roles
from bot.adapters.shared_replies import SharedReplies
from bot.adapters.store import Store, StoreError
from bot.core import places
from bot.core.errors import OUT_OF_TIME, CloudError, Denied, Throttled, Unavailable
from bot.core.manners import LONGEST_ROOM, Priority, wait_after
from bot.core.model import (
    AgentStatus,
    Command,
    Instance,
    Invocation,
    InvocationResult,
    agent_from,
    command_from,
    instance_from,
    invocation_from,
    result_from,
    rows_of,
    text_of,
)
from bot.core.places import Account
from bot.settings import Clock, Credentials, Settings

log = logging.getLogger("bot.cloud")

VERSION = "2014-05-26"
PAGE = 50
MOST_IDS = 100  # instance ids in one DescribeInstances
TRIES = 4
_ENDED = ("InvalidSecurityToken", "InvalidAccessKeyId")  # codes of a role's keys that have ended before their time
# The pages are silent on what an unknown id gets: an empty list, or the 404 that their neighbours give.
_NOWHERE = frozenset(f"Invalid{one}.NotFound" for one in ("InvokeId", "Instance", "InstanceId", "CmdId"))
SHORT_WAIT = 5.0  # seconds for which a throttled call is held back here; longer is the queue's business

Filters = openapi.Query


class CloudAssistant:
    """All calls raise CloudError: Throttled, Denied or Unavailable. `deadline` is on the given clock.

    `priority` says for whom it is: all but people leave a throttled API and region alone for longer. `shared` holds
    replies of the last seconds, `fresh` says to ask all the same. `oldest` is when the oldest of those came that were
    used. `roles` keeps the keys of other accounts; `asked_by` is the Slack id of the person, "" where nobody asked.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        store: Store,
        *,
        deadline: float,
        clock: Clock = time.time,
        sleep: Callable[[float], None] = time.sleep,
        priority: Priority = Priority.PEOPLE,
        shared: SharedReplies | None = None,
        fresh: bool = False,
        calls: Calls | None = None,
        roles: Roles | None = None,
        asked_by: str = "",
    ) -> None:
        self._calls = calls or Calls()
        self._roles, self._asked_by = roles or Roles(settings, clock), asked_by
        self._settings, self._credentials, self._store = settings, credentials, store
        self._deadline, self._clock, self._sleep = deadline, clock, sleep
        self._priority, self._shared, self._fresh = priority, shared, fresh
        self.oldest = float("inf")

    def invocations(self, region: str, filters: Filters, most: int) -> list[Invocation]:
        """DescribeInvocations, newest first."""
        rows = self._rows("DescribeInvocations", region, filters, ("Invocations", "Invocation"), most)
        return [invocation_from(row, region) for row in rows]

    def invocations_since(
        self, region: str, filters: Filters, since: float, most: int
    ) -> tuple[list[Invocation], bool]:
        """Those created since a moment (seconds, epoch), newest first; and whether `most` rows were too few."""
        found: list[Invocation] = []
        for row in self._rows("DescribeInvocations", region, filters, ("Invocations", "Invocation"), most):
            one = invocation_from(row, region)
            if one.created and one.created.timestamp() < since:
                return found, False
            found.append(one)
        return found, len(found) == most

    def invocation_results(self, region: str, filters: Filters, most: int) -> list[InvocationResult]:
        """DescribeInvocationResults: one row for each instance, with its output."""
        path = ("Invocation", "InvocationResults", "InvocationResult")
        return [
            result_from(row, region) for row in self._rows("DescribeInvocationResults", region, filters, path, most)
        ]

    def commands(self, region: str, filters: Filters, most: int) -> list[Command]:
        rows = self._rows("DescribeCommands", region, filters, ("Commands", "Command"), most)
        return [command_from(row, region) for row in rows]

    def instances(self, region: str, filters: Filters, most: int) -> list[Instance]:
        """DescribeInstances by name, address or tag. Without the right to it the list is empty, not an error."""
        rows = self._rows("DescribeInstances", region, filters, ("Instances", "Instance"), most)
        return [instance_from(row, region) for row in rows]

    def instances_by_id(self, region: str, ids: Sequence[str]) -> list[Instance]:
        """DescribeInstances, 100 ids a call; managed instances (mi-…) are not known to it."""
        found: list[Instance] = []
        known = sorted({one for one in ids if one.startswith("i-")})
        for at in range(0, len(known), MOST_IDS):
            some = known[at : at + MOST_IDS]
            found += self.instances(region, {"InstanceIds": json.dumps(some)}, most=MOST_IDS)
        return found

    def agents(self, region: str, ids: Sequence[str]) -> list[AgentStatus]:
        """DescribeCloudAssistantStatus of at most 100 instances."""
        path = ("InstanceCloudAssistantStatusSet", "InstanceCloudAssistantStatus")
        some = list(ids[:MOST_IDS])
        rows = self._rows("DescribeCloudAssistantStatus", region, {"InstanceId": some}, path, len(some))
        return [agent_from(row) for row in rows]

    def regions(self) -> list[str]:
        """DescribeRegions, asked in the default region."""
        reply = self._call("DescribeRegions", self._settings.regions[0], {})
        return [text_of(row.get("RegionId")) for row in rows_of(reply, "Regions", "Region") if row.get("RegionId")]

    def try_out(self, action: str, region: str, query: Filters) -> None:
        """Any action, to see whether it is allowed; what it answers is not read."""
        self._call(action, region, query)

    def _rows(
        self, action: str, region: str, filters: Filters, path: tuple[str, ...], most: int
    ) -> Iterator[Mapping[str, Any]]:
        """Rows of all pages, at most so many. Ends when NextToken is empty, absent, or the one just used."""
        token, count = "", 0
        page = min(MOST_IDS if action == "DescribeInstances" else PAGE, most)
        while count < most:
            paging = {"MaxResults": page, **({"NextToken": token} if token else {})}
            try:
                reply = self._reply(action, region, {**filters, **paging})
            except Denied as error:
                if error.code not in _NOWHERE:
                    raise
                return
            rows = rows_of(reply, *path)
            yield from rows[: most - count]
            count += len(rows)
            previous, token = token, _next_token(reply)
            if not token or token == previous:
                return

    def _reply(self, action: str, region: str, query: Filters) -> dict[str, Any]:
        """The reply of one call, or the same call's of a few seconds ago."""
        if self._shared is None:
            return self._call(action, region, query)
        question = json.dumps(query, sort_keys=True, default=str)
        key = (self._credentials.access_key_id, self._settings.endpoint(region), region, action, question)
        kept = None if self._fresh else self._shared.get(key, self._clock())
        if kept is not None:
            self.oldest = min(self.oldest, kept[0])
            return kept[1]
        asked = self._clock()
        reply = self._call(action, region, query)
        self._shared.put(key, reply, asked)
        return reply

    def _call(self, action: str, region: str, query: Filters) -> dict[str, Any]:
        """One call with our own retries; a throttled API and region is left alone until the next minute."""
        error: CloudError = Unavailable(action, region, OUT_OF_TIME)
        for attempt in range(TRIES):
            self._respect_throttle(action, region)
            try:
                return self._try(action, region, query)
            except Throttled as throttled:
                self._mark_throttle(throttled)
                if throttled.wait > SHORT_WAIT or self._priority is not Priority.PEOPLE:
                    raise
                error, wait = throttled, throttled.wait
            except Unavailable as unavailable:
                error, wait = unavailable, 0.25 * 2**attempt * random.uniform(0.75, 1.25)  # noqa: S311 (jitter)
            log.warning("%s in %s: %s", error.action, region, error.code or "no answer")
            if attempt + 1 == TRIES or self._clock() + wait >= self._deadline:
                break
            self._sleep(wait)
        if not error.code and self._clock() >= self._deadline:
            raise Unavailable(action, region, OUT_OF_TIME) from error
        raise error

    def _respect_throttle(self, action: str, region: str) -> None:
        """Waits out a throttle that is nearly over; raises Throttled for a longer one, and calls nobody.

        What is not for people does not wait here: its job comes again when there is room.
        """
        try:
            record = self._store.get(_throttle_key(action, region), self._clock())
        except StoreError:
            return
        if record is None:
            return
        wait = wait_after(record.value["until"], self._priority, self._clock())
        if not wait:
            return
        if wait > SHORT_WAIT or self._priority is not Priority.PEOPLE or self._clock() + wait >= self._deadline:
            raise Throttled(action, region, wait)
        self._sleep(wait)

    def _mark_throttle(self, error: Throttled) -> None:
        until = self._clock() + error.wait
        try:
            # The mark outlives the throttle, for those who leave room to others.
            self._store.put(_throttle_key(error.action, error.region), {"until": until}, expires=until + LONGEST_ROOM)
        except StoreError:
            log.warning("throttle mark not kept")

    def _try(self, action: str, region: str, query: Filters) -> dict[str, Any]:
        """The body of one reply, asked for with the keys of the place's account."""
        account = self._settings.accounts.get(places.account_of(region))
        if account is None:
            raise Denied(action, region, "NoSuchAccount")
        keys = self._keys(account, region)
        query = {"RegionId": places.region_of(region), **query}
        call = openapi.Call(self._settings.endpoint(region), VERSION, action, region, query)
        left = self._deadline - self._clock()
        try:
            return openapi.ask(call, keys, left, self._until_next_minute(), self._calls)
        except Denied as error:
            if not (account.role and error.code.startswith(_ENDED)):
                raise
            self._roles.forget(account, self._asked_by)  # so that the next try takes the role on anew
            raise Unavailable(action, region, error.code, error.request_id) from None

    def _keys(self, account: Account, region: str) -> Credentials:
        """Our own, or those of the account's role. Raises CloudError."""
        if not account.role:
            return self._credentials
        left = self._deadline - self._clock()
        return self._roles.keys(account, region, self._asked_by, self._credentials, left, self._calls)

    def _until_next_minute(self) -> float:
        """The API refuses until the next minute; spread a little, so that waiting jobs do not come all at once."""
        return 60 - self._clock() % 60 + random.uniform(0.2, 2.0)  # noqa: S311 (jitter, not a secret)


def _next_token(reply: Mapping[str, Any]) -> str:
    """At the top level, but for DescribeInvocationResults, which has it within Invocation."""
    inner = reply.get("Invocation")
    return text_of(reply.get("NextToken")) or text_of(inner.get("NextToken") if isinstance(inner, Mapping) else "")


THROTTLES = "throttle/"  # rows of the store: throttle/{action}/{region}


def _throttle_key(action: str, region: str) -> str:
    return f"{THROTTLES}{action}/{region}"
