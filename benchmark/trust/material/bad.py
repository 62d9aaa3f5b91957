"""Bad files of all kinds: damaged, cut, contradictory, huge when expanded, and no images at all."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from pydicom import uid

from benchmark.trust.fuzzing.corpus import KEPT
from benchmark.trust.fuzzing.native import damaged
from benchmark.trust.material.bombs import BOMBS
from benchmark.trust.material.dicom import compressed, dicom, stored_slice
from benchmark.trust.material.pictures import picture
from benchmark.trust.material.streams import SIDE, all_streams, compressed_files

NO_IMAGE = "no image"
_FIRST_NUMBER = 100_000
"""UIDs of these files are nobody else's."""
_BOMBS = ("frames_100k", "frames_2e9", "nested", "palette_segments", "palette_indirect", "rle_claim")
_CONTRADICTIONS: tuple[dict[str, Any], ...] = (
    {"Rows": 4000},
    {"Rows": 0},
    {"Columns": None},
    {"BitsAllocated": 12},
    {"BitsStored": 40},
    {"HighBit": 3},
    {"SamplesPerPixel": 3},
    {"PhotometricInterpretation": "HSV"},
    {"PhotometricInterpretation": "PALETTE COLOR"},
    {"RescaleSlope": "0"},
    {"NumberOfFrames": 7},
    {"NumberOfFrames": -1},
    {"PixelData": b""},
    {"PixelData": None},
    {"PixelRepresentation": None},
)
_OTHERS = (
    b"",
    b"DICM",
    b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n",
    b"PK\x03\x04" + bytes(200),
    b"\x7fELF" + bytes(200),
    b"<!doctype html><title>Not found</title>",
    b'{"an": "object"}',
    b"GIF89a" + bytes(40),
    bytes(132) + b"DICM",
    bytes(1000),
    b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100",
    "Umlaute sind keine Bilder: äöü".encode("latin-1"),
)


def bad_files(count: int, seed: int) -> list[tuple[str, bytes]]:
    """Return files, each with its kind; kinds take turns.

    Parameters
    ----------
    count : int
        How many.
    seed : int
        Of damage and cuts.
    """
    generator = random.Random(seed)  # noqa: S311 - nothing secret
    kinds: dict[str, Iterator[bytes]] = {name: make(generator) for name, make in _KINDS.items()}
    files: list[tuple[str, bytes]] = []
    while len(files) < count:
        for name, made in kinds.items():
            files.append((name, next(made)))
    return files[:count]


def _damaged(generator: random.Random) -> Iterator[bytes]:
    whole = list(compressed_files().values())
    while True:
        yield damaged(generator.choice(whole), generator)


def _cut(generator: random.Random) -> Iterator[bytes]:
    whole = [*compressed_files().values(), dicom(stored_slice(1), number=_FIRST_NUMBER)]
    whole += [picture("PNG", side=64), picture("JPEG", side=64)]
    while True:
        data = generator.choice(whole)
        yield data[: generator.randrange(len(data) // 4, 9 * len(data) // 10)]


def _contradictory(_: random.Random) -> Iterator[bytes]:
    number = _FIRST_NUMBER
    while True:
        for elements in _CONTRADICTIONS:
            number += 1
            yield dicom(stored_slice(number, 32), number=number, **elements)


def _bombs(_: random.Random) -> Iterator[bytes]:
    made = [BOMBS[name].make() for name in _BOMBS]
    while True:
        yield from made


def _in_part(_: random.Random) -> Iterator[bytes]:
    """Go through files of three frames, one of which is damaged: two of them are indexed."""
    whole = all_streams()["baseline"]
    number = 2 * _FIRST_NUMBER
    frames = np.zeros((3, SIDE, SIDE), "u1")
    while True:
        for bad in range(3):
            streams = [whole] * 3
            streams[bad] = whole[: len(whole) // 4]
            number += 1
            yield compressed(streams, uid.JPEGBaseline8Bit, frames, number=number)


def _others(generator: random.Random) -> Iterator[bytes]:
    while True:
        yield from _OTHERS
        yield generator.randbytes(2000)


def _crashers(_: random.Random) -> Iterator[bytes]:
    """Go through files that crash a native decoder, where this is a checkout; else zeros."""
    kept = sorted((KEPT.parent / "decoder_crashes").glob("*.dcm"))
    files = [path.read_bytes() for path in kept] or [np.zeros(300, "u1").tobytes()]
    while True:
        yield from files


_KINDS: dict[str, Callable[[random.Random], Iterator[bytes]]] = {
    "damaged stream": _damaged,
    "cut": _cut,
    "contradictory": _contradictory,
    "bomb": _bombs,
    "a bad frame": _in_part,
    NO_IMAGE: _others,
    "crashes a decoder": _crashers,
}
