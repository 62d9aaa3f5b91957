"""What was pushed goes from the spool into index jobs, so that a kill at any moment loses nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import islice

from hmar.errors import UnavailableError
from hmar.indexing.submitting import send
from hmar.ports import JobQueue
from hmar.spool import Spool, Spooled
from hmar.uploads import KeptUploads
from hmar.values.jobs import Message

JOB_FILES = 1000
"""Files of one job."""


class Intake:
    """Makes index jobs of files in the spool.

    A file is stored first, then it is an item of a job, and only then is it gone from the spool. Whoever is
    killed in between leaves it there; it is taken again then, and what is indexed already stays as it is.

    Parameters
    ----------
    spool : Spool
    uploads : KeptUploads
    queue : JobQueue
    """

    def __init__(self, spool: Spool, uploads: KeptUploads, queue: JobQueue) -> None:
        self._spool, self._uploads, self._queue = spool, uploads, queue

    def take(self, collection: str, files: Sequence[Spooled]) -> str | None:
        """Create a job over files of one collection, and return its id.

        Those that another sweep has taken meanwhile are left out; None where that is all of them. Where this
        fails they stay in the spool, but for those that are damaged.
        """
        there = {file.reference: file.path for file in files if file.path.exists()}
        if not there:
            return None
        try:
            job_id = self._uploads.adopt(collection, there)
        except UnavailableError:
            self._spool.set_damaged_aside(files)
            raise
        self._spool.remove(files)
        send(self._queue, [Message("expand", job_id)])
        return job_id

    def sweep(self, receiver: str | None = None, older_than_s: float = 0.0) -> int:
        """Take all that waits; return how many files. See :meth:`hmar.spool.Spool.waiting`."""
        with self._spool.sweeping() as alone:
            return self._sweep(receiver, older_than_s) if alone else 0

    def _sweep(self, receiver: str | None, older_than_s: float) -> int:
        taken, waiting = 0, self._spool.waiting(receiver, older_than_s)
        while some := list(islice(waiting, JOB_FILES)):
            by_collection: defaultdict[str, list[Spooled]] = defaultdict(list)
            for file in some:
                by_collection[file.collection].append(file)
            for collection, files in by_collection.items():
                self.take(collection, files)
            taken += len(some)
        return taken
