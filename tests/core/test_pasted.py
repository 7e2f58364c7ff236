"""What a message of somebody else's names."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.pasted import MOST, named_in


def test_ids_and_addresses_are_found_wherever_they_stand() -> None:
    message = {
        "text": "run t-hz0jdfwd9f failed on 10.0.0.7",
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": "see i-bp1i7gg30r52z2em, (mi-sh03vea8ivh50qo)"}}
        ],
        "attachments": [{"fields": [{"value": "https://ecs.console.aliyun.com/x?CommandId=c-hz0jdfwcsr&y"}]}],
    }
    assert named_in(message) == (
        "t-hz0jdfwd9f",
        "10.0.0.7",
        "i-bp1i7gg30r52z2em",
        "mi-sh03vea8ivh50qo",
        "c-hz0jdfwcsr",
    )


def test_each_is_named_once_and_at_most_ten_are() -> None:
    assert named_in({"text": "t-hz0jdfwd9f t-hz0jdfwd9f"}) == ("t-hz0jdfwd9f",)
    assert len(named_in({"text": " ".join(f"t-hz0jdfwd{n:02d}" for n in range(30))})) == MOST


def test_words_that_only_look_alike_are_not_ids() -> None:
    assert named_in({"text": "t-shirts c-level i-am i-7 999.1.1.1 1.2.3.4.5 at-hz0jdfwd9f x-t-hz0jdfwd9f"}) == ()


@settings(max_examples=40)
@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_no_message_is_too_odd(value: object) -> None:
    assert len(named_in({"text": value, "blocks": value})) <= MOST


@pytest.mark.parametrize("wrapped", [lambda inner: [inner], lambda inner: {"elements": inner}])
def test_nesting_has_an_end(wrapped: Callable[[object], object]) -> None:
    deep: object = "t-hz0jdfwd9f"
    for _ in range(50):
        deep = wrapped(deep)
    assert named_in({"blocks": deep}) == ()


def test_reading_has_an_end_over_all_texts() -> None:
    beginning = "t-hz0jdfwd9f".ljust(30_000)
    assert named_in({"text": beginning, "blocks": [beginning, "t-hz0late001"]}) == ("t-hz0jdfwd9f",)
    assert named_in({"text": f"{beginning * 2} t-hz0late001"}) == ("t-hz0jdfwd9f",)
