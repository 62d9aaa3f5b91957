"""Hits as DICOM, as the API makes them: of the query's patient alone, sent or given to a PACS."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pydicom
import pytest
from werkzeug.test import TestResponse

from hmar.values.identity import Identity
from tests.pacs import Pacs
from tests.phantoms import ROOT, ct_file, sop_uid
from tests.service.asking import client_of
from tests.service.conftest import Archive, build_archive

EXPORTS = "/api/v1/exports"
QUERY = {"sop_instance_uid": sop_uid(1, 2), "region": [50, 70, 20, 24], "k": 5}
VIEWER = "https://ohif.example/viewer?StudyInstanceUIDs={study}&initialSOPInstanceUID={sop}"


def of_patient(data: bytes, patient_id: str) -> bytes:
    file = pydicom.dcmread(io.BytesIO(data))
    file.PatientID = patient_id
    file.PatientName = "Яковлев^Пётр=Яковлев"
    file.SpecificCharacterSet = "ISO_IR 192"
    stream = io.BytesIO()
    file.save_as(stream)
    return stream.getvalue()


FILES = [of_patient(ct_file(series, number), f"P{series}") for series in (1, 2) for number in range(1, 4)]


@pytest.fixture(scope="module")
def pacs() -> Iterator[Pacs]:
    with Pacs.serving(FILES) as pacs:
        yield pacs


@pytest.fixture(scope="module")
def fed(pacs: Pacs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """Return an archive that has pulled two patients, and names a viewer of their PACS."""
    folder = tmp_path_factory.mktemp("fed")
    (folder / "pacs.toml").write_text(f'[main]\nroot = "{pacs.url}/dicom-web"\nviewer = "{VIEWER}"')
    archive = build_archive(folder / "home", pacs_file=str(folder / "pacs.toml"))
    archive.client.post("/api/v1/index-jobs", json={"pacs": {"name": "main"}})
    assert archive.rows() == 6
    yield archive
    archive.engine.close()


def files_of(answer: TestResponse) -> dict[str, pydicom.Dataset]:
    with zipfile.ZipFile(io.BytesIO(answer.get_data())) as packed:
        return {name: pydicom.dcmread(io.BytesIO(packed.read(name))) for name in packed.namelist()}


def test_the_documents_are_of_the_querys_patient_and_tell_of_no_other(fed: Archive) -> None:
    answer = fed.client.post(EXPORTS, json=QUERY)
    assert answer.status_code == 200
    told = [answer.headers[f"X-HMAR-{name}"] for name in ("Hits", "Other-Patients", "Unreadable")]
    assert told == ["2", "3", "0"]
    files = files_of(answer)
    assert list(files) == ["sr.dcm", "kos.dcm", "picture.dcm"]
    for file in files.values():
        assert (file.PatientID, file.StudyInstanceUID) == ("P1", f"{ROOT}.91")
        assert (str(file.PatientName), file.SpecificCharacterSet) == ("Яковлев^Пётр=Яковлев", "ISO_IR 192")
        assert "P2" not in str(file)
        assert f"{ROOT}.92" not in str(file)
        assert "research" in file.SeriesDescription
    assert files["sr.dcm"].VerificationFlag == "UNVERIFIED"
    picture = files["picture.dcm"]
    assert (picture.PhotometricInterpretation, picture.pixel_array.shape[2]) == ("RGB", 3)


def test_the_site_may_have_other_patients_told_by_uids_or_shown(fed: Archive) -> None:
    own = shown(fed, "none")
    by_uid, with_pixels = shown(fed, "uids"), shown(fed, "pictures")
    assert [told for told, _, _ in (own, by_uid, with_pixels)] == ["2", "5", "5"]
    assert [f"{ROOT}.92" in text for _, text, _ in (own, by_uid, with_pixels)] == [False, True, True]
    # Three more pictures are shown only where pixels may be.
    assert own[2] == by_uid[2] < with_pixels[2]


def shown(fed: Archive, others: Any) -> tuple[str, str, int]:
    exporter = fed.engine.exporter
    before, exporter.others = exporter.others, others
    answer = fed.client.post(EXPORTS, json=QUERY | {"kinds": ["sr", "picture"]})
    exporter.others = before
    files = files_of(answer)
    return answer.headers["X-HMAR-Hits"], str(files["sr.dcm"]), files["picture.dcm"].Rows


def test_a_reader_chooses_hits(fed: Archive) -> None:
    chosen = {"hits": [{"sop_instance_uid": sop_uid(1, 3)}], "kinds": ["sr"]}
    answer = fed.client.post(EXPORTS, json=QUERY | chosen)
    assert answer.headers["X-HMAR-Hits"] == "1"
    text = str(files_of(answer)["sr.dcm"])
    assert sop_uid(1, 3) in text
    assert sop_uid(1, 1) not in text
    strange = fed.client.post(EXPORTS, json=QUERY | {"hits": [{"sop_instance_uid": "1.2.3"}]})
    assert (strange.status_code, "is no hit" in strange.json["detail"]) == (404, True)


def test_what_may_not_be_told_is_not_found(fed: Archive) -> None:
    series = {"exclude": {"same": "study"}}
    answer = fed.client.post(EXPORTS, json=QUERY | series)
    assert (answer.status_code, "of other patients" in answer.json["detail"]) == (404, True)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"kinds": []}, "No kind"),
        ({"kinds": ["pdf"]}, "pdf"),
        ({"kinds": "sr"}, "kinds"),
        ({"cursor": "x"}, "no pages"),
        ({"regions": [[1, 2, 3, 4]]}, "both given"),
        ({"to": "Main PACS"}, "to"),
        ({"hits": []}, "hits"),
        ({"region": [500, 500, 10, 10]}, "region"),
    ],
)
def test_what_cannot_be_exported_is_refused(fed: Archive, body: dict[str, Any], said: str) -> None:
    answer = fed.client.post(EXPORTS, json=QUERY | body)
    assert answer.status_code == 422
    assert said in answer.json["detail"]


def test_they_are_stored_once_and_a_refusal_is_told(fed: Archive, pacs: Pacs) -> None:
    first = fed.client.post(EXPORTS, json=QUERY | {"to": "main"})
    assert (first.status_code, first.json["complete"], first.json["hits"]) == (201, True, 2)
    again = fed.client.post(EXPORTS, json=QUERY | {"to": "main"})
    assert again.json["documents"] == first.json["documents"]
    pacs.habits.refuses_to_store = [0x0122]
    refused = fed.client.post(EXPORTS, json=QUERY | {"to": "main"})
    reasons = [document["refused"] for document in refused.json["documents"]]
    assert (refused.status_code, refused.json["complete"]) == (207, False)
    assert reasons == [None, None, "the PACS refused it with 0122H: it does not store this kind of object"]
    assert fed.client.post(EXPORTS, json=QUERY | {"to": "other"}).status_code == 404


def test_searching_is_not_exporting(fed: Archive) -> None:
    reader = client_of(fed, Identity("reader", frozenset({"search", "index"})))
    assert reader.post(EXPORTS, json=QUERY).status_code == 403


def test_hits_link_to_the_viewer_of_their_pacs(fed: Archive, archive: Archive) -> None:
    for hit in fed.client.post("/api/v1/search/region", json=QUERY).json["hits"]:
        assert hit["viewer_url"] == VIEWER.format(study=hit["study_uid"], sop=hit["sop_instance_uid"])
    batch = {"queries": [{"sop_instance_uid": sop_uid(1, 2)}], "k": 1}
    [answer] = fed.client.post("/api/v1/search/batch", json=batch).json["answers"]
    assert answer["answer"]["hits"][0]["viewer_url"].startswith("https://ohif.example/")
    elsewhere = archive.client.post("/api/v1/search/region", json=QUERY).json["hits"]
    assert {hit["viewer_url"] for hit in elsewhere} == {None}


def test_no_name_is_kept_or_logged(fed: Archive, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    assert fed.client.post(EXPORTS, json=QUERY | {"to": "main"}).status_code == 201
    assert "Яковлев" not in caplog.text
    kept = [path for path in fed.engine.settings.home.rglob("*") if path.is_file()]
    assert kept
    assert [path.name for path in kept if "Яковлев".encode() in path.read_bytes()] == []
