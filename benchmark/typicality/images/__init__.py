"""Images that show nobody: noise, text and photographs, each in a file of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmark.typicality.images.noise import noise
from benchmark.typicality.images.odd import OddImage
from benchmark.typicality.images.photographs import photographs
from benchmark.typicality.images.text import text


def odd_images(each: int, folder: Path | None, seed: int) -> Iterator[OddImage]:
    """Yield all of them.

    Parameters
    ----------
    each : int
        Images of each kind of noise and of text, and crops of each photograph.
    folder : Path or None
        Further photographs.
    seed : int
        Equal seeds give equal images.
    """
    yield from noise(each, seed)
    yield from text(each, seed)
    yield from photographs(each, folder, seed)


__all__ = ["OddImage", "odd_images"]
