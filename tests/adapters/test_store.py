"""What every store must do; so far there is one back end."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bot.adapters.store import Record, SQLiteStore, StoreError

SOURCE = str(Path(__file__).parents[2] / "src")
KEPT = 10**12


@pytest.fixture
def store(tmp_path):
    store = SQLiteStore(str(tmp_path / "folder" / "bot.sqlite3"))
    yield store
    store.close()


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
from bot.adapters.store import SQLiteStore
store = SQLiteStore(sys.argv[2])
won = []
def claim(number):
    if store.claim("job/x", f"{sys.argv[3]}-{number}", 100.0, 112.0, 10.0**12).won:
        won.append(number)
sys.stdin.readline()
threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
store.close()
print(len(won))
"""


def test_of_eight_times_eight_claims_one_wins(tmp_path):
    """Eight processes with eight threads each, on a file that does not exist yet."""
    path = str(tmp_path / "new" / "bot.sqlite3")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMS, SOURCE, path, str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(8)
    ]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    wins = [int(process.communicate(timeout=30)[0]) for process in processes]
    assert sum(wins) == 1


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


def test_one_connection_for_all_threads(store, tmp_path):
    """Renewing threads come and go; none of them may leave a file open."""
    together(8, lambda number: store.put(f"key{number}", {}, KEPT))
    assert open_files(tmp_path) <= 3  # the file, its log, and the log's index
    store.close()
    assert open_files(tmp_path) == 0
    store.close()
    assert len(store.list("key", 0)) == 8


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


def test_a_full_disk_ends_the_write_and_not_the_store(store):
    store.put("before", {}, KEPT)
    with store._reading() as connection:
        connection.execute("PRAGMA max_page_count = 3")
    with pytest.raises(StoreError, match="full"):
        store.put("large", {"text": "x" * 100_000}, KEPT)
    assert store.get("before", 0)
    assert store.put("small", {}, KEPT)
