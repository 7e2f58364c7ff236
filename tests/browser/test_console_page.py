"""The console page in a real browser, before a stand-in for the bot: reading, pressing, windows, the keyboard."""

import pytest

from browser.chromium import NARROW, PICTURES, accessible, answer, expect, picture, type_line
from browser.stand_in import LONG, ZOO, StandIn
from sandbox.console import Console
from sandbox.console.state import Shortcut
from sandbox.slack_workspace import BOT_USER, INCIDENTS, LUCAS


@pytest.fixture(scope="module")
def console(stage):
    """The page, and the app that it talks to."""
    shortcuts = [Shortcut("show", "Show outputs"), Shortcut("new", "Find a run", on_message=False)]
    with StandIn(stage.slack) as app, Console(stage, app=app.url, shortcuts=shortcuts) as console:
        yield console, app


@pytest.fixture
def page(new_page, console):
    return new_page(console[0])


@pytest.fixture
def app(console):
    console[1].asked.clear()
    return console[1]


# Messages


def test_blocks_of_every_kind_are_shown(page):
    type_line(page, "/cloudassist all")
    shown = answer(page)
    expect(shown.get_by_role("heading", name="2 of 9 failed :tada: stays")).to_be_visible()
    expect(shown.get_by_role("table", name="Failed instances")).to_contain_text("web-01")
    expect(shown.get_by_text("Disk usage over a day")).to_be_visible()
    expect(shown.locator("pre").first).to_contain_text("<!channel>")
    expect(shown.get_by_text("2025-11-2")).to_be_visible()
    picture(page, "blocks", whole=True)
    accessible(page)


def test_an_unknown_block_is_drawn_plainly(page, stage):
    with stage.slack.changed:
        stage.slack.workspace.add(INCIDENTS, BOT_USER, "From the future", "chat.postMessage", blocks=ZOO[-2:])
        stage.slack.publish_news()
    expect(answer(page).or_(page.locator("article")).last).to_contain_text("hologram, drawn plainly")
    expect(page.locator("article").last).to_contain_text("Not yet known")
    page.get_by_text("JSON of this block").click()
    expect(page.locator(".plain pre")).to_contain_text('"depth": 3')
    accessible(page)


def test_buttons_menus_and_choices_work(page, app):
    type_line(page, "/cloudassist all")
    page.get_by_label("Pick a region").select_option("hongkong")
    expect(page.get_by_text("Picked hongkong.").first).to_be_visible()
    more = page.get_by_role("button", name="More actions")
    more.press("Enter")
    expect(page.get_by_role("menuitem", name="Share")).to_be_focused()
    page.keyboard.press("ArrowDown")
    picture(page, "menu")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Chose mute.").first).to_be_visible()
    expect(page.get_by_text("Only visible to you")).to_be_visible()
    app.hold.clear()
    update = page.get_by_role("button", name="Update: deploy-web")
    update.click()
    expect(update).to_have_attribute("aria-busy", "true")
    app.hold.set()
    expect(page.get_by_role("heading", name="Updated in place")).to_be_visible()
    expect(page.get_by_text("updated once, rings nobody")).to_be_visible()


def test_a_failing_press_is_told(page, app):
    type_line(page, "/cloudassist all")
    page.get_by_role("button", name="Broken").click()
    expect(page.get_by_role("alert")).to_contain_text("http_service_error")
    expect(page.get_by_role("img", name="This did not work")).to_be_visible()
    picture(page, "failed-press")
    accessible(page)
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("http_service_error")).to_have_count(0)


def test_a_press_is_confirmed_first(page, app):
    type_line(page, "/cloudassist all")
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_role("dialog", name="Take back?")).to_be_visible()
    picture(page, "confirm")
    accessible(page)
    page.keyboard.press("Escape")
    assert not any(asked.get("type") == "block_actions" for asked in app.asked)
    page.get_by_role("button", name="Take back").click()
    page.get_by_role("dialog").get_by_role("button", name="Take back").click()
    expect(page.locator("article").filter(has_text="2 of 9 failed")).to_have_count(0)


def test_json_is_shown_and_copied(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    type_line(page, "/cloudassist all")
    page.get_by_role("button", name="JSON", exact=True).click()
    expect(page.locator(".json")).to_contain_text('"text": "2 of 9 failed: deploy-web."')
    page.get_by_role("button", name="Copy JSON").click()
    expect(page.get_by_role("alert")).to_contain_text("JSON copied")
    assert '"channel": "C0INCIDENT"' in page.evaluate("navigator.clipboard.readText()")
    picture(page, "json")


def test_threads_are_answered_by_mention(page):
    type_line(page, "/cloudassist all")
    answer(page).get_by_role("button", name="Reply").click()
    expect(page.locator("#box")).to_be_focused()
    expect(page.locator("#box")).to_have_value("@cloudassist ")
    page.keyboard.type("output web-01")
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="2 replies")).to_contain_text("I heard you.")
    type_line(page, "/cloudassist help")
    expect(page.get_by_role("alert")).to_contain_text("not supported in threads")
    picture(page, "thread")
    accessible(page)


