"""template.yml, the RAM policies and what deploy/pack puts where template.yml looks for it."""

import copy
import hashlib
import importlib.machinery
import importlib.util
import json
import re
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import template_checks as checks
from bot.adapters.tablestore_client import TABLE
from sandbox.fc_triggers import TIMERS

TOP = Path(__file__).resolve().parent.parent
SOURCE = (TOP / "template.yml").read_text()
SCHEMA = TOP.parent / "shared" / "reference" / "fc3.schema.json"

ENVIRON = {
    "SLACK_SIGNING_SECRET": "made-up-signing-secret",
    "SLACK_BOT_TOKEN": "made-up-bot-token",
    "DEPLOY_LOG_PROJECT": "made-up-logs",
    "DEPLOY_REGION": "ap-southeast-1",
    "ECS_ENDPOINT": "https://ecs.{region}.aliyuncs.com",
    "BOT_REGIONS": "cn-hangzhou,cn-hongkong",
    "BOT_PAUSED": 'Back at 10:00: "maintenance"',
}

TEMPLATE = checks.load(SOURCE)
ROS = checks.load((TOP / "deploy" / "ros-events.yml").read_text())


def props(document: Any) -> Any:
    return document["resources"]["bot"]["props"]


def test_the_template_has_no_problems():
    assert checks.problems(TEMPLATE, ENVIRON) == []
    assert checks.secrets_in(SOURCE) == []


def test_variables_are_filled_in():
    function = props(checks.resolve(TEMPLATE, ENVIRON))
    assert function["region"] == "ap-southeast-1"
    assert function["environmentVariables"]["BOT_PAUSED"] == ENVIRON["BOT_PAUSED"]
    assert function["environmentVariables"]["BOT_STORE"] == ""


@pytest.mark.parametrize("name", ["SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN", "DEPLOY_LOG_PROJECT"])
def test_a_deployment_without_a_required_variable_stops(name: str):
    environ = {key: value for key, value in ENVIRON.items() if key != name}
    assert checks.problems(TEMPLATE, environ) == [f"env('{name}') not found"]
    environ[name] = ""
    assert checks.problems(TEMPLATE, environ) == [f"env('{name}') not found"]


def test_no_initializer_runs_before_the_first_ack():
    """Slack waits 3 s, cold start and initializer included; and nothing may be imported before the first ack."""
    assert "instanceLifecycleConfig" not in props(TEMPLATE)


def test_its_environment_is_that_of_the_settings():
    from bot.settings import ENVIRONMENT

    names = set(props(TEMPLATE)["environmentVariables"]) - {"PYTHONPATH"}
    # Function Compute reserves FC_*: it sets some itself and refuses the rest.
    assert names == {name for name in ENVIRONMENT if not name.startswith("FC_")}


# Each check bites.

Where = tuple[str | int, ...]
Mutation = Callable[[Any], None]


def at(node: Any, path: Sequence[str | int]) -> Any:
    for key in path:
        node = node[key]
    return node


def set_(path: str, value: Any) -> Mutation:
    """`a.b.0` below the function's props, or `top.a.b` in the document."""

    def mutate(document: Any) -> None:
        *way, last = [int(key) if key.isdigit() else key for key in path.removeprefix("top.").split(".")]
        at(document if path.startswith("top.") else props(document), way)[last] = value

    return mutate


def setting(name: str, value: Any) -> Mutation:
    return set_(f"environmentVariables.{name}", value)


def add(trigger: dict[str, Any], **config: Any) -> Mutation:
    def mutate(document: Any) -> None:
        added = copy.deepcopy(trigger) | {"triggerName": "added"}
        added["triggerConfig"] |= config
        props(document)["triggers"].append(added)

    return mutate


