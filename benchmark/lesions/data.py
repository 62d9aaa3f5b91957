"""Folders of people with outlined or boxed lesions, read as slices.

Two layouts, which a folder may mix::

    DIR/PERSON/NNN.dcm          a slice
    DIR/PERSON/mask_NNN.png     its lesion: 0 is background; of the slice's size
    DIR/boxes.csv               columns file, x, y, width, height, and if wanted label

``file`` is a slice, relative to DIR; the name of its folder is the person. Slices of that folder which the
table leaves out show no lesion. x and y are pixels, pixel (0, 0) covers 0 to 1.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmark.types import Progress
from hmar.decoding.in_process import ImageDecoder
from hmar.decoding.limits import MAX_FRAME_PIXELS
from hmar.dicom.deidentify import PatientHasher
from hmar.errors import DecodeError, NotFoundError
from hmar.values.frames import Frame
from hmar.values.geometry import Box

BOXES = "boxes.csv"
_COLUMNS = ("file", "x", "y", "width", "height")
_REMEDY = "Repair or remove it: the layout of lesion folders is in benchmark/README.md."

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class LesionSlice:
    """One slice of one person.

    Parameters
    ----------
    person : str
        Name of the folder; it stands in no row and no message.
    series : str
        Slices of one series are neighbours of each other.
    place : int
        Number of the slice in its series, from 0, in order of position.
    frame : Frame
    lesion : ndarray of bool, shape (rows, columns), or None
        Where the lesion is; None where the slice shows none.
    kind : str
        The label of the lesion's box, else the body part in the header, else "lesion".
    """

    person: str
    series: str
    place: int
    frame: Frame
    lesion: Mask | None
    kind: str

    @property
    def modality(self) -> str:
        """DICOM Modality, empty where unknown."""
        return self.frame.info.modality or ""


@dataclass(frozen=True, slots=True)
class _Boxed:
    box: Box
    label: str


def read_lesions(folders: Sequence[Path], progress: Progress) -> list[LesionSlice]:
    """Read all slices of all people in some folders; people of one name are one person.

    Raises
    ------
    NotFoundError
        If a folder is missing or holds no lesion, or a table names a file that is not there.
    DecodeError
        If a file cannot be read, or a mask does not have the size of its slice.
    """
    read: list[LesionSlice] = []
    for folder in folders:
        found = list(_read_folder(folder, progress))
        if not any(slice_.lesion is not None for slice_ in found):
            raise NotFoundError(
                f"{folder} holds no lesion.",
                f"Give a folder of PERSON/NNN.dcm with mask_NNN.png, or with {BOXES}.",
            )
        read += found
    return _placed(read)


def folders_digest(folders: Sequence[Path]) -> str:
    """Return the sha256 of all slices, masks and tables in some folders, by name and content."""
    digest = hashlib.sha256()
    for folder in folders:
        masks = (path.with_name(_mask_name(path)) for path in _slices(folder))
        for path in sorted({*_slices(folder), *masks, folder / BOXES}):
            if path.is_file():
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                digest.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def _read_folder(folder: Path, progress: Progress) -> Iterator[LesionSlice]:
    boxes = _read_boxes(folder)
    paths = _slices(folder)
    decoder = ImageDecoder(MAX_FRAME_PIXELS, PatientHasher(bytes(32)))
    for done, path in enumerate(paths, start=1):
        try:
            yield _read_slice(path, boxes.get(path), decoder)
        except DecodeError as error:
            raise DecodeError(
                f"Slice {done} of {len(paths)} in {folder}: {error.detail}", error.remedy
            ) from error
        progress(f"reading {folder.name}", done, len(paths))


def _slices(folder: Path) -> list[Path]:
    """Return the slices of every person that has a mask or is in the table."""
    people = {path.parent for path in folder.glob("*/mask_*.png")}
    people |= {path.parent for path in _read_boxes(folder)}
    return sorted(path for person in people for path in person.glob("*.dcm"))


def _mask_name(path: Path) -> str:
    return f"mask_{path.stem}.png"


def _read_boxes(folder: Path) -> dict[Path, _Boxed]:
    table = folder / BOXES
    if not table.is_file():
        return {}
    try:
        with table.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        boxes = {
            folder / row["file"]: _Boxed(
                Box(*(float(row[name]) for name in _COLUMNS[1:])), row.get("label") or ""
            )
            for row in rows
        }
    except (KeyError, TypeError, ValueError) as error:
        raise DecodeError(
            f"{table} is no table of boxes ({error}).", f"Give it the columns {', '.join(_COLUMNS)}."
        ) from error
    for path in boxes:
        if not path.is_file():
            raise NotFoundError(f"{table} names a file that is not there.", _REMEDY)
    return boxes


def _read_slice(path: Path, boxed: _Boxed | None, decoder: ImageDecoder) -> LesionSlice:
    frame = decoder.open(path.read_bytes()).frame(1)
    shape = frame.values.shape
    mask = path.with_name(_mask_name(path))
    lesion = _read_mask(mask, shape) if mask.is_file() else None
    if lesion is None and boxed is not None:
        lesion = _filled(boxed.box, shape)
    label = boxed.label if boxed is not None else ""
    kind = label or (frame.info.body_part or "").lower() or "lesion"
    return LesionSlice(path.parent.name, frame.info.series_uid, 0, frame, lesion, kind)


def _read_mask(path: Path, shape: tuple[int, ...]) -> Mask | None:
    try:
        with Image.open(path, formats=("PNG",)) as image:
            mask: Mask = np.asarray(image.convert("L")) > 0
    except OSError as error:
        raise DecodeError(f"The mask {path.name} is no PNG.", _REMEDY) from error
    if mask.shape != shape:
        raise DecodeError(f"The mask {path.name} has shape {mask.shape}, its slice {shape}.", _REMEDY)
    return mask if mask.any() else None


def _filled(box: Box, shape: tuple[int, ...]) -> Mask | None:
    """Return the pixels whose centres lie in a box."""
    y, x = np.arange(shape[0]) + 0.5, np.arange(shape[1]) + 0.5
    down = (y >= box.y) & (y < box.y + box.height)
    across = (x >= box.x) & (x < box.x + box.width)
    mask = down[:, None] & across
    return mask if mask.any() else None


def _placed(slices: Sequence[LesionSlice]) -> list[LesionSlice]:
    """Return the slices numbered in their series, from feet to head; without positions as they came."""
    series: dict[tuple[str, str], list[LesionSlice]] = {}
    for slice_ in slices:
        series.setdefault((slice_.person, slice_.series), []).append(slice_)
    placed = []
    for members in series.values():
        ordered = sorted(members, key=_height_mm)
        placed += [
            LesionSlice(one.person, one.series, place, one.frame, one.lesion, one.kind)
            for place, one in enumerate(ordered)
        ]
    return placed


def _height_mm(slice_: LesionSlice) -> float:
    position = slice_.frame.info.position
    return 0.0 if position is None else position[2]
