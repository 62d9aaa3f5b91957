"""The page in a real browser: log in by link, scroll, box a nodule, see hits with boxes, index a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from hmar.values.entries import Origin
from tests.e2e.page import Page
from tests.e2e.served import Server
from tests.hmar.dicom.build import image
from tests.phantoms import PATIENT_ID, PATIENT_NAME, SPACING_MM, ct_file, series_uid

pytestmark = pytest.mark.slow

SLICES = 7
NODULES = {1: (60.0, 84.0), 2: (132.0, 92.0), 3: None}
PICTURES_SHOWN = (
    "return [...document.querySelectorAll('.hit img')].slice(0, 2).every(i => i.complete && i.naturalWidth)"
)
LOADED_PIXELS = (
    "return performance.getEntriesByType('resource').filter(e => e.name.includes('/pixels')).length"
)


def patient_of(series: int) -> str:
    return f"{PATIENT_ID}-{series}"


def index_phantoms(
    server: Server, nodules: Mapping[int, tuple[float, float] | None] = NODULES, slices: int = SLICES
) -> None:
    """Index a series each of some patients."""
    folder = server.engine.settings.import_root / "chest"
    folder.mkdir(parents=True)
    for series, nodule in nodules.items():
        for number in range(1, slices + 1):
            data = ct_file(series, number, nodule, patient_of(series))
            (folder / f"{series}-{number}.dcm").write_bytes(data)
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
    page.drag_box(*nodule, side=28)
    millimetres = float(page.text("#box-text").partition(" ")[0])
    assert abs(millimetres - 28 * SPACING_MM) < 2
    page.search_all()
    page.find("#canvas").send_keys(Keys.ENTER)
    page.until(lambda: len(page.hits()) == 10)
    page.until(lambda: browser.execute_script(PICTURES_SHOWN))
    browser.save_screenshot(str(tmp_path / "hits.png"))

    boxes = page.all("#hits .hit-image rect")
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
    page.until(lambda: browser.switch_to.active_element.get_attribute("id") == "canvas")
    page.press(Keys.ESCAPE)
    page.until(lambda: page.text("#box-text") == "")
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
    page.search_all()
    page.find("#mode option[value=global]").click()
    page.find("#search").click()
    page.until(lambda: len(page.hits()) == 10)
    assert page.hits()[0].text.startswith("1\n0 / 128 bits")
    assert series_uid(1) in (page.all(".hit-where")[0].get_attribute("title") or "")

    page.find("#open-files").send_keys(str(tmp_path / "notes.txt"))
    page.until(lambda: page.find("#problem").is_displayed())
    assert "8 bytes" in page.text("#problem")
    page.until(lambda: not page.find("#search").is_enabled())
    browser.save_screenshot(str(tmp_path / "problem.png"))


def test_a_search_is_for_the_file_shown_even_where_files_before_it_have_several_frames(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    index_phantoms(server)
    loop = image(np.random.default_rng(1).integers(0, 255, (9, 64, 64)).astype(np.uint8), Modality="US")
    for number in range(1, SLICES + 1):
        (tmp_path / f"{number}.dcm").write_bytes(
            loop if number == SLICES - 2 else ct_file(1, number, NODULES[1])
        )
    page = Page(browser)
    page.log_in(server.login_link())
    page.find("#open-files").send_keys("\n".join(str(path) for path in sorted(tmp_path.glob("*.dcm"))))
    page.until(lambda: page.text("#frame-text") == f"Image 1 of {SLICES}")
    page.find("#canvas").click()
    page.press(Keys.END)
    page.until(lambda: page.text("#frame-text").startswith(f"Image {SLICES} of"))
    page.until(lambda: browser.execute_script(LOADED_PIXELS) >= 6)
    page.search_all()
    page.find("#mode option[value=global]").click()
    page.find("#search").click()
    page.until(lambda: len(page.hits()) == 10)
    assert f"image {SLICES}, frame 1" in page.hits()[0].text
    assert page.hits()[0].text.startswith("1\n0 / 128 bits")


def test_a_hit_that_was_indexed_after_the_series_was_opened_is_shown_and_not_another(
    server: Server, browser: webdriver.Chrome
) -> None:
    index_phantoms(server)
    page = Page(browser)
    page.log_in(server.login_link())
    page.open_series(0)
    late = server.engine.settings.import_root / "late"
    late.mkdir()
    (late / "late.dcm").write_bytes(ct_file(1, SLICES + 1, NODULES[1]))
    server.engine.indexer.submit("default", Origin("import", "late"))
    page.search_all()
    field = page.find("#k")
    field.clear()
    field.send_keys("50")
    page.find("#search").click()
    page.until(lambda: page.hits())
    [hit] = [hit for hit in page.hits() if f"image {SLICES + 1}, frame 1" in hit.text]
    hit.click()
    page.until(lambda: page.text("#frame-text") == f"Image {SLICES + 1} of {SLICES + 1}")
    assert page.series()[0].get_attribute("aria-current") == "true"


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    with (tmp_path / "large.dcm").open("wb") as file:
        file.truncate(server.engine.settings.max_upload_bytes)
    page = Page(browser)
    page.log_in(server.login_link())
    page.find("#open-files").send_keys(str(tmp_path / "large.dcm"))
    page.until(lambda: page.find("#problem").is_displayed())
    assert "HMAR_MAX_UPLOAD_BYTES" in page.text("#problem")
    assert page.mistakes() == []


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
    page.until(lambda: page.text("#jobs .job-text").startswith("Indexed 3 files"))
    assert "1 failed" in page.text("#jobs .job-text")
    assert "8 bytes" in page.text("#jobs .job-failures")
    page.open_series(0)
    assert page.text("#frame-text") == "Image 2 of 3"
    browser.save_screenshot(str(tmp_path / "indexed.png"))
    assert page.mistakes() == []


def test_a_browser_without_a_login_is_told_how_to_get_one(server: Server, browser: webdriver.Chrome) -> None:
    browser.get(server.url)
    assert "hmar keys login" in Page(browser).text("main")
