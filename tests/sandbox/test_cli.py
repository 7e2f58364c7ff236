"""`python -m sandbox`, as a person starts it."""

import os
import pty
import re
import signal
import subprocess
from urllib.request import urlopen

import pytest

from terminal import PATIENCE, end, read_until, started


def address(shown):
    return re.search(r"http://127\.0\.0\.1:\d+", shown)[0]


def page(shown):
    with urlopen(address(shown), timeout=PATIENCE) as reply:  # noqa: S310 (our own page)
        return reply.read().decode()


def test_one_question_is_answered_and_that_is_all():
    with started("t-hz0m9x3bw7ft5d") as program:
        shown, complaints = program.communicate()
    assert (program.returncode, complaints) == (0, "")
    assert shown.startswith("/cloudassist t-hz0m9x3bw7ft5d\n")
    assert "✖ 3 of 120 failed, 1 timed out, 2 never ran: renew-certificate, cn-hangzhou" in shown
    assert shown.count("the channel sees this") == 1


def test_one_question_may_begin_a_watch_that_is_not_waited_for():
    with started("watch", "t-hz0r6d1ym9sk4v") as program:
        shown, complaints = program.communicate()
    assert (program.returncode, complaints) == (0, "")
    assert "of 100 done" in shown


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_three_samples_then_the_page_until_it_is_stopped(number):
    with started() as program:
        shown = read_until(program, "as a page")
        assert "✖ 7 of 240 failed, 2 never ran: deploy-web, 2 regions" in shown
        assert "failed 72 times in a row" in shown
        assert "读" not in shown
        assert shown.count("the channel sees this") == 3
        assert "app.js" in page(shown)
        assert program.poll() is None
        assert end(program, number) == ""


def test_the_page_is_served_where_standard_input_is_closed():
    with started(stdin=None, preexec_fn=lambda: os.close(0)) as program:
        shown = read_until(program, "as a page")
        assert "app.js" in page(shown)
        end(program, signal.SIGTERM)


def test_what_is_piped_in_is_answered_and_the_page_goes_on():
    with started(stdin=subprocess.PIPE) as program:
        program.stdin.write("fialed\n")
        program.stdin.close()
        program.stdin = None  # so that nobody closes it again
        shown = read_until(program, "Did you mean `failed`?")
        assert "/cloudassist fialed" in shown
        assert "app.js" in page(shown)
        end(program, signal.SIGTERM)


def test_the_keyboard_is_answered_and_the_page_outlives_it():
    keyboard, terminal = pty.openpty()
    with started(stdin=terminal) as program, open(keyboard, "wb", buffering=0) as keys:
        os.close(terminal)
        keys.write(b"fialed\n")
        shown = read_until(program, "Did you mean `failed`")
        keys.write(b"\x04")
        shown += read_until(program, "The page is still there")
        assert "t-hz0jdfwd9f" in shown
        assert "app.js" in page(shown)
        end(program, signal.SIGINT)


def test_it_can_be_stopped_while_it_waits_for_the_keyboard():
    keyboard, terminal = pty.openpty()
    with started(stdin=terminal) as program, open(keyboard, "wb"):
        os.close(terminal)
        read_until(program, "There is:")
        end(program, signal.SIGINT)
