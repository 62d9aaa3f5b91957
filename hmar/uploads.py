"""Uploads: files that are sent, and kept for as long as a frame or an open item of a job refers to them.

The rows of a job are written before its files are stored, so that every stored file has a row that tells
whether it is still needed, whatever is killed in between. A file without any row is left alone: where an
older copy of the database was restored, it may be the only copy of an image.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from itertools import islice

from hmar.errors import OperatorError
from hmar.ports import Catalogue, JobStore, UploadSource
from hmar.values.entries import Origin
from hmar.values.jobs import OPEN_ITEM_STATES, ItemState

UPLOAD = "upload"
"""Name of this source in an origin."""
REMOVED_AT_ONCE = 100
"""Files looked at together; nothing can be received while those are removed that nobody needs."""

_log = logging.getLogger(__name__)


class KeptUploads:
    """Receives files, and removes those that nobody needs any more.

    Parameters
    ----------
    store : UploadSource
    jobs : JobStore
    catalogue : Catalogue
    """

    def __init__(self, store: UploadSource, jobs: JobStore, catalogue: Catalogue) -> None:
        self._store = store
        self._jobs = jobs
        self._catalogue = catalogue

    def receive(self, collection: str, contents: Sequence[bytes], label: str | None) -> str:
        """Create a job over some files, store them, and return the job's id.

        Raises
        ------
        UnavailableError
            If they cannot be stored; the job has ended then.
        """
        references = sorted({hashlib.sha256(content).hexdigest() for content in contents})
        with self._store.receiving():
            job_id = self._jobs.create(collection, Origin(UPLOAD, ""), references, label)
            try:
                for content in contents:
                    self._store.put(content)
            except BaseException:
                # Where that fails too, the items fail when a worker finds no file.
                with suppress(OperatorError):
                    self._give_up(job_id, len(references))
                raise
        return job_id

    def _give_up(self, job_id: str, limit: int) -> None:
        for item in self._jobs.items(job_id, OPEN_ITEM_STATES, limit):
            self._jobs.finish(item.item_id, ItemState.FAILED, 0, "The file could not be stored.")

    def collect(self, references: Iterable[str]) -> int:
        """Remove those of some files that nobody needs; return how many.

        Where others are being received all the time, the rest waits for the next sweep.
        """
        removed = 0
        origins = (Origin(UPLOAD, reference) for reference in references)
        while page := list(islice(origins, REMOVED_AT_ONCE)):
            if not self._unneeded(page):
                continue
            with self._store.removing() as held:
                if not held:
                    _log.info("uploads that nobody needs wait for the next sweep: others are being received")
                    break
                removed += sum(self._store.remove(origin.reference) for origin in self._unneeded(page))
        return removed

    def sweep(self) -> int:
        """Remove all files that nobody needs; return how many.

        It finds what a process has left that was killed, or could not wait.
        """
        return self.collect(list(self._store.references()))

    def _unneeded(self, origins: Collection[Origin]) -> set[Origin]:
        # In this order: a frame is there before its item has ended.
        ended = self._jobs.finished_with(origins)
        return ended - self._catalogue.referred(ended)
