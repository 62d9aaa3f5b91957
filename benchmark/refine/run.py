"""``hmar bench refine``: from labelled scans and lesions to rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmark.lesions.data import folders_digest, read_lesions
from benchmark.lesions.people import HALVES, half_of
from benchmark.refine.material import Boxes, Material, of_lesions, of_scans
from benchmark.refine.methods import METHODS, NONE
from benchmark.refine.scoring import METRIC, Row, Scored, row_of, score
from benchmark.refine.searching import Archive
from benchmark.region.data import all_digest, check_files, fetch_region_data
from benchmark.region.volumes import load_all_scans
from benchmark.types import Progress
from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.errors import ParameterError
from hmar.values.plain import finite_json

STRUCTURES, LESIONS = "refine-structures", "refine-lesions"
BITS = 128


def run_refine(
    root: Path,
    folders: Sequence[Path],
    lesions: Sequence[Path],
    methods: Sequence[str],
    progress: Progress,
    threads: int = 1,
    model_dir: str = "",
) -> list[Row]:
    """Measure what judging the first ten hits does to the rest of a ranking.

    Parameters
    ----------
    root : Path
        Folder of the data of ``hmar bench region``; what is missing is fetched into it.
    folders : sequence of Path
        Further volumes of which some structures are drawn.
    lesions : sequence of Path
        Folders of people with lesions, as :mod:`benchmark.lesions.data` says; each half of the people is
        searched by itself.
    methods : sequence of str
        Names of :data:`benchmark.refine.methods.METHODS`, or "all".
    progress : Progress
    threads : int
        Of the encoder.
    model_dir : str
        Folder of the model that is measured; empty stands for the shipped one.

    Raises
    ------
    ParameterError
        If a method is unknown.
    UnavailableError, NotFoundError, DecodeError
        If data are missing and cannot be fetched, or cannot be read.
    """
    names = _chosen(methods)
    encoder = HmarEncoder.load(Path(model_dir) if model_dir else shipped_bundle(), threads)
    fetch_region_data(root, lambda line: progress(line, 0, 0))
    check_files(root)
    scans = load_all_scans(root, folders)
    rows = [
        {**row, "data": all_digest(root, folders)}
        for row in rows_of(STRUCTURES, "people", of_scans(scans, encoder, progress), names, progress)
    ]
    if lesions:
        rows += [
            {**row, "data": folders_digest(lesions)}
            for row in _lesion_rows(lesions, encoder, names, progress)
        ]
    model: Row = {"model": encoder.name, "model_fingerprint": encoder.fingerprint}
    return [{key: finite_json(value) for key, value in {**row, **model}.items()} for row in rows]


def _lesion_rows(
    folders: Sequence[Path], encoder: Boxes, names: Sequence[str], progress: Progress
) -> Iterator[Row]:
    material = of_lesions(read_lesions(folders, progress), encoder, progress)
    for half in HALVES:
        slices = [one for one in material.slices if half_of(one.person) == half]
        asked = [one for one in material.asked if half_of(one.person) == half]
        yield from rows_of(LESIONS, half, replace(material, slices=slices, asked=asked), names, progress)


def rows_of(
    protocol: str, direction: str, material: Material, names: Sequence[str], progress: Progress
) -> list[Row]:
    """Return a row for each method; none where there is nothing to ask."""
    if not material.asked:
        return []
    archive = Archive(material.slices)
    methods = {name: METHODS[name].values for name in names}
    scored: list[Scored] = []
    for done, asked in enumerate(material.asked, start=1):
        found = score(archive, asked, methods)
        scored += [] if found is None else [found]
        progress(f"{protocol}, {direction}", done, len(material.asked))
    if not scored:
        return []
    return [
        {
            "name": name,
            "what": METHODS[name].what,
            "bits": BITS,
            "protocol": protocol,
            "direction": direction,
            "metric": METRIC,
            **row_of(scored, name),
        }
        for name in names
    ]


def _chosen(names: Sequence[str]) -> list[str]:
    unknown = [name for name in names if name not in METHODS and name != "all"]
    if unknown:
        raise ParameterError(
            f"There is no method {unknown[0]!r}.", f"Give all, or some of {', '.join(METHODS)}."
        )
    return [name for name in METHODS if "all" in names or name in names or name == NONE]
