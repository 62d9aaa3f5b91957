"""Index jobs over a PACS, as the API takes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hmar.values.identity import Identity
from tests.pacs import Pacs
from tests.phantoms import ct_file, series_uid
from tests.service.conftest import Archive, build_archive

JOBS = "/api/v1/index-jobs"
FILES = [ct_file(series, number) for series in (1, 2) for number in range(1, 4)]


@pytest.fixture
def fed(tmp_path: Path) -> Iterator[Archive]:
    with Pacs.serving(FILES) as pacs:
        file = tmp_path / "pacs.toml"
        file.write_text(f'[main]\nroot = "{pacs.url}/dicom-web"')
        archive = build_archive(tmp_path / "home", pacs_file=str(file))
        yield archive
        archive.engine.close()


def test_what_is_wanted_of_a_pacs_is_indexed(fed: Archive) -> None:
    wanted = {"name": "main", "modality": "CT", "since": "2020-01-02", "until": "2020-01-31"}
    taken = fed.client.post(JOBS, json={"pacs": wanted, "label": "pulled"})
    assert taken.status_code == 202
    job = fed.client.get(taken.headers["Location"]).json
    assert (job["state"], job["frames"], job["label"]) == ("done", 3, "pulled")
    listed = fed.client.get("/api/v1/series").json["series"]
    assert [series["series_uid"] for series in listed] == [series_uid(2)]


def test_the_same_request_makes_one_job_and_another_pull_is_another(fed: Archive) -> None:
    def ask(wanted: dict[str, str]) -> int:
        headers = {"Idempotency-Key": "one"}
        return fed.client.post(JOBS, json={"pacs": wanted}, headers=headers).status_code

    assert [ask({"name": "main"}), ask({"name": "main"}), ask({"name": "main", "modality": "CT"})] == [
        202,
        200,
        409,
    ]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "neither folder nor pacs"),
        ({"folder": ".", "pacs": {"name": "main"}}, "both"),
        ({"pacs": {"modality": "CT"}}, "name"),
        ({"pacs": {"name": "main", "since": "yesterday"}}, "yesterday"),
        ({"pacs": {"name": "main", "since": 20260101}}, "20260101"),
        ({"pacs": {"name": "main", "since": "2026-02-01", "until": "2026-01-01"}}, "after the last"),
        ({"pacs": {"name": "main", "series_uid": "1.2.3"}}, "without its study"),
        ({"pacs": {"name": "main", "study_uid": "1/../2"}}, "study_uid"),
        ({"pacs": {"name": "main", "patient_id": "42"}}, "patient_id"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(body: dict[str, Any], said: str, fed: Archive) -> None:
    refused = fed.client.post(JOBS, json=body)
    assert refused.status_code == 422
    assert said in refused.json["detail"]
    assert fed.client.get(JOBS).json["jobs"] == []


def test_a_pacs_that_the_server_does_not_know_is_not_found(fed: Archive) -> None:
    refused = fed.client.post(JOBS, json={"pacs": {"name": "other"}})
    assert refused.status_code == 404
    assert "no PACS called 'other'" in refused.json["detail"]


def test_a_key_for_some_collections_may_not_pull(fed: Archive) -> None:
    key = fed.engine.keys.create(Identity("limited", frozenset({"index"}), frozenset({"teaching"})))
    client = fed.app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    refused = client.post(JOBS, json={"pacs": {"name": "main"}, "collection": "teaching"})
    assert refused.status_code == 403
