"""The protocols: which images are trained on, which are queries, and which are the gallery."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.accuracy.features import FeatureStore
from benchmark.accuracy.splits import compat_split, hold_out_classes
from benchmark.datasets.duplicates import Duplicates, duplicate_rate
from benchmark.types import Dataset, Features, Split
from hmar.errors import ConfigError, ParameterError

CLEAN, ACIR_COMPAT, UNSEEN = "clean", "acir-compat", "unseen"
PROTOCOLS = (CLEAN, ACIR_COMPAT, UNSEEN)
COMPAT_CUT = 100
_COMPAT_SEED = 0
_TIE_AWARE = "mAP over all ranks, over the relevant, expected under ties"
METRICS = {
    CLEAN: _TIE_AWARE,
    ACIR_COMPAT: f"mAP@{COMPAT_CUT} over hits found, expected under ties",
    UNSEEN: f"{_TIE_AWARE}; classes not learnt from",
}


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One protocol on one data set.

    Parameters
    ----------
    protocol, dataset : str
    train, val : Features
        Training and validation images; their labels lie below ``learnt``.
    gallery, queries : Features
        Their labels are places in ``classes``.
    learnt : int
    classes : tuple of str
    gallery_paths, query_paths : tuple of Path
        Files of the rows of ``gallery`` and ``queries``.
    duplicates : Duplicates
        Queries with a duplicate among the images of the other splits.
    data : str
        Hash of the files' contents and all that this task does with them.
    """

    protocol: str
    dataset: str
    train: Features
    val: Features
    gallery: Features
    queries: Features
    learnt: int
    classes: tuple[str, ...]
    gallery_paths: tuple[Path, ...]
    query_paths: tuple[Path, ...]
    duplicates: Duplicates
    data: str


def check_protocols(protocols: Sequence[str], dataset: Dataset, held: Sequence[str]) -> None:
    """Reject what :func:`make_task` would reject, before any feature is extracted.

    Raises
    ------
    ParameterError
        If there is no such protocol or none at all, or ``unseen`` cannot hold out those classes.
    """
    unknown = [protocol for protocol in protocols if protocol not in PROTOCOLS]
    if unknown or not protocols:
        raise ParameterError(
            f"There is no protocol {', '.join(unknown)!r}.", f"Give some of {', '.join(PROTOCOLS)}."
        )
    if UNSEEN in protocols:
        hold_out_classes(dataset, held)


def make_task(protocol: str, dataset: Dataset, store: FeatureStore, held: Sequence[str]) -> Task:
    """Return a protocol's task on a data set.

    Parameters
    ----------
    protocol : str
        ``clean``: train on train, choose on val, gallery train, queries test. ``acir-compat``: the data set
        is split anew image by image, val is the gallery and test the queries. ``unseen``: as clean, but a
        class is either trained on or searched, not both.
    dataset : Dataset
        As :meth:`FeatureStore.complete` returned it.
    store : FeatureStore
    held : sequence of str
        Classes held out by ``unseen``.

    Raises
    ------
    ParameterError
        If there is no such protocol, or ``unseen`` lacks classes to hold out.
    ConfigError
        If a split has no image left.
    """
    check_protocols([protocol], dataset, held)
    if protocol == CLEAN:
        return _task(protocol, dataset, dataset, store, "train")
    if protocol == ACIR_COMPAT:
        divided = compat_split(dataset, _COMPAT_SEED)
        return _task(protocol, divided, divided, store, "val")
    seen, unseen = hold_out_classes(dataset, held)
    return _task(protocol, seen, unseen, store, "train")


def _task(protocol: str, learnt: Dataset, searched: Dataset, store: FeatureStore, gallery: Split) -> Task:
    _demand_images(protocol, learnt, ("train", "val"))
    _demand_images(protocol, searched, (gallery, "test"))
    sides = store.features(learnt)
    found = sides if searched is learnt else store.features(searched)
    others = [image.path for image in (*learnt.images, *searched.images) if image.split != "test"]
    queries = tuple(image.path for image in searched.of("test"))
    data = hashlib.sha256(f"{protocol} {store.digest(learnt)} {store.digest(searched)}".encode())
    return Task(
        protocol,
        learnt.name,
        sides["train"],
        sides["val"],
        found[gallery],
        found["test"],
        len(learnt.classes),
        searched.classes,
        tuple(image.path for image in searched.of(gallery)),
        queries,
        duplicate_rate(store.prints(queries), store.prints(list(dict.fromkeys(others)))),
        data.hexdigest(),
    )


def _demand_images(protocol: str, dataset: Dataset, splits: Sequence[Split]) -> None:
    for split in splits:
        if not dataset.of(split):
            raise ConfigError(
                f"The protocol {protocol} has no readable image of {dataset.name} in the split {split}.",
                "Give more images, or leave the protocol out.",
            )
