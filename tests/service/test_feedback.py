"""Judgements over HTTP: kept with who and when, listed page by page, and gone with their frames."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import pytest

from hmar.values.identity import EVERYDAY, Identity
from tests.phantoms import ct_file, sop_uid
from tests.service.asking import client_of, limited
from tests.service.conftest import Archive
from tests.service.test_deletions import upload

FEEDBACK = "/api/v1/feedback"
QUERY = {"sop_instance_uid": sop_uid(1, 1), "regions": [[50, 70, 20, 20.5]]}
GOOD = {"sop_instance_uid": sop_uid(1, 2), "box": [40, 60, 64, 64], "verdict": "relevant"}
BAD = {"sop_instance_uid": sop_uid(2, 1), "frame_number": 1, "verdict": "not_relevant"}


@pytest.fixture
def judged(empty_archive: Archive) -> Archive:
    upload(empty_archive, ct_file(1, 1), ct_file(1, 2), ct_file(2, 1))
    answer = empty_archive.client.post(FEEDBACK, json={"query": QUERY, "judgements": [GOOD, BAD]})
    assert answer.status_code == 200, answer.text
    assert answer.get_json()["kept"] == 2
    return empty_archive


def listed(archive: Archive, **query: Any) -> dict[str, Any]:
    return archive.client.get(FEEDBACK, query_string=query).get_json()


def test_what_was_said_is_listed_with_who_and_when_page_by_page(judged: Archive) -> None:
    first = listed(judged, limit=1)
    rest = listed(judged, after=first["next_after"])
    [good], [bad] = first["judgements"], rest["judgements"]
    assert good["query"] == {
        "sop_instance_uid": sop_uid(1, 1),
        "file_sha256": None,
        "frame_number": 1,
        "regions": [{"x": 50, "y": 70, "width": 20, "height": 20.5}],
    }
    assert (good["sop_instance_uid"], good["verdict"], good["actor"]) == (sop_uid(1, 2), "relevant", "tests")
    assert good["box"] == {"x": 40, "y": 60, "width": 64, "height": 64}
    assert (bad["verdict"], bad["box"], bad["topic"]) == ("not_relevant", None, good["topic"])
    assert abs(datetime.fromisoformat(good["at"]).timestamp() - time.time()) < 600
    assert listed(judged, after=rest["next_after"]) == {"judgements": [], "next_after": rest["next_after"]}


def test_a_query_by_a_file_is_kept_as_a_digest(judged: Archive) -> None:
    body = {"query": {"file_sha256": "0f" * 32}, "judgements": [GOOD]}
    assert judged.client.post(FEEDBACK, json=body).get_json()["kept"] == 1
    assert listed(judged)["judgements"][-1]["query"]["file_sha256"] == "0f" * 32


def test_deleting_a_study_takes_its_judgements(judged: Archive) -> None:
    body = {"level": "instance", "uid": sop_uid(1, 2)}
    assert judged.client.post("/api/v1/deletions", json=body).status_code == 200
    assert [one["sop_instance_uid"] for one in listed(judged)["judgements"]] == [sop_uid(2, 1)]
    body = {"level": "instance", "uid": sop_uid(1, 1)}
    assert judged.client.post("/api/v1/deletions", json=body).status_code == 200
    assert listed(judged)["judgements"] == []


def test_a_key_of_another_collection_is_given_nothing_and_names_nothing(judged: Archive) -> None:
    client = client_of(judged, limited("lung", "feedback", "lung"))
    assert client.get(FEEDBACK).get_json()["judgements"] == []
    answer = client.post(FEEDBACK, json={"query": QUERY, "judgements": [GOOD]})
    assert (answer.status_code, answer.get_json()["type"]) == (404, "/problems/not-found")


def test_an_everyday_key_neither_keeps_nor_reads_them(judged: Archive) -> None:
    client = client_of(judged, Identity("everyday", EVERYDAY))
    assert client.get(FEEDBACK).status_code == 403
    assert client.post(FEEDBACK, json={"query": QUERY, "judgements": [GOOD]}).status_code == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"query": {"sop_instance_uid": "1.2.9"}, "judgements": [GOOD]}, 404),
        ({"query": QUERY, "judgements": [GOOD | {"sop_instance_uid": "1.2.9"}]}, 404),
        ({"query": QUERY, "judgements": [GOOD | {"collection": "elsewhere"}]}, 404),
        ({"query": QUERY, "judgements": [GOOD | {"frame_number": 2}]}, 404),
        ({"query": QUERY, "judgements": []}, 422),
        ({"query": QUERY, "judgements": [GOOD] * 101}, 422),
        ({"query": QUERY, "judgements": [GOOD | {"verdict": "good"}]}, 422),
        ({"query": QUERY, "judgements": [GOOD | {"box": [1, 2, 3]}]}, 422),
        ({"query": QUERY, "judgements": [GOOD | {"comment": "x"}]}, 422),
        ({"query": {}, "judgements": [GOOD]}, 422),
        ({"query": QUERY | {"file_sha256": "0f" * 32}, "judgements": [GOOD]}, 422),
        ({"query": {"file_sha256": "0F" * 32}, "judgements": [GOOD]}, 422),
        ({"judgements": [GOOD]}, 422),
    ],
)
def test_what_cannot_be_kept_is_refused_as_a_whole(judged: Archive, body: Any, status: int) -> None:
    before = listed(judged)
    answer = judged.client.post(FEEDBACK, json=body)
    assert answer.status_code == status, answer.text
    assert answer.get_json()["remedy"]
    assert listed(judged) == before
