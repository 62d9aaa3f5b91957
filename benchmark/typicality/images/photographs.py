"""Photographs: those that come with scikit-learn and matplotlib, and those of a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib import cbook
from PIL import Image
from sklearn.datasets import load_sample_images

from benchmark.typicality.images.odd import Grey, OddImage
from hmar.errors import DecodeError, NotFoundError

_SIDE = 512
_SUFFIXES = (".jpg", ".jpeg", ".png")


def photographs(each: int, folder: Path | None, seed: int) -> Iterator[OddImage]:
    """Yield every photograph in grey, whole, and ``each`` crops of it.

    Crops are squares of 35 to 100 % of the shorter side, half of them mirrored, at 512 x 512 pixels.

    Raises
    ------
    NotFoundError
        If the folder holds no PNG and no JPEG.
    DecodeError
        If one cannot be read.
    """
    random = np.random.default_rng([seed, 2])
    for name, image in [*_packaged(), *(_of_folder(folder) if folder is not None else ())]:
        yield OddImage("photographs", name, _grey(image))
        for _ in range(each):
            yield OddImage("photographs", name, _crop(image, random))


def _packaged() -> Iterator[tuple[str, Image.Image]]:
    samples = load_sample_images()
    for path, pixels in zip(samples.filenames, samples.images, strict=True):
        yield Path(path).stem, Image.fromarray(pixels).convert("L")
    path = cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    with Image.open(str(path)) as image:
        yield "grace_hopper", image.convert("L")


def _of_folder(folder: Path) -> Iterator[tuple[str, Image.Image]]:
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in _SUFFIXES)
    if not paths:
        raise NotFoundError(f"{folder} holds no photograph.", "Give a folder of PNG or JPEG files.")
    for path in paths:
        try:
            with Image.open(path, formats=("PNG", "JPEG")) as image:
                yield path.stem, image.convert("L")
        except OSError as error:
            raise DecodeError(f"{path} is no PNG and no JPEG.", "Repair or remove it.") from error


def _crop(image: Image.Image, random: np.random.Generator) -> Grey:
    side = int(min(image.size) * random.uniform(0.35, 1))
    left = int(random.integers(0, image.width - side + 1))
    top = int(random.integers(0, image.height - side + 1))
    cropped = image.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC, (left, top, left + side, top + side))
    if random.random() < 0.5:
        cropped = cropped.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return _grey(cropped)


def _grey(image: Image.Image) -> Grey:
    return np.asarray(image, np.uint8)
