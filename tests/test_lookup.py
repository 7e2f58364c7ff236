"""From a question to what is known: which calls are made, and what is said of those that failed."""

import math
import time

import pytest

from bot.adapters.cloud_assistant import CloudAssistant
from bot.adapters.store import SQLiteStore
from bot.core.errors import Denied, NotFound, Throttled, Unavailable
from bot.core.parsing import parse
from bot.lookup import MOST_NAMED, Limits, Lookup
from bot.settings import Credentials
from rig import COMMAND_ID, RUN, fleet, settings_for
from sandbox.cloud import SECRETS, STS_KEY_ID, TOKENS, Cloud
from sandbox.scenario import load

HZ, SH = "cn-hangzhou", "cn-shanghai"
SHANGHAI_RUN = "t-sh0fleet0001"
SCHEDULE = load("schedule").ask
STS = Credentials(STS_KEY_ID, SECRETS[STS_KEY_ID], TOKENS[STS_KEY_ID])


@pytest.fixture(scope="module")
def running():
    fleets = [fleet(120), fleet(2, SH, SHANGHAI_RUN)]
    with Cloud([*fleets, load("schedule")]) as cloud:
        yield cloud


@pytest.fixture
def cloud(running):
    yield running
    running.mend()
    running.clear()
    running.may_list_instances = True


@pytest.fixture
def make(cloud, tmp_path):
    store = SQLiteStore(str(tmp_path / "bot.sqlite3"))

    def make(*, patient=True, **environment):
        settings = settings_for(cloud, None, tmp_path, **environment)
        deadline = time.time() + 20
        client = CloudAssistant(settings, STS, store, deadline=deadline, sleep=lambda seconds: None)
        return Lookup(settings, client, store, time.time, limits=Limits(), deadline=deadline, patient=patient)

    yield make
    store.close()


@pytest.fixture
def lookup(make):
    return make()


def instance_id(lookup, name, region=HZ):
    _, [instance] = lookup.on_instances(parse(f"{name} region:{region}"))
    return instance.id


def throttle(cloud, action, **more):
    cloud.fail("throttle", action=action, times=math.inf, headers={"x-acs-retry-after": "30000"}, **more)


# Invocations


def test_a_run_comes_with_all_its_results_and_names(lookup, cloud):
    found = lookup.invocations(parse(RUN))
    assert (len(found.invocations), len(found.results), len(found.instances)) == (1, 120, 120)
    assert found.notes == ()
    assert cloud.count("DescribeInvocationResults") == 3
    assert cloud.count("DescribeInvocations") == 1
    assert cloud.count("DescribeInstances") == 2


def test_several_runs_make_one_answer(lookup):
    found = lookup.invocations(parse(f"{RUN} {SHANGHAI_RUN} t-hz0nowhere01"))
    assert [one.id for one in found.invocations] == [RUN, SHANGHAI_RUN]
    assert {result.region for result in found.results} == {HZ, SH}
    [note] = found.notes
    assert note.startswith(f"No run t-hz0nowhere01 in {HZ}, {SH}, cn-beijing: older than about four weeks")


def test_a_run_that_is_nowhere(lookup):
    with pytest.raises(NotFound, match="No run t-hz0nowhere01"):
        lookup.invocations(parse("t-hz0nowhere01"))


def test_one_instance_of_a_run_is_asked_for_alone(lookup, cloud):
    one = instance_id(lookup, "web-001")
    cloud.clear()
    found = lookup.invocations(parse(f"{RUN} {one}"))
    assert [result.instance_id for result in found.results] == [one]
    assert [target.instance_id for target in found.invocations[0].targets] == [one]
    assert cloud.count("DescribeInvocationResults") == 1


def test_instances_of_a_run_by_name_and_address(lookup):
    found = lookup.invocations(parse(f"{RUN} web-00* 10.9.0.20"))
    assert len(found.results) == 10


def test_the_history_of_a_schedule(lookup, cloud):
    found = lookup.invocations(parse(SCHEDULE))
    assert found.invocations[0].is_schedule
    assert len(found.results) > 50
    histories = [call.params.get("IncludeHistory") for call in cloud.calls if call.action.endswith("Results")]
    assert set(histories) == {"true"}


@pytest.mark.parametrize(("words", "there"), [("failed", True), ("failed mode:once", False), ("success", False)])
def test_a_schedule_that_failed_last_is_among_the_failed(lookup, words, there):
    """The API calls it scheduled, in its list, however often it failed."""
    found, _more = lookup.newest(parse(f"{words} {HZ}"))
    assert (SCHEDULE in [run.id for run in found.invocations]) is there


