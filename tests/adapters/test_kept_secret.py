"""A secret by reference, read from the sandbox's KMS and OOS by the real client, and kept."""

import json
import logging
import threading

import pytest

from bot.adapters.calls import Calls
from bot.adapters.kept_secret import AGAIN, KEPT, TRIES, UNUSABLE, bot_token
from bot.core.errors import Denied, Throttled, Unavailable
from bot.settings import Credentials
from rig import Time, settings_for
from sandbox.cloud import SECRETS, STS_KEY_ID, TOKENS, Cloud
from sandbox.slack_workspace import BOT_TOKEN

STS = Credentials(STS_KEY_ID, SECRETS[STS_KEY_ID], TOKENS[STS_KEY_ID])
ACTION = {"kms": "GetSecretValue", "oos": "GetSecretParameter"}
NEWER = "xoxb-newer"


@pytest.fixture(scope="module")
def running():
    with Cloud([]) as cloud:
        yield cloud


@pytest.fixture
def cloud(running):
    running.kms["slack"] = running.oos["slack"] = "xoxb-1"
    yield running
    running.mend()
    running.clear()
    running.kms.clear()
    running.oos.clear()


class Reader:
    def __init__(self, cloud, folder, reference):
        self.clock = Time()
        settings = settings_for(cloud, None, folder, SLACK_BOT_TOKEN=reference)
        self.token = bot_token(settings, self.clock, self.clock.sleep)
        self.calls = Calls()

    def read(self, credentials=STS):
        self.token.read(credentials, self.clock() + 60, self.calls)
        return self.token.known

    def renewed(self, refused):
        return self.token.renewed(refused, STS, self.clock() + 60, self.calls)


@pytest.fixture(params=["kms", "oos"])
def service(request):
    return request.param


@pytest.fixture
def reader(cloud, service, tmp_path):
    return Reader(cloud, tmp_path, f"{service}:slack")


def rotate(cloud):
    cloud.kms["slack"] = cloud.oos["slack"] = NEWER


def test_nothing_is_known_before_it_was_read_and_then_it_is_kept(reader, cloud, service):
    assert reader.token.known == ""
    assert reader.read() == "xoxb-1"
    assert reader.read() == "xoxb-1"
    [call] = cloud.calls
    assert (call.action, call.outcome, call.method) == (ACTION[service], "ok", "POST")
    assert call.headers["x-acs-accesskey-id"] == STS_KEY_ID
    assert reader.calls.counts == {"cloud": 1}


def test_what_the_environment_holds_is_known_and_nobody_is_asked(cloud, tmp_path):
    reader = Reader(cloud, tmp_path, BOT_TOKEN)
    assert (reader.token.known, reader.read(), reader.renewed(BOT_TOKEN)) == (BOT_TOKEN,) * 3
    assert cloud.calls == []


def test_it_is_read_anew_after_ten_minutes(reader, cloud):
    reader.read()
    rotate(cloud)
    reader.clock.ahead += KEPT - 1
    assert reader.read() == "xoxb-1"
    reader.clock.ahead += 1
    assert reader.read() == NEWER


@pytest.mark.parametrize("fault", ["throttle", "http500", "html502", "drop", "bad_json", "denied"])
def test_while_it_is_away_the_last_value_stays(reader, cloud, fault, service, caplog):
    reader.read()
    rotate(cloud)
    reader.clock.ahead += KEPT
    cloud.fail(fault)
    assert reader.read() == "xoxb-1"
    assert reader.read() == "xoxb-1"
    assert cloud.count() == 2  # once, and then not for a minute
    assert f"{service}:slack: " in caplog.text
    assert "the last value stays" in caplog.text
    assert "xoxb" not in caplog.text
    reader.clock.ahead += AGAIN
    assert reader.read() == NEWER


@pytest.mark.parametrize("fault", ["throttle", "http500", "html502", "drop", "bad_json"])
def test_the_first_time_what_passes_is_waited_out(reader, cloud, fault):
    cloud.fail(fault, times=TRIES - 1)
    assert reader.read() == "xoxb-1"
    assert cloud.count() == TRIES


