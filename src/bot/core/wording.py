"""How counts, reasons, durations and groups are said. Plain text: whoever puts it into mrkdwn escapes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

from bot.core.diagnosis import looks_like
from bot.core.masking import mask
from bot.core.model import Invocation
from bot.core.output import Output, one_line
from bot.core.ranges import ranges
from bot.core.summary import Bucket, Group, Row, Schedule, Summary

MARKS = {
    Bucket.FAILED: "✖",
    Bucket.TIMED_OUT: "✖",
    Bucket.NEVER_RAN: "✖",
    Bucket.UNKNOWN: "?",
    Bucket.GOING: "▸",
    Bucket.SUCCEEDED: "✓",
}


def name(text: str, most: int = 60) -> str:
    """A name that came from outside: one line, no controls, secrets masked, not too long."""
    shown = _clean(text[:2000])
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


@lru_cache(maxsize=16_384)  # names of instances, each told several times in one answer
def _clean(text: str) -> str:
    return mask(one_line(text))[0]


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def duration(seconds: float) -> str:
    """`45 s`, `4 min`, `1 h 5 min`, `2 d 3 h`; never negative: clocks differ by some seconds."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = round(whole / 60), whole // 3600, whole // 86400
    if minutes < 60:
        return f"{minutes} min"
    if days == 0:
        return f"{hours} h {whole % 3600 // 60} min".removesuffix(" 0 min")
    return f"{days} d {whole % 86400 // 3600} h".removesuffix(" 0 h")


def clock_time(moment: datetime, zone: tzinfo) -> str:
    """A moment in a person's time zone, with the zone's name: `2026-11-24 03:12 CST`."""
    local = moment.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M} {local.tzname()}"


def mark(summary: Summary) -> str:
    return next((MARKS[bucket] for bucket in Bucket if summary.count(bucket)), MARKS[Bucket.UNKNOWN])


def counts(summary: Summary, noun: str = "") -> str:
    """What matters first: `7 of 240 failed, 2 never ran`. `noun` says of what, where it is not instances."""
    total = plural(summary.total, noun) if noun else f"{summary.total:,}"
    told = [
        (summary.count(Bucket.FAILED), "failed"),
        (summary.count(Bucket.TIMED_OUT), "timed out"),
        (summary.count(Bucket.NEVER_RAN), "never ran"),
        (summary.count(Bucket.UNKNOWN), "in an unknown state"),
    ]
    going = summary.count(Bucket.GOING)
    parts = [(count, words) for count, words in told if count]
    if not summary.total:
        return "No results yet"
    if parts:
        parts += [(going, _going_word(summary))] if going else []
        rest = [f"{count:,} {words}" for count, words in parts[1:]]
        return ", ".join([f"{_share(parts[0][0], total)} {parts[0][1]}", *rest])
    if going:
        return f"{_share(summary.total - going, total)} done, {going:,} {_going_word(summary)}"
    return f"{_share(summary.total, total)}{' with' if noun else ''} {success_word(summary)}"


def _share(count: int, total: str) -> str:
    """`7 of 240`, `2 of 3 runs`; of one run it goes without saying."""
    return "1 run" if total == "1 run" and count else f"{count:,} of {total}"


def other_counts(summary: Summary) -> list[str]:
    """The counts that `counts` leaves out, zeros among them, so that the numbers of an answer add up."""
    if summary.total < 2:
        return []
    told = [
        (summary.count(Bucket.FAILED), "failed", False),
        (summary.count(Bucket.SUCCEEDED), success_word(summary), True),
        (summary.count(Bucket.TIMED_OUT), "timed out", False),
        (summary.count(Bucket.GOING), "still going", False),
    ]
    all_well = summary.count(Bucket.SUCCEEDED) == summary.total
    return [f"{count:,} {words}" for count, words, well in told if (not all_well if well else not count)]


def _going_word(summary: Summary) -> str:
    statuses = {group.status for group in summary.of(Bucket.GOING)}
    return "scheduled" if statuses == {"Scheduled"} else "still going"


