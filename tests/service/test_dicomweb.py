"""QIDO-RS and WADO-RS over an archive, asked as viewers ask."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import numpy as np
import pydicom
import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from hmar.adapters.dicomweb.multipart import dicom_file
from hmar.values.entries import Origin
from hmar.values.identity import EVERYDAY, Identity
from service.dicom_rows import _day
from tests.hmar.dicom.build import image, ramp
from tests.phantoms import PATIENT_ID, PATIENT_NAME, ROOT, ct_file, series_uid, sop_uid
from tests.service.asking import client_of, limited
from tests.service.conftest import SLICES, Archive, nodule_of
from tests.service.test_deletions import upload

STUDIES = "/dicom-web/studies"
STUDY, SERIES, INSTANCE = "0020000D", "0020000E", "00080018"
SAME = [
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "StudyDate",
    "Modality", "BodyPartExamined", "SeriesNumber", "InstanceNumber", "ImagePositionPatient",
    "ImageOrientationPatient", "Rows", "Columns", "PixelSpacing", "SliceThickness",
    "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation", "RescaleIntercept", "RescaleSlope", "WindowCenter", "WindowWidth",
]  # fmt: skip
"""What the metadata say of an image just as its header does."""


def series_path(series: int) -> str:
    return f"{STUDIES}/{ROOT}.9{series}/series/{series_uid(series)}"


def instance_path(series: int, number: int) -> str:
    return f"{series_path(series)}/instances/{sop_uid(series, number)}"


def values(answer: TestResponse, tag: str) -> list[Any]:
    """Return an attribute's first value in each row."""
    return [row[tag]["Value"][0] for row in answer.get_json(force=True)] if answer.data else []


def part(answer: TestResponse) -> tuple[bytes, bytes]:
    """Return head and content of the one part of an answer."""
    boundary = answer.headers["Content-Type"].partition("boundary=")[2].encode()
    assert answer.data.startswith(b"--" + boundary + b"\r\n")
    assert answer.data.endswith(b"\r\n--" + boundary + b"--\r\n")
    head, _, content = answer.data.partition(b"\r\n\r\n")
    return head, content[: -len(boundary) - 8]


@pytest.fixture(scope="module")
def client(archive: Archive) -> FlaskClient:
    """A client that may search and no more."""
    return client_of(archive, Identity("viewer", EVERYDAY))


def test_studies_are_listed_with_what_is_known_and_no_name(client: FlaskClient) -> None:
    answer = client.get(STUDIES)
    assert answer.mimetype == "application/dicom+json"
    assert values(answer, STUDY) == [f"{ROOT}.9{series}" for series in (1, 2, 3)]
    first = answer.get_json(force=True)[0]
    assert first["00080020"] == {"vr": "DA", "Value": ["20200101"]}
    assert first["00080061"] == {"vr": "CS", "Value": ["CT"]}
    assert first["00201206"] == {"vr": "IS", "Value": [1]}
    assert first["00081190"]["Value"] == [f"http://localhost{STUDIES}/{ROOT}.91"]
    assert first["00100010"] == {"vr": "PN"}
    assert first["00100020"] == {"vr": "LO"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("StudyDate=20200102", [2]),
        ("StudyDate=20200102-", [2, 3]),
        ("StudyDate=-20200102", [1, 2]),
        ("StudyDate=20200102-20200103", [2, 3]),
        ("StudyDate=20300101", []),
        ("StudyDate=", [1, 2, 3]),
        ("ModalitiesInStudy=CT", [1, 2, 3]),
        ("ModalitiesInStudy=MR", []),
        ("Modality=MR", []),
        (f"StudyInstanceUID={ROOT}.92", [2]),
        (f"StudyInstanceUID={ROOT}.93,{ROOT}.91,1.2.9", [1, 3]),
        (f"StudyInstanceUID={ROOT}.93%5C{ROOT}.91", [1, 3]),
        (f"StudyInstanceUID={ROOT}.92&StudyDate=20200101", []),
        ("limit=2", [1, 2]),
        ("limit=2&offset=2", [3]),
        ("offset=3", []),
        ("includefield=all&fuzzymatching=true", [1, 2, 3]),
        ("includefield=00081030,StudyDate&includefield=00080060", [1, 2, 3]),
    ],
)
def test_studies_are_found_by_what_is_known(client: FlaskClient, query: str, found: list[int]) -> None:
    answer = client.get(f"{STUDIES}?{query}")
    assert answer.status_code == (200 if found else 204)
    assert values(answer, STUDY) == [f"{ROOT}.9{series}" for series in found]
    assert "Warning" not in answer.headers


