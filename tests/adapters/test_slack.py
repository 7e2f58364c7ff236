"""The real slack_sdk against the sandbox's Slack: an answer finds its way, once."""

import pytest

from bot.adapters.slack import ELSEWHERE, FOR_THE_ANSWER, REPEAT, Place, Slack
from bot.adapters.slack_calls import TRIES, MaybePosted
from bot.core.blocks import Message, line, rich_text, words
from bot.core.errors import SlackError
from rig import Time, settings_for
from sandbox.http import Peer, Reply
from sandbox.slack import Slack as SandboxSlack
from sandbox.slack_workspace import (
    BOT_TOKEN,
    BOT_USER,
    DIRECT,
    GENERAL,
    INCIDENTS,
    LUCAS,
    MEI,
    RESPONSE_URL_USES,
    SECRET,
    TEAM_ID,
)

ANSWER = Message("7 of 240 failed", (rich_text(line(words("7 of 240 failed"))),))


@pytest.fixture(scope="module")
def running():
    with SandboxSlack() as slack:
        yield slack


@pytest.fixture
def clock():
    return Time()


@pytest.fixture
def sandbox(running):
    yield running
    running.reset()


@pytest.fixture
def slack(sandbox, clock, tmp_path):
    return Slack(settings_for(None, sandbox, tmp_path), clock() + 100, clock, clock.sleep)


def place(sandbox, channel=INCIDENTS, user=MEI, **more):
    url = sandbox.new_response_url(channel, user)
    return Place(TEAM_ID, "", channel, user, **{"response_url": url, **more})


def said(sandbox):
    return [(message.via, message.channel, message.ephemeral_to) for message in sandbox.messages]


def methods(sandbox):
    return [call.method for call in sandbox.calls]


def test_the_response_url_comes_first_and_needs_no_membership(slack, sandbox):
    slack.answer(place(sandbox, GENERAL), ANSWER, private=False)
    assert said(sandbox) == [("response_url", GENERAL, None)]
    assert sandbox.messages[0].blocks == list(ANSWER.blocks)
    assert sandbox.calls[0].args["unfurl_links"] is False


def test_a_private_answer_is_seen_by_one_person(slack, sandbox):
    slack.answer(place(sandbox), ANSWER, private=True)
    assert said(sandbox) == [("response_url", INCIDENTS, MEI)]


def used_up(sandbox, where):
    sandbox.workspace.response_urls[where.response_url.removeprefix(sandbox.url)].uses = RESPONSE_URL_USES
    return where


def expired(sandbox, where):
    sandbox.workspace.response_urls[where.response_url.removeprefix(sandbox.url)].expires = 0
    return where


@pytest.mark.parametrize("spoil", [used_up, expired])
def test_without_its_response_url_a_public_answer_goes_to_the_channel(slack, sandbox, spoil):
    slack.answer(spoil(sandbox, place(sandbox)), ANSWER, private=False)
    assert said(sandbox) == [("chat.postMessage", INCIDENTS, None)]


def test_without_its_response_url_a_private_answer_stays_private(slack, sandbox):
    slack.answer(used_up(sandbox, place(sandbox)), ANSWER, private=True)
    assert said(sandbox) == [("chat.postEphemeral", INCIDENTS, MEI)]


@pytest.mark.parametrize("private", [True, False])
def test_where_the_bot_is_no_member_the_answer_goes_to_the_person(slack, sandbox, private):
    slack.answer(used_up(sandbox, place(sandbox, SECRET)), ANSWER, private=private)
    assert said(sandbox) == [("chat.postMessage", DIRECT, None)]
    assert ELSEWHERE in sandbox.messages[0].text
    assert sandbox.refused[-1].error in ("channel_not_found", "not_in_channel")


def test_in_a_direct_message_private_is_no_matter(slack, sandbox):
    where = Place(TEAM_ID, "", DIRECT, MEI, is_direct_message=True)
    slack.answer(where, ANSWER, private=True)
    assert said(sandbox) == [("chat.postMessage", DIRECT, None)]


