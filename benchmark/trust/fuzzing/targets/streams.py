"""The header of a compressed stream."""

from __future__ import annotations

from collections.abc import Mapping

from benchmark.trust.fuzzing.target import Once, Target
from benchmark.trust.material.streams import all_streams
from hmar.decoding.answers import error_answer, raise_error
from hmar.dicom.stream import Kind, read_stream_header
from hmar.dicom.stream.read import starts_stream
from hmar.errors import DecodeError

_HEADER_BYTES = 700
_JP2 = (
    b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 \0\0\0\0jp2 "
    b"\0\0\0\x2djp2h\0\0\0\x16ihdr\0\0\0\x20\0\0\0\x20\0\x01\7\7\0\0\0\0\0\x0fcolr\1\0\0\0\0\0\x11\0\0\0\0jp2c"
)


def make() -> Once:
    """Return what reads a header."""

    def once(data: bytes) -> None:
        starts_stream(data)
        try:
            header = read_stream_header(data)
        except DecodeError as error:
            _told(error)
            return
        if header.kind is Kind.RLE:
            assert header.segments in range(1, 16)
            return
        assert header.rows is not None
        assert header.columns is not None
        assert min(header.rows, header.columns) >= 1
        assert header.components is not None
        assert header.components >= 1
        assert header.precision in range(1, 39)

    return once


def _told(error: DecodeError) -> None:
    try:
        raise_error(error_answer(error))
    except DecodeError:
        return
    raise AssertionError


def seeds() -> Mapping[str, bytes]:
    """Return the beginning of a stream of each kind."""
    streams = {name: data[:_HEADER_BYTES] + data[-2:] for name, data in all_streams().items()}
    return streams | {"jp2": _JP2 + streams["jpeg2000"]}


TARGET = Target(make, seeds, weight=300, most_bytes=1024)
