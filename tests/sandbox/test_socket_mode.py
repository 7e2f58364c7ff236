"""Socket Mode end to end: slack_sdk's own client between the sandbox's Slack and the real, frozen function."""

import json
import math
import threading
from contextlib import contextmanager

import pytest
from slack_sdk.errors import SlackClientNotConnectedError
from websocket import WebSocketBadStatusException, create_connection

from sandbox.slack import Slack
from sandbox.slack_envelopes import COMMAND, unwrapped
from sandbox.slack_requests import FORM, JSON, send
from sandbox.slack_sockets import SOCKET
from sandbox.slack_workspace import APP_TOKEN, BOT_TOKEN, INCIDENTS, MEI, SIGNING_SECRET
from sandbox.socket_connection import GivenUp, web_client
from sandbox.socket_mode import Address, SocketMode
from sandbox.stage import Stage

RUN = "t-hz0jdfwd9f"
QUICK = {"ping": 0.2, "first_wait": 0.05}


class Terminal:
    """What was told, without the time that each line begins with."""

    def __init__(self):
        self.lines = []
        self._change = threading.Condition()

    def __call__(self, line):
        with self._change:
            self.lines.append(line[len("12:00:00  ") :])
            self._change.notify_all()

    def wait_for(self, *parts):
        """The first line that holds all of this."""

        def found():
            return [line for line in self.lines if all(part in line for part in parts)]

        with self._change:
            assert self._change.wait_for(found, 20), (parts, self.lines)
            return found()[0]


def mode_for(slack, terminal, url="http://127.0.0.1:1", app_token=APP_TOKEN, **options):
    client = web_client(BOT_TOKEN, f"{slack.url}/api/")
    return SocketMode(client, app_token, Address(url, SIGNING_SECRET), terminal, **{**QUICK, **options})


@contextmanager
def connected(slack, terminal, url="http://127.0.0.1:1", **options):
    before = slack.sockets.connected
    mode = mode_for(slack, terminal, url, **options)
    thread = threading.Thread(target=mode.run)
    thread.start()
    try:
        slack.sockets.wait_for(before + 1)
        yield mode
    finally:
        mode.close()
        thread.join()


@pytest.fixture(scope="module")
def running():
    with Stage() as stage, connected(stage.slack, Terminal(), stage.url) as mode:
        stage.mode = mode
        yield stage


@pytest.fixture
def terminal(running):
    """Of the connection that all tests of the whole way share."""
    running.mode.told = Terminal()
    return running.mode.told


@pytest.fixture
def stage(running, terminal):
    yield running
    running.fc.wait_idle(30)
    running.slack.clear()
    running.slack.seconds = 3.0


@pytest.fixture
def slack():
    with Slack() as peer:
        yield peer


# The whole way


def test_a_slash_command_is_acked_over_the_socket_and_answered_where_it_was_asked(stage, terminal):
    ack = stage.slack.command(SOCKET, RUN)
    assert (ack.status, json.loads(ack.body)) == (200, {"response_type": "in_channel"})
    [answer] = stage.slack.wait_for(1, INCIDENTS)
    assert answer.text.startswith("60 of 60 exit code 0")
    assert [message.text for message in stage.slack.messages if message.via == "echo"] == [f"/cloudassist {RUN}"]
    line = terminal.wait_for("slash command by mei in incidents: taken, ")
    assert RUN not in line


def test_what_cannot_be_read_is_said_in_the_ack(stage):
    stage.slack.command(SOCKET, "fialed")
    [answer] = stage.slack.wait_for(1)
    assert "Did you mean `failed`?" in answer.text
    assert (answer.via, answer.ephemeral_to) == ("ack", MEI)


def test_half_a_character_is_passed_on_as_a_question_mark():
    assert unwrapped(COMMAND, {"text": "web-\ud83d*"}).body == b"text=web-%3F%2A"


def test_a_mention_is_answered_and_its_ack_says_nothing(stage, terminal):
    ack = stage.slack.event(SOCKET, stage.slack.mention(RUN))
    assert (ack.status, ack.body) == (200, b"")
    [answer] = stage.slack.wait_for(1, INCIDENTS)
    assert answer.text.startswith("60 of 60")
    terminal.wait_for(f"event app_mention by {MEI} in {INCIDENTS}: taken")


def test_a_press_opens_the_modal(stage, terminal):
    stage.slack.command(SOCKET, RUN)
    [answer] = stage.slack.wait_for(1)
    assert stage.slack.action(SOCKET, answer, "outputs").status == 200
    stage.fc.wait_idle(30)
    [view] = [view for view in stage.slack.views if view.content["type"] == "modal"]
    assert "60 exit code 0" in json.dumps(view.content)
    terminal.wait_for("press by mei in incidents: taken")
    assert stage.slack.refused == []


