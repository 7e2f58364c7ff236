"""The sandbox's Slack, spoken to with Slack's own client."""

import json
import threading
from types import SimpleNamespace
from urllib.parse import parse_qs

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler
from slack_sdk.http_retry.builtin_interval_calculators import FixedValueRetryIntervalCalculator
from slack_sdk.signature import SignatureVerifier
from slack_sdk.webhook import WebhookClient

from sandbox.http import Drop, Peer, Reply, json_reply
from sandbox.slack import Slack, sign
from sandbox.slack_requests import send
from sandbox.slack_workspace import (
    ARCHIVED,
    BOT_ID,
    BOT_TOKEN,
    BOT_USER,
    DIRECT,
    GENERAL,
    GUEST,
    INCIDENTS,
    LUCAS,
    MEI,
    OTHERS_DIRECT,
    PRIVATE,
    SECRET,
    SHARED,
    SIGNING_SECRET,
    SINGLE_CHANNEL_GUEST,
    SLACKBOT,
    STRANGER,
    USERGROUP,
)

NOW = 1_764_000_000.0
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}
TOO_LONG = {"type": "section", "text": {"type": "mrkdwn", "text": "a" * 3001}}


VIEW = {"type": "modal", "title": {"type": "plain_text", "text": "Loading…"}, "blocks": [SECTION]}


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


class App(Peer):
    """An app that answers everything with `reply` and remembers what came."""

    def __init__(self):
        super().__init__()
        self.reply = Reply()
        self.requests = []
        self.hold = threading.Event()

    def handle(self, request):
        self.requests.append(request)
        if self.reply is None:
            raise Drop
        if self.reply == "late":
            self.hold.wait(5)
            return Reply()
        return self.reply

    @property
    def form(self):
        return {key: values[0] for key, values in parse_qs(self.requests[-1].body.decode(), True).items()}

    @property
    def payload(self):
        return json.loads(self.form["payload"])


@pytest.fixture(scope="module")
def clock():
    return Clock()


@pytest.fixture(scope="module")
def one_slack(clock):
    with Slack(clock=clock) as slack:
        yield slack


@pytest.fixture
def slack(one_slack, clock):
    clock.now = NOW
    one_slack.reset()
    return one_slack


@pytest.fixture
def client(slack):
    return WebClient(token=BOT_TOKEN, base_url=f"{slack.url}/api/", retry_handlers=[])


@pytest.fixture(scope="module")
def one_app():
    with App() as app:
        yield app
        app.hold.set()


@pytest.fixture
def app(one_app):
    one_app.reply = Reply()
    one_app.requests.clear()
    return one_app


def refusal(call, *args, **kwargs):
    with pytest.raises(SlackApiError) as caught:
        call(*args, **kwargs)
    return caught.value.response


def error(call, *args, **kwargs):
    return refusal(call, *args, **kwargs)["error"]


