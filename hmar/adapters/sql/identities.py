"""Identities as columns of keys, login links and sessions (:mod:`hmar.adapters.sql.schema`)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from hmar.values.identity import SCOPES, Identity, in_order


def identity_row(identity: Identity) -> dict[str, Any]:
    """Return the columns of an identity."""
    collections = identity.collections
    return {
        "name": identity.name,
        "scopes": " ".join(in_order(identity.scopes)),
        "collections": None if collections is None else " ".join(sorted(collections)),
    }


def identity_of(row: Row[Any]) -> Identity | None:
    """Return the identity of a row, None where nothing is left that it may do.

    A scope that this version does not know allows nothing.
    """
    words = row.scopes.split()
    scopes = frozenset(scope for scope in SCOPES if scope in words)
    collections = None if row.collections is None else frozenset(row.collections.split())
    return Identity(row.name, scopes, collections) if scopes and collections != frozenset() else None
