"""`python -m bot doctor`: every right and connection the bot needs, tried one by one, with the fix beside what fails.

Nothing is changed but one row of the bot's own store, which is taken away again. With `prove_read_only` a write to the
cloud is asked for, of a run that does not exist, to see it refused. Every call has a time limit, and none is repeated
for long. Neither tokens nor what Slack and the cloud answered is printed, only codes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bot.adapters.calls import Calls
from bot.adapters.cloud_assistant import CloudAssistant
from bot.adapters.kept_secret import UNUSABLE, KeptSecret, bot_token
from bot.adapters.queue import FunctionComputeQueue, QueueRefused
from bot.adapters.roles import Roles
from bot.adapters.slack import Slack
from bot.adapters.store import Store, StoreError, open_store
from bot.commands import manifest_source
from bot.core import places, slack_app
from bot.core.errors import CloudError, Denied, RoleRefused, SlackError, Throttled
from bot.settings import Clock, Reference, Settings, SettingsError

SECONDS = 25.0  # for all calls of one check, retries included
MOST_SKEW = 150.0  # seconds
_AT_ONCE = 8
_MADE_UP: dict[str, dict[str, object]] = {
    "DescribeInvocationResults": {"InvokeId": "t-doctor00000000000"},
    "DescribeInvocations": {"InvokeId": "t-doctor00000000000"},
    "DescribeCommands": {"CommandId": "c-doctor00000000000"},
    "DescribeCloudAssistantStatus": {"InstanceId": ["i-doctor00000000000"]},
    # Without the right the answer is an empty list, unless it is a dry run, which fails in either case.
    "DescribeInstances": {"InstanceIds": '["i-doctor00000000000"]', "DryRun": "true"},
}
"""What the role must allow, with an id that nobody has: the action is allowed or refused, and nothing is read."""

_CLOCK = ("InvalidTimeStamp.Expired", "RequestTimeTooSkewed")
_RIGHT = "Allow it to the function's role: deploy/ram-policy.json has all that is needed."
_RIGHT_THERE = "Allow it to the role of the account {account}: deploy/ros-reader.yml has all that is needed."
_FIX_ROLE = (
    "Allow sts:AssumeRole on it to the function's role (deploy/ros.yml), and name that in the role's trust policy "
    "(deploy/ros-reader.yml)."
)
_FIX_CLOCK = (
    "Set this machine's clock: 5 minutes off no request of Slack's is believed, 15 minutes off the cloud refuses."
)
_FIX_KEYS = "Give the function the role of template.yml; elsewhere set ALIBABA_CLOUD_ACCESS_KEY_ID and …_SECRET anew."
_FIX_NETWORK = "Does this network reach it? A proxy or ECS_ENDPOINT may be wrong; else try again in a minute."
_FIX_NETWORK_SLACK = _FIX_NETWORK.replace("ECS_ENDPOINT", "SLACK_API_URL")
_FIX_SCOPE = "Paste the manifest anew (python -m bot manifest --url …) and install the app again."
_FIX_SOCKET = (
    "Switch Socket Mode on and make an app-level token with the scope connections:write (the app's page, Socket Mode; "
    "Basic Information, App-Level Tokens), or unset SLACK_APP_TOKEN."
)
_FIX_TOKEN = "Copy the bot token {where}, from the Slack app's page, Install App."  # noqa: S105 (a sentence)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `fix` is empty where nothing is to be done; what is only `noted` fails nothing."""

    what: str
    said: str
    fix: str = ""
    noted: bool = False

    @property
    def bad(self) -> bool:
        return bool(self.fix) and not self.noted

    def __str__(self) -> str:
        mark = "✖" if self.bad else "·" if self.noted else "✔"
        return f"{mark} {self.what}: {self.said}" + (f"\n    {self.fix}" if self.fix else "")


def examine(environment: Mapping[str, str], *, prove_read_only: bool = False, clock: Clock = time.time) -> int:
    """Prints as it goes; 1 where something is missing."""
    bad = count = 0
    for finding in _findings(environment, clock, prove_read_only=prove_read_only):
        print(finding, flush=True)  # noqa: T201
        bad, count = bad + finding.bad, count + 1
    print(f"{bad} of {count} to be mended." if bad else f"All {count} fine.")  # noqa: T201
    return 1 if bad else 0


