"""What a subscribed channel sees by itself, in a real browser: a failure, its recovery, a digest of the day."""

import pytest

from browser.chromium import accessible, expect, picture, type_line
from sandbox.console import Console
from sandbox.scenario import build
from sandbox.stage import Stage

NIGHT, MORNING = "t-hz0night0001", "t-hz0morning01"


def run(run_id, created, ended, *results):
    return {
        "RegionId": "cn-hangzhou",
        "InvokeId": run_id,
        "CommandId": "c-hz0backup0001",
        "CommandName": "backup-db",
        "CreationTime": created,
        "targets": ["db-[01-04]"],
        "InvocationResult": [{"StartTime": created, "FinishedTime": ended, **result} for result in results],
    }


FAILS = {"instances": "db-02", "ExitCode": 1, "Output": "pg_dump: error: could not write: No space left on device"}
WELL = {"ExitCode": 0, "Output": "backup complete"}
BACKUP = build(
    "backup",
    {
        "title": "A backup",
        "about": "It fails on one instance, and later it does not.",
        "ask": NIGHT,
        "regions": ["cn-hangzhou"],
        "Instance": [{"RegionId": "cn-hangzhou", "InstanceName": "db-[01-04]", "private_ip": "10.9.0.1"}],
        "Invocation": [run(NIGHT, "10s", "30s", FAILS, WELL), run(MORNING, "20m", "21m", WELL)],
    },
)


@pytest.fixture(scope="module")
def stage():
    with Stage([BACKUP], events=True) as stage:
        yield stage


@pytest.fixture
def page(new_page, stage):
    with Console(stage) as console:
        yield new_page(console)


def pass_by(page, stage, minutes):
    """Time of the cloud; the function has its own, so that what it puts off is waited for."""
    for _ in range(minutes):
        stage.hasten(60)
        page.wait_for_timeout(300)


def test_a_failure_is_told_counted_and_told_as_recovered(page, stage, readme_picture):
    type_line(page, "/cloudassist subscribe")
    expect(page.get_by_role("main")).to_contain_text("This channel is subscribed now to failures of everything.")
    pass_by(page, stage, 2)
    failed = page.get_by_role("heading", name="1 of 4 failed: backup-db")
    expect(failed).to_be_visible(timeout=40_000)
    expect(page.get_by_role("list", name="1 reply")).to_contain_text("db-02")
    picture(page, "notice", whole=True)
    readme_picture(page, "notice")
    accessible(page)
    pass_by(page, stage, 21)
    expect(page.get_by_role("heading", name="4 of 4 exit code 0: backup-db")).to_be_visible(timeout=40_000)
    expect(page.get_by_role("list", name="2 replies")).to_contain_text("Recovered:")
    picture(page, "recovered")
    readme_picture(page, "recovered")
    type_line(page, "/cloudassist digest now")
    expect(page.get_by_role("heading", name="Digest").or_(page.get_by_text("Digest: ")).first).to_be_visible()
    picture(page, "digest", whole=True)
    readme_picture(page, "digest", part="article")
    accessible(page)


def test_a_system_event_is_told_and_the_menu_under_it_mutes_its_kind(page, stage):
    type_line(page, "/cloudassist subscribe events:spot")
    expect(page.get_by_role("main")).to_contain_text("events: spot")
    instance = BACKUP.instances[0].id
    stage.triggers.publish(
        "ecs:Instance:PreemptibleInstanceInterruption", "cn-hangzhou", {"instanceId": instance, "action": "delete"}
    )
    told = page.locator("article").filter(has=page.get_by_role("heading", name="spot interruption"))
    expect(told).to_be_visible(timeout=40_000)
    told.get_by_role("button", name="More actions").click()
    picture(page, "system-event", whole=True)
    accessible(page)
    page.get_by_role("menuitem", name="Mute 1 h").click()
    expect(page.get_by_role("main")).to_contain_text("has muted events: spot in this channel until")
