"""Why a frame is among the hits, over HTTP."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.phantoms import SIDE, sop_uid
from tests.service.conftest import NODULE, Archive

WHY = "/api/v1/search/why"
REGION = [NODULE[0] - 14, NODULE[1] - 14, 28, 28]


def asked(**changes: Any) -> dict[str, Any]:
    body = {
        "sop_instance_uid": sop_uid(1, 2),
        "region": REGION,
        "hit": {"sop_instance_uid": sop_uid(1, 3)},
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


@pytest.mark.parametrize("bits", [64, 128])
def test_a_hit_is_explained_by_the_window_that_was_found(archive: Archive, bits: int) -> None:
    said = archive.client.post(WHY, json=asked(bits=bits)).get_json()
    fields = {"sop_instance_uid": sop_uid(1, 2), "region": REGION, "k": 50, "bits": bits}
    hits = archive.client.post("/api/v1/search/region", json=fields).get_json()["hits"]
    [hit] = [hit for hit in hits if hit["sop_instance_uid"] == sop_uid(1, 3)]
    assert said["global"]["distance"] == hit["experts"]["global"]["distance"]
    assert said["global"]["score"] == hit["experts"]["global"]["score"]
    assert len(said["local"]["differing_bits"]) == said["local"]["distance"]
    assert max(said["local"]["differing_bits"]) < bits
    assert said["box"] == hit["box"]
    assert (said["hit_map"]["rows"], said["hit_map"]["columns"]) == (48, 48)
    values = np.array(said["hit_map"]["distances"], float)
    assert np.nanmin(values) == said["local"]["distance"]
    assert 0.5 < said["nearer_than"] <= 1


def test_a_whole_image_and_a_frame_with_itself(archive: Archive) -> None:
    said = archive.client.post(
        WHY, json=asked(region=None, hit={"sop_instance_uid": sop_uid(1, 2)})
    ).get_json()
    assert (said["global"]["distance"], said["global"]["differing_bits"]) == (0, [])
    assert "agree in 128 of 128 bits" in said["global"]["said"]


@pytest.mark.parametrize("of", ["hit", "query"])
def test_the_picture_is_the_frame_with_near_places_coloured(archive: Archive, of: str) -> None:
    answer = archive.client.post(f"{WHY}/image?of={of}", json=asked())
    assert answer.content_type == "image/png"
    with Image.open(io.BytesIO(answer.data)) as drawn:
        pixels = np.asarray(drawn).astype(int)
    assert pixels.shape == (SIDE, SIDE, 3)
    coloured = pixels[..., 0] - pixels[..., 2]
    at = coloured[int(NODULE[1]), int(NODULE[0])]
    assert at > 20
    assert at > np.median(coloured)


@pytest.mark.parametrize(
    ("change", "status", "problem"),
    [
        ({"hit": {"sop_instance_uid": "1.2.3"}}, 404, "not-found"),
        ({"sop_instance_uid": "1.2.3"}, 404, "not-found"),
        ({"hit": None}, 422, "parameter"),
        ({"region": [0, 0, 10_000, 10]}, 422, "region"),
        ({"bits": 65}, 422, "parameter"),
    ],
)
def test_what_cannot_be_explained_is_refused(
    archive: Archive, change: dict[str, Any], status: int, problem: str
) -> None:
    answer = archive.client.post(WHY, json=asked(**change))
    assert (answer.status_code, problem in answer.get_json()["type"]) == (status, True), answer.text
