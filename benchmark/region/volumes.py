"""Labelled CT volumes: voxels in HU, and which structure each belongs to, by name."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from nibabel.filebasedimages import ImageFileError
from numpy.typing import NDArray

from benchmark.region.data import (
    LIDC_CT,
    LIDC_MASK,
    LIDC_NAMES,
    TS_CT,
    TS_MASK,
    TS_NAMES,
    TS_SERIES_MASK,
    check_files,
    remedy,
)
from hmar.decoding.limits import MAX_FRAME_PIXELS
from hmar.dicom.deidentify import PatientHasher
from hmar.dicom.read import read_dicom
from hmar.errors import DecodeError, NotFoundError
from hmar.training.data.class_map import read_class_map
from hmar.training.data.dicom_series import from_feet_to_head, series_volume
from hmar.training.data.open_ct import EXAMPLE_DICOM
from hmar.training.data.volumes import load_nifti

_Voxels = tuple[NDArray[np.int16], NDArray[np.int16], tuple[float, float, float]]

NO_STRUCTURE = -1
LEARNT = "ts"
"""The volume that the shipped model learnt from, and whose person its series counts as."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledVolume:
    """One patient's CT.

    Parameters
    ----------
    name : str
        Short name, part of a direction.
    values : ndarray of int16, shape (Z, Y, X)
        HU; Z from feet to head, Y from front to back, X from the patient's right to left.
    labels : ndarray of int16, shape (Z, Y, X)
        Index into ``structures``, -1 elsewhere.
    spacing_mm : tuple of float
        (z, y, x).
    structures : tuple of str
        The same for both volumes.
    partly : bool
        Whether only some structures are drawn; see :class:`Scan`.
    """

    name: str
    values: NDArray[np.int16]
    labels: NDArray[np.int16]
    spacing_mm: tuple[float, float, float]
    structures: tuple[str, ...]
    partly: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """One CT with a mask, as it was read: structures have the mask's own numbers.

    Parameters
    ----------
    name : str
        Short name, part of a direction.
    person : str
        Whose it is; scans of one person are never looked for in each other.
    values, ids : ndarray of int16, shape (Z, Y, X)
        HU, and the mask.
    names : mapping of int to str
        Structures by number; others are none.
    spacing_mm : tuple of float
        (z, y, x).
    partly : bool
        Whether only some structures are drawn, so that a voxel without a number may be any of the others.
    """

    name: str
    person: str
    values: NDArray[np.int16]
    ids: NDArray[np.int16]
    names: Mapping[int, str]
    spacing_mm: tuple[float, float, float]
    partly: bool = False

    def shown(self) -> set[str]:
        """Return the names of the structures that the mask has."""
        return {self.names[int(value)] for value in np.unique(self.ids) if int(value) in self.names}


WHOLES: Mapping[str, tuple[str, ...]] = {
    "lung_left": ("lung_upper_lobe_left", "lung_lower_lobe_left"),
    "lung_right": ("lung_upper_lobe_right", "lung_middle_lobe_right", "lung_lower_lobe_right"),
    "stomach_duodenum": ("stomach", "duodenum"),
}
"""Structures that some masks draw as one and others in parts."""


def labelled_pair(first: Scan, second: Scan) -> tuple[LabelledVolume, LabelledVolume]:
    """Return two scans labelled by the structures that both show.

    Structures are matched by name, for numbers differ between masks. Where one draws a whole and the other
    its parts, the parts become the whole.
    """
    names = [_named(scan, other) for scan, other in ((first, second), (second, first))]
    present = [
        {named[int(value)] for value in np.unique(scan.ids) if int(value) in named}
        for scan, named in zip((first, second), names, strict=True)
    ]
    shared = tuple(sorted(present[0] & present[1]))
    return _volume(first, names[0], shared), _volume(second, names[1], shared)


def _named(scan: Scan, other: Scan) -> Mapping[int, str]:
    """Return a scan's names with its parts called by the wholes that the other scan alone draws."""
    own, others = scan.shown(), other.shown()
    called = {
        part: whole
        for whole, parts in WHOLES.items()
        for part in parts
        if whole in others and whole not in own
    }
    return {number: called.get(name, name) for number, name in scan.names.items()}


def load_scans(root: Path) -> list[Scan]:
    """Load LIDC-IDRI-0001, the example of TotalSegmentator, and its series; the last two count as one person.

    Parameters
    ----------
    root : Path
        What :func:`benchmark.region.data.fetch_region_data` filled.

    Raises
    ------
    NotFoundError
        If files are missing; names them all.
    DecodeError
        If a file cannot be read, or a mask does not fit its volume.
    """
    lidc, ts = _two(root)
    return [lidc, ts, _series(root, ts.names)]


def load_all_scans(root: Path, folders: Sequence[Path]) -> list[Scan]:
    """Load the scans of the root and of further folders; raises as :func:`load_scans` does."""
    return [*load_scans(root), *(scan for folder in folders for scan in load_folder(folder))]


