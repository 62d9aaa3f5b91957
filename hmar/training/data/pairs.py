"""Batches of pairs: two views of the same place, and which other places may serve as negatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hmar.errors import ConfigError
from hmar.image.grid import GridConfig
from hmar.image.windows import WindowConfig
from hmar.training.data.image_labels import NO_LABEL, ImageLabels, LabelledViews
from hmar.training.data.structures import StructurePlaces
from hmar.training.data.views import ViewSet
from hmar.training.data.volume_shares import volume_shares
from hmar.training.data.volumes import Volume
from hmar.training.data.window_pairs import Placed, WindowPairs, WindowsOfPair


@dataclass(frozen=True, slots=True, eq=False)
class PairBatch:
    """Pairs of views, and pairs of windows on them.

    Parameters
    ----------
    first, second : ndarray of int64, shape (M,)
        Indices of the views; each pair shows nearby slices of one volume.
    first_weights, second_weights : Tensor, shape (2, M, n * 3, 32)
        Row and column pooling weights of n windows on each view.
    side_mm : ndarray of float64, shape (M * n,)
        Side of each window.
    place : ndarray of float64, shape (M * n, 4)
        (volume, x, y, z) in mm of each window's centre.
    first_label, second_label : ndarray of int64, shape (M * n,)
        Structure at the centre of each window, NO_STRUCTURE or UNLABELLED.
    pixels : Tensor of uint8, shape (2 * M, 3, 512, 512), optional
        All first views, then all second, where they were rendered for this batch.
    apart : Tensor of bool, shape (M * n, M * n), optional
        What :meth:`windows_apart` returns, where it was computed beforehand.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    first_weights: Tensor
    second_weights: Tensor
    side_mm: NDArray[np.float64]
    place: NDArray[np.float64]
    first_label: NDArray[np.int64]
    second_label: NDArray[np.int64]
    pixels: Tensor | None = None
    apart: Tensor | None = None

    @classmethod
    def of(
        cls,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        side_mm: NDArray[np.float64],
        windows: Sequence[WindowsOfPair],
    ) -> PairBatch:
        """Put together the windows that were drawn on each pair."""
        weights_a, weights_b, places, labels_a, labels_b = zip(*windows, strict=True)
        return cls(
            first,
            second,
            torch.from_numpy(np.stack(weights_a, axis=1)),
            torch.from_numpy(np.stack(weights_b, axis=1)),
            side_mm,
            np.concatenate(places),
            np.concatenate(labels_a),
            np.concatenate(labels_b),
        )

    def windows_apart(self) -> Tensor:
        """Return (M * n, M * n) of bool: which windows of first and second views may be pushed apart.

        They lie in different volumes, or do not overlap, and they do not show the same structure.
        """
        if self.apart is not None:
            return self.apart
        half = self.side_mm / 2
        return may_push_apart(self.place, np.minimum.outer(half, half)) & ~self.alike()

    def pin_memory(self) -> PairBatch:
        """Return a copy in page-locked memory, from which a GPU reads while the processor goes on."""
        pinned = {
            name: tensor.pin_memory()
            for name in ("first_weights", "second_weights", "pixels", "apart")
            if (tensor := getattr(self, name)) is not None
        }
        return replace(self, **pinned)

    def alike(self) -> Tensor:
        """Return (M * n, M * n) of bool: pairs of windows that show the same structure, in any patient."""
        label = torch.from_numpy(self.first_label)
        return (label[:, None] == label[None, :]) & (label >= 0)[:, None]


@dataclass(frozen=True, slots=True)
class PairConfig:
    """How pairs are drawn.

    Parameters
    ----------
    views, windows : int
        Pairs of views in a batch, and windows on each.
    reach_mm : float
        How far apart a pair's slices may lie.
    cell_mm : float
    sides : tuple of int
        Of the windows, in cells.
    side_share : tuple of float
        How often each is drawn.
    structure_share : float
        Share of windows drawn on structures, each as often as any other, where they are labelled.
    """

    views: int = 8
    windows: int = 32
    reach_mm: float = 10.0
    cell_mm: float = GridConfig().pitch_mm * GridConfig().stride
    sides: tuple[int, ...] = WindowConfig().cells
    side_share: tuple[float, ...] = (0.5, 0.3, 0.2)
    structure_share: float = 0.7


