"""Uploads: files that are sent, and kept for as long as a frame or an open item of a job refers to them.

The rows of a job are written before its files are stored, so that every stored file has a row that tells
whether it is still needed, whatever is killed in between. A file without any row is left alone: where an
older copy of the database was restored, it may be the only copy of an image.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from hmar.errors import OperatorError
from hmar.ports import Catalogue, JobStore, UploadSource
from hmar.values.entries import Origin
from hmar.values.jobs import NAMES_KEPT_S, OPEN_ITEM_STATES, ItemState, JobRequest, SentAs

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

    def receive(
        self,
        collection: str,
        contents: Sequence[bytes],
        label: str | None,
        names: Sequence[str] | None = None,
        request: JobRequest | None = None,
    ) -> str:
        """Create a job over some files, store them, and return the job's id.

        Parameters
        ----------
        collection, contents, label
            What is sent, where to, and under which label. Files with the same content are one.
        names : sequence of str, optional
            Names of the files, where they are to be kept.
        request : JobRequest, optional
            Where the same one has created a job before, the files are stored for that job: the process that
            took them may have been killed.

        Raises
        ------
        ConflictError
            If another request of the same key has created a job.
        UnavailableError
            If they cannot be stored; the job has ended then, unless the same request came before.
        """
        sent: dict[str, SentAs] = {}
        for number, content in enumerate(contents, start=1):
            name = None if names is None else names[number - 1]
            sent.setdefault(hashlib.sha256(content).hexdigest(), SentAs(number, name))
        references = list(sent)
        before = None if request is None else self._jobs.asked_before(request)
        with self._store.receiving():
            job_id = self._jobs.create(
                collection, Origin(UPLOAD, ""), references, label, sent=sent, request=request
            )
            try:
                for content in contents:
                    self._store.put(content)
            except BaseException:
                # Of an earlier request the files are there, unless its process was killed. Where this fails
                # too, the items fail when a worker finds no file.
                with suppress(OperatorError):
                    if job_id != before:
                        self._give_up(job_id, len(references))
                raise
        return job_id

    def adopt(self, collection: str, files: Mapping[str, Path]) -> str:
        """Store files that lie on the disk, and create a job over them; return its id.

        The files themselves stay: whoever has them removes them once the job is there. So a file that was
        stored by a process that was killed is stored again, and is an item of a job in the end.

        Parameters
        ----------
        collection : str
        files : mapping of str to Path
            By their SHA-256 in hex.
        """
        with self._store.receiving():
            for reference, path in files.items():
                self._store.adopt(path, reference)
            return self._jobs.create(collection, Origin(UPLOAD, ""), list(files))

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
        """Remove all files that nobody needs, and forget old names; return how many files.

        It finds what a process has left that was killed, or could not wait.
        """
        self._jobs.forget_names(NAMES_KEPT_S)
        return self.collect(list(self._store.references()))

    def _unneeded(self, origins: Collection[Origin]) -> set[Origin]:
        # In this order: a frame is there before its item has ended.
        ended = self._jobs.finished_with(origins)
        return ended - self._catalogue.referred(ended)
