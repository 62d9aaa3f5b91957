"""Groups of images whose lists name none: patient ids of DICOM files, or chains of near-duplicates."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from benchmark.datasets.deduced_groups import deduce_groups
from benchmark.datasets.dicom_header import Header, read_header
from benchmark.datasets.tables import PICTURES, counted
from benchmark.types import LabelledImage, Progress
from hmar.dicom.deidentify import PatientHasher

NO_GROUP = ""
"""The group of an image whose group is unknown."""


def find_groups(
    images: Sequence[LabelledImage], draw: bool, progress: Progress
) -> tuple[list[LabelledImage], list[str]]:
    """Give a group to the images that have none.

    A DICOM file's is its patient: ids are hashed with a secret that is thrown away, then numbered; without an
    id the study takes the patient's place. Other images are grouped by :func:`deduce_groups` if a split is to
    be drawn, so that it does not divide a patient's adjacent slices. If the split is given, each image is a
    group of its own.

    Parameters
    ----------
    images : sequence of LabelledImage
    draw : bool
        Whether the split is drawn by groups.
    progress : Progress

    Returns
    -------
    images, problems : list
        The same images in the same order, and a line for each way in which groups were found.
    """
    headers = _headers([image for image in images if image.group == NO_GROUP])
    patients: dict[str, str] = {}
    found: list[LabelledImage] = []
    for image in images:
        if header := headers.get(id(image)):
            # Hashes differ from run to run; numbers in the order of the images do not.
            key = header.patient or header.study
            image = replace(image, group=patients.setdefault(key, f"DICOM patient {len(patients) + 1}"))
        found.append(image)
    lines = []
    if headers:
        lines.append(
            f"no groups given for {counted(len(headers), 'DICOM file')}: grouped by patient id, or by study "
            f"where there is none, into {len(patients)}"
        )
    rest = [row for row, image in enumerate(found) if image.group == NO_GROUP]
    if not rest:
        return found, lines
    others = [found[row] for row in rest]
    if draw:
        others = list(deduce_groups(others, progress=progress))
        groups = len({image.group for image in others})
        lines.append(
            f"no groups given for {counted(len(rest), 'image')}: {counted(groups, 'chain')} of "
            "near-duplicates stand for patients; one whose images differ may be in two splits"
        )
    else:
        others = [replace(image, group=f"image {row}") for row, image in zip(rest, others, strict=True)]
        lines.append(
            f"split given without groups for {counted(len(rest), 'image')}: each is its own, and a patient "
            "or near-duplicates may be in two splits"
        )
    for row, image in zip(rest, others, strict=True):
        found[row] = image
    return found, lines


def _headers(images: Sequence[LabelledImage]) -> dict[int, Header]:
    """Return the headers of the DICOM files, by the images' identity."""
    hasher = PatientHasher(secrets.token_bytes(32))
    read = (
        (id(image), read_header(image.path, hasher))
        for image in images
        if image.path.suffix.lower() not in PICTURES
    )
    return {number: header for number, header in read if isinstance(header, Header)}
