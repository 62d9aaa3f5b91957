"""Reading tools of the page in a real browser: mouse, keyboard and fingers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.e2e.page import Page
from tests.e2e.served import Server
from tests.e2e.test_page import NODULES, SLICES, index_phantoms
from tests.hmar.dicom.build import image
from tests.phantoms import SIDE, SPACING_MM

pytestmark = pytest.mark.slow

CENTRE = SIDE / 2
Point = tuple[float, float]


class Reader(Page):
    """A reader who draws and measures; points are of the image, in pixels."""

    def take(self, tool: str) -> None:
        self.find(f'[data-tool="{tool}"]').click()

    def chips(self) -> list[str]:
        return [chip.get_attribute("aria-label") or "" for chip in self.all("#chips button")]

    def offset(self, point: Point) -> tuple[int, int]:
        """Return where an image point lies from the canvas's centre, in a picture that is not zoomed."""
        size = self.find("#canvas").size
        scale = min(size["width"], size["height"]) / SIDE
        return round((point[0] - CENTRE) * scale), round((point[1] - CENTRE) * scale)

    def drag(self, *way: Point, key: str = "", button: int = 0) -> None:
        """Drag along a way."""
        actions = ActionChains(self.browser, duration=20)
        canvas = self.find("#canvas")
        if key:
            actions.key_down(key)
        actions.move_to_element_with_offset(canvas, *self.offset(way[0]))
        actions.w3c_actions.pointer_action.pointer_down(button)
        for point in way[1:]:
            actions.move_to_element_with_offset(canvas, *self.offset(point))
        actions.w3c_actions.pointer_action.pointer_up(button)
        if key:
            actions.key_up(key)
        actions.perform()

    def touch(self, kind: str, *points: Point) -> None:
        """Send an event of fingers at image points."""
        canvas = self.find("#canvas")
        x, y = canvas.rect["x"] + canvas.rect["width"] / 2, canvas.rect["y"] + canvas.rect["height"] / 2
        fingers = [
            {"x": x + dx, "y": y + dy, "id": number}
            for number, (dx, dy) in enumerate(map(self.offset, points))
        ]
        self.browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    def until_text(self, selector: str, wanted: str) -> None:
        self.until(lambda: wanted in self.text(selector))

    def number(self) -> int:
        return int(self.text("#frame-text").split()[1])


def opened(server: Server, browser: webdriver.Chrome) -> Reader:
    index_phantoms(server)
    reader = Reader(browser)
    reader.log_in(server.login_link())
    reader.open_series(0)
    return reader


def test_a_reader_measures_draws_and_takes_back_with_mouse_and_keys(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    reader = opened(server, browser)
    browser.save_screenshot(str(tmp_path / "opened.png"))
    print(tmp_path)
    assert reader.mistakes() == []
