"""Index jobs, their files, and the messages that move them on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from hmar.values.entries import Origin


class Message(NamedTuple):
    """A message on the job queue: "expand" carries a job's id, "item" an item's id."""

    kind: Literal["expand", "item"]
    target: str


class JobState(StrEnum):
    """Life of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ItemState(StrEnum):
    """Life of one file of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    INDEXED = "indexed"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    DEAD = "dead"
    """Given up after the allowed number of attempts."""


FINAL_ITEM_STATES = frozenset({ItemState.INDEXED, ItemState.UNCHANGED, ItemState.FAILED, ItemState.DEAD})


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a job; ``reason`` says why it failed, ``label`` is given to its frames."""

    item_id: int
    job_id: str
    collection: str
    origin: Origin
    state: ItemState
    attempts: int
    frames: int
    reason: str | None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """An index job and its progress; ``counts`` maps every item state to a number of items."""

    job_id: str
    collection: str
    origin: Origin
    state: JobState
    created_at: float
    updated_at: float
    counts: dict[ItemState, int]
    frames: int
    reason: str | None
    label: str | None = None

    @property
    def total(self) -> int:
        """Number of items known so far."""
        return sum(self.counts.values())

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to the job."""
        return self.state in (JobState.DONE, JobState.FAILED)
