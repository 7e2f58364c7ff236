"""Who asked for what, where it was shown, and what was done with it: kept, and printed for who is asked about it."""

import pytest

from bot import audit, home
from bot.adapters.store import SQLiteStore, StoreError
from bot.commands import run
from bot.core import buttons, outputs
from bot.core.audit import Entry
from bot.core.home import REFRESH
from rig import RUN, Peers, Rig, fleet
from sandbox.slack_workspace import GUEST, INCIDENTS, LUCAS, MEI, PRIVATE
from test_home import GOING, opening, view_of
from test_reporting import SCHEDULE, completed, hear


@pytest.fixture
def rig(tmp_path, peers):
    with Rig(tmp_path, peers, environment={"BOT_OPERATORS": LUCAS}) as rig:
        yield rig


def kept(rig, run=RUN):
    return audit.of_run(rig.worker._store, run, rig.time())


def test_who_asked_is_kept_with_the_channel_and_its_kind(rig):
    rig.ask(RUN)
    rig.ask(RUN, channel=PRIVATE, user=LUCAS)
    rig.ask(f"{RUN} private")
    told = [(one.act, one.user, one.channel, one.channel_kind, one.to, one.outcome) for one in kept(rig)]
    assert told == [
        ("asked", MEI, INCIDENTS, "public channel", "channel", "done"),
        ("asked", LUCAS, PRIVATE, "private channel", "channel", "done"),
        ("asked", MEI, INCIDENTS, "public channel", "person", "done"),
    ]


@pytest.mark.parametrize("words", ["", "web-001", "failed"])
def test_runs_that_were_found_for_a_list_or_an_instance_are_named_too(rig, words):
    rig.ask(words)
    assert [one.act for one in kept(rig)] == ["asked"]


def test_every_press_on_outputs_file_copy_and_take_back_is_kept(rig):
    [answer] = rig.ask(RUN)
    rig.press(answer, buttons.OUTPUTS, user=LUCAS)
    view = rig.slack.views[-1]
    rig.press(view, outputs.AS_FILE, user=LUCAS)
    rig.press(answer, buttons.COPY)
    rig.press(answer, buttons.MORE, buttons.TAKE_BACK, user=LUCAS)
    acts = [(one.act, one.user, one.channel) for one in kept(rig)]
    assert acts == [
        ("asked", MEI, INCIDENTS),
        ("outputs", LUCAS, INCIDENTS),
        ("outputs_file", LUCAS, INCIDENTS),
        ("copy", MEI, INCIDENTS),
        ("take_back", LUCAS, INCIDENTS),
    ]
    file, removed = kept(rig)[2], kept(rig)[4]
    assert file.file in rig.slack.workspace.files
    assert removed.message == answer.ts


def test_what_was_refused_is_kept_as_refused(rig):
    [answer] = rig.ask(RUN)
    rig.press(answer, buttons.COPY, user=GUEST)
    rig.ask(RUN, user=GUEST)
    assert [(one.user, one.outcome) for one in kept(rig)] == [(MEI, "done"), (GUEST, "NotAllowed")]
    assert [(one.user, one.outcome) for one in kept(rig, audit.NO_RUN)] == [(GUEST, "NotAllowed")]


def test_a_notice_is_kept_with_its_message(rig):
    rig.ask("subscribe")
    notice, reply = hear(rig, completed())
    assert [(told.act, told.user, told.channel, told.to, told.message) for told in kept(rig)] == [
        ("notice", "", INCIDENTS, "channel", notice.ts),
        ("notice_reply", "", INCIDENTS, "channel", reply.ts),
    ]


def test_a_reply_on_a_schedule_is_kept_with_the_schedule(tmp_path):
    with Peers([SCHEDULE]) as peers, Rig(tmp_path, peers) as rig:
        rig.ask("subscribe")
        hear(rig, completed(SCHEDULE.ask))
        assert [one.act for one in kept(rig, SCHEDULE.ask)] == ["notice", "notice_reply"]


def test_whoever_opens_home_is_kept_with_the_runs_that_it_shows(rig):
    rig.work(opening(rig, MEI))
    rig.press(view_of(rig), REFRESH)
    told = [(one.act, one.user, one.to, one.outcome) for one in kept(rig)]
    assert told == [("home", MEI, "person", "done"), (REFRESH, MEI, "person", "done")]
    rig.work(opening(rig, GUEST))
    assert len(kept(rig)) == 2
    assert [(one.act, one.user, one.outcome) for one in kept(rig, audit.NO_RUN)] == [("home", GUEST, "NotAllowed")]


