"""Who is limited to collections sees nothing of others, whatever is asked: they do not exist."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from flask import g

from hmar.values.identity import Identity
from service.narrowed import NarrowedEngine
from tests.phantoms import PATIENT_ID, ROOT, ct_file, series_uid, sop_uid
from tests.service.asking import ASKS_PACS, REQUESTS, Target, client_of, needed_scope, operations
from tests.service.conftest import Archive, build_archive
from tests.service.test_deletions import OTHER_ID, of_patient, upload

OPEN, HIDDEN = "lung", "secret"
IMAGE = "/api/v1/search/image"
BOTH = 4
"""The series that is in both collections; 1 is in the open one alone, 2 and 3 in the hidden one."""
LISTS = (
    *("listSeries", "listPatients", "listStudies", "listCollections", "listIndexJobs", "listChanges"),
    "searchForStudies",
)
"""They answer with what is seen, whatever is asked."""
REFUSED = {
    *("readMetrics", "listModels", "reindexModel", "useModel"),
    *("listWebhooks", "addWebhook", "removeWebhook", "enableWebhook"),
    *("listBackups", "makeBackup", "readVerification", "verifyArchive", "listPacs"),
    *("listKeys", "makeKey", "revokeKey", "listAudit"),
}
"""They are of the whole archive, and refused to who is limited (their own tests say so)."""
SCOPED = sorted(name for name in REQUESTS if needed_scope(name) not in ("any", None) and name not in REFUSED)


def target(archive: Archive, series: int, collection: str) -> Target:
    job_id = upload(archive, ct_file(series, 5), collection=collection)
    return Target(f"{ROOT}.9{series}", series_uid(series), sop_uid(series, 1), job_id, collection)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An archive of two collections, one instance of which is in both."""
    archive = build_archive(tmp_path)
    upload(archive, ct_file(1, 1), ct_file(BOTH, 1), collection=OPEN)
    upload(archive, ct_file(2, 1), ct_file(3, 1), ct_file(BOTH, 1), ct_file(BOTH, 2), collection=HIDDEN)
    return archive


def one_who_sees(archive: Archive, *collections: str) -> Any:
    identity = Identity("-".join(collections), frozenset({"admin"}), frozenset(collections))
    return client_of(archive, identity)


WRITERS = ("createIndexJob", "storeInstances", "storeStudyInstances")
"""Those that name the collection that they write to."""
HIDDEN_MARKS = (series_uid(2), series_uid(3), f"{ROOT}.92", f"{ROOT}.93", HIDDEN)


@pytest.mark.slow
@pytest.mark.parametrize("operation_id", SCOPED)
def test_an_operation_tells_nothing_of_a_collection_that_is_not_seen(
    archive: Archive, operation_id: str
) -> None:
    """Asked for what is hidden it answers as if that were not there, and for the rest as if that were all."""
    hidden, there = target(archive, 2, HIDDEN), target(archive, 1, OPEN)
    before = archive.rows()
    with REQUESTS[operation_id].ask(one_who_sees(archive, OPEN), operation_id, hidden) as answer:
        if operation_id in (*LISTS, "renderFile", "readFilePixels"):
            assert answer.status_code == 200
        elif operation_id in WRITERS:
            assert (answer.status_code, OPEN in answer.get_json(force=True)["remedy"]) == (403, True)
        else:
            assert answer.status_code in (200, 204, 404)
            nowhere = Target("1.2.9", "1.2.9", "1.2.9", "0" * 32, "nowhere")
            other = REQUESTS[operation_id].ask(one_who_sees(archive, "nowhere"), operation_id, nowhere)
            assert answer.status_code == other.status_code
            assert told(answer, hidden) == told(other, nowhere), "it does not tell that there is something"
        if operation_id in LISTS:
            assert not any(mark in answer.text for mark in HIDDEN_MARKS)
    assert archive.rows() == before
    with REQUESTS[operation_id].ask(one_who_sees(archive, OPEN, "empty"), operation_id, there) as answer:
        assert answer.status_code in ((404,) if operation_id in ASKS_PACS else (200, 202))
        if answer.is_json:
            assert not any(mark in answer.text for mark in HIDDEN_MARKS), answer.text


