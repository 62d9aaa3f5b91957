"""Where a provider publishes its keys (OpenID Connect Discovery 1.0), and the keys that are there."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from hmar.errors import IdentityProviderError, shown
from hmar.identity_provider import is_safe_url
from hmar.oidc.fetching import FetchJson

WELL_KNOWN = "/.well-known/openid-configuration"


def discovery_url(issuer: str) -> str:
    """Return the address of a provider's description of itself (section 4)."""
    return issuer.rstrip("/") + WELL_KNOWN


def published_keys(issuer: str, fetch: FetchJson) -> list[Any]:
    """Return the keys that a provider publishes, as they stand in its JWK set (RFC 7517).

    Raises
    ------
    IdentityProviderError
        If it does not answer, says that it is another, or publishes no list of keys.
    """
    told = fetch(discovery_url(issuer))
    if told.get("issuer") != issuer:  # section 4.3
        raise IdentityProviderError(
            f"The identity provider says that it is {shown(told.get('issuer'))}, not {issuer}.",
            "Give HMAR_OIDC_ISSUER exactly as the provider writes it, with or without a slash at the end.",
        )
    url = told.get("jwks_uri")
    if not isinstance(url, str) or not is_safe_url(url) or _is_weaker(url, issuer):
        raise IdentityProviderError(
            f"The identity provider has its keys at {shown(url)}.",
            "Let it publish them by https (jwks_uri).",
        )
    keys = fetch(url).get("keys")
    if not isinstance(keys, list):
        raise IdentityProviderError(
            f"The identity provider publishes no keys at {url}.", "Check HMAR_OIDC_ISSUER."
        )
    return keys


def _is_weaker(url: str, issuer: str) -> bool:
    return urlsplit(issuer).scheme == "https" and urlsplit(url).scheme != "https"
