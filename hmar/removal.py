"""Removal: what is deleted is gone from the catalogue, the uploads, the index and its snapshots."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from hmar.errors import NotFoundError, ParameterError, shown
from hmar.ports import Catalogue, CodeIndex
from hmar.uploads import UPLOAD, KeptUploads
from hmar.values.deletion import Deleted, Extent, Level, Selector

SETTLE_TIMEOUT_S = 600.0
"""Another process may be writing a large snapshot."""
_POLL_S = 0.1
_log = logging.getLogger(__name__)


class Remover:
    """The use case of deleting, handed its ports.

    Parameters
    ----------
    catalogue : Catalogue
    uploads : KeptUploads
    sweep_drafts : callable
        Removes unfinished files of processes that were killed; returns how many.
    """

    def __init__(
        self, catalogue: Catalogue, uploads: KeptUploads, sweep_drafts: Callable[[], int] = lambda: 0
    ) -> None:
        self._catalogue = catalogue
        self._uploads = uploads
        self._sweep_drafts = sweep_drafts

    def extent(self, selector: Selector, collection: str | None = None) -> Extent:
        """Return how much :meth:`delete` would take away."""
        return self._catalogue.extent(selector, collection)

    def delete(self, selector: Selector, collection: str | None = None) -> Deleted:
        """Delete frames, in one collection or in all, and the uploads that no other frame comes from.

        Searches find none of the frames from now on. Snapshots of the index still hold their codes until
        :func:`settle`, or whoever serves the index, has replaced them.
        """
        deleted = self._catalogue.delete(selector, collection)
        self._uploads.collect([origin.reference for origin in deleted.orphans if origin.source == UPLOAD])
        return deleted

    def sweep(self) -> int:
        """Remove what killed processes have left: unneeded uploads and unfinished files; return how many."""
        return self._uploads.sweep() + self._sweep_drafts()


def one_selector(uids: Mapping[Level, str | None], patient: bool, patient_key: str | None) -> Selector:
    """Return the selector of the one thing that was named.

    Parameters
    ----------
    uids : mapping of Level to str or None
        UID of an instance, series or study; None for those that were not named.
    patient : bool
        Whether a patient was named.
    patient_key : str or None
        The patient's key, None for an empty id.

    Raises
    ------
    ParameterError
        If nothing or more than one thing was named, or an empty UID or patient id.
    """
    check_one(uids, patient)
    for level, uid in uids.items():
        if uid is not None:
            return _of_uid(level, uid)
    if patient_key is None:
        raise ParameterError("The patient id is empty.", "Give the id as the files have it.")
    return Selector("patient", patient_key)


def check_one(uids: Mapping[Level, str | None], patient: bool) -> None:
    """Raise ParameterError unless exactly one thing to delete was named."""
    named = sum(uid is not None for uid in uids.values()) + patient
    if named != 1:
        raise ParameterError(
            f"{named or 'No'} things to delete were named.", "Name one instance, series, study or patient."
        )


def _of_uid(level: Level, uid: str) -> Selector:
    if not uid.strip():
        raise ParameterError(f"The UID of the {level} is empty.", "Give the UID of what to delete.")
    return Selector(level, uid.strip())


def nothing_matches(selector: Selector) -> NotFoundError:
    """Return the error for a selector that no frame fits; of a patient it tells nothing."""
    if selector.level == "patient":
        return NotFoundError(
            "No frame in the archive has this patient id.",
            "Check the id, and the issuer: files with an issuer of the id (0010,0021) need it too.",
        )
    return NotFoundError(
        f"No frame in the archive is of {selector.level} {shown(selector.value)}.",
        "Check the UID and the collection.",
    )


def settle(refresh: Callable[[], int], index: CodeIndex) -> bool:
    """Replace the snapshots of the index that hold deleted codes; return whether all are replaced.

    Parameters
    ----------
    refresh : callable
        Applies the log to the index; see :meth:`hmar.search.Searcher.refresh`.
    index : CodeIndex
    """
    refresh()
    end = time.monotonic() + SETTLE_TIMEOUT_S
    while True:
        if index.stats().unsettled:
            index.snapshot()
        # Another process may have written it, or be writing one now.
        index.check()
        if not index.stats().unsettled:
            return True
        if time.monotonic() > end:
            _log.warning("snapshots of the index still hold deleted codes: another process is writing one")
            return False
        time.sleep(_POLL_S)