def test_names_that_cannot_be_read_are_noted(lookup, cloud):
    cloud.fail("denied", action="DescribeInstances", times=math.inf)
    found = lookup.invocations(parse(RUN))
    assert found.notes == (f"Instance names in {HZ} are missing: Forbidden.RAM.",)
    assert len(found.results) == 120


def test_an_empty_list_of_names_may_be_a_lack_of_rights(lookup, cloud):
    cloud.may_list_instances = False
    [note] = lookup.invocations(parse(RUN)).notes
    assert "I may lack the right ecs:DescribeInstances" in note


def test_outputs_that_are_throttled_are_waited_for_by_the_patient_alone(make, cloud):
    throttle(cloud, "DescribeInvocationResults")
    with pytest.raises(Throttled):
        make().invocations(parse(RUN))
    found = make(patient=False).invocations(parse(RUN))
    assert len(found.invocations[0].targets) == 120
    assert found.results == ()
    assert found.notes[0].startswith(f"Outputs of {RUN} are missing: DescribeInvocationResults is throttled there")


def test_a_region_that_does_not_answer_is_named(lookup, cloud):
    cloud.fail("denied", region=SH, times=math.inf)
    with pytest.raises(NotFound, match=r"No answer from cn-shanghai: Forbidden\.RAM\."):
        lookup.invocations(parse("t-hz0nowhere01"))


def test_when_no_region_answers_that_is_the_error(make, cloud):
    cloud.fail("denied", times=math.inf)
    with pytest.raises(Denied):
        make().invocations(parse(RUN))
    cloud.mend()
    throttle(cloud, "DescribeInvocations")
    with pytest.raises(Throttled):
        make(patient=False).invocations(parse(RUN))


def test_an_id_that_could_not_be_looked_for_is_not_said_to_be_missing(lookup, cloud):
    cloud.fail("denied", region=HZ, skip=1, times=math.inf)
    cloud.fail("denied", region=SH, times=math.inf)
    cloud.fail("denied", region="cn-beijing", times=math.inf)
    found = lookup.invocations(parse(f"{RUN} region:{HZ}"))
    assert found.invocations
    with pytest.raises(Denied):
        lookup.invocations(parse("t-hz0nowhere01 region:cn-beijing"))


# Instances


def test_results_on_an_instance_by_name_address_and_id(lookup):
    one = instance_id(lookup, "web-001")
    for words in ("web-001", "10.9.0.1", one):
        found, instances = lookup.on_instances(parse(f"{words} region:{HZ}"))
        assert [instance.id for instance in instances] == [one]
        assert [result.invoke_id for result in found.results] == [RUN]
        assert [run.command_name for run in found.invocations] == ["deploy-web"]


def test_an_instance_is_found_in_whatever_region(lookup):
    one = instance_id(lookup, "web-001", SH)
    _, [instance] = lookup.on_instances(parse(one))
    assert instance.region == SH


def test_an_instance_known_only_by_its_results(lookup, cloud):
    one = instance_id(lookup, "web-001")
    cloud.may_list_instances = False
    _, [instance] = lookup.on_instances(parse(one))
    assert (instance.id, instance.name) == (one, "")


def test_an_unknown_instance_and_an_unknown_address(lookup):
    with pytest.raises(NotFound, match="No instance i-0nowhere in cn-hangzhou, cn-shanghai, cn-beijing"):
        lookup.on_instances(parse("i-0nowhere"))
    with pytest.raises(NotFound, match=r"No instance has the address 192\.0\.2\.1"):
        lookup.on_instances(parse("192.0.2.1"))


def test_one_of_two_instances_is_unknown(lookup):
    one = instance_id(lookup, "web-001")
    found, [instance] = lookup.on_instances(parse(f"{one} i-0nowhere"))
    assert instance.id == one
    assert "No instance i-0nowhere" in found.notes[0]


def test_a_name_stands_for_twenty_instances_at_most(lookup):
    found, instances = lookup.on_instances(parse(f"web-* region:{HZ}"))
    assert len(instances) == MOST_NAMED
    assert found.notes == ("“web-*” stands for 120 instances; the first 20 are shown.",)


def test_a_name_that_no_instance_bears(lookup):
    found, instances = lookup.on_instances(parse("nothing-01"))
    assert (instances, found.results) == ([], ())