HTTP = "triggers.0.triggerConfig"
_, TIMER, _, EVENTS = props(TEMPLATE)["triggers"]
TOKEN = "SLACK_BOT_TOKEN"
MUTATIONS: dict[str, tuple[Mutation, str]] = {
    "edition": (set_("top.edition", "1.0.0"), "template.edition: must be '3.0.0'"),
    "name": (set_("top.name", "Bot"), "template.name: must match"),
    "access": (set_("top.access", {}), "template.access: must match"),
    "region variable": (set_("top.vars.region", ["cn-hangzhou"]), "vars.region is no text"),
    "resources as a list": (set_("top.resources", []), "template.resources: must be a mapping"),
    "second function": (set_("top.resources.other", {}), "resources.other: unknown key"),
    "component": (set_("top.resources.bot.component", "fc"), "bot.component: must be 'fc3'"),
    "region": (set_("region", "mars-1"), "props.region: must match"),
    "function name": (set_("functionName", "cloud assistant"), "props.functionName: must match"),
    "description": (set_("description", ""), "props.description: must match"),
    "runtime": (set_("runtime", "custom.debian13"), "props.runtime: must be 'custom.debian12'"),
    "code": (set_("code", "./src"), "props.code: must be './dist'"),
    "handler": (set_("handler", ""), "props.handler: must match"),
    "cpu": (set_("cpu", 0.1), "props.cpu: must be 0.35"),
    "memory": (set_("memorySize", 500), "props.memorySize: must be 512"),
    "memory as text": (set_("memorySize", "512"), "props.memorySize: must be 512"),
    "disk": (set_("diskSize", 1024), "props.diskSize: must be 512"),
    "timeout 0": (set_("timeout", 0), "props.timeout: must be 120"),
    "concurrency": (set_("instanceConcurrency", 1), "props.instanceConcurrency: must be 10"),
    "role as a number": (set_("role", 1234567890123456), "props.role: must match"),
    "role in upper case": (set_("role", "CloudAssistant"), "props.role: must match"),
    "start command": (set_("customRuntimeConfig.command", ["python3"]), "command: must be ['/usr/bin/python3']"),
    "arguments": (set_("customRuntimeConfig.args", ["-m", "sandbox"]), "args: must be ['-m', 'bot']"),
    "port": (set_("customRuntimeConfig.port", 8080), "port: must be 9000"),
    "initializer": (set_("instanceLifecycleConfig", {}), "props.instanceLifecycleConfig: unknown key"),
    "log project": (set_("logConfig.project", "Logs"), "logConfig.project: must match"),
    "log store": (set_("logConfig.logstore", ""), "logConfig.logstore: must match"),
    "request metrics": (set_("logConfig.enableRequestMetrics", False), "enableRequestMetrics: must be True"),
    "instance metrics": (set_("logConfig.enableInstanceMetrics", 0), "enableInstanceMetrics: must be true or"),
    "log rule": (set_("logConfig.logBeginRule", "none"), "logBeginRule: must be 'None'"),
    "task mode": (set_("asyncInvokeConfig.asyncTask", False), "asyncTask: must be True"),
    "task mode as a number": (set_("asyncInvokeConfig.asyncTask", 1), "asyncTask: must be True"),
    "event age": (set_("asyncInvokeConfig.maxAsyncEventAgeInSeconds", 86400), "InSeconds: must be 600"),
    "retries": (set_("asyncInvokeConfig.maxAsyncRetryAttempts", 9), "maxAsyncRetryAttempts: must be 2"),
    "environment as a list": (set_("environmentVariables", []), "environmentVariables: must be a mapping"),
    "number": (setting("PYTHONPATH", 1), "PYTHONPATH must be text"),
    "packages": (setting("PYTHONPATH", "/code/python"), "PYTHONPATH must be /code:/code/python"),
    "name with a dash": (setting("BOT-STORE", "${env('BOT-STORE', '')}"), "cannot resolve"),
    "name with a digit": (setting("2ND", "${env('2ND', '')}"), "2ND is no name that Function Compute takes"),
    "FC_*": (setting("FC_REGION", "${env('FC_REGION', '')}"), "FC_REGION is set by Function Compute"),
    "ALIBABA_CLOUD_*": (setting("ALIBABA_CLOUD_X", "${env('ALIBABA_CLOUD_X', '')}"), "CLOUD_X is set by"),
    "literal setting": (setting("BOT_TIMEZONE", "Asia/Shanghai"), "BOT_TIMEZONE must be ${env('BOT_TIMEZONE')}"),
    "literal secret": (setting(TOKEN, "made-up"), f"{TOKEN} must be ${{env('{TOKEN}')}}"),
    "secret as default": (setting(TOKEN, f"${{env('{TOKEN}', 'made-up')}}"), f"{TOKEN} must have no default"),
    "empty secret": (setting(TOKEN, f"${{env('{TOKEN}', '')}}"), f"{TOKEN} must have no default"),
    "other variable": (setting("BOT_STORE", "${env('BOT_STOER', '')}"), "BOT_STORE must be ${env('BOT_STORE')}"),
    "default": (setting("BOT_TIMEZONE", "${env('BOT_TIMEZONE', 'UTC')}"), "BOT_TIMEZONE must have '' as"),
    "required setting": (setting("BOT_PAUSED", "${env('BOT_PAUSED')}"), "BOT_PAUSED must have '' as"),
    "secret elsewhere": (set_("description", "uses xoxb-1234"), "looks like a secret: xoxb-123"),
    "function of `s`": (set_("description", "${config('AccountID')}"), "cannot resolve ${config('AccountID')}"),
    "unknown variable": (set_("region", "${vars.regoin}"), "vars.regoin is no text"),
    "triggers as a mapping": (set_("triggers", {}), "props.triggers: must be a list"),
    "no HTTP trigger": (set_("triggers", []), "one HTTP trigger"),
    "two HTTP triggers": (add(props(TEMPLATE)["triggers"][0]), "one HTTP trigger"),
    "two names": (set_("triggers.2.triggerName", "poll"), "two have the same name"),
    "trigger name": (set_("triggers.1.triggerName", "a sweep"), "triggers[1].triggerName: must match"),
    "trigger as text": (set_("triggers.1", "timer"), "triggers[1]: must be a mapping"),
    "trigger type": (set_("triggers.1.triggerType", "oss"), "triggers[1].triggerType: must be one of http, timer"),
    "trigger description": (set_("triggers.1.description", 1), "triggers[1].description: must match"),
    "trigger version": (set_("triggers.0.qualifier", "1"), "triggers[0].qualifier: must be 'LATEST'"),
    "authType foo": (set_(f"{HTTP}.authType", "foo"), "authType: must be 'anonymous'"),
    "authType function": (set_(f"{HTTP}.authType", "function"), "authType: must be 'anonymous'"),
    "method in lower case": (set_(f"{HTTP}.methods", ["post"]), "methods: must be ['POST']"),
    "one method more": (set_(f"{HTTP}.methods", ["POST", "GET"]), "methods: must be ['POST']"),
    "no public address": (set_(f"{HTTP}.disableURLInternet", True), "disableURLInternet: must be False"),
    "timer switch": (add(TIMER, enable="yes"), "triggerConfig.enable: must be true or false"),
    "timer payload": (add(TIMER, payload={"job": "poll"}), "triggerConfig.payload: must be JSON, as text"),
    "timer without a job": (add(TIMER, payload='{"jbo":"poll"}'), "triggerConfig.payload: must name a job"),
    "filter not JSON": (add(EVENTS, eventRuleFilterPattern="a=b"), "FilterPattern: must be JSON, as text"),
    "filter not text": (add(EVENTS, eventRuleFilterPattern={"a": ["b"]}), "FilterPattern: must be JSON, as text"),
    "filter not lists": (add(EVENTS, eventRuleFilterPattern='{"a": "b"}'), "must be an object of lists"),
    "filter empty": (add(EVENTS, eventRuleFilterPattern="{}"), "must be an object of lists"),
    "filter a list": (add(EVENTS, eventRuleFilterPattern='["a"]'), "must be an object of lists"),
    "six values": (add(EVENTS, eventRuleFilterPattern='{"type":["a","b","c","d","e","f"]}'), "at most 5"),
    "event switch": (add(EVENTS, triggerEnable=1), "triggerEnable: must be true or false"),
    "events that wait": (add(EVENTS, asyncInvocationType=False), "asyncInvocationType: must be True"),
    "event source": (set_("triggers.3.triggerConfig.eventSourceConfig.eventSourceType", "MNS"), "be 'Default'"),
    "source parameters": (
        set_("triggers.3.triggerConfig.eventSourceConfig.eventSourceParameters", []),
        "eventSourceParameters: must be a mapping",
    ),
    "delivery mode": (
        set_("triggers.3.triggerConfig.eventSinkConfig.deliveryOption.mode", "event-streaming"),
        "deliveryOption.mode: must be 'event-driven'",
    ),
    "event schema": (
        set_("triggers.3.triggerConfig.eventSinkConfig.deliveryOption.eventSchema", "RawData"),
        "eventSchema: must be 'CloudEvents'",
    ),
    "run mode": (add(EVENTS, runOptions={"mode": "event-streaming"}), "runOptions.mode: must be 'event-driven'"),
}