class TestWebApi:
    def test_a_message_is_posted_updated_and_deleted(self, slack, client):
        posted = client.chat_postMessage(channel=INCIDENTS, text="one", blocks=[SECTION])
        message = slack.messages[0]
        assert (posted["ts"], message.text, message.blocks) == (message.ts, "one", [SECTION])
        client.chat_update(channel=INCIDENTS, ts=posted["ts"], text="two", blocks=[SECTION])
        assert message.text == "two"
        assert message.versions[0].text == "one"
        client.chat_delete(channel=INCIDENTS, ts=posted["ts"])
        assert message.deleted
        assert error(client.chat_update, channel=INCIDENTS, ts=posted["ts"], text="x") == "message_not_found"
        assert slack.refused[0].error == "message_not_found"

    def test_an_update_with_text_alone_removes_the_blocks(self, slack, client):
        ts = client.chat_postMessage(channel=INCIDENTS, text="one", blocks=[SECTION])["ts"]
        client.chat_update(channel=INCIDENTS, ts=ts, text="two")
        assert slack.messages[0].blocks == []
        assert slack.messages[0].versions[0].blocks == (SECTION,)

    def test_only_own_messages_can_be_changed(self, slack, client):
        ts = slack.mention("hello")["ts"]
        assert error(client.chat_update, channel=INCIDENTS, ts=ts, text="x") == "cant_update_message"
        assert error(client.chat_delete, channel=INCIDENTS, ts=ts) == "cant_delete_message"

    def test_an_ephemeral_message_is_for_one_user_and_cannot_be_updated(self, slack, client):
        ts = client.chat_postEphemeral(channel=INCIDENTS, user=MEI, text="psst")["message_ts"]
        assert slack.messages[0].ephemeral_to == MEI
        assert error(client.chat_update, channel=INCIDENTS, ts=ts, text="x") == "message_not_found"
        assert error(client.chat_postMessage, channel=INCIDENTS, thread_ts=ts, text="x") == "thread_not_found"
        stranger = {"channel": INCIDENTS, "user": STRANGER, "text": "x"}
        assert error(client.chat_postEphemeral, **stranger) == "user_not_in_channel"

    @pytest.mark.parametrize(
        ("channel", "code"),
        [
            ("C0NOWHERE0", "channel_not_found"),
            (SECRET, "channel_not_found"),
            (OTHERS_DIRECT, "channel_not_found"),
            (GENERAL, "not_in_channel"),
            (ARCHIVED, "is_archived"),
        ],
    )
    def test_where_the_bot_cannot_post(self, client, channel, code):
        assert error(client.chat_postMessage, channel=channel, text="x") == code

    @pytest.mark.parametrize("channel", [INCIDENTS, PRIVATE, SHARED, DIRECT])
    def test_where_it_can(self, client, channel):
        assert client.chat_postMessage(channel=channel, text="x")["channel"] == channel

    def test_a_user_id_stands_for_the_direct_channel(self, client):
        assert client.chat_postMessage(channel=MEI, text="x")["channel"] == DIRECT
        opened = client.chat_postMessage(channel=LUCAS, text="x")["channel"]
        assert client.chat_postMessage(channel=LUCAS, text="y")["channel"] == opened
        assert client.conversations_info(channel=opened)["channel"]["user"] == LUCAS

    def test_chat_write_public_reaches_public_channels(self, slack, client):
        slack.scopes |= {"chat:write.public"}
        assert client.chat_postMessage(channel=GENERAL, text="x")["ok"]
        assert error(client.chat_postMessage, channel=SECRET, text="x") == "channel_not_found"

    def test_bad_blocks_are_refused_with_a_pointer(self, slack, client):
        response = refusal(client.chat_postMessage, channel=INCIDENTS, text="x", blocks=[SECTION, TOO_LONG])
        said = "must be less than 3001 characters [json-pointer:/blocks/1/text/text]"
        assert response["error"] == "invalid_blocks"
        assert response["errors"] == [said]
        assert response["response_metadata"]["messages"] == [f"[ERROR] {said}"]
        assert slack.messages == []
        assert slack.refused[0].messages == (said,)

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            ({"text": "a" * 40_001}, "msg_too_long"),
            (
                {"text": "a", "blocks": [{**SECTION, "text": {"type": "mrkdwn", "text": "a" * 3000}}] * 5},
                "msg_blocks_too_long",
            ),
            ({"text": "a", "thread_ts": "1.0"}, "thread_not_found"),
            ({"text": "a", "blocks": "[{"}, "invalid_blocks_format"),
        ],
    )
    def test_bad_content_is_refused(self, client, content, code):
        assert error(client.chat_postMessage, channel=INCIDENTS, **content) == code

    def test_missing_text_is_a_warning(self, slack, client):
        with pytest.warns(UserWarning, match="text"):
            response = client.chat_postMessage(channel=INCIDENTS, blocks=[SECTION])
        assert response["warning"] == "missing_text_in_message"
        assert slack.warnings[0].method == "chat.postMessage"
        assert slack.refused == []

    def test_replies_join_the_thread_of_the_parent(self, slack, client):
        parent = client.chat_postMessage(channel=INCIDENTS, text="parent")["ts"]
        reply = client.chat_postMessage(channel=INCIDENTS, text="reply", thread_ts=parent)["ts"]
        client.chat_postMessage(channel=INCIDENTS, text="again", thread_ts=reply)
        assert [message.thread_ts for message in slack.messages] == [None, parent, parent]
        replies = client.conversations_replies(channel=INCIDENTS, ts=parent)["messages"]
        assert [message["text"] for message in replies] == ["parent", "reply", "again"]
        history = client.conversations_history(channel=INCIDENTS)["messages"]
        assert [message["text"] for message in history] == ["parent"]
        assert error(client.conversations_replies, channel=INCIDENTS, ts="1.0") == "thread_not_found"

    def test_history_is_newest_first_and_limited(self, client):
        first, *_ = (client.chat_postMessage(channel=INCIDENTS, text=str(i))["ts"] for i in range(3))
        page = client.conversations_history(channel=INCIDENTS, limit=2)
        assert [message["text"] for message in page["messages"]] == ["2", "1"]
        assert page["has_more"]
        assert len(client.conversations_history(channel=INCIDENTS, latest=first)["messages"]) == 1
        assert error(client.conversations_history, channel=GENERAL) == "not_in_channel"
        bad = {"channel": INCIDENTS, "limit": "many"}
        assert error(client.api_call, "conversations.history", params=bad) == "invalid_arguments"

    def test_channels_tell_what_they_are(self, client):
        def info(channel):
            return client.conversations_info(channel=channel)["channel"]

        assert info(INCIDENTS)["is_member"]
        assert not info(GENERAL)["is_member"]
        assert info(PRIVATE)["is_private"]
        assert info(SHARED)["is_ext_shared"]
        assert info(ARCHIVED)["is_archived"]
        assert (info(DIRECT)["is_im"], info(DIRECT)["user"]) == (True, MEI)
        assert error(client.conversations_info, channel=SECRET) == "channel_not_found"
        assert STRANGER in client.conversations_members(channel=SHARED)["members"]

    def test_people_tell_who_they_are(self, client):
        def info(user):
            return client.users_info(user=user)["user"]

        assert info(MEI)["tz"] == "Asia/Shanghai"
        assert "locale" not in info(MEI)
        assert client.users_info(user=MEI, include_locale=True)["user"]["locale"] == "en-US"
        assert (info(GUEST)["is_restricted"], info(GUEST)["is_ultra_restricted"]) == (True, False)
        assert info(SINGLE_CHANNEL_GUEST)["is_ultra_restricted"]
        assert info(STRANGER)["is_stranger"]
        assert info(STRANGER)["team_id"] != info(LUCAS)["team_id"]
        assert error(client.users_info, user="U0") == "user_not_found"
        assert client.usergroups_users_list(usergroup=USERGROUP)["users"] == [MEI, LUCAS]
        assert error(client.usergroups_users_list, usergroup="S0") == "no_such_subteam"

    def test_auth_test_names_the_bot(self, client):
        response = client.auth_test()
        assert (response["user_id"], response["bot_id"]) == (BOT_USER, BOT_ID)
        assert "chat:write" in response.headers["x-oauth-scopes"]

    def test_tokens_and_scopes_are_checked(self, slack, client):
        def with_token(token):
            return WebClient(token=token, base_url=f"{slack.url}/api/")

        assert error(with_token("xoxb-other").auth_test) == "invalid_auth"
        assert error(with_token(None).auth_test) == "not_authed"
        slack.scopes = frozenset({"users:read"})
        response = refusal(client.chat_postMessage, channel=INCIDENTS, text="x")
        assert (response["error"], response["needed"], response["provided"]) == (
            "missing_scope",
            "chat:write",
            "users:read",
        )
        assert refusal(client.conversations_info, channel=PRIVATE)["needed"] == "groups:read"
        assert client.users_info(user=MEI)["ok"]

    def test_forms_json_and_tokens_in_the_body_are_understood(self, slack):
        body = f"token={BOT_TOKEN}&channel={INCIDENTS}&text=x&blocks={json.dumps([SECTION])}".encode()
        assert (
            send(
                f"{slack.url}/api/chat.postMessage", body, {"Content-Type": "application/x-www-form-urlencoded"}
            ).status
            == 200
        )
        assert slack.messages[0].blocks == [SECTION]
        assert "token" not in slack.calls[0].args
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {BOT_TOKEN}"}
        for body, code in ((b"{", "invalid_json"), (b"[]", "json_not_object")):
            answer = json.loads(send(f"{slack.url}/api/auth.test", body, headers).body)
            assert answer["error"] == code

    def test_reactions_and_permalinks(self, slack, client):
        ts = client.chat_postMessage(channel=INCIDENTS, text="x")["ts"]
        client.reactions_add(channel=INCIDENTS, timestamp=ts, name="eyes")
        assert slack.messages[0].reactions == [("eyes", BOT_USER)]
        again = {"channel": INCIDENTS, "timestamp": ts, "name": "eyes"}
        assert error(client.reactions_add, **again) == "already_reacted"
        assert error(client.reactions_add, channel=INCIDENTS, timestamp="1.0", name="eyes") == "message_not_found"
        assert error(client.reactions_add, channel=INCIDENTS, timestamp=ts, name="") == "invalid_arguments"
        link = client.chat_getPermalink(channel=INCIDENTS, message_ts=ts)["permalink"]
        assert link.endswith(f"/{INCIDENTS}/p{ts.replace('.', '')}")
        assert error(client.chat_getPermalink, channel=INCIDENTS, message_ts="1.0") == "message_not_found"

    def test_files_go_through_the_three_steps(self, slack, client):
        response = client.files_upload_v2(
            content="long output", filename="out.txt", channel=INCIDENTS, initial_comment="see"
        )
        file = slack.workspace.files[response["file"]["id"]]
        assert (file.content, file.shared) == (b"long output", True)
        assert (slack.messages[0].text, slack.messages[0].files) == ("see", (file.id,))

    def test_files_are_refused_where_a_step_is_missing(self, slack, client):
        step = client.files_getUploadURLExternal(filename="a", length=3)
        files = [{"id": step["file_id"], "title": "a"}]
        assert error(client.files_completeUploadExternal, files=files) == "file_not_found"
        assert send(step["upload_url"], b"four", {}).body == b"length_mismatch"
        assert send(step["upload_url"], b"abc", {}).body == b"OK - 3"
        assert client.files_completeUploadExternal(files=files)["files"][0]["title"] == "a"
        assert slack.messages == []
        client.files_completeUploadExternal(files=files, channel_id=INCIDENTS)
        assert len(slack.messages) == 1
        assert send(f"{slack.url}/upload/v1/F0", b"", {}).status == 404

    def test_a_deleted_file_is_forgotten_and_takes_a_message_that_said_nothing_else_along(self, slack, client):
        said = {"content": "x", "filename": "a.txt", "channel": INCIDENTS}
        alone = client.files_upload_v2(**said)["file"]["id"]
        told = client.files_upload_v2(**said, initial_comment="see")["file"]["id"]
        for file in (alone, told):
            assert client.files_delete(file=file)["ok"]
            assert slack.workspace.files[file].content is None
            assert error(client.files_delete, file=file) == "file_deleted"
        assert [(message.deleted, message.files) for message in slack.messages] == [(True, ()), (False, ())]
        assert error(client.files_delete, file="F0") == "file_not_found"
        files = [{"id": told}]
        assert error(client.files_completeUploadExternal, files=files) == "file_deleted"

    def test_blocks_validate_needs_no_token(self, slack):
        client = WebClient(base_url=f"{slack.url}/api/")
        assert client.blocks_validate(blocks=[SECTION])["ok"]
        assert client.blocks_validate(message={"blocks": [SECTION]})["ok"]
        response = refusal(client.blocks_validate, blocks=[TOO_LONG])
        assert response["error"] == "invalid_blocks"
        assert response["errors"] == [
            {
                "pointer": "/blocks/0/text/text",
                "code": "failed_constraint",
                "message": "must be less than 3001 characters",
            }
        ]
        assert error(client.blocks_validate, view={"type": "modal"}) == "invalid_view"
        assert error(client.blocks_validate) == "invalid_arguments"

    def test_what_is_not_there(self, slack, client):
        assert error(client.api_call, "chat.unknown") == "unknown_method"
        assert send(f"{slack.url}/elsewhere", b"", {}).status == 404


