"""An answer as plain sentences: all that a screen reader gets, and what a phone shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo

from bot.core import blocks as b
from bot.core import since, where, wording
from bot.core.masking import Masked
from bot.core.parts import by_status
from bot.core.summary import BAD, Bucket, Group, Row, Summary
from bot.core.texts import _, capital, stop

MOST_GROUPS = 5


def text(first: str, summary: Summary, zone: tzinfo, notes: Iterable[str], masked: Masked) -> str:
    """Line one, a sentence for each group, and what to do next, escaped. Where room is short, ends of outputs give way,
    then names, then what to do.
    """
    notes, step = tuple(notes), _next(summary)
    for names, quote, last in ((5, 120, step), (5, 60, step), (5, 0, step), (2, 0, step), (2, 0, [])):
        sentences = [first, *_sentences(summary, zone, masked, names, quote), *notes, *last]
        escaped = b.escape("\n".join(sentences))
        if b.width(escaped) <= b.MOST_TEXT:
            break
    return escaped


def _next(summary: Summary) -> list[str]:
    """The next step for the largest group of failures, where one is known."""
    bad = summary.of(*BAD)
    known = max(bad, key=lambda group: group.count).diagnosis if bad else None
    return [stop(wording.next_step(known))] if known and known.next_step else []


def _sentences(summary: Summary, zone: tzinfo, masked: Masked, names: int, quote: int) -> list[str]:
    told = []
    for one in summary.schedules[:3]:
        sentence, failing_since = wording.schedule(one)
        sentence += _(" since {time}", time=wording.clock_time(failing_since, zone)) if failing_since else ""
        which = wording.what([one.invocation]) if len(summary.invocations) > 1 else ""
        told.append(stop(_("{what}: {told}", what=which, told=sentence) if which else capital(sentence)))
    told += [stop(one) for one in where.sentences(summary.shared, {run.region for run in summary.invocations})]
    bad = summary.of(*BAD, Bucket.UNKNOWN)
    told += [_group(group, zone, masked, names, quote) for group in bad[:MOST_GROUPS]]
    left = bad[MOST_GROUPS:]
    if left:
        rows = sum(group.count for group in left)
        groups, results = wording.more_groups(len(left)), wording.results(rows)
        told.append(_("{groups}, {results}, not read out.", groups=groups, results=results))
    told += [_who(wording.title(group), group.rows, names) for group in by_status(summary.of(Bucket.GOING))]
    if summary.count(Bucket.SUCCEEDED) and summary.count(Bucket.SUCCEEDED) < summary.total:
        told.append(stop(wording.success_words(summary, f"{summary.count(Bucket.SUCCEEDED):,}")))
    return told


def _group(group: Group, zone: tzinfo, masked: Masked, names: int, quote: int) -> str:
    since_when = since.text(since.of_group(group.seen), zone)
    sentence = _who(f"{wording.title(group)}{since_when}", group.rows, names)
    last = wording.last_line(masked.shown(group.output.text)[0])
    if not (last and quote):
        return sentence
    return _("{sentence} Output ends: {words}", sentence=sentence, words=wording.name(last, quote))


def _who(title: str, rows: Sequence[Row], names: int) -> str:
    return _("{title}: {names}.", title=title, names=_names(rows, names))


def _names(rows: Sequence[Row], most: int) -> str:
    """Names written out, the others counted."""
    names = list(dict.fromkeys(row.name for row in rows))
    return wording.and_more([wording.name(name, 40) for name in names[:most]], max(0, len(names) - most))
