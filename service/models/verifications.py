"""Verifications of all that is stored."""

from __future__ import annotations

from pydantic import Field

from hmar.values.background import TaskState
from hmar.values.findings import State
from service.models.background import Step
from service.models.given import Given
from service.models.times import Time


class Finding(Given):
    """What was found of one part."""

    part: str
    state: State = Field(description="note: something is busy or of an older version, but nothing is broken.")
    found: str = Field(description="In numbers; it names no patient, no image and no file that was sent.")
    remedy: str = Field(description="What to do. Empty where there is nothing to do.")


class Verification(Given):
    """How far a verification is, or what it found."""

    state: TaskState = Field(description="done: all parts were looked at. failed: it could not be ended.")
    asked_at: Time
    ended_at: Time | None
    progress: Step | None = Field(description="While it runs.")
    healthy: bool | None = Field(description="Whether no part failed. Null before it is done.")
    findings: list[Finding] = Field(description="Part by part, once it is done.")
    problem: str | None = Field(description="Why it failed.")
    remedy: str | None


class LastVerification(Given):
    """The verification that was asked for last."""

    verification: Verification | None = Field(description="Null where none was asked for yet.")
