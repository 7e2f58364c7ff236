"""Why a run did not succeed: the table read back by its samples, and what comes before what."""

from __future__ import annotations

import re

import pytest

from bot.core import evidence
from bot.core.diagnosis import diagnose, proves_never_ran
from bot.core.output import Output
from bot.core.question import REASONS as KEYS
from bot.core.reasons import (
    AUTHOR,
    CODES,
    ECHO,
    EXITS,
    HALF_WAY,
    HOST,
    NETWORK,
    NOT_KNOWN,
    OUTPUTS,
    PLATFORM,
    REASONS,
    SAFE,
    Reason,
)  # fmt: skip

# The API page's codes, and those that only the troubleshooting page names.
VENDORS_CODES = (
    "InstanceNotExists InstanceReleased InstanceNotRunning InstanceRestarted ClientRestarted InstanceDeregistered "
    "CommandNotApplicable AccountNotExists DirectoryNotExists DefaultWorkingDirectoryNotAvailable BadCronExpression "
    "CronExpressionExpired InvalidRateExpression RateFrequencyTooLarge InvalidAtExpression AtExpressionExpired "
    "InvalidGMTOffsetForTimezone InvalidGMTOffsetHourForTimezone InvalidGMTOffsetMinuteForTimezone "
    "TimezoneInformationCorrupt ClientNotRunning ClientNotOnline ClientNetworkBlocked SecurityGroupRuleDenied "
    "ClientNotResponse ClientIsUpgrading ClientNeedUpgrade DeliveryTimeout ExecutionTimeout ExecutionException "
    "ExecutionInterrupted TerminationException InvalidSystemBuiltInParameter InvalidCommandText "
    "CommandContentDecodeError InvalidContainerName InvalidContainerId UnsupportedContainerRuntime "
    "ContainerConnectFailed ContainerStateAbnormal ContainerNotFound ContainerNameDuplicated "
    "ContainerNameAndIdNotMatch UserOrPasswordInvalid QueryParameterStoreFailed InstanceRoleInvalid FileAlreadyExists "
    "FileNameInvalid FilePathInvalid FileAuthorityInvalid UserGroupNotExists FileCreateFail FileContentInvalid"
)


def test_every_code_of_the_vendor_has_one_row() -> None:
    assert sorted(code for row in CODES for code in row.codes) == sorted(VENDORS_CODES.split())


def test_the_door_knows_the_keys_of_the_table() -> None:
    keys = [row.key for row in REASONS]
    assert len(set(keys)) == len(keys)
    assert {*keys, "unknown-code"} == KEYS
    assert {key for row in REASONS for key in (*row.covers, *row.also)} <= set(keys)


@pytest.mark.parametrize("row", REASONS, ids=lambda row: row.key)
def test_each_row_reads_in_a_sentence(row: Reason) -> None:
    assert row.owner in (AUTHOR, HOST, NETWORK, PLATFORM)
    assert row.rerun in (SAFE, HALF_WAY, NOT_KNOWN)
    assert row.next_step
    assert not row.next_step.endswith(".")
    assert len(row.cause) <= 60
    assert not row.cause.endswith(".")
    assert len(row.command) <= 100
    assert row.samples or row.statuses
    assert row.command or row.windows
    assert row.page.startswith("https://www.alibabacloud.com/help/en/ecs/")


# What is typed alike in both systems' shells.
EVERYWHERE = {"aliyun", "docker", "git", "kubectl", "ssh", "ssh-keygen", "mysql"}


@pytest.mark.parametrize("row", REASONS, ids=lambda row: row.key)
def test_what_can_happen_on_windows_has_a_line_to_copy_there(row: Reason) -> None:
    assert row.system or row.windows or row.command.split()[0] in EVERYWHERE


@pytest.mark.parametrize(("row", "sample"), [(row, sample) for row in OUTPUTS for sample in row.samples])
def test_a_row_finds_its_samples(row: Reason, sample: str) -> None:
    found = evidence.read(sample, row.system)
    assert found is not None
    assert found.reason is row
    assert found.certain <= (row.proven and row.depth > ECHO)


@pytest.mark.parametrize(("row", "sample"), [(row, sample) for row in EXITS for sample in row.samples])
def test_an_exit_code_counts_on_its_own_system_only(row: Reason, sample: str) -> None:
    _, code, system = sample.split()
    other = "windows" if system == "linux" else "linux"
    told = diagnose("Failed", "ExitCodeNonzero", int(code), Output(""), system)
    assert told is not None
    assert told.reason is row
    assert diagnose("Failed", "ExitCodeNonzero", int(code), Output(""), other) is None


def test_each_alternative_of_a_pattern_compiles_and_contains_its_plain_characters() -> None:
    for one in (one for row in REASONS for pattern in row.says for one in evidence.alternatives(pattern)):
        re.compile(one, re.MULTILINE)
        plain = evidence.needle(one)
        assert plain == plain.lower()
        assert plain in re.sub(r"\\(?=[^A-Za-z])", "", one)


