"""What a question means: as parameters of the API, and as a choice among the rows that came back. Pure.

Parameter names are those of the API pages DescribeInvocations, DescribeInvocationResults and DescribeInstances.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from fnmatch import fnmatchcase
from typing import Any

from bot.core.model import Instance, Invocation
from bot.core.question import STATES, Question
from bot.core.summary import BAD, Bucket, Row, Summary, only, reason_keys
from bot.core.texts import _, counted, listed

Filters = dict[str, Any]


def shared(question: Question) -> Filters:
    """Those that both invocation APIs take."""
    filters: Filters = {}
    if question.group:
        filters["ResourceGroupId"] = question.group
    if question.tags:
        filters["Tag"] = [{"Key": key, "Value": value} for key, value in question.tags]
    return filters


def selections(question: Question) -> list[tuple[Filters, str]]:
    """DescribeInvocations takes one state, one command and one name at a time: filters, and a pattern for names.

    The API knows no wildcards in CommandName; where the pattern is not empty, names are compared here. Names of
    the question are commands' here: they were no instances'.
    """
    fixed = shared(question)
    if question.command_type:
        fixed["CommandType"] = question.command_type
    if question.repeat_mode:
        fixed["RepeatMode"] = question.repeat_mode
    states: list[Filters] = [{"InvokeStatus": value} for value in _statuses(question)]
    commands: list[Filters] = [{"CommandId": one} for one in question.commands]
    return [
        ({**fixed, **state, **command, **named}, pattern)
        for state in states or [{}]
        for command in commands or [{}]
        for named, pattern in [_named(name) for name in command_names(question)] or [({}, "")]
    ]


def of_schedules(question: Question) -> list[tuple[Filters, str]]:
    """Where failed runs are asked for, what finds the schedules among which they may be: for the API a schedule is
    going on however often it failed."""
    if "failed" not in question.states or question.repeat_mode not in ("", "Period"):
        return []
    return selections(question._replace(states=(), repeat_mode="Period"))


def command_names(question: Question) -> tuple[str, ...]:
    return (*question.names, *([question.command_name] if question.command_name else []))


def _named(name: str) -> tuple[Filters, str]:
    return ({}, name) if "*" in name else ({"CommandName": name}, "")


def _statuses(question: Question) -> list[str]:
    return list(dict.fromkeys(value for state in question.states for value in STATES[state]))


def on_instance(question: Question) -> Filters:
    """For DescribeInvocationResults of one instance."""
    one = {"CommandId": question.commands[0]} if len(question.commands) == 1 else {}
    return {**shared(question), **one}


def narrows_rows(question: Question) -> bool:
    """Whether rows are chosen after reading, so that more of them must be read."""
    chosen = question.states or question.since or question.command_name or question.reasons
    return bool(chosen or len(question.commands) > 1)


def of_address(address: str) -> list[Filters]:
    """DescribeInstances for one address: it may be private, public or elastic, and each has its own parameter."""
    if ":" in address:
        return [{"Ipv6Address": [address]}]
    text = json.dumps([address])
    return [{"PrivateIpAddresses": text}, {"PublicIpAddresses": text}, {"EipAddresses": text}]


# Rows and runs


def runs_since(runs: Iterable[Invocation], moment: datetime | None) -> tuple[Invocation, ...]:
    return tuple(run for run in runs if moment is None or run.created is None or run.created >= moment)


def targets_wanted(question: Question, ids: Iterable[str], instances: Iterable[Instance]) -> set[str]:
    """Which of the targets of a run the question names, by id, name or address."""
    wanted = set(question.instances) & set(ids)
    for instance in instances:
        named = any(fnmatchcase(instance.name, name) for name in question.names)
        if named or set(instance.addresses) & set(question.addresses):
            wanted.add(instance.id)
    return wanted


def names_targets(question: Question) -> bool:
    return bool(question.instances or question.names or question.addresses)


def with_reasons(summary: Summary, reasons: Sequence[str]) -> Summary:
    """Only the groups with one of these reasons; the counts stay those of all. All groups where none is asked for."""
    if not reasons:
        return summary
    return replace(summary, groups=tuple(group for group in summary.groups if reason_keys(group) & set(reasons)))


def reasons_there(summary: Summary) -> list[str]:
    """What could have been asked for: the first key of each group, the largest groups first."""
    told = [group.diagnosis.reason.key for group in summary.groups if group.diagnosis]
    return list(dict.fromkeys(told))


def newest(summary: Summary, most: int) -> Summary:
    """The summary of the newest rows alone, of each instance."""
    rows = sorted(
        summary.rows,
        key=lambda row: moment.timestamp() if (moment := row.result.started or row.result.finished) else 0.0,
        reverse=True,
    )
    seen: dict[str, int] = {}
    kept = set()
    for row in rows:
        number = seen[row.result.instance_id] = seen.get(row.result.instance_id, 0) + 1
        if number <= most:
            kept.add(id(row))
    return only(summary, lambda row: id(row) in kept)


def fits(row: Row, question: Question, moment: datetime | None) -> bool:
    """Whether a result is one of those asked for; one without any time is not left out for its time."""
    if question.states and not any(_in_state(row, state) for state in question.states):
        return False
    if question.commands and row.result.command_id not in question.commands:
        return False
    if question.command_name and not fnmatchcase(row.command_name, question.command_name):
        return False
    began = row.result.started or row.result.finished
    return moment is None or began is None or began >= moment


def _in_state(row: Row, state: str) -> bool:
    """What people mean by these words of one instance; the API's filter looks at whole runs."""
    if state in _BUCKETS:
        return row.bucket in _BUCKETS[state]
    return row.result.status in _STATUSES[state]


