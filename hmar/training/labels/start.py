"""Expert0 before its first step, where labels of images are all that there is to learn."""

from __future__ import annotations

import torch

from hmar.model.experts import GlobalExpert
from hmar.training.heads.initial import initialise_head, initialise_projection
from hmar.training.labels.material import Material


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
        Draws the rotations.
    """
    parts = material.parts[:, torch.from_numpy(~material.held_out)].float()  # (K, N, C, 3, 3)
    initialise_projection(expert.project, parts[0].permute(0, 2, 3, 1).flatten(0, 2))
    device = expert.project.weight.device
    first, second = (expert.pool(parts[look].to(device)).cpu() for look in (0, min(1, len(parts) - 1)))
    initialise_head(expert.head, first, second, torch.Generator().manual_seed(seed))
