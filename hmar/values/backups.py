"""Backups that the server keeps in a folder of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from hmar.values.background import OPEN_STATES, Step
from hmar.values.plain import Json

BackupState = Literal["waiting", "running", "verified", "damaged", "failed"]


@dataclass(frozen=True, slots=True)
class BackupChecks:
    """What was found when every byte of a backup was read again.

    Parameters
    ----------
    verified_at : str
        When (ISO 8601).
    database : bool
        Whether the database is in it; one of PostgreSQL is not.
    uploads : int
        Files that were sent.
    model_fingerprint : str
        The model that the archive used. Models are not in a backup.
    product : str
        Version of the program that wrote it.
    """

    verified_at: str
    database: bool
    uploads: int
    model_fingerprint: str
    product: str

    def to_dict(self) -> Json:
        """Return the checks as the API does."""
        return asdict(self)

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the checks that an answer tells."""
        return cls(**{name: told[name] for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class BackupInfo:
    """A backup, or what becomes of one.

    Parameters
    ----------
    name : str
        Of its file.
    state : str
        "waiting" and "running" until it is there; then "verified", or "damaged" where its file is not as long
        as it was. "failed" is one that came to nothing.
    created_at : str
        When it was asked for (ISO 8601).
    size_bytes : int or None
        Of its file.
    checks : BackupChecks or None
    progress : Step or None
        While it runs.
    problem, remedy : str or None
        Why it failed, and what to do.
    """

    name: str
    state: BackupState
    created_at: str
    size_bytes: int | None = None
    checks: BackupChecks | None = None
    progress: Step | None = None
    problem: str | None = None
    remedy: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.state not in OPEN_STATES

    def to_dict(self) -> Json:
        """Return the backup as the API does."""
        return {
            "name": self.name,
            "state": self.state,
            "created_at": self.created_at,
            "size_bytes": self.size_bytes,
            "checks": None if self.checks is None else self.checks.to_dict(),
            "progress": None if self.progress is None else self.progress.to_dict(),
            "problem": self.problem,
            "remedy": self.remedy,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the backup that an answer tells."""
        checks = told["checks"]
        known = {name: told[name] for name in cls.__slots__}
        return cls(
            **{
                **known,
                "checks": None if checks is None else BackupChecks.from_dict(checks),
                "progress": Step.from_dict(told["progress"]),
            }
        )