_BUCKETS = {
    "failed": frozenset(BAD),
    "success": frozenset({Bucket.SUCCEEDED}),
    "finished": frozenset({*BAD, Bucket.SUCCEEDED}),
}
_STATUSES = {
    "running": frozenset({"Running"}),
    "pending": frozenset({"Pending"}),
    "scheduled": frozenset({"Scheduled"}),
    "stopping": frozenset({"Stopping"}),
    "stopped": frozenset({"Terminated", "Cancelled"}),
}


# Words


def narrowed(question: Question) -> str:
    """What narrows a list, in the person's own words, as part of a sentence; "" where nothing does."""
    words = [*question.states, *(f"reason:{reason}" for reason in question.reasons)]
    words += [f"since:{question.since}"] if question.since else []
    words += [f"tag:{key}={value}" for key, value in question.tags]
    words += [question.group] if question.group else []
    words += [question.command_type] if question.command_type else []
    words += [question.repeat_mode] if question.repeat_mode else []
    words += [f"page:{question.page}"] if question.page > 1 else []
    return _(" ({words})", words=" ".join(words)) if words else ""


def of_commands(question: Question) -> str:
    """Which commands are asked about, as part of a sentence; "" where all are."""
    words = [*question.commands, *([question.command_name] if question.command_name else [])]
    return _(" of {commands}", commands=listed(words)) if words else ""


def abbreviated(items: Sequence[str], kind: str = "region") -> str:
    """All of a few; of many the first four and a count."""
    if len(items) <= 5:
        return listed(items)
    left = len(items) - 4
    others = {
        "region": counted("{count} other region", "{count} other regions", left),
        "instance": counted("{count} other instance", "{count} other instances", left),
        "run": counted("{count} other run", "{count} other runs", left),
    }
    return _("{shown} and {others}", shown=listed(items[:4]), others=others[kind])


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def since(text: str, now: datetime, zone: tzinfo) -> datetime:
    """What `2h`, `21:00` or `2026-11-24` mean to a person in this zone; a clock time is the last such one.

    `text` is one that `parse` took: it names a day and a time that exist.
    """
    if text[-1] in _UNITS:
        return (now - timedelta(**{_UNITS[text[-1]]: int(text[:-1])})).astimezone(zone)
    day, _, clock_time = text.partition("t") if "-" in text else ("", "", text)
    hour, minute = clock_time.split(":") if clock_time else ("0", "0")
    if day:
        return datetime.fromisoformat(day).replace(hour=int(hour), minute=int(minute), tzinfo=zone)
    local = now.astimezone(zone)
    moment = local.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    return moment if moment <= local else moment - timedelta(days=1)
