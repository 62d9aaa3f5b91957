"""Synthetic slices with a planted lesion: computed from formulas, so that the ground truth is exact.

Tissue is a function of the position in mm. A perturbed slice evaluates the same function at the positions
that the perturbation maps back to: nothing is interpolated, and the lesion's centre is exact. The pictures
show no patient and do not look like one; they measure robustness, not usefulness.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmar.values.frames import FloatArray
from hmar.values.geometry import Spacing

Field = NDArray[np.float64]

SIDE_PX = 216
SPACING = Spacing(1.0, 1.0)
EXTENT_MM = SIDE_PX * SPACING.row_mm
_WAVES = 40


@dataclass(frozen=True, slots=True)
class Perturbation:
    """What happens to a phantom between the archive and the query.

    Parameters
    ----------
    name : str
        Stands in the rows.
    shift_mm : tuple of float
        (x, y) of the whole picture.
    scale : float
        About the lesion's centre; above 1 it grows.
    angle_deg : float
        About the lesion's centre.
    noise_hu : float
        Standard deviation of Gaussian noise.
    display_window : tuple of float or None
        (centre, width): the query is a picture seen through this display window, and so are the phantoms of
        the archive, through 40/400.
    """

    name: str
    shift_mm: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    angle_deg: float = 0.0
    noise_hu: float = 0.0
    display_window: tuple[float, float] | None = None


UNCHANGED = Perturbation("unchanged")
PERTURBATIONS = (
    UNCHANGED,
    Perturbation("shift 3 mm", shift_mm=(3.0, 0.0)),
    Perturbation("shift 6+6 mm", shift_mm=(6.0, 6.0)),
    Perturbation("shift 12 mm", shift_mm=(12.0, 0.0)),
    Perturbation("scale 0.8", scale=0.8),
    Perturbation("scale 0.9", scale=0.9),
    Perturbation("scale 1.1", scale=1.1),
    Perturbation("scale 1.25", scale=1.25),
    Perturbation("rotation 5 deg", angle_deg=5.0),
    Perturbation("rotation 15 deg", angle_deg=15.0),
    Perturbation("window 60/360", display_window=(60.0, 360.0)),
    Perturbation("window 40/800", display_window=(40.0, 800.0)),
    Perturbation("noise 20 HU", noise_hu=20.0),
    Perturbation("noise 60 HU", noise_hu=60.0),
)
ARCHIVE_WINDOW = (40.0, 400.0)
"""Display window of the archive's pictures, where the query is one."""


@dataclass(frozen=True, slots=True)
class Phantom:
    """A synthetic slice.

    Parameters
    ----------
    seed : int
        Body, texture and lesion follow from it.
    lesion_mm : tuple of float
        (x, y) of the lesion's centre from the upper left corner.
    """

    seed: int
    lesion_mm: tuple[float, float]

    def hu(self, perturbation: Perturbation) -> FloatArray:
        """Return the slice in HU, (216, 216) pixels of 1 mm, perturbed."""
        y, x = (np.mgrid[0:SIDE_PX, 0:SIDE_PX] + 0.5) * SPACING.row_mm
        values = self._tissue(*self._before(x, y, perturbation))
        if perturbation.noise_hu:
            noise = np.random.default_rng((self.seed, 1)).standard_normal(values.shape)
            values = values + perturbation.noise_hu * noise
        return np.asarray(np.maximum(values, -1024), np.float32)

    def centre_mm(self, perturbation: Perturbation) -> tuple[float, float]:
        """Return where the perturbation puts the lesion's centre, (x, y)."""
        return self.lesion_mm[0] + perturbation.shift_mm[0], self.lesion_mm[1] + perturbation.shift_mm[1]

    def _before(self, x: Field, y: Field, perturbation: Perturbation) -> tuple[Field, Field]:
        """Return the positions in the unperturbed slice that appear at x, y."""
        centre_x, centre_y = self.centre_mm(perturbation)
        turn = math.radians(perturbation.angle_deg)
        dx, dy = (x - centre_x) / perturbation.scale, (y - centre_y) / perturbation.scale
        back_x = math.cos(turn) * dx + math.sin(turn) * dy
        back_y = math.cos(turn) * dy - math.sin(turn) * dx
        return back_x + self.lesion_mm[0], back_y + self.lesion_mm[1]

    def _tissue(self, x: Field, y: Field) -> Field:
        rng = np.random.default_rng(self.seed)
        middle = EXTENT_MM / 2
        body = _ellipse(x, y, (middle, middle), (0.46 * EXTENT_MM, 0.40 * EXTENT_MM), 0.0)
        tissue = 30 + _waves(rng, x, y, (15, 60), 25) + _waves(rng, x, y, (5, 14), 12)
        for _ in range(7):
            place = rng.uniform(0.2 * EXTENT_MM, 0.8 * EXTENT_MM, 2)
            inside = _ellipse(x, y, tuple(place), tuple(rng.uniform(8, 32, 2)), rng.uniform(0, math.pi))
            tissue = tissue + inside * rng.choice([-700.0, -110.0, 60.0, 110.0, 500.0])
        lesion = self._lesion(rng, x, y)
        return -1000 + body * (1000 + tissue * (1 - lesion) + lesion * (70 + _waves(rng, x, y, (4, 10), 60)))

    def _lesion(self, rng: np.random.Generator, x: Field, y: Field) -> Field:
        """Return the lesion's share, 0 to 1: a blob with lobes, 12 to 28 mm across."""
        dx, dy = x - self.lesion_mm[0], y - self.lesion_mm[1]
        angle = np.arctan2(dy, dx)
        outline = rng.uniform(6, 14) * np.ones_like(x)
        for lobes in (2, 3, 5):
            outline = outline * (
                1 + rng.uniform(0, 0.25) * np.cos(lobes * angle + rng.uniform(0, 2 * math.pi))
            )
        return _soft(outline - np.hypot(dx, dy))


def _ellipse(x: Field, y: Field, centre: tuple[float, ...], radii: tuple[float, ...], angle: float) -> Field:
    dx, dy = x - centre[0], y - centre[1]
    along = (math.cos(angle) * dx + math.sin(angle) * dy) / radii[0]
    across = (math.cos(angle) * dy - math.sin(angle) * dx) / radii[1]
    return _soft((1 - np.hypot(along, across)) * min(radii))


def _soft(inward_mm: Field) -> Field:
    """Return an edge 2 mm wide: 0 outside, 1 inside."""
    edge: Field = np.clip(inward_mm / 2 + 0.5, 0, 1)
    return edge


def _waves(
    rng: np.random.Generator, x: Field, y: Field, lengths_mm: tuple[float, float], deviation: float
) -> Field:
    """Return smooth texture: plane waves of random direction, length and phase."""
    total = np.zeros_like(x)
    for _ in range(_WAVES):
        number = 2 * math.pi / rng.uniform(*lengths_mm)
        direction, phase = rng.uniform(0, 2 * math.pi, 2)
        total += np.cos(number * (math.cos(direction) * x + math.sin(direction) * y) + phase)
    return total * deviation * math.sqrt(2 / _WAVES)
