"""NIfTI images with masks beside them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from hmar.errors import DecodeError, LimitError
from hmar.training.data.dicom_series import LARGEST_GAP_MM, LEAST_SLICES
from hmar.training.data.folders.tables import nothing_or_unknown
from hmar.training.data.structures import UNLABELLED
from hmar.training.data.vocabulary import Vocabulary, structure_name
from hmar.training.data.volumes import Volume, regions_from_structures

MASK_WORDS = frozenset({"label", "labels", "mask", "masks", "seg", "segmentation", "segmentations"})
"""A file with one of these words in its name is a mask."""

_MODALITIES = {"ct": "CT", "mr": "MR", "mri": "MR"}
_IMAGE_WORDS = frozenset({*_MODALITIES, "image", "img", "volume"})
_MOST_VOXELS = 1 << 29
_SAME_MM = 0.1
"""Two grids are one if no corner of theirs is farther apart."""

_BRIGHTEST = 4095.0
"""What the largest value of an image without units becomes."""

_NOT_READ = "The file cannot be read as NIfTI."
_REMEDY = "Check that the file is complete."


@dataclass(frozen=True, slots=True)
class NiftiMask:
    """A mask; ``structure`` is its only structure where the file is named after one, else None."""

    path: Path
    structure: str | None


@dataclass(frozen=True, slots=True)
class NiftiScan:
    """An image and the masks beside it."""

    image: Path
    masks: tuple[NiftiMask, ...]


def is_nifti(path: Path) -> bool:
    """Whether a file's name ends in .nii or .nii.gz."""
    return path.name.lower().endswith((".nii", ".nii.gz"))


def is_mask(path: Path) -> bool:
    """Whether a file's name says that it is a mask, or its folder's, which then is "segmentations"."""
    return bool(MASK_WORDS.intersection(_words(path.name))) or _is_folder_of_masks(path.parent)


def pair_up(paths: Sequence[Path]) -> tuple[list[NiftiScan], list[Path]]:
    """Return images with their masks, and the masks that belong to no image.

    A mask belongs to the only image of its folder, or to the one whose name is the same but for words such as
    "ct" and "seg". Files in a folder "segmentations" belong to the image of the folder above, and each is
    named after its structure, as in TotalSegmentator's data.
    """
    images: dict[Path, list[Path]] = defaultdict(list)
    for path in paths:
        if not is_mask(path):
            images[path.parent].append(path)
    masks: dict[Path, list[NiftiMask]] = defaultdict(list)
    alone = []
    for path in filter(is_mask, paths):
        single = _is_folder_of_masks(path.parent)
        candidates = images.get(path.parent.parent if single else path.parent, [])
        same = [image for image in candidates if _subject(image) == _subject(path)]
        mine = candidates if len(candidates) == 1 else same
        if len(mine) == 1:
            masks[mine[0]].append(NiftiMask(path, structure_name(_stem(path.name)) if single else None))
        else:
            alone.append(path)
    return [NiftiScan(path, tuple(masks[path])) for each in images.values() for path in each], alone


def modality_of(path: Path) -> str | None:
    """Return the modality that a file's name says, or its folder's; None where they say none, or several."""
    for name in (path.name, path.parent.name):
        found = {_MODALITIES[word] for word in _words(name) if word in _MODALITIES}
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def read_scan(
    scan: NiftiScan, name: str, modality: str, names: dict[int, str], structures: Vocabulary, patient: str
) -> tuple[Volume, list[NiftiMask]]:
    """Read an image with its masks; return it, and the masks that lie on another grid or have no names.

    Voxels that no mask draws are unknown, unless ``names`` has a name for 0 that says that there is nothing.

    Parameters
    ----------
    scan : NiftiScan
    name : str
        Of the volume, for logs.
    modality : str
    names : dict of int to str
        Names of the numbers in masks.
    structures : Vocabulary
    patient : str

    Raises
    ------
    DecodeError
        If the image or a mask cannot be read, or the image is no volume to train on.
    """
    image = _open(scan.image)
    values, spacing = _values(image)
    if len(values) < LEAST_SLICES:
        raise DecodeError(f"The volume has fewer than {LEAST_SLICES} slices.", _REMEDY)
    if not 0 < spacing[0] <= LARGEST_GAP_MM:
        raise DecodeError(f"The slices are more than {LARGEST_GAP_MM:g} mm apart.", _REMEDY)
    labels: NDArray[np.int16] | None = None
    unused = []
    for mask in scan.masks:
        opened = _open(mask.path)
        table = {1: mask.structure} if mask.structure else names
        if not _same_grid(image, opened) or not any(number > 0 for number in table):
            unused.append(mask)
            continue
        found = _labels(opened, table, structures)
        labels = found if labels is None else np.where(labels < 0, np.maximum(labels, found), labels)
    regions = (
        np.full(len(values), -1, np.int64)
        if labels is None
        else regions_from_structures(labels, dict(enumerate(structures.names)))
    )
    return Volume(
        name, _as_integers(values, modality), spacing, modality, regions, labels, None, patient
    ), unused


