"""One trial: a peer at one code length and one seed, fitted and measured; kept, so that no run repeats it."""

from __future__ import annotations

import hashlib
import json
import time
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.accuracy.protocols import ACIR_COMPAT, COMPAT_CUT, Task
from benchmark.metrics.figures import (
    code_health,
    distances,
    hits_found_ap,
    micro,
    pr_curve,
    radius_metrics,
    rank_metrics,
)
from benchmark.provenance.code_digest import code_digest
from benchmark.provenance.machine import processor
from benchmark.types import Descriptors, Peer
from hmar.files import new_file

EXAMPLES, HITS = 6, 6
_RADIUS = 2
_RADIUS_BLOCK = 256

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Figures of Q queries; NaN where a query has no relevant item.

    Parameters
    ----------
    ap : ndarray of float64, shape (Q,)
        Average precision as the protocol defines it.
    precision_1, precision_5, precision_10, recall_10 : ndarray of float64, shape (Q,)
    curve : ndarray of float64, shape (2, K)
        Recall and precision by rank.
    examples : ndarray of int64, shape (E, 1 + H)
        Rows of some queries, each followed by the rows of its first hits; ties in random order.
    example_distances : ndarray of float64, shape (E, H)
    facts : mapping
        ``floats`` (0 for codes) and ``seconds``; for codes also those of
        :class:`benchmark.metrics.code_health.CodeHealth`, ``precision_radius_2`` and ``recall_radius_2``.
    """

    ap: FloatArray
    precision_1: FloatArray
    precision_5: FloatArray
    precision_10: FloatArray
    recall_10: FloatArray
    curve: FloatArray
    examples: NDArray[np.int64]
    example_distances: FloatArray
    facts: dict[str, float]


_ARRAYS = tuple(name for name in Trial.__dataclass_fields__ if name != "facts")


class Trials:
    """Runs trials, and keeps them in a folder under a hash of everything that they depend on.

    Parameters
    ----------
    folder : Path
    features : str
        Fingerprint of the features.
    """

    def __init__(self, folder: Path, features: str) -> None:
        self._folder = folder
        self.features = features
        self._machine = processor()
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, task: Task, peer: Peer, bits: int, seed: int) -> Trial:
        """Return a trial: the kept one, else fit the peer and measure it once."""
        # The machine is part of the key: fit_seconds would otherwise be reported for a machine that never
        # fitted.
        code = code_digest(__name__, type(peer).__module__)
        made_of = (code, self._machine, self.features, task.data, peer.name, bits, seed)
        file = self._folder / f"{hashlib.sha256(repr(made_of).encode()).hexdigest()}.npz"
        kept = _load(file)
        if kept is not None:
            return kept
        trial = _measure(task, peer, bits, seed)
        _save(file, trial)
        return trial


def _measure(task: Task, peer: Peer, bits: int, seed: int) -> Trial:
    begun = time.perf_counter()
    describe = peer.fit(task.train, task.val, task.learnt, bits, seed)
    seconds = time.perf_counter() - begun
    gallery, queries = describe(task.gallery), describe(task.queries)
    sides = (queries, gallery, task.queries.labels, task.gallery.labels)
    ranked = rank_metrics(*sides)
    compat = task.protocol == ACIR_COMPAT
    curve = pr_curve(*sides)
    examples, apart = _first_hits(queries, gallery, task)
    return Trial(
        hits_found_ap(*sides, cut=COMPAT_CUT) if compat else ranked.ap,
        ranked.precision[1],
        ranked.precision[5],
        ranked.precision[10],
        ranked.recall10,
        np.stack([curve.recall, curve.precision]),
        examples,
        apart,
        {"seconds": seconds} | _facts(queries, gallery, task),
    )


def _facts(queries: Descriptors, gallery: Descriptors, task: Task) -> dict[str, float]:
    if gallery.dtype != np.uint8:
        return {"floats": gallery.shape[1]}
    codes = gallery.astype(np.uint8, copy=False)
    blocks = []
    for start in range(0, len(queries), _RADIUS_BLOCK):
        block = slice(start, start + _RADIUS_BLOCK)
        relevant = task.queries.labels[block, None] == task.gallery.labels
        blocks.append(radius_metrics(distances(queries[block], gallery), relevant, _RADIUS))
    precision, recall = (np.concatenate(column) for column in zip(*blocks, strict=True))
    within = {"precision_radius_2": micro(precision), "recall_radius_2": micro(recall)}
    return {"floats": 0} | asdict(code_health(codes)) | within


def _first_hits(
    queries: Descriptors, gallery: Descriptors, task: Task
) -> tuple[NDArray[np.int64], FloatArray]:
    """Return the first hits of one query each of a few classes; the same queries for every peer."""
    random = np.random.default_rng(0)
    classes = random.permutation(np.unique(task.queries.labels))[:EXAMPLES]
    rows = np.array([random.choice(np.flatnonzero(task.queries.labels == label)) for label in classes])
    apart = distances(queries[rows], gallery)
    # The gallery is in order of classes: without shuffling, the first hits among ties would look too good.
    order = random.permutation(len(gallery))
    first = order[np.argsort(apart[:, order], axis=1, kind="stable")[:, :HITS]]
    return np.column_stack([rows, first]), np.take_along_axis(apart, first, axis=1).astype(np.float64)


def _save(file: Path, trial: Trial) -> None:
    arrays = {name: getattr(trial, name) for name in _ARRAYS}
    with new_file(file) as stream:
        np.savez(stream, facts=np.array(json.dumps(trial.facts)), **arrays)


def _load(file: Path) -> Trial | None:
    """Return a kept trial; None where there is none that can be read."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            facts = json.loads(str(arrays["facts"]))
            return Trial(**{name: arrays[name] for name in _ARRAYS}, facts=facts)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None
