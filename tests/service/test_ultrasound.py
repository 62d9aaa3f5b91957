"""Frames without pixel spacing, and several in one file, from upload to picture: an ultrasound loop."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from tests.hmar.dicom.build import image
from tests.service.conftest import Archive

FRAMES, ROWS, COLUMNS = 3, 120, 160
UID = "1.2.3.4.5"


@pytest.fixture
def loop(empty_archive: Archive) -> Archive:
    generator = np.random.default_rng(3)
    stored = generator.integers(30, 220, (FRAMES, ROWS, COLUMNS)).astype(np.uint8)
    for frame in stored:
        frame[40:70, 60:100] = 255
    data = image(stored, Modality="US", PixelSpacing=[0.3, 0.3])
    answer = empty_archive.client.post("/api/v1/index-jobs", data={"file": (io.BytesIO(data), "us.dcm")})
    assert answer.status_code == 202
    assert empty_archive.rows() == FRAMES
    return empty_archive


@pytest.mark.slow
def test_its_frames_are_listed_and_drawn_one_by_one_and_without_spacing(loop: Archive) -> None:
    [series] = loop.client.get("/api/v1/series").get_json()["series"]
    assert (series["modality"], series["frames"]) == ("US", FRAMES)
    frames = loop.client.get(f"/api/v1/series/{series['series_uid']}/frames").get_json()["frames"]
    assert [(one["frame_number"], one["spacing_mm"]) for one in frames] == [(n, None) for n in (1, 2, 3)]
    drawn = [loop.client.get(f"/api/v1/instances/{UID}/frames/{n}/image") for n in (1, 2, 3)]
    assert len({answer.data for answer in drawn}) == FRAMES
    assert all("X-HMAR-Spacing" not in answer.headers for answer in drawn)
    assert loop.client.get(f"/api/v1/instances/{UID}/frames/4/image").status_code == 404


@pytest.mark.slow
@pytest.mark.parametrize("route", ["image", "region"])
def test_its_hits_have_boxes_in_pixels_and_none_in_millimetres(loop: Archive, route: str) -> None:
    body: dict[str, Any] = {"sop_instance_uid": UID, "frame_number": 2}
    if route == "region":
        body["region"] = [60, 40, 40, 30]
    answer = loop.client.post(f"/api/v1/search/{route}", json=body).get_json()
    assert answer["query"]["spacing_mm"] is None
    assert answer["query"]["region_mm"] is None
    assert {hit["frame_number"] for hit in answer["hits"]} == {1, 3}
    for hit in answer["hits"]:
        box = hit["box"]
        assert hit["box_mm"] is None
        assert 0 <= box["x"] < box["x"] + box["width"] <= COLUMNS
        assert 0 <= box["y"] < box["y"] + box["height"] <= ROWS
