"""What `make deploy` and `make remove` do, as a list of steps; pure, so that it can be read before it is done.

`deploy/deploy` carries the steps out. Commands are lists of arguments; `@file` in a stack's parameters is the content
of that file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

NAME = "cloud-assistant-in-slack"  # of the function, its role, the stacks and the bus, as in template.yml
EVENTS = f"{NAME}-events"
HOME_REGION = "cn-hangzhou"  # as in template.yml
TEMPLATE, EVENTS_TEMPLATE = "deploy/ros.yml", "deploy/ros-events.yml"
KEY_NAMES = ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET")
GET_S = "npm install -g @serverless-devs/s"

_CONSOLE = f"""\
The `aliyun` CLI is not here, so make these in the console (or install the CLI, and start again):
  1. RAM, Roles: a role {NAME} for the service Function Compute, with the trust of deploy/ram-trust.json and a
     custom policy of the text of deploy/ram-policy.json."""
_CONSOLE_REFERENCE = "     And a second custom policy, for the secret that SLACK_BOT_TOKEN names: {policy}"
_CONSOLE_ROLES = """\
     And another custom policy, for the accounts of BOT_ACCOUNTS:
     {{"Version":"1","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":{roles}}}]}}"""
_CONSOLE_STORE = "  2. Tablestore, in {region}: an instance {instance}, billed by use, that the internet may reach."
_CONSOLE_EVENTS = """\
The `aliyun` CLI is not here, so make these stacks in the console (ROS, Create Stack), in this order:
{stacks}"""
_CONSOLE_REMOVE = "The `aliyun` CLI is not here, so delete in the console what was made there:\n{what}"


@dataclass(frozen=True)
class Run:
    """A command. `address`: what it prints holds the function's address."""

    why: str
    command: tuple[str, ...]
    address: bool = False


@dataclass(frozen=True)
class MakeStack:
    """Made, or brought up to date where it is there."""

    why: str
    region: str
    name: str
    template: str
    parameters: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class DropStack:
    why: str
    region: str
    name: str


@dataclass(frozen=True)
class Tell:
    """What only a person can do."""

    why: str


Step = Run | MakeStack | DropStack | Tell


@dataclass(frozen=True)
class Wanted:
    """`store` and `store_region` are empty where BOT_STORE names no Tablestore; `regions` are those of the function's
    own account, `roles` those that BOT_ACCOUNTS names in others.

    `secret` is `kms:name` or `oos:name` where SLACK_BOT_TOKEN is a reference; `secret_key` the id of a key of one's own
    that encrypts it.
    """

    region: str
    regions: tuple[str, ...]
    store: str
    store_region: str
    make_trigger: bool
    secret: str = ""
    secret_key: str = ""
    roles: tuple[str, ...] = ()

    @property
    def elsewhere(self) -> tuple[str, ...]:
        return tuple(region for region in self.regions if region != self.region)


def wanted(environment: Mapping[str, str]) -> Wanted:
    region = environment.get("DEPLOY_REGION") or HOME_REGION
    accounts = environment.get("BOT_ACCOUNTS", "").replace(" ", "")
    own = re.search(r"(?:^|,)own(?:@([a-z0-9|-]+))?(?:,|$)", accounts)
    listed = own[1].split("|") if own and own[1] else environment.get("BOT_REGIONS", "").replace(" ", "").split(",")
    secret = re.match(r"(?:kms|oos):[^#]+", environment.get("SLACK_BOT_TOKEN", ""))
    store = re.match(r"tablestore://([^.]+)\.([a-z0-9-]+)", environment.get("BOT_STORE", ""))
    return Wanted(
        region,
        tuple(dict.fromkeys(filter(None, listed if own or not accounts else ()))),
        store[1] if store else "",
        store[2] if store else "",
        environment.get("DEPLOY_MAKE_TRIGGER", "") == "yes",
        secret[0] if secret else "",
        environment.get("DEPLOY_SECRET_KEY", ""),
        tuple(re.findall(r"=(acs:ram::[0-9]+:role/[A-Za-z0-9._-]+)", accounts)),
    )


