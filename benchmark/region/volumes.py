"""The two labelled CT volumes: voxels in HU, and which structure each belongs to, by name."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
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
    check_files,
    remedy,
)
from hmar.errors import DecodeError
from hmar.training.data.class_map import read_class_map
from hmar.training.data.volumes import load_nifti

NO_STRUCTURE = -1


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
    """

    name: str
    values: NDArray[np.int16]
    labels: NDArray[np.int16]
    spacing_mm: tuple[float, float, float]
    structures: tuple[str, ...]


def load_volumes(root: Path) -> tuple[LabelledVolume, LabelledVolume]:
    """Load LIDC-IDRI-0001 and the example of TotalSegmentator, labelled by the structures both have.

    Ids differ between the two: structures are matched by name.

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
    check_files(root)
    lidc_names = read_class_map(root / LIDC_NAMES, remedy(LIDC_NAMES))
    ts_names = read_class_map(root / TS_NAMES, remedy(TS_NAMES))
    lidc = _read(root, LIDC_CT, LIDC_MASK)
    ts = _read(root, TS_CT, TS_MASK)
    present = [
        {names[int(value)] for value in np.unique(mask) if int(value) in names}
        for (_, mask, _), names in ((lidc, lidc_names), (ts, ts_names))
    ]
    shared = tuple(sorted(present[0] & present[1]))
    return _volume("lidc", lidc, lidc_names, shared), _volume("ts", ts, ts_names, shared)


_Voxels = tuple[NDArray[np.int16], NDArray[np.int16], tuple[float, float, float]]


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


def _volume(name: str, voxels: _Voxels, names: Mapping[int, str], shared: tuple[str, ...]) -> LabelledVolume:
    values, ids, spacing = voxels
    index = {structure: number for number, structure in enumerate(shared)}
    table = np.full(max(int(ids.max()), 0) + 1, NO_STRUCTURE, np.int16)
    for value, structure in names.items():
        if value < len(table):
            table[value] = index.get(structure, NO_STRUCTURE)
    return LabelledVolume(name, values, table[np.maximum(ids, 0)], spacing, shared)
