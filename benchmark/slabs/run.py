"""``hmar bench slabs``: the same queries asked of all slices, and of slabs."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmark.region.data import all_digest, fetch_region_data
from benchmark.slabs.archive import Answered, ThinArchive, frame_of, study_of
from benchmark.slabs.queries import SlabQuery, queries_of
from benchmark.slabs.scoring import PLACES, Compared, compared, right
from benchmark.slabs.volumes import ThinScan, load_thin, resampled
from benchmark.types import Progress
from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.training.data.open_ct import fetch_open_ct
from hmar.values.codes import Query
from hmar.values.hits import Mode
from hmar.values.plain import finite_json
from hmar.values.selection import Selection

METRIC = (
    "first ten places of all slices that are among the first ten with slabs; a place is the nearest of the "
    "hits of a series within 5 mm; means over people of means over queries"
)
_SEED = 1
_MODES: Mapping[Mode, str] = {"local": "boxes", "auto": "whole slices"}

Row = dict[str, object]


class _Asked(NamedTuple):
    asked: SlabQuery
    query: Query
    mode: Mode
    others: Selection
    labelled: Selection | None
    """Of the scans of other people that show the structure."""


class _Measured(NamedTuple):
    others: Answered
    labelled: Answered | None


def run_slabs(
    root: Path,
    folders: Sequence[Path],
    slabs_mm: Sequence[float],
    steps_mm: Sequence[float],
    progress: Progress,
    threads: int = 1,
    model_dir: str = "",
) -> list[Row]:
    """Measure what is lost and saved with slabs of some thicknesses.

    Parameters
    ----------
    root : Path
        Folder of the data of ``hmar bench region`` and ``hmar train``; what is missing is fetched into it.
    folders : sequence of Path
        Further volumes; see :func:`benchmark.region.volumes.load_folder`.
    slabs_mm : sequence of float
        Thicknesses.
    steps_mm : sequence of float
        Between slices; 0 leaves them as they are.
    progress : Progress
    threads : int
        Of the encoder; searches are on one.
    model_dir : str
        Folder of the model that is measured; empty stands for the shipped one.

    Returns
    -------
    list of dict
        Ready for JSON: for each step, for boxes and whole slices, and for each thickness
        with and without looking through the slabs of hits. Thickness 0 is all slices.

    Raises
    ------
    UnavailableError
        If data are missing and cannot be downloaded.
    """
    fetch_region_data(root, lambda line: progress(line, 0, 0))
    fetch_open_ct(root, lambda line: progress(line, 0, 0))
    encoder = HmarEncoder.load(Path(model_dir) if model_dir else shipped_bundle(), threads)
    thin = load_thin(root, folders)
    chosen = [query for number, scan in enumerate(thin) for query in queries_of(scan, _SEED + number)]
    asked = _encoded(encoder, chosen, thin, progress)
    common: Row = {
        "people": [scan.name for scan in thin],
        "model": encoder.name,
        "model_fingerprint": encoder.fingerprint,
        "metric": METRIC,
        "data": all_digest(root, folders),
    }
    rows: list[Row] = []
    for step_mm in steps_mm:
        slices = f"{step_mm:g} mm" if step_mm else "native"
        scans = [resampled(scan, step_mm) if step_mm else scan for scan in thin]
        with tempfile.TemporaryDirectory(prefix="hmar-slabs-") as home:
            archive = ThinArchive(Path(home), encoder, scans, progress)
            try:
                known = {"slices": slices, "steps_mm": [round(scan.spacing_mm[0], 3) for scan in scans]}
                found = _rows(archive, scans, asked, slabs_mm, progress)
                rows += [{**row, **known, **common} for row in found]
            finally:
                archive.close()
    told: list[Row] = finite_json(rows)
    return told


def _encoded(
    encoder: HmarEncoder, asked: Sequence[SlabQuery], scans: Sequence[ThinScan], progress: Progress
) -> list[_Asked]:
    """Return queries by their codes; each person's are of slices as they are, and look for other people."""
    made = []
    for number, one in enumerate(asked):
        progress("encoding queries", number, len(asked))
        frame = frame_of(one.scan, one.z)
        [query] = encoder.queries(frame, [() if one.box is None else (one.box,)])
        own = {study_of(one.scan)}
        showing = {study_of(scan) for scan in scans if one.structure in scan.shown} - own
        unlike = frozenset(study_of(scan) for scan in scans) - showing
        labelled = Selection(not_studies=unlike) if showing else None
        mode: Mode = "auto" if one.box is None else "local"
        made.append(_Asked(one, query, mode, Selection(not_studies=frozenset(own)), labelled))
    return made


