"""Decoding in this process: for the child, and for files that are trusted."""

from __future__ import annotations

import io

from PIL import Image

from hmar.decoding.limits import MAX_FRAME_PIXELS
from hmar.dicom.deidentify import PatientHasher
from hmar.dicom.read import is_dicom, read_dicom
from hmar.errors import LimitError, NoImageError
from hmar.image.raster import is_raster, read_raster
from hmar.values.headers import StoredFile


class ImageDecoder:
    """Opens DICOM, PNG and JPEG.

    Parameters
    ----------
    max_pixels : int
        Largest rows x columns x frames; more is refused before decoding.
    hasher : PatientHasher
        Turns patient ids into keyed hashes.
    """

    def __init__(self, max_pixels: int, hasher: PatientHasher) -> None:
        self._max_pixels = max_pixels
        self._hasher = hasher

    def open(self, data: bytes) -> StoredFile:
        """Open a file; raises DecodeError for bytes that are no image, LimitError for one too large."""
        if not data:
            raise NoImageError("The file is empty (0 bytes).", "Send a DICOM, PNG or JPEG file.")
        if is_raster(data):
            return read_raster(data, min(self._max_pixels, MAX_FRAME_PIXELS))
        if is_dicom(data):
            file = read_dicom(data, self._max_pixels, self._hasher)
            rows, columns = file.infos[0].rows, file.infos[0].columns
            if rows * columns > MAX_FRAME_PIXELS:
                raise LimitError(
                    f"A frame has {rows} x {columns} pixels; {MAX_FRAME_PIXELS} are allowed.",
                    "Send a smaller image.",
                )
            return file
        raise NoImageError(
            f"The {len(data)} bytes are neither DICOM nor PNG nor JPEG.", "Send a DICOM, PNG or JPEG file."
        )


def picture_pixels(data: bytes) -> int:
    """Return the pixels of a PNG or JPEG, which is decoded as soon as it is opened; 0 for anything else."""
    if not is_raster(data):
        return 0
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
            return min(image.width * image.height, MAX_FRAME_PIXELS)
    except (OSError, ValueError, SyntaxError):
        return 0
