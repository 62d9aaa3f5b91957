"""A start that already retrieves: heads initialised to discriminative components and ITQ.

Random heads first unlearn what the backbone knows; from here on training only has to make codes better than
those of iterative quantisation (Gong & Lazebnik, CVPR 2011).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hmar.model.hash_head import HashHead
from hmar.training.heads.code_layer import code_layer

_ITERATIONS = 40
_SHRINKAGE = 0.3
"""Share of the mean variance that is added to that within places."""


@torch.no_grad()
def initialise_projection(project: nn.Conv2d, backbone_features: Tensor) -> None:
    """Set a 1x1 convolution to the leading principal components of backbone features (N, C), centred.

    Channels are divided by their standard deviation first, so that no loud channel drowns the others.
    """
    mean, deviation = backbone_features.mean(dim=0), backbone_features.std(dim=0).clamp_min(1e-3)
    components = _components((backbone_features - mean) / deviation)
    weight = components[: project.out_channels] / deviation
    project.weight.copy_(weight[:, :, None, None])
    _bias(project).copy_(-weight @ mean)


@torch.no_grad()
def initialise_head(head: HashHead, first: Tensor, second: Tensor, generator: torch.Generator) -> None:
    """Set a head so that its first logits are those of ITQ on features that tell places apart.

    The bottleneck takes the leading discriminative components under a random rotation, which gives its
    units equal variance, as the spline grids need; the last layer starts as the linear map that undoes it
    and quantises.

    Parameters
    ----------
    head : HashHead
    first, second : Tensor, shape (N, inputs)
        Features of places seen twice.
    generator : torch.Generator
        Draws the rotations.
    """
    layer = code_layer(head)
    hidden, bits = head.reduce.out_features, layer.outputs
    features = torch.cat([first, second])
    mean = features.mean(dim=0)
    telling = discriminative(first - mean, second - mean)[:, :hidden]  # (inputs, hidden)
    turn = _random_rotation(hidden, generator)
    head.reduce.weight.copy_((telling @ turn).T)
    _bias(head.reduce).copy_(-mean @ telling @ turn)
    quantised = itq((features - mean) @ telling[:, :bits], generator)  # (bits, bits)
    linear = turn.T[:, :bits] @ quantised  # (hidden, bits)
    layer.set_linear(linear * 4)


def discriminative(first: Tensor, second: Tensor) -> Tensor:
    """Return the components (D, D), in columns, in which places differ most and two views of one least.

    Those of linear discriminant analysis with every place a class of two (relevant component analysis,
    Shental et al., ECCV 2002), its noise shrunk towards white. A component's scale falls with the fourth root
    of its ratio of variances: between equal shares for all and shares by strength.
    """
    features, differences = torch.cat([first, second]).double(), (first - second).double()
    total = features.T @ features / len(features)
    within = differences.T @ differences / (2 * len(differences))
    size = len(total)
    within += _SHRINKAGE * total.trace() / size * torch.eye(size, dtype=torch.float64)
    variances, axes = torch.linalg.eigh(within)
    whiten = axes * variances.rsqrt() @ axes.T
    ratios, components = torch.linalg.eigh(whiten @ total @ whiten)
    scaled: Tensor = (whiten @ components * ratios.clamp_min(1e-9) ** -0.25).flip(1)
    return scaled.float()


def itq(features: Tensor, generator: torch.Generator) -> Tensor:
    """Return the rotation (D, D) that brings centred features (N, D) nearest to their signs."""
    rotation = _random_rotation(features.shape[1], generator)
    for _ in range(_ITERATIONS):
        signs = torch.where(features @ rotation > 0, 1.0, -1.0)
        left, _, right = torch.linalg.svd(signs.T @ features)
        rotation = (left @ right).T
    return rotation


def _components(centred: Tensor) -> Tensor:
    """Return the principal components (D, D) of centred features (N, D), the strongest first."""
    _, vectors = torch.linalg.eigh(centred.T @ centred)
    components: Tensor = vectors.flip(1).T
    return components


def _random_rotation(size: int, generator: torch.Generator) -> Tensor:
    rotation: Tensor = torch.linalg.qr(torch.randn(size, size, generator=generator))[0]
    return rotation


def _bias(layer: nn.Conv2d | nn.Linear) -> Tensor:
    if layer.bias is None:
        raise TypeError("the layer has no bias")
    return layer.bias