def load_volumes(root: Path) -> tuple[LabelledVolume, LabelledVolume]:
    """Load LIDC-IDRI-0001 and the example of TotalSegmentator, labelled by the structures both have.

    Raises as :func:`load_scans`.
    """
    return labelled_pair(*_two(root))


def _two(root: Path) -> tuple[Scan, Scan]:
    check_files(root)
    names = [read_class_map(root / table, remedy(table)) for table in (LIDC_NAMES, TS_NAMES)]
    lidc, ts = _read(root, LIDC_CT, LIDC_MASK), _read(root, TS_CT, TS_MASK)
    return _scan("lidc", lidc, names[0]), _scan(LEARNT, ts, names[1])


def load_folder(folder: Path) -> list[Scan]:
    """Load CT with masks that draw some structures: FOLDER/PERSON/ct.nii.gz, labels.nii.gz and names.csv.

    The table has the columns ``value`` and ``name``. A voxel of 0 is not drawn, whatever is there.

    Raises
    ------
    NotFoundError
        If there is no such volume.
    DecodeError
        If a file is missing or cannot be read, or a mask does not fit its volume.
    """
    people = sorted(path.parent for path in folder.glob("*/labels.nii.gz"))
    if not people:
        raise NotFoundError(
            f"{folder} holds no volume with a mask.", "Give a folder of PERSON/ct.nii.gz and labels.nii.gz."
        )
    scans = []
    for number, person in enumerate(people, start=1):
        name = f"{folder.name}-{number}"  # the person's own name stands in no row and no message
        try:
            values, ids, spacing = _read(person, "ct.nii.gz", "labels.nii.gz")
            names = _names_of(person / "names.csv")
        except DecodeError as error:
            raise DecodeError(
                f"Volume {number} of {len(people)} in {folder} cannot be read.",
                "Give it ct.nii.gz, labels.nii.gz of the same shape, and names.csv with value and name.",
            ) from error
        scans.append(Scan(name, name, values, ids, names, spacing, partly=True))
    return scans


def _names_of(table: Path) -> dict[int, str]:
    try:
        with table.open(newline="", encoding="utf-8") as file:
            return {int(row["value"]): row["name"] for row in csv.DictReader(file)}
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DecodeError(
            f"{table.name} is no table of structures.", "Give it the columns value and name."
        ) from error


def _scan(name: str, voxels: _Voxels, names: Mapping[int, str]) -> Scan:
    values, ids, spacing = voxels
    return Scan(name, name, values, ids, names, spacing)


def _series(root: Path, names: Mapping[int, str]) -> Scan:
    """Load the series of the example, of the person of its volume for all that is known."""
    hasher = PatientHasher(bytes(32))
    files = [
        read_dicom(path.read_bytes(), MAX_FRAME_PIXELS, hasher)
        for path in sorted((root / EXAMPLE_DICOM.folder).iterdir())
    ]
    frames = from_feet_to_head((file.frame(1) for file in files), lambda frame: frame.info)
    volume = series_volume("ts-dcm", frames, np.full(len(frames), -1, np.int64))
    ids, _ = _nifti(root, TS_SERIES_MASK)
    if volume.values.shape != ids.shape:
        raise DecodeError(
            f"{TS_SERIES_MASK} has shape {ids.shape}, its series {volume.values.shape}.",
            remedy(TS_SERIES_MASK),
        )
    return Scan(volume.name, LEARNT, volume.values, ids, names, volume.spacing_mm)


def _read(root: Path, ct: str, mask: str) -> _Voxels:
    values, spacing = _nifti(root, ct)
    ids, _ = _nifti(root, mask)
    if values.shape != ids.shape:
        raise DecodeError(f"{mask} has shape {ids.shape}, {ct} has {values.shape}.", remedy(mask))
    return values, ids, spacing


def _nifti(root: Path, name: str) -> tuple[NDArray[np.int16], tuple[float, float, float]]:
    try:
        return load_nifti(root / name)
    except (ImageFileError, OSError, EOFError, ValueError, zlib.error) as error:
        raise DecodeError(
            f"{root / name} is no complete NIfTI file ({type(error).__name__}).", remedy(name)
        ) from error


def _volume(scan: Scan, names: Mapping[int, str], shared: tuple[str, ...]) -> LabelledVolume:
    index = {structure: number for number, structure in enumerate(shared)}
    table = np.full(max(int(scan.ids.max()), 0) + 1, NO_STRUCTURE, np.int16)
    for value, structure in names.items():
        if value < len(table):
            table[value] = index.get(structure, NO_STRUCTURE)
    labels = table[np.maximum(scan.ids, 0)]
    return LabelledVolume(scan.name, scan.values, labels, scan.spacing_mm, shared, scan.partly)
