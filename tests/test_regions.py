"""Where an id lives: in which order regions are asked, how many rounds that takes, and what is remembered."""

import threading
import time
from types import SimpleNamespace

import pytest

from bot.adapters.store import SQLiteStore
from bot.core.errors import Denied, Unavailable
from bot.core.model import Invocation
from bot.core.parsing import parse
from bot.core.places import Account
from bot.fanout import Fanout
from bot.kept import Kept
from bot.regions import Regions

TWENTY = [f"cn-r{number:02d}" for number in range(20)]
RUN, OTHER = "t-hz0000001", "t-hz0000002"


class Cloud:
    """Knows where runs are; keeps the rounds in which it was asked."""

    def __init__(self, where, silent=(), denied=(), regions=TWENTY):
        self.where, self.silent, self.denied, self.listed = where, silent, denied, regions
        self.asked, self.listings = [], 0

    def regions(self):
        self.listings += 1
        if self.listed is None:
            raise Unavailable("DescribeRegions", "cn-r00")
        return list(self.listed)

    def ask(self, region, one):
        self.asked.append(region)
        if region in self.silent:
            raise Unavailable("DescribeInvocations", region, "ServiceUnavailable")
        if region in self.denied:
            raise Denied("DescribeInvocations", region, self.denied[region])
        return Invocation(one, region) if self.where.get(one) == region else None


class Rounds(Fanout):
    """Counts how often one had to wait for replies."""

    def __init__(self):
        super().__init__(time.time() + 30, time.time)
        self.rounds = []

    def together(self, calls, limit=None, enough=lambda replies: False):
        self.rounds.append(len(calls))
        return super().together(calls, limit, enough)


@pytest.fixture
def make(tmp_path):
    stores = []

    def make(cloud, regions=("cn-r00",), chosen=False, store=None):
        stores.append(store or SQLiteStore(str(tmp_path / "bot.sqlite3")))
        settings = SimpleNamespace(
            accounts={"": Account()},
            account_names=frozenset(),
            regions=tuple(regions),
            default_regions=tuple(regions[:1]),
            regions_chosen=chosen,
        )
        rounds = Rounds()
        found = Regions(settings, cloud, Kept(stores[-1], time.time), rounds, likely=15, others=5)
        return found, rounds

    yield make
    for store in stores:
        store.close()


def test_the_default_region_is_enough_when_the_id_is_there(make):
    cloud = Cloud({RUN: "cn-r00"})
    regions, rounds = make(cloud, TWENTY, chosen=True)
    assert regions.locate([RUN], parse(""), cloud.ask).found[RUN].region == "cn-r00"
    assert (cloud.asked, rounds.rounds) == (["cn-r00"], [1])


def test_twenty_regions_take_two_rounds(make):
    """The third is for the results: an id of unknown region costs three calls' time."""
    cloud = Cloud({RUN: "cn-r19"})
    regions, rounds = make(cloud, TWENTY, chosen=True)
    assert regions.locate([RUN], parse(""), cloud.ask).found[RUN].region == "cn-r19"
    assert rounds.rounds == [1, 19]


def test_where_the_regions_are_not_known_they_are_listed_beside_the_first_guess(make):
    cloud = Cloud({RUN: "cn-r19"})
    regions, rounds = make(cloud)
    assert regions.locate([RUN], parse(""), cloud.ask).found[RUN].region == "cn-r19"
    assert rounds.rounds == [2, 19]
    assert cloud.listings == 1
    again, _ = make(cloud)
    again.locate([OTHER], parse(""), cloud.ask)
    assert cloud.listings == 1


def test_where_an_id_was_found_is_remembered(make):
    cloud = Cloud({RUN: "cn-r07"})
    make(cloud, TWENTY, chosen=True)[0].locate([RUN], parse(""), cloud.ask)
    cloud.asked.clear()
    regions, rounds = make(cloud, TWENTY, chosen=True)
    assert regions.locate([RUN], parse(""), cloud.ask).found
    assert (cloud.asked, rounds.rounds) == (["cn-r07"], [1])


def test_an_id_that_moved_is_remembered_anew(make):
    cloud = Cloud({RUN: "cn-r07"})
    make(cloud, TWENTY, chosen=True)[0].locate([RUN], parse(""), cloud.ask)
    cloud.where[RUN] = "cn-r00"
    make(cloud, TWENTY, chosen=True)[0].locate([RUN], parse(""), cloud.ask)
    cloud.asked.clear()
    make(cloud, TWENTY, chosen=True)[0].locate([RUN], parse(""), cloud.ask)
    assert cloud.asked == ["cn-r00"]


