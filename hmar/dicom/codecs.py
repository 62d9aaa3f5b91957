"""The libraries that decode compressed frames, each behind the same function.

They are given what the stream says of itself; what the data set says has been compared with it before. Each
is imported when it is first needed, because importing one takes up to a third of a second.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.uid import UID

from hmar.dicom.pixel_format import PixelFormat
from hmar.dicom.remedies import CHECK_COMPLETE
from hmar.dicom.stream import Colour, StreamHeader
from hmar.dicom.syntaxes import SYNTAXES, Decoder
from hmar.errors import DecodeError

Cells = NDArray[Any]
_Codec = Callable[[bytes, UID, StreamHeader, PixelFormat], "Cells"]


def decode_stream(frame: bytes, syntax: UID, header: StreamHeader, pixels: PixelFormat) -> Cells:
    """Decode one compressed frame.

    Returns
    -------
    ndarray of unsigned integers, shape (rows, columns) or (rows, columns, 3)
        Cells as wide as the decoder makes them; signed samples are in two's complement. Colours are as
        stored, but for the component transform of JPEG 2000, which is undone.

    Raises
    ------
    DecodeError
        If the decoder gives another number of samples.
    Exception
        Whatever the library raises.
    """
    cells = _CODECS[SYNTAXES[syntax].decoder](frame, syntax, header, pixels)
    expected = pixels.rows * pixels.columns * pixels.samples
    if cells.size != expected:
        raise DecodeError(
            f"The compressed frame decodes to {cells.size} samples, not {expected}.",
            CHECK_COMPLETE,
        )
    shape = (pixels.rows, pixels.columns)
    return cells.reshape(shape if pixels.samples == 1 else (*shape, pixels.samples))


def _pillow(frame: bytes, _syntax: UID, header: StreamHeader, _pixels: PixelFormat) -> Cells:
    """Decode the components as they are in the stream, YCbCr unless libjpeg finds that they are RGB."""
    try:
        return _with_libjpeg(frame, as_ycbcr=True)
    except OSError:
        if header.colour is not Colour.RGB:
            raise
    return _with_libjpeg(frame, as_ycbcr=False)


def _with_libjpeg(frame: bytes, *, as_ycbcr: bool) -> Cells:
    with Image.open(io.BytesIO(frame), formats=("JPEG",)) as image:
        if as_ycbcr and image.mode == "RGB":
            image.draft("YCbCr", image.size)
        return np.asarray(image)


def _openjpeg(frame: bytes, _syntax: UID, header: StreamHeader, _pixels: PixelFormat) -> Cells:
    from openjpeg.utils import decode_pixel_data

    return _cells(decode_pixel_data(frame, version=2), header)


def _rle(frame: bytes, _syntax: UID, _header: StreamHeader, pixels: PixelFormat) -> Cells:
    from rle.utils import decode_pixel_data

    planes = decode_pixel_data(
        frame, version=2, rows=pixels.rows, columns=pixels.columns, bits_allocated=pixels.bits_allocated
    )
    return np.frombuffer(planes, f"<u{pixels.bits_allocated // 8}").reshape(pixels.samples, -1).T


def _gdcm(frame: bytes, syntax: UID, header: StreamHeader, pixels: PixelFormat) -> Cells:
    import gdcm

    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((pixels.columns, pixels.rows, 1))
    image.SetDataElement(element)
    # Its own contradiction with the stream would abort the process.
    stated = {Colour.RGB: "RGB", Colour.YCBCR: "YBR_FULL", None: pixels.photometric}[header.colour]
    photometric = gdcm.PhotometricInterpretation.GetPIType(stated)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(photometric))
    if pixels.samples > 1:
        image.SetPlanarConfiguration(0)
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(str.__str__(syntax))))
    bits = header.precision or pixels.bits_stored
    cell = 8 if bits <= 8 else 16
    image.SetPixelFormat(gdcm.PixelFormat(pixels.samples, cell, bits, bits - 1, int(pixels.signed)))
    # Its Python wrapper gives bytes as text.
    return _cells(image.GetBuffer().encode("utf-8", "surrogateescape"), header)


def _cells(data: Any, header: StreamHeader) -> Cells:
    precision = header.precision or 0
    return np.frombuffer(data, "u1" if precision <= 8 else "<u2" if precision <= 16 else "<u4")


_CODECS: dict[Decoder, _Codec] = {
    Decoder.GDCM: _gdcm,
    Decoder.OPENJPEG: _openjpeg,
    Decoder.PILLOW: _pillow,
    Decoder.RLE: _rle,
}
_MODULES = {Decoder.GDCM: "gdcm", Decoder.OPENJPEG: "openjpeg", Decoder.PILLOW: "PIL", Decoder.RLE: "rle"}


def undecodable() -> list[str]:
    """Return the names of the compressed transfer syntaxes whose decoder cannot be imported."""
    absent = {decoder for decoder, module in _MODULES.items() if not _can_import(module)}
    return [UID(syntax).name for syntax, known in SYNTAXES.items() if known.decoder in absent]


def _can_import(module: str) -> bool:
    try:
        import_module(module)
    except ImportError:
        return False
    return True
