"""The page in a real browser: log in by link, scroll, box a nodule, see hits with boxes, index a file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait
from waitress.server import create_server

from hmar.adapters.memory import InlineQueue
from hmar.config import Settings
from hmar.thumbnail import ThumbnailEncoder
from hmar.types import Origin
from hmar.wiring import Engine, build_engine
from service.app import create_app
from tests.phantoms import PATIENT_ID, PATIENT_NAME, SIDE, SPACING_MM, ct_file, series_uid
from tests.require import require_command

SLICES = 7
NODULES = {1: (60.0, 84.0), 2: (132.0, 92.0), 3: None}
WAIT_S = 30
PICTURES_SHOWN = (
    "return [...document.querySelectorAll('.hit img')].slice(0, 4).every(i => i.complete && i.naturalWidth)"
)


class Server:
    """The application behind waitress on a free port, in a thread."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        # poll() and not select(): a browser and its driver may use up the descriptors below 1024.
        self._server = create_server(
            create_app(engine), host="127.0.0.1", port=0, threads=4, asyncore_use_poll=True
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.effective_port}"

    def login_link(self) -> str:
        return f"{self.url}/login?token={self.engine.keys.create_login(60)}"

    def close(self) -> None:
        self._server.close()
        self._thread.join(WAIT_S)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    queue = InlineQueue()
    engine = build_engine(Settings(home=tmp_path / "home").checked(), ThumbnailEncoder(), queue)
    queue.handler = engine.indexer.handle
    server = Server(engine)
    yield server
    server.close()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = require_command("chromium")
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--force-device-scale-factor=1",
        "--window-size=1280,800",
        f"--user-data-dir={tmp_path / 'profile'}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=require_command("chromedriver"))
    browser = webdriver.Chrome(options=options, service=service)
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": False},
    )
    yield browser
    browser.quit()


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
        WebDriverWait(self.browser, WAIT_S).until(lambda _: condition())  # type: ignore[operator]

    def press(self, *keys: str) -> None:
        ActionChains(self.browser).send_keys(*keys).perform()

    def open_series(self, index: int) -> None:
        self.until(lambda: len(self.all("#series button")) > index)
        self.all("#series button")[index].click()
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

    def hits(self) -> list[WebElement]:
        return self.all("#hits .hit")

    def mistakes(self) -> list[str]:
        """What the browser complained of: scripts, styles, blocked resources."""
        return [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]


def index_phantoms(server: Server) -> None:
    folder = server.engine.settings.import_root / "chest"
    folder.mkdir(parents=True)
    for series, nodule in NODULES.items():
        for number in range(1, SLICES + 1):
            (folder / f"{series}-{number}.dcm").write_bytes(ct_file(series, number, nodule))
    server.engine.indexer.submit("default", Origin("import", "chest"))


def test_a_reader_boxes_a_nodule_and_sees_where_it_is_in_other_images(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    index_phantoms(server)
    page = Page(browser)
    page.log_in(server.login_link())
    page.open_series(0)
    assert page.text("#frame-text") == f"Image {SLICES // 2 + 1} of {SLICES}"

    page.find("#canvas").click()
    page.press(Keys.ARROW_DOWN)
    page.until(lambda: page.text("#frame-text") == f"Image {SLICES // 2 + 2} of {SLICES}")
    page.press("2")
    page.until(lambda: page.text("#window-text") == "Centre -600, width 1500 HU")

    nodule = NODULES[1]
    assert nodule is not None
    page.drag_box(*nodule, side=20)
    millimetres = float(page.text("#box-text").partition(" ")[0])
    assert abs(millimetres - 20 * SPACING_MM) < 2
    page.press(Keys.ENTER)
    page.until(lambda: len(page.hits()) == 10)
    page.until(lambda: browser.execute_script(PICTURES_SHOWN))
    browser.save_screenshot(str(tmp_path / "hits.png"))

    boxes = page.all("#hits .hit rect")
    assert len(boxes) == 10
    assert "this series" in page.hits()[0].text
    centre = [
        float(boxes[0].get_attribute(start) or 0) + float(boxes[0].get_attribute(size) or 0) / 2
        for start, size in (("x", "width"), ("y", "height"))
    ]
    assert max(abs(a - b) for a, b in zip(centre, nodule, strict=True)) * SPACING_MM < 25

    page.hits()[-1].click()
    page.until(lambda: page.hits()[-1].get_attribute("aria-current") == "true")
    page.until(lambda: page.find("#back").is_displayed())
    browser.save_screenshot(str(tmp_path / "hit.png"))
    page.find("#back").click()
    page.until(lambda: page.text("#frame-text") == f"Image {SLICES // 2 + 2} of {SLICES}")
    assert page.text("#box-text").startswith(str(millimetres))
    page.press(Keys.ESCAPE)
    assert page.text("#box-text") == ""
    assert page.text("#search") == "Search image"

    for secret in (PATIENT_NAME, PATIENT_ID):
        assert secret not in browser.page_source
    assert page.mistakes() == []


def test_a_reader_opens_a_file_searches_with_it_and_is_told_what_is_wrong_with_another(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    index_phantoms(server)
    (tmp_path / "query.dcm").write_bytes(ct_file(1, 3, NODULES[1]))
    (tmp_path / "notes.txt").write_text("no image")
    page = Page(browser)
    page.log_in(server.login_link())
    page.find("#open-files").send_keys(str(tmp_path / "query.dcm"))
    page.until(lambda: page.text("#frame-text") == "Image 1 of 1")
    page.find("#search").click()
    page.until(lambda: len(page.hits()) == 10)
    assert "0 / 128 bits" in page.hits()[0].text
    assert series_uid(1) in (page.all(".hit-where")[0].get_attribute("title") or "")

    page.find("#open-files").send_keys(str(tmp_path / "notes.txt"))
    page.until(lambda: page.find("#problem").is_displayed())
    assert "8 bytes" in page.text("#problem")
    page.until(lambda: not page.find("#search").is_enabled())
    browser.save_screenshot(str(tmp_path / "problem.png"))


def test_an_empty_archive_says_how_to_fill_it_and_takes_files(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    paths = []
    for number in range(1, 4):
        paths.append(tmp_path / f"{number}.dcm")
        paths[-1].write_bytes(ct_file(1, number))
    paths.append(tmp_path / "notes.txt")
    paths[-1].write_text("no image")
    page = Page(browser)
    page.log_in(server.login_link())
    page.until(lambda: page.find("#empty-archive").is_displayed())
    assert "hmar index FOLDER" in page.text("#empty-archive")
    browser.save_screenshot(str(tmp_path / "empty.png"))

    page.find("#index-files").send_keys("\n".join(str(path) for path in paths))
    page.until(lambda: page.text("#job-text").startswith("Indexed 3 files"))
    assert "1 failed" in page.text("#job-text")
    assert "8 bytes" in page.text("#job-failures")
    page.open_series(0)
    assert page.text("#frame-text") == "Image 2 of 3"
    browser.save_screenshot(str(tmp_path / "indexed.png"))
    assert page.mistakes() == []


def test_a_browser_without_a_login_is_told_how_to_get_one(server: Server, browser: webdriver.Chrome) -> None:
    browser.get(server.url)
    assert "hmar keys login" in Page(browser).text("main")