@pytest.mark.parametrize(("mutate", "complaint"), MUTATIONS.values(), ids=MUTATIONS.keys())
def test_a_wrong_value_is_refused_for_what_it_is(mutate: Mutation, complaint: str):
    document = copy.deepcopy(TEMPLATE)
    mutate(document)
    found = checks.problems(document, ENVIRON)
    assert [problem for problem in found if complaint in problem], found


def test_an_environment_over_4_kb_is_refused():
    assert checks.problems(TEMPLATE, ENVIRON | {"BOT_READERS": "U012345678," * 400}) == [
        "environment: larger than 4096 bytes"
    ]


CRONS = {
    "hello": False,
    "*/5 * * * *": False,
    "60 * * * * *": False,
    "0 0 24 * * *": False,
    "0 0 9-8 * * *": False,
    "0 0 9 * JANUARY *": False,
    "0 0 9 0 * *": False,
    "0 0 9 * * 8": False,
    "0 */0 * * * *": False,
    "0 0,, 9 * * *": False,
    "@every 5": False,
    "@every 0m": False,
    "@hourly": False,
    "CRON_TZ=Asia/Shangai 0 0 9 * * *": False,
    "": False,
    "0 0 9 * * *": True,
    "0 0,30 9-18/2 ? JAN-MAR MON,WED": True,
    "CRON_TZ=Asia/Shanghai 0 0 4 1 * *": True,
    "@every 15m": True,
}


