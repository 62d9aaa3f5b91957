"""The features that every peer sees, extracted once by a frozen backbone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from benchmark.accuracy.feature_cache import Described, FeatureCache, joined
from benchmark.accuracy.pixels import square, thumbnail
from benchmark.datasets.duplicates import Prints
from benchmark.datasets.read import read_image
from benchmark.datasets.tables import PICTURES
from benchmark.provenance.code_digest import code_digest
from benchmark.types import Dataset, Features, LabelledImage, Progress, Split
from hmar.errors import DecodeError
from hmar.training.config import TrainingConfig
from hmar.training.data.dicom_series import single_volume
from hmar.training.data.volumes import Volume
from hmar.values.frames import Frame

SHARD_IMAGES = 256
LOOKS = TrainingConfig().label_looks
"""Looks at each image, as many as ``hmar train`` learns labels from."""
_DESCRIBING = (
    "benchmark.datasets.read",
    "benchmark.accuracy.pixels",
    "benchmark.datasets.duplicates",
    "hmar.training.data.dicom_series",
)
_BATCH = 4

Item = TypeVar("Item")


class FrozenBackbone(Protocol):
    """What describes pixels; ``fingerprint`` names its weights."""

    fingerprint: str

    def describe(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return pooled (B, D) of images (B, 3, 224, 224), values from 0 to 1."""

    def looks(self, image: Volume, count: int, seed: int) -> NDArray[np.float16]:
        """Return parts (count, C, 3, 3) of looks at an image, the first as the product encodes it."""


class FeatureStore:
    """Features of data sets by one backbone, kept between runs.

    Parameters
    ----------
    backbone : FrozenBackbone
    cache : Path
        Folder of the cache; the features lie in one below it, named by the code that describes and the
        backbone.
    """

    def __init__(self, backbone: FrozenBackbone, cache: Path) -> None:
        self._backbone = backbone
        code = code_digest(*_DESCRIBING, type(backbone).__module__)
        self.fingerprint = f"features-{code[:16]}-{backbone.fingerprint[:32]}"
        self._cache = FeatureCache(cache / self.fingerprint)
        self._digests: dict[Path, str] = {}

    def complete(self, dataset: Dataset, progress: Progress) -> Dataset:
        """Extract what is missing; return the data set without the images that cannot be read.

        Each of those has a line in the ``problems`` of what is returned. An interrupted extraction continues
        where it stopped.
        """
        unreadable: dict[Path, str] = {}
        waiting: dict[str, Path] = {}
        for image in dataset.images:
            try:
                digest = self._digest(image.path)
            except OSError as error:
                unreadable[image.path] = f"{error.strerror}."
                continue
            if digest not in self._cache:
                waiting.setdefault(digest, image.path)
        known = len(dataset.images) - len(unreadable) - len(waiting)
        broken = self._extract(waiting, known, progress)
        for image in dataset.images:
            reason = broken.get(self._digests.get(image.path, ""))
            if reason is not None:
                unreadable[image.path] = reason
        lines = tuple(
            f"{_shown(path, self._digests.get(path))}: left out. {reason}"
            for path, reason in unreadable.items()
        )
        kept = tuple(image for image in dataset.images if image.path not in unreadable)
        return replace(dataset, images=kept, problems=dataset.problems + lines)

    def features(self, dataset: Dataset) -> dict[Split, Features]:
        """Return the features of each split of a data set that :meth:`complete` returned."""
        label = {name: number for number, name in enumerate(dataset.classes)}
        group = {name: number for number, name in enumerate(sorted({i.group for i in dataset.images}))}
        return {split: self._side(dataset.of(split), label, group) for split in get_args(Split)}

    def prints(self, paths: Sequence[Path]) -> Prints:
        """Return the fingerprints by which duplicates of images are found; :meth:`complete` has seen them."""
        digests = [self._digest(path) for path in paths]
        return Prints(self._cache.column("pixels", digests), self._cache.column("hashes", digests))

    def digest(self, dataset: Dataset) -> str:
        """Return a hash of a data set: its files' contents, labels, groups and splits, in order."""
        whole = hashlib.sha256(repr(dataset.classes).encode())
        for image in dataset.images:
            whole.update(repr((self._digest(image.path), image.label, image.group, image.split)).encode())
        return whole.hexdigest()

    def _side(
        self, images: Sequence[LabelledImage], label: dict[str, int], group: dict[str, int]
    ) -> Features:
        digests = [self._digest(image.path) for image in images]
        return Features(
            self._cache.column("pooled", digests),
            self._cache.column("parts", digests).swapaxes(0, 1),
            self._cache.column("thumbnails", digests),
            np.array([label[image.label] for image in images], np.int64),
            np.array([group[image.group] for image in images], np.int64),
            tuple(image.path for image in images),
        )

    def _digest(self, path: Path) -> str:
        if path not in self._digests:
            self._digests[path] = hashlib.sha256(path.read_bytes()).hexdigest()
        return self._digests[path]

    def _extract(self, waiting: dict[str, Path], known: int, progress: Progress) -> dict[str, str]:
        """Describe files shard by shard; return the reasons of those that cannot be described, by digest."""
        broken: dict[str, str] = {}
        done, total = known, known + len(waiting)
        for shard in _chunks(list(waiting.items()), SHARD_IMAGES):
            digests: list[str] = []
            parts: list[Described] = []
            for batch in _chunks(shard, _BATCH):
                read = list(_readable(batch, broken))
                if read:
                    digests += [digest for digest, _ in read]
                    parts.append(self._describe(read))
                done += len(batch)
                progress("features", done, total)
            if parts:
                self._cache.add(digests, joined(parts))
        return broken

    def _describe(self, read: Sequence[tuple[str, Frame]]) -> Described:
        """Describe images, given with the sha256 of their files, which draws how their looks vary."""
        frames = [frame for _, frame in read]
        images = np.stack([square(frame) for frame in frames])
        parts = [
            self._backbone.looks(single_volume("image", frame, -1), LOOKS, int(digest[:8], 16))
            for digest, frame in read
        ]
        prints = Prints.of(frames)
        thumbnails = np.stack([thumbnail(image) for image in images])
        pooled = self._backbone.describe(images)
        return Described(pooled, np.stack(parts), thumbnails, prints.pixels, prints.hashes)


def _readable(batch: Sequence[tuple[str, Path]], broken: dict[str, str]) -> Iterator[tuple[str, Frame]]:
    for digest, path in batch:
        try:
            yield digest, read_image(path)
        except DecodeError as error:
            broken[digest] = error.detail


def _chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _shown(path: Path, digest: str | None) -> str:
    """Return how a message names a file: by the last two parts of its path, enough to find it.

    Folders of DICOM files are often named after patients: those are named by a hash of their content.
    """
    if path.suffix.lower() in PICTURES:
        return "/".join(path.parts[-2:])
    return "a file" if digest is None else f"the file with SHA-256 {digest[:16]}..."
