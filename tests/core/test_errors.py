"""Errors carry what their sentences need."""

from __future__ import annotations

from bot.core.errors import CloudError, NotAllowed, RoleRefused, SlackError, Throttled, UserError


def test_errors_say_what_failed_and_where() -> None:
    assert str(CloudError("DescribeInvocations", "cn-x")) == "DescribeInvocations in cn-x: no answer"
    throttled = Throttled("X", "cn-x", 3.0, request_id="R")
    assert (throttled.wait, throttled.code, throttled.request_id) == (3.0, "Throttling", "R")
    refused = SlackError("chat.postMessage", "ratelimited", 30.0)
    assert (str(refused), refused.code, refused.retry_after) == ("chat.postMessage: ratelimited", "ratelimited", 30.0)
    assert issubclass(NotAllowed, UserError)


def test_a_role_that_is_refused_says_what_mends_it() -> None:
    refused = RoleRefused("prod/cn-x", "acs:ram::11:role/reader", "NoPermission", "R")
    assert (refused.action, refused.region, refused.code) == ("AssumeRole", "prod/cn-x", "NoPermission")
    assert refused.reason == (
        "the account prod did not give me the role acs:ram::11:role/reader (NoPermission). My own role needs "
        "sts:AssumeRole on it, and its trust policy must name my role"
    )