@pytest.mark.parametrize(("expression", "good"), CRONS.items())
def test_a_cron_expression_is_read(expression: str, good: bool):
    document = copy.deepcopy(TEMPLATE)
    add(TIMER, cronExpression=expression)(document)
    assert (checks.problems(document, ENVIRON) == []) is good


def mappings(node: Any, path: Where = ()) -> Iterator[tuple[Where, dict[str, Any]]]:
    if isinstance(node, dict):
        yield path, node
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(value, dict | list):
            yield from mappings(value, (*path, key))


FREE = ("eventSourceParameters", "environmentVariables")  # a mapping whose keys are not fixed
LEVELS = [path for path, _ in mappings(copy.deepcopy(TEMPLATE)) if not path or path[-1] not in FREE]
KEYS = [
    (*path, key)
    for path, node in mappings(copy.deepcopy(TEMPLATE))
    for key in node
    if key != "description" and (path[-1:] != ("environmentVariables",) or key[:4] != "BOT_")
]
OPTIONAL = {"SLACK_API_URL", "ECS_ENDPOINT", "KMS_ENDPOINT", "OOS_ENDPOINT", "STS_ENDPOINT"}


def name(path: Where) -> str:
    return ".".join(map(str, path)) or "top"


@pytest.mark.parametrize("path", LEVELS, ids=name)
def test_an_unknown_key_is_refused_at_every_level(path: Where):
    document = copy.deepcopy(TEMPLATE)
    at(document, path)["misspelt"] = "anything"
    assert any("misspelt: unknown key" in problem for problem in checks.problems(document, ENVIRON))


@pytest.mark.parametrize("path", [path for path in KEYS if path[-1] not in OPTIONAL], ids=name)
def test_a_missing_key_is_noticed_at_every_level(path: Where):
    document = copy.deepcopy(TEMPLATE)
    del at(document, path[:-1])[path[-1]]
    assert checks.problems(document, ENVIRON)


def test_a_key_given_twice_is_refused():
    with pytest.raises(checks.yaml.YAMLError, match="twice: \\['timeout'\\]"):
        checks.load(SOURCE.replace("      timeout: 120", "      timeout: 120\n      timeout: 3"))


def test_a_secret_in_a_comment_is_seen():
    assert checks.secrets_in("a: 1 # not xoxb-1234")


# The vendor's schema, where it lies beside the project.


@pytest.fixture(scope="module")
def schema() -> Any:
    if not SCHEMA.exists():
        pytest.skip("no ../shared/reference/fc3.schema.json: the template is checked by our own rules only")
    return json.loads(SCHEMA.read_text())


def schema_errors(schema: Any, function: Any) -> list[str]:
    """With each trigger against the definition of its own type: the schema takes any object for any of them."""
    definitions = {"http": "IHttpTriggerConfig", "timer": "ITimerTriggerConfig", "eventbridge": "IEventBridge"}
    errors = list(jsonschema.Draft7Validator(schema).iter_errors(function))
    for trigger in function["triggers"]:
        part = schema | {"$ref": f"#/definitions/{definitions[trigger['triggerType']]}"}
        errors += jsonschema.Draft7Validator(part).iter_errors(trigger["triggerConfig"])
    return [error.message for error in errors]


