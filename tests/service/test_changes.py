"""What happened and what there is, over HTTP."""

from __future__ import annotations

import pytest

from hmar.values.deletion import Selector
from tests.phantoms import PATIENT_ID, ROOT, ct_file, series_uid, sop_uid
from tests.service.asking import client_of, limited
from tests.service.conftest import FRAMES, SERIES, SLICES, Archive
from tests.service.test_deletions import upload

CHANGES = "/api/v1/changes"


@pytest.mark.slow
def test_changes_are_followed_from_the_first_to_what_comes(empty_archive: Archive) -> None:
    client = empty_archive.client
    assert client.get(CHANGES).get_json() == {"changes": [], "next_after": 0}
    upload(empty_archive, ct_file(1, 1), ct_file(1, 2), ct_file(2, 1))
    first = client.get(f"{CHANGES}?limit=2").get_json()
    rest = client.get(f"{CHANGES}?limit=2&after={first['next_after']}").get_json()
    added = first["changes"] + rest["changes"]
    assert [(one["seq"], one["kind"], one["added_seq"]) for one in added] == [
        (n, "add", n) for n in (1, 2, 3)
    ]
    assert {one["sop_instance_uid"] for one in added} == {sop_uid(1, 1), sop_uid(1, 2), sop_uid(2, 1)}
    assert {one["frame_number"] for one in added} == {1}
    end = rest["next_after"]
    assert client.get(f"{CHANGES}?after={end}").get_json() == {"changes": [], "next_after": end}
    client.post("/api/v1/deletions", json={"level": "series", "uid": series_uid(2)})
    [gone] = client.get(f"{CHANGES}?after={end}").get_json()["changes"]
    [undone] = [one["seq"] for one in added if one["series_uid"] == series_uid(2)]
    assert (gone["kind"], gone["added_seq"], gone["sop_instance_uid"]) == ("delete", undone, None)
    again = client.get(CHANGES)
    assert [one["seq"] for one in again.get_json()["changes"] if one["sop_instance_uid"] is None] == [
        undone,
        4,
    ]
    assert PATIENT_ID not in again.text


def test_a_change_beyond_the_end_means_another_archive(empty_archive: Archive) -> None:
    answer = empty_archive.client.get(f"{CHANGES}?after=1")
    assert (answer.status_code, answer.get_json(force=True)["type"]) == (409, "/problems/conflict")
    for bad in ("after=-1", "limit=0", "limit=1001", "after=x", "collection=%20"):
        assert empty_archive.client.get(f"{CHANGES}?{bad}").status_code == 422, bad


@pytest.mark.slow
def test_changes_of_what_is_not_seen_are_not_told_and_access_to_the_others_is_recorded(
    empty_archive: Archive,
) -> None:
    upload(empty_archive, ct_file(1, 1), collection="hidden")
    upload(empty_archive, ct_file(2, 1), collection="seen")
    client = client_of(empty_archive, limited("reader", "search", "seen"))
    [change] = client.get(CHANGES).get_json()["changes"]
    assert (change["seq"], change["sop_instance_uid"]) == (2, sop_uid(2, 1))
    assert client.get(f"{CHANGES}?collection=hidden").get_json()["changes"] == []
    log = empty_archive.engine.audit_log
    touched = [row.to_dict()["touched"] for row in log.rows() if row.record.operation == "listChanges"]
    assert log.hashed("study", f"{ROOT}.92") in touched[0]
    assert log.hashed("study", f"{ROOT}.91") not in touched[0]
    assert touched[1] == []


def test_collections_are_told_in_numbers(archive: Archive) -> None:
    [told] = archive.client.get("/api/v1/collections").get_json()["collections"]
    assert (told["collection"], told["frames"], told["series"], told["studies"], told["patients"]) == (
        "default",
        FRAMES,
        SERIES,
        SERIES,
        1,
    )
    assert told["labels"] == {}
    assert told["code_bytes"] > FRAMES * 16
    assert archive.client.get("/api/v1/collections?collection=other").get_json() == {"collections": []}
    reader = client_of(archive, limited("collections", "search", "other"))
    assert reader.get("/api/v1/collections").get_json() == {"collections": []}


def test_studies_are_listed_page_by_page(archive: Archive) -> None:
    client = archive.client
    first = client.get("/api/v1/studies?limit=2").get_json()
    rest = client.get(f"/api/v1/studies?limit=2&offset={first['next_offset']}").get_json()
    listed = first["studies"] + rest["studies"]
    assert [one["study_uid"] for one in listed] == [f"{ROOT}.9{number}" for number in (1, 2, 3)]
    assert rest["next_offset"] is None
    assert {(one["series"], one["frames"], tuple(one["modalities"])) for one in listed} == {
        (1, SLICES, ("CT",))
    }
    assert client.get("/api/v1/studies?collection=other").get_json()["studies"] == []
    for bad in ("offset=-1", "limit=0", "after=1"):
        assert client.get(f"/api/v1/studies?{bad}").status_code == 422, bad