def success_word(summary: Summary) -> str:
    """Success is all that is known; where an exit code other than 0, or none, came with it, say no more than that."""
    exits = {group.exit_code for group in summary.of(Bucket.SUCCEEDED)}
    return "exit code 0" if exits <= {0} else "reported Success"


def what(invocations: Sequence[Invocation]) -> str:
    """The command that ran: its name, else its id; a count where there are several."""
    names = {invocation.command_name or invocation.command_id or invocation.id for invocation in invocations}
    return name(next(iter(names)), 40) if len(names) == 1 else plural(len(names), "command")


def where(regions: Iterable[str]) -> str:
    found = sorted(set(regions))
    return found[0] if len(found) == 1 else plural(len(found), "region")


def why(groups: Iterable[tuple[Group, str]]) -> list[str]:
    """The reasons of what did not succeed, each with its count: `“No space left on device” on 5`.

    With each group comes its output, masked; "" where there is none to quote.
    """
    counted: dict[str, int] = {}
    for group, output in groups:
        if group.bucket is Bucket.TIMED_OUT:
            continue  # the counts have said it
        words = cause(group, output)
        counted[words] = counted.get(words, 0) + group.count
    return [f"{words} on {count:,}" for words, count in counted.items()]


def cause(group: Group, output: str = "") -> str:
    if group.diagnosis is not None:
        return name(group.diagnosis.cause, 100)
    if group.exit_code is None:
        return "no exit code"
    quoted = complaint(output) if group.bucket is Bucket.FAILED else ""
    return f"“{quoted}”" if quoted else f"exit code {group.exit_code}"


def complaint(output: str) -> str:
    """What a program said last, without its name: of `tar: /var/www: No space left on device` the end; maybe ""."""
    said = last_line(output).rsplit(": ", 1)[-1].rstrip(".")
    return said if 8 <= len(said) <= 48 and " " in said and any(map(str.isalpha, said)) else ""


def last_line(output: str) -> str:
    return output.rsplit("\n", 1)[-1].strip()


def title(group: Group) -> str:
    """`5 failed: no space left, exit code 1`; `2 never ran: agent not online (ClientNotOnline)`."""
    count = f"{group.count:,}"
    if group.bucket is Bucket.UNKNOWN:
        return f"{count} in a state unknown to me: “{name(group.status) or 'none given'}”{_code(group)}"
    if group.bucket is Bucket.GOING:
        return f"{count} {name(group.status).lower()}"
    if group.bucket is Bucket.SUCCEEDED:
        return f"{count} {_success(group)}"
    stopped = " (stopped)" if group.status == "Terminated" else ""
    return f"{count} {group.bucket.value}{stopped}{_because(group)}"


def _because(group: Group) -> str:
    """What the bucket does not say yet: `: no space left, exit code 1`."""
    known = group.diagnosis
    coded = group.error_code not in ("", "ExitCodeNonzero")
    told = group.exit_code if coded else group.exit_code is not None and group.bucket is Bucket.FAILED
    exit_code = f", exit code {group.exit_code}" if told else ""
    if known is None:
        return exit_code or ": no exit code reported"
    said = f": {name(known.cause, 100)}"
    if known.reason.key in ("stopped", "timeout"):  # the bucket says the same
        said = f": {looks_like(known.hint.cause)}" if known.hint else ""
    code = f" ({group.error_code})" if group.error_code in known.reason.codes else ""
    return f"{said}{code}{exit_code}"


def _code(group: Group) -> str:
    return f", {name(group.error_code)}" if group.error_code else ""


def _success(group: Group) -> str:
    if group.exit_code is None:
        return "reported Success, no exit code"
    return f"exit code {group.exit_code}"


# Whether a rerun is safe, by what the table says.
RERUN = {
    "yes": "A rerun is safe.",
    "no": "No rerun yet: it stopped half-way.",
    "not known": "Not known whether a rerun is safe.",
}
MOST_REGIONS = 5


def members(rows: Sequence[Row], most: int = 300) -> str:
    """Who is in a group: names as ranges, then the region; several regions one after another."""
    by_region: dict[str, list[str]] = {}
    for row in rows:
        by_region.setdefault(row.result.region, []).append(name(row.name))
    shown = list(by_region.items())[:MOST_REGIONS]
    pieces = [f"{_within(ranges(names), max(40, most // len(shown)))}   {region}" for region, names in shown]
    left = sum(map(len, by_region.values())) - sum(len(names) for _, names in shown)
    more = [f"and {left:,} more in {plural(len(by_region) - len(shown), 'other region')}"] if left else []
    return "\n".join(pieces + more)