def test_a_message_shortcut_looks_up_what_the_message_names(stage, terminal):
    stage.slack.mention(f"look at {RUN}")
    [message] = stage.slack.wait_for(1, by=MEI)
    assert stage.slack.shortcut(SOCKET, "look_up", message=message).status == 200
    [answer] = stage.slack.wait_for(1)
    assert answer.thread_ts == message.ts
    terminal.wait_for("shortcut by mei in incidents: taken")


def test_an_envelope_that_comes_twice_is_answered_once(stage, terminal):
    before = len(stage.fc.tasks)
    stage.slack.sockets.twice = 1
    stage.slack.command(SOCKET, RUN)
    stage.slack.wait_for(1)
    terminal.wait_for("slash command")
    stage.fc.wait_idle(30)
    assert len(stage.fc.tasks) == before + 1
    assert len(stage.slack.wait_for(1)) == 1


def test_a_full_queue_is_said_to_who_typed(stage):
    stage.fc.fail("refuse_429")
    stage.slack.command(SOCKET, RUN)
    [answer] = stage.slack.wait_for(1)
    assert (answer.via, answer.ephemeral_to) == ("ack", MEI)
    assert answer.text.startswith("I could not take your question just now")


def test_an_event_that_the_queue_refuses_is_not_acked_and_answered_when_it_comes_again(stage, terminal):
    stage.slack.seconds = 0.3
    stage.fc.fail("refuse_429")
    event = stage.slack.mention(RUN)
    assert stage.slack.event(SOCKET, event, "Ev0AGAIN").error == "operation_timeout"
    terminal.wait_for("event app_mention", "NOT taken (status 503)")
    assert stage.slack.event(SOCKET, event, "Ev0AGAIN", retry_num=1).status == 200
    terminal.wait_for(", again: taken")
    [answer] = stage.slack.wait_for(1)
    assert answer.text.startswith("60 of 60")


def test_a_press_in_a_view_and_an_event_without_a_channel_are_described_too(stage, terminal):
    stage.slack.event(SOCKET, {"type": "app_home_opened", "user": MEI, "tab": "messages"})
    terminal.wait_for(f"event app_home_opened by {MEI}: taken")
    stage.slack.send(SOCKET, b"payload=" + json.dumps({"type": "view_closed"}).encode())
    terminal.wait_for("interaction: taken")


def test_what_others_named_cannot_steer_the_terminal(stage, terminal):
    stage.slack.send(SOCKET, b"command=%2Fcloudassist&user_name=%1b%5b2Jmei&channel_name=a%0ab&text=help")
    assert terminal.wait_for("slash command by").startswith("slash command by �[2Jmei in a�b: ")


def test_an_envelope_of_another_kind_is_acked_and_nothing_else(stage, terminal):
    assert stage.slack.sockets.deliver({"type": "options", "payload": {}}, 3).status == 200
    assert terminal.lines == []


def test_an_event_longer_than_a_piece_of_reading_arrives(stage, terminal):
    """slack_sdk reads in pieces, one inside the other: with its own small ones it would not get to the end."""
    event = {"type": "reaction_added", "user": MEI, "item": {"text": "x" * 900_000}}
    assert stage.slack.event(SOCKET, event).status == 200


# The connection


def test_a_connection_that_slack_renews_is_replaced_without_a_word(stage, terminal):
    before = stage.slack.sockets.connected
    stage.slack.sockets.disconnect("warning")
    stage.slack.sockets.wait_for(before + 1)
    stage.slack.command(SOCKET, RUN)
    stage.slack.wait_for(1)
    assert [line for line in terminal.lines if "taken" not in line] == []


@pytest.mark.parametrize("ending", ["refresh", "break"])
def test_after_an_end_it_connects_again_and_answers(stage, ending):
    terminal = Terminal()
    with connected(stage.slack, terminal, stage.url):
        terminal.wait_for("Connected. Ctrl-C ends it.")
        before = stage.slack.sockets.connected
        if ending == "refresh":
            stage.slack.sockets.disconnect("refresh_requested")
        else:
            stage.slack.sockets.drop()
            terminal.wait_for("The connection to Slack was lost.")
            terminal.wait_for("Connected again.")
        stage.slack.sockets.wait_for(before + 2)  # ours, and the one that all tests share
        stage.slack.command(SOCKET, RUN)
        [answer] = stage.slack.wait_for(1)
        assert answer.text.startswith("60 of 60")


def test_who_is_connected_elsewhere_too_is_told(slack):
    first, second = Terminal(), Terminal()
    with connected(slack, first), connected(slack, second):
        second.wait_for("NOTE: 1 more of this app's connections is open.", "not all are answered here")
    assert not any("NOTE" in line for line in first.lines)


def test_a_door_that_is_not_there_acks_nothing(slack):
    terminal = Terminal()
    slack.seconds = 0.3
    with connected(slack, terminal):
        assert slack.command(SOCKET, RUN).error == "operation_timeout"
        terminal.wait_for("slash command by mei", "NOT taken (dispatch_failed)", "Slack tells the person")