def test_several_ids_are_looked_for_at_once(make):
    cloud = Cloud({RUN: "cn-r00", OTHER: "cn-r03"})
    regions, rounds = make(cloud, TWENTY, chosen=True)
    located = regions.locate([RUN, OTHER, RUN, "t-hz0000003"], parse(""), cloud.ask)
    assert {one: place.region for one, place in located.found.items()} == {RUN: "cn-r00", OTHER: "cn-r03"}
    assert list(located.missing) == ["t-hz0000003"]
    assert rounds.rounds == [3, 38]


def test_named_regions_alone_are_asked(make):
    cloud = Cloud({RUN: "cn-r00"})
    regions, rounds = make(cloud, TWENTY, chosen=True)
    located = regions.locate([RUN], parse("region:cn-r05 region:cn-r06"), cloud.ask)
    assert sorted(cloud.asked) == ["cn-r05", "cn-r06"]
    assert located.missing[RUN].asked == ("cn-r05", "cn-r06")
    assert rounds.rounds == [2]


def test_everywhere_is_one_round(make):
    cloud = Cloud({RUN: "cn-r19"})
    regions, rounds = make(cloud, ["cn-r00"], chosen=True)
    assert regions.locate([RUN], parse("region:all"), cloud.ask).found
    assert rounds.rounds == [20]


def test_silent_regions_are_named_and_asked_once(make):
    cloud = Cloud({}, silent=["cn-r00", "cn-r02"])
    regions, _ = make(cloud, TWENTY[:4], chosen=True)
    located = regions.locate([RUN], parse(""), cloud.ask)
    assert located.missing[RUN].asked == ("cn-r01", "cn-r03")
    assert list(located.missing[RUN].silent) == ["cn-r00", "cn-r02"]
    assert cloud.asked.count("cn-r00") == 1
    assert located.replied()
    assert len(located.errors()) == 2


def test_a_region_that_hangs_does_not_hold_up_what_was_found(make):
    never = threading.Event()

    def ask(region, one):
        if region == "cn-r01":
            never.wait(20)
        return Invocation(one, region) if region == "cn-r02" else None

    regions, _ = make(Cloud({}), TWENTY[:3], chosen=True)
    located = regions.locate([RUN], parse(""), ask)
    never.set()
    assert located.found[RUN].region == "cn-r02"


def test_bad_keys_are_tried_in_one_region_only(make):
    cloud = Cloud({}, denied={"cn-r00": "InvalidAccessKeyId.NotFound"})
    regions, _ = make(cloud, TWENTY, chosen=True)
    with pytest.raises(Denied):
        regions.locate([RUN], parse(""), cloud.ask)
    assert cloud.asked == ["cn-r00"]


def test_a_right_that_lacks_in_one_region_may_be_there_in_another(make):
    cloud = Cloud({RUN: "cn-r01"}, denied={"cn-r00": "Forbidden.RAM"})
    regions, _ = make(cloud, TWENTY, chosen=True)
    assert regions.locate([RUN], parse(""), cloud.ask).found


def test_regions_that_cannot_be_listed(make):
    cloud = Cloud({}, regions=None)
    regions, _ = make(cloud)
    assert regions.locate([RUN], parse(""), cloud.ask).missing[RUN].asked == ("cn-r00",)


def test_the_regions_of_a_list(make):
    cloud = Cloud({})
    regions, _ = make(cloud)
    assert regions.of_list(parse("")) == ["cn-r00"]
    assert regions.of_list(parse("region:cn-r05")) == ["cn-r05"]
    assert regions.of_list(parse("c-hz0000001")) == TWENTY
    assert regions.of_list(parse("region:all")) == TWENTY
    chosen, _ = make(cloud, ["cn-r03", "cn-r99"], chosen=True)
    assert chosen.of_list(parse("c-hz0000001")) == ["cn-r03", "cn-r99"]
    assert chosen.of_list(parse("region:all"))[:3] == ["cn-r03", "cn-r99", "cn-r00"]


def test_a_broken_store_only_forgets(make):
    cloud = Cloud({RUN: "cn-r04"})
    regions, _ = make(cloud, store=SQLiteStore("/proc/nowhere/bot.sqlite3"))
    assert regions.locate([RUN], parse(""), cloud.ask).found
