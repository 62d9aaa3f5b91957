"""Bytes to frames, whatever the format: the one door through which images enter."""

from __future__ import annotations

from hmar.dicom.deidentify import PatientHasher
from hmar.dicom.read import is_dicom, read_dicom
from hmar.errors import DecodeError, LimitError, NotFoundError
from hmar.image.raster import is_raster, read_raster
from hmar.values.entries import EntryInfo
from hmar.values.frames import Frame, ImageFile

MAX_FRAME_PIXELS = 1 << 26
"""Largest rows x columns of one frame (8192 x 8192): decoding takes up to 30 bytes a pixel at a time."""


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
        raise DecodeError(
            f"The {len(data)} bytes are neither DICOM nor PNG nor JPEG.", "Send a DICOM, PNG or JPEG file."
        )


def holds(file: ImageFile, entry: EntryInfo) -> bool:
    """Return whether a file still holds the image that was indexed from it."""
    number = entry.info.frame_number
    return (
        number <= len(file.infos) and file.infos[number - 1].sop_instance_uid == entry.info.sop_instance_uid
    )


def frame_of(file: ImageFile, entry: EntryInfo) -> Frame:
    """Decode an indexed frame from its file; raises NotFoundError if the file holds another image by now."""
    if not holds(file, entry):
        raise NotFoundError(
            "The file of this frame holds another image by now.", "Put the file back, or index it again."
        )
    return file.frame(entry.info.frame_number)