def test_an_ack_for_a_connection_that_is_gone_is_said(slack):
    """The function has taken it; Slack delivers it again, which the task id makes harmless."""
    terminal = Terminal()
    with Stage([]) as stage, connected(slack, terminal, stage.url) as mode:
        terminal.wait_for("Connected.")
        mode._open[-1].send_message = gone
        slack.seconds = 0.5
        slack.command(SOCKET, "help")
        terminal.wait_for("taken, but the connection was gone")


def gone(message):
    raise SlackClientNotConnectedError


def refused(slack, **options):
    """What it says when it gives up."""
    with pytest.raises(GivenUp) as raised:
        mode_for(slack, Terminal(), **options).run()
    return str(raised.value)


@pytest.mark.parametrize(
    ("app_token", "says"),
    [
        ("xapp-1-other", "does not know this SLACK_APP_TOKEN: copy it anew"),
        (BOT_TOKEN, "must be an app-level token, xapp-…"),
    ],
)
def test_a_token_that_slack_refuses_ends_it_at_once(slack, app_token, says):
    assert says in refused(slack, app_token=app_token)
    assert len(slack.calls) == 1


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("missing_scope", "lacks the scope connections:write"),
        ("token_revoked", "copy it anew"),
        ("forbidden_team", "is it on (the app's page, Socket Mode)"),
    ],
)
def test_so_does_what_only_a_person_can_mend(slack, code, says):
    slack.fail(f"error:{code}", "apps.connections.open")
    said = refused(slack)
    assert says in said
    assert said.endswith(f"Slack says: {code}.")


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("error:too_many_websockets", "ten connections of this app are open"),
        ("error:internal_error", "Slack has a fault"),
        ("502html", "what answers is not Slack"),
        ("drop_before", "it is not reached (RemoteDisconnected)"),
    ],
)
def test_what_passes_is_said_and_tried_again(slack, kind, says):
    slack.fail(kind, "apps.connections.open", times=2)
    terminal = Terminal()
    with connected(slack, terminal):
        terminal.wait_for("Connected.")
    told, connected_then = terminal.lines
    assert told.startswith(f"No connection to Slack: {says}")
    assert told.endswith(". Trying again for 10 min …")
    assert connected_then.startswith("Connected.")


def test_an_address_where_nobody_listens_is_one_of_them(slack):
    slack.sockets.ticket = lambda _: "ws://127.0.0.1:1/link/"
    assert refused(slack, patience=0.1) == "Given up: its web socket is not reached."


def test_a_wait_that_slack_asks_for_is_kept(slack):
    slack.fail("429", "apps.connections.open", retry_after=1, times=math.inf)
    assert refused(slack, patience=0.9) == "Given up: Slack asks to wait."
    assert len(slack.calls) == 1


def test_patience_ends(slack):
    slack.fail("502html", "apps.connections.open", times=math.inf)
    assert refused(slack, patience=0.3) == "Given up: what answers is not Slack."
    assert 3 <= len(slack.calls) <= 4


def test_ten_connections_of_an_app_are_the_most_and_no_storm_comes_of_more(slack):
    slack.sockets.refusing = "too_many_websockets"
    assert "ten connections of this app are open" in refused(slack, patience=0.3)
    assert slack.sockets.connected <= 4


def test_socket_mode_that_is_switched_off_ends_it(slack):
    terminal = Terminal()
    mode, ended = mode_for(slack, terminal, patience=0.2), []

    def run():
        try:
            mode.run()
        except GivenUp as error:
            ended.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    terminal.wait_for("Connected.")
    slack.sockets.refusing = "link_disabled"
    slack.sockets.disconnect("link_disabled")
    thread.join()
    assert ended == ["Given up: Socket Mode was switched off (the app's page, Socket Mode)."]


# The far end, where no client of slack_sdk would go


def test_slack_takes_an_app_token_in_the_header_only(slack):
    body = f"token={APP_TOKEN}".encode()
    response = send(f"{slack.url}/api/apps.connections.open", body, {"Content-Type": FORM})
    assert json.loads(response.body) == {"ok": False, "error": "not_authed"}


def test_a_ticket_is_good_for_one_connection(slack):
    url = slack.sockets.ticket(slack.url)
    create_connection(url, timeout=10).shutdown()
    with pytest.raises(WebSocketBadStatusException, match="400"):
        create_connection(url, timeout=10)


def test_an_app_has_ten_connections_at_the_most(slack):
    ten = [create_connection(slack.sockets.ticket(slack.url), timeout=10) for _ in range(10)]
    slack.sockets.wait_for(10)
    assert "ten connections of this app are open" in refused(slack, patience=0.1)
    for one in ten:
        one.shutdown()


def test_without_a_connection_nothing_is_delivered(slack):
    assert slack.send(SOCKET, b"{}", JSON).error == "dispatch_failed"
