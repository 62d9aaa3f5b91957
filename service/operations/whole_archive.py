"""Operations on the whole archive, which a key for some collections may not do."""

from __future__ import annotations

from flask import g

from hmar.errors import ForbiddenError


def check_sees_all(what: str) -> None:
    """Raise ForbiddenError unless the request sees all collections; ``what`` begins the reason."""
    if g.access.identity.collections is not None:
        raise ForbiddenError(
            f"This key or login is limited to collections, and {what} are of the whole archive.",
            "Use a key for all collections: 'hmar keys new NAME --scope admin'.",
        )
