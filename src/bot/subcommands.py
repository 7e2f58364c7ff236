"""One function for each sub-command; the same table makes `help`.

Each takes what it needs in a Desk and the Question, and returns the Message. Errors are raised, not answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot import comparing, filters
from bot.core import buttons, diff_message, messages, places, reports, where, whole_outputs, wording
from bot.core.access import Admission
from bot.core.blocks import Block, Message
from bot.core.buttons import Pressable
from bot.core.errors import NotFound, UsageError
from bot.core.handles import Handle, pack
from bot.core.help import help_message
from bot.core.history import with_seen
from bot.core.model import AgentStatus, Command, Instance
from bot.core.parsing import parse
from bot.core.question import Question
from bot.core.summary import BAD, Bucket, Summary, only, summarise, summarise_results
from bot.core.texts import N_, _, counted, joined, listed, sentences
from bot.lookup import NEWEST, PAGE, Found, Lookup
from bot.settings import Clock, Settings


@dataclass(frozen=True, slots=True)
class Desk:
    """What a sub-command works with: the person, a way into the API, the clock, and what its buttons carry.

    `private`: only the person sees the answer; `trace` names the job that it comes from.
    """

    settings: Settings
    lookup: Lookup
    clock: Clock
    by: Admission
    handle: Handle
    private: bool
    trace: str = ""

    def frame(self, found: Found, notes: Iterable[str] = ()) -> messages.Frame:
        return messages.Frame(
            now=self.now(),
            asked_by=self.handle.asked_name,
            zone=self.by.zone,
            read_at=datetime.fromtimestamp(found.read_at, UTC),
            on_it=self.handle.on_it_name,
            on_it_since=datetime.fromtimestamp(self.handle.on_it_since, UTC) if self.handle.on_it else None,
            notes=(*found.notes, *notes),
            trace=self.trace,
        )

    def buttons(self, subject: str, regions: Iterable[str], **state: bool) -> list[Block]:
        """What can be pressed under an answer. The question it carries names the regions where the ids were found."""
        found = tuple(dict.fromkeys(regions))
        question = parse(self.handle.words)
        words = question._replace(regions=found).words() if question.invocations else self.handle.words
        carried = replace(self.handle, words=words, made=int(self.clock()))
        region = places.region_of(found[0]) if len(found) == 1 else ""
        console = f"https://{self.settings.console}/cloud-assistant/region/{region}" if region else ""
        return buttons.actions(
            Pressable(
                value=pack(carried, self.settings.signing_secret),
                subject=subject,
                private=self.private,
                taken=bool(self.handle.on_it),
                notice=not (self.handle.asked_by or self.private),
                console_url=console,
                **state,
            )
        )

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)

    def since(self, question: Question) -> datetime | None:
        return filters.since(question.since, self.now(), self.by.zone) if question.since else None


Subcommand = Callable[[Desk, Question], Message]


@dataclass(frozen=True, slots=True)
class Entry:
    usage: str
    says: str
    run: Subcommand


SUBCOMMANDS: dict[str, Entry] = {}


def subcommand(name: str, usage: str, says: str) -> Callable[[Subcommand], Subcommand]:
    def register(run: Subcommand) -> Subcommand:
        SUBCOMMANDS[name] = Entry(usage, says, run)
        return run

    return register


@subcommand("show", N_("ids, names, addresses, filters in any order"), N_("what really happened on each instance"))
def show(desk: Desk, question: Question) -> Message:
    if question.invocations:
        return _invocations(desk, question)
    if question.instances or question.addresses or question.names:
        return _instances(desk, question)
    return _newest(desk, question)


@subcommand("help", "help, help WORD", N_("this"))
def show_help(desk: Desk, question: Question) -> Message:
    told = [(entry.usage, entry.says) for entry in SUBCOMMANDS.values()]
    from bot.every_order import ORDERS

    return help_message(question.topic, [*told, *((entry.usage, entry.says) for entry in ORDERS.values())])


@subcommand("watch", "watch t-…", N_("one message, kept up to date until the run has ended"))
def show_progress(desk: Desk, question: Question) -> Message:
    """What `watch` shows where nothing can be kept up to date."""
    return _invocations(desk, question)


@subcommand(
    "output", "output t-… i-…", N_("the whole output of a run on an instance; without i-… of each group of results")
)
def show_output(desk: Desk, question: Question) -> Message:
    """The same as the Outputs modal shows, for those who type."""
    if question.invocations:
        found, summary = _run(desk, question)
        subject = wording.what(found.invocations)
    else:
        found, instances = desk.lookup.on_instances(question)
        if not instances:
            raise _with_notes(
                N_("No instance is called {names}, so there is no output of it."), found, names=_names(question)
            )
        summary, subject = _results_summary(desk, question, found), _subject(instances)
    if not summary.groups:
        raise _with_notes(N_("There are no results yet, so there is no output to show."), found)
    regions = [row.result.region for row in summary.rows]
    pressable = desk.buttons(subject, regions, takeable=False, file=True)
    frame = desk.frame(found)
    return whole_outputs.message(summary, subject, frame, pressable, by_run=not question.invocations)


@subcommand("diff", "diff t-…", N_("what is different from the last run of the same command on the same instances"))
def show_differences(desk: Desk, question: Question) -> Message:
    found, told = comparing.compared(desk.lookup, question)
    summary = _summary(desk, found)
    subject = _("diff of {what}", what=wording.what(found.invocations))
    pressable = desk.buttons(subject, [one.region for one in found.invocations], takeable=False, outputs=False)
    return diff_message.message(told, summary, desk.frame(found), pressable)


def summary_of(desk: Desk, question: Question) -> Summary:
    """What the question is about; raises UsageError for a list, which has no instances."""
    if question.invocations:
        found = desk.lookup.invocations(question)
        summary = _summary(desk, found)
        return filters.with_reasons(summary, question.reasons)
    found, instances = desk.lookup.on_instances(question)
    if not instances:
        raise UsageError("That is a list of runs; ask for one of its ids first.")
    return _results_summary(desk, question, found)


def _summary(desk: Desk, found: Found) -> Summary:
    return summarise(found.invocations, found.results, found.instances, personal=desk.settings.mask_personal)


def _results_summary(desk: Desk, question: Question, found: Found) -> Summary:
    """The newest results that fit, each a run of its own."""
    since = desk.since(question)
    personal = desk.settings.mask_personal
    summary = summarise_results(found.results, found.invocations, found.instances, personal=personal)
    chosen = {id(row) for row in filters.with_reasons(summary, question.reasons).rows}
    fitting = only(summary, lambda row: id(row) in chosen and filters.fits(row, question, since))
    return filters.newest(fitting, question.size or NEWEST)


def _run(desk: Desk, question: Question, *, beside: bool = False) -> tuple[Found, Summary]:
    found = desk.lookup.invocations(question, beside=beside)
    summary = _summary(desk, found)
    if filters.names_targets(question) and not summary.total:
        named = [*question.instances, *question.names, *question.addresses]
        raise _with_notes(N_("{names} is not among the targets."), found, names=listed(named))
    return found, summary


def _invocations(desk: Desk, question: Question) -> Message:
    found, summary = _run(desk, question, beside=True)
    summary = _with_history(summary, found)
    notes = []
    if question.history and not summary.schedules:
        notes.append(_("History is there for schedules only; this run has none."))
    if question.size or filters.narrowed(question._replace(reasons=())) or filters.of_commands(question):
        notes.append(_("Filters narrow lists; a run is always shown whole."))
    ended = tuple(one.id for one in summary.invocations) if reports.complete(summary) else ()
    if question.reasons and summary.total:
        summary, note = _with_reasons(summary, question)
        notes.append(note)
    message = messages.results(summary, desk.frame(found, notes), answer_buttons(desk, summary))
    return message if filters.names_targets(question) else message._replace(ended=ended)


def _with_history(summary: Summary, found: Found) -> Summary:
    """With what is known of failures beside them: since when, and what they share."""
    groups = with_seen(summary.groups, found.before)
    return replace(summary, groups=groups, shared=where.shared(summary, found.instances, found.versions))


def _with_reasons(summary: Summary, question: Question) -> tuple[Summary, str]:
    """The groups with the reasons that were asked for, and a sentence that counts the rest; NotFound without any."""
    wanted = _(" or ").join(f"reason:{reason}" for reason in question.reasons)
    kept = filters.with_reasons(summary, question.reasons)
    shown = sum(group.count for group in kept.groups)
    if not shown:
        there = filters.reasons_there(summary)
        raise NotFound(lambda: _nothing_with(wanted, summary.total, there))
    counts = {"shown": f"{shown:,}", "total": f"{summary.total:,}", "left": f"{summary.total - shown:,}"}
    return kept, _("Shown is only {wanted}: {shown} of {total}; {left} more are not shown.", wanted=wanted, **counts)


def _nothing_with(wanted: str, total: int, there: Sequence[str]) -> str:
    known = _("Reasons there: {keys}.", keys=listed(there[:8])) if there else _("No reason is known there.")
    none = counted(
        "Nothing with {wanted} among {count} instance.",
        "Nothing with {wanted} among {count} instances.",
        total,
        wanted=wanted,
    )
    return sentences([none, known])


def _with_notes(text: str, found: Found, **fields: object) -> NotFound:
    """The text in the language of whoever reads it, and the notes as they are."""
    return NotFound(lambda: sentences([_(text, **fields), *found.notes]))


def _names(question: Question) -> str:
    return listed(f"“{name}”" for name in question.names)


def answer_buttons(desk: Desk, summary: Summary, subject: str = "") -> list[Block]:
    """What can be pressed under a summary; `subject` where it is not of runs."""
    regions = [row.result.region for row in summary.rows]
    runs = [one for one in summary.invocations if not one.is_schedule]
    return desk.buttons(
        subject or wording.what(summary.invocations),
        regions or [one.region for one in summary.invocations],
        going=summary.count(Bucket.GOING) > 0 and bool(runs),
        failed=summary.count(*BAD) > 0,
        outputs=any(group.output.text for group in summary.groups),
        diff=bool(summary.invocations),
    )


def _instances(desk: Desk, question: Question) -> Message:
    """Results on instances; a name that no instance bears may be a command's."""
    desk.since(question)  # a day that does not exist is refused before anything is asked
    found, instances = desk.lookup.on_instances(question)
    if not instances:
        return _newest(desk, question)
    summary = _results_summary(desk, question, found)
    subject = _subject(instances)
    if not summary.total:
        raise NotFound(lambda: sentences([_no_results(question, instances), *found.notes]))
    failed = [row for group in summary.of(*BAD) for row in group.rows]
    agents, before = desk.lookup.beside_results(found, instances, failed)
    summary = replace(summary, groups=with_seen(summary.groups, before))
    frame = desk.frame(found, _agent_notes(agents))
    return messages.results_on_instances(
        summary, subject, frame, answer_buttons(desk, replace(summary, invocations=()), subject)
    )


