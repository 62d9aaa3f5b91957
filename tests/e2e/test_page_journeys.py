"""Ways through the page without a mouse: by keyboard alone, by touch; and the layouts of all screens."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.e2e.chromium import DESKTOP, FOUR_K, PHONE, PHONE_SIDEWAYS, TABLET, use_screen
from tests.e2e.page import Page
from tests.e2e.served import Server
from tests.e2e.test_page import NODULES, SLICES, index_phantoms
from tests.phantoms import PATIENT_ID, PATIENT_NAME, SIDE

pytestmark = pytest.mark.slow

MOST_STOPS = 150
LEAST_TARGET = 44
FOCUSED = """
const { activeElement: element, body } = document;
const { outlineStyle, outlineWidth } = getComputedStyle(element);
const isSeen = element === body || (outlineStyle !== "none" && parseFloat(outlineWidth) > 0);
return [element.matches(arguments[0]), isSeen, element.outerHTML];
"""
"""Past the last element the focus is the browser's own, and the body's for the page."""
VISIBLE_PANELS = """
return ["archive", "image", "hits"].filter((name) => {
  const panel = document.getElementById(`${name}-panel`);
  return getComputedStyle(panel).visibility === "visible" && panel.clientWidth > 100;
});
"""
SMALL_TARGETS = """
const [least] = arguments;
const kinds = "button, select, input:not([type=checkbox], [type=radio], .visually-hidden)";
return [...document.querySelectorAll(kinds)]
  .filter((element) => element.checkVisibility({ visibilityProperty: true }))
  .filter((element) => element.getBoundingClientRect().height < least)
  .map((element) => element.outerHTML);
"""
BESIDE_EACH_OTHER = """
const lefts = [...document.querySelectorAll("#hits .hit")].map((hit) => hit.getBoundingClientRect().left);
return new Set(lefts).size;
"""


class Keyboard:
    """A reader who has keys alone."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def tab_to(self, selector: str) -> None:
        """Press Tab until an element has the focus; at each stop the focus is seen."""
        for _ in range(MOST_STOPS):
            self.page.press(Keys.TAB)
            reached, is_seen, html = self.page.browser.execute_script(FOCUSED, selector)
            assert is_seen, f"the focus cannot be seen: {html[:200]}"
            if reached:
                return
        raise AssertionError(f"Tab does not lead to {selector}")

    def use(self, selector: str) -> None:
        self.tab_to(selector)
        self.page.press(Keys.ENTER)


