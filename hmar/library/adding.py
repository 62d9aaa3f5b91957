"""What :meth:`hmar.Archive.add` takes, and how each kind of it is indexed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from hmar.adapters.memory import InlineQueue
from hmar.adapters.unkept_frames import UNKEPT
from hmar.errors import NotFoundError
from hmar.library.images import Openable, OpenedImage
from hmar.library.index_job import failed_items, run_job, skipped_items
from hmar.uploads import UPLOAD
from hmar.values.added import Added, Failure, Progress
from hmar.values.entries import Origin
from hmar.values.frames import Frame
from hmar.values.jobs import Job, JobState
from hmar.values.references import reference_of
from hmar.wiring import Engine

Addable = Openable | OpenedImage | Frame | Iterable[Frame]
"""A file or folder by its path, a file's bytes, an opened image, or frames."""


class Adder:
    """Adds images to an archive, in this process.

    Parameters
    ----------
    engine : Engine
        Built with ``queue``.
    queue : InlineQueue
    check : callable
        Given each frame that comes as a value; raises where it cannot be kept.
    """

    def __init__(self, engine: Engine, queue: InlineQueue, check: Callable[[Frame], None]) -> None:
        self._engine = engine
        self._queue = queue
        self._check = check

    def add(self, images: Addable, collection: str, label: str | None, progress: Progress) -> Added:
        """Index images; see :meth:`hmar.Archive.add`."""
        source = images.source if isinstance(images, OpenedImage) else images
        if isinstance(source, bytes):
            return self._bytes(source, collection, label, progress)
        if isinstance(source, str | os.PathLike):
            return self._files(Path(source), collection, label, progress)
        frames = self._checked([source] if isinstance(source, Frame) else source)
        return Added.of_frames(self._engine.indexer.add(collection, frames, Origin(UNKEPT, ""), label))

    def _bytes(self, data: bytes, collection: str, label: str | None, progress: Progress) -> Added:
        job = self._run(Origin(UPLOAD, ""), [data], collection, label, progress)
        return Added.of_job(job, failed_items(self._engine.jobs, job), Path("/"))

    def _files(self, path: Path, collection: str, label: str | None, progress: Progress) -> Added:
        root = path.resolve()
        if not root.exists():
            raise NotFoundError(f"There is no file or folder {str(path)!r}.", "Check the path.")
        # A folder without any file is an error of the caller's, not one of the job's.
        next(self._engine.sources["local"].list(reference_of(root)))
        job = self._run(Origin("local", reference_of(root)), None, collection, label, progress)
        jobs = self._engine.jobs
        added = Added.of_job(job, failed_items(jobs, job), root, skipped_items(jobs, job))
        return added.with_failure(Failure(str(path), job.reason)) if job.state is not JobState.DONE else added

    def _run(
        self,
        origin: Origin,
        contents: list[bytes] | None,
        collection: str,
        label: str | None,
        progress: Progress,
    ) -> Job:
        def report(job: Job) -> None:
            progress(job.done, job.total)

        return run_job(self._engine, self._queue, collection, origin, contents, label, report)

    def _checked(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in frames:
            if not isinstance(frame, Frame):
                raise TypeError(f"a {type(frame).__name__} cannot be added; give frames, a path, or bytes")
            self._check(frame)
            yield frame
