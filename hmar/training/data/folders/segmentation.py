"""DICOM Segmentations (PS3.3 A.51), drawn on the images that they refer to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from hmar.dicom.header import frame_position, numbers, text
from hmar.dicom.parse import parse
from hmar.dicom.vendor import translated
from hmar.errors import DecodeError
from hmar.training.data.folders.drawn import Drawn, Mask
from hmar.training.data.folders.header import items
from hmar.training.data.folders.images import SAME_PLANE_MM, Image, Images
from hmar.training.data.vocabulary import structure_name

_REMEDY = "Store it as a binary or fractional segmentation, uncompressed."
_SAME_DIRECTION = 0.999
"""Least cosine of two directions that count as one: 2.6 degrees."""


@dataclass(frozen=True, slots=True, eq=False)
class SegmentFrame:
    """A segment on one plane.

    Parameters
    ----------
    drawn : Drawn
    shape : tuple of int
        Rows and columns of the plane.
    instances : tuple of str
        SOP Instance UIDs of the images that it was made of.
    series : str or None
        Series Instance UID that the segmentation refers to.
    position, orientation : tuple of float or None
        ImagePositionPatient and ImageOrientationPatient of the plane.
    """

    drawn: Drawn
    shape: tuple[int, int]
    instances: tuple[str, ...]
    series: str | None
    position: tuple[float, float, float] | None
    orientation: tuple[float, ...] | None

    def fits(self, image: Image) -> bool:
        """Whether the plane is that of an image, pixel by pixel, as far as the segmentation says."""
        if self.shape != image.shape:
            return False
        if self.orientation is not None and image.orientation is not None:
            cosines = np.reshape(self.orientation, (2, 3)) * np.reshape(image.orientation, (2, 3))
            if cosines.sum(axis=1).min() < _SAME_DIRECTION:
                return False
        if self.position is None or not image.placed:
            return True
        column, row, in_front = image.pixels_of(np.array([self.position]))[0]
        return bool(max(abs(column), abs(row)) <= 0.5 and abs(in_front) <= SAME_PLANE_MM)


def read_segmentation(data: bytes, max_pixels: int) -> list[SegmentFrame]:
    """Read the frames of a segmentation on which anything is drawn.

    Raises
    ------
    DecodeError
        If it is compressed, a label map, or damaged.
    """
    with translated("The segmentation cannot be read", "Export it again."):
        dataset = parse(data, max_pixels)
        syntax = dataset.file_meta.TransferSyntaxUID
        if syntax.is_encapsulated or not syntax.is_little_endian:
            raise DecodeError("The segmentation is compressed, or big-endian.", _REMEDY)
        names = {
            text(item, "SegmentNumber"): structure_name(text(item, "SegmentLabel"))
            for item in items(dataset, "SegmentSequence")
        }
        planes = _planes(dataset)
        return [frame for frame in _frames(dataset, planes, names) if frame is not None]


def draw_segments(frames: list[SegmentFrame], images: Images) -> tuple[int, int]:
    """Draw frames on the images that they refer to; return how many fit one, and how many fit not theirs.

    An image is found by the only SOP Instance UID that is known among those of a frame, else by the frame's
    plane within the series that the segmentation names.
    """
    fitting = others = 0
    for frame in frames:
        image = images.single(frame.instances)
        if image is None and frame.position is not None:
            image = images.in_plane(frame.series, np.array([frame.position]))
        if image is None:
            continue
        if frame.fits(image):
            images.drawn[image.key].append(frame.drawn)
            fitting += 1
        else:
            others += 1
    return fitting, others


def _planes(dataset: Dataset) -> Iterator[Mask]:
    """Yield the planes (rows, columns) of a segmentation in turn; raises DecodeError."""
    rows, columns, frames = int(dataset.Rows), int(dataset.Columns), int(dataset.get("NumberOfFrames", 1))
    pixels, kind, bits = rows * columns, text(dataset, "SegmentationType").upper(), int(dataset.BitsAllocated)
    stored = np.frombuffer(dataset.PixelData, np.uint8)
    if frames * pixels * bits > 8 * len(stored):
        raise DecodeError("The segmentation has fewer pixels than it declares.", "Export it again.")
    if kind == "BINARY" and bits == 1:
        return (_bits(stored, frame * pixels, pixels).reshape(rows, columns) for frame in range(frames))
    if kind == "FRACTIONAL" and bits == 8:
        half = int(dataset.MaximumFractionalValue) / 2
        return (plane >= half for plane in stored[: frames * pixels].reshape(frames, rows, columns))
    raise DecodeError("The segmentation is neither binary nor fractional.", _REMEDY)


def _bits(stored: NDArray[np.uint8], first: int, count: int) -> Mask:
    """Return bits of a packed array; frames follow one another without padding (PS3.5 8.1.1)."""
    part = np.unpackbits(stored[first // 8 : -(-(first + count) // 8)], bitorder="little")
    bits: Mask = part[first % 8 : first % 8 + count].astype(np.bool_)
    return bits


def _frames(dataset: Dataset, planes: Iterator[Mask], names: dict[str, str]) -> Iterator[SegmentFrame | None]:
    shared = items(dataset, "SharedFunctionalGroupsSequence")[:1]
    series = next(
        (text(item, "SeriesInstanceUID") for item in items(dataset, "ReferencedSeriesSequence")), None
    )
    groups = items(dataset, "PerFrameFunctionalGroupsSequence")
    for plane, own in zip(planes, groups, strict=True):
        both = [own, *shared]
        segment = _first(both, "SegmentIdentificationSequence")
        name = "" if segment is None else names.get(text(segment, "ReferencedSegmentNumber"), "")
        drawn = Drawn.of(name, plane) if name else None
        if drawn is None:
            yield None
            continue
        position, orientation = (
            _first(both, keyword) for keyword in ("PlanePositionSequence", "PlaneOrientationSequence")
        )
        yield SegmentFrame(
            drawn,
            (int(dataset.Rows), int(dataset.Columns)),
            _instances(both),
            series,
            None if position is None else frame_position(position),
            None if orientation is None else _six(numbers(orientation, "ImageOrientationPatient")),
        )


def _instances(groups: list[Dataset]) -> tuple[str, ...]:
    found: dict[str, Any] = {
        text(image, "ReferencedSOPInstanceUID"): None
        for group in groups
        for derived in items(group, "DerivationImageSequence")
        for image in items(derived, "SourceImageSequence")
    }
    return tuple(found)


def _first(groups: list[Dataset], keyword: str) -> Dataset | None:
    return next((item for group in groups for item in items(group, keyword)), None)


def _six(found: list[float]) -> tuple[float, ...] | None:
    return tuple(found) if len(found) == 6 else None
