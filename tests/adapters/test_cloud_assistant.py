"""The real Tea client against the sandbox's Cloud Assistant: parameters, pages, faults, throttles, redirects."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from bot.adapters import openapi, shared_replies
from bot.adapters.cloud_assistant import TRIES, CloudAssistant
from bot.adapters.shared_replies import SharedReplies
from bot.adapters.store import SQLiteStore
from bot.core.errors import CloudError, Denied, Throttled, Unavailable
from bot.core.manners import Priority
from bot.settings import Credentials
from rig import RUN, Time, fleet, settings_for
from sandbox.cloud import KEY_ID, SECRETS, STS_KEY_ID, TOKENS, Cloud
from sandbox.http import Peer, Reply

HZ = "cn-hangzhou"
STS = Credentials(STS_KEY_ID, SECRETS[STS_KEY_ID], TOKENS[STS_KEY_ID])


@pytest.fixture(scope="module")
def running():
    with Cloud([fleet(120)]) as cloud:
        yield cloud


@pytest.fixture
def cloud(running):
    yield running
    running.mend()
    running.clear()
    running.limit(None)


@pytest.fixture
def clock():
    return Time()


@pytest.fixture
def store(tmp_path):
    store = SQLiteStore(str(tmp_path / "bot.sqlite3"))
    yield store
    store.close()


@pytest.fixture
def client(cloud, store, clock, tmp_path):
    return CloudAssistant(
        settings_for(cloud, None, tmp_path), STS, store, deadline=clock() + 100, clock=clock, sleep=clock.sleep
    )


def other_client(client, **changes):
    """Another worker with the same store."""
    parts = {
        "settings": client._settings,
        "credentials": client._credentials,
        "store": client._store,
        "deadline": client._deadline,
        "clock": client._clock,
        "sleep": client._sleep,
    }
    return CloudAssistant(**{**parts, **changes})


def run_ids(client):
    return [one.id for one in client.invocations(HZ, {"InvokeId": RUN}, 1)]


def test_results_of_120_instances_take_three_calls_of_50(client, cloud):
    results = client.invocation_results(HZ, {"InvokeId": RUN}, most=5_000)
    assert len({result.instance_id for result in results}) == 120
    assert cloud.count("DescribeInvocationResults") == 3
    assert {call.params["MaxResults"] for call in cloud.calls} == {"50"}
    assert [bool(call.params.get("NextToken")) for call in cloud.calls] == [False, True, True]
    assert not any("PageNumber" in call.params for call in cloud.calls)


def test_no_more_rows_are_read_than_wanted(client, cloud):
    assert len(client.invocation_results(HZ, {"InvokeId": RUN}, most=60)) == 60
    assert cloud.count() == 2
    assert len(client.invocation_results(HZ, {"InvokeId": RUN}, most=7)) == 7
    assert cloud.calls[-1].params["MaxResults"] == "7"


def test_outputs_come_as_bytes(client):
    result = client.invocation_results(HZ, {"InvokeId": RUN, "InstanceId": ""}, most=1)[0]
    assert result.output in (b"disk full", b"release 4.12.0 active")
    assert result.region == HZ


FILTERS = {
    "InvokeId": RUN,
    "InstanceId": "i-hz0",
    "CommandId": "c-hz0",
    "IncludeHistory": "false",
    "ContentEncoding": "Base64",
    "ResourceGroupId": "rg-bp67acfmxazb4p",
    "Tag": [{"Key": "team", "Value": "网 站"}, {"Key": "env", "Value": "prod*~+/"}],
}
TAGS = {"Tag.1.Key": "team", "Tag.1.Value": "网 站", "Tag.2.Key": "env", "Tag.2.Value": "prod*~+/"}


def test_every_parameter_of_the_two_invocation_apis_reaches_it(client, cloud):
    client.invocation_results(HZ, {**FILTERS, "InvokeRecordStatus": "Failed"}, most=1)
    listing = {"CommandName": "deploy", "CommandType": "RunShellScript", "InvokeStatus": "Failed"}
    rest = {"RepeatMode": "Once", "Timed": "false", "IncludeOutput": "false"}
    client.invocations(HZ, {**FILTERS, **listing, **rest, "IncludeHistory": None}, most=1)
    results, invocations = (call.params for call in cloud.calls)
    plain = {key: value for key, value in FILTERS.items() if isinstance(value, str)}
    assert results == {
        **plain,
        **TAGS,
        "InvokeRecordStatus": "Failed",
        "MaxResults": "1",
        "RegionId": HZ,
    }
    del plain["IncludeHistory"]
    assert invocations == {**plain, **TAGS, **listing, **rest, "MaxResults": "1", "RegionId": HZ}
    assert [call.outcome for call in cloud.calls] == ["ok", "ok"]


def test_instances_commands_agents_and_regions(client, cloud):
    assert [one.name for one in client.instances(HZ, {"InstanceName": "web-00*"}, most=200)][:2] == [
        "web-001",
        "web-002",
    ]
    assert [one.name for one in client.commands(HZ, {"Name": "deploy*"}, most=50)] == ["deploy-web"]
    ids = [one.id for one in client.instances(HZ, {}, most=200)]
    assert len(ids) == 120
    assert len(client.agents(HZ, ids[:3])) == 3
    assert HZ in client.regions()
    cloud.clear()
    assert len(client.instances_by_id(HZ, [*ids, *ids, "mi-hz0managed1"])) == 120
    assert cloud.count("DescribeInstances") == 2
    assert "mi-" not in str([call.params for call in cloud.calls])
    assert client.instances_by_id(HZ, ["mi-hz0managed1"]) == []
    assert cloud.count() == 2


@pytest.mark.parametrize("kind", ["http500", "html502", "drop", "drop_after", "empty", "bad_json"])
def test_what_passes_is_tried_again_with_growing_pauses(client, cloud, clock, kind):
    cloud.fail(kind, times=2)
    assert run_ids(client) == [RUN]
    assert cloud.count() == 3
    first, second = clock.slept
    assert 0.18 < first < 0.32
    assert 0.37 < second < 0.63
    nonces = {call.headers["x-acs-signature-nonce"] for call in cloud.calls}
    assert len(nonces) == 3


@pytest.mark.parametrize("kind", ["http500", "html502", "drop", "empty", "bad_json"])
def test_in_the_end_it_gives_up(client, cloud, kind):
    cloud.fail(kind, times=math.inf)
    with pytest.raises(Unavailable):
        run_ids(client)
    assert cloud.count() == TRIES


def test_it_gives_up_before_the_deadline(client, cloud, clock):
    cloud.fail("drop", times=math.inf)
    with pytest.raises(Unavailable):
        run_ids(other_client(client, deadline=clock() + 0.1))
    assert cloud.count() == 1
    with pytest.raises(Unavailable) as caught:
        run_ids(other_client(client, deadline=clock() - 1))
    assert caught.value.code == "OutOfTime"
    assert cloud.count() == 1


def test_a_slow_reply_is_not_waited_for_beyond_the_deadline(client, cloud, clock):
    cloud.fail("slow", seconds=0.5)
    with pytest.raises(Unavailable):
        run_ids(other_client(client, deadline=clock() + 0.05))
    assert cloud.count() == 1


def test_lost_rights_are_final(client, cloud):
    cloud.fail("denied")
    with pytest.raises(Denied) as caught:
        run_ids(client)
    assert (caught.value.code, cloud.count()) == ("Forbidden.RAM", 1)
    assert caught.value.request_id


@pytest.mark.parametrize(
    ("credentials", "code"),
    [
        (Credentials("LTAInobody", "x"), "InvalidAccessKeyId.NotFound"),
        (Credentials(KEY_ID, "wrong"), "SignatureDoesNotMatch"),
        (Credentials(STS_KEY_ID, SECRETS[STS_KEY_ID], "stale"), "InvalidSecurityToken.MismatchWithAccessKey"),
    ],
)
def test_bad_keys_are_final(client, cloud, credentials, code):
    with pytest.raises(Denied) as caught:
        run_ids(other_client(client, credentials=credentials))
    assert (caught.value.code, cloud.count()) == (code, 1)


def test_an_expired_token_is_final(client, cloud):
    cloud.keys.renew("STS.Ended", "secret", "token")
    cloud.keys.expire("STS.Ended")
    with pytest.raises(Denied) as caught:
        run_ids(other_client(client, credentials=Credentials("STS.Ended", "secret", "token")))
    assert (caught.value.code, cloud.count()) == ("InvalidSecurityToken.Expired", 1)


def test_long_lived_keys_work_too(client):
    assert run_ids(other_client(client, credentials=Credentials(KEY_ID, SECRETS[KEY_ID]))) == [RUN]


def test_without_keys_nothing_is_asked(client, cloud):
    with pytest.raises(Denied) as caught:
        run_ids(other_client(client, credentials=Credentials()))
    assert (caught.value.code, cloud.count()) == ("NoCredentials", 0)


# Throttling


def test_a_throttled_api_is_left_alone_by_every_worker_until_the_next_minute(client, cloud, clock):
    cloud.fail("throttle")
    with pytest.raises(Throttled) as caught:
        run_ids(client) if clock() % 60 < 45 else (clock.sleep(20), run_ids(client))
    wait = caught.value.wait
    assert 0 < wait <= 62
    assert (clock() + wait) % 60 < 2.1
    assert cloud.count() == 1
    with pytest.raises(Throttled) as second:
        run_ids(other_client(client))
    assert second.value.wait == pytest.approx(wait, abs=1)
    assert cloud.count() == 1
    client.invocation_results(HZ, {"InvokeId": RUN}, most=1)
    client.invocations("cn-shanghai", {}, most=1)
    assert cloud.count() == 3
    clock.sleep(wait)
    assert run_ids(other_client(client, deadline=clock() + 100)) == [RUN]


def test_a_short_throttle_is_waited_out(client, cloud, clock):
    cloud.fail("throttle", headers={"x-acs-retry-after": "1500"})
    assert run_ids(client) == [RUN]
    assert clock.slept == [1.5]
    assert cloud.count() == 2


def test_the_end_of_anothers_throttle_is_waited_out(client, cloud, clock, store):
    store.put(f"throttle/DescribeInvocations/{HZ}", {"until": clock() + 3}, expires=clock() + 3)
    assert run_ids(client) == [RUN]
    assert clock.slept == [pytest.approx(3, abs=0.5)]
    store.put(f"throttle/DescribeInvocations/{HZ}", {"until": clock() + 3}, expires=clock() + 3)
    with pytest.raises(Throttled):
        run_ids(other_client(client, deadline=clock() + 1))
    assert cloud.count() == 1


def test_a_throttle_lasts_two_minutes_at_most_whatever_the_api_says(client, cloud):
    cloud.fail("throttle", headers={"x-acs-retry-after": "86400000"})
    with pytest.raises(Throttled) as caught:
        run_ids(client)
    assert caught.value.wait == openapi.LONGEST_THROTTLE


def test_short_throttles_end_too(client, cloud):
    cloud.fail("throttle", times=math.inf, headers={"x-acs-retry-after": "10"})
    with pytest.raises(Throttled):
        run_ids(client)
    assert cloud.count() == TRIES


def test_a_broken_store_changes_nothing_but_the_memory(client, cloud):
    lonely = other_client(client, store=SQLiteStore("/proc/nowhere/bot.sqlite3"))
    assert run_ids(lonely) == [RUN]
    cloud.fail("throttle", headers={"x-acs-retry-after": "9000"})
    with pytest.raises(Throttled):
        run_ids(lonely)
    assert run_ids(lonely) == [RUN]


def test_429_without_a_code_is_a_throttle():
    class Answer(Exception):
        code, status_code, retry_after, request_id = None, 429, None, None

    assert isinstance(openapi.meaning(Answer(), "DescribeInvocations", HZ, 1), Throttled)


def test_a_reply_of_another_shape_is_unavailable(tmp_path, store, clock):
    class Odd(Peer):
        def handle(self, request):
            return Reply(200, b"[]", {"content-type": "application/json"})

    with Odd() as peer:
        client = CloudAssistant(
            settings_for(peer, None, tmp_path), STS, store, deadline=clock() + 50, clock=clock, sleep=clock.sleep
        )
        with pytest.raises(Unavailable) as caught:
            run_ids(client)
    assert caught.value.code == "UnreadableReply"


@pytest.mark.parametrize("code", ["InvalidInvokeId.NotFound", "InvalidInstance.NotFound", "InvalidCmdId.NotFound"])
def test_an_id_that_is_answered_with_404_is_nowhere(tmp_path, store, clock, code):
    class Missing(Peer):
        def handle(self, request):
            body = json.dumps({"RequestId": "1", "Code": code, "Message": "The specified id does not exist."})
            return Reply(404, body.encode(), {"content-type": "application/json"})

    with Missing() as peer:
        client = CloudAssistant(settings_for(peer, None, tmp_path), STS, store, deadline=clock() + 50, clock=clock)
        assert client.invocations(HZ, {"InvokeId": RUN}, most=1) == []
        assert client.invocation_results(HZ, {"InvokeId": RUN}, most=50) == []


def test_paging_ends_when_a_token_comes_back_unchanged(tmp_path, store, clock):
    class Loop(Peer):
        def handle(self, request):
            return Reply(
                200,
                b'{"NextToken": "again", "Invocations": {"Invocation": [{"InvokeId": "t-hz0loop0001"}]}}',
                {"content-type": "application/json"},
            )

    with Loop() as peer:
        client = CloudAssistant(settings_for(peer, None, tmp_path), STS, store, deadline=clock() + 50, clock=clock)
        assert len(client.invocations(HZ, {}, most=500)) == 2


# What must not get out


@pytest.mark.parametrize("kind", ["http500", "html502", "drop", "bad_json", "denied", "throttle"])
def test_errors_and_log_lines_hold_no_address_key_or_token(client, cloud, caplog, kind):
    cloud.fail(kind, times=math.inf)
    with pytest.raises(CloudError) as caught:
        run_ids(client)
    told = caplog.text + repr(caught.value) + str(vars(caught.value))
    for secret in (TOKENS[STS_KEY_ID], SECRETS[STS_KEY_ID], STS_KEY_ID, cloud.url, "127.0.0.1", RUN):
        assert secret not in told
    assert caught.value.__cause__ is None


class Elsewhere(Peer):
    """Where a redirect leads; it must get nothing."""

    def __init__(self):
        super().__init__()
        self.requests = []

    def handle(self, request):
        self.requests.append(request)
        return Reply(200, b"{}", {"content-type": "application/json"})


FIRST_CALL = """
import sys
from bot.adapters.cloud_assistant import CloudAssistant
from bot.adapters.shared_replies import SharedReplies
from bot.adapters.store import SQLiteStore
from bot.core.errors import Unavailable
from bot.core.manners import Priority
from bot.settings import Credentials
from rig import settings_for
from types import SimpleNamespace
import time
assert not {"Tea", "requests", "alibabacloud_tea_openapi", "darabonba"} & set(sys.modules)
url, folder, *keys = sys.argv[1:]
client = CloudAssistant(settings_for(SimpleNamespace(url=url), None, folder), Credentials(*keys),
    SQLiteStore(folder + "/bot.sqlite3"), deadline=time.time() + 50, sleep=lambda seconds: None)
