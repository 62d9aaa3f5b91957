"""Codes that stand for real ones: bodies of smooth codes, slice after slice."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.speed.people import bits_of
from benchmark.speed.phantom import phantom_file
from benchmark.speed.real_codes import RealSeries
from hmar import Archive
from hmar.index.windows import offsets_of
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.codes import CodeArray

SLICES, WINDOWS = 12, 40


def body(number: int, slices: int = SLICES) -> RealSeries:
    """Return a series of one patient: the slices of every body, with some bits of the patient's own."""
    generator = np.random.default_rng(number)
    own = bits_of(generator, (WINDOWS,), 0.15)
    codes = [code ^ own ^ bits_of(generator, (WINDOWS,), 0.02) for code in _slices(slices)]
    return RealSeries(
        f"patient {number}",
        np.stack([code[0] for code in codes]),
        np.concatenate(codes),
        np.tile(np.arange(WINDOWS, dtype=np.uint32), slices),
        offsets_of(np.full(slices, WINDOWS)),
    )


def queries(count: int = 8) -> CodeArray:
    """Return nine windows each of people who are no :func:`body` of small number."""
    bodies = [body(1000 + number) for number in range(count)]
    return np.stack([one.window_codes[one.windows(3)][:9] for one in bodies])


def _slices(count: int) -> list[CodeArray]:
    """Return what the slices of all bodies show, shape (40, 16) each: neighbours differ in a tenth."""
    generator = np.random.default_rng(0)
    codes = [bits_of(generator, (WINDOWS,), 0.5)]
    for _ in range(count - 1):
        codes.append(codes[-1] ^ bits_of(generator, (WINDOWS,), 0.1))
    return codes


def index_phantoms(home: Path, patients: int) -> None:
    """Index two phantom slices of each of some patients, with thumbnails as codes."""
    folder = home / "phantoms"
    folder.mkdir()
    for number in range(2 * patients):
        (folder / f"{number}.dcm").write_bytes(phantom_file(number, 128, slices=2))
    with Archive(home, ThumbnailEncoder()) as archive:
        archive.add(folder)
