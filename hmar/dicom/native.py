"""The cells of uncompressed pixels, frame by frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import get_expected_length

from hmar.contents import FileBytes

_PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_LAYOUT = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
)
"""What says how a frame's bytes lie."""


def native_cells(dataset: Dataset, frame_number: int) -> NDArray[Any]:
    """Return the cells of a frame, shape (rows, columns) or (rows, columns, 3).

    Integers are unsigned, whatever PixelRepresentation says; nothing is masked. Chrominance that YBR_FULL_422
    holds for every second pixel is there for each. Float pixel data is returned as it is.
    """
    if dataset.get("BitsAllocated") == 1 and "PixelData" in dataset:
        return _bits(dataset, frame_number)
    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    dataset, index = _read_frame(dataset, frame_number)
    options: dict[str, Any] = {"raw": True, "view_only": True, "correct_unused_bits": False}
    cells, _ = decoder.as_array(dataset, index=index, **options)
    if cells.dtype.kind == "i":
        return cells.view(f"{cells.dtype.byteorder}u{cells.dtype.itemsize}")
    return np.asarray(cells)


def _read_frame(dataset: Dataset, frame_number: int) -> tuple[Dataset, int]:
    """Return a data set that holds a frame, and the frame's index there: of pixels on the disk, it alone."""
    keyword = next(keyword for keyword in _PIXEL_KEYWORDS if keyword in dataset)
    element = dataset[keyword]
    if not isinstance(element.value, FileBytes):
        return dataset, frame_number - 1
    alone = Dataset()
    alone.file_meta = dataset.file_meta
    for known in _LAYOUT:
        if known in dataset:
            alone[known] = dataset[known]
    alone.NumberOfFrames = 1
    size = get_expected_length(alone)
    start = (frame_number - 1) * size
    alone.add_new(element.tag, element.VR, element.value[start : start + size])
    return alone, 0


def _bits(dataset: Dataset, frame_number: int) -> NDArray[np.uint8]:
    """Unpack a frame of single bits: one stream for all frames, lowest bit first (PS3.5 8.1.1, annex D)."""
    pixels = dataset.Rows * dataset.Columns
    first = (frame_number - 1) * pixels
    # Whole words, because those of VR OW are swapped in big endian.
    start, stop = first // 16 * 2, -(-(first + pixels) // 16) * 2
    packed = np.frombuffer(dataset.PixelData[start:stop].ljust(stop - start, b"\0"), np.uint8)
    if not dataset.file_meta.TransferSyntaxUID.is_little_endian and dataset["PixelData"].VR == "OW":
        packed = packed.view(np.uint16).byteswap().view(np.uint8)
    bits = np.unpackbits(packed, bitorder="little")[first % 16 : first % 16 + pixels]
    return bits.reshape(dataset.Rows, dataset.Columns)
