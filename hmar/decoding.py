"""Bytes to frames, whatever the format: the one door through which images enter."""

from __future__ import annotations

from hmar.dicom.deidentify import PatientHasher
from hmar.dicom.read import is_dicom, read_dicom
from hmar.errors import DecodeError
from hmar.image.raster import is_raster, read_raster
from hmar.types import ImageFile


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

    def open(self, data: bytes) -> ImageFile:
        """Open a file; raises DecodeError for bytes that are no image, LimitError for one too large."""
        if not data:
            raise DecodeError("The file is empty (0 bytes).", "Send a DICOM, PNG or JPEG file.")
        if is_raster(data):
            return read_raster(data, self._max_pixels)
        if is_dicom(data):
            return read_dicom(data, self._max_pixels, self._hasher)
        raise DecodeError(
            f"The {len(data)} bytes are neither DICOM nor PNG nor JPEG.", "Send a DICOM, PNG or JPEG file."
        )
