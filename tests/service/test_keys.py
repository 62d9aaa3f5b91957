"""Who asks is told, keys are made and revoked over HTTP, and the audit log is listed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hmar.values.audit import Accessed
from hmar.values.identity import EVERYDAY, PAGE_LOGIN, Identity
from service.auth import SESSION_HOURS
from tests.service.asking import client_of, limited
from tests.service.conftest import Archive, build_archive


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return build_archive(tmp_path)


def test_a_login_is_told_what_it_may_do_and_until_when(archive: Archive) -> None:
    client = archive.stranger
    login = Identity(f"{PAGE_LOGIN} anna", EVERYDAY, frozenset({"lung"}))
    client.post("/login", data={"token": archive.engine.keys.create_login(login, 60)})
    told = client.get("/api/v1/me").get_json()
    ends_at = datetime.fromisoformat(told.pop("expires_at"))
    assert told == {"name": "page login anna", "scopes": ["search", "index"], "collections": ["lung"]}
    left_h = (ends_at - datetime.now(UTC)).total_seconds() / 3600
    assert SESSION_HOURS - 0.1 < left_h <= SESSION_HOURS


def test_a_key_is_told_what_it_may_do_and_until_when(archive: Archive) -> None:
    client = archive.client
    assert client.get("/api/v1/me").get_json() == {
        "name": "tests",
        "scopes": ["admin"],
        "collections": None,
        "expires_at": None,
    }
    key = archive.engine.keys.create(limited("short", "search"), 3600.0)
    told = archive.stranger.get("/api/v1/me", headers={"X-API-Key": key}).get_json()
    assert told["expires_at"] == client.get("/api/v1/keys").get_json()["keys"][0]["expires_at"] is not None


def test_a_key_that_is_made_works_until_it_is_revoked_and_is_shown_once(archive: Archive) -> None:
    wanted = {"name": "study", "scopes": ["search"], "collections": ["lung"], "expires_in_days": 90}
    answer = archive.client.post("/api/v1/keys", json=wanted)
    made = answer.get_json()
    assert answer.status_code == 201
    assert (made["name"], made["scopes"], made["collections"]) == ("study", ["search"], ["lung"])
    header = {"Authorization": f"Bearer {made['key']}"}
    assert archive.stranger.get("/api/v1/series", headers=header).status_code == 200
    assert archive.stranger.get("/api/v1/index-jobs", headers=header).status_code == 403
    listed = archive.client.get("/api/v1/keys")
    assert [key["name"] for key in listed.get_json()["keys"]] == ["study", "tests"]
    assert made["key"] not in listed.text

    left = archive.client.delete("/api/v1/keys/study").get_json()["keys"]
    assert [key["name"] for key in left] == ["tests"]
    assert archive.stranger.get("/api/v1/series", headers=header).status_code == 401
    assert archive.client.delete("/api/v1/keys/study").status_code == 404


def test_a_key_of_nobody_s_wish_may_do_what_the_page_does_for_ever(archive: Archive) -> None:
    made = archive.client.post("/api/v1/keys", json={"name": "plain"}).get_json()
    assert (made["scopes"], made["collections"], made["expires_at"]) == (["search", "index"], None, None)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"name": "tests"}, "'tests'"),
        ({"name": "no spaces"}, "no spaces"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"collections": []}, "collections"),
        ({"expires_in_days": 0}, "expires_in_days"),
    ],
)
def test_a_key_that_means_nothing_is_refused(archive: Archive, more: dict[str, object], said: str) -> None:
    answer = archive.client.post("/api/v1/keys", json={"name": "new", **more})
    assert answer.status_code == 422
    assert said in answer.get_json()["detail"]
    assert len(archive.engine.keys.listed()) == 1


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "keys"), ("POST", "keys"), ("DELETE", "keys/tests"), ("GET", "audit")]
)
def test_a_key_for_some_collections_may_neither_see_keys_nor_the_audit_log(
    archive: Archive, method: str, path: str
) -> None:
    client = client_of(archive, limited("some", "admin", "lung"))
    body = {"json": {"name": "new"}} if method == "POST" else {}
    answer = client.open(f"/api/v1/{path}", method=method, **body)
    assert (answer.status_code, answer.get_json()["type"]) == (403, "/problems/forbidden")


def _accesses(archive: Archive) -> None:
    day_s = 86_400.0
    archive.engine.audit_log.append(
        [
            Accessed(day_s * number, name, "/x", "search", "anna", 200, "::1", frozenset({("study", "1.2")}))
            for number, name in enumerate(["listSeries", "delete", "listSeries", "readImage"], start=1)
        ]
    )


def test_the_audit_log_is_listed_newest_first_page_by_page(archive: Archive) -> None:
    _accesses(archive)
    first = archive.client.get("/api/v1/audit?limit=2").get_json()
    assert [row["operation"] for row in first["rows"]] == ["readImage", "listSeries"]
    second = archive.client.get(f"/api/v1/audit?limit=2&after={first['next_after']}").get_json()
    assert [row["seq"] for row in second["rows"]] == [2, 1]
    assert "study:" not in str(first), "whose data it was is a number alone"
    assert first["rows"][0] == {
        "seq": 4,
        "at": "1970-01-05T00:00:00.000+00:00",
        "operation": "readImage",
        "route": "/x",
        "scope": "search",
        "actor": "anna",
        "status": 200,
        "address": "::1",
        "touched_count": 1,
    }


def test_the_audit_log_is_listed_by_operation_and_by_day(archive: Archive) -> None:
    _accesses(archive)
    listed = archive.client.get("/api/v1/audit?operation=listSeries").get_json()
    assert [row["seq"] for row in listed["rows"]] == [3, 1]
    assert listed["next_after"] is None
    listed = archive.client.get("/api/v1/audit?day=1970-01-03").get_json()
    assert [row["seq"] for row in listed["rows"]] == [2]


def test_the_last_day_that_there_is_has_an_end(archive: Archive) -> None:
    for day in ("0001-01-01", "9999-12-31"):
        assert archive.client.get(f"/api/v1/audit?day={day}").get_json()["rows"] == []
