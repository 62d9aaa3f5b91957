"""Who asks: a name, what it may do, and in which collections."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from hmar.errors import ParameterError, shown
from hmar.values.names import checked_name
from hmar.values.plain import Json

Scope = Literal[
    "search", "names", "files", "index", "export", "label", "feedback", "delete", "metrics", "admin"
]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""What can be allowed: to search and read, to be shown names that a PACS has, to be given files with all that
their headers say, to index, to have hits written as DICOM that names the patient, and given to a PACS, to
change labels, to keep and read judgements of hits, to delete, to read figures; "admin" may do all."""
EVERYDAY: frozenset[Scope] = frozenset({"search", "index"})
"""What a key or a login may do where nobody says: what the page does."""
PAGE_LOGIN = "page login"
"""Name of a login to the page; no key can have it, for it holds a space."""
OIDC = "oidc"
"""What the name of whoever sends a token of the identity provider begins with, before a space."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who was let in, whatever proved it. It may do nothing that is not listed.

    Parameters
    ----------
    name : str
        Of a key, or of a login.
    scopes : frozenset of str
        At least one of ``SCOPES``.
    collections : frozenset of str or None
        The collections that exist for it. None: all, also those to come.

    Raises
    ------
    ParameterError
        For a scope that there is not, for none, and for a name that no collection can have.
    """

    name: str
    scopes: frozenset[Scope]
    collections: frozenset[str] | None = None

    def __post_init__(self) -> None:
        """Refuse what would allow nothing, or what nobody can mean."""
        unknown = sorted(set(self.scopes) - set(SCOPES))
        if unknown or not self.scopes:
            raise ParameterError(
                f"A scope is {shown(unknown[0])}." if unknown else "No scope was given.",
                f"Give some of {', '.join(SCOPES)}.",
            )
        if self.collections is not None:
            if not self.collections:
                raise ParameterError(
                    "No collection was given.", "Name one, or leave collections out for all."
                )
            for name in self.collections:
                checked_name("collection", name)

    def may(self, scope: Scope) -> bool:
        """Return whether it may do what a scope allows."""
        return scope in self.scopes or "admin" in self.scopes

    def sees(self, collection: str) -> bool:
        """Return whether a collection exists for it."""
        return self.collections is None or collection in self.collections

    def to_dict(self) -> Json:
        """Return who it is and what it may do."""
        return {
            "name": self.name,
            "scopes": in_order(self.scopes),
            "collections": None if self.collections is None else sorted(self.collections),
        }


def administrator(name: str) -> Identity:
    """Return who may do everything, everywhere."""
    return Identity(name, frozenset({"admin"}))


def in_order(scopes: Iterable[Scope]) -> list[Scope]:
    """Return scopes as they are listed for people."""
    held = set(scopes)
    return [scope for scope in SCOPES if scope in held]


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """Who sent a valid token of the identity provider, before it is known what that allows.

    Parameters
    ----------
    name : str
        As it is recorded, ``oidc`` and the login name.
    roles : tuple of str
        Of the provider; some may mean nothing here.
    """

    name: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key as it is listed; the key itself is kept nowhere.

    Parameters
    ----------
    identity : Identity
    expires_at, last_used_at : float or None
        Seconds since the epoch. None: never.
    """

    identity: Identity
    expires_at: float | None = None
    last_used_at: float | None = None

    def to_dict(self) -> Json:
        """Return the key as it is listed."""
        return {
            **self.identity.to_dict(),
            "expires_at": _time(self.expires_at),
            "last_used_at": _time(self.last_used_at),
        }


def _time(seconds: float | None) -> str | None:
    return (
        None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    )