def _rows(
    archive: ThinArchive,
    scans: Sequence[ThinScan],
    asked: Sequence[_Asked],
    slabs_mm: Sequence[float],
    progress: Progress,
) -> list[Row]:
    by_study = {study_of(scan): scan for scan in scans}
    full = _measured(archive, asked, False)
    windows = archive.index.stats().windows
    rows = []
    for number, slab_mm in enumerate([0.0, *slabs_mm]):
        progress(f"slabs of {slab_mm:g} mm", number, len(slabs_mm) + 1)
        archive.cut(slab_mm or None)
        left = archive.index.stats().windows
        saved = {mode: _scans(archive, asked, mode) for mode in _MODES}
        for refined in (False, True) if slab_mm else (False,):
            found = _measured(archive, asked, refined)
            for mode in _MODES:
                kept = [triple for triple in zip(asked, full, found, strict=True) if triple[0].mode == mode]
                told = {"slab_mm": slab_mm, "refined": refined, "windows": left}
                shares = {"windows_share": left / windows, **saved[mode]}
                rows.append(
                    {"protocol": "slabs", "asked": _MODES[mode], **told, **shares, **_row(kept, by_study)}
                )
    return rows


def _scans(archive: ThinArchive, asked: Sequence[_Asked], mode: Mode) -> Row:
    taken = [archive.scan_ms(one.query, mode, one.others) for one in asked if one.mode == mode]
    whole, cut = np.array(taken).T
    return {"scan_ms_of_all": float(np.median(whole)), "scan_share": float(np.median(cut / whole))}


def _measured(archive: ThinArchive, asked: Sequence[_Asked], refined: bool) -> list[_Measured]:
    return [
        _Measured(
            archive.search(one.query, one.mode, one.others, refined),
            archive.search(one.query, one.mode, one.labelled, refined) if one.labelled else None,
        )
        for one in asked
    ]


def _row(kept: Sequence[tuple[_Asked, _Measured, _Measured]], scans: Mapping[str, ThinScan]) -> Row:
    """Return the figures of some queries, whose answers are those of all slices and those with slabs."""
    agreed: defaultdict[str, list[Compared]] = defaultdict(list)
    correct: defaultdict[str, list[list[bool]]] = defaultdict(list)
    for one, full, found in kept:
        name, structure = one.asked.scan.name, one.asked.structure
        agreed[name].append(compared(full.others.hits, found.others.hits))
        if found.labelled is not None and structure is not None:
            correct[name].append(right(found.labelled.hits, structure, scans))
    people = np.array([np.nanmean(np.array(agreed[name]), axis=0) for name in sorted(agreed)])
    spread = people.std(axis=0, ddof=1)
    first, ten = _precision(correct, 1), _precision(correct, PLACES)
    return {
        **dict(zip(Compared._fields, people.mean(axis=0).tolist(), strict=True)),
        **{f"{name}_sd": value for name, value in zip(Compared._fields, spread.tolist(), strict=True)},
        "recall_by_person": dict(zip(sorted(agreed), people[:, 0].tolist(), strict=True)),
        "p_at_1": float(np.mean(first)) if first else float("nan"),
        "p_at_10": float(np.mean(ten)) if ten else float("nan"),
        "labelled_people": len(ten),
        "labelled_queries": sum(map(len, correct.values())),
        "queries": len(kept),
        "slabs_ms_of_10_hits": float(np.median([found.others.slabs_ms for _, _, found in kept])),
    }


def _precision(correct: Mapping[str, Sequence[Sequence[bool]]], most: int) -> list[float]:
    """Return of each person the mean over queries of the share of the first places that are right."""
    return [
        float(np.mean([np.mean(one[:most]) for one in each if one])) for _, each in sorted(correct.items())
    ]