class TestViews:
    def test_a_trigger_serves_once_and_for_three_seconds(self, slack, client, clock):
        trigger = slack.new_trigger()
        opened = client.views_open(trigger_id=trigger, view={**VIEW, "external_id": "job-1"})["view"]
        assert error(client.views_open, trigger_id=trigger, view=VIEW) == "trigger_exchanged"
        late = slack.new_trigger()
        clock.now += 3.01
        assert error(client.views_open, trigger_id=late, view=VIEW) == "expired_trigger_id"
        assert error(client.views_open, trigger_id="1.2.x", view=VIEW) == "invalid_trigger_id"
        assert slack.views[0].id == opened["id"]

    def test_a_view_is_found_by_either_id_and_guarded_by_its_hash(self, slack, client):
        view = {**VIEW, "external_id": "job-1"}
        opened = client.views_open(trigger_id=slack.new_trigger(), view=view)["view"]
        updated = client.views_update(external_id="job-1", view=VIEW)["view"]
        assert updated["external_id"] == "job-1"
        assert updated["hash"] != opened["hash"]
        stale = {"view_id": opened["id"], "hash": opened["hash"], "view": VIEW}
        assert error(client.views_update, **stale) == "hash_conflict"
        assert client.views_update(view_id=opened["id"], hash=updated["hash"], view=VIEW)["ok"]
        assert error(client.views_update, view_id="V0", view=VIEW) == "not_found"
        assert error(client.views_open, trigger_id=slack.new_trigger(), view=view) == "duplicate_external_id"
        assert len(slack.views[0].history) == 2

    def test_views_stack_three_deep(self, slack, client):
        view = client.views_open(trigger_id=slack.new_trigger(), view=VIEW)["view"]
        for _ in range(2):
            trigger = slack.new_trigger(view_id=view["id"])
            below, view = view, client.views_push(trigger_id=trigger, view=VIEW)["view"]
            assert view["previous_view_id"] == below["id"]
        trigger = slack.new_trigger(view_id=view["id"])
        assert error(client.views_push, trigger_id=trigger, view=VIEW) == "push_limit_reached"
        assert error(client.views_push, trigger_id=slack.new_trigger(), view=VIEW) == "invalid_trigger_id"

    def test_a_bad_view_is_refused_before_its_trigger_is_used(self, slack, client):
        trigger = slack.new_trigger()
        response = refusal(client.views_open, trigger_id=trigger, view={**VIEW, "blocks": []})
        assert response["error"] == "invalid_arguments"
        assert "/view/blocks" in response["response_metadata"]["messages"][0]
        assert client.views_open(trigger_id=trigger, view=VIEW)["ok"]

    def test_each_user_has_one_home(self, client):
        home = {"type": "home", "blocks": [SECTION]}
        first = client.views_publish(user_id=MEI, view=home)["view"]["id"]
        assert client.views_publish(user_id=MEI, view=home)["view"]["id"] == first
        assert client.views_publish(user_id=LUCAS, view=home)["view"]["id"] != first
        assert error(client.views_publish, user_id="U0", view=home) == "user_not_found"
        assert error(client.views_publish, user_id=MEI, view=VIEW) == "invalid_arguments"

    def test_a_home_is_published_over_the_view_that_its_hash_names(self, client):
        home = {"type": "home", "blocks": [SECTION]}
        assert error(client.views_publish, user_id=MEI, view=home, hash="1.a") == "hash_conflict"
        first = client.views_publish(user_id=MEI, view=home)["view"]["hash"]
        second = client.views_publish(user_id=MEI, view=home, hash=first)["view"]["hash"]
        assert second != first
        assert error(client.views_publish, user_id=MEI, view=home, hash=first) == "hash_conflict"
        assert client.views_publish(user_id=MEI, view=home)["ok"]


