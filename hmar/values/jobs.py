"""Index jobs, their files, and the messages that move them on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, Literal, NamedTuple, Self

from hmar.values.entries import Origin
from hmar.values.plain import Json


class Message(NamedTuple):
    """A message on the job queue: "expand" carries a job's id, "item" an item's id."""

    kind: Literal["expand", "item"]
    target: str


class QueueLoad(NamedTuple):
    """What index jobs wait for: jobs that were not listed yet, files that wait, and files in hand.

    ``oldest_s`` is how long ago the oldest job of which a file waits, or which was not listed yet, was
    submitted, in seconds; 0 where nothing waits.
    """

    unlisted_jobs: int
    queued_items: int
    running_items: int
    oldest_s: float


class JobState(StrEnum):
    """Life of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    """Nothing more is begun; files that were in hand still end as they do."""


class ItemState(StrEnum):
    """Life of one file of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    INDEXED = "indexed"
    PARTIAL = "partial"
    """Some frames cannot be decoded; all others are indexed."""
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    """A file of another kind than an image."""
    FAILED = "failed"
    DEAD = "dead"
    """Given up after the allowed number of attempts."""
    CANCELLED = "cancelled"
    """Not tried any more: its job was cancelled."""


OPEN_JOB_STATES = frozenset({JobState.QUEUED, JobState.RUNNING})
OPEN_ITEM_STATES = frozenset({ItemState.QUEUED, ItemState.RUNNING})
FINAL_ITEM_STATES = frozenset(ItemState) - OPEN_ITEM_STATES
FAULTY_ITEM_STATES = frozenset({ItemState.PARTIAL, ItemState.FAILED, ItemState.DEAD})
"""Those of files of which not all is indexed; the item says why."""
TRIED_AGAIN = frozenset({ItemState.FAILED, ItemState.DEAD})
"""Those of files that a retry puts back to queued."""
JOB_CANCELLED = "The job was cancelled."
"""Reason of a cancelled job, and of its files that were not tried any more."""
NAMES_KEPT_S = 30 * 24 * 3600.0
"""Names of sent files are forgotten after this: they may be patients'."""
REQUESTS_KEPT_S = 24 * 3600.0
"""For so long the same request stands for the same job."""


REINDEX = "reindex"
"""Source in the origin of a job over what the archive holds; the reference is a model's fingerprint."""


def reindexing_origin(model_fingerprint: str) -> Origin:
    """Return the origin of a job that indexes what is there under a model."""
    return Origin(REINDEX, model_fingerprint)


def reindexed_reference(origin: Origin) -> str:
    """Return how such a job refers to a file that frames come from."""
    return f"{origin.source}/{origin.reference}"


def reindexed_origin(reference: str) -> Origin:
    """Return the file that :func:`reindexed_reference` refers to."""
    source, _, rest = reference.partition("/")
    return Origin(source, rest)


def model_of(origin: Origin) -> str | None:
    """Return the model that a job of an origin indexes under what is there, None for any other job."""
    return origin.reference if origin.source == REINDEX else None


class SentAs(NamedTuple):
    """How a file was sent: its place in the request, from 1, and its name where that is to be kept."""

    number: int
    name: str | None = None


class JobRequest(NamedTuple):
    """A request for a job that may come again.

    Both are SHA-256 in hex: ``key`` of the request's own key together with who sent it, ``content`` of what
    it asks for.
    """

    key: str
    content: str


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a job; ``reason`` says why not all of it is indexed, ``label`` is given to its frames.

    So is ``patient_key`` where the file itself names no patient. ``sent_as`` is known of sent files alone.
    ``model`` is the fingerprint of the model that frames which are there are indexed under, None for new
    frames.
    """

    item_id: int
    job_id: str
    collection: str
    origin: Origin
    state: ItemState
    attempts: int
    frames: int
    reason: str | None
    label: str | None = None
    patient_key: str | None = None
    sent_as: SentAs | None = None
    model: str | None = None

    def to_dict(self) -> Json:
        """Return the file as the API does; of its place only the last part is told."""
        return {
            "item_id": self.item_id,
            "reference": PurePosixPath(self.origin.reference).name,
            "number": None if self.sent_as is None else self.sent_as.number,
            "name": None if self.sent_as is None else self.sent_as.name,
            "state": self.state.value,
            "attempts": self.attempts,
            "frames": self.frames,
            "reason": self.reason,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any], job_id: str, collection: str) -> Self:
        """Return the file that an answer tells of a job; what stays on the server is empty."""
        number = told["number"]
        return cls(
            int(told["item_id"]),
            job_id,
            collection,
            Origin("", told["reference"]),
            ItemState(told["state"]),
            int(told["attempts"]),
            int(told["frames"]),
            told["reason"],
            sent_as=None if number is None else SentAs(number, told["name"]),
        )


@dataclass(frozen=True, slots=True)
class Job:
    """An index job and its progress; ``counts`` maps every item state to a number of items.

    One that indexes what is there under another model has an origin of its own; see ``REINDEX``.
    """

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
    def model(self) -> str | None:
        """Fingerprint of the model that frames which are there are indexed under, None for new ones."""
        return model_of(self.origin)

    @property
    def total(self) -> int:
        """Number of items known so far."""
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        """Number of items that have ended, one way or another."""
        return sum(self.counts.get(state, 0) for state in FINAL_ITEM_STATES)

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to the job."""
        return self.state not in OPEN_JOB_STATES and self.done == self.total

    def to_dict(self, failed: Sequence[Item]) -> Json:
        """Return the job as the API does, with some of the files that failed, as a whole or in part."""
        return {**self.summary(), "failed_items": [item.to_dict() for item in failed]}

    def summary(self) -> Json:
        """Return the job as the API lists it, without files."""
        return {
            "job_id": self.job_id,
            "kind": "index" if self.model is None else REINDEX,
            "model_fingerprint": self.model,
            "collection": self.collection,
            "label": self.label,
            "state": self.state.value,
            "finished": self.finished,
            "created_at": _time(self.created_at),
            "updated_at": _time(self.updated_at),
            "total": self.total,
            "counts": {state.value: self.counts.get(state, 0) for state in ItemState},
            "frames": self.frames,
            "reason": self.reason,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the job that an answer tells; where its files are stays on the server, and is empty."""
        model = told.get("model_fingerprint")  # servers of earlier versions do not tell it
        created, updated = (
            datetime.fromisoformat(told[name]).timestamp() for name in ("created_at", "updated_at")
        )
        return cls(
            told["job_id"],
            told["collection"],
            Origin("", "") if model is None else reindexing_origin(model),
            JobState(told["state"]),
            created,
            updated,
            {state: int(told["counts"].get(state.value, 0)) for state in ItemState},
            int(told["frames"]),
            told["reason"],
            told["label"],
        )


class JobProgress(NamedTuple):
    """A job while it is followed, and how many seconds are left; None before that can be told."""

    job: Job
    seconds_left: float | None

    def to_dict(self) -> Json:
        """Return the progress as the API does."""
        left = self.seconds_left
        return {**self.job.summary(), "seconds_left": None if left is None else round(left, 1)}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the progress that an event tells."""
        left = told["seconds_left"]
        return cls(Job.from_dict(told), None if left is None else float(left))


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