def test_the_schema_of_the_component_accepts_it(schema: Any):
    assert schema_errors(schema, props(checks.resolve(copy.deepcopy(TEMPLATE), ENVIRON))) == []


@pytest.mark.parametrize("mutation", ["runtime", "region", "timeout 0", "memory", "authType foo"])
def test_and_would_not_accept_anything(schema: Any, mutation: str):
    document = copy.deepcopy(TEMPLATE)
    MUTATIONS[mutation][0](document)
    assert schema_errors(schema, props(checks.resolve(document, ENVIRON)))


def test_our_keys_are_keys_of_the_schema(schema: Any):
    shapes = [
        (checks.FUNCTION, schema),
        (checks.FUNCTION["customRuntimeConfig"], schema["definitions"]["ICustomRuntimeConfig"]),
        (checks.FUNCTION["logConfig"], schema["definitions"]["ILogConfig"]),
        (checks.FUNCTION["asyncInvokeConfig"], schema["definitions"]["IAsyncInvokeConfig"]),
        (checks.TRIGGER, schema["definitions"]["ITrigger"]),
        (checks.TRIGGER_CONFIGS["http"], schema["definitions"]["IHttpTriggerConfig"]),
        (checks.TRIGGER_CONFIGS["timer"], schema["definitions"]["ITimerTriggerConfig"]),
        (checks.TRIGGER_CONFIGS["eventbridge"], schema["definitions"]["IEventBridge"]),
    ]
    for shape, definition in shapes:
        assert {key.removesuffix("?") for key in shape} <= definition["properties"].keys()


# What brings events to the function: the triggers, and a stack for each region.

PATTERN = json.loads(EVENTS["triggerConfig"]["eventRuleFilterPattern"])
RECORDED = TOP / "tests" / "core" / "events"
RESOURCES = ROS["Resources"]


def matches(pattern: Any, event: Any) -> bool:
    """EventBridge's rule, as far as our patterns use it: in every field one of the values, or a text that begins so."""
    return all(
        any(event[key].startswith(one["prefix"]) if isinstance(one, dict) else event[key] == one for one in values)
        for key, values in pattern.items()
    )


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        ("eventbridge_task_completed", True),
        ("eventbridge_system_failure", True),
        ("eventbridge_spot_interruption", True),
        ("eventbridge_disk_stalled", True),
        ("eventbridge_mns_queue", False),
    ],
)
def test_the_rule_takes_what_the_bot_reads(event: str, wanted: bool):
    assert matches(PATTERN, json.loads((RECORDED / f"{event}.json").read_bytes())) is wanted


@pytest.mark.parametrize("kind", ["ecs:Snapshot:CreateSnapshotCompleted", "ecs:Disk:DiskOperationCompleted"])
def test_and_leaves_the_rest(kind: str):
    assert not matches(PATTERN, {"source": "acs.ecs", "type": kind})


def test_the_timers_are_those_of_the_sandbox():
    timers = [trigger for trigger in props(TEMPLATE)["triggers"] if trigger["triggerType"] == "timer"]
    found = {one["triggerName"]: one["triggerConfig"] for one in timers}
    minutes = {name: int(one["cronExpression"].removeprefix("@every ")[:-1]) for name, one in found.items()}
    assert {name: (minutes[name] * 60, one["payload"]) for name, one in found.items()} == TIMERS


def test_the_stack_makes_the_same_trigger_and_the_same_rule():
    trigger, rule = RESOURCES["Trigger"]["Properties"], RESOURCES["Rule"]["Properties"]
    assert trigger["TriggerConfig"] == EVENTS["triggerConfig"]
    assert trigger["TriggerName"] == EVENTS["triggerName"]  # so that both at once are refused
    assert rule["FilterPattern"] == PATTERN
    assert rule["EventBusName"] == "default"
    assert ROS["Parameters"]["FunctionName"]["Default"] == props(TEMPLATE)["functionName"]