class TestResponseUrl:
    def test_it_serves_five_times(self, slack):
        webhook = WebhookClient(slack.new_response_url(GENERAL, MEI))
        assert "/commands/" in webhook.url
        for _ in range(5):
            response = webhook.send(text="x")
            assert (response.status_code, response.body) == (200, "ok")
        response = webhook.send(text="x")
        assert (response.status_code, response.body) == (404, "used_url")
        assert len(slack.messages) == 5
        assert slack.refused[0].method == "response_url"

    def test_it_ends_after_half_an_hour(self, slack, clock):
        webhook = WebhookClient(slack.new_response_url(INCIDENTS, MEI))
        clock.now += 1800
        assert webhook.send(text="x").body == "ok"
        clock.now += 1
        response = webhook.send(text="x")
        assert (response.status_code, response.body) == (404, "expired_url")
        assert WebhookClient(f"{slack.url}/commands/T0/1/x").send(text="x").status_code == 404

    def test_who_sees_the_message(self, slack):
        webhook = WebhookClient(slack.new_response_url(INCIDENTS, MEI))
        webhook.send(text="psst")
        webhook.send(text="all", response_type="in_channel")
        webhook.send_dict({"text": "in thread", "response_type": "in_channel", "thread_ts": "1.0"})
        assert [message.ephemeral_to for message in slack.messages] == [MEI, None, None]
        assert slack.messages[2].thread_ts == "1.0"

    def test_blocks_are_checked(self, slack):
        webhook = WebhookClient(slack.new_response_url(INCIDENTS, MEI))
        response = webhook.send(text="x", blocks=[TOO_LONG])
        assert (response.status_code, response.body) == (400, "invalid_blocks")
        assert webhook.send(text="").body == "no_text"
        assert webhook.send(blocks=[SECTION]).body == "ok"
        assert [refused.error for refused in slack.refused] == ["invalid_blocks", "no_text"]
        assert slack.warnings[0].method == "response_url"
        assert send(webhook.url, b"{", {"Content-Type": "application/json"}).body == b"invalid_json"

    def test_a_slash_command_has_no_original(self, slack):
        webhook = WebhookClient(slack.new_response_url(INCIDENTS, MEI))
        webhook.send(text="one")
        webhook.send(text="two", replace_original=True)
        webhook.send(delete_original=True)
        assert [message.text for message in slack.messages if not message.deleted] == ["one", "two"]

    @pytest.mark.parametrize("ephemeral", [True, False])
    def test_after_a_press_the_original_can_be_replaced_and_deleted(self, slack, client, ephemeral):
        post = client.chat_postEphemeral if ephemeral else client.chat_postMessage
        post(channel=INCIDENTS, text="one", blocks=[SECTION], **({"user": MEI} if ephemeral else {}))
        original = slack.messages[0]
        webhook = WebhookClient(slack.new_response_url(INCIDENTS, MEI, "action", original.ts))
        assert "/actions/" in webhook.url
        webhook.send(text="two", replace_original=True)
        assert (original.text, original.blocks, bool(original.ephemeral_to)) == ("two", [], ephemeral)
        webhook.send(text="aside")
        assert slack.messages[1].ephemeral_to == MEI
        webhook.send(delete_original=True)
        assert original.deleted


