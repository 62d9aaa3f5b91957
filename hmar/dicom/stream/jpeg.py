"""The header of JPEG (ITU-T T.81, annex B) and of JPEG-LS (ITU-T T.87, annex C), which share markers."""

from __future__ import annotations

from typing import NamedTuple

from hmar.dicom.stream.header import Bytes, Colour, Kind, StreamHeader, damaged

SIGNATURE = b"\xff\xd8\xff"

_END = b"\xff\xd9"
_FRAMES = {
    0xC0: (Kind.BASELINE, (8,)),
    0xC1: (Kind.EXTENDED, (8, 12)),
    0xC2: (Kind.PROGRESSIVE, (8, 12)),
    0xC3: (Kind.LOSSLESS, tuple(range(2, 17))),
    0xF7: (Kind.JPEG_LS, tuple(range(2, 17))),
}
# SOF5-7, 9-11 and 13-15: hierarchical or with arithmetic coding. C4, C8 and CC are no frame headers.
_UNSUPPORTED = frozenset(range(0xC5, 0xD0)) - {0xC8, 0xCC}
_SCAN, _APP0, _APP14 = 0xDA, 0xE0, 0xEE
# Huffman and quantisation tables, restart interval, number of lines, comments and what applications add, and
# JPEG-LS parameters. Some decoders abort the process at any other.
_TABLES = frozenset({0xC4, 0xDB, 0xDD, 0xDC, 0xFE, 0xF8, *range(0xE0, 0xF0)})
_RGB_IDS = (b"RGB", b"rgb")
_ADOBE_COLOURS = {0: Colour.RGB, 1: Colour.YCBCR, 2: None}  # 2: YCCK, of four components


class _Frame(NamedTuple):
    kind: Kind
    precision: int
    rows: int
    columns: int
    component_ids: bytes


def read_jpeg(data: bytes) -> StreamHeader:
    """Read a JPEG's header up to its first scan.

    Raises
    ------
    DecodeError
        If a marker or a length is wrong, or the process is not one that DICOM uses.
    """
    stream = Bytes(data)
    frame: _Frame | None = None
    jfif, adobe = False, None
    offset = 2
    while (marker := _marker(stream, offset)) != _SCAN:
        while stream.u8(offset + 1) == 0xFF:  # fill bytes
            offset += 1
        length = stream.u16(offset + 2)
        body = stream.at(offset + 4, max(length - 2, 0))
        if length < 2:
            raise damaged(f"has a segment of {length} bytes at byte {offset}")
        if marker in _FRAMES:
            if frame is not None:
                raise damaged("has two frame headers")
            frame = _frame(marker, body)
        elif marker in _UNSUPPORTED:
            raise damaged(f"uses a JPEG process (FF{marker:02X}) that no decoder here reads")
        elif marker not in _TABLES:
            raise damaged(f"has no scan, but marker FF{marker:02X} at byte {offset}")
        elif marker == _APP0:
            jfif = jfif or body.startswith(b"JFIF")
        elif marker == _APP14 and body.startswith(b"Adobe") and len(body) >= 12:
            if body[11] not in _ADOBE_COLOURS:
                raise damaged(f"has an Adobe marker of unknown colour transform {body[11]}")
            adobe = _ADOBE_COLOURS[body[11]]
        offset += 2 + length
    if frame is None:
        raise damaged("has a scan before its frame header")
    return StreamHeader(
        kind=frame.kind,
        rows=frame.rows,
        columns=frame.columns,
        components=len(frame.component_ids),
        precision=frame.precision,
        lossy=frame.kind in (Kind.BASELINE, Kind.EXTENDED, Kind.PROGRESSIVE),
        colour=_colour(frame.component_ids, jfif, adobe),
        ended=data.rfind(_END) > offset,
    )


def _marker(stream: Bytes, offset: int) -> int:
    if stream.u8(offset) != 0xFF:
        raise damaged(f"has no marker at byte {offset}, where its header says there is one")
    while (marker := stream.u8(offset + 1)) == 0xFF:
        offset += 1
    return marker


def _frame(marker: int, body: bytes) -> _Frame:
    kind, precisions = _FRAMES[marker]
    stream = Bytes(body)
    precision, rows, columns = stream.u8(0), stream.u16(1), stream.u16(3)
    components = stream.u8(5)
    if len(body) != 6 + 3 * components:
        raise damaged(f"has a frame header of {len(body)} bytes for {components} components")
    if precision not in precisions:
        raise damaged(f"is {kind} of {precision} bits per sample, which there is not")
    if not rows or not columns or not components:
        raise damaged(f"says it has {rows} x {columns} pixels of {components} components")
    return _Frame(kind, precision, rows, columns, body[6::3])


def _colour(component_ids: bytes, jfif: bool, adobe: Colour | None) -> Colour | None:
    if len(component_ids) != 3:
        return None
    if component_ids in _RGB_IDS:
        return Colour.RGB
    return Colour.YCBCR if jfif else adobe
