"""A search of LIDC slices that Orthanc holds: its hits go back as DICOM, and a viewer shows them."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from hmar import Archive, Box, IndexedFrame
from hmar.config import Settings
from hmar.values.entries import Origin
from hmar.values.exports import Export
from hmar.values.pulls import PACS
from hmar.wiring import build_engine
from tests.downloads import lidc_slices
from tests.e2e.page import Page
from tests.e2e.served import Server
from tests.ohif import running_ohif
from tests.orthanc import PASSWORD, USER, Orthanc, running_orthanc
from tests.require import require_command

pytestmark = pytest.mark.slow

NUMBERS = (34, 37, 40, 42, 43, 44, 46, 49, 52)
NODULE, REGION = 43, Box(300, 347, 36, 41)
"""A slice of the nodule, and the box around it there."""
WAIT_S = 120
ORANGE, BLUE = 0b11_11_00, 0b01_11_11
"""Colours of the boxes around the query's region and around hits: two bits each of red, green and blue."""
KNOWN = "localStorage.setItem('shownTours', JSON.stringify(['basicViewerTour']))"
"""Run first in each page: OHIF has shown its tour to this reader before.

The tour darkens the page around the image, and where that is not there within half a second, the image too.
"""
VIEWER = "https://ohif.example/viewer?StudyInstanceUIDs={study}&initialSOPInstanceUID={sop}"


@dataclass(frozen=True)
class Exported:
    """What was sent to an Orthanc, and a fresh copy of it from there."""

    orthanc: Orthanc
    archive: Archive
    sent: Export
    files: dict[str, bytes]

    def document(self, kind: str) -> pydicom.Dataset:
        return pydicom.dcmread(io.BytesIO(self.files[kind]))


def lidc() -> dict[int, bytes]:
    return dict(zip(NUMBERS, lidc_slices(NUMBERS), strict=True))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    """Pull slices from an Orthanc, search for the nodule, and send the hits back."""
    folder = tmp_path_factory.mktemp("results")
    with running_orthanc(folder) as orthanc:
        slices = lidc()
        for data in slices.values():
            orthanc.store(data)
        settings = Settings(home=folder / "home", redis_url="inline").checked()
        settings.home.mkdir()
        (settings.home / "password").write_text(PASSWORD)
        settings.pacs_path.write_text(
            f'[main]\nroot = "{orthanc.root}"\nviewer = "{VIEWER}"\n'
            f'[main.auth]\nkind = "basic"\nuser = "{USER}"\npassword_file = "password"'
        )
        engine = build_engine(settings)
        engine.indexer.submit("default", Origin(PACS, "main"))
        engine.close()
        with Archive(settings=settings) as archive:
            assert len(archive) == len(NUMBERS)
            uid = pydicom.dcmread(io.BytesIO(slices[NODULE])).SOPInstanceUID
            [link] = [hit.viewer_url for hit in archive.search(slices[NODULE], REGION, k=1)]
            assert link is not None
            assert link.endswith(f"initialSOPInstanceUID={uid}")
            sent = archive.send("main", IndexedFrame(uid), REGION, k=4)
            files = {one.kind: orthanc.file(one.sop_instance_uid) for one in sent.documents}
            yield Exported(orthanc, archive, sent, files)


def test_the_hits_are_told_and_orthanc_takes_all(exported: Exported) -> None:
    sent = exported.sent
    assert sent.complete
    assert [one.kind for one in sent.documents] == ["sr", "kos", "picture"]
    assert (sent.hits, sent.other_patients, sent.unreadable) == (4, 0, 0)
    assert {exported.document(one.kind).StudyInstanceUID for one in sent.documents} == {sent.study_uid}


