"""Tokens of the identity provider at the API, beside keys: who is let in, where, and what is recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from service.openapi.document import document
from tests.provider import AUDIENCE, ROLES, Provider, provided
from tests.service.conftest import SERIES as SERIES_COUNT
from tests.service.conftest import Archive, build_archive, fill
from tests.service.contract import SPEC
from tests.service.test_auth import SERIES

JOBS = "/api/v1/index-jobs"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with provided() as provider:
        yield provider


@pytest.fixture(scope="module")
def trusting(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """A filled archive that takes tokens of the provider."""
    return fill(build_trusting(provider, tmp_path_factory.mktemp("home")))


def build_trusting(provider: Provider, home: Path) -> Archive:
    roles = home / "roles.toml"
    roles.write_text(ROLES)
    return build_archive(
        home, oidc_issuer=provider.issuer, oidc_audience=AUDIENCE, oidc_roles_file=str(roles)
    )


def bearing(archive: Archive, token: str) -> FlaskClient:
    client = archive.stranger
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def last_access(archive: Archive) -> tuple[str, int]:
    record = list(archive.engine.audit_log.rows())[-1].record
    return record.actor, record.status


def test_a_token_lets_its_holder_in_and_the_audit_log_names_them(
    provider: Provider, trusting: Archive
) -> None:
    answer = bearing(trusting, provider.token()).get(SERIES)
    assert answer.status_code == 200
    assert len(answer.get_json()["series"]) == SERIES_COUNT
    assert last_access(trusting) == ("oidc anna", 200)


def test_collections_of_a_role_are_all_that_there_is(provider: Provider, trusting: Archive) -> None:
    trainee = bearing(trusting, provider.token(roles=["hmar-trainee"]))
    assert trainee.get(SERIES).get_json()["series"] == []


def test_a_change_by_a_token_needs_no_page(provider: Provider, trusting: Archive) -> None:
    admin = bearing(trusting, provider.token(roles=["Domain Admins"]))
    assert admin.post(JOBS, json={}).status_code == 422
    reader = bearing(trusting, provider.token()).post(JOBS, json={})
    assert reader.status_code == 403
    problem = reader.get_json(force=True)
    assert problem["detail"] == "This token lacks the scope 'index'."
    assert "HMAR_OIDC_ROLES_FILE" in problem["remedy"]


@pytest.mark.parametrize("path", [SERIES, "/openapi.json", "/"])
def test_without_a_role_the_answer_names_what_is_missing(
    provider: Provider, trusting: Archive, path: str
) -> None:
    answer = bearing(trusting, provider.token(roles=["nurse"])).get(path)
    assert answer.status_code == 403
    problem = answer.get_json(force=True)
    assert problem["type"] == "/problems/forbidden"
    assert "claim roles" in problem["detail"]
    assert "hmar-reader" in problem["remedy"]


def test_somebody_without_a_role_is_recorded_by_name(provider: Provider, trusting: Archive) -> None:
    bearing(trusting, provider.token(roles=[], preferred_username="ben")).get(SERIES)
    assert last_access(trusting) == ("oidc ben", 403)


def test_a_wrong_token_is_refused_as_a_wrong_key_is(provider: Provider, trusting: Archive) -> None:
    token = provider.token(exp=1, iat=0, nbf=0)
    answer = bearing(trusting, token).get(SERIES)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    problem = answer.get_json(force=True)
    assert (problem["type"], problem["detail"]) == (
        "/problems/not-authorised",
        "The token has expired (exp).",
    )
    assert last_access(trusting) == ("", 401)


def test_a_token_belongs_into_the_header_for_tokens(provider: Provider, trusting: Archive) -> None:
    answer = trusting.stranger.get(SERIES, headers={"X-API-Key": provider.token()})
    assert answer.status_code == 401
    two = trusting.stranger.get(
        SERIES, headers={"Authorization": f"Bearer {provider.token()}", "X-API-Key": trusting.key}
    )
    assert two.status_code == 400


def test_without_a_provider_a_token_is_a_wrong_key(provider: Provider, archive: Archive) -> None:
    assert bearing(archive, provider.token()).get(SERIES).status_code == 401


def test_while_the_provider_is_away_keys_work_and_tokens_are_told_so(
    provider: Provider, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    archive = build_trusting(provider, tmp_path)
    token = provider.token()
    provider.status = 502
    try:
        provider.asked.clear()
        assert archive.client.get(SERIES).status_code == 200
        assert provider.asked == [], "a key has nothing to do with it"
        answer = bearing(archive, token).get(SERIES)
    finally:
        provider.status = 200
    assert answer.status_code == 503
    problem = answer.get_json(force=True)
    assert problem["type"] == "/problems/identity-provider-unavailable"
    assert problem["detail"].startswith("The identity provider does not answer")
    assert answer.headers["Retry-After"]
    assert provider.issuer not in answer.text, "hosts are for the log"
    assert f"answers 502 at {provider.issuer}" in caplog.text
    assert token not in caplog.text


def test_the_description_names_the_provider_where_there_is_one(provider: Provider, trusting: Archive) -> None:
    described = document(trusting.app)
    validate(json.loads(json.dumps(described)))
    scheme = described["components"]["securitySchemes"]["token"]
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")
    assert provider.issuer in scheme["description"]
    assert {"token": ["search"]} in described["paths"][SERIES]["get"]["security"]
    assert {"token": []} in described["security"]
    assert "token" not in SPEC["components"]["securitySchemes"]
