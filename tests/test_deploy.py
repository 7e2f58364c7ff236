"""`make deploy` and `make remove`, with an `s` and an `aliyun` on the PATH that write down what they were asked."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from template_checks import load

TOP = Path(__file__).resolve().parent.parent
ROS = load((TOP / "deploy" / "ros.yml").read_text())
TEMPLATE = (TOP / "template.yml").read_text()
NAME = "cloud-assistant-in-slack"
ADDRESS = "https://cloud-assabc-xyz.cn-hangzhou.fcapp.run"
GIVEN = {
    "SLACK_SIGNING_SECRET": "made-up-signing",
    "SLACK_BOT_TOKEN": "made-up-token",
    "DEPLOY_LOG_PROJECT": "made-up-logs",
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "made-up-id",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "made-up-secret",
}

S = f"""#!/bin/sh
echo "s $*" >> "$CALLS"
case "$*" in *" -y") ;; *) printf "? Are you sure "; read -r answer || exit 1 ;; esac
[ "$1" = deploy ] && echo "    system_url: {ADDRESS}"
exit "${{S_STATUS:-0}}"
"""
# Keeps each stack as a file that holds its status.
ALIYUN = """#!/bin/sh
action=$2 region=$4
bus=$(echo "$*" | grep -o 'OtherRegions --Parameters.[0-9].ParameterValue [a-z]*')
echo "aliyun $action $region $6 $bus" >> "$CALLS"
[ "$action" = "$REFUSED" ] && { echo "$REFUSAL" >&2; exit 1; }
case $action in
ListStacks) found=; for file in "$STACKS/$region-$6"; do
  [ -f "$file" ] && found="{\\"StackId\\": \\"$region-$6\\", \\"Status\\": \\"$(cat "$file")\\"}"; done
  echo "{\\"Stacks\\": [$found]}" ;;
CreateStack) printf "%s" "${CREATED:-CREATE_COMPLETE}" > "$STACKS/$region-$6"; printf "%s\\n" "$@" > "$STACKS/asked"
  echo '{}' ;;
