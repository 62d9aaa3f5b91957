"""Images of folders that references may be fitted to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from hmar.dicom.deidentify import PatientHasher
from hmar.errors import NotFoundError
from hmar.training.data.folders.images import Image
from hmar.training.data.folders.people import People
from hmar.training.data.folders.scan import Decoder, Limits, read_file, scan
from hmar.training.typicality.places import Place
from hmar.values.frames import Frame


def places_of_folders(
    folders: Sequence[Path],
    decoder: Decoder,
    hasher: PatientHasher,
    limits: Limits,
    progress: Callable[[int, int], None],
) -> tuple[list[Place], list[str]]:
    """Return the DICOM, PNG and JPEG images below folders, and lines on what is left out.

    Parameters
    ----------
    folders : sequence of Path
        As docs/data.md says. NIfTI, which tells no modality, is not looked at, nor are masks.
    decoder : Decoder
    hasher : PatientHasher
        With the secret of ``decoder``.
    limits : Limits
    progress : callable
        Called with (done, total).

    Raises
    ------
    NotFoundError
        If a folder is not there, or there is no image in any.
    """
    found = scan(folders, decoder, limits, progress)
    if not found.images:
        raise NotFoundError(
            f"There is no image in {len(folders)} folders.", "Name folders with DICOM files, PNG or JPEG."
        )
    people = People(found.tables, hasher, found.images)
    places = [
        Place(people.of_image(image), image.info.modality, partial(_frame, image, decoder, limits))
        for image in found.images
    ]
    return places, found.left_out.lines()


def _frame(image: Image, decoder: Decoder, limits: Limits) -> Frame:
    number = image.info.frame_number
    return decoder.open(read_file(image.file.path, limits), number == 1).frame(number)