def _within(folded: Sequence[str], most: int) -> str:
    """As many as fit; what does not is counted."""
    shown: list[str] = []
    for number, item in enumerate(folded):
        if shown and sum(len(one) + 2 for one in shown) + len(item) > most:
            return f"{', '.join(shown)} and {len(folded) - number:,} more"
        shown.append(item if len(item) <= most else f"{item[: most - 1]}…")
    return ", ".join(shown)


def differs(group: Group) -> list[str]:
    """In what the outputs of a group differ from the one that is shown."""
    return [f"differs in: {', '.join(group.differs)}"] if group.differs else []


def output_notes(output: Output, secrets: int) -> list[str]:
    """What a reader of an output must know about it."""
    notes = []
    if output.dropped:
        verb = "is" if output.dropped == 1 else "are"
        missing = f"{plural(output.dropped, 'byte')} {verb} missing from this output"
        notes.append(f"{missing}; Cloud Assistant does not say where")
    if output.encoding == "gb18030":
        notes.append("read as GB18030")
    if output.encoding == "unreadable":
        notes.append("some bytes are neither UTF-8 nor GB18030 and are shown as \ufffd")
    if secrets:
        notes.append(f"{plural(secrets, 'secret')} masked")
    return notes


MOST_ADDRESS = 1_200  # characters: oss://, a bucket's 63 and an object's 1,023


def oss_addresses(rows: Iterable[Row]) -> list[tuple[str, str]]:
    """Where Cloud Assistant has delivered whole outputs to: the address, whole, and whose output it is."""
    found: dict[str, str] = {}
    for row in rows:
        if row.result.oss_uri:
            found.setdefault(name(row.result.oss_uri, MOST_ADDRESS), name(row.name))
    return list(found.items())


def oss_notes(rows: Iterable[Row]) -> list[str]:
    """What is not in OSS although it was to be delivered there."""
    states = [row.result.oss_status for row in rows if not row.result.oss_uri]
    told = {"InProgress": "still on its way to OSS", "Failed": "not delivered to OSS: the delivery failed"}
    return [f"{plural(states.count(one), 'output')} {words}" for one, words in told.items() if one in states]


_RATE = re.compile(r"rate\((\d+)([smhd])\)")
_UNIT = {"s": "s", "m": "min", "h": "h", "d": "d"}


def frequency(invocation: Invocation) -> str:
    """`every 5 min`, `at every reboot`, `cron 0 30 2 * * ?`."""
    if invocation.repeat_mode == "EveryReboot":
        return "at every reboot"
    rate = _RATE.fullmatch(invocation.frequency.strip())
    if rate:
        return f"every {rate[1]} {_UNIT[rate[2]]}"
    return f"cron {name(invocation.frequency)}" if invocation.frequency else "no frequency given"


def schedule(told: Schedule) -> tuple[str, datetime | None]:
    """`schedule active, every 5 min, failed 72 times in a row` and since when."""
    state = "active" if told.active else "ended"
    sentence = f"schedule {state}, {frequency(told.invocation)}"
    if not told.streak.failed:
        return sentence, None
    if told.streak.failed == 1:
        return f"{sentence}, last run failed", None
    at_least = "at least " if told.streak.at_least else ""
    return f"{sentence}, failed {at_least}{told.streak.failed:,} times in a row", told.streak.since


def time_limit_ends(rows: Sequence[Row], invocations: Sequence[Invocation]) -> datetime | None:
    """When the last of these is killed by its Timeout; None where that is not known."""
    limits = {invocation.id: invocation.timeout for invocation in invocations}
    ends = [
        row.result.started + timedelta(seconds=limits[row.result.invoke_id] or 0)
        for row in rows
        if row.result.started and 0 < (limits.get(row.result.invoke_id) or 0) < 10**8
    ]
    return max(ends, default=None)
