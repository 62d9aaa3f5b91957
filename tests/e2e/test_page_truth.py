"""What is said beside the picture is said of the picture: at every drawn frame, however late answers come."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from hmar.values.entries import Origin
from tests.e2e.conftest import serving
from tests.e2e.page import Page
from tests.e2e.painted import painted_ct, painted_loop, series_uid, sop_uid
from tests.e2e.served import Server

pytestmark = pytest.mark.slow

PROBES = Path(__file__).with_name("probes")
WATCH, WALK = (PROBES.joinpath(name).read_text() for name in ("watch.js", "walk.js"))
ANY_WEBGL = """
const own = WebGL2RenderingContext.prototype.getExtension;
WebGL2RenderingContext.prototype.getExtension = function (name) {
  return name === "WEBGL_debug_renderer_info" ? null : own.call(this, name);
};
"""
"""Lets a page take software for a GPU: it is not told what draws."""
WALK_S = 240
LEAST_MS, MOST_MS = 50, 800
SERIES, SLICES, FILES, FRAMES = 2, 40, 4, 6
LOOP = 2
"""Which of the files has several frames; the first is 1."""


def number_of(series: int, place: int) -> int:
    return 100 * series + place


def table() -> dict[int, dict[str, object]]:
    """Return of each number painted: name, frame, series, and its place by the length of its stack."""
    images: dict[int, dict[str, object]] = {
        number_of(series, place): {
            "name": sop_uid(series, place),
            "frame": 1,
            "series": series_uid(series),
            "places": {SLICES: place},
        }
        for series in range(1, SERIES + 1)
        for place in range(1, SLICES + 1)
    }
    for file in range(1, FILES + 1):
        for frame in range(1, FRAMES + 1 if file == LOOP else 2):
            behind = file + frame - 1 if file <= LOOP else file + FRAMES - 1
            places = {FILES + FRAMES - 1: behind} | ({FILES: file} if frame == 1 else {})
            images[number_of(9, 10 * file + frame)] = {
                "name": f"{file}.dcm",
                "frame": frame,
                "series": "files",
                "places": places,
            }
    return images


def files() -> list[dict[str, object]]:
    """Return files to open, with the number painted in their first frame."""
    opened = []
    for file in range(1, FILES + 1):
        numbers = [number_of(9, 10 * file + frame) for frame in range(1, FRAMES + 1)]
        data = painted_loop(numbers) if file == LOOP else painted_ct(numbers[0], 9, file)
        content = base64.b64encode(data).decode()
        opened.append({"name": f"{file}.dcm", "content": content, "number": numbers[0]})
    return opened


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("truth") / "home") as server:
        folder = server.engine.settings.import_root / "painted"
        folder.mkdir(parents=True)
        for series in range(1, SERIES + 1):
            for place in range(1, SLICES + 1):
                data = painted_ct(number_of(series, place), series, place)
                (folder / f"{series}-{place}.dcm").write_bytes(data)
        server.engine.indexer.submit("default", Origin("import", "painted"))
        yield server


def watched(server: Server, browser: webdriver.Chrome, *scripts: str) -> Page:
    """Log in, with a watch on all that is drawn."""
    for script in (*scripts, WATCH):
        browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    page = Page(browser)
    page.log_in(server.login_link())
    page.until(lambda: len(page.series()) == SERIES)
    return page


def tell(browser: webdriver.Chrome, **state: object) -> None:
    """Tell the watch what it is to know."""
    browser.execute_script("Object.assign(watch.state, JSON.parse(arguments[0]))", json.dumps(state))


def walk(browser: webdriver.Chrome, seed: int, actions: int) -> dict[str, Any]:
    """Act at random, with answers that come late."""
    tell(browser, table=table(), seed=seed, leastMs=LEAST_MS, mostMs=MOST_MS)
    order = [series_uid(series) for series in range(1, SERIES + 1)]
    browser.execute_script(WALK, {"actions": actions, "files": files(), "series": order})
    WebDriverWait(browser, WALK_S).until(lambda _: browser.execute_script("return window.walked"))
    told: dict[str, Any] = browser.execute_script("return window.walked")
    assert "error" not in told, told
    return told


@pytest.mark.parametrize(
    ("kind", "scripts", "seed"), [("2d", (), 13), ("webgl2", (ANY_WEBGL,), 3)], ids=["2d", "webgl2"]
)
def test_words_pixels_and_requests_are_of_the_same_image_at_every_drawn_frame(
    indexed: Server, browser: webdriver.Chrome, kind: str, scripts: tuple[str, ...], seed: int
) -> None:
    page = watched(indexed, browser, *scripts)
    told = walk(browser, seed, actions=40)
    assert told["faults"] == [], json.dumps(told["faults"], indent=1)
    assert told["kind"] == kind
    assert told["drawn"] > 15
    assert told["searches"] > 2
    assert page.mistakes() == []


BREAKS = {
    # Words that run ahead of the picture; a search for the image that is on its way; Back to the place of the
    # query instead of to its image; the old picture under a newly clicked series.
    "the words are another image's": """
        const { goTo } = Viewer.prototype;
        Viewer.prototype.goTo = function (index) {
          const done = goTo.call(this, index);
          const words = `Image ${this.stack.indexOf(this.wish) + 1} of ${this.stack.length}`;
          if (this.isWaiting) document.getElementById("frame-text").textContent = words;
          return done;
        };""",
    "a search is for another image": """
        const { goTo } = Viewer.prototype;
        let viewer;
        Viewer.prototype.goTo = function (index) {
          viewer = this;
          return goTo.call(this, index);
        };
        for (const Stack of [IndexedStack, FileStack]) {
          const { search } = Stack.prototype;
          Stack.prototype.search = function (item, boxes, options) {
            return search.call(this, viewer?.isWaiting ? viewer.wish : item, boxes, options);
          };
        }""",
    "Back shows another image": """
        Reading.prototype.back = function () {
          const { stack, index } = this.query;
          return this.viewer.open(stack, stack.items[index]);
        };""",
    "another series was clicked": "Viewer.prototype.close = () => {};",
}
PATCH = """
const tellDone = arguments[0];
Promise.all(["viewing/viewer", "viewing/stacks", "reading"].map((name) => import(`/static/js/${name}.js`)))
  .then(([{ Viewer }, { FileStack, IndexedStack }, { Reading }]) => {%s})
  .then(tellDone, (error) => tellDone(`${error}`));
