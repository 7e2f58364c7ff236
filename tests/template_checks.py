"""What template.yml must and must not say: plain functions that return a list of problems, in words.

Serverless Devs deploys a misspelt key or a trigger that makes no sense without a word, and its schema knows
neither cron nor which values carry the design. So every key is listed here; what is not listed is refused.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import yaml

REQUIRED_SETTINGS = frozenset({"SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN"})
MOST_ENVIRONMENT_BYTES = 4096
MOST_VALUES = 5  # of one field of an EventBridge pattern
PYTHONPATH = "/code:/code/python"

Rule = Callable[[Any], str | None]  # what is wrong with a value, or nothing
Shape = dict[str, Any]  # key, with "?" at its end where it may be missing: Rule or Shape


# Reading: what `s` does before it deploys.


class _NoDuplicates(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key) for key, _ in node.value]
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise yaml.constructor.ConstructorError(None, None, f"twice: {twice}", node.start_mark)
        return super().construct_mapping(node, deep)


def load(text: str) -> Any:
    """PyYAML keeps the last of two equal keys; `s` refuses them, and so does this."""
    return yaml.load(text, _NoDuplicates)  # noqa: S506  # a SafeLoader


ENV = re.compile(r"\$\{env\('(\w+)'(?:, '([^']*)')?\)\}")
VARS = re.compile(r"\$\{vars\.(\w+)\}")


def resolve(node: Any, environ: Mapping[str, str], variables: Mapping[str, str] | None = None) -> Any:
    """The document as `s` would deploy it; LookupError where `s` stops: a name without default, unset or empty."""
    if isinstance(node, dict):
        if variables is None and "vars" in node:
            variables = resolve(node["vars"], environ, {})
        return {key: resolve(value, environ, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [resolve(value, environ, variables) for value in node]
    if not isinstance(node, str):
        return node

    def env(match: re.Match[str]) -> str:
        value = environ.get(match[1]) or match[2]
        if value is None:
            raise LookupError(f"env('{match[1]}') not found")
        return value

    def var(match: re.Match[str]) -> str:
        value = (variables or {}).get(match[1])
        if not isinstance(value, str):
            raise LookupError(f"vars.{match[1]} is no text")
        return value

    text = VARS.sub(var, ENV.sub(env, node))
    if "${" in text:
        raise LookupError(f"cannot resolve {text}")
    return text


# Rules for one value.


def only(expected: Any) -> Rule:
    """Exactly this; 1 is not true and 512.0 is not 512."""
    return lambda value: None if (value, type(value)) == (expected, type(expected)) else f"must be {expected!r}"


def one_of(*allowed: str) -> Rule:
    return lambda value: None if value in allowed else f"must be one of {', '.join(allowed)}"


def matching(pattern: str) -> Rule:
    fits = re.compile(pattern).fullmatch
    return lambda value: None if isinstance(value, str) and fits(value) else f"must match {pattern}"


def flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def mapping(value: Any) -> str | None:
    return None if isinstance(value, dict) else "must be a mapping"


def anything(_: Any) -> None:
    """Looked at where it is used."""


def event_filter(value: Any) -> str | None:
    """An EventBridge pattern, as text: an object of lists of at most 5 values, at any depth."""
    try:
        pattern = json.loads(value)
    except (TypeError, ValueError):
        return "must be JSON, as text"

    def fits(part: Any) -> bool:
        return (isinstance(part, list) and len(part) <= MOST_VALUES) or (
            isinstance(part, dict) and bool(part) and all(map(fits, part.values()))
        )

    good = isinstance(pattern, dict) and fits(pattern)
    return None if good else f"must be an object of lists of at most {MOST_VALUES}, and not empty"


MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
CRON_FIELDS = [
    ("second", 0, 59, []),
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of month", 1, 31, []),
    ("month", 1, 12, MONTHS),
    ("day of week", 0, 7, WEEKDAYS),
]


def cron(value: Any) -> str | None:
    """`@every 5m`, or six fields (seconds first) after an optional `CRON_TZ=Area/City`."""
    if not isinstance(value, str):
        return "must be text"
    if re.fullmatch(r"@every [1-9]\d*[smh]", value):
        return None
    *zone, rest = re.fullmatch(r"(?:CRON_TZ=(\S+) )?(.*)", value, re.DOTALL).groups()  # type: ignore[union-attr]
    try:
        zone == [None] or ZoneInfo(zone[0])
    except (ValueError, OSError, KeyError):
        return f"no such time zone: {zone[0]}"
    fields = rest.split(" ")
    if len(fields) != len(CRON_FIELDS):
        return "must be six fields, seconds first, or @every with s, m or h"
    for text, (name, low, high, names) in zip(fields, CRON_FIELDS, strict=True):
        if not all(_cron_item(item, low, high, names) for item in text.split(",")):
            return f"{text} is no {name}"
    return None


def _cron_item(item: str, low: int, high: int, names: list[str]) -> bool:
    match = re.fullmatch(r"(\*|\?|(\w+)(?:-(\w+))?)(?:/([1-9]\d*))?", item)
    if match is None:
        return False
    ends = [str(names.index(end) + low) if end in names else end for end in match.group(2, 3) if end]
    return all(end.isdigit() and low <= int(end) <= high for end in ends) and ends == sorted(ends, key=int)


def timer_payload(value: Any) -> str | None:
    """What tells the timers apart: `{"job": "…"}`, as text."""
    try:
        payload = json.loads(value)
    except (TypeError, ValueError):
        return "must be JSON, as text"
    return None if isinstance(payload, dict) and isinstance(payload.get("job"), str) else "must name a job"


# The shape of the document.

TRIGGER_CONFIGS: dict[str, Shape] = {
    "http": {
        "authType": only("anonymous"),
        "methods": only(["POST"]),
        "disableURLInternet": only(False),
    },
    "timer": {
        "enable": flag,
        "cronExpression": cron,
        "payload": timer_payload,
    },
    # fc3's documentation asks for two of these only, its schema for all six.
    "eventbridge": {
        "triggerEnable": flag,
        "asyncInvocationType": only(True),
        "eventRuleFilterPattern": event_filter,
        "eventSourceConfig": {"eventSourceType": only("Default"), "eventSourceParameters": mapping},
        "eventSinkConfig": {
            "deliveryOption": {"mode": only("event-driven"), "eventSchema": only("CloudEvents")},
        },
        "runOptions": {"mode": only("event-driven")},
    },
}

TRIGGER: Shape = {
    "triggerName": matching(r"[A-Za-z][\w-]{0,127}"),
    "triggerType": one_of(*TRIGGER_CONFIGS),
    "qualifier": only("LATEST"),
    "description?": matching(r".+"),
    "triggerConfig": anything,  # by its type, see trigger_problems
}

FUNCTION: Shape = {
    "region": matching(r"(ap|cn|eu|me|us)-[a-z]+(-[a-z]+)*(-\d)?"),
    "functionName": matching(r"[A-Za-z_][\w-]{0,63}"),
    "description?": matching(r".+"),
    "runtime": only("custom.debian12"),
    "code": only("./dist"),
    "handler": matching(r".+"),
    "cpu": only(0.35),
    "memorySize": only(512),
    "diskSize": only(512),
    "timeout": only(120),
    "instanceConcurrency": only(10),
    "role": matching(r"[a-z0-9][a-z0-9.-]*"),  # upper case would be lowered and then not found
    "customRuntimeConfig": {
        "command": only(["/usr/bin/python3"]),
        "args": only(["-m", "bot"]),
        "port": only(9000),
    },
    "environmentVariables": mapping,  # see environment_problems
    "logConfig": {
        "project": matching(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"),
        "logstore": matching(r"[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]"),
        "enableRequestMetrics": only(True),
        "enableInstanceMetrics": flag,
        "logBeginRule": only("None"),
    },
    "asyncInvokeConfig": {
        "asyncTask": only(True),
        "maxAsyncEventAgeInSeconds": only(600),
        "maxAsyncRetryAttempts": only(2),
    },
    "triggers": lambda value: None if isinstance(value, list) else "must be a list",
}

DOCUMENT: Shape = {
    "edition": only("3.0.0"),
    "name": matching(r"[a-z][a-z0-9-]*"),
    "access": matching(r"\w+"),
    "vars": {"region": anything},
    "resources": {"bot": {"component": only("fc3"), "props": FUNCTION}},
}


def shape_problems(value: Any, shape: Shape, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where}: must be a mapping"]
    rules = {key.removesuffix("?"): rule for key, rule in shape.items()}
    problems = [f"{where}.{key}: unknown key" for key in value if key not in rules]
    problems += [f"{where}.{key}: missing" for key in shape if key[-1] != "?" and key not in value]
    for key in rules.keys() & value.keys():
        rule = rules[key]
        if isinstance(rule, dict):
            problems += shape_problems(value[key], rule, f"{where}.{key}")
        elif wrong := rule(value[key]):
            problems.append(f"{where}.{key}: {wrong}")
    return problems


def trigger_problems(triggers: list[Any]) -> list[str]:
    problems = []
    for number, trigger in enumerate(triggers):
        where = f"triggers[{number}]"
        problems += shape_problems(trigger, TRIGGER, where)
        config = TRIGGER_CONFIGS.get(trigger.get("triggerType")) if isinstance(trigger, dict) else None
        if config is not None:
            problems += shape_problems(trigger.get("triggerConfig"), config, f"{where}.triggerConfig")
    kept = [trigger for trigger in triggers if isinstance(trigger, dict)]
    if [trigger.get("triggerType") for trigger in kept].count("http") != 1:
        problems.append("triggers: Function Compute takes one HTTP trigger, and Slack needs it")
    if len({trigger.get("triggerName") for trigger in kept}) != len(kept):
        problems.append("triggers: two have the same name")
    return problems


def environment_problems(environment: dict[Any, Any]) -> list[str]:
    """As Function Compute sees it, variables resolved."""
    problems = []
    for name, value in environment.items():
        if not re.fullmatch(r"[A-Za-z]\w*", str(name), re.ASCII):
            problems.append(f"environment: {name} is no name that Function Compute takes")
        if str(name).startswith(("FC_", "ALIBABA_CLOUD_")):
            problems.append(f"environment: {name} is set by Function Compute")
        if not isinstance(value, str):
            problems.append(f"environment: {name} must be text, quote it")
    if environment.get("PYTHONPATH") != PYTHONPATH:
        problems.append(f"environment: PYTHONPATH must be {PYTHONPATH}")
    if len(json.dumps(environment, ensure_ascii=False).encode()) > MOST_ENVIRONMENT_BYTES:
        problems.append(f"environment: larger than {MOST_ENVIRONMENT_BYTES} bytes")
    return problems


def source_problems(environment: dict[Any, Any]) -> list[str]:
    """As written: no value but a variable of the same name, and a default only where the bot can do without."""
    problems = [f"environment: {name} is missing" for name in sorted(REQUIRED_SETTINGS - environment.keys())]
    for name, value in environment.items():
        if name == "PYTHONPATH":
            continue
        match = ENV.fullmatch(str(value))
        if match is None or match[1] != name:
            problems.append(f"environment: {name} must be ${{env('{name}')}}, with '' as default if any")
        elif name in REQUIRED_SETTINGS and match[2] is not None:
            problems.append(f"environment: {name} must have no default, or a deployment can forget it")
        elif name not in REQUIRED_SETTINGS and match[2] != "":
            problems.append(f"environment: {name} must have '' as default; the real ones are in settings.py")
    return problems


SECRETS = re.compile(
    r"xox[a-z]-\S+|xapp-\S+|LTAI\w{8,}|STS\.\w+|\b[0-9a-f]{32}\b|-----BEGIN|hooks\.slack\.com/services/\S+"
)


def secrets_in(text: str) -> list[str]:
    """Also in comments."""
    return [f"looks like a secret: {match[0][:8]}…" for match in SECRETS.finditer(text)]


def problems(document: Any, environ: Mapping[str, str]) -> list[str]:
    try:
        resolved = resolve(document, environ)
    except LookupError as error:
        return [str(error)]
    found = shape_problems(resolved, DOCUMENT, "template") + secrets_in(json.dumps(document))
    try:
        written = document["resources"]["bot"]["props"]
        function = resolved["resources"]["bot"]["props"]
        return [
            *found,
            *source_problems(written["environmentVariables"]),
            *environment_problems(function["environmentVariables"]),
            *trigger_problems(function["triggers"]),
        ]
    except (KeyError, TypeError, AttributeError):
        return found or ["template: not the shape of one function"]