UpdateStack) printf UPDATE_COMPLETE > "$STACKS/$6"; echo '{}' ;;
DeleteStack) rm "$STACKS/$6"; echo '{}' ;;
esac
"""
# Stands for the long steps, which have tests of their own: packing, and `python -m bot init`.
PACK = """import os, sys
open(os.environ["CALLS"], "a").write("pack\\n")
"""


@pytest.fixture(scope="module")
def plan():
    spec = importlib.util.spec_from_file_location("plan", TOP / "deploy" / "plan.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["plan"] = module  # dataclasses look there
    spec.loader.exec_module(module)
    yield module
    del sys.modules["plan"]


class Place:
    """A checkout of its own, whose `deploy/pack` only says that it was called, and a PATH with what is put there."""

    def __init__(self, folder: Path) -> None:
        self.top, self.bin, self.home = folder / "top", folder / "bin", folder / "home"
        self.stacks, self.calls = folder / "stacks", folder / "calls"
        for one in (self.bin, self.home, self.stacks):
            one.mkdir()
        shutil.copytree(TOP / "deploy", self.top / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(TOP / "template.yml", self.top)
        (self.top / "src").symlink_to(TOP / "src")
        (self.top / "deploy" / "pack").write_text(PACK)
        for tool in ("grep", "cat", "rm", "sh"):
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.put("s", S)
        self.put("aliyun", ALIYUN)
        self.environment = dict(GIVEN)

    def put(self, name: str, script: str) -> None:
        (self.bin / name).write_text(script)
        (self.bin / name).chmod(0o755)

    def run(self, *options: str, typed: str = "", **changes: str) -> subprocess.CompletedProcess[str]:
        own = {"PATH": str(self.bin), "HOME": str(self.home), "CALLS": str(self.calls), "STACKS": str(self.stacks)}
        return subprocess.run(
            [sys.executable, "-B", self.top / "deploy" / "deploy", *options],
            env={**own, "DEPLOY_STACK_SECONDS": "2", **self.environment, **changes},
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def asked(self) -> list[str]:
        """What was started, looking aside."""
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        return [line.strip() for line in lines if "ListStacks" not in line]


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_role_package_and_function_are_made_in_this_order_and_the_address_is_told(place):
    done = place.run()
    assert done.returncode == 0, done.stderr
    assert place.asked == [f"aliyun CreateStack cn-hangzhou {NAME}", "pack", "s deploy -t template.yml -y"]
    assert f"Address: {ADDRESS}\n" in done.stdout
    assert f"python -m bot manifest --url {ADDRESS}" in done.stdout
    for secret in ("made-up-signing", "made-up-token", "made-up-secret"):
        assert secret not in done.stdout + done.stderr


def test_the_role_gets_the_policy_that_lies_beside_it(place):
    assert place.run().returncode == 0
    asked = (place.stacks / "asked").read_text()
    for name in ("ram-policy.json", "ram-trust.json"):
        assert (TOP / "deploy" / name).read_text().strip() in asked
    assert (TOP / "deploy" / "ros.yml").read_text().strip() in asked


def test_started_again_it_brings_up_to_date_what_is_there(place):
    assert place.run().returncode == 0
    assert place.run().returncode == 0
    assert place.asked[3:] == [
        f"aliyun UpdateStack cn-hangzhou cn-hangzhou-{NAME}",
        "pack",
        "s deploy -t template.yml -y",
    ]


def test_a_stack_that_is_as_it_should_be_is_left_so(place):
    assert place.run().returncode == 0
    done = place.run(REFUSED="UpdateStack", REFUSAL="NotSupported: Update the completely same stack is not supported.")
    assert done.returncode == 0, done.stderr


def test_a_refusal_ends_it_and_is_told(place):
    done = place.run(REFUSED="CreateStack", REFUSAL="Forbidden: no ros:CreateStack")
    assert done.returncode == 1
    assert "aliyun ros CreateStack in cn-hangzhou was refused: Forbidden: no ros:CreateStack" in done.stderr
    assert place.asked == [f"aliyun CreateStack cn-hangzhou {NAME}"]


def test_a_stack_that_fails_ends_it_and_is_told(place):
    done = place.run(CREATED="CREATE_FAILED")
    assert done.returncode == 1
    assert f"The stack {NAME} in cn-hangzhou: CREATE_FAILED." in done.stderr


def test_a_stack_that_takes_too_long_ends_it_and_is_told(place):
    done = place.run(CREATED="CREATE_IN_PROGRESS", DEPLOY_STACK_SECONDS="0.3")
    assert done.returncode == 1
    assert "is not done after 0 s; start again later" in done.stderr


def test_a_deployment_that_fails_ends_it_and_is_told(place):
    done = place.run(S_STATUS="3")
    assert (done.returncode, "Address" in done.stdout) == (1, False)
    assert "This failed: s deploy -t template.yml -y." in done.stderr


def test_all_that_is_missing_is_said_at_once_and_nothing_is_done(place):
    place.environment.clear()
    (place.bin / "s").unlink()
    done = place.run(BOT_TIMEZONE="Mars/Phobos")
    assert done.returncode == 1
    assert [line.split(" ")[1] for line in done.stderr.splitlines()[1:]] == [
        "SLACK_SIGNING_SECRET",
        "SLACK_BOT_TOKEN",
        "BOT_TIMEZONE",
        "DEPLOY_LOG_PROJECT",
        "Serverless",
        "The",
    ]
    assert "npm install -g @serverless-devs/s" in done.stderr
    assert "aliyun configure" in done.stderr
    assert place.asked == []


def test_what_is_needed_may_stand_in_a_file_beside_the_template(place):
    lines = [f'export {key}="{value}" # from the app page' for key, value in GIVEN.items()]
    (place.top / ".env").write_text("\n".join(["# mine", *lines, "DEPLOY_REGION=cn-beijing"]))
    place.environment.clear()
    assert place.run().returncode == 0
    assert place.asked[0] == f"aliyun CreateStack cn-beijing {NAME}"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("BOT_STORE=a", "a"),
        ("  export BOT_STORE = a b  # where", "a b"),
        ("BOT_STORE: a", "a"),
        ("BOT_STORE=kms:name#key", "kms:name"),
        ("BOT_STORE='kms:name#key'#x", "kms:name#key"),
        ('BOT_STORE="a # b" # c', "a # b"),
        ('BOT_STORE="a\\nb\nc"', "a\nb\nc"),
        ("BOT_STORE='a\\nb'", "a\\nb"),
        ("BOT_STORE=`a`", "a"),
        ('BOT_STORE="a"b', '"a"b'),
        ('BOT_STORE="a', '"a'),
        ("BOT_STORE=", ""),
        ("BOT_STORE=a\nBOT_STORE=b", "b"),
        ("\ufeffBOT_STORE=a", "a"),
        ("# BOT_STORE=a", None),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_file_is_read_as_s_reads_it(plan, line, value, end):
    """The values are what `s preview` (3.1.10) shows for these lines."""
    text = f"{line}\nBOT_LANGUAGE=zh\n".replace("\n", end)
    assert plan.environment_of(text).get("BOT_STORE") == value
    assert plan.environment_of(text)["BOT_LANGUAGE"] == "zh"


def test_keys_that_the_tools_keep_themselves_will_do(place):
    for name in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"):
        del place.environment[name]
    assert "s config add" in place.run().stderr
    for file in (".s/access.yaml", ".aliyun/config.json"):
        (place.home / file).parent.mkdir()
        (place.home / file).touch()
    assert place.run().returncode == 0


def test_a_dry_run_prints_the_steps_and_does_none(place):
    done = place.run("--dry", BOT_REGIONS="cn-hangzhou,cn-shanghai")
    assert done.returncode == 0
    for command in ("aliyun ros CreateStack", "deploy/pack", "s deploy -t template.yml -y", "deploy/ros-events.yml"):
        assert command in done.stdout
    assert place.asked == []


def test_other_regions_get_a_stack_each_after_the_bus_that_they_pass_to(place):
    assert place.run(BOT_REGIONS="cn-shanghai, cn-hangzhou, cn-beijing").returncode == 0
    events = f"{NAME}-events"
    assert place.asked[3:] == [
        f"aliyun CreateStack cn-hangzhou {events} OtherRegions --Parameters.2.ParameterValue true",
        f"aliyun CreateStack cn-shanghai {events}",
        f"aliyun CreateStack cn-beijing {events}",
    ]


def test_without_the_cli_it_says_what_to_make_in_the_console_and_goes_on(place):
    (place.bin / "aliyun").unlink()
    done = place.run(BOT_REGIONS="cn-hangzhou,cn-shanghai")
    assert done.returncode == 0
    assert "RAM, Roles: a role cloud-assistant-in-slack" in done.stdout
    assert "cn-shanghai: cloud-assistant-in-slack-events of deploy/ros-events.yml" in done.stdout
    assert place.asked == ["pack", "s deploy -t template.yml -y"]


def test_removing_undoes_it_backwards(place):
    assert place.run(BOT_REGIONS="cn-hangzhou,cn-shanghai").returncode == 0
    place.calls.unlink()
    done = place.run("--remove", typed=f"{NAME}\n", BOT_REGIONS="cn-hangzhou,cn-shanghai")
    assert done.returncode == 0, done.stderr
    assert place.asked == [
        f"aliyun DeleteStack cn-shanghai cn-shanghai-{NAME}-events",
        f"aliyun DeleteStack cn-hangzhou cn-hangzhou-{NAME}-events",
        "s remove -t template.yml -y",
        f"aliyun DeleteStack cn-hangzhou cn-hangzhou-{NAME}",
    ]
    assert [one.name for one in place.stacks.iterdir()] == ["asked"]


def test_removing_what_is_not_there_is_fine(place):
    done = place.run("--remove", "--yes")
    assert done.returncode == 0
    assert "is not there" in done.stdout
    assert place.asked == ["s remove -t template.yml -y"]


def test_nothing_is_removed_unless_its_name_is_typed(place):
    done = place.run("--remove", typed="yes\n")
    assert done.stderr == "Nothing was removed.\n"
    assert place.asked == []


# The plan itself


def commands(steps):
    return [" ".join(one.command[1:]) for one in steps if hasattr(one, "command")]


def test_a_store_in_tablestore_is_made_and_removed_too(plan):
    want = plan.wanted({"BOT_STORE": "tablestore://bot.cn-hangzhou"})
    role, *rest = plan.deploy(want, ["s", "aliyun"], "python")
    assert ("StoreInstance", "bot") in role.parameters
    assert commands(rest) == ["-m bot init", "deploy/pack", "deploy -t template.yml -y"]
    assert commands(plan.remove(want, ["s", "aliyun"], "python")) == ["remove -t template.yml -y", "-m bot init --undo"]


def test_a_store_in_another_region_is_the_persons_own(plan):
    want = plan.wanted({"BOT_STORE": "tablestore://bot.cn-shanghai"})
    assert "StoreInstance" not in dict(plan.deploy(want, ["s", "aliyun"], "python")[0].parameters)


def test_a_trigger_that_s_refuses_is_made_by_the_stack_of_events(plan):
    *_, last = plan.deploy(plan.wanted({"DEPLOY_MAKE_TRIGGER": "yes"}), ["s", "aliyun"], "python")
    assert (last.template, dict(last.parameters)["MakeTrigger"]) == ("deploy/ros-events.yml", "true")


def test_without_the_cli_removing_names_what_is_left(plan):
    want = plan.wanted({"BOT_STORE": "tablestore://bot.cn-hangzhou", "BOT_REGIONS": "cn-beijing"})
    *_, last = plan.remove(want, ["s"], "python")
    assert "the stack cloud-assistant-in-slack-events in cn-beijing" in plan.printed(last)
    assert "the instance bot" in plan.printed(last)
    told = plan.deploy(want, ["s"], "python")[0]
    assert "2. Tablestore, in cn-hangzhou: an instance bot" in plan.printed(told)


def test_its_names_are_those_of_the_template(plan):
    props = load(TEMPLATE)["resources"]["bot"]["props"]
    assert plan.NAME == props["functionName"] == props["role"]
    assert f"'{plan.HOME_REGION}'" in load(TEMPLATE)["vars"]["region"]
    assert plan.required(TEMPLATE) == ["DEPLOY_LOG_PROJECT", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"]


def test_every_parameter_is_one_of_its_template(plan):
    want = plan.wanted(
        {
            "BOT_STORE": "tablestore://bot.cn-hangzhou",
            "BOT_ACCOUNTS": f"own@cn-beijing,prod={PROD}",
            "DEPLOY_MAKE_TRIGGER": "yes",
        }
    )
    stacks = [one for one in plan.deploy(want, ["s", "aliyun"], "python") if hasattr(one, "parameters")]
    assert len(stacks) == 3
    for one in stacks:
        assert dict(one.parameters).keys() <= load((TOP / one.template).read_text())["Parameters"].keys()
        files = [value[1:] for _, value in one.parameters if value.startswith("@")]
        assert all(json.loads((TOP / file).read_text()) for file in files)


ROS_PROPERTIES = {
    "ALIYUN::RAM::Role": {"RoleName", "Description", "AssumeRolePolicyDocument", "Policies"},
    "ALIYUN::OTS::InstanceV2": {"InstanceName", "InstanceDescription", "ClusterType", "NetworkTypeACL"},
}


def test_the_stack_has_the_shape_of_ros(plan):
    """No tool checks one offline, so names are compared with those of the vendor's pages on each resource."""
    assert ROS["ROSTemplateFormatVersion"] == "2015-09-01"
    for resource in ROS["Resources"].values():
        assert set(resource["Properties"]) == ROS_PROPERTIES[resource["Type"]]
        assert resource.get("Condition", "WithStore") in ROS["Conditions"]
    assert ROS["Parameters"]["RoleName"]["Default"] == plan.NAME
    assert ROS["Resources"]["Store"]["Properties"]["NetworkTypeACL"][0] == "INTERNET"


