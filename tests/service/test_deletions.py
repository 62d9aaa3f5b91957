"""Deleting over HTTP: what goes, what stays, and what is refused."""

from __future__ import annotations

import io
from pathlib import Path

import pydicom
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from service.app import OPENED
from tests.phantoms import PATIENT_ID, ROOT, ct_file, series_uid, sop_uid
from tests.service.conftest import Archive
from tests.service.contract import SPEC, check

DELETIONS = "/api/v1/deletions"
JOBS = "/api/v1/index-jobs"
OTHER_ID = "GEHEIM-0815"


def of_patient(file: bytes, patient_id: str, issuer: str = "") -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(file))
    dataset.PatientID = patient_id
    if issuer:
        dataset.IssuerOfPatientID = issuer
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def upload(archive: Archive, *contents: bytes, collection: str = "default") -> str:
    """Index files, and return the id of the job."""
    parts = [(io.BytesIO(content), f"{number}.dcm") for number, content in enumerate(contents)]
    job = archive.client.post(JOBS, data={"file": parts, "collection": collection}).get_json()
    assert job["counts"]["indexed"] == len(contents), job
    return str(job["job_id"])


def uploads(archive: Archive) -> list[Path]:
    root = archive.engine.settings.upload_root
    return [path for path in root.rglob("*") if path.is_file() and path.name != ".lock"]


def delete(archive: Archive, **body: object) -> tuple[int, dict[str, object]]:
    answer = archive.client.post(DELETIONS, json=body)
    return answer.status_code, answer.get_json(force=True)


@pytest.mark.slow
def test_a_patient_is_deleted_from_every_collection_and_others_stay(empty_archive: Archive) -> None:
    mine = [ct_file(1, 1), ct_file(1, 2), ct_file(2, 1)]
    upload(empty_archive, *mine)
    upload(empty_archive, ct_file(1, 1), collection="teaching")
    upload(empty_archive, of_patient(ct_file(3, 1), OTHER_ID))
    status, answer = delete(empty_archive, level="patient", patient_id=f" {PATIENT_ID} ")
    assert (status, answer) == (
        200,
        {"level": "patient", "collection": None, "frames": 4, "instances": 3, "series": 2, "studies": 2},
    )
    check(answer, "Deleted")
    query = {"sop_instance_uid": sop_uid(3, 1), "k": 10}
    assert empty_archive.client.post("/api/v1/search/image", json=query).get_json()["hits"] == []
    listed = empty_archive.client.get("/api/v1/series").get_json()["series"]
    assert [one["series_uid"] for one in listed] == [series_uid(3)]
    assert len(uploads(empty_archive)) == 1
    assert delete(empty_archive, level="patient", patient_id=PATIENT_ID)[0] == 404


@pytest.mark.slow
@pytest.mark.parametrize(
    ("level", "uid", "left"),
    [
        ("instance", sop_uid(1, 1), {sop_uid(1, 2), sop_uid(2, 1)}),
        ("series", series_uid(1), {sop_uid(2, 1)}),
        ("study", f"{ROOT}.92", {sop_uid(1, 1), sop_uid(1, 2)}),
    ],
)
def test_an_instance_a_series_or_a_study_is_deleted(
    empty_archive: Archive, level: str, uid: str, left: set[str]
) -> None:
    upload(empty_archive, ct_file(1, 1), ct_file(1, 2), ct_file(2, 1))
    status, answer = delete(empty_archive, level=level, uid=uid)
    assert (status, answer["instances"]) == (200, 3 - len(left))
    catalogue = empty_archive.engine.catalogue
    assert {entry.info.sop_instance_uid for entry in catalogue.entries(range(1, 9)).values()} == left
    assert len(uploads(empty_archive)) == len(left)


@pytest.mark.slow
def test_one_collection_alone_is_deleted_from_and_the_upload_of_the_other_stays(
    empty_archive: Archive,
) -> None:
    upload(empty_archive, ct_file(1, 1))
    upload(empty_archive, ct_file(1, 1), collection="teaching")
    assert delete(empty_archive, level="study", uid=f"{ROOT}.91", collection="teaching")[0] == 200
    assert delete(empty_archive, level="study", uid=f"{ROOT}.91", collection="teaching")[0] == 404
    image = f"/api/v1/instances/{sop_uid(1, 1)}/frames/1/image"
    assert empty_archive.client.get(image).status_code == 200
    assert delete(empty_archive, level="study", uid=f"{ROOT}.91")[0] == 200
    assert uploads(empty_archive) == []


@pytest.mark.slow
def test_the_issuer_tells_two_patients_of_one_id_apart(empty_archive: Archive) -> None:
    upload(empty_archive, of_patient(ct_file(1, 1), PATIENT_ID, "Clinic A"), ct_file(2, 1))
    status, answer = delete(empty_archive, level="patient", patient_id=PATIENT_ID, issuer="Clinic A")
    assert (status, answer["instances"]) == (200, 1)
    assert delete(empty_archive, level="patient", patient_id=PATIENT_ID, issuer="Clinic A")[0] == 404
    assert delete(empty_archive, level="patient", patient_id=PATIENT_ID)[0] == 200


