"""What a file must be before one of its pixels is decoded: complete, understood, and within the limits."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.pixels.utils import get_expected_length
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from hmar.contents import Content
from hmar.dicom.header import integer, text
from hmar.dicom.pixel_format import COLOUR, MONOCHROME, PALETTE, check_planes, pixel_format
from hmar.dicom.remedies import CHECK_COMPLETE, SEND_AGAIN
from hmar.dicom.syntaxes import SYNTAXES
from hmar.errors import DecodeError, LimitError

PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
# Pixel Data (7FE0,0010) of undefined length, VR OB or OW.
_COMPRESSED_PIXELS = tuple(b"\xe0\x7f\x10\x00" + vr + b"\x00\x00\xff\xff\xff\xff" for vr in (b"OB", b"OW"))
# What a frame counts as at least (64 x 64): besides its pixels, one of a single pixel takes as much work.
_MIN_FRAME_PIXELS = 1 << 12
_ALWAYS_ALLOWED = 1000
_NATIVE = frozenset(
    {
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    }
)
_SIZE_REMEDY = "Raise HMAR_MAX_PIXELS if images of this size are wanted."


def check_byte_order(dataset: Dataset) -> None:
    """Refuse a data set in the other byte order than its transfer syntax says.

    Data sets begin with a group below 0100; read in the wrong order, the bytes of its number are swapped.
    """
    first = min(dataset.keys(), default=None)
    if first is not None and first.group >= 0x0100 and first.group & 0xFF == 0:
        syntax = dataset.file_meta.get("TransferSyntaxUID")
        named = " that the file names" if syntax else " that its first bytes suggest"
        if syntax in SYNTAXES or syntax in _NATIVE:  # any other text is not repeated
            named += f", {syntax.name}"
        raise DecodeError(
            f"The data set is not in the transfer syntax{named}: its bytes are swapped.", SEND_AGAIN
        )


def check_image(dataset: Dataset, data: Content) -> None:
    """Refuse what has no pixels, no size, or a photometric interpretation that is not understood.

    Parameters
    ----------
    dataset : Dataset
        The parsed file.
    data : bytes or FileBytes
        The whole file: pydicom leaves out compressed pixels that end with the file.
    """
    if not any(keyword in dataset for keyword in PIXEL_KEYWORDS):
        if any(data.find(start) >= 0 for start in _COMPRESSED_PIXELS):
            raise DecodeError("The file ends within its compressed pixel data.", CHECK_COMPLETE)
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
        raise DecodeError(
            f"{photometric} needs {samples} samples per pixel; SamplesPerPixel is "
            f"{integer(dataset, 'SamplesPerPixel') or 'missing'}.",
            SEND_AGAIN,
        )
    if "PixelData" in dataset:
        pixel_format(dataset)


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
    if not is_decodable(dataset):
        raise DecodeError(
            "The transfer syntax is not one that can be decoded.",
            "Store the image as JPEG 2000, JPEG-LS, RLE or uncompressed.",
        )


def check_burned_in(dataset: Dataset) -> None:
    """Refuse an image that says that text is burned into its pixels (0028,0301)."""
    if text(dataset, "BurnedInAnnotation").upper() == "YES":
        raise DecodeError(
            "The image is said to have text burned into its pixels (BurnedInAnnotation), and HMAR_BURNED_IN "
            "is refuse.",
            "Take the text out at the source, or set HMAR_BURNED_IN to index.",
        )


def is_decodable(dataset: Dataset) -> bool:
    """Whether the transfer syntax is one that is decoded; none at all may be."""
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    return not syntax or syntax in SYNTAXES or syntax in _NATIVE


def frame_count(dataset: Dataset, max_pixels: int) -> int:
    """Settle and return the number of frames.

    Raises
    ------
    LimitError
        If they have more than ``max_pixels`` in all. Where they are more than 1000, each counts as at least
        64 x 64 pixels.
    DecodeError
        If their number is none.
    """
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
    allowed = max(_ALWAYS_ALLOWED, max_pixels // _MIN_FRAME_PIXELS)
    if frames > allowed:
        raise LimitError(
            f"The image has {frames} frames; {allowed} are allowed, a frame counting as at least "
            f"{_MIN_FRAME_PIXELS} of the {max_pixels} pixels of HMAR_MAX_PIXELS.",
            "Split the image.",
        )
    dataset.NumberOfFrames = frames
    return frames


def check_pixel_bytes(dataset: Dataset, frames: int) -> None:
    """Refuse a file that declares more pixels than it holds, before anything is made for each frame."""
    keyword = next(keyword for keyword in PIXEL_KEYWORDS if keyword in dataset)
    found = len(dataset[keyword].value or b"")
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        needed = 8 * frames  # each frame has at least one item, with a header of 8 bytes
    else:
        if integer(dataset, "SamplesPerPixel") != 1:
            check_planes(dataset)
        needed = get_expected_length(dataset)
    if found < max(needed, 1):
        raise DecodeError(
            f"The pixel data is truncated: {found} bytes of {needed}.",
            CHECK_COMPLETE,
        )
