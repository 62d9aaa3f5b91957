"""The API key or token that a request presents: one, in one header or the same in both."""

from __future__ import annotations

from flask import Request

from service.errors import MalformedRequestError

_DOTS = 2
"""Between the parts of a JWT (RFC 7515, section 7.1)."""
_REMEDY = "Send 'Authorization: Bearer hmar_...' or 'X-API-Key: hmar_...', once."


def presented_key(request: Request) -> str | None:
    """Return the key, None where no header presents one.

    Raises
    ------
    MalformedRequestError
        For two keys that differ, and for a header that comes twice.
    """
    bearer = bearer_of(_once(request, "Authorization") or "")
    plain = _once(request, "X-API-Key")
    if bearer is not None and plain is not None and bearer != plain:
        raise MalformedRequestError("The request presents two keys that differ.", _REMEDY)
    return plain if bearer is None else bearer


def presented_token(request: Request) -> str | None:
    """Return the token of an identity provider (JWT), None for a key, which has no dots, and for nothing.

    Ask :func:`presented_key` first, which refuses what comes twice.
    """
    bearer = bearer_of(request.headers.get("Authorization", ""))
    return bearer if bearer is not None and bearer.count(".") == _DOTS else None


def bearer_of(authorization: str) -> str | None:
    """Return the key in the value of an Authorization header, None for another scheme (RFC 6750)."""
    scheme, _, credentials = authorization.partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" else None


def _once(request: Request, name: str) -> str | None:
    """Return a header; one that was sent twice arrives as one, with a comma, which no key contains."""
    value = request.headers.get(name)
    if value is None or "," not in value:
        return value
    # Schemes meant for a proxy in front, such as Digest, have commas of their own.
    if name == "Authorization" and "bearer" not in value.lower():
        return value
    raise MalformedRequestError(f"The header {name} comes twice, or holds a comma.", _REMEDY)
