"""One browser and one stage for the tests of a module; each test finds them as new."""

from pathlib import Path

import pytest

from sandbox import console as console_package
from sandbox.console import Console
from sandbox.stage import Stage

README_PICTURES = Path(console_package.__file__).parent / "pictures"
MOST_BYTES = 120_000  # of a picture in README


@pytest.fixture(scope="session")
def browser():
    from browser.chromium import CHROMIUM, FLAGS, sync_api  # not before a test of this folder runs

    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def stage():
    with Stage() as stage:
        yield stage


@pytest.fixture
def new_page(browser, stage):
    """Opens the page of a console; whatever the browser complains of fails the test."""
    from browser.chromium import WIDE, expect

    stage.slack.reset()
    stage.slack.seconds = 20  # in which Slack wants its ack: a busy machine is no fault of the page
    stage.cloud.mend()
    contexts, complaints = [], []

    def open_page(console: Console, **options):
        usual = {"viewport": WIDE, "color_scheme": "light", "reduced_motion": "reduce"}
        context = browser.new_context(**{**usual, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(console.url)
        expect(page.locator("#box")).to_be_visible()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [one for one in complaints if "status of 400" not in one and "net::ERR" not in one] == []


@pytest.fixture
def readme_picture(request):
    """Takes a picture of the page as it stands in README; only with --rewrite-pictures in its place there."""
    from browser.chromium import PICTURES, WIDE

    folder = README_PICTURES if request.config.getoption("--rewrite-pictures") else PICTURES

    def take(page, name, part=".message .actions"):
        page.set_viewport_size({"width": 800, "height": 700})
        page.locator(part).last.scroll_into_view_if_needed()
        taken = page.screenshot(path=folder / f"{name}.png")
        assert len(taken) < MOST_BYTES
        page.set_viewport_size(WIDE)

    return take
