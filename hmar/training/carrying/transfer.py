"""Looking the labels of one person up at the places of another."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from hmar.training.carrying.transform import Transform
from hmar.training.data.structures import UNLABELLED
from hmar.training.data.volumes import Volume


@torch.inference_mode()
def transfer(
    labels: NDArray[np.int16], spacing_mm: tuple[float, float, float], target: Volume, found: Transform
) -> NDArray[np.int16]:
    """Return the labels at all voxels of a volume; UNLABELLED beyond the border of what they are of.

    Parameters
    ----------
    labels : ndarray of int16, shape (Z, Y, X)
        Of the other person.
    spacing_mm : tuple of float
        Of them, (z, y, x).
    target : Volume
    found : Transform
        From places of the volume to those of the other person.
    """
    centres = [
        (torch.arange(count) + 0.5) * spacing
        for count, spacing in zip(target.values.shape, target.spacing_mm, strict=True)
    ]
    source = torch.from_numpy(labels)
    size, shape = torch.tensor(spacing_mm).view(3, 1, 1, 1), torch.tensor(labels.shape).view(3, 1, 1, 1)
    carried = np.empty(target.values.shape, np.int16)
    for plane in range(len(carried)):
        at = (found.on_grid(centres[0][plane : plane + 1], *centres[1:]) / size).floor().long()
        inside = ((at >= 0) & (at < shape)).all(0)[0]
        z, y, x = at.clamp(min=0).minimum(shape - 1)[:, 0]
        carried[plane] = torch.where(inside, source[z, y, x], UNLABELLED).numpy()
    return carried