def _no_results(question: Question, instances: Sequence[Instance]) -> str:
    return _(
        "No results{such} on {subject} in {regions}{among}.",
        such=f"{filters.of_commands(question)}{filters.narrowed(question)}",
        subject=_subject(instances),
        regions=listed(sorted({instance.region for instance in instances})),
        among=_(" among the newest {n}", n=PAGE) if filters.narrows_rows(question) else "",
    )


def _newest(desk: Desk, question: Question) -> Message:
    since = desk.since(question)
    found, more = desk.lookup.newest(question)
    in_time = filters.runs_since(found.invocations, since)
    runs = desk.lookup.with_reasons(in_time, question.reasons) if question.reasons else in_time
    regions = desk.lookup.regions.of_list(question)
    if not runs:
        raise _no_runs(desk, question, regions, found.notes)
    subject = " ".join([*question.commands, *filters.command_names(question)]) or _("newest runs")
    notes = [_("Since {time}.", time=f"{since:%Y-%m-%d %H:%M} {since.tzname()}")] if since else []
    if len(runs) < len(in_time):
        counts = {"part": f"{len(in_time) - len(runs):,}", "count": f"{len(in_time):,}"}
        notes.append(_("{part} of the {count} newest have another reason, or none.", **counts))
    next_page = (
        _("More: {words}", words=f"page:{question.page + 1}") if more and len(in_time) == len(found.invocations) else ""
    )
    heading = joined([f"{subject}{filters.narrowed(question)}", wording.where(regions)])
    pressable = desk.buttons(heading, regions, takeable=False, outputs=False)
    together = reports.joined(runs, desk.settings.run_tag)
    return messages.runs(together, heading, desk.frame(found, notes), next_page, pressable)