def test_other_regions_pass_their_events_to_the_bus_that_invokes_the_function():
    (target,) = RESOURCES["Rule"]["Properties"]["Targets"]
    bus, home = RESOURCES["Bus"]["Properties"]["EventBusName"], RESOURCES["RuleOfBus"]["Properties"]
    assert target["Endpoint"]["Fn::Sub"].endswith(f":eventbus/{bus}")
    assert parameters(target)["EventBusName"] == home["EventBusName"] == bus != "default"
    assert parameters(target)["RegionId"] == {"Ref": "FunctionRegion"}
    assert parameters(home["Targets"][0])["InvocationType"] == "Async"
    bodies = [one for rule in ("Rule", "RuleOfBus") for one in RESOURCES[rule]["Properties"]["Targets"][0]["ParamList"]]
    assert [one for one in bodies if one["Form"] != "CONSTANT"] == [{"ResourceKey": "Body", "Form": "ORIGINAL"}] * 2


def parameters(target: Any) -> dict[str, Any]:
    return {one["ResourceKey"]: one.get("Value") for one in target["ParamList"]}


ROS_PROPERTIES = {
    "ALIYUN::FC3::Trigger": {"FunctionName", "TriggerName", "TriggerType", "Qualifier", "TriggerConfig"},
    "ALIYUN::EventBridge::EventBus": {"EventBusName", "Description"},
    "ALIYUN::EventBridge::Rule": {"EventBusName", "RuleName", "Description", "Status", "FilterPattern", "Targets"},
}
PSEUDO = {"ALIYUN::Region", "ALIYUN::TenantId"}


def test_the_stack_has_the_shape_of_ros():
    """No tool checks one offline, so names are compared with those of the vendor's pages on each resource."""
    assert ROS["ROSTemplateFormatVersion"] == "2015-09-01"
    for resource in RESOURCES.values():
        assert set(resource["Properties"]) == ROS_PROPERTIES[resource["Type"]]
        assert resource["Condition"] in ROS["Conditions"]
        assert resource.get("DependsOn", "Bus") in RESOURCES
    names = {node["Ref"] for _, node in mappings(ROS) if "Ref" in node}
    names |= {name for _, node in mappings(ROS) for name in re.findall(r"\$\{(.+?)\}", node.get("Fn::Sub", ""))}
    assert names == {*ROS["Parameters"], *PSEUDO}


# What the function may do.

POLICY = json.loads((TOP / "deploy" / "ram-policy.json").read_text())
TRUST = json.loads((TOP / "deploy" / "ram-trust.json").read_text())


def test_the_policy_reads_and_calls_the_function_itself():
    ecs, fc, log, ots = POLICY["Statement"]
    assert {statement["Effect"] for statement in POLICY["Statement"]} == {"Allow"}
    # DescribeRegions needs no permission.
    assert set(ecs["Action"]) == {
        "ecs:DescribeInvocationResults",
        "ecs:DescribeInvocations",
        "ecs:DescribeCommands",
        "ecs:DescribeCloudAssistantStatus",
        "ecs:DescribeInstances",
    }
    function = props(TEMPLATE)
    arn = f"acs:fc:*:*:functions/{function['functionName']}"
    assert (fc["Action"], fc["Resource"]) == ("fc:InvokeFunction", [arn, f"{arn}/*"])  # itself, and its versions
    # A function with a role of its own writes its log with that role.
    logstore = f"acs:log:*:*:project/*/logstore/{function['logConfig']['logstore']}"
    assert (log["Action"], log["Resource"]) == ("log:PostLogStoreLogs", logstore)
    # Rows only: the table is made by a person (python -m bot init).
    rows = {"GetRow", "PutRow", "UpdateRow", "DeleteRow", "BatchWriteRow", "GetRange"}
    assert set(ots["Action"]) == {f"ots:{action}" for action in rows}
    assert ots["Resource"] == f"acs:ots:*:*:instance/*/table/{TABLE}"


def test_only_function_compute_may_take_the_role():
    (statement,) = TRUST["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": ["fc.aliyuncs.com"]},
    }


@pytest.mark.parametrize("file", sorted((TOP / "deploy").iterdir()), ids=lambda file: file.name)
def test_no_secret_lies_in_the_deployment_files(file: Path):
    assert not file.is_file() or checks.secrets_in(file.read_text()) == []


# What the function is made of.


