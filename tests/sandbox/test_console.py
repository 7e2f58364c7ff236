"""The console page's server, asked as the page asks it; the page itself is tried in `tests/browser`."""

import hashlib
import http.client
import json
import threading
import time
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from browser.stand_in import StandIn
from sandbox.console import Console, serve
from sandbox.console.elements import holds, state
from sandbox.console.state import Shortcut
from sandbox.http import Reply, json_reply
from sandbox.slack_workspace import ARCHIVED, BOT_USER, GENERAL, GUEST, INCIDENTS, LUCAS, MEI, SLACKBOT
from sandbox.stage import Stage

CONSOLE = Path(__file__).resolve().parents[2] / "src" / "sandbox" / "console"


class Page:
    """What the page does, without a browser."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.after = ""

    def send(self, method, target, body=None, **headers):
        connection = http.client.HTTPConnection(urlsplit(self.console.url).netloc, timeout=30)
        given = {
            "content-type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        connection.request(method, target, body if isinstance(body, str) else json.dumps(body), given)
        answered = connection.getresponse()
        content = answered.read()
        connection.close()
        return answered, content

    def act(self, name, user=MEI, **body):
        answered, content = self.send("POST", f"/api/{name}", {"user": user, **body})
        return answered.status, json.loads(content)

    def type(self, text, channel=INCIDENTS, **more):
        return self.act("type", text=text, channel=channel, **more)

    def state(self, user=MEI, after=""):
        _, content = self.send("GET", f"/api/state?{urlencode({'user': user, 'after': after})}")
        return json.loads(content)

    def texts(self, user=MEI):
        return [message["text"] for message in self.state(user)["messages"]]


@pytest.fixture(scope="module")
def whole():
    """One stage, one app and one console for all; each test finds them as new."""
    shortcuts = [Shortcut("show", "Show outputs"), Shortcut("new", "Find a run", on_message=False)]
    with Stage() as stage, StandIn(stage.slack) as app, Console(stage, app=app.url, shortcuts=shortcuts) as console:
        yield stage, app, console


@pytest.fixture
def stage(whole):
    stage, app, _ = whole
    stage.slack.reset()
    app.asked.clear()
    return stage


@pytest.fixture
def app(whole, stage):
    return whole[1]


@pytest.fixture
def page(whole, stage):
    page = Page(whole[2])
    yield page
    page.act("fault", cloud="none")
    page.act("fault", slack="none")


# Who may ask


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "console.example"},
        {"host": "127.0.0.1:1"},
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/api/state"), ("POST", "/api/type")])
def test_another_page_is_refused(page, headers, method, path):
    answered, _ = page.send(method, path, {}, **headers)
    assert answered.status == 403


def test_a_link_from_elsewhere_may_open_the_page(page):
    assert page.send("GET", "/", sec_fetch_site="cross-site")[0].status == 200


def test_the_page_itself_may_ask(page):
    answered, _ = page.send("GET", "/api/start", origin=page.console.url, sec_fetch_site="same-origin")
    assert answered.status == 200


def test_a_form_cannot_act(page):
    assert page.send("POST", "/api/clock", {"seconds": 10}, content_type="text/plain")[0].status == 415


@pytest.mark.parametrize("body", ["", "{", "[]"])
def test_what_is_no_object_is_refused(page, body):
    assert page.send("POST", "/api/type", body)[0].status == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/../server.py", 404),
        ("GET", "/SOURCES.sha256", 404),
        ("GET", "/api/nothing", 404),
        ("POST", "/api/nothing", 404),
        ("POST", "/", 405),
        ("GET", "/api/state?user=U0NOBODY", 400),
    ],
)
def test_nothing_else_is_served(page, method, path, status):
    assert page.send(method, path, {})[0].status == status


# What is served


@pytest.mark.parametrize("name", ["", "app.js", "app.css", "LICENSES.txt"])
def test_the_page_is_served_and_may_load_nothing_from_elsewhere(page, name):
    answered, content = page.send("GET", f"/{name}")
    assert answered.status == 200
    assert content
    policy = answered.getheader("content-security-policy")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_bundle_is_built_from_these_sources():
    web = CONSOLE / "web"
    sources = [*sorted((web / "src").iterdir()), web / "build.mjs", web / "package-lock.json"]
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    assert (CONSOLE / "static" / "SOURCES.sha256").read_text().strip() == digest, "`npm ci && npm run build` in web/"


def test_the_lock_names_no_registry():
    assert '"resolved"' not in (CONSOLE / "web" / "package-lock.json").read_text()


def test_facts_name_people_scenarios_and_faults(page):
    facts = json.loads(page.send("GET", "/api/start")[1])
    kinds = {user["name"]: user["kind"] for user in facts["users"]}
    assert (kinds["mei"], kinds["gus"], kinds["stella"]) == ("member", "guest", "other organisation")
    assert any(scenario["name"] == "seven_of_240" for scenario in facts["scenarios"])
    assert facts["faults"]["cloud"][0] == {"key": "none", "label": "Works"}


def test_the_state_comes_when_it_changes_and_with_what_is_new(page):
    first = page.state()
    found = []
    waiting = threading.Thread(target=lambda: found.append(page.state(after=first["after"])))
    waiting.start()
    time.sleep(0.1)
    assert not found
    page.type("good morning", channel=GENERAL)
    waiting.join(5)
    (second,) = found
    assert [message["text"] for message in second["messages"]] == ["good morning"]
    assert not second["fresh"]
    assert page.state()["fresh"]


def test_a_cleared_workspace_makes_the_page_begin_again(page, stage):
    page.type("good morning", channel=GENERAL)
    before = page.state()
    stage.slack.clear()
    after = page.state(after=before["after"])
    assert after["fresh"]
    assert after["messages"] == []


def test_everyone_sees_their_own(page):
    page.type("/cloudassist private")
    assert page.texts() == ["Only for you."]
    assert page.texts(LUCAS) == []
    assert [channel["name"] for channel in page.state(GUEST)["channels"]] == ["incidents"]


def test_a_stopping_page_lets_go_who_waits(stage):
    console = serve(stage)
    page = Page(console)
    first = page.state()
    waiting = threading.Thread(target=page.state, kwargs={"after": first["after"]})
    waiting.start()
    time.sleep(0.1)
    console.stop()
    waiting.join(5)
    assert not waiting.is_alive()


# Typing


def test_a_slash_command_reaches_the_app_signed_and_is_answered(page, app):
    assert page.type("/cloudassist  failed") == (200, {})
    assert app.asked[0]["text"] == "failed"
    assert page.texts() == ["2 of 9 failed: deploy-web.", "/cloudassist failed"]


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        ("/giphy cat", {}, "/giphy is not a valid command. Here there is /cloudassist."),
        ("/cloudassist help", {"thread": "1.000001"}, "/cloudassist is not supported in threads. Sorry!"),
        ("hello", {"channel": ARCHIVED}, "This channel is archived"),
        ("  ", {}, "There is nothing to send."),
        ("hello", {"channel": "C0NOWHERE1"}, "no such channel"),
        ("hello", {"user": BOT_USER}, "no such user"),
        (None, {}, "text is missing"),
    ],
)
def test_what_slack_does_not_take_is_said(page, text, more, said):
    status, answer = page.type(text, **more)
    assert status == 400
    assert said in answer["error"]


def test_a_mention_is_answered_in_its_thread(page, app):
    page.type("@cloudassist failed")
    assert app.asked[0]["type"] == "app_mention"
    assert app.asked[0]["text"] == f"<@{BOT_USER}> failed"
    asked, answered = page.state()["messages"]
    assert answered["thread"] == asked["ts"]


def test_a_mention_where_the_bot_is_not_is_told_to_nobody(page, app):
    page.type("@cloudassist failed", channel=GENERAL)
    assert app.asked == []
    assert page.state()["messages"][1]["user"] == SLACKBOT


def test_people_can_talk_among_themselves(page, app):
    page.type("coffee, @lucas?")
    assert app.asked == []
    assert page.texts() == [f"coffee, <@{LUCAS}|lucas>?"]


def test_a_direct_message_reaches_the_app(page, app):
    page.act("home")
    direct = next(channel["id"] for channel in page.state()["channels"] if channel["with"] == BOT_USER)
    page.type("failed", channel=direct)
    assert app.asked[-1]["channel_type"] == "im"
    assert "I heard you." in page.texts()


def test_an_event_that_fails_is_sent_again_at_once(page, app, monkeypatch):
    seen = []
    monkeypatch.setattr(StandIn, "_event", lambda self, event: (seen.append(event), Reply(500))[1])
    assert page.type("@cloudassist failed") == (200, {"error": "http_service_error"})
    assert len(seen) == 2
    assert seen[0] == seen[1]


def test_a_dead_app_leaves_slacks_error(stage):
    with Console(stage, app="http://127.0.0.1:1/") as console:
        page = Page(console)
        assert page.type("/cloudassist failed") == (200, {"error": "dispatch_failed"})
        assert page.texts() == ['/cloudassist failed with the error "dispatch_failed"']


# Pressing


@pytest.fixture
def shown(page):
    page.type("/cloudassist failed")
    return next(message for message in page.state()["messages"] if message["blocks"])


def press(page, shown, action, block="acts", values=(), **more):
    return page.act("press", channel=INCIDENTS, ts=shown["ts"], block=block, action=action, values=values, **more)


def test_a_button_updates_its_message(page, shown):
    assert press(page, shown, "update") == (200, {})
    updated = next(message for message in page.state()["messages"] if message["ts"] == shown["ts"])
    assert (updated["text"], updated["edits"]) == ("Updated in place.", 1)


def test_a_choice_is_sent_as_slack_sends_it(page, app, shown):
    press(page, shown, "pick", values=["hongkong"])
    assert app.asked[-1]["actions"][0]["selected_option"]["text"]["text"] == "Hongkong"
    assert "Picked hongkong." in page.texts()


def test_an_accessory_without_a_block_id_can_be_pressed(page, app, shown):
    press(page, shown, "beside", block="b2")
    assert app.asked[-1]["actions"][0]["block_id"] == "b2"


def test_a_deleted_message_is_taken_from_the_page(page, shown):
    before = page.state()
    press(page, shown, "sure")
    (gone,) = page.state(after=before["after"])["messages"]
    assert gone == {"channel": INCIDENTS, "ts": shown["ts"], "deleted": True}
    assert press(page, shown, "sure")[0] == 400


def test_a_press_that_fails_says_so(page, shown):
    assert press(page, shown, "broken") == (200, {"error": "http_service_error"})


@pytest.mark.parametrize(("action", "values"), [("nothing", []), ("pick", ["mars"])])
def test_what_is_not_there_cannot_be_pressed(page, shown, action, values):
    assert press(page, shown, action, values=values)[0] == 400


def test_nobody_presses_under_what_they_cannot_see(page, shown):
    assert press(page, shown, "update", user=GUEST)[0] == 200
    press(page, shown, "more", values=["share"])
    private = next(message for message in page.state()["messages"] if message["private"])
    assert press(page, private, "update", user=LUCAS)[0] == 400


# Modals


@pytest.fixture
def opened(page, shown):
    press(page, shown, "open")
    return page.state()["modals"][0]


def inputs(note):
    return {"note": {"text": [note] if note else []}}


def test_a_modal_opens_for_who_pressed(page, opened):
    assert opened["view"]["title"]["text"] == "Outputs"
    assert page.state(LUCAS)["modals"] == []
    assert page.act("close", user=LUCAS, view=opened["id"])[0] == 400


def test_a_press_in_a_modal_sends_what_it_holds(page, app, opened):
    page.act("press", view=opened["id"], block="filter", action="state", values=["all"], inputs=inputs("hm"))
    assert app.asked[-1]["view"]["state"]["values"]["note"]["text"] == {"type": "plain_text_input", "value": "hm"}
    assert page.state()["modals"][0]["view"]["blocks"][-1]["text"]["text"] == "Shows all"


def test_a_view_can_be_pushed_and_closed_back(page, opened):
    page.act("press", view=opened["id"], block="filter", action="deeper")
    first, second = page.state()["modals"]
    assert first["root"] == second["root"]
    page.act("close", view=second["id"])
    assert [modal["id"] for modal in page.state()["modals"]] == [first["id"]]


def test_closing_all_tells_the_app_that_wants_to_know(page, app, opened):
    page.act("press", view=opened["id"], block="filter", action="deeper")
    page.act("close", view=page.state()["modals"][1]["id"], everything=True)
    assert page.state()["modals"] == []
    assert (app.asked[-1]["type"], app.asked[-1]["is_cleared"]) == ("view_closed", True)


def test_a_submission_with_errors_stays_open(page, opened):
    status, answer = page.act("submit", view=opened["id"], inputs=inputs("bad"))
    assert (status, answer["errors"]) == (200, {"note": "Say more."})
    assert page.state()["modals"]


def test_a_submission_closes_its_view(page, opened):
    assert page.act("submit", view=opened["id"], inputs=inputs("fixed")) == (200, {"errors": {}})
    assert page.state()["modals"] == []
    assert "Noted: fixed" in page.texts()
    assert page.act("submit", view=opened["id"], inputs={})[0] == 400


@pytest.mark.parametrize(
    ("answer", "titles"),
    [
        ({"response_action": "clear"}, []),
        ({"response_action": "update", "view": "small"}, ["Small"]),
        ({"response_action": "push", "view": "small"}, ["Outputs", "Small"]),
        ({"response_action": "update", "view": {}}, ["Outputs"]),
    ],
)
def test_other_answers_to_a_submission(page, opened, monkeypatch, answer, titles):
    small = {"type": "modal", "title": {"type": "plain_text", "text": "Small"}, "blocks": [{"type": "divider"}]}
    given = {**answer, **({"view": small} if answer.get("view") == "small" else {})}
    monkeypatch.setattr(StandIn, "_view_submission", lambda self, payload: json_reply(given))
    page.act("submit", view=opened["id"], inputs=inputs("x"))
    assert [modal["view"]["title"]["text"] for modal in page.state()["modals"]] == titles


def test_a_submission_that_fails_keeps_the_window(page, app, opened, monkeypatch):
    monkeypatch.setattr(StandIn, "_view_submission", lambda self, payload: Reply(500))
    assert page.act("submit", view=opened["id"], inputs=inputs("x"))[1]["error"] == "http_service_error"
    assert page.act("submit", view=opened["id"], inputs={"no": {"such": ["x"]}})[0] == 400
    assert page.state()["modals"]


def test_shortcuts_on_a_message_and_without(page, shown):
    page.act("shortcut", callback_id="show", channel=INCIDENTS, ts=shown["ts"])
    assert f"Shortcut on {shown['ts']}." in page.texts()
    page.act("shortcut", callback_id="new")
    assert len(page.state()["modals"]) == 1


def test_the_home_tab_is_opened_and_shown(page):
    assert page.state()["home"] is None
    page.act("home")
    assert page.state()["home"]["view"]["type"] == "home"


def test_a_file_is_shown_with_its_beginning(page, app):
    app.client.files_upload_v2(channel=INCIDENTS, filename="outputs.txt", content="web-01: 磁盘已满")
    (message,) = page.state()["messages"]
    assert message["files"] == [{"name": "outputs.txt", "length": 20, "text": "web-01: 磁盘已满"}]


# What elements hold

OPTIONS = [{"text": {"type": "plain_text", "text": value}, "value": value} for value in "ab"]


@pytest.mark.parametrize(
    ("element", "values", "held"),
    [
        ({"type": "button", "value": "v"}, [], {"value": "v"}),
        ({"type": "button"}, [], {}),
        ({"type": "plain_text_input"}, ["x"], {"value": "x"}),
        ({"type": "plain_text_input"}, [], {"value": None}),
        ({"type": "checkboxes", "options": OPTIONS}, ["b"], {"selected_options": OPTIONS[1:]}),
        ({"type": "checkboxes", "options": OPTIONS}, [], {"selected_options": []}),
        ({"type": "radio_buttons", "options": OPTIONS}, [], {"selected_option": None}),
        ({"type": "static_select", "option_groups": [{"options": OPTIONS}]}, ["a"], {"selected_option": OPTIONS[0]}),
        ({"type": "users_select"}, [MEI], {"selected_user": MEI}),
        ({"type": "multi_channels_select"}, [INCIDENTS], {"selected_channels": [INCIDENTS]}),
        ({"type": "datepicker"}, ["2026-11-24"], {"selected_date": "2026-11-24"}),
        ({"type": "datetimepicker"}, ["1764000000"], {"selected_date_time": 1764000000}),
        ({"type": "datetimepicker"}, [], {"selected_date_time": None}),
    ],
)
def test_what_an_element_holds(element, values, held):
    assert holds(element, values) == held


def test_a_state_names_the_type_of_each_element():
    blocks = [{"type": "input", "block_id": "b", "element": {"type": "number_input", "action_id": "a"}}]
    assert state(blocks, {"b": {"a": ["3"]}}) == {"b": {"a": {"type": "number_input", "value": "3"}}}


# Time and trouble


def test_the_clock_goes_ahead(page):
    before = page.state()["ahead"]
    assert page.act("clock", seconds=600) == (200, {})
    assert page.state()["ahead"] == before + 600


def test_a_watch_goes_on_with_the_clock(stage):
    with Console(stage) as console:
        page = Page(console)
        page.act("replay", scenario="running_fleet")
        page.type("/cloudassist watch t-hz0r6d1ym9sk4v")
        page.act("clock", seconds=300)
        _, watched = page.state()["messages"]
        assert " done, 2 failed" in watched["text"]
        assert page.state()["waiting"] == 1
        looks = watched["edits"]
        assert looks >= 10
        page.act("clock", seconds=600)
        _, watched, reply = page.state()["messages"]
        assert watched["text"].startswith("5 of 100 failed")
        assert reply["thread"] == watched["ts"]
        assert page.state()["waiting"] == 0
        assert looks < watched["edits"] <= 25


@pytest.mark.parametrize("seconds", [0, -1, "10", 10**9, None])
def test_the_clock_goes_only_ahead(page, seconds):
    assert page.act("clock", seconds=seconds)[0] == 400


def test_a_scenario_starts_again(page):
    assert page.act("replay", scenario="running_fleet") == (200, {})
    assert page.act("replay", scenario="nothing")[0] == 400


def test_a_fault_of_the_cloud_is_on_until_it_is_changed(page):
    page.act("fault", cloud="limit")
    assert page.state()["faults"]["cloud"] == "limit"
    page.act("fault", cloud="throttle_on")
    assert page.state()["faults"]["cloud"] == "throttle_on"
    page.act("fault", cloud="none")
    assert page.state()["faults"]["cloud"] == "none"


def test_a_fault_of_slack_is_over_when_it_is_used_up(page, app):
    page.act("fault", slack="drop_after")
    assert page.state()["faults"]["slack"] == "drop_after"
    app.client.chat_postMessage(channel=INCIDENTS, text="once")
    assert page.texts() == ["once", "once"], "the client heard no answer and asked again"
    assert page.state()["faults"]["slack"] == "none"
    page.act("fault", slack="slow")
    page.act("fault", slack="none")
    app.client.chat_postMessage(channel=INCIDENTS, text="works")


@pytest.mark.parametrize("key", ["twice", "refuse", "kill"])
def test_single_blows_say_what_they_do(page, key):
    status, answer = page.act("fault", once=key)
    assert status == 200
    assert answer["said"].endswith(".")


def test_slack_can_repeat_an_event(page, app):
    page.act("fault", once="again")
    page.type("@cloudassist failed")
    page.type("@cloudassist failed")
    assert len(app.asked) == 3
    assert app.asked[0] == app.asked[1]


@pytest.mark.parametrize("body", [{"cloud": "storm"}, {"slack": "storm"}, {"once": "storm"}, {}])
def test_unknown_faults_are_refused(page, body):
    assert page.act("fault", **body)[0] == 400


def test_with_the_real_function():
    with Stage() as stage:
        console = serve(stage)
        page = Page(console)
        page.act("fault", cloud="drop")
        assert page.type("/cloudassist t-hz0a4kq8w5n7xc t-hz0b9mzr2v6tde t-hk0c1ps7y3ghuj") == (200, {})
        assert page.state()["working"]
        stage.fc.wait_idle(30)
        assert any(text.startswith("7 of 240 failed") for text in page.texts())
        settled = page.state()
        assert (settled["working"], settled["faults"]["cloud"]) == (0, "none")
        console.stop()
