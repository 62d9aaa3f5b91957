"""Decoding in this process: for the child, and for files that are trusted."""

from __future__ import annotations

from PIL import Image

from hmar.contents import Content, stream_of
from hmar.decoding.limits import MAX_FRAME_PIXELS
from hmar.dicom.deidentify import PatientHasher
from hmar.dicom.identity import identify
from hmar.dicom.read import is_dicom, read_dicom
from hmar.errors import LimitError, NoImageError
from hmar.image.raster import is_raster, read_raster
from hmar.values.headers import StoredFile
from hmar.values.identified import Identified

_SIGNATURE_BYTES = 16
"""By so many a PNG or JPEG is told."""


class ImageDecoder:
    """Opens DICOM, PNG and JPEG.

    Parameters
    ----------
    max_pixels : int
        Largest rows x columns x frames; more is refused before decoding.
    hasher : PatientHasher
        Turns patient ids into keyed hashes.
    refuses_burned_in : bool
        Whether an image is refused whose header says that text is burned into its pixels.
    """

    def __init__(self, max_pixels: int, hasher: PatientHasher, refuses_burned_in: bool = False) -> None:
        self._max_pixels = max_pixels
        self._refuses_burned_in = refuses_burned_in
        self._hasher = hasher

    def identify(self, data: Content) -> Identified:
        """Return what a DICOM instance says that it is; raises DecodeError if its header is not readable."""
        return identify(data, self._max_pixels, self._hasher, self._refuses_burned_in)

    def open(self, data: Content) -> StoredFile:
        """Open a file; raises DecodeError for bytes that are no image, LimitError for one too large."""
        if not data:
            raise NoImageError("The file is empty (0 bytes).", "Send a DICOM, PNG or JPEG file.")
        if is_raster(data[:_SIGNATURE_BYTES]):
            return read_raster(data[:], min(self._max_pixels, MAX_FRAME_PIXELS))
        if is_dicom(data):
            file = read_dicom(data, self._max_pixels, self._hasher, self._refuses_burned_in)
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


def picture_pixels(data: Content) -> int:
    """Return the pixels of a PNG or JPEG, which is decoded as soon as it is opened; 0 for anything else."""
    if not is_raster(data[:_SIGNATURE_BYTES]):
        return 0
    try:
        with Image.open(stream_of(data), formats=("PNG", "JPEG")) as image:
            return min(image.width * image.height, MAX_FRAME_PIXELS)
    except (OSError, ValueError, SyntaxError):
        return 0
