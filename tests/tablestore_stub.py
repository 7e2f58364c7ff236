"""Tablestore's wire protocol on loopback, for the real client: requests verified, responses signed, faults on demand.

The messages, the signatures and the writing half of PlainBuffer are the client's own; the reading half is here, since
the client's cannot read changes of cells. What it does with rows follows the vendor's pages on conditional updates,
atomic counters and limits; where they are silent it is strict.
"""

import base64
import hashlib
import itertools
import re
import struct
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import tablestore.protobuf.table_store_filter_pb2 as filters
import tablestore.protobuf.table_store_pb2 as pb
from tablestore.auth import RequestContext, SignV2, SignV4
from tablestore.credentials import Credentials as OTSCredentials
from tablestore.plainbuffer.plain_buffer_builder import PlainBufferBuilder
from urllib3 import Timeout

from bot.adapters.tablestore import TablestoreStore
from bot.adapters.tablestore_client import make_table
from bot.settings import Credentials, Tablestore
from sandbox.http import Drop, Peer, Reply

INSTANCE, REGION = "bot-test", "cn-hangzhou"
KEY_ID, SECRET = "LTAItablestore", "hush-hush"
STS_KEY_ID, STS_SECRET, STS_TOKEN = "STS.tablestore", "hush-too", "token/of+role="
LOWEST, HIGHEST = "", "\U0010ffff\U0010ffff"  # stand for INF_MIN and INF_MAX
MOST_KEY, MOST_VALUE = 1_024, 2 * 1_024 * 1_024  # bytes


KEYS = Credentials(KEY_ID, SECRET)


def place(stub):
    return Tablestore(INSTANCE, REGION, stub.url)


def opened(stub, credentials=lambda: KEYS):
    """A store whose table is made; it does not wait between retries, and long for a reply: machines may be slow."""
    make_table(place(stub), lambda: KEYS)
    stub.calls.clear()
    stub.key_ids.clear()
    store = TablestoreStore(place(stub), credentials)
    wait(store, 30)
    store._client.retry_policy.get_retry_delay = lambda *_: 0
    return store


def wait(store, seconds):
    """How long the store waits for a reply from now on; for a call that is under way nothing changes."""
    store._client.connection.pool.connection_pool_kw["timeout"] = Timeout(seconds)
    store.close()


class OTSFault(Exception):
    def __init__(self, code, status, message="The request is refused."):
        super().__init__(code)
        self.code, self.status, self.message = code, status, message


REFUSED = OTSFault("OTSConditionCheckFail", 403, "Condition check failed.")
BUSY = OTSFault("OTSServerBusy", 503, "Server is busy.")
TIMEOUT = OTSFault("OTSTimeout", 503, "Operation timeout.")
INTERNAL = OTSFault("OTSInternalServerError", 500, "Internal server error.")
NO_RIGHT = OTSFault("OTSNoPermissionAccess", 403, "You have no permission to access the requested resource.")
OTHER_NETWORK = OTSFault("OTSAuthFailed", 403, "Request denied by instance ACL policies.")
NOT_READY = OTSFault("OTSTableNotReady", 404, "The table is not ready.")


@dataclass
class Table:
    options: object
    schema: object
    reserved: tuple
    rows: dict = field(default_factory=dict)