@pytest.mark.parametrize(
    ("fault", "error"), [("throttle", Throttled), ("http500", Unavailable), ("empty", Unavailable)]
)
def test_the_first_time_what_does_not_pass_is_told(reader, cloud, fault, error):
    cloud.fail(fault, times=TRIES)
    with pytest.raises(error):
        reader.read()
    assert reader.token.known == ""
    assert reader.read() == "xoxb-1"


def test_a_long_wait_is_the_queues_business(reader, cloud):
    cloud.fail("throttle", headers={"x-acs-retry-after": "30000"})
    with pytest.raises(Throttled) as caught:
        reader.read()
    assert (caught.value.wait, cloud.count()) == (30, 1)


def test_what_asking_again_does_not_cure_is_told_at_once(reader, cloud):
    cloud.fail("denied")
    with pytest.raises(Denied, match=r"Forbidden"):
        reader.read()
    assert cloud.count() == 1
    with pytest.raises(Denied, match="NoCredentials"):
        reader.read(Credentials())
    cloud.kms.clear()
    cloud.oos.clear()
    with pytest.raises(Denied, match=r"Forbidden.ResourceNotFound|EntityNotExists.Parameter"):
        reader.read()


@pytest.mark.parametrize("text", [json.dumps({"bot": "xoxb-2", "app": "xapp"}), '  {"bot": "xoxb-2\\n"}'])
def test_a_key_of_a_secret_that_is_json(cloud, service, tmp_path, text):
    cloud.kms["slack"] = cloud.oos["slack"] = text
    assert Reader(cloud, tmp_path, f"{service}:slack#bot").read() == "xoxb-2"


@pytest.mark.parametrize("text", ["xoxb-1", '{"app": "x"}', '{"bot": 1}', '["bot"]', "[" * 100_000])
def test_a_key_that_is_not_there(cloud, service, tmp_path, text):
    cloud.kms["slack"] = cloud.oos["slack"] = text
    with pytest.raises(Denied, match=UNUSABLE):
        Reader(cloud, tmp_path, f"{service}:slack#bot").read()


@pytest.mark.parametrize("text", ["", " ", "xoxb-1\r\nX-Header: 1", "xoxb ü", b"\x00\x01"])
def test_what_cannot_be_a_token_is_refused_and_not_told(cloud, tmp_path, text):
    cloud.kms["slack"] = text
    with pytest.raises(Denied) as caught:
        Reader(cloud, tmp_path, "kms:slack").read()
    assert str(caught.value) == f"GetSecretValue in cn-hangzhou: {UNUSABLE}"


def test_one_that_slack_refused_is_read_anew_once_a_minute(reader, cloud):
    reader.read()
    assert reader.renewed("xoxb-1") == "xoxb-1"
    rotate(cloud)
    assert reader.renewed("xoxb-1") == "xoxb-1"
    assert cloud.count() == 2
    reader.clock.ahead += AGAIN
    assert reader.renewed("xoxb-1") == NEWER
    assert reader.renewed("xoxb-1") == NEWER  # another job was refused before: it gets what is known by now
    assert cloud.count() == 3


def test_one_that_slack_refused_stays_while_no_other_can_be_had(reader, cloud):
    reader.read()
    cloud.fail("drop")
    assert reader.renewed("xoxb-1") == "xoxb-1"


def test_jobs_that_begin_at_once_ask_once(reader, cloud):
    cloud.fail("slow", seconds=0.2)
    threads = [threading.Thread(target=reader.read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (reader.token.known, cloud.count()) == ("xoxb-1", 1)


def test_a_job_does_not_wait_for_another_ones_reading_where_a_value_is_known(reader, cloud):
    reader.read()
    reader.clock.ahead += KEPT
    with reader.token._lock:  # as held by a thread whose reading takes long
        assert reader.read() == "xoxb-1"
    assert cloud.count() == 1


def test_the_reference_may_be_logged_and_the_value_never(reader, cloud, caplog):
    caplog.set_level(logging.DEBUG)
    cloud.fail("http500", times=TRIES - 1)
    reader.read()
    assert "ServiceUnavailable" in caplog.text
    for secret in ("xoxb", SECRETS[STS_KEY_ID], TOKENS[STS_KEY_ID]):
        assert secret not in caplog.text
