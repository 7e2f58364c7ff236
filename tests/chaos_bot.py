"""The bot on a machine whose clock and disk can be moved. Chaos starts this in place of `python -m bot`.

CHAOS is a folder. Its file `clock` holds the seconds, a double, by which the process's clock is ahead; while its file
`full` is there, nothing can be written to the store's disk.
"""

import mmap
import os
import resource
import struct
import sys
import time
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path(os.environ["CHAOS"])
_ahead = mmap.mmap(os.open(FOLDER / "clock", os.O_RDONLY), 8, prot=mmap.PROT_READ)
_real = time.time
time.time = lambda: _real() + struct.unpack("d", _ahead[:8])[0]  # before the bot takes it as its clock

from bot.__main__ import main  # noqa: E402
from bot.adapters.store import SQLiteStore  # noqa: E402

_reading = SQLiteStore._reading
_FREE = resource.getrlimit(resource.RLIMIT_FSIZE)


@contextmanager
def on_this_disk(store):
    """SQLite's own writes fail, by the limit that the system puts on the size of files."""
    with _reading(store) as connection:
        if (FOLDER / "full").exists():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1, _FREE[1]))
        try:
            yield connection
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, _FREE)


if __name__ == "__main__":
    SQLiteStore._reading = on_this_disk
    sys.exit(main())
