"""The search use case: keep the index up to date, ask it, and say what was found and where."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import get_args

from hmar.errors import ModelError, NotFoundError, ParameterError, UnindexedError, shown
from hmar.found import hit_of
from hmar.groups import GroupSearcher
from hmar.places import PlaceGrower
from hmar.ports import Catalogue, CodeHolder, CodeIndex, FrameEncoder, SlabStore
from hmar.refining import refined
from hmar.scans import Scans
from hmar.slabs import SlabSearcher, WholeCodes
from hmar.stages import stage
from hmar.values.codes import Bits, Query
from hmar.values.deletion import Collections
from hmar.values.entries import EntryInfo, LogRow
from hmar.values.fast import Search
from hmar.values.frames import Frame, FrameInfo
from hmar.values.groups import Aggregation, FrameCodes, GroupLevel, GroupMode, GroupResults
from hmar.values.hits import CodeHit, Hit, Mode
from hmar.values.indexed import IndexedFrame
from hmar.values.judged import NOTHING_JUDGED, Judged
from hmar.values.outline import Region, box_around
from hmar.values.pages import Page
from hmar.values.results import Results
from hmar.values.search_limits import MAX_PLACES, MAX_REGIONS, check_choice, check_numbers
from hmar.values.selection import Exclusion, GroupBy, Same, Selection

PAGE_ROWS = 512
"""Log rows applied at a time."""
Unindexed = Callable[[Collections], int]
"""Returns how many frames of some collections are not indexed under a model."""
_log = logging.getLogger(__name__)


class Searcher:
    """Answers queries by image or by region. Thread-safe.

    Parameters
    ----------
    catalogue : Catalogue
        The truth.
    index : CodeIndex
        Its projection; brought up to date before each query.
    encoder : FrameEncoder
        Encodes queries, and knows where windows lie.
    unindexed : callable
        Returns how many frames of some collections the model has not indexed.
    slabs : SlabStore or None
        Has the windows of frames that are held back; None where none are.
    fast_above : int
        Windows of the index from which an answer is searched fast where nothing else was asked for; 0 for
        never.

    Raises
    ------
    ModelError
        If the index holds codes of another model than the encoder's.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        index: CodeIndex,
        encoder: FrameEncoder,
        unindexed: Unindexed = lambda _collections: 0,
        slabs: SlabStore | None = None,
        fast_above: int = 0,
    ) -> None:
        indexed = index.stats().model_fingerprint
        if indexed != encoder.fingerprint:
            raise ModelError(
                f"The index is of model {indexed!r}, the encoder is {encoder.fingerprint!r}.",
                "Build the index with the encoder's fingerprint; codes of two models are never compared.",
            )
        self._catalogue = catalogue
        self._index = index
        self._encoder = encoder
        self._unindexed = unindexed
        self._slab_store = slabs
        self._fast_above = fast_above
        self._scans = Scans(index, fast_above)
        self._held: CodeHolder = index if slabs is None else WholeCodes(index, slabs)
        self._groups = GroupSearcher(catalogue, index, encoder, self._held)
        self._refreshing = threading.Lock()

    def over(self, catalogue: Catalogue, index: CodeIndex, unindexed: Unindexed) -> Searcher:
        """Return a searcher over other ports of the same archive; their refreshes wait for each other."""
        searcher = Searcher(catalogue, index, self._encoder, unindexed, self._slab_store, self._fast_above)
        searcher._refreshing = self._refreshing
        return searcher

    def refresh(self) -> int:
        """Apply what the log holds beyond the index; return the number of rows applied.

        An index of another log (another database, or this one restored from an older copy) is cleared first
        and built anew.
        """
        with stage("catalogue"), self._refreshing:
            applied = 0
            while rows := self._news():
                self._index.apply(rows)
                applied += len(rows)
                if len(rows) < PAGE_ROWS:
                    break
            return applied

    def _news(self) -> list[LogRow]:
        """Return the next rows, having compared the last one applied with the catalogue's."""
        stats = self._index.stats()
        if stats.last_seq == 0:
            return self._catalogue.tail(0, PAGE_ROWS)
        if self._catalogue.marks(stats.last_seq - 1, 2) == [stats.last_mark]:
            return []
        rows = self._catalogue.tail(stats.last_seq - 1, PAGE_ROWS + 1)
        if rows and rows[0].mark == stats.last_mark:
            return rows[1:]
        _log.warning(
            "The index is of another log (row %d): the database was replaced or restored from an older copy. "
            "It is built anew.",
            stats.last_seq,
        )
        self._index.clear()
        return self._catalogue.tail(0, PAGE_ROWS)

    def excluding(self, selection: Selection, own: FrameInfo, same: Same) -> Selection:
        """Return a selection that also leaves out the query's own instance, series, study or patient.

        Parameters
        ----------
        selection : Selection
        own : FrameInfo
            The query's frame; it need not be indexed.
        same : str
            "instance", "series", "study", or "patient" (and the study, whose frames are the patient's even
            where they do not say so).

        Raises
        ------
        ParameterError
            For "patient" where the frame has no patient id, and the archive knows none for it either.
        """
        if same == "instance":
            found = self._catalogue.ids_of([own.sop_instance_uid], self._encoder.fingerprint)
            return replace(selection, exclude=selection.exclude | found)
        if same == "series":
            return replace(selection, not_series=selection.not_series | {own.series_uid})
        patient = self._patient(own) if same == "patient" else selection.not_patient
        studies = selection.not_studies | {own.study_uid}
        return replace(selection, not_studies=studies, not_patient=patient)

    def without(self, selection: Selection, exclusion: Exclusion, own: FrameInfo) -> Selection:
        """Return a selection that also leaves out what is named, and what of the query's own is.

        Parameters and errors are those of :meth:`excluding`.
        """
        entries = self._catalogue.ids_of(exclusion.sop_instance_uids, self._encoder.fingerprint)
        narrower = replace(
            selection,
            exclude=selection.exclude | entries,
            not_series=selection.not_series | set(exclusion.series_uids),
            not_studies=selection.not_studies | set(exclusion.study_uids),
        )
        return narrower if exclusion.same is None else self.excluding(narrower, own, exclusion.same)

    def _patient(self, own: FrameInfo) -> str:
        """Return the patient of a query's frame; one without patient id may have been given one when indexed.

        Raises
        ------
        ParameterError
            If there is none, or there are several in several collections.
        """
        if own.patient_key is not None:
            return own.patient_key
        given = self._catalogue.patients(own.sop_instance_uid, self._encoder.fingerprint)
        if len(given) != 1:
            raise ParameterError(
                "The same patient cannot be left out: the query image has "
                f"{'several patients' if given else 'no patient id'}.",
                'Leave out "study", or send an image with PatientID (0010,0020).',
            )
        [patient] = given
        return patient

    def answer(
        self,
        frame: Frame,
        regions: Sequence[Region],
        k: int,
        mode: Mode | None,
        selection: Selection,
        bits: Bits = 128,
        page: Page | None = None,
        judged: Judged = NOTHING_JUDGED,
        search: Search | None = None,
    ) -> Results:
        """Search for regions of a frame, or for all of it, and return the hits with what was asked.

        Parameters and errors are those of :meth:`region`, of which several are searched for together: a
        frame's local distance is the mean over the regions of its local distance to each. Without a region,
        the frame is searched for as a whole. Without a mode, it is "local" for regions and "auto" for a whole
        frame. With a page, only that part of the k hits is returned. With judged frames, the query is refined
        by them; NotFoundError if one of them is not in the archive. ``search`` "exact" compares all that may
        be found, "fast" only what is likely to be near, where that costs less; None does so in a large
        archive. Pages that follow are searched as the first was.
        """
        started = time.perf_counter()
        [query] = self._queries(frame, [regions], k, mode, bits, search)
        if judged:
            query = self._refined(query, judged)
        answer = replace(
            self._answer(frame, regions, query, k, mode, selection, bits, search, page),
            refined=judged.counts,
        )
        return replace(answer, took_ms=(time.perf_counter() - started) * 1000)

    def answers(
        self,
        frame: Frame,
        asked: Sequence[Sequence[Region]],
        k: int,
        mode: Mode | None,
        selection: Selection,
        bits: Bits = 128,
        search: Search | None = None,
    ) -> list[Results]:
        """Answer several queries of one frame, which is encoded once; each otherwise as by :meth:`answer`.

        ``took_ms`` of each is without the encoding.
        """
        return [
            self._answer(frame, regions, query, k, mode, selection, bits, search)
            for regions, query in zip(asked, self._queries(frame, asked, k, mode, bits, search), strict=True)
        ]

    def _refined(self, query: Query, judged: Judged) -> Query:
        self.refresh()
        return refined(query, self._codes(judged.relevant), self._codes(judged.not_relevant))

    def _codes(self, frames: Sequence[IndexedFrame]) -> list[FrameCodes]:
        """Return the codes of frames; of one that several collections hold, those of the first."""
        found = []
        for frame in frames:
            with stage("catalogue"):
                entries = self._catalogue.find(frame.sop_instance_uid, self._encoder.fingerprint)
            ids = [entry.entry_id for entry in entries if entry.info.frame_number == frame.frame_number]
            codes = self._held.codes(ids[:1], Selection())
            if not codes:
                raise NotFoundError(
                    f"The judged frame {frame.frame_number} of instance {shown(frame.sop_instance_uid)} is "
                    "not indexed.",
                    "Leave it out of relevant and not_relevant.",
                )
            found += codes
        return found

    def _queries(
        self,
        frame: Frame,
        asked: Sequence[Sequence[Region]],
        k: int,
        mode: Mode | None,
        bits: Bits,
        search: Search | None,
    ) -> list[Query]:
        """Encode a frame, once all that is asked for is known to be in range."""
        _check(k, mode or "auto", bits)
        if search is not None:
            check_choice("search", search, get_args(Search))
        if (most := max(map(len, asked), default=0)) > MAX_REGIONS:
            raise ParameterError(f"There are {most} regions.", f"Give 1 to {MAX_REGIONS}.")
        with stage("encode"):
            return self._encoder.queries(frame, asked)

    def _answer(
        self,
        frame: Frame,
        regions: Sequence[Region],
        query: Query,
        k: int,
        mode: Mode | None,
        selection: Selection,
        bits: Bits,
        search: Search | None,
        page: Page | None = None,
    ) -> Results:
        started = time.perf_counter()
        if selection.group_by == "place":
            _check_places(k, regions)
        chosen: Mode = mode or ("local" if regions else "auto")
        self.refresh()
        unindexed = self.require_indexed(selection)
        page, selection = self._as_of(page, selection)
        reach = k if page is None else page.reach(k)
        way = search if page is None or page.search is None else page.search
        found, thoroughness = self._scans.search(query, reach, chosen, bits, selection, way)
        hits = self._hits(found, query, chosen, bits)
        following = None
        if page is not None:
            goes_on = len(found) == reach < k
            identities = [_identity(hit.entry, selection.group_by) for hit in hits]
            page = replace(page, search=page.search or thoroughness.search)
            here, following = page.turn(k, identities, goes_on)
            hits = [replace(hits[at], rank=rank) for rank, at in enumerate(here, len(page.shown) + 1)]
        hits = self._refined_in_slabs(hits, query, chosen, selection, bits)
        if selection.group_by == "place":
            grower = PlaceGrower(self._catalogue, self._held, self._encoder, query, selection)
            with stage("catalogue"):
                hits = [replace(hit, place=grower.place(hit)) for hit in hits]
        return Results(
            hits=tuple(hits),
            frame=frame.info,
            regions=tuple(map(box_around, regions)),
            mode=chosen,
            bits=bits,
            model=self._encoder.name,
            searched_frames=self._index.count(selection),
            took_ms=(time.perf_counter() - started) * 1000,
            region_typicality=query.region_typicality,
            following=following,
            unindexed_frames=unindexed,
            thoroughness=thoroughness,
        )

    def require_indexed(self, selection: Selection) -> int:
        """Return how many frames of a selection's collections are not indexed under the model.

        Raises
        ------
        UnindexedError
            If none is indexed, and some are not.
        """
        missing = self._unindexed(_collections(selection))
        alone = Selection(selection.collection, within=selection.within)
        if missing and not self._index.count(alone):
            raise UnindexedError(
                f"Of {missing} frames none is indexed under the model {self._encoder.name}.",
                "An administrator indexes them under it (hmar reindex), or uses another model (hmar models "
                "use).",
            )
        return missing

    def mark_at(self, seq: int) -> str:
        """Return the mark of a row of the log, "" where there is no such row."""
        marks = self._catalogue.marks(seq - 1, 1) if seq > 0 else []
        return marks[0] if marks else ""

    def _as_of(self, page: Page | None, selection: Selection) -> tuple[Page | None, Selection]:
        """Return a page with the state that it is of, and a selection of what that state has."""
        if page is None:
            return None, selection
        as_of = self._index.stats().last_seq if page.as_of is None else page.as_of
        return replace(page, as_of=as_of), replace(selection, as_of=as_of)

    def image(self, frame: Frame, k: int, mode: Mode, selection: Selection, bits: Bits = 128) -> list[Hit]:
        """Find the k frames most like a whole frame, exactly; see :meth:`region`."""
        _check(k, mode, bits)
        query = self._encoder.image_query(frame)
        self.refresh()
        hits = self._search(query, k, mode, selection, bits)
        return self._refined_in_slabs(hits, query, mode, selection, bits)

    def region(
        self, frame: Frame, region: Region, k: int, mode: Mode, selection: Selection, bits: Bits = 128
    ) -> list[Hit]:
        """Find the k frames that hold something most like a region of a frame, exactly.

        Parameters
        ----------
        frame : Frame
            The frame the region was drawn on.
        region : Box or Outline
            In source pixels.
        k : int
            From 1 to 1000; fewer hits come back from a smaller archive.
        mode : str
            "global" ranks by the whole frame, "local" by the nearest window, "auto" by both, weighed by
            the query's gate.
        selection : Selection
            What may be found, and in which groups; k counts groups where there are any.
        bits : int
            64 or 128.

        Returns
        -------
        list of Hit
            Nearest first, ranks from 1. The box is that of the nearest window in every mode; the whole
            frame where a frame has no windows.

        Raises
        ------
        ParameterError
            If k, mode or bits is out of range.
        RegionError
            If the region lies outside the frame.
        """
        _check(k, mode, bits)
        query = self._encoder.region_query(frame, region)
        self.refresh()
        hits = self._search(query, k, mode, selection, bits)
        return self._refined_in_slabs(hits, query, mode, selection, bits)

    def group(
        self,
        level: GroupLevel,
        frames: Sequence[EntryInfo],
        k: int,
        mode: GroupMode | None,
        selection: Selection,
        bits: Bits = 128,
        aggregation: Aggregation = "late_interaction",
        page: Page | None = None,
    ) -> GroupResults:
        """Find the series or studies most like one of the archive; see :class:`hmar.groups.GroupSearcher`."""
        self.refresh()
        unindexed = self.require_indexed(selection)
        page, selection = self._as_of(page, selection)
        found = self._groups.answer(level, frames, k, mode, selection, bits, aggregation, page)
        return replace(found, unindexed_frames=unindexed)

    def _search(self, query: Query, k: int, mode: Mode, selection: Selection, bits: Bits) -> list[Hit]:
        return self._hits(self._scans.exact(query, k, mode, bits, selection), query, mode, bits)

    def _hits(self, found: Sequence[CodeHit], query: Query, mode: Mode, bits: Bits) -> list[Hit]:
        with stage("catalogue"):
            entries = self._catalogue.entries([hit.entry_id for hit in found])
        # An entry that was deleted after the index answered is no longer there: the next one takes its rank.
        live = [(hit, entries[hit.entry_id]) for hit in found if hit.entry_id in entries]
        return [
            hit_of(self._encoder, rank, hit, entry, query, mode, bits)
            for rank, (hit, entry) in enumerate(live, start=1)
        ]

    def _refined_in_slabs(
        self, hits: list[Hit], query: Query, mode: Mode, selection: Selection, bits: Bits
    ) -> list[Hit]:
        if self._slab_store is None:
            return hits
        slabs = SlabSearcher(self._slab_store, self._catalogue, self._index, self._encoder)
        with stage("catalogue"):
            return slabs.refined(hits, query, mode, selection, bits)


def _identity(entry: EntryInfo, group_by: GroupBy | None) -> str:
    """Return what tells a hit from the others of its ranking."""
    info = entry.info
    if group_by is None:
        return str(entry.entry_id)
    if group_by in ("series", "place"):
        return info.series_uid
    if group_by == "study" or info.patient_key is None:
        return f"study {info.study_uid}"
    return f"patient {info.patient_key}"


def _check_places(k: int, regions: Sequence[Region]) -> None:
    if not regions:
        raise ParameterError(
            "group_by is 'place', and there is no region.", "Give a region, or group_by 'series'."
        )
    if k > MAX_PLACES:
        raise ParameterError(f"k is {k}, and group_by is 'place'.", f"Give k from 1 to {MAX_PLACES}.")


def _collections(selection: Selection) -> Collections:
    """Return the collections that a selection is of."""
    if selection.collection is None or selection.within is None:
        return selection.collection or selection.within
    return selection.within & {selection.collection}


def _check(k: int, mode: str, bits: int) -> None:
    check_numbers(k, bits)
    check_choice("mode", mode, get_args(Mode))