def test_an_answer_in_a_thread_stays_in_the_thread(slack, sandbox):
    parent = sandbox.mention("t-hz0jdfwd9f")
    where = Place(TEAM_ID, "", INCIDENTS, MEI, thread_ts=parent["ts"])
    slack.answer(where, ANSWER, private=False)
    slack.answer(where, ANSWER, private=True)
    assert [message.thread_ts for message in sandbox.messages[1:]] == [parent["ts"]] * 2


def test_a_global_shortcut_has_no_channel(slack, sandbox):
    slack.answer(Place(TEAM_ID, "", "", LUCAS), ANSWER, private=True)
    assert [message.user for message in sandbox.messages] == [BOT_USER]
    assert methods(sandbox) == ["chat.postMessage"]


def test_when_nothing_takes_it_that_is_an_error(slack, sandbox):
    with pytest.raises(SlackError) as caught:
        slack.answer(
            used_up(sandbox, Place(TEAM_ID, "", "C0NOWHERE", "U0NOBODY", sandbox.new_response_url(INCIDENTS, MEI))),
            ANSWER,
            private=False,
        )
    assert caught.value.retry_after is None
    assert not isinstance(caught.value, MaybePosted)
    with pytest.raises(SlackError):
        slack.answer(Place("", "", "", ""), ANSWER, private=True)


def test_a_response_url_of_another_host_is_not_used(slack, sandbox):
    slack.answer(place(sandbox, response_url="https://evil.example/commands/1"), ANSWER, private=False)
    assert said(sandbox) == [("chat.postMessage", INCIDENTS, None)]


@pytest.mark.parametrize("kind", ["500", "502html", "drop_before"])
def test_what_passes_is_tried_again(slack, sandbox, clock, kind):
    sandbox.fail(kind, "response_url", times=2)
    slack.answer(place(sandbox), ANSWER, private=False)
    assert len(sandbox.messages) == 1
    assert len(clock.slept) == 2
    assert methods(sandbox) == ["response_url"] * 3


@pytest.mark.parametrize("kind", ["drop_after", "500_after"])
def test_a_post_that_may_have_arrived_is_sent_again_and_says_so(slack, sandbox, kind):
    sandbox.fail(kind, "response_url")
    slack.answer(place(sandbox), ANSWER, private=False)
    first, second = sandbox.messages
    assert REPEAT not in first.text
    assert REPEAT in second.text
    assert REPEAT in str(second.blocks)


@pytest.mark.parametrize(
    ("code", "open_"), [("internal_error", True), ("fatal_error", True), ("service_unavailable", False)]
)
def test_an_error_of_slacks_that_leaves_it_open_is_taken_at_its_word(slack, sandbox, code, open_):
    sandbox.fail(f"error:{code}", "chat.postMessage")
    slack.answer(place(sandbox, response_url=""), ANSWER, private=False)
    [message] = sandbox.messages
    assert (REPEAT in message.text) is open_


def test_the_next_way_says_so_too(slack, sandbox):
    sandbox.fail("drop_after", "response_url", times=TRIES)
    slack.answer(place(sandbox), ANSWER, private=False)
    assert [REPEAT in message.text for message in sandbox.messages] == [False, *[True] * TRIES]
    assert sandbox.messages[-1].via == "chat.postMessage"


def test_a_repeat_is_said_once(slack, sandbox):
    sandbox.fail("drop_before", "response_url")
    slack.answer(place(sandbox), ANSWER, private=False, repeat=True)
    assert sandbox.messages[0].text.count(REPEAT) == 1


def test_a_short_wait_that_slack_asks_for_is_kept(slack, sandbox, clock):
    sandbox.fail("429", "response_url", retry_after=3)
    slack.answer(place(sandbox), ANSWER, private=False)
    assert clock.slept == [3]
    assert len(sandbox.messages) == 1


def test_a_long_wait_is_not_ours(slack, sandbox, clock):
    sandbox.fail("429", "response_url", retry_after=30)
    with pytest.raises(SlackError) as caught:
        slack.answer(place(sandbox), ANSWER, private=False)
    assert caught.value.retry_after == 30
    assert not isinstance(caught.value, MaybePosted)
    assert (clock.slept, sandbox.messages) == ([], [])


