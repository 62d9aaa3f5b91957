"""Pages of other origins: none but those that are named, with a key and never with the cookie."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hmar.config import Settings
from hmar.errors import ConfigError
from service.app import create_app
from tests.service.conftest import Archive, build_archive

SERIES = "/api/v1/series"
NAMED, OTHER = "https://pacs.example", "https://evil.example"
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return build_archive(tmp_path)


@pytest.fixture
def app(archive: Archive) -> Flask:
    archive.engine.settings = replace(archive.engine.settings, cors_origins=f"{NAMED},http://localhost:3000")
    return create_app(archive.engine)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.mark.parametrize("origin", [NAMED, "http://localhost:3000"])
def test_a_named_origin_may_ask_with_a_key(client: FlaskClient, archive: Archive, origin: str) -> None:
    asked = client.options(SERIES, headers={"Origin": origin, **ASKS})
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, origin)
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    answer = client.get(SERIES, headers={"Origin": origin, "Authorization": f"Bearer {archive.key}"})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, origin)
    assert "Origin" in answer.headers["Vary"]
    assert len(list(archive.engine.audit_log.rows())) == 1, "to ask whether one may ask is no access"
    refused = client.get(SERIES, headers={"Origin": origin})
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, origin)


def test_no_answer_allows_the_cookie_or_the_header_that_a_change_by_cookie_needs(client: FlaskClient) -> None:
    asked = client.options(SERIES, headers={"Origin": NAMED, **ASKS})
    assert "Access-Control-Allow-Credentials" not in asked.headers
    assert "X-HMAR-Page" not in asked.headers["Access-Control-Allow-Headers"]
    assert not any("*" in value for _, value in asked.headers)


@pytest.mark.parametrize(
    "origin", [OTHER, "null", f"{NAMED}.evil.example", "http://pacs.example", f"{NAMED}:8443", "*"]
)
def test_any_other_origin_is_told_nothing(client: FlaskClient, archive: Archive, origin: str) -> None:
    asked = client.options(SERIES, headers={"Origin": origin, **ASKS})
    assert asked.status_code == 401
    answer = client.get(SERIES, headers={"Origin": origin, "Authorization": f"Bearer {archive.key}"})
    assert answer.status_code == 200
    for given in (asked, answer):
        assert "Access-Control-Allow-Origin" not in given.headers
        assert "Origin" in given.headers["Vary"], "a cache must not mix the two"


def test_nobody_is_named_by_default(archive: Archive) -> None:
    answer = archive.client.get(SERIES, headers={"Origin": NAMED})
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert archive.stranger.options(SERIES, headers={"Origin": NAMED, **ASKS}).status_code == 401


@pytest.mark.parametrize(
    "value", ["*", "pacs.example", "https://pacs.example/", "https://PACS.example", "https://a.b/c", "null"]
)
def test_what_is_no_origin_is_refused_at_the_start(value: str) -> None:
    with pytest.raises(ConfigError, match="HMAR_CORS_ORIGINS"):
        Settings.from_environment({"HMAR_CORS_ORIGINS": value})
