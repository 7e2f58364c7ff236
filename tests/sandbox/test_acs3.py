"""The verifier of the vendor's signature, tried with requests that the vendor's own client signed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.core import DaraCore
from darabonba.runtime import RuntimeOptions

from sandbox import acs3
from sandbox.http import Peer, Reply, json_reply

SECRETS = {"LTAIplain": "plain secret", "STS.key": "sts secret"}
TOKENS = {"STS.key": "the token"}


class Recorder(Peer):
    """Answers everything with {} and keeps the last request."""

    def handle(self, request) -> Reply:
        self.last = request
        return json_reply({})


@pytest.fixture(scope="module")
def recorder():
    with Recorder() as peer:
        yield peer
        for session in DaraCore._sessions.values():
            session.close()


def official(recorder, key_id, *, style="RPC", method="POST", pathname="/", token=None, **request):
    """A request as the vendor's client signs and sends it."""
    endpoint = recorder.url.removeprefix("http://")
    config = Config(
        access_key_id=key_id,
        access_key_secret=SECRETS[key_id],
        security_token=token,
        endpoint=endpoint,
        protocol="http",
    )
    params = Params(
        action="Do",
        version="2023-03-30",
        protocol="HTTP",
        pathname=pathname,
        method=method,
        auth_type="AK",
        style=style,
        req_body_type="json",
        body_type="json",
    )
    Client(config).call_api(params, OpenApiRequest(**request), RuntimeOptions())
    return recorder.last


def problem(request, *, now=None, seen=None):
    now = now or datetime.now(UTC)
    seen = set() if seen is None else seen
    return acs3.problem(request.method, request.target, request.headers, request.body, SECRETS, TOKENS, now, seen)


def with_headers(request, **changed):
    """The request with headers changed, or taken out where the value is None; `_` stands for `-`."""
    headers = {**request.headers, **{name.replace("_", "-"): value for name, value in changed.items()}}
    return replace(request, headers={name: value for name, value in headers.items() if value is not None})


@pytest.fixture
def good(recorder):
    return official(recorder, "STS.key", token="the token", query={"A": "1"}, body={"b": "2"})


@pytest.mark.parametrize(
    "request_",
    [
        {"key_id": "LTAIplain"},
        {"key_id": "STS.key", "token": "the token"},
        {"key_id": "LTAIplain", "query": {"Name": "a b*c/d~é", "Empty": "", "N": "1"}},
        {"key_id": "LTAIplain", "body": {"text": "磁盘已满"}},
        {"key_id": "LTAIplain", "style": "ROA", "pathname": "/2023-03-30/x", "stream": b"\x00\xff"},
        {"key_id": "LTAIplain", "style": "ROA", "method": "GET", "pathname": "/a%20b", "query": {"q": "1"}},
    ],
)
def test_what_the_official_client_signs_is_right(recorder, request_):
    assert problem(official(recorder, **request_)) is None


def test_a_changed_request_is_refused(good):
    for changed in (
        replace(good, body=good.body + b"x"),
        replace(good, method="GET"),
        replace(good, target="/other?A=1"),
        replace(good, target="/?A=2"),
        with_headers(good, x_acs_action="DeleteEverything"),
    ):
        assert problem(changed) == "SignatureDoesNotMatch"


def test_a_request_without_a_readable_authorization_is_refused(good):
    for value in (None, "Bearer x", good.headers["authorization"].replace("ACS3", "ACS4")):
        assert problem(with_headers(good, authorization=value)) == "IncompleteSignature"


def test_every_acs_header_must_be_signed_and_every_signed_header_must_be_there(good):
    assert problem(with_headers(good, x_acs_more="1")) == "IncompleteSignature"
    assert problem(with_headers(good, x_acs_date=None)) == "IncompleteSignature"
    unsigned_host = good.headers["authorization"].replace(";host;", ";")
    assert problem(with_headers(good, authorization=unsigned_host)) == "IncompleteSignature"


def test_an_unknown_key_is_refused(good):
    other = good.headers["authorization"].replace("STS.key", "STS.other")
    assert problem(with_headers(good, authorization=other)) == "InvalidAccessKeyId.NotFound"


def test_a_temporary_key_needs_its_token(recorder):
    assert problem(official(recorder, "STS.key")) == "MissingSecurityToken"
    wrong = official(recorder, "STS.key", token="another token")
    assert problem(wrong) == "InvalidSecurityToken.MismatchWithAccessKey"


def test_a_permanent_key_has_no_token(recorder):
    request = official(recorder, "LTAIplain", token="a token")
    assert problem(request) == "InvalidSecurityToken.MismatchWithAccessKey"


def test_a_date_is_good_for_fifteen_minutes_either_way(good):
    sent = datetime.fromisoformat(good.headers["x-acs-date"])
    for minutes in (-15, 15):
        assert problem(good, now=sent + timedelta(minutes=minutes)) is None
        late = sent + timedelta(minutes=minutes * 1.01)
        assert problem(good, now=late) == "InvalidTimeStamp.Expired"


def test_a_date_in_another_form_is_refused(recorder):
    request = official(recorder, "LTAIplain", headers={"x-acs-date": "yesterday"})
    assert problem(request) == "InvalidTimeStamp.Format"


def test_a_nonce_is_good_once_and_only_a_right_request_uses_it_up(good):
    seen = set()
    assert problem(replace(good, body=b"changed"), seen=seen) == "SignatureDoesNotMatch"
    assert problem(good, seen=seen) is None
    assert problem(good, seen=seen) == "SignatureNonceUsed"


def test_credentials_do_not_print_their_secrets():
    assert repr(acs3.Credentials("id", "hidden", "hidden")) == "Credentials(key_id='id')"