class TestRatesAndFaults:
    def test_posts_are_limited_per_channel(self, slack, client, clock):
        slack.limit_posts(burst=2, every=1.5)
        for _ in range(2):
            client.chat_postMessage(channel=INCIDENTS, text="x")
        response = refusal(client.chat_postMessage, channel=INCIDENTS, text="x")
        assert (response.status_code, response["error"]) == (429, "ratelimited")
        assert response.headers["Retry-After"] == "2"
        client.chat_postMessage(channel=PRIVATE, text="x")
        clock.now += 1.5
        client.chat_postMessage(channel=INCIDENTS, text="x")
        slack.limit_posts(None)
        client.chat_postMessage(channel=INCIDENTS, text="x")
        assert [refused.error for refused in slack.refused] == ["ratelimited"]

    def test_429_comes_as_often_as_asked(self, slack, client):
        slack.fail("429", method="chat.postMessage", retry_after=2, times=2)
        for _ in range(2):
            assert refusal(client.chat_postMessage, channel=INCIDENTS, text="x").headers["Retry-After"] == "2"
            assert client.auth_test()["ok"]
        assert client.chat_postMessage(channel=INCIDENTS, text="x")["ok"]
        assert [call.outcome for call in slack.calls if call.method == "chat.postMessage"] == ["429", "429", "ok"]
        assert slack.refused == []

    def test_server_errors(self, slack, client):
        slack.fail("500")
        assert refusal(client.auth_test).status_code == 500
        slack.fail("502html")
        assert refusal(client.auth_test).status_code == 502
        slack.fail("error:fatal_error", method="auth.test")
        assert error(client.auth_test) == "fatal_error"
        with pytest.raises(ValueError, match="no fault"):
            slack.fail("503")

    def test_a_reset_after_the_post_makes_a_retrying_client_post_twice(self, slack, client):
        client.retry_handlers.append(
            ConnectionErrorRetryHandler(interval_calculator=FixedValueRetryIntervalCalculator(0))
        )
        slack.fail("drop_before", method="chat.postMessage")
        client.chat_postMessage(channel=INCIDENTS, text="once")
        slack.fail("drop_after", method="chat.postMessage")
        client.chat_postMessage(channel=INCIDENTS, text="twice")
        assert [message.text for message in slack.messages] == ["once", "twice", "twice"]
        assert [message.unheard for message in slack.messages] == [False, True, False]

    def test_a_slow_answer_still_does_its_work(self, slack, client):
        slack.fail("slow", method="chat.postMessage", seconds=0.05)
        client.chat_postMessage(channel=INCIDENTS, text="x")
        assert len(slack.messages) == 1

    def test_response_urls_fail_too(self, slack):
        webhook = WebhookClient(slack.new_response_url(INCIDENTS, MEI))
        slack.fail("429", method="response_url")
        assert webhook.send(text="x").status_code == 429
        slack.fail("error:used_url", method="response_url")
        response = webhook.send(text="x")
        assert (response.status_code, response.body) == (404, "used_url")
        slack.fail("500", method="response_url")
        assert send(webhook.url, b"{", {"Content-Type": "application/json"}).status == 500


