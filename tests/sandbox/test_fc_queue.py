"""Time of the queue that goes by at once."""

import threading

import pytest

from sandbox import fc_queue
from sandbox.fc_queue import Queue

PATIENCE = 20


class Clock:
    """What the queue says of the time that it lets go by."""

    def __init__(self):
        self.passed = 0.0
        self.delivered = []

    def go_on(self, seconds):
        self.passed += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def queue(clock):
    """Each delivery of `4 20` is followed by `3 20`, twenty seconds later, and so on; `wait` lasts until `release`."""
    released = threading.Event()

    def deliver(task):
        clock.delivered.append((task.id, round(clock.passed)))
        left, _, delay = task.payload.decode().partition(" ")
        if left == "wait":
            released.wait(PATIENCE)
        elif int(left):
            queue.add(f"{task.id}+", f"{int(left) - 1} {delay}".encode(), "1", float(delay))

    queue = Queue(deliver, max_retries=0, retry_seconds=0, duplicate_share=0)
    queue.released = released
    queue.start()
    yield queue
    released.set()
    queue.end()
    queue.join()


def test_what_falls_due_is_delivered_in_order_and_so_is_what_follows(queue, clock):
    queue.add("other", b"0 0", "1", 40)
    queue.add("a", b"4 20", "1", 10)
    queue.hasten(60, clock.go_on)
    assert clock.delivered == [("a", 10), ("a+", 30), ("other", 40), ("a++", 50)]
    assert round(clock.passed) == 60


def test_what_is_due_later_comes_with_the_rest_of_the_time(queue, clock):
    queue.add("a", b"0 0", "1", 100)
    queue.hasten(60, clock.go_on)
    assert clock.delivered == []
    queue.hasten(60, clock.go_on)
    assert clock.delivered == [("a", 100)]


def test_with_nothing_put_off_all_the_time_goes_by_in_one_step(queue, clock):
    steps = []
    queue.hasten(3600, steps.append)
    assert steps == [3600]


def test_while_deliveries_are_held_time_only_goes_by(queue, clock):
    queue.hold()
    queue.add("a", b"0 0", "1", 10)
    queue.hasten(60, clock.go_on)
    assert (clock.delivered, clock.passed) == ([], 60)
    queue.release()
    queue.wait_idle(PATIENCE, delayed=True)
    assert clock.delivered == [("a", 60)]


def test_a_delivery_that_hangs_holds_time_up_only_so_long(queue, clock, monkeypatch):
    monkeypatch.setattr(fc_queue, "_STEP_PATIENCE", 0.01)
    queue.add("stuck", b"wait", "1", 10)
    queue.hasten(60, clock.go_on)
    assert (clock.delivered, round(clock.passed)) == ([("stuck", 10)], 60)


def test_a_queue_that_has_ended_lets_no_more_time_go_by(queue, clock):
    queue.end()
    queue.hasten(60, clock.go_on)
    assert clock.passed == 0
