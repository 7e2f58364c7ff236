"""A real browser before the console page: what every test of it needs.

Needs `requirements-browser.txt` and a Chromium on the PATH; a module that imports this is skipped elsewhere. Pictures
go to `screenshots/`.
"""

import shutil
from pathlib import Path

import pytest

WHY_NOT = "the console page is not tried in a browser:"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NO_DRIVER = f"{WHY_NOT} tests/requirements-browser.txt is not installed"
sync_api = pytest.importorskip("playwright.sync_api", reason=NO_DRIVER)
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason=NO_DRIVER)
if CHROMIUM is None:
    pytest.skip(f"{WHY_NOT} there is no Chromium on the PATH", allow_module_level=True)

expect = sync_api.expect
expect.set_options(timeout=15_000)
PICTURES = Path(__file__).parent / "screenshots"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


def type_line(page, text):
    page.locator("#box").fill(text)
    page.locator("#box").press("Enter")


def answer(page):
    """The newest message that was made of blocks."""
    return page.locator("article").filter(has=page.locator(".bk")).last


def picture(page, name, *, whole=False):
    """Wide and light, narrow and dark, or with `whole` all four; and nothing may be wider than the window."""
    PICTURES.mkdir(exist_ok=True)
    looks = [(WIDE, "light"), (WIDE, "dark"), (NARROW, "light"), (NARROW, "dark")]
    for size, scheme in looks if whole else looks[::3]:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=PICTURES / f"{name}-{size['width']}-{scheme}.png")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        strays = page.evaluate(STRAYS)
        assert strays == [], strays
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(WIDE)


# Things that stick out of the window sideways, unless they are inside something that scrolls or a closed drawer.
STRAYS = """() => [...document.querySelectorAll('main *, dialog *')]
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1
    && !one.closest('.scroller, .carousel, .sr-only, .slack_blocks_to_jsx__table, svg, [popover]'))
  .map(one => one.outerHTML.slice(0, 120))"""


def accessible(page):
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
