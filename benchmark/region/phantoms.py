"""Planted lesions: how many bits survive a perturbation, and at what rank the true position is found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import nn

from benchmark.metrics.figures import distances
from benchmark.region.coding import Code
from benchmark.region.describing import Cost, Steps, describe_gallery, fit_codes
from benchmark.region.features import WindowFeature
from benchmark.region.peers import RegionPeer
from benchmark.region.planes import GRID, SIDES, Plane, make_plane
from benchmark.region.synthetic import (
    ARCHIVE_WINDOW,
    EXTENT_MM,
    PERTURBATIONS,
    SIDE_PX,
    SPACING,
    UNCHANGED,
    Perturbation,
    Phantom,
)
from benchmark.types import Descriptors, Progress
from hmar.image.grid import display
from hmar.image.windows import query_side
from hmar.values.frames import Units

PHANTOMS = 24
PHANTOM_METRIC = "rank of the lesion's own window among all of the archive, expected under ties"
_SIDE = SIDES[0]
_CELL_MM = GRID.pitch_mm * GRID.stride
_CELLS = int(EXTENT_MM // _CELL_MM)
Place = tuple[int, int]


def plant(count: int) -> tuple[list[Phantom], list[Place]]:
    """Return phantoms, and the (row, column) of the lattice window in whose centre each one's lesion lies."""
    rng = np.random.default_rng(3)
    places = [tuple(rng.integers(4, _CELLS - _SIDE - 4, 2, endpoint=True).tolist()) for _ in range(count)]
    phantoms = [
        Phantom(100 + index, ((column + _SIDE / 2) * _CELL_MM, (row + _SIDE / 2) * _CELL_MM))
        for index, (row, column) in enumerate(places)
    ]
    return phantoms, [(row, column) for row, column in places]


class PhantomStudy:
    """Phantoms as planes, drawn and run through the backbone once for all peers.

    Parameters
    ----------
    backbone : nn.Module
        Its backbone is used.
    progress : Progress
    count : int
        Number of phantoms, each with its own body and lesion.
    perturbations : sequence of Perturbation
    """

    def __init__(
        self,
        backbone: nn.Module,
        progress: Progress,
        count: int = PHANTOMS,
        perturbations: Sequence[Perturbation] = PERTURBATIONS,
    ) -> None:
        self.phantoms, self.places = plant(count)
        self.perturbations = perturbations
        total = count * (2 + len(perturbations))
        drawn = 0

        def planes(perturbation: Perturbation, pictures: tuple[float, float] | None) -> list[Plane]:
            nonlocal drawn
            made = [_plane(backbone, phantom, perturbation, pictures) for phantom in self.phantoms]
            drawn += count
            progress("phantoms through the backbone", drawn, total)
            return made

        self.gallery = planes(UNCHANGED, None)
        self.pictures = planes(UNCHANGED, ARCHIVE_WINDOW)
        self.queries = [planes(each, each.display_window) for each in perturbations]

    def rows(
        self, peer: RegionPeer, feature: WindowFeature, bits: Sequence[int], progress: Progress
    ) -> list[dict[str, object]]:
        """Return a row for each code length and perturbation of one peer.

        Codes that must be fitted are fitted on the archive's phantoms, unperturbed.
        """
        codes = fit_codes(peer, feature, self.gallery, bits)
        step = Steps(progress, f"{peer.name} on phantoms", 2 * len(self.phantoms))
        archives = [
            describe_gallery(feature, codes, planes, _SIDE, Cost(), step)
            for planes in (self.gallery, self.pictures)
        ]
        return [
            self._row(peer, length, perturbation, self._measure(feature, code, perturbation, planes, archive))
            for length, code in codes.items()
            for perturbation, planes in zip(self.perturbations, self.queries, strict=True)
            for archive in [archives[perturbation.display_window is not None][length]]
        ]

    def _measure(
        self,
        feature: WindowFeature,
        code: Code,
        perturbation: Perturbation,
        planes: Sequence[Plane],
        archive: Descriptors,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return distance, expected rank and probability of rank 1 of the true position, by phantom."""
        found = []
        side = query_side(_SIDE * perturbation.scale, (_SIDE,))  # the reader's box scales with the lesion
        for index, (phantom, plane) in enumerate(zip(self.phantoms, planes, strict=True)):
            x_mm, y_mm = phantom.centre_mm(perturbation)
            row, column = (np.array([place / _CELL_MM - side / 2]) for place in (y_mm, x_mm))
            apart = distances(code(feature(plane, row, column, side)), archive)[0]
            found.append(_rank(apart, self._truth(index)))
        truth, rank, first = np.array(found, np.float64).T
        return truth, rank, first

    def _truth(self, index: int) -> int:
        """Return the number of a phantom's true window among all of the archive."""
        before = sum(_windows(plane) for plane in self.gallery[:index])
        row, column = self.places[index]
        return before + row * len(self.gallery[index].window_lattice(_SIDE)[1]) + column

    def _row(
        self,
        peer: RegionPeer,
        bits: int,
        perturbation: Perturbation,
        measured: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    ) -> dict[str, object]:
        truth, rank, first = measured
        return {
            "name": peer.name,
            "bits": bits,
            "protocol": "phantom",
            "direction": "synthetic",
            "synthetic": True,
            "perturbation": perturbation.name,
            "bit_agreement": float(1 - truth.mean() / bits) if bits else None,
            "cosine": None if bits else float(1 - truth.mean()),
            "rank_median": float(np.median(rank)),
            "p_at_1": float(first.mean()),
            "queries": len(rank),
            "gallery": sum(map(_windows, self.gallery)),
        }


def _plane(
    backbone: nn.Module, phantom: Phantom, perturbation: Perturbation, pictures: tuple[float, float] | None
) -> Plane:
    hu = phantom.hu(perturbation)
    values, units = (hu, Units.HU) if pictures is None else (display(hu, *pictures), Units.PRESENTATION)
    nothing = np.full((SIDE_PX, SIDE_PX), -1, np.int16)
    return make_plane(backbone, values, nothing, SPACING, units)


def _windows(plane: Plane) -> int:
    rows, columns = plane.window_lattice(_SIDE)
    return len(rows) * len(columns)


def _rank(apart: NDArray[np.int16] | NDArray[np.float32], truth: int) -> tuple[float, float, float]:
    """Return the distance of the true window, its expected rank among ties, and its chance of rank 1."""
    nearer = int(np.count_nonzero(apart < apart[truth]))
    tied = int(np.count_nonzero(apart == apart[truth]))
    return float(apart[truth]), nearer + (tied + 1) / 2, float(nearer == 0) / tied