def _findings(environment: Mapping[str, str], clock: Clock, *, prove_read_only: bool) -> Iterator[Finding]:
    given = dict(environment)
    if given.get("SLACK_APP_TOKEN"):  # over a socket nothing is signed
        given["SLACK_SIGNING_SECRET"] = given.get("SLACK_SIGNING_SECRET") or "unused"
    try:
        settings = Settings.from_environment(given)
    except SettingsError as error:
        yield from (Finding("settings", "wrong", problem) for problem in error.problems)
        return
    yield Finding("settings", f"read; regions {', '.join(settings.regions)}")
    yield from _slack(settings, clock)
    store = open_store(settings)
    try:
        yield from _store(settings, store)
        yield from _cloud(settings, store)
        if prove_read_only:
            yield from (_read_only(settings, store, region) for region in settings.default_regions)
    finally:
        store.close()
    yield _queue(settings)
    if settings.on_function_compute:
        said = "not tried; the role may write the log where this function's lines arrive in Log Service"
        yield Finding("log:PostLogStoreLogs", said, noted=True)


# Slack


def _slack(settings: Settings, clock: Clock) -> Iterator[Finding]:
    token, reference = bot_token(settings), settings.bot_token_reference
    if reference:
        found = _reference(settings, reference, token)
        yield found
        if found.bad:
            return
    slack = Slack(settings, time.time() + SECONDS, token=lambda _refused: token.known)
    try:
        bot = slack.who_am_i()
    except SlackError as error:
        where = f"into the secret {reference}" if reference else "into SLACK_BOT_TOKEN"
        fix = _FIX_NETWORK_SLACK if error.code == "unreachable" else _FIX_TOKEN.format(where=where)
        yield Finding("Slack auth.test", error.code, fix)
        return
    yield Finding("Slack auth.test", f"{bot.user} in {bot.team}")
    if settings.app_token:
        yield _socket(settings, slack)
    yield _clock(bot.date, clock())
    yield from (_scope(scope, bot.scopes) for scope in slack_app.scopes(manifest_source()))
    try:
        slack.user(bot.user_id)
    except SlackError as error:
        yield Finding("Slack users.info", error.code, _FIX_SCOPE)
    else:
        yield Finding("Slack users.info", "answers")
    yield _channels(settings, slack)
    yield from (_user_group(slack, one) for one in settings.readers if one.startswith("S"))


def _socket(settings: Settings, slack: Slack) -> Finding:
    what = "Slack apps.connections.open (SLACK_APP_TOKEN)"
    try:
        slack.try_socket(settings.app_token)
    except SlackError as error:
        return Finding(what, error.code, _FIX_NETWORK_SLACK if error.code == "unreachable" else _FIX_SOCKET)
    return Finding(what, "answers: Socket Mode is on")


def _reference(settings: Settings, reference: Reference, token: KeptSecret) -> Finding:
    what = f"SLACK_BOT_TOKEN, {reference} in {settings.function_region}"
    try:
        token.read(settings.credentials, time.time() + SECONDS, Calls())
    except CloudError as error:
        return Finding(what, error.code or "no answer", _fix_reference(error, reference))
    return Finding(what, "read")


def _fix_reference(error: CloudError, reference: Reference) -> str:
    if "NotFound" in error.code or "NotExists" in error.code:
        return f"Make the secret {reference.name} in that region, or correct SLACK_BOT_TOKEN."
    if error.code == UNUSABLE:
        return "The secret must be text: the token alone, or a JSON object and its key in SLACK_BOT_TOKEN behind #."
    if error.code.startswith("Forbidden"):
        return (
            f"Allow {reference.service}:{error.action} on it to the function's role (make deploy does), and "
            "kms:Decrypt on its key where that key is yours."
        )
    return _fix(error).replace("ECS_ENDPOINT", f"{reference.service.upper()}_ENDPOINT")