@pytest.mark.slow
def test_a_picture_that_a_browser_keeps_is_asked_for_again_and_gone_after_a_delete(
    empty_archive: Archive,
) -> None:
    upload(empty_archive, ct_file(1, 1), ct_file(1, 2))
    client, image = empty_archive.client, f"/api/v1/instances/{sop_uid(1, 1)}/frames/1/image"
    first = client.get(image)
    assert first.cache_control.no_cache
    assert first.cache_control.max_age is None
    again = client.get(image, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.cache_control.no_cache
    assert delete(empty_archive, level="instance", uid=sop_uid(1, 1))[0] == 200
    assert client.get(image, headers={"If-None-Match": first.headers["ETag"]}).status_code == 404


@pytest.mark.slow
def test_opened_files_are_forgotten_with_their_last_frame(empty_archive: Archive) -> None:
    upload(empty_archive, ct_file(1, 1), ct_file(1, 2))
    files, catalogue = empty_archive.app.extensions[OPENED], empty_archive.engine.catalogue
    entries = catalogue.entries([1, 2])
    for entry in entries.values():
        files.frame(entry)
    assert delete(empty_archive, level="instance", uid=entries[1].info.sop_instance_uid)[0] == 200
    files.drop_deleted()
    assert files.origins() == {entries[2].origin}


@pytest.mark.slow
def test_a_file_that_is_opened_while_its_frame_is_deleted_is_not_kept(empty_archive: Archive) -> None:
    upload(empty_archive, ct_file(1, 1))
    files, entry = empty_archive.app.extensions[OPENED], empty_archive.engine.catalogue.entries([1])[1]
    [path] = uploads(empty_archive)
    content = path.read_bytes()
    assert delete(empty_archive, level="instance", uid=sop_uid(1, 1))[0] == 200
    path.write_bytes(content)  # as if it had been read before the delete
    with pytest.raises(Exception, match="not indexed any more"):
        files.frame(entry)
    assert files.origins() == set()


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "level"),
        ({"level": "archive", "uid": "1.2"}, "archive"),
        ({"level": ["study"], "uid": "1.2"}, "level"),
        ({"level": "study"}, "uid"),
        ({"level": "study", "uid": " "}, "UID"),
        ({"level": "study", "uid": 12}, "uid"),
        ({"level": "study", "patient_id": OTHER_ID}, "patient_id"),
        ({"level": "study", "uid": "1.2", "patient_id": OTHER_ID}, "patient_id"),
        ({"level": "patient", "uid": "1.2"}, "uid"),
        ({"level": "patient", "patient_id": ""}, "patient id"),
        ({"level": "patient", "patient_id": [OTHER_ID]}, "patient_id"),
        ({"level": "patient", "patient_id": OTHER_ID, "issuer": 3}, "issuer"),
        ({"level": "study", "uid": "1.2", "collection": "../x"}, "collection"),
        ({"level": "study", "uid": "1.2", "all": True}, "all"),
    ],
)
def test_what_does_not_name_one_thing_is_refused_and_no_id_is_repeated(
    archive: Archive, body: dict[str, object], named: str
) -> None:
    before = archive.rows()
    answer = archive.client.post(DELETIONS, json=body)
    assert answer.status_code == 422
    assert named in answer.get_json(force=True)["detail"]
    assert OTHER_ID not in answer.text
    assert archive.rows() == before
    root = {"$ref": "#/components/schemas/Deletion", "components": SPEC["components"]}
    if str(body.get("uid", "1")).strip():
        assert not Draft202012Validator(root).is_valid(body)


def test_what_is_not_there_is_not_found_and_a_patient_not_named(archive: Archive) -> None:
    status, answer = delete(archive, level="patient", patient_id=OTHER_ID)
    assert (status, answer["type"]) == (404, "/problems/not-found")
    assert OTHER_ID not in str(answer)
    assert delete(archive, level="series", uid="1.2.3")[0] == 404


def test_deleting_needs_a_key_and_a_json_body(archive: Archive) -> None:
    assert archive.stranger.post(DELETIONS, json={"level": "study", "uid": "1"}).status_code == 401
    assert archive.client.post(DELETIONS, data={"level": "study", "uid": "1"}).status_code == 415
    assert archive.client.get(DELETIONS).status_code == 405


def test_the_specification_takes_what_the_server_takes() -> None:
    validate(SPEC)
    root = {"$ref": "#/components/schemas/Deletion", "components": SPEC["components"]}
    taken = Draft202012Validator(root)
    assert taken.is_valid({"level": "study", "uid": "1.2", "collection": None})
    assert taken.is_valid({"level": "patient", "patient_id": "x", "issuer": "y", "collection": "a"})
