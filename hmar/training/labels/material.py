"""Labelled images as Expert0 sees them: feature maps pooled on 3x3 parts, of several looks at each image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hmar.image.grid import GridConfig
from hmar.model.backbones.base import Backbone, fold_batch_norm
from hmar.model.config import PARTS
from hmar.training.config import TrainingConfig
from hmar.training.data.image_labels import NO_LABEL, ImageLabels, Mask
from hmar.training.data.served import served_image
from hmar.training.data.views import Told, all_slices
from hmar.training.data.volumes import Volume
from hmar.training.device import mixed_precision


def silent(_done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """N labelled images.

    Parameters
    ----------
    parts : Tensor of float16, shape (K, N, C, 3, 3)
        The backbone's maps, pooled, of K looks at each image; the first is what the product encodes.
    labels : ImageLabels
        All of them labelled.
    held_out : ndarray of bool, shape (N,)
        Images that are not trained on, but ask for those that are.
    """

    parts: Tensor
    labels: ImageLabels
    held_out: Mask


def of_volumes(
    volumes: list[Volume], backbone: Backbone, config: TrainingConfig, device: torch.device, told: Told
) -> Material:
    """Encode all labelled slices and images.

    Parameters
    ----------
    volumes : list of Volume
        Two labels or more in all.
    backbone : Backbone
        On the device; batch norms need not be folded.
    config : TrainingConfig
    device : torch.device
    told : callable
    """
    every = ImageLabels.of_slices(volumes, config)
    slices = all_slices(volumes)
    rows = np.flatnonzero(every.label != NO_LABEL)
    labels = ImageLabels(every.label[rows], every.patient[rows], every.count)
    looks, folded = config.label_looks, fold_batch_norm(backbone).to(device)
    parts = torch.empty(looks, len(rows), backbone.channels, PARTS, PARTS, dtype=torch.float16)
    for row, place in enumerate(rows):
        volume, plane = slices[place]
        seed = (config.seed, int(place))
        parts[:, row] = looks_at(volumes[volume], plane, folded, looks, seed, device)
        told(row + 1, len(rows))
    return Material(parts, labels, labels.held_out())


def looks_at(
    volume: Volume, plane: int, backbone: nn.Module, looks: int, seed: tuple[int, ...], device: torch.device
) -> Tensor:
    """Return what Expert0 sees of a slice.

    Parameters
    ----------
    volume : Volume
    plane : int
        Index of the slice.
    backbone : nn.Module
        On the device, batch norms folded.
    looks : int
    seed : tuple of int
        Of how looks after the first vary.
    device : torch.device

    Returns
    -------
    Tensor of float16, shape (looks, C, 3, 3)
        The first is what the product encodes.
    """
    parts = []
    for look in range(looks):
        generator = np.random.default_rng((*seed, look)) if look else None
        image = served_image(volume, plane, GridConfig(), generator)
        parts.append(pooled_parts(backbone, image.to(device)))
    return torch.stack(parts)


@torch.inference_mode()
def pooled_parts(backbone: nn.Module, image: Tensor) -> Tensor:
    """Return the feature map of an image (3, H, W), 0 to 1, pooled on 3x3 parts: (C, 3, 3)."""
    batch = image[None].contiguous(memory_format=torch.channels_last)
    with mixed_precision(image.device):
        maps = backbone(batch)
    return F.adaptive_avg_pool2d(maps.float(), PARTS)[0].half().cpu()
