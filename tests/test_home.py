"""App Home: from the store at once, read anew behind it, for those who may see it."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bot import home, open_work
from bot.core import buttons
from bot.core.home import REFRESH
from bot.core.open_work import OnIt
from bot.jobs import LOOK, Job
from core.test_home import told
from rig import RUN, Peers, Rig, fleet
from sandbox.block_kit import pings, view_problems
from sandbox.scenario import load
from sandbox.slack_workspace import GUEST, INCIDENTS, LUCAS, MEI, STRANGER, TEAM_ID, User

GOING = load("running_fleet")
ASKED = "DescribeInvocations"


@pytest.fixture(scope="module")
def peers():
    with Peers([fleet(), GOING]) as peers:
        yield peers


@pytest.fixture
def rig(tmp_path, peers):
    peers.cloud.replay("running_fleet")
    with Rig(tmp_path, peers) as rig:
        yield rig


def opening(rig, user=MEI):
    return rig.event({"type": "app_home_opened", "user": user, "channel": "D0ANY", "tab": "home", "event_ts": "1.1"})


def open_home(rig, user=MEI):
    """What this opening published, each as the text people read."""
    before = len(published(rig))
    assert rig.work(opening(rig, user))
    return published(rig)[before:]


def published(rig, user=None):
    """All pages that Slack took, as text, in their order."""
    calls = [call for call in rig.slack.calls if call.method == "views.publish" and call.outcome == "ok"]
    views = [(call.args["user_id"], call.args["view"]) for call in calls]
    for _, view in views:
        assert view_problems(view) == []
        assert pings(view) == []
    return [told(view) for whom, view in views if user in (None, whom)]


def shown(rig, user=MEI):
    """The page that a person sees now."""
    [view] = [one for one in rig.slack.views if one.user == user and one.content["type"] == "home"]
    return told(view.content)


def is_new(page):
    """Read some seconds ago, however slow the machine; what the tests make old is a minute old."""
    return re.search(r"data \d\d? s old at ", page) is not None


def view_of(rig, user=MEI):
    return next(one for one in rig.slack.views if one.user == user and one.content["type"] == "home")


def order_of_calls(rig, monkeypatch):
    """The methods that were called from now on, at Slack and at the cloud, in their order."""
    order = []
    slack, cloud = rig.slack.handle, rig.cloud.handle

    def at_slack(request):
        order.append(request.path.removeprefix("/api/"))
        return slack(request)

    def at_the_cloud(request):
        order.append("cloud")
        return cloud(request)

    monkeypatch.setattr(rig.slack, "handle", at_slack)
    rig.cloud.handle = at_the_cloud
    return order


class TestOpening:
    def test_the_first_time_it_says_that_it_reads_and_how_to_ask(self, rig):
        first, second = open_home(rig)
        assert first.startswith("Reading…\n3 regions · reading again")
        assert "@bot t-…" in first
        assert second.startswith("✖ 1 run failed, 1 going on\n3 regions · data ")
        assert is_new(second)
        assert "✖ 1 of 3 failed" in second
        assert RUN in second
        assert "▸ 0 of 100 done" in second
        assert "reading again" not in second

    def test_what_is_kept_is_published_before_the_cloud_is_asked(self, rig, monkeypatch):
        open_home(rig)
        rig.time.ahead += 60
        order = order_of_calls(rig, monkeypatch)
        first, second = open_home(rig)
        assert order == ["views.publish", "cloud", "cloud", "cloud", "views.publish"]
        assert "data 1 min old at " in first
        assert "reading again" in first
        assert is_new(second)

    def test_one_call_a_region_reads_it(self, rig):
        open_home(rig)
        assert rig.cloud.count(ASKED) == rig.cloud.count() == 3

    def test_what_is_new_is_not_read_again(self, rig):
        open_home(rig)
        calls = rig.cloud.count()
        rig.time.ahead += home.FRESH - 2
        [page] = open_home(rig, LUCAS)
        assert "✖ 1 of 3 failed" in page
        assert rig.cloud.count() == calls

    def test_a_delivery_twice_is_one_opening(self, rig):
        job = opening(rig)
        assert rig.work(job)
        calls = len(rig.slack.calls)
        assert rig.work(job)
        assert len(rig.slack.calls) == calls

    def test_nothing_is_written_anywhere_else(self, rig):
        open_home(rig)
        assert rig.said == []


class TestTogether:
    def test_ten_people_cause_one_reading_and_all_see_it(self, rig):
        people = [f"U0PEOPLE{n}" for n in range(10)]
        for one in people:
            rig.slack.workspace.users[one] = User(one, one.lower(), one)
        reader, *waiting, last = people
        rig.slack.workspace.users[last] = User(last, last.lower(), last, locale="zh-CN")
        asked, go_on = threading.Event(), threading.Event()
        cloud = rig.cloud.handle

        def slowly(request):
            asked.set()
            assert go_on.wait(20)
            return cloud(request)

        rig.cloud.handle = slowly
        with ThreadPoolExecutor(2) as pool:
            reading = pool.submit(rig.work, opening(rig, reader))
            assert asked.wait(20)
            for one in people[1:]:  # each is done at once, while the first one reads
                assert rig.work(opening(rig, one))
                assert shown(rig, one).startswith("读取中…" if one == last else "Reading…")
            go_on.set()
            assert reading.result()
        assert rig.cloud.count() == 3
        for one in (reader, *waiting):
            assert "✖ 1 of 3 failed" in shown(rig, one)
            assert len(published(rig, one)) == 2
        assert "✖ 失败 1/3" in shown(rig, last)  # each in their own language, whoever read
        assert "failed" not in shown(rig, last).replace("failed since:2h", "")

    def test_what_another_has_read_is_told_in_ones_own_language(self, rig):
        open_home(rig)
        rig.slack.workspace.users[LUCAS] = replace(rig.slack.workspace.users[LUCAS], locale="zh-CN")
        [page] = open_home(rig, LUCAS)
        assert "✖ 失败 1/3" in page
        assert rig.cloud.count() == 3

    def test_a_reading_that_ended_just_before_is_taken(self, rig, monkeypatch):
        """The claim is free again, and the snapshot newer than the one that was shown."""
        store = rig.worker._answering.store
        claim = store.claim

        def after_another(key, *rest):
            if key.startswith("home-reading/"):
                monkeypatch.setattr(store, "claim", claim)
                open_home(rig, LUCAS)
            return claim(key, *rest)

        monkeypatch.setattr(store, "claim", after_another)
        open_home(rig)
        assert rig.cloud.count() == 3
        assert "✖ 1 of 3 failed" in shown(rig, MEI)

    def test_a_reading_that_died_is_taken_over(self, rig):
        now = rig.time()
        key = f"home-reading/{TEAM_ID}/{','.join(rig.settings.regions)}"
        rig.worker._answering.store.claim(key, "dead", now, now + home.READING, now + 1_000)
        [page] = open_home(rig)
        assert "reading again; press Refresh if this stays" in page
        rig.time.ahead += home.READING + 1
        assert "✖ 1 of 3 failed" in open_home(rig)[-1]


class TestRights:
    @pytest.mark.parametrize(
        ("user", "sentence"), [(GUEST, "Guests cannot see command results."), (STRANGER, "You belong to another")]
    )
    def test_who_may_not_ask_reads_a_sentence_and_nothing_is_asked(self, rig, user, sentence):
        open_home(rig)
        calls = rig.cloud.count()
        [page] = open_home(rig, user)
        assert page.startswith(sentence)
        assert RUN not in page
        assert rig.cloud.count() == calls

    def test_readers_alone_where_the_settings_name_them(self, tmp_path, peers):
        with Rig(tmp_path, peers, environment={"BOT_READERS": LUCAS}) as rig:
            assert "BOT_READERS" in open_home(rig, MEI)[-1]
            assert "✖ 1 of 3 failed" in open_home(rig, LUCAS)[-1]

    def test_where_only_channels_are_answered_home_is_none_of_them(self, tmp_path, peers):
        with Rig(tmp_path, peers, environment={"BOT_CHANNELS": INCIDENTS}) as rig:
            assert open_home(rig) == [home.ONLY_CHANNELS]
            assert rig.cloud.calls == []

    def test_a_paused_bot_says_so(self, tmp_path, peers):
        with Rig(tmp_path, peers, environment={"BOT_PAUSED": "Back at nine."}) as rig:
            assert open_home(rig) == ["Back at nine."]

    def test_they_are_checked_again_at_refresh(self, rig):
        open_home(rig)
        rig.slack.workspace.users[MEI] = User(MEI, "mei", "Mei Lin", is_restricted=True)
        rig.time.ahead += 400
        assert rig.press(view_of(rig), REFRESH) == []
        assert shown(rig).startswith("Guests cannot see")


class TestTrouble:
    def test_a_silent_cloud_leaves_what_was_known_with_its_age(self, rig):
        open_home(rig)
        rig.time.ahead += 60
        rig.cloud.fail("denied", times=3)
        [_, page] = open_home(rig)
        assert "✖ 1 of 3 failed" in page
        assert "data 1 min old at " in page
        assert "Alibaba Cloud refused DescribeInvocations in cn-hangzhou" in page

    def test_and_is_not_asked_by_the_next_one_at_once(self, rig):
        rig.cloud.fail("denied", times=3)
        assert "Nothing read yet" in open_home(rig)[-1]
        calls = rig.cloud.count()
        [page] = open_home(rig, LUCAS)
        assert "Alibaba Cloud refused" in page
        assert rig.cloud.count() == calls

    def test_one_silent_region_keeps_what_was_known_of_it(self, rig):
        open_home(rig)
        rig.time.ahead += 60
        rig.cloud.fail("denied", region="cn-hangzhou")
        page = open_home(rig)[-1]
        assert "✖ 1 of 3 failed" in page
        assert "No answer from cn-hangzhou" in page
        assert is_new(page)

    def test_slack_asks_for_a_wait_and_the_opening_is_worked_off_later(self, rig):
        rig.slack.fail("429", method="views.publish", retry_after=30)
        assert open_home(rig) == []
        [(job, delay)] = rig.queue.jobs
        assert (job.tries, delay) == (1, 30)
        rig.work_off()
        assert "✖ 1 of 3 failed" in shown(rig)

    def test_a_publish_that_arrived_unheard_is_no_conflict_in_the_end(self, rig):
        open_home(rig)
        rig.time.ahead += 60
        rig.slack.fail("drop_after", method="views.publish")
        open_home(rig)
        assert is_new(shown(rig))

    def test_one_of_many_that_slack_does_not_take_stops_nobody(self, rig):
        """A person who waits for this reading, and whom Slack does not know any more."""
        store, regions = rig.worker._answering.store, ",".join(rig.settings.regions)
        for one in ("U0GONE", LUCAS):
            key = f"home-waiting/{TEAM_ID}/{regions}/{one}"
            store.put(key, {"user": one}, rig.time() + 40)
        open_home(rig)
        assert "✖ 1 of 3 failed" in shown(rig, LUCAS)
        assert store.list("home-waiting/", rig.time()) == []

    def test_without_a_store_it_is_read_each_time_and_said(self, tmp_path, peers):
        (tmp_path / "folder").write_text("no folder")
        with Rig(tmp_path, peers, environment={"BOT_STORE": f"sqlite:///{tmp_path}/folder/bot.sqlite3"}) as rig:
            first, second = open_home(rig)
            assert first.startswith("Reading…")
            assert "✖ 1 of 3 failed" in second
            assert "My store does not answer" in second
            assert "nobody is on it" not in second

    def test_on_function_compute_without_a_lasting_store_it_does_not_pretend(self, tmp_path, peers):
        function = {
            "FC_FUNCTION_NAME": "bot",
            "FC_REGION": "cn-hangzhou",
            "FC_ACCOUNT_ID": "1",
            "BOT_STORE": "",
            "TMPDIR": str(tmp_path),
        }
        with Rig(tmp_path, peers, environment=function) as rig:
            page = open_home(rig)[-1]
            assert home.NOT_LASTING in page
            assert "nobody is on it" not in page


class TestOpenWork:
    def test_who_is_on_it_is_shown_and_let_go(self, rig):
        [answer] = rig.ask(RUN)
        assert "nobody is on it" in open_home(rig)[-1]
        rig.press(answer, buttons.ON_IT, user=LUCAS)
        page = open_home(rig)[-1]
        assert "On it: lucas since " in page
        assert "nobody is on it" not in page
        link = f"https://acme.slack.com/archives/{INCIDENTS}/p{answer.ts.replace('.', '')}"
        assert link in json.dumps(view_of(rig).content)
        rig.press(answer, buttons.ON_IT, user=LUCAS)
        assert "nobody is on it" in open_home(rig)[-1]

    def test_to_let_go_on_one_message_does_not_take_it_from_another_person(self, rig):
        first, second = rig.ask(RUN)[0], rig.ask(RUN)[0]
        rig.press(first, buttons.ON_IT, user=LUCAS)
        rig.press(second, buttons.ON_IT, user=MEI)
        rig.press(first, buttons.ON_IT, user=LUCAS)
        assert "On it: mei since " in open_home(rig)[-1]

    def test_of_a_private_answer_no_place_is_told(self, rig):
        [answer] = rig.ask(f"{RUN} private")
        rig.press(answer, buttons.ON_IT)
        assert "On it: mei since " in open_home(rig)[-1]
        assert "open the message" not in shown(rig)

    def test_on_instances_nobody_is_on_a_run(self, rig):
        [answer] = rig.ask("web-001")
        rig.press(answer, buttons.ON_IT)
        assert "nobody is on it" in open_home(rig)[-1]

    def test_it_is_forgotten_after_a_week(self, rig):
        store = rig.worker._answering.store
        open_work.take(store, TEAM_ID, [RUN, "t-other"], OnIt(MEI, "mei", 1_000))
        assert open_work.who(store, TEAM_ID, [RUN, "t-none"], 2_000) == {RUN: OnIt(MEI, "mei", 1_000)}
        assert open_work.who(store, TEAM_ID, [RUN], 1_001 + open_work.KEPT) == {}

    def test_a_watch_is_listed_for_the_one_who_watches_and_gone_at_its_end(self, rig):
        assert rig.work(rig.command(f"watch {GOING.ask}"))
        [message] = rig.said
        page = open_home(rig)[-1]
        assert "Your watches\n0 of 100 done: " in page
        assert f"/p{message.ts.replace('.', '')}" in json.dumps(view_of(rig).content)
        assert "Your watches" not in open_home(rig, LUCAS)[-1]
        follow(rig, 300)
        assert "Your watches\n0 of 100 done: " not in open_home(rig)[-1]
        assert "Your watches" in shown(rig)
        follow(rig, 1_200)
        assert "Your watches" not in open_home(rig)[-1]

    def test_a_watch_without_an_answer_says_so(self, rig):
        assert rig.work(rig.command(f"watch {GOING.ask}"))
        rig.cloud.fail("denied", times=3)
        follow(rig, 1)
        assert "no answer at the last look: " in open_home(rig)[-1]

    @pytest.mark.parametrize("end", ["message", "person", "age"])
    def test_however_a_watch_ends_it_is_gone(self, rig, end):
        assert rig.work(rig.command(f"watch {GOING.ask}"))
        job, _ = rig.queue.jobs.pop(0)
        if end == "message":
            rig.slack.fail("error:message_not_found", method="chat.update")
        elif end == "person":
            rig.slack.workspace.channels[INCIDENTS].is_ext_shared = True
            rig.time.ahead += 400
        else:
            job = Job(LOOK, "look_old", job.time, {**job.payload, "look": {**job.payload["look"], "began": 0}})
        assert rig.work(job)
        assert "Your watches" not in open_home(rig)[-1]

    def test_without_a_link_it_is_listed_all_the_same(self, rig):
        rig.slack.fail("error:message_not_found", method="chat.getPermalink")
        assert rig.work(rig.command(f"watch {GOING.ask}"))
        assert "Your watches\n0 of 100 done: " in open_home(rig)[-1]
        assert "open the message" not in shown(rig)

    def test_a_broken_store_stops_neither_a_watch_nor_a_press(self, tmp_path, peers):
        (tmp_path / "folder").write_text("no folder")
        peers.cloud.replay("running_fleet")
        with Rig(tmp_path, peers, environment={"BOT_STORE": f"sqlite:///{tmp_path}/folder/bot.sqlite3"}) as rig:
            [answer] = rig.ask(RUN)
            rig.press(answer, buttons.ON_IT)
            rig.press(answer, buttons.ON_IT)
            assert "On it" not in str(answer.blocks)
            assert rig.work(rig.command(f"watch {GOING.ask}"))
            rig.cloud.clock.advance(3_600)
            follow(rig, 1_200)
            assert "of 100 failed" in rig.said[1].text


def follow(rig, seconds):
    """Looks for so long, with the cloud's clock beside the bot's."""
    end = rig.time() + seconds
    while rig.queue.jobs and rig.time() < end:
        job, delay = rig.queue.jobs.pop(0)
        rig.time.sleep(delay)
        rig.cloud.clock.advance(delay)
        assert rig.work(job)


class TestRefresh:
    def test_it_reads_again_sooner_than_an_opening(self, rig):
        open_home(rig)
        rig.time.ahead += home.FRESH_PRESSED + 1
        assert rig.press(view_of(rig), REFRESH) == []
        assert rig.cloud.count() == 6
        assert is_new(shown(rig))

    def test_but_not_twice_in_a_moment(self, rig):
        open_home(rig)
        rig.press(view_of(rig), REFRESH)
        assert rig.cloud.count() == 3
        assert len(published(rig)) == 3

    def test_it_opens_no_modal_and_writes_nothing(self, rig):
        open_home(rig)
        rig.press(view_of(rig), REFRESH)
        assert {one.content["type"] for one in rig.slack.views} == {"home"}
        assert rig.said == []
