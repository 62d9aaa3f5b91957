"""The page in a browser, as a reader uses it."""

from __future__ import annotations

import json
from contextlib import closing

import websocket
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.phantoms import SIDE

WAIT_S = 30
MIDDLE = """
arguments[0].scrollIntoViewIfNeeded();
const { left, top, width, height } = arguments[0].getBoundingClientRect();
return [left + width / 2, top + height / 2];
"""
Point = tuple[float, float]


class Page:
    """What a reader does, as a reader would say it."""

    def __init__(self, browser: webdriver.Chrome) -> None:
        self.browser = browser

    def log_in(self, link: str) -> None:
        self.browser.get(link)
        self.find("#log-in").click()
        self.until(lambda: self.browser.current_url.endswith("/"))

    def find(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.find(selector).text

    def until(self, condition: object) -> None:
        # What is looked at may be drawn again in between.
        wait = WebDriverWait(self.browser, WAIT_S, ignored_exceptions=[StaleElementReferenceException])
        wait.until(lambda _: condition())  # type: ignore[operator]

    def press(self, *keys: str) -> None:
        ActionChains(self.browser).send_keys(*keys).perform()

    def series(self) -> list[WebElement]:
        """The rows of series that are in the document, in the order of their keys: collection and UID."""
        rows = self.all("#series .row.series")
        return sorted(rows, key=lambda row: row.get_attribute("data-key") or "")

    def open_series(self, index: int) -> None:
        self.until(lambda: len(self.series()) > index)
        self.series()[index].click()
        self.until(lambda: self.text("#frame-text"))

    def drag_box(self, x: float, y: float, side: float) -> None:
        """Drag a square around an image point, in image pixels."""
        canvas = self.find("#canvas")
        scale = min(canvas.size["width"], canvas.size["height"]) / SIDE

        def offset(value: float) -> int:
            return round((value - SIDE / 2) * scale)

        actions = ActionChains(self.browser)
        actions.move_to_element_with_offset(
            canvas, offset(x - side / 2), offset(y - side / 2)
        ).click_and_hold()
        actions.move_by_offset(round(side * scale / 2), round(side * scale / 2))
        actions.move_by_offset(round(side * scale / 2), round(side * scale / 2)).release().perform()

    def middle(self, element: WebElement) -> Point:
        """Bring an element into the window, and return where its middle is there."""
        x, y = self.browser.execute_script(MIDDLE, element)
        return x, y

    def touch(self, kind: str, points: list[Point]) -> None:
        """Send an event of fingers at points of the window, and wait until the page has it."""
        self.browser.execute_cdp_cmd("Input.dispatchTouchEvent", touched(kind, points))

    def touch_at_once(self, *events: tuple[str, list[Point]]) -> None:
        """Send events of fingers, none of which waits for the page.

        If they did, a busy machine would make a long press of each tap.
        """
        host = self.browser.capabilities["goog:chromeOptions"]["debuggerAddress"]
        target = f"ws://{host}/devtools/page/{self.browser.current_window_handle}"
        with closing(websocket.create_connection(target, timeout=WAIT_S, suppress_origin=True)) as devtools:
            for number, event in enumerate(events):
                call = {"id": number, "method": "Input.dispatchTouchEvent", "params": touched(*event)}
                devtools.send(json.dumps(call))
            for _ in events:
                devtools.recv()

    def swipe_along(self, way: list[Point]) -> None:
        """Move one finger along points of the window: down on the first, up on the last."""
        first, *others = way
        moves = [("touchMove", [point]) for point in others]
        self.touch_at_once(("touchStart", [first]), *moves, ("touchEnd", []))

    def search_all(self) -> None:
        """Let every image be found, the query's own series too, each by itself."""
        self.find("#among input[value=all]").click()
        self.find('#group option[value=""]').click()

    def hits(self) -> list[WebElement]:
        return self.all("#hits .hit")

    def mistakes(self) -> list[str]:
        """What the browser complained of: scripts, styles, blocked resources."""
        return [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]


def touched(kind: str, points: list[Point]) -> dict[str, object]:
    """Return an event of fingers as the browser's debugger reads it."""
    fingers = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    return {"type": kind, "touchPoints": fingers}
