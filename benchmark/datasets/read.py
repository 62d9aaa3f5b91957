"""One image file to one frame."""

from __future__ import annotations

import functools
import secrets
from pathlib import Path

from hmar.config import Settings
from hmar.decoding.in_process import ImageDecoder
from hmar.dicom.deidentify import PatientHasher
from hmar.errors import DecodeError
from hmar.values.frames import Frame


def read_image(path: Path) -> Frame:
    """Read a PNG, JPEG or single-frame DICOM file.

    Loaders do not open pixels: a broken file is found here, when features are extracted, and is left out with
    a line of its own.

    Raises
    ------
    DecodeError
        If the file cannot be read, is no image, is broken, or has several frames: a label for all of them
        does not say which one it means. The message holds no path: folders are often named after patients.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DecodeError(f"The file cannot be read ({error.strerror}).", "Check its permissions.") from error
    file = _decoder().open(data)
    if len(file.infos) != 1:
        raise DecodeError(
            f"The file has {len(file.infos)} frames.", "Store each labelled frame in its own file."
        )
    return file.frame(1)


@functools.cache
def _decoder() -> ImageDecoder:
    # Nothing compares the patient keys of these frames, so any secret will do.
    return ImageDecoder(Settings().max_pixels, PatientHasher(secrets.token_bytes(32)))
