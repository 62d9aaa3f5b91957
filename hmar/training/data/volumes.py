"""Volumes to train on: voxels, geometry, and the labels that are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from hmar.model.tags import REGIONS

THOUSANDTHS = 1000.0
"""What values without units, 0 to 1, are multiplied by to be kept as integers."""


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """One scan, axial slices as a radiologist sees them; or a single image, as one slice.

    Parameters
    ----------
    name : str
        Name for logs.
    values : ndarray of int16, shape (Z, Y, X)
        HU for CT, for all others values of any scale. Z from feet to head, Y from front to
        back, X from right to left.
    spacing_mm : tuple of float
        (z, y, x).
    modality : str
        DICOM Modality.
    regions : ndarray of int64, shape (Z,)
        Body region of each slice, an index into REGIONS; -1 where unknown.
    labels : ndarray of int16, shape (Z, Y, X), or None
        Structure of each voxel, by numbers that mean the same in every volume of a training; -1 where there
        is known to be none, -2 where nothing is known, as outside what somebody has drawn. None where
        nothing is labelled.
    image_labels : ndarray of int64, shape (Z,), or None
        Label of each slice as a whole, by numbers that mean the same in every volume of a training; -1 for
        none. None where no slice has one.
    patient : str or None
        The same for all volumes of one patient; None for a patient of its own.
    presented : bool
        Whether values without units are thousandths of presentation values, as the product displays them.
    carried : bool
        Whether the labels were carried from another person: good to learn from, and not to judge by.
    """

    name: str
    values: NDArray[np.int16]
    spacing_mm: tuple[float, float, float]
    modality: str
    regions: NDArray[np.int64]
    labels: NDArray[np.int16] | None = None
    image_labels: NDArray[np.int64] | None = None
    patient: str | None = None
    presented: bool = False
    carried: bool = False


def load_nifti(path: Path) -> tuple[NDArray[np.int16], tuple[float, float, float]]:
    """Read a NIfTI file as values (Z, Y, X) oriented as in :class:`Volume`, and spacing in mm (z, y, x)."""
    image = nib.as_closest_canonical(nib.load(path))  # type: ignore[no-untyped-call]
    values = np.asarray(image.dataobj)[::-1, ::-1, :]  # RAS+ to columns towards left, rows towards back
    x, y, z = (float(size) for size in image.header.get_zooms()[:3])
    return np.ascontiguousarray(np.rint(values.transpose(2, 1, 0)).astype(np.int16)), (z, y, x)


def constant_regions(slices: int, region: str) -> NDArray[np.int64]:
    """Return one region for every slice."""
    return np.full(slices, REGIONS.index(region), np.int64)


def regions_from_structures(
    labels: NDArray[np.uint8] | NDArray[np.int16], names: Mapping[int, str]
) -> NDArray[np.int64]:
    """Derive each slice's body region from the structures it shows; the first rule that matches wins.

    Parameters
    ----------
    labels : ndarray of uint8 or int16, shape (Z, Y, X)
        Number of each voxel's structure.
    names : mapping of int to str
        Names of structures as in TotalSegmentator's class map; other numbers are ignored.
    """
    rules = (
        ("HEAD", ("brain", "skull")),
        ("PELVIS", ("hip_left", "hip_right", "urinary_bladder", "sacrum")),
        ("ABDOMEN", ("kidney_left", "kidney_right", "pancreas", "gallbladder")),
        ("CHEST", ("heart", "lung_upper_lobe_left", "lung_upper_lobe_right", "lung_lower_lobe_left")),
        ("LIMB", ("femur_left", "femur_right")),
    )
    found = np.full(len(labels), -1, np.int64)
    for index, plane in enumerate(labels):
        shown = {names.get(int(value)) for value in np.unique(plane)}
        matching = (region for region, telling in rules if shown & set(telling))
        region = next(matching, None)
        if region is not None:
            found[index] = REGIONS.index(region)
    return found
