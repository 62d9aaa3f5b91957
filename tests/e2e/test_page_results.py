"""What a reader does with hits in a real browser: narrows them, judges, goes on from one, takes them away."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from hmar.adapters.memory import InlineQueue
from hmar.config import Settings
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.codes import Query
from hmar.values.entries import Origin
from hmar.values.frames import Frame
from hmar.values.geometry import Box
from hmar.values.identity import EVERYDAY, PAGE_LOGIN, Identity, Scope
from hmar.wiring import build_engine
from tests.e2e.page import Page
from tests.e2e.served import Server
from tests.hmar.dicom.build import image
from tests.phantoms import PATIENT_ID, PATIENT_NAME, ct_file, series_uid

pytestmark = pytest.mark.slow

SLICES = 5
NODULE = (60.0, 84.0)
NODULES = {1: NODULE, 2: NODULE, 3: (132.0, 92.0), 4: None}
OWN, OTHERS = 1, 3
NOTE = """
["proven"]
name = "Nodule, proven"
differential = ["Granuloma", "Hamartoma"]
note = "Fat speaks for a hamartoma."
"""


class Doubting(ThumbnailEncoder):
    """Takes whole images for usual, and any region for unlike all that it knows."""

    def queries(self, frame: Frame, asked: Sequence[Sequence[Box]]) -> list[Query]:
        return [
            replace(
                query,
                typicality=0.001 if query.region_typicality else 0.92,
                region_typicality=(0.001,) * len(query.region_typicality),
            )
            for query in super().queries(frame, asked)
        ]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Four patients with a series each, of which the nodules of two have a label."""
    queue = InlineQueue()
    engine = build_engine(Settings(home=tmp_path / "home").checked(), Doubting(), queue)
    queue.handler = engine.indexer.handle
    engine.settings.label_notes_path.write_text(NOTE)
    for series, nodule in NODULES.items():
        name = f"series-{series}"
        folder = engine.settings.import_root / name
        folder.mkdir(parents=True)
        for number in range(1, SLICES + 1):
            data = ct_file(series, number, nodule, f"{PATIENT_ID}-{series}")
            (folder / f"{number}.dcm").write_bytes(data)
        label = "proven" if nodule == NODULE else None
        engine.indexer.submit("default", Origin("import", name), label=label)
    server = Server(engine)
    yield server
    server.close()


def opened(page: Page, server: Server, *scopes: Scope) -> Page:
    identity = Identity(PAGE_LOGIN, EVERYDAY | set(scopes))
    page.log_in(f"{server.url}/login?token={server.engine.keys.create_login(identity, 60)}")
    page.until(lambda: len(page.series()) == len(NODULES))
    page.open_series(0)
    return page


def search(page: Page, count: int) -> None:
    page.find("#search").click()
    page.until(lambda: len(page.hits()) == count)


def series_of(page: Page) -> list[str]:
    titles = "return [...document.querySelectorAll('.hit-where:nth-child(2)')].map((line) => line.title)"
    return list(page.browser.execute_script(titles))


def shown(page: Page) -> list[WebElement]:
    return [hit for hit in page.hits() if hit.is_displayed()]


def focused(page: Page) -> str:
    return str(
        page.browser.execute_script(
            "return document.activeElement.querySelector('.hit-rank')?.textContent ?? ''"
        )
    )