# A bot token that is named by reference


@pytest.mark.parametrize(
    ("token", "key", "allowed"),
    [
        ("kms:slack#bot", "", {"kms:GetSecretValue": "acs:kms:*:*:secret/slack"}),
        (
            "oos:bots/slack",
            "key-1",
            {
                "oos:GetSecretParameter": "acs:oos:*:*:secretparameter/bots/slack",
                "kms:GetSecretValue": "acs:kms:*:*:secret/oos/bots/slack",
                "kms:Decrypt": "acs:kms:*:*:key/key-1",
            },
        ),
    ],
)
def test_the_role_may_read_the_one_secret_that_is_named(place, plan, token, key, allowed):
    named = {"SLACK_BOT_TOKEN": token, "DEPLOY_SECRET_KEY": key}
    assert place.run(**named).returncode == 0
    asked = (place.stacks / "asked").read_text().splitlines()
    parameters = dict(zip(asked, asked[2:], strict=False))  # …ParameterKey, the key, …ParameterValue, the value
    assert parameters["Secret"] == token.removesuffix("#bot")
    statements = json.loads(parameters["SecretPolicy"])["Statement"]
    assert {one["Action"]: one["Resource"] for one in statements} == allowed
    by_hand = place.run("--dry", PATH=str(place.bin / "nowhere"), **named).stdout
    assert plan.secret_policy(plan.wanted({**GIVEN, **named})) in by_hand


