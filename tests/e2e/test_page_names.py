"""The names that a site shows from its PACS, a real Orthanc: over the image, and nowhere else."""

from __future__ import annotations

import io
from pathlib import Path

import pydicom
import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from hmar.values.entries import Origin
from tests.axe import barriers
from tests.e2e.conftest import serving
from tests.e2e.page import Page
from tests.orthanc import PASSWORD, USER, Orthanc, running_orthanc
from tests.phantoms import ROOT, ct_file, series_uid

pytestmark = pytest.mark.slow

SLICES = 3
PLANTED = ("zwoelfschuh", "quirinia", "19031122", "1903-11-22")
STORED = """
return JSON.stringify([{...localStorage}, {...sessionStorage}, location.href, history.state, document.title]);
"""
COUNT = (
    "return performance.getEntriesByType('resource').filter(({name}) => name.includes('/patient?')).length"
)


def named_file(series: int, number: int) -> bytes:
    """Return a slice of a patient whose name, and the issuer of whose id, are in no other test."""
    file = pydicom.dcmread(io.BytesIO(ct_file(series, number)))
    file.PatientName, file.PatientBirthDate = "Zwoelfschuh^Quirinia", "19031122"
    file.IssuerOfPatientID = "HOSPITAL"
    file.SeriesDescription = "Thorax Zwoelfschuh 1.25mm LUNGE AX"
    written = io.BytesIO()
    file.save_as(written)
    return written.getvalue()


def pacs_file(folder: Path, orthanc: Orthanc) -> str:
    (folder / "password").write_text(PASSWORD)
    file = folder / "pacs.toml"
    auth = f'[main.auth]\nkind = "basic"\nuser = "{USER}"\npassword_file = "password"\n'
    file.write_text(f'[main]\nroot = "{orthanc.root}"\n{auth}')
    return str(file)


def test_a_name_is_over_the_image_of_its_patient_and_nowhere_else(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    page, folder, home = Page(browser), tmp_path / "orthanc", tmp_path / "home"
    folder.mkdir()
    with (
        running_orthanc(folder) as orthanc,
        serving(home, pacs_file=pacs_file(tmp_path, orthanc), show_names="main") as server,
    ):
        images = server.engine.settings.import_root / "chest"
        images.mkdir(parents=True)
        for series in (1, 2):
            for number in range(1, SLICES + 1):
                data = named_file(series, number)
                (images / f"{series}-{number}.dcm").write_bytes(data)
                if series == 1:  # the PACS lacks the other
                    orthanc.store(data)
        server.engine.indexer.submit("default", Origin("import", "chest"))

        # Who may search alone is shown none, and none is asked for.
        page.log_in(server.login_link())
        page.open_series(0)
        page.until(lambda: "LUNGE" in page.text("#facts"))
        assert (page.text("#patient"), browser.execute_script(COUNT)) == ("", 0)

        page.log_in(server.login_link("search", "names"))
        page.open_series(0)
        page.until(lambda: "Zwoelfschuh, Quirinia" in page.text("#patient"))
        assert page.text("#patient").split("\n")[1:] == ["ID GEHEIM-4711", "born 1903-11-22"]
        assert page.text("#facts").split("\n")[:2] == ["CT · CHEST", "THORAX 1.25mm LUNGE AX"]
        for _ in range(SLICES - 1):
            page.find("#canvas").send_keys(Keys.ARROW_DOWN)
        page.until(lambda: f"Image {SLICES}" in page.text("#frame-text"))
        assert browser.execute_script(COUNT) == 1
        stored = browser.execute_script(STORED).lower()
        assert not any(part in stored for part in PLANTED)
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        page.until(lambda: not page.find("#patient").is_displayed())
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        page.until(lambda: page.find("#patient").is_displayed())
        assert barriers(browser) == []
        assert page.mistakes() == []

        # A description's words find their series in the list.
        page.find("#series-text").send_keys("lunge 1.25mm")
        page.until(lambda: len(page.series()) == 2)
        page.find("#series-text").clear()

        page.open_series(1)
        page.until(lambda: page.text("#patient") == "No name: the PACS does not have this study")
        orthanc.ask("DELETE", f"/studies/{orthanc.ask('GET', '/studies')[0]}")
        page.open_series(0)
        page.until(lambda: page.text("#patient") == "No name: the PACS does not have this study")
        orthanc.store(ct_file(1, 1, patient_id="somebody else"))
        page.open_series(1)
        page.until(lambda: series_uid(2) == page.find("#canvas").get_attribute("data-series"))
        page.open_series(0)
        page.until(lambda: page.text("#patient") == "No name: the PACS has another patient id")
        assert orthanc.process is not None
        orthanc.process.terminate()
        orthanc.process.wait(30)
        page.open_series(1)
        page.until(lambda: page.text("#patient") == "No name: the PACS does not answer")
        assert all(f"{ROOT}.9" in mistake and "/patient" in mistake for mistake in page.mistakes())
    # The folder that is indexed holds the files as they came.
    kept = [path for path in home.rglob("*") if path.is_file() and "import" not in path.parts]
    assert any(path.name.startswith("catalogue.db") for path in kept)
    assert not any(part in path.read_bytes().decode("latin-1").lower() for path in kept for part in PLANTED)
