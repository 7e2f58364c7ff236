"""What every store must do: SQLite, and Tablestore's client against its wire protocol on loopback.

It also runs against a real instance where BOT_TEST_STORE names one (tablestore://instance.region) and the keys
ALIBABA_CLOUD_ACCESS_KEY_ID and _SECRET are set; a table of its own is made there and deleted.
"""

import itertools
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.store import MOST_VALUE, Record, SQLiteStore, StoreError, open_store
from bot.adapters.tablestore import TablestoreStore
from bot.adapters.tablestore_client import connected, make_table
from bot.settings import Settings
from tablestore_stub import INSTANCE, KEY_ID, REGION, SECRET, TablestoreStub, opened

SOURCE = str(Path(__file__).parents[2] / "src")
KEPT = 10**12
LIVE_NAMES = ("BOT_TEST_STORE", "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET")
LIVE = all(os.environ.get(name) for name in LIVE_NAMES)
REQUIRED = {"SLACK_SIGNING_SECRET": "s", "SLACK_BOT_TOKEN": "xoxb-1"}


@pytest.fixture
def sqlite(tmp_path):
    store = SQLiteStore(str(tmp_path / "folder" / "bot.sqlite3"))
    yield store
    store.close()


@pytest.fixture
def stub():
    with TablestoreStub() as stub:
        yield stub


@pytest.fixture
def tablestore(stub):
    store = opened(stub)
    yield store
    store.close()


@pytest.fixture(scope="session")
def live_table():
    chosen = Settings.from_environment({**os.environ, **REQUIRED, "BOT_STORE": os.environ["BOT_TEST_STORE"]})
    table = f"contract_{os.urandom(4).hex()}"
    credentials = lambda: chosen.credentials  # noqa: E731
    make_table(chosen.tablestore, credentials, table)
    yield chosen.tablestore, credentials, table
    connected(chosen.tablestore, credentials, read=30.0).delete_table(table)


@pytest.fixture
def live(live_table):
    store = TablestoreStore(*live_table)
    for record in store.list("", 0):
        store.delete(record.key)
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "tablestore", *(["live"] if LIVE else [])])
def store(request):
    return request.getfixturevalue(request.param)


def together(count, act):
    """`act(number)` in so many threads at once; all results."""
    start, results = threading.Barrier(count), []

    def run(number):
        start.wait()
        results.append(act(number))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


CLAIMS = """
import sys, threading
sys.path.insert(0, sys.argv[1])
from bot.adapters.store import open_store
from bot.settings import Settings
store = open_store(Settings.from_environment({
    "SLACK_SIGNING_SECRET": "s", "SLACK_BOT_TOKEN": "t", "BOT_STORE": sys.argv[2],
    "ALIBABA_CLOUD_ACCESS_KEY_ID": sys.argv[5], "ALIBABA_CLOUD_ACCESS_KEY_SECRET": sys.argv[6],
}))
won = []
def claim(number):
    if store.claim("job/x", f"{sys.argv[3]}-{number}", 100.0, 112.0, 10.0**12).won:
        won.append(number)
sys.stdin.readline()
threads = [threading.Thread(target=claim, args=(number,)) for number in range(int(sys.argv[4]))]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
store.close()
print(len(won))
"""