def test_a_role_whose_bot_has_its_token_in_the_environment_may_read_no_secret(place):
    assert place.run().returncode == 0
    asked = (place.stacks / "asked").read_text().splitlines()
    assert "SecretPolicy" not in asked
    policies = ROS["Resources"]["Role"]["Properties"]["Policies"]
    assert policies[1]["Fn::If"][0] == "WithSecret"
    assert policies[1]["Fn::If"][2] == {"Ref": "ALIYUN::NoValue"}
    assert ROS["Conditions"]["WithSecret"] == {"Fn::Not": {"Fn::Equals": [{"Ref": "Secret"}, ""]}}
    assert "kms:" not in (TOP / "deploy" / "ram-policy.json").read_text()


def test_a_signing_secret_by_reference_is_refused_before_anything_is_made(place):
    done = place.run(SLACK_SIGNING_SECRET="kms:signing")
    assert done.returncode == 1
    assert "SLACK_SIGNING_SECRET cannot be a reference" in done.stderr
    assert place.asked == []


# Accounts


PROD = "acs:ram::1111111111111111:role/reader"
STAGE = "acs:ram::2222222222222222:role/viewer"


def test_the_role_may_take_on_the_roles_of_other_accounts_and_no_others(plan):
    accounts = f"own@cn-hangzhou|cn-beijing, prod={PROD}@cn-shanghai,stage={STAGE}"
    want = plan.wanted({"BOT_ACCOUNTS": accounts, "BOT_REGIONS": "cn-shenzhen"})
    role, *rest = plan.deploy(want, ["s", "aliyun"], "python")
    assert dict(role.parameters)["Roles"] == f"{PROD},{STAGE}"
    assert "take on the roles of BOT_ACCOUNTS" in role.why
    # Events are brought from the regions of the function's own account.
    assert [one.region for one in rest if hasattr(one, "parameters")] == ["cn-hangzhou", "cn-beijing"]
    told = plan.printed(plan.deploy(want, ["s"], "python")[0])
    assert f'"Action":"sts:AssumeRole","Resource":["{PROD}", "{STAGE}"]' in told
    elsewhere = plan.wanted({"BOT_ACCOUNTS": f"prod={PROD}", "BOT_REGIONS": "cn-shenzhen"})
    assert elsewhere.regions == ()
    assert plan.wanted({"BOT_ACCOUNTS": "own", "BOT_REGIONS": "cn-shenzhen"}).regions == ("cn-shenzhen",)
    condition, policy, nothing = ROS["Resources"]["Role"]["Properties"]["Policies"][2]["Fn::If"]
    assert (condition, nothing) == ("WithRoles", {"Ref": "ALIYUN::NoValue"})
    assert ROS["Conditions"]["WithRoles"] == {"Fn::Not": {"Fn::Equals": [{"Ref": "Roles"}, ""]}}
    [statement] = policy["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("sts:AssumeRole", {"Fn::Split": [",", {"Ref": "Roles"}]})


def test_the_role_in_another_account_may_read_the_same_and_trusts_the_functions_role_alone(plan):
    reader = load((TOP / "deploy" / "ros-reader.yml").read_text())
    role = reader["Resources"]["Role"]["Properties"]
    assert set(role) == ROS_PROPERTIES["ALIYUN::RAM::Role"]
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"RAM": [{"Fn::Sub": "acs:ram::${FunctionAccount}:role/${FunctionRole}"}]}
    assert reader["Parameters"]["FunctionRole"]["Default"] == plan.NAME
    [policy] = role["Policies"]
    ours = json.loads((TOP / "deploy" / "ram-policy.json").read_text())["Statement"][0]
    assert policy["PolicyDocument"]["Statement"] == [ours]


def test_the_doctor_tries_what_the_file_says_in_the_functions_region(place):
    (place.top / ".env").write_text("SLACK_BOT_TOKEN='kms:slack#bot'\nDEPLOY_REGION=cn-beijing\n")
    place.environment = {"SLACK_SIGNING_SECRET": "made-up-signing"}  # without keys nobody is asked
    done = place.run("--doctor", "--prove-read-only")
    assert done.returncode == 1
    assert "✔ settings: read; regions cn-beijing" in done.stdout
    assert "✖ SLACK_BOT_TOKEN, kms:slack#bot in cn-beijing: NoCredentials" in done.stdout
    assert "✖ ecs:StopInvocation in cn-beijing" in done.stdout
    assert place.asked == []


def test_make_hands_its_options_on():
    dry = subprocess.run(
        [shutil.which("make"), "-n", "deploy", "remove", "doctor", "DRY=1", "ARGS=--prove-read-only"],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "deploy/deploy --dry" in dry
    assert "deploy/deploy --remove --dry" in dry
    assert "deploy/deploy --doctor --prove-read-only" in dry
