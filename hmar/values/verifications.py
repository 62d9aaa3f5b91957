"""A verification of all that an archive has stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from hmar.values.background import OPEN_STATES, Step, TaskState
from hmar.values.findings import Finding, State
from hmar.values.plain import Json


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found of each part, or how far the verification is.

    Parameters
    ----------
    state : str
        "done" says that all parts were looked at, whatever was found; "failed" that it could not be ended.
    asked_at : str
        When it was asked for (ISO 8601).
    ended_at : str or None
    progress : Step or None
        While it runs.
    findings : tuple of Finding
        In order; none before it is done. They name no patient, no image and no file.
    problem, remedy : str or None
        Why it failed, and what to do.
    """

    state: TaskState
    asked_at: str
    ended_at: str | None = None
    progress: Step | None = None
    findings: tuple[Finding, ...] = ()
    problem: str | None = None
    remedy: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.state not in OPEN_STATES

    @property
    def healthy(self) -> bool | None:
        """Whether no part failed; None before that is known."""
        if self.state != "done":
            return None
        return all(finding.state is not State.FAILED for finding in self.findings)

    def to_dict(self) -> Json:
        """Return the verification as the API does."""
        return {
            "state": self.state,
            "asked_at": self.asked_at,
            "ended_at": self.ended_at,
            "progress": None if self.progress is None else self.progress.to_dict(),
            "healthy": self.healthy,
            "findings": [finding.to_dict() for finding in self.findings],
            "problem": self.problem,
            "remedy": self.remedy,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the verification that an answer tells."""
        known = {name: told[name] for name in ("state", "asked_at", "ended_at", "problem", "remedy")}
        return cls(
            **known,
            progress=Step.from_dict(told["progress"]),
            findings=tuple(Finding.from_dict(one) for one in told["findings"]),
        )
