"""One request's access: who asks, and what of the archive was given to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hmar.errors import ForbiddenError, shown
from hmar.values.entries import EntryInfo
from hmar.values.identity import PAGE_LOGIN, Identity, Scope


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
            is_login = self.identity.name.startswith(PAGE_LOGIN)
            raise ForbiddenError(
                f"This {'login' if is_login else 'key'} lacks the scope {scope!r}.",
                f"Use one that has it: 'hmar keys {'login' if is_login else 'new NAME'} --scope {scope}'.",
            )

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
