"""Errors carry what their sentences need."""

from __future__ import annotations

from bot.core.errors import CloudError, NotAllowed, SlackError, Throttled, UserError


def test_errors_say_what_failed_and_where() -> None:
    assert str(CloudError("DescribeInvocations", "cn-x")) == "DescribeInvocations in cn-x: no answer"
    throttled = Throttled("X", "cn-x", 3.0, request_id="R")
    assert (throttled.wait, throttled.code, throttled.request_id) == (3.0, "Throttling", "R")
    refused = SlackError("chat.postMessage", "ratelimited", 30.0)
    assert (str(refused), refused.code, refused.retry_after) == ("chat.postMessage: ratelimited", "ratelimited", 30.0)
    assert issubclass(NotAllowed, UserError)
