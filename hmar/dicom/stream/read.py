"""Chooses the reader of a compressed stream's header by its first bytes."""

from __future__ import annotations

from hmar.dicom.stream.header import StreamHeader
from hmar.dicom.stream.jpeg import SIGNATURE, read_jpeg
from hmar.dicom.stream.jpeg2000 import CODESTREAM, JP2, read_jpeg2000
from hmar.dicom.stream.rle import read_rle

_READERS = {SIGNATURE: read_jpeg, CODESTREAM: read_jpeg2000, JP2: read_jpeg2000}


def starts_stream(data: bytes) -> bool:
    """Whether bytes begin like a JPEG, JPEG-LS or JPEG 2000 stream; RLE has no signature."""
    return data.startswith(tuple(_READERS))


def read_stream_header(data: bytes) -> StreamHeader:
    """Read the header of one compressed frame without decoding it.

    Parameters
    ----------
    data : bytes
        The frame: JPEG, JPEG-LS, JPEG 2000, HTJ2K, or else RLE, which has no signature.

    Raises
    ------
    DecodeError
        If the header is damaged. No other error, whatever the bytes.
    """
    for signature, reader in _READERS.items():
        if data.startswith(signature):
            return reader(data)
    return read_rle(data)