def test_a_reader_narrows_hits_and_looks_at_places_and_at_the_own_series(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    page = opened(Page(browser), server)
    page.drag_box(*NODULE, side=28)
    search(page, OTHERS)
    own = f"Series {series_uid(OWN)}"
    assert own not in series_of(page)
    assert "Out of distribution" in page.text("#unlike")
    browser.save_screenshot(str(tmp_path / "others.png"))

    # Query and hit are drawn at the same millimetres: the phantoms' pixels are of one size.
    widths = browser.execute_script(
        "return ['.of-query .sheet', '.hit-image .sheet'].map(s => document.querySelector(s).offsetWidth)"
    )
    assert widths[0] == widths[1] > 0
    page.until(lambda: browser.execute_script(PAINTED))
    page.find(".hit-tools .whole").click()
    narrower = browser.execute_script("return document.querySelector('.hit-image .sheet').offsetWidth")
    assert narrower < widths[1]

    label = page.find(".hit-label:not([hidden])").text
    assert label == "Nodule, proven\nLooks like it: Granuloma, Hamartoma\nFat speaks for a hamartoma."

    page.find("#filters summary").click()
    offer = f"#offers [title='1 of 3 hits; {2 * SLICES} frames of the archive']"
    page.until(lambda: page.all(offer))
    page.find('[data-chip="label=proven"]').click()
    page.until(lambda: len(page.hits()) == 1)
    assert series_of(page) == [f"Series {series_uid(2)}"]
    page.find('[data-chip="sex=M"]').click()
    page.until(lambda: page.text("#hits-empty-text") == "No image that fits the filters.")
    page.find("#widen").click()
    page.until(lambda: len(page.hits()) == OTHERS)
    assert not page.find("#filter-chips").is_displayed()
    page.find("#filters summary").click()

    nearest = float(browser.execute_script("return document.querySelector('#threshold').min"))
    page.find("#threshold").send_keys(Keys.HOME)
    page.until(lambda: "hidden" in page.text("#hidden-hits"))
    assert len(shown(page)) < OTHERS
    assert page.text("#threshold-text") == f"{nearest:g} bits"
    page.find("#threshold").send_keys(Keys.END)
    page.until(lambda: len(shown(page)) == OTHERS)

    page.find("#group option[value=place]").click()
    page.until(lambda: len(page.all(".place input")) > 0)
    place = page.find(".hit-card:has(.place input)")
    assert "mm" in place.text
    slider = page.find(".place input")
    slider.send_keys(Keys.HOME)
    slider.send_keys(Keys.END)
    page.until(lambda: "not for the one on the screen" in page.text("#hits-query"))
    images = place.find_element(By.CSS_SELECTOR, ".place span").text.partition(" · ")[0]
    last = images.partition("\N{EN DASH}")[2]
    page.until(lambda: page.text("#frame-text") == f"Image {last} of {SLICES}")

    page.find("#among input[value=series]").click()
    page.until(lambda: page.hits() and set(series_of(page)) == {own})
    page.find("#group option[value='']").click()
    page.until(lambda: len(page.hits()) == SLICES - 1)
    assert all("this series" in hit.text for hit in page.hits())

    page.find("#among input[value=all]").click()
    page.until(lambda: len(page.hits()) == 10)
    page.find("#more").click()
    page.until(lambda: len(page.hits()) == len(NODULES) * SLICES - 1)
    assert not page.find("#more").is_displayed()
    ranks = [int(rank.text) for rank in page.all(".hit-rank")]
    assert ranks == list(range(1, len(ranks) + 1))
    assert page.mistakes() == []


PAINTED = """
const canvas = document.querySelector('.of-query canvas');
if (!canvas.width) return false;
const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
return new Set(data).size > 9"""


def test_a_reader_judges_by_keys_keeps_it_and_searches_with_a_hit(
    server: Server, browser: webdriver.Chrome
) -> None:
    page = opened(Page(browser), server, "feedback")
    page.find("#canvas").click()
    page.press("b", Keys.ENTER)
    page.until(lambda: len(page.hits()) == OTHERS)
    page.hits()[0].send_keys(Keys.ARROW_DOWN)
    assert focused(page) == "2"
    page.press(Keys.ARROW_UP, "r")
    page.until(lambda: "Refined by 1 relevant and 0 not" in page.text("#refined-text"))
    assert focused(page)
    assert page.find(".relevant[aria-pressed=true]").is_displayed()
    page.press(Keys.END, "n")
    page.until(lambda: "Refined by 1 relevant and 1 not" in page.text("#refined-text"))
    page.find("#keep").click()
    page.until(lambda: page.text("#status") == "2 judgements kept")
    kept = server.engine.feedback.listed(0, 10, None)
    assert sorted(str(one.to_dict()["verdict"]) for one in kept) == ["not_relevant", "relevant"]
    page.find("#undo").click()
    page.until(lambda: "Refined by 1 relevant and 0 not" in page.text("#refined-text"))
    page.find("#unjudge").click()
    page.until(lambda: not page.find("#refined").is_displayed())

    title = page.text("#hits-query")
    page.find(".hit").send_keys("m")
    page.until(lambda: page.text("#hits-query") not in (title, f"{title}, not for the one on the screen"))
    page.until(lambda: len(page.hits()) == OTHERS)
    assert page.text("#hits-query").endswith("1 region")
    page.until(lambda: "mm" in page.text("#box-text"))
    assert not page.find("#refined").is_displayed()

    page.find(".hit").send_keys(Keys.ENTER)
    page.until(lambda: page.find(".hit").get_attribute("aria-current") == "true")
    page.until(lambda: page.find("#back").is_displayed())
    assert page.mistakes() == []


def test_a_reader_takes_hits_away_and_is_told_what_this_login_may_not(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    browser.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)}
    )

    def file(ending: str) -> bytes:
        page.until(lambda: [*downloads.glob(f"*.{ending}")])
        [path] = downloads.glob(f"*.{ending}")
        return path.read_bytes()

    page = opened(Page(browser), server)
    page.find("#among input[value=series]").click()
    search(page, SLICES - 1)
    page.find("#exports summary").click()
    assert "scope export" in page.text("#export-why")
    assert not page.find("#export-dicom").is_enabled()
    page.find("#export-csv").click()
    rows = list(csv.DictReader(io.StringIO(file("csv").decode())))
    assert [row["series_uid"] for row in rows] == [series_uid(OWN)] * (SLICES - 1)
    page.find("#export-json").click()
    told = json.loads(file("json"))
    assert len(told["hits"]) == SLICES - 1
    assert told["options"]["only"] == {"series_uids": [series_uid(OWN)]}
    page.find("#export-sheet").click()
    sheet = np.asarray(Image.open(io.BytesIO(file("png"))).convert("RGB"))
    assert len(np.unique(sheet)) > 100
    browser.get("about:blank")
    browser.delete_all_cookies()

    page = opened(page, server, "export")
    page.find("#among input[value=series]").click()
    search(page, SLICES - 1)
    page.find("#exports summary").click()
    assert [option.text for option in page.all("#export-to option")] == ["Download"]
    page.find("#export-kos").click()
    page.find("#export-dicom").click()
    page.until(lambda: page.text("#export-made") == f"Downloaded: {SLICES - 1} hits")
    assert sorted(zipfile.ZipFile(io.BytesIO(file("zip"))).namelist()) == ["picture.dcm", "sr.dcm"]
    page.find("#among input[value=others]").click()
    page.until(lambda: len(page.hits()) == OTHERS)
    page.find("#export-dicom").click()
    page.until(lambda: page.find("#problem").is_displayed())
    assert "HMAR_EXPORT_OTHERS" in page.text("#problem")

    for ending in ("csv", "json"):
        text = file(ending).decode()
        assert not any(secret in text for secret in (PATIENT_NAME, PATIENT_ID))
    # The browser says itself that nobody was logged in, and that the export was refused.
    assert all("401" in mistake or "404" in mistake for mistake in page.mistakes())


def test_a_file_of_nobody_known_is_searched_without_its_study_and_is_told_so(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(0, 4000, (64, 64)).astype(np.uint16)
    (tmp_path / "query.dcm").write_bytes(image(pixels, Modality="MR", PatientID=None))
    page = opened(Page(browser), server)
    page.find("#open-files").send_keys(str(tmp_path / "query.dcm"))
    page.until(lambda: page.text("#frame-text") == "Image 1 of 1")
    assert not page.find("#among input[value=series]").is_enabled()
    search(page, len(NODULES))
    assert page.find("#own-patient").is_displayed()
    assert page.text("#typicality").startswith("Typical: 92 %")
    page.find(".relevant").click()
    page.until(lambda: "Refined by 1 relevant" in page.text("#refined-text"))
    assert "scope feedback" in (page.find("#keep").get_attribute("title") or "")
    page.find("#exports summary").click()
    # The browser says itself that the first search was refused.
    assert all("422" in mistake for mistake in page.mistakes())
