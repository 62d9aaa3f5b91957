"""Signed tokens through PyJWT and its keys through cryptography: the only file that knows either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from hmar.errors import AuthError
from hmar.identity_provider import IdentityProvider

LEAST_RSA_BITS = 2048
_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
_NOT_USABLE = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)
"""What PyJWT raises, and what Python does for numbers and JSON that cannot be."""
_ANOTHER = "Ask the identity provider for another token."


class Header(NamedTuple):
    """What a token says of its own signature; nothing of it is proven."""

    algorithm: str
    key_id: str


class PublicKey(NamedTuple):
    """A key of the provider, and the one algorithm that it says the key is for, if it says any."""

    key: RSAPublicKey | EllipticCurvePublicKey
    algorithm: str | None

    def verifies(self, algorithm: str) -> bool:
        """Return whether signatures by an algorithm can be this key's."""
        if self.algorithm not in (None, algorithm):
            return False
        if isinstance(self.key, RSAPublicKey):
            return algorithm[:2] in ("RS", "PS") and self.key.key_size >= LEAST_RSA_BITS
        return _CURVES.get(algorithm) == self.key.curve.name


def usable_keys(published: Sequence[object]) -> dict[str, PublicKey]:
    """Return those keys of a JWK set that verify signatures, by their names (``kid``).

    Others are left out: those for encryption, without a name, of other kinds, or damaged.
    """
    found: dict[str, PublicKey] = {}
    for described in published:
        key = _usable(described)
        if key is not None:
            found.setdefault(*key)
    return found


def header_of(token: str) -> Header:
    """Return which key a token says it was signed with; raises AuthError for what is no signed token.

    Keys and certificates in a header, and addresses of them (``jwk``, ``jku``, ``x5u``, ``x5c``), count for
    nothing.
    """
    try:
        header = jwt.get_unverified_header(token)
    except _NOT_USABLE:
        raise AuthError("The token is not a signed JWT.", _ANOTHER) from None
    algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or not isinstance(key_id, str) or not key_id:
        raise AuthError("The token does not name its key (kid) and algorithm (alg).", _ANOTHER)
    # RFC 9068 writes at+jwt; other kinds, such as logout+jwt, let nobody in (RFC 8725, section 3.11).
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in ("jwt", "at+jwt"):
        raise AuthError("The token is not an access token (typ).", _ANOTHER)
    if "crit" in header:
        raise AuthError("The token needs extensions that are not known here (crit).", _ANOTHER)
    return Header(algorithm, key_id)


def verified_claims(
    token: str, key: PublicKey, algorithm: str, provider: IdentityProvider
) -> Mapping[str, Any]:
    """Return the claims of a token whose signature, issuer, audience and times are right.

    Raises
    ------
    AuthError
        It says which of them is wrong.
    """
    try:
        return jwt.decode(
            token,
            key.key,
            algorithms=[algorithm],
            audience=provider.audience,
            issuer=provider.issuer,
            leeway=provider.leeway_s,
            options={"require": ["iss", "aud", "exp", "iat"]},
        )
    except _NOT_USABLE as error:
        raise AuthError(_wrong(error, provider), _ANOTHER) from None


def _wrong(error: Exception, provider: IdentityProvider) -> str:
    """Say what is wrong with a token; nothing of the token is repeated but the names of claims."""
    match error:
        case jwt.ExpiredSignatureError():
            return "The token has expired (exp)."
        case jwt.ImmatureSignatureError() | jwt.InvalidIssuedAtError():
            return "The token is not valid yet (nbf, iat)."
        case jwt.InvalidIssuerError():
            return f"The token was not issued by {provider.issuer} (iss)."
        case jwt.InvalidAudienceError():
            return f"The token is not for {provider.audience} (aud)."
        case jwt.MissingRequiredClaimError():
            return f"The token has no claim {error.claim}."
        case jwt.InvalidSignatureError():
            return "The token's signature is wrong."
    return "The token is not a JWT with usable claims."


def _usable(described: object) -> tuple[str, PublicKey] | None:
    if not isinstance(described, dict):
        return None
    key_id, algorithm = described.get("kid"), described.get("alg")
    uses = described.get("key_ops", ["verify"])
    signs = described.get("use", "sig") == "sig" and isinstance(uses, list) and "verify" in uses
    if not isinstance(key_id, str) or not isinstance(algorithm, str | None) or not signs:
        return None
    try:
        key = _public(described)
    except _NOT_USABLE:
        return None
    return None if key is None else (key_id, PublicKey(key, algorithm))


def _public(described: dict[str, Any]) -> RSAPublicKey | EllipticCurvePublicKey | None:
    """Return the public key that a JWK describes; of a private one, which nobody should publish, nothing."""
    if "d" in described:
        return None
    match described.get("kty"):
        case "RSA":
            key = RSAAlgorithm.from_jwk(described)
            return key if isinstance(key, RSAPublicKey) else None
        case "EC":
            point = ECAlgorithm.from_jwk(described)
            return point if isinstance(point, EllipticCurvePublicKey) else None
    return None