def test_a_region_that_does_not_list_its_instances_is_named(lookup, cloud):
    cloud.fail("denied", action="DescribeInstances", region=SH, times=math.inf)
    found, instances = lookup.on_instances(parse("10.9.0.1"))
    assert [instance.region for instance in instances] == [HZ]
    assert "No answer from cn-shanghai: Forbidden.RAM." in found.notes
    with pytest.raises(NotFound, match="No answer from cn-shanghai"):
        lookup.on_instances(parse("192.0.2.1"))


def test_where_no_region_lists_its_instances_that_is_the_error(lookup, cloud):
    cloud.fail("denied", action="DescribeInstances", times=math.inf)
    with pytest.raises(Denied):
        lookup.on_instances(parse("web-001"))


def test_results_that_cannot_be_read_are_noted_or_raised(lookup, cloud):
    cloud.fail("denied", action="DescribeInvocationResults", region=SH, times=math.inf)
    found, instances = lookup.on_instances(parse("web-001"))
    assert len(instances) == 2
    assert any(note.startswith("Outputs of i-") and note.endswith("Forbidden.RAM.") for note in found.notes)
    with pytest.raises(Denied):
        lookup.on_instances(parse(f"web-001 region:{SH}"))


def test_agents(lookup, cloud):
    found, instances = lookup.on_instances(parse("web-001"))
    agents, before = lookup.beside_results(found, instances, [])
    assert len(agents) == 2
    assert before == {}
    cloud.fail("denied", action="DescribeCloudAssistantStatus", times=math.inf)
    assert lookup.beside_results(found, instances, []) == ([], {})


# Lists and commands


def test_the_newest_runs_of_all_regions(lookup):
    found, more = lookup.newest(parse(""))
    assert {RUN, SHANGHAI_RUN, SCHEDULE} <= {run.id for run in found.invocations}
    created = [run.created for run in found.invocations]
    assert created == sorted(created, reverse=True)
    assert not more


def test_pages_of_a_list(lookup):
    whole, _ = lookup.newest(parse("size:50"))
    first, more = lookup.newest(parse("size:1"))
    second, _ = lookup.newest(parse("size:1 page:2"))
    assert more
    assert [*first.invocations, *second.invocations] == list(whole.invocations[:2])


def test_a_list_names_the_regions_that_did_not_answer(lookup, cloud):
    cloud.fail("denied", region=SH, times=math.inf)
    cloud.fail("http500", region="cn-beijing", times=math.inf)
    found, _ = lookup.newest(parse(""))
    assert found.notes == (
        "No answer from cn-shanghai: Forbidden.RAM.",
        "No answer from cn-beijing: ServiceUnavailable.",
    )


def test_a_list_without_any_answer_is_an_error(lookup, cloud):
    cloud.fail("http500", times=math.inf)
    with pytest.raises(Unavailable):
        lookup.newest(parse(""))


def test_runs_of_a_command(lookup):
    for words in (COMMAND_ID, "command:deploy-web", "deploy-*"):
        found, _ = lookup.newest(parse(f"{words} region:{HZ}"))
        assert [run.id for run in found.invocations] == [RUN]


def test_a_command_is_looked_for_in_all_regions_where_none_are_chosen(make):
    found, _ = make(BOT_REGIONS="").newest(parse(SHANGHAI_RUN.replace("t-", "c-")))
    assert [run.id for run in found.invocations] == [SHANGHAI_RUN]


def test_commands_that_never_ran(lookup, cloud):
    for words in ("c-hz0never0001", "command:never-*", "never-ran"):
        [command] = lookup.commands(parse(words))
        assert (command.id, command.name, command.region) == ("c-hz0never0001", "never-ran", HZ)
    cloud.fail("denied", action="DescribeCommands", times=math.inf)
    assert lookup.commands(parse("c-hz0never0001")) == []


def test_an_id_of_unknown_region_takes_three_calls_time(make, cloud):
    """Of twenty regions; counted in the real calls: none but the first waits for another one of its round."""
    twenty = ",".join(list(cloud._regions)[:20])
    assert SH in twenty
    lookup = make(BOT_REGIONS=f"cn-qingdao,{twenty}")
    assert lookup.invocations(parse(SHANGHAI_RUN)).results
    actions = [call.action for call in cloud.calls]
    assert actions[0] == "DescribeInvocations"
    assert actions.count("DescribeInvocations") <= 20
    assert actions.count("DescribeInvocationResults") == 1
    assert actions.count("DescribeInstances") == 1
