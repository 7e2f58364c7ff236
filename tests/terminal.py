"""`python -m sandbox` as a program: started, read and stopped."""

import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src"
PATIENCE = 60


@contextmanager
def started(*words, stdin=subprocess.DEVNULL, environment=None, **options):
    """The program, in a session of its own; nothing of it is left afterwards, which is looked at.

    With an `environment`, that and a PATH are all it gets.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox", *words],
        cwd=SOURCE,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=None if environment is None else {"PATH": os.environ["PATH"], **environment},
        **options,
    ) as program:
        too_long = threading.Timer(PATIENCE, program.kill)
        too_long.start()
        try:
            yield program
            program.wait()
        finally:
            too_long.cancel()
            program.kill()
    assert of_session(program.pid) == []


def of_session(number):
    """What runs in this session, or has not been waited for."""
    stats = [stat.read_text() for stat in Path("/proc").glob("[0-9]*/stat") if stat.exists()]
    return [stat for stat in stats if int(stat.rpartition(")")[2].split()[3]) == number]


def read_until(program, pattern):
    """All that is shown up to a line with this in it."""
    shown = ""
    while not re.search(pattern, shown):
        line = program.stdout.readline()
        assert line, (shown, program.stderr.read())
        shown += line
    return shown


def end(program, number):
    """Stops it; the rest of what it shows. It ends well and says nothing of errors."""
    program.send_signal(number)
    shown, complaints = program.communicate()
    assert (program.returncode, complaints) == (0, "")
    return shown
