"""The statistics of training frames that typicality is measured against."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from hmar.image.grid import channels, make_grid
from hmar.model.serving.model import ServedModel
from hmar.model.serving.typicality import Reference, summary
from hmar.training.data.served import slice_frame
from hmar.training.data.volumes import Volume
from hmar.values.frames import FloatArray, Frame

_LEAST_VARIANCE = 1e-6
"""Keeps a channel that never varies finite."""

MAX_FRAMES = 1000
"""Frames that are summarised at most, spread evenly over all scans."""

_SHRINKAGE = 0.3
"""Shrinkage of correlations towards 0: a few hundred neighbouring slices determine them poorly."""

_BLOCKS = 5
"""Parts that a single scan is cut into, each held out in turn."""

_MOST_PARTS = 20
"""Largest number of folds; more scans than this are held out in groups of whole scans."""


def reference_of(
    model: ServedModel, volumes: list[Volume], progress: Callable[[int, int], None]
) -> Reference:
    """Summarise slices of volumes as the product encodes them, and fit a reference to the summaries.

    Parameters
    ----------
    model : ServedModel
    volumes : list of Volume
    progress : callable
        Called with (done, total).
    """
    places = [(v, plane) for v, volume in enumerate(volumes) for plane in range(len(volume.values))]
    chosen = [places[i] for i in np.unique(np.linspace(0, len(places) - 1, MAX_FRAMES).astype(int))]
    summaries = []
    for done, (v, plane) in enumerate(chosen, start=1):
        summaries.append(_summary(model, slice_frame(volumes[v], plane)))
        progress(done, len(chosen))
    scans = np.array([v for v, _ in chosen])
    if len(volumes) == 1:
        scans = np.arange(len(chosen)) * _BLOCKS // len(chosen)
    elif len(volumes) > _MOST_PARTS:
        scans = scans * _MOST_PARTS // len(volumes)
    return fit_reference(np.stack(summaries), scans)


def fit_reference(summaries: FloatArray, scans: NDArray[np.int64]) -> Reference:
    """Fit a reference.

    Parameters
    ----------
    summaries : ndarray, shape (N, C)
    scans : ndarray of int64, shape (N,)
        Index of each frame's scan; frames of one scan are held out together.
    """
    mean, whitening = _fit(summaries)
    distances = np.concatenate(list(_held_out(summaries, scans)))
    return Reference(mean, whitening, np.sort(distances).astype(np.float32))


def _held_out(summaries: FloatArray, scans: NDArray[np.int64]) -> Iterator[FloatArray]:
    for scan in np.unique(scans):
        mean, whitening = _fit(summaries[scans != scan])
        yield np.linalg.norm((summaries[scans == scan] - mean) @ whitening, axis=1)


def _fit(summaries: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mean (C,) and the whitening matrix (C, C), with shrunk correlations."""
    exact = summaries.astype(np.float64)
    mean = exact.mean(axis=0)
    covariance = np.atleast_2d(np.cov(exact.T))
    deviation = np.sqrt(np.diag(covariance) + _LEAST_VARIANCE)
    correlation = (1 - _SHRINKAGE) * covariance / np.outer(deviation, deviation)
    correlation += _SHRINKAGE * np.eye(len(correlation))
    variances, axes = np.linalg.eigh(correlation)
    whitening = axes / np.sqrt(variances) / deviation[:, None]
    return mean.astype(np.float32), whitening.astype(np.float32)


def _summary(model: ServedModel, frame: Frame) -> FloatArray:
    info = frame.info
    grid = make_grid(info.rows, info.columns, info.spacing, model.info.grid)
    return summary(model.map(channels(frame, grid)))