def _open(path: Path) -> nib.Nifti1Image:
    try:
        image = nib.load(path)
    except Exception as error:  # a damaged header makes nibabel raise nearly anything
        raise DecodeError(_NOT_READ, _REMEDY) from error
    if not isinstance(image, nib.Nifti1Image):
        raise DecodeError(_NOT_READ, _REMEDY)
    shape = image.shape
    if len(shape) > 3 and set(shape[3:]) == {1}:
        shape = shape[:3]
    if len(shape) != 3:
        raise DecodeError("The file holds no volume of three dimensions.", _REMEDY)
    if np.prod(shape, dtype=np.float64) > _MOST_VOXELS:
        raise LimitError(f"The volume has more than {_MOST_VOXELS} voxels.", "Train on a part of it.")
    return image


def _values(image: nib.Nifti1Image) -> tuple[NDArray[np.float32], tuple[float, float, float]]:
    """Return values (Z, Y, X) oriented as in :class:`Volume`, and the spacing (z, y, x) in mm."""
    try:
        turned = nib.as_closest_canonical(image)  # type: ignore[no-untyped-call]
        values = np.asarray(turned.dataobj, np.float32).reshape(turned.shape[:3])
    except Exception as error:  # as above, and whatever zlib says of a damaged file
        raise DecodeError(_NOT_READ, _REMEDY) from error
    if not np.isfinite(values).all():
        values = np.nan_to_num(values, nan=float(np.nanmin(values)), posinf=0.0, neginf=0.0)
    x, y, z = (float(size) for size in turned.header.get_zooms()[:3])
    return np.ascontiguousarray(values[::-1, ::-1].transpose(2, 1, 0)), (z, y, x)


def _as_integers(values: NDArray[np.float32], modality: str) -> NDArray[np.int16]:
    """Return HU for CT; what has no units is scaled to 0 to 4095."""
    if modality != "CT":
        low, high = float(values.min()), float(values.max())
        values = (values - low) * (_BRIGHTEST / max(high - low, 1e-6))
    limits = np.iinfo(np.int16)
    stored: NDArray[np.int16] = np.rint(values).clip(limits.min, limits.max).astype(np.int16)
    return stored


def _labels(mask: nib.Nifti1Image, names: dict[int, str], structures: Vocabulary) -> NDArray[np.int16]:
    """Return a mask's numbers (Z, Y, X) as those of the vocabulary."""
    values, _ = _values(mask)
    numbers = np.rint(values).astype(np.int32)
    labels = np.full(numbers.shape, UNLABELLED, np.int16)
    labels[numbers == 0] = nothing_or_unknown(names, UNLABELLED)
    for number in np.unique(numbers[numbers > 0]).tolist():
        if number in names:
            labels[numbers == number] = structures.number(names[number])
    return labels


def _same_grid(image: nib.Nifti1Image, mask: nib.Nifti1Image) -> bool:
    if image.shape[:3] != mask.shape[:3]:
        return False
    corners = np.array([[x, y, z, 1] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
    corners[:, :3] *= np.array(image.shape[:3]) - 1
    return bool(np.abs(corners @ (image.affine - mask.affine).T).max() <= _SAME_MM)


def _is_folder_of_masks(folder: Path) -> bool:
    return folder.name.lower() == "segmentations"


def _stem(name: str) -> str:
    return re.sub(r"\.nii(\.gz)?$", "", name, flags=re.IGNORECASE)


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z]+|\d+", _stem(name).lower())


def _subject(path: Path) -> list[str]:
    """Return what of a file's name says whose image it is."""
    return [word for word in _words(path.name) if word not in MASK_WORDS | _IMAGE_WORDS]