def test_patients_are_listed_by_handles_and_their_studies_found_by_these(archive: Archive) -> None:
    client = archive.client
    answer = client.get("/api/v1/patients")
    [patient] = answer.get_json()["patients"]
    [key] = archive.engine.catalogue.patient_keys(archive.engine.encoder.fingerprint)
    assert PATIENT_ID not in answer.text
    assert key[:32] not in answer.text
    assert (patient["studies"], patient["series"], patient["frames"]) == (SERIES, SERIES, FRAMES)
    assert answer.get_json()["next_offset"] is None
    of_patient = client.get(f"/api/v1/studies?patient={patient['patient']}").get_json()
    assert of_patient == client.get("/api/v1/studies").get_json()
    assert client.get("/api/v1/patients?collection=other").get_json()["patients"] == []
    assert client.get(f"/api/v1/studies?patient={patient['patient']}&collection=other").status_code == 404
    assert client.get(f"/api/v1/studies?patient={'0' * 32}").status_code == 404
    assert client.get(f"/api/v1/studies?patient={PATIENT_ID}").status_code == 422


def test_who_does_not_see_a_collection_is_told_of_none_of_its_patients(archive: Archive) -> None:
    reader = client_of(archive, limited("other-reader", "search", "other"))
    [patient] = archive.client.get("/api/v1/patients").get_json()["patients"]
    assert reader.get("/api/v1/patients").get_json()["patients"] == []
    assert reader.get(f"/api/v1/studies?patient={patient['patient']}").status_code == 404


def test_listed_patients_are_recorded(archive: Archive) -> None:
    log = archive.engine.audit_log
    [key] = archive.engine.catalogue.patient_keys(archive.engine.encoder.fingerprint)
    archive.client.get("/api/v1/patients")
    *_, last = log.rows()
    assert last.to_dict()["touched"] == [log.hashed("patient", key)]


def test_studies_are_chosen_and_sorted(archive: Archive) -> None:
    def found(query: str) -> list[str]:
        studies = archive.client.get(f"/api/v1/studies?{query}").get_json()["studies"]
        return [one["study_uid"] for one in studies]

    everything = found("")
    days = [one["study_date"] for one in archive.client.get("/api/v1/studies").get_json()["studies"]]
    by_date = [uid for _, uid in sorted(zip(days, everything, strict=True))]
    assert found("modality=CT&order=oldest") == by_date
    assert found("order=newest") == by_date[::-1]
    assert found("modality=MR") == found("body_part=KNEE") == []
    assert found(f"since={max(days)}&until={max(days)}") == by_date[-1:]
    assert found("until=1900-01-01") == []
    for bad in ("order=size", "since=today", "modality=ct", "since=2026-02-01&until=2026-01-01"):
        assert archive.client.get(f"/api/v1/studies?{bad}").status_code == 422, bad


def test_a_study_and_an_instance_are_told_of(archive: Archive) -> None:
    client = archive.client
    told = client.get(f"/api/v1/studies/{ROOT}.91").get_json()
    assert told["study"] == client.get("/api/v1/studies?limit=1").get_json()["studies"][0]
    assert [(one["series_uid"], one["frames"]) for one in told["series"]] == [(series_uid(1), SLICES)]
    answer = client.get(f"/api/v1/instances/{sop_uid(1, 2)}")
    [frame] = answer.get_json()["frames"]
    assert (frame["series_uid"], frame["modality"], frame["frame_number"]) == (series_uid(1), "CT", 1)
    assert answer.get_json()["collection"] == "default"
    assert PATIENT_ID not in answer.text
    assert "patient_key" not in answer.text
    for path in ("studies", "instances"):
        assert client.get(f"/api/v1/{path}/1.2.9").status_code == 404
    for known in (f"studies/{ROOT}.91", f"instances/{sop_uid(1, 2)}"):
        assert client.get(f"/api/v1/{known}?collection=other").status_code == 404


def test_of_a_listed_page_its_studies_and_their_patients_alone_are_recorded(archive: Archive) -> None:
    log = archive.engine.audit_log
    archive.client.get("/api/v1/studies?limit=1&offset=1")
    *_, last = log.rows()
    touched = last.to_dict()["touched"]
    assert [one.partition(":")[0] for one in touched] == ["patient", "study"]
    assert touched[1] == log.hashed("study", f"{ROOT}.92")


def test_a_deleted_study_is_listed_no_more(empty_archive: Archive) -> None:
    upload(empty_archive, ct_file(1, 1))
    empty_archive.engine.catalogue.delete(Selector("study", f"{ROOT}.91"))
    assert empty_archive.client.get("/api/v1/studies").get_json()["studies"] == []
    assert empty_archive.client.get(f"/api/v1/studies/{ROOT}.91").status_code == 404
