"""Searching with a series or study over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.phantoms import PATIENT_ID, ROOT, series_uid, sop_uid
from tests.service.conftest import FRAMES, SLICES, Archive
from tests.service.contract import check

SERIES = "/api/v1/search/series"
STUDY = "/api/v1/search/study"


def study_uid(series: int) -> str:
    return f"{ROOT}.9{series}"


def found(archive: Archive, route: str = SERIES, **fields: Any) -> dict[str, Any]:
    """Search with series 1, or its study."""
    own = {"series_uid": series_uid(1)} if route == SERIES else {"study_uid": study_uid(1)}
    body = own | fields
    check(body, "SeriesQuery" if route == SERIES else "StudyQuery")
    answer = archive.client.post(route, json=body)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


@pytest.mark.parametrize("mode", ["global", "local"])
@pytest.mark.parametrize("route", [SERIES, STUDY])
def test_the_other_series_or_studies_are_ranked_with_the_pairs_that_carried_them(
    archive: Archive, route: str, mode: str
) -> None:
    answer = found(archive, route, mode=mode)
    assert (answer["searched_frames"], answer["mode"]) == (FRAMES - SLICES, mode)
    assert answer["query"]["frames"] == answer["query"]["compared_frames"] == SLICES
    hits = answer["hits"]
    assert {hit["study_uid"] for hit in hits} == {study_uid(2), study_uid(3)}
    assert [hit["rank"] for hit in hits] == [1, 2]
    assert hits[0]["distance"] <= hits[1]["distance"]
    for hit in hits:
        asked = [pair["query"]["sop_instance_uid"] for pair in hit["pairs"]]
        assert sorted(asked) == [sop_uid(1, number) for number in range(1, SLICES + 1)]
        assert {pair["found"]["series_uid"] for pair in hit["pairs"]} <= {series_uid(2), series_uid(3)}
        distances = [pair["distance"] for pair in hit["pairs"]]
        assert hit["distance"] == pytest.approx(sum(distances) / SLICES, abs=1e-5)
        assert hit["score"] == pytest.approx(1 - hit["distance"] / 128, abs=1e-5)
        assert hit["frames"] == SLICES
        assert (hit["series_uid"] is None) == (route == STUDY)
        assert hit["sex"] in ("O", "M")


def test_windows_are_compared_unless_asked_otherwise_and_frames_by_mean_codes(archive: Archive) -> None:
    assert found(archive)["mode"] == "local"
    assert found(archive)["hits"] == found(archive, mode="local")["hits"]
    assert found(archive, aggregation="mean")["mode"] == "global"


def test_mean_codes_have_no_pairs(archive: Archive) -> None:
    answer = found(archive, aggregation="mean", k=1)
    [hit] = answer["hits"]
    assert (hit["pairs"], answer["aggregation"]) == ([], "mean")


def test_filters_and_exclusions_limit_what_is_found(archive: Archive) -> None:
    assert [hit["sex"] for hit in found(archive, filters={"sex": "M"})["hits"]] == ["M"]
    assert len(found(archive, exclude={"same": "study"})["hits"]) == 2
    nothing = found(archive, exclude={"same": "patient"})
    assert (nothing["hits"], nothing["searched_frames"]) == ([], 0)
    assert found(archive, collection="elsewhere")["hits"] == []


def test_no_answer_holds_a_patient_or_a_path(archive: Archive) -> None:
    text = json.dumps([found(archive), found(archive, STUDY)])
    for secret in (PATIENT_ID, "chest/", ".dcm", "origin"):
        assert secret not in text


@pytest.mark.parametrize("route", [SERIES, STUDY])
def test_what_is_not_indexed_is_not_found(archive: Archive, route: str) -> None:
    field = "series_uid" if route == SERIES else "study_uid"
    answer = archive.client.post(route, json={field: "1.2.3"})
    assert (answer.status_code, answer.get_json()["type"]) == (404, "/problems/not-found")
    assert "'1.2.3' is not indexed" in answer.get_json()["detail"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"series_uid": 7}, "series_uid is 7"),
        ({"series_uid": "1" * 65}, "series_uid is"),
        ({"k": 1001}, "k is 1001"),
        ({"mode": "auto"}, "mode is 'auto'"),
        ({"bits": 32}, "bits is 32"),
        ({"aggregation": "max"}, "aggregation is 'max'"),
        ({"aggregation": "mean", "mode": "local"}, "mode is 'local'"),
        ({"group_by": "series"}, "no field 'group_by'"),
        ({"filters": {"sex": "X"}}, "sex is 'X'"),
        ({"study_uid": "1.2"}, "no field 'study_uid'"),
    ],
)
def test_bad_fields_are_refused_by_name(archive: Archive, fields: dict[str, Any], named: str) -> None:
    answer = archive.client.post(SERIES, json={"series_uid": series_uid(1)} | fields)
    assert answer.status_code == 422
    assert named in answer.get_json()["detail"]


def test_a_search_without_a_key_is_refused(archive: Archive) -> None:
    assert archive.stranger.post(SERIES, json={"series_uid": series_uid(1)}).status_code == 401
