"""What ``hmar doctor`` finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a part is."""

    OK = "ok"
    NOTE = "note"
    """Something is missing or busy, but nothing is broken."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part, and what to do about it."""

    part: str
    state: State
    found: str
    remedy: str = ""
