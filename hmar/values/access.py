"""One request's access: who asks, and what of the archive was given to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hmar.errors import ForbiddenError, shown
from hmar.values.entries import EntryInfo
from hmar.values.identity import OIDC, PAGE_LOGIN, Identity, Scope


@dataclass(frozen=True, slots=True)
class Access:
    """What one request may do, and what it has been given so far.

    Parameters
    ----------
    identity : Identity
        Who asks.
    """

    identity: Identity
    touched: set[tuple[str, str]] = field(default_factory=set)
    """Levels and UIDs or keys of what was given, as ("study", UID) or ("patient", key)."""

    def require(self, scope: Scope) -> None:
        """Raise ForbiddenError unless the identity has a scope."""
        if not self.identity.may(scope):
            what, remedy = _told(self.identity.name, scope)
            raise ForbiddenError(f"This {what} lacks the scope {scope!r}.", remedy)

    def require_collection(self, collection: str) -> None:
        """Raise ForbiddenError unless the identity sees a collection; whether there is one is not told."""
        if not self.identity.sees(collection):
            allowed = ", ".join(sorted(self.identity.collections or ()))
            raise ForbiddenError(
                f"This key or login may not use the collection {shown(collection)}.", f"Use one of {allowed}."
            )

    def touch(self, entries: Iterable[EntryInfo]) -> None:
        """Note studies, and patients where they are known, that the request was given something of."""
        for entry in entries:
            self.touched.add(("study", entry.info.study_uid))
            if entry.info.patient_key is not None:
                self.touched.add(("patient", entry.info.patient_key))


def _told(name: str, scope: Scope) -> tuple[str, str]:
    """Return what proved who asks, and how to get one with a scope."""
    if name.startswith(f"{OIDC} "):
        return "token", "Have the identity provider give a role that HMAR_OIDC_ROLES_FILE allows it."
    if name.startswith(PAGE_LOGIN):
        return "login", f"Use one that has it: 'hmar keys login --scope {scope}'."
    return "key", f"Use one that has it: 'hmar keys new NAME --scope {scope}'."
