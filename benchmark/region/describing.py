"""Describing all windows of a volume with one peer, and measuring the time it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from benchmark.region.coding import Code, fit_code
from benchmark.region.features import WindowFeature
from benchmark.region.peers import RegionPeer
from benchmark.region.planes import SIDES, Plane
from benchmark.region.queries import RegionQuery
from benchmark.types import Descriptors, Progress
from hmar.values.frames import FloatArray

FLOAT = 0
"""Stands for "bits" in the rows of peers that describe with floats."""

_SAMPLE_ALONG = 8
_SEED = 7


class Steps:
    """Counts the steps of one piece of work and shows its progress."""

    def __init__(self, progress: Progress, work: str, total: int) -> None:
        self._progress, self._work, self._total, self._done = progress, work, total, 0

    def __call__(self) -> None:
        """Count one more step."""
        self._done += 1
        self._progress(self._work, self._done, self._total)


@dataclass(slots=True)
class Cost:
    """Milliseconds spent on windows, their share of the backbone's pass included."""

    ms: float = 0.0
    windows: int = 0

    @property
    def ms_per_window(self) -> float:
        """Mean over all windows described."""
        return self.ms / max(self.windows, 1)


def fit_codes(
    peer: RegionPeer, feature: WindowFeature, planes: Sequence[Plane], bits: Sequence[int]
) -> dict[int, Code]:
    """Return the peer's code of each length, fitted on windows of these planes if it needs fitting.

    The windows are of all sizes, up to 8 rows and 8 columns of a plane at random positions of the lattice;
    labels are not used.
    """
    if peer.coding == "float":
        return {FLOAT: fit_code("float", np.empty((0, 1), np.float32), FLOAT, _SEED)}
    sample = _sample(feature, planes) if peer.coding == "itq" else np.empty((0, 1), np.float32)
    return {length: fit_code(peer.coding, sample, length, _SEED) for length in bits}


def _sample(feature: WindowFeature, planes: Sequence[Plane]) -> FloatArray:
    rng = np.random.default_rng(_SEED)
    taken = []
    for plane in planes:
        for side in SIDES:
            rows, columns = (
                rng.choice(starts, min(len(starts), _SAMPLE_ALONG), replace=False)
                for starts in plane.window_lattice(side)
            )
            taken.append(feature(plane, rows, columns, side))
    return np.concatenate(taken)


def describe_gallery(
    feature: WindowFeature,
    codes: Mapping[int, Code],
    planes: Sequence[Plane],
    side: int,
    cost: Cost,
    step: Callable[[], None],
) -> dict[int, Descriptors]:
    """Describe every window of one size, by code length; ``step`` is called after each plane."""
    parts: dict[int, list[Descriptors]] = {length: [] for length in codes}
    for plane in planes:
        begun = time.perf_counter()
        features = feature(plane, *plane.window_lattice(side), side)
        for length, code in codes.items():
            parts[length].append(code(features))
        cost.ms += 1000 * (time.perf_counter() - begun)
        cost.windows += len(features)
        step()
    return {length: _stack(described) for length, described in parts.items()}


def _stack(parts: Sequence[Descriptors]) -> Descriptors:
    if parts[0].dtype == np.uint8:
        return np.concatenate(parts, dtype=np.uint8)
    return np.concatenate(parts, dtype=np.float32)


def describe_queries(
    feature: WindowFeature, codes: Mapping[int, Code], planes: Sequence[Plane], queries: Sequence[RegionQuery]
) -> dict[int, Descriptors]:
    """Describe the windows of queries, by code length."""
    features = np.concatenate(
        [feature(planes[q.plane], np.array([q.row]), np.array([q.column]), SIDES[q.size]) for q in queries]
    )
    return {length: code(features) for length, code in codes.items()}


@torch.inference_mode()
def crop_cost_ms(backbone: nn.Module, pixels: int, crops: int = 8) -> float:
    """Return the backbone's time for one crop of ``pixels`` squared: mean over a batch, after warm-up."""
    batch = torch.zeros(crops, 3, pixels, pixels).to(memory_format=torch.channels_last)
    backbone(batch[:1])
    begun = time.perf_counter()
    backbone(batch)
    return 1000 * (time.perf_counter() - begun) / crops