class TestRecords:
    def test_waiting_ends_when_the_message_comes(self, slack, client):
        threading.Timer(0.05, lambda: client.chat_postMessage(channel=INCIDENTS, text="x")).start()
        assert [message.text for message in slack.wait_for(1)] == ["x"]
        assert slack.wait_for(1, channel=INCIDENTS)[0].time == NOW

    def test_waiting_in_vain_says_what_there_was(self, slack, client):
        client.chat_postMessage(channel=INCIDENTS, text="elsewhere")
        with pytest.raises(TimeoutError, match=r"0 of 1 messages.*elsewhere"):
            slack.wait_for(1, channel=PRIVATE, timeout=0.01)

    def test_reset_undoes_everything(self, slack, client):
        slack.scopes, slack.token = frozenset(), "xoxb-other"
        slack.workspace.channels.clear()
        slack.reset()
        assert client.chat_postMessage(channel=INCIDENTS, text="x")["ok"]

    def test_clear_forgets(self, slack, client):
        client.chat_postMessage(channel=INCIDENTS, text="x")
        error(client.chat_postMessage, channel="C0", text="x")
        slack.fail("500")
        slack.clear()
        assert (slack.messages, slack.calls, slack.refused) == ([], [], [])
        assert client.auth_test()["ok"]


