"""Exact and fast searches by the API: what is asked for, and what an answer tells of it."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tests.phantoms import ct_file, series_uid, sop_uid
from tests.service.conftest import NODULE, Archive

IMAGE = "/api/v1/search/image"
REGION = "/api/v1/search/region"
BATCH = "/api/v1/search/batch"
UID = {"sop_instance_uid": sop_uid(1, 2)}
BOXED = UID | {"region": [50, 70, 20, 20]}
EXACT = {
    "made": "exact",
    "ranked_share": 1,
    "expected_recall": 1,
    "expected_recall_at_10": 1,
    "expected_recall_at_100": 1,
}


def asked(archive: Archive, route: str, **fields: Any) -> dict[str, Any]:
    answer = archive.client.post(route, json=fields)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.get_json()
    return told


@pytest.mark.parametrize(
    ("route", "fields"), [(IMAGE, UID), (REGION, BOXED), (IMAGE, UID | {"mode": "global"})]
)
@pytest.mark.parametrize("search", [{}, {"search": "exact"}, {"search": "fast"}])
def test_a_small_archive_is_searched_exactly_whatever_is_asked(
    archive: Archive, route: str, fields: dict[str, Any], search: dict[str, str]
) -> None:
    told = asked(archive, route, **fields, **search)
    assert told["search"] == EXACT
    assert told["hits"] == asked(archive, route, **fields)["hits"]


def test_a_form_asks_for_it_too(archive: Archive) -> None:
    def sent(search: str) -> Any:
        file = (io.BytesIO(ct_file(1, 2, NODULE)), "x.dcm")
        return archive.client.post(REGION, data={"file": file, "region": "50,70,20,20", "search": search})

    assert sent("exact").get_json()["search"] == EXACT
    refused = sent("quick")
    assert (refused.status_code, "search is 'quick'" in refused.get_json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    ("route", "fields", "said"),
    [
        (IMAGE, UID | {"search": None}, "search is null"),
        (REGION, BOXED | {"search": 1}, "search is 1"),
        (BATCH, {"queries": [UID], "search": "quick"}, "search is 'quick'"),
        ("/api/v1/exports", UID | {"search": "quick"}, "search is 'quick'"),
        ("/api/v1/search/series", {"series_uid": series_uid(1), "search": "exact"}, "search"),
    ],
)
def test_what_is_no_way_to_search_is_refused_by_name(
    archive: Archive, route: str, fields: dict[str, Any], said: str
) -> None:
    answer = archive.client.post(route, json=fields)
    assert answer.status_code in (400, 422)
    assert said in answer.get_json()["detail"]


def test_each_answer_of_a_batch_tells_it(archive: Archive) -> None:
    told = asked(archive, BATCH, queries=[UID, BOXED], search="exact")
    assert [item["answer"]["search"] for item in told["answers"]] == [EXACT, EXACT]
