"""Text, set with Pillow's own font: pages full of it, and a few captions on an empty ground."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmark.typicality.images.odd import Grey, OddImage

_SENTENCES = (
    "the examination was done without contrast agent and compared with that of last year there is no sign of "
    "a new lesion in lung liver or spleen vessels are of normal width bones as before summary unchanged a "
    "further examination in 12 months is advised dose 3.4 mGy series 2 image 17 left right"
)
_PAGE = (1056, 816)
_CAPTIONED = (512, 512)
_MARGIN = 20


def text(each: int, seed: int) -> Iterator[OddImage]:
    """Yield ``each`` pages and ``each`` images with captions, half of them white on black."""
    random = np.random.default_rng([seed, 1])
    for number in range(each):
        yield OddImage("text", "page", _page(random, dark=number % 2 == 1))
    for number in range(each):
        yield OddImage("text", "captions", _captions(random, dark=number % 2 == 1))


def _page(random: np.random.Generator, *, dark: bool) -> Grey:
    image, ink = _empty(_PAGE, dark)
    size = int(random.integers(10, 28))
    for y in range(_MARGIN, _PAGE[0] - _MARGIN - size, round(1.4 * size)):
        _write(image, (_MARGIN, y), _phrase(random, 24), size, ink)
    return _grey(image)


def _captions(random: np.random.Generator, *, dark: bool) -> Grey:
    image, ink = _empty(_CAPTIONED, dark)
    for _ in range(int(random.integers(1, 7))):
        place = (int(random.integers(0, 300)), int(random.integers(0, 470)))
        _write(image, place, _phrase(random, 4), int(random.integers(12, 40)), ink)
    return _grey(image)


def _empty(shape: tuple[int, int], dark: bool) -> tuple[Image.Image, int]:
    """Return an empty ground and the grey to write with."""
    ground, ink = (0, 255) if dark else (255, 0)
    return Image.new("L", (shape[1], shape[0]), ground), ink


def _phrase(random: np.random.Generator, words: int) -> str:
    return " ".join(random.choice(_SENTENCES.split(), words))


def _write(image: Image.Image, place: tuple[int, int], words: str, size: int, ink: int) -> None:
    ImageDraw.Draw(image).text(place, words, fill=ink, font=ImageFont.load_default(size))


def _grey(image: Image.Image) -> Grey:
    return np.asarray(image, np.uint8)
