"""Which model an archive searches with, which one it is being indexed under, and how far that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Self

from hmar.values.plain import Json

Role = Literal["used", "next", "kept"]


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


class Begun(NamedTuple):
    """Indexing under another model that was begun.

    Parameters
    ----------
    model : ModelName
        Answers of a server do not tell its name, which is empty then.
    missing : int
        Frames that the model misses, in the collections that were asked for.
    jobs : tuple of str
        Ids of the jobs that index them, one for each collection that misses any.
    """

    model: ModelName
    missing: int
    jobs: tuple[str, ...]

    def to_dict(self) -> Json:
        """Return what was begun as the API does."""
        return {
            "fingerprint": self.model.fingerprint,
            "missing_frames": self.missing,
            "jobs": list(self.jobs),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return what an answer tells to have begun."""
        return cls(ModelName(told["fingerprint"], ""), int(told["missing_frames"]), tuple(told["jobs"]))


class ModelState(NamedTuple):
    """A model and the archive: "kept" models are neither used nor next.

    ``frames`` are indexed under it, and ``missing`` under others alone.
    """

    model: ModelName
    role: Role
    installed: bool
    frames: int
    missing: int

    def to_dict(self) -> Json:
        """Return the model as the API does."""
        return {
            "fingerprint": self.model.fingerprint,
            "name": self.model.name,
            "role": self.role,
            "installed": self.installed,
            "frames": self.frames,
            "missing_frames": self.missing,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the model that an answer tells."""
        return cls(
            ModelName(told["fingerprint"], told["name"]),
            told["role"],
            told["installed"],
            told["frames"],
            told["missing_frames"],
        )
