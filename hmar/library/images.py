"""Image files for Python: opened once, their frames decoded when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import overload

from hmar.config import Settings
from hmar.decoding.contained import ContainedDecoder
from hmar.decoding.limits import DecodeLimits
from hmar.dicom.deidentify import PatientHasher
from hmar.errors import DecodeError, LimitError
from hmar.library.patients import process_decoder, process_server
from hmar.values.frames import Frame, FrameInfo, ImageFile

Openable = str | os.PathLike[str] | bytes
"""A file by its path, or the bytes of one."""


class OpenedImage(Sequence[Frame]):
    """A file, as the sequence of its frames. Each is decoded when it is asked for.

    Parameters
    ----------
    source : Path or bytes
        What was opened.
    file : ImageFile
        What it holds.
    """

    def __init__(self, source: Path | bytes, file: ImageFile) -> None:
        self.source = source
        self._file = file

    @property
    def infos(self) -> Sequence[FrameInfo]:
        """What is known of each frame besides its pixels; nothing is decoded for it."""
        return self._file.infos

    def __len__(self) -> int:
        return len(self._file.infos)

    @overload
    def __getitem__(self, index: int) -> Frame: ...

    @overload
    def __getitem__(self, index: slice) -> list[Frame]: ...

    def __getitem__(self, index: int | slice) -> Frame | list[Frame]:
        numbers = range(1, len(self) + 1)[index]
        return self._file.frame(numbers) if isinstance(numbers, int) else list(map(self._file.frame, numbers))


def open_image(image: Openable, *, patient_secret: bytes | None = None) -> OpenedImage:
    """Open a DICOM, PNG or JPEG file.

    Parameters
    ----------
    image : path or bytes
        The file, or what it holds.
    patient_secret : bytes, optional
        At least 16 bytes. Patient ids are not kept: ``frame.info.patient_key`` is their hash, keyed with this
        secret. Without one, a secret is drawn for this process: within it, equal keys mean the same patient;
        nobody can tell later, or elsewhere, who that was. An archive on disk has a secret of its own, see
        :meth:`hmar.Archive.open`.

    Returns
    -------
    OpenedImage
        A sequence of frames, each with ``values`` (float32, rows x columns), ``units`` (HU or presentation
        values), ``spacing`` (mm, None where unknown) and ``info``.

    Raises
    ------
    DecodeError
        If the file cannot be read, or is no image.
    LimitError
        If it is larger than the default limits of HMAR_MAX_FILE_BYTES and HMAR_MAX_PIXELS.
    """
    decoder = process_decoder() if patient_secret is None else _decoder_with(patient_secret)
    return open_with(decoder, image, Settings().max_file_bytes)


@lru_cache(maxsize=4)
def _decoder_with(secret: bytes) -> ContainedDecoder:
    """Return a decoder with a secret of the caller's; raises ValueError for one that is too short."""
    PatientHasher(secret)
    return ContainedDecoder(DecodeLimits.of(Settings()), secret, process_server())


def open_with(
    decoder: ContainedDecoder, image: Openable, max_bytes: int, first_frame: bool = False
) -> OpenedImage:
    """Open a file, see :func:`open_image`; ``first_frame`` says that frame 1 will be asked for."""
    source = image if isinstance(image, bytes) else Path(image)
    if isinstance(source, Path):
        return OpenedImage(source, decoder.open(read_image(source, max_bytes), first_frame))
    _check_size(len(source), max_bytes)
    return OpenedImage(source, decoder.open(source, first_frame))


def read_image(path: Path, max_bytes: int) -> bytes:
    """Return a file's bytes; raises DecodeError if it cannot be read, LimitError if it is too large."""
    try:
        _check_size(path.stat().st_size, max_bytes)
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)  # a device says that it has no size, and never ends
    except OSError as error:
        raise DecodeError(
            f"The file cannot be read ({error.strerror}).", "Check its path and permissions."
        ) from error
    _check_size(len(data), max_bytes)
    return data


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise LimitError(f"The file is larger than {max_bytes} bytes.", "Raise HMAR_MAX_FILE_BYTES.")
