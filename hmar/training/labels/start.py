"""Expert0 before its first step, where labels of images are all that there is to learn."""

from __future__ import annotations

import numpy as np
import torch

from hmar.model.experts import GlobalExpert
from hmar.training.heads.initial import initialise_head, initialise_projection
from hmar.training.labels.material import Material

_MOST = 6000
"""Images that the start is computed on, at most: six times the numbers that Expert0 sees of one."""


@torch.no_grad()
def start_expert(expert: GlobalExpert, material: Material, seed: int) -> None:
    """Set projection and head, so that their first codes already tell images apart.

    They are computed in closed form on the images to train on, as
    :mod:`hmar.training.heads.initial` says; the two views of an image are its first two looks.

    Parameters
    ----------
    expert : GlobalExpert
    material : Material
    seed : int
        Draws images where there are very many, and rotations.
    """
    generator = torch.Generator().manual_seed(seed)
    rows = torch.from_numpy(np.flatnonzero(~material.held_out))
    rows = rows[torch.randperm(len(rows), generator=generator)[:_MOST]].sort().values
    first, second = (material.parts[look][rows].float() for look in (0, min(1, len(material.parts) - 1)))
    initialise_projection(expert.project, first.permute(0, 2, 3, 1).flatten(0, 2))
    device = expert.project.weight.device
    first, second = (expert.pool(parts.to(device)).cpu() for parts in (first, second))
    initialise_head(expert.head, first, second, generator)