def test_a_message_that_is_not_seen_is_counted(page, app):
    page.get_by_role("button", name="general").click()
    app.client.chat_postMessage(channel=INCIDENTS, text="Elsewhere")
    expect(page.get_by_role("button", name="incidents 1 new")).to_be_visible()
    expect(page.get_by_text("the bot is not in here")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="incidents 1 new").click()
    expect(page.get_by_text("1 new")).to_have_count(0)


# Windows


def opened(page):
    type_line(page, "/cloudassist all")
    page.get_by_role("button", name="Open").click()
    return page.get_by_role("dialog", name="Outputs")


def test_a_modal_keeps_the_focus_and_gives_it_back(page):
    dialog = opened(page)
    expect(dialog.get_by_role("heading", name="Outputs")).to_be_focused()
    picture(page, "modal", whole=True)
    accessible(page)
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Open")).to_be_focused()


def test_a_modal_is_worked_in(page, app):
    dialog = opened(page)
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("Please complete this field.")
    dialog.get_by_label("Note").fill("bad")
    dialog.get_by_label("Which").select_option("all")
    expect(dialog).to_contain_text("Shows all")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("Say more.")
    picture(page, "modal-errors")
    accessible(page)
    dialog.get_by_role("button", name="One instance").click()
    pushed = page.get_by_role("dialog", name="web-01")
    expect(pushed).to_contain_text(LONG[:40])
    pushed.get_by_role("button", name="Back").click()
    dialog.get_by_label("Note").fill("disk cleaned")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Noted: disk cleaned").first).to_be_visible()
    expect(dialog).to_have_count(0)


def test_shortcuts(page):
    type_line(page, "/cloudassist all")
    answer(page).get_by_role("button", name="Message shortcuts").click()
    page.get_by_role("menuitem", name="Show outputs").click()
    expect(page.get_by_text("Shortcut on").first).to_be_visible()
    page.get_by_role("button", name="Find a run").click()
    expect(page.get_by_role("dialog", name="Outputs")).to_be_visible()


def test_the_home_tab(page):
    page.get_by_role("button", name="Cloud Assistant APP").click()
    page.get_by_role("button", name="Home", exact=True).click()
    expect(page.get_by_text("Your recent runs")).to_be_visible()
    picture(page, "home")
    accessible(page)
    page.get_by_role("button", name="Messages", exact=True).click()
    type_line(page, "failed")
    expect(page.get_by_text("I heard you.").first).to_be_visible()


# The page itself


def test_it_can_be_used_from_the_keyboard_alone(page):
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the message box")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#box")).to_be_focused()
    page.keyboard.type("/cl")
    page.keyboard.press("Tab")
    expect(page.locator("#box")).to_have_value("/cloudassist ")
    page.keyboard.type("private")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Only for you.").first).to_be_visible()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#box")).to_have_value("")


def test_drawers_on_a_phone(page):
    page.set_viewport_size(NARROW)
    left = page.get_by_role("button", name="Channels and scenarios")
    left.press("Enter")
    expect(page.get_by_role("button", name="incidents", exact=True)).to_be_focused()
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / "drawer-left-390-light.png")
    accessible(page)
    page.keyboard.press("Escape")
    expect(left).to_be_focused()
    page.get_by_role("button", name="Clock, faults, who am I").click()
    page.screenshot(path=PICTURES / "drawer-right-390-light.png")
    accessible(page)
    page.mouse.click(20, 400)
    expect(page.get_by_role("button", name="Clock, faults, who am I")).to_have_attribute("aria-expanded", "false")


def test_another_person_sees_their_own(page):
    page.get_by_role("combobox", name="Who am I").select_option(LUCAS)
    expect(page.get_by_role("button", name="Mei Lin")).to_be_visible()
    expect(page.get_by_role("button", name="ext-partner")).to_have_count(0)
    page.get_by_role("combobox", name="Who am I").select_option(label="Gus Guest, guest")
    expect(page.get_by_role("button", name="general")).to_have_count(0)


def test_dark_is_a_choice_that_stays(page):
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_it_says_when_the_sandbox_is_gone(new_page, stage):
    with Console(stage) as console:
        page = new_page(console)
    expect(page.get_by_role("alert").first).to_contain_text("does not answer")


def test_nothing_is_asked_of_anyone_else(new_page, console):
    asked = []
    page = new_page(console[0])
    page.on("request", lambda request: asked.append(request.url))
    type_line(page, "/cloudassist all")
    expect(page.get_by_text("Disk usage over a day")).to_be_visible()
    assert {url.split("/api/")[0] for url in asked} == {console[0].url}
