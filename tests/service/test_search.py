"""Searching over HTTP: a file or a UID in, ranked hits with boxes out."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from hmar.values.geometry import Spacing
from tests.phantoms import PATIENT_ID, PATIENT_NAME, SPACING_MM, ct_file, series_uid, sop_uid
from tests.service.conftest import FRAMES, NODULE, SLICES, Archive

REGION = [NODULE[0] - 14, NODULE[1] - 14, 28, 28]


def by_uid(archive: Archive, route: str, **fields: Any) -> dict[str, Any]:
    body = {"sop_instance_uid": sop_uid(1, 2)} | fields
    answer = archive.client.post(f"/api/v1/search/{route}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def by_file(archive: Archive, route: str, data: bytes, **fields: str) -> dict[str, Any]:
    body = {"file": (io.BytesIO(data), "a.dcm")} | fields
    answer = archive.client.post(f"/api/v1/search/{route}", data=body)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


@pytest.mark.slow
def test_a_region_of_an_indexed_frame_finds_the_same_nodule_in_other_slices_first(archive: Archive) -> None:
    answer = by_uid(archive, "region", region=REGION, k=SLICES - 1)
    assert [hit["series_uid"] for hit in answer["hits"]] == [series_uid(1)] * (SLICES - 1)
    for hit in answer["hits"]:
        box = hit["box"]
        assert abs(box["x"] + box["width"] / 2 - NODULE[0]) * SPACING_MM < 25
        assert abs(box["y"] + box["height"] / 2 - NODULE[1]) * SPACING_MM < 25
        assert hit["box_mm"]["width"] == pytest.approx(box["width"] * SPACING_MM, abs=1e-4)


@pytest.mark.parametrize("route", ["image", "region"])
def test_an_indexed_query_frame_is_not_among_its_own_hits(archive: Archive, route: str) -> None:
    fields = {"region": REGION} if route == "region" else {}
    answer = by_uid(archive, route, k=1000, **fields)
    assert sop_uid(1, 2) not in {hit["sop_instance_uid"] for hit in answer["hits"]}
    assert len(answer["hits"]) == answer["searched_frames"] == FRAMES - 1


def test_an_uploaded_copy_of_an_indexed_frame_finds_it_at_distance_zero(archive: Archive) -> None:
    answer = by_file(archive, "image", ct_file(1, 2, NODULE), mode="global")
    assert answer["hits"][0]["sop_instance_uid"] == sop_uid(1, 2)
    assert answer["hits"][0]["distance"] == 0
    assert answer["searched_frames"] == FRAMES


def test_a_file_and_its_uid_give_the_same_hits_besides_the_file_itself(archive: Archive) -> None:
    region = ",".join(str(number) for number in REGION)
    uploaded = by_file(archive, "region", ct_file(1, 2, NODULE), region=region, k="1000")
    named = by_uid(archive, "region", region=REGION, k=1000)
    others = [hit for hit in uploaded["hits"] if hit["sop_instance_uid"] != sop_uid(1, 2)]
    assert [hit | {"rank": 0} for hit in others] == [hit | {"rank": 0} for hit in named["hits"]]


def test_the_mode_is_local_for_a_region_and_auto_for_an_image_unless_given(archive: Archive) -> None:
    assert by_uid(archive, "region", region=REGION)["mode"] == "local"
    assert by_uid(archive, "image")["mode"] == "auto"
    assert by_uid(archive, "image", mode="global")["mode"] == "global"


@pytest.mark.parametrize("bits", [64, 128])
def test_the_distance_that_ranks_is_the_one_of_the_mode_at_the_bits_asked_for(
    archive: Archive, bits: int
) -> None:
    for mode in ("global", "local"):
        hits = by_uid(archive, "region", region=REGION, mode=mode, bits=bits)["hits"]
        assert [hit["rank"] for hit in hits] == list(range(1, len(hits) + 1))
        distances = [hit["distance"] for hit in hits]
        assert distances == sorted(distances)
        for hit in hits:
            expert = hit["experts"][mode]
            assert hit["bits"] == bits
            assert hit["distance"] == expert["distance"]
            # A local distance is a mean over the views of the region.
            assert mode == "local" or isinstance(hit["distance"], int)
            assert expert["score"] == pytest.approx(1 - expert["distance"] / bits, abs=1e-6)


def test_auto_weighs_both_distances_by_the_gate_that_the_answer_shows(archive: Archive) -> None:
    answer = by_uid(archive, "region", region=REGION, mode="auto")
    for hit in answer["hits"]:
        gate, experts = hit["gate"], hit["experts"]
        fused = sum(gate[name] * experts[name]["distance"] for name in ("global", "local"))
        assert hit["distance"] == pytest.approx(fused, abs=1e-4)
        assert gate == answer["query"]["gate"]


def test_the_answer_tells_the_geometry_of_the_query(archive: Archive) -> None:
    query = by_uid(archive, "region", region=[10.5, 20, 30, 40.25])["query"]
    assert query["region"] == {"x": 10.5, "y": 20, "width": 30, "height": 40.25}
    assert query["region_mm"]["x"] == pytest.approx(10.5 * SPACING_MM)
    assert query["spacing_mm"] == list(Spacing(SPACING_MM, SPACING_MM))


def test_a_collection_limits_the_hits_and_the_count(archive: Archive) -> None:
    assert by_uid(archive, "image", collection="default", k=1000)["searched_frames"] == FRAMES - 1
    nothing = by_uid(archive, "image", collection="elsewhere")
    assert nothing["hits"] == []
    assert nothing["searched_frames"] == 0
    assert nothing["query"]["gate"] is None


def test_no_answer_holds_a_patient_a_path_or_a_source(archive: Archive) -> None:
    text = json.dumps(by_uid(archive, "image", k=1000))
    root = str(archive.engine.settings.home)
    for secret in (PATIENT_NAME, PATIENT_ID, "19700101", root, "chest/", ".dcm", "origin", "NaN"):
        assert secret not in text
