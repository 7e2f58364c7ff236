"""The bot itself, on the console page in a real browser: asked, pressed, watched to the end, taken back."""

import re

import pytest

from browser.chromium import NARROW, accessible, answer, expect, picture, type_line
from sandbox.__main__ import SHORTCUTS
from sandbox.console import Console

SEVEN = "t-hz0a4kq8w5n7xc t-hz0b9mzr2v6tde t-hk0c1ps7y3ghuj"
FLEET = "t-hz0r6d1ym9sk4v"


@pytest.fixture(scope="module")
def console(stage):
    with Console(stage, shortcuts=SHORTCUTS) as console:
        yield console


@pytest.fixture
def page(new_page, console, stage):
    """A run begins now."""
    stage.cloud.replay("running_fleet")
    return new_page(console)


def pressed(page, name):
    """Presses a button under the newest answer."""
    answer(page).get_by_role("button", name=name).click()


def seven(page):
    type_line(page, f"/cloudassist {SEVEN}")
    expect(page.get_by_role("heading", name="7 of 240 failed, 2 never ran")).to_be_visible()
    return answer(page)


def chosen(page, text):
    """An entry of the menu under the newest answer."""
    pressed(page, "More actions")
    page.get_by_role("menuitem", name=text).click()


def test_a_question_is_answered_with_the_failures_first(page, readme_picture):
    accessible(page)
    picture(page, "start", whole=True)
    shown = seven(page)
    expect(page.get_by_text("No space left on device").first).to_be_visible()
    expect(shown.locator(".phone")).to_contain_text("7 of 240 failed, 2 never ran: deploy-web")
    expect(page.get_by_role("log")).to_contain_text("Cloud Assistant: 7 of 240 failed")
    picture(page, "answer", whole=True)
    readme_picture(page, "answer", part="article :is(h1, h2, h3)")
    accessible(page)
    page.set_viewport_size(NARROW)
    accessible(page)
    page.emulate_media(color_scheme="dark")
    accessible(page)


def test_outputs_are_opened_picked_filtered_and_taken_as_a_file(page, readme_picture):
    seven(page)
    pressed(page, "Outputs")
    modal = page.get_by_role("dialog", name="Outputs")
    expect(modal.locator("pre")).to_contain_text("tar: /var/www/app: No space left on device")
    picture(page, "outputs", whole=True)
    readme_picture(page, "outputs")
    accessible(page)
    filter_line = modal.get_by_role("textbox")
    filter_line.fill("/space.left/")
    filter_line.press("Enter")
    expect(modal).to_contain_text("1 of 2 lines")
    filter_line.fill("/(/")
    filter_line.press("Enter")
    expect(modal).to_contain_text("That regular expression cannot be read")
    picture(page, "outputs-filter")
    accessible(page)
    other = modal.get_by_role("option", name=re.compile("exit code 7")).first.get_attribute("value")
    modal.get_by_role("combobox").select_option(other)
    expect(modal.locator("pre")).to_contain_text("Failed to connect to registry")
    modal.get_by_role("button", name="All outputs as a file").click()
    expect(modal).to_contain_text("in the thread of the answer now")
    page.keyboard.press("Escape")
    file = page.get_by_role("list", name="1 reply").locator("details")
    expect(file).to_contain_text(".txt")
    file.locator("summary").click()
    expect(file.locator("pre")).to_contain_text("No space left on device")
    picture(page, "file")
    accessible(page)


def test_a_run_is_watched_to_its_end_with_the_clock(page, readme_picture):
    type_line(page, f"/cloudassist {FLEET}")
    expect(answer(page)).to_contain_text("100 still going")
    pressed(page, "Watch")
    watched = page.locator("article").filter(has_text="next look")
    expect(watched).to_contain_text("of 100 done")
    clock = page.get_by_role("region", name="Clock")
    clock.get_by_role("button", name="+1 min").click()
    clock.get_by_role("button", name="+1 min").click()
    expect(watched).to_contain_text(re.compile("1 failed"))
    picture(page, "watch", whole=True)
    accessible(page)
    clock.get_by_role("button", name="+10 min").click()
    ended = page.get_by_role("heading", name="5 of 100 failed")
    expect(ended).to_be_visible(timeout=30_000)
    expect(watched).to_have_count(0)
    reply = page.get_by_role("list", name="1 reply")
    expect(reply).to_contain_text("5 of 100 failed")
    expect(reply.get_by_text("@mei").first).to_be_visible()
    picture(page, "watched", whole=True)
    readme_picture(page, "watched")
    accessible(page)


