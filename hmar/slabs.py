"""Hits in slabs: which slice of a slab is nearest, from codes that the catalogue keeps and no index holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from hmar.found import hit_of
from hmar.index.one_frame import found_in
from hmar.ports import Catalogue, CodeIndex, FrameEncoder, SlabStore
from hmar.values.codes import Bits, Query
from hmar.values.entries import EntryInfo
from hmar.values.groups import FrameCodes
from hmar.values.hits import CodeHit, Hit, Mode
from hmar.values.selection import Selection
from hmar.values.slabs import InSlab, Slab

REFINED_HITS = 100
"""Hits of an answer whose slabs are looked through, the nearest: each takes some rows of the database."""


class WholeCodes:
    """A :class:`hmar.ports.CodeHolder` of all windows: those that an index leaves out are read.

    Parameters
    ----------
    index : CodeIndex
        Says which frames may be found.
    slabs : SlabStore
    """

    def __init__(self, index: CodeIndex, slabs: SlabStore) -> None:
        self._index = index
        self._slabs = slabs

    def codes(self, entry_ids: Sequence[int], selection: Selection) -> list[FrameCodes]:
        """Return the codes of those entries that may be found, in the order given."""
        held = self._index.codes(entry_ids, selection)
        bare = [one.entry_id for one in held if not len(one.window_codes)]
        kept = {one.entry_id: one for one in self._slabs.codes(bare)} if bare else {}
        return [kept.get(one.entry_id, one) for one in held]


class SlabSearcher:
    """Looks through the slabs of hits.

    Parameters
    ----------
    slabs : SlabStore
    catalogue : Catalogue
        Tells what the slices are.
    index : CodeIndex
        Says which of them may be found.
    encoder : FrameEncoder
        Knows where windows lie.
    """

    def __init__(
        self, slabs: SlabStore, catalogue: Catalogue, index: CodeIndex, encoder: FrameEncoder
    ) -> None:
        self._slabs = slabs
        self._catalogue = catalogue
        self._index = index
        self._encoder = encoder

    def refined(
        self, hits: Sequence[Hit], query: Query, mode: Mode, selection: Selection, bits: Bits
    ) -> list[Hit]:
        """Return the hits by the distances of their own windows, nearest first.

        In mode "local" a hit is the slice of its slab that is nearest, of those that may be found. In the
        other modes every slice is found by itself, and gets the local distance and the box that it has.
        Beyond ``REFINED_HITS`` hits stay as the index found them.
        """
        slabs = self._slabs.slabs([hit.entry.entry_id for hit in hits[:REFINED_HITS]]) if hits else {}
        if not slabs:
            return list(hits)
        looked_at = {
            entry_id: slab.entry_ids if mode == "local" else (entry_id,) for entry_id, slab in slabs.items()
        }
        seen = self._seen(looked_at.values(), query, selection, bits)
        nearest = {
            entry_id: min(
                (seen[each] for each in among if each in seen),
                key=lambda found: (found.local_distance, found.entry_id),
                default=None,
            )
            for entry_id, among in looked_at.items()
        }
        entries = self._catalogue.entries({found.entry_id for found in nearest.values() if found})
        measured = []
        for hit in hits:
            slab, found = slabs.get(hit.entry.entry_id), nearest.get(hit.entry.entry_id)
            entry = entries.get(found.entry_id) if found else None
            measured.append(hit if slab is None else self._hit(hit, slab, found, entry, query, mode, bits))
        measured.sort(key=lambda hit: hit.distance)
        return [
            replace(hit, rank=rank) for rank, hit in zip((hit.rank for hit in hits), measured, strict=True)
        ]

    def _seen(
        self, looked_at: Iterable[tuple[int, ...]], query: Query, selection: Selection, bits: Bits
    ) -> dict[int, CodeHit]:
        """Return what slices hold of a query, of those that may be found."""
        wanted = sorted({entry_id for among in looked_at for entry_id in among})
        allowed = [codes.entry_id for codes in self._index.codes(wanted, selection)]
        return {codes.entry_id: found_in(codes, query, bits) for codes in self._slabs.codes(allowed)}

    def _hit(
        self,
        hit: Hit,
        slab: Slab,
        found: CodeHit | None,
        entry: EntryInfo | None,
        query: Query,
        mode: Mode,
        bits: Bits,
    ) -> Hit:
        if found is not None and entry is not None:  # else it was deleted after the index answered
            hit = hit_of(self._encoder, hit.rank, found, entry, query, mode, bits)
        return replace(hit, slab=InSlab(slab.slab_mm, len(slab.entry_ids)))