def _user_group(slack: Slack, group_id: str) -> Finding:
    what = f"Slack user group {group_id} (BOT_READERS)"
    try:
        return Finding(what, f"{len(slack.user_group(group_id))} may ask")
    except SlackError as error:
        scope = error.code == "missing_scope"
        return Finding(what, error.code, _FIX_SCOPE if scope else "Take it out of BOT_READERS, or correct its id.")


def _clock(theirs: float, ours: float) -> Finding:
    """Slack's signatures are good for 300 s; half of it is where it begins to hurt."""
    ahead = ours - theirs
    if not theirs:
        return Finding("clock", "Slack named no time to compare with", noted=True)
    if abs(ahead) > MOST_SKEW:
        return Finding("clock", f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} Slack's", _FIX_CLOCK)
    return Finding("clock", "as Slack's")


def _scope(scope: slack_app.Scope, granted: frozenset[str]) -> Finding:
    what = f"Slack scope {scope.name}"
    if scope.name in granted:
        return Finding(what, "granted")
    if scope.feature:
        return Finding(what, f"left out, and with it: {scope.why}", noted=True)
    return Finding(what, f"missing: {scope.why}", _FIX_SCOPE)


def _channels(settings: Settings, slack: Slack) -> Finding:
    """The channels of BOT_CHANNELS can be looked at; where any will do, one that nobody has is refused as unknown."""
    refused = []
    for channel in settings.channels or ("C0000000000",):
        try:
            slack.channel(channel)
        except SlackError as error:
            if settings.channels or error.code != "channel_not_found":
                refused.append(f"{channel} {error.code}")
    if not refused:
        return Finding("Slack conversations.info", "answers")
    invite = "Invite the bot there (/invite), or take the channel out of BOT_CHANNELS."
    scopes = any("missing_scope" in one for one in refused)
    return Finding("Slack conversations.info", ", ".join(refused), _FIX_SCOPE if scopes else invite)


# The cloud


def _cloud(settings: Settings, store: Store) -> Iterator[Finding]:
    """Every role, then every action in every region, several at once; in the order of the regions."""
    roles, until = Roles(settings, time.time), time.time() + SECONDS
    assistant = CloudAssistant(settings, settings.credentials, store, deadline=until, roles=roles)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        taken_on = list(pool.map(lambda place: _role(roles, settings, place), settings.default_regions))
        yield from filter(None, taken_on)
        closed = {name for name, one in zip(settings.accounts, taken_on, strict=True) if one and one.bad}
        regions = [place for place in settings.regions if places.account_of(place) not in closed]
        asked = [(action, region) for region in regions for action in _MADE_UP]
        first = [("DescribeRegions", region) for region in regions[:1]]
        yield from pool.map(lambda one: _action(assistant, *one), [*first, *asked])


def _role(roles: Roles, settings: Settings, place: str) -> Finding | None:
    """Whether the role of an account may be taken on; None for the function's own."""
    account = settings.accounts[places.account_of(place)]
    if not account.role:
        return None
    what = f"sts:AssumeRole on {account.role} ({account.name})"
    try:
        roles.keys(account, place, "", settings.credentials, SECONDS, Calls())
    except RoleRefused as error:
        ours = error.of_keys or error.code.startswith(_CLOCK)
        return Finding(what, error.code or "refused", _fix(error) if ours else _FIX_ROLE)
    except CloudError as error:
        return Finding(what, error.code or "no answer", _fix(error).replace("ECS_ENDPOINT", "STS_ENDPOINT"))
    return Finding(what, "taken on")


def _action(assistant: CloudAssistant, action: str, region: str) -> Finding:
    what = f"ecs:{action} in {region}"
    try:
        assistant.try_out(action, region, _MADE_UP.get(action, {}))
    except CloudError as error:
        return Finding(what, "allowed") if _is_allowed(error) else Finding(what, error.code or "no answer", _fix(error))
    return Finding(what, "allowed")