class TestRequests:
    def test_every_request_is_signed(self, slack, app):
        slack.command(app.url, "help")
        slack.event(app.url, slack.mention("help"))
        request = app.requests[0]
        verifier = SignatureVerifier(SIGNING_SECRET, clock=SimpleNamespace(now=lambda: NOW))
        assert all(verifier.is_valid_request(request.body, dict(request.headers)) for request in app.requests)
        assert not verifier.is_valid_request(request.body + b"x", dict(request.headers))

    def test_a_stale_request_can_be_sent(self, app):
        body = b"payload=1"
        response = send(app.url, body, sign(SIGNING_SECRET, int(NOW) - 301, body))
        assert response.status == 200
        assert app.requests[0].headers["x-slack-request-timestamp"] == str(int(NOW) - 301)

    def test_a_slash_command_carries_what_slack_sends(self, slack, app, client):
        response = slack.command(f"{app.url}/slack/events?a=1", "t-hz0 here", channel=PRIVATE)
        assert (response.status, response.error) == (200, "")
        assert response.milliseconds < 3000
        assert app.requests[0].target == "/slack/events?a=1"
        form = app.form
        assert (form["command"], form["text"], form["channel_id"]) == ("/cloudassist", "t-hz0 here", PRIVATE)
        assert (form["user_id"], form["channel_name"]) == (MEI, "privategroup")
        assert form["is_enterprise_install"] == "false"
        assert client.views_open(trigger_id=form["trigger_id"], view=VIEW)["ok"]
        assert WebhookClient(form["response_url"]).send(text="x").body == "ok"
        assert slack.wait_for()[0].ephemeral_to == MEI
        slack.command(app.url, channel=DIRECT)
        assert (app.form["channel_name"], app.form["text"]) == ("directmessage", "")

    @pytest.mark.parametrize(
        ("typed", "sent"),
        [
            ("@mei", f"<@{MEI}|mei>"),
            ("@oncall @nobody", f"<!subteam^{USERGROUP}|@oncall> @nobody"),
            ("#incidents #nowhere", f"<#{INCIDENTS}|incidents> #nowhere"),
            ("web-1.example.com", "<http://web-1.example.com|web-1.example.com>"),
            ("https://a.example/x?y=1&z=2", "<https://a.example/x?y=1&amp;z=2>"),
            ("a < b & c", "a &lt; b &amp; c"),
            ("i-bp1.x 10.0.0.1 me@acme.io", "i-bp1.x 10.0.0.1 me@acme.io"),
        ],
    )
    def test_what_is_typed_is_escaped(self, slack, app, typed, sent):
        slack.command(app.url, typed)
        assert app.form["text"] == sent
        slack.command(app.url, typed, should_escape=False)
        assert app.form["text"] == typed

    def test_an_ack_in_channel_shows_what_was_typed(self, slack, app):
        app.reply = json_reply({"response_type": "in_channel"})
        slack.command(app.url, "t-1 @mei")
        (echo,) = slack.messages
        assert (echo.user, echo.text, echo.via, echo.ephemeral_to) == (MEI, "/cloudassist t-1 @mei", "echo", None)
        app.reply = json_reply({"response_type": "in_channel", "text": "on it"})
        slack.command(app.url, "t-1")
        assert [message.text for message in slack.wait_for(1)] == ["on it"]
        assert [message.ephemeral_to for message in slack.messages] == [None] * 3

    def test_other_acks(self, slack, app):
        slack.command(app.url, "t-1")
        assert slack.messages == []
        app.reply = json_reply({"text": "usage", "blocks": [SECTION]})
        slack.command(app.url, "t-1")
        app.reply = Reply(200, b"plain words")
        slack.command(app.url, "t-1")
        assert [(m.text, m.via, m.ephemeral_to) for m in slack.messages] == [
            ("usage", "ack", MEI),
            ("plain words", "ack", MEI),
        ]
        app.reply = json_reply({"text": "usage", "blocks": [TOO_LONG]})
        slack.command(app.url, "t-1")
        assert len(slack.messages) == 2
        assert (slack.refused[0].method, slack.refused[0].error) == ("ack", "invalid_blocks")

    @pytest.mark.parametrize(
        ("reply", "said"),
        [
            (Reply(404), "http_client_error"),
            (Reply(301, headers={"location": "/"}), "http_client_error"),
            (Reply(500), "http_service_error"),
            (None, "dispatch_failed"),
            ("late", "operation_timeout"),
        ],
    )
    def test_a_failed_command_is_told_to_the_user(self, slack, app, reply, said):
        app.reply, slack.seconds = reply, 0.15 if reply == "late" else 3.0
        response = slack.command(app.url, "t-1")
        assert response.error == said
        (message,) = slack.messages
        assert (message.user, message.ephemeral_to) == (SLACKBOT, MEI)
        assert message.text == f'/cloudassist failed with the error "{said}"'

    def test_an_app_that_is_not_there(self, slack):
        response = slack.command("http://127.0.0.1:9", "t-1")
        assert (response.status, response.error) == (0, "dispatch_failed")

    def test_an_answer_in_drops_is_late_too(self, slack):
        import socket

        def drip(server):
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
                for byte in (b"a", b"b", b"c"):
                    threading.Event().wait(0.08)
                    connection.sendall(byte)

        with socket.create_server(("127.0.0.1", 0)) as server:
            thread = threading.Thread(target=drip, args=(server,))
            thread.start()
            response = send(f"http://127.0.0.1:{server.getsockname()[1]}", b"", {}, seconds=0.15)
            thread.join()
        assert response.error == "operation_timeout"

    def test_events_name_the_bot_and_their_delivery(self, slack, app):
        event = slack.mention("t-1 @mei", thread_ts="1.0")
        slack.event(app.url, event, event_id="Ev1", retry_num=2)
        body = json.loads(app.requests[0].body)
        assert (body["event_id"], body["type"]) == ("Ev1", "event_callback")
        assert body["authorizations"][0]["user_id"] == BOT_USER
        assert body["event"]["type"] == "app_mention"
        assert body["event"]["text"] == f"<@{BOT_USER}> t-1 <@{MEI}|mei>"
        assert body["event"]["thread_ts"] == "1.0"
        assert app.requests[0].headers["x-slack-retry-num"] == "2"
        assert app.requests[0].headers["x-slack-retry-reason"] == "http_timeout"
        assert slack.messages[0].user == MEI

    def test_direct_messages(self, slack, app):
        slack.event(app.url, slack.direct_message("t-1"))
        event = json.loads(app.requests[0].body)["event"]
        assert (event["type"], event["channel_type"], event["channel"]) == ("message", "im", DIRECT)
        assert "x-slack-retry-num" not in app.requests[0].headers

    def test_events_tell_of_a_shared_channel(self, slack, app):
        for channel in (SHARED, INCIDENTS):
            slack.event(app.url, slack.mention("t-1", channel=channel))
        bodies = [json.loads(request.body) for request in app.requests]
        assert [body["is_ext_shared_channel"] for body in bodies] == [True, False]

    def test_url_verification(self, slack, app):
        slack.url_verification(app.url, "abc")
        assert json.loads(app.requests[0].body)["challenge"] == "abc"


