"""Labels that change over HTTP, and searches that follow."""

from __future__ import annotations

import io
from typing import Any

import pytest
from werkzeug.test import TestResponse

from hmar.values.identity import EVERYDAY, Identity
from tests.phantoms import ROOT, ct_file, series_uid, sop_uid
from tests.service.asking import client_of, limited
from tests.service.conftest import Archive
from tests.service.test_deletions import upload

LABELS = "/api/v1/labels"


def found(archive: Archive, label: str) -> set[str]:
    """Return the instances that a search with a filter on a label finds."""
    query = {"sop_instance_uid": sop_uid(1, 1), "k": 100, "mode": "global", "filters": {"label": label}}
    hits = archive.client.post("/api/v1/search/image", json=query).get_json()["hits"]
    return {hit["sop_instance_uid"] for hit in hits}


def send(archive: Archive, table: str, **fields: str) -> TestResponse:
    data: dict[str, Any] = {"file": (io.BytesIO(table.encode()), "labels.csv"), **fields}
    return archive.client.patch(LABELS, data=data)


@pytest.mark.slow
def test_images_get_another_label_and_are_found_by_it_at_once(empty_archive: Archive) -> None:
    upload(empty_archive, ct_file(1, 1), ct_file(1, 2), ct_file(2, 1))
    body = {"uids": [sop_uid(1, 2), sop_uid(2, 1), "1.2.9"], "label": " proven "}
    answer = empty_archive.client.patch(LABELS, json=body)
    assert answer.get_json() == {"changed": 2, "unchanged": 0, "unknown": ["1.2.9"]}
    assert found(empty_archive, "proven") == {sop_uid(1, 2), sop_uid(2, 1)}
    by_series = {"level": "series", "uids": [series_uid(2)], "label": "other"}
    assert empty_archive.client.patch(LABELS, json=by_series).get_json()["changed"] == 1
    assert found(empty_archive, "proven") == {sop_uid(1, 2)}
    away = {"level": "study", "uids": [f"{ROOT}.91"], "label": None}
    assert empty_archive.client.patch(LABELS, json=away).get_json() == {
        "changed": 1,
        "unchanged": 1,
        "unknown": [],
    }
    assert found(empty_archive, "proven") == set()
    [kept] = empty_archive.client.get("/api/v1/collections").get_json()["collections"]
    assert (kept["frames"], kept["labels"]) == (3, {"other": 1})
    picture = f"/api/v1/instances/{sop_uid(1, 2)}/frames/1/image"
    assert empty_archive.client.get(picture).status_code == 200


@pytest.mark.slow
def test_a_table_gives_each_uid_its_label(empty_archive: Archive) -> None:
    upload(empty_archive, ct_file(1, 1), ct_file(1, 2), ct_file(1, 3))
    table = f"sop_instance_uid,label\n{sop_uid(1, 2)},a\n{sop_uid(1, 3)},b\n"
    assert send(empty_archive, table).get_json() == {"changed": 2, "unchanged": 0, "unknown": []}
    assert (found(empty_archive, "a"), found(empty_archive, "b")) == ({sop_uid(1, 2)}, {sop_uid(1, 3)})
    elsewhere = send(empty_archive, table, collection="other").get_json()
    assert elsewhere == {"changed": 0, "unchanged": 0, "unknown": [sop_uid(1, 2), sop_uid(1, 3)]}
    bad = send(empty_archive, "name,label\nx,y\n")
    assert (bad.status_code, bad.get_json(force=True)["type"]) == (422, "/problems/parameter-out-of-range")


@pytest.mark.parametrize(
    "body",
    [
        {"uids": [], "label": "x"},
        {"uids": ["1.2"] * 1001, "label": "x"},
        {"uids": "1.2", "label": "x"},
        {"uids": ["with space"], "label": "x"},
        {"uids": ["1.2"]},
        {"uids": ["1.2"], "label": ""},
        {"uids": ["1.2"], "label": "x" * 65},
        {"uids": ["1.2"], "label": "x", "level": "patient"},
        {"uids": ["1.2"], "label": "x", "collection": None},
    ],
)
def test_what_cannot_be_meant_is_refused(archive: Archive, body: dict[str, Any]) -> None:
    before = archive.rows()
    assert archive.client.patch(LABELS, json=body).status_code == 422
    assert archive.rows() == before


@pytest.mark.slow
def test_labels_change_where_the_key_sees_and_by_who_may_alone(empty_archive: Archive) -> None:
    upload(empty_archive, ct_file(1, 1), collection="hidden")
    upload(empty_archive, ct_file(1, 1), collection="seen")
    body = {"uids": [sop_uid(1, 1)], "label": "x"}
    everyday = client_of(empty_archive, Identity("everyday", EVERYDAY))
    assert everyday.patch(LABELS, json=body).status_code == 403
    client = client_of(empty_archive, limited("labeller", "label", "seen"))
    assert client.patch(LABELS, json=body).get_json()["changed"] == 1
    told = client.patch(LABELS, json=body | {"collection": "hidden"}).get_json()
    assert told["unknown"] == [sop_uid(1, 1)]
    numbers = empty_archive.client.get("/api/v1/collections").get_json()["collections"]
    assert [one["labels"] for one in numbers] == [{}, {"x": 1}]
    log = empty_archive.engine.audit_log
    records = [row.to_dict() for row in log.rows() if row.record.operation == "changeLabels"]
    assert [record["touched"] for record in records] == [[], [log.hashed("instance", sop_uid(1, 1))], []]


def test_the_notes_of_the_sites_file_are_given_as_it_is_now_and_a_bad_one_is_named(
    empty_archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    assert empty_archive.client.get(LABELS).get_json() == {"labels": []}
    path = empty_archive.engine.settings.label_notes_path
    path.write_text('[cyst]\nname = "Cyst"\ndifferential = ["Abscess"]')
    [note] = empty_archive.client.get(LABELS).get_json()["labels"]
    assert note == {"label": "cyst", "name": "Cyst", "differential": ["Abscess"], "note": None}
    path.write_text("[cyst]\nname = 1")
    assert empty_archive.client.get(LABELS).status_code == 503
    assert "'cyst' has 1 as name" in caplog.text
