"""Thin scans in an archive of the product, with a database on the disk, and searches in it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from benchmark.region.planes import ct_frame
from benchmark.slabs.volumes import ThinScan
from benchmark.types import Progress
from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.adapters.sql.storage import sql_storage
from hmar.encoder import HmarEncoder
from hmar.found import hit_of
from hmar.slabs import SlabSearcher
from hmar.values.codes import Query, distinct_windows
from hmar.values.entries import Origin
from hmar.values.frames import Frame, Units
from hmar.values.geometry import Spacing
from hmar.values.hits import Hit, Mode
from hmar.values.selection import Selection

COLLECTION = "thin"
FOUND = 100
"""Hits of a search; places are made of them."""
SHOWN = 10
"""Hits that a reader asks for, by which the scan and looking through slabs are timed."""
_ORIGIN = Origin("benchmark", "")
_ROWS = 512


class Answered(NamedTuple):
    """The hits of a search, and what looking through the slabs of the first ten took."""

    hits: list[Hit]
    slabs_ms: float


def frame_of(scan: ThinScan, z: int) -> Frame:
    """Return a slice of a scan as the product decodes it: the slices of a scan are one stack."""
    frame = ct_frame(scan.values[z], Spacing(*scan.spacing_mm[1:]), Units.HU)
    at_mm = z * scan.spacing_mm[0]
    info = replace(
        frame.info,
        study_uid=study_of(scan),
        series_uid=study_of(scan),
        sop_instance_uid=f"{study_of(scan)}.{z + 1}",
        instance_number=z + 1,
        position=(0.0, 0.0, at_mm),
        stack="0" * 16,
        along_mm=at_mm,
    )
    return replace(frame, info=info)


def study_of(scan: ThinScan) -> str:
    """Return the UID under which a scan is indexed."""
    return f"2.25.{int.from_bytes(scan.name.encode()[:12])}"


class ThinArchive:
    """Scans that are indexed slice by slice. Close it after use.

    Parameters
    ----------
    home : Path
        Where its database goes.
    encoder : HmarEncoder
    scans : sequence of ThinScan
    progress : Progress
    """

    def __init__(
        self, home: Path, encoder: HmarEncoder, scans: Sequence[ThinScan], progress: Progress
    ) -> None:
        self._encoder = encoder
        self._storage = sql_storage(home / "catalogue.db")
        for number, scan in enumerate(scans):
            progress(f"indexing {scan.name}", number, len(scans))
            for z in range(len(scan.values)):
                encoded = distinct_windows(encoder.encode(frame_of(scan, z)))
                self._storage.catalogue.append(COLLECTION, [encoded], _ORIGIN)
        self.index = self.whole = self._indexed()

    def _indexed(self) -> EmbeddedIndex:
        index = EmbeddedIndex(None, self._encoder.fingerprint, threads=1)
        while rows := self._storage.catalogue.tail(index.stats().last_seq, _ROWS):
            index.apply(rows)
        return index

    def cut(self, slab_mm: float | None) -> None:
        """Give the archive slabs of another thickness, or none."""
        self._storage.slabs.change(COLLECTION, slab_mm)
        self.index = self._indexed()

    def scan_ms(self, query: Query, mode: Mode, selection: Selection) -> tuple[float, float]:
        """Return what the scan for ten hits takes of all slices, and of those that are searched, in turn."""
        return self._scan(self.whole, query, mode, selection), self._scan(self.index, query, mode, selection)

    def _scan(self, index: EmbeddedIndex, query: Query, mode: Mode, selection: Selection) -> float:
        begun = time.perf_counter()
        {"local": index.search_windows, "auto": index.search_fused}[mode](query, SHOWN, 128, selection)
        return 1e3 * (time.perf_counter() - begun)

    def search(self, query: Query, mode: Mode, selection: Selection, refined: bool) -> Answered:
        """Search as the product does, with or without looking through the slabs of hits."""
        searches = {"local": self.index.search_windows, "auto": self.index.search_fused}
        found = searches[mode](query, FOUND, 128, selection)
        entries = self._storage.catalogue.entries([hit.entry_id for hit in found])
        hits = [
            hit_of(self._encoder, rank, hit, entries[hit.entry_id], query, mode, 128)
            for rank, hit in enumerate(found, start=1)
        ]
        if not refined:
            return Answered(hits, 0.0)
        slabs = SlabSearcher(self._storage.slabs, self._storage.catalogue, self.index, self._encoder)
        begun = time.perf_counter()
        slabs.refined(hits[:SHOWN], query, mode, selection, 128)
        taken = time.perf_counter() - begun
        return Answered(slabs.refined(hits, query, mode, selection, 128), 1e3 * taken)

    def close(self) -> None:
        """Close the database."""
        self.index.close()
        self._storage.close()
