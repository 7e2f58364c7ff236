"""Cloud Assistant on loopback: the read-only part of Alibaba Cloud's ECS API (RPC, version 2014-05-26), and what reads
a secret from KMS or OOS.

One server answers for all regions: RegionId says which. Requests may be GET or POST; the action stands in the
header `x-acs-action`, the parameters in the query or a form body. Signatures are checked in full, paging and
throttling work as documented, and runs move on with the clock. The caller's role may only read.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sandbox import cloud_secrets
from sandbox.clock import Clock
from sandbox.cloud_errors import ApiError, error_reply, forbidden, request_id, throttled
from sandbox.cloud_faults import Fault, Faults, Kind
from sandbox.cloud_keys import Keys, key_id
from sandbox.cloud_query import Query, read
from sandbox.cloud_regions import REGIONS
from sandbox.cloud_replies import ACTIONS as ECS
from sandbox.cloud_replies import VERSION, Action, View
from sandbox.cloud_sts import ASSUME_ROLE, Caller, Sts
from sandbox.cloud_sts import VERSION as STS_VERSION
from sandbox.cloud_timeline import Stage
from sandbox.http import Drop, Peer, Reply, Request
from sandbox.scenario_values import OWN_ACCOUNT, Command, Instance, Invocation, Scenario

KEY_ID, STS_KEY_ID = "LTAIsandbox00000000000001", "STS.Sandbox00000000000000001"
SECRETS = {KEY_ID: "sandbox-secret-of-the-access-key", STS_KEY_ID: "sandbox-secret-of-the-sts-key"}
TOKENS = {STS_KEY_ID: "CAIS-sandbox-security-token"}

ACTIONS = {**ECS, **cloud_secrets.ACTIONS}

_Named = TypeVar("_Named", Instance, Command)

_SHOWN_HEADERS = ("host", "user-agent", "x-acs-version", "x-acs-date", "x-acs-signature-nonce")
_WRITES = ("Run", "Invoke", "Stop", "Start", "Reboot", "Create", "Delete", "Modify", "Send", "Install", "Tag")


@dataclass
class Call:
    """One request as it came. `outcome`: "ok", the error's code, or the fault's kind; "" while at work.

    `headers` holds no secrets: a few harmless ones, and the access key id as `x-acs-accesskey-id`. `account` and
    `session` are the caller's, as ActionTrail has them.
    """

    action: str
    region: str
    params: dict[str, str]
    time: datetime
    headers: dict[str, str]
    method: str
    outcome: str = ""
    account: str = OWN_ACCOUNT
    session: str = ""


class Cloud(Peer):
    """The server; its scenarios start when it is made. `secrets` and `tokens` are for `keys`, see Keys.

    `may_list_instances = False` makes DescribeInstances answer as it does without the permission: an empty
    list. `kms` and `oos` hold secrets by name; bytes are a binary one. `sts` gives keys of `roles`, which are ARNs;
    each account has its own scenarios.

    `keys.skew` puts the server's clock wrong for signatures; `keys.expire(key_id)` ends an STS token,
    `keys.renew(key_id, secret, token)` gives the next one.
    """

    def __init__(
        self,
        scenarios: Iterable[Scenario],
        clock: Clock | None = None,
        secrets: Mapping[str, str] = SECRETS,
        tokens: Mapping[str, str] = TOKENS,
        regions: Iterable[str] = tuple(REGIONS),
        port: int = 0,
        roles: Iterable[str] = (),
    ) -> None:
        self._scenarios = tuple(scenarios)
        _refuse_twins(self._scenarios)
        super().__init__(port)
        self.clock = clock or Clock()
        self.keys = Keys(secrets, tokens)
        self.sts = Sts(self.keys, roles)
        self.may_list_instances = True
        self.kms, self.oos = dict[str, str | bytes](), dict[str, str]()
        self._starts = {one.name: self._second() for one in self._scenarios}
        self._regions = list(dict.fromkeys([*regions, *(r for one in self._scenarios for r in one.regions)]))
        self._faults, self._calls = Faults(), list[Call]()
        self._limits: dict[tuple[str | None, str | None], int] = {}
        self._spent: dict[tuple[str, str, str, datetime], int] = {}
        self._lock = threading.Lock()

    def replay(self, name: str) -> None:
        """Let one scenario start again now."""
        if name not in self._starts:
            raise ValueError(f"no such scenario: {name}")
        self._starts[name] = self._second()

    def fail(
        self,
        kind: Kind,
        *,
        action: str | None = None,
        region: str | None = None,
        times: float = 1,
        skip: int = 0,
        seconds: float = 0.0,
        location: str = "",
        status: int = 302,
        headers: Mapping[str, str] | None = None,
        account: str | None = None,
    ) -> None:
        """Queue a fault for the next `times` calls (`math.inf`: for good) after `skip` good ones.

        Queued faults are used in order. The signature is checked before any of them. `seconds` is for
        "slow", `location` and `status` for "redirect", `headers` are added to the spoiled reply.
        """
        extra = dict(headers or {})
        self._faults.add(Fault(kind, action, region, times, skip, seconds, location, status, extra, account))

    def mend(self) -> None:
        """Forget all queued faults."""
        self._faults.clear()

    def limit(self, calls: int | None, *, action: str | None = None, region: str | None = None) -> None:
        """Allow so many calls a minute for each API and region; the closest setting counts, None lifts it.

        Over it, that API is refused in that region until the clock's next minute. Accounts are counted apart.
        """
        with self._lock:
            self._limits.pop((action, region), None)
            if calls is not None:
                self._limits[action, region] = calls

    @property
    def calls(self) -> list[Call]:
        with self._lock:
            return list(self._calls)

    def count(self, action: str | None = None, region: str | None = None) -> int:
        return sum(action in (None, call.action) and region in (None, call.region) for call in self.calls)

    def clear(self) -> None:
        """Forget the calls so far."""
        with self._lock:
            self._calls.clear()

    def handle(self, request: Request) -> Reply:
        query = read(request)
        call = self._noted(request, query)
        try:
            self.keys.check(request)
            caller = self.sts.caller(key_id(request))
            call.account, call.session = caller.account, caller.session
            reply, call.outcome = self._spoiled_or_right(request, query, caller)
        except ApiError as error:
            call.outcome = error.code
            return error_reply(error)
        if reply is None:
            raise Drop
        return reply

    def _spoiled_or_right(self, request: Request, query: Query, caller: Caller) -> tuple[Reply | None, str]:
        fault = self._faults.take(query.action, query.region, caller.account)
        if fault is None:
            return self._reply(request, query, caller), "ok"
        return fault.spoil(query.action, lambda: self._reply(request, query, caller)), fault.kind

    def _reply(self, request: Request, query: Query, caller: Caller) -> Reply:
        number = request_id()
        answer = self._assume_role if query.action == ASSUME_ROLE else self._told
        return _json({"RequestId": number, **answer(request, query, caller)}, number)

    def _assume_role(self, request: Request, query: Query, caller: Caller) -> Mapping[str, Any]:
        _check_version(request, STS_VERSION)
        self._spend(query, caller)
        return self.sts.assume_role(query, caller)

    def _told(self, request: Request, query: Query, caller: Caller) -> Mapping[str, Any]:
        _check_version(request, ACTIONS[query.action].version if query.action in ACTIONS else VERSION)
        action = _known_action(query.action)
        if action.needs_region:
            self._check_region(query.region)
        self._spend(query, caller)
        query.only(action.parameters)
        return action.answer(self._view(query.region, caller.account), query)

    def _check_region(self, region: str) -> None:
        if not region:
            raise ApiError("MissingParameter", 'The input parameter "RegionId" is mandatory and not supplied.')
        if region not in self._regions:
            raise ApiError("InvalidRegionId.NotFound", "The specified RegionId does not exist.", 404)

    def _spend(self, query: Query, caller: Caller) -> None:
        action, region = query.action, query.region
        minute = self.clock.now().replace(second=0, microsecond=0)
        with self._lock:
            settings = ((action, region), (action, None), (None, region), (None, None))
            allowed = next((self._limits[one] for one in settings if one in self._limits), None)
            spent = self._spent.get((caller.account, action, region, minute), 0)
            if allowed is not None and spent >= allowed:
                raise throttled(action)
            self._spent[caller.account, action, region, minute] = spent + 1

    def runs(self) -> list[tuple[Invocation, Stage]]:
        """Every run of every account and region, at this moment."""
        return [(run, stage) for one, stage in self._stages() for run in one.invocations]

    def account_of(self, run: Invocation) -> str:
        return next(one.account for one in self._scenarios if any(run is each for each in one.invocations))

    def _stages(self) -> list[tuple[Scenario, Stage]]:
        now = self.clock.now()
        return [(one, Stage(self._starts[one.name], now)) for one in self._scenarios]

    def _view(self, region: str, account: str) -> View:
        stages = [(one, stage) for one, stage in self._stages() if one.account == account]
        runs = [(run, stage) for one, stage in stages for run in one.invocations if run.region == region]
        commands = [(each, stage) for one, stage in stages for each in one.commands if each.region == region]
        instances = [(each, stage) for one, stage in stages for each in one.instances if each.region == region]
        return View(
            region,
            sorted(runs, key=_age, reverse=True),
            _first_of_each(instances),
            sorted(_first_of_each(commands), key=_age, reverse=True),
            self.may_list_instances,
            self._regions,
            self.kms,
            self.oos,
        )

    def _noted(self, request: Request, query: Query) -> Call:
        headers = {name: request.headers[name] for name in _SHOWN_HEADERS if name in request.headers}
        headers["x-acs-accesskey-id"] = key_id(request)
        call = Call(query.action, query.region, dict(query.params), self.clock.now(), headers, request.method)
        with self._lock:
            self._calls.append(call)
        return call

    def _second(self) -> datetime:
        return self.clock.now().replace(microsecond=0)


def _age(pair: tuple[Invocation | Command, Stage]) -> datetime:
    return pair[1].at(pair[0].created)


def _first_of_each(pairs: Iterable[tuple[_Named, Stage]]) -> list[tuple[_Named, Stage]]:
    """Scenarios may share instances and commands; the first one to name an id describes it."""
    found: dict[str, tuple[_Named, Stage]] = {}
    for one, stage in pairs:
        found.setdefault(one.id, (one, stage))
    return list(found.values())


def _refuse_twins(scenarios: Iterable[Scenario]) -> None:
    """An id belongs to one run of one scenario, or a test would read the wrong one."""
    seen: dict[str, str] = {}
    for scenario in scenarios:
        for run in scenario.invocations:
            if run.id in seen:
                raise ValueError(f"{run.id} is in scenario {seen[run.id]} and in {scenario.name}")
            seen[run.id] = scenario.name


def _check_version(request: Request, version: str) -> None:
    if request.method not in ("GET", "POST"):
        raise ApiError("UnsupportedHTTPMethod", "This http method is not supported.")
    if request.headers.get("x-acs-version") != version:
        raise ApiError("InvalidVersion", "Specified parameter Version is not valid.")


def _known_action(name: str) -> Action:
    if name in ACTIONS:
        return ACTIONS[name]
    if name.startswith(_WRITES):
        raise forbidden(name)
    message = "Specified api is not found, please check your url and method."
    raise ApiError("InvalidAction.NotFound", message, 404)


def _json(body: Mapping[str, Any], number: str) -> Reply:
    """As text with the outputs' own bytes in it: in PlainText replies they need not be UTF-8."""
    content = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogateescape")
    return Reply(200, content, {"content-type": "application/json;charset=utf-8", "x-acs-request-id": number})
