"""Index jobs over HTTP: taken, followed, and honest about what failed."""

from __future__ import annotations

import hashlib
import io

import pytest

from tests.phantoms import PATIENT_ID, ct_file, series_uid, sop_uid
from tests.service.conftest import Archive

JOBS = "/api/v1/index-jobs"


def parts(*contents: bytes) -> list[tuple[io.BytesIO, str]]:
    return [(io.BytesIO(content), f"{PATIENT_ID}-{number}.dcm") for number, content in enumerate(contents)]


@pytest.mark.slow
def test_uploaded_files_are_indexed_and_can_be_found_and_seen(empty_archive: Archive) -> None:
    client = empty_archive.client
    answer = client.post(JOBS, data={"file": parts(ct_file(1, 1), ct_file(1, 2))})
    assert answer.status_code == 202
    job = client.get(answer.headers["Location"]).get_json()
    assert (job["state"], job["finished"], job["total"], job["frames"]) == ("done", True, 2, 2)
    assert job["counts"]["indexed"] == 2
    assert job["collection"] == "default"
    found = client.post("/api/v1/search/image", json={"sop_instance_uid": sop_uid(1, 1)}).get_json()
    assert [hit["sop_instance_uid"] for hit in found["hits"]] == [sop_uid(1, 2)]
    picture = client.get(f"/api/v1/instances/{sop_uid(1, 2)}/frames/1/image")
    assert picture.status_code == 200


@pytest.mark.slow
def test_a_folder_below_the_import_folder_is_indexed_into_its_collection(empty_archive: Archive) -> None:
    folder = empty_archive.engine.settings.import_root / "new" / "deep"
    folder.mkdir(parents=True)
    (folder / "one").write_bytes(ct_file(1, 1))
    job = empty_archive.client.post(JOBS, json={"folder": "new", "collection": "trial-7"}).get_json()
    assert (job["state"], job["collection"], job["counts"]["indexed"]) == ("done", "trial-7", 1)
    series = empty_archive.client.get("/api/v1/series").get_json()["series"]
    assert [(one["series_uid"], one["collection"], one["frames"]) for one in series] == [
        (series_uid(1), "trial-7", 1)
    ]


@pytest.mark.slow
def test_one_bad_file_does_not_stop_a_job_and_keeps_its_reason(empty_archive: Archive) -> None:
    answer = empty_archive.client.post(JOBS, data={"file": parts(b"no image", ct_file(1, 1))})
    job = answer.get_json()
    assert (job["counts"]["indexed"], job["counts"]["failed"]) == (1, 1)
    (failed,) = job["failed_items"]
    assert failed["state"] == "failed"
    assert "8 bytes" in failed["reason"]
    assert "/" not in failed["reference"]
    assert PATIENT_ID not in answer.text


@pytest.mark.slow
def test_the_same_files_again_index_nothing(empty_archive: Archive) -> None:
    empty_archive.client.post(JOBS, data={"file": parts(ct_file(1, 1))})
    before = empty_archive.rows()
    job = empty_archive.client.post(JOBS, data={"file": parts(ct_file(1, 1))}).get_json()
    assert (job["counts"]["indexed"], job["counts"]["unchanged"]) == (0, 1)
    assert empty_archive.rows() == before


@pytest.mark.slow
def test_an_upload_is_kept_as_long_as_a_frame_comes_from_it(empty_archive: Archive) -> None:
    """Refused, and the same image in other bytes: their jobs end, and the files with them."""
    uploads = empty_archive.engine.settings.upload_root
    image = ct_file(1, 1)
    empty_archive.client.post(JOBS, data={"file": parts(b"no image", image)})
    kept = [path.name for path in uploads.rglob("*") if path.is_file() and path.name != ".lock"]
    assert kept == [hashlib.sha256(image).hexdigest()]
    again = empty_archive.client.post(JOBS, data={"file": parts(image + b"\0\0", image)}).get_json()
    assert again["counts"]["indexed"] == 0
    assert kept == [path.name for path in uploads.rglob("*") if path.is_file() and path.name != ".lock"]
    assert empty_archive.client.get(f"/api/v1/instances/{sop_uid(1, 1)}/frames/1/image").status_code == 200


@pytest.mark.slow
def test_items_come_page_by_page_and_by_state(empty_archive: Archive) -> None:
    contents = [ct_file(1, number) for number in range(1, 4)] + [b"no image"]
    client = empty_archive.client
    where = client.post(JOBS, data={"file": parts(*contents)}).headers["Location"]
    first = client.get(f"{where}/items?limit=3").get_json()
    rest = client.get(f"{where}/items?limit=3&after={first['next_after']}").get_json()
    ids = [item["item_id"] for item in first["items"] + rest["items"]]
    assert (len(ids), ids, rest["next_after"]) == (4, sorted(set(ids)), None)
    failed = client.get(f"{where}/items?state=failed").get_json()["items"]
    assert [item["state"] for item in failed] == ["failed"]
    assert client.get(f"{where}/items?state=lost").status_code == 422
    assert client.get(f"{where}/items?limit=0").status_code == 422


def test_an_unknown_job_is_not_found(empty_archive: Archive) -> None:
    for path in (f"{JOBS}/none", f"{JOBS}/none/items"):
        answer = empty_archive.client.get(path)
        assert (answer.status_code, answer.get_json(force=True)["type"]) == (404, "/problems/not-found")


@pytest.mark.slow
def test_a_folder_that_is_not_there_fails_the_job_with_a_reason(empty_archive: Archive) -> None:
    job = empty_archive.client.post(JOBS, json={"folder": "nowhere"}).get_json()
    assert (job["state"], job["finished"]) == ("failed", True)
    assert job["reason"]
    assert str(empty_archive.engine.settings.home) not in job["reason"]