def has_keys(environment: Mapping[str, str]) -> bool:
    return all(environment.get(name) for name in KEY_NAMES)


def required(template: str) -> list[str]:
    """What has no default in template.yml."""
    return sorted(set(re.findall(r"\$\{env\('(\w+)'\)\}", template)))


# One assignment, as dotenv has it, by which `s` reads the file: within quotes a value may hold `#` and line ends.
_ASSIGNED = re.compile(
    r"""^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)"""
    r"""(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\n]+)?\s*(?:\#.*)?$""",
    re.MULTILINE | re.ASCII,
)


def environment_of(text: str) -> dict[str, str]:
    """A file .env as `s` reads it: NAME=value, quotes around a value fall away, a bare `#` begins a comment."""
    lines = re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff"))
    return {found[1]: _unquoted((found[2] or "").strip()) for found in _ASSIGNED.finditer(lines)}


def _unquoted(value: str) -> str:
    """Only within double quotes does `\\n` stand for the end of a line."""
    inner = re.sub(r"""^(['"`])(.*)\1$""", r"\2", value, flags=re.DOTALL)
    return inner.replace("\\n", "\n").replace("\\r", "\r") if value.startswith('"') else inner


def missing(
    environment: Mapping[str, str],
    template: str,
    settings_problems: Collection[str],
    tools: Collection[str],
    keys: Collection[str],
) -> list[str]:
    """All that has to be there first. `tools` are those on the PATH; `keys` the tools that have keys of an account."""
    where = {"DEPLOY_LOG_PROJECT": "a project of Simple Log Service in the function's region, which must exist"}
    told = " ".join(settings_problems)
    absent = [name for name in required(template) if not environment.get(name) and f"{name} is missing" not in told]
    found = [f"{name} is missing{f' ({where[name]})' if name in where else ''}." for name in absent]
    found = [*settings_problems, *found]
    if environment.get("BOT_STORE", "").startswith("tablestore:") and not has_keys(environment):
        found.append(f"{' and '.join(KEY_NAMES)} are missing (the table is made with them, python -m bot init).")
    if "s" not in tools:
        found.append(f"Serverless Devs is not here: {GET_S}")
    elif "s" not in keys:
        found.append("Serverless Devs has no keys of an account: s config add")
    if "aliyun" in tools and "aliyun" not in keys:
        found.append("The `aliyun` CLI has no keys of an account: aliyun configure")
    return found


def deploy(want: Wanted, tools: Collection[str], python: str) -> list[Step]:
    """In the order in which things need each other.

    Without `-y` the component fc3 asks before it changes or removes what is there, in a line that has no end, so that
    it would not be seen here; who removes has been asked already.
    """
    steps: list[Step] = [_role(want) if "aliyun" in tools else Tell(_by_hand(want))]
    if want.store:
        steps.append(Run("the table in it", (python, "-m", "bot", "init")))
    steps.append(Run("the package, dist/", (python, "deploy/pack")))
    steps.append(
        Run("the function, its triggers and timers", ("s", "deploy", "-t", "template.yml", "-y"), address=True)
    )
    events = _events(want)
    return [*steps, *(events if "aliyun" in tools else _told(events))]


def remove(want: Wanted, tools: Collection[str], python: str) -> list[Step]:
    """What `deploy` did, backwards."""
    stacks = [DropStack(f"what brings the events of {one.region}", one.region, one.name) for one in _events(want)]
    role = DropStack("the role, and the store where there is one", want.region, NAME)
    function = Run("the function, its triggers and timers", ("s", "remove", "-t", "template.yml", "-y"))
    table = [Run("the table, with all that it keeps", (python, "-m", "bot", "init", "--undo"))] if want.store else []
    if "aliyun" in tools:
        return [*reversed(stacks), function, *table, role]
    what = [f"  - the stack {one.name} in {one.region}" for one in reversed(stacks)]
    what += [f"  - the role {NAME} with its policy", *([f"  - the instance {want.store}"] if want.store else [])]
    return [function, *table, Tell(_CONSOLE_REMOVE.format(what="\n".join(what)))]


