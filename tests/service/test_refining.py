"""Searching again, with hits that were judged."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tests.phantoms import ct_file, sop_uid
from tests.service.conftest import FRAMES, NODULE, Archive, build_archive, fill

QUERY = {"sop_instance_uid": sop_uid(1, 2), "region": [46, 70, 28, 28], "k": 1000}


def asked(archive: Archive, route: str = "region", **fields: Any) -> dict[str, Any]:
    answer = archive.client.post(f"/api/v1/search/{route}", json=fields)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def problem(archive: Archive, **fields: Any) -> tuple[int, str]:
    answer = archive.client.post("/api/v1/search/region", json=QUERY | fields)
    return answer.status_code, answer.get_json()["detail"]


def frames(hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: hit[name] for name in ("sop_instance_uid", "frame_number")} for hit in hits]


def uids(answer: dict[str, Any]) -> list[str]:
    return [hit["sop_instance_uid"] for hit in answer["hits"]]


def test_a_search_without_judged_hits_says_that_it_was_not_refined(archive: Archive) -> None:
    assert asked(archive, **QUERY)["refined"] is None


def test_hits_that_were_judged_relevant_come_nearer(archive: Archive) -> None:
    first = asked(archive, **QUERY)
    last = first["hits"][-1]
    again = asked(archive, **QUERY, relevant=frames([last]))
    assert again["refined"] == {"relevant": 1, "not_relevant": 0}
    assert again["hits"][0]["sop_instance_uid"] == last["sop_instance_uid"]
    assert sorted(uids(again)) == sorted(uids(first))
    assert again["searched_frames"] == first["searched_frames"] == FRAMES - 1


def test_a_hit_that_was_judged_not_relevant_goes_back(archive: Archive) -> None:
    first = asked(archive, **QUERY)
    good, bad = frames(first["hits"][1:2]), frames(first["hits"][:1])
    again = asked(archive, **QUERY, relevant=good, not_relevant=bad)
    assert again["refined"] == {"relevant": 1, "not_relevant": 1}
    assert uids(again).index(bad[0]["sop_instance_uid"]) > uids(again).index(good[0]["sop_instance_uid"])


@pytest.mark.parametrize("mode", ["global", "local", "auto"])
def test_distances_ascend_within_the_bits_and_are_told_as_they_rank(archive: Archive, mode: str) -> None:
    judged = frames(asked(archive, **QUERY)["hits"])
    again = asked(archive, **QUERY, mode=mode, bits=64, relevant=judged[:2], not_relevant=judged[-2:])
    distances = [hit["distance"] for hit in again["hits"]]
    assert distances == sorted(distances)
    assert 0 <= distances[0] <= distances[-1] <= 64
    if mode != "auto":
        assert distances == [hit["experts"][mode]["distance"] for hit in again["hits"]]


def test_filters_exclusions_and_groups_hold(archive: Archive) -> None:
    judged = frames(asked(archive, **QUERY)["hits"][:2])
    again = asked(archive, **QUERY, relevant=judged, exclude={"same": "series"}, group_by="series")
    series = [hit["series_uid"] for hit in again["hits"]]
    assert len(series) == len(set(series)) == 2


def test_pages_together_are_the_answer_at_once_and_a_cursor_is_of_what_was_judged(archive: Archive) -> None:
    judged = {"relevant": frames(asked(archive, **QUERY)["hits"][4:6])}
    whole = asked(archive, **QUERY, **judged)["hits"]
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while cursor.get("cursor", "") is not None:
        page = asked(archive, **QUERY, **judged, limit=4, **cursor)
        found, cursor = found + page["hits"], {"cursor": page["next"]}
    assert found == whole
    begun = asked(archive, **QUERY, **judged, limit=4)["next"]
    answer = archive.client.post("/api/v1/search/region", json=QUERY | {"limit": 4, "cursor": begun})
    assert answer.get_json()["type"] == "/problems/cursor-not-usable"


def test_a_form_has_them_as_json(archive: Archive) -> None:
    judged = frames(asked(archive, **QUERY)["hits"][:1])
    body = {"file": (io.BytesIO(ct_file(1, 2, NODULE)), "a.dcm"), "relevant": json.dumps(judged)}
    answer = archive.client.post("/api/v1/search/image", data=body)
    assert answer.get_json()["refined"] == {"relevant": 1, "not_relevant": 0}


def test_what_cannot_be_used_is_named(archive: Archive) -> None:
    frame = {"sop_instance_uid": sop_uid(1, 1)}
    assert problem(archive, relevant=[{"sop_instance_uid": "1.2.3.4"}]) == (
        404,
        "The judged frame 1 of instance '1.2.3.4' is not indexed.",
    )
    assert problem(archive, relevant=[frame | {"frame_number": 2}])[0] == 404
    status, detail = problem(archive, relevant=[frame], not_relevant=[frame])
    assert (status, detail) == (422, f"Frame 1 of instance '{sop_uid(1, 1)}' is judged twice.")
    for unusable in ([], "x", [1], [{}], [frame | {"box": 1}], [frame] * 101, None):
        assert problem(archive, relevant=unusable)[0] == 422


def test_the_answer_is_the_same_in_every_process(archive: Archive, tmp_path: Any) -> None:
    judged = frames(asked(archive, **QUERY)["hits"])
    fields = QUERY | {"mode": "auto", "relevant": judged[:3], "not_relevant": judged[3:]}
    other = fill(build_archive(tmp_path))
    assert asked(other, **fields)["hits"] == asked(archive, **fields)["hits"]
