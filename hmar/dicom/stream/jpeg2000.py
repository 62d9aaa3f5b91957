"""The header of a JPEG 2000 or HTJ2K codestream (ITU-T T.800, annex A), bare or in a JP2 file (annex I)."""

from __future__ import annotations

from hmar.dicom.stream.header import Bytes, Kind, StreamHeader, damaged

CODESTREAM = b"\xff\x4f\xff\x51"
JP2 = b"\0\0\0\x0cjP  \r\n\x87\n"

_HIGH_THROUGHPUT = 0x4000  # Rsiz, bit 14: ITU-T T.814
_CODING_STYLE, _TILE_PART = 0xFF52, 0xFF90
_MAX_COMPONENTS = 16384
_MAX_PRECISION = 38
_MAX_BOXES = 64


def read_jpeg2000(data: bytes) -> StreamHeader:
    """Read the image and tile size segment (SIZ).

    Raises
    ------
    DecodeError
        If it contradicts itself, or its components differ in size, precision or sign.
    """
    stream = Bytes(data)
    start = _codestream(stream) if data.startswith(JP2) else 0
    if stream.at(start, 4) != CODESTREAM:
        raise damaged("is a JP2 file whose codestream does not begin with a size segment")
    siz = start + 4
    length, capabilities = stream.u16(siz), stream.u16(siz + 2)
    right, bottom, left, top = (stream.u32(siz + 4 + 4 * number) for number in range(4))
    tile_columns, tile_rows = stream.u32(siz + 20), stream.u32(siz + 24)
    components = stream.u16(siz + 36)
    if not 1 <= components <= _MAX_COMPONENTS or length != 38 + 3 * components:
        raise damaged(f"has a size segment of {length} bytes for {components} components")
    if right <= left or bottom <= top or not tile_columns or not tile_rows:
        raise damaged(f"says it has {bottom - top} x {right - left} pixels")
    samples = stream.at(siz + 38, 3 * components)
    if len(set(samples[0::3])) > 1:
        raise damaged("has components of different precision or sign")
    if set(samples[1::3] + samples[2::3]) != {1}:
        raise damaged("has subsampled components")
    precision = (samples[0] & 0x7F) + 1
    if precision > _MAX_PRECISION:
        raise damaged(f"says it has {precision} bits per sample, which there is not")
    return StreamHeader(
        kind=Kind.HTJ2K if capabilities & _HIGH_THROUGHPUT else Kind.JPEG_2000,
        rows=bottom - top,
        columns=right - left,
        components=components,
        precision=precision,
        signed=bool(samples[0] & 0x80),
        lossy=_is_irreversible(stream, siz + length),
    )


def _is_irreversible(stream: Bytes, offset: int) -> bool:
    """Whether the coding style segment (COD), which comes before the first tile, names the 9-7 transform."""
    while (marker := stream.u16(offset)) != _TILE_PART:
        length = stream.u16(offset + 2)
        if marker >> 8 != 0xFF or length < 2:
            break
        if marker == _CODING_STYLE:
            return stream.u8(offset + 13) == 0
        offset += 2 + length
    raise damaged("has no coding style segment before its first tile")


def _codestream(stream: Bytes) -> int:
    """Return where the codestream of a JP2 file begins."""
    offset = 0
    for _ in range(_MAX_BOXES):
        length, header = stream.u32(offset), 8
        kind = stream.at(offset + 4, 4)
        if length == 1:
            length, header = (stream.u32(offset + 8) << 32) + stream.u32(offset + 12), 16
        if kind == b"jp2c":
            return offset + header
        if length < header:
            break
        offset += length
    raise damaged("is a JP2 file without a codestream")
