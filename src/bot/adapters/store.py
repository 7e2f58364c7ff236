"""What must outlive a request: leases of jobs, throttle marks, what stands for channels and what they were told, where
an id was found, what Slack said of people, the audit.

The caller gives the time, in seconds since the epoch; a row past its `expires` is as good as gone. SQLite is here: one
file for several processes. `tablestore` is for function instances that share nothing else.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from bot.settings import Credentials, Settings

Value = dict[str, Any]
MOST_VALUE = 1_000_000  # bytes of JSON; Tablestore takes 2 MB
FOR_EVER = 100 * 365 * 86_400.0  # seconds for which a row is kept that stands until somebody ends it


class StoreError(Exception):
    """The store cannot be read or written; the work goes on without it where it can."""


@dataclass(frozen=True, slots=True)
class Record:
    """A value and its version, which grows with each write."""

    key: str
    value: Value
    version: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Whether the lease is ours; `value` is what was marked last, `until` when the lease ends."""

    won: bool
    value: Value
    until: float


class Store(Protocol):
    """Raises StoreError from every method but `close`.

    Keys are paths such as `job/…` or `channel/T…/C…`, up to 1,024 bytes; values become JSON.
    """

    def claim(self, key: str, owner: str, now: float, until: float, expires: float) -> Claim:
        """Takes a lease that nobody holds, or whose end has come; the marked value stays as it was."""
        ...

    def mark(self, key: str, owner: str, value: Value, until: float) -> bool:
        """Writes the value and the lease's new end; False when the lease is another's by now."""
        ...

    def get(self, key: str, now: float) -> Record | None: ...

    def put(self, key: str, value: Value, expires: float, version: int | None = None) -> bool:
        """Writes; with a version only over that version (0: only where there is none). False when it was not so.

        Who holds the lease, and until when, stays. A record that has expired keeps its version until it is swept.
        """
        ...

    def delete(self, key: str) -> None: ...

    def list(self, prefix: str, now: float) -> list[Record]:
        """Records whose key starts so, in the order of their keys (as UTF-8); any prefix will do."""
        ...

    def close(self) -> None:
        """Lets go of files and connections; the next use opens them again."""
        ...


def open_store(settings: Settings, credentials: Callable[[], Credentials] | None = None) -> Store:
    """The one that BOT_STORE names. `credentials` gives those of each call; left out, the environment's are used."""
    if settings.tablestore is None:
        return SQLiteStore(settings.store_path)
    from bot.adapters.tablestore import TablestoreStore  # heavy, and installed only where it is chosen

    return TablestoreStore(settings.tablestore, credentials or (lambda: settings.credentials))


def encoded(value: Value) -> str:
    """JSON; raises StoreError where it is larger than every back end takes."""
    text = json.dumps(value)
    if len(text) > MOST_VALUE:
        raise StoreError(f"a value of {len(text):,} bytes; at most {MOST_VALUE:,} can be kept")
    return text


_TABLE = """
CREATE TABLE IF NOT EXISTS records (
    key TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL,
    owner TEXT NOT NULL, until REAL NOT NULL, expires REAL NOT NULL
) WITHOUT ROWID
"""
_BUSY = 5.0  # seconds to wait for another process that writes
_SWEEP_EVERY = 500  # claims


class SQLiteStore:
    """One connection for the process, opened at first use and guarded by a lock; write-ahead log.

    A connection for each thread would be one more open file for each renewed lease.
    """

    def __init__(self, path: str, sweep_every: int = _SWEEP_EVERY) -> None:
        self._path, self._sweep_every = path, sweep_every
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._claims = 0

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            if folder := os.path.dirname(self._path):
                os.makedirs(folder, mode=0o700, exist_ok=True)
            connection = sqlite3.connect(self._path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")
                connection.execute(_TABLE)
            except sqlite3.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock:
                yield self._opened()
        except (sqlite3.Error, OSError) as error:
            raise StoreError(str(error)) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that has the write lock from its start, so that what was read still holds."""
        with self._reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:  # a full disk may have ended it already
                    connection.execute("ROLLBACK")

    def claim(self, key: str, owner: str, now: float, until: float, expires: float) -> Claim:
        with self._writing() as connection:
            self._sweep(connection, now)
            row = connection.execute(
                "SELECT value, until FROM records WHERE key = ? AND expires > ?", (key, now)
            ).fetchone()
            if row is not None and row[1] > now:
                return Claim(False, json.loads(row[0]), row[1])
            value = row[0] if row is not None else "{}"
            connection.execute(
                "INSERT INTO records VALUES (?, ?, 1, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
                "value = excluded.value, version = version + 1, owner = excluded.owner, "
                "until = excluded.until, expires = excluded.expires",
                (key, value, owner, until, expires),
            )
            return Claim(True, json.loads(value), until)

    def mark(self, key: str, owner: str, value: Value, until: float) -> bool:
        with self._writing() as connection:
            changed = connection.execute(
                "UPDATE records SET value = ?, until = ?, version = version + 1 WHERE key = ? AND owner = ?",
                (encoded(value), until, key, owner),
            )
            return changed.rowcount == 1

    def get(self, key: str, now: float) -> Record | None:
        with self._reading() as connection:
            row = connection.execute(
                "SELECT value, version FROM records WHERE key = ? AND expires > ?", (key, now)
            ).fetchone()
        return Record(key, json.loads(row[0]), row[1]) if row else None

    def put(self, key: str, value: Value, expires: float, version: int | None = None) -> bool:
        with self._writing() as connection:
            row = connection.execute("SELECT version FROM records WHERE key = ?", (key,)).fetchone()
            current = row[0] if row else 0
            if version is not None and version != current:
                return False
            connection.execute(
                "INSERT INTO records VALUES (?, ?, ?, '', 0, ?) ON CONFLICT (key) DO UPDATE SET "
                "value = excluded.value, version = excluded.version, expires = excluded.expires",
                (key, encoded(value), current + 1, expires),
            )
            return True

    def delete(self, key: str) -> None:
        with self._writing() as connection:
            connection.execute("DELETE FROM records WHERE key = ?", (key,))

    def list(self, prefix: str, now: float) -> list[Record]:
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT key, value, version FROM records WHERE key >= ? AND key < ? AND expires > ? ORDER BY key",
                (prefix, prefix + "\U0010ffff", now),
            ).fetchall()
        return [Record(key, json.loads(value), version) for key, value, version in rows]

    def _sweep(self, connection: sqlite3.Connection, now: float) -> None:
        """Now and then what has expired is deleted; leases are claimed often enough for that."""
        self._claims += 1
        if self._claims % self._sweep_every == 0:
            connection.execute("DELETE FROM records WHERE expires <= ?", (now,))