def told(answer: Any, asked: Target) -> str:
    """Return an answer without what was asked for, how long it took, and which request it is of."""
    text = re.sub(r'"took_ms": ?[0-9.]+|"request_id": ?"\w+"', "", answer.text)
    for value in (asked.sop_instance_uid, asked.series_uid, asked.study_uid, asked.job_id):
        text = text.replace(value, "...")
    return str(text)


def test_every_operation_is_asked_for_what_is_hidden() -> None:
    scoped = {name for name in operations() if needed_scope(name) not in ("any", None)}
    assert set(SCOPED) | REFUSED == scoped


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["global", "local", "auto"])
@pytest.mark.parametrize("asked", [{}, {"collection": HIDDEN}, {"group_by": "patient"}, {"collection": OPEN}])
def test_a_search_ranks_and_counts_what_is_seen_alone(
    archive: Archive, mode: str, asked: dict[str, str]
) -> None:
    body = {"sop_instance_uid": sop_uid(1, 1), "k": 1000, "mode": mode, **asked}
    answer = one_who_sees(archive, OPEN).post(IMAGE, json=body).get_json()
    found = [(hit["sop_instance_uid"], hit["collection"]) for hit in answer["hits"]]
    expected = [] if asked.get("collection") == HIDDEN else [(sop_uid(BOTH, 1), OPEN)]
    assert (found, answer["searched_frames"]) == (expected, len(expected))


@pytest.mark.slow
def test_the_nearest_are_taken_of_what_is_seen(archive: Archive) -> None:
    """The hidden series are as near: k hits come back nevertheless."""
    for number in (1, 2, 3):
        upload(archive, ct_file(2, 10 + number), collection=HIDDEN)
    upload(archive, ct_file(5, 9), ct_file(5, 10), collection=OPEN)
    for k in (1, 2, 3):
        body = {"sop_instance_uid": sop_uid(1, 1), "k": k, "mode": "global"}
        hits = one_who_sees(archive, OPEN, f"x{k}").post(IMAGE, json=body).get_json()["hits"]
        assert [hit["collection"] for hit in hits] == [OPEN] * k


@pytest.mark.slow
def test_a_frame_of_two_collections_is_shown_through_the_one_that_is_seen(archive: Archive) -> None:
    both, hidden = sop_uid(BOTH, 1), sop_uid(BOTH, 2)
    client = one_who_sees(archive, OPEN)
    assert client.get(f"/api/v1/instances/{both}/frames/1/image").status_code == 200
    assert client.get(f"/api/v1/instances/{hidden}/frames/1/image").status_code == 404
    listed = client.get(f"/api/v1/series/{series_uid(BOTH)}/frames").get_json()
    assert listed["collection"] == OPEN
    assert [frame["sop_instance_uid"] for frame in listed["frames"]] == [both]
    frames = f"/api/v1/series/{series_uid(BOTH)}/frames?collection={HIDDEN}"
    assert client.get(frames).status_code == 404
    assert client.get(f"/api/v1/series?collection={HIDDEN}").get_json() == {"series": []}


@pytest.mark.slow
@pytest.mark.parametrize("collection", [{}, {"collection": None}])
def test_a_delete_takes_what_is_seen_and_leaves_the_rest_with_its_file(
    archive: Archive, collection: dict[str, None]
) -> None:
    client = one_who_sees(archive, OPEN)
    body = {"level": "study", "uid": f"{ROOT}.9{BOTH}", **collection}
    answer = client.post("/api/v1/deletions", json=body)
    assert (answer.status_code, answer.get_json()["frames"], answer.get_json()["instances"]) == (200, 1, 1)
    assert client.post("/api/v1/deletions", json=body).status_code == 404
    assert client.post("/api/v1/deletions", json=body | {"collection": HIDDEN}).status_code == 404
    assert (
        client.post("/api/v1/deletions", json={"level": "patient", "patient_id": PATIENT_ID}).status_code
        == 200
    )
    left = archive.client.get("/api/v1/series").get_json()["series"]
    assert [(one["collection"], one["frames"]) for one in left] == [(HIDDEN, 1), (HIDDEN, 1), (HIDDEN, 2)]
    assert archive.client.get(f"/api/v1/instances/{sop_uid(BOTH, 1)}/frames/1/image").status_code == 200