def test_a_day_has_eight_digits_in_every_year() -> None:
    assert _day(date(1, 2, 3)) == {"vr": "DA", "Value": ["00010203"]}
    assert _day(None) == {"vr": "DA"}


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("PatientName=Mustermann", "PatientName"),
        ("StudyDate=yesterday", "StudyDate"),
        ("StudyDate=20201301", "20201301"),
        ("StudyDate=-", "StudyDate"),
        ("ModalitiesInStudy=ct", "ModalitiesInStudy"),
        ("limit=0", "limit"),
        ("includefield=a-b", "includefield"),
        ("fuzzymatching=perhaps", "fuzzymatching"),
        ("StudyInstanceUID=" + ",".join(["1"] * 101), "UIDs"),
    ],
)
def test_what_cannot_be_matched_is_refused_and_not_left_out(
    client: FlaskClient, query: str, named: str
) -> None:
    answer = client.get(f"{STUDIES}?{query}")
    problem = answer.get_json(force=True)
    assert answer.status_code == 422
    assert named in problem["detail"]
    assert "Mustermann" not in answer.text


def test_series_and_instances_of_a_study_are_listed(client: FlaskClient) -> None:
    listed = client.get(f"{STUDIES}/{ROOT}.92/series?includefield=00201209")
    [row] = listed.get_json(force=True)
    assert (row[SERIES]["Value"], row["00201209"]["Value"]) == ([series_uid(2)], [SLICES])
    assert (row["00080060"]["Value"], row["00200011"]["Value"]) == (["CT"], [2])
    for query, count in (("Modality=CT", 1), ("Modality=MR", 0), (f"SeriesInstanceUID={series_uid(1)}", 0)):
        assert len(values(client.get(f"{STUDIES}/{ROOT}.92/series?{query}"), SERIES)) == count
    assert client.get(f"{STUDIES}/1.2.9/series").status_code == 204
    found = client.get(f"{series_path(2)}/instances")
    assert values(found, INSTANCE) == [sop_uid(2, number) for number in range(1, SLICES + 1)]
    assert values(found, "00081190")[0] == f"http://localhost{instance_path(2, 1)}"
    one = client.get(f"{series_path(2)}/instances?SOPInstanceUID={sop_uid(2, 3)}&limit=5")
    assert values(one, "00200013") == [3]
    # A series is of its own study, and of no other.
    assert client.get(f"{STUDIES}/{ROOT}.91/series/{series_uid(2)}/instances").status_code == 204


def test_metadata_say_what_the_header_says_of_the_image_and_nothing_of_the_patient(
    client: FlaskClient,
) -> None:
    answer = client.get(f"{series_path(1)}/metadata")
    assert answer.mimetype == "application/dicom+json"
    rows = answer.get_json(force=True)
    assert len(rows) == SLICES
    for secret in (PATIENT_NAME, "Mustermann", PATIENT_ID, "19700101", "Phantom Works"):
        assert secret.encode() not in answer.data
    told = pydicom.Dataset.from_json(rows[2])
    file = pydicom.dcmread(io.BytesIO(ct_file(1, 3, nodule_of(1))))
    for keyword in SAME:
        assert told[keyword].VR == file[keyword].VR, keyword
        assert told[keyword].value == file[keyword].value, keyword
    assert not told.PatientName
    assert {element.keyword for element in told} - set(SAME) == {
        "AccessionNumber",
        "PatientName",
        "PatientID",
        "PatientBirthDate",
        "PatientSex",
        "RescaleType",
        "VOILUTFunction",
    }


def test_a_frame_is_its_stored_values_in_one_part(client: FlaskClient) -> None:
    stored = pydicom.dcmread(io.BytesIO(ct_file(1, 2, nodule_of(1)))).PixelData
    wanted = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
    answer = client.get(f"{instance_path(1, 2)}/frames/1", headers={"Accept": wanted})
    assert answer.mimetype == "multipart/related"
    head, content = part(answer)
    assert b"application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1" in head
    assert content == stored
    bare = client.get(f"{instance_path(1, 2)}/frames/1", headers={"Accept": "application/octet-stream"})
    assert (bare.mimetype, bare.data) == ("application/octet-stream", stored)
    again = client.get(
        f"{instance_path(1, 2)}/frames/1",
        headers={"Accept": wanted, "If-None-Match": answer.headers["ETag"]},
    )
    assert again.status_code == 304


