"""Keys are where the provider says, if it is the one that it should be."""

from __future__ import annotations

from typing import Any

import pytest

from hmar.errors import IdentityProviderError
from hmar.oidc.discovery import discovery_url, published_keys

ISSUER = "https://provider.example/realms/site"


def published(issuer: str = ISSUER, keys: Any = None, **told: Any) -> list[Any]:
    described = {"issuer": issuer, "jwks_uri": "https://keys.example/jwks"} | told

    def fetch(url: str) -> dict[str, Any]:
        if url == issuer.rstrip("/") + "/.well-known/openid-configuration":
            return described
        assert url == described["jwks_uri"]
        return {"keys": [{"kid": "a"}] if keys is None else keys}

    return published_keys(issuer, fetch)


def test_keys_are_found_by_the_issuer() -> None:
    assert published() == [{"kid": "a"}]
    assert published("http://127.0.0.1:8080", jwks_uri="http://127.0.0.1:8080/keys") == [{"kid": "a"}]
    assert published("https://provider.example/") == [{"kid": "a"}]


def test_a_slash_at_the_end_of_an_issuer_is_not_doubled() -> None:
    assert discovery_url("https://a.example/") == discovery_url("https://a.example")


@pytest.mark.parametrize("issuer", [None, ISSUER + "/", "https://elsewhere.example", [ISSUER]])
def test_a_provider_that_says_it_is_another_is_refused(issuer: object) -> None:
    with pytest.raises(IdentityProviderError, match="says that it is") as refused:
        published_keys(ISSUER, lambda _: {"issuer": issuer, "jwks_uri": "https://keys.example/jwks"})
    assert "exactly" in refused.value.remedy


@pytest.mark.parametrize(
    "url",
    [
        None,
        7,
        "",
        "/keys",
        "http://provider.example/keys",
        "http://127.0.0.1/keys",
        "file:///etc/passwd",
        "https://user:password@provider.example/keys",
        "https://provider.example:x/keys",
        "https://provider.example/ keys",
    ],
)
def test_keys_that_are_not_published_by_https_are_not_asked_for(url: object) -> None:
    with pytest.raises(IdentityProviderError, match="has its keys at"):
        published(jwks_uri=url)


@pytest.mark.parametrize("keys", ["a", {"a": 1}, 7])
def test_what_is_no_list_of_keys_is_refused(keys: object) -> None:
    with pytest.raises(IdentityProviderError, match="publishes no keys"):
        published(keys=keys)