def test_a_long_wait_after_a_lost_reply_may_have_posted(slack, sandbox):
    sandbox.fail("drop_after", "response_url")
    sandbox.fail("429", "response_url", retry_after=30)
    with pytest.raises(MaybePosted) as caught:
        slack.answer(place(sandbox), ANSWER, private=False)
    assert caught.value.retry_after == 30


def test_blocks_that_slack_refuses_are_left_out(slack, sandbox):
    bad = Message("7 of 240 failed", ({"type": "no such block"},))
    slack.answer(place(sandbox), bad, private=False)
    assert [(message.text, message.blocks) for message in sandbox.messages] == [("7 of 240 failed", [])]
    slack.answer(Place(TEAM_ID, "", INCIDENTS, MEI), bad, private=False)
    assert sandbox.messages[-1].blocks == []


def test_a_message_whose_blocks_slack_refuses_stands_as_text_and_so_does_its_update(slack, sandbox, caplog):
    sandbox.fail("error:invalid_blocks", method="chat.postMessage")
    ts, _repeat = slack.post(INCIDENTS, ANSWER)
    [message] = sandbox.messages
    assert (message.ts, message.text, message.blocks) == (ts, "7 of 240 failed", [])
    slack.update(INCIDENTS, ts, ANSWER)
    assert message.blocks == list(ANSWER.blocks)
    sandbox.fail("error:msg_blocks_too_long", method="chat.update")
    slack.update(INCIDENTS, ts, Message("8 of 240 failed", ANSWER.blocks))
    assert (message.text, message.blocks) == ("8 of 240 failed", [])
    sandbox.fail("error:invalid_blocks", method="response_url")
    slack.replace(place(sandbox), ts, Message("9 of 240 failed", ANSWER.blocks))
    assert caplog.text.count("Slack refused the blocks, so the text goes out alone") == 3


def test_blocks_of_which_none_may_be_left_out_are_refused_as_they_are(slack, sandbox):
    sandbox.fail("error:invalid_blocks", method="chat.postMessage")
    with pytest.raises(SlackError, match="invalid_blocks"):
        slack.post(INCIDENTS, ANSWER, whole=True)
    assert sandbox.messages == []


def test_an_unreachable_slack_ends_before_the_deadline(clock, tmp_path):
    with SandboxSlack() as gone:
        settings = settings_for(None, gone, tmp_path)
        url = gone.new_response_url(INCIDENTS, MEI)
    slack = Slack(settings, clock() + 3, clock, clock.sleep)
    with pytest.raises(SlackError) as caught:
        slack.answer(Place(TEAM_ID, "", INCIDENTS, MEI, url), ANSWER, private=False)
    assert caught.value.code == "unreachable"
    assert not isinstance(caught.value, MaybePosted)
    assert sum(clock.slept) <= 3


def test_a_sooner_deadline_changes_nothing_else(sandbox, clock, tmp_path):
    settings = settings_for(None, sandbox, tmp_path, SLACK_BOT_TOKEN="xoxb-of-nobody")
    slack = Slack(settings, clock() + 100, clock, clock.sleep, token=lambda _refused: BOT_TOKEN)
    slack.until(clock() + 20).post(INCIDENTS, ANSWER)
    assert said(sandbox) == [("chat.postMessage", INCIDENTS, None)]
    sandbox.fail("500", times=99)
    begun = clock()
    for one in (slack.until(begun + 1), slack.until(begun + 1_000)):
        with pytest.raises(SlackError, match="unreachable"):
            one.post(INCIDENTS, ANSWER)
    assert clock() < begun + 100


def test_people_and_channels(slack, sandbox):
    assert slack.user(LUCAS)["tz"] == "Europe/Berlin"
    assert slack.channel(INCIDENTS)["is_ext_shared"] is False
    sandbox.fail("500", "users.info")
    assert slack.user(MEI)["id"] == MEI
    with pytest.raises(SlackError) as caught:
        slack.channel(SECRET)
    assert caught.value.code == "channel_not_found"


def test_questions_about_people_leave_time_for_the_answer(sandbox, clock, tmp_path):
    late = Slack(settings_for(None, sandbox, tmp_path), clock() + FOR_THE_ANSWER, clock, clock.sleep)
    sandbox.fail("500", "users.info", times=9)
    with pytest.raises(SlackError):
        late.user(MEI)
    assert methods(sandbox) == ["users.info"]


