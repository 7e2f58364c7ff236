"""The store in Tablestore: one row a key, written under conditions, for function instances that share nothing else.

The one key column holds the whole key. So any prefix can be listed, as one range and without an index, which may lag;
and Tablestore may split its partitions between any two keys, which it could not do within one value of a first column
such as `job`.

Columns: `value` (JSON), `version`, `owner`, `until`, `expires`, and `writer`, the name of the write that made the row
what it is. A reply may be lost when its write was not: then the same write is tried again, and where its condition
fails, the writer that is read back tells whether the row is ours.

The table's time to live is off: it counts from the last write, and a subscription is written once. What has expired is
deleted by whoever claims, a page at a time; a lease in the table sees to it that only one does, and remembers where
it stopped.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import tablestore as ots

from bot.adapters.store import Claim, Record, StoreError, Value, encoded
from bot.adapters.tablestore_client import TABLE, ConditionFailed, Unsure, asked, connected
from bot.settings import Credentials, Tablestore

_RACES = 4  # times that a claim looks again because somebody else was faster
_PAGES = 20  # of a list; Tablestore ends one at 5,000 rows or 4 MB
_SWEEP, _MOST_SWEPT = "sweep", 200  # rows that one BatchWriteRow takes
_LOOK_EVERY, _SWEEP_EVERY, _SWEEP_KEPT = 60.0, 600.0, 30 * 86_400.0  # seconds

log = logging.getLogger("bot.store")


@dataclass(frozen=True, slots=True)
class _Row:
    key: str
    value: str = "{}"
    version: int = 0
    owner: str = ""
    until: float = 0.0
    expires: float = 0.0
    writer: str = ""

    @property
    def record(self) -> Record:
        return Record(self.key, json.loads(self.value), self.version)


class TablestoreStore:
    """One client for the process, whose connections all threads share. `credentials` is asked at each call."""

    def __init__(self, place: Tablestore, credentials: Callable[[], Credentials], table: str = TABLE) -> None:
        self._client, self._table = connected(place, credentials), table
        self._look_at = 0.0

    def close(self) -> None:
        self._client.connection.pool.clear()

    def claim(self, key: str, owner: str, now: float, until: float, expires: float) -> Claim:
        self._sweep(now)
        for _ in range(_RACES):
            row = self._row(key) or _Row(key)
            live = row.expires > now
            if live and row.until > now:
                return Claim(False, json.loads(row.value), row.until)
            value = row.value if live else "{}"
            columns = {"value": value, "owner": owner, "until": float(until), "expires": float(expires)}
            if self._write(key, _at(row.version), columns):
                return Claim(True, json.loads(value), until)
        raise StoreError(f"Tablestore: {key} is claimed by too many at once")

    def mark(self, key: str, owner: str, value: Value, until: float) -> bool:
        return self._write(key, _where("owner", owner), {"value": encoded(value), "until": float(until)})

    def get(self, key: str, now: float) -> Record | None:
        row = self._row(key)
        return row.record if row and row.expires > now else None

    def put(self, key: str, value: Value, expires: float, version: int | None = None) -> bool:
        condition = _at(version) if version is not None else ots.Condition(ots.RowExistenceExpectation.IGNORE)
        return self._write(key, condition, {"value": encoded(value), "expires": float(expires)})

    def delete(self, key: str) -> None:
        self._sure(lambda: self._client.delete_row(self._table, _key(key)))

    def _row(self, key: str) -> _Row | None:
        _, row, _ = self._sure(lambda: self._client.get_row(self._table, _key(key), max_version=1))
        return _read(row) if row else None

    def _page(self, start: Any, end: Any, wanted: Any, most: int | None = None) -> tuple[list[_Row], Any]:
        """Rows, often fewer than there could be, and where the next page starts; None after the last one."""
        _, following, rows, _ = self._sure(
            lambda: self._client.get_range(self._table, "FORWARD", start, end, None, most, wanted, max_version=1)
        )
        return [_read(row) for row in rows], following

    def _write(self, key: str, condition: Any, columns: dict[str, Any]) -> bool:
        """False when the condition does not hold."""
        columns["writer"] = os.urandom(8).hex()
        if condition.get_row_existence_expectation() == ots.RowExistenceExpectation.EXPECT_NOT_EXIST:
            write, row = self._client.put_row, ots.Row(_key(key), [*columns.items(), ("version", 1)])
        else:
            changes = {"PUT": list(columns.items()), "INCREMENT": [("version", 1)]}
            write, row = self._client.update_row, ots.Row(_key(key), changes)
        try:
            self._sure(lambda: write(self._table, row, condition))
        except ConditionFailed:
            found = self._row(key)
            return found is not None and found.writer == columns["writer"]
        return True

    def _sure(self, call: Callable[[], Any]) -> Any:
        """Twice where the first reply is lost: mostly that was a connection that went stale while we were frozen."""
        try:
            return asked(call)
        except Unsure:
            return asked(call)

    def _sweep(self, now: float) -> None:
        """Deletes what has expired, if it is our turn; trouble with that is no trouble of the claim's."""
        if now < self._look_at:
            return
        self._look_at = now + _LOOK_EVERY
        owner = os.urandom(8).hex()
        try:
            turn = self.claim(_SWEEP, owner, now, now + _SWEEP_EVERY, now + _SWEEP_KEPT)
            if turn.won:
                following = self._swept(str(turn.value.get("from", "")), now)
                pause = _LOOK_EVERY if following else _SWEEP_EVERY
                self.mark(_SWEEP, owner, {"from": following}, now + pause)
        except StoreError as error:
            log.warning("not swept: %s", error)

    def _swept(self, start: str, now: float) -> str:
        """Where the next page starts; empty after the last one."""
        expired = _is("expires", float(now), ots.ComparatorType.LESS_EQUAL)
        rows, following = self._page(_key(start or ots.INF_MIN), _key(ots.INF_MAX), expired, _MOST_SWEPT)
        if rows:
            # Each with the condition again: somebody may write the row anew just now.
            condition = ots.Condition(ots.RowExistenceExpectation.IGNORE, expired)
            refused = self._sure(lambda: self._deleted([row.key for row in rows], condition))
            kept = [code for code in refused if code != "OTSConditionCheckFail"]
            if kept:  # the next round meets them again
                log.warning("not swept: %d of %d rows: %s", len(kept), len(rows), kept[0])
        return str(following[0][1]) if following else ""

    def _deleted(self, keys: Sequence[str], condition: Any) -> list[str]:
        """All in one call; the codes of those that were refused."""
        request = ots.BatchWriteRowRequest()
        items = [ots.DeleteRowItem(ots.Row(_key(key)), condition) for key in keys]
        request.add(ots.TableInBatchWriteRowItem(self._table, items))
        _, refused = self._client.batch_write_row(request).get_delete()
        return [item.error_code for item in refused]

    def try_out(self, key: str, expires: float) -> Iterator[tuple[str, str]]:
        """Each action that is used on rows, tried on one of that key, and why it was refused, "" where it was not."""
        table, client, any_row = self._table, self._client, ots.Condition(ots.RowExistenceExpectation.IGNORE)
        columns = [("value", "{}"), ("expires", float(expires))]
        actions: dict[str, Callable[[], Any]] = {
            "PutRow": lambda: client.put_row(table, ots.Row(_key(key), [*columns, ("version", 1)]), any_row),
            "UpdateRow": lambda: client.update_row(table, ots.Row(_key(key), {"PUT": columns}), any_row),
            "GetRow": lambda: client.get_row(table, _key(key), max_version=1),
            "GetRange": lambda: client.get_range(
                table, "FORWARD", _key(key), _key(f"{key}\0"), None, 1, None, max_version=1
            ),
            "BatchWriteRow": lambda: self._deleted([key], any_row),
            "DeleteRow": lambda: client.delete_row(table, _key(key)),
        }
        for action, call in actions.items():
            try:
                self._sure(call)
            except StoreError as error:
                yield action, str(error)
            else:
                yield action, ""

    def list(self, prefix: str, now: float) -> list[Record]:
        start, end = _key(prefix or ots.INF_MIN), _key(prefix + "\U0010ffff" if prefix else ots.INF_MAX)
        live = _is("expires", float(now), ots.ComparatorType.GREATER_THAN)
        found: list[Record] = []
        for _ in range(_PAGES):
            rows, start = self._page(start, end, live)
            found += [row.record for row in rows if row.key != _SWEEP]
            if not start:
                return found
        raise StoreError(f"Tablestore: more rows start with {prefix!r} than {_PAGES} pages hold")


def _key(key: Any) -> list[tuple[str, Any]]:
    return [("key", key)]


def _is(column: str, value: Any, how: Any) -> Any:
    return ots.SingleColumnCondition(column, value, how, pass_if_missing=False)


def _where(column: str, value: Any) -> Any:
    return ots.Condition(ots.RowExistenceExpectation.EXPECT_EXIST, _is(column, value, ots.ComparatorType.EQUAL))


def _at(version: int) -> Any:
    if version == 0:
        return ots.Condition(ots.RowExistenceExpectation.EXPECT_NOT_EXIST)
    return _where("version", version)


def _read(row: Any) -> _Row:
    """Columns of a later version are passed over."""
    columns = {name: value for name, value, *_ in row.attribute_columns if name in _Row.__slots__}
    return _Row(row.primary_key[0][1], **columns)
