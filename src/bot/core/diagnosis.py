"""What an ErrorCode of Cloud Assistant means: the reason in words, whether it proves that nothing ran, what next.

Codes: API page DescribeInvocationResults and the vendor's troubleshooting page, which names more. ErrorInfo is
prose that changes between editions, so only the code is matched.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """`never_ran` is True only where the code proves it; `next_step` is one line, maybe empty."""

    words: str
    next_step: str = ""
    never_ran: bool = False


_START_AGENT = "start the agent on the instance: systemctl start aliyun (Windows: service Aliyun Assist Service)"
_FIX_SCHEDULE = "correct the frequency of the command and run it again"
_FIX_COMMAND = "correct the command and run it again"
_FIX_CONTAINER = "check the container's name and that it is running, then run the command again"
_PARTLY = "it may have run in part; look at the instance before a rerun"


def _never(words: str, next_step: str) -> Reason:
    return Reason(words, next_step, never_ran=True)


REASONS: dict[str, Reason] = {
    "InstanceNotExists": _never("instance does not exist", "take it off the list of targets"),
    "InstanceReleased": Reason("instance was released", "take it off the list of targets"),
    "InstanceNotRunning": _never("instance was not running", "start the instance, then run the command again"),
    "InstanceRestarted": Reason("instance restarted during the run", _PARTLY),
    "ClientRestarted": Reason("agent restarted during the run", _PARTLY),
    "InstanceDeregistered": Reason("managed instance was deregistered", "register it again"),
    "CommandNotApplicable": _never("command type does not fit the operating system", _FIX_COMMAND),
    "AccountNotExists": _never("the user to run as does not exist", "create the user or name another one"),
    "DirectoryNotExists": _never("working directory does not exist", "create it or name another one"),
    "DefaultWorkingDirectoryNotAvailable": _never("no working directory", "name a working directory that exists"),
    "BadCronExpression": _never("schedule cannot be read", _FIX_SCHEDULE),
    "CronExpressionExpired": _never("schedule lies in the past", _FIX_SCHEDULE),
    "InvalidRateExpression": _never("schedule cannot be read", _FIX_SCHEDULE),
    "RateFrequencyTooLarge": _never("schedule is longer than 7 days", _FIX_SCHEDULE),
    "InvalidAtExpression": _never("schedule cannot be read", _FIX_SCHEDULE),
    "AtExpressionExpired": _never("schedule lies in the past", _FIX_SCHEDULE),
    "InvalidGMTOffsetForTimezone": _never("time zone of the schedule is wrong", _FIX_SCHEDULE),
    "InvalidGMTOffsetHourForTimezone": _never("time zone of the schedule is wrong", _FIX_SCHEDULE),
    "InvalidGMTOffsetMinuteForTimezone": _never("time zone of the schedule is wrong", _FIX_SCHEDULE),
    "TimezoneInformationCorrupt": _never("time zone files are missing on the instance", "install tzdata there"),
    "ClientNotRunning": _never("agent not running or not installed", _START_AGENT),
    "ClientNotOnline": _never("agent not online", "restart the agent: systemctl restart aliyun"),
    "ClientNetworkBlocked": _never(
        "network of the instance is broken", "allow TCP 443 and 80 out to the region's axt.aliyun.com address"
    ),
    "SecurityGroupRuleDenied": _never("a security group blocks the agent", "allow the rule that the message names"),
    "ClientNotResponse": Reason("agent did not answer", _PARTLY),
    "ClientIsUpgrading": _never("agent was upgrading", "wait a minute, then run the command again"),
    "ClientNeedUpgrade": _never("agent is too old", "upgrade the agent"),
    "DeliveryTimeout": _never("the command never reached the agent", "nothing ran, so a rerun is safe"),
    "ExecutionTimeout": Reason("ran past its time limit", "raise the command's Timeout, or look why it hangs"),
    "ExecutionException": Reason("exception while running", _PARTLY),
    "ExecutionInterrupted": Reason("run was interrupted", _PARTLY),
    "TerminationException": Reason("could not be stopped", "stop it again"),
    "InvalidSystemBuiltInParameter": _never("a built-in parameter is wrong", _FIX_COMMAND),
    "InvalidCommandText": _never("the command's text cannot be read", _FIX_COMMAND),
    "CommandContentDecodeError": _never("the command's text cannot be decoded", _FIX_COMMAND),
    "InvalidContainerName": _never("container name is wrong", _FIX_CONTAINER),
    "InvalidContainerId": _never("container id is wrong", _FIX_CONTAINER),
    "UnsupportedContainerRuntime": _never("container runtime is not supported", _FIX_CONTAINER),
    "ContainerConnectFailed": _never("container could not be reached", _FIX_CONTAINER),
    "ContainerStateAbnormal": _never("container is not running", _FIX_CONTAINER),
    "ContainerNotFound": _never("container not found", _FIX_CONTAINER),
    "ContainerNameDuplicated": _never("more than one container has this name", _FIX_CONTAINER),
    "ContainerNameAndIdNotMatch": _never("container name and id do not match", _FIX_CONTAINER),
    "UserOrPasswordInvalid": _never("user or password is wrong", "correct the Windows user or its password"),
    "QueryParameterStoreFailed": _never("password could not be read", "check the parameter store and the role"),
    "InstanceRoleInvalid": _never("instance role is missing or wrong", "attach the RAM role to the instance"),
}

# Says only what the exit code says better.
_NO_REASON = frozenset({"", "ExitCodeNonzero"})


def reason(error_code: str) -> Reason | None:
    """The reason behind a code; None where there is no code or the exit code says it better."""
    if error_code in _NO_REASON:
        return None
    return REASONS.get(error_code) or Reason(error_code)


def proves_never_ran(error_code: str) -> bool:
    known = REASONS.get(error_code)
    return known is not None and known.never_ran