def wins(url, processes, threads):
    """How many claims of one key were won in so many processes with so many threads each."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMS, SOURCE, url, str(number), str(threads), KEY_ID, SECRET],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    return sum(int(process.communicate(timeout=60)[0]) for process in started)


def test_of_eight_times_eight_processes_and_threads_one_wins_a_file(tmp_path):
    """On a file that does not exist yet."""
    assert wins(f"sqlite:///{tmp_path}/new/bot.sqlite3", 8, 8) == 1


def test_of_two_times_16_processes_and_threads_one_wins_a_row(stub, tablestore):
    assert wins(f"tablestore://{INSTANCE}.{REGION}?endpoint={stub.url}", 2, 16) == 1
    assert stub.tables["cloud_assistant_in_slack"].rows["job/x"]["version"] == 1


def test_of_64_claims_one_wins(store):
    claims = together(64, lambda number: store.claim("job/1", f"o{number}", 100, 112, KEPT))
    assert [claim.won for claim in claims].count(True) == 1
    assert {claim.until for claim in claims} == {112}
    assert store.get("job/1", 100).version == 1


@pytest.mark.skipif(not LIVE, reason=f"no real instance of Tablestore: set {', '.join(LIVE_NAMES)}")
def test_a_real_instance_is_asked_too(live):
    assert live.claim("job/1", "a", 100, 112, KEPT).won


def test_a_lease_is_refused_until_its_end_and_then_taken_with_what_was_marked(store):
    assert store.claim("job/1", "a", now=100, until=112, expires=KEPT).won
    assert store.mark("job/1", "a", {"posting": True}, until=112)
    refused = store.claim("job/1", "b", now=111.9, until=123, expires=KEPT)
    assert (refused.won, refused.until, refused.value) == (False, 112, {"posting": True})
    taken = store.claim("job/1", "b", now=112, until=124, expires=KEPT)
    assert (taken.won, taken.value) == (True, {"posting": True})


def test_a_mark_after_a_takeover_is_refused(store):
    store.claim("job/1", "a", 100, 112, KEPT)
    store.claim("job/1", "b", 112, 124, KEPT)
    assert not store.mark("job/1", "a", {"done": True}, 0)
    assert store.get("job/1", 113).value == {}
    assert store.mark("job/1", "b", {"done": True}, 0)


def test_a_mark_may_end_the_lease_at_once(store):
    store.claim("job/1", "a", 100, 112, KEPT)
    store.mark("job/1", "a", {}, until=0)
    assert store.claim("job/1", "b", 101, 113, KEPT).won


def test_of_32_takeovers_one_wins(store):
    store.claim("job/1", "dead", 100, 112, KEPT)
    claims = together(32, lambda number: store.claim("job/1", f"o{number}", 113, 125, KEPT).won)
    assert claims.count(True) == 1


def test_a_claim_whose_record_expired_starts_anew(store):
    store.claim("job/1", "a", 100, 112, 200)
    store.mark("job/1", "a", {"done": True}, 0)
    assert store.claim("job/1", "b", 201, 213, KEPT).value == {}


def test_put_over_a_version_has_one_winner(store):
    store.put("counter", {"n": 0}, KEPT)
    version = store.get("counter", 0).version
    wins = together(16, lambda number: store.put("counter", {"n": number}, KEPT, version))
    assert wins.count(True) == 1
    assert store.get("counter", 0).version == version + 1


def test_put_with_version_zero_only_makes(store):
    assert store.put("once", {"a": 1}, KEPT, version=0)
    assert not store.put("once", {"a": 2}, KEPT, version=0)
    assert store.get("once", 0) == Record("once", {"a": 1}, 1)


def test_put_and_claim_of_one_key_leave_each_other_what_is_theirs(store):
    """A value that was put is what the claim finds; a put leaves the lease where it was."""
    store.put("run/1", {"ts": "1"}, KEPT)
    claim = store.claim("run/1", "a", 100, 112, KEPT)
    assert (claim.won, claim.value) == (True, {"ts": "1"})
    store.put("run/1", {"ts": "2"}, KEPT)
    assert not store.claim("run/1", "b", 101, 113, KEPT).won
    assert store.mark("run/1", "a", {"ts": "3"}, 0)
    assert store.get("run/1", 101) == Record("run/1", {"ts": "3"}, 4)
    assert not store.put("run/1", {}, KEPT, version=3)
    assert store.put("run/1", {}, KEPT, version=4)


def test_a_mark_needs_a_claim(store):
    assert not store.mark("job/1", "a", {}, 0)
    store.put("job/1", {}, KEPT)
    assert not store.mark("job/1", "a", {"done": True}, 0)
    assert store.get("job/1", 0).value == {}


def test_a_value_that_is_too_large_is_refused_and_said(store):
    store.claim("job/1", "a", 100, 112, KEPT)
    large = {"text": "x" * MOST_VALUE}
    for write in (lambda: store.put("job/1", large, KEPT), lambda: store.mark("job/1", "a", large, 0)):
        with pytest.raises(StoreError, match="1,000,012 bytes; at most 1,000,000"):
            write()
    assert store.get("job/1", 100) == Record("job/1", {}, 1)
    assert store.put("job/1", {"text": "x" * (MOST_VALUE - 20)}, KEPT)


def test_a_closed_store_opens_again(store):
    store.put("a", {}, KEPT)
    store.close()
    assert store.get("a", 0)
    store.close()
    store.close()


TIMES = st.sampled_from([0, 100, 112.5, 200, KEPT])
KEYS = st.sampled_from(["job/1", "job/ü", "run/1"])
VALUES = st.dictionaries(st.sampled_from("ab"), st.one_of(st.text(max_size=3), st.integers()), max_size=2)
OWNERS = st.sampled_from(["a", "b"])
STEPS = st.one_of(
    st.tuples(st.just("claim"), KEYS, OWNERS, TIMES, TIMES, TIMES),
    st.tuples(st.just("mark"), KEYS, OWNERS, VALUES, TIMES),
    st.tuples(st.just("put"), KEYS, VALUES, TIMES, st.sampled_from([None, 0, 1, 2, 3])),
    st.tuples(st.just("get"), KEYS, TIMES),
    st.tuples(st.just("list"), st.sampled_from(["job/", "run", ""]), TIMES),
    st.tuples(st.just("delete"), KEYS),
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Both back ends; neither sweeps."""
    with TablestoreStub() as stub:
        both = SQLiteStore(str(tmp_path_factory.mktemp("pair") / "bot.sqlite3"), sweep_every=10**9), opened(stub)
        both[1]._look_at = float("inf")
        stub.page = 2
        yield both
        for one in both:
            one.close()