def test_an_answer_is_taken_back(page):
    seven(page)
    pressed(page, "More actions")
    picture(page, "answer-menu")
    accessible(page)
    page.get_by_role("menuitem", name="Take back").click()
    expect(page.get_by_role("heading", name="7 of 240 failed")).to_have_count(0)


def test_somebody_is_on_it_and_refreshes(page):
    shown = seven(page)
    pressed(page, "I'm on it")
    expect(shown).to_contain_text("On it: mei since")
    pressed(page, "Refresh")
    expect(shown).to_contain_text("updated 2 times, rings nobody")
    expect(shown).to_contain_text("On it: mei since")
    pressed(page, "Let go")
    expect(shown).not_to_contain_text("On it: mei")


def test_failed_ids_are_copied_privately(page):
    seven(page)
    pressed(page, "Copy failed ids")
    private = page.locator("article").filter(has_text="Only visible to you")
    expect(private).to_contain_text("aliyun ecs InvokeCommand")
    picture(page, "failed-ids", whole=True)
    accessible(page)


def test_a_private_answer_is_shared(page):
    type_line(page, "/cloudassist t-hz0jdfwd9f private")
    expect(answer(page)).to_contain_text("Only visible to you")
    chosen(page, "Share with the channel")
    expect(page.get_by_role("heading", name="60 of 60 exit code 0")).to_have_count(2)


def test_the_shortcut_answers_in_the_thread_of_a_message(page):
    type_line(page, "who looks at t-hz0jdfwd9f tonight?")
    message = page.locator("article").filter(has_text="who looks at")
    message.get_by_role("button", name="Message shortcuts").click()
    page.get_by_role("menuitem", name="Look up invocations").click()
    thread = page.get_by_role("list", name="1 reply")
    expect(thread.get_by_role("heading", name="60 of 60 exit code 0")).to_be_visible()
    picture(page, "shortcut")
    accessible(page)


def test_all_of_it_from_the_keyboard_alone(page):
    expect(page.locator("#box")).to_be_visible()
    page.locator("#box").focus()
    page.keyboard.type(f"/cloudassist {SEVEN}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="7 of 240 failed")).to_be_visible()
    tab_to(page, "Outputs", back=True)
    page.keyboard.press("Enter")
    modal = page.get_by_role("dialog", name="Outputs")
    expect(modal.locator("pre")).to_contain_text("No space left on device")
    tab_to(page, "All outputs as a file")
    page.keyboard.press("Escape")
    expect(modal).to_have_count(0)
    expect(page.locator(":focus")).to_contain_text("Outputs")
    tab_to(page, "More actions")
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Diff with last run")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Take back")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="7 of 240 failed")).to_have_count(0)


def tab_to(page, name, *, back=False):
    """Presses Tab until the focus is on what is called so."""
    for _ in range(25):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if page.evaluate(FOCUSED).startswith(name):
            return
    raise AssertionError(f"{name!r} is not reached")


FOCUSED = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"


def test_faults_reach_the_function(page):
    faults = page.get_by_role("region", name="Faults")
    faults.get_by_label("Alibaba Cloud’s API").select_option("denied")
    type_line(page, "/cloudassist t-bj0u3e8ht6zc1w")  # what was asked within 5 s would be answered from that
    expect(page.get_by_text("my role may not do that").first).to_be_visible()
    picture(page, "fault")
    faults.get_by_role("button", name="Kill the function now").click()
    expect(page.get_by_role("alert")).to_contain_text("was killed")
    faults.get_by_label("Alibaba Cloud’s API").select_option("none")
    type_line(page, "/cloudassist t-hz0jdfwd9f")
    expect(page.get_by_role("heading", name="60 of 60 exit code 0")).to_be_visible(timeout=60_000)


def test_every_scenario_can_be_clicked_and_is_accessible(page, stage):
    for scenario in page.locator(".scenario").all():
        scenario.click()
    stage.fc.wait_idle(60)
    expect(page.locator("article").filter(has_text="APP")).to_have_count(len(stage.scenarios))
    expect(page.get_by_text("is at work")).to_have_count(0)
    picture(page, "scenarios")
    accessible(page)