def _is_allowed(error: CloudError) -> bool:
    """Rights are looked at before ids: a refusal of the id, or of a dry run, says that the action may be used."""
    refused = ("Forbidden", "NoPermission", "InvalidAction", "InvalidRegionId", *_CLOCK)
    return isinstance(error, Denied) and bool(error.code) and not (error.of_keys or error.code.startswith(refused))


def _fix(error: CloudError) -> str:
    if error.code.startswith(_CLOCK):
        return _FIX_CLOCK
    if error.of_keys:
        return _FIX_KEYS
    account = places.account_of(error.region)
    if error.code.startswith("InvalidRegionId"):
        return (
            f"Take {places.region_of(error.region)} out of BOT_REGIONS{', or out of BOT_ACCOUNTS' if account else ''}."
        )
    if isinstance(error, Throttled):
        return "Others use up this account's rate limit: try again after the minute."
    if not isinstance(error, Denied):
        return _FIX_NETWORK
    return _RIGHT if account in ("", places.OWN) else _RIGHT_THERE.format(account=account)


def _read_only(settings: Settings, store: Store, region: str) -> Finding:
    assistant = CloudAssistant(settings, settings.credentials, store, deadline=time.time() + SECONDS)
    what = f"ecs:StopInvocation in {region}, of a run that does not exist"
    try:
        assistant.try_out("StopInvocation", region, {"InvokeId": "t-doctor00000000000"})
    except CloudError as error:
        if isinstance(error, RoleRefused):
            return Finding(what, "not tried: the account's role was not to be had", noted=True)
        if error.code.startswith(("Forbidden", "NoPermission")):
            return Finding(what, f"refused for want of the right ({error.code}): the bot can only read")
        if not _is_allowed(error):
            return Finding(what, error.code or "no answer", _fix(error))
    account = places.account_of(region)
    fix = "Give the function the role with deploy/ram-policy.json alone."
    if account not in ("", places.OWN):
        fix = f"Give the role of the account {account} what deploy/ros-reader.yml gives it, and no more."
    return Finding(what, "NOT REFUSED: these keys may write", fix)


# What is ours: store, queue


def _store(settings: Settings, store: Store) -> Iterator[Finding]:
    refused = list(_rows(store)) if settings.tablestore else []
    yield from refused or [_store_works(settings, store)]


def _rows(store: Store) -> Iterator[Finding]:
    """The actions on the table's rows that the role may not use."""
    from bot.adapters.tablestore import TablestoreStore  # installed only where it is chosen
    from bot.adapters.tablestore_client import TABLE

    if isinstance(store, TablestoreStore):
        for action, why in store.try_out("doctor", time.time() + 60):
            if "NoPermission" in why:
                yield Finding(f"ots:{action} on the table {TABLE}", why, _RIGHT)


def _store_works(settings: Settings, store: Store) -> Finding:
    what = "store, Tablestore" if settings.tablestore else f"store, SQLite in {settings.store_path}"
    now = time.time()
    try:
        store.put("doctor", {"at": now}, now + 60)
        kept = store.get("doctor", now)
        store.list("doctor", now)
        store.delete("doctor")
    except StoreError as error:
        return Finding(what, str(error), "See BOT_STORE; python -m bot init makes the table of Tablestore.")
    if kept is None or kept.value != {"at": now}:
        return Finding(what, "gave back something else than was written", "See BOT_STORE.")
    if not settings.store_lasts:
        return Finding(what, "writes and reads, but is lost with the function instance; see BOT_STORE", noted=True)
    return Finding(what, "writes and reads")


def _queue(settings: Settings) -> Finding:
    """What is put is neither a job nor an event: the function leaves it alone."""
    if not settings.on_function_compute:
        return Finding("queue", "a thread pool; Function Compute's is used where FC_FUNCTION_NAME is set", noted=True)
    what = f"fc:InvokeFunction on {settings.function_name}"
    queue = FunctionComputeQueue(settings)
    try:
        queue.put(f"doctor-{int(time.time() * 1000)}", b'{"job":"doctor"}', settings.credentials)
    except QueueRefused as error:
        return Finding(what, str(error), _FIX_NETWORK if "no answer" in str(error) else _RIGHT)
    finally:
        queue.close()
    return Finding(what, "takes jobs")
