"""JSON by HTTP from a real server: within bounds of size and time, and from nowhere else."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from hmar.errors import IdentityProviderError
from hmar.oidc import fetching
from hmar.oidc.fetching import MOST_BYTES, fetch_json
from tests.provider import Provider, provided
from tests.syslog_receiver import certificate


def test_an_object_is_read(provider: Provider) -> None:
    provider.answers["/a?b=c"] = {"d": ["e"]}
    assert fetch_json(f"{provider.issuer}/a?b=c") == {"d": ["e"]}


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"\xff", b"[" * 100_000, b'"a"'])
def test_what_is_no_json_object_is_refused(provider: Provider, body: bytes) -> None:
    provider.answers["/a"] = body
    with pytest.raises(IdentityProviderError, match="no JSON object"):
        fetch_json(f"{provider.issuer}/a")


def test_an_answer_that_is_too_large_is_not_read_to_its_end(provider: Provider) -> None:
    provider.answers["/a"] = b'{"a": "' + b"x" * (2 * MOST_BYTES) + b'"}'
    with pytest.raises(IdentityProviderError, match=f"more than {MOST_BYTES} bytes"):
        fetch_json(f"{provider.issuer}/a")


@pytest.mark.parametrize("status", [301, 302, 401, 404, 500])
def test_another_status_is_named_and_no_redirection_followed(provider: Provider, status: int) -> None:
    provider.status = status
    with pytest.raises(IdentityProviderError, match=f"answers {status}"):
        fetch_json(f"{provider.issuer}/.well-known/openid-configuration")
    assert len(provider.asked) == 1


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(IdentityProviderError, match=f"does not answer at http://127.0.0.1:{port}/a"):
        fetch_json(f"http://127.0.0.1:{port}/a")


def test_a_host_that_no_name_can_be_is_named() -> None:
    with pytest.raises(IdentityProviderError, match=r"does not answer at https://sso\.\.example/a"):
        fetch_json("https://sso..example/a")


def test_a_server_that_says_nothing_is_waited_for_no_longer_than_stated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetching, "SILENCE_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/a"
        with pytest.raises(IdentityProviderError, match="TimeoutError"):
            fetch_json(url)


def test_a_server_that_sends_a_byte_now_and_then_is_left(
    monkeypatch: pytest.MonkeyPatch, provider: Provider
) -> None:
    monkeypatch.setattr(fetching, "WHOLE_S", 0.3)
    provider.answers["/a"] = {}
    provider.trickles.set()
    with pytest.raises(IdentityProviderError):
        fetch_json(f"{provider.issuer}/a")


def test_a_server_proves_who_it_is_with_a_certificate_that_is_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    context, trusted = certificate(tmp_path)
    with provided(context) as provider:
        provider.answers["/a"] = {"b": 1}
        with pytest.raises(IdentityProviderError, match="cannot be verified") as refused:
            fetch_json(f"{provider.issuer}/a")
        assert "SSL_CERT_FILE" in refused.value.remedy
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        assert fetch_json(f"{provider.issuer}/a") == {"b": 1}
    assert provider.asked == ["/a"], "nothing is asked before it is known who answers"


def test_a_server_that_speaks_no_tls_is_refused(provider: Provider) -> None:
    with pytest.raises(IdentityProviderError, match="does not answer"):
        fetch_json(provider.issuer.replace("http://", "https://"))
