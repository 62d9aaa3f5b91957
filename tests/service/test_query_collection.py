"""An instance that two collections hold with other pixels: the query is the image of the collection named."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest

import hmar
from tests.hmar.client.conftest import Served, serve
from tests.phantoms import ct_file, series_uid, sop_uid
from tests.service.conftest import Archive, build_archive
from tests.service.test_deletions import upload

TWICE = sop_uid(1, 1)
"""In "first" it is an image of series 1, in "second" a copy of one of series 2."""
PATTERN = sop_uid(2, 3)
QUERY = {"sop_instance_uid": TWICE}


def renamed(file: bytes, uid: str) -> bytes:
    dataset, written = pydicom.dcmread(io.BytesIO(file)), io.BytesIO()
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid
    dataset.SeriesInstanceUID = series_uid(1)
    dataset.save_as(written)
    return written.getvalue()


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    archive = build_archive(tmp_path)
    upload(archive, ct_file(1, 1), collection="first")
    upload(archive, ct_file(2, 3), renamed(ct_file(2, 3), TWICE), collection="second")
    yield archive
    archive.engine.close()


def nearest(answer: Any) -> tuple[str, bool]:
    hit = answer["hits"][0]
    return hit["sop_instance_uid"], hit["distance"] == 0


def test_a_search_is_with_the_image_of_the_collection_named(archive: Archive) -> None:
    def searched(**more: str) -> Any:
        return archive.client.post("/api/v1/search/image", json=QUERY | more).json

    assert nearest(searched(query_collection="second")) == (PATTERN, True)
    assert nearest(searched(query_collection="first")) == (PATTERN, False)
    assert searched()["hits"] == searched(query_collection="first")["hits"]
    # An instance is not among its own hits, whatever a collection holds under its UID.
    assert len(searched(query_collection="second")["hits"]) == 1


def test_a_region_is_one_of_that_image(archive: Archive) -> None:
    def distance(collection: str) -> float:
        fields = QUERY | {"region": [60, 60, 40, 40], "query_collection": collection}
        [hit] = archive.client.post("/api/v1/search/region", json=fields).json["hits"]
        return float(hit["distance"])

    assert distance("second") < distance("first")


def test_a_batch_has_the_same_frame_of_both(archive: Archive) -> None:
    queries = [{**QUERY, "query_collection": name} for name in ("first", "second")]
    answers = archive.client.post("/api/v1/search/batch", json={"queries": queries}).json["answers"]
    assert [nearest(each["answer"]) for each in answers] == [(PATTERN, False), (PATTERN, True)]


def test_a_hit_is_explained_by_the_images_of_the_collections_named(archive: Archive) -> None:
    def distance(query: str, found: str) -> int:
        fields = {**QUERY, "query_collection": query, "hit": {**QUERY, "collection": found}}
        said: int = archive.client.post("/api/v1/search/why", json=fields).json["global"]["distance"]
        return said

    assert (distance("first", "first"), distance("second", "second")) == (0, 0)
    assert distance("first", "second") == distance("second", "first") > 0


def test_documents_tell_the_study_of_the_image_that_was_searched_with(archive: Archive) -> None:
    def study(collection: str) -> str:
        fields = QUERY | {"query_collection": collection, "kinds": ["picture"]}
        data = archive.client.post("/api/v1/exports", json=fields).data
        with zipfile.ZipFile(io.BytesIO(data)) as documents:
            [name] = documents.namelist()
            uid = pydicom.dcmread(io.BytesIO(documents.read(name))).StudyInstanceUID
        return str(uid)

    assert study("first") == str(pydicom.dcmread(io.BytesIO(ct_file(1, 1))).StudyInstanceUID)
    assert study("second") == str(pydicom.dcmread(io.BytesIO(ct_file(2, 3))).StudyInstanceUID)


def test_a_collection_that_does_not_hold_it_is_named_in_the_error(archive: Archive) -> None:
    wrong = QUERY | {"query_collection": "third"}
    for path, fields in (
        ("search/image", wrong),
        ("exports", wrong),
        ("search/why", wrong | {"hit": QUERY}),
        ("search/why", QUERY | {"hit": QUERY | {"collection": "third"}}),
    ):
        answer = archive.client.post(f"/api/v1/{path}", json=fields)
        assert (answer.status_code, "third" in answer.json["detail"]) == (404, True)


@pytest.fixture
def served(archive: Archive) -> Iterator[Served]:
    yield from serve(archive)


@pytest.mark.slow
def test_what_is_listed_or_was_found_in_a_collection_is_searched_with_and_shown_from_there(
    served: Served,
) -> None:
    with served.client() as client:
        [first], [second] = (client.instance(TWICE, name) for name in ("first", "second"))
        assert [client.search(entry)[0].distance == 0 for entry in (first, second)] == [False, True]
        assert client.search(hmar.IndexedFrame(TWICE))[0].distance > 0
        assert [each[0].distance == 0 for each in client.search_batch([(first, None), (second, None)])] == [
            False,
            True,
        ]
        assert client.why(second, second).whole.distance == 0
        assert client.why(second, first).whole.distance > 0
        [pattern] = client.instance(PATTERN)
        assert client.picture(second) == client.picture(pattern) != client.picture(first)
        assert (client.pixels(second).values == client.pixels(pattern).values).all()
        assert client.picture_url(second).endswith("/image?collection=second")