@pytest.mark.parametrize("kind", ["sr", "kos", "picture"])
def test_a_validator_finds_no_error(exported: Exported, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "document.dcm"
    path.write_bytes(exported.files[kind])
    command = [require_command("dciodvfy", "dicom3tools"), str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert [line for line in said.splitlines() if line.startswith("Error")] == []
    assert {"sr": "ComprehensiveSR", "kos": "KeyObjectSelectionDocument", "picture": "SCImage"}[kind] in said


def test_the_report_tells_boxes_and_distances_of_the_nodules_slices(
    exported: Exported, tmp_path: Path
) -> None:
    path = tmp_path / "report.dcm"
    path.write_bytes(exported.files["sr"])
    command = [require_command("dsrdump", "dcmtk"), "+Pl", str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Verification Flag   : UNVERIFIED" in said
    assert "300/347,336/347,336/388,300/388,300/347" in said
    assert said.count("SCOORD") == 5
    assert said.count('NUM:(,,"Hamming distance of codes")') == 4
    assert "For research use only; not a diagnosis" in said
    assert f"model fingerprint {exported.archive.model.fingerprint}" in said
    # The nearest two are the slices beside it, which show the nodule.
    report = exported.document("sr")
    uids = [item.ReferencedSOPInstanceUID for item in evidence(report)]
    beside = {pydicom.dcmread(io.BytesIO(lidc()[number])).SOPInstanceUID for number in (42, 44)}
    assert beside <= set(uids)
    assert len(uids) == 5


def evidence(report: pydicom.Dataset) -> list[pydicom.Dataset]:
    [study] = report.CurrentRequestedProcedureEvidenceSequence
    [series] = study.ReferencedSeriesSequence
    return list(series.ReferencedSOPSequence)


def test_the_patient_is_that_of_the_querys_file(exported: Exported) -> None:
    own = pydicom.dcmread(io.BytesIO(lidc()[NODULE]))
    for kind in exported.files:
        document = exported.document(kind)
        for keyword in ("PatientID", "PatientName", "PatientSex", "StudyDate", "StudyInstanceUID"):
            assert str(document.get(keyword, "")) == str(own.get(keyword, "")), keyword


def test_the_same_export_again_makes_nothing_new(exported: Exported) -> None:
    before = exported.orthanc.ask("GET", "/statistics")["CountInstances"]
    first = exported.sent.documents[0]
    uid = pydicom.dcmread(io.BytesIO(lidc()[NODULE])).SOPInstanceUID
    [again] = exported.archive.send("main", IndexedFrame(uid), REGION, k=4, kinds=["sr"]).documents
    assert again == first
    assert exported.orthanc.ask("GET", "/statistics")["CountInstances"] == before


def test_the_documents_are_seen_in_ohif(
    exported: Exported, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    [picture] = [one for one in exported.sent.documents if one.kind == "picture"]
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": KNOWN})
    with running_ohif(exported.orthanc) as url:
        browser.get(
            f"{url}/viewer?StudyInstanceUIDs={exported.sent.study_uid}"
            f"&initialSeriesInstanceUID={picture.series_uid}&initialSOPInstanceUID={picture.sop_instance_uid}"
        )
        # Seldom: each look at the screen keeps the browser from drawing for a while.
        wait = WebDriverWait(browser, WAIT_S, poll_frequency=3)
        wait.until(lambda _: set(listed(browser)) == {"CT", "SR", "KO", "OT"})
        assert len(listed(browser)) == 4
        wait.until(lambda _: {ORANGE, BLUE} <= drawn(browser))
        browser.save_screenshot(str(tmp_path / "ohif.png"))


def test_the_page_opens_at_the_nodule_and_its_hits_link_to_the_viewer(
    exported: Exported, browser: webdriver.Chrome
) -> None:
    uid = pydicom.dcmread(io.BytesIO(lidc()[NODULE])).SOPInstanceUID
    server, page = Server(exported.archive.engine), Page(browser)
    page.log_in(server.login_link())
    region = ",".join(f"{value:g}" for value in REGION)
    browser.get(f"{server.url}/?study={exported.sent.study_uid}&instance={uid}&region={region}")
    page.until(lambda: "36 \N{MULTIPLICATION SIGN} 41 px" in page.text("#box-text"))
    page.search_all()
    page.find("#search").click()
    page.until(lambda: len(page.hits()) > 3)
    links = [link.get_attribute("href") for link in page.all(".viewer-link")]
    assert len(links) == len(page.hits())
    start = f"https://ohif.example/viewer?StudyInstanceUIDs={exported.sent.study_uid}&initialSOPInstanceUID="
    assert all(link is not None and link.startswith(start) for link in links)
    assert page.mistakes() == []
    server.close()


def listed(browser: webdriver.Chrome) -> list[str]:
    """Return the modalities of the series in the study panel."""
    labels = browser.find_elements(By.CSS_SELECTOR, '[data-cy="series-modality-label"]')
    return [label.text for label in labels]


def drawn(browser: webdriver.Chrome) -> set[int]:
    """Return the colours that the viewer shows, as :data:`ORANGE` has them."""
    shown = np.asarray(Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")) // 64
    return set(np.unique(shown @ np.array([16, 4, 1], np.uint8)).tolist())
