"""The hits of an archive for Python as DICOM."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Unpack

from hmar.library.listing import Holdings
from hmar.library.selecting import selection_from
from hmar.properties.python_filters import FilterValue, given_filters
from hmar.values.asked import HowSearched
from hmar.values.codes import Bits
from hmar.values.entries import EntryInfo
from hmar.values.exports import KINDS, Documents, Export, Kind, kinds_of
from hmar.values.fast import Search
from hmar.values.hits import Mode
from hmar.values.indexed import Indexed, named
from hmar.values.judged import Judged
from hmar.values.outline import RegionLike, searched_regions_of
from hmar.values.results import Results
from hmar.values.selection import Exclusion, GroupBy, Same


class Exports(Holdings):
    """Hits as DICOM documents. :class:`hmar.Archive` makes them."""

    def export(
        self,
        image: Indexed,
        box: RegionLike | Sequence[RegionLike] | None = None,
        *,
        kinds: Sequence[Kind] = KINDS,
        hits: Sequence[Indexed] | None = None,
        **how: Unpack[HowSearched],
    ) -> dict[Kind, bytes]:
        """Search with a frame of the archive, and return the hits as DICOM files, which name its patient.

        Parameters
        ----------
        image : IndexedFrame, Hit or EntryInfo
            A frame of the archive, which is not among its own hits.
        box : Box, tuple of float, or a list of them, optional
            As for :meth:`hmar.Archive.search`.
        kinds : sequence of str
            "sr": a structured report (TID 1500). "kos": a key object selection. "picture": query and hits as
            a secondary capture.
        hits : sequence of Hit, EntryInfo or IndexedFrame, optional
            Tell only these of the hits, 50 at most. None tells all.
        **how
            ``k``, ``mode``, ``bits``, ``collection``, ``exclude``, ``only``, ``group_by``,
            ``relevant``, ``not_relevant``, ``search`` and ``where``, as for :meth:`hmar.Archive.search`.

        Returns
        -------
        dict of str to bytes
            A file of each kind.

        Raises
        ------
        NotFoundError
            If the frame is not in the archive, or no hit may be told: those of other patients are left out,
            unless HMAR_EXPORT_OTHERS says otherwise.
        DecodeError
            If the frame's file is no DICOM, or has no UIDs of its own.
        ParameterError
            If any of the others is out of its range.
        """
        made = self._documents(image, box, kinds, hits, how)
        return {document.kind: document.data for document in made.documents}

    def send(
        self,
        pacs: str,
        image: Indexed,
        box: RegionLike | Sequence[RegionLike] | None = None,
        *,
        kinds: Sequence[Kind] = KINDS,
        hits: Sequence[Indexed] | None = None,
        **how: Unpack[HowSearched],
    ) -> Export:
        """Store the documents of :meth:`export` to a PACS that the site's file names, and say what it took.

        Raises
        ------
        NotFoundError
            If there is no PACS of that name; otherwise as :meth:`export`.
        PacsError
            If the PACS does not answer. What it refuses is told by the outcome.
        """
        self.engine.pacs.require(pacs)
        return self.engine.exporter.store(pacs, self._documents(image, box, kinds, hits, how))

    def _documents(
        self,
        image: Indexed,
        box: RegionLike | Sequence[RegionLike] | None,
        kinds: Sequence[Kind],
        hits: Sequence[Indexed] | None,
        how: HowSearched,
    ) -> Documents:
        wanted, chosen = kinds_of(kinds), None if hits is None else list(map(named, hits))
        query = self._indexed(image)
        return self.engine.exporter.documents(query, self._found(query, box, **how), wanted, chosen)

    def _found(
        self,
        query: EntryInfo,
        box: RegionLike | Sequence[RegionLike] | None,
        k: int = 10,
        mode: Mode | None = None,
        bits: Bits = 128,
        collection: str | None = None,
        exclude: Same | Exclusion | None = None,
        only: Collection[str] | None = None,
        group_by: GroupBy | None = None,
        relevant: Sequence[Indexed] = (),
        not_relevant: Sequence[Indexed] = (),
        search: Search | None = None,
        where: Mapping[str, FilterValue] | None = None,
    ) -> Results:
        engine, judged = self.engine, Judged.of(relevant, not_relevant)
        exclusion = exclude if isinstance(exclude, Exclusion) else Exclusion(exclude)
        selection = selection_from(given_filters(where, {}), collection, group_by, only)
        own = engine.catalogue.find(query.info.sop_instance_uid, engine.encoder.fingerprint)
        same = frozenset(each.entry_id for each in own if named(each) == named(query))
        selection = engine.searcher.without(replace(selection, exclude=same), exclusion, query.info)
        frame = engine.frame(query)
        return engine.searcher.answer(
            frame, searched_regions_of(box), k, mode, selection, bits, judged=judged, search=search
        )