def test_a_picture_is_jpeg_or_png_as_accepted(client: FlaskClient) -> None:
    address = f"{instance_path(1, 1)}/rendered"
    shown = client.get(f"/api/v1/instances/{sop_uid(1, 1)}/frames/1/image").data
    plain = np.asarray(Image.open(io.BytesIO(shown)))
    lossless = client.get(address, headers={"Accept": "image/png"})
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(lossless.data))), plain)
    lossy = client.get(address)
    assert lossy.mimetype == "image/jpeg"
    off = np.asarray(Image.open(io.BytesIO(lossy.data))).astype(int) - plain
    assert np.abs(off).mean() < 3
    windowed = client.get(f"{instance_path(1, 1)}/frames/1/rendered?window=-600,1500,linear")
    assert windowed.data != lossy.data
    too_large = "9" * 400
    for window, status in (
        ("40", 422),
        ("40,0", 422),
        ("40,400,sigmoid", 422),
        (f"40,{too_large}", 422),
        ("", 200),
    ):
        assert client.get(f"{address}?window={window}").status_code == status


def test_the_file_as_it_is_needs_a_scope_of_its_own(archive: Archive, client: FlaskClient) -> None:
    refused = client.get(instance_path(1, 1))
    assert refused.status_code == 403
    assert "'files'" in refused.get_json(force=True)["detail"]
    reader = client_of(archive, limited("reader", "files"))
    assert reader.get(STUDIES).status_code == 403
    answer = reader.get(instance_path(1, 1))
    head, content = part(answer)
    assert b"application/dicom; transfer-syntax=1.2.840.10008.1.2.1" in head
    assert content == ct_file(1, 1, nodule_of(1)) == dicom_file(answer.data)
    bare = reader.get(instance_path(1, 1), headers={"Accept": "application/dicom"})
    assert bare.data == content


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        (STUDIES, "application/dicom+xml"),
        (f"{series_path(1)}/metadata", "image/png"),
        (instance_path(1, 1), "multipart/related; type=application/octet-stream"),
        (
            instance_path(1, 1),
            "multipart/related; type=application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90",
        ),
        (f"{instance_path(1, 1)}/frames/1", "multipart/related; type=image/jpeg"),
        (f"{instance_path(1, 1)}/frames/1", "multipart/related; type=application/octet-stream;q=0"),
        (f"{instance_path(1, 1)}/rendered", "image/gif, video/*"),
    ],
)
def test_a_form_that_there_is_not_is_no_answer(archive: Archive, path: str, accept: str) -> None:
    answer = archive.client.get(path, headers={"Accept": accept})
    assert answer.status_code == 406
    assert "sent as" in answer.get_json(force=True)["detail"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{STUDIES}/{ROOT}.91/series/{series_uid(2)}/metadata", 404),
        (f"{STUDIES}/{ROOT}.92/series/{series_uid(2)}/instances/{sop_uid(1, 1)}", 404),
        (f"{STUDIES}/{ROOT}.92/series/{series_uid(2)}/instances/{sop_uid(1, 1)}/rendered", 404),
        (f"{instance_path(1, 1)}/frames/2", 404),
        (f"{instance_path(1, 1)}/frames/2/rendered", 404),
        (f"{instance_path(1, 1)}/frames/1,2", 404),
        (f"{STUDIES}/{'1' * 65}/series", 422),
        (f"{STUDIES}/1%202/series/1/metadata", 422),
    ],
)
def test_what_is_not_indexed_is_not_there(archive: Archive, path: str, status: int) -> None:
    assert archive.client.get(path).status_code == status


def test_a_collection_that_is_not_seen_is_not_there(empty_archive: Archive) -> None:
    upload(empty_archive, ct_file(1, 1), collection="lung")
    upload(empty_archive, ct_file(1, 1), collection="teaching")
    upload(empty_archive, ct_file(2, 1), collection="teaching")
    assert values(empty_archive.client.get(STUDIES), STUDY) == [f"{ROOT}.91", f"{ROOT}.92"]
    lung = client_of(empty_archive, limited("lung", "search", "lung"))
    assert values(lung.get(STUDIES), STUDY) == [f"{ROOT}.91"]
    assert values(lung.get(f"{series_path(1)}/instances"), INSTANCE) == [sop_uid(1, 1)]
    assert lung.get(f"{series_path(1)}/metadata").status_code == 200
    assert lung.get(f"{STUDIES}?StudyInstanceUID={ROOT}.92").status_code == 204
    assert lung.get(f"{series_path(2)}/metadata").status_code == 404
    assert lung.get(f"{instance_path(2, 1)}/frames/1").status_code == 404


