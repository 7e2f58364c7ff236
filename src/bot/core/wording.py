"""How counts, reasons, durations and groups are said. Plain text: whoever puts it into mrkdwn escapes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

from bot.core import places
from bot.core.diagnosis import Diagnosis, looks_like
from bot.core.masking import masked_line
from bot.core.model import Invocation
from bot.core.output import Output, one_line
from bot.core.ranges import ranges
from bot.core.reasons import AUTHOR, HOST, NETWORK, PLATFORM
from bot.core.summary import Bucket, Group, Row, Schedule, Summary
from bot.core.texts import N_, _, counted, joined, listed, pgettext

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
    shown = masked_line(_clean(text[:2000]))
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


@lru_cache(maxsize=16_384)  # names of instances, each told several times in one answer
def _clean(text: str) -> str:
    return one_line(text)


def duration(seconds: float) -> str:
    """`45 s`, `4 min`, `1 h 5 min`, `2 d 3 h`; never negative: clocks differ by some seconds."""
    whole = max(0, round(seconds))
    if whole < 60:
        return _("{s} s", s=whole)
    minutes, hours, days = round(whole / 60), whole // 3600, whole // 86400
    if minutes < 60:
        return _("{min} min", min=minutes)
    if days == 0:
        left = whole % 3600 // 60
        return _("{h} h {min} min", h=hours, min=left) if left else _("{h} h", h=hours)
    left = whole % 86400 // 3600
    return _("{d} d {h} h", d=days, h=left) if left else _("{d} d", d=days)


def clock_time(moment: datetime, zone: tzinfo) -> str:
    """A moment in a person's time zone, with the zone's name: `2026-11-24 03:12 CST`."""
    local = moment.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M} {local.tzname()}"


def mark(summary: Summary) -> str:
    return next((MARKS[bucket] for bucket in Bucket if summary.count(bucket)), MARKS[Bucket.UNKNOWN])


# How many of a bucket: as they stand in line one, in titles of groups, in small print.
COUNTED = {
    Bucket.FAILED: N_("{count} failed"),
    Bucket.TIMED_OUT: N_("{count} timed out"),
    Bucket.NEVER_RAN: N_("{count} never ran"),
    Bucket.UNKNOWN: N_("{count} in an unknown state"),
    Bucket.GOING: N_("{count} still going"),
}


# A bucket alone.
WORDS = {
    Bucket.FAILED: N_("failed"),
    Bucket.TIMED_OUT: N_("timed out"),
    Bucket.NEVER_RAN: N_("never ran"),
    Bucket.UNKNOWN: N_("unknown state"),
    Bucket.GOING: N_("still going"),
    Bucket.SUCCEEDED: N_("exit code 0"),
}


def counts(summary: Summary, *, of_runs: bool = False) -> str:
    """What matters first: `7 of 240 failed, 2 never ran`. `of_runs` says that it is not instances that are counted."""
    going = summary.count(Bucket.GOING)
    parts = [(summary.count(bucket), text) for bucket, text in COUNTED.items() if bucket is not Bucket.GOING]
    parts = [(count, text) for count, text in parts if count]
    if not summary.total:
        return _("No results yet")
    if parts:
        parts += [(going, _going_text(summary))] if going else []
        rest = [_(text, count=f"{count:,}") for count, text in parts[1:]]
        return joined([_(parts[0][1], count=_share(parts[0][0], summary.total, of_runs=of_runs)), *rest])
    if going:
        done = _("{count} done", count=_share(summary.total - going, summary.total, of_runs=of_runs))
        return joined([done, _(_going_text(summary), count=f"{going:,}")])
    return success_words(summary, _share(summary.total, summary.total, of_runs=of_runs), of_runs=of_runs)


def _share(count: int, total: int, *, of_runs: bool) -> str:
    """`7 of 240`, `2 of 3 runs`; of one run it goes without saying."""
    if not of_runs:
        return _("{count} of {total}", count=f"{count:,}", total=f"{total:,}")
    if total == 1 and count:
        return runs(1)
    return counted("{part} of {count} run", "{part} of {count} runs", total, part=f"{count:,}")


def other_counts(summary: Summary) -> list[str]:
    """The counts that `counts` leaves out, zeros among them, so that the numbers of an answer add up."""
    if summary.total < 2:
        return []
    told = []
    for bucket in (Bucket.FAILED, Bucket.SUCCEEDED, Bucket.TIMED_OUT, Bucket.GOING):
        count = summary.count(bucket)
        if bucket is Bucket.SUCCEEDED:
            told += [success_words(summary, f"{count:,}")] if count < summary.total else []
        elif not count:
            told.append(_(COUNTED[bucket], count="0"))
    return told


def _going_text(summary: Summary) -> str:
    statuses = {group.status for group in summary.of(Bucket.GOING)}
    return N_("{count} scheduled") if statuses == {"Scheduled"} else COUNTED[Bucket.GOING]


def success_words(summary: Summary, count: str, *, of_runs: bool = False) -> str:
    """Success is all that is known; where an exit code other than 0, or none, came with it, say no more than that."""
    if {group.exit_code for group in summary.of(Bucket.SUCCEEDED)} <= {0}:
        return _("{count} with exit code 0", count=count) if of_runs else _("{count} exit code 0", count=count)
    return _("{count} with reported Success", count=count) if of_runs else _("{count} reported Success", count=count)


def what(invocations: Sequence[Invocation]) -> str:
    """The command that ran: its name, else its id; a count where there are several."""
    names = {invocation.command_name or invocation.command_id or invocation.id for invocation in invocations}
    return name(next(iter(names)), 40) if len(names) == 1 else commands(len(names))


def commands(count: int) -> str:
    return counted("{count} command", "{count} commands", count)


def runs(count: int) -> str:
    return counted("{count} run", "{count} runs", count)


def instances(count: int) -> str:
    return counted("{count} instance", "{count} instances", count)


def more_groups(count: int) -> str:
    return counted("{count} more group", "{count} more groups", count)


def results(count: int) -> str:
    return counted("{count} result", "{count} results", count)


def where(regions: Iterable[str]) -> str:
    """The one place; else the accounts, where places bear one, and the region or how many there are."""
    found = sorted(set(regions))
    if len(found) == 1:
        return found[0]
    names, ids = places.accounts_of(found), {places.region_of(one) for one in found}
    accounts = [counted("{count} account", "{count} accounts", len(names))] if len(names) > 2 else names
    count = counted("{count} region", "{count} regions", len(ids))
    return joined([*accounts, *(ids if len(ids) == 1 else [count])])


def why(groups: Iterable[tuple[Group, str]]) -> list[str]:
    """The reasons of what did not succeed, each with its count: `“No space left on device” on 5`.

    With each group comes its output, masked; "" where there is none to quote.
    """
    reasons: dict[str, int] = {}
    for group, output in groups:
        if group.bucket is Bucket.TIMED_OUT:
            continue  # the counts have said it
        words = cause(group, output)
        reasons[words] = reasons.get(words, 0) + group.count
    return [_("{reason} on {count}", reason=words, count=f"{count:,}") for words, count in reasons.items()]


def cause(group: Group, output: str = "") -> str:
    if group.diagnosis is not None:
        return name(group.diagnosis.cause, 100)
    if group.exit_code is None:
        return _("no exit code")
    quoted = complaint(output) if group.bucket is Bucket.FAILED else ""
    return _("“{words}”", words=quoted) if quoted else exit_code(group)


def exit_code(group: Group) -> str:
    return _("exit code {number}", number=group.exit_code)


def complaint(output: str) -> str:
    """What a program said last, without its name: of `tar: /var/www: No space left on device` the end; maybe ""."""
    said = last_line(output).rsplit(": ", 1)[-1].rstrip(".")
    return said if 8 <= len(said) <= 48 and " " in said and any(map(str.isalpha, said)) else ""


def last_line(output: str) -> str:
    return output.rsplit("\n", 1)[-1].strip()


def title(group: Group) -> str:
    """`5 failed: no space left, exit code 1`; `2 never ran: agent not online (ClientNotOnline)`."""
    return _told(group, f"{group.count:,}")


def ending(group: Group) -> str:
    """How one result ended: `failed: no space left, exit code 1`."""
    return _told(group, "").strip()


def _told(group: Group, count: str) -> str:
    if group.bucket is Bucket.UNKNOWN:
        state = name(group.status) or _("none given")
        return joined([_("{count} in a state unknown to me: “{state}”", count=count, state=state), *_code(group)])
    if group.bucket is Bucket.GOING:
        text = GOING.get(group.status)
        return _(text, count=count) if text else f"{count} {name(group.status).lower()}"
    if group.bucket is Bucket.SUCCEEDED:
        return _success(group, count)
    said = _(COUNTED[group.bucket], count=count).strip()
    said += pgettext("after the count of failures", " (stopped)") if group.status == "Terminated" else ""
    return f"{said}{_because(group)}"


GOING = {
    "Pending": N_("{count} pending"),
    "Running": N_("{count} running"),
    "Stopping": N_("{count} stopping"),
    "Scheduled": N_("{count} scheduled"),
}


def _because(group: Group) -> str:
    """What the bucket does not say yet: `: no space left, exit code 1`."""
    known = group.diagnosis
    coded = group.error_code not in ("", "ExitCodeNonzero")
    told = group.exit_code if coded else group.exit_code is not None and group.bucket is Bucket.FAILED
    ended = _(", exit code {number}", number=group.exit_code) if told else ""
    if known is None:
        return ended or _(": no exit code reported")
    said = _(": {cause}", cause=name(known.cause, 100))
    if known.reason.key in ("stopped", "timeout"):  # the bucket says the same
        said = _(": {cause}", cause=looks_like(known.hint.cause)) if known.hint else ""
    code = _(" ({code})", code=group.error_code) if group.error_code in known.reason.codes else ""
    return f"{said}{code}{ended}"


def _code(group: Group) -> list[str]:
    return [name(group.error_code)] if group.error_code else []


def _success(group: Group, count: str) -> str:
    if group.exit_code is None:
        return _("{count} reported Success, no exit code", count=count)
    if group.exit_code == 0:
        return _("{count} exit code 0", count=count)
    return _("{count} exit code {number}", count=count, number=group.exit_code)


# Whether a rerun is safe, by what the diagnosis says.
RERUN = {
    "yes": N_("A rerun is safe."),
    "no": N_("No rerun yet: it stopped half-way."),
    "maybe": N_("No rerun yet: it may have stopped half-way."),
    "not known": N_("Not known whether a rerun is safe."),
}
# Whose move it is.
OWNERS = {
    AUTHOR: N_("author"),
    HOST: N_("host owner"),
    NETWORK: N_("network"),
    PLATFORM: N_("platform"),
}


def next_step(known: Diagnosis) -> str:
    """Whose move it is, and which: `Next (host owner): free space, or grow the disk`."""
    return _("Next ({owner}): {step}", owner=_(OWNERS[known.owner]), step=known.next_step)


MOST_REGIONS = 5


def members(rows: Sequence[Row], most: int = 300) -> str:
    """Who is in a group: names as ranges, then the region; several regions one after another."""
    by_region: dict[str, list[str]] = {}
    for row in rows:
        by_region.setdefault(row.result.region, []).append(name(row.name))
    shown = list(by_region.items())[:MOST_REGIONS]
    pieces = [f"{_within(ranges(names), max(40, most // len(shown)))}   {region}" for region, names in shown]
    left = sum(map(len, by_region.values())) - sum(len(names) for _, names in shown)
    if left:
        others = len(by_region) - len(shown)
        pieces.append(
            counted(
                "and {more} more in {count} other region",
                "and {more} more in {count} other regions",
                others,
                more=f"{left:,}",
            )
        )
    return "\n".join(pieces)


def _within(folded: Sequence[str], most: int) -> str:
    """As many as fit; what does not is counted."""
    shown: list[str] = []
    for number, item in enumerate(folded):
        if shown and sum(len(one) + 2 for one in shown) + len(item) > most:
            return and_more(shown, len(folded) - number)
        shown.append(item if len(item) <= most else f"{item[: most - 1]}…")
    return listed(shown)


def and_more(shown: Sequence[str], left: int) -> str:
    """`a, b and 3 more`."""
    if not left:
        return listed(shown)
    return counted("{shown} and {count} more", "{shown} and {count} more", left, shown=listed(shown))


def differs(group: Group) -> list[str]:
    """In what the outputs of a group differ from the one that is shown."""
    return [_("differs in: {kinds}", kinds=listed(map(_, group.differs)))] if group.differs else []


def output_notes(output: Output, secrets: int) -> list[str]:
    """What a reader of an output must know about it."""
    notes = []
    if output.dropped:
        notes.append(
            counted(
                "{count} byte is missing from this output; Cloud Assistant does not say where",
                "{count} bytes are missing from this output; Cloud Assistant does not say where",
                output.dropped,
            )
        )
    if output.encoding == "gb18030":
        notes.append(_("read as GB18030"))
    if output.encoding == "unreadable":
        notes.append(_("some bytes are neither UTF-8 nor GB18030 and are shown as \ufffd"))
    if secrets:
        notes.append(counted("{count} secret masked", "{count} secrets masked", secrets))
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
    coming, failed = states.count("InProgress"), states.count("Failed")
    told = [
        counted("{count} output still on its way to OSS", "{count} outputs still on its way to OSS", coming),
        counted(
            "{count} output not delivered to OSS: the delivery failed",
            "{count} outputs not delivered to OSS: the delivery failed",
            failed,
        ),
    ]
    return [words for words, count in zip(told, (coming, failed), strict=True) if count]


_RATE = re.compile(r"rate\((\d+)([smhd])\)")
_UNIT = {"s": N_("{s} s"), "m": N_("{min} min"), "h": N_("{h} h"), "d": N_("{d} d")}


def frequency(invocation: Invocation) -> str:
    """`every 5 min`, `at every reboot`, `cron 0 30 2 * * ?`."""
    if invocation.repeat_mode == "EveryReboot":
        return _("at every reboot")
    rate = _RATE.fullmatch(invocation.frequency.strip())
    if rate:
        unit = "min" if rate[2] == "m" else rate[2]
        return _("every {span}", span=_(_UNIT[rate[2]], **{unit: rate[1]}))
    return f"cron {name(invocation.frequency)}" if invocation.frequency else _("no frequency given")


def schedule(told: Schedule) -> tuple[str, datetime | None]:
    """`schedule active, every 5 min, failed 72 times in a row` and since when."""
    clauses = [_("schedule active") if told.active else _("schedule ended"), frequency(told.invocation)]
    if not told.streak.failed:
        return joined(clauses), None
    if told.streak.failed == 1:
        return joined([*clauses, _("last run failed")]), None
    often = f"{told.streak.failed:,}"
    text = _("failed at least {n} times in a row", n=often) if told.streak.at_least else ""
    return joined([*clauses, text or _("failed {n} times in a row", n=often)]), told.streak.since


def time_limit_ends(rows: Sequence[Row], invocations: Sequence[Invocation]) -> datetime | None:
    """When the last of these is killed by its Timeout; None where that is not known."""
    limits = {invocation.id: invocation.timeout for invocation in invocations}
    ends = [
        row.result.started + timedelta(seconds=limits[row.result.invoke_id] or 0)
        for row in rows
        if row.result.started and 0 < (limits.get(row.result.invoke_id) or 0) < 10**8
    ]
    return max(ends, default=None)