class PairSampler:
    """Draws batches: volumes by :func:`volume_shares`, labelled structures equally often.

    Views of slices that are labelled as whole images are drawn by label, see :class:`LabelledViews`.

    Parameters
    ----------
    views : ViewSet
    volumes : list of Volume
    config : PairConfig
    generator : numpy.random.Generator
    allowed : ndarray of bool, shape (N,), optional
        Which views may be drawn; all of them by default.
    labels : ImageLabels, optional
        Of whole images; none by default.
    pairs_a_slice_with_itself : bool
        Whether a view may be paired with itself: where views are rendered anew, the two differ.

    Raises
    ------
    ConfigError
        If no view shows enough to be drawn.
    """

    def __init__(
        self,
        views: ViewSet,
        volumes: list[Volume],
        config: PairConfig,
        generator: np.random.Generator,
        allowed: NDArray[np.bool_] | None = None,
        labels: ImageLabels | None = None,
        *,
        pairs_a_slice_with_itself: bool = False,
    ) -> None:
        self._views, self._volumes, self._config, self._generator = views, volumes, config, generator
        chosen = np.ones(len(views.volume), np.bool_) if allowed is None else allowed
        self._content = [np.argwhere(mask) for mask in views.content.numpy()]
        free = chosen & views.show_enough()
        if not free.any():
            raise ConfigError("No image shows more than air.", "Train on images that show something.")
        self._of_volume = _by_volume(views, chosen, len(volumes))
        self._labelled = None if labels is None else LabelledViews(labels, free)
        if labels is not None and (free & (labels.label == NO_LABEL)).any():
            free = free & (labels.label == NO_LABEL)
        self._first = _by_volume(views, free, len(volumes))
        self._share = volume_shares(volumes, [len(of_volume) for of_volume in self._first])
        self._with_itself = pairs_a_slice_with_itself
        self._structures = StructurePlaces(volumes)
        self._windows = WindowPairs(self._structures, config.sides, config.structure_share)

    def state(self) -> dict[str, Any]:
        """Return the state of the random generator."""
        return dict(self._generator.bit_generator.state)

    def restore(self, state: dict[str, Any]) -> None:
        """Set the random generator to a state that :meth:`state` returned."""
        self._generator.bit_generator.state = state

    def draw(self, pairs: int | None = None) -> PairBatch:
        """Draw a batch of ``pairs`` pairs of views; by default, as many as are configured."""
        rng = self._generator
        first, second = self.choose(pairs, rng)
        placed = [[self._placed(int(view)) for view in views] for views in (first, second)]
        return self.with_windows(first, second, placed[0], placed[1], rng)

    def choose(
        self, pairs: int | None, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Draw the views (M,) and (M,) of pairs."""
        count = self._config.views if pairs is None else pairs
        chosen = rng.choice(len(self._volumes), count, p=self._share)
        first = np.array([self._a_view(int(v), rng) for v in chosen])
        first = first if self._labelled is None else self._labelled.put_into(first, rng)
        return first, np.array([self._beside(int(view), rng) for view in first])

    def with_windows(
        self,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        first_placed: Sequence[Placed],
        second_placed: Sequence[Placed],
        rng: np.random.Generator,
    ) -> PairBatch:
        """Draw windows on pairs of views, each placed as it is shown."""
        config = self._config
        sides = rng.choice(config.sides, (len(first), config.windows), p=config.side_share)
        windows = [
            self._windows.draw(a, b, lengths, rng)
            for a, b, lengths in zip(first_placed, second_placed, sides, strict=True)
        ]
        return PairBatch.of(first, second, sides.reshape(-1) * config.cell_mm, windows)

    def _placed(self, view: int) -> Placed:
        views = self._views
        return Placed(
            self._content[view],
            views.to_cell[view],
            int(views.volume[view]),
            int(views.plane[view]),
            float(views.z_mm[view]),
        )

    def _a_view(self, volume: int, rng: np.random.Generator) -> int:
        candidates = self._first[volume]
        shown = self._structures.planes_of_a_structure(volume, rng)
        if shown is not None:
            showing = candidates[np.isin(self._views.plane[candidates], shown)]
            candidates = showing if len(showing) else candidates
        return int(rng.choice(candidates))

    def _beside(self, view: int, rng: np.random.Generator) -> int:
        """Return another view of a slice within reach of the view's."""
        candidates = self._of_volume[int(self._views.volume[view])]
        near = candidates[
            np.abs(self._views.z_mm[candidates] - self._views.z_mm[view]) <= self._config.reach_mm
        ]
        others = near if self._with_itself else near[near != view]
        return int(rng.choice(others)) if len(others) else view


def _by_volume(views: ViewSet, chosen: NDArray[np.bool_], volumes: int) -> list[NDArray[np.int64]]:
    """Return the chosen views of each volume, ascending."""
    rows = np.flatnonzero(chosen)
    ordered = rows[np.argsort(views.volume[rows], kind="stable")]
    return np.split(ordered, np.searchsorted(views.volume[ordered], np.arange(1, volumes)))


def may_push_apart(place: NDArray[np.float64], least_mm: float | NDArray[np.float64]) -> Tensor:
    """Return (N, N) of bool: whether two places lie in different volumes, or at least ``least_mm`` apart."""
    apart = np.linalg.norm(place[:, None, 1:] - place[None, :, 1:], axis=2) >= least_mm
    return torch.from_numpy(apart | (place[:, None, 0] != place[None, :, 0]))