@pytest.fixture(scope="module")
def pack() -> Any:
    loader = importlib.machinery.SourceFileLoader("pack", str(TOP / "deploy" / "pack"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("pack", loader))
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = writes
    return module


def test_the_package_lies_where_the_template_looks(pack: Any):
    function = props(TEMPLATE)
    assert TOP / function["code"] == pack.DIST


WHEEL = {
    "thing-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n",
    "thing-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "thing-1.0.dist-info/RECORD": "",
}


def test_packing_without_the_right_python_says_what_is_missing(pack: Any, tmp_path: Path):
    with pytest.raises(SystemExit, match=r"no python3.11 on PATH \(this is 3.12\)"):
        pack.find_python((3, 12), str(tmp_path))


@pytest.mark.parametrize("extras", [[], ["tablestore"]])
def test_packing_drops_what_is_never_imported(pack: Any, tmp_path: Path, extras: list[str]):
    kept = ["a/b.py", "a/b.so", "a-1.dist-info/METADATA", "a-1.dist-info/licenses/LICENSE"]
    kept += ["slack_bolt/adapter/__init__.py", "slack_bolt/adapter/flask/handler.py", "slack_sdk/web/client.py"]
    dropped = [
        "a/b.pyi",
        "a/py.typed",
        "a/tests/t.py",
        "a/tests/tests/t.py",
        "a-1.dist-info/RECORD",
        "bin/a",
        "_cffi_backend.so",
    ]
    dropped += ["cffi/api.py", "slack/__init__.py", "slack_bolt/adapter/socket_mode/a.py"]
    dropped += ["slack_sdk/web/legacy_client.py", "slack_sdk/rtm/__init__.py"]
    (kept if extras else dropped).append("aiohttp/client.py")
    for file in kept + dropped:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    pack.trim(tmp_path, extras)
    assert {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()} == set(kept)


@pytest.mark.parametrize(
    ("arguments", "store", "extras"),
    [
        ([], "", []),
        ([], "sqlite:////mnt/nas/bot.sqlite3", []),
        (["--with", "tablestore"], "", ["tablestore"]),
        (["--with=tablestore"], "tablestore://bot.cn-hangzhou", ["tablestore"]),
        ([], "tablestore://bot.cn-hangzhou", ["tablestore"]),
    ],
)
def test_the_client_of_a_store_is_packed_where_it_is_asked_for(
    pack: Any, arguments: list[str], store: str, extras: list[str]
):
    assert pack.options(arguments, {"BOT_STORE": store}).extras == extras


def test_what_cannot_be_packed_is_refused(pack: Any):
    with pytest.raises(SystemExit):
        pack.options(["--with", "redis"], {})


@pytest.mark.parametrize("published", ["as it was locked", "under the same name and version, by somebody else"])
def test_a_file_that_is_not_the_locked_one_is_refused(
    pack: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], published: str
):
    index, lock = tmp_path / "index", tmp_path / "requirements.lock"
    wheel, locked = index / "thing-1.0-py3-none-any.whl", "as it was locked"
    index.mkdir()
    hashes = []
    for content in (locked, published):
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, text in (("thing.py", f"# {content}\n"), *WHEEL.items()):
                archive.writestr(zipfile.ZipInfo(name), text)  # without the time, which would be in the hash
        hashes.append(hashlib.sha256(wheel.read_bytes()).hexdigest())
    lock.write_text(f"thing==1.0 --hash=sha256:{hashes[0]}\n")
    monkeypatch.setitem(pack.LOCKS, "", lock)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    if published == locked:
        pack.install(sys.executable, tmp_path / "code", [])
        assert (tmp_path / "code" / "thing.py").read_text() == f"# {published}\n"
    else:
        with pytest.raises(SystemExit, match="pip refused or failed"):
            pack.install(sys.executable, tmp_path / "code", [])
        assert "DO NOT MATCH THE HASHES" in capfd.readouterr().err
        assert not (tmp_path / "code").exists()


def test_its_byte_code_is_valid_whatever_the_time_of_a_file(pack: Any, tmp_path: Path):
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "a.py").write_text("def f(): ...\n")
    pack.compile_all(sys.executable, tmp_path)
    (compiled,) = tmp_path.rglob("*.pyc")
    code = compiled.read_bytes()
    assert int.from_bytes(code[4:8], "little") == 0b01  # by hash, and the hash is not looked at
    assert b"/code/bot/a.py" in code
    assert str(tmp_path).encode() not in code


def test_every_package_that_comes_as_source_is_a_requirement(pack: Any):
    required = {line.split("==")[0].lower() for line in (TOP / "requirements.txt").read_text().splitlines()}
    assert set(pack.PURE_PYTHON_SOURCES) <= required