@pytest.mark.parametrize(
    ("pattern", "needle"),
    [
        ("no space left", "no space left"),
        (r"\bdisk (?:is )?full\b", "disk "),
        (r"colou?rful", "colo"),
        (r"[abc]x+yz", "yz"),
        (r"error \d{1,3} in file", " in file"),
        (r"a\.b\)", "a.b)"),
        (r"x{0,2}abc", "abc"),
        (r"[abc]", ""),
    ],
)
def test_needle(pattern: str, needle: str) -> None:
    assert evidence.needle(pattern) == needle


def test_alternatives_stand_outside_brackets() -> None:
    assert evidence.alternatives(r"a(?:b|c)|d[|]\||e") == ["a(?:b|c)", r"d[|]\|", "e"]


@pytest.mark.parametrize("code", ["DeliveryTimeout", "ClientNotRunning", "ClientNotOnline", "InstanceNotRunning"])
def test_codes_that_prove_that_nothing_ran(code: str) -> None:
    assert proves_never_ran(code)


@pytest.mark.parametrize(
    "code",
    ["", "BrandNew", "ExitCodeNonzero", "ClientNotResponse", "InstanceRestarted", "ExecutionInterrupted",
     "ExecutionTimeout"],
)  # fmt: skip
def test_codes_that_leave_it_open(code: str) -> None:
    assert not proves_never_ran(code)


def told(
    status: str = "Failed",
    code: str = "",
    exit_code: int | None = 1,
    text: str = "",
    system: str = "",
    dropped: int = 0,
) -> tuple[str, str]:
    """The key and the cause; two empty texts where nothing is known."""
    found = diagnose(status, code, exit_code, Output(text, dropped=dropped), system)
    return (found.reason.key, found.cause) if found else ("", "")


FULL = "tar: x: No space left on device"


@pytest.mark.parametrize(
    ("fields", "key", "cause"),
    [
        ({"code": "ClientNotOnline", "text": FULL}, "agent-offline", "agent not online"),
        ({"code": "Brand\nNew", "text": FULL}, "unknown-code", "Brand New, a code that I do not know"),
        ({"status": "Terminated", "text": FULL}, "stopped", "stopped"),
        ({"status": "Odd"}, "", ""),
        ({"exit_code": 137, "text": FULL}, "killed", "looks like killed (SIGKILL), perhaps out of memory"),
        ({"exit_code": 137, "text": "Out of memory: Killed process 7 (java)"}, "oom", "out of memory"),
        ({"exit_code": 127}, "no-command", "looks like command not found"),
        ({"exit_code": 127, "text": "sh: 1: jq: not found"}, "command-not-found", "command not found"),
        ({"exit_code": 126, "text": "sh: ./x: Permission denied"}, "permission", "permission denied"),
        ({"exit_code": 1, "text": FULL}, "disk-full", "no space left"),
        ({"exit_code": 1, "text": FULL, "dropped": 9}, "disk-full", "looks like no space left"),
        ({"exit_code": 1, "text": f"{'x' * 9_000}\n{FULL}"}, "disk-full", "looks like no space left"),
        ({"exit_code": -1073741819}, "access-violation", "crashed: access violation"),
        ({"exit_code": 3221225477, "system": "windows"}, "access-violation", "crashed: access violation"),
        ({"exit_code": -2147024891}, "access-denied-status", "access denied"),
        ({"exit_code": 0x80070070, "system": "windows"}, "disk-full-status", "no space left"),
        ({"exit_code": 194}, "", ""),
        ({"exit_code": 194, "system": "linux"}, "reboot", "looks like reboots the instance, perhaps on purpose"),
        ({"exit_code": None}, "", ""),
        ({"status": "Error", "exit_code": None}, "exception", "exception while running"),
        ({"status": "Timeout", "text": "Continue? [y/N]"}, "timeout",
         "ran past its time limit, looks like waits for an answer"),
        ({"status": "Timeout", "code": "ExecutionTimeout", "text": "E: x"}, "timeout", "ran past its time limit"),
    ],
)  # fmt: skip
def test_code_before_status_before_exit_code_before_output(fields: dict[str, object], key: str, cause: str) -> None:
    assert told(**fields) == (key, cause)  # type: ignore[arg-type]


def test_the_command_to_copy_is_the_systems() -> None:
    on_windows = diagnose("Failed", "", 1, Output("There is not enough space on the disk."), "windows")
    assert on_windows is not None
    assert on_windows.command.startswith("wmic")
    assert on_windows.keys == {"disk-full"}
    hinted = diagnose("Timeout", "ExecutionTimeout", None, Output("Proceed? [y/N]"), "linux")
    assert hinted is not None
    assert hinted.keys == {"timeout", "waiting-for-input"}
    assert hinted.owner == AUTHOR
    assert hinted.next_step.startswith("run it without questions")