def _role(want: Wanted) -> MakeStack:
    why = "the role, which may only read and call the function" + (", and the store" if want.store else "")
    why += ", and take on the roles of BOT_ACCOUNTS" if want.roles else ""
    documents = (("Policy", "@deploy/ram-policy.json"), ("Trust", "@deploy/ram-trust.json"))
    store = (("StoreInstance", want.store),) if want.store and want.store_region == want.region else ()
    secret = (("Secret", want.secret), ("SecretPolicy", secret_policy(want))) if want.secret else ()
    roles = (("Roles", ",".join(want.roles)),) if want.roles else ()
    return MakeStack(why, want.region, NAME, TEMPLATE, (*documents, *store, *secret, *roles))


def secret_policy(want: Wanted) -> str:
    """What reading the secret takes, as the JSON of a policy. OOS keeps its secrets in KMS, as `oos/name`."""
    service, name = want.secret.split(":", 1)
    allowed = [("kms:GetSecretValue", f"acs:kms:*:*:secret/{name if service == 'kms' else f'oos/{name}'}")]
    if service == "oos":
        allowed.append(("oos:GetSecretParameter", f"acs:oos:*:*:secretparameter/{name}"))
    if want.secret_key:
        allowed.append(("kms:Decrypt", f"acs:kms:*:*:key/{want.secret_key}"))
    statements = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in allowed]
    return json.dumps({"Version": "1", "Statement": statements})


def _by_hand(want: Wanted) -> str:
    store = [_CONSOLE_STORE.format(region=want.store_region, instance=want.store)] if want.store else []
    secret = [_CONSOLE_REFERENCE.format(policy=secret_policy(want))] if want.secret else []
    roles = [_CONSOLE_ROLES.format(roles=json.dumps(want.roles))] if want.roles else []
    return "\n".join([_CONSOLE, *secret, *roles, *store])


def _events(want: Wanted) -> list[MakeStack]:
    """Only where template.yml's own trigger is not enough. First the bus, to which the other regions pass."""
    if not (want.elsewhere or want.make_trigger):
        return []
    home = (
        ("FunctionRegion", want.region),
        ("OtherRegions", _flag(bool(want.elsewhere))),
        ("MakeTrigger", _flag(want.make_trigger)),
    )
    passing = (("FunctionRegion", want.region),)
    return [
        MakeStack(f"what brings the events of {region}", region, EVENTS, EVENTS_TEMPLATE, parameters)
        for region, parameters in [(want.region, home), *((region, passing) for region in want.elsewhere)]
    ]


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _told(stacks: Collection[MakeStack]) -> list[Step]:
    if not stacks:
        return []
    lines = [
        f"  - {one.region}: {one.name} of {one.template}, with {', '.join(f'{k}={v}' for k, v in one.parameters)}"
        for one in stacks
    ]
    return [Tell(_CONSOLE_EVENTS.format(stacks="\n".join(lines)))]


def printed(step: Step) -> str:
    """One step of a plan, for a person."""
    match step:
        case Run():
            return f"{step.why}\n    {' '.join(step.command)}"
        case MakeStack():
            parameters = "".join(f"\n      {key}={value}" for key, value in step.parameters)
            return (
                f"{step.why}\n    aliyun ros CreateStack (or UpdateStack): {_place(step)}, {step.template}{parameters}"
            )
        case DropStack():
            return f"{step.why}\n    aliyun ros DeleteStack: {_place(step)}"
        case Tell():
            return step.why


def _place(step: MakeStack | DropStack) -> str:
    return f"{step.name} in {step.region}"
