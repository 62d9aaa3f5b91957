"""Contours of DICOM RT Structure Sets (PS3.3 A.19), drawn on the images that they refer to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from hmar.dicom.header import numbers, text
from hmar.dicom.parse import parse
from hmar.dicom.vendor import translated
from hmar.training.data.folders.contours import fill
from hmar.training.data.folders.drawn import Drawn
from hmar.training.data.folders.header import items
from hmar.training.data.folders.images import Image, Images, Key, Vector
from hmar.training.data.vocabulary import structure_name

_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
_NO_STRUCTURES = ("EXTERNAL", "SUPPORT", "FIXATION", "ISOCENTER", "MARKER", "REGISTRATION", "BOLUS")
"""RT ROI Interpreted Types of what is no part of the body, or all of it."""

_WHOLE_BODY = ("body", "external", "skin")


@dataclass(frozen=True, slots=True, eq=False)
class Contour:
    """A closed contour in one plane.

    Parameters
    ----------
    structure : str
    points : ndarray of float64, shape (n, 3)
        In mm, in the patient's coordinates.
    instances : tuple of str
        SOP Instance UIDs of the images that it was drawn on.
    series : str or None
        Series Instance UID that the structure set refers to.
    """

    structure: str
    points: Vector
    instances: tuple[str, ...]
    series: str | None


def read_contours(data: bytes, max_pixels: int) -> list[Contour]:
    """Read the closed contours of a structure set; raises DecodeError.

    Points, open lines, and outlines of the whole body, of the table or of devices are left out.
    """
    with translated("The structure set cannot be read", "Export it again."):
        dataset = parse(data, max_pixels)
        names = _names(dataset)
        series = _series(dataset)
        return [
            contour
            for roi in items(dataset, "ROIContourSequence")
            if (name := names.get(text(roi, "ReferencedROINumber")))
            for contour in _contours(roi, name, series)
        ]


def draw_contours(contours: list[Contour], images: Images) -> int:
    """Draw contours on the images that they refer to; return how many have an image.

    An image is found by the SOP Instance UID that a contour names, else by its plane within the series that
    the structure set names.
    """
    found: dict[tuple[Key, str], list[Vector]] = defaultdict(list)
    drawn_on: dict[Key, Image] = {}
    for contour in contours:
        image = images.single(contour.instances) or images.in_plane(contour.series, contour.points)
        if image is not None and image.placed:
            drawn_on[image.key] = image
            found[image.key, contour.structure].append(image.pixels_of(contour.points)[:, :2])
    for (key, structure), polygons in found.items():
        drawn = Drawn.of(structure, fill(polygons, drawn_on[key].shape))
        if drawn is not None:
            images.drawn[key].append(drawn)
    return sum(map(len, found.values()))


def _names(dataset: Dataset) -> dict[str, str]:
    """Return the names of structures by ROI number."""
    kinds = {
        text(item, "ReferencedROINumber"): text(item, "RTROIInterpretedType").upper()
        for item in items(dataset, "RTROIObservationsSequence")
    }
    named = {
        text(item, "ROINumber"): structure_name(text(item, "ROIName"))
        for item in items(dataset, "StructureSetROISequence")
    }
    return {
        number: name
        for number, name in named.items()
        if name and name not in _WHOLE_BODY and kinds.get(number) not in _NO_STRUCTURES
    }


def _series(dataset: Dataset) -> str | None:
    """Return the series that a structure set refers to; None unless it is one."""
    uids = {
        text(series, "SeriesInstanceUID")
        for frame in items(dataset, "ReferencedFrameOfReferenceSequence")
        for study in items(frame, "RTReferencedStudySequence")
        for series in items(study, "RTReferencedSeriesSequence")
    }
    return uids.pop() if len(uids) == 1 else None


def _contours(roi: Dataset, name: str, series: str | None) -> Iterator[Contour]:
    for item in items(roi, "ContourSequence"):
        points = numbers(item, "ContourData")
        if text(item, "ContourGeometricType").upper() in _CLOSED and points and len(points) % 3 == 0:
            instances = (
                text(image, "ReferencedSOPInstanceUID") for image in items(item, "ContourImageSequence")
            )
            yield Contour(name, np.reshape(points, (-1, 3)), tuple(instances), series)