class TablestoreStub(Peer):
    """`calls` are the names of all that was asked; `page` rows are looked at for one GetRange."""

    def __init__(self):
        super().__init__()
        self.keys = {KEY_ID: (SECRET, None), STS_KEY_ID: (STS_SECRET, STS_TOKEN)}
        self.tables, self.calls, self.key_ids = {}, [], []
        self.page, self.ahead = 5_000, 0.0
        self._faults, self._lock, self._ids = [], threading.Lock(), itertools.count(1)

    def fail(self, api, fault, times=1, *, written=False):
        """The next calls end so: an OTSFault, a Reply, `Drop`, seconds of silence, or what is called before a drop.

        With `written` it comes after the call was done.
        """
        self._faults += [(api, fault, written)] * times

    def handle(self, request):
        api = request.path.strip("/")
        try:
            context, signer = self._verified(request)
        except OTSFault as fault:
            unsigned = self._error(fault)
            return Reply(unsigned.status, unsigned.body, {"x-ots-requestid": f"0005-{next(self._ids)}"})
        with self._lock:
            self.calls.append(api)
            self.key_ids.append(request.headers["x-ots-accesskeyid"])
            found = next((one for one in self._faults if one[0] == api), None)
            if found:
                self._faults.remove(found)
        fault, written = found[1:] if found else (None, False)
        if fault is not None and not written:
            reply = self._faulty(fault)
        else:
            try:
                with self._lock:
                    body = getattr(self, re.sub("(?=[A-Z])", "_", api).lower())(request.body).SerializeToString()
                reply = self._faulty(fault) if written else Reply(200, body)
            except OTSFault as refused:
                reply = self._error(refused)
        return self._signed(reply, request.path, context, signer)

    def _faulty(self, fault):
        if isinstance(fault, OTSFault):
            return self._error(fault)
        if isinstance(fault, Reply):
            return fault
        if fault is not Drop:
            fault() if callable(fault) else time.sleep(fault)
        raise Drop

    @staticmethod
    def _error(fault):
        body = pb.Error(code=fault.code, message=fault.message).SerializeToString()
        return Reply(fault.status, body)

    def _verified(self, request):
        headers = {name: value for name, value in request.headers.items() if name.startswith("x-ots-")}
        given = headers.pop("x-ots-signaturev4", None) or headers.pop("x-ots-signature", "")
        key_id = headers.get("x-ots-accesskeyid")
        if key_id not in self.keys or headers.get("x-ots-ststoken") != self.keys[key_id][1]:
            raise OTSFault("OTSAuthFailed", 403, "The AccessKeyID or its token is unknown.")
        if headers.get("x-ots-instancename") != INSTANCE or headers.get("x-ots-contentmd5") != _md5(request.body):
            raise OTSFault("OTSParameterInvalid", 400)
        context = RequestContext(OTSCredentials(key_id, *self.keys[key_id]))
        day = headers.get("x-ots-signdate")
        signer = SignV4("utf8", region=REGION, sign_date=day) if day else SignV2("utf8")
        right = dict(headers)
        signer.make_request_signature_and_add_headers(request.path, right, context)
        if given not in (right.get("x-ots-signaturev4"), right.get("x-ots-signature")):
            raise OTSFault("OTSAuthFailed", 403, "Signature mismatch.")
        return context, signer

    def _signed(self, reply, path, context, signer):
        headers = {
            "x-ots-contentmd5": _md5(reply.body),
            "x-ots-requestid": f"0005-{next(self._ids)}",
            "x-ots-date": datetime.fromtimestamp(time.time() + self.ahead, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "x-ots-contenttype": "protocol buffer",
        }
        signature = signer.make_response_signature(path, headers, signer.get_signing_key(context))
        headers["Authorization"] = f"OTS {context.get_credentials().get_access_key_id()}:{signature}"
        return Reply(reply.status, reply.body, {**headers, **reply.headers})

    # Tables

    def _create_table(self, body):
        asked = pb.CreateTableRequest.FromString(body)
        name = asked.table_meta.table_name
        if name in self.tables:
            raise OTSFault("OTSObjectAlreadyExist", 409, "Requested table already exists.")
        reserved = asked.reserved_throughput.capacity_unit
        self.tables[name] = Table(asked.table_options, asked.table_meta, (reserved.read, reserved.write))
        return pb.CreateTableResponse()

    def _describe_table(self, body):
        table = self._table(pb.DescribeTableRequest.FromString(body))
        described = pb.DescribeTableResponse(table_meta=table.schema, table_options=table.options)
        described.reserved_throughput_details.capacity_unit.SetInParent()
        described.reserved_throughput_details.last_increase_time = 0
        return described

    def _delete_table(self, body):
        asked = pb.DeleteTableRequest.FromString(body)
        self._table(asked)
        del self.tables[asked.table_name]
        return pb.DeleteTableResponse()

    def _table(self, asked):
        if asked.table_name not in self.tables:
            raise OTSFault("OTSObjectNotExist", 404, "Requested table does not exist.")
        return self.tables[asked.table_name]

    # Rows

    def _put_row(self, body):
        asked = pb.PutRowRequest.FromString(body)
        self._change(self._table(asked).rows, pb.PUT, asked.row, asked.condition)
        return _consumed(pb.PutRowResponse())

    def _update_row(self, body):
        asked = pb.UpdateRowRequest.FromString(body)
        self._change(self._table(asked).rows, pb.UPDATE, asked.row_change, asked.condition)
        return _consumed(pb.UpdateRowResponse())

    def _delete_row(self, body):
        asked = pb.DeleteRowRequest.FromString(body)
        self._change(self._table(asked).rows, pb.DELETE, asked.primary_key, asked.condition)
        return _consumed(pb.DeleteRowResponse())

    def _batch_write_row(self, body):
        """Each row for itself."""
        response = pb.BatchWriteRowResponse()
        for asked in pb.BatchWriteRowRequest.FromString(body).tables:
            if len(asked.rows) > 200:
                raise OTSFault("OTSParameterInvalid", 400)
            replies = response.tables.add(table_name=asked.table_name)
            for row in asked.rows:
                try:
                    self._change(self._table(asked).rows, row.type, row.row_change, row.condition)
                    _consumed(replies.rows.add(is_ok=True))
                except OTSFault as fault:
                    replies.rows.add(is_ok=False).error.CopyFrom(pb.Error(code=fault.code, message=fault.message))
        return response

    def _get_row(self, body):
        asked = pb.GetRowRequest.FromString(body)
        key, _ = read_row(asked.primary_key)
        columns = self._table(asked).rows.get(key)
        return _consumed(pb.GetRowResponse(row=b"" if columns is None else _written(key, columns)))

    def _get_range(self, body):
        """Looks at one page; what the filter leaves out counts as looked at, and `limit` as returned."""
        asked = pb.GetRangeRequest.FromString(body)
        start, end = (read_row(key)[0] for key in (asked.inclusive_start_primary_key, asked.exclusive_end_primary_key))
        table = self._table(asked).rows
        keys = sorted((key for key in table if start <= key < end), key=lambda key: key.encode())
        found = []
        for looked_at, key in enumerate(keys):
            if looked_at == self.page or (asked.limit and len(found) == asked.limit):
                following = bytes(PlainBufferBuilder.serialize_primary_key([("key", key)]))
                break
            if not asked.filter or _passes(table[key], asked.filter):
                found.append(_written(key, table[key]))
        else:
            following = None
        rows = b"".join(row if number == 0 else row[4:] for number, row in enumerate(found))  # one header for all
        return _consumed(pb.GetRangeResponse(rows=rows, next_start_primary_key=following))

    @staticmethod
    def _change(rows, kind, change, condition):
        key, cells = read_row(change)
        if len(key.encode()) > MOST_KEY or any(
            isinstance(v, str) and len(v.encode()) > MOST_VALUE for _, v, _ in cells
        ):
            raise OTSFault("OTSParameterInvalid", 400)
        row = rows.get(key)
        if condition.row_existence not in (pb.IGNORE, pb.EXPECT_NOT_EXIST if row is None else pb.EXPECT_EXIST):
            raise REFUSED
        if condition.column_condition and not _passes(row or {}, condition.column_condition):
            raise REFUSED
        if kind == pb.DELETE:
            rows.pop(key, None)
            return
        columns = dict(row or {}) if kind == pb.UPDATE else {}
        for name, value, how in cells:
            if how == INCREMENT and type(columns.get(name, 0)) is not int:
                raise OTSFault("OTSParameterInvalid", 400)
            columns[name] = columns.get(name, 0) + value if how == INCREMENT else value
        rows[key] = columns


def _md5(body):
    return base64.b64encode(hashlib.md5(body).digest()).decode()  # noqa: S324 (the protocol's)


def _consumed(response):
    response.consumed.capacity_unit.read = 1
    return response


def _written(key, columns):
    cells = [(name, value, int(time.time() * 1_000)) for name, value in sorted(columns.items())]
    return bytes(PlainBufferBuilder.serialize_for_put_row([("key", key)], cells))


def _passes(columns, serialized):
    """A condition on one column; one of another type than the column's is an error in the question."""
    outer = filters.Filter.FromString(serialized)
    one = filters.SingleColumnValueFilter.FromString(outer.filter)
    wanted, _ = read_variant(one.column_value, 0)
    if outer.type != filters.FT_SINGLE_COLUMN_VALUE:
        raise OTSFault("OTSParameterInvalid", 400)
    if one.column_name not in columns:
        return not one.filter_if_missing
    value = columns[one.column_name]
    if type(value) is not type(wanted):
        raise OTSFault("OTSParameterInvalid", 400)
    return {
        filters.CT_EQUAL: value == wanted,
        filters.CT_GREATER_THAN: value > wanted,
        filters.CT_LESS_EQUAL: value <= wanted,
    }[one.comparator]


# PlainBuffer: tags of one byte, lengths of four, all little-endian.

ROW_PK, ROW_DATA, CELL, NAME, VALUE, TYPE, TIMESTAMP, DELETE_MARKER, ROW_CHECKSUM, CELL_CHECKSUM = range(1, 11)
INCREMENT = 4


def read_variant(data, at):
    """A value at its type byte, and where it ends."""
    kind, at = data[at], at + 1
    if kind in (0, 1):
        return struct.unpack_from("<q" if kind == 0 else "<d", data, at)[0], at + 8
    if kind in (9, 10):
        return LOWEST if kind == 9 else HIGHEST, at
    assert kind == 3, f"no integer, double or string: {kind}"
    end = at + 4 + struct.unpack_from("<i", data, at)[0]
    return data[at + 4 : end].decode(), end


def read_row(data):
    """The key, and each cell of the rest as (name, value or None, how it is changed)."""
    at, cells, keys = 4, [], 0
    while at < len(data):
        tag, at = data[at], at + 1
        if tag == CELL:
            cells.append([None, None, None])
        elif tag == NAME:
            end = at + 4 + struct.unpack_from("<i", data, at)[0]
            cells[-1][0], at = data[at + 4 : end].decode(), end
        elif tag == VALUE:
            cells[-1][1], at = read_variant(data, at + 4)
        elif tag == TYPE:
            cells[-1][2], at = data[at], at + 1
        elif tag == TIMESTAMP:
            at += 8
        elif tag in (CELL_CHECKSUM, ROW_CHECKSUM):
            at += 1
        elif tag == ROW_DATA:
            keys = len(cells)
        else:
            assert tag in (ROW_PK, DELETE_MARKER), f"unknown tag {tag}"
    keys = keys or len(cells)
    assert keys == 1, "one key column"
    return cells[0][1], [tuple(cell) for cell in cells[1:]]
