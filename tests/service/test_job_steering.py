"""Jobs over HTTP: listed, cancelled, tried again, asked for twice; and how sent files are told apart."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from hmar.adapters.memory import InlineQueue
from hmar.values.entries import Origin
from hmar.values.identity import Identity, administrator
from hmar.values.jobs import Item, ItemState
from tests.phantoms import PATIENT_ID, ct_file
from tests.service.asking import client_of, limited
from tests.service.conftest import Archive

JOBS = "/api/v1/index-jobs"
KEY = {"Idempotency-Key": "0f8d9b1e-8d0f-4a5c-9d59-3c2f9a0b7c11"}


def idle(archive: Archive) -> InlineQueue:
    """Let no worker take messages."""
    queue = archive.engine.queue
    assert isinstance(queue, InlineQueue)
    queue.handler = None
    return queue


def files(*contents: bytes, **fields: str) -> dict[str, Any]:
    named = [(io.BytesIO(content), f"scans/{PATIENT_ID} {number}.dcm") for number, content in
             enumerate(contents)]  # fmt: skip
    return {"file": named, **fields}


def import_folder(archive: Archive) -> Path:
    folder = archive.engine.settings.import_root / "new"
    folder.mkdir(parents=True)
    return folder


def test_jobs_are_listed_newest_first_page_by_page_and_by_state_and_collection(
    empty_archive: Archive,
) -> None:
    idle(empty_archive)
    jobs, client = empty_archive.engine.jobs, empty_archive.client
    made = [jobs.create(name, Origin("import", "."), []) for name in ("a", "b", "a")]
    waiting = jobs.create("a", Origin("import", "."))
    first = client.get(f"{JOBS}?limit=3").get_json()
    rest = client.get(f"{JOBS}?limit=3&after={first['next_after']}").get_json()
    listed = [job["job_id"] for job in first["jobs"] + rest["jobs"]]
    assert (listed, rest["next_after"]) == ([waiting, *reversed(made)], None)
    assert "failed_items" not in first["jobs"][0]
    [job] = client.get(f"{JOBS}?state=queued").get_json()["jobs"]
    assert (job["job_id"], job["finished"]) == (waiting, False)
    assert [job["job_id"] for job in client.get(f"{JOBS}?collection=b").get_json()["jobs"]] == [made[1]]
    assert client.get(f"{JOBS}?after={'0' * 32}").status_code == 404
    for bad in ("state=lost", "limit=0", "limit=1001", "collection=%20", "page=2"):
        assert client.get(f"{JOBS}?{bad}").status_code == 422, bad


def test_jobs_of_other_collections_are_not_listed_nor_told_by_after(empty_archive: Archive) -> None:
    jobs = empty_archive.engine.jobs
    seen, hidden = (jobs.create(name, Origin("import", "."), []) for name in ("seen", "hidden"))
    client = client_of(empty_archive, limited("reader", "index", "seen"))
    assert [job["job_id"] for job in client.get(JOBS).get_json()["jobs"]] == [seen]
    assert client.get(f"{JOBS}?collection=hidden").get_json()["jobs"] == []
    assert client.get(f"{JOBS}?after={hidden}").status_code == 404


@pytest.mark.slow
def test_a_cancelled_job_indexes_nothing_and_keeps_no_file(empty_archive: Archive) -> None:
    queue = idle(empty_archive)
    client = empty_archive.client
    where = client.post(JOBS, data=files(ct_file(1, 1), ct_file(1, 2))).headers["Location"]
    job = client.post(f"{where}/cancel").get_json()
    assert (job["state"], job["finished"], job["counts"]["cancelled"]) == ("cancelled", True, 2)
    assert job["reason"] == "The job was cancelled."
    assert list(empty_archive.engine.uploads.references()) == []
    queue.handler = empty_archive.engine.indexer.handle
    queue.enqueue([])
    assert empty_archive.rows() == 0
    again = client.post(f"{where}/cancel").get_json()
    assert again == job


def test_a_file_in_hand_ends_after_its_job_was_cancelled(empty_archive: Archive) -> None:
    jobs, client = empty_archive.engine.jobs, empty_archive.client
    job_id = jobs.create("default", Origin("import", "."), ["a", "b"])
    [in_hand, _] = jobs.items(job_id, {ItemState.QUEUED}, 10)
    jobs.claim(in_hand.item_id, 60.0, 3)
    job = client.post(f"{JOBS}/{job_id}/cancel").get_json()
    assert (job["state"], job["finished"], job["counts"]["running"]) == ("cancelled", False, 1)
    jobs.finish(in_hand.item_id, ItemState.INDEXED, 1)
    job = client.get(f"{JOBS}/{job_id}").get_json()
    assert (job["state"], job["finished"], job["counts"]["indexed"]) == ("cancelled", True, 1)


def test_a_job_that_has_ended_is_not_cancelled(empty_archive: Archive) -> None:
    job_id = empty_archive.engine.jobs.create("default", Origin("import", "."), [])
    assert empty_archive.client.post(f"{JOBS}/{job_id}/cancel").get_json()["state"] == "done"


@pytest.mark.slow
def test_what_failed_of_a_folder_is_indexed_once_it_is_mended(empty_archive: Archive) -> None:
    client, folder = empty_archive.client, import_folder(empty_archive)
    (folder / "1.dcm").write_bytes(b"no image")
    (folder / "2.dcm").write_bytes(ct_file(1, 2))
    where = client.post(JOBS, json={"folder": "new"}).headers["Location"]
    (folder / "1.dcm").write_bytes(ct_file(1, 1))
    job = client.post(f"{where}/retry").get_json()
    assert (job["state"], job["finished"], job["counts"]["indexed"]) == ("done", True, 2)
    assert job["failed_items"] == []
    assert client.post(f"{where}/retry").get_json() == job, "nothing failed"


@pytest.mark.slow
def test_a_folder_that_was_missing_is_listed_by_a_retry(empty_archive: Archive) -> None:
    client = empty_archive.client
    where = client.post(JOBS, json={"folder": "new"}).headers["Location"]
    assert client.get(where).get_json()["state"] == "failed"
    (import_folder(empty_archive) / "1.dcm").write_bytes(ct_file(1, 1))
    job = client.post(f"{where}/retry").get_json()
    assert (job["state"], job["reason"], job["frames"]) == ("done", None, 1)


def test_sent_files_that_failed_are_to_be_sent_again(empty_archive: Archive) -> None:
    client = empty_archive.client
    where = client.post(JOBS, data=files(b"no image")).headers["Location"]
    answer = client.post(f"{where}/retry")
    problem = answer.get_json(force=True)
    assert (answer.status_code, problem["type"]) == (409, "/problems/conflict")
    assert "new job" in problem["remedy"]


@pytest.mark.parametrize("failed", [False, True])
def test_a_cancelled_job_is_not_tried_again_whether_or_not_anything_failed(
    empty_archive: Archive, failed: bool
) -> None:
    jobs, client = empty_archive.engine.jobs, empty_archive.client
    job_id = jobs.create("default", Origin("import", "new"))
    [first, _] = jobs.add_items(job_id, ["new/1.dcm", "new/2.dcm"])
    if failed:
        jobs.finish(first, ItemState.FAILED, 0, "no image")
    jobs.cancel(job_id)
    answer = client.post(f"{JOBS}/{job_id}/retry")
    assert (answer.status_code, answer.get_json(force=True)["type"]) == (409, "/problems/conflict")
    assert client.get(f"{JOBS}/{job_id}").get_json()["state"] == "cancelled"


def test_a_key_for_some_collections_may_not_have_a_folder_read_again(empty_archive: Archive) -> None:
    jobs = empty_archive.engine.jobs
    job_id = jobs.create("seen", Origin("import", "new"))
    jobs.fail_job(job_id, "no such folder")
    client = client_of(empty_archive, limited("reader", "index", "seen"))
    assert client.post(f"{JOBS}/{job_id}/retry").status_code == 403
    assert client.get(f"{JOBS}/{job_id}").get_json()["state"] == "failed"


@pytest.mark.parametrize("verb", ["cancel", "retry"])
def test_an_unknown_job_or_a_body_is_refused(empty_archive: Archive, verb: str) -> None:
    client = empty_archive.client
    assert client.post(f"{JOBS}/{'0' * 32}/{verb}").status_code == 404
    job_id = empty_archive.engine.jobs.create("default", Origin("import", "."), [])
    assert client.post(f"{JOBS}/{job_id}/{verb}", json={}).status_code == 400
    assert client.get(f"{JOBS}/{job_id}/{verb}").status_code == 405


@pytest.mark.slow
def test_the_same_request_again_is_the_same_job(empty_archive: Archive) -> None:
    client = empty_archive.client
    first = client.post(JOBS, data=files(ct_file(1, 1), label="x"), headers=KEY)
    again = client.post(JOBS, data=files(ct_file(1, 1), label="x"), headers=KEY)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.headers["Location"] == again.headers["Location"]
    assert first.get_json()["job_id"] == again.get_json()["job_id"]
    assert len(client.get(JOBS).get_json()["jobs"]) == 1
    without = client.post(JOBS, data=files(ct_file(1, 1), label="x"))
    assert (without.status_code, len(client.get(JOBS).get_json()["jobs"])) == (202, 2)


@pytest.mark.parametrize(
    "other",
    [
        {"json": {"folder": "new"}},
        {"data": files(b"another file")},
        {"data": files(b"no image", label="x")},
        {"data": files(b"no image", collection="other")},
        {"data": files(b"no image", keep_names="true")},
    ],
)
def test_another_request_with_the_same_key_is_a_conflict(
    empty_archive: Archive, other: dict[str, Any]
) -> None:
    client = empty_archive.client
    assert client.post(JOBS, data=files(b"no image"), headers=KEY).status_code == 202
    answer = client.post(JOBS, **other, headers=KEY)
    problem = answer.get_json(force=True)
    assert (answer.status_code, problem["type"]) == (409, "/problems/conflict")
    assert len(client.get(JOBS).get_json()["jobs"]) == 1


def test_the_keys_of_one_client_mean_nothing_for_another(empty_archive: Archive) -> None:
    made = [
        client_of(empty_archive, identity).post(JOBS, json={"folder": folder}, headers=KEY)
        for identity, folder in ((administrator("one"), "a"), (administrator("two"), "b"))
    ]
    assert [answer.status_code for answer in made] == [202, 202]


@pytest.mark.parametrize("key", ["", "a,b", "x" * 256, "with space", "\xe9"])
def test_a_key_that_cannot_be_used_is_refused_and_not_repeated(empty_archive: Archive, key: str) -> None:
    answer = empty_archive.client.post(JOBS, json={"folder": "a"}, headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    detail = answer.get_json(force=True)["detail"]
    assert "Idempotency-Key" in detail
    assert not key or key not in detail
    assert empty_archive.client.get(JOBS).get_json()["jobs"] == []


def sent_items(archive: Archive, where: str) -> list[tuple[int, str | None]]:
    listed = archive.client.get(f"{where}/items").get_json()["items"]
    return [(item["number"], item["name"]) for item in listed]


def test_a_sent_file_is_told_by_its_number_and_by_its_name_where_that_is_asked_for(
    empty_archive: Archive,
) -> None:
    client = empty_archive.client
    plain = client.post(JOBS, data=files(b"one", b"two"))
    assert sent_items(empty_archive, plain.headers["Location"]) == [(1, None), (2, None)]
    assert PATIENT_ID not in plain.text
    named = client.post(JOBS, data=files(b"one", b"two", keep_names="true"))
    expected = [(1, f"{PATIENT_ID} 0.dcm"), (2, f"{PATIENT_ID} 1.dcm")]
    assert sent_items(empty_archive, named.headers["Location"]) == expected
    assert [item["name"] for item in named.get_json()["failed_items"]] == [name for _, name in expected]
    assert client.post(JOBS, data=files(b"one", keep_names="yes")).status_code == 422


def test_names_are_not_logged(empty_archive: Archive, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    empty_archive.client.post(JOBS, data=files(b"one", keep_names="true"))
    assert PATIENT_ID not in caplog.text


def test_a_job_is_steered_by_who_may_index_alone(empty_archive: Archive) -> None:
    job_id = empty_archive.engine.jobs.create("default", Origin("import", "."), [])
    client = client_of(empty_archive, Identity("reader", frozenset({"search"})))
    for verb in ("cancel", "retry"):
        assert client.post(f"{JOBS}/{job_id}/{verb}").status_code == 403


def test_of_a_folder_there_are_neither_numbers_nor_names() -> None:
    item = Item(1, "j", "c", Origin("import", "a/b.dcm"), ItemState.FAILED, 1, 0, None)
    told = item.to_dict()
    assert (told["reference"], told["number"], told["name"]) == ("b.dcm", None, None)
