"""What came of adding images to an archive."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from hmar.values.entries import Appended
from hmar.values.jobs import Item, ItemState, Job
from hmar.values.plain import Json


class Failure(NamedTuple):
    """A file that was not added, and why."""

    file: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Added:
    """How many files were added; for frames that came as values, how many of those.

    Parameters
    ----------
    indexed : int
        That brought something new.
    unchanged : int
        That were there already.
    frames : int
        Frames in both.
    failures : tuple of Failure
        What was not added, and why.
    """

    indexed: int
    unchanged: int
    frames: int
    failures: tuple[Failure, ...] = ()

    @classmethod
    def of_job(cls, job: Job, failed: Sequence[Item], root: Path) -> Added:
        """Return what came of a job over ``root`` that has ended; files are named as :func:`file_of` does."""
        return cls(
            job.counts[ItemState.INDEXED],
            job.counts[ItemState.UNCHANGED],
            job.frames,
            tuple(Failure(file_of(item, root), item.reason) for item in failed),
        )

    @classmethod
    def of_frames(cls, appended: Appended) -> Added:
        """Return what came of frames that were handed over as values."""
        return cls(appended.added, appended.unchanged, sum(appended))

    def with_failure(self, failure: Failure) -> Added:
        """Return the same with one more failure."""
        return replace(self, failures=(*self.failures, failure))

    @property
    def failed(self) -> int:
        """Number of files that were not added."""
        return len(self.failures)

    def to_dict(self) -> Json:
        """Return the counts and the failures, as ``hmar index --json`` prints them."""
        return {
            "indexed": self.indexed,
            "unchanged": self.unchanged,
            "failed": self.failed,
            "frames": self.frames,
            "failures": [failure._asdict() for failure in self.failures],
        }


def file_of(item: Item, root: Path) -> str:
    """Return the path of a job's file below the folder that was indexed; its name, where that was a file."""
    folder = root.resolve() if root.is_dir() else root.resolve().parent
    return os.path.relpath(Path("/", item.origin.reference), folder)