@pytest.mark.slow
def test_an_instance_of_two_collections_that_are_seen_counts_once(archive: Archive) -> None:
    client = one_who_sees(archive, OPEN, HIDDEN)
    body = {"level": "instance", "uid": sop_uid(BOTH, 1)}
    answer = client.post("/api/v1/deletions", json=body).get_json()
    assert (answer["frames"], answer["instances"]) == (2, 1)


@pytest.mark.slow
def test_a_folder_of_the_server_is_not_indexed_for_whom_is_limited(archive: Archive) -> None:
    client = one_who_sees(archive, OPEN)
    answer = client.post("/api/v1/index-jobs", json={"folder": ".", "collection": OPEN})
    assert answer.status_code == 403
    assert "Send the files" in answer.get_json(force=True)["remedy"]
    archive.engine.settings.import_root.mkdir(exist_ok=True)
    assert (
        archive.client.post("/api/v1/index-jobs", json={"folder": ".", "collection": OPEN}).status_code == 202
    )


def without_patient(file: bytes) -> bytes:
    return of_patient(file, "")


@pytest.mark.slow
def test_the_patient_of_a_hidden_instance_is_left_out_of_what_is_seen(archive: Archive) -> None:
    """The query names no patient. The archive knows him by a hidden file, and some of his frames are seen."""
    upload(
        archive, of_patient(ct_file(5, 1), OTHER_ID), of_patient(ct_file(6, 1), PATIENT_ID), collection=OPEN
    )
    query = without_patient(ct_file(2, 1))
    form = {
        "file": (io.BytesIO(query), "q.dcm"),
        "k": "100",
        "mode": "global",
        "exclude": '{"same": "patient"}',
    }
    answer = one_who_sees(archive, OPEN).post(IMAGE, data=form)
    assert answer.status_code == 200
    assert {hit["sop_instance_uid"] for hit in answer.get_json()["hits"]} == {sop_uid(5, 1)}


@pytest.mark.slow
def test_that_a_hidden_instance_has_a_patient_is_not_told_where_nothing_of_him_is_seen(
    archive: Archive,
) -> None:
    upload(archive, of_patient(ct_file(7, 1), OTHER_ID), collection=HIDDEN)
    client = one_who_sees(archive, OPEN)
    answers, nothing = [], Target("1.2.9", "1.2.9", "1.2.9", "0" * 32, "nowhere")
    for query in (without_patient(ct_file(7, 1)), without_patient(ct_file(8, 1))):
        form = {"file": (io.BytesIO(query), "q.dcm"), "exclude": '{"same": "patient"}'}
        answers.append(client.post(IMAGE, data=form))
    assert [answer.status_code for answer in answers] == [422, 422]
    assert told(answers[0], nothing) == told(answers[1], nothing)


def test_views_cannot_reach_keys_sessions_or_the_store_itself(archive: Archive) -> None:
    engine = NarrowedEngine(archive.engine, lambda: pytest.fail("no request"))
    for part in ("storage", "keys", "sessions"):
        with pytest.raises(TypeError):
            getattr(engine, part)


def test_outside_a_request_nothing_is_seen(archive: Archive) -> None:
    engine = NarrowedEngine(archive.engine, lambda: g.access)
    with archive.app.app_context(), pytest.raises(AttributeError, match="access"):
        engine.catalogue.series(engine.encoder.fingerprint)