def test_what_shows_many_runs_is_one_row_which_is_found_by_each_of_them(tmp_path):
    runs = [fleet(1, run=f"t-hz0many{number:04}", CommandName=f"job-{number}") for number in range(9)]
    with Peers(runs) as peers, Rig(tmp_path, peers) as rig:
        rig.work(opening(rig, MEI))
        rig.ask("failed")
        rows = rig.worker._store.list("audit/", rig.time())
        assert len(rows) == 2
        for one in runs:
            assert [told.act for told in kept(rig, one.ask)] == ["home", "asked"]
        assert kept(rig, "t-hz0other0001") == kept(rig, audit.NO_RUN) == []


def test_who_waits_for_anothers_reading_is_kept_too(rig, monkeypatch):
    real = home.home.merged

    def merged(*arguments):
        rig.work(opening(rig, LUCAS))
        return real(*arguments)

    monkeypatch.setattr(home.home, "merged", merged)
    rig.work(opening(rig, MEI))
    assert {(one.act, one.user) for one in kept(rig)} == {("home", MEI), ("home", LUCAS)}


def test_the_end_of_a_watch_is_kept_with_its_message(tmp_path):
    with Peers([GOING]) as peers, Rig(tmp_path, peers) as rig:
        rig.work(rig.command(f"watch {GOING.ask}"))
        rig.cloud.clock.advance(3_600)
        rig.work_off()
        [end] = [one for one in kept(rig, GOING.ask) if one.act == "look"]
        assert (end.channel, end.to, end.message) == (INCIDENTS, "channel", rig.said[-1].ts)


def test_an_answer_bears_the_trace_by_which_it_is_found(rig):
    [answer] = rig.ask(RUN)
    [told] = kept(rig)
    assert f"trace {told.trace}" in str(answer.blocks)
    assert len(told.trace) == 8


def test_entries_are_gone_after_their_days(tmp_path, peers):
    with Rig(tmp_path, peers, environment={"BOT_AUDIT_DAYS": "2"}) as rig:
        rig.ask(RUN)
        rig.time.sleep(2 * 86_400 - 60)
        assert len(kept(rig)) == 1
        rig.time.sleep(120)
        assert kept(rig) == []


def test_a_store_that_keeps_nothing_leaves_the_line_in_the_log(caplog):
    class Full(SQLiteStore):
        def put(self, *args, **kwargs):
            raise StoreError("disk full")

    caplog.set_level("INFO", "bot")
    audit.keep(Full(":memory:"), Entry(at=0, act="asked", user="U1", trace="0123abcd"), 180)
    assert '"act": "asked", "user": "U1"' in caplog.messages[0]
    assert caplog.messages[1] == "not kept for the audit: 0123abcd: disk full"


def printed(capsys, run_id, **environment):
    status = run(["audit", run_id], environment)
    return status, capsys.readouterr().out


def test_the_audit_of_a_run_is_printed_and_says_what_slack_does_not_tell(rig, tmp_path, capsys):
    rig.ask(RUN)
    status, out = printed(capsys, RUN, BOT_STORE=f"sqlite:///{tmp_path}/bot.sqlite3")
    assert status == 0
    head, entry, last = out.splitlines()
    assert head == f"{RUN}: 1 kept, of the last 180 days."
    assert f"{MEI}, asked, in {INCIDENTS} (public channel), for the channel, done, trace " in entry
    assert last.startswith("Slack does not tell who read a channel")
    _, out = printed(capsys, "t-unknown", BOT_STORE=f"sqlite:///{tmp_path}/bot.sqlite3", BOT_AUDIT_DAYS="30")
    assert out.startswith("t-unknown: nothing kept in 30 days.\nSlack does not tell")


def test_what_is_no_run_and_a_store_that_does_not_answer_are_told(tmp_path):
    assert "Its id begins with t-" in run(["audit", "x"], {})
    (tmp_path / "file").touch()
    said = run(["audit", RUN], {"BOT_STORE": f"sqlite:///{tmp_path}/file/bot.sqlite3"})
    assert said.startswith("The store did not answer: ")
    assert run(["audit", RUN], {"BOT_AUDIT_DAYS": "0"}) == (
        "Nothing was done:\n- BOT_AUDIT_DAYS is '0'; right would be a number of days, from 1 to 9999."
    )