def test_more_than_a_page_is_said_to_be_there(empty_archive: Archive) -> None:
    for number in range(101):
        data = image(ramp(), StudyInstanceUID=f"1.2.{number}", SeriesInstanceUID=f"1.3.{number}",
                     SOPInstanceUID=f"1.4.{number}")  # fmt: skip
        path = empty_archive.engine.settings.import_root / f"{number}.dcm"
        path.write_bytes(data)
    empty_archive.engine.indexer.submit("default", Origin("import", "."))
    first = empty_archive.client.get(STUDIES)
    assert len(values(first, STUDY)) == 100
    assert first.headers["Warning"] == '299 hmar "There are 1 additional results that can be requested"'
    assert len(values(empty_archive.client.get(f"{STUDIES}?offset=100"), STUDY)) == 1


def test_frames_of_an_enhanced_image_have_their_places(empty_archive: Archive) -> None:
    groups = []
    for number in range(3):
        plane, group = pydicom.Dataset(), pydicom.Dataset()
        plane.ImagePositionPatient = [0, 0, -2.5 * number]
        group.PlanePositionSequence = [plane]
        rescale = pydicom.Dataset()
        rescale.RescaleIntercept, rescale.RescaleSlope, rescale.RescaleType = 0, number + 1, "US"
        group.PixelValueTransformationSequence = [rescale]
        groups.append(group)
    upload(empty_archive, image(np.stack([ramp()] * 3), PerFrameFunctionalGroupsSequence=groups))
    path = "/dicom-web/studies/1.2.3/series/1.2.3.4"
    [row] = empty_archive.client.get(f"{path}/metadata").get_json(force=True)
    told = pydicom.Dataset.from_json(row)
    assert told.NumberOfFrames == 3
    assert [
        group.PlanePositionSequence[0].ImagePositionPatient[2]
        for group in told.PerFrameFunctionalGroupsSequence
    ] == [0, -2.5, -5]
    assert [
        group.PixelValueTransformationSequence[0].RescaleSlope
        for group in told.PerFrameFunctionalGroupsSequence
    ] == [1, 2, 3]
    assert "RescaleSlope" not in told
    third = empty_archive.client.get(f"{path}/instances/1.2.3.4.5/frames/3")
    assert part(third)[1] == ramp().tobytes()


def test_colour_is_told_as_it_is_given_and_a_picture_has_no_file(empty_archive: Archive) -> None:
    colours = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    buffer = io.BytesIO()
    Image.fromarray(colours).save(buffer, "PNG")
    upload(empty_archive, buffer.getvalue())
    [row] = empty_archive.client.get(STUDIES).get_json(force=True)
    study = row[STUDY]["Value"][0]
    [series] = values(empty_archive.client.get(f"{STUDIES}/{study}/series"), SERIES)
    [sop] = values(empty_archive.client.get(f"{STUDIES}/{study}/series/{series}/instances"), INSTANCE)
    [told] = empty_archive.client.get(f"{STUDIES}/{study}/series/{series}/metadata").get_json(force=True)
    assert (told["00280004"]["Value"], told["00281051"]["Value"]) == (["MONOCHROME2"], [65536])
    answer = empty_archive.client.get(f"{STUDIES}/{study}/series/{series}/instances/{sop}")
    assert answer.status_code == 404
    assert "no DICOM" in answer.get_json(force=True)["detail"]


def test_a_file_that_is_gone_is_left_out_and_said_so(empty_archive: Archive) -> None:
    folder = empty_archive.engine.settings.import_root
    for number in (1, 2):
        (folder / f"{number}.dcm").write_bytes(ct_file(1, number))
    empty_archive.engine.indexer.submit("default", Origin("import", "."))
    (folder / "1.dcm").unlink()
    answer = empty_archive.client.get(f"{series_path(1)}/metadata")
    assert values(answer, INSTANCE) == [sop_uid(1, 2)]
    assert answer.headers["Warning"] == '299 hmar "The files of 1 instances cannot be read"'
    (folder / "2.dcm").unlink()
    empty_archive.app.extensions["hmar_opened"].drop_deleted()
    gone = empty_archive.client.get(instance_path(1, 1))
    assert gone.status_code == 404
    assert "no file" in gone.get_json(force=True)["detail"]


def test_every_answer_is_in_the_audit_log(empty_archive: Archive) -> None:
    upload(empty_archive, ct_file(1, 1))
    upload(empty_archive, ct_file(2, 1))
    empty_archive.client.get(f"{STUDIES}?StudyDate=20200101")
    empty_archive.client.get(instance_path(1, 1))
    found, sent = [row.record for row in empty_archive.engine.audit_log.rows()][-2:]
    assert (found.operation, found.scope, found.status) == ("searchForStudies", "search", 200)
    assert (sent.operation, sent.scope, sent.status) == ("retrieveInstance", "files", 200)
    # A study and its patient each; a study that was not listed was not given.
    assert (found.touched_count, sent.touched_count) == (2, 2)
