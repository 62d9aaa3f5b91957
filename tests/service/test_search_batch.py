"""Several searches in one request."""

from __future__ import annotations

from typing import Any

import pytest

from tests.phantoms import sop_uid
from tests.service.conftest import NODULE, Archive
from tests.service.contract import check

BATCH = "/api/v1/search/batch"
BOX = [NODULE[0] - 10, NODULE[1] - 10, 20, 20]


def uid(series: int, number: int = 2) -> dict[str, str]:
    return {"sop_instance_uid": sop_uid(series, number)}


def answers(archive: Archive, *queries: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    body = {"queries": list(queries)} | options
    check(body, "Batch")
    answer = archive.client.post(BATCH, json=body)
    assert answer.status_code == 200, answer.text
    found = answer.get_json()["answers"]
    assert all((one["answer"] is None) != (one["problem"] is None) for one in found)
    return list(found)


@pytest.mark.parametrize(
    "options", [{}, {"k": 3, "bits": 64, "group_by": "series", "exclude": {"same": "study"}}]
)
def test_each_query_is_answered_as_by_its_own_route(archive: Archive, options: dict[str, Any]) -> None:
    queries: list[dict[str, Any]] = [
        uid(1),
        uid(2) | {"region": BOX},
        uid(1) | {"regions": [BOX, [90, 90, 30, 30]]},
        uid(1),
    ]
    for query, found in zip(queries, answers(archive, *queries, **options), strict=True):
        route = "region" if {"region", "regions"} & set(query) else "image"
        alone = archive.client.post(f"/api/v1/search/{route}", json=query | options).get_json()
        assert found["answer"] | {"took_ms": 0} == alone | {"took_ms": 0}


def test_what_cannot_be_answered_is_a_problem_in_its_place(archive: Archive) -> None:
    found = answers(
        archive,
        uid(9),
        uid(1) | {"region": [180, 0, 20, 20]},
        uid(1) | {"frame_number": 7},
        uid(1) | {"region": BOX},
    )
    kinds = [None if one["problem"] is None else one["problem"]["type"] for one in found]
    assert kinds == ["/problems/not-found", "/problems/region-outside-image", "/problems/not-found", None]
    assert [one["problem"]["status"] for one in found[:2]] == [404, 422]
    assert "180,0,20,20" in found[1]["problem"]["detail"]
    assert found[3]["answer"]["hits"]


def test_each_query_leaves_out_its_own(archive: Archive) -> None:
    for query, found in zip([1, 2], answers(archive, uid(1), uid(2), k=100), strict=True):
        assert sop_uid(query, 2) not in {hit["sop_instance_uid"] for hit in found["answer"]["hits"]}


def test_the_most_queries_are_answered(archive: Archive) -> None:
    assert len(answers(archive, *[uid(1) | {"region": BOX}] * 32, k=1)) == 32


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"queries": []}, "queries is []"),
        ({"queries": [uid(1)] * 33}, "queries is [{"),
        ({"queries": uid(1)}, "queries is {"),
        ({"queries": None}, "queries is null"),
        ({"queries": [uid(1), {"frame_number": 1}]}, "queries.1.sop_instance_uid is None"),
        ({"queries": [uid(1) | {"region": [1, 2, 3]}]}, "queries.0.region is [1, 2, 3]"),
        ({"queries": [uid(1) | {"region": BOX, "regions": [BOX]}]}, "both given"),
        ({"queries": [uid(1) | {"k": 5}]}, "queries.0.'k'"),
        ({"queries": [uid(1) | {"regions": [BOX] * 13}] * 5}, "have 65 regions"),
        ({"k": 101}, "k is 101"),
        ({"k": 0}, "k is 0"),
        ({"limit": 5}, "no field 'limit'"),
        ({"cursor": "x"}, "no field 'cursor'"),
        ({"mode": "x"}, "mode is 'x'"),
        ({"filters": {"sex": "X"}}, "sex is 'X'"),
    ],
)
def test_bad_fields_are_refused_by_name(archive: Archive, fields: dict[str, Any], named: str) -> None:
    answer = archive.client.post(BATCH, json={"queries": [uid(1)]} | fields)
    assert answer.status_code == 422
    assert named in answer.get_json()["detail"]
