"""What a file must be before one of its pixels is decoded: complete, understood, and within the limits."""

from __future__ import annotations

import zlib

from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import get_expected_length
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from hmar.dicom.header import integer, text
from hmar.dicom.pixels import COLOUR, MONOCHROME, PALETTE
from hmar.errors import DecodeError, LimitError

SEND_AGAIN = "Send the instance again from its source."

_META_START = 132
_GROUP_LENGTH = b"\x02\x00\x00\x00UL\x04\x00"
_PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_MAX_FRAMES = 100_000
_SIZE_REMEDY = "Raise HMAR_MAX_PIXELS if images of this size are wanted."


def check_image(dataset: Dataset) -> None:
    """Refuse what has no pixels, no size, or a photometric interpretation that is not understood."""
    if not any(keyword in dataset for keyword in _PIXEL_KEYWORDS):
        raise DecodeError(
            "The DICOM file holds no pixels.",
            "Send an image; reports, directories, plans and waveforms cannot be searched.",
        )
    for keyword in ("Rows", "Columns"):
        if (integer(dataset, keyword) or 0) < 1:
            raise DecodeError(f"{keyword} is missing or not positive.", SEND_AGAIN)
    photometric = text(dataset, "PhotometricInterpretation")
    if photometric in MONOCHROME or photometric == PALETTE:
        samples = 1
    elif photometric in COLOUR:
        samples = 3
    else:
        # Its value is a code string; another text in its place may be anything and is not repeated.
        raise DecodeError(
            "The photometric interpretation is missing or unknown.",
            f"Store the image as one of {', '.join(sorted({*MONOCHROME, *COLOUR, PALETTE}))}.",
        )
    if integer(dataset, "SamplesPerPixel") != samples:
        raise DecodeError(f"{photometric} needs {samples} samples per pixel; the header differs.", SEND_AGAIN)


def complete_transfer_syntax(dataset: Dataset) -> None:
    """Demand a transfer syntax that can be decoded.

    A file without one is read if its pixels are uncompressed: then the encoding of the header, which has just
    been parsed, is the transfer syntax.
    """
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if not syntax:
        if "PixelData" in dataset and dataset["PixelData"].is_undefined_length:
            raise DecodeError("The pixels are compressed, but the transfer syntax is missing.", SEND_AGAIN)
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
        return
    try:
        get_decoder(syntax)
    except NotImplementedError:
        raise DecodeError(
            "The transfer syntax is not one that can be decoded.",
            "Store the image as JPEG 2000, JPEG-LS, RLE or uncompressed.",
        ) from None


def frame_count(dataset: Dataset, max_pixels: int) -> int:
    """Settle and return the number of frames; raises LimitError for more than ``max_pixels`` in all."""
    frames = 1
    if text(dataset, "NumberOfFrames"):
        frames = integer(dataset, "NumberOfFrames") or 0
        if frames < 1:
            raise DecodeError("NumberOfFrames is not a positive number.", SEND_AGAIN)
    pixels = dataset.Rows * dataset.Columns * frames
    if pixels > max_pixels:
        raise LimitError(
            f"The image has {dataset.Rows} x {dataset.Columns} x {frames} = {pixels} pixels, "
            f"HMAR_MAX_PIXELS allows {max_pixels}.",
            _SIZE_REMEDY,
        )
    if frames > _MAX_FRAMES:
        raise LimitError(f"The image has {frames} frames, {_MAX_FRAMES} are allowed.", "Split the image.")
    dataset.NumberOfFrames = frames
    return frames


def check_pixel_bytes(dataset: Dataset, frames: int) -> None:
    """Refuse a file that declares more pixels than it holds, before anything is made for each frame."""
    keyword = next(keyword for keyword in _PIXEL_KEYWORDS if keyword in dataset)
    found = len(dataset[keyword].value or b"")
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        needed = 8 * frames  # each frame has at least one item, with a header of 8 bytes
    else:
        needed = get_expected_length(dataset)
    if found < max(needed, 1):
        raise DecodeError(
            f"The pixel data is truncated: {found} bytes of {needed}.",
            "Check that the file is complete, and send it again.",
        )


def check_inflated_size(data: bytes, max_pixels: int) -> None:
    """Refuse a deflated data set (PS3.5 A.5) that would inflate beyond what ``max_pixels`` can need."""
    meta = _META_START
    if data[meta : meta + 8] != _GROUP_LENGTH:
        return
    start = meta + 12 + int.from_bytes(data[meta + 8 : meta + 12], "little")
    if DeflatedExplicitVRLittleEndian.encode() not in data[meta:start]:
        return
    allowed, total = 2 * max_pixels + (16 << 20), 0
    inflater, rest = zlib.decompressobj(-zlib.MAX_WBITS), data[start:]
    while not inflater.eof and (part := inflater.decompress(rest, 1 << 20)):
        total, rest = total + len(part), inflater.unconsumed_tail
        if total > allowed:
            raise LimitError(
                f"The file inflates to more than {allowed} bytes (HMAR_MAX_PIXELS is {max_pixels}).",
                _SIZE_REMEDY,
            )
