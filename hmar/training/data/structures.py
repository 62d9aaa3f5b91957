"""Where labelled structures lie, so that each can be drawn as often as any other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hmar.training.data.volumes import Volume

NO_STRUCTURE, UNLABELLED = -1, -2
"""Labels of a place that is known to show no structure, and of a place where nobody has looked for any."""

LEAST_AREA_MM2 = 100.0
"""A slice shows a structure if more than this area of it is visible: a square centimetre."""

_KEPT = 400
"""Of a structure on a slice, every n-th pixel is kept, so that at least this many remain of a large one."""


class StructurePlaces:
    """Looks up and draws places on the structures of volumes, some of which may have no labels.

    Parameters
    ----------
    volumes : list of Volume
    """

    def __init__(self, volumes: list[Volume]) -> None:
        self._volumes = volumes
        self._pixels = [_pixels_of(volume) for volume in volumes]
        self._planes = [_planes_of(pixels) for pixels in self._pixels]
        self._beyond = [_beyond(volume) for volume in volumes]

    def at(
        self, volume: int, plane: int, x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Return the structures at in-plane positions in mm.

        Beyond the border of a slice there are none, unless something within the volume is unknown, too: a
        mask that leaves anything open says nothing of what lies outside it.
        """
        labels = self._volumes[volume].labels
        if labels is None:
            return np.full(len(x), UNLABELLED, np.int64)
        _, spacing_y, spacing_x = self._volumes[volume].spacing_mm
        rows, columns = np.floor(y / spacing_y).astype(np.int64), np.floor(x / spacing_x).astype(np.int64)
        inside = (rows >= 0) & (rows < labels.shape[1]) & (columns >= 0) & (columns < labels.shape[2])
        found = np.full(len(x), self._beyond[volume], np.int64)
        found[inside] = labels[plane, rows[inside], columns[inside]]
        return found

    def planes_of_a_structure(self, volume: int, generator: np.random.Generator) -> NDArray[np.int64] | None:
        """Draw a structure of a volume; return the slices that show it, or None where none is labelled."""
        planes = self._planes[volume]
        if not planes:
            return None
        return planes[sorted(planes)[int(generator.integers(len(planes)))]]

    def draw(
        self, volume: int, plane: int, count: int, generator: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Draw positions (x, y) in mm on a slice's structures; None where it shows none."""
        pixels = self._pixels[volume].get(plane)
        if pixels is None:
            return None
        _, spacing_y, spacing_x = self._volumes[volume].spacing_mm
        of = [pixels[structure] for structure in sorted(pixels)]
        chosen = [of[kind] for kind in generator.integers(len(of), size=count)]
        points = np.array([places[generator.integers(len(places))] for places in chosen]).reshape(-1, 2)
        rows, columns = (points + generator.random(points.shape)).T
        return columns * spacing_x, rows * spacing_y


def _beyond(volume: Volume) -> int:
    """Return what is known beyond the border of a volume's slices."""
    open_somewhere = volume.labels is None or bool((volume.labels == UNLABELLED).any())
    return UNLABELLED if open_somewhere else NO_STRUCTURE


def _pixels_of(volume: Volume) -> dict[int, dict[int, NDArray[np.int64]]]:
    """Return, by slice and structure, some pixels (n, 2), row and column."""
    if volume.labels is None:
        return {}
    _, spacing_y, spacing_x = volume.spacing_mm
    least = LEAST_AREA_MM2 / (spacing_y * spacing_x)
    found: dict[int, dict[int, NDArray[np.int64]]] = {}
    for plane, labels in enumerate(volume.labels):
        shown = {}
        numbers, counts = np.unique(labels[labels >= 0], return_counts=True)
        for structure in numbers[counts > least].tolist():
            pixels = np.argwhere(labels == structure)
            shown[structure] = pixels[:: max(1, len(pixels) // _KEPT)]
        if shown:
            found[plane] = shown
    return found


def _planes_of(pixels: dict[int, dict[int, NDArray[np.int64]]]) -> dict[int, NDArray[np.int64]]:
    """Return the slices that show each structure."""
    structures = {structure for shown in pixels.values() for structure in shown}
    return {
        structure: np.array([plane for plane, shown in pixels.items() if structure in shown])
        for structure in structures
    }
