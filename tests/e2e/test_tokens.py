"""The web server as a process, with tokens of an identity provider that is asked over the network."""

from __future__ import annotations

import http.client
import json
import signal
from pathlib import Path

import pytest

from service.edge.body import UNASKED_BYTES
from tests.phantoms import sop_uid
from tests.provider import AUDIENCE, ROLES, ec_key, provided
from tests.service.conftest import build_archive, fill
from tests.service.test_serve import start

SEARCH = "/api/v1/search/image"
QUERY = json.dumps({"sop_instance_uid": sop_uid(1, 1), "k": 3})


def asked(port: int, token: str, method: str = "POST", body: str = QUERY, path: str = SEARCH) -> int:
    """Send a request and return the status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection.request(method, path, body if method == "POST" else None, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def refused_at_once(port: int, token: str) -> int:
    """Announce a large body, send none of it, and return the status of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.putrequest("POST", SEARCH)
        connection.putheader("Authorization", f"Bearer {token}")
        connection.putheader("Content-Length", str(2 * UNASKED_BYTES))
        connection.putheader("Expect", "100-continue")
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.slow
def test_tokens_of_a_provider_are_taken_by_the_real_server(tmp_path: Path) -> None:
    archive = fill(build_archive(tmp_path))
    (tmp_path / "roles.toml").write_text(ROLES)
    with provided() as provider:
        process = start(
            tmp_path,
            HMAR_OIDC_ISSUER=provider.issuer,
            HMAR_OIDC_AUDIENCE=AUDIENCE,
            HMAR_OIDC_ROLES_FILE=str(tmp_path / "roles.toml"),
            HMAR_FAILURES_PER_MINUTE="1",
            HMAR_MAX_UPLOAD_BYTES=str(2 * UNASKED_BYTES),
        )
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline().rpartition(":")[2])
            assert provider.asked == [], "the provider is asked when a token comes"
            good, expired = provider.token(), provider.token(iat=1, nbf=1, exp=2)
            assert asked(port, good) == 200
            assert asked(port, provider.token(roles=["nurse"])) == 403
            assert asked(port, good, body="x" * (UNASKED_BYTES + 1)) == 400, "it was read"
            assert refused_at_once(port, expired) == 401
            provider.rotate(ec_key(), "second")
            assert asked(port, expired) == 429, "a wrong token counts like a wrong key"
            assert asked(port, good) == 200, "what has worked still does, and the provider's old key too"
            assert len(provider.asked) == 2, "its description and its keys, once"
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    for token in (good, expired):
        assert token not in errors
        assert token.split(".")[1] not in errors
    assert "anna" not in errors
    recorded = [(row.record.actor, row.record.status) for row in archive.engine.audit_log.rows()]
    assert [one for one in recorded if one[0]] == [
        ("oidc anna", 200),
        ("oidc anna", 403),
        ("oidc anna", 400),
        ("oidc anna", 200),
    ]


@pytest.mark.slow
def test_a_file_of_roles_that_cannot_be_used_ends_the_server_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "roles.toml").write_text('[reader]\nscopes = ["read"]')
    process = start(
        tmp_path / "home",
        HMAR_OIDC_ISSUER="https://sso.example",
        HMAR_OIDC_AUDIENCE=AUDIENCE,
        HMAR_OIDC_ROLES_FILE=str(tmp_path / "roles.toml"),
    )
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "roles.toml, the file of roles: 'reader': A scope is 'read'" in errors
    assert "Traceback" not in errors
