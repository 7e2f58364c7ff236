from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.jobs import COMMAND, MOST_BYTES, BadJob, Job, is_job, job_id, seal, unseal

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
JOB = Job(COMMAND, "cmd_13345224609-738474920-8088930838d88f008e0", 1_764_000_000, {"text": "t-1 é 值 \ud83d"})
LEGAL = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}")

texts = st.text(st.characters(), max_size=300)  # lone surrogates too
jobs = st.builds(
    Job,
    kind=st.sampled_from(["command", "event", "interaction"]),
    id=st.builds(job_id, st.just("evt"), texts),
    time=st.integers(0, 2**40),
    payload=st.dictionaries(texts, st.one_of(texts, st.booleans(), st.integers(), st.none()), max_size=5),
    tries=st.integers(0, 99),
    told=st.booleans(),
)


@given(jobs)
def test_a_sealed_job_opens_to_the_same_job(job: Job) -> None:
    assert unseal(seal(job, SECRET), SECRET) == job
    assert is_job(seal(job, SECRET))


@given(texts, st.integers(1, 99))
def test_task_ids_are_legal_for_function_compute_whatever_slack_sends(slack_id: str, tries: int) -> None:
    job = Job(COMMAND, job_id("cmd", slack_id), 0, {}, tries)
    assert LEGAL.fullmatch(job.id)
    assert LEGAL.fullmatch(job.task_id)
    assert job.task_id == f"{job.id}-r{tries}"


def test_the_longest_id_leaves_room_for_a_suffix() -> None:
    assert len(job_id("cmd", "x" * 100) + "-r12") <= 128
    assert len(job_id("cmd", "x" * 101) + "-r12") <= 128
    assert job_id("cmd", "x" * 101) != job_id("cmd", "x" * 102)


def test_a_readable_id_stays_readable() -> None:
    assert job_id("cmd", "13345224609.738474920.808893") == "cmd_13345224609-738474920-808893"
    assert job_id("evt", "Ev08MFMKH6") == "evt_Ev08MFMKH6"


def test_trying_again_makes_a_new_task_of_the_same_job() -> None:
    again = JOB.again().again(told=True)
    assert (JOB.task_id, JOB.again().task_id, again.task_id) == (JOB.id, f"{JOB.id}-r1", f"{JOB.id}-r2")
    assert (again.id, again.told, again.again().told) == (JOB.id, True, True)


def test_a_change_of_any_byte_is_refused() -> None:
    raw = seal(JOB, SECRET)
    for index in range(len(raw)):
        for bit in (0x01, 0x20, 0x80):  # 0x20: another case, which JSON's escapes would forgive
            changed = bytearray(raw)
            changed[index] ^= bit
            with pytest.raises(BadJob):
                unseal(bytes(changed), SECRET)


def test_another_way_of_writing_the_same_job_is_refused() -> None:
    raw = seal(JOB, SECRET)
    for other in (raw + b"\n", json.dumps(json.loads(raw)).encode(), raw[:-1], raw.decode().encode("utf-16")):
        with pytest.raises(BadJob):
            unseal(other, SECRET)


@pytest.mark.parametrize(
    "raw",
    [b"", b"zzz", b"\xff\xfe", b"[]", b"null", b"1", b'{"mac": 1}', b'{"mac": "\xc3\xa9"}', b'{"v": 1}', b"[" * 100_000]
    + [b'{"mac":' + b"[" * n + b"]" * n + b"}" for n in (10, 900, 950, 970, 990)],
    ids=lambda raw: repr(raw[:12]),
)
def test_what_is_no_job_is_refused(raw: bytes) -> None:
    with pytest.raises(BadJob):
        unseal(raw, SECRET)


def test_a_job_sealed_with_another_secret_is_refused() -> None:
    with pytest.raises(BadJob, match="wrong MAC"):
        unseal(seal(JOB, "another"), SECRET)


def test_a_job_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.jobs.VERSION", 2)
    raw = seal(JOB, SECRET)
    monkeypatch.undo()
    with pytest.raises(BadJob, match="another version"):
        unseal(raw, SECRET)


def test_a_job_over_the_limit_is_not_sealed() -> None:
    with pytest.raises(ValueError, match="bytes"):
        seal(Job(COMMAND, "cmd_1", 0, {"text": "x" * MOST_BYTES}), SECRET)


def test_a_cloud_event_does_not_claim_to_be_a_job() -> None:
    assert not is_job(b'{"specversion": "1.0", "source": "acs.ecs"}')
    assert not is_job(b'[{"source": "acs.ecs", "data": {"mac": "00:16:3e:00:00:01"}}]')
    assert is_job(b'{"kind": "command", "mac": "cut o')