try:
    client.invocations("cn-hangzhou", {}, 1)
except Unavailable:
    print("unavailable")
"""


@pytest.mark.parametrize("status", [302, 307])
def test_the_very_first_call_of_a_process_follows_no_redirect(cloud, tmp_path, status):
    """The STS token would go with it."""
    tests = Path(__file__).parents[1]
    with Elsewhere() as elsewhere:
        cloud.fail("redirect", times=math.inf, status=status, location=f"{elsewhere.url}/")
        keys = (STS.access_key_id, STS.access_key_secret, STS.security_token)
        done = subprocess.run(
            [sys.executable, "-c", FIRST_CALL, cloud.url, str(tmp_path), *keys],
            env={"PYTHONPATH": f"{tests.parent / 'src'}:{tests}", "PATH": ""},
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.stdout == "unavailable\n", done.stderr
        assert elsewhere.requests == []
    assert cloud.count() == TRIES


LOADED = """
import sys
from bot.adapters import openapi
{before}
openapi.load()
import Tea.core
print(*[name in sys.modules for name in ("aiohttp", "yarl", "apscheduler", "cryptography")])
import aiohttp, apscheduler.schedulers.background, cryptography.hazmat.primitives.hashes
print(aiohttp.ClientSession.__module__, cryptography.hazmat.primitives.hashes.SHA256.__module__)
"""


@pytest.mark.parametrize(
    ("before", "there"), [("", "False False False False"), ("import aiohttp", "True True False False")]
)
def test_the_client_is_loaded_without_what_it_does_not_use_and_others_may_have_that_all_the_same(before, there):
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(before=before)],
        env={"PYTHONPATH": str(Path(__file__).parents[2] / "src"), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.stdout == f"{there}\naiohttp.client cryptography.hazmat.primitives.hashes\n", done.stderr


# Quota manners


@pytest.mark.parametrize(("priority", "room"), [(Priority.NOTICES, 10), (Priority.DIGESTS, 60)])
def test_what_is_not_for_people_leaves_a_throttled_api_alone_for_longer(client, cloud, clock, priority, room):
    cloud.fail("throttle", headers={"x-acs-retry-after": "4000"})
    later = other_client(client, priority=priority)
    with pytest.raises(Throttled) as refused:
        run_ids(later)
    assert refused.value.wait == 4
    clock.sleep(5)
    with pytest.raises(Throttled) as refused:
        run_ids(later)
    assert 0 < refused.value.wait < room
    assert cloud.count() == 1
    assert run_ids(client) == [RUN]  # people go first
    clock.sleep(room)
    assert run_ids(later) == [RUN]


def test_the_same_question_within_seconds_makes_one_call_and_the_age_is_known(client, cloud, clock, monkeypatch):
    monkeypatch.setattr(shared_replies, "FRESH", 600.0)  # a slow machine must not make the difference
    shared, asked = SharedReplies(), clock()
    assert run_ids(other_client(client, shared=shared)) == [RUN]
    clock.sleep(50)
    second = other_client(client, shared=shared)
    assert run_ids(second) == [RUN]
    assert cloud.count() == 1
    assert asked <= second.oldest < asked + 50
    assert run_ids(other_client(client, shared=shared, fresh=True)) == [RUN]
    assert cloud.count() == 2


def test_other_keys_other_filters_and_later_questions_are_not_answered_from_what_is_shared(client, cloud, clock):
    shared = SharedReplies()
    first = other_client(client, shared=shared)
    run_ids(first)
    first.invocations(HZ, {}, 1)
    run_ids(other_client(client, shared=shared, credentials=Credentials(KEY_ID, SECRETS[KEY_ID])))
    clock.sleep(6)
    run_ids(first)
    assert cloud.count() == 4
    assert first.oldest == math.inf


def test_an_error_is_not_shared(client, cloud):
    shared = other_client(client, shared=SharedReplies())
    cloud.fail("denied")
    with pytest.raises(Denied):
        run_ids(shared)
    assert run_ids(shared) == [RUN]


def test_runs_are_read_until_one_is_too_old(client, clock):
    some, more = client.invocations_since(HZ, {}, clock() - 3_600, 100)
    assert ([one.id for one in some], more) == ([RUN], False)
    assert client.invocations_since(HZ, {}, clock() - 3_600, 1)[1] is True
    assert client.invocations_since(HZ, {}, clock(), 100) == ([], False)
