"""What must happen once although two jobs ask for it."""

import pytest

from bot.adapters.store import SQLiteStore, StoreError
from bot.claims import Claim
from bot.core.errors import UsageError

NOW = 1_000.0


@pytest.fixture
def store(tmp_path):
    store = SQLiteStore(str(tmp_path / "store.sqlite3"))
    yield store
    store.close()


class Broken:
    """A store that does not answer."""

    def __getattr__(self, name):
        def fail(*arguments):
            raise StoreError("disk full")

        return fail


def test_the_first_job_holds_it_and_the_second_reads_what_it_marked(store):
    first, second = Claim(store, "claim/x", "job-1"), Claim(store, "claim/x", "job-2")
    assert first.take(NOW, 60) == (True, {})
    first.mark({"ts": "1.2"}, NOW, 60)
    assert second.take(NOW + 59, 60) == (False, {"ts": "1.2"})


def test_the_same_job_delivered_again_still_holds_it(store):
    claim = Claim(store, "claim/x", "job-1")
    claim.take(NOW, 60)
    claim.mark({"ts": "1.2"}, NOW, 60)
    assert Claim(store, "claim/x", "job-1").take(NOW + 1, 60) == (True, {"ts": "1.2"})


@pytest.mark.parametrize("ends", ["released", "over"])
def test_a_claim_that_has_ended_is_free_and_says_nothing(store, ends):
    first, second = Claim(store, "claim/x", "job-1"), Claim(store, "claim/x", "job-2")
    first.take(NOW, 60)
    first.mark({"ts": "1.2"}, NOW, 60)
    if ends == "released":
        first.release(NOW)
    later = NOW if ends == "released" else NOW + 61
    assert second.take(later, 60) == (True, {})
    assert not first.take(later, 60)[0]


def test_a_claim_that_is_held_for_nothing_is_seized(store):
    first, second = Claim(store, "claim/x", "job-1"), Claim(store, "claim/x", "job-2")
    first.take(NOW, 60)
    second.seize(NOW, 60)
    assert not first.take(NOW, 60)[0]


def test_once_means_once_unless_it_failed(store):
    done = []
    with pytest.raises(KeyError), Claim(store, "claim/x", "job-1").once(NOW, 60, "Done already."):
        raise KeyError
    with Claim(store, "claim/x", "job-2").once(NOW, 60, "Done already."):
        done.append(2)
    with (
        pytest.raises(UsageError, match="Done already"),
        Claim(store, "claim/x", "job-3").once(NOW, 60, "Done already."),
    ):
        done.append(3)
    assert done == [2]


def test_without_a_store_all_goes_ahead():
    claim = Claim(Broken(), "claim/x", "job-1")
    assert claim.take(NOW, 60) == (True, {})
    claim.seize(NOW, 60)
    claim.release(NOW)
    with claim.once(NOW, 60, "Done already."):
        pass
