"""What every key store does alike: what a key looks like, and what is kept of it."""

from __future__ import annotations

import hashlib
import re
import secrets

from hmar.errors import ParameterError

KEY_PREFIX = "hmar_"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def new_key() -> str:
    """Return a fresh API key with 256 random bits."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def new_login() -> str:
    """Return a fresh login token with 256 random bits."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return what is stored of a key or token.

    A plain SHA-256 is enough, and a lookup by it leaks no timing of use: the secrets are random, so
    neither a dictionary nor a guess by prefix helps.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def check_name(name: str) -> None:
    """Refuse a name that a log line or a table could not show; raises ParameterError."""
    if not _NAME.fullmatch(name):
        raise ParameterError(
            f"The key name {name!r} cannot be used.",
            "Give 1 to 64 letters, digits, dots, dashes or underscores, the first a letter or digit.",
        )


def name_taken(name: str) -> ParameterError:
    """Return the error for a name that a valid key has already."""
    return ParameterError(f"There is a key named {name!r}.", "Choose another name, or revoke that key first.")
