"""Keys of other accounts' roles: the real client against the sandbox's STS."""

import threading

import pytest

from bot.adapters.calls import Calls
from bot.adapters.roles import MOST, REFUSED, Roles, session_name
from bot.adapters.shared_replies import SharedReplies
from bot.adapters.store import SQLiteStore
from bot.core.errors import Denied, RoleRefused, Throttled, Unavailable
from bot.core.places import Account
from bot.settings import Credentials
from rig import Time, settings_for
from sandbox.cloud import SECRETS, STS_KEY_ID, TOKENS, Cloud
from sandbox.http import Peer, Reply

PROD = Account("prod", "acs:ram::1111:role/reader")
OWN = Credentials(STS_KEY_ID, SECRETS[STS_KEY_ID], TOKENS[STS_KEY_ID])
PLACE, MEI, LUCAS = "prod/cn-hangzhou", "U0MEI00001", "U0LUCAS001"


@pytest.fixture
def cloud():
    with Cloud([], roles=[PROD.role]) as cloud:
        yield cloud


@pytest.fixture
def clock():
    return Time()


@pytest.fixture
def roles(cloud, clock, tmp_path):
    return Roles(settings_for(cloud, None, tmp_path), clock)


def keys(roles, user=MEI, own=OWN, seconds=10.0):
    return roles.keys(PROD, PLACE, user, own, seconds, Calls())


@pytest.mark.parametrize(
    ("user", "name"),
    [
        (MEI, f"slack-{MEI}"),
        ("", "cloud-assistant-in-slack"),
        ("mei", "cloud-assistant-in-slack"),
        ("U" * 51, "cloud-assistant-in-slack"),
    ],
)
def test_the_session_is_called_after_who_asked(roles, cloud, user, name):
    assert session_name(user) == name
    keys(roles, user)
    assert cloud.calls[0].params == {
        "RoleArn": PROD.role, "RoleSessionName": name, "DurationSeconds": "3600"
    }  # fmt: skip
    assert cloud.calls[0].headers["x-acs-version"] == "2015-04-01"


def test_keys_are_kept_for_each_person_until_five_minutes_before_their_end(roles, cloud, clock):
    first = keys(roles)
    assert keys(roles) == first
    assert first.access_key_id.startswith("STS.")
    assert keys(roles, LUCAS) != first
    clock.ahead += 3_290
    assert keys(roles) == first
    clock.ahead += 20
    assert keys(roles) != first
    assert cloud.count("AssumeRole") == 3


def test_keys_that_were_got_with_keys_of_an_earlier_request_are_good(roles, cloud):
    assert keys(roles) == keys(roles, own=Credentials("STS.later", "secret", "token"))
    assert cloud.count("AssumeRole") == 1


def test_forgotten_keys_are_got_anew(roles):
    first = keys(roles)
    roles.forget(PROD, MEI)
    assert keys(roles) != first
    roles.forget(PROD, "U0NOBODY")


def test_many_at_once_take_the_role_on_once(roles, cloud):
    cloud.fail("slow", action="AssumeRole", seconds=0.2)
    got = []
    threads = [threading.Thread(target=lambda: got.append(keys(roles))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len(set(got)) == cloud.count("AssumeRole") == 1


def test_who_cannot_wait_for_another_one_is_told(roles, cloud):
    with roles._session("prod", session_name(MEI)).lock, pytest.raises(Unavailable) as silent:
        keys(roles, seconds=0.01)
    assert (silent.value.region, silent.value.code, cloud.calls) == (PLACE, "OutOfTime", [])
    with pytest.raises(Unavailable):
        keys(roles, seconds=0.0)


def test_a_refusal_names_the_role_and_is_good_for_some_seconds(roles, cloud, clock):
    cloud.sts.refuse(PROD.role)
    for _ in range(3):
        with pytest.raises(RoleRefused) as refused:
            keys(roles)
    error = refused.value
    assert (error.action, error.region, error.role, error.code) == ("AssumeRole", PLACE, PROD.role, "NoPermission")
    assert error.request_id
    assert cloud.count("AssumeRole") == 1
    cloud.sts.allow(PROD.role)
    clock.ahead += REFUSED + 1
    assert keys(roles)


@pytest.mark.parametrize(
    ("own", "code"), [(Credentials("LTAIno", "x"), "InvalidAccessKeyId.NotFound"), (Credentials(), "NoCredentials")]
)
def test_our_own_keys_may_be_what_is_wrong(roles, own, code):
    with pytest.raises(RoleRefused) as refused:
        keys(roles, own=own)
    assert refused.value.code == code
    assert refused.value.reason == f"my keys are not accepted ({code})"
    assert keys(roles)  # those of the next request are good


@pytest.mark.parametrize(
    ("kind", "error"),
    [("throttle", Throttled), ("http500", Unavailable), ("html502", Unavailable), ("drop", Unavailable)],
)
def test_what_a_retry_cures_is_asked_again(roles, cloud, clock, kind, error):
    cloud.fail(kind, action="AssumeRole")
    for _ in range(2):
        with pytest.raises(error):
            keys(roles)
    clock.ahead += 2
    assert keys(roles)
    assert cloud.count("AssumeRole") == 2


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_not_followed_with_our_token(roles, cloud, status):
    with Cloud([]) as other:
        cloud.fail("redirect", action="AssumeRole", status=status, location=f"{other.url}/")
        with pytest.raises((Unavailable, Denied)):
            keys(roles)
        assert other.calls == []


WHOLE = '{"Credentials":{"AccessKeyId":"STS.a","AccessKeySecret":"b","SecurityToken":"c","Expiration":%s}}'


@pytest.mark.parametrize(
    "body", ["{}", '{"Credentials":[]}', '{"Credentials":{"AccessKeyId":"STS.a"}}', WHOLE % '"soon"']
)
def test_a_reply_of_another_shape_is_unavailable(clock, tmp_path, body):
    class Odd(Peer):
        def handle(self, request):
            return Reply(200, body.encode(), {"content-type": "application/json"})

    with Odd() as peer, pytest.raises(Unavailable) as odd:
        keys(Roles(settings_for(peer, None, tmp_path), clock))
    assert odd.value.code == "UnreadableReply"


def test_so_many_people_are_remembered_and_no_more(roles):
    for number in range(MOST + 1):
        roles._session("prod", f"slack-U{number}").until = float("inf")
    assert len(roles._sessions) == MOST
    assert ("prod", "slack-U0") not in roles._sessions


def test_replies_are_not_shared_between_accounts(cloud, clock, tmp_path):
    """The same question in the same region of two accounts is two questions."""
    from bot.adapters.cloud_assistant import CloudAssistant

    settings = settings_for(cloud, None, tmp_path, BOT_ACCOUNTS=f"own,prod={PROD.role}", BOT_REGIONS="cn-hangzhou")
    store = SQLiteStore(":memory:")
    shared = SharedReplies()
    client = CloudAssistant(settings, OWN, store, deadline=clock() + 30, clock=clock, shared=shared)
    for place in (*settings.regions, *settings.regions):
        client.invocations(place, {}, most=1)
    asked = [call.account for call in cloud.calls if call.action == "DescribeInvocations"]
    assert asked == ["1234567890123456", "1111"]
    with pytest.raises(Denied) as unknown:
        client.invocations("stage/cn-hangzhou", {}, most=1)
    assert unknown.value.code == "NoSuchAccount"
    store.close()
