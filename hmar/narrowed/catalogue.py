"""The catalogue as one request sees it, which notes whose data it is given."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from hmar.narrowed.selecting import seen
from hmar.ports import Catalogue
from hmar.values.access import Access
from hmar.values.changes import Changes
from hmar.values.codes import EncodedFrame
from hmar.values.collections import CollectionInfo
from hmar.values.deletion import Collections, Deleted, Extent, Selector
from hmar.values.entries import Appended, EntryInfo, LogRow, Origin, SeriesInfo
from hmar.values.listed_patients import PatientsPage
from hmar.values.studies import StudiesPage
from hmar.values.wanted_studies import ALL_STUDIES, WantedStudies


class NarrowedCatalogue:
    """A :class:`hmar.ports.Catalogue` without the collections that the current request does not see.

    Parameters
    ----------
    catalogue : Catalogue
    access : callable
        Returns the access of the current request.
    """

    def __init__(self, catalogue: Catalogue, access: Callable[[], Access]) -> None:
        self._catalogue = catalogue
        self._access = access

    def append(
        self,
        collection: str,
        frames: Sequence[EncodedFrame],
        origin: Origin,
        as_of: int | None = None,
        replaced: Collection[int] = (),
    ) -> Appended:
        """Add frames to a collection; raises ForbiddenError for one that is not seen."""
        self._access().require_collection(collection)
        return self._catalogue.append(collection, frames, origin, as_of, replaced)

    def extent(self, selector: Selector, collection: Collections = None) -> Extent:
        """Return how much :meth:`delete` would take away."""
        return self._catalogue.extent(selector, seen(self._access().identity, collection))

    def delete(self, selector: Selector, collection: Collections = None) -> Deleted:
        """Delete what a selector stands for, of what is seen."""
        access = self._access()
        access.touched.add((selector.level, selector.value))
        return self._catalogue.delete(selector, seen(access.identity, collection))

    def relabel(self, selector: Selector, label: str | None, collection: Collections = None) -> int:
        """Give what a selector stands for a label, of what is seen."""
        access = self._access()
        narrowed = seen(access.identity, collection)
        if self._catalogue.extent(selector, narrowed).frames:
            access.touched.add((selector.level, selector.value))
        return self._catalogue.relabel(selector, label, narrowed)

    def referred(self, origins: Collection[Origin]) -> set[Origin]:
        """Return the origins that any frame comes from: a file stays for as long as anybody needs it."""
        return self._catalogue.referred(origins)

    def tail(self, after_seq: int, limit: int) -> list[LogRow]:
        """Return the next log rows, all of them: they are for the index, which is narrowed itself."""
        return self._catalogue.tail(after_seq, limit)

    def marks(self, after_seq: int, limit: int) -> list[str]:
        """Return the marks of the next log rows, all of them."""
        return self._catalogue.marks(after_seq, limit)

    def changes(self, after_seq: int, limit: int, collection: Collections = None) -> Changes:
        """Return the next log rows of what is seen."""
        access = self._access()
        found = self._catalogue.changes(after_seq, limit, seen(access.identity, collection))
        access.touch(change.entry for change in found.changes if change.entry is not None)
        return found

    def collections(self, model_fingerprint: str, collection: Collections = None) -> list[CollectionInfo]:
        """Return what the collections hold that are seen."""
        return self._catalogue.collections(model_fingerprint, seen(self._access().identity, collection))

    def last_seq(self) -> int:
        """Return the highest sequence number committed."""
        return self._catalogue.last_seq()

    def entries(self, entry_ids: Collection[int]) -> dict[int, EntryInfo]:
        """Return the entries that are seen among ``entry_ids``."""
        given = self._given(self._catalogue.entries(entry_ids).values())
        return {entry.entry_id: entry for entry in given}

    def find(
        self, sop_instance_uid: str, model_fingerprint: str, collection: str | None = None
    ) -> list[EntryInfo]:
        """Return the frames of an instance that are seen; maybe none."""
        return self._given(self._catalogue.find(sop_instance_uid, model_fingerprint, collection))

    def ids_of(self, sop_instance_uids: Collection[str], model_fingerprint: str) -> frozenset[int]:
        """Return the ids of the live entries of some instances, seen or not: an id gives nothing of them."""
        return self._catalogue.ids_of(sop_instance_uids, model_fingerprint)

    def patients(self, sop_instance_uid: str, model_fingerprint: str) -> frozenset[str]:
        """Return the patients of an instance of whom something is seen.

        The instance itself need not be: what it tells of its patient must not be lost where the patient is to
        be left out. Where nothing of the patient is seen, nothing is told.
        """
        found = self._catalogue.patients(sop_instance_uid, model_fingerprint)
        if self._access().identity.collections is None:
            return found
        return frozenset(key for key in found if self.extent(Selector("patient", key)).frames)

    def instance(self, collection: str, sop_instance_uid: str) -> list[EntryInfo]:
        """Return the frames of an instance of all models, if the collection is seen."""
        return self._given(self._catalogue.instance(collection, sop_instance_uid))

    def series(
        self, model_fingerprint: str, selector: Selector | None = None, collection: str | None = None
    ) -> list[SeriesInfo]:
        """List the series that are seen."""
        access = self._access()
        listed = [
            series
            for series in self._catalogue.series(model_fingerprint, selector, collection)
            if access.identity.sees(series.collection)
        ]
        _touch(access, listed)
        return listed

    def studies(
        self,
        model_fingerprint: str,
        collection: Collections = None,
        wanted: WantedStudies = ALL_STUDIES,
        offset: int = 0,
        limit: int = 100,
    ) -> StudiesPage:
        """List the studies that are seen."""
        access = self._access()
        within = seen(access.identity, collection)
        listed = self._catalogue.studies(model_fingerprint, within, wanted, offset, limit)
        for study in listed.studies:
            _touch(access, study.series)
        return listed

    def patient_keys(self, model_fingerprint: str, collection: Collections = None) -> frozenset[str]:
        """Return the keys of the patients that are seen."""
        within = seen(self._access().identity, collection)
        return self._catalogue.patient_keys(model_fingerprint, within)

    def patient_list(
        self, model_fingerprint: str, collection: Collections = None, offset: int = 0, limit: int = 100
    ) -> PatientsPage:
        """List the patients that are seen, by what of them is seen."""
        access = self._access()
        within = seen(access.identity, collection)
        listed = self._catalogue.patient_list(model_fingerprint, within, offset, limit)
        access.touched.update(("patient", patient.patient_key) for patient in listed.patients)
        return listed

    def study_uids(
        self, model_fingerprint: str, wanted: WantedStudies, collection: Collections = None
    ) -> list[str]:
        """Return the UIDs of the studies that are seen, of which nothing else is given."""
        within = seen(self._access().identity, collection)
        return self._catalogue.study_uids(model_fingerprint, wanted, within)

    def frames(self, collection: str, series_uid: str, model_fingerprint: str) -> list[EntryInfo]:
        """Return the frames of a series in display order, if the collection is seen."""
        return self._given(self._catalogue.frames(collection, series_uid, model_fingerprint))

    def _given(self, found: Iterable[EntryInfo]) -> list[EntryInfo]:
        """Return the entries that are seen, and note whose they are."""
        access = self._access()
        given = [entry for entry in found if access.identity.sees(entry.collection)]
        access.touch(given)
        return given


def _touch(access: Access, listed: Iterable[SeriesInfo]) -> None:
    """Note studies, and patients where they are known, of whom series are given."""
    for series in listed:
        access.touched.add(("study", series.study_uid))
        if series.patient_key is not None:
            access.touched.add(("patient", series.patient_key))
