"""Which model an archive searches with, which one it is being indexed under, and how far that is."""

from __future__ import annotations

from typing import NamedTuple


class ModelName(NamedTuple):
    """A model: what it is, as rows and indexes name it, and what it is called."""

    fingerprint: str
    name: str


class ModelRoles(NamedTuple):
    """The models of an archive.

    Parameters
    ----------
    used : ModelName or None
        The one that searches use. None where nobody has chosen one: then HMAR_MODEL_DIR says which.
    next : ModelName or None
        The one that the archive is being indexed under beside it.
    """

    used: ModelName | None = None
    next: ModelName | None = None

    @property
    def fingerprints(self) -> frozenset[str]:
        """Those that frames may be indexed under."""
        return frozenset(model.fingerprint for model in self if model is not None)


class Coverage(NamedTuple):
    """Of the frames that are held under any model: how many one model has indexed, and how many it misses."""

    indexed: int
    missing: int
