"""What a button carries comes back whole, or not at all."""

from dataclasses import dataclass
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from bot.core.handles import MOST_BLOCK_ID, Handle, pack, unpack

SECRET = "signing-secret"
HANDLE = Handle("t-hz0jdfwd9f region:cn-hangzhou", "U0MEI00001", 1_700_000_000)


@given(st.text(), st.text(), st.integers(0, 2**40), st.text())
def test_a_handle_comes_back_as_it_was(words: str, user: str, made: int, name: str) -> None:
    handle = Handle(words, user, made, on_it=user, on_it_name=name, on_it_since=made)
    assert unpack(pack(handle, SECRET), SECRET) == handle


def test_a_value_of_another_secret_is_refused() -> None:
    assert unpack(pack(HANDLE, "another"), SECRET) is None


@given(st.integers(0, 200), st.characters())
def test_a_changed_value_is_refused(at: int, character: str) -> None:
    packed = pack(HANDLE, SECRET)
    at %= len(packed)
    changed = packed[:at] + character + packed[at + 1 :]
    assert unpack(changed, SECRET) == (HANDLE if changed == packed else None)


@given(st.text())
def test_what_was_never_packed_is_refused(value: str) -> None:
    assert unpack(value, SECRET) is None


def test_a_value_of_another_version_is_refused() -> None:
    @dataclass
    class Older:
        words: str = "t-hz0jdfwd9f"

    assert unpack(pack(cast(Handle, Older()), SECRET), SECRET) is None


def test_a_run_and_who_is_on_it_fit_into_a_block_id() -> None:
    words, asked_by = "t-hz0jdfwd9f region:cn-hangzhou", "U0MEI00001"
    taken = Handle(words, asked_by, 1_700_000_000, "Mei", "U0LUCAS001", "Lucas", 1_700_000_000)
    assert len(pack(taken, SECRET)) <= MOST_BLOCK_ID
