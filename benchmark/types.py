"""The values that the parts of the benchmark exchange."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "val", "test"]
Progress = Callable[[str, int, int], None]
"""Shows (what, done, total)."""


def silent(_what: str, _done: int, _total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """One image of a data set: its file, label, group and split.

    ``group`` stands for the patient: images of one group are never in two splits of the protocol "clean".
    ``modality`` and ``region`` are empty where the data set does not say.
    """

    path: Path
    label: str
    group: str
    split: Split
    modality: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled images; ``problems`` has one line for everything that was left out, and why."""

    name: str
    images: tuple[LabelledImage, ...]
    classes: tuple[str, ...]
    problems: tuple[str, ...] = ()

    def of(self, split: Split) -> tuple[LabelledImage, ...]:
        """Return the images of one split."""
        return tuple(image for image in self.images if image.split == split)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Features:
    """What peers see of N images: the same frozen features, and where the images are.

    Parameters
    ----------
    pooled : ndarray of float32, shape (N, D)
        The backbone's features, averaged over the image.
    parts : ndarray of float16, shape (K, N, C, 3, 3)
        The product's feature map, pooled on 3x3 parts, of K looks at each image: as the product encodes it,
        then varied.
    thumbnails : ndarray of float32, shape (N, 1024)
        32x32 pixels, 0 to 1.
    labels, groups : ndarray of int64, shape (N,)
        Class and group of each image.
    paths : tuple of Path
        Files of the images, for peers that fine-tune the backbone; the others ignore them.
    """

    pooled: NDArray[np.float32]
    parts: NDArray[np.float16]
    thumbnails: NDArray[np.float32]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    paths: tuple[Path, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray[np.int64]) -> Features:
        """Return the features of some of the images."""
        return replace(
            self,
            pooled=self.pooled[rows],
            parts=self.parts[:, rows],
            thumbnails=self.thumbnails[rows],
            labels=self.labels[rows],
            groups=self.groups[rows],
            paths=tuple(self.paths[row] for row in rows.tolist()) if self.paths else (),
        )


Descriptors = NDArray[np.uint8] | NDArray[np.float32]
"""Packed codes (N, bits / 8), compared by Hamming distance; or floats (N, D), compared by cosine."""

Describe = Callable[[Features], Descriptors]


class Peer(Protocol):
    """A way to describe images that is compared with the others on the same features, bits and split.

    ``name`` stands in every output, ``paper`` in the table of peers. ``learns`` says whether seeds matter.
    """

    name: ClassVar[str]
    paper: ClassVar[str]
    learns: ClassVar[bool]

    def fit(self, train: Features, val: Features, classes: int, bits: int, seed: int) -> Describe:
        """Learn from train, choose on val, and return what describes any image.

        Parameters
        ----------
        train, val : Features
        classes : int
            Labels lie below it.
        bits : int
            Length of the code; float peers ignore it.
        seed : int
            Random seed.
        """
        ...