def _no_runs(desk: Desk, question: Question, regions: Sequence[str], notes: Sequence[str]) -> NotFound:
    """Why a list is empty: of a command that exists, and of one that does not, something else is to be said."""
    wanted = [*question.commands, *filters.command_names(question)]
    known = desk.lookup.commands(question) if wanted else []
    return NotFound(lambda: "\n".join([*_why_none(question, wanted, known, regions), *notes]))


def _why_none(question: Question, wanted: Sequence[str], known: Sequence[Command], regions: Sequence[str]) -> list[str]:
    where, narrowed = filters.abbreviated(regions), filters.narrowed(question)
    if not wanted and not narrowed:
        return [_("No runs at all in {regions}.", regions=where)]
    if not wanted:
        return [_("No runs{such} in {regions}.", such=narrowed, regions=where)]
    if known:
        return [_without_runs(command, question) for command in known[:5]]
    if question.names:
        return [_("No instance and no command is called {names} in {regions}.", names=_names(question), regions=where)]
    text = N_("No command {names} in {regions}, and no runs of it{such}.")
    return [_(text, names=listed(wanted), regions=where, such=narrowed)]


def _without_runs(command: Command, question: Question) -> str:
    fields = {"command": command.id, "region": command.region}
    if command.name:
        fields["command"] = _("{id} ({name})", id=command.id, name=command.name)
    if filters.narrowed(question):
        return _("Command {command} exists in {region} but has no such runs there.", **fields)
    return _("Command {command} exists in {region} but has no runs there.", **fields)


def _subject(instances: Sequence[Instance]) -> str:
    if len(instances) == 1:
        return instances[0].name or instances[0].id
    return wording.instances(len(instances))


def _agent_notes(agents: Sequence[AgentStatus]) -> list[str]:
    """What explains a run that never began: an agent that is not there now."""
    offline = [agent.instance_id for agent in agents if not agent.online]
    if not offline:
        return []
    return [_("The agent is offline now on {names}.", names=filters.abbreviated(offline, "instance"))]
