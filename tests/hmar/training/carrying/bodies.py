"""Bodies whose organs are known everywhere, and the same bodies bent by a known map."""

import numpy as np
from numpy.typing import NDArray

from hmar.training.data.volumes import Volume

SPACING = (6.0, 5.0, 5.0)
SHAPE = (44, 60, 72)
NOISE_HU = 12.0
STRUCTURES = ("liver", "kidney_left", "spleen", "lung_right", "lung_left", "rib_left_1", "lesion", "sternum")
LIVER, KIDNEY, SPLEEN, LUNG_RIGHT, LUNG_LEFT, RIB, LESION, STERNUM = range(len(STRUCTURES))

_ORGANS = {  # centre and half axes in mm (z, y, x), HU
    LIVER: ((90, 140, 130), (45, 55, 60), 110),
    SPLEEN: ((100, 180, 250), (28, 32, 26), 130),
    KIDNEY: ((50, 190, 215), (30, 18, 20), 180),
    LUNG_RIGHT: ((200, 150, 125), (60, 60, 45), -780),
    LUNG_LEFT: ((200, 150, 235), (60, 60, 45), -780),
    STERNUM: ((200, 72, 180), (40, 7, 18), 320),
    RIB: ((215, 205, 255), (10, 14, 30), 500),
    LESION: ((85, 130, 120), (12, 12, 12), 40),
}

Points = NDArray[np.float64]


def grid_mm(shape: tuple[int, int, int] = SHAPE, spacing: tuple[float, float, float] = SPACING) -> Points:
    """Return the centres of voxels in mm, (3, Z, Y, X)."""
    axes = [(np.arange(n) + 0.5) * size for n, size in zip(shape, spacing, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"))


def body_at(points: Points) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Return HU and structures, -1 for none, of one body at points (3, ...) in mm."""
    z, y, x = points
    values = np.full(z.shape, -1000.0)
    values[((y - 150) / 100) ** 2 + ((x - 180) / 130) ** 2 < 1] = -90  # fat
    values[((y - 150) / 88) ** 2 + ((x - 180) / 118) ** 2 < 1] = 50  # muscle
    vertebra = (z % 30 < 22) & (((y - 215) / 18) ** 2 + ((x - 180) / 20) ** 2 < 1)
    values[vertebra] = 400
    labels = np.full(z.shape, -1, np.int16)
    for number, (centre, half, hu) in _ORGANS.items():
        inside = sum(((p - c) / h) ** 2 for p, c, h in zip(points, centre, half, strict=True)) < 1
        values[inside], labels[inside] = hu, number
    return values.astype(np.int16), labels


def bent(points: Points, mm: float = 14.0) -> Points:
    """Return a smooth, one-to-one map of points, which no affine map comes near."""
    z, y, x = points
    return np.stack(
        [
            z + mm * np.sin(x / 45.0) * 0.7,
            y + mm * np.sin(z / 40.0) * 0.6,
            x + mm * np.sin(y / 40.0 + z / 60.0),
        ]
    )


def volume(
    values: NDArray[np.int16],
    labels: NDArray[np.int16] | None = None,
    name: str = "body",
    patient: str | None = None,
) -> Volume:
    regions = np.full(len(values), -1, np.int64)
    return Volume(name, values, SPACING, "CT", regions, labels, patient=patient)


def noisy(values: NDArray[np.int16], seed: int) -> NDArray[np.int16]:
    return (values + np.random.default_rng(seed).normal(0, NOISE_HU, values.shape)).astype(np.int16)


def atlas() -> Volume:
    values, labels = body_at(grid_mm())
    return volume(noisy(values, 0), labels, patient="atlas")


def patient() -> tuple[Volume, NDArray[np.int16]]:
    """Return an unlabelled person, the atlas bent, and the labels that are right."""
    values, labels = body_at(bent(grid_mm()))
    return volume(noisy(values, 1), patient="person"), labels


def dice(found: NDArray[np.int16], right: NDArray[np.int16], structure: int) -> float:
    a, b = found == structure, right == structure
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))