class Finger:
    """A reader who has a finger alone."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def tap(self, element: WebElement) -> None:
        self.page.swipe_along([self.page.middle(element)])

    def drag_box(self, x: float, y: float, side: float) -> None:
        """Drag a square around an image point, in image pixels."""
        canvas = self.page.find("#canvas")
        left, top = self.page.middle(canvas)
        scale = min(canvas.size["width"], canvas.size["height"]) / SIDE
        corners = [(x + sign * side / 2, y + sign * side / 2) for sign in (-1, 0, 1)]
        self.page.swipe_along(
            [(left + (x - SIDE / 2) * scale, top + (y - SIDE / 2) * scale) for x, y in corners]
        )


def test_a_reader_goes_from_the_login_to_the_export_by_keyboard_alone(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    index_phantoms(server)
    downloads = tmp_path / "downloads"
    browser.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)}
    )
    page = Page(browser)
    keyboard = Keyboard(page)
    browser.get(server.login_link())
    page.until(lambda: browser.switch_to.active_element.get_attribute("id") == "log-in")
    page.press(Keys.ENTER)
    page.until(page.series)

    keyboard.tab_to("#series")
    page.press(Keys.ARROW_DOWN, Keys.ENTER)
    page.until(lambda: page.text("#frame-text") == f"Image {SLICES // 2 + 1} of {SLICES}")
    keyboard.tab_to("#canvas")
    page.press(Keys.ARROW_DOWN)
    page.until(lambda: page.text("#frame-text") == f"Image {SLICES // 2 + 2} of {SLICES}")
    page.press("b")
    page.until(lambda: "px" in page.text("#box-text"))
    page.press(Keys.ENTER)
    page.until(page.hits)

    keyboard.use("#hits .hit")
    page.until(lambda: page.find("#back").is_displayed())
    keyboard.use("#back")
    page.until(lambda: page.text("#frame-text") == f"Image {SLICES // 2 + 2} of {SLICES}")

    keyboard.use("#exports > summary")
    keyboard.use("#export-csv")
    page.until(lambda: list(downloads.glob("*.csv")))
    [file] = downloads.glob("*.csv")
    text = file.read_text("utf-8-sig")
    assert len(list(csv.reader(text.splitlines()))) == 1 + len(page.hits())
    for secret in (PATIENT_NAME, PATIENT_ID):
        assert secret not in text
    assert page.mistakes() == []


def test_a_reader_with_a_phone_boxes_a_nodule_by_touch_and_opens_a_hit(
    server: Server, browser: webdriver.Chrome
) -> None:
    index_phantoms(server)
    page = Page(browser)
    finger = Finger(page)
    use_screen(browser, PHONE)
    page.log_in(server.login_link())
    page.until(page.series)
    assert browser.execute_script(VISIBLE_PANELS) == ["archive"]

    picture = page.find("#stage").rect
    finger.tap(page.series()[0])
    page.until(lambda: page.text("#frame-text") == f"Image {SLICES // 2 + 1} of {SLICES}")
    assert browser.execute_script(VISIBLE_PANELS) == ["image"]
    # Nothing moves under a finger when an image comes, or goes for another one.
    assert page.find("#stage").rect == picture
    nodule = NODULES[1]
    assert nodule is not None
    finger.drag_box(*nodule, side=40)
    page.until(lambda: page.text("#search") == "Search region")
    width, height = [
        float(part) for part in page.text("#box-text").split(" mm")[0].split(" \N{MULTIPLICATION SIGN} ")
    ]
    assert abs(width - height) < 4

    finger.tap(page.find("#search"))
    page.until(lambda: len(page.hits()) > 1)
    page.until(lambda: browser.execute_script(VISIBLE_PANELS) == ["hits"])
    finger.tap(page.hits()[1])
    page.until(lambda: browser.execute_script(VISIBLE_PANELS) == ["image"])
    page.until(lambda: page.find("#back").is_displayed())
    finger.tap(page.find("#back"))
    page.until(lambda: page.text("#search") == "Search region")
    finger.tap(page.find(".panel-bar [data-panel=hits]"))
    page.until(lambda: browser.execute_script(VISIBLE_PANELS) == ["hits"])

    browser.get(f"{server.url}/?study=1.2.3")
    page.until(lambda: page.find("#problem").is_displayed())
    assert browser.execute_script(VISIBLE_PANELS) == ["archive"]
    assert page.mistakes() == []


def test_the_panels_fit_every_screen_and_a_layout_that_was_chosen_stays(
    server: Server, browser: webdriver.Chrome
) -> None:
    index_phantoms(server)
    page = Page(browser)
    page.log_in(server.login_link())
    page.open_series(0)
    page.find("#search").click()
    page.until(lambda: len(page.hits()) > 1)

    for screen in (PHONE, PHONE_SIDEWAYS):
        use_screen(browser, screen)
        for name in ("archive", "image", "hits"):
            page.find(f".panel-bar [data-panel={name}]").click()
            assert browser.execute_script(VISIBLE_PANELS) == [name]
            assert browser.execute_script(SMALL_TARGETS, LEAST_TARGET) == []
    use_screen(browser, TABLET)
    assert browser.execute_script(VISIBLE_PANELS) == ["archive", "image", "hits"]
    assert page.find("#image-panel").size["width"] == TABLET.width
    assert page.find("#image-panel").rect["y"] < page.find("#archive-panel").rect["y"]
    assert browser.execute_script(SMALL_TARGETS, LEAST_TARGET) == []
    use_screen(browser, FOUR_K)
    assert browser.execute_script(BESIDE_EACH_OTHER) > 1
    use_screen(browser, DESKTOP)
    assert browser.execute_script(VISIBLE_PANELS) == ["archive", "image", "hits"]
    assert browser.execute_script(BESIDE_EACH_OTHER) == 1

    width = page.find("#archive-panel").size["width"]
    keyboard = Keyboard(page)
    keyboard.tab_to("[aria-controls=archive-panel].splitter")
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    wider = page.find("#archive-panel").size["width"]
    assert wider > width
    assert page.find("[aria-controls=archive-panel].splitter").get_attribute("aria-valuenow") == str(wider)
    splitter, hits = page.find("[aria-controls=hits-panel].splitter"), page.find("#hits-panel")
    width = hits.size["width"]
    ActionChains(browser).drag_and_drop_by_offset(splitter, -60, 0).perform()
    assert hits.size["width"] == width + 60
    ActionChains(browser).double_click(splitter).perform()
    assert hits.size["width"] == width

    keyboard.tab_to("[aria-controls=hits-panel].splitter")
    page.press(Keys.ENTER)
    assert browser.execute_script(VISIBLE_PANELS) == ["archive", "image"]
    browser.refresh()
    page.until(page.series)
    assert page.find("#archive-panel").size["width"] == wider
    assert browser.execute_script(VISIBLE_PANELS) == ["archive", "image"]
    assert page.find("button[aria-controls=hits-panel]").get_attribute("aria-expanded") == "false"

    page.open_series(0)
    page.find("#search").click()
    page.until(lambda: browser.execute_script(VISIBLE_PANELS) == ["archive", "image", "hits"])
    assert page.mistakes() == []
