"""Reading tools of the page in a real browser: mouse, keyboard and fingers."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.e2e.page import Page
from tests.e2e.served import Server
from tests.e2e.test_page import SLICES, index_phantoms
from tests.hmar.dicom.build import image
from tests.phantoms import SIDE, SPACING_MM

pytestmark = pytest.mark.slow

CENTRE = SIDE / 2
Point = tuple[float, float]
NODULE: Point = (60.5, 84.5)
"""The middle of a pixel of the nodule in the series that is opened."""
KEEP_SEARCHES = """
window.searches = [];
const real = window.fetch;
window.fetch = (path, options) => {
  if (path.includes("/search/")) window.searches.push(JSON.parse(options.body));
  return real(path, options);
};
"""
KEEP_NUMBERS = """
window.numbers = [];
const told = document.getElementById("frame-text");
new MutationObserver(() => window.numbers.push(Number(told.textContent.split(" ")[1])))
  .observe(told, { childList: true });
"""
CONTROL = 2
CHIPS = "return [...document.querySelectorAll('#chips button')].map((chip) => chip.ariaLabel)"


class Reader(Page):
    """A reader who draws and measures; points are of the image, in pixels."""

    def take(self, tool: str) -> None:
        self.find(f'[data-tool="{tool}"]').click()

    def chips(self) -> list[str]:
        labels: list[str] = self.browser.execute_script(CHIPS)
        return labels

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

    def on_image(self, *points: Point) -> list[Point]:
        """Return where image points are in the window."""
        x, y = self.middle(self.find("#canvas"))
        return [(x + dx, y + dy) for dx, dy in map(self.offset, points)]

    def swipe(self, *way: Point) -> None:
        """Draw a way on the image with one finger."""
        self.swipe_along(self.on_image(*way))

    def hover(self, point: Point) -> None:
        canvas = self.find("#canvas")
        ActionChains(self.browser).move_to_element_with_offset(canvas, *self.offset(point)).perform()

    def wheel(self, *ways: int, held: int = 0) -> None:
        """Turn a wheel over the image, by some pixels each, with keys held as CDP numbers them."""
        x, y = self.middle(self.find("#canvas"))
        event = {"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "modifiers": held}
        for way in ways:
            self.browser.execute_cdp_cmd("Input.dispatchMouseEvent", event | {"deltaY": way})

    def chord(self, held: str, key: str) -> None:
        ActionChains(self.browser).key_down(held).send_keys(key).key_up(held).perform()

    def type(self, selector: str, text: str) -> None:
        """Replace what a field holds."""
        self.find(selector).send_keys(Keys.CONTROL, "a", Keys.NULL, text, Keys.ENTER)

    def choose(self, selector: str, text: str) -> None:
        Select(self.find(selector)).select_by_visible_text(text)

    def grey(self) -> int:
        """Return how bright the middle of the picture is."""
        picture = Image.open(io.BytesIO(self.find("#picture").screenshot_as_png)).convert("L")
        brightness = picture.getpixel((picture.width // 2, picture.height // 2))
        assert isinstance(brightness, int)
        return brightness

    def edges(self) -> list[str]:
        """Letters at the left, right, upper and lower edge."""
        return [self.text(f"#edge-{side}") for side in ("left", "right", "top", "bottom")]

    def until_text(self, selector: str, wanted: str) -> None:
        self.until(lambda: wanted in self.text(selector))

    def number(self) -> int:
        return int(self.text("#frame-text").split()[1])


def hu(text: str) -> float:
    """Return the number that a text begins with."""
    return float(text.split()[0].rstrip(","))


def opened(server: Server, browser: webdriver.Chrome) -> Reader:
    index_phantoms(server)
    reader = Reader(browser)
    reader.log_in(server.login_link())
    reader.open_series(0)
    return reader


def test_a_reader_measures_and_takes_back_by_mouse_and_keys(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    page = opened(server, browser)
    first = page.number()
    page.hover(NODULE)
    page.until_text("#value-text", "Column 61, row 85: ")
    assert abs(hu(page.text("#value-text").partition(": ")[2]) - 60) < 60

    page.take("length")
    page.drag((40, 100), (90, 100), (140, 100))
    page.until(lambda: len(page.chips()) == 1)
    assert abs(hu(page.chips()[0].partition("length: ")[2]) - 100 * SPACING_MM) < 3
    page.take("area")
    page.drag((57, 81), (60, 84), (63, 87))
    page.until(lambda: len(page.chips()) == 2)
    area, mean, *_ = page.chips()[1].partition("area: ")[2].split(", ")
    assert abs(hu(area) - np.pi * (3 * SPACING_MM) ** 2) < 12
    assert abs(hu(mean.removeprefix("mean ")) - 60) < 25
    page.take("outline")
    page.drag((90, 130), (102, 130), (102, 144), (90, 144))
    page.until(lambda: len(page.chips()) == 3)
    browser.save_screenshot(str(tmp_path / "measured.png"))

    # Measurements are of their image.
    page.press(Keys.ARROW_DOWN)
    page.until(lambda: page.number() == first + 1)
    page.until(lambda: page.chips() == [])
    # Undo goes to the image that it changes.
    page.press("u")
    page.until(lambda: page.number() == first)
    page.until(lambda: len(page.chips()) == 2)
    page.press("U")
    page.until(lambda: len(page.chips()) == 3)
    page.all("#chips button")[1].click()
    page.until(lambda: [chip.split()[1] for chip in page.chips()] == ["length:", "area:"])
    page.find("#canvas").click()
    page.press("\ue017")  # Delete: the one that was drawn last
    page.until(lambda: [chip.split()[1] for chip in page.chips()] == ["length:"])

    # By keys alone: a length in the middle, moved, its end moved.
    page.find("#canvas").click()
    page.press("b", "l", "l")
    page.until(lambda: len(page.chips()) == 2)
    assert page.chips()[1].endswith(f"{SIDE * 0.2 * SPACING_MM:.1f} mm")
    page.chord(Keys.ALT, Keys.ARROW_RIGHT)
    page.until(lambda: page.chips()[1].endswith(f"{(SIDE * 0.2 + 1) * SPACING_MM:.1f} mm"))
    page.press(Keys.ESCAPE)
    page.until(lambda: page.chips() == [])
    # The probe is read by keys, too.
    page.press("p", "p")
    page.until_text("#value-text", f"Column {SIDE // 2 + 1}, row {SIDE // 2 + 1}: ")
    page.press(Keys.ARROW_RIGHT)
    page.until_text("#value-text", f"Column {SIDE // 2 + 2}, row {SIDE // 2 + 1}: ")
    assert page.mistakes() == []


def test_a_reader_searches_for_several_regions_of_every_shape_and_loses_none(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    page = opened(server, browser)
    browser.execute_script(KEEP_SEARCHES)
    before = page.text("#search"), page.find("#search").size
    page.drag((50, 74), (60, 84), (70, 94))
    page.until(lambda: len(page.chips()) == 1)
    # A wider button would break the line of controls, and move the picture under the pointer.
    assert (page.text("#search"), page.find("#search").size) == ("Search region", before[1]) != before
    page.take("ellipse")
    page.drag((120, 80), (130, 90), (140, 104), key=Keys.SHIFT)
    page.until(lambda: len(page.chips()) == 2)
    page.take("add")
    page.take("freehand")
    page.drag((90, 130), (104, 132), (100, 146), (88, 144))
    page.until(lambda: len(page.chips()) == 3)
    browser.save_screenshot(str(tmp_path / "regions.png"))
    page.press(Keys.ENTER)
    page.until_text("#hits-query", "3 regions")
    [asked] = browser.execute_script("return window.searches")
    box, ellipse, outline = asked["regions"]
    assert len(box) == 4
    assert max(abs(a - b) for a, b in zip(box, (50, 74, 20, 20), strict=True)) < 1
    assert len(ellipse) == 48
    assert 4 <= len(outline) <= 128
    assert all(len(point) == 2 for point in (*ellipse, *outline))
    assert page.hits()

    # One by one they go and come back; a new box takes the place of all, and of none for good.
    page.all("#chips button")[0].click()
    page.until(lambda: len(page.chips()) == 2)
    page.take("undo")
    page.until(lambda: len(page.chips()) == 3)
    page.take("add")
    page.take("box")
    page.drag((80, 40), (100, 60), (110, 70))
    page.until(lambda: len(page.chips()) == 1)
    # Back to the query brings its own regions, and this box can be had again.
    page.press(Keys.ARROW_DOWN)
    page.until(lambda: page.find("#back").is_displayed())
    page.find("#back").click()
    page.until(lambda: len(page.chips()) == 3)
    page.take("undo")
    page.until(lambda: len(page.chips()) == 1)
    page.take("redo")
    page.until(lambda: len(page.chips()) == 3)
    assert page.mistakes() == []


def test_a_reader_turns_windows_plays_and_asks_for_help(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    page = opened(server, browser)
    assert page.edges() == ["R", "L", "A", "P"]
    page.until_text("#facts", "years")
    assert "CT \N{MIDDLE DOT} CHEST" in page.text("#facts")
    assert "2020-01-01" in page.text("#facts")
    page.find("#canvas").click()
    page.press("h")
    page.until(lambda: page.edges() == ["L", "R", "A", "P"])
    page.press("r")
    page.until(lambda: page.edges() == ["P", "A", "L", "R"])
    grey = page.grey()
    page.press("i")
    page.until(lambda: abs(page.grey() - (255 - grey)) <= 2)
    page.press("0")
    page.until(lambda: page.edges() == ["R", "L", "A", "P"])
    page.until(lambda: abs(page.grey() - grey) <= 2)

    # Display windows: those of the chest first, by key, by list, typed, dragged.
    page.press("3")
    page.until(lambda: page.text("#window-text") == "Centre 40, width 400 HU")
    assert page.find("#preset option:checked").text == "3 Mediastinum"
    page.type("#width", "250")
    page.until(lambda: page.text("#window-text") == "Centre 40, width 250 HU")
    assert page.find("#preset").get_attribute("value") == ""
    page.drag((90, 90), (100, 90), (110, 90), button=2)
    page.until(lambda: page.text("#window-text") not in ("", "Centre 40, width 250 HU"))
    page.choose("#preset", "2 Lung")
    page.until(lambda: page.text("#window-text") == "Centre -600, width 1500 HU")

    # A notch is an image, as are 40 pixels of a trackpad; Ctrl zooms.
    number, scale = page.number(), page.text("#scale-text")
    page.wheel(100)
    page.until(lambda: page.number() == number + 1)
    page.wheel(45)
    page.until(lambda: page.number() == number + 2)
    page.wheel(*[-100] * 6, held=CONTROL)
    page.until(lambda: page.text("#scale-text") not in ("", scale))
    page.take("reset")
    page.until(lambda: page.text("#scale-text") == scale)

    # Cine draws every image, and begins anew after the last.
    page.type("#cine-rate", "60")
    browser.execute_script(KEEP_NUMBERS)
    page.take("cine")
    page.until(lambda: len(browser.execute_script("return window.numbers")) > 2 * SLICES)
    page.take("cine")
    numbers = browser.execute_script("return window.numbers")
    assert all(after == before % SLICES + 1 for before, after in itertools.pairwise(numbers))

    page.find("#canvas").click()
    page.press("?")
    page.until(lambda: page.find("#help").is_displayed())
    assert "Measure a length" in page.text("#help-tools")
    browser.save_screenshot(str(tmp_path / "help.png"))
    page.press(Keys.ESCAPE)
    page.until(lambda: not page.find("#help").is_displayed())

    # The toolbar is one stop of the Tab key, and arrows go through it.
    browser.execute_script("document.querySelector('[data-tool=box]').focus()")
    page.press(Keys.ARROW_RIGHT, Keys.ENTER)
    assert page.find('[data-tool="ellipse"]').get_attribute("aria-pressed") == "true"
    assert len(page.all('#tools button[tabindex="0"]')) == 1

    # An image without spacing and units: pixels, and windows by its own values.
    noise = np.random.default_rng(0).integers(100, 4000, (64, 64)).astype(np.uint16)
    (tmp_path / "mr.dcm").write_bytes(image(noise, Modality="MR"))
    page.find("#open-files").send_keys(str(tmp_path / "mr.dcm"))
    page.until(lambda: page.text("#frame-text") == "Image 1 of 1")
    names = [option.text for option in page.all("#preset option:not([hidden])")]
    assert names == ["1 File", "2 Full", "3 1 to 99 %", "4 Narrow"]
    page.find("#canvas").click()
    page.press("4", "l", "l")
    page.until(lambda: any("px (size in mm unknown)" in chip for chip in page.chips()))
    centre, width = (float(page.find(field).get_attribute("value") or 0) for field in ("#centre", "#width"))
    assert abs(centre - np.median(noise)) < 100
    assert abs(width - 0.8 * 3900) < 150
    assert not page.find("#scale").is_displayed()
    assert page.text("#facts") == ""
    assert page.mistakes() == []


def test_windows_by_values_follow_the_image_until_they_are_dragged_and_colour_has_none(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    noise = np.random.default_rng(0).integers(100, 2000, (64, 64)).astype(np.uint16)
    (tmp_path / "1.dcm").write_bytes(image(noise, Modality="MR"))
    (tmp_path / "2.dcm").write_bytes(image(noise + 1000, Modality="MR"))
    planes = np.stack([np.full((64, 64), value, np.uint8) for value in (40, 90, 140)])
    rgb = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 1}
    (tmp_path / "3.dcm").write_bytes(image(planes, Modality="XC", NumberOfFrames=None, **rgb))
    page = opened(server, browser)
    page.find("#open-files").send_keys("\n".join(str(tmp_path / f"{name}.dcm") for name in (1, 2, 3)))
    page.until(lambda: page.text("#frame-text") == "Image 1 of 3")
    middle = (CENTRE, CENTRE)

    def window() -> tuple[float, ...]:
        return tuple(float(page.find(field).get_attribute("value") or 0) for field in ("#centre", "#width"))

    def preset() -> str:
        return Select(page.find("#preset")).first_selected_option.get_attribute("textContent") or ""

    page.find("#canvas").click()
    page.press("3")
    page.until(lambda: preset() == "3 1 to 99 %")
    (centre, width), grey = window(), page.grey()
    page.press(Keys.ARROW_DOWN)
    page.until(lambda: page.number() == 2)
    page.until(lambda: window() == (centre + 1000, width))
    assert (preset(), page.grey()) == ("3 1 to 99 %", grey)
    page.drag(middle, (CENTRE + 20, CENTRE + 10), button=2)
    page.until(lambda: preset() == "Custom")
    dragged = window()
    page.press(Keys.ARROW_UP)
    page.until(lambda: page.number() == 1)
    assert (window(), preset()) == (dragged, "Custom")

    page.press(Keys.END)
    page.until(lambda: page.text("#window-text") == "Colours of the file")
    grey = page.grey()
    page.drag(middle, (CENTRE + 40, CENTRE + 40), button=2)
    assert (page.text("#window-text"), page.grey()) == ("Colours of the file", grey)
    page.press(Keys.HOME)
    page.until(lambda: page.number() == 1)
    assert window() == dragged
    assert page.mistakes() == []


def test_a_reader_with_fingers_draws_scrolls_pinches_and_probes(
    server: Server, browser: webdriver.Chrome
) -> None:
    page = opened(server, browser)
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})
    page.swipe((50, 74), (60, 84), (70, 94))
    page.until(lambda: len(page.chips()) == 1)
    drawn = page.text("#box-text")
    # The second finger is no end of a box: what it began is as it was before.
    scale = page.text("#scale-text")
    apart = [page.on_image((96 - by, 96), (96 + by, 96)) for by in (16, 40, 60, 80)]
    page.touch_at_once(
        ("touchStart", page.on_image((80, 96))),
        ("touchMove", page.on_image((86, 96))),
        ("touchStart", apart[0]),
        *[("touchMove", fingers) for fingers in apart[1:]],
        ("touchEnd", []),
    )
    page.until(lambda: page.text("#scale-text") not in ("", scale))
    assert page.text("#box-text") == drawn
    page.take("reset")
    page.until(lambda: page.text("#scale-text") == scale)

    page.touch("touchStart", page.on_image(NODULE))
    page.until_text("#value-text", "Column 61, row 85: ")
    page.touch("touchMove", page.on_image((96.5, 138.5)))
    page.until_text("#value-text", "Column 97, row 139: ")
    page.touch("touchEnd", [])
    assert page.text("#box-text") == drawn

    page.take("scroll")
    number = page.number()
    page.swipe((96, 60), (96, 64), (96, 68))
    page.until(lambda: page.number() > number)
    assert page.mistakes() == []
