"""The outcome of adding images to an archive."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from hmar.values.entries import Appended
from hmar.values.jobs import Item, ItemState, Job
from hmar.values.plain import Json
from hmar.values.references import reference_of

Progress = Callable[[int, int], None]
"""Told how many files are done, and how many are known so far."""


def silent(_done: int, _known: int) -> None:
    """Show nothing."""


class Failure(NamedTuple):
    """A file of which not all was added, and why."""

    file: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Added:
    """The outcome of :meth:`hmar.Archive.add` and :meth:`hmar.Client.add`.

    Counts are of files, or of frames where frames were given.

    Parameters
    ----------
    indexed : int
        With at least one frame that is new in the archive.
    unchanged : int
        Whose frames had all been indexed before.
    frames : int
        Frames of both, and those of ``partial`` that are indexed.
    failures : tuple of Failure
        What was not added, and why.
    partial : tuple of Failure
        Files some of whose frames cannot be decoded, which ones, and why. Their other frames are indexed.
    skips : tuple of Failure
        Files of another kind than images.
    """

    indexed: int
    unchanged: int
    frames: int
    failures: tuple[Failure, ...] = ()
    partial: tuple[Failure, ...] = ()
    skips: tuple[Failure, ...] = ()

    @classmethod
    def of_job(cls, job: Job, faulty: Sequence[Item], root: Path, skipped: Sequence[Item] = ()) -> Added:
        """Return the outcome of a finished job over ``root``; files are named as by :func:`file_of`."""
        partial = [item for item in faulty if item.state is ItemState.PARTIAL]
        failed = [item for item in faulty if item.state is not ItemState.PARTIAL]
        return cls(
            job.counts[ItemState.INDEXED],
            job.counts[ItemState.UNCHANGED],
            job.frames,
            _failures(failed, root),
            _failures(partial, root),
            _failures(skipped, root),
        )

    @classmethod
    def of_frames(cls, appended: Appended) -> Added:
        """Return the outcome of adding frames that were given as values."""
        return cls(appended.added, appended.unchanged, sum(appended))

    def with_failure(self, failure: Failure) -> Added:
        """Return the same with one more failure."""
        return replace(self, failures=(*self.failures, failure))

    @property
    def failed(self) -> int:
        """Number of files that were not added."""
        return len(self.failures)

    @property
    def skipped(self) -> int:
        """Number of files that are no images, or masks of images."""
        return len(self.skips)

    def to_dict(self) -> Json:
        """Return the counts, the failures and what was skipped, as ``hmar index --json`` prints them."""
        return {
            "indexed": self.indexed,
            "unchanged": self.unchanged,
            "partial": len(self.partial),
            "skipped": self.skipped,
            "failed": self.failed,
            "frames": self.frames,
            "failures": [failure._asdict() for failure in self.failures],
            "partial_files": [failure._asdict() for failure in self.partial],
            "skips": [skip._asdict() for skip in self.skips],
        }


def _failures(items: Sequence[Item], root: Path) -> tuple[Failure, ...]:
    return tuple(Failure(file_of(item, root), item.reason) for item in items)


def file_of(item: Item, root: Path) -> str:
    """Return the path of a job's file below the folder that was indexed; its name, where that was a file."""
    folder = root.resolve() if root.is_dir() else root.resolve().parent
    return os.path.relpath(Path("/", item.origin.reference), reference_of(folder))
