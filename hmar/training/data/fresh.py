"""Batches of views that are rendered anew for every step, by worker processes where there are any."""

from __future__ import annotations

import os
from collections.abc import Generator
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from hmar.errors import OperatorError
from hmar.training.data.pairs import PairBatch, PairSampler
from hmar.training.data.render import CANVAS_PIXELS, View, quick_grid, render
from hmar.training.data.views import ViewSet
from hmar.training.data.volumes import Volume
from hmar.training.data.window_pairs import Placed

BATCHES_AHEAD = 2
"""Batches that each worker has ready or in work: one is taken while the next is made."""

VIEW_BYTES = 3 * CANVAS_PIXELS**2
"""Of a view's pixels, which travel as bytes."""

_PLAIN_SHARE = 1 / 6
"""Share of views that show the slice as it is: the same as of six views that are kept."""

_LONGEST_S = 300
"""A batch takes a second at most; a worker that gives none for so long hangs."""


def default_workers() -> int:
    """Return a number of workers that leaves a core to the training process."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores - 1


class FreshBatches(Dataset[PairBatch]):
    """Batches of a stage by the number of their step.

    A batch depends on the seed, the stage and the number alone: not on who makes it, nor on what was made
    before.

    Parameters
    ----------
    sampler : PairSampler
        Draws slices: one row for each.
    slices : ViewSet
        The slices.
    volumes : list of Volume
    pitch_mm : float
        Size of a pixel of a view.
    key : tuple of int
        Seed and stage.
    pairs : int or None
        Pairs of views in a batch; None for the sampler's own number.
    regions : bool
        Whether windows are compared.
    """

    def __init__(
        self,
        sampler: PairSampler,
        slices: ViewSet,
        volumes: list[Volume],
        pitch_mm: float,
        key: tuple[int, int],
        pairs: int | None,
        *,
        regions: bool,
    ) -> None:
        self._sampler, self._slices, self._volumes, self._pitch_mm = sampler, slices, volumes, pitch_mm
        self._key, self._pairs, self._regions = key, pairs, regions

    def __getitem__(self, number: int) -> PairBatch:
        """Return the batch of a step."""
        rng = np.random.default_rng((*self._key, number))
        first, second = self._sampler.choose(self._pairs, rng)
        shown = [self._show(int(row), rng) for row in np.concatenate([first, second])]
        placed, pixels = zip(*shown, strict=True)
        batch = self._sampler.with_windows(first, second, placed[: len(first)], placed[len(first) :], rng)
        apart = batch.windows_apart() if self._regions else None
        return replace(batch, pixels=torch.stack(pixels), apart=apart)

    def _show(self, row: int, rng: np.random.Generator) -> tuple[Placed, Tensor]:
        """Render a slice; return where it is seen, and its pixels as bytes."""
        slices = self._slices
        volume, plane = int(slices.volume[row]), int(slices.plane[row])
        view = self._render(volume, plane, rng)
        cells: NDArray[np.int64] = np.argwhere(view.content.numpy())
        return Placed(cells, view.to_cell, volume, plane, float(slices.z_mm[row])), _bytes(view.pixels)

    def _render(self, volume: int, plane: int, rng: np.random.Generator) -> View:
        """Render a slice; as it is where it would be moved out of sight."""
        if rng.random() >= _PLAIN_SHARE:
            view = render(self._volumes[volume], plane, self._pitch_mm, rng, quick_grid)
            if view.shows_enough():
                return view
        return render(self._volumes[volume], plane, self._pitch_mm, None, quick_grid)


def _bytes(pixels: Tensor) -> Tensor:
    """Return pixels 0 to 1 as bytes."""
    return pixels.mul(255).add_(0.5).to(torch.uint8)


def stream(batches: FreshBatches, numbers: range, workers: int, device: torch.device) -> Generator[PairBatch]:
    """Give the batches of steps in their order, made ahead by worker processes.

    Parameters
    ----------
    batches : FreshBatches
    numbers : range
        Of the steps.
    workers : int
        Processes; 0 makes each batch when it is asked for. They end with the iterator.
    device : torch.device
        Where batches are used; for a GPU they are put into page-locked memory.

    Raises
    ------
    OperatorError
        If a worker ends, fails or hangs.
    """
    loader = DataLoader(
        batches,
        batch_size=None,
        sampler=numbers,
        num_workers=workers,
        prefetch_factor=BATCHES_AHEAD if workers else None,
        # Forked workers share the volumes' memory; they never touch a GPU.
        multiprocessing_context="fork" if workers else None,
        timeout=_LONGEST_S if workers else 0,
        pin_memory=device.type == "cuda",
        generator=torch.Generator(),  # its own: no draw of the training may depend on who makes batches
    )
    try:
        yield from loader
    except RuntimeError as error:
        if not workers:
            raise
        raise OperatorError(
            f"A worker process that renders views ended or failed ({_first_line(error)}).",
            "If memory ran out, give fewer --workers. --resume continues from the last checkpoint.",
        ) from error


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