BUTTON = {"type": "button", "action_id": "more", "value": "t-1", "text": {"type": "plain_text", "text": "More"}}
OPTIONS = [{"text": {"type": "plain_text", "text": name}, "value": name} for name in ("a", "b")]
MENU = {"type": "overflow", "action_id": "menu", "options": OPTIONS}
GROUPED = {
    "type": "multi_static_select",
    "action_id": "grouped",
    "option_groups": [{"label": {"type": "plain_text", "text": "l"}, "options": OPTIONS}],
}
CARD = {"type": "card", "body": {"type": "mrkdwn", "text": "x"}, "actions": [{**BUTTON, "action_id": "on-card"}]}
CONTROLS = [
    {"type": "actions", "block_id": "row", "elements": [BUTTON, GROUPED]},
    {**SECTION, "accessory": MENU},
    {
        "type": "container",
        "title": {"type": "plain_text", "text": "t"},
        "child_blocks": [{"type": "actions", "elements": [{**BUTTON, "action_id": "inner"}]}],
    },
    {"type": "carousel", "elements": [CARD]},
]


class TestInteractions:
    @pytest.fixture
    def message(self, slack, client):
        client.chat_postMessage(channel=INCIDENTS, text="x", blocks=CONTROLS)
        return slack.messages[0]

    def test_a_press_carries_message_and_response_url(self, slack, app, message):
        slack.action(app.url, message, "more", user=LUCAS)
        payload = app.payload
        assert (payload["type"], payload["user"]["id"]) == ("block_actions", LUCAS)
        assert payload["container"] == {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": INCIDENTS,
            "is_ephemeral": False,
        }
        (pressed,) = payload["actions"]
        assert (pressed["action_id"], pressed["block_id"], pressed["value"]) == ("more", "row", "t-1")
        assert payload["message"]["blocks"][1]["block_id"] == "b1"
        WebhookClient(payload["response_url"]).send(text="new", replace_original=True)
        assert message.text == "new"

    @pytest.mark.parametrize(
        ("action_id", "value", "key", "chosen"),
        [
            ("menu", None, "selected_option", OPTIONS[0]),
            ("menu", "b", "selected_option", OPTIONS[1]),
            ("grouped", "b", "selected_options", [OPTIONS[1]]),
            ("inner", None, "value", "t-1"),
            ("on-card", "other", "value", "other"),
        ],
    )
    def test_what_is_chosen(self, slack, app, message, action_id, value, key, chosen):
        slack.action(app.url, message, action_id, value=value)
        assert app.payload["actions"][0][key] == chosen

    def test_what_is_not_there_cannot_be_pressed(self, slack, app, message):
        with pytest.raises(LookupError, match=r"there are .'more', 'grouped'"):
            slack.action(app.url, message, "nothing")
        with pytest.raises(LookupError, match="no option 'z'"):
            slack.action(app.url, message, "menu", value="z")
        with pytest.raises(LookupError):
            slack.action(app.url, message, "more", block_id="other")

    def test_an_ephemeral_message_is_not_in_the_payload(self, slack, app, client):
        parent = client.chat_postMessage(channel=INCIDENTS, text="x")["ts"]
        client.chat_postEphemeral(channel=INCIDENTS, user=MEI, text="x", blocks=CONTROLS, thread_ts=parent)
        slack.action(app.url, slack.messages[1], "more")
        assert "message" not in app.payload
        assert app.payload["container"]["is_ephemeral"]
        assert app.payload["container"]["thread_ts"] == parent

    def test_a_press_in_a_view(self, slack, app, client):
        bare = {key: value for key, value in BUTTON.items() if key != "value"}
        view = {**VIEW, "blocks": [{"type": "actions", "elements": [bare]}]}
        client.views_open(trigger_id=slack.new_trigger(), view=view)
        slack.action(app.url, slack.views[0], "more")
        payload = app.payload
        assert payload["container"] == {"type": "view", "view_id": slack.views[0].id}
        assert "response_url" not in payload
        assert "value" not in payload["actions"][0]
        assert client.views_push(trigger_id=payload["trigger_id"], view=view)["ok"]

    def test_shortcuts(self, slack, app, message):
        slack.shortcut(app.url, "look", message=message)
        assert (app.payload["type"], app.payload["message"]["ts"]) == ("message_action", message.ts)
        assert "response_url" in app.payload
        slack.shortcut(app.url, "look")
        assert app.payload["type"] == "shortcut"
        assert "channel" not in app.payload


def test_the_bots_own_messages_come_back_as_events(slack, client, app):
    slack.feed_back = app.url
    ts = client.chat_postMessage(channel=INCIDENTS, text="one", blocks=[SECTION])["ts"]
    client.chat_postEphemeral(channel=INCIDENTS, user=MEI, text="psst")
    slack.mention("hello")
    client.chat_update(channel=INCIDENTS, ts=ts, text="two")
    with slack.changed:
        assert slack.changed.wait_for(lambda: len(slack.fed_back) == 2, 5)
    added, changed = (json.loads(request.body)["event"] for request in app.requests)
    assert (added["type"], added["bot_id"], added["text"]) == ("message", BOT_ID, "one")
    assert (changed["subtype"], changed["message"]["text"]) == ("message_changed", "two")
    assert changed["message"]["bot_id"] == BOT_ID
    assert changed["previous_message"]["text"] == "one"


def test_many_threads_at_once(slack, client):
    threads = [
        threading.Thread(target=client.chat_postMessage, kwargs={"channel": INCIDENTS, "text": str(i)})
        for i in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = slack.wait_for(16)
    assert len({message.ts for message in found}) == 16
