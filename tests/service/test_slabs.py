"""Slabs of thin slices over HTTP: what hits, collections and explanations tell."""

from __future__ import annotations

from typing import Any

import pytest

from tests.phantoms import ct_file, sop_uid
from tests.service.conftest import Archive
from tests.service.test_deletions import upload

SLICES = 4
REGION = [40, 60, 60, 60]


@pytest.fixture
def thin(empty_archive: Archive) -> Archive:
    """An archive of one series in which each two slices are a slab."""
    empty_archive.engine.slabs.change("default", 10.0)
    upload(empty_archive, *(ct_file(1, number) for number in range(1, SLICES + 1)))
    return empty_archive


def searched(archive: Archive, number: int, kind: str, **more: Any) -> list[dict[str, Any]]:
    asked = {"sop_instance_uid": sop_uid(1, number), **more}
    answer = archive.client.post(f"/api/v1/search/{kind}", json=asked)
    assert answer.status_code == 200, answer.text
    hits: list[dict[str, Any]] = answer.get_json()["hits"]
    return hits


@pytest.mark.slow
def test_every_slice_can_be_searched_with_and_each_slab_is_one_hit(thin: Archive) -> None:
    """The query's own slice is left out; 1 and 3 are the slices in the middle."""
    slabs = {1: [{3, 4}], 2: [{1}, {3, 4}], 3: [{1, 2}], 4: [{1, 2}, {3}]}
    for number, expected in slabs.items():
        hits = searched(thin, number, "region", region=REGION)
        assert [hit["slab"] for hit in hits] == [{"slab_mm": 10, "frames": 2}] * len(expected)
        found = [hit["instance_number"] for hit in hits]
        assert all(any(one in slab for one in found) for slab in expected)
        assert len(found) == len(expected)


@pytest.mark.slow
def test_whole_images_find_every_slice(thin: Archive) -> None:
    for number in range(1, SLICES + 1):
        hits = searched(thin, number, "image")
        assert {hit["instance_number"] for hit in hits} == {1, 2, 3, 4} - {number}
        distances = [hit["distance"] for hit in hits]
        assert distances == sorted(distances)


@pytest.mark.slow
def test_collections_tell_what_is_held_back(thin: Archive) -> None:
    thin.engine.searcher.refresh()
    [held] = thin.client.get("/api/v1/collections").get_json()["collections"]
    assert (held["frames"], held["held_back"], held["slab_mm"]) == (SLICES, 2, 10)
    assert held["windows"] == thin.engine.index.stats().windows


@pytest.mark.slow
def test_a_slice_that_is_held_back_is_explained(thin: Archive) -> None:
    thin.engine.searcher.refresh()
    for number in range(1, SLICES + 1):
        asked = {
            "sop_instance_uid": sop_uid(1, 1),
            "region": REGION,
            "hit": {"sop_instance_uid": sop_uid(1, number)},
        }
        told = thin.client.post("/api/v1/search/why", json=asked)
        assert told.status_code == 200, told.text
        assert told.get_json()["local"] is not None
