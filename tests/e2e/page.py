"""The page in a browser, as a reader uses it."""

from __future__ import annotations

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.phantoms import SIDE

WAIT_S = 30


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

    def search_all(self) -> None:
        """Let every image be found, the query's own series too, each by itself."""
        self.find("#among input[value=all]").click()
        self.find('#group option[value=""]').click()

    def hits(self) -> list[WebElement]:
        return self.all("#hits .hit")

    def mistakes(self) -> list[str]:
        """What the browser complained of: scripts, styles, blocked resources."""
        return [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]
