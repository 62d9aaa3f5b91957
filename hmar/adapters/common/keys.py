"""What every store of secrets does alike: what a secret looks like, and what is kept of it."""

from __future__ import annotations

import hashlib
import secrets

from hmar.errors import ParameterError

KEY_PREFIX = "hmar_"
LONGEST_LOGIN_S = 3600.0
"""Longest life of a login token; one that lives longer was made before the clock was set back."""


def new_key() -> str:
    """Return a fresh API key with 256 random bits."""
    return KEY_PREFIX + new_token()


def new_token() -> str:
    """Return a fresh login token, or the secret of a session, with 256 random bits."""
    return secrets.token_urlsafe(32)


def login_end(now: float, ttl_s: float) -> float:
    """Return when a login token that is made now becomes invalid."""
    return now + min(ttl_s, LONGEST_LOGIN_S)


def expired(expires_at: float | None, now: float) -> bool:
    """Return whether a key has reached its end; None is no end."""
    return expires_at is not None and expires_at <= now


def digest(secret: str) -> str:
    """Return what is stored of a key, a token or a session.

    A plain SHA-256 is enough: the secrets are random, so that neither a dictionary attack nor the timing of a
    lookup helps an attacker.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def name_taken(name: str) -> ParameterError:
    """Return the error for a name that another key has, be it valid or expired."""
    return ParameterError(f"There is a key named {name!r}.", "Choose another name, or revoke that key first.")
