"""How a data set says its samples are laid out (the Image Pixel module, PS3.3 C.7.6.3), checked once."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from hmar.dicom.header import integer, text
from hmar.dicom.remedies import SEND_AGAIN
from hmar.errors import DecodeError

MONOCHROME = frozenset({"MONOCHROME1", "MONOCHROME2"})
COLOUR = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})
PALETTE = "PALETTE COLOR"

_BITS_ALLOCATED = (1, 8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """The layout of integer samples as the data set gives it.

    Parameters
    ----------
    rows, columns : int
        Size of a frame in pixels.
    samples : int
        SamplesPerPixel (0028,0002): 1 or 3.
    photometric : str
        PhotometricInterpretation (0028,0004).
    bits_allocated, bits_stored, high_bit : int
        Bits of a sample's cell, bits of its value, and the highest of the latter in the former.
    signed : bool
        PixelRepresentation (0028,0103): True for two's complement.
    """

    rows: int
    columns: int
    samples: int
    photometric: str
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool


def pixel_format(dataset: Dataset) -> PixelFormat:
    """Return the layout of integer pixel data.

    Raises
    ------
    DecodeError
        If an element is missing, or contradicts another; the message names it.
    """
    allocated = _needed(dataset, "BitsAllocated")
    stored = _needed(dataset, "BitsStored")
    representation = _needed(dataset, "PixelRepresentation")
    high_bit = integer(dataset, "HighBit")
    high_bit = stored - 1 if high_bit is None else high_bit
    samples = _needed(dataset, "SamplesPerPixel")
    if allocated not in _BITS_ALLOCATED or (allocated == 1 and samples != 1):
        raise _refused(f"BitsAllocated is {allocated}; 8, 16, 32 and 64 can be read, and 1 without colour")
    if not 1 <= stored <= allocated:
        raise _refused(f"BitsStored is {stored}, BitsAllocated is {allocated}")
    if not stored - 1 <= high_bit < allocated:
        raise _refused(f"HighBit is {high_bit}, BitsStored is {stored}, BitsAllocated is {allocated}")
    if representation not in (0, 1):
        raise _refused(f"PixelRepresentation is {representation}, not 0 or 1")
    return PixelFormat(
        rows=_needed(dataset, "Rows"),
        columns=_needed(dataset, "Columns"),
        samples=samples,
        photometric=text(dataset, "PhotometricInterpretation"),
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=high_bit,
        signed=representation == 1,
    )


def check_planes(dataset: Dataset) -> None:
    """Demand the order of uncompressed colour samples (PS3.3 C.7.6.3.1.3); streams have their own."""
    if _needed(dataset, "PlanarConfiguration") not in (0, 1):
        raise _refused(f"PlanarConfiguration is {integer(dataset, 'PlanarConfiguration')}, not 0 or 1")


def _needed(dataset: Dataset, keyword: str) -> int:
    value = integer(dataset, keyword)
    if value is None:
        raise _refused(f"{keyword} is missing or not a number")
    return value


def _refused(what: str) -> DecodeError:
    return DecodeError(f"{what}.", SEND_AGAIN)