@given(st.lists(STEPS, min_size=2, max_size=12))
@settings(max_examples=25, deadline=None)
def test_whatever_is_done_both_back_ends_answer_alike(pair, steps):
    for one, key in itertools.product(pair, ("job/1", "job/ü", "run/1")):
        one.delete(key)
    for method, *arguments in steps:
        first, second = (getattr(one, method)(*arguments) for one in pair)
        assert first == second, (method, arguments)


def test_the_store_is_the_one_that_is_named(tmp_path):
    environment = {**REQUIRED, "BOT_STORE": f"sqlite:///{tmp_path}/bot.sqlite3"}
    assert isinstance(open_store(Settings.from_environment(environment)), SQLiteStore)
    environment = {**REQUIRED, "BOT_STORE": "tablestore://bot-test.cn-hangzhou"}
    store = open_store(Settings.from_environment(environment))
    assert isinstance(store, TablestoreStore)
    with pytest.raises(StoreError, match="no credentials"):
        store.get("a", 0)


def test_expired_records_are_hidden(store):
    store.put("region/t-1", {"region": "cn-hangzhou"}, expires=50)
    assert store.get("region/t-1", 49.9)
    assert store.get("region/t-1", 50) is None
    assert store.list("region/", 50) == []


def test_list_is_by_prefix_and_in_order(store):
    for key in ("sub/b", "sub/a", "subject/x", "sub/ä", "su", "sub/"):
        store.put(key, {"key": key}, KEPT)
    assert [record.key for record in store.list("sub/", 0)] == ["sub/", "sub/a", "sub/b", "sub/ä"]


def test_a_write_that_breaks_leaves_nothing_behind(store):
    with pytest.raises(TypeError):
        store.put("a", {"odd": object()}, KEPT)
    assert store.get("a", 0) is None
    assert store.put("a", {}, KEPT)


def test_delete(store):
    store.put("a", {}, KEPT)
    store.delete("a")
    store.delete("never there")
    assert store.get("a", 0) is None


def test_non_ascii_keys_and_values(store):
    store.put("user/梅", {"name": "李梅 🚒", "half": "\ud83d"}, KEPT)
    assert store.get("user/梅", 0).value == {"name": "李梅 🚒", "half": "\ud83d"}
    assert [record.key for record in store.list("user/", 0)] == ["user/梅"]


def test_what_expired_is_swept_away_now_and_then(tmp_path):
    store = SQLiteStore(str(tmp_path / "bot.sqlite3"), sweep_every=3)
    store.put("old", {}, expires=10)
    for number in range(3):
        store.claim(f"job/{number}", "a", 100, 112, KEPT)
    assert store.get("old", 0) is None
    assert len(store.list("job/", 0)) == 3
    store.close()


def test_one_connection_for_all_threads(sqlite, tmp_path):
    """Renewing threads come and go; none of them may leave a file open."""
    together(8, lambda number: sqlite.put(f"key{number}", {}, KEPT))
    assert open_files(tmp_path) <= 3  # the file, its log, and the log's index
    sqlite.close()
    assert open_files(tmp_path) == 0
    sqlite.close()
    assert len(sqlite.list("key", 0)) == 8


def open_files(folder):
    targets = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return sum(target.is_relative_to(folder) for target in targets)


def test_a_file_beside_us(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = SQLiteStore("bot.sqlite3")
    store.put("a", {"b": 1}, KEPT)
    store.close()
    assert (tmp_path / "bot.sqlite3").exists()


@pytest.mark.parametrize("path", ["/proc/nowhere/bot.sqlite3", "/dev/full"])
def test_a_store_that_cannot_be_written_says_so(path):
    store = SQLiteStore(path)
    for use in (
        lambda: store.claim("a", "b", 0, 1, 2),
        lambda: store.mark("a", "b", {}, 0),
        lambda: store.get("a", 0),
        lambda: store.put("a", {}, 1),
        lambda: store.delete("a"),
        lambda: store.list("a", 0),
    ):
        with pytest.raises(StoreError):
            use()
    store.close()


def test_a_full_disk_ends_the_write_and_not_the_store(sqlite):
    sqlite.put("before", {}, KEPT)
    with sqlite._reading() as connection:
        connection.execute("PRAGMA max_page_count = 3")
    with pytest.raises(StoreError, match="full"):
        sqlite.put("large", {"text": "x" * 100_000}, KEPT)
    assert sqlite.get("before", 0)
    assert sqlite.put("small", {}, KEPT)
