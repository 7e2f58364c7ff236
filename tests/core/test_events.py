"""Every shape in which an event was seen, as a recorded file; and anything else, which is never more than a reason."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import events
from bot.core.envelopes import time_of
from bot.core.events import FirstHeartbeat, InstanceEvent, Reading, TaskCompleted, Tick, read

FILES = Path(__file__).parent / "events"
OURS, MASKED, OTHER = "1234567890123456", "169070********30", "1690700000000030"
HZ, HK = "cn-hangzhou", "cn-hongkong"
WEB, WEB_MASKED, API = "i-bp1ecr0000005go2go", "i-bp1ecr********5go2go", "i-j6c0000000001"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


TEN, NIGHT = utc(2026, 11, 24, 2, 0, 1), utc(2026, 11, 23, 19, 7, 11)
RUN = ("t-hz01", "c-hz01", "deploy-web", "i-bp1a")
SPOT = "Instance:PreemptibleInstanceInterruption"
RECORDED = {
    "eventbridge_task_completed": TaskCompleted(
        "45ef4dewdwe1-7c35-447a-bd93-fab****",
        "123456789098****",
        HZ,
        utc(2020, 11, 19, 13, 4, 41),
        "",
        "c-hz045**********",
        "hello-linux.sh",
        "i-bp114***************",
        "Success",
        0,
        utc(2023, 12, 14, 7, 39, 48),
    ),
    "eventbridge_task_completed_with_invoke_id": TaskCompleted(
        "45ef4dew-7c35-447a-bd93-fab000000001",
        OURS,
        HK,
        utc(2020, 11, 19, 13, 4, 42, 179_000),
        "t-hk0jdfwd9f",
        "c-hk0jdfwd9f",
        "deploy-web",
        API,
        "Failed",
        7,
        utc(2020, 11, 19, 13, 4, 41),
    ),
    "eventbridge_passed_on": TaskCompleted("r-1", OURS, HK, TEN, *RUN, "Success", 0, utc(2026, 11, 24, 2)),
    "eventbridge_array": (
        TaskCompleted("a-1", OURS, HZ, TEN, *RUN, "Failed", 1, utc(2026, 11, 24, 2)),
        FirstHeartbeat("a-2", OURS, HZ, TEN, "i-bp1b"),
    ),
    "eventbridge_array_of_strings": (
        TaskCompleted("s-1", OURS, HZ, TEN, *RUN, "Aborted", None, None),
        InstanceEvent(
            "s-2", OURS, HZ, utc(2026, 11, 24, 2, 0, 2), "Instance:StateChange", "Stopping", "", "i-bp1a", ""
        ),
    ),
    "eventbridge_system_failure": InstanceEvent(
        "f-1",
        OURS,
        HZ,
        NIGHT,
        "Instance:SystemFailure.Reboot",
        "Executing",
        "",
        WEB,
        "started 2026-11-23T19:07:10Z",
        "e-bp11trd0000000pqum2",
    ),
    "eventbridge_spot_interruption": InstanceEvent("p-1", OURS, HZ, NIGHT, SPOT, "", "", WEB, "action delete"),
    "eventbridge_disk_stalled": InstanceEvent(
        "d-1", OURS, HZ, NIGHT, "Disk:Stalled", "Executing", "", WEB, "disk d-bp1000000000001, device /dev/xvdb"
    ),
    "eventbridge_mns_queue": InstanceEvent(
        "2256A988-0B26-4E2B-820A-8A0000000000",
        OTHER,
        HZ,
        utc(2019, 4, 9, 4, 18, 26, 922_000),
        "Instance:SystemFailure.Stop",
        "Executed",
        "CRITICAL",
        WEB,
        "finished 2019-04-09T04:18:20Z",
    ),
    "eventbridge_mns_queue_base64": TaskCompleted(
        "", OTHER, HZ, None, "t-hz01", "", "", "i-bp1a", "Timeout", None, None
    ),
    "cloudmonitor_maintenance_scheduled": InstanceEvent(
        "2256A988-0B26-4E2B-820A-8A********E5",
        MASKED,
        HZ,
        utc(2019, 4, 9, 4, 18, 26, 922_000),
        "Instance:SystemMaintenance.Reboot",
        "Scheduled",
        "CRITICAL",
        WEB_MASKED,
        "not before 2019-04-12T01:01:01Z",
        "e-bp11trd********pqum2",
    ),
    "cloudmonitor_state_change": InstanceEvent(
        "9435EAD6-3CF6-4494-8F7A-3A********77",
        MASKED,
        HZ,
        utc(2018, 12, 26, 14, 1, 14, 58_000),
        "Instance:StateChange",
        "Stopping",
        "INFO",
        WEB_MASKED,
        "",
    ),
    "cloudmonitor_spot_interruption": InstanceEvent(
        "", "15377***", "eu-west-1", None, SPOT, "", "WARN", "i-d7o6oaa1z4lpi4ekuf6k", "action delete"
    ),
    "webhook_first_heartbeat": FirstHeartbeat("heartbeat-1", OURS, HZ, utc(2024, 1, 9, 6, 5, 33, 642_000), WEB),
    "webhook_instance_failure": InstanceEvent(
        "dedup-2",
        OURS,
        HK,
        utc(2024, 1, 9, 6, 5, 33, 642_000),
        "Instance:InstanceFailure.Reboot",
        "Executed",
        "CRITICAL",
        API,
        "reason System.Panic",
        "e-j6c01",
    ),
    "mns_topic": TaskCompleted("m-1", OURS, HZ, TEN, *RUN, "Terminated", 137, utc(2026, 11, 24, 2)),
    "mns_topic_base64": InstanceEvent(
        "m-2", OURS, HZ, utc(2018, 12, 26, 14, 1, 14, 58_000), "Instance:StateChange", "Stopped", "INFO", "i-bp1a", ""
    ),
    "mns_queue_message": FirstHeartbeat("m-3", OURS, HZ, TEN, "i-bp1a"),
    "timer": Tick("poll", utc(2026, 11, 24, 2, 15), '{"job":"poll"}'),
}


def recorded(name: str) -> bytes:
    return (FILES / f"{name}.json").read_bytes()


def expected(name: str) -> tuple[events.Event, ...]:
    found = RECORDED[name]
    return found if isinstance(found, tuple) else (found,)


@pytest.mark.parametrize("name", sorted(path.stem for path in FILES.iterdir()))
def test_a_recorded_event_is_read(name):
    assert read(recorded(name)) == Reading(expected(name))


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_so_it_is_in_pascal_case(name):
    def pascal(value):
        if isinstance(value, dict):
            return {key[:1].upper() + key[1:]: pascal(inner) for key, inner in value.items()}
        return [pascal(inner) for inner in value] if isinstance(value, list) else value

    assert read(json.dumps(pascal(json.loads(recorded(name)))).encode()).events == expected(name)


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_and_wrapped_in_whatever_mns_makes_of_it(name):
    body = recorded(name)
    packed = base64.b64encode(body)
    for wrapped in (
        b"\xef\xbb\xbf" + body,
        packed,
        base64.encodebytes(body),  # with line breaks
        json.dumps({"TopicName": "t", "Message": body.decode()}).encode(),
        json.dumps({"messageId": "m", "messageBody": packed.decode()}).encode(),
        json.dumps([{"MessageId": "m", "Message": json.loads(body)}]).encode(),
        json.dumps(json.dumps([body.decode()])).encode(),
    ):
        assert read(wrapped).events == expected(name)


def eventbridge(**fields):
    base = {"id": "1", "source": "acs.ecs", "type": "ecs:Instance:StateChange", "data": {"instanceId": WEB}}
    return {**base, "aliyunaccountid": OURS, "aliyunregionid": HZ, **fields}


TOLD = {"instanceId": "i-bp1a", "invocationStatus": "Failed", "exitCode": "1", "finishTime": "2026-11-24T02:00:00Z"}


def task(data, **fields):
    body = eventbridge(type="ecs:CloudAssistant:TaskCompleted", data=data, **fields)
    [event] = read(json.dumps(body).encode()).events
    return event


@pytest.mark.parametrize("name", ["invokeId", "InvokeID", "invoke_id", "invocationId", "taskId"])
def test_the_run_is_known_by_the_look_of_its_id_whatever_its_field_is_called(name):
    event = task({**TOLD, name: "t-hz01abcd", "cmd": "c-hz01abcd", "new": {"field": [1]}})
    assert (event.invoke_id, event.command_id, event.instance_id) == ("t-hz01abcd", "c-hz01abcd", "i-bp1a")


def test_an_event_that_names_no_run_is_one_as_long_as_it_names_an_instance():
    event = task(TOLD)
    assert (event.invoke_id, event.command_id, event.instance_id) == ("", "", "i-bp1a")
    assert event.finished == utc(2026, 11, 24, 2)


def test_an_event_that_was_passed_on_from_another_account_is_of_that_account():
    assert task(TOLD, aliyunoriginalaccountid=OTHER).account == OTHER


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"type": "ecs:Disk:Stalled", "data": {"instanceId": WEB}}, "Disk:Stalled"),
        (
            {"name": "Instance:SystemFailure.Reboot:Executing", "resourceId": f"acs:ecs:{HZ}:1:instance/{WEB}"},
            "Instance:SystemFailure.Reboot",
        ),
    ],
)
def test_an_event_of_which_fields_are_left_out_is_known_by_the_others(body, name):
    [event] = read(json.dumps(body).encode()).events
    assert (event.name, event.instance_id) == (name, WEB)


def test_what_is_missing_is_empty():
    (event,) = read(json.dumps({"type": "ecs:Instance:StateChange", "source": "acs.ecs"}).encode()).events
    assert event == InstanceEvent("", "", "", None, "Instance:StateChange", "", "", "", "")


def test_what_is_of_another_type_is_empty_too():
    fields = {"id": {}, "time": [], "aliyunaccountid": None, "aliyunregionid": True, "data": 3}
    (event,) = read(json.dumps(eventbridge(**fields)).encode()).events
    assert event == InstanceEvent("", "", "", None, "Instance:StateChange", "", "", "", "")


@pytest.mark.parametrize("subject", ["acs:ecs:cn-beijing:1:instance/i-1", "acs.ecs", "", 3])
def test_a_subject_of_another_form_says_nothing_of_the_region(subject):
    (event,) = read(json.dumps(eventbridge(subject=subject)).encode()).events
    assert (event.region, event.account) == (HZ, OURS)


def test_data_that_is_no_json_counts_as_none():
    (event,) = read(json.dumps(eventbridge(data="{not JSON")).encode()).events
    assert event.instance_id == ""


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"not JSON", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b'"\\ud800"', "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'{"a":' * 100_000, "no JSON"),
        (b"[" * 20 + b"]" * 20, "wrapped too often"),
        (b"1" * 5_000, "no JSON"),
        (b"[]", "empty"),
        (b"3", "neither an object nor a list"),
        (b"{}", "an object of no known shape"),
        (b'{"triggerName": "poll"}', "an object of no known shape"),
        (b'{"type": "oss:ObjectCreated:PutObject", "source": "acs.oss"}', "not for us: oss:ObjectCreated:PutObject"),
        (b'{"type": "a secret, say", "source": "acs.ecs"}', "not for us: an event without a name"),
        (b'{"type": "ecs:Instance:StateChange", "source": "acs.rds"}', "not for us: ecs:Instance:StateChange"),
        (b'{"type": "ecs:Snapshot:SnapshotDeleted", "source": "acs.ecs"}', "not for us: ecs:Snapshot"),
        (b'{"type": "ecs:CloudAssistant:TaskCompleted", "source": "acs.ecs"}', "ecs:CloudAssistant:TaskCompleted"),
        (b'{"type": "ecs:CloudAssistant:FirstHeartbeat", "source": "acs.ecs"}', "ecs:CloudAssistant:FirstHeartbeat"),
        (b'{"type": "mns:Queue:SendMessage", "source": "acs.mns", "data": {}}', "not for us: mns:Queue"),
    ],
)
def test_what_is_no_event_gives_a_reason(body, reason):
    reading = read(body)
    assert reading.events == ()
    assert [reason in one for one in reading.unknown] == [True]


def test_a_body_of_thousands_of_events_is_read_whole():
    body = json.dumps([eventbridge(id=str(number)) for number in range(5_000)]).encode()
    assert [event.id for event in read(body).events] == [str(number) for number in range(5_000)]


def test_good_events_are_kept_beside_bad_ones_and_each_reason_is_told_once():
    reading = read(json.dumps([3, "{", eventbridge(), {}, 4, eventbridge(type="x" * 200)]).encode())
    assert len(reading.events) == 1
    assert reading.unknown == (
        "neither an object nor a list",
        "no JSON",
        "an object of no known shape",
        "not for us: an event without a name",
    )


def test_a_body_has_limits():
    assert read(b" " * (events.MOST_BYTES + 1)).unknown == ("more than 8,000,000 bytes",)
    reading = read(b"[" + b"3," * 100_000 + b"3]")
    assert reading.unknown[-1] == "more values than one body should hold"
    names = [eventbridge(type=f"ecs:Nothing{'a' * number}:X") for number in range(50)]
    assert len(read(json.dumps(names).encode()).unknown) == 10
    long = read(json.dumps(eventbridge(data={"instanceId": WEB, "reason": "r" * 5_000}, id="i" * 5_000)).encode())
    assert [(len(event.detail), len(event.id)) for event in long.events] == [(300, 1_000)]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("2020-11-19T21:04:41+08:00", utc(2020, 11, 19, 13, 4, 41)),
        ("2020-11-19T21:04:42.179PRC", utc(2020, 11, 19, 13, 4, 42, 179_000)),
        ("20190409T121826.922+0800", utc(2019, 4, 9, 4, 18, 26, 922_000)),
        ("2019-04-09T04:18Z", utc(2019, 4, 9, 4, 18)),
        ("2019-04-09 04:18:26", utc(2019, 4, 9, 4, 18, 26)),
        ("2019-04-09T04:18:26.123456789UTC", utc(2019, 4, 9, 4, 18, 26, 123_456)),
        ("2019-04-08T23:18:26-05", utc(2019, 4, 9, 4, 18, 26)),
        ("2020-11-19t13:04:41z", utc(2020, 11, 19, 13, 4, 41)),
        ("2020-11-19 21:04:41 +08:00", utc(2020, 11, 19, 13, 4, 41)),
        ("2020-11-19T21:04:41CST", utc(2020, 11, 19, 13, 4, 41)),
        (1_704_780_333, utc(2024, 1, 9, 6, 5, 33)),
        ("1704780333", utc(2024, 1, 9, 6, 5, 33)),
        (1_704_780_333_642, utc(2024, 1, 9, 6, 5, 33, 642_000)),
        ("1704780333642", utc(2024, 1, 9, 6, 5, 33, 642_000)),
        ("0001-01-01T00:00:00Z", None),
        ("2019-02-30T04:18:26Z", None),
        ("2019-04-09T04:18:26+99:00", None),
        ("2999-12-31T23:59:59-08:00", utc(3000, 1, 1, 7, 59, 59)),
        (10**30, None),
        (-1, None),
        ("yesterday", None),
        ("", None),
        (None, None),
        ([], None),
    ],
)
def test_a_time_is_read_in_any_form_that_was_seen(written, told):
    assert time_of(written) == told


# Whatever comes in.


def parts(value):
    """All keys and texts in a recorded event, those of the events in its texts too."""
    if isinstance(value, dict):
        return {*value, *parts(list(value.values()))}
    if isinstance(value, list):
        return {part for inner in value for part in parts(inner)}
    if isinstance(value, str) and value[:1] in "[{":
        return {value, *parts(json.loads(value or "0"))}
    return {value} if isinstance(value, str) else set()


WORDS = sorted({part for name in RECORDED for part in parts(json.loads(recorded(name)))})
texts = st.text(max_size=20) | st.sampled_from([*WORDS, "9" * 40, "{", ":::::", "\ud800"])
numbers = st.integers() | st.floats() | st.booleans() | st.none()
names = st.sampled_from([word for word in WORDS if word.isalnum()])


def shapes(inner):
    """Objects with the names that matter, lists, and both as text or Base64, inside one another."""
    objects = st.dictionaries(names | st.text(max_size=5), inner, max_size=8)
    whole = objects | st.lists(inner, max_size=4)
    written = whole.map(json.dumps)
    return whole | written | written.map(lambda text: base64.b64encode(text.encode()).decode())


def checked(raw: bytes) -> None:
    reading = read(raw)
    assert reading == read(raw)
    assert reading.events or reading.unknown
    for event in reading.events:
        values = [getattr(event, name) for name in event.__slots__]
        assert all(isinstance(value, str | int | datetime | None) for value in values)
        assert all(len(value) <= 1_000 and value.encode() is not None for value in values if isinstance(value, str))
        assert all(value.tzinfo is UTC for value in values if isinstance(value, datetime))
    assert all(len(reason) < 120 for reason in reading.unknown)


@given(st.binary(max_size=200))
def test_no_bytes_raise(raw):
    checked(raw)


@given(st.recursive(texts | numbers, shapes, max_leaves=30))
def test_nor_does_json_that_looks_like_events(value):
    checked(json.dumps(value).encode())


@given(st.sampled_from(sorted(RECORDED)), st.data())
def test_nor_does_a_recorded_event_with_any_part_replaced_or_cut_off(name, data):
    body = json.loads(recorded(name))
    part = body
    while isinstance(part, dict | list) and part:
        key = data.draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
        if data.draw(st.booleans()) or not isinstance(part[key], dict | list):
            part[key] = data.draw(texts | numbers | st.just({}) | st.just([[]]))
            break
        part = part[key]
    raw = json.dumps(body).encode()
    checked(raw)
    checked(raw[: data.draw(st.integers(0, len(raw)))])