class Page(Peer):
    """Something between us and Slack that answers in Slack's place."""

    reply = Reply(200, b"<html>Please log in, secret-page</html>", {"content-type": "text/html"})

    def new_response_url(self, channel, user):
        return f"{self.url}/commands/T/1/x"

    def handle(self, request):
        return self.reply


@pytest.mark.parametrize("status", [200, 403])
def test_a_foreign_page_is_an_error_without_its_text(clock, tmp_path, caplog, status):
    with Page() as page:
        page.reply = Reply(status, Page.reply.body, Page.reply.headers)
        slack = Slack(settings_for(None, page, tmp_path), clock() + 50, clock, clock.sleep)
        with pytest.raises(SlackError) as caught:
            slack.channel(INCIDENTS)
        assert "secret-page" not in str(caught.value)
        if status == 403:
            with pytest.raises(SlackError):
                slack.answer(place(page), ANSWER, private=False)
    for secret in ("secret-page", BOT_TOKEN, page.url, "/commands/"):
        assert secret not in caplog.text


def test_a_reply_without_the_thing_asked_for_is_an_empty_one(clock, tmp_path):
    with Page() as page:
        page.reply = Reply(200, b'{"ok": true}', {"content-type": "application/json"})
        slack = Slack(settings_for(None, page, tmp_path), clock() + 50, clock, clock.sleep)
        assert slack.user(MEI) == {}


HOME = {"type": "home", "blocks": list(ANSWER.blocks)}


def test_a_home_is_published_and_its_hash_is_told(slack, sandbox):
    first = slack.publish(MEI, HOME)
    second = slack.publish(MEI, HOME, first)
    assert second not in ("", first)
    with pytest.raises(SlackError, match="hash_conflict"):
        slack.publish(MEI, HOME, first)
    assert sandbox.views[0].hash == second


@pytest.mark.parametrize("kind", ["429", "500", "drop_before"])
def test_a_publish_that_passes_is_tried_again(slack, sandbox, kind):
    sandbox.fail(kind, method="views.publish")
    assert slack.publish(MEI, HOME) == sandbox.views[0].hash


def test_an_answer_names_its_message_where_slack_does(slack, sandbox):
    assert slack.answer(place(sandbox), ANSWER, private=False) == ""
    ts = slack.answer(place(sandbox, response_url=""), ANSWER, private=False)
    assert ts == sandbox.messages[-1].ts
    assert slack.answer(place(sandbox, response_url=""), ANSWER, private=True) == ""
    assert slack.answer(place(sandbox, SECRET, response_url=""), ANSWER, private=False) == ""


def test_an_answer_by_response_url_stays_in_its_thread(slack, sandbox):
    parent = sandbox.mention("first")["ts"]
    slack.answer(place(sandbox, thread_ts=parent), ANSWER, private=True)
    assert (sandbox.messages[-1].via, sandbox.messages[-1].thread_ts) == ("response_url", parent)


def test_a_file_is_uploaded_and_deleted_once(slack, sandbox):
    parent = sandbox.mention("first")["ts"]
    file_id = slack.upload(INCIDENTS, parent, "out.txt", "disk full")
    assert sandbox.workspace.files[file_id].content == b"disk full"
    slack.delete_file(file_id)
    slack.delete_file(file_id)
    assert sandbox.workspace.files[file_id].content is None
    assert [refusal.error for refusal in sandbox.refused] == ["file_deleted"]


def test_a_file_that_cannot_be_deleted_is_an_error(slack, sandbox):
    sandbox.scopes = sandbox.scopes - {"files:write"}
    with pytest.raises(SlackError, match="missing_scope"):
        slack.delete_file("F1")


def test_a_message_has_a_link_while_it_is_there(slack):
    ts, repeat = slack.post(INCIDENTS, ANSWER)
    assert not repeat
    assert slack.permalink(INCIDENTS, ts) == f"https://acme.slack.com/archives/{INCIDENTS}/p{ts.replace('.', '')}"
    slack.delete(INCIDENTS, ts)
    slack.delete(INCIDENTS, ts)
    with pytest.raises(SlackError, match="message_not_found"):
        slack.permalink(INCIDENTS, ts)
