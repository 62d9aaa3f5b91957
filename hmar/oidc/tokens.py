"""Tokens of the identity provider: from a header's text to who sent it, and with which roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hmar.errors import AuthError
from hmar.identity_provider import IdentityProvider
from hmar.oidc.discovery import published_keys
from hmar.oidc.fetching import FetchJson, fetch_json
from hmar.oidc.keys import ProviderKeys
from hmar.oidc.roles import Roles
from hmar.oidc.signatures import PublicKey, header_of, usable_keys, verified_claims
from hmar.values.identity import OIDC, Identity, TokenHolder

MOST_BYTES = 16 << 10
"""Longer tokens are refused unread."""
LONGEST_LIFE_S = 24 * 3600
"""No token may live longer: it cannot be revoked, and works until it expires."""
LONGEST_NAME = 128
_ANOTHER = "Ask the identity provider for another token."


class Tokens:
    """Reads tokens of one identity provider. Thread-safe.

    Parameters
    ----------
    provider : IdentityProvider
    roles : Roles
    fetch : callable
        Returns the JSON object at a URL.
    """

    def __init__(self, provider: IdentityProvider, roles: Roles, fetch: FetchJson = fetch_json) -> None:
        self.provider = provider
        self._roles = roles
        self._fetch = fetch
        self._keys = ProviderKeys(self.published)

    def published(self) -> dict[str, PublicKey]:
        """Ask the provider for its keys, and return those that tokens can be signed with.

        Raises
        ------
        IdentityProviderError
            If it does not answer, or not as the settings say.
        """
        keys = usable_keys(published_keys(self.provider.issuer, self._fetch))
        allowed = self.provider.algorithms
        return {name: key for name, key in keys.items() if any(map(key.verifies, allowed))}

    def holder(self, token: str) -> TokenHolder:
        """Return who a token was given to.

        Raises
        ------
        AuthError
            If the token is not valid; it says why.
        IdentityProviderError
            If the provider's keys are not known, and it does not answer.
        """
        if len(token) > MOST_BYTES:
            raise AuthError(
                f"The token has more than {MOST_BYTES} characters.", "Have fewer claims put into it."
            )
        header = header_of(token)
        if header.algorithm not in self.provider.algorithms:
            raise AuthError(
                "The token's algorithm (alg) is not allowed.",
                f"Let the identity provider sign with {' or '.join(self.provider.algorithms)}.",
            )
        key = self._keys.find(header.key_id)
        if not key.verifies(header.algorithm):
            raise AuthError("The token's algorithm (alg) is not that of its key.", _ANOTHER)
        claims = verified_claims(token, key, header.algorithm, self.provider)
        self._check_use(claims)
        return TokenHolder(f"{OIDC} {self._name(claims)}", self._roles_of(claims))

    def identity(self, holder: TokenHolder) -> Identity:
        """Return what somebody may do; raises ForbiddenError where that is nothing."""
        return self._roles.identity(holder.name, holder.roles, self.provider.roles_claim)

    def _check_use(self, claims: Mapping[str, Any]) -> None:
        """Refuse tokens that are right, but not to be shown to this server, or not like this."""
        # Keycloak tells its refresh and ID tokens from access tokens by this claim.
        if str(claims.get("typ", "Bearer")).lower() != "bearer":
            raise AuthError("The token is not an access token (typ).", "Send the access token.")
        if "cnf" in claims:
            raise AuthError(
                "The token is bound to a key of its holder (cnf), which is not checked here.",
                "Have the identity provider give out plain bearer tokens.",
            )
        if int(claims["exp"]) - int(claims["iat"]) > LONGEST_LIFE_S:
            raise AuthError(
                f"The token lives longer than {LONGEST_LIFE_S // 3600} hours (exp, iat).",
                "Have the identity provider give out tokens of some minutes.",
            )
        client = claims.get("azp", claims.get("client_id"))
        if self.provider.clients and client not in self.provider.clients:
            raise AuthError(
                "The token was given to a program that is not allowed here (azp, client_id).",
                "Enter the program in HMAR_OIDC_CLIENTS.",
            )

    def _name(self, claims: Mapping[str, Any]) -> str:
        claim = self.provider.name_claim
        name = _found(claims, claim)
        if not isinstance(name, str) or not _is_name(name):
            raise AuthError(
                f"The token's claim {claim} is not a name of 1 to {LONGEST_NAME} printable characters.",
                "Have the identity provider put it into tokens, or name another in HMAR_OIDC_NAME_CLAIM.",
            )
        return name

    def _roles_of(self, claims: Mapping[str, Any]) -> tuple[str, ...]:
        roles = _found(claims, self.provider.roles_claim)
        if isinstance(roles, str):
            return (roles,)
        return tuple(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else ()


def _is_name(text: str) -> bool:
    """Return whether a log can show a text as a name, and a reader tell it from another."""
    return 0 < len(text) <= LONGEST_NAME and text.isprintable() and text == text.strip()


def _found(claims: Mapping[str, Any], path: str) -> Any:
    """Return what a dotted path leads to; of names with dots of their own the longest there is counts."""
    if path in claims:
        return claims[path]
    names = path.split(".")
    for end in range(len(names) - 1, 0, -1):
        inner = claims.get(".".join(names[:end]))
        if isinstance(inner, Mapping):
            return _found(inner, ".".join(names[end:]))
    return None
