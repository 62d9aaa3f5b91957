"""What each role of the identity provider may do here, from a file that the operator writes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hmar.errors import ConfigError, ForbiddenError, HmarError, shown
from hmar.values.identity import Identity, Scope

_FIELDS = {"scopes", "collections"}
_EXAMPLE = 'Write for each role: [name], scopes = ["search"], and, to limit it, collections = ["lung"].'
_NOBODY = "nobody"


class Roles:
    """The roles that are known, and what they allow.

    Parameters
    ----------
    allowed : mapping from str to Identity
        By role, with scopes and collections; the names of these identities mean nothing.
    """

    def __init__(self, allowed: Mapping[str, Identity]) -> None:
        self._allowed = allowed

    def __len__(self) -> int:
        return len(self._allowed)

    @classmethod
    def read(cls, path: Path) -> Roles:
        """Read the file; raises ConfigError naming the file, the role and what is wrong."""
        try:
            tables = tomllib.loads(path.read_text("utf-8"))
        except OSError as error:
            raise ConfigError(
                f"HMAR_OIDC_ROLES_FILE is {shown(str(path))}, which cannot be read ({error.strerror}).",
                "Name a file that the server may read.",
            ) from error
        except ValueError as error:
            raise ConfigError(f"{path.name}, the file of roles, is no TOML: {error}.", _EXAMPLE) from error
        if not tables:
            raise ConfigError(f"{path.name}, the file of roles, has no role.", _EXAMPLE)
        return cls({role: _allowed(path.name, role, table) for role, table in tables.items()})

    def identity(self, name: str, roles: Sequence[str], claim: str) -> Identity:
        """Return who asks, with all that the roles allow together.

        Collections are those of all roles; a role without any is for all collections.

        Parameters
        ----------
        name : str
            Who asks.
        roles : sequence of str
            Unknown ones count for nothing.
        claim : str
            Where the roles stand in a token, for the message.

        Raises
        ------
        ForbiddenError
            If none of the roles is known.
        """
        held = [self._allowed[role] for role in roles if role in self._allowed]
        if not held:
            raise ForbiddenError(
                f"The token's claim {claim} has no role that is known here.",
                f"Ask the identity provider's operator for one of {', '.join(sorted(self._allowed))}.",
            )
        scopes = frozenset[Scope]().union(*(one.scopes for one in held))
        limits = [one.collections for one in held if one.collections is not None]
        collections = frozenset[str]().union(*limits) if len(limits) == len(held) else None
        return Identity(name, scopes, collections)


def _allowed(file: str, role: str, table: Any) -> Identity:
    where = f"{file}, the file of roles: {shown(role)}"
    if not isinstance(table, dict) or "scopes" not in table:
        raise ConfigError(f"{where} has no scopes.", _EXAMPLE)
    if unknown := sorted(set(table) - _FIELDS):
        raise ConfigError(f"{where} has {shown(unknown[0])}.", _EXAMPLE)
    for name, value in table.items():
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise ConfigError(f"{where} has {name} = {shown(value)}.", _EXAMPLE)
    collections = frozenset(table["collections"]) if "collections" in table else None
    try:
        return Identity(_NOBODY, frozenset(table["scopes"]), collections)
    except HmarError as error:
        raise ConfigError(f"{where}: {error.detail}", error.remedy) from error