"""


def test_a_page_that_is_broken_on_purpose_is_found_out(indexed: Server, browser: webdriver.Chrome) -> None:
    page = watched(indexed, browser)
    for number, (fault, patch) in enumerate(BREAKS.items()):
        assert browser.execute_async_script(PATCH % patch) is None
        # Which of its consequences is seen, and how soon, depends on when answers come.
        walks = (walk(browser, seed=number + 10 * turn, actions=60)["faults"] for turn in range(6))
        assert any(walks), f"not found out: {fault}"
        browser.refresh()
        page.until(lambda: len(page.series()) == SERIES)


LOSE = """
document.getElementById("picture").getContext("webgl2").getExtension("WEBGL_lose_context").loseContext();
"""


def test_a_gpu_that_is_taken_away_leaves_the_same_picture_on_the_2d_canvas(
    indexed: Server, browser: webdriver.Chrome
) -> None:
    page = watched(indexed, browser, ANY_WEBGL)
    tell(browser, table=table())
    page.open_series(0)
    browser.execute_script(LOSE)
    page.until(lambda: browser.execute_script("return document.getElementById('picture').getContext('2d')"))
    page.find("#canvas").click()
    page.press(Keys.HOME)
    for place in (1, 2):
        page.until(lambda place=place: page.text("#frame-text") == f"Image {place} of {SLICES}")
        assert browser.execute_script("return watch.onScreen") == number_of(1, place)
        page.press(Keys.ARROW_DOWN)
    assert browser.execute_script("return watch.state.faults") == []
