"""The page and a real Orthanc: what it has is pulled, and hits are stored to it."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from hmar.adapters.memory import InlineQueue
from hmar.config import Settings
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.jobs import Message
from hmar.wiring import build_engine
from tests.axe import barriers
from tests.e2e.page import Page
from tests.e2e.served import Server
from tests.orthanc import PASSWORD, USER, Orthanc, running_orthanc
from tests.phantoms import ROOT, ct_file, series_uid, sop_uid

pytestmark = pytest.mark.slow

SLICES = 5
NODULE = (60.0, 84.0)


@dataclass(frozen=True)
class Site:
    """A PACS with two studies of one patient, and a product that knows it."""

    orthanc: Orthanc
    server: Server
    folder: Path


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_orthanc(tmp_path) as orthanc:
        for series in (1, 2):
            for number in range(1, SLICES + 1):
                orthanc.store(ct_file(series, number, NODULE))
        settings = Settings(home=tmp_path / "home").checked()
        settings.home.mkdir()
        (settings.home / "password").write_text(PASSWORD)
        settings.pacs_path.write_text(
            f'[main]\nroot = "{orthanc.root}"\n'
            f'[main.auth]\nkind = "basic"\nuser = "{USER}"\npassword_file = "password"'
        )
        queue = InlineQueue()
        engine = build_engine(settings, ThumbnailEncoder(), queue)
        workers: list[threading.Thread] = []

        def work(message: Message) -> None:
            """Do a part of a job beside the web server, as a worker does."""
            workers.append(threading.Thread(target=engine.indexer.handle, args=(message,)))
            workers[-1].start()

        queue.handler = work
        server = Server(engine)
        yield Site(orthanc, server, tmp_path)
        for worker in workers:
            worker.join()
        server.close()


def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        field = page.find(f"#pull [name={name}]")
        field.clear()
        field.send_keys(value)


def test_what_a_pacs_has_is_pulled_from_the_page_and_followed(site: Site, browser: webdriver.Chrome) -> None:
    page = Page(browser)
    page.log_in(site.server.login_link("search"))
    browser.get(f"{site.server.url}/operations/pacs")
    page.until(lambda: "scope admin" in page.text("#problem"))
    assert not page.find("#pull").is_displayed()
    browser.get_log("browser")  # the refusal

    # Who may index knows the name from elsewhere.
    page.log_in(site.server.login_link("search", "index"))
    browser.get(f"{site.server.url}/operations/pacs")
    page.until(lambda: page.find("#pull").is_displayed())
    fill(page, name="other", study_uid="1.2.3")
    page.find("#pull button").click()
    page.until(lambda: "other" in page.text("#problem"))
    browser.get_log("browser")

    page.log_in(site.server.login_link("admin"))
    browser.get(f"{site.server.url}/operations/pacs")
    page.until(lambda: page.find("#pull").is_displayed() and "main" in page.text("#list"))
    assert page.find("#pull [name=name]").get_attribute("value") == "main"
    assert barriers(browser) == []
    fill(page, study_uid=f"{ROOT}.91", modality="ct", collection="pulled")
    page.find("#pull [name=label]").send_keys("prior", Keys.ENTER)
    page.until(lambda: page.text("#pulls .job-text").startswith(f"Indexed {SLICES} files"))
    assert f"{SLICES} of {SLICES} done, into pulled, label prior" in page.text("#pulls .job-text")
    listed = site.server.engine.catalogue.series(site.server.engine.encoder.fingerprint)
    assert [(one.series_uid, one.collection, one.frames) for one in listed] == [
        (series_uid(1), "pulled", SLICES)
    ]

    # All of a PACS is asked for twice; a study that it does not have is none.
    fill(page, study_uid="", modality="")
    page.find("#pull button").click()
    page.until(lambda: "all that main has" in page.text("dialog[open]"))
    page.find("dialog[open] button[type=button]").click()
    fill(page, study_uid=f"{ROOT}.77")
    page.find("#pull button").click()
    page.until(lambda: page.text("#pulls .job-text").startswith("Failed"))
    assert "no images of what was asked for" in page.text("#pulls .job-failures")
    browser.save_screenshot(str(site.folder / "pulled.png"))
    page.find("nav a").click()
    page.until(lambda: len(page.all("#list .job")) == 2)
    assert page.mistakes() == []


def test_hits_are_stored_to_the_pacs_as_they_are_shown(site: Site, browser: webdriver.Chrome) -> None:
    page = Page(browser)
    page.log_in(site.server.login_link("search", "export", "index"))
    browser.get(f"{site.server.url}/operations/pacs")
    page.until(lambda: page.find("#pull").is_displayed())
    fill(page, name="main", modality="CT", collection="all")
    page.find("#pull button").click()
    page.until(lambda: page.text("#pulls .job-text").startswith(f"Indexed {2 * SLICES} files"))

    browser.get(site.server.url)
    page.open_series(0)
    page.find("#canvas").click()
    page.drag_box(*NODULE, side=28)
    page.search_all()
    page.find("#canvas").send_keys(Keys.ENTER)
    page.until(lambda: page.hits())
    query = browser.execute_script("return {...document.getElementById('canvas').dataset}")
    # What is hidden is not told.
    page.find("#k").clear()
    page.find("#k").send_keys("4")
    page.find("#search").click()
    page.until(lambda: len(page.hits()) == 4)
    before = set(site.orthanc.ask("GET", "/instances"))
    page.find("#exports > summary").click()
    page.find("#export-picture").click()
    page.find("#export-to option[value=main]").click()
    page.find("#export-dicom").click()
    page.until(lambda: page.text("#export-made").startswith("Stored to main: "))
    assert page.text("#export-made") == "Stored to main: 4 hits"

    arrived = set(site.orthanc.ask("GET", "/instances")) - before
    files = [
        site.orthanc.ask("GET", f"/instances/{one}")["MainDicomTags"]["SOPInstanceUID"] for one in arrived
    ]
    documents = {one.Modality: one for one in (read(site.orthanc, uid) for uid in files)}
    assert sorted(documents) == ["KO", "SR"]
    report, selection = documents["SR"], documents["KO"]
    own_study = f"{ROOT}.9{query['series'].split('.')[-1]}"
    assert {one.StudyInstanceUID for one in (report, selection)} == {own_study}
    assert {str(one.PatientID) for one in (report, selection)} == {
        str(read(site.orthanc, query["instance"]).PatientID)
    }
    told = set(referenced(report))
    known = {sop_uid(series, number) for series in (1, 2) for number in range(1, SLICES + 1)}
    assert query["instance"] in told
    assert len(told - {query["instance"]}) == 4
    assert told <= known
    assert query["instance"] in set(referenced(selection)) <= told
    assert page.mistakes() == []


def read(orthanc: Orthanc, sop_instance_uid: str) -> Dataset:
    return pydicom.dcmread(io.BytesIO(orthanc.file(sop_instance_uid)))


def referenced(dataset: Dataset) -> Iterator[str]:
    """Yield the instances that a document's content refers to."""
    for element in dataset.get("ContentSequence", []):
        for reference in element.get("ReferencedSOPSequence", []):
            yield str(reference.ReferencedSOPInstanceUID)
        yield from referenced(element)
