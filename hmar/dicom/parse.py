"""Bytes to a data set. A deflated one is inflated here, once and capped, and parsed from what came out.

The pixels of a file that lies on the disk stay there; see :mod:`hmar.dicom.unread_pixels`.
"""

from __future__ import annotations

import io
import zlib

import pydicom
from pydicom.dataset import Dataset, FileDataset

# The reader of the file meta information that dcmread itself uses: another might see another transfer syntax,
# and dcmread inflates without limit.
from pydicom.filereader import _read_file_meta_info, read_dataset, read_preamble
from pydicom.uid import DeflatedExplicitVRLittleEndian

from hmar.contents import Content, FileBytes, stream_of
from hmar.dicom.unread_pixels import add_pixels
from hmar.errors import DecodeError, LimitError

INFLATED_BYTES = 128 << 20
"""What a deflated data set may inflate to, whatever its size."""
INFLATED_RATIO = 16
"""Largest ratio of inflated to deflated size beyond that: images shrink to a tenth, not to a thousandth."""
_PART = 1 << 20


def parse(data: Content, max_pixels: int, pixels: bool = True) -> Dataset:
    """Parse a file, with or without the preamble of PS3.10.

    Parameters
    ----------
    data : bytes or FileBytes
        The whole file.
    max_pixels : int
        Largest number of pixels of an image; bounds what a deflated data set may inflate to.
    pixels : bool
        False stops before the pixel data.

    Raises
    ------
    LimitError
        If a deflated data set inflates to more than an image of this file's size can.
    DecodeError
        If it ends early.
    """
    stream = stream_of(data)
    preamble = read_preamble(stream, force=True)
    meta = _read_file_meta_info(stream)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        stream.seek(0)
        on_disk = isinstance(data, FileBytes)
        dataset = pydicom.dcmread(stream, force=True, stop_before_pixels=on_disk or not pixels)
        if isinstance(data, FileBytes) and pixels:
            add_pixels(dataset, data, stream.tell())
        return dataset
    inflated = io.BytesIO(_inflate(data[stream.tell() :], len(data), max_pixels))
    parsed = read_dataset(inflated, is_implicit_VR=False, is_little_endian=True)
    dataset = FileDataset(inflated, parsed, preamble, meta, is_implicit_VR=False, is_little_endian=True)
    dataset.set_original_encoding(False, True, parsed._character_set)
    return dataset


def _inflate(deflated: bytes, file_bytes: int, max_pixels: int) -> bytes:
    """Inflate a data set (PS3.5 A.5) within its limit."""
    allowed = min(max(INFLATED_BYTES, INFLATED_RATIO * file_bytes), 2 * max_pixels + (16 << 20))
    inflater, rest, parts, total = zlib.decompressobj(-zlib.MAX_WBITS), deflated, [], 0
    while not inflater.eof:
        part = inflater.decompress(rest, _PART)
        rest = inflater.unconsumed_tail
        if not part and not rest and not inflater.eof:
            raise DecodeError(
                "The deflated data set ends early.", "Check that the file is complete, and send it again."
            )
        total += len(part)
        if total > allowed:
            raise LimitError(
                f"The file of {file_bytes} bytes inflates to more than {allowed} bytes.",
                "Store the image in another transfer syntax; raise HMAR_MAX_PIXELS if it is very large.",
            )
        parts.append(part)
    return b"".join(parts)
